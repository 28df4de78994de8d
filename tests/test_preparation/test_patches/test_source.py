import json

import pytest

from mammography.preparation.patches.options import PatchOptions
from mammography.preparation.patches.source import (
    PUBLISHED_FRACTIONS,
    PatchSourceError,
    read_source,
)
from mammography.structures.annotation import Annotations, Finding, ImageRecord, write_annotations
from mammography.structures.task import parse_tasks
from mammography.terms import Split

TASKS = parse_tasks(["suspicious:binary", "density:ordinal=A,B,C,D"])
BOX = (1.0, 2.0, 30.0, 40.0)


def write(folder, *records):
    write_annotations(folder / "annotations" / "all.json", Annotations(TASKS, records, "study"))
    return folder


def record(number=0, findings=(), split=Split.TRAIN, **fields):
    values = {"patient_id": f"p{number}", "image_id": f"i{number}"} | fields
    return ImageRecord(f"images/i{number}.png", split=split, findings=tuple(findings), **values)


def mass(malignant=True):
    return Finding(BOX, "mass", malignant)


def test_splits_of_the_source_are_kept(tmp_path):
    rows = record(0, [mass()]), record(1, split=Split.TEST)
    source = read_source(write(tmp_path, *rows), PatchOptions())
    assert source.has_own_splits
    assert [row.split for row in source.annotations.records] == [Split.TRAIN, Split.TEST]
    assert [row.image_id for row in source.with_findings] == ["i0"]


def test_new_splits_have_the_published_shares_by_patient_and_share_out_cancer_evenly(tmp_path):
    rows = [
        record(i, [mass(patient % 4 == 0)], None, patient_id=f"p{patient}")
        for i in range(2000)
        for patient in [i // 2]
    ]
    source = read_source(write(tmp_path, *rows), PatchOptions(), PUBLISHED_FRACTIONS)
    assert not source.has_own_splits
    patients = {(row.patient_id, row.split) for row in source.annotations.records}
    ill = {f"p{patient}" for patient in range(0, 1000, 4)}
    assert len(patients) == 1000, "no patient may be in two splits"
    # 85 % of 1000, then 90 % of those.
    for split, count in {Split.TEST: 150, Split.VAL: 85, Split.TRAIN: 765}.items():
        members = {patient for patient, at in patients if at is split}
        assert len(members) == count
        assert len(members & ill) == pytest.approx(count / 4, abs=1)


def test_new_splits_do_not_depend_on_the_order_and_change_with_the_seed(tmp_path):
    rows = [record(i, [mass(i % 3 == 0)], None) for i in range(60)]

    def splits(folder, rows, seed=0):
        found = read_source(write(folder, *rows), PatchOptions(seed=seed), PUBLISHED_FRACTIONS)
        return {row.patient_id: row.split for row in found.annotations.records}

    first = splits(tmp_path / "a", rows)
    assert splits(tmp_path / "b", rows[::-1]) == first
    assert splits(tmp_path / "c", rows, seed=1) != first


def test_a_source_without_findings_is_refused(tmp_path):
    with pytest.raises(PatchSourceError, match=r"must have findings .* got none in 2 images"):
        read_source(write(tmp_path, record(0), record(1)), PatchOptions())


def test_findings_that_do_not_tell_whether_they_are_malignant_need_a_task(tmp_path):
    row = record(0, [mass(None)], gt_label={"suspicious": 1.0})
    folder = write(tmp_path, row)
    with pytest.raises(PatchSourceError, match=r"not known .* --malignant-from TASK .*suspicious"):
        read_source(folder, PatchOptions())
    with pytest.raises(
        PatchSourceError, match=r"must be a binary task \(suspicious\), got density"
    ):
        read_source(folder, PatchOptions(malignant_from="density"))
    read_source(folder, PatchOptions(malignant_from="suspicious"))


@pytest.mark.parametrize("splits", [(None, None), (Split.TRAIN, Split.VAL), (Split.TRAIN, None)])
def test_patients_without_one_split_are_refused(splits, tmp_path):
    rows = [record(i, [mass()], split, patient_id="p") for i, split in enumerate(splits)]
    with pytest.raises(PatchSourceError, match=r"must have one split, got p .*--splits"):
        read_source(write(tmp_path, *rows), PatchOptions())


@pytest.mark.parametrize("fields", [{"patient_id": None}, {"image_id": None}, {"image_id": "i1"}])
def test_records_that_cannot_be_told_apart_are_refused(fields, tmp_path):
    rows = record(0, [mass()], **fields), record(1, [mass()])
    with pytest.raises(PatchSourceError, match="every record must have an image_id of its own"):
        read_source(write(tmp_path, *rows), PatchOptions())


def test_a_source_that_is_not_there_says_how_to_make_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"all\.json does not exist: run tools/prepare"):
        read_source(tmp_path, PatchOptions())


def test_an_annotation_file_that_is_none_is_refused_by_its_own_error(tmp_path):
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "all.json").write_text(json.dumps({"data_list": [{}]}))
    with pytest.raises(ValueError, match="img_path must be a path"):
        read_source(tmp_path, PatchOptions())
