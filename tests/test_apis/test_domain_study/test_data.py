"""Hospitals and transforms in the place of a config's own data."""

import copy

import pytest
from mmengine.config import Config

from mammography.apis.config import UsageError
from mammography.apis.data_sets import annotation_file, data_sets
from mammography.apis.domain_study.data import (
    adaptation_images,
    fill_test,
    fill_training,
    insert_transforms,
)
from mammography.apis.domain_study.study import Domain

PIPELINE = [{"type": "LoadMammogram"}, {"type": "PackMammogram"}]


def domain(name, **files):
    usual = {role: {"ann_file": f"{role}.json"} for role in ("train", "val", "test", "adapt")}
    return Domain(name, f"dataset/{name}", usual | files)


NEAR, FAR = domain("near"), domain("far", test={"ann_file": "t.json", "indices": 5})


def leaf(**settings):
    return {
        "type": "MammographyDataset",
        "data_root": "somewhere",
        "ann_file": "annotations/own.json",
        "tasks": ["malignant"],
        "pipeline": copy.deepcopy(PIPELINE),
    } | settings


def config(train=None, val=True):
    loaders = {"train_dataloader": {"batch_size": 4, "dataset": train or leaf()}}
    loaders |= {"val_dataloader": {"dataset": leaf(test_mode=True)}} if val else {}
    test = {"batch_size": 8, "num_workers": 2, "dataset": leaf(test_mode=True)}
    return Config(loaders | {"test_dataloader": test})


def files(loader):
    return [str(annotation_file(one)) for one in data_sets(loader.dataset)]


def test_one_source_takes_the_place_of_the_data():
    cfg = config()
    fill_training(cfg, [NEAR], None)
    assert cfg.train_dataloader.dataset == leaf(data_root="dataset/near", ann_file="train.json")
    assert files(cfg.val_dataloader) == ["dataset/near/val.json"]
    assert files(cfg.test_dataloader) == ["somewhere/annotations/own.json"]
    assert cfg.train_dataloader.batch_size == 4


def test_several_sources_are_joined_inside_what_is_around_them():
    cfg = config({"type": "RepeatDataset", "times": 3, "dataset": leaf()})
    fill_training(cfg, [NEAR, FAR], None)
    assert cfg.train_dataloader.dataset.type == "RepeatDataset"
    assert cfg.train_dataloader.dataset.times == 3
    assert cfg.train_dataloader.dataset.dataset.type == "ConcatDataset"
    assert files(cfg.train_dataloader) == ["dataset/near/train.json", "dataset/far/train.json"]
    assert cfg.val_dataloader.dataset.type == "ConcatDataset"


@pytest.mark.parametrize("sign", [{"domain": "target"}, {"unlabelled": True}])
def test_the_unlabelled_images_are_those_of_the_hospital_to_adapt_to(sign):
    both = {"type": "ConcatDataset", "datasets": [leaf(domain="source"), leaf(**sign)]}
    cfg = config(both)
    fill_training(cfg, [NEAR, FAR], domain("third"))
    assert files(cfg.train_dataloader) == [
        "dataset/near/train.json",
        "dataset/far/train.json",
        "dataset/third/adapt.json",
    ]
    datasets = cfg.train_dataloader.dataset.datasets
    assert [one.get("domain") for one in datasets[:2]] == ["source", "source"]
    assert {key: datasets[2][key] for key in sign} == sign
    assert files(cfg.val_dataloader) == ["dataset/near/val.json", "dataset/far/val.json"]


@pytest.mark.parametrize(("own", "adapt_to"), [({"domain": "target"}, None), ({}, FAR)])
def test_a_hospital_to_adapt_to_and_a_place_for_it_need_each_other(own, adapt_to):
    with pytest.raises(UsageError, match="adapt_to must name a hospital if, and only if"):
        fill_training(config(leaf(**own)), [NEAR], adapt_to)


def test_a_config_without_validation_stays_so():
    cfg = config(val=False)
    fill_training(cfg, [NEAR], None)
    assert cfg.get("val_dataloader") is None


def test_the_test_takes_all_settings_of_the_hospital():
    cfg = config()
    fill_test(cfg, FAR)
    assert cfg.test_dataloader.dataset == leaf(
        data_root="dataset/far", ann_file="t.json", indices=5, test_mode=True
    )


def test_the_images_that_adapt_a_model_come_without_labels():
    cfg = config()
    fill_test(cfg, FAR)
    loader = adaptation_images(cfg, FAR)
    assert (loader["batch_size"], loader["num_workers"]) == (8, 2)
    assert loader["dataset"]["unlabelled"] is True
    assert "tasks" not in loader["dataset"]
    assert str(annotation_file(loader["dataset"])) == "dataset/far/adapt.json"
    assert cfg.test_dataloader.dataset.ann_file == "t.json"
    cfg.test_dataloader.dataset.type = "Other"
    other = adaptation_images(cfg, FAR)["dataset"]
    assert ("unlabelled" in other, other["tasks"]) == (False, ["malignant"])


def test_a_data_set_without_annotations_is_refused():
    with pytest.raises(UsageError, match="must have an ann_file, got Numbers without"):
        fill_training(config({"type": "Numbers"}), [NEAR], None)


def test_transforms_go_before_the_packing_of_every_pipeline():
    cfg = config({"type": "ConcatDataset", "datasets": [leaf(), leaf()]})
    insert_transforms(cfg, [{"type": "StandardizeImage"}])
    names = ["LoadMammogram", "StandardizeImage", "PackMammogram"]
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        for one in data_sets(loader.dataset):
            assert [step["type"] for step in one["pipeline"]] == names
    fill_training(cfg, [NEAR, FAR], None)
    for one in data_sets(cfg.train_dataloader.dataset):
        assert len(one["pipeline"]) == 3
