import numpy as np
import pytest
from PIL import Image

from mammography.functional.png16 import encode_png16
from mammography.reports.contact_sheet import write_contact_sheet
from mammography.structures.annotation import (
    AnnotationError,
    Annotations,
    Finding,
    ImageRecord,
    write_annotations,
)
from mammography.structures.task import parse_tasks
from mammography.terms import Laterality, Split, ViewPosition

ORANGE, BLUE = (213, 94, 0), (86, 180, 233)


def write_study(folder, images=3, findings=()):
    (folder / "images").mkdir(parents=True)
    records = []
    for number in range(images):
        pixels = np.zeros((400, 200), np.uint16)
        pixels[40:360, :150] = np.linspace(1000, 2000, 150)
        (folder / "images" / f"i{number}.png").write_bytes(encode_png16(pixels))
        records.append(
            ImageRecord(
                f"images/i{number}.png",
                "p1",
                image_id=f"i{number}",
                laterality=Laterality.LEFT,
                view_position=ViewPosition.CC,
                split=Split.TRAIN,
                size_hw=(400, 200),
                gt_label={"malignant": 1.0} if number else {},
                findings=findings,
            )
        )
    tasks = parse_tasks(["malignant:binary", "size:regression"])
    path = folder / "annotations" / "all.json"
    write_annotations(path, Annotations(tasks, tuple(records), "study"))
    return path


def colours(path):
    return {colour for _, colour in Image.open(path).convert("RGB").getcolors(1 << 24)}


def test_a_sheet_has_as_many_columns_as_asked_for_and_no_more_than_images(tmp_path):
    annotations = write_study(tmp_path / "study")
    sizes = []
    for columns in (1, 2, 3, 9):
        assert write_contact_sheet(annotations, tmp_path / "s.png", columns=columns) == 3
        sizes.append(Image.open(tmp_path / "s.png").size)
    assert sizes[2] == sizes[3]
    assert sizes[0][1] > sizes[1][1] > sizes[2][1]


def test_the_limit_keeps_the_first_images(tmp_path):
    annotations = write_study(tmp_path / "study")
    assert write_contact_sheet(annotations, tmp_path / "s.png", limit=2) == 2


def test_images_are_stretched_from_black_to_white(tmp_path):
    write_contact_sheet(write_study(tmp_path / "study", 1), tmp_path / "s.png")
    picture = np.asarray(Image.open(tmp_path / "s.png").convert("L"))
    assert (picture == 0).any()
    assert len(np.unique(picture[200])) > 100


def test_boxes_are_drawn_only_when_asked_for_and_malignant_ones_in_another_colour(tmp_path):
    findings = (
        Finding((20, 100, 60, 140), "mass", True),
        Finding((20, 200, 60, 240), "mass", False),
    )
    annotations = write_study(tmp_path / "study", 1, findings)
    write_contact_sheet(annotations, tmp_path / "without.png")
    write_contact_sheet(annotations, tmp_path / "with.png", findings=True)
    assert not {ORANGE, BLUE} & colours(tmp_path / "without.png")
    assert {ORANGE, BLUE} <= colours(tmp_path / "with.png")


def test_a_box_lies_where_the_finding_is(tmp_path):
    annotations = write_study(tmp_path / "study", 1, (Finding((50, 100, 100, 200), "mass", True),))
    write_contact_sheet(annotations, tmp_path / "s.png", findings=True)
    pixels = np.asarray(Image.open(tmp_path / "s.png").convert("RGB")).astype(int)
    rows, columns = np.nonzero((abs(pixels - ORANGE) < 3).all(-1))
    # The tile is 340 high for an image of 400: 0.845, and the box 50 x 100.
    assert abs((rows.max() - rows.min()) / (columns.max() - columns.min()) - 2) < 0.15
    assert abs((rows.max() - rows.min()) - 0.845 * 100) < 5


def test_a_sheet_of_nothing_and_of_no_columns_is_refused(tmp_path):
    annotations = write_study(tmp_path / "study", 1)
    with pytest.raises(ValueError, match="columns must be at least 1, got 0"):
        write_contact_sheet(annotations, tmp_path / "s.png", columns=0)
    with pytest.raises(ValueError, match="must list at least one image"):
        write_contact_sheet(annotations, tmp_path / "s.png", limit=0)
    with pytest.raises(AnnotationError, match=r"run tools/prepare_dataset\.py to make it"):
        write_contact_sheet(tmp_path / "annotations" / "x.json", tmp_path / "s.png")


def test_a_missing_image_is_an_error_that_names_it(tmp_path):
    annotations = write_study(tmp_path / "study", 1)
    (tmp_path / "study" / "images" / "i0.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"i0\.png"):
        write_contact_sheet(annotations, tmp_path / "s.png")
