"""CMMD on invented rows, and on the official table."""

import csv

import pytest
from openpyxl import Workbook

from dicom_files import draw_breast, write_dicom
from golden import shared_data
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.sources.cmmd import DEFAULT_TASKS, read_contents, read_records
from mammography.preparation.study import DatasetOptions
from mammography.preparation.tables import TableError
from mammography.structures.task import parse_tasks
from mammography.terms import Laterality, Level

TASKS = parse_tasks([*DEFAULT_TASKS, "age_years:regression"])
NAME = "CMMD_clinicaldata_revision"
COLUMNS = ["ID1", "LeftRight", "Age", "number", "abnormality", "classification", "subtype"]
ROWS = [
    ["D1-9001", "L", 44, 2, "calcification", "Benign", ""],
    ["D2-9002", "R", 61, 2, "both", "Malignant", "Luminal B"],
    ["D2-9002", "L", 61, 2, "mass", "Malignant", "triple negative"],
]


def write_table(folder, rows=ROWS, name=f"{NAME}.csv", columns=COLUMNS):
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return folder


def write_image(root, patient, number, side=None, view="CC"):
    folder = root / "CMMD" / patient / "07-18-2010-NA-NA-12345" / "1.000000-NA-54321"
    folder.mkdir(parents=True, exist_ok=True)
    tags = {"ViewPosition": view} | ({"ImageLaterality": side} if side else {})
    write_dicom(folder / f"1-{number}.dcm", draw_breast(), PatientID=patient, **tags)


@pytest.fixture
def study(tmp_path):
    """A download: the unlisted right breast of the first patient has an image too."""
    write_table(tmp_path)
    for number, side in enumerate("LLR", start=1):
        write_image(tmp_path, "D1-9001", number, side, ("CC", "MLO", "CC")[number - 1])
    for number, side in enumerate("LRLR", start=1):
        write_image(tmp_path, "D2-9002", number, side, ("CC", "MLO")[number // 3])
    return tmp_path


def test_images_get_the_labels_of_their_breast_by_the_side_in_the_header(study):
    records = list(read_records(study, TASKS))
    assert len(records) == 6
    labels = {(r.patient_id, r.laterality): r.gt_label for r in records}
    assert labels == {
        ("D1-9001", "L"): {"malignant": 0.0, "abnormality": 1.0, "age_years": 44.0},
        ("D2-9002", "R"): {
            "malignant": 1.0, "abnormality": 2.0, "subtype": 1.0, "age_years": 61.0,
        },
        ("D2-9002", "L"): {
            "malignant": 1.0, "abnormality": 0.0, "subtype": 3.0, "age_years": 61.0,
        },
    }  # fmt: skip
    assert {r.img_path for r in records if r.laterality == "R"} == {
        f"CMMD/D2-9002/07-18-2010-NA-NA-12345/1.000000-NA-54321/1-{n}.dcm" for n in (2, 4)
    }
    assert {(r.patient_id, r.exam_id, r.clinic_vars["age_years"]) for r in records} == {
        ("D1-9001", "D1-9001", 44),
        ("D2-9002", "D2-9002", 61),
    }


def test_images_of_an_unlisted_breast_are_left_out_aloud_or_kept_without_labels(study, caplog):
    assert not [r for r in read_records(study, TASKS) if not r.gt_label]
    assert "images of a breast that the table does not list, left out: 1" in caplog.text
    (other,) = [r for r in read_records(study, TASKS, unlisted=True) if not r.gt_label]
    assert (other.patient_id, other.laterality) == ("D1-9001", Laterality.RIGHT)


def test_without_a_side_in_the_header_the_table_tells_it_where_only_one_is_possible(tmp_path):
    write_table(tmp_path)
    for patient in ("D1-9001", "D2-9002"):
        for number in (1, 2):
            write_image(tmp_path, patient, number)
    records = [r for r in read_records(tmp_path, TASKS) if r.img_path.endswith(".dcm")]
    sides = [(r.patient_id, r.laterality, "malignant" in r.gt_label) for r in records]
    assert sides == [("D1-9001", "L", True)] * 2 + [("D2-9002", None, False)] * 2


def test_a_third_image_without_a_side_may_be_of_the_other_breast(tmp_path):
    write_table(tmp_path, ROWS[:1])
    for number in (1, 2, 3):
        write_image(tmp_path, "D1-9001", number)
    records = [r for r in read_records(tmp_path, TASKS) if r.img_path.endswith(".dcm")]
    assert [(r.laterality, r.gt_label) for r in records] == [(None, {})] * 3


def test_a_breast_without_images_and_a_damaged_file_are_rejected_not_lost(study, tmp_path, caplog):
    damaged = next(study.rglob("D1-9001/**/1-1.dcm"))
    damaged.write_bytes(b"damaged")
    write_table(study, [*ROWS, ["D1-9003", "R", 50, 2, "mass", "Benign", ""]])
    summary = prepare_dataset("cmmd", tmp_path / "out", study)
    assert summary.counts["images"] == 5
    assert summary.rejected == {
        "D1-9003/R": "file does not exist",
        damaged.relative_to(study).as_posix(): "not a DICOM file",
    }
    assert "breasts with another number of images than the table says: 2" in caplog.text


def test_a_workbook_gives_the_same_as_text(tmp_path):
    text = read_contents(write_table(tmp_path / "text"), TASKS)
    book = Workbook()
    for row in [COLUMNS, *ROWS]:
        book.active.append([cell if cell != "" else None for cell in row])
    (tmp_path / "book").mkdir()
    book.save(tmp_path / "book" / f"{NAME}.xlsx")
    assert read_contents(tmp_path / "book", TASKS).records == text.records


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("ID1", "9001", "ID1 must be D1- or D2- and four digits, got '9001'"),
        ("LeftRight", "B", "LeftRight must be one of L, R, got 'B'"),
        ("LeftRight", "L", "LeftRight must differ from that of row 2, got 'L'"),
        ("Age", "044Y", "Age must be a whole number from 0 to 120, got '044Y'"),
        ("number", "0", "number must be a whole number from 1 to 20, got '0'"),
        ("number", "", "number must not be empty"),
        ("abnormality", "none of both", "abnormality must be one of mass, calcification, both"),
        ("classification", "Normal", "classification must be one of Benign, Malignant"),
        ("subtype", "Luminal C", "subtype must be one of Luminal A, Luminal B"),
        ("subtype", "Luminal A", "subtype must be empty where the breast is Benign"),
    ],
)
def test_a_row_that_is_not_understood_is_refused_by_its_number(tmp_path, column, cell, message):
    bad = ["D1-9001", "R", 44, 2, "mass", "Benign", ""]
    bad[COLUMNS.index(column)] = cell
    write_table(tmp_path, [ROWS[0], bad])
    with pytest.raises(TableError) as error:
        list(read_records(tmp_path, TASKS))
    assert f"{NAME}.csv: 1 bad cells\n  row 3: {message}" in str(error.value)
    found = count_source("cmmd", tmp_path)
    assert (found.exit_code, found.counts["rows"], found.counts["breasts"]) == (1, 2, 1)
    assert found.counts["refused"][0].startswith(f"{NAME}.csv: row 3: {column} must ")


def test_an_absent_table_column_or_task_is_an_error(tmp_path):
    with pytest.raises(TableError, match=r"must hold one table CMMD_clinical.*table=FILE"):
        read_contents(tmp_path, TASKS)
    write_table(tmp_path, [row[:-1] for row in ROWS], "other.csv", COLUMNS[:-1])
    with pytest.raises(TableError, match="columns must have subtype, got ID1, LeftRight"):
        read_contents(tmp_path, TASKS, table="other.csv")
    with pytest.raises(ValueError, match=r"tasks must be some of malignant, .*, got density"):
        read_contents(tmp_path, parse_tasks(["density:ordinal=A,B"]))


def test_two_downloads_under_one_root_are_an_error(study):
    write_image(study / "again", "D1-9001", 1, "L")
    with pytest.raises(ValueError, match="one folder D1-9001 with DICOM files, got 2"):
        list(read_records(study, TASKS))


def test_a_dry_run_counts_the_images_that_the_table_tells_of(study):
    counts = count_source("cmmd", study, DatasetOptions(tasks=["malignant:binary"])).counts
    assert [counts[name] for name in ("rows", "images", "breasts", "exams", "patients")] == [
        3, 6, 3, 2, 2,
    ]  # fmt: skip
    assert counts["labels"]["malignant"] == {"0": 2, "1": 4, "missing": 0}
    assert counts["labels_by_breast"]["malignant"] == {"0": 1, "1": 2, "missing": 0}


def test_the_official_table_has_the_published_counts():
    found = count_source("cmmd", shared_data("cmmd_tables"))
    counts = found.counts
    assert (found.exit_code, counts["refused"], counts["level"]) == (0, [], Level.BREAST)
    assert (counts["rows"], counts["breasts"], counts["patients"]) == (1872, 1872, 1775)
    assert counts["images"] == 3744
    labels = counts["labels_by_breast"]
    assert labels["malignant"] == {"0": 556, "1": 1316, "missing": 0}
    assert labels["subtype"]["missing"] == 1872 - 749
    assert counts["breasts_by"]["classification"] == {"Benign": 556, "Malignant": 1316}
