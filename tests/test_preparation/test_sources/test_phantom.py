import re
from collections import Counter
from pathlib import Path

import pydicom
import pytest

from mammography.functional.phantom_study import PhantomStudy
from mammography.preparation.converters import find_converter
from mammography.preparation.phantom_files import plan_files
from mammography.preparation.sources.phantom import DEFAULT_TASKS, read_records
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import parse_tasks

TASKS = parse_tasks(DEFAULT_TASKS)
SMALL = {"patients": 6, "seed": 2, "image_size_hw": (64, 52), "prevalence": 0.5, "workers": 1}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tmp_path_factory.mktemp("phantom")
    return root, list(read_records(root, TASKS, **SMALL))


def test_every_file_has_its_record_and_the_header_agrees(study):
    root, records = study
    assert {r.img_path for r in records} == {
        p.relative_to(root).as_posix() for p in root.rglob("*.dcm")
    }
    for record in records:
        header = pydicom.dcmread(root / record.img_path, stop_before_pixels=True)
        assert header.PatientID == record.patient_id
        assert header.StudyInstanceUID == record.exam_id
        assert header.ImageLaterality == record.laterality
        assert header.ViewPosition == record.view_position
        assert header.Manufacturer == record.manufacturer
        assert int(header.PatientAge[:3]) == record.clinic_vars["age_years"]
        for finding in record.findings:
            left, top, right, bottom = finding.box
            assert 0 <= left < right <= header.Columns
            assert 0 <= top < bottom <= header.Rows


def test_labels_agree_between_the_views_of_a_breast(study):
    breasts = {}
    for record in study[1]:
        found = sorted((f.label, f.malignant) for f in record.findings)
        value = (record.gt_label, found)
        assert breasts.setdefault((record.patient_id, record.laterality), value) == value
    assert len(breasts) == 12


def test_labels_agree_with_the_findings(study):
    for record in study[1]:
        assert record.gt_label["malignant"] == any(f.malignant for f in record.findings)
        has_mass = any(f.label == "mass" for f in record.findings)
        assert ("mass_size_mm" in record.gt_label) == has_mass
        for name, label in record.gt_label.items():
            TASKS[name].check(label)


def test_box_is_that_of_the_outline(study):
    for record in study[1]:
        for finding in record.findings:
            x, y = zip(*finding.outline, strict=True)
            assert finding.box == (min(x), min(y), max(x), max(y))


def test_records_survive_the_annotation_file(study):
    for record in study[1]:
        assert ImageRecord.from_json(record.to_json(), "here") == record


def test_reading_again_draws_nothing(study):
    root, records = study
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*.dcm")}
    assert list(read_records(root, TASKS, **SMALL)) == records
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*.dcm")} == before


def test_classes_follow_the_task_that_is_asked_for(study):
    root, records = study
    tasks = parse_tasks(["density:ordinal=D,C,B,A", "age_years:regression"])
    for one, other in zip(read_records(root, tasks, **SMALL), records, strict=True):
        assert one.gt_label["density"] == 3 - other.gt_label["density"]
        assert one.gt_label["age_years"] == other.clinic_vars["age_years"]


def test_unknown_task_is_refused_before_anything_is_drawn(tmp_path):
    with pytest.raises(ValueError, match=r"tasks must be some of malignant, .* got survival"):
        read_records(tmp_path / "new", parse_tasks(["survival:binary"]), **SMALL)
    assert not (tmp_path / "new").exists()


def test_options_come_as_text_from_the_command_line(tmp_path):
    options = {"patients": "2", "image_size_hw": "64,52", "vendors": "beryl", "workers": "1"}
    converter = find_converter("phantom")
    records = list(converter.read_records(tmp_path, TASKS, options))
    assert {record.manufacturer for record in records} == {"Beryl Medical Systems"}
    assert converter.is_public
    assert parse_tasks(converter.module.DEFAULT_TASKS) == TASKS


@pytest.mark.parametrize("size", [("64",), ("64", "wide"), ("1", "2", "3")])
def test_image_size_that_is_no_pair_is_refused(tmp_path, size):
    with pytest.raises(ValueError, match="image_size_hw must be two numbers, HEIGHT,WIDTH"):
        read_records(tmp_path, TASKS, image_size_hw=size)


def test_card_gives_the_counts_of_the_default_study():
    card = Path(__file__).parents[3] / "dataset/phantom/README.md"
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", card.read_text(), re.MULTILINE))
    files = list(plan_files(PhantomStudy()))
    labels = [file.patient.labels(file.laterality) for file in files]
    ill = sum(label["malignant"] for label in labels)
    assert rows["patients, images"] == f"60, {len(files)}"
    assert rows["images with `malignant` 1"].startswith(f"{ill:.0f} ")
    assert rows["images with `mass_size_mm`"] == str(sum("mass_size_mm" in x for x in labels))
    for name, classes in (("density", "ABCD"), ("birads", "12345")):
        counts = Counter(label[name] for label in labels)
        title = f"{name if name == 'density' else 'BI-RADS'} {', '.join(classes)}"
        assert rows[title] == ", ".join(str(counts[k]) for k in classes)
