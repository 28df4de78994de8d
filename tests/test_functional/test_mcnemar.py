"""McNemar's tests against statsmodels, and the interval by simulation."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as of_statsmodels

from binary_studies import unhurried
from mammography.functional.mcnemar import mcnemar


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


def test_the_interval_covers_the_true_difference_as_often_as_it_says():
    rng = np.random.default_rng(0)
    counts = rng.multinomial(60, [0.5, 0.2, 0.1, 0.2], size=1000)
    inside = [
        low <= 0.1 <= high
        for low, high in (mcnemar(*calls(*row)).difference.interval for row in counts)
    ]
    assert 0.93 <= np.mean(inside) <= 0.975


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
