"""Tests of mammography/structures/annotation.py."""

import json

import pytest

from mammography.structures.annotation import (
    AnnotationError,
    Annotations,
    Finding,
    ImageRecord,
    read_annotations,
    write_annotations,
)
from mammography.structures.geometry import ImageGeometry
from mammography.structures.task import Task, parse_tasks
from mammography.terms import Laterality, Split, TaskKind, ViewPosition

ROW = {"img_path": "images/i1.png", "patient_id": "p1", "laterality": "L", "gt_label": {}}
FULL = ImageRecord(
    img_path="images/i1.png",
    patient_id="p1",
    exam_id="e1",
    image_id="i1",
    laterality=Laterality.LEFT,
    view_position=ViewPosition.CC,
    manufacturer="A",
    split=Split.TRAIN,
    size_hw=(20, 10),
    pixel_spacing_mm=(0.1, 0.1),
    gt_label={"malignant": 1.0},
    clinic_vars={"age_years": 61},
    findings=(Finding((1, 2, 3, 4), "mass", True, ((1, 2), (3, 2), (3, 4))),),
    geometry=ImageGeometry((100, 80), (1, 2, 3, 4)),
)


def test_a_record_survives_the_file(tmp_path):
    annotations = Annotations(parse_tasks(["malignant:binary"]), (FULL,), "phantom")
    write_annotations(tmp_path / "a.json", annotations)
    assert read_annotations(tmp_path / "a.json") == annotations
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_the_published_form_is_read_as_it_stands(tmp_path):
    rows = [
        {"img_path": "a.png", "gt_label": {"N": 1, "size": 0.765}, "clinic_vars": {"age": 50}},
        {"img_path": "b.png", "gt_label": {"N": 0, "grade": 2}, "clinic_vars": None},
    ]
    content = {"metainfo": {"tasks": ["N", "size", "grade"]}, "data_list": rows}
    (tmp_path / "a.json").write_text(json.dumps(content))
    annotations = read_annotations(tmp_path / "a.json")
    kinds = [task.kind for task in annotations.tasks.values()]
    assert kinds == [TaskKind.BINARY, TaskKind.REGRESSION, TaskKind.MULTICLASS]
    assert [r.gt_label for r in annotations.records] == [
        {"N": 1, "size": 0.765},
        {"N": 0, "grade": 2},
    ]
    assert annotations.records[0].clinic_vars == {"age": 50}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"laterality": "left"}, r"a.json: data_list\[0\]: laterality: 'left' is not a valid"),
        ({"pixel_spacing_mm": [0.1]}, "pixel_spacing_mm: not enough values"),
        ({"img_path": None}, "img_path must be a path, got None"),
        ({"colour": 1}, "unknown field colour"),
        ({"gt_label": {"malignant": 2}}, "label must be a class index from 0 to 1, got 2"),
        ({"gt_label": {"grade": 2}}, r"task grade is not in metainfo.tasks \(malignant\)"),
    ],
)
def test_says_which_row_is_wrong(tmp_path, change, message):
    content = {"metainfo": {"tasks": ["malignant"]}, "data_list": [ROW | change]}
    content["metainfo"]["task_specs"] = {"malignant": Task.parse("malignant:binary").to_json()}
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(AnnotationError, match=message):
        read_annotations(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "must be JSON"),
        ('{"metainfo": {}}', "data_list"),
        ('{"metainfo": [], "data_list": []}', "a.json: metainfo must be an object"),
        ('{"metainfo": {"level": "x"}, "data_list": []}', "a.json: 'x' is not a valid Level"),
    ],
)
def test_says_which_file_is_wrong(tmp_path, text, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(AnnotationError, match=message):
        read_annotations(tmp_path / "a.json")
    with pytest.raises(AnnotationError, match=r"run tools/prepare_dataset.py"):
        read_annotations(tmp_path / "b.json")
