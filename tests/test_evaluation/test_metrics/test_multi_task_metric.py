import math

import numpy as np
import pytest
from mmengine.hooks import CheckpointHook
from sklearn.metrics import cohen_kappa_score, r2_score, roc_auc_score

from mammography.evaluation.metrics.multi_task_metric import MultiTaskMetric
from samples import run_metric, sample

RNG = np.random.default_rng(0)


def study(count=40):
    """Samples that carry a label of each task now and then."""
    made = []
    for index in range(count):
        gt = {"malignant": float(index % 2), "density": float(index % 3), "size_mm": RNG.normal()}
        pred = {
            "malignant": 0.3 * gt["malignant"] + 0.7 * RNG.random(),
            "density": RNG.dirichlet(np.ones(3) + np.eye(3)[index % 3]).tolist(),
            "size_mm": gt["size_mm"] + RNG.normal(),
        }
        missing = [name for k, name in enumerate(gt) if index % 5 == k]
        made.append(sample(index, {k: v for k, v in gt.items() if k not in missing}, pred))
    return made


def of_task(samples, name):
    rows = [(s.gt_targets[name], s.pred_scores[name]) for s in samples if name in s.gt_targets]
    return [np.array(column) for column in zip(*rows, strict=True)]


def test_each_task_is_measured_by_its_kind_over_the_images_with_its_label():
    samples, metric = study(), MultiTaskMetric()
    values = run_metric(metric, samples)
    label, score = of_task(samples, "malignant")
    assert values["malignant/roc_auc"] == pytest.approx(roc_auc_score(label, score))
    label, score = of_task(samples, "density")
    kappa = cohen_kappa_score(label, score.argmax(axis=1), weights="quadratic")
    assert values["density/quadratic_kappa"] == pytest.approx(kappa)
    label, score = of_task(samples, "size_mm")
    assert values["size_mm/r2"] == pytest.approx(r2_score(label, score))
    assert {task: row["n"] for task, row in metric.details.items()} == {
        "malignant": 32,
        "density": 32,
        "size_mm": 32,
    }
    assert metric.details["malignant"]["n_positive"] == 16
    mean = (values["malignant/roc_auc"] + values["density/roc_auc"]) / 2
    assert values["mean/roc_auc"] == pytest.approx(mean)


def test_a_metric_that_is_not_defined_says_why_and_leaves_the_others(monkeypatch):
    log = []
    place = "mammography.evaluation.metrics.multi_task_metric.print_log"
    monkeypatch.setattr(place, lambda text, logger: log.append(text))
    pred = {"malignant": 0.3, "density": [0.2, 0.3, 0.5], "size_mm": 1.0}
    metric = MultiTaskMetric()
    values = run_metric(metric, [sample(i, {"malignant": 0.0}, pred) for i in range(4)])
    assert math.isnan(values["malignant/roc_auc"])
    assert math.isnan(values["mean/roc_auc"])
    assert values["malignant/bce"] == pytest.approx(-math.log(0.7))
    reason = "roc_auc, average_precision not defined: only class 0 among 4 labelled images"
    assert metric.details["malignant"]["notes"] == [reason]
    assert f"malignant/{reason}" in log
    assert metric.details["size_mm"]["notes"] == ["mse, r2, pearson not defined: no labelled image"]
    assert (metric.details["density"]["n"], metric.details["size_mm"]["n"]) == (0, 0)


def test_what_is_not_defined_is_never_the_best():
    hook = CheckpointHook(save_best="malignant/roc_auc")
    better = hook.is_better_than["malignant/roc_auc"]
    assert not better(math.nan, -math.inf)
    assert better(0.1, -math.inf)


@pytest.mark.parametrize(
    ("metric", "greater"),
    [
        ("her2/bce", False),
        ("her2/roc_auc", True),
        ("vaccine/mse", False),
        ("density/cross_entropy", False),
        ("density/quadratic_kappa", True),
        ("density/accuracy", True),
        ("size/r2", True),
        ("size/pearson", True),
        ("mean/roc_auc", True),
        ("malignant/average_precision", True),
    ],
)
def test_the_default_checkpoint_hook_knows_in_which_direction_a_metric_is_better(metric, greater):
    from pathlib import Path

    from mmengine.config import Config

    runtime = Path(__file__).parents[3] / "configs" / "_base_" / "default_runtime.py"
    settings = Config.fromfile(runtime, import_custom_modules=False).default_hooks.checkpoint
    settings.pop("type")
    hook = CheckpointHook(save_best=metric, **settings)
    assert hook.rules == ["greater" if greater else "less"]


def test_tasks_can_be_given_and_a_model_may_predict_some_of_them():
    samples = [sample(i, {"a": i % 2, "b": 0.0}, {"a": 0.2 + 0.5 * (i % 2)}) for i in range(4)]
    values = run_metric(MultiTaskMetric(tasks=["a:binary", "b:regression"]), samples, meta={})
    assert set(values) == {"a/roc_auc", "a/average_precision", "a/bce"}


def test_a_predicted_task_that_nobody_described_is_an_error():
    with pytest.raises(ValueError, match=r"those of the data set \(malignant, density, size_mm\)"):
        run_metric(MultiTaskMetric(), [sample(0, {}, {"other": 0.1})])


def test_a_sample_without_prediction_is_named():
    with pytest.raises(ValueError, match=r"images/3\.png: a prediction must carry pred_scores"):
        run_metric(MultiTaskMetric(), [sample(3, {"malignant": 0.0})])


def test_no_task_may_take_the_name_of_the_mean():
    metric = MultiTaskMetric(tasks=["mean:binary"])
    with pytest.raises(ValueError, match="no task must be named mean"):
        run_metric(metric, [sample(0, {"mean": 0.0}, {"mean": 0.1})])


def test_an_empty_prefix_brings_no_warning_and_a_given_one_is_used(monkeypatch):
    said = []
    monkeypatch.setattr("mmengine.evaluator.metric.print_log", lambda *a, **k: said.append(a))
    metric = MultiTaskMetric(tasks=["a:binary"], prefix="val")
    values = run_metric(metric, [sample(i, {"a": i % 2}, {"a": 0.4}) for i in range(2)])
    assert set(values) == {"val/a/roc_auc", "val/a/average_precision", "val/a/bce"}
    MultiTaskMetric()
    assert not said


def test_as_many_probabilities_as_classes_are_needed():
    """Four times 3 probabilities would make three rows of 4."""
    metric = MultiTaskMetric(tasks=["density:ordinal=A,B,C,D"])
    samples = [sample(i, {"density": 0.0}, {"density": [0.2, 0.3, 0.5]}) for i in range(4)]
    with pytest.raises(ValueError, match=r"density must have .* its 4 classes, got .* \(3,\)"):
        run_metric(metric, samples)
