"""Areas, intervals and tests of a study against scikit-learn and hand computation."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

from invented_study import invent_rows, write_cell, write_cells
from mammography.functional.bootstrap import patient_bootstrap, percentile_interval
from mammography.functional.delong import area_interval, compare_areas, roc_areas
from mammography.functional.multiplicity import holm
from mammography.reports.domain_study.cells import Cell, Outcome
from mammography.reports.domain_study.measures import measure_cells

OUTCOME = Outcome(repeats=200)


def breasts(rows):
    """Labels, scores and patients of breasts, by pandas."""
    table = pd.DataFrame(
        {
            "patient": row.patient_id,
            "side": row.laterality,
            "score": row.pred_score["malignant"],
            "label": row.gt_label.get("malignant"),
        }
        for row in rows
    )
    found = table.groupby(["patient", "side"]).agg({"score": "mean", "label": "max"}).reset_index()
    return found.label.to_numpy(), found.score.to_numpy(), found.patient.to_numpy()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    cells = write_cells(tmp_path_factory.mktemp("cells"))
    return cells, measure_cells(cells, OUTCOME)


def test_the_areas_are_those_of_scikit_learn_on_breasts(study):
    skills = (1.6, 1.0, 1.3)
    for number, measure in enumerate(study[1][:3]):
        labels, scores, _ = breasts(invent_rows(60, skills[number], seed=10 * number))
        precision, recall, _ = precision_recall_curve(labels, scores)
        assert measure.values == pytest.approx(
            {
                "roc_auc": roc_auc_score(labels, scores),
                "pr_auc": auc(recall, precision),
                "average_precision": average_precision_score(labels, scores),
            }
        )


def test_intervals_and_tests_are_those_of_their_functions(study):
    running, batch = study[1][0], study[1][1]
    labels, first, patients = breasts(invent_rows(60, 1.6, seed=0))
    second = breasts(invent_rows(60, 1.0, seed=10))[1]
    areas = roc_areas(labels, second, first)
    assert batch.delong == pytest.approx(area_interval(areas.areas[0], areas.covariance[0, 0]))
    test = compare_areas(areas)
    told = batch.comparison.delong
    assert (told.difference, told.z, told.p_value) == pytest.approx(
        (test.difference, test.z, test.p_value)
    )
    draws = patient_bootstrap(
        labels, [second, first], patients, areas=("roc_auc", "pr_auc"), repeats=200
    )
    for name, values in draws.items():
        assert batch.intervals[name] == pytest.approx(percentile_interval(values[:, 0]))
        difference = percentile_interval(values[:, 0] - values[:, 1])
        assert batch.comparison.intervals[name] == pytest.approx(difference)
    assert batch.comparison.differences["pr_auc"] == pytest.approx(
        batch.values["pr_auc"] - running.values["pr_auc"]
    )


def test_the_reference_is_compared_with_nothing_and_all_tests_are_one_family(study):
    cells, measures = study
    assert [m.comparison is None for m in measures] == [c.statistics == "running" for c in cells]
    compared = [m.comparison for m in measures if m.comparison]
    assert len(compared) == 8
    adjusted = holm([c.delong.p_value for c in compared])
    np.testing.assert_allclose([c.p_holm for c in compared], adjusted)
    assert [m.cell for m in measures] == cells


def test_few_positives_have_areas_but_neither_interval_nor_test(tmp_path):
    rows = {name: invent_rows(30, 1.0, seed, rate=0.1) for seed, name in enumerate("ab")}
    cells = [
        write_cell(tmp_path, rows["a"]),
        write_cell(tmp_path, rows["b"], statistics="batch"),
    ]
    for measure in measure_cells(cells, OUTCOME):
        assert 0 < measure.cases.positives < 10
        assert 0 <= measure.values["roc_auc"] <= 1
        assert (measure.intervals, measure.comparison) == ({}, None)
        assert math.isnan(measure.delong[0])
        assert f"{measure.cases.positives} positive" in measure.note


def test_other_cases_are_not_compared(tmp_path):
    rows = invent_rows(60, 1.0)
    fewer = tuple(row for row in rows if row.patient_id != "p000")
    cells = [write_cell(tmp_path, rows), write_cell(tmp_path, fewer, statistics="batch")]
    running, batch = measure_cells(cells, OUTCOME)
    assert batch.comparison is None
    assert batch.note == "no test: running has no result on the same cases"
    assert set(batch.intervals) == set(running.intervals) == set(running.values)


def test_one_cell_without_use_hides_no_other(tmp_path):
    rows = invent_rows(60, 1.0)
    broken = (replace(rows[0], pred_score={"malignant": float("nan")}), *rows[1:])
    waiting = Cell("plain", "near", "", 0, "near", "mixed", complaint="failed: no space left")
    cells = [
        write_cell(tmp_path, broken, statistics="batch"),
        waiting,
        write_cell(tmp_path, rows, statistics="target"),
        write_cell(tmp_path, rows),
    ]
    notes = [measure.note for measure in measure_cells(cells, OUTCOME)]
    assert "the predictions cannot be used" in notes[0]
    assert notes[1:] == ["failed: no space left", "", ""]


def test_the_same_scores_do_not_differ(tmp_path):
    rows = invent_rows(60, 1.0)
    cells = [write_cell(tmp_path, rows), write_cell(tmp_path, rows, statistics="none")]
    told = measure_cells(cells, OUTCOME)[1].comparison
    assert (told.delong.difference, told.delong.p_value, told.p_holm) == (0, 1, 1)
    assert set(told.intervals.values()) == {(0.0, 0.0)}


def test_a_study_without_cells_has_no_measures():
    assert measure_cells([], OUTCOME) == []
