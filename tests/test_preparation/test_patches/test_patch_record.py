import pytest

from mammography.preparation.patches.patch_record import COLUMNS, patch_record, table_row
from mammography.preparation.prepared_record import map_finding
from mammography.structures.annotation import Finding, ImageRecord
from mammography.structures.geometry import ImageGeometry
from mammography.terms import Laterality, Split

NOTE = {
    "name": "l0-3", "left": 40, "top": -5, "overlap": 0.93, "cutoff": 0.9, "crowded": False,
    "class": 3, "lesion": 0, "png_bytes": 99,
}  # fmt: skip


def source(**fields):
    values = {
        "patient_id": "p1", "exam_id": "e1", "image_id": "i1", "laterality": Laterality.RIGHT,
        "split": Split.VAL, "size_hw": (200, 100), "gt_label": {"malignant": 1.0},
        "clinic_vars": {"age_years": 60.0},
    }  # fmt: skip
    return ImageRecord("images/i1.png", **(values | fields))


def test_a_patch_keeps_its_patient_and_split_and_has_a_label_of_its_own():
    record = patch_record(source(), NOTE, (32, 32))
    assert record.img_path == "images/i1-l0-3.png"
    assert (record.patient_id, record.exam_id, record.split) == ("p1", "e1", Split.VAL)
    assert record.gt_label == {"lesion": 3.0}
    assert record.size_hw == (32, 32)


@pytest.mark.parametrize("flipped", [False, True])
def test_its_geometry_leads_back_to_the_source_of_the_image(flipped):
    """A lesion of the source lies where the image has it, less the corner of the patch."""
    geometry = ImageGeometry((900, 700), (100, 50, 500, 850), (0.25, 0.2), flipped, (20, 30))
    lesion = Finding((300.0, 200.0, 380.0, 300.0), "mass", True)
    in_image = map_finding(lesion, geometry)
    record = patch_record(source(geometry=geometry, findings=(in_image,)), NOTE, (900, 900))
    left, top, right, bottom = in_image.box
    assert record.geometry.to_prepared(lesion.box) == (left - 40, top + 5, right - 40, bottom + 5)
    assert record.findings[0].box == record.geometry.to_prepared(lesion.box)
    assert record.geometry.to_source(record.findings[0].box) == pytest.approx(lesion.box)


def test_without_a_geometry_it_leads_back_to_the_prepared_image():
    record = patch_record(source(geometry=None), NOTE, (32, 32))
    assert record.geometry.to_source((0, 0, 32, 32)) == (40, -5, 72, 27)


def test_only_the_part_of_a_finding_that_the_patch_shows_is_told():
    boxes = [(0.0, 0.0, 40.0, 9.0), (60.0, 20.0, 90.0, 40.0), (45.0, 27.0, 50.0, 60.0)]
    findings = tuple(Finding(box, "mass", True, ((box[:2]), (box[2:]))) for box in boxes)
    record = patch_record(source(findings=findings), NOTE, (32, 32))
    assert record.findings == (Finding((20.0, 25.0, 32.0, 32.0), "mass", True),)


def test_its_row_in_the_table_says_where_it_was_cut_and_why():
    row = dict(
        zip(COLUMNS, table_row(patch_record(source(), NOTE, (32, 48)), NOTE, "i1"), strict=True)
    )
    assert row == {
        "img_path": "images/i1-l0-3.png", "patient_id": "p1", "split": "val", "source_image": "i1",
        "left": 40, "top": -5, "right": 88, "bottom": 27, "class": "malignant_mass", "lesion": 0,
        "overlap": 0.93, "cutoff": 0.9, "crowded": 0,
    }  # fmt: skip
    note = NOTE | {"class": 0, "lesion": None, "cutoff": None}
    row = dict(
        zip(COLUMNS, table_row(patch_record(source(), note, (32, 48)), note, "i1"), strict=True)
    )
    assert (row["class"], row["lesion"], row["cutoff"]) == ("background", "", "")
