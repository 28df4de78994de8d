"""A fingerprint changes with what decides a result, and with nothing else."""

import os
import shutil

import pytest
from mmengine.config import Config

from mammography.apis.domain_study.fingerprint import (
    digest_file,
    fingerprint_test,
    fingerprint_training,
)
from mammography.apis.domain_study.plan import make_plan
from mammography.apis.domain_study.reading import read_study


def plan(root, **options):
    options = {name.replace("__", "."): value for name, value in options.items()}
    return make_plan(read_study(root / "small_study.py", options))[0]


@pytest.mark.parametrize(
    "options",
    [
        {"options__train_cfg.max_epochs": 3},
        {"seeds": [1]},
        {"options__model.backbone": {"type": "Other"}},
        {"sources": ["far"]},
        {"sources": ["near+far"]},
        {"domains__near.val": "annotations/test.json"},
    ],
)
def test_what_decides_the_weights_makes_another_training(root, options):
    assert plan(root, **options).name != plan(root).name


@pytest.mark.parametrize(
    "options",
    [
        {"options__train_dataloader.num_workers": 2},
        {"options__log_level": "ERROR"},
        {"options__default_hooks.logger.interval": 3},
        {"options__test_dataloader.batch_size": 3},
        {"targets": ["far"]},
        {"statistics": {"running": None}},
        {"models.plain.select": "best"},
    ],
)
def test_what_decides_nothing_about_the_weights_trains_nothing_again(root, options):
    assert plan(root, **options).name == plan(root).name


def test_a_cell_is_another_by_its_weights_images_and_statistics(root):
    def keys(weights="w", **options):
        evaluations = plan(root, **options).evaluations
        return [fingerprint_test(one.config, root, weights=weights) for one in evaluations]

    first = keys()
    assert len(set(first)) == 4
    assert keys(**{"options__test_dataloader.num_workers": 2}) == first
    assert keys(**{"options__train_cfg.max_epochs": 9}) == first
    assert not set(keys(weights="v")) & set(first)
    assert not set(keys(**{"options__test_dataloader.batch_size": 3})) & set(first)
    other = keys(**{"statistics.batch.options": {"test_dataloader.batch_size": 3}})
    assert [a == b for a, b in zip(first, other, strict=True)] == [True, False, True, False]
    path = root / "dataset/far/annotations/test.json"
    path.write_text(path.read_text().replace('"p2"', '"p3"'))
    changed = keys()
    assert [a == b for a, b in zip(first, changed, strict=True)] == [True, True, False, False]


def test_labels_that_changed_train_again(root):
    before = plan(root).name
    path = root / "dataset/near/annotations/train.json"
    path.write_text(path.read_text().replace('"malignant": 1.0', '"malignant": 0.0'))
    assert plan(root).name != before


def test_a_repository_may_move(root, tmp_path, monkeypatch):
    before = plan(root).name
    shutil.move(root, tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert plan(tmp_path / "elsewhere").name == before


def test_weights_to_start_from_count_by_their_content(tmp_path):
    def key(name, content):
        path = tmp_path / name
        path.write_text(content)
        hook = {"type": "LoadPretrainedHook", "checkpoint": str(path)}
        return fingerprint_training(Config({"custom_hooks": [hook]}), tmp_path)

    assert key("a.pth", "one") == key("b.pth", "one") != key("a.pth", "two")


def test_a_file_that_was_changed_is_read_again(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_text("one")
    first = digest_file(path)
    path.write_text("two")
    os.utime(path, (1, 1))
    assert digest_file(path) != first
