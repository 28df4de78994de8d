"""Predictions of images become cases."""

from dataclasses import replace

import numpy as np
import pytest

from invented_study import TASKS, invent_rows, write_cell
from mammography.reports.domain_study.cells import Outcome, read_cases
from mammography.structures.prediction import Dump, write_dump
from mammography.terms import Level


def by_hand(rows, names):
    """Scores and labels of each case, by a loop."""
    found = {}
    for row in rows:
        scores, labels = found.setdefault(tuple(getattr(row, name) for name in names), ([], []))
        scores.append(row.pred_score["malignant"])
        labels += [row.gt_label["malignant"]] if row.gt_label else []
    return {name: (np.mean(s), max(y)) for name, (s, y) in sorted(found.items()) if y}


@pytest.mark.parametrize(
    ("level", "names"),
    [
        (Level.BREAST, ("patient_id", "exam_id", "laterality")),
        (Level.PATIENT, ("patient_id",)),
        (Level.IMAGE, ("img_path",)),
    ],
)
def test_all_views_of_a_case_speak_and_any_label_makes_it_positive(tmp_path, level, names):
    rows = invent_rows(20, 1.0)
    cell = write_cell(tmp_path, rows)
    cases = read_cases(cell.predictions, Outcome(level=level))
    expected = by_hand(rows, names)
    assert list(cases.names) == list(expected)
    np.testing.assert_allclose(cases.scores, [score for score, _ in expected.values()])
    np.testing.assert_array_equal(cases.labels, [label for _, label in expected.values()])
    owners = {getattr(row, names[0]): row.patient_id for row in rows}
    assert cases.patients.tolist() == [owners[name[0]] for name in expected]


def test_breasts_without_any_label_are_left_out_and_counted(tmp_path):
    rows = invent_rows(20, 1.0)
    silent = tuple(replace(row, gt_label={}) if row.patient_id == "p003" else row for row in rows)
    cases = read_cases(write_cell(tmp_path, silent).predictions, Outcome())
    assert (len(cases.labels), cases.unlabelled, cases.images) == (38, 2, 76)
    assert "p003" not in cases.patients


def test_a_patient_without_exams_has_one(tmp_path):
    rows = tuple(replace(row, exam_id=None) for row in invent_rows(5, 1.0))
    cases = read_cases(write_cell(tmp_path, rows).predictions, Outcome())
    assert cases.names[0] == ("p000", "", "L")
    assert len(cases.labels) == 10


@pytest.mark.parametrize("field", ["patient_id", "laterality"])
def test_an_image_without_a_place_is_refused(tmp_path, field):
    first, *rows = invent_rows(5, 1.0)
    cell = write_cell(tmp_path, (replace(first, **{field: None}), *rows))
    with pytest.raises(ValueError, match=f"tell the case it belongs to, got 1 of 20 .* {field}"):
        read_cases(cell.predictions, Outcome())


def test_a_score_that_is_none_is_an_error(tmp_path):
    first, *rows = invent_rows(5, 1.0)
    for score in ({}, {"malignant": float("nan")}):
        cell = write_cell(tmp_path, (replace(first, pred_score=score), *rows))
        with pytest.raises(ValueError, match="scores must be finite, got 1"):
            read_cases(cell.predictions, Outcome())


@pytest.mark.parametrize("task", ["size", "benign"])
def test_the_task_must_be_a_binary_one_of_the_dump(tmp_path, task):
    write_dump(tmp_path / "d.json", Dump(TASKS, invent_rows(3, 1.0)))
    with pytest.raises(ValueError, match=rf"binary one .* \(malignant\), got {task}"):
        read_cases(tmp_path / "d.json", Outcome(task=task))
