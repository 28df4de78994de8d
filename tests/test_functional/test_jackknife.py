"""Jackknife intervals against Student's and Welch's of scipy, which they are for means."""

import math

import numpy as np
import pytest
from scipy.stats import pearsonr, ttest_1samp, ttest_ind

from mammography.functional.jackknife import Jackknife


def without_each(statistic, columns):
    """Numbers without each row."""
    rows = np.arange(len(columns[0]))
    return np.array([[statistic(*(c[rows != row] for c in columns))] for row in rows])


def test_of_a_mean_it_is_students_interval():
    values = np.random.default_rng(0).normal(3, 2, 17)
    found = Jackknife(
        values.mean(keepdims=True), without_each(np.mean, [values]), np.zeros(17, int)
    )
    theirs = ttest_1samp(values, 0).confidence_interval(0.9)
    assert found.estimates(0.9)[0].interval == pytest.approx(tuple(theirs), rel=1e-12)
    assert found.p_values() == pytest.approx([ttest_1samp(values, 0).pvalue], rel=1e-9)


def test_of_a_difference_of_fixed_groups_it_is_welchs_interval():
    rng = np.random.default_rng(1)
    kinds = np.repeat([0, 1], [9, 30])
    values = rng.normal(kinds, 1 + 2 * kinds)

    def difference(rows, kind):
        return rows[kind == 1].mean() - rows[kind == 0].mean()

    whole = np.array([difference(values, kinds)])
    found = Jackknife(whole, without_each(difference, [values, kinds]), kinds, fixed=True)
    theirs = ttest_ind(values[kinds == 1], values[kinds == 0], equal_var=False)
    assert found.estimates()[0].interval == pytest.approx(
        tuple(theirs.confidence_interval()), rel=1e-12
    )
    assert found.p_values() == pytest.approx([theirs.pvalue], rel=1e-9)


def test_of_a_correlation_in_a_cohort_it_is_near_fishers_interval():
    rng = np.random.default_rng(2)
    x = rng.normal(size=300)
    y = 0.6 * x + rng.normal(size=300)

    def correlation(a, b):
        return np.corrcoef(a, b)[0, 1]

    found = Jackknife(
        np.array([correlation(x, y)]), without_each(correlation, [x, y]), (x > 1).astype(int)
    )

    low, high = found.estimates(scale="fisher")[0].interval
    # Of normal values Fisher's interval is known in closed form.
    theirs = pearsonr(x, y).confidence_interval()
    assert (low, high) == pytest.approx(tuple(theirs), abs=0.02)


def test_a_difference_is_paired_and_a_number_less_itself_is_nothing():
    values = np.random.default_rng(3).normal(size=(12, 2))
    left = np.concatenate([without_each(np.mean, [column]) for column in values.T], axis=1)
    found = Jackknife(values.mean(axis=0), left, np.zeros(12, int))
    apart = ttest_1samp(values[:, 0] - values[:, 1], 0).confidence_interval()
    assert found.contrast(0, 1).estimates()[0].interval == pytest.approx(tuple(apart), rel=1e-9)
    same = found.contrast(1, 1)
    assert same.p_values() == [1.0]
    assert np.isnan(same.estimates()[0].interval).all()


@pytest.mark.parametrize(("scale", "value"), [("logit", 1.0), ("fisher", -1.0), ("plain", np.nan)])
def test_an_end_of_the_scale_has_no_interval(scale, value):
    found = Jackknife(np.array([value]), np.array([[0.4], [0.6], [0.5]]), np.zeros(3, int))
    assert all(map(math.isnan, found.estimates(scale=scale)[0].interval))


def test_a_patient_without_whom_there_is_no_number_leaves_no_interval():
    found = Jackknife(np.array([0.5]), np.array([[0.4], [np.nan], [0.6]]), np.zeros(3, int))
    assert np.isnan(found.estimates()[0].interval).all()


def test_a_single_patient_of_a_kind_counts_with_the_others():
    values = np.random.default_rng(4).normal(size=8)
    left = without_each(np.mean, [values])
    whole = values.mean(keepdims=True)
    lone = Jackknife(whole, left, np.array([1] + [0] * 7))
    alike = Jackknife(whole, left, np.zeros(8, int))
    assert lone.estimates() == alike.estimates()
    assert np.isfinite(lone.estimates()[0].interval).all()


def test_one_scale_does_not_change_what_is_inside_another():
    left = np.array([[0.80], [0.82], [0.78], [0.81]])
    found = Jackknife(np.array([0.8025]), left, np.zeros(4, int))
    widths = [
        np.diff(found.estimates(scale=scale)[0].interval)[0]
        for scale in ("plain", "logit", "fisher")
    ]
    # For an interval that is short all scales are straight lines.
    assert widths == pytest.approx([widths[0]] * 3, rel=0.05)
