"""A threshold says where it comes from."""

import json

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from invented_evidence import write_invented
from mammography.reports.evidence.options import EvidenceOptions
from mammography.reports.evidence.study import read_study
from mammography.structures.prediction import read_dump, write_dump

POINT = {"threshold": 0.07, "level": "breast", "pooling": "mean", "rule": "youden", "epoch": 4}


def threshold(path, **changes):
    return read_study([path], EvidenceOptions(**changes)).models[0].threshold


def test_without_any_it_is_the_youden_point_of_scikit_learn_and_optimistic(invented):
    study = read_study(invented.dumps[:1], EvidenceOptions())
    false_rate, true_rate, values = roc_curve(study.labels, study.models[0].scores)
    found = study.models[0].threshold
    assert found.value == values[np.argmax(true_rate - false_rate)]
    assert found.optimistic
    assert "optimistic" in found.origin


def test_one_that_is_given_wins(invented):
    found = threshold(invented.dumps[0], thresholds=(0.3,))
    assert (found.value, found.origin, found.optimistic) == (0.3, "given by the user", False)


def test_the_dump_may_carry_one_from_validation(tmp_path):
    (path,) = write_invented(tmp_path, 40, (0.5,), operating_points={"malignant": POINT}).dumps
    found = threshold(path)
    assert (found.value, found.optimistic) == (0.07, False)
    assert found.origin == "carried from the validation after epoch 4 by youden"


def test_the_metrics_of_the_same_test_may_carry_it(tmp_path):
    (dump,) = write_invented(tmp_path, 40, (0.5,)).dumps
    path = tmp_path / "test" / "predictions.json"
    write_dump(path, read_dump(dump))
    chosen = {"rule": "specificity_at_sensitivity", "at_least": 0.9, "epoch": 7}
    point = {"threshold": 0.04, "level": "breast", "pooling": "mean", "chosen": chosen}
    metrics = {"tasks": {"malignant": {"operating_point": point}}, "info": {}}
    (tmp_path / "test" / "metrics.json").write_text(json.dumps(metrics))
    found = threshold(path)
    assert found.value == 0.04
    assert found.origin.endswith("by specificity at sensitivity of at least 0.9")


@pytest.mark.parametrize("changes", [{"level": "patient"}, {"pooling": "max"}])
def test_one_for_other_cases_is_not_taken(tmp_path, changes):
    (path,) = write_invented(tmp_path, 40, (0.5,), operating_points={"malignant": POINT}).dumps
    found = threshold(path, **changes)
    assert found.optimistic
    assert found.origin.endswith("the one carried is for breast, mean")
