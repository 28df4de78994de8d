"""DoSReMC's tables, on invented rows with every documented oddity."""

import csv
import json

import cv2
import numpy as np
import pytest
from openpyxl import Workbook

from dicom_files import draw_breast, write_dicom
from mammography.preparation.converters import find_converter
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.source_record import FindingMask
from mammography.preparation.sources.dosremc import DEFAULT_TASKS, read_contents, read_records
from mammography.preparation.study import DatasetOptions
from mammography.preparation.tables import TableError
from mammography.structures.annotation import Finding
from mammography.structures.task import parse_tasks
from mammography.terms import Level, Split
from table_study import records_of

TASKS = parse_tasks(DEFAULT_TASKS)
COLUMNS = ["BreastID", "FilePath", "OneHotLabel", "ImageLaterality"]
ROWS = {
    "train": [
        ["11_L", "img/1.png", "[0, 1]", "L"],
        ["11_L", "img/2.png", "[0, 1]", "L"],
        ["11_R", "img/3.png", "[0, 0]", "R"],
    ],
    "val": [["12_R", "img/4.png", "[1, 0]", "R"]],
    "test": [["13_L", "img/5.png", "[1, 1]", "L"]],
}
PATTERN = r"(\d+)_[LR]"


def write_csv(path, rows, columns=COLUMNS):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def write_xlsx(path, rows, columns=COLUMNS):
    path.parent.mkdir(parents=True, exist_ok=True)
    book = Workbook()
    for row in [columns, *rows]:
        book.active.append([None if cell == "" else cell for cell in row])
    book.save(path)


def write_hospital(folder, rows=ROWS, columns=COLUMNS, write=write_xlsx, suffix=".xlsx"):
    for split, lines in rows.items():
        write(folder / f"{split}{suffix}", lines, columns)
    return folder


def one_row(folder, **cells):
    """Write a hospital of one row, whose columns are named."""
    row = dict(zip(COLUMNS, ["11_L", "img/1.png", "[0, 1]", "L"], strict=True)) | cells
    row = {column: cell for column, cell in row.items() if cell is not None}
    write_csv(folder / "train.csv", [list(row.values())], list(row))
    return folder


def read(root, **options):
    return list(read_records(root, TASKS, **{"patient_pattern": PATTERN} | options))


def test_a_row_becomes_a_record_with_the_two_labels_of_its_breast(tmp_path):
    records = read(write_hospital(tmp_path / "HCTP"))
    known = [(r.img_path, r.patient_id, r.laterality, r.split, r.gt_label) for r in records]
    assert known == [
        ("img/1.png", "HCTP/11", "L", Split.TRAIN, {"malignant": 1.0, "benign": 0.0}),
        ("img/2.png", "HCTP/11", "L", Split.TRAIN, {"malignant": 1.0, "benign": 0.0}),
        ("img/3.png", "HCTP/11", "R", Split.TRAIN, {"malignant": 0.0, "benign": 0.0}),
        ("img/4.png", "HCTP/12", "R", Split.VAL, {"malignant": 0.0, "benign": 1.0}),
        ("img/5.png", "HCTP/13", "L", Split.TEST, {"malignant": 1.0, "benign": 1.0}),
    ]
    assert {json.dumps(record.clinic_vars) for record in records} == {'{"hospital": "HCTP"}'}


def test_text_tables_long_names_and_the_column_of_the_code_give_the_same(tmp_path):
    other = {"training": ROWS["train"], "validation": ROWS["val"], "test": ROWS["test"]}
    columns = [{"FilePath": "DICOM"}.get(name, name) for name in COLUMNS]
    write_hospital(tmp_path / "a" / "HCTP")
    write_hospital(tmp_path / "b" / "HCTP", other, columns, write_csv, ".csv")
    assert read(tmp_path / "a") == read(tmp_path / "b") == read(tmp_path / "a" / "HCTP")


@pytest.mark.parametrize("text", ["[0,1]", " [ 0 , 1 ] ", "(0, 1)", "[0.0, 1.0]"])
def test_a_list_may_have_any_spaces_and_brackets(tmp_path, text):
    (record,) = read(one_row(tmp_path / "H", OneHotLabel=text))
    assert record.gt_label == {"malignant": 1.0, "benign": 0.0}


def test_a_json_table_has_lists_that_are_lists_already(tmp_path):
    row = {"BreastID": 11, "DICOM": "1.dcm", "OneHotLabel": [1, 0], "ImageLaterality": "R"}
    row |= {"Coordinates": [["benign", 1, 2, 3, 4]], "DomainLabel": [0, 1]}
    (tmp_path / "train.json").write_text(json.dumps([row]))
    (record,) = read(tmp_path, patient_pattern="", breast_is_patient=True)
    assert record.gt_label == {"malignant": 0.0, "benign": 1.0}
    assert record.findings == (Finding((1, 2, 4, 6), "benign", False),)
    assert record.clinic_vars["domain"] == "target"


def test_a_missing_label_is_no_label_unless_another_view_of_the_breast_has_one(tmp_path):
    rows = [["1_L", "a", "", "L"], ["2_L", "b", "", "L"], ["2_L", "c", "[0, 1]", "L"]]
    write_hospital(tmp_path / "H", {"train": rows})
    assert [r.gt_label.get("malignant") for r in read(tmp_path)] == [None, 1.0, 1.0]
    own = read(tmp_path, labels_of="image")
    assert [r.gt_label.get("malignant") for r in own] == [None, None, 1.0]


def test_views_of_a_breast_have_the_labels_of_any_of_them_and_differences_are_counted(
    tmp_path, caplog
):
    rows = [["1_L", "a", "[1, 0]", "L"], ["1_L", "b", "[0, 1]", "L"], ["1_R", "c", "[0, 0]", "R"]]
    write_hospital(tmp_path / "H", {"train": rows})
    both = {"malignant": 1.0, "benign": 1.0}
    assert [r.gt_label for r in read(tmp_path)[:2]] == [both, both]
    assert "breasts whose rows have different labels: 1" in caplog.text
    own = read(tmp_path, labels_of="image")
    assert [r.gt_label["malignant"] for r in own] == [0.0, 1.0, 0.0]
    facts = read_contents(tmp_path, TASKS, patient_pattern=PATTERN).facts
    assert facts["breasts_with_different_labels"] == 1
    assert facts["outcome_of_rows"] == {"benign": 1, "malignant": 1, "negative": 1}


@pytest.mark.parametrize(
    ("cells", "domain"),
    [
        ({"Domain": "Source"}, "source"),
        ({"Domain": " target "}, "target"),
        ({"DomainLabel": "Target"}, "target"),
        ({"DomainLabel": "[1, 0]"}, "source"),
        ({"Domain": "Target", "DomainLabel": "[0, 1]"}, "target"),
        ({"Domain": "Source", "DomainLabel": "Source"}, "source"),
        ({"Domain": "", "DomainLabel": "[0, 1]"}, "target"),
    ],
)
def test_the_domain_is_read_from_either_column_in_either_form(tmp_path, cells, domain):
    (record,) = read(one_row(tmp_path / "H", **cells))
    assert record.clinic_vars == {"hospital": "H", "domain": domain}


def test_a_mask_and_boxes_become_lesions(tmp_path):
    boxes = (
        "[('malign', 10, 20, 30, 40), ('Benign', 1.5, 2, 3, 4), "
        "('mass', 0, 0, 5, 5), (2, 1, 1, 1, 1)]"
    )
    cells = {"ViewPosition": "MLO", "Mask": "masks/1.npy", "Coordinates": boxes}
    (record,) = read(one_row(tmp_path / "H", **cells))
    assert record.view_position == "MLO"
    assert record.masks == (FindingMask("masks/1.npy", "lesion", malignant=True),)
    assert record.findings == (
        Finding((10, 20, 40, 60), "malign", True),
        Finding((1.5, 2, 4.5, 6), "Benign", False),
        Finding((0, 0, 5, 5), "mass", None),
        Finding((1, 1, 2, 2), "2", None),
    )


@pytest.mark.parametrize(
    ("label", "malignant"), [("[1, 0]", False), ("[1, 1]", None), ("[0, 0]", None), ("", None)]
)
def test_a_mask_is_of_cancer_only_where_the_whole_image_says_so(tmp_path, label, malignant):
    (record,) = read(one_row(tmp_path / "H", Mask="m.png", OneHotLabel=label))
    assert record.masks[0].malignant is malignant


def test_both_columns_of_the_path_may_be_there_if_they_say_the_same(tmp_path):
    (record,) = read(one_row(tmp_path / "H", FilePath="a/1.dcm", DICOM="a/1.dcm"))
    assert record.img_path == "a/1.dcm"
    (record,) = read(one_row(tmp_path / "H", FilePath="", DICOM="a/1.dcm"))
    assert record.img_path == "a/1.dcm"


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"BreastID": ""}, "BreastID must not be empty"),
        ({"BreastID": "11"}, r"BreastID must match the pattern \(\\d\+\)_\[LR\], got '11'"),
        ({"ImageLaterality": "X"}, "ImageLaterality must be one of L, R, got 'X'"),
        ({"ImageLaterality": ""}, "ImageLaterality must not be empty"),
        ({"FilePath": ""}, "FilePath must not be empty"),
        ({"FilePath": "../1.png"}, r"FilePath must stay below the root, without '\.\.'"),
        (
            {"DICOM": "img/2.dcm"},
            "DICOM must say what FilePath says, 'img/1.png', got 'img/2.dcm'",
        ),
        ({"OneHotLabel": "1"}, r"OneHotLabel must be a list of two, each 0 or 1"),
        ({"OneHotLabel": "malignant"}, "OneHotLabel must be a list, such as"),
        ({"OneHotLabel": "[0 1]"}, "OneHotLabel must be a list, such as"),
        ({"OneHotLabel": "[0, 2]"}, "OneHotLabel must be a list of two"),
        ({"OneHotLabel": "[True, False]"}, "OneHotLabel must be a list of two"),
        ({"OneHotLabel": "[0, 1, 0]"}, "OneHotLabel must be a list of two"),
        ({"OneHotLabel": "__import__('os').getcwd()"}, "OneHotLabel must be a list, such as"),
        ({"OneHotLabel": "[" * 9000}, "OneHotLabel must be a list, such as"),
        ({"OneHotLabel": "[" * 30000}, "OneHotLabel must have at most 20000 characters"),
        ({"OneHotLabel": "'\\d'"}, "OneHotLabel must be a list of two"),
        ({"Domain": "Both"}, "Domain must be Source or Target, got 'Both'"),
        ({"DomainLabel": "[1, 1]"}, r"DomainLabel must be \[1, 0\], \[0, 1\], Source or Target"),
        ({"Domain": "", "DomainLabel": ""}, "Domain or DomainLabel must not be empty"),
        ({"Domain": ""}, "Domain must not be empty"),
        (
            {"Domain": "Source", "DomainLabel": "[0, 1]"},
            r"DomainLabel must say what Domain says, 'Source', got '\[0, 1\]'",
        ),
        ({"ViewPosition": "top"}, "ViewPosition must be one of CC, MLO"),
        ({"Coordinates": "('mass', 1, 2, 3, 4)"}, r"Coordinates must be a list of \(label"),
        ({"Coordinates": "[('mass', 1, 2, 3)]"}, r"Coordinates must be a list of \(label"),
        ({"Coordinates": "[('mass', 1, 2, 0, 4)]"}, "Coordinates must have boxes with a width"),
        ({"Coordinates": "[('mass', 1, 2, 1e999, 4)]"}, "Coordinates must have a word and four"),
        ({"Coordinates": "[('Doe^Jane', 1, 2, 3, 4)]"}, "Coordinates must be a number or a word"),
        ({"Coordinates": "12"}, r"Coordinates must be a list of \(label"),
        ({"Mask": "../m.npy"}, "Mask must stay below the root"),
    ],
)
def test_a_row_that_is_not_understood_is_refused_by_its_number(tmp_path, cells, message):
    root = one_row(tmp_path / "H", **cells)
    with pytest.raises(TableError, match=f"H train.csv: 1 bad cells\n  row 2: {message}"):
        read(root)
    options = DatasetOptions(source_options={"patient_pattern": PATTERN})
    found = count_source("dosremc", root, options)
    assert (found.exit_code, found.counts["images"]) == (1, 0)
    assert found.counts["refused"][0].startswith("H train.csv: row 2: ")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            ["1_L", "a.png", "[0, 1]", "L", "7", "Source"],
            "FilePath must differ from that of H train.csv row 2, got",
        ),
        (
            ["1_L", "b.png", "[0, 1]", "R", "7", "Source"],
            "ImageLaterality must be L as in H train.csv row 2",
        ),
        (
            ["1_L", "b.png", "[0, 1]", "L", "8", "Source"],
            "PatientID must be 7 as in H train.csv row 2, of the same b",
        ),
        (
            ["1_L", "b.png", "[0, 1]", "L", "7", "Target"],
            "Domain must be source as in H train.csv row 2",
        ),
        (
            ["2_L", "b.png", "[0, 1]", "L", "7", "Source"],
            "BreastID must be 1_L as in H train.csv row 2",
        ),
    ],
)
def test_rows_that_contradict_each_other_are_refused(tmp_path, row, message):
    columns = [*COLUMNS, "PatientID", "Domain"]
    first = ["1_L", "a.png", "[0, 1]", "L", "7", "Source"]
    write_csv(tmp_path / "H" / "train.csv", [first, row], columns)
    with pytest.raises(TableError, match=f"H train.csv: 1 bad cells\n  row 3: {message}"):
        read(tmp_path, patient_pattern="")


def test_two_exams_of_a_side_are_told_apart_by_their_column(tmp_path):
    columns = [*COLUMNS, "patient_id", "ExamID"]
    rows = [["1", "a", "[0, 1]", "L", "7", "2019"], ["2", "b", "[0, 0]", "L", "7", "2021"]]
    write_csv(tmp_path / "H" / "train.csv", rows, columns)
    records = read(tmp_path, patient_pattern="")
    assert [(r.patient_id, r.exam_id) for r in records] == [("H/7", "2019"), ("H/7", "2021")]


def test_a_cancer_is_no_label_of_an_earlier_exam_of_the_same_breast(tmp_path):
    rows = [
        ["11_L", "1.png", "[0, 0]", "L", "2019"],
        ["11_L", "2.png", "[0, 1]", "L", "2021"],
        ["11_L", "3.png", "", "L", "2021"],
    ]
    write_csv(tmp_path / "train.csv", rows, [*COLUMNS, "ExamID"])
    contents = read_contents(tmp_path, TASKS, patient_pattern=PATTERN)
    assert [r.gt_label.get("malignant") for r in contents.records] == [0, 1, 1]
    assert contents.facts["breast_ids"] == 1


def test_without_a_way_to_the_patient_nothing_is_read(tmp_path, caplog):
    write_hospital(tmp_path / "HCTP")
    with pytest.raises(ValueError, match=r"patient_pattern=REGEX, or take every breast"):
        read(tmp_path, patient_pattern="")
    assert [r.patient_id for r in read(tmp_path, patient_pattern="", breast_is_patient=True)] == [
        "HCTP/11_L", "HCTP/11_L", "HCTP/11_R", "HCTP/12_R", "HCTP/13_L",
    ]  # fmt: skip
    assert "every breast counts as a patient: images of one woman may lie in diff" in caplog.text
    with pytest.raises(ValueError, match="in one way, got patient_pattern and breast_is_patient"):
        read(tmp_path, breast_is_patient=True)


def test_the_column_of_patients_must_be_in_all_tables_and_alone(tmp_path):
    one_row(tmp_path / "A", PatientID="7")
    with pytest.raises(ValueError, match="in one way, got the column PatientID and patient_pat"):
        read(tmp_path)
    one_row(tmp_path / "B")
    with pytest.raises(
        TableError, match=r"must have a column PatientID or none, got none in B train\.csv"
    ):
        read(tmp_path, patient_pattern="")
    one_row(tmp_path / "B", PatientID="7", patient_id="8")
    with pytest.raises(TableError, match="patient_id must say what PatientID says, '7', got '8'"):
        read(tmp_path, patient_pattern="")


@pytest.mark.parametrize("pattern", [r"\d+", r"(\d+)_([LR])", r"(?P<laterality>[LR])", "("])
def test_a_pattern_that_does_not_find_the_patient_alone_is_an_error(tmp_path, pattern):
    write_hospital(tmp_path / "HCTP")
    with pytest.raises(ValueError, match="patient_pattern must"):
        read(tmp_path, patient_pattern=pattern)


def test_a_breast_in_two_splits_is_an_error_that_names_it(tmp_path):
    rows = ROWS | {"test": [["11_R", "img/9.png", "[0, 0]", "R"]]}
    write_hospital(tmp_path / "HCTP", rows)
    with pytest.raises(ValueError, match=r"a BreastID must be in one split, got 1 in two: HCTP 11"):
        read(tmp_path, patient_pattern="", breast_is_patient=True)
    assert all(r.split is None for r in read(tmp_path, official_split=False))


def test_both_breasts_of_a_patient_in_two_splits_are_an_error_that_names_the_patient(tmp_path):
    rows = ROWS | {"test": [["12_L", "img/9.png", "[0, 0]", "L"]]}
    write_hospital(tmp_path / "HCTP", rows)
    message = r"a patient must be in one split, got 1 in two: HCTP 12 \(test, val\): .*official_spl"
    with pytest.raises(ValueError, match=message):
        read(tmp_path)
    options = DatasetOptions(source_options={"patient_pattern": PATTERN})
    counts = count_source("dosremc", tmp_path, options).counts
    assert counts["patients_in_two_splits"] == {"HCTP 12": "test, val"}
    assert "must be in one split only, got HCTP/12" in counts["split_error"]


def test_the_same_number_in_two_hospitals_is_two_patients(tmp_path):
    write_hospital(tmp_path / "A")
    write_hospital(tmp_path / "B", {"test": [["11_L", "b/1.png", "[0, 0]", "L"]]})
    records = read(tmp_path)
    assert {r.patient_id for r in records if r.split == "test"} == {"A/13", "B/11"}
    assert {r.clinic_vars["hospital"] for r in records} == {"A", "B"}
    assert len(read(tmp_path, hospitals=("B",))) == 1


def test_two_tables_with_the_same_image_are_refused_until_one_is_chosen(tmp_path):
    write_hospital(tmp_path / "A")
    write_hospital(tmp_path / "A and B", {"train": ROWS["train"][:1]})
    with pytest.raises(TableError, match=r"FilePath must differ from that of A train\.xlsx row 2"):
        read(tmp_path)
    assert len(read(tmp_path, hospitals=("A",))) == 5


def test_paths_start_where_it_is_said(tmp_path):
    root = one_row(tmp_path / "H", FilePath="raw/1.png")
    assert read(root)[0].img_path == "raw/1.png"
    assert read(root, images="data")[0].img_path == "data/raw/1.png"
    assert read(root, images="/mnt/study")[0].img_path == "/mnt/study/raw/1.png"
    one_row(tmp_path / "H", FilePath=str(tmp_path / "H" / "raw" / "1.png"))
    assert read(root, images="data")[0].img_path == "raw/1.png"


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ([], {}, "must hold train, val or test tables, or folders .* got neither"),
        (["train.csv", "H/train.csv"], {}, "must hold train, val or test tables, .* got both"),
        (["H/train.csv", "H/training.csv"], {}, "must hold one table of train, got train.csv, tr"),
        (
            ["H/train.csv"],
            {"hospitals": ("K",)},
            "hospitals must be folders .*, got K: there are H",
        ),
        (["2019-03-21/train.csv"], {}, "the folder of a hospital must be no date, which identif"),
    ],
)
def test_tables_that_are_not_clear_are_an_error(tmp_path, files, options, message):
    for name in files:
        write_csv(tmp_path / name, ROWS["train"])
    with pytest.raises(TableError, match=message):
        read(tmp_path, **options)


@pytest.mark.parametrize("absent", COLUMNS)
def test_an_absent_column_is_an_error(tmp_path, absent):
    root = one_row(tmp_path / "H", **{absent: None})
    with pytest.raises(TableError, match=f"columns must have {absent}, got "):
        read(root)


def test_an_unknown_task_or_option_is_an_error(tmp_path):
    write_hospital(tmp_path / "H")
    with pytest.raises(ValueError, match="tasks must be some of benign, malignant, got density"):
        list(read_records(tmp_path, parse_tasks(["density:ordinal=A,B"])))
    with pytest.raises(ValueError, match="labels_of must be one of breast, image, got 'view'"):
        read(tmp_path, labels_of="view")


def test_a_dry_run_counts_breasts_patients_and_splits(tmp_path):
    write_hospital(tmp_path / "HCTP")
    options = DatasetOptions(source_options={"patient_pattern": PATTERN})
    found = count_source("dosremc", tmp_path, options)
    counts = found.counts
    assert (found.exit_code, counts["level"], counts["splits_are"]) == (
        0, Level.BREAST, "of the source",
    )  # fmt: skip
    assert [counts[name] for name in ("rows", "images", "breasts", "patients")] == [5, 5, 4, 3]
    assert counts["labels_by_breast"]["malignant"] == {"0": 2, "1": 2, "missing": 0}
    assert counts["splits"]["test"]["labels"]["benign"] == {"0": 0, "1": 1, "missing": 0}
    assert (counts["breast_ids"], counts["patients_are"]) == (4, "pattern")
    assert counts["rows_by_table"] == {
        "HCTP train.xlsx": 3, "HCTP val.xlsx": 1, "HCTP test.xlsx": 1,
    }  # fmt: skip


def test_png_npy_and_dicom_are_prepared_with_domain_hospital_and_lesions(tmp_path):
    root, breast = tmp_path / "processed", draw_breast((300, 200))
    hospital = root / "HCTP"
    hospital.mkdir(parents=True)
    cv2.imwrite(str(hospital / "1.png"), breast)
    np.save(hospital / "2.npy", breast)
    write_dicom(hospital / "3.dcm", breast, ImageLaterality="L")
    mask = np.zeros(breast.shape, np.uint8)
    mask[140:160, 20:40] = 1
    np.save(hospital / "mask.npy", mask)
    columns = [*COLUMNS, "PatientID", "Domain", "DomainLabel", "Mask", "Coordinates"]
    box = "[('malign', 20, 140, 20, 20)]"
    rows = [
        ["1", "HCTP/1.png", "[0, 1]", "L", "a", "Source", "[1, 0]", "HCTP/mask.npy", ""],
        ["2", "HCTP/2.npy", "[1, 0]", "L", "b", "Source", "[1, 0]", "", ""],
        ["3", "HCTP/3.dcm", "[0, 1]", "L", "c", "Target", "[0, 1]", "", box],
        ["4", "HCTP/4.png", "[0, 0]", "L", "d", "Target", "[0, 1]", "", ""],
    ]
    write_xlsx(hospital / "train.xlsx", rows, columns)
    summary = prepare_dataset("dosremc", tmp_path / "out", root)
    assert summary.rejected == {"HCTP/4.png": "file does not exist"}
    records = records_of(tmp_path / "out")
    assert sorted(json.dumps(r.clinic_vars) for r in records) == [
        '{"hospital": "HCTP", "domain": "source"}',
        '{"hospital": "HCTP", "domain": "source"}',
        '{"hospital": "HCTP", "domain": "target"}',
    ]
    by_mask, by_box = (
        next(r for r in records if r.clinic_vars["domain"] == domain and r.gt_label["malignant"])
        for domain in ("source", "target")
    )
    assert by_mask.findings[0].box == pytest.approx(by_box.findings[0].box)
    assert (by_mask.findings[0].malignant, by_box.findings[0].malignant) == (True, True)


def test_options_are_read_from_words(tmp_path):
    write_hospital(tmp_path / "HCTP")
    converter = find_converter("dosremc")
    options = {"hospitals": "HCTP", "breast_is_patient": "true", "official_split": "false"}
    assert len(list(converter.read_records(tmp_path, TASKS, options))) == 5
    assert converter.told_options({"images": "/home/jane", "labels_of": "image"}) == {
        "labels_of": "image"
    }
    assert not converter.is_public
