import json
import re

import pytest
import torch

import mammography.evaluation.metrics.screening_metric  # noqa: F401
from mammography.apis.testing import evaluate
from mammography.engine.hooks.carry_threshold_hook import KEY, CarryThresholdHook
from mammography.engine.portable_runner import PortableRunner
from mammography.functional.operating_points import operating_point, youden
from mammography.structures.prediction import read_dump
from small_study import small_config

METRICS = [{"type": "MultiTaskMetric"}, {"type": "ScreeningMetric", "subgroups": ["laterality"]}]
BEST = {"save_best": "malignant/roc_auc", "greater_keys": ["/roc_auc"]}


def config(folder, hook=None, **changes):
    # Other images for the validation than for the test, so that their thresholds differ.
    cfg = small_config(folder, **changes)
    cfg.val_evaluator = cfg.test_evaluator = METRICS
    cfg.val_dataloader.dataset.update(length=11, augment=True)
    cfg.custom_hooks = [{"type": "CarryThresholdHook", **(hook or {})}]
    return cfg


def meta(path):
    return torch.load(path, weights_only=False)["meta"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    cfg = config(folder, epochs=3)
    cfg.default_hooks.checkpoint.update(BEST)
    runner = PortableRunner.from_cfg(cfg)
    chosen = []

    class Watch(CarryThresholdHook):
        priority = "LOW"  # before checkpoints are written

        def after_val_epoch(self, runner, metrics=None):
            chosen.append(dict(metrics))

    runner.register_hook(Watch())
    runner.train()
    return folder, chosen


def test_every_checkpoint_carries_the_threshold_of_its_own_weights(run):
    folder, chosen = run
    assert len({metrics["malignant/threshold"] for metrics in chosen}) == 3
    for epoch, metrics in enumerate(chosen, start=1):
        carried = meta(folder / f"epoch_{epoch}.pth")[KEY]["malignant"]
        assert carried["threshold"] == metrics["malignant/threshold"]
        assert carried["validation"]["sensitivity"] == metrics["malignant/sensitivity"]
        assert (carried["rule"], carried["epoch"], carried["level"]) == ("youden", epoch, "breast")


def test_the_best_checkpoint_carries_the_threshold_of_the_best_validation(run):
    folder, chosen = run
    (best,) = folder.glob("best_*.pth")
    epoch = int(re.search(r"epoch_(\d+)", best.name)[1])
    areas = [metrics["malignant/roc_auc"] for metrics in chosen]
    assert areas.index(max(areas)) + 1 == epoch
    carried = meta(best)[KEY]["malignant"]
    assert carried["threshold"] == chosen[epoch - 1]["malignant/threshold"]


def test_a_checkpoint_that_is_written_again_resumes_as_before(run, tmp_path):
    folder, _ = run
    content = torch.load(folder / "epoch_2.pth", weights_only=False)
    assert (content["meta"]["epoch"], content["meta"]["iter"]) == (2, 8)
    assert {"optimizer", "param_schedulers", "message_hub"} <= set(content)
    cfg = config(tmp_path, epochs=3)
    cfg.update(resume=True, load_from=str(folder / "epoch_2.pth"))
    resumed = PortableRunner.from_cfg(cfg)
    resumed.train()
    expected = torch.load(folder / "epoch_3.pth", weights_only=False)["state_dict"]
    for name, value in resumed.model.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_the_test_applies_the_threshold_of_the_validation(run, tmp_path):
    folder, chosen = run
    path = tmp_path / "configs" / "small.py"
    path.parent.mkdir()
    cfg = config(tmp_path)
    cfg.dump(path)
    tasks = evaluate(path, str(folder / "epoch_3.pth"), work_dir=str(tmp_path / "w"), report=False)
    written = json.loads((tmp_path / "w" / "test" / "metrics.json").read_text())["tasks"][
        "malignant"
    ]
    point = written["operating_point"]
    assert point["threshold"] == chosen[2]["malignant/threshold"] == written["threshold"]
    assert (point["chosen"]["rule"], point["chosen"]["epoch"]) == ("youden", 3)
    records = read_dump(tmp_path / "w" / "test" / "predictions.json").records
    labels = [r.gt_label["malignant"] for r in records]  # one image for each breast
    scores = [r.pred_score["malignant"] for r in records]
    expected = operating_point(labels, scores, point["threshold"])
    assert (point["tp"], point["fp"]) == (expected.tp, expected.fp)
    assert point["threshold"] != youden(labels, scores).threshold  # the test would choose another
    assert {part["n"] for part in written["subgroups"]["laterality"].values()} == {3, 4}
    assert tasks["malignant"]["roc_auc"] == written["roc_auc"]  # of MultiTaskMetric, over images


def test_weights_that_were_not_validated_carry_none_and_are_tested_without(tmp_path, caplog):
    cfg = config(tmp_path, epochs=2)
    cfg.train_cfg.val_interval = 2
    runner = PortableRunner.from_cfg(cfg)
    runner.train()
    assert KEY not in meta(tmp_path / "epoch_1.pth")
    assert KEY in meta(tmp_path / "epoch_2.pth")
    cfg = config(tmp_path / "test")
    cfg.load_from = str(tmp_path / "epoch_1.pth")
    tested = PortableRunner.from_cfg(cfg)
    tested.logger.addHandler(caplog.handler)
    assert not any("threshold" in name for name in tested.test())
    assert "the checkpoint carries no threshold" in caplog.text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "median"}, "rule must be one of sensitivity_at_specificity, .*, got 'median'"),
        ({"rule": "sensitivity_at_specificity"}, "missing 1 required .* 'at_least'"),
        ({"rule": "least_cost", "cost_ratio": -1}, "cost_ratio must be above 0, got -1"),
        ({"rule": "youden", "at_least": 0.5}, "unexpected keyword argument 'at_least'"),
    ],
)
def test_a_rule_that_does_not_exist_or_fit_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        CarryThresholdHook(**settings)


def test_a_validation_that_could_not_choose_is_refused_before_the_first_step(tmp_path):
    cfg = config(tmp_path)
    cfg.val_evaluator = METRICS[:1]
    with pytest.raises(ValueError, match="must have a ScreeningMetric, got MultiTaskMetric"):
        PortableRunner.from_cfg(cfg).train()


def test_the_best_checkpoint_has_the_weights_of_the_best_validation_not_the_last(run):
    """System D copied its best weights and saved the last ones."""
    folder, chosen = run
    (best,) = folder.glob("best_*.pth")
    areas = [metrics["malignant/roc_auc"] for metrics in chosen]
    weights = torch.load(best, weights_only=False)["state_dict"]
    for epoch in (1, 2, 3):
        other = torch.load(folder / f"epoch_{epoch}.pth", weights_only=False)["state_dict"]
        same = all(torch.equal(value, other[name]) for name, value in weights.items())
        assert same == (epoch == areas.index(max(areas)) + 1)


def test_of_averaged_weights_the_threshold_is_theirs(tmp_path):
    """The checkpoint holds the averaged weights, and a validation measures them."""
    cfg = config(tmp_path, epochs=2)
    cfg.val_dataloader.dataset.augment = False
    cfg.custom_hooks = [{"type": "EMAHook", "momentum": 0.5}, *cfg.custom_hooks]
    PortableRunner.from_cfg(cfg).train()
    carried = meta(tmp_path / "epoch_2.pth")[KEY]["malignant"]
    again = config(tmp_path / "again")
    again.test_dataloader = again.val_dataloader = cfg.val_dataloader
    again.load_from = str(tmp_path / "epoch_2.pth")
    metrics = PortableRunner.from_cfg(again).test()
    assert metrics["malignant/threshold"] == carried["threshold"]
    assert metrics["malignant/sensitivity"] == carried["validation"]["sensitivity"]
    assert metrics["malignant/specificity"] == carried["validation"]["specificity"]
