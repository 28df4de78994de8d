import numpy as np
import pytest

from mammography.reports.task_scores import scores_of
from mammography.structures.prediction import Dump, PredictionRecord
from mammography.structures.task import parse_tasks

TASKS = parse_tasks(["m:binary", "d:ordinal=A,B,C"])


def dump(*rows):
    records = [
        PredictionRecord(f"{i}.png", gt_label=g, pred_score=p) for i, (g, p) in enumerate(rows)
    ]
    return Dump(TASKS, tuple(records))


def test_rows_without_label_are_left_out_and_rows_without_finite_score_are_counted():
    rows = [({"m": 1.0}, {"m": 0.5}), ({}, {"m": 0.5}), ({"m": 0.0}, {"m": float("nan")})]
    scores = scores_of(dump(*rows, ({"m": 0.0}, {})), "m")
    assert scores.labels.tolist() == [1.0]
    assert scores.scores.tolist() == [0.5]
    assert [record.img_path for record in scores.records] == ["0.png"]
    assert scores.unscored == 2


def test_class_probabilities_become_one_row_per_image():
    scores = scores_of(dump(({"d": 2.0}, {"d": [0.1, 0.2, 0.7]})), "d")
    np.testing.assert_array_equal(scores.scores, [[0.1, 0.2, 0.7]])


def test_a_task_that_no_image_has_is_empty():
    scores = scores_of(dump(({}, {})), "d")
    assert scores.scores.shape == (0, 3)
    assert scores.roc_auc is None


def test_a_score_of_another_form_names_the_image_and_the_rule():
    with pytest.raises(ValueError, match=r"0\.png: pred_score of d must be a list of 3 prob.*got"):
        scores_of(dump(({"d": 2.0}, {"d": [0.1, 0.9]})), "d")
    with pytest.raises(ValueError, match=r"pred_score of m must be one number, got \[0.1, 0.9\]"):
        scores_of(dump(({"m": 1.0}, {"m": [0.1, 0.9]})), "m")
