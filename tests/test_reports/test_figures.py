import re

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc, average_precision_score, roc_auc_score

from mammography.reports.figures.canvas import name_axes, new_figure, to_svg
from mammography.reports.figures.classification import (
    draw_confusion,
    draw_precision_recall,
    draw_roc,
    draw_score_histogram,
)
from mammography.reports.figures.curves import draw_curves
from mammography.reports.figures.regression import draw_predicted_over_observed
from mammography.reports.figures.thinning import running_mean, thin
from test_reports.invented_run import labels_and_scores


def texts(svg):
    return re.findall(r"<text[^>]*>(.*?)</text>", svg)


@pytest.mark.parametrize("n", [40, 20_000])
def test_the_area_below_the_drawn_roc_curve_is_the_auc_of_sklearn(n):
    labels, scores = labels_and_scores(n)
    line = draw_roc(labels, scores + 1e-6 * np.arange(n)).axes[0].lines[0]
    expected = roc_auc_score(labels, scores + 1e-6 * np.arange(n))
    assert auc(*line.get_data()) == pytest.approx(expected, abs=1e-3)


def test_the_steps_of_the_drawn_precision_recall_curve_sum_to_the_average_precision():
    labels, scores = labels_and_scores(200)
    curve, baseline = draw_precision_recall(labels, scores).axes[0].lines
    recall, precision = curve.get_data()
    assert curve.get_drawstyle() == "steps-post"
    area = -(np.diff(recall) * precision[:-1]).sum()
    assert area == pytest.approx(average_precision_score(labels, scores))
    assert baseline.get_ydata()[0] == labels.mean()


def test_the_histogram_counts_every_score_in_its_class():
    labels, scores = labels_and_scores(200)
    positive, negative = draw_score_histogram(labels, scores, ("no", "yes")).axes
    assert sum(bar.get_height() for bar in positive.patches) == labels.sum()
    assert sum(bar.get_height() for bar in negative.patches) == 200 - labels.sum()


def test_a_confusion_matrix_shows_its_counts_in_reading_order():
    counts = np.array([[5, 2, 0], [1, 7, 3], [0, 0, 0]])
    axes = draw_confusion(counts, ("A", "B", "C")).axes[0]
    assert [int(text.get_text()) for text in axes.texts] == counts.ravel().tolist()


def test_many_points_become_one_bitmap():
    values = np.random.default_rng(0).normal(size=(2, 5000))
    svg = to_svg(draw_predicted_over_observed(*values, "mm"), "salt")
    assert "data:image/png;base64" in svg
    assert len(svg) < 100_000


def test_a_thinned_curve_keeps_its_extremes_and_ends():
    y = np.random.default_rng(0).normal(size=50_000)
    y[31_234] = 99
    y[7] = np.nan
    x, thinned = thin(np.arange(len(y)), y)
    assert len(thinned) <= 2000
    assert (np.diff(x) > 0).all()
    assert np.nanmax(thinned) == 99
    assert np.nanmin(thinned) == np.nanmin(y)
    assert (thinned[0], thinned[-1]) == (y[0], y[-1])


def test_a_short_curve_is_drawn_whole():
    x, y = thin(range(2000), range(2000))
    assert len(x) == len(y) == 2000


def test_the_running_mean_agrees_with_pandas():
    y = np.random.default_rng(0).normal(size=500)
    _, mean = running_mean(np.arange(500), y, 9)
    np.testing.assert_allclose(mean, pd.Series(y).rolling(9).mean().dropna())


def test_a_curve_over_many_magnitudes_gets_a_logarithmic_axis_that_says_so():
    x = np.arange(1, 50)
    wide, narrow = (
        draw_curves({"a": (x, 1e4 / x**2)}, "x", "y"),
        draw_curves({"a": (x, x)}, "x", "y"),
    )
    assert wide.axes[0].get_ylabel() == "y (logarithmic)"
    assert narrow.axes[0].get_ylabel() == "y"


def test_every_curve_of_a_figure_looks_different():
    curves = {str(i): ([0, 1], [i, i]) for i in range(12)}
    lines = draw_curves(curves, "x", "y").axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 12


def test_the_same_figure_gives_the_same_bytes():
    drawn = [to_svg(draw_roc(*labels_and_scores(40)), "a") for _ in range(2)]
    assert drawn[0] == drawn[1]


def test_names_inside_two_drawings_never_meet():
    ids = [
        set(re.findall(r' id="([^"]*)"', to_svg(draw_roc(*labels_and_scores(40)), salt)))
        for salt in "ab"
    ]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_every_reference_of_a_drawing_has_its_target():
    svg = to_svg(draw_roc(*labels_and_scores(40)), "a")
    wanted = set(re.findall(r'(?:href="|url\()#([^")]+)', svg))
    assert wanted
    assert wanted == set(re.findall(r' id="([^"]*)"', svg))


def test_text_is_drawn_literally_whatever_it_holds():
    figure, (axes,) = new_figure()
    name_axes(axes, "<b>cost</b> in $x_1$", "密度")
    axes.xaxis.set_major_formatter(lambda value, _: "$a$")
    svg = to_svg(figure, "a")
    assert "&lt;b&gt;cost&lt;/b&gt; in $x_1$" in texts(svg)
    assert "$a$" in texts(svg)
    assert "密度" in texts(svg)
    assert "<b>" not in svg


def test_drawing_leaves_the_settings_of_matplotlib_alone():
    before = dict(mpl.rcParams)
    to_svg(draw_roc(*labels_and_scores(40)), "a")
    assert dict(mpl.rcParams) == before


def test_an_inline_drawing_names_no_address():
    assert "http" not in to_svg(draw_roc(*labels_and_scores(40)), "a")
