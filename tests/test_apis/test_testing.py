import json
import logging

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS

import mammography.plugin  # noqa: F401
from mammography.apis.config import UsageError
from mammography.apis.testing import evaluate
from mammography.apis.training import train
from mammography.structures.prediction import read_dump
from prepared_study import write_config, write_study
from small_study import small_config


@pytest.fixture
def config(tmp_path):
    path = write_config(tmp_path, custom_hooks=[{"type": "EMAHook"}, {"type": "Other"}])
    torch.save({}, tmp_path / "weights.pth")
    return path


@pytest.fixture
def built(monkeypatch):
    """What a runner would have been built from; nothing is tested."""
    seen = []

    class Metric:
        details = {"malignant": {"roc_auc": 0.5, "n": 4}}

    class Stub:
        logger = logging.getLogger("stub")

        class test_evaluator:  # noqa: N801
            metrics = [Metric()]

        def test(self):
            return {"malignant/roc_auc": 0.5}

    monkeypatch.setattr(
        "mammography.apis.testing.build_runner", lambda cfg: seen.append(cfg) or Stub()
    )
    return seen


def call(config, *, out=None, **arguments):
    return evaluate(
        config, str(config.parents[2] / "weights.pth"), out=out, report=False, **arguments
    )


def test_it_writes_metrics_and_predictions_beside_the_run(config, built, tmp_path):
    tasks = call(config, out=str(tmp_path / "m.json"), out_item="metrics")
    assert tasks == {"malignant": {"roc_auc": 0.5, "n": 4}}
    written = json.loads((tmp_path / "work_dirs" / "small" / "test" / "metrics.json").read_text())
    assert written["tasks"] == tasks
    assert written["info"]["split"] == "test"
    assert written["info"]["ann_file"] == "annotations/test.json"
    assert json.loads((tmp_path / "m.json").read_text()) == written
    dumps = {m["type"]: m["out_file"] for m in built[0].test_evaluator[1:]}
    folder = tmp_path / "work_dirs" / "small" / "test"
    assert dumps == {"DumpPredictions": str(folder / "predictions.json")}


@pytest.mark.parametrize(
    ("item", "out", "kind"),
    [("pred", "p.pkl", "DumpPredictions"), (None, "p.json", "DumpPredictions"),
     ("feature", "f.npz", "DumpFeatures")],
)  # fmt: skip
def test_more_is_written_on_request(config, built, item, out, kind):
    call(config, out=out, out_item=item)
    last = built[0].test_evaluator[-1]
    assert (last["type"], last["out_file"]) == (kind, out)


def test_training_is_left_out_and_so_is_the_averaging_of_weights(config, built):
    call(config)
    (cfg,) = built
    assert cfg.train_dataloader is None
    assert [hook["type"] for hook in cfg.custom_hooks] == ["Other"]


def test_augmented_versions_go_through_the_averaging_model(config, built):
    call(config, tta=True, cfg_options={"model.head.in_channels": 32})
    (cfg,) = built
    assert cfg.model.type == "MultiTaskTTAModel"
    assert cfg.model.module.head.in_channels == 32
    both = cfg.test_dataloader.dataset.pipeline[-1]
    assert both["type"] == "TestTimeAug"
    assert [flip["prob"] for flip in both["transforms"][0]] == [0.0, 1.0]


def test_several_sets_of_weights_go_through_the_model_that_compares_them(config, built):
    other = str(config.parents[2] / "weights.pth")
    call(config, mc_dropout=4, ensemble=[other])
    call(config, tta=True, ensemble=[other])
    both, augmented = (cfg.model for cfg in built)
    assert (both.type, both.passes, both.members) == ("WeightSamplesModel", 4, [other])
    assert both.module.type == augmented.module.type == "ImageClassifier"
    assert (both.augmented, augmented.augmented, augmented.passes) == (False, True, 0)
    assert built[1].test_dataloader.dataset.pipeline[-1]["type"] == "TestTimeAug"
    info = built[0].test_evaluator[-1]["info"]
    assert (info["mc_dropout"], info["ensemble"]) == (4, [other])
    call(config)
    assert "ensemble" not in built[2].test_evaluator[-1]["info"]


def test_of_an_ensemble_with_dropout_the_parts_of_the_uncertainty_are_in_the_dump(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path)
    changes = {
        "model.head.drop_rate": 0.3,
        "model.head.tasks.malignant": {"kind": "binary", "attenuation": {}},
        "test_dataloader.dataset.indices": 2,
    }
    config = write_config(tmp_path, **changes)
    paths = [str(tmp_path / name) for name in ("a.pth", "b.pth")]
    init_default_scope("mmpretrain")
    for seed, path in enumerate(paths):
        torch.manual_seed(seed)
        model = MODELS.build(Config.fromfile(config, import_custom_modules=False).model)
        torch.save({"state_dict": model.state_dict(), "meta": {}}, path)
    runs = [
        {"work_dir": "one"},
        {"work_dir": "all", "tta": True, "mc_dropout": 2, "ensemble": paths[1:]},
    ]
    one, several = (
        read_dump(_predictions(config, paths[0], tmp_path, **run)).records for run in runs
    )
    assert len(one) == len(several) == 2
    for alone, row in zip(one, several, strict=True):
        assert set(alone.pred_uncertainty) == {"malignant"}
        assert "epistemic" not in alone.pred_uncertainty["malignant"]
        parts = row.pred_uncertainty["malignant"]
        assert parts["total"] == pytest.approx(parts["aleatoric"] + parts["epistemic"])
        assert parts["epistemic"] > 0
        assert parts["variance"] > 0
        assert row.pred_uncertainty["mass_size_mm"]["variance"] > 0


def _predictions(config, checkpoint, root, work_dir, **options):
    folder = root / work_dir
    evaluate(config, checkpoint, report=False, work_dir=str(folder), **options)
    return folder / "test" / "predictions.json"


def test_the_pipeline_for_augmented_versions_may_be_that_of_the_config(config, built):
    cfg = Config.fromfile(config, import_custom_modules=False)
    cfg.tta_pipeline = [{"type": "LoadMammogram"}]
    cfg.dump(config)
    call(config, tta=True)
    assert built[0].test_dataloader.dataset.pipeline == [{"type": "LoadMammogram"}]


def test_another_split_goes_through_the_test_pipeline(config, built, tmp_path):
    call(config, split="train")
    data = built[0].test_dataloader.dataset
    assert data.ann_file == "annotations/train.json"
    assert data.pipeline[1].type == "AffineResize"
    assert (tmp_path / "work_dirs" / "small" / "train" / "metrics.json").exists()


def test_another_split_may_be_another_selection_of_one_file(config, built):
    one = {"ann_file": "all.json", "indices": 3}
    options = {
        "test_dataloader.dataset.filter_cfg": {"split": ["test"]},
        **{f"val_dataloader.dataset.{name}": value for name, value in one.items()},
        "val_dataloader.dataset.filter_cfg": {"split": ["val"]},
    }
    call(config, split="val", cfg_options=options)
    call(config, split="train", cfg_options={"test_dataloader.dataset.indices": 5})
    of_val, of_train = (cfg.test_dataloader.dataset for cfg in built)
    assert (of_val.ann_file, of_val.indices) == ("all.json", 3)
    assert of_val.filter_cfg == {"split": ["val"]}
    assert "indices" not in of_train


def test_pictures_are_drawn_on_request(config, built):
    call(config, show_dir="pictures", interval=5)
    assert built[0].custom_hooks[-1] == {
        "type": "PredictionPicturesHook",
        "out_dir": "pictures",
        "interval": 5,
    }


def test_mixed_precision_is_asked_of_the_loop(config, built):
    call(config, amp=True)
    assert built[0].test_cfg.fp16 is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mc_dropout": -1}, "--mc-dropout: must be a number of passes, got -1"),
        ({"ensemble": ["gone.pth"]}, "checkpoint gone.pth does not exist"),
        (
            {"mc_dropout": 2, "cfg_options": {"custom_hooks.1.type": "NormStatisticsHook"}},
            "--mc-dropout, --ensemble: batch norms .* leave the hook out",
        ),
        (
            {"mc_dropout": 2, "tta": True, "cfg_options": {"tta_model": {"type": "Mine"}}},
            "--tta: .* leave tta_model out",
        ),
        ({"out_item": "metrics"}, "name the file with --out FILE"),
        ({"out": "m.csv", "out_item": "metrics"}, r"metrics must end in \.json, got m\.csv"),
        ({"out": "p.npz"}, r"pred must end in \.json, \.pkl, \.pickle, got p\.npz"),
        ({"out": "f.json", "out_item": "feature"}, r"feature must end in \.npz"),
        ({"split": "val", "cfg_options": {"val_dataloader": None}}, "has no val_dataloader"),
        ({"cfg_options": {"test_dataloader": None}}, "there is nothing to test"),
        (
            {"tta": True, "cfg_options": {"test_dataloader.dataset.pipeline": None}},
            "--tta: .* pipe",
        ),
        (
            {"out": "p.json", "cfg_options": {"test_evaluator.0.type": "Accuracy"}},
            "need a MultiTaskMetric",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_model_is_built(
    config, built, arguments, message
):
    with pytest.raises(UsageError, match=message):
        call(config, **arguments)
    assert not built


def test_of_a_training_with_averaged_weights_those_are_tested(tmp_path):
    cfg = small_config(tmp_path / "run")
    cfg.custom_hooks = [{"type": "EMAHook", "momentum": 0.2}]
    cfg.dump(tmp_path / "small.py")
    train(tmp_path / "small.py", report=False)
    log = next((tmp_path / "run").rglob("scalars.json")).read_text().splitlines()
    validated = json.loads(log[-1])  # by the averaged weights, on the images of the test
    saved = str(tmp_path / "run" / "epoch_2.pth")
    tested = evaluate(tmp_path / "small.py", saved, report=False)
    assert tested["malignant"]["bce"] == pytest.approx(validated["malignant/bce"], rel=1e-9)
    trained = torch.load(saved, weights_only=False)
    trained["state_dict"] = {
        name.removeprefix("module."): value
        for name, value in trained["ema_state_dict"].items()
        if name.startswith("module.")
    }
    torch.save(trained, tmp_path / "trained.pth")
    other = evaluate(tmp_path / "small.py", str(tmp_path / "trained.pth"), report=False)
    assert other["malignant"]["bce"] != pytest.approx(validated["malignant/bce"], rel=1e-4)
