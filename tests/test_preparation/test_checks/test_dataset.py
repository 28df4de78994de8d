"""Every fault that a prepared source can have is planted into a copy of one, and found."""

import json
import re
import shutil

import cv2
import numpy as np
import pytest

from mammography.preparation.checks.dataset import check_dataset
from mammography.terms import Laterality
from prepared_source import edit_image, edit_rows, rows_of, write_prepared_source


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return write_prepared_source(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def root(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "phantom")


def of(rows, **wanted):
    """Return the first row with some values."""
    return next(row for row in rows if wanted.items() <= row.items())


def change_one(root, wanted, /, **values):
    """Set fields of one image in every file; ``None`` removes one."""

    def change(row):
        row = row | values if row["image_id"] == wanted else row
        return {name: value for name, value in row.items() if value is not None}

    edit_rows(root, change)


def drop(root, row, name):
    edit_rows(root, lambda r: None if r["image_id"] == row["image_id"] else r, [name])


def edit_meta(root, name, change):
    path = root / "annotations" / f"{name}.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def finding(*box):
    return [{"box": list(box), "label": "mass"}]


def rewrite_image(root, row, encode):
    path = root / row["img_path"]
    path.write_bytes(encode(path.read_bytes()))


def write_eight_bits(root, row, channels=1):
    height, width = row["size_hw"]
    shape = (height, width, 3) if channels == 3 else (height, width)
    cv2.imwrite(str(root / row["img_path"]), np.full(shape, 7, np.uint8))


def copy_pixels(root, row, other):
    shutil.copy(root / row["img_path"], root / other["img_path"])
    change_one(root, other["image_id"], size_hw=row["size_hw"], findings=None)


def swap_sides(root, image_ids):
    other = {"L": "R", "R": "L"}
    edit_rows(
        root,
        lambda row: (
            row | {"laterality": other[row["laterality"]]} if row["image_id"] in image_ids else row
        ),
    )


def break_label(row):
    return row | {"gt_label": row["gt_label"] | {"density": 7.0}}


def share_patient(root, rows):
    train, test = of(rows, split="train"), of(rows, split="test")
    change_one(root, test["image_id"], patient_id=train["patient_id"])


def move_into_the_file_of_another_split(root, rows):
    row = of(rows, split="train")
    drop(root, row, "train")
    edit_meta(root, "val", lambda content: content["data_list"].append(row))


ERRORS = {
    "no JSON": (
        lambda root, _: (root / "annotations/all.json").write_text("{"),
        "annotations: all.json: must be JSON",
    ),
    "no file of all": (
        lambda root, _: (root / "annotations/all.json").unlink(),
        "annotations: all.json: does not exist",
    ),
    "a folder for a file": (
        lambda root, _: (
            (root / "annotations/val.json").unlink(),
            (root / "annotations/val.json").mkdir(),
        ),
        r"annotations: val.json: must be an annotation file \(IsADirectoryError\)",
    ),
    "no list": (
        lambda root, _: edit_meta(root, "all", lambda c: c.update(data_list=3)),
        "annotations: all.json: must be a dict with metainfo and data_list",
    ),
    "no dictionary of tasks": (
        lambda root, _: edit_meta(root, "all", lambda c: c.update(metainfo=[1])),
        "annotations: all.json: metainfo must be an object",
    ),
    "a row that is none": (
        lambda root, _: edit_meta(root, "all", lambda c: c["data_list"].append([3])),
        r"annotations: all.json: data_list\[24\]: must be the fields of an image",
    ),
    "an unknown field": (
        lambda root, rows: change_one(root, rows[0]["image_id"], colour="red"),
        r"annotations: all.json: data_list\[0\]: unknown field colour",
    ),
    "no image at all": (
        lambda root, _: edit_rows(root, lambda row: None),
        "annotations: all.json: lists no image",
    ),
    "label out of range": (
        lambda root, _: edit_rows(root, break_label, ["all"]),
        r"annotations: all.json: data_list\[5\]: task density: label must be a class index",
    ),
    "label of an unknown task": (
        lambda root, rows: change_one(root, rows[0]["image_id"], gt_label={"x": 1.0}),
        r"annotations: all.json: data_list\[0\]: task x is not in metainfo",
    ),
    "image of no split": (
        lambda root, rows: drop(root, of(rows, split="train"), "train"),
        "splits: all.json: image i.* is in the file of no split",
    ),
    "image of a split only": (
        lambda root, rows: drop(root, of(rows, split="val"), "all"),
        "splits: val.json: image i.* is not in all.json",
    ),
    "image in the file of another split": (
        move_into_the_file_of_another_split,
        "splits: val.json: image i.* says that its split is train",
    ),
    "file of a split is missing": (
        lambda root, _: (root / "annotations/test.json").unlink(),
        "splits: all.json: image i.* is in the file of no split",
    ),
    "image described in two ways": (
        lambda root, _: edit_rows(root, lambda row: row | {"manufacturer": "X"}, ["test"]),
        "splits: test.json: image i.* is described otherwise in all.json",
    ),
    "other tasks": (
        lambda root, _: edit_meta(root, "val", lambda c: c["metainfo"].update(level="image")),
        "splits: val.json: tasks or level are not those of all.json",
    ),
    "image listed twice": (
        lambda root, rows: edit_meta(root, "all", lambda c: c["data_list"].append(rows[0])),
        "identifiers: all.json: image_id i.* is listed 2 times",
    ),
    "PNG of two images": (
        lambda root, rows: change_one(root, rows[0]["image_id"], img_path=rows[1]["img_path"]),
        "identifiers: all.json: img_path images/.* is listed 2 times",
    ),
    "no identifier": (
        lambda root, rows: change_one(root, rows[0]["image_id"], image_id=None),
        r"identifiers: all.json: data_list\[0\]: image_id is missing",
    ),
    "preparation without end": (
        lambda root, _: (root / "prepared.json").unlink(),
        "account: prepared.json: is missing: the preparation did not end",
    ),
    "broken account": (
        lambda root, _: (root / "prepared.json").write_text("[]"),
        r"account: prepared.json: cannot be read",
    ),
    "other counts": (
        lambda root, rows: change_one(root, rows[0]["image_id"], manufacturer="X"),
        "account: prepared.json: counts differ from all.json: manufacturer",
    ),
    "image missing": (
        lambda root, rows: (root / rows[0]["img_path"]).unlink(),
        r"images: images/i.*\.png: is missing",
    ),
    "image cut short": (
        lambda root, rows: rewrite_image(root, rows[0], lambda data: data[: len(data) // 2]),
        "images: images/i.*: cannot be decoded .*cut short",
    ),
    "image damaged": (
        lambda root, rows: rewrite_image(
            root, rows[0], lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:]
        ),
        "images: images/i.*: cannot be decoded .*checksum",
    ),
    "image is text": (
        lambda root, rows: rewrite_image(root, rows[0], lambda _: b"a text"),
        "images: images/i.*: cannot be decoded .*must be a PNG",
    ),
    "a folder for an image": (
        lambda root, rows: (
            (root / rows[0]["img_path"]).unlink(),
            (root / rows[0]["img_path"]).mkdir(),
        ),
        r"images: images/i.*: cannot be read \(IsADirectoryError\)",
    ),
    "image of another size": (
        lambda root, rows: edit_image(root, rows[0], lambda pixels: pixels[:-1]),
        r"images: images/i.*: size_hw must be \[",
    ),
    "image of 8 bits": (
        lambda root, rows: write_eight_bits(root, rows[0]),
        "images: images/i.*: must be 16-bit grey, got uint8$",
    ),
    "image of three colours": (
        lambda root, rows: write_eight_bits(root, rows[0], channels=3),
        "images: images/i.*: must be 16-bit grey, got uint8 of 3 channels",
    ),
    "image without a breast": (
        lambda root, rows: edit_image(root, rows[0], np.zeros_like),
        "images: images/i.*: must show a breast, all its pixels are 0",
    ),
    "image outside of the source": (
        lambda root, rows: change_one(root, rows[0]["image_id"], img_path="images/../../x.png"),
        r"images: i.*: img_path must lie in the source, got images/\.\./\.\./x\.png",
    ),
    "patient in two splits": (share_patient, "patients: patient p.*: is in test and train"),
    "no patient": (
        lambda root, rows: change_one(root, rows[0]["image_id"], patient_id=None),
        "patients: i.*: patient_id is missing",
    ),
    "same pixels in two splits": (
        lambda root, rows: copy_pixels(
            root,
            of(rows, split="train", laterality="L"),
            of(rows, split="test", laterality="L"),
        ),
        "duplicates: i.*, i.*: have the same pixels, of 2 patients in test and train",
    ),
    "all sides swapped": (
        lambda root, rows: swap_sides(root, [row["image_id"] for row in rows]),
        "laterality: all.json: is not that of the picture in 24 of 24 images",
    ),
    "flips not noted": (
        lambda root, _: edit_rows(
            root, lambda row: row | {"geometry": row["geometry"] | {"flipped": True}}
        ),
        "laterality: all.json: is not that of the picture in 24 of 24 images",
    ),
    "finding outside of the image": (
        lambda root, rows: change_one(
            root, rows[0]["image_id"], findings=finding(5000, 5, 5010, 20)
        ),
        r"findings: i.*: findings\[0\]: box .* lies outside of the image",
    ),
    "corners of a box swapped": (
        lambda root, rows: change_one(root, rows[0]["image_id"], findings=finding(20, 5, 10, 20)),
        "findings: i.*: box must be left, top, right, bottom",
    ),
    "box of no numbers": (
        lambda root, rows: change_one(root, rows[0]["image_id"], findings=finding("a", 5, 10, 20)),
        r"annotations: all.json: data_list\[0\]: findings: could not convert string to float",
    ),
    "box without end": (
        lambda root, rows: change_one(
            root, rows[0]["image_id"], findings=finding(1, 5, float("inf"), 20)
        ),
        r"annotations: all.json: data_list\[0\]: findings: box and outline must be finite",
    ),
}
WARNINGS = {
    "same pixels in one split": (
        lambda root, rows: copy_pixels(
            root,
            of(rows, split="train", laterality="L", view_position="CC"),
            of(rows, split="train", laterality="L", view_position="MLO"),
        ),
        "duplicates: i.*, i.*: have the same pixels, of one patient in train",
    ),
    "one side wrong": (
        lambda root, rows: swap_sides(root, [of(rows, laterality="L")["image_id"]]),
        "laterality: i.*: laterality R needs the chest wall at the right, the picture .* left",
    ),
    "one image mirrored": (
        lambda root, rows: edit_image(
            root, of(rows, laterality="L"), lambda pixels: np.ascontiguousarray(pixels[:, ::-1])
        ),
        "laterality: i.*: laterality L needs the chest wall at the left, the picture .* right",
    ),
    "finding cut": (
        lambda root, rows: change_one(root, rows[0]["image_id"], findings=finding(-5, 5, 10, 20)),
        r"findings: i.*: findings\[0\]: the image cuts it",
    ),
    "image that nothing names": (
        lambda root, _: (root / "images" / "old.png").write_bytes(b""),
        "images: images/old.png: no annotation names it",
    ),
    "split of one class": (
        lambda root, _: edit_rows(
            root, lambda row: row | {"gt_label": row["gt_label"] | {"malignant": 0.0}}
        ),
        "labels: split val: malignant must have at least two classes in it, got 1",
    ),
}


def found(problems):
    return [f"{problem.check}: {problem}" for problem in problems]


def matches(text, problems):
    return [line for line in found(problems) if re.match(text, line)]


def test_a_sound_source_has_no_problem(root):
    report = check_dataset(root)
    assert found(report.problems) == []
    assert report.exit_code == 0
    assert report.counts["all"]["images"] == 24
    assert set(report.counts) == {"all", "train", "val", "test"}
    parts = [report.counts[name]["images"] for name in ("train", "val", "test")]
    assert sum(parts) == 24


@pytest.mark.parametrize("name", ERRORS)
def test_a_planted_fault_is_an_error(root, name):
    plant, text = ERRORS[name]
    plant(root, rows_of(root))
    report = check_dataset(root)
    assert matches(text, report.errors), found(report.problems)
    assert report.exit_code == 1


@pytest.mark.parametrize("name", WARNINGS)
def test_a_planted_oddity_is_a_warning(root, name):
    plant, text = WARNINGS[name]
    plant(root, rows_of(root))
    report = check_dataset(root)
    assert matches(text, report.warnings), found(report.problems)
    assert not matches(text, report.errors)
    # Counts that the plant changes are told as well.
    assert {problem.check for problem in report.errors} <= {"account"}


def test_one_fault_is_not_taken_for_others(root):
    rows = rows_of(root)
    (root / rows[0]["img_path"]).unlink()
    swap_sides(root, [rows[5]["image_id"]])
    problems = [p for p in check_dataset(root).problems if p.check != "account"]
    assert sorted(p.where for p in problems) == sorted([rows[0]["img_path"], rows[5]["image_id"]])


def test_all_bad_rows_are_told_at_once_and_the_others_are_checked(root):
    bad = {row["image_id"] for row in rows_of(root)[:3]}
    edit_rows(root, lambda row: break_label(row) if row["image_id"] in bad else row, ["all"])
    (root / rows_of(root)[8]["img_path"]).unlink()
    errors = check_dataset(root).errors
    assert sum(problem.check == "annotations" for problem in errors) == 3
    assert sum(problem.what == "is missing" for problem in errors) == 1


def test_flips_that_are_noted_are_no_fault(tmp_path):
    root = write_prepared_source(tmp_path, flip_to=Laterality.RIGHT)
    assert any(row["geometry"]["flipped"] for row in rows_of(root))
    assert found(check_dataset(root).problems) == []


def test_an_image_without_background_is_not_judged_by_its_side(root):
    row = of(rows_of(root), laterality="R")
    edit_image(root, row, lambda pixels: np.maximum(pixels, 1))
    assert found(check_dataset(root).problems) == []


def test_several_processes_find_the_same(root):
    rows = rows_of(root)
    rewrite_image(root, rows[0], lambda data: data[:-9])
    swap_sides(root, [rows[4]["image_id"]])
    copy_pixels(root, rows[8], rows[9])
    assert check_dataset(root, workers=2).problems == check_dataset(root).problems


def test_nothing_is_written(root):
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    check_dataset(root)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_a_folder_that_is_no_prepared_source_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be a prepared source with a folder"):
        check_dataset(tmp_path)
