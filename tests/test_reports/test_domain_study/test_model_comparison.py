"""Models against the reference model: differences, intervals, tests and their tables."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss

from invented_study import invent_rows, write_cell
from mammography.functional.bootstrap import percentile_interval
from mammography.functional.measure_bootstrap import bootstrap_measures
from mammography.functional.multiplicity import holm
from mammography.reports.domain_study.cells import Outcome
from mammography.reports.domain_study.measures import measure_cells
from mammography.reports.domain_study.model_comparison import compare_models, two_sided
from mammography.reports.domain_study.model_tables import model_tables
from mammography.reports.domain_study.page import StudyFacts, write_study_results

NAMES = ("roc_auc", "average_precision", "brier", "calibration_intercept")
OUTCOME = Outcome(repeats=200, reference_model="plain", measures=NAMES)
SKILLS = {"plain": 1.0, "weighted": 2.0, "focal": 1.1}


def write_models(folder, seeds=(0,), skills=SKILLS):
    return [
        write_cell(folder, invent_rows(60, skill, 7 * number + seed), model=model, seed=seed)
        for number, (model, skill) in enumerate(skills.items())
        for seed in seeds
    ]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    cells = write_models(tmp_path_factory.mktemp("cells"), seeds=(0, 1))
    measures = measure_cells(cells, OUTCOME)
    return measures, compare_models(measures, OUTCOME)


def test_values_and_differences_are_means_over_the_trainings(study):
    measures, compared = study
    assert [one.cell.model for one in compared] == list(SKILLS)
    assert [one.trainings for one in compared] == [2, 2, 2]
    checks = {"average_precision": average_precision_score, "brier": brier_score_loss}
    for name, check in checks.items():
        own = [check(m.cases.labels, m.cases.scores) for m in measures]
        assert compared[0].values[name] == pytest.approx(np.mean(own[:2]))
        assert compared[1].values[name] == pytest.approx(np.mean(own[2:4]))
        difference = np.mean(own[2:4]) - np.mean(own[:2])
        assert compared[1].differences[name] == pytest.approx(difference)


def test_intervals_and_p_values_are_of_the_same_resamples(study):
    measures, compared = study
    cases = measures[0].cases
    scores = [m.cases.scores for m in measures]
    draws = bootstrap_measures(cases.labels, scores, cases.patients, measures=NAMES, repeats=200)
    for name in NAMES:
        apart = draws[name][:, 4:6].mean(axis=1) - draws[name][:, :2].mean(axis=1)
        told = compared[2].difference_intervals[name]
        assert told == pytest.approx(percentile_interval(apart))
        assert compared[2].p_values[name] == two_sided(apart)
        own = percentile_interval(draws[name][:, 4:6].mean(axis=1))
        assert compared[2].intervals[name] == pytest.approx(own)


def test_the_comparisons_with_one_measure_are_one_family(study):
    for name in NAMES:
        p_values = [one.p_values[name] for one in study[1][1:]]
        assert [one.p_holm[name] for one in study[1][1:]] == pytest.approx(list(holm(p_values)))
    assert study[1][0].p_values == study[1][0].p_holm == study[1][0].differences == {}


def test_a_better_model_is_found_and_an_equal_one_is_not(tmp_path):
    same = [invent_rows(60, 1.0)] * 2
    cells = [write_cell(tmp_path, rows, model=name) for rows, name in zip(same, "ab", strict=True)]
    cells.append(write_cell(tmp_path, invent_rows(60, 3.0), model="c"))
    outcome = replace(OUTCOME, reference_model="a")
    _, equal, better = compare_models(measure_cells(cells, outcome), outcome)
    assert set(equal.differences.values()) == {0.0}
    assert set(equal.p_holm.values()) == {1.0}
    low, high = better.difference_intervals["average_precision"]
    assert 0 < low < better.differences["average_precision"] < high
    assert better.p_holm["average_precision"] == pytest.approx(2 * 2 / 201)


def test_a_training_meets_the_one_of_its_seed_and_sources(tmp_path):
    cells = write_models(tmp_path, seeds=(0, 1), skills={"plain": 1.0, "weighted": 2.0})
    fewer = [cells[0], cells[1], cells[3]]
    _, one = compare_models(measure_cells(fewer, OUTCOME), OUTCOME)
    ours, theirs = (measure_cells([cell], OUTCOME)[0].values["brier"] for cell in fewer[:0:-1])
    assert one.trainings == 1
    assert one.differences["brier"] == pytest.approx(ours - theirs)


def test_weights_from_elsewhere_meet_the_only_training_there_is(tmp_path):
    plain = write_cell(tmp_path, invent_rows(60, 1.0), model="plain")
    other = write_cell(tmp_path, invent_rows(60, 2.0), model="public", source="else", seed=None)
    _, found = compare_models(measure_cells([plain, other], OUTCOME), OUTCOME)
    assert found.cell.model == "public"
    twice = [plain, write_cell(tmp_path, invent_rows(60, 1.0), model="plain", seed=1), other]
    assert [one.cell.model for one in compare_models(measure_cells(twice, OUTCOME), OUTCOME)] == [
        "plain"
    ]


def test_other_cases_targets_and_statistics_are_not_compared(tmp_path):
    rows = invent_rows(60, 1.0)
    plain = write_cell(tmp_path, rows, model="plain")
    fewer = tuple(row for row in rows if row.patient_id != "p000")
    others = [
        write_cell(tmp_path, fewer, model="weighted"),
        write_cell(tmp_path, rows, model="weighted", target="far"),
        write_cell(tmp_path, rows, model="weighted", statistics="batch"),
    ]
    found = compare_models(measure_cells([plain, *others], OUTCOME), OUTCOME)
    assert [one.cell.model for one in found] == ["plain"]
    assert [table.caption for table in model_tables(found, "plain")] == [
        f"{kind} of every model, 95 % intervals of patients" for kind in ("Ranking", "Calibration")
    ]


def test_nothing_is_compared_without_a_reference_model(study):
    assert compare_models(study[0], replace(OUTCOME, reference_model="")) == []


@pytest.mark.parametrize("shift", [-0.5, 0.0, 0.8, 1.9, 2.1, 4.0])
def test_the_p_value_is_below_5_percent_where_the_interval_leaves_zero_out(shift):
    draws = np.random.default_rng(0).normal(shift, 1, 20_000)
    low, high = percentile_interval(draws)
    assert (two_sided(draws) < 0.05) == (low > 0 or high < 0)


def test_the_tables_name_what_differs_and_the_number_of_trainings(study, tmp_path):
    ranking, ranking_apart, calibration, _ = model_tables(study[1], "plain")
    assert ranking.header == ("model", "trainings", "ROC-AUC", "average precision")
    assert calibration.header[2:] == ("Brier score", "calibration intercept")
    assert [row[:2] for row in ranking.rows] == [(name, "2") for name in SKILLS]
    assert [row[0] for row in ranking_apart.rows] == ["weighted", "focal"]
    single = write_models(tmp_path)
    single += [replace(write_cell(tmp_path, invent_rows(60, 1), target="far"), model="plain")]
    found = compare_models(measure_cells(single, OUTCOME), OUTCOME)
    values, apart, *_ = model_tables(found, "plain")
    assert values.header[:2] == ("model", "target")
    assert (len(values.rows), len(apart.rows)) == (4, 2)


def test_page_markdown_and_csv_hold_the_comparison(tmp_path):
    facts = StudyFacts("imbalance", OUTCOME, {}, {"running": "as trained"}, "")
    measures = write_study_results(tmp_path, facts, write_models(tmp_path))
    compared = compare_models(measures, OUTCOME)
    rows = list(csv.DictReader((tmp_path / "models.csv").open()))
    assert len(rows) == len(SKILLS) * len(NAMES)
    (row,) = (r for r in rows if (r["model"], r["measure"]) == ("weighted", "brier"))
    assert float(row["difference"]) == compared[1].differences["brier"]
    assert float(row["difference_high"]) == compared[1].difference_intervals["brier"][1]
    assert float(row["p_holm"]) == compared[1].p_holm["brier"]
    assert rows[0]["difference"] == ""
    for file in ("table.md", "report.html"):
        text = (tmp_path / file).read_text()
        assert "Ranking: difference to plain, 95 % intervals of patients, p adjusted" in text
        assert "Models are compared with plain on the same cases" in text
        assert f"{compared[1].differences['brier']:+.3f}" in text
        assert "models in rows, hospitals in columns" not in text  # it would say the same again
    assert "Comparison of models" in (tmp_path / "report.html").read_text()
    cells = list(csv.DictReader((tmp_path / "table.csv").open()))
    assert float(cells[1]["calibration_intercept"]) == measures[1].values["calibration_intercept"]


def test_a_study_without_a_reference_model_has_no_such_table(tmp_path):
    outcome = Outcome(repeats=200)
    facts = StudyFacts("two", outcome, {}, {"running": "as trained"}, "")
    write_study_results(tmp_path, facts, write_models(tmp_path))
    assert not (tmp_path / "models.csv").exists()
    text = (tmp_path / "table.md").read_text()
    assert "of every model" not in text
    assert "models in rows, hospitals in columns" in text


def test_several_targets_are_laid_out_side_by_side_as_well(tmp_path):
    cells = write_models(tmp_path)
    cells += [write_cell(tmp_path, invent_rows(60, 1.0), target="far")]
    facts = StudyFacts("two", OUTCOME, {}, {"running": "as trained"}, "")
    write_study_results(tmp_path, facts, cells)
    text = (tmp_path / "report.html").read_text()
    assert "Ranking of every model" in text
    assert "ROC-AUC: models in rows, hospitals in columns" in text
