"""The Brier score against scikit-learn and golden values, its parts against their definition."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from binary_studies import draw_forecasts, unhurried
from golden import golden
from mammography.functional.brier import brier_score


def test_the_score_is_that_of_scikit_learn_and_of_the_reference_values():
    labels, chances = draw_forecasts(0)
    found = brier_score(labels, chances).score.value
    assert found == pytest.approx(brier_score_loss(labels, chances))
    case = golden("04_uncertainty")["expected"]["calibration"]
    found = brier_score(case["y"], case["p"]).score.value
    assert found == pytest.approx(case["brier_sklearn"], rel=1e-12)


@unhurried
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=40))
def test_the_parts_of_repeated_probabilities_are_those_of_murphy_and_leave_nothing(cases):
    labels = np.array([case[0] for case in cases]).astype(int)
    chances = np.array([case[1] for case in cases]) / 4
    found = brier_score(labels, chances)
    reliability = resolution = 0.0
    for chance in np.unique(chances):
        inside = labels[chances == chance]
        reliability += len(inside) * (chance - inside.mean()) ** 2 / len(labels)
        resolution += len(inside) * (labels.mean() - inside.mean()) ** 2 / len(labels)
    assert found.reliability == pytest.approx(reliability, abs=1e-12)
    assert found.resolution == pytest.approx(resolution, abs=1e-12)
    assert found.uncertainty == pytest.approx(labels.mean() * (1 - labels.mean()), abs=1e-12)
    assert found.within == pytest.approx(0, abs=1e-12)


def test_what_is_left_inside_bins_is_the_variance_less_twice_the_covariance_there():
    labels, chances = draw_forecasts(1)
    found = brier_score(labels, chances, bins=10)
    within = 0.0
    for low in range(10):
        inside = np.floor(chances * 10) == low
        if inside.any():
            y, p = labels[inside], chances[inside]
            within += ((p - p.mean()) ** 2 - 2 * (p - p.mean()) * (y - y.mean())).sum() / 300
    assert found.within == pytest.approx(within, abs=1e-12)
    total = found.reliability - found.resolution + found.uncertainty + found.within
    assert found.score.value == pytest.approx(total)


def test_the_interval_is_the_normal_one_of_a_mean_and_between_patients_the_robust_one():
    labels, chances = draw_forecasts(2)
    errors, ones = (labels - chances) ** 2, np.ones(300)
    plain = sm.OLS(errors, ones).fit(use_t=False).conf_int()[0]
    assert brier_score(labels, chances).score.interval == pytest.approx(tuple(plain))
    patients = np.arange(300) // 5
    robust = sm.OLS(errors, ones).fit(cov_type="cluster", cov_kwds={"groups": patients})
    found = brier_score(labels, chances, patients=patients).score.interval
    assert found == pytest.approx(tuple(robust.conf_int()[0]))


def test_the_scaled_score_is_zero_for_the_prevalence_and_one_for_the_truth():
    labels = np.array([0, 0, 0, 1])
    assert brier_score(labels, [0.25] * 4).scaled == pytest.approx(0)
    assert brier_score(labels, labels).scaled == 1
    assert math.isnan(brier_score([0, 0], [0.1, 0.2]).scaled)


def test_one_case_or_patient_has_no_interval_and_no_bin_is_refused():
    assert all(map(math.isnan, brier_score([1], [0.3]).score.interval))
    assert all(map(math.isnan, brier_score([1, 0], [0.3, 0.2], patients=[1, 1]).score.interval))
    with pytest.raises(ValueError, match="bins must be at least 1"):
        brier_score([0, 1], [0.1, 0.2], bins=0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        brier_score([0, 1], [0.1, 2])
