"""What every statistic refuses, in the words of who asks."""

import numpy as np
import pytest

from mammography.functional.binary_cases import binary_cases, binary_forecasts, patients_of


def test_one_score_or_several_make_a_table():
    for scores, shape in (([1, 2, 3], (1, 3)), ([[1, 2, 3], [3, 2, 1]], (2, 3))):
        positive, table = binary_cases("here", [True, False, True], scores)
        assert positive.tolist() == [True, False, True]
        assert table.shape == shape
        assert table.dtype == np.float64


@pytest.mark.parametrize(
    ("labels", "scores", "rule"),
    [
        ([], [], r"here: labels and scores must be as many, got \(0,\) labels"),
        ([0, 1], [1], "must be as many"),
        ([[0, 1]], [[0, 1]], "must be as many"),
        ([0, 0.5], [1, 2], "labels must be 0 or 1"),
        ([0, np.nan], [1, 2], "labels must be 0 or 1"),
        ([0, 1], [1, np.inf], "scores finite"),
        ([0, 0], [1, 2], "at least 1 cases, got 0 positive, 2 negative"),
    ],
)
def test_what_are_no_cases_is_refused(labels, scores, rule):
    with pytest.raises(ValueError, match=rule):
        binary_cases("here", labels, scores, fewest=1)


def test_forecasts_are_one_probability_per_case():
    assert binary_forecasts("here", [0, 1], [0.0, 1.0])[1].tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"between 0 and 1, got -0\.1"):
        binary_forecasts("here", [0, 1], [-0.1, 1.0])
    with pytest.raises(ValueError, match="must be one per case, got 2"):
        binary_forecasts("here", [0, 1], [[0.1, 0.2], [0.3, 0.4]])


def test_patients_are_numbered_in_the_order_of_their_names():
    assert patients_of("here", ["b", "a", "b"], 3).tolist() == [1, 0, 1]
    assert patients_of("here", [7.0, 3.0], 2).tolist() == [1, 0]
    with pytest.raises(ValueError, match=r"one per case, got \(2,\) for 3"):
        patients_of("here", ["b", "a"], 3)
    with pytest.raises(ValueError, match="must have names, got NaN"):
        patients_of("here", [1.0, np.nan], 2)
