"""Several hospitals, images in several files, labels that are missing."""

import math
from dataclasses import replace

import pytest
from mmengine.config import Config

from mammography.apis.config import UsageError
from mammography.apis.cross_validation.cohort import point_to, read_cohort
from mammography.apis.folds import draw_folds
from mammography.structures.annotation import (
    Annotations,
    ImageRecord,
    read_annotations,
    write_annotations,
)
from mammography.structures.task import parse_tasks

TASKS = parse_tasks(["malignant:binary", "size:regression"])


def write(root, name, numbers, label=lambda i: {"malignant": float(i % 2)}, tasks=TASKS):
    rows = tuple(
        ImageRecord(f"{i}{view}.png", patient_id=f"{root.name}{i}", gt_label=label(i))
        for i in numbers
        for view in ("CC", "MLO")
    )
    write_annotations(root / name, Annotations(tasks, rows, root.name))


@pytest.fixture
def cfg(tmp_path):
    for name in ("near", "far"):
        write(tmp_path / name, "train.json", range(12))
        write(tmp_path / name, "test.json", range(10, 20))

    def leaf(root, file):
        return {"type": "MammographyDataset", "data_root": str(tmp_path / root), "ann_file": file}

    both = {
        "type": "ConcatDataset",
        "datasets": [leaf("near", "train.json"), leaf("far", "train.json")],
    }
    balanced = {"type": "ClassBalancedDataset", "oversample_thr": 0.1, "dataset": both}
    return Config(
        {
            "train_dataloader": {"dataset": balanced},
            "val_dataloader": {"dataset": leaf("near", "test.json")},
            "test_dataloader": {"dataset": leaf("near", "test.json")},
        }
    )


def test_the_images_of_all_files_of_a_folder_are_one_pool(cfg, tmp_path):
    cohort = read_cohort(cfg, ("train", "val", "test"))
    sizes = {root: len(pool.records) for root, pool in cohort.pools.items()}
    assert sizes == {str(tmp_path / "near"): 40, str(tmp_path / "far"): 24}
    assert cohort.binary_tasks() == ["malignant"]
    assert len(read_cohort(cfg, ("test",)).pools) == 1


def test_every_hospital_gets_files_of_its_own_patients_wherever_the_data_set_is(cfg, tmp_path):
    cohort = read_cohort(cfg, ("train", "val", "test"))
    folds = draw_folds(cohort.labels("malignant"), "malignant", 2, 2, 0)
    point_to(cfg, cohort.write(tmp_path / "folds", folds, 1, 0))
    seen = {}
    for leaf in [*cfg.train_dataloader.dataset.dataset.datasets, cfg.test_dataloader.dataset]:
        records = read_annotations(leaf.ann_file).records
        root = leaf.data_root.rpartition("/")[2]
        assert {record.patient_id.rstrip("0123456789") for record in records} == {root}
        seen[root, records[0].split] = {record.patient_id for record in records}
    assert set(seen) == {("near", "train"), ("far", "train"), ("near", "test")}
    for root in ("near", "far"):
        assert not seen[root, "train"] & seen["near", "test"]
    assert seen["near", "test"] == {p for p, k in folds.outer.items() if k == 1 and p[:4] == "near"}


def test_the_label_of_a_patient_is_the_highest_of_her_images(tmp_path):
    write(tmp_path, "a.json", range(3), lambda i: [{}, {"malignant": 1.0}, {"malignant": 0.0}][i])
    content = read_annotations(tmp_path / "a.json")
    changed = (replace(content.records[5], gt_label={"malignant": 1.0}), *content.records[:5])
    write_annotations(tmp_path / "a.json", replace(content, records=changed))
    dataset = {"data_root": str(tmp_path), "ann_file": "a.json"}
    labels = read_cohort(Config({"train_dataloader": {"dataset": dataset}}), ("train",)).labels(
        "malignant"
    )
    values = [*labels.values()]
    assert math.isnan(values[0])
    assert values[1:] == [1.0, 1.0]


def test_files_that_tell_different_tasks_are_refused(cfg, tmp_path):
    write(tmp_path / "near", "test.json", range(3), tasks=parse_tasks(["malignant:binary"]))
    with pytest.raises(UsageError, match=r"test\.json: annotations of .*near must have the same"):
        read_cohort(cfg, ("train", "val"))


def test_a_data_set_outside_of_the_divided_ones_is_refused(cfg, tmp_path):
    cohort = read_cohort(cfg, ("test",))
    folds = draw_folds(cohort.labels("malignant"), "malignant", 2, 2, 0)
    files = cohort.write(tmp_path / "folds", folds, 0, 0)
    with pytest.raises(UsageError, match=r"train_dataloader: images of .*far must be among those"):
        point_to(cfg, files)
