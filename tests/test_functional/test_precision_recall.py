"""Intervals of an average precision, as of a share of the positive cases."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import proportion_confint

from mammography.functional.precision_recall import average_precision_interval


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_logit_interval_is_that_of_a_logistic_model_of_the_intercept_alone(level):
    fit = sm.Logit(np.repeat([1, 0], [30, 20]), np.ones(50)).fit(disp=False)
    theirs = 1 / (1 + np.exp(-fit.conf_int(1 - level)[0]))
    assert average_precision_interval(0.6, 50, level) == pytest.approx(tuple(theirs), rel=1e-6)


def test_the_plain_interval_is_the_normal_one_of_a_share():
    theirs = proportion_confint(30, 50, method="normal")
    found = average_precision_interval(0.6, 50, scale="plain")
    assert found == pytest.approx(theirs, rel=1e-12)
    assert average_precision_interval(0.99, 5, scale="plain")[1] == 1.0


def test_an_area_of_all_or_nothing_has_no_interval():
    assert all(map(math.isnan, average_precision_interval(1.0, 50)))
    assert all(map(math.isnan, average_precision_interval(math.nan, 50)))


@pytest.mark.parametrize(("area", "positives"), [(1.1, 5), (-0.1, 5), (0.5, 0)])
def test_what_is_no_area_of_positive_cases_is_refused(area, positives):
    with pytest.raises(ValueError, match="must lie between 0 and 1 and positives be at least 1"):
        average_precision_interval(area, positives)
