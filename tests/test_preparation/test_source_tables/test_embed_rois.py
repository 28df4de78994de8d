"""The boxes of EMBED: read, and moved into the pixels of the files."""

import numpy as np
import pytest

from dicom_files import draw_breast, write_dicom
from mammography.preparation.cells import CellError
from mammography.preparation.source_tables.embed_rois import read_rois, to_dicom


@pytest.mark.parametrize(
    ("written", "boxes"),
    [
        ("()", ()),
        ("[]", ()),
        ("((1365, 272, 1610, 508),)", ((272, 1365, 508, 1610),)),
        ("[[[1165, 822, 1294, 1000]]]", ((822, 1165, 1000, 1294),)),
        ("([5, 1, 9, 4], (7, 2, 9, 5))", ((1, 5, 4, 9), (2, 7, 5, 9))),
    ],
)  # fmt: skip
def test_marks_are_read_however_they_are_nested(written, boxes):
    assert read_rois(written) == boxes


@pytest.mark.parametrize(
    "written",
    ["[[1, 2, 3]]", "[[5, 5, 5, 9]]", "[['1', '2', '3', '4']]", "f(x)", "[[1,2,3,4]", "[True]"],
)
def test_a_mark_that_is_no_box_is_refused(written):
    with pytest.raises(CellError, match=r"be a list of \[ymin, xmin, ymax, xmax\]"):
        read_rois(written)


@pytest.mark.parametrize(
    ("columns", "png", "dicom"),
    # Of the publishers' notebook NUS_roi_reference, which shows both for the same image.
    [
        (2560, "[[1165, 822, 1294, 1000]]", "[[1165, 1560, 1294, 1738]]"),
        (1996, "[[2, 0, 666, 374]]", "[[2, 1622, 666, 1996]]"),
    ],
)
def test_a_mark_on_a_mirrored_image_is_where_the_publishers_have_it(tmp_path, columns, png, dicom):
    tags = {"PatientOrientation": ["P", "L"], "ViewPosition": "CC", "ImageLaterality": "R"}
    file = write_dicom(tmp_path / "a.dcm", np.zeros((8, columns), np.uint16), **tags)
    assert to_dicom(read_rois(png), file) == read_rois(dicom)


@pytest.mark.parametrize(
    ("orientation", "view", "side", "mirrored"),
    [
        (["P", "L"], "CC", "R", True),
        (["P", "FR"], "MLO", "L", True),
        (["A", "R"], "CC", "L", False),
        (["A", "L"], "ML", "R", False),
        (["P", "L"], "XCCL", "R", False),
        (None, "CC", "R", True),
        (None, "MLO", "L", False),
        (None, "XCCL", "R", False),
    ],
)
def test_the_header_says_whether_the_publishers_mirrored(
    tmp_path, orientation, view, side, mirrored
):
    tags = {"ViewPosition": view, "ImageLaterality": side}
    tags |= {"PatientOrientation": orientation} if orientation else {}
    file = write_dicom(tmp_path / "a.dcm", draw_breast(), **tags)  # 200 columns.
    expected = (150, 5, 190, 50) if mirrored else (10, 5, 50, 50)
    assert to_dicom([(10, 5, 50, 50)], file) == (expected,)
