import math

import pytest

from clinical_case import write_patients
from mammography.apis.clinical.patients import (
    join_patients,
    read_annotation_patients,
    read_table_patients,
)
from mammography.apis.config import UsageError
from mammography.structures.annotation import Annotations, ImageRecord, write_annotations
from mammography.structures.task import parse_tasks


def write(path, text):
    path.write_text(text)
    return path


def test_a_patient_has_one_row_and_is_positive_if_one_of_her_images_is(tmp_path):
    rows = tuple(
        ImageRecord(f"{i}.png", patient_id=p, gt_label=label, clinic_vars=variables)
        for i, (p, label, variables) in enumerate(
            [
                ("a", {"malignant": 0.0}, {"age": 50.0}),
                ("a", {"malignant": 1.0}, {"age": 50.0, "grade": "2"}),
                ("b", {}, {"age": None}),
                ("c", {"malignant": 0.0}, {}),
            ]
        )
    )
    path = tmp_path / "all.json"
    write_annotations(path, Annotations(parse_tasks(["malignant:binary"]), rows))
    found = read_annotation_patients([path], "malignant")
    assert found.labels == {"a": 1.0, "c": 0.0}
    assert found.table.loc["a"].to_dict() == {"age": 50.0, "grade": "2"}
    assert all(isinstance(v, float) and math.isnan(v) for v in found.table.loc["b"])


def test_a_table_adds_columns_and_its_labels_win(tmp_path):
    first = read_annotation_patients([write_patients(tmp_path, 20)], "malignant")
    path = write(tmp_path / "t.csv", "patient_id,malignant,er\np000,1,0\np001,,\nnew,0,1\n")
    found = join_patients(first, read_table_patients(path, "malignant"))
    assert (found.labels["p000"], found.labels["p001"], found.labels["new"]) == (1.0, 1.0, 0.0)
    assert found.table.loc["new", "er"] == 1
    assert found.table["er"].isna().sum() == 19
    assert join_patients(first, None) is first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,age\n1,2\n", "every row must have a patient_id"),
        ("patient_id,age\n1,2\n,3\n", "every row must have a patient_id"),
        ("patient_id,age\n1,2\n1,3\n", "a patient must have one row, got more of 1"),
        ("patient_id,malignant\n1,2\n", "malignant must be 0 or 1"),
        ("", "must be a CSV file"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        read_table_patients(write(tmp_path / "t.csv", text), "malignant")


def test_a_variable_is_told_once(tmp_path):
    first = read_annotation_patients([write_patients(tmp_path, 20)], "malignant")
    path = write(tmp_path / "t.csv", "patient_id,age_years\np000,1\n")
    with pytest.raises(UsageError, match="age_years must be told once"):
        join_patients(first, read_table_patients(path, "malignant"))


def test_identifiers_keep_their_zeros(tmp_path):
    path = write(tmp_path / "t.csv", "patient_id,age\n007,50\n")
    assert read_table_patients(path, "malignant").table.index.tolist() == ["007"]
