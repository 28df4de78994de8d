import math

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn import metrics as reference

from mammography.functional.metrics import binary_metrics, class_metrics, regression_metrics

RNG = np.random.default_rng(0)


def test_binary_metrics_are_those_of_sklearn():
    label = RNG.integers(0, 2, 200)
    score = np.round(np.clip(0.3 * label + 0.7 * RNG.random(200), 0, 1), 2)  # with ties
    values = binary_metrics(label, score).values
    assert values["roc_auc"] == pytest.approx(reference.roc_auc_score(label, score), abs=1e-12)
    expected = reference.average_precision_score(label, score)
    assert values["average_precision"] == pytest.approx(expected, abs=1e-12)
    assert values["bce"] == pytest.approx(reference.log_loss(label, score), abs=1e-6)


def test_roc_auc_is_the_share_of_pairs_in_order_with_ties_as_halves():
    label, score = np.array([0, 0, 1, 1, 1]), np.array([0.2, 0.5, 0.5, 0.1, 0.9])
    pairs = [(p > n) + 0.5 * (p == n) for p in score[label == 1] for n in score[label == 0]]
    assert binary_metrics(label, score).values["roc_auc"] == pytest.approx(np.mean(pairs))


def test_a_sure_and_wrong_probability_costs_a_large_and_finite_loss():
    loss = binary_metrics([0, 1], [1.0, 1.0]).values["bce"]
    assert loss == pytest.approx(-math.log(np.finfo(np.float32).eps) / 2)


@pytest.mark.parametrize(
    ("label", "score", "reason"),
    [
        ([0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4], "only class 0 among 4 labelled images"),
        ([1], [0.1], "only class 1 among 1 labelled image"),
        ([], [], "no labelled image"),
        ([0, 1, 1], [0.1, math.nan, math.inf], "2 of 3 predictions are not finite"),
    ],
)
def test_a_task_without_both_classes_says_so(label, score, reason):
    metrics = binary_metrics(label, score)
    assert math.isnan(metrics.values["roc_auc"])
    assert math.isnan(metrics.values["average_precision"])
    assert metrics.notes["roc_auc"] == f"not defined: {reason}"
    assert math.isnan(metrics.values["bce"]) == ("bce" in metrics.notes)


def test_the_loss_of_one_class_is_still_defined():
    assert binary_metrics([0, 0], [0.5, 0.5]).values["bce"] == pytest.approx(math.log(2))


@pytest.mark.parametrize("ordered", [False, True])
def test_class_metrics_are_those_of_sklearn(ordered):
    label = np.concatenate([np.arange(4), RNG.integers(0, 4, 100)])
    score = RNG.dirichlet(np.ones(4), len(label)) + 0.4 * np.eye(4)[label]
    score /= score.sum(axis=1, keepdims=True)
    values = class_metrics(label, score, ordered).values
    predicted = score.argmax(axis=1)
    expected = {
        "roc_auc": reference.roc_auc_score(label, score, multi_class="ovr"),
        "accuracy": reference.accuracy_score(label, predicted),
        "cross_entropy": reference.log_loss(label, score),
    }
    if ordered:
        expected["quadratic_kappa"] = reference.cohen_kappa_score(
            label, predicted, weights="quadratic"
        )
    assert values == pytest.approx(expected, abs=1e-9)


def test_a_class_that_no_image_has_is_left_out_and_named():
    label, score = np.array([0, 1, 1, 0]), RNG.dirichlet(np.ones(3), 4)
    metrics = class_metrics(label, score)
    areas = [reference.roc_auc_score(label == k, score[:, k]) for k in (0, 1)]
    assert metrics.values["roc_auc"] == pytest.approx(np.mean(areas))
    assert metrics.notes["roc_auc"] == "without class 2: none of 4 labelled images has it"


def test_one_class_alone_leaves_accuracy_and_says_what_is_not_defined():
    metrics = class_metrics([2, 2], [[0.1, 0.2, 0.7], [0.0, 0.1, 0.9]], ordered=True)
    assert metrics.values["accuracy"] == 1.0
    assert metrics.notes == {
        "roc_auc": "not defined: only class 2 among 2 labelled images",
        "quadratic_kappa": "not defined: labels and predictions are all class 2",
    }
    empty = class_metrics(np.zeros(0), np.zeros((0, 3)), ordered=True)
    assert set(empty.notes) == set(empty.values)
    assert len(empty.values) == 4


def test_regression_metrics_are_those_of_sklearn_and_scipy():
    label = RNG.normal(size=50)
    value = label + RNG.normal(size=50)
    assert regression_metrics(label, value).values == pytest.approx(
        {
            "mse": reference.mean_squared_error(label, value),
            "r2": reference.r2_score(label, value),
            "pearson": pearsonr(label, value).statistic,
        },
        abs=1e-12,
    )


@pytest.mark.parametrize(
    ("label", "value", "undefined"),
    [
        ([2.0, 2.0], [1.0, 3.0], {"r2", "pearson"}),
        ([2.0], [1.0], {"r2", "pearson"}),
        ([1.0, 2.0], [3.0, 3.0], {"pearson"}),
        ([], [], {"mse", "r2", "pearson"}),
    ],
)
def test_a_constant_has_no_correlation(label, value, undefined):
    metrics = regression_metrics(label, value)
    assert set(metrics.notes) == undefined
    assert {name for name, v in metrics.values.items() if math.isnan(v)} == undefined
