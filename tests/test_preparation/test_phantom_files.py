import json

import pytest

from mammography.functional.phantom_study import PhantomStudy
from mammography.preparation.phantom_files import plan_files, write_study
from mammography.structures.annotation import read_annotations
from phantoms import prepared_png_study, write_phantom_study

SMALL = {"patients": 5, "seed": 7, "image_size_hw": (64, 52)}


def content(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("phantom")
    write_study(root, PhantomStudy(**SMALL), workers=1)
    return root


def test_workers_and_order_change_no_byte(tmp_path, written):
    study = PhantomStudy(**SMALL)
    for file in reversed(list(plan_files(study))):
        file.write(tmp_path)
    write_study(tmp_path, study, workers=2)
    assert content(tmp_path) == content(written)


def test_two_processes_draw_the_same_study_as_one(tmp_path):
    study = PhantomStudy(patients=5, image_size_hw=(32, 26))
    for workers in (1, 2):
        write_study(tmp_path / str(workers), study, workers)
    assert content(tmp_path / "1") == content(tmp_path / "2")


def test_interrupted_study_is_finished_without_redoing_what_is_there(tmp_path, written):
    study = PhantomStudy(**SMALL)
    files = list(plan_files(study))
    for file in files[:9]:
        file.write(tmp_path)
    before = {file.path: (tmp_path / file.path).stat().st_mtime_ns for file in files[:9]}
    write_study(tmp_path, study, workers=1)
    assert content(tmp_path) == content(written)
    after = {path: (tmp_path / path).stat().st_mtime_ns for path in before}
    assert after == before


def test_study_can_grow_and_keeps_its_images(tmp_path, written):
    write_study(tmp_path, PhantomStudy(**SMALL | {"patients": 2}), workers=1)
    few = content(tmp_path)
    write_study(tmp_path, PhantomStudy(**SMALL), workers=1)
    assert content(tmp_path) == content(written)
    assert {n for n in few if n.endswith(".dcm")} < set(content(written))


def test_folder_of_another_study_is_refused_with_its_options(written):
    other = PhantomStudy(**SMALL | {"prevalence": 0.5, "vendors": ("alpha",)})
    with pytest.raises(ValueError, match="got other vendors, prevalence") as error:
        write_study(written, other, workers=1)
    assert "vendors=alpha,beryl,cobalt,delta prevalence=0.3; give these options" in str(error.value)


def test_truth_lists_every_image_with_what_was_planted(written):
    truth = json.loads((written / "truth.json").read_text())
    assert truth["study"]["patients"] == 5
    files = {file.path: file for file in plan_files(PhantomStudy(**SMALL))}
    assert [row["path"] for row in truth["images"]] == list(files)
    for row in truth["images"]:
        file = files[row["path"]]
        breast = file.patient.breasts[file.laterality]
        assert (written / row["path"]).exists()
        assert row["malignant"] == float(breast.malignant)
        assert row["vendor"] == file.patient.vendor
        assert [x["size_mm"] for x in row["lesions"]] == [x.size_mm for x in breast.lesions]
        assert [x["malignant"] for x in row["lesions"]] == [x.malignant for x in breast.lesions]


def test_helper_writes_a_prepared_study_that_reads_back(tmp_path):
    import cv2

    root = prepared_png_study(tmp_path / "phantom", patients=8, prevalence=0.5)
    parts = {s: read_annotations(root / f"annotations/{s}.json") for s in ("train", "val", "test")}
    everything = read_annotations(root / "annotations/all.json")
    assert sum(len(part.records) for part in parts.values()) == len(everything.records) == 32
    patients = [{r.patient_id for r in part.records} for part in parts.values()]
    assert not set.intersection(*patients)
    for part in parts.values():
        assert {r.gt_label["malignant"] for r in part.records} == {0.0, 1.0}
    for record in everything.records:
        pixels = cv2.imread(str(root / record.img_path), cv2.IMREAD_UNCHANGED)
        assert pixels.dtype == "uint16"
        assert pixels.shape == record.size_hw
        assert pixels[-1, -1] == pixels[0, -1] == 0
        assert pixels[64, :10].min() > 0
        for finding in record.findings:
            left, top, right, bottom = map(round, finding.box)
            assert pixels[top:bottom, left:right].min() > 0


def test_helper_writes_dicom_studies(tmp_path):
    files = write_phantom_study(tmp_path, patients=2, size_hw=(64, 52))
    assert all((tmp_path / file.path).exists() for file in files)
    assert 7 <= len(files) <= 8
