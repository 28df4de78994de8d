import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import fbeta_score

from golden import golden
from mammography.functional.probabilistic_f1 import probabilistic_f_score


def test_it_is_the_metric_of_the_challenge_where_that_is_defined():
    for case in golden("06b_pf1")["cases"]:
        for beta, expected in ((1, case["pF1"]), (2, case["pF2"])):
            score = probabilistic_f_score(case["labels"], case["preds"], beta)
            if expected is None:
                assert math.isnan(score)  # no positives
            else:
                assert score == pytest.approx(expected, abs=1e-15)
        if case["exact"] is not None:
            exact = Fraction(case["exact"])
            assert probabilistic_f_score(case["labels"], case["preds"]) == pytest.approx(
                float(exact), abs=1e-15
            )


cases = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(cases, st.sampled_from([0.5, 1, 2]))
def test_calls_of_0_and_1_give_the_f_score_of_sklearn(rows, beta):
    labels, calls = ([int(bool(row[i])) for row in rows] for i in (0, 1))
    score = probabilistic_f_score(labels, calls, beta)
    if any(labels):
        assert score == pytest.approx(fbeta_score(labels, calls, beta=beta, zero_division=0.0))
    else:
        assert math.isnan(score)


@settings(max_examples=60, deadline=None)
@given(cases)
def test_it_is_the_harmonic_mean_of_probabilistic_precision_and_recall(rows):
    labels, p = np.array([row[0] for row in rows], float), np.array([row[1] / 8 for row in rows])
    if not (labels * p).sum():
        return
    precision, recall = (labels * p).sum() / p.sum(), (labels * p).sum() / labels.sum()
    expected = 2 * precision * recall / (precision + recall)
    assert probabilistic_f_score(labels, p) == pytest.approx(expected)


def test_without_any_probability_it_is_0():
    assert probabilistic_f_score([1, 0], [0.0, 0.0]) == 0


@pytest.mark.parametrize(
    ("labels", "scores", "beta", "message"),
    [
        ([1, 0], [0.1], 1, r"one shape \(N,\), got \(2,\) and \(1,\)"),
        ([2, 0], [0.1, 0.2], 1, "labels must be 0 or 1"),
        ([1, 0], [math.nan, 0.2], 1, "1 scores that are not finite"),
        ([1, 0], [0.1, 0.2], 0, "beta above 0, got .* beta 0"),
    ],
)
def test_what_does_not_fit_is_refused(labels, scores, beta, message):
    with pytest.raises(ValueError, match=message):
        probabilistic_f_score(labels, scores, beta)
