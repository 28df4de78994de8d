"""Partial areas against scikit-learn and the values that pROC's tests state."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import roc_auc_score

from binary_studies import draw_cases, draw_patients, small_studies, unhurried
from mammography.functional.partial_area import (
    RocRange,
    bootstrap_partial_area,
    partial_roc_area,
)


def grades_of_proc():
    """Outcome by grade in pROC's example study (Turck et al., Intensive Care Med 2010;36:107)."""
    good, poor = [37, 20, 3, 8, 4], [2, 12, 1, 8, 18]
    labels = np.repeat([0, 1], [sum(good), sum(poor)])
    return labels, np.repeat([*range(1, 6)] * 2, good + poor)


@pytest.mark.parametrize(
    ("part", "area", "standardized"),
    [
        (RocRange(0.9, 1), 0.0334417344173442, 0.649693339038653),
        (RocRange(0.8, 0.9), 0.0598373983739837, 0.763749402199904),
        (RocRange(0, 0.5), 0.488134475939354, 0.952537903757416),
        (RocRange(0, 1), 0.823678861788618, 0.823678861788618),
        (RocRange(0.9, 1, "sensitivity"), 0.0400999322493225, 0.68473648552275),
        (RocRange(0.8, 0.9, "sensitivity"), 0.0609953703703703, 0.770561002178649),
        (RocRange(0, 0.5, "sensitivity"), 0.483358739837398, 0.933434959349593),
    ],
)
def test_areas_are_those_of_proc(part, area, standardized):
    found = partial_roc_area(*grades_of_proc(), part)
    assert found.area == pytest.approx(area, rel=1e-12)
    assert found.standardized == pytest.approx(standardized, rel=1e-12)


@pytest.mark.parametrize("digits", [0, 9])
@pytest.mark.parametrize("highest", [0.05, 0.1, 0.333, 0.999])
def test_standardized_areas_are_those_of_scikit_learn(digits, highest):
    labels, scores, _ = draw_cases(1, digits=digits)
    found = partial_roc_area(labels, scores, RocRange(1 - highest, 1))
    assert found.standardized == pytest.approx(roc_auc_score(labels, scores, max_fpr=highest))


@unhurried
@given(small_studies())
def test_parts_of_the_range_add_up_and_turned_scores_turn_the_roles(study):
    labels, scores = study
    cuts = [0, 0.3, 0.75, 1]
    for along in ("specificity", "sensitivity"):
        parts = [
            partial_roc_area(labels, scores, RocRange(low, high, along)).area
            for low, high in pairwise(cuts)
        ]
        assert sum(parts) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    # The curve of swapped labels and turned scores is the mirror image at the other diagonal.
    one = partial_roc_area(labels, scores, RocRange(0.8, 1))
    other = partial_roc_area(1 - labels, -scores, RocRange(0.8, 1, "sensitivity"))
    assert one.area == pytest.approx(other.area, abs=1e-12)


@unhurried
@given(small_studies())
def test_only_the_ranks_count(study):
    labels, scores = study
    one, other = (partial_roc_area(labels, s, RocRange(0.6, 0.9)) for s in (scores, scores**3))
    assert one.area == pytest.approx(other.area, abs=1e-12)


def test_chance_has_one_half_and_a_perfect_score_one():
    for part in (RocRange(0.9, 1), RocRange(0.2, 0.4, "sensitivity")):
        assert partial_roc_area([0, 1], [5, 5], part).standardized == pytest.approx(0.5)
        assert partial_roc_area([0, 1], [4, 5], part).standardized == pytest.approx(1)


def test_every_resample_has_the_area_of_scikit_learn():
    labels, scores, patients = draw_patients(patients=30)
    part = RocRange(0.7, 1)
    found = bootstrap_partial_area(labels, [scores, -scores], patients, part, repeats=5)
    assert found.estimate[0] == partial_roc_area(labels, scores, part).standardized
    kinds = [np.unique(patients[labels == 1]), np.setdiff1d(patients, patients[labels == 1])]
    rng = np.random.default_rng(0)
    # The kinds are drawn in the order of their names: patients without a positive come first.
    drawn = [rng.integers(len(kind), size=(5, len(kind))) for kind in kinds[::-1]]
    for row in range(5):
        chosen = np.concatenate([k[d[row]] for k, d in zip(kinds[::-1], drawn, strict=True)])
        images = np.concatenate([np.flatnonzero(patients == one) for one in chosen])
        expected = roc_auc_score(labels[images], scores[images], max_fpr=0.3)
        assert found.draws[row, 0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.5), (0.9, 0.8), (-0.1, 1), (0, 1.1)])
def test_what_is_no_range_is_refused(low, high):
    with pytest.raises(ValueError, match="in order within 0 and 1"):
        RocRange(low, high)


def test_other_errors_name_what_they_expect():
    with pytest.raises(ValueError, match="along must be"):
        RocRange(0, 1, "precision")
    with pytest.raises(ValueError, match="at least 1 cases, got 0 positive"):
        partial_roc_area([0, 0], [1, 2], RocRange())
    with pytest.raises(ValueError, match="scores finite"):
        partial_roc_area([0, 1], [1, np.nan], RocRange())
