"""The three forms of end2end, on invented rows and files with every documented oddity."""

import csv

import cv2
import numpy as np
import pytest

from dicom_files import draw_breast
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.source_record import FindingMask
from mammography.preparation.sources.end2end import DEFAULT_TASKS, read_contents, read_records
from mammography.preparation.study import DatasetOptions
from mammography.preparation.tables import TableError
from mammography.structures.task import parse_tasks
from mammography.terms import Laterality, Split, ViewPosition
from table_study import records_of

TASKS = parse_tasks(DEFAULT_TASKS)
BOTH = parse_tasks([*DEFAULT_TASKS, "breast_malignant:binary"])
LESIONS = ["patient_id", "side", "view", "abn_num", "pathology", "type"]
LESION_ROWS = [
    ["P_00005", "RIGHT", "CC", 1, "MALIGNANT", "calc"],
    ["P_00005", "RIGHT", "MLO", 1, "MALIGNANT", "calc"],
    ["P_00005", "RIGHT", "MLO", 1, "BENIGN", "mass"],
    ["P_00007", "LEFT", "CC", 1, "BENIGN", "calc"],
    ["P_00008", "LEFT", "CC", 1, "BENIGN_WITHOUT_CALLBACK", "mass"],
]


def write(path, columns, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path.parent


def write_lists(folder, columns=("mam", "label")):
    write(folder / "train.csv", columns, [["png/P_1_LEFT_CC.png", 0], ["png/P_1_LEFT_MLO.png", 1]])
    write(folder / "validation.csv", columns, [["png/P_2_RIGHT_CC.npy", 1]])
    return write(folder / "test.csv", columns, [["png/Calc-Test_P_3_RIGHT_MLO_2.png", 0]])


def write_folders(folder, files=("train/neg/P_1_LEFT_CC.png", "train/pos/P_2_RIGHT_MLO.png")):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"")
    return folder


def read(root, tasks=TASKS, **options):
    return list(read_records(root, tasks, **options))


# Lists of the port.


def test_a_row_of_a_list_becomes_a_record_and_its_name_tells_the_rest(tmp_path):
    records = read(write_lists(tmp_path))
    assert [(r.img_path, r.patient_id, r.split, r.gt_label["malignant"]) for r in records] == [
        ("png/P_1_LEFT_CC.png", "P_1", Split.TRAIN, 0.0),
        ("png/P_1_LEFT_MLO.png", "P_1", Split.TRAIN, 1.0),
        ("png/P_2_RIGHT_CC.npy", "P_2", Split.VAL, 1.0),
        ("png/Calc-Test_P_3_RIGHT_MLO_2.png", "P_3", Split.TEST, 0.0),
    ]
    last = records[-1]
    assert (last.laterality, last.view_position) == (Laterality.RIGHT, ViewPosition.MLO)


def test_lists_may_lie_in_the_folder_data_and_call_their_columns_as_they_like(tmp_path):
    expected = read(write_lists(tmp_path / "a"))
    write_lists(tmp_path / "b" / "data", ("mam", "labels"))
    write_lists(tmp_path / "c", ("img_path", "cancer"))
    assert read(tmp_path / "b") == read(tmp_path / "c") == expected


def test_a_list_without_a_header_is_refused_as_its_first_image_would_be_lost(tmp_path):
    rows = [["P_00006_RIGHT_CC.png", 0]]
    root = write(tmp_path / "train.csv", ["P_00005_RIGHT_CC.png", 1], rows)
    with pytest.raises(TableError, match="row 1 must name the columns, got P_00005_RIGHT_CC"):
        read(root)


def test_of_three_columns_the_label_is_the_one_called_so(tmp_path):
    path = "png/P_1_LEFT_CC.png"
    write(tmp_path / "train.csv", ["mam", "mask_path", "label"], [[path, "m.png", 1]])
    assert read(tmp_path)[0].gt_label == {"malignant": 1.0}
    write(tmp_path / "train.csv", ["mam", "birads", "class"], [[path, 4, 1]])
    with pytest.raises(TableError, match=r"then one called label or labels, .*label_column=NAME"):
        read(tmp_path)
    assert read(tmp_path, label_column="class")[0].gt_label == {"malignant": 1.0}


def test_a_missing_label_is_no_label_and_pandas_labels_are_labels(tmp_path):
    cells = ["1.0", "True", "", "0"]
    rows = [[f"P_{number}_LEFT_CC.png", cell] for number, cell in enumerate(cells)]
    write(tmp_path / "train.csv", ["mam", "label"], rows)
    assert [r.gt_label.get("malignant") for r in read(tmp_path)] == [1.0, 1.0, None, 0.0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["", 0], "mam must not be empty"),
        (["../P_1_LEFT_CC.png", 0], r"mam must stay below the root, without '\.\.'"),
        (["a/P_1_LEFT_CC.png", 0], r"mam must differ from that of train\.csv row 2"),
        (["mam_13.npy", 0], r"mam must be named PATIENT_SIDE_VIEW, .*image_is_patient=true\), got"),
        (["P_1_LEFT_XX.png", 0], "mam must be named PATIENT_SIDE_VIEW"),
        (["P_1_RIGHT_CC.png", 4], r"label must be 0 or 1 \(a list of patches is no list of pict"),
        (["P_1_RIGHT_CC.png", "pos"], "label must be 0 or 1"),
    ],
)
def test_a_row_that_is_not_understood_is_refused_by_its_number(tmp_path, row, message):
    write(tmp_path / "train.csv", ["mam", "label"], [["a/P_1_LEFT_CC.png", 0], row])
    with pytest.raises(TableError, match=rf"train\.csv: 1 bad cells\n  row 3: {message}"):
        read(tmp_path)
    found = count_source("end2end", tmp_path)
    assert (found.exit_code, found.counts["rows"], found.counts["images"]) == (1, 2, 1)


def test_names_without_a_patient_need_a_pattern_or_the_word_that_each_is_one(tmp_path, caplog):
    rows = [["/mnt/sample/mam_13.npy", 0], ["/mnt/sample/mam_14.npy", 1]]
    write(tmp_path / "train.csv", ["mam", "label"], rows)
    alone = read(tmp_path, image_is_patient=True)
    assert [(r.img_path, r.patient_id) for r in alone] == [(row[0], row[0]) for row in rows]
    assert "every image counts as a patient" in caplog.text
    named = read(tmp_path, patient_pattern=r".*/(mam_\d+)\.npy")
    assert [r.patient_id for r in named] == ["mam_13", "mam_14"]
    with pytest.raises(ValueError, match="in one way, got patient_pattern and image_is_patient"):
        read(tmp_path, patient_pattern=r".*/(mam_\d+)\.npy", image_is_patient=True)


def test_a_pattern_may_tell_the_side_where_every_image_is_a_patient(tmp_path):
    write(tmp_path / "train.csv", ["mam", "label"], [["13_L.png", 0]])
    (record,) = read(
        tmp_path, patient_pattern=r"\d+_(?P<laterality>[LR])\.png", image_is_patient=True
    )
    assert (record.patient_id, record.laterality) == ("13_L.png", Laterality.LEFT)


def test_relative_paths_start_where_it_is_said(tmp_path):
    root = write_lists(tmp_path)
    assert read(root, images="study")[0].img_path == "study/png/P_1_LEFT_CC.png"


def test_a_patient_in_two_lists_is_an_error_that_names_them(tmp_path):
    root = write_lists(tmp_path)
    write(root / "test.csv", ["mam", "label"], [["png/P_1_RIGHT_CC.png", 0]])
    with pytest.raises(ValueError, match=r"a patient must be in one split, got 1 in two: P_1 \(te"):
        read(root)
    assert {r.split for r in read(root, official_split=False)} == {None}
    assert "P_1" in count_source("end2end", root).counts["split_error"]


# Folders of the original.


def test_the_folder_tells_split_and_label(tmp_path):
    files = ["train/neg/P_1_LEFT_CC.png", "train/pos/P_2_R_MLO.png", "val/pos/P_3_LEFT_ML.png"]
    files += ["test/neg/.DS_Store", "test/neg/P_4_RIGHT_XCCL.npy", "notes/neg/x.txt", "test/a.txt"]
    records = read(write_folders(tmp_path, files))
    assert [(r.img_path, r.patient_id, r.split, r.gt_label["malignant"]) for r in records] == [
        ("train/neg/P_1_LEFT_CC.png", "P_1", "train", 0.0),
        ("train/pos/P_2_R_MLO.png", "P_2", "train", 1.0),
        ("val/pos/P_3_LEFT_ML.png", "P_3", "val", 1.0),
        ("test/neg/P_4_RIGHT_XCCL.npy", "P_4", "test", 0.0),
    ]
    found = count_source("end2end", tmp_path)
    assert (found.counts["rows"], found.counts["form"]) == (4, "folders")
    assert found.counts["files_by_folder"]["train/neg"] == 1


def test_the_folders_may_lie_deeper_and_a_file_of_another_name_is_refused(tmp_path):
    root = write_folders(tmp_path / "INbreast", ["valid/neg/20586908_c_MG_R_CC_ANON.png"]).parent
    with pytest.raises(
        TableError, match=r"INbreast/valid/neg/20586908_c_MG_R_CC_ANON\.png: file mu"
    ):
        read(root, images="INbreast")
    pattern = r".*/(?P<patient>\d+)_.*_MG_(?P<laterality>[LR])_(?P<view_position>CC|ML)_ANON\.png"
    (record,) = read(root, images="INbreast", patient_pattern=pattern)
    assert (record.patient_id, record.laterality, record.split) == ("20586908", "R", "val")


def test_a_picture_that_is_neg_and_pos_is_refused(tmp_path):
    files = ["train/neg/P_1_LEFT_CC.png", "train/pos/P_1_LEFT_CC.png", "train/pos/P_1_LEFT_MLO.png"]
    root = write_folders(tmp_path, files)
    message = (
        r"1 bad cells\n  train/pos/P_1_LEFT_CC\.png: folder must be one for a picture, which l"
    )
    with pytest.raises(TableError, match=message):
        read(root)


def test_lesions_of_the_table_are_added_to_the_pictures_of_the_folders(tmp_path, caplog):
    files = ["train/pos/P_00005_RIGHT_MLO.png", "test/neg/P_00007_LEFT_CC.png"]
    root = write_folders(tmp_path, [*files, "test/pos/P_00009_LEFT_CC.png"])
    write(root / "roi_mask_path.csv", LESIONS, LESION_ROWS)
    first, second, third = read(root)
    assert first.masks == (
        FindingMask(
            "roi_mask_png/Calc-Training_P_00005_RIGHT_MLO_1.png", "calcification", True,
            ("roi_mask_png/Calc-Test_P_00005_RIGHT_MLO_1.png",),
        ),
        FindingMask(
            "roi_mask_png/Mass-Training_P_00005_RIGHT_MLO_1.png", "mass", False,
            ("roi_mask_png/Mass-Test_P_00005_RIGHT_MLO_1.png",),
        ),
    )  # fmt: skip
    assert (len(second.masks), len(third.masks)) == (1, 0)
    assert "lesions of no picture: 2, pictures in pos without a MALIGNANT lesion: 1" in caplog.text
    assert read(root, masks="masks")[1].masks[0].path == "masks/Calc-Training_P_00007_LEFT_CC_1.png"


def test_a_folder_that_contradicts_the_table_of_lesions_or_of_breasts_is_refused(tmp_path):
    root = write_folders(tmp_path, ["train/neg/P_00005_RIGHT_CC.png", "val/pos/P_6_LEFT_CC.png"])
    write(root / "roi_mask_path.csv", LESIONS, LESION_ROWS)
    write(root / "pat_side_cancer.csv", ["patient_id", "side", "cancer"], [["P_6", "LEFT", 0]])
    with pytest.raises(TableError) as error:
        read(root)
    assert "train/neg/P_00005_RIGHT_CC.png: folder must be pos where a lesion" in str(error.value)
    assert "val/pos/P_6_LEFT_CC.png: folder must be neg where the breast has" in str(error.value)
    assert count_source("end2end", root).refused_rows == 2


# The table of lesions of the original.


def test_an_image_of_the_table_has_the_worst_of_its_lesions(tmp_path):
    root = write(tmp_path / "roi_mask_path.csv", LESIONS, LESION_ROWS)
    records = read(root)
    assert [(r.img_path, r.laterality, r.view_position, r.gt_label) for r in records] == [
        ("full_img_png/P_00005_RIGHT_CC.png", "R", "CC", {"malignant": 1.0}),
        ("full_img_png/P_00005_RIGHT_MLO.png", "R", "MLO", {"malignant": 1.0}),
        ("full_img_png/P_00007_LEFT_CC.png", "L", "CC", {"malignant": 0.0}),
        ("full_img_png/P_00008_LEFT_CC.png", "L", "CC", {"malignant": 0.0}),
    ]
    assert [len(r.masks) for r in records] == [1, 2, 1, 1]
    assert {r.split for r in records} == {None}
    facts = read_contents(root, TASKS).facts
    assert facts["pathology_of_lesions"] == {
        "MALIGNANT": 2, "BENIGN": 2, "BENIGN_WITHOUT_CALLBACK": 1,
    }  # fmt: skip
    assert (facts["form"], facts["lesions"], facts["masks"]) == ("lesions", 5, 5)


def test_the_table_and_the_folders_may_have_other_names(tmp_path):
    root = write(tmp_path / "combined.csv", LESIONS, LESION_ROWS[:1])
    (record,) = read(root, table="combined.csv", images="full", masks="roi")
    assert record.img_path == "full/P_00005_RIGHT_CC.png"
    assert record.masks[0].path == "roi/Calc-Training_P_00005_RIGHT_CC_1.png"


def test_lists_of_patients_tell_the_split(tmp_path):
    root = write(tmp_path / "roi_mask_path.csv", LESIONS, LESION_ROWS)
    (root / "pat_train.txt").write_text("P_00005\n\nP_00601\n")
    (root / "patient_test.txt").write_text("patient_id\nP_00007\nP_00008\n")
    assert [r.split for r in read(root)] == ["train", "train", "test", "test"]
    facts = count_source("end2end", root).counts
    assert (facts["patients_of_lists_without_lesions"], facts["patients_in_no_list"]) == (1, 0)
    (root / "pat_test.txt").write_text("P_00005\n")
    with pytest.raises(TableError, match=r"one list of test, got pat_test\.txt, patient_test\.txt"):
        read(root)
    (root / "patient_test.txt").unlink()
    with pytest.raises(ValueError, match=r"got 1 in two: P_00005 \(test, train\)"):
        read(root, unlisted="drop")


def test_patients_in_no_list_are_an_error_until_it_is_said_what_becomes_of_them(tmp_path, caplog):
    root = write(tmp_path / "roi_mask_path.csv", LESIONS, LESION_ROWS)
    (root / "pat_train.txt").write_text("P_00005\n")
    with pytest.raises(ValueError, match=r"got 2 in none: P_00007, P_00008: .* unlisted=test"):
        read(root)
    assert (
        "patients must have one as the others do"
        in count_source("end2end", root).counts["split_error"]
    )
    assert [r.split for r in read(root, unlisted="test")] == ["train", "train", "test", "test"]
    assert [r.patient_id for r in read(root, unlisted="drop")] == ["P_00005"] * 2
    assert "patients in no list: 2: drop" in caplog.text
    assert [r.split for r in read(root, official_split=False)] == [None] * 4


def test_the_table_of_breasts_gives_a_label_of_its_own_and_must_agree(tmp_path):
    root = write(tmp_path / "roi_mask_path.csv", LESIONS, LESION_ROWS)
    columns, rows = ["patient_id", "side", "cancer"], [["P_00005", "RIGHT", 1], ["P_00007", "L", 0]]
    write(root / "pat_side_cancer.csv", columns, rows)
    labels = [r.gt_label.get("breast_malignant") for r in read(root, BOTH)]
    assert labels == [1.0, 1.0, 0.0, None]
    write(root / "pat_side_cancer.csv", columns, [["P_00005", "RIGHT", 0]])
    with pytest.raises(TableError, match=r"row 2: pathology must not be so where pat_side_cancer"):
        read(root)
    write(root / "pat_side_cancer.csv", columns, [*rows, ["P_00007", "LEFT", 1]])
    with pytest.raises(
        TableError, match=r"pat_side_cancer\.csv: 1 bad cells\n  row 4: cancer must"
    ):
        read(root)


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("patient_id", "", "patient_id must not be empty"),
        ("patient_id", "../P_00005", "patient_id must stay below the root"),
        ("patient_id", "a/P_00005", "patient_id must be the name of a file, without folders"),
        ("side", "B", "side must be one of L, R, got 'B'"),
        ("view", "top", "view must be one of CC, MLO"),
        ("abn_num", "0", "abn_num must be a whole number from 1 to 999, got '0'"),
        ("abn_num", "1", "abn_num must differ from that of row 2, got 1"),
        ("pathology", "UNPROVEN", "pathology must be one of MALIGNANT, BENIGN, BENIGN_WITHOUT"),
        ("type", "calcification", "type must be one of calc, mass, got 'calcification'"),
    ],
)
def test_a_lesion_that_is_not_understood_is_refused_by_its_row(tmp_path, column, cell, message):
    bad = ["P_00005", "RIGHT", "CC", 2, "MALIGNANT", "calc"]
    bad[LESIONS.index(column)] = cell
    root = write(tmp_path / "roi_mask_path.csv", LESIONS, [LESION_ROWS[0], bad])
    with pytest.raises(TableError, match=rf"roi_mask_path\.csv: 1 bad cells\n  row 3: {message}"):
        read(root)
    assert count_source("end2end", root).exit_code == 1


def test_the_column_of_patients_leaves_no_room_for_another_way(tmp_path):
    root = write(tmp_path / "roi_mask_path.csv", LESIONS, LESION_ROWS)
    with pytest.raises(ValueError, match="got the column patient_id and patient_pattern"):
        read(root, patient_pattern="(.*)")


# Which form.


def test_files_of_two_forms_or_of_none_are_an_error_until_one_is_chosen(tmp_path):
    with pytest.raises(ValueError, match=r"or a table of lesions .*, got none: .* form=FORM"):
        read(tmp_path)
    write(tmp_path / "roi_mask_path.csv", LESIONS, LESION_ROWS[:1])
    write_lists(tmp_path)
    with pytest.raises(ValueError, match="got lists and lesions: give another --root, or choose"):
        read(tmp_path)
    assert (len(read(tmp_path, form="lists")), len(read(tmp_path, form="lesions"))) == (4, 1)
    write_lists(tmp_path / "data")
    with pytest.raises(TableError, match="must hold lists itself or in its folder data, got both"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("lists", "must hold train, validation or test lists, got none"),
        ("folders", "must hold folders SPLIT/neg and SPLIT/pos, got none"),
        ("lesions", "must hold one table roi_mask_path, got 0"),
        ("port", "form must be one of auto, lists, folders, lesions, got 'port'"),
    ],
)
def test_a_form_that_is_not_there_is_an_error(tmp_path, form, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, form=form)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"masks": "m"}, "masks must be given with form folders or lesions only, got lists"),
        ({"unlisted": "drop"}, "unlisted must be given with form lesions only, got lists"),
        ({"form": "lesions", "label_column": "x"}, "label_column must be given with form lists"),
        (
            {"form": "lesions", "unlisted": "drop", "official_split": False},
            "unlisted must be refuse where official_split is false",
        ),
    ],
)
def test_an_option_that_would_do_nothing_is_an_error(tmp_path, options, message):
    write(tmp_path / "train.csv", ["mam", "label"], [["P_00005_RIGHT_CC.png", 1]])
    root = write(tmp_path / "roi_mask_path.csv", LESIONS, LESION_ROWS)
    with pytest.raises(ValueError, match=message):
        read(root, **({"form": "lists"} | options))


def test_an_unknown_task_or_option_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="must be some of malignant, breast_malignant, got N"):
        read(tmp_path, parse_tasks(["N:binary"]))
    with pytest.raises(ValueError, match="unlisted must be one of refuse, drop, train, val, test"):
        read(tmp_path, unlisted="keep")


def test_two_folders_of_one_split_are_an_error(tmp_path):
    write_folders(tmp_path, ["val/neg/P_1_L_CC.png", "validation/pos/P_2_L_CC.png"])
    with pytest.raises(TableError, match="must hold one folder of val, got val, validation"):
        read(tmp_path)


# With pictures.


def stretched(breast):
    """The size that the systems give every film, without its proportions."""
    return cv2.resize(breast, (112, 144), interpolation=cv2.INTER_CUBIC)


def padded(breast):
    """The height that the port gives every film, and zeros at both sides."""
    small = cv2.resize(breast, (72, 144), interpolation=cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(small, 0, 0, 20, 20, cv2.BORDER_CONSTANT, value=0)


def test_16_bit_png_and_npy_of_the_lists_are_prepared(tmp_path):
    breast = draw_breast((576, 448), top=60000)
    (tmp_path / "png").mkdir()
    cv2.imwrite(str(tmp_path / "png" / "P_1_LEFT_CC.png"), stretched(breast))
    cv2.imwrite(str(tmp_path / "png" / "P_1_LEFT_MLO.png"), padded(breast))
    np.save(tmp_path / "png" / "P_2_RIGHT_CC.npy", stretched(breast[:, ::-1]))
    summary = prepare_dataset("end2end", tmp_path / "out", write_lists(tmp_path))
    assert summary.rejected == {"png/Calc-Test_P_3_RIGHT_MLO_2.png": "file does not exist"}
    assert summary.doubts == {}
    sizes = {(r.laterality, r.view_position): r.geometry.source_size_hw for r in
             records_of(tmp_path / "out")}  # fmt: skip
    assert sizes == {("L", "CC"): (144, 112), ("L", "MLO"): (144, 112), ("R", "CC"): (144, 112)}


def test_the_masks_of_the_original_become_findings(tmp_path):
    breast = draw_breast((300, 200))
    mask = np.zeros(breast.shape, np.uint8)
    mask[140:160, 20:40] = 255
    for folder in ("full_img_png", "roi_mask_png"):
        (tmp_path / folder).mkdir()
    for name in ("P_00007_LEFT_CC", "P_00008_LEFT_CC"):
        cv2.imwrite(str(tmp_path / "full_img_png" / f"{name}.png"), breast)
    cv2.imwrite(str(tmp_path / "roi_mask_png" / "Calc-Training_P_00007_LEFT_CC_1.png"), mask)
    cv2.imwrite(str(tmp_path / "roi_mask_png" / "Mass-Test_P_00008_LEFT_CC_1.png"), mask)
    root = write(tmp_path / "roi_mask_path.csv", LESIONS, LESION_ROWS[3:])
    summary = prepare_dataset("end2end", tmp_path / "out", root, DatasetOptions())
    assert (summary.rejected, summary.doubts) == ({}, {})
    found = [r.findings[0] for r in records_of(tmp_path / "out")]
    assert sorted(finding.label for finding in found) == ["calcification", "mass"]
    assert {finding.malignant for finding in found} == {False}
    assert found[0].box[2] - found[0].box[0] == pytest.approx(20, abs=1)
