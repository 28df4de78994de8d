from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mammography.preparation.splits import (
    DEFAULT_FRACTIONS,
    SplitError,
    assign_splits,
    parse_fractions,
    split_patients,
)
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import parse_tasks
from mammography.terms import Split

TASKS = parse_tasks(["malignant:binary", "density:ordinal=A,B,C,D", "size:regression"])


def records_of(labels, images=2):
    return [
        ImageRecord(f"{patient}_{i}.dcm", patient, gt_label=label if i else {"malignant": 0.0})
        for patient, label in labels.items()
        for i in range(images)
    ]


def cohort(count, seed=0):
    draw = np.random.default_rng(seed)
    return {
        f"patient {i}": {
            "malignant": float(draw.random() < 0.2),
            "density": float(draw.integers(4)),
        }
        for i in range(count)
    }


@given(st.integers(1, 300), st.integers(0, 3), st.integers(0, 2))
def test_sizes_follow_the_shares_to_one_patient(count, kinds, seed):
    labels = {f"p{i}": (float(i % (kinds + 1)),) for i in range(count)}
    sizes = Counter(assign_splits(labels, seed=seed).values())
    assert sum(sizes.values()) == count
    for split, share in DEFAULT_FRACTIONS.items():
        assert abs(sizes[split] - share * count) < 1


@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(0, 2))
def test_every_stratum_is_divided_by_the_shares_to_two_patients(sizes, seed):
    labels = {f"p{k}_{i}": (float(k),) for k, size in enumerate(sizes) for i in range(size)}
    splits = assign_splits(labels, seed=seed)
    for k, size in enumerate(sizes):
        part = Counter(splits[patient] for patient in labels if labels[patient] == (float(k),))
        for split, share in DEFAULT_FRACTIONS.items():
            assert abs(part[split] - share * size) < 2


def test_of_two_patients_one_trains_and_one_tests():
    draws = [assign_splits({"P_00173": (0.0,), "P_00820": (1.0,)}, seed=s) for s in range(20)]
    assert {tuple(sorted(splits.values())) for splits in draws} == {(Split.TEST, Split.TRAIN)}
    assert len({splits["P_00173"] for splits in draws}) == 2


def test_equal_remainders_go_to_the_smaller_split():
    splits = assign_splits({f"p{i}": () for i in range(6)}, {Split.TRAIN: 0.75, Split.TEST: 0.25})
    assert Counter(splits.values()) == {"train": 4, "test": 2}


def test_the_rarest_label_is_divided_most_exactly():
    labels = {f"p{i}": (float(i < 10),) for i in range(1000)}
    splits = assign_splits(labels)
    assert Counter(splits[f"p{i}"] for i in range(10)) == {"train": 7, "val": 1, "test": 2}


def test_further_tasks_stratify_while_groups_are_large_enough():
    labels = {f"p{i}": (float(i % 2), float(i % 4 // 2)) for i in range(400)}
    counts = defaultdict(Counter)
    for patient, split in assign_splits(labels).items():
        counts[labels[patient]][split] += 1
    assert [count["val"] for count in counts.values()] == [10] * 4
    # A group of 3 is too small to be a stratum: it stays with the others of its first label.
    labels["p0"] = labels["p4"] = labels["p8"] = (0.0, 5.0)
    assert Counter(assign_splits(labels).values()) == {"train": 280, "val": 40, "test": 80}


def test_the_order_of_the_rows_changes_nothing_and_the_seed_does():
    rows = records_of(cohort(60))
    shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    splits, given_by_source = split_patients(rows, TASKS)
    assert split_patients(shuffled, TASKS) == (splits, False)
    assert not given_by_source
    assert split_patients(rows, TASKS, seed=1)[0] != splits


def test_a_patient_counts_by_the_highest_label_of_all_images():
    rows = records_of({f"p{i}": {"malignant": float(i < 10)} for i in range(100)})
    splits, _ = split_patients(rows, TASKS)
    assert Counter(splits[f"p{i}"] for i in range(10)) == {"train": 7, "val": 1, "test": 2}


def test_shares_of_nought_get_nobody():
    splits = assign_splits({f"p{i}": (0.0,) for i in range(7)}, {Split.TRAIN: 1.0, Split.VAL: 0.0})
    assert set(splits.values()) == {Split.TRAIN}


def test_a_split_of_the_source_is_kept():
    rows = [ImageRecord("a", "p1", split=Split.TEST), ImageRecord("b", "p2", split=Split.TRAIN)]
    assert split_patients(rows, {}) == ({"p1": Split.TEST, "p2": Split.TRAIN}, True)


def test_a_patient_in_two_splits_is_refused_by_name():
    rows = [ImageRecord("a", "p1", split=Split.TEST), ImageRecord("b", "p1", split=Split.TRAIN)]
    with pytest.raises(SplitError, match="patients must be in one split only, got p1"):
        split_patients(rows, {})


def test_a_source_that_splits_only_some_patients_is_refused():
    rows = [ImageRecord("a", "p1", split=Split.TEST)]
    rows += [ImageRecord(f"b{i}", f"q{i}") for i in range(7)]
    with pytest.raises(
        SplitError, match="have one as the others do, got q0, q1, q2, q3, q4 and 2 more"
    ):
        split_patients(rows, {})


@pytest.mark.parametrize(
    "specs",
    [["train=0.7"], ["train=1.2", "test=-0.2"], [], ["x=1"], ["train"], ["train=1", "train=1"]],
)
def test_shares_that_make_no_whole_are_refused(specs):
    with pytest.raises(SplitError, match="splits: "):
        parse_fractions(specs)
