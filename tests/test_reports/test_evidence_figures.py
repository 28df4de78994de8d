"""Figures of the evidence: what is drawn is what was given, and where it lies is known."""

import re

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from mammography.reports.figures.calibration import (
    Benefit,
    Reliability,
    draw_calibration,
    draw_decision_curve,
)
from mammography.reports.figures.canvas import BLUE, frames, new_figure, to_svg
from mammography.reports.figures.curve_comparison import draw_rocs
from mammography.reports.figures.forest import Branch, draw_forest
from mammography.reports.figures.outcomes import count_outcomes, draw_outcomes
from mammography.reports.figures.risk_coverage import Line, draw_risk_coverage


def titled(figure):
    """Axis titles of the figure, the lowest axes for x."""
    return [axes.get_ylabel() for axes in figure.axes], figure.axes[-1].get_xlabel()


def path_of(svg, color):
    """The points of the first path of a colour."""
    path = re.search(rf'<path d="([^"]*)"[^>]*style="[^"]*stroke: {color.lower()}', svg)[1]
    return np.array(re.findall(r"[ML] ([\d.]+) ([\d.]+)", path), float)


@pytest.mark.parametrize("size_in", [(4.4, 3.3), (4.4, 7.0), (3.0, 3.0)])
def test_a_point_lies_in_the_drawing_where_its_frame_says(size_in):
    figure, (axes,) = new_figure(size_in=size_in)
    x, y = np.array([0.5, 2.0, 3.5]), np.array([10.0, -5.0, 30.0])
    axes.plot(x, y, color=BLUE)
    axes.set(xlim=(0, 4), ylim=(-10, 40), xlabel="time", ylabel="a long title of the axis")
    points = path_of(to_svg(figure, "salt"), BLUE)
    (frame,) = frames(figure)
    left, top, right, bottom = frame["box"]
    expected = np.stack(
        [left + x / 4 * (right - left), bottom - (y + 10) / 50 * (bottom - top)], axis=1
    )
    np.testing.assert_allclose(points, expected, atol=0.05)


def test_a_square_figure_with_its_legend_outside_has_its_frame_as_well():
    labels, scores = np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.5, 0.9])
    figure = draw_rocs({"a": scores, "b": -scores}, labels)
    points = path_of(to_svg(figure, "salt"), BLUE)
    (frame,) = frames(figure)
    left, top, right, bottom = frame["box"]
    assert right - left == pytest.approx(bottom - top, abs=0.1)
    assert points[0, 0] == pytest.approx(left + 0.02 / 1.04 * (right - left), abs=0.05)


def test_every_case_is_counted_once_by_label_and_outcome():
    rng = np.random.default_rng(0)
    scores, labels = rng.random(500), rng.integers(0, 2, 500)
    found = count_outcomes(scores, labels, scores >= 0.3, shares=True)
    tn, fp, fn, tp = confusion_matrix(labels, scores >= 0.3).ravel()
    totals = {name: sum(counts) for name, counts in found.counts.items()}
    assert totals == {"TP": tp, "FN": fn, "TN": tn, "FP": fp}
    figure = draw_outcomes(found, "score", 0.3)
    heights = sum(bar.get_height() for axes in figure.axes for bar in axes.patches)
    assert heights == 500
    assert titled(figure) == (["cases", "cases"], "score")


def test_equal_values_are_counted_too():
    found = count_outcomes([0.5, 0.5], [0, 1], [True, True])
    assert sum(map(sum, found.counts.values())) == 2


def test_a_forest_has_a_line_where_there_is_an_interval_and_an_open_circle_where_not():
    rows = [
        Branch("all", 0.8, (0.7, 0.9)),
        Branch("vendor", heading=True),
        Branch("few", 0.9),
        Branch("none"),
    ]
    axes = draw_forest(rows, "ROC-AUC (95 %)", 0.8, (0.7, 0.9)).axes[0]
    intervals = [line for line in axes.lines if len(line.get_xdata()) == 2][1:]
    assert [list(line.get_xdata()) for line in intervals] == [[0.7, 0.9]]
    markers = [line for line in axes.lines if line.get_marker() in ("s", "o")]
    assert [line.get_markerfacecolor() for line in markers] == [BLUE, "white"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["all", "vendor", "few", "none"]
    low, high = axes.get_xlim()
    assert (low, high) == pytest.approx((0.692, 0.908))
    assert axes.get_xlabel() == "ROC-AUC (95 %)"


def test_calibration_and_decision_curves_have_axis_titles_and_reach_their_numbers():
    groups = Reliability(np.array([0.2]), np.array([0.3]), np.array([[0.1, 0.5]]))
    figure = draw_calibration(groups, ([0.1, 0.9], [0.2, 0.8]), [0, 1, 1], [0.1, 0.2, 0.9])
    assert titled(figure) == (
        ["observed share of positives", "cases (√ scale)\nneg. | pos."],
        "predicted risk",
    )
    at = np.linspace(0.01, 0.5, 50)
    figure = draw_decision_curve(at, [Benefit("m", 0.1 - 0.2 * at)], 0.1 - at)
    assert titled(figure) == (["net benefit per case"], "threshold: risk at which one would recall")
    assert figure.axes[0].get_ylim()[1] > 0.098


def test_models_keep_their_colour_and_kinds_of_uncertainty_their_dash():
    lines = [Line("a, x", [0.5, 1], [0, 0.1], 0, 0), Line("a, y", [0.5, 1], [0, 0.2], 0, 1)]
    drawn = draw_risk_coverage(lines).axes[0].lines
    assert drawn[0].get_color() == drawn[1].get_color()
    assert drawn[0].get_linestyle() != drawn[1].get_linestyle()
