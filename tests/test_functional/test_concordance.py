"""Harrell's C against lifelines, the area under the ROC curve, and resampled patients."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines.utils import concordance_index as of_lifelines
from sklearn.metrics import roc_auc_score

from binary_studies import draw_cases, unhurried
from mammography.functional.concordance import concordance_index


def draw_survival(seed, patients=80, digits=1):
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=patients)
    event, lost = rng.exponential(np.exp(-risk)), rng.exponential(2, size=patients)
    times = np.round(np.minimum(event, lost), digits)
    return times, np.round(risk + rng.normal(size=patients), digits), event <= lost


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("digits", [0, 1, 9])
def test_the_index_is_that_of_lifelines_with_any_ties(seed, digits):
    times, scores, events = draw_survival(seed, digits=digits)
    theirs = of_lifelines(times, -scores, events)
    assert concordance_index(times, scores, events).value == pytest.approx(theirs, abs=1e-12)


rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(-3, 3), st.booleans()), min_size=2, max_size=25
)


@unhurried
@given(rows)
def test_any_small_study_is_that_of_all_its_pairs(rows):
    times, scores, events = (np.array(column) for column in zip(*rows, strict=True))
    won = pairs = 0.0
    for first in np.flatnonzero(events):
        for other in range(len(rows)):
            later = times[other] > times[first]
            if later or (times[other] == times[first] and not events[other]):
                pairs += 1
                won += np.sign(scores[first] - scores[other]) / 2 + 0.5
    found = concordance_index(times, scores, events)
    turned = concordance_index(times, -scores, events)
    if pairs:
        assert found.value == pytest.approx(won / pairs, abs=1e-12)
        assert turned.value == pytest.approx(1 - found.value, abs=1e-12)
    else:
        assert math.isnan(found.value)


def test_the_interval_is_that_of_leaving_out_each_patient():
    times, scores, events = draw_survival(0)
    found = concordance_index(times, scores, events)
    without = [
        of_lifelines(*(np.delete(part, one) for part in (times, -scores, events)))
        for one in range(80)
    ]
    variance = 79 / 80 * ((without - np.mean(without)) ** 2).sum()
    odds = [math.log(end / (1 - end)) for end in found.interval]
    reach = 1.959964 * math.sqrt(variance) / (found.value * (1 - found.value))
    assert odds[1] - odds[0] == pytest.approx(2 * reach, rel=1e-6)
    assert np.mean(odds) == pytest.approx(math.log(found.value / (1 - found.value)))


def test_events_at_once_and_all_others_seen_longer_make_it_the_area_under_the_roc_curve():
    labels, scores, _ = draw_cases(0)
    found = concordance_index(2 - labels, scores, labels)
    assert found.value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_only_the_order_of_times_and_scores_counts():
    times, scores, events = draw_survival(1)
    one = concordance_index(times, scores, events)
    other = concordance_index(times**2, np.arctan(scores), events)
    assert (one.value, *one.interval) == pytest.approx((other.value, *other.interval))


def test_a_hundred_thousand_patients_are_not_too_many():
    times, scores, events = draw_survival(2, 100_000, 9)
    found = concordance_index(times, scores, events)
    assert 0.6 < found.interval[0] < found.interval[1] < found.interval[0] + 0.01


@pytest.mark.parametrize(
    ("times", "scores", "events", "rule"),
    [
        ([1, 2], [1, 2], [1], "as many"),
        ([], [], [], "as many"),
        ([1, np.nan], [1, 2], [1, 0], "times must be finite"),
        ([1, -2], [1, 2], [1, 0], "not negative"),
        ([1, 2], [1, np.inf], [1, 0], "scores finite"),
        ([1, 2], [1, 2], [1, 2], "events 0 or 1"),
    ],
)
def test_what_is_no_study_is_refused(times, scores, events, rule):
    with pytest.raises(ValueError, match=rule):
        concordance_index(times, scores, events)
