"""MammographyAI's tables, on invented rows with every documented oddity."""

import csv

import cv2
import numpy as np
import pytest

from dicom_files import draw_breast
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.options import PreparationOptions
from mammography.preparation.sources.mammography_ai import (
    DEFAULT_TASKS,
    read_contents,
    read_records,
)
from mammography.preparation.study import DatasetOptions
from mammography.preparation.tables import TableError
from mammography.structures.task import parse_tasks
from mammography.terms import Split
from table_study import image_of, path_of, records_of

TASKS = parse_tasks(DEFAULT_TASKS)
ROWS = [
    {"path_eq": "c/7_L_CC.png", "cancer": "1", "datasettype": "csaw", "patient_id": "7"},
    {"path_eq": "c/7_R_CC.png", "cancer": "0", "datasettype": "csaw", "patient_id": "7"},
    {"path_eq": "e/7_L_CC.png", "cancer": "0", "datasettype": "embed", "patient_id": "7"},
]
VALID = [{"path_eq": "e/9_L_CC.png", "cancer": "0", "datasettype": "embed", "patient_id": "9"}]


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path.parent


def without_patients(rows):
    return [{name: row[name] for name in row if name != "patient_id"} for row in rows]


@pytest.fixture
def root(tmp_path):
    write(tmp_path / "train.csv", ROWS)
    return write(tmp_path / "valid.csv", VALID)


def read(root, **options):
    return list(read_records(root, TASKS, **options))


def test_a_row_becomes_a_record_and_the_split_is_that_of_its_table(root):
    records = read(root)
    assert [(r.img_path, r.split, r.gt_label, r.clinic_vars) for r in records] == [
        ("c/7_L_CC.png", Split.TRAIN, {"malignant": 1.0}, {"datasettype": "csaw"}),
        ("c/7_R_CC.png", Split.TRAIN, {"malignant": 0.0}, {"datasettype": "csaw"}),
        ("e/7_L_CC.png", Split.TRAIN, {"malignant": 0.0}, {"datasettype": "embed"}),
        ("e/9_L_CC.png", Split.VAL, {"malignant": 0.0}, {"datasettype": "embed"}),
    ]


def test_the_same_number_in_both_collections_is_two_patients(root):
    assert [r.patient_id for r in read(root)] == ["csaw/7", "csaw/7", "embed/7", "embed/9"]


def test_tables_of_any_name_can_be_named_and_then_no_other_is_read(root):
    write(root / "my_train.csv", ROWS[:1])
    write(root / "my_test.csv", VALID)
    records = read(root, train="my_train.csv", test="my_test.csv")
    assert [(r.img_path, r.split) for r in records] == [
        ("c/7_L_CC.png", "train"),
        ("e/9_L_CC.png", "test"),
    ]
    with pytest.raises(TableError, match=r"val must be a table, got .*none\.csv, which does not"):
        read(root, val="none.csv")


def test_tables_that_are_absent_or_double_are_an_error(tmp_path):
    with pytest.raises(TableError, match=r"must hold a table called train, .*train=FILE val=FILE"):
        read(tmp_path)
    for name in ("val.csv", "valid.csv"):
        write(tmp_path / name, VALID)
    with pytest.raises(TableError, match=r"must hold one table of val, got val\.csv, valid\.csv"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("cell", "label"),
    [("1", 1.0), ("0", 0.0), ("1.0", 1.0), ("True", 1.0), ("FALSE", 0.0), ("", None), ("NA", None)],
)
def test_cancer_is_read_as_a_data_frame_writes_it(tmp_path, cell, label):
    (record,) = read(write(tmp_path / "train.csv", [ROWS[0] | {"cancer": cell}]))
    assert record.gt_label.get("malignant") == label


@pytest.mark.parametrize(
    ("cell", "label"), [("1", 0.0), ("4.0", 3.0), ("5", None), ("", None), ("nan", None)]
)
def test_density_is_a_to_d_and_no_label_for_a_man(tmp_path, cell, label):
    (record,) = read(write(tmp_path / "train.csv", [ROWS[0] | {"tissueden": cell}]))
    assert record.gt_label.get("density") == label


@pytest.mark.parametrize(
    ("cell", "group"),
    [
        ("African American  or Black", "African American or Black"),
        ("Caucasian or White", "Caucasian or White"),
        ("Asian", "other"),
        ("", None),
    ],
)
def test_the_ethnic_group_is_carried_only_when_it_is_asked_for(tmp_path, cell, group):
    root = write(tmp_path / "train.csv", [ROWS[0] | {"ETHNICITY_DESC": cell}])
    assert "ethnicity" not in read(root)[0].clinic_vars
    assert read(root, ethnicity=True)[0].clinic_vars.get("ethnicity") == group


def test_a_group_that_no_table_tells_cannot_be_asked_for(root):
    with pytest.raises(TableError, match="columns must have ETHNICITY_DESC, got path_eq, cancer"):
        read(root, ethnicity=True)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"path_eq": ""}, "path_eq must not be empty"),
        ({"path_eq": "../1.png"}, r"path_eq must stay below the root, without '\.\.'"),
        ({"path_eq": "c/7_L_CC.png"}, r"path_eq must differ from that of train\.csv row 2"),
        ({"cancer": "2"}, "cancer must be a whole number from 0 to 1, got '2'"),
        ({"cancer": "yes"}, "cancer must be a whole number from 0 to 1, got 'yes'"),
        ({"datasettype": ""}, "datasettype must not be empty"),
        ({"datasettype": "rsna"}, "datasettype must be one of csaw, embed, got 'rsna'"),
        ({"patient_id": ""}, "patient_id must not be empty"),
        ({"tissueden": "B"}, "tissueden must be a whole number from 1 to 5, got 'B'"),
        ({"laterality": "X"}, "laterality must be one of L, R, got 'X'"),
        ({"view_position": "top"}, "view_position must be one of CC, MLO"),
    ],
)
def test_a_row_that_is_not_understood_is_refused_by_its_number(tmp_path, cells, message):
    root = write(tmp_path / "train.csv", [ROWS[0], ROWS[1] | cells])
    with pytest.raises(TableError, match=rf"train\.csv: 1 bad cells\n  row 3: {message}"):
        read(root)
    found = count_source("mammography_ai", root)
    assert (found.exit_code, found.counts["rows"], found.counts["images"]) == (1, 2, 1)


def test_an_image_in_two_tables_and_a_patient_in_two_splits_are_errors(root):
    write(root / "valid.csv", [ROWS[0]])
    with pytest.raises(
        TableError, match=r"valid\.csv: 1 bad cells\n  row 2: path_eq must differ f"
    ):
        read(root)
    write(root / "valid.csv", [ROWS[0] | {"path_eq": "c/7_L_MLO.png"}])
    with pytest.raises(ValueError, match=r"must be in one split, got 1 in two: csaw/7 \(train, v"):
        read(root)
    assert {r.split for r in read(root, official_split=False)} == {None}


def test_without_a_way_to_the_patient_nothing_is_read(tmp_path, caplog):
    root = write(tmp_path / "train.csv", without_patients(ROWS))
    with pytest.raises(ValueError, match=r"patient_pattern=REGEX, or take every image for a pat"):
        read(root)
    alone = read(root, image_is_patient=True)
    assert [r.patient_id for r in alone] == [
        "csaw/c/7_L_CC.png", "csaw/c/7_R_CC.png", "embed/e/7_L_CC.png",
    ]  # fmt: skip
    assert "every image counts as a patient: images of one woman may lie in" in caplog.text
    facts = read_contents(root, TASKS, image_is_patient=True).facts
    assert facts["patients_are"] == "each image"


def test_the_path_can_tell_patient_side_and_view(tmp_path):
    root = write(tmp_path / "train.csv", without_patients(ROWS))
    pattern = r"[ce]/(?P<patient>\d+)_(?P<laterality>[LR])_(?P<view_position>CC|MLO)\.png"
    records = read(root, patient_pattern=pattern)
    assert [(r.patient_id, r.laterality, r.view_position) for r in records] == [
        ("csaw/7", "L", "CC"),
        ("csaw/7", "R", "CC"),
        ("embed/7", "L", "CC"),
    ]
    with pytest.raises(TableError, match=r"row 4: path_eq must match the pattern c/\(\\d\+\)_\.\*"):
        read(root, patient_pattern=r"c/(\d+)_.*")


def test_a_pattern_beside_a_column_of_patients_may_tell_the_rest_only(root):
    side = r".*_(?P<laterality>[LR])_CC\.png"
    assert [r.laterality for r in read(root, patient_pattern=side)] == ["L", "R", "L", "L"]
    with pytest.raises(ValueError, match="in one way, got the column patient_id and patient_patt"):
        read(root, patient_pattern=r".*/(\d+)_.*")
    write(root / "valid.csv", [VALID[0] | {"laterality": "R"}])
    with pytest.raises(TableError, match="row 2: laterality must be L as the path says, got 'R'"):
        read(root, patient_pattern=side)


def test_the_column_of_patients_must_be_in_all_tables(root):
    write(root / "valid.csv", without_patients(VALID))
    with pytest.raises(
        TableError, match=r"must have a column patient_id or none, got none in valid\.csv"
    ):
        read(root)


@pytest.mark.parametrize("absent", ["path_eq", "cancer", "datasettype"])
def test_an_absent_column_is_an_error(tmp_path, absent):
    row = {name: cell for name, cell in ROWS[0].items() if name != absent}
    with pytest.raises(TableError, match=f"columns must have {absent}, got "):
        read(write(tmp_path / "train.csv", [row]))


def test_an_unknown_task_is_an_error(root):
    with pytest.raises(ValueError, match="tasks must be some of malignant, density, got birads"):
        list(read_records(root, parse_tasks(["birads:ordinal=1,2"])))


def test_a_dry_run_counts_rows_collections_and_splits(root):
    found = count_source("mammography_ai", root)
    assert (found.exit_code, found.counts["splits_are"]) == (0, "of the source")
    assert [found.counts[name] for name in ("rows", "images", "patients")] == [4, 4, 3]
    assert found.counts["rows_by_table"] == {"train.csv": 3, "valid.csv": 1}
    assert found.counts["images_by_dataset"] == {"csaw": 2, "embed": 2}
    assert found.counts["labels"]["malignant"] == {"0": 3, "1": 1, "missing": 0}
    assert found.counts["patients_are"] == "column"


def test_equalised_pictures_of_8_bits_keep_their_grey_in_png_and_jpeg(tmp_path):
    """A window would stretch what was stretched: ``voi="none"`` keeps 0 to 255 as it is."""
    picture = (draw_breast((300, 200)) // 12).astype(np.uint8)
    for name in ("1.png", "1.jpg"):
        cv2.imwrite(str(tmp_path / name), picture, [cv2.IMWRITE_JPEG_QUALITY, 100])
    cv2.imwrite(str(tmp_path / "3.png"), cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    rows = [
        ROWS[0] | {"path_eq": name, "patient_id": name, "laterality": "L"}
        for name in ("1.png", "1.jpg", "3.png", "2.png")
    ]
    root = write(tmp_path / "train.csv", rows)
    options = DatasetOptions(preparation=PreparationOptions(voi="none"))
    summary = prepare_dataset("mammography_ai", tmp_path / "out", root, options)
    assert summary.rejected == {"2.png": "file does not exist"}
    records = records_of(tmp_path / "out")
    images = {path_of(tmp_path / "out", r): image_of(tmp_path / "out", r) for r in records}
    inside = images["1.png"] > 1
    left, top, right, bottom = records[0].geometry.crop_box
    crop = picture[top:bottom, left:right]
    np.testing.assert_array_equal(images["1.png"][inside], crop[inside].astype(np.uint16) * 257)
    np.testing.assert_array_equal(images["3.png"], images["1.png"])
    assert np.abs(images["1.jpg"][inside] / 257 - crop[inside]).max() <= 3
    assert inside.mean() > 0.3
