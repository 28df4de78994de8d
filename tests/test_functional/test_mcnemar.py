"""McNemar's tests against statsmodels and R, and the interval against R and by simulation."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import chi2
from statsmodels.stats.contingency_tables import mcnemar as of_statsmodels

from binary_studies import unhurried
from mammography.functional.mcnemar import mcnemar, paired_interval


def calls(both, only_first, only_second, neither):
    counts = [both, only_first, only_second, neither]
    return np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)


@unhurried
@given(*[st.integers(0, 40)] * 4)
def test_p_values_are_those_of_statsmodels(both, only_first, only_second, neither):
    assume(both + only_first + only_second + neither)
    table = [[both, only_first], [only_second, neither]]
    found = mcnemar(*calls(both, only_first, only_second, neither))
    assert (found.only_first, found.only_second) == (only_first, only_second)
    if only_first != only_second:  # Else the correction of statsmodels goes beyond no difference.
        assert found.p_exact == pytest.approx(of_statsmodels(table).pvalue)
        assert found.p_corrected == pytest.approx(of_statsmodels(table, exact=False).pvalue)
    else:
        assert (found.p_exact, found.p_corrected) == (1, 1)


@unhurried
@given(*[st.integers(1, 40)] * 4)
def test_swapped_readers_turn_the_difference(both, only_first, only_second, neither):
    first, second = calls(both, only_first, only_second, neither)
    one, other = mcnemar(first, second), mcnemar(second, first)
    assert one.difference.value == -other.difference.value
    assert one.difference.value == pytest.approx(first.mean() - second.mean())
    assert one.difference.interval == pytest.approx([-x for x in other.difference.interval[::-1]])
    assert one.p_exact == pytest.approx(other.p_exact)


def test_calls_that_are_all_the_same_do_not_differ_but_the_interval_knows_how_few_they_are():
    few, many = (mcnemar([1] * n, [1] * n) for n in (10, 1000))
    assert (few.difference.value, few.p_exact, few.p_corrected) == (0, 1, 1)
    assert few.difference.interval[1] > 10 * many.difference.interval[1] > 0


@pytest.mark.parametrize(
    ("counts", "level", "ends", "digits"),
    [
        # Fagerland et al., Statistical Analysis of Contingency Tables, 2017, chapter 8, and the
        # tests of the R package contingencytables 3.0.0.
        ((1, 7, 21), 0.95, (-0.517, -0.026), 3),
        ((6, 16, 161), 0.95, (-0.1240, -0.0054), 4),
        # R, PropCIs 0.3-0: scoreci.mp(25, 28, 618, 0.9), which takes the second less the first.
        ((28, 25, 618), 0.90, (-0.0148, 0.0247), 4),
    ],
)
def test_the_interval_is_that_of_tango_in_r(counts, level, ends, digits):
    assert [round(end, digits) for end in paired_interval(*counts, level)] == list(ends)


@pytest.mark.parametrize("cases", [1, 12, 500])
def test_where_no_case_differs_the_interval_is_known_in_closed_form(cases):
    square = ndtri(0.975) ** 2
    end = square / (cases + square)
    assert paired_interval(0, 0, cases) == pytest.approx((-end, end), rel=1e-9)


@unhurried
@given(*[st.integers(0, 30)] * 3, st.integers(1, 30))
def test_the_interval_excludes_no_difference_just_where_the_score_test_rejects(a, b, c, d):
    low, high = paired_interval(b, c, a + b + c + d)
    z = abs(b - c) / np.sqrt(b + c) if b + c else 0.0
    assume(abs(z - ndtri(0.975)) > 1e-6)
    assert (low <= 0 <= high) == (z < ndtri(0.975))


def test_patients_who_have_one_case_each_are_independent_cases():
    first, second = calls(9, 8, 3, 10)
    named = mcnemar(first, second, [f"p{index}" for index in range(30)])
    plain = mcnemar(first, second)
    assert np.isnan([named.p_patients, plain.p_patients]).all()
    assert named.difference == plain.difference


def test_the_test_between_patients_is_that_of_obuchowski():
    # The thyroid study of Obuchowski (1998), 21 patients: McNemar's statistic is 4.5, hers 2.86
    # (Durkalski et al., Statistics in Medicine 2003). The first six differences are those of the
    # R package clust.bin.pair; the others, of which -1 is one, are what both numbers leave.
    more = np.array([2, 1, 0, 0, 1, 0] + [2, 1, -1] + [0] * 12)
    first = np.concatenate([np.repeat(more > 0, np.abs(more)), np.ones(21)])
    second = np.concatenate([np.repeat(more < 0, np.abs(more)), np.ones(21)])
    patients = np.concatenate([np.repeat(np.arange(21), np.abs(more)), np.arange(21)])
    found = mcnemar(first, second, patients)
    assert (found.only_first - found.only_second) ** 2 / 8 == 4.5
    assert round(float(chi2.isf(found.p_patients, 1)), 2) == 2.86


def test_copies_of_a_case_count_for_nothing():
    first, second = calls(40, 12, 5, 43)
    once = mcnemar(first, second)
    four = [np.repeat(column, 4) for column in (first, second)]
    copied = mcnemar(*four, np.repeat(np.arange(100), 4))
    assert copied.difference.interval == pytest.approx(once.difference.interval, abs=0.002)
    statistic = 99 / 100 * (12 - 5) ** 2 / (12 + 5)
    assert copied.p_patients == pytest.approx(chi2.sf(statistic, 1))
    assert mcnemar(*four).p_exact < 0.1 * copied.p_patients


def test_where_every_patient_differs_alike_each_counts_for_one():
    found = mcnemar([1] * 40, [0] * 40, np.arange(40) // 4)
    assert found.difference.interval == pytest.approx(paired_interval(10, 0, 10))


def test_a_single_patient_tells_nothing():
    assert mcnemar([1, 0, 1], [0, 0, 0], ["a"] * 3).p_patients == 1


def test_the_interval_covers_the_true_difference_as_often_as_it_says():
    rng = np.random.default_rng(0)
    counts = rng.multinomial(60, [0.5, 0.2, 0.1, 0.2], size=1000)
    inside = [
        low <= 0.1 <= high
        for low, high in (mcnemar(*calls(*row)).difference.interval for row in counts)
    ]
    assert 0.93 <= np.mean(inside) <= 0.97


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ([1, 0], [1], "as many"),
        ([], [], "as many"),
        ([1, np.nan], [1, 0], "true or false"),
        ([1, 2], [1, 0], "true or false"),
    ],
)
def test_what_is_no_pair_of_calls_is_refused(first, second, rule):
    with pytest.raises(ValueError, match=rule):
        mcnemar(first, second)
