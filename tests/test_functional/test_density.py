import numpy as np
import pytest
from scipy.stats import norm

from golden import golden
from mammography.functional.density import estimate_densities, shared_grid


@pytest.mark.parametrize("bandwidth", ["scott", "silverman"])
def test_densities_agree_with_their_reference_values(bandwidth):
    case = golden("10_explain_distance")["expected"]["kde"]
    ours, spikes = estimate_densities([case["data"]], case["x"], bandwidth=bandwidth)
    np.testing.assert_allclose(ours[0], case[bandwidth], rtol=1e-9)
    assert not spikes.any()


def test_a_density_is_the_mean_of_normal_kernels_of_scotts_width():
    values = np.random.default_rng(0).gamma(2, size=(2, 40))
    grid = np.linspace(-2, 12, 9)
    for density, row in zip(estimate_densities(values, grid)[0], values, strict=True):
        width = row.std(ddof=1) * 40**-0.2
        expected = norm.pdf(grid[:, None], row, width).mean(1)
        np.testing.assert_allclose(density, expected)


def test_a_constant_channel_is_marked_and_the_others_are_estimated():
    values = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)
    values[1] = 0.1
    densities, spikes = estimate_densities(values, [-1.0, 0.1, 1.0])
    assert spikes.tolist() == [False, True, False]
    assert not densities[1].any()
    np.testing.assert_array_equal(densities[::2], estimate_densities(values[::2], [-1, 0.1, 1])[0])


def test_a_channel_that_varies_by_rounding_alone_is_constant():
    values = 1000 * (1 + 1e-8 * np.random.default_rng(0).normal(size=(1, 50)))
    assert estimate_densities(values, [1000.0])[1].all()


def test_a_channel_that_the_grid_does_not_resolve_is_marked():
    values = np.random.default_rng(0).normal(size=(2, 50)) * [[1.0], [0.01]]
    assert estimate_densities(values, [0.0, 0.1], narrowest=[0.1, 0.1])[1].tolist() == [False, True]
    assert not estimate_densities(values, [0.0, 0.1])[1].any()


@pytest.mark.parametrize("values", [[[1.0, np.nan]], [[1.0]], [1.0, 2.0]])
def test_values_without_a_density_are_refused(values):
    with pytest.raises(ValueError, match="values must be finite, "):
        estimate_densities(values, [0.0])


def test_a_density_over_its_grid_has_the_area_one():
    values = np.random.default_rng(0).normal(size=(4, 500))
    grid = shared_grid([values, 3 * values])
    assert (np.diff(grid) > 0).all()
    areas = np.trapezoid(estimate_densities(values, grid)[0], grid, axis=1)
    np.testing.assert_allclose(areas, 1, atol=0.01)


def test_an_outlier_does_not_stretch_the_grid_and_a_narrow_set_is_resolved():
    random = np.random.default_rng(0)
    wide, narrow = 100 * random.normal(size=(4, 2000)), 7 + 0.5 * random.normal(size=(4, 2000))
    wide[0, 0] = 1e6
    grid = shared_grid([wide, narrow], points=256)
    assert len(grid) <= 256
    assert -450 < grid[0] < -250
    assert 250 < grid[-1] < 450
    assert ((grid > 6) & (grid < 8)).sum() > 40


def test_constants_have_a_grid_around_them():
    grid = shared_grid([np.full((2, 5), 3.0)])
    assert grid[0] < 3 < grid[-1]
