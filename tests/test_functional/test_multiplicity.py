"""Holm's adjustment against hand computation and the steps of the paper."""

import numpy as np
import pytest

from mammography.functional.multiplicity import holm


def test_each_value_is_multiplied_by_the_tests_left_and_never_falls_below_one_before():
    # 5 x 0.01, 4 x 0.02, 3 x 0.03, then 2 x 0.04 and 1 x 0.05 raised to 0.09.
    found = holm([0.01, 0.02, 0.03, 0.04, 0.05])
    np.testing.assert_allclose(found, [0.05, 0.08, 0.09, 0.09, 0.09])
    np.testing.assert_allclose(holm([0.04, 0.001, 0.9]), [0.08, 0.003, 0.9])


def test_it_rejects_what_the_steps_of_the_paper_reject():
    rng = np.random.default_rng(0)
    for _ in range(50):
        p_values = rng.random(6) ** 3
        rejected, left = set(), 6
        for case in np.argsort(p_values):
            if p_values[case] > 0.05 / left:
                break
            rejected.add(int(case))
            left -= 1
        assert set(np.flatnonzero(holm(p_values) <= 0.05).tolist()) == rejected


def test_a_test_that_was_not_possible_counts_for_none():
    found = holm([0.01, np.nan, 0.04])
    np.testing.assert_allclose(found, [0.02, np.nan, 0.04])
    assert holm([]).shape == (0,)


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.1, 1.5])
