"""Sample sizes and power against pROC, a published table, and simulated studies."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from mammography.functional.area_power import (
    area_power,
    area_sample_size,
    difference_power,
    difference_sample_size,
)
from mammography.functional.delong import RocAreas, compare_areas, roc_areas
from mammography.functional.planned_areas import planned_areas

# What pROC's tests state of its example study of 41 and 72 cases: test-auc.R, test-var.R,
# test-cov.R, and the power and sizes of test-power.roc.test.R.
S100B = 0.731368563685637
PILOT = RocAreas(
    np.array([0.611957994579946, 0.823678861788618]),
    np.array(
        [
            [0.0031908105493913, -0.000532967856762438],
            [-0.000532967856762438, 0.00146991470882363],
        ]
    ),
)


def test_the_power_of_one_area_is_that_of_proc():
    assert area_power(0.73, 41, 72, kind="ratings") == pytest.approx(0.9897453, abs=1e-7)
    assert area_power(S100B, 41, 72, kind="ratings") == pytest.approx(0.9904833, abs=1e-7)


def test_the_size_for_one_area_is_that_of_proc():
    found = area_sample_size(S100B, 0.95, 1.7, kind="ratings")
    assert (found.positives, found.negatives) == pytest.approx((29.29764, 49.806), rel=1e-6)
    found = area_sample_size(S100B, 0.9, 72 / 41, kind="ratings")
    assert (found.positives, found.negatives) == pytest.approx((23.5598674, 41.3734257), rel=1e-8)
    assert area_sample_size(S100B, kind="ratings").positives == pytest.approx(29.5697422, rel=1e-8)


def test_power_and_size_for_two_areas_on_the_same_cases_are_those_of_proc():
    assert difference_power(PILOT, null_variance="as_first") == pytest.approx(0.7131594, abs=1e-7)
    found = difference_sample_size(PILOT, 41, 72, null_variance="as_first")
    assert (found.positives, found.negatives) == pytest.approx((64.77777, 113.7561), rel=1e-6)


# Obuchowski, Lieber and Wians (2004), table 4: one-sided 5 %, power 90 %; negative cases, without
# the cells that the table fills up to ten.
NEGATIVES_BY_CASES_PER_CONTROL = {
    (0.25, 0.6): 84,
    (0.25, 0.7): 20,
    (0.5, 0.6): 101,
    (0.5, 0.7): 25,
    (1, 0.6): 135,
    (1, 0.7): 33,
    (1, 0.8): 14,
    (2, 0.6): 203,
    (2, 0.7): 50,
    (4, 0.7): 84,
}


@pytest.mark.parametrize(("ratio", "area"), NEGATIVES_BY_CASES_PER_CONTROL)
def test_sizes_are_those_of_the_published_table(ratio, area):
    found = area_sample_size(area, 0.9, ratio, sides=1, kind="ratings")
    assert math.ceil(found.negatives) == NEGATIVES_BY_CASES_PER_CONTROL[ratio, area]


def test_the_size_has_the_power_that_it_was_asked_for():
    for power in (0.8, 0.95):
        size = area_sample_size(0.75, power, 3)
        assert area_power(0.75, size.positives, size.negatives) == pytest.approx(power)
        size = difference_sample_size(PILOT, 41, 72, power)
        grown = RocAreas(PILOT.areas, PILOT.covariance * 41 / size.positives)
        assert difference_power(grown) == pytest.approx(power)


def test_more_cases_a_larger_difference_and_a_closer_relation_all_have_more_power():
    base = difference_power(planned_areas(0.75, 0.8, 0.5, 200, 200))
    assert difference_power(planned_areas(0.75, 0.8, 0.5, 300, 200)) > base
    assert difference_power(planned_areas(0.75, 0.82, 0.5, 200, 200)) > base
    assert difference_power(planned_areas(0.75, 0.8, 0.7, 200, 200)) > base
    assert difference_power(planned_areas(0.75, 0.8, 0.5, 200, 200), alpha=0.01) < base
    assert difference_power(planned_areas(0.75, 0.8, 0.5, 200, 200), sides=1) > base


def simulated_studies(areas, count, positives=150, negatives=150, shared=0.5):
    """ROC-AUCs of studies with normal scores that have a part of their noise in common."""
    rng = np.random.default_rng(1)
    labels = np.repeat([1, 0], [positives, negatives])
    shifts = math.sqrt(2) * norm.ppf(areas)[:, None]
    for _ in range(count):
        common = rng.normal(size=labels.size) * math.sqrt(shared)
        noise = rng.normal(size=(len(areas), labels.size)) * math.sqrt(1 - shared)
        # Noise of variance 1 on either class: the difference of two has 2.
        yield roc_areas(labels, *(shifts * labels + common + noise))


def test_simulated_studies_show_a_difference_as_often_as_planned():
    studies = list(simulated_studies(np.array([0.75, 0.83]), 600))
    shown = np.mean([compare_areas(study).p_value < 0.05 for study in studies])
    covariance = np.mean([study.covariance for study in studies], axis=0)
    planned = RocAreas(np.array([0.75, 0.83]), covariance)
    assert shown == pytest.approx(difference_power(planned), abs=0.04)
    correlation = covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1])
    assert shown == pytest.approx(
        difference_power(planned_areas(0.75, 0.83, correlation, 150, 150)), abs=0.04
    )
    # What is published is more careful: its null hypothesis has the variance of the lower area.
    assert difference_power(planned, null_variance="as_first") < shown - 0.05


def test_simulated_studies_show_an_area_as_often_as_planned():
    studies = simulated_studies(np.array([0.65]), 600, 40, 60)
    beyond = 0.5 + norm.ppf(0.975) * math.sqrt(101 / (12 * 40 * 60))
    shown = np.mean([study.areas[0] > beyond for study in studies])
    assert shown == pytest.approx(area_power(0.65, 40, 60), abs=0.04)


def test_impossible_plans_are_refused():
    with pytest.raises(ValueError, match="null_variance must be"):
        difference_power(PILOT, null_variance="none")
    with pytest.raises(ValueError, match="areas must differ"):
        area_sample_size(0.5)
    with pytest.raises(ValueError, match="power lie between 0 and 1"):
        area_sample_size(0.8, power=1)
    with pytest.raises(ValueError, match="sides must be 1 or 2"):
        area_power(0.8, 10, 10, sides=3)
    with pytest.raises(ValueError, match="areas must be two, got 1"):
        difference_power(RocAreas(np.array([0.8]), np.array([[0.1]])))
