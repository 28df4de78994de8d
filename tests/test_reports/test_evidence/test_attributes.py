"""Cases are divided by what the annotation knows of their images."""

from collections import Counter
from dataclasses import replace

from invented_evidence import invent_images, write_invented
from mammography.reports.evidence.attributes import NOT_RECORDED
from mammography.reports.evidence.options import EvidenceOptions
from mammography.reports.evidence.study import read_study
from mammography.structures.annotation import read_annotations, write_annotations
from mammography.terms import Level


def groups(study):
    return {attribute.title: Counter(attribute.values) for attribute in study.attributes}


def test_every_breast_has_the_attributes_of_its_images(study):
    images = invent_images(150)[::2]
    found = groups(study)
    assert found["vendor"] == Counter(image["vendor"] for image in images)
    assert found["site"] == Counter(image["site"] for image in images)
    assert found["density"] == Counter("ABCD"[image["density"]] for image in images)
    assert found["side"] == {"L": 150, "R": 150}
    assert found["view"] == {"CC + MLO": 300}
    old = sum(image["age"] >= 80 for image in images)
    assert found["age"]["80 and above"] == old
    assert found["age"]["60 to 69"] == sum(60 <= image["age"] < 70 for image in images)


def test_ages_are_in_order_and_what_is_not_recorded_comes_last(invented, tmp_path):
    root = invented.root / "dataset" / "invented"
    known = read_annotations(root / "annotations" / "test.json")
    silent = [
        replace(row, clinic_vars={}) if row.patient_id == "p000003" else row
        for row in known.records
    ]
    write_annotations(tmp_path / "annotations" / "test.json", replace(known, records=tuple(silent)))
    study = read_study(invented.dumps, EvidenceOptions(data_root=tmp_path))
    (age,) = (one for one in study.attributes if one.title == "age")
    assert age.groups[0] == "below 40"
    assert age.groups[-2:] == ["80 and above", NOT_RECORDED]
    assert Counter(age.values)[NOT_RECORDED] == 2


def test_at_the_level_of_images_views_are_apart_and_at_that_of_patients_sides_are_none(invented):
    found = groups(read_study(invented.dumps[:1], EvidenceOptions(level=Level.IMAGE)))
    assert found["view"] == {"CC": 300, "MLO": 300}
    assert "side" not in groups(
        read_study(invented.dumps[:1], EvidenceOptions(level=Level.PATIENT))
    )


def test_without_the_annotation_file_it_is_said_and_views_are_still_known(tmp_path):
    (path,) = write_invented(tmp_path, 30, (0.5,)).dumps
    study = read_study([path], EvidenceOptions(data_root=tmp_path / "elsewhere"))
    assert "test.json was not found" in study.joined.note
    assert set(groups(study)) == {"view", "side"}
