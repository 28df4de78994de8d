import pytest

from mammography.datasets.label_noise import LabelNoise
from mammography.structures.task import Task

TASKS = {name: Task.parse(spec) for name, spec in
         [("malignant", "malignant:binary"), ("density", "density:ordinal=A,B,C")]}  # fmt: skip


@pytest.fixture
def rows():
    return [
        {"manufacturer": "AB"[i % 2], "gt_label": {"malignant": float(i % 4 < 2), "density": 1.0}}
        for i in range(4000)
    ]


def flips(rows, **changes):
    settings = {"task": "malignant", "by": "manufacturer", "value": "B", "prob": 0.3, "seed": 0}
    noisy = LabelNoise(**(settings | changes)).apply(rows, TASKS, "train.json")
    assert len(noisy) == len(rows)
    return [
        before["gt_label"]["malignant"] != after["gt_label"]["malignant"]
        for before, after in zip(rows, noisy, strict=True)
    ]


def test_only_labels_of_the_group_are_flipped_as_often_as_asked(rows):
    flipped = flips(rows)
    assert not any(flipped[::2])
    rate = sum(flipped[1::2]) / 2000
    assert abs(rate - 0.3) < 4 * (0.3 * 0.7 / 2000) ** 0.5
    assert flips(rows, prob=1.0)[1::2] == [True] * 2000
    assert not any(flips(rows, prob=0.0))


def test_the_seed_decides_which_and_a_larger_probability_flips_the_same_and_more(rows):
    assert flips(rows) == flips(rows)
    assert flips(rows) != flips(rows, seed=1)
    assert all(more for less, more in zip(flips(rows), flips(rows, prob=0.5), strict=True) if less)


def test_neither_other_tasks_nor_the_rows_themselves_change(rows):
    noisy = LabelNoise("malignant", "manufacturer", "B", 1.0).apply(rows, TASKS, "train.json")
    assert {row["gt_label"]["density"] for row in noisy} == {1.0}
    assert rows[1]["gt_label"]["malignant"] == 1.0
    unlabelled = [{"manufacturer": "B", "gt_label": {}}]
    assert LabelNoise("malignant", "manufacturer", "B", 1.0).apply(
        unlabelled, TASKS, "train.json"
    ) == unlabelled  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prob": 1.5}, r"flip_labels: prob must lie in \[0, 1\], got 1.5"),
        ({"task": "density"}, r"train.json: flip_labels: task must be binary \(malignant\)"),
        ({"value": "C"}, r"value must be a manufacturer of an image \(A, B\), got C"),
        ({"by": "maker"}, r"value must be a maker of an image \(None\), got B"),
    ],
)
def test_noise_that_would_do_nothing_is_refused(rows, changes, message):
    with pytest.raises(ValueError, match=message):
        flips(rows, **changes)
