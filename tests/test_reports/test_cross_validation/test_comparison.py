import json
from dataclasses import replace

import numpy as np
import pytest

from invented_study import TASKS, invent_rows
from mammography.functional.delong import compare_areas, roc_areas
from mammography.functional.multiplicity import holm
from mammography.reports.cases import pool_cases
from mammography.reports.cross_validation.comparison import (
    Entry,
    compare_entries,
    write_comparison,
)
from mammography.structures.prediction import Dump
from mammography.terms import Level

FOLD_OF = {f"p{i:03d}": i % 2 for i in range(80)}


def entry(mode, model, skill, seed):
    return Entry(mode, model, cases_of(80, skill, seed))


def cases_of(patients, skill, seed=0):
    dump = Dump(TASKS, invent_rows(patients, skill, seed))
    return pool_cases(dump, "invented", "malignant", Level.PATIENT, "mean")


@pytest.fixture
def entries():
    return [
        entry("clinical", "mlp", 0.5, 1),
        entry("mammo", "mlp", 1.5, 2),
        entry("clinical", "logistic", 0.5, 3),
        entry("mammo", "logistic", 1.5, 4),
    ]


def test_models_are_compared_within_a_mode_and_modes_within_a_model(entries):
    found = compare_entries(entries, FOLD_OF)
    pairs = [(one.first, one.second) for one in found.differences]
    assert pairs == [
        ("clinical, mlp", "mammo, mlp"),
        ("clinical, mlp", "clinical, logistic"),
        ("mammo, mlp", "mammo, logistic"),
        ("clinical, logistic", "mammo, logistic"),
    ]
    cases = [one.cases for one in entries]
    test = compare_areas(roc_areas(cases[0].labels, cases[0].scores, cases[1].scores))
    ours = found.differences[0].test
    # With one score a patient it is DeLong's.
    assert (ours.difference, ours.p_value) == pytest.approx((test.difference, test.p_value))
    assert ours.interval == pytest.approx(test.interval)
    adjusted = holm([one.test.p_value for one in found.differences])
    np.testing.assert_allclose([one.p_holm for one in found.differences], adjusted)


def test_equal_scores_do_not_differ(entries):
    found = compare_entries([entries[0], replace(entries[0], model="copy")], FOLD_OF)
    (one,) = found.differences
    assert (one.test.difference, one.test.p_value) == (0.0, 1.0)


def test_other_patients_are_no_comparison(entries):
    other = cases_of(40, 1.0)
    with pytest.raises(ValueError, match="entries must be of the same patients and labels"):
        compare_entries([entries[0], Entry("mammo", "mlp", other)], FOLD_OF)


def test_the_files_hold_the_numbers(entries, tmp_path):
    found = compare_entries(entries, FOLD_OF)
    write_comparison(tmp_path, "Fusion", ["What was done."], found, {"task": "malignant"})
    content = json.loads((tmp_path / "metrics.json").read_text())
    area = content["models"]["mammo, mlp"]["pooled"]["roc_auc"]
    assert area == found.measures["mammo, mlp"].pooled.areas["roc_auc"]
    assert content["differences"][0]["p_holm"] == found.differences[0].p_holm
    page = (tmp_path / "results.md").read_text()
    assert page.startswith("# Fusion\n\nWhat was done.\n\n**Out-of-fold scores of patients**")
    assert f"| mammo | mlp | 80 | {entries[0].cases.positives} | {area:.3f} (" in page
