"""Calibration curves against golden values, a local line by hand, and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from binary_studies import draw_forecasts, unhurried
from golden import golden
from mammography.functional.calibration_curve import reliability_curve, smooth_calibration
from mammography.functional.proportions import proportion


def local_line(x, y, at, fraction):
    """Cleveland's lowess without robust steps, at one point."""
    count = int(fraction * len(x) + 1e-10)
    distance = np.abs(x - at)
    reach = np.sort(distance)[count - 1]
    weights = np.clip(1 - np.clip(distance / reach, 0, 1) ** 3, 0, None) ** 3
    line = np.polyfit(x, y, 1, w=np.sqrt(weights))
    return np.polyval(line, at)


def test_the_indices_are_the_reference_values():
    case = golden("04_uncertainty")["expected"]["calibration"]
    found = smooth_calibration(case["y"], case["p"])
    expected = case["ICI_E50_E90_lowess_frac.75_it0"]
    assert (found.ici, found.e50, found.e90) == pytest.approx(expected, rel=1e-9)


def test_every_point_of_the_curve_is_a_local_line():
    labels, chances = draw_forecasts(0, cases=60)
    found = smooth_calibration(labels, chances, fraction=0.5)
    order = np.argsort(chances)
    expected = [local_line(chances, labels, at, 0.5) for at in chances[order]]
    np.testing.assert_allclose(found.observed, expected, atol=1e-6)
    np.testing.assert_array_equal(found.predicted, chances[order])
    assert found.emax == pytest.approx(np.abs(found.observed - found.predicted).max())


def test_points_left_out_for_speed_do_not_show():
    labels, chances = draw_forecasts(1, cases=3000, slope=0.7)
    found = smooth_calibration(labels, chances)
    rows = np.linspace(0, 2999, 40).astype(int)
    order = np.argsort(chances)
    expected = [local_line(chances, labels, chances[order][row], 0.75) for row in rows]
    np.testing.assert_allclose(found.observed[rows], expected, atol=2e-4)


def test_right_probabilities_of_many_cases_have_an_index_near_nothing_and_planted_ones_their_own():
    labels, chances = draw_forecasts(2, cases=100_000)
    # A line cannot follow the curve everywhere, but local lines of three cases in four nearly.
    assert smooth_calibration(labels, chances).ici < 0.01
    shifted = np.clip(chances * 0.5, 0, 1)
    assert smooth_calibration(labels, shifted).ici == pytest.approx(shifted.mean(), abs=0.01)


def test_probabilities_that_are_all_or_mostly_the_same_have_the_share_of_their_cases():
    found = smooth_calibration([0, 1, 1, 0], [0.5] * 4)
    np.testing.assert_array_equal(found.observed, [0.5] * 4)
    found = smooth_calibration([0, 1, 1, 0, 1], [0.2, 0.2, 0.2, 0.2, 0.9])
    np.testing.assert_allclose(found.observed[:4], 0.5)
    assert np.isfinite(found.ici)


@pytest.mark.parametrize("bins", [3, 10])
@pytest.mark.parametrize("strategy", ["quantile", "uniform"])
def test_bins_are_those_of_scikit_learn(bins, strategy):
    labels, chances = draw_forecasts(3)
    curve = reliability_curve(labels, chances, bins, strategy)
    observed, predicted = calibration_curve(labels, chances, n_bins=bins, strategy=strategy)
    np.testing.assert_allclose(curve.observed, observed)
    np.testing.assert_allclose(curve.predicted, predicted)
    assert curve.counts.sum() == 300


def test_ten_bins_are_the_reference_values():
    case = golden("04_uncertainty")["expected"]["calibration"]
    curve = reliability_curve(case["y"], case["p"], 10)
    expected = case["sklearn_calibration_curve_quantile10"]
    np.testing.assert_allclose(curve.observed, expected["frac_pos"], rtol=1e-9)
    np.testing.assert_allclose(curve.predicted, expected["mean_pred"], rtol=1e-9)


def test_intervals_are_wilson_and_wider_between_patients_whose_images_are_alike():
    labels, chances = draw_forecasts(4, cases=100)
    curve = reliability_curve(labels, chances, 4)
    for share, count, bounds in zip(curve.observed, curve.counts, curve.intervals, strict=True):
        assert tuple(bounds) == pytest.approx(proportion(share * count, count).interval)
    four = [np.repeat(column, 4) for column in (labels, chances, np.arange(100))]
    alone = reliability_curve(*four[:2], 4)
    together = reliability_curve(*four[:2], 4, patients=four[2])
    np.testing.assert_allclose(together.intervals, curve.intervals, atol=0.01)
    assert (np.diff(alone.intervals) < 0.7 * np.diff(together.intervals)).all()


def test_a_bin_of_one_patient_has_no_interval():
    curve = reliability_curve([0, 1, 1, 1], [0.1, 0.2, 0.8, 0.9], 2, patients=[1, 1, 2, 3])
    assert np.isnan(curve.intervals[0]).all()
    assert np.isfinite(curve.intervals[1]).all()


@unhurried
@given(st.lists(st.integers(0, 10), min_size=3, max_size=40), st.integers(1, 12))
def test_counts_add_up_whatever_the_ties(tenths, bins):
    chances = np.array(tenths) / 10
    labels = np.arange(chances.size) % 2
    for strategy in ("quantile", "uniform"):
        curve = reliability_curve(labels, chances, bins, strategy)
        assert curve.counts.sum() == chances.size
        assert (curve.counts > 0).all()
        assert curve.counts @ curve.observed == pytest.approx(labels.sum())
        assert curve.counts @ curve.predicted == pytest.approx(chances.sum())


def test_what_has_no_curve_is_refused():
    with pytest.raises(ValueError, match="at least 3, got 2"):
        smooth_calibration([0, 1], [0.1, 0.2])
    with pytest.raises(ValueError, match="bins must be at least 1"):
        reliability_curve([0, 1], [0.1, 0.2], 0)
    with pytest.raises(ValueError, match="strategy 'quantile' or 'uniform'"):
        reliability_curve([0, 1], [0.1, 0.2], 2, "kmeans")
    with pytest.raises(ValueError, match=r"between 0 and 1, got -0\.2"):
        reliability_curve([0, 1], [0.1, -0.2])
