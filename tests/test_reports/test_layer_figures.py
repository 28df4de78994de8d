import numpy as np
import pytest
from matplotlib.collections import LineCollection

from mammography.functional.density import estimate_densities
from mammography.reports.activations.files import write_figure
from mammography.reports.figures import canvas
from mammography.reports.figures.depth import draw_over_depth
from mammography.reports.figures.ridgeline import OVERLAP, draw_ridgelines, spread_channels


@pytest.fixture
def values():
    random = np.random.default_rng(0)
    return {"a": random.normal(size=(3, 400)), "b": 2 * random.normal(size=(3, 400))}


def draw(values, **settings):
    variances = {name: float(each.var(1).mean()) for name, each in values.items()}
    return draw_ridgelines(values, variances, title="layer", **settings)


def ridges(axes, color):
    """Lines of the ridges, by the row that they stand on."""
    found = [line for line in axes.lines if line.get_color() == color]
    return {round(float(np.nanmin(line.get_ydata()))): line for line in found}


def is_line(collection):
    return isinstance(collection, LineCollection) and len(collection.get_segments()) > 0


def test_a_ridge_is_the_kernel_density_above_its_channel_on_one_scale_for_all_panels(values):
    heights, scales = [], []
    for axes, color, name in zip(draw(values).axes, canvas.SERIES, values, strict=False):
        lines = ridges(axes, color)
        assert sorted(lines) == [0, 1, 2]
        x, y = lines[1].get_data()
        seen = np.isfinite(y)
        density = estimate_densities(values[name], x)[0][1][seen]
        scales += list((y[seen] - 1) / density)
        heights.append(y[seen].max() - 1)
    np.testing.assert_allclose(scales, scales[0])
    assert max(heights) == heights[0] == pytest.approx(OVERLAP)  # the narrower of both
    limits = {axes.get_xlim() + axes.get_ylim() for axes in draw(values).axes}
    assert len(limits) == 1


def test_the_legend_tells_the_average_variance_of_all_channels(values):
    figure = draw_ridgelines(values, {"a": 0.57621, "b": 4.0}, title="l4b2bn2", most_channels=2)
    texts = [axes.get_legend().get_texts()[0].get_text() for axes in figure.axes]
    assert texts == ["Avg. var: 0.5762", "Avg. var: 4"]
    assert figure.get_suptitle() == "l4b2bn2, 2 of 3 channels"
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]


def test_the_first_channel_is_at_the_bottom_and_called_1(values):
    axes = draw(values).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["1", "2", "3"]
    assert list(axes.get_yticks()) == [0, 1, 2]


def test_a_constant_channel_is_a_spike_and_counted(values):
    values["a"][1] = 0.5
    left, right = draw(values).axes
    assert sorted(ridges(left, canvas.BLUE)) == [0, 2]
    (spike,) = [each.get_segments()[0] for each in left.collections if is_line(each)]
    np.testing.assert_allclose(spike, [[0.5, 1], [0.5, 1 + 0.8 * OVERLAP]])
    assert left.get_legend().get_texts()[1].get_text() == "(nearly) constant: 1"
    assert len(right.get_legend().get_texts()) == 1


def test_many_channels_are_thinned_evenly_with_both_ends():
    chosen = spread_channels(128, 32)
    assert (len(chosen), chosen[0], chosen[-1]) == (32, 0, 127)
    assert set(np.diff(chosen)) == {4, 5}


def test_a_figure_of_nothing_but_constants_can_be_written(tmp_path):
    figure = draw({"$a$": np.full((4, 9), 2.0)})
    write_figure(tmp_path / "x/y.png", figure)
    assert (tmp_path / "x/y.png").read_bytes()[1:4] == b"PNG"
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["y.png"]


def test_layers_run_from_the_top_to_the_bottom():
    figure = draw_over_depth(["first", "last"], {"W1": {"a to b": [1.0, 2.0]}})
    axes = figure.axes[0]
    assert list(axes.lines[0].get_ydata()) == [0, 1]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["first", "last"]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1.0, 20.0], "linear"),
        ([1.0, 2000.0], "symlog"),
        ([0.0, 1.0, 2000.0], "symlog"),
        ([-0.1, 1.0, 2000.0], "linear"),
        ([np.nan, np.nan], "linear"),
    ],
)
def test_numbers_of_many_magnitudes_are_drawn_on_an_axis_that_says_so(values, scale):
    names = [str(n) for n in range(len(values))]
    axes = draw_over_depth(names, {"KL": {"a": values}}).axes[0]
    assert axes.get_xscale() == scale
    assert axes.get_title() == ("KL (log.)" if scale == "symlog" else "KL")
    low, high = axes.get_xlim()
    assert all(low <= value <= high for value in values if np.isfinite(value))
