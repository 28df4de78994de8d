"""CSAW-CC on invented rows: the real table is handed out on request only."""

import csv
import json
import re

import cv2
import numpy as np
import pytest

from dicom_files import draw_breast, write_dicom
from mammography.preparation.converters import find_converter
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.sources.csaw_cc import DEFAULT_TASKS, read_contents, read_records
from mammography.preparation.study import DatasetOptions
from mammography.preparation.tables import TableError
from mammography.structures.annotation import read_annotations
from mammography.structures.task import parse_tasks
from mammography.terms import Laterality, Level, ViewPosition

NAME = "CSAW-CC_breast_cancer_screening_data.csv"
COLUMNS = [
    "anon_patientid", "exam_year", "anon_filename", "x_age", "x_case", "x_cancer_laterality",
    "x_type", "x_lymphnode_met", "rad_timing", "rad_r1", "rad_r2", "rad_recall",
    "rad_recall_type_right", "rad_recall_type_left", "imagelaterality", "viewposition",
    "libra_breastarea", "libra_densearea", "libra_percentdensity",
]  # fmt: skip
TASKS = parse_tasks([
    "malignant:binary",
    "cancer_type:ordinal=in situ,invasive up to 15 mm,invasive over 15 mm",
    "node_metastasis:binary",
    "recall:binary",
    "percent_density:regression",
    "dense_area:regression",
    "breast_area:regression",
])  # fmt: skip


def row(patient=7, year=2012, side="Left", view="CC", number=1, **cells):
    """Return a row; a woman without cancer unless the cells say more."""
    name = f"{int(patient):05d}_20990909_{side[0]}_{view}_{number}.dcm"
    values = dict.fromkeys(COLUMNS, "NA") | {
        "anon_patientid": patient, "exam_year": year, "anon_filename": name, "x_age": 1,
        "x_case": 0, "imagelaterality": side, "viewposition": view, "rad_recall": 0,
        "libra_breastarea": 120.5, "libra_densearea": 24.1, "libra_percentdensity": 20,
    }  # fmt: skip
    return [*(values | cells).values()]


def case(timing, patient=1106, cancer="Right", **cells):
    known = {"x_case": 1, "x_cancer_laterality": cancer, "x_type": 2, "x_lymphnode_met": 0}
    return {"patient": patient, "rad_timing": timing, "x_age": 2} | known | cells


# Numbers as pandas rewrites a column that has gaps; no value as NA, nan or nothing.
ROWS = [
    row(),
    row(side="Right", view="MLO", rad_recall="", libra_percentdensity="nan"),
    row(side="Right", **case(1)),
    row(side="Left", **case(1, rad_recall=1)),
    row(side="Right", number=2, year="2010.0", **case("3.0", x_type="2.0")),
    row(side="Right", **case(2, 31, x_type=3, x_lymphnode_met=1)),
    row(side="Left", **case(2, 31, x_type=3, x_lymphnode_met=1)),
    row(side="Right", **case("", 32)),
    row(side="Right", **case(1, 33, "NA", x_type="")),
]


def write_table(folder, rows=ROWS, name=NAME, columns=COLUMNS):
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return folder


def labels(root, **options):
    """Return the labels of each woman, exam and side."""
    records = read_contents(root, TASKS, **options).records
    return {(r.patient_id, r.exam_id[-4:], r.laterality): r.gt_label for r in records}


def malignant(root, **options):
    return {key: found.get("malignant") for key, found in labels(root, **options).items()}


@pytest.fixture
def table(tmp_path):
    return write_table(tmp_path)


def test_cancer_is_of_one_breast_at_the_exam_that_found_it_or_missed_it(table):
    assert malignant(table) == {
        ("7", "2012", "L"): 0, ("7", "2012", "R"): 0,
        ("1106", "2012", "R"): 1, ("1106", "2012", "L"): 0, ("1106", "2010", "R"): None,
        ("31", "2012", "R"): 1, ("31", "2012", "L"): 0,
        ("32", "2012", "R"): None, ("33", "2012", "R"): None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("option", "word", "changed"),
    [
        ("interval", "negative", {("31", "2012", "R"): 0}),
        ("interval", "unlabelled", {("31", "2012", "R"): None}),
        ("priors", "positive", {("1106", "2010", "R"): 1}),
        ("priors", "negative", {("1106", "2010", "R"): 0}),
        ("healthy_breast", "unlabelled", {("1106", "2012", "L"): None, ("31", "2012", "L"): None}),
    ],
)
def test_an_option_decides_over_exams_and_breasts_that_may_be_read_both_ways(
    table, option, word, changed
):
    assert malignant(table, **{option: word}) == malignant(table) | changed


def test_what_the_table_says_of_a_cancer_is_a_label_of_its_breast_alone(table):
    found = labels(table)
    assert found["1106", "2012", "R"] == {
        "malignant": 1, "cancer_type": 1, "node_metastasis": 0, "recall": 0,
        "percent_density": 20, "dense_area": 24.1, "breast_area": 120.5,
    }  # fmt: skip
    assert found["31", "2012", "R"]["cancer_type"] == 2
    assert found["31", "2012", "R"]["node_metastasis"] == 1
    for key in [("1106", "2012", "L"), ("1106", "2010", "R"), ("33", "2012", "R")]:
        assert not found[key].keys() & {"cancer_type", "node_metastasis"}
    assert found["1106", "2012", "L"]["recall"] == 1


def test_an_empty_cell_is_a_missing_label_whether_na_nan_or_nothing(table):
    found = labels(table)["7", "2012", "R"]
    assert found == {"malignant": 0, "dense_area": 24.1, "breast_area": 120.5}


def test_age_is_a_group_or_in_another_release_a_number(tmp_path):
    write_table(tmp_path, [row(), row(8, x_age=2), row(9, x_age="NA"), row(10, x_age="56")])
    records = read_contents(tmp_path, TASKS).records
    groups = [{"age_group": "40-55"}, {"age_group": "over 55"}, {}, {"age_years": 56}]
    assert [record.clinic_vars for record in records] == groups


def test_files_are_found_by_name_in_whatever_folders(table):
    deep = table / "images" / "part_1"
    deep.mkdir(parents=True)
    write_dicom(deep / "00007_20990909_L_CC_1.dcm", draw_breast())
    paths = {r.img_path for r in read_records(table, TASKS)}
    assert "images/part_1/00007_20990909_L_CC_1.dcm" in paths
    assert "00007_20990909_R_MLO_1.dcm" in paths  # Is not there: keeps its name.


def test_an_outline_goes_with_the_image_of_its_name(table):
    folder = table / "anon_annotations_nonhidden"
    folder.mkdir()
    mask = folder / "01106_20990909_R_CC_1_mask.png"
    mask.write_bytes(b"")
    found = [r for r in read_records(table, TASKS) if r.masks]
    assert [r.img_path for r in found] == ["01106_20990909_R_CC_1.dcm"]
    assert [(m.path, m.label, m.malignant) for m in found[0].masks] == [
        (mask.relative_to(table).as_posix(), "cancer", True)
    ]
    assert not any(r.masks for r in read_records(table, TASKS, annotations=False))


def test_a_download_without_masks_is_told_unless_none_were_asked_for(table, caplog):
    list(read_records(table, TASKS, annotations=False))
    assert not caplog.records
    assert not any(r.masks for r in read_records(table, TASKS))
    assert f"{table} holds no mask of a cancer: none is outlined" in caplog.text


def test_the_same_name_in_two_folders_is_an_error(table):
    for part in ("part_1", "part_2"):
        (table / part).mkdir()
        write_dicom(table / part / "00007_20990909_L_CC_1.dcm", draw_breast())
    with pytest.raises(ValueError, match=r"must hold one file 00007_20990909_L_CC_1.dcm, got part"):
        list(read_records(table, TASKS))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"imagelaterality": "Both"}, "imagelaterality must be one of L, R, got 'Both'"),
        ({"imagelaterality": "NA"}, "imagelaterality must not be empty, got 'NA'"),
        ({"viewposition": "CC2"}, "viewposition must be one of CC, MLO, ML"),
        ({"x_case": 2}, "x_case must be a whole number from 0 to 1, got '2'"),
        ({"x_case": ""}, "x_case must not be empty"),
        ({"x_age": 3}, "x_age must be 1 (40-55 years), 2 (over 55) or an age, got '3'"),
        ({"exam_year": "2012-05"}, "exam_year must be a whole number from 1980 to 2100"),
        ({"anon_patientid": "NA"}, "anon_patientid must not be empty"),
        ({"anon_filename": "../secret.dcm"}, "anon_filename must stay below the root"),
        ({"anon_filename": "a/b.dcm"}, "anon_filename must be the name of a file, without"),
        ({"anon_filename": "00007_20990909_L_CC_1.dcm"}, "anon_filename must differ from that of"),
        ({"x_cancer_laterality": "Left"}, "x_cancer_laterality must be empty where x_case is 0"),
        ({"x_type": 1}, "x_type must be empty where x_case is 0, got '1'"),
        ({"x_lymphnode_met": 0}, "x_lymphnode_met must be empty where x_case is 0"),
        ({"rad_timing": 3}, "rad_timing must be empty where x_case is 0, got '3'"),
        (case(4), "rad_timing must be a whole number from 1 to 3, got '4'"),
        (case(0), "rad_timing must be a whole number from 1 to 3, got '0'"),
        (case(1, cancer="Both"), "x_cancer_laterality must be one of L, R, got 'Both'"),
        (case(1, x_type=4), "x_type must be a whole number from 1 to 3, got '4'"),
        (case(1, x_lymphnode_met="yes"), "x_lymphnode_met must be a whole number from 0 to 1"),
        (case(1, patient=7, number=2), "x_case must be 0 as in row 2, of the same woman, got '1'"),
        ({"rad_recall": 2}, "rad_recall must be a whole number from 0 to 1"),
        ({"libra_percentdensity": 101}, "libra_percentdensity must be a number from 0 to 100"),
        ({"libra_percentdensity": "20,5"}, "libra_percentdensity must be a number from 0 to 100"),
        ({"libra_densearea": -1}, "libra_densearea must be a number from 0 to 1e+09"),
    ],
)
def test_a_row_that_is_not_understood_is_refused_by_its_number(tmp_path, cells, message):
    write_table(tmp_path, [ROWS[0], row(**{"patient": 8} | cells)])
    with pytest.raises(TableError) as error:
        list(read_records(tmp_path, TASKS))
    assert f"{NAME}: 1 bad cells\n  row 3: {message}" in str(error.value)
    found = count_source("csaw_cc", tmp_path)
    assert (found.exit_code, found.counts["rows"], found.counts["images"]) == (1, 2, 1)


def test_a_woman_with_cancer_on_two_sides_is_refused_as_the_side_is_of_the_woman(tmp_path):
    write_table(tmp_path, [row(**case(1)), row(side="Right", **case(1, cancer="Left"))])
    rule = "row 3: x_cancer_laterality must be R as in row 2, of the same woman, got 'Left'"
    with pytest.raises(TableError, match=rule):
        list(read_records(tmp_path, TASKS))


def test_an_unknown_option_task_table_or_column_is_an_error(tmp_path):
    with pytest.raises(TableError, match=r"must hold one table CSAW-CC_breast.*table=FILE"):
        read_contents(tmp_path, TASKS)
    write_table(tmp_path, [r[:-1] for r in ROWS], "other.csv", COLUMNS[:-1])
    with pytest.raises(TableError, match="columns must have libra_percentdensity, got anon_pat"):
        read_contents(tmp_path, TASKS, table="other.csv")
    with pytest.raises(ValueError, match=r"tasks must be some of malignant, .*, got density"):
        read_contents(tmp_path, parse_tasks(["density:ordinal=A,B"]))
    with pytest.raises(ValueError, match="priors must be one of positive, negative, unlabelled"):
        read_contents(tmp_path, TASKS, priors="ignore")
    with pytest.raises(ValueError, match=r"healthy_breast must be one of negative, unlab.*'posit"):
        list(read_records(tmp_path, TASKS, healthy_breast="positive"))


def test_the_table_of_the_first_release_is_found_by_its_name(tmp_path):
    write_table(tmp_path, name="anon_dataset_nonhidden_211125.csv")
    assert read_contents(tmp_path, TASKS).rows == len(ROWS)


def test_a_dry_run_counts_by_situation_and_touches_no_image(table):
    options = DatasetOptions(tasks=["malignant:binary"], source_options={"priors": "negative"})
    counts = count_source("csaw_cc", table, options).counts
    assert counts["level"] == Level.BREAST
    assert [counts[n] for n in ("rows", "images", "exams", "patients")] == [9, 9, 6, 5]
    assert counts["labels"]["malignant"] == {"0": 5, "1": 2, "missing": 2}
    assert counts["images_by_situation"] == {
        "control": 2, "screen-detected cancer": 1, "interval cancer": 1, "prior of a cancer": 1,
        "other breast of a case": 2, "case without side": 1, "case without rad_timing": 1,
    }  # fmt: skip
    assert (counts["cases"], counts["controls"]) == (4, 1)
    assert counts["exams_with_a_view_twice"] == 0
    assert counts["splits_are"] == "drawn"


def test_an_exam_with_a_view_twice_is_counted(tmp_path):
    write_table(tmp_path, [row(), row(number=2)])
    assert read_contents(tmp_path, TASKS).facts["exams_with_a_view_twice"] == 1


def test_images_are_prepared_with_the_side_the_view_and_the_outline_of_the_source(tmp_path):
    root = write_table(tmp_path / "csaw", ROWS[:4])
    (root / "deep").mkdir()
    for line in ROWS[:3]:
        write_dicom(root / "deep" / line[2], draw_breast())
    mask = np.zeros((300, 200), np.uint8)
    mask[120:160, 20:50] = 255
    cv2.imwrite(str(root / "deep" / "01106_20990909_R_CC_1_mask.png"), mask)
    summary = prepare_dataset("csaw_cc", tmp_path / "out", root)
    assert summary.counts["images"] == 3
    assert summary.rejected == {"01106_20990909_L_CC_1.dcm": "file does not exist"}
    records = read_annotations(tmp_path / "out" / "annotations" / "all.json").records
    found = {(r.laterality, r.view_position, r.gt_label["malignant"]) for r in records}
    assert found == {
        (Laterality.LEFT, ViewPosition.CC, 0),
        (Laterality.RIGHT, ViewPosition.MLO, 0),
        (Laterality.RIGHT, ViewPosition.CC, 1),
    }
    (sick,) = (r for r in records if r.findings)
    assert sick.gt_label["malignant"] == sick.findings[0].malignant == 1
    start = zip(sick.findings[0].box[:2], sick.geometry.crop_box[:2], strict=True)
    assert [box + crop for box, crop in start] == pytest.approx([20, 120])
    text = re.sub("[pei][0-9a-f]{16}", "pseudonym", json.dumps([r.to_json() for r in records]))
    assert not any(secret in text for secret in ("2012", "20990909", "1106"))


def test_the_identifiers_are_no_public_ones_as_the_data_are_handed_out_on_request():
    converter = find_converter("csaw_cc")
    assert not converter.is_public
    assert converter.told_options({"table": "a.csv", "priors": "negative"}) == {
        "priors": "negative"
    }
    assert parse_tasks(DEFAULT_TASKS).keys() == {"malignant", "percent_density"}
