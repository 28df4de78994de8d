import json
import re
import stat
from pathlib import Path

import numpy as np
import pytest

from dicom_files import draw_breast, write_dicom
from mammography.preparation import jobs
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.image import PreparationOptions
from mammography.preparation.rejection import CRASHED
from mammography.preparation.sources import table
from mammography.preparation.study import DatasetOptions
from mammography.preparation.work.crew import Crew
from mammography.structures.annotation import read_annotations
from mammography.terms import Laterality, Split, ViewPosition
from table_study import (
    CELLS,
    IDENTITY,
    TASKS,
    image_of,
    output_bytes,
    read_rows,
    records_of,
    write_rows,
    write_table_study,
)


def test_a_source_becomes_images_and_annotations(tmp_path, prepare):
    summary = prepare(tmp_path / "study", source_options={"clinical": "age"})
    assert (summary.counts["images"], summary.rejected, summary.exit_code) == (8, {}, 0)
    annotations = read_annotations(tmp_path / "study" / "annotations" / "all.json")
    assert (annotations.source, list(annotations.tasks)) == ("study", ["malignant", "density"])
    for record in annotations.records:
        image = image_of(tmp_path / "study", record)
        assert image.dtype == np.uint16
        assert image.shape == record.size_hw
        assert re.fullmatch(r"images/i[0-9a-f]{16}\.png", record.img_path)
        assert (record.laterality, record.view_position) == (
            Laterality.LEFT,
            ViewPosition.MLO if record.clinic_vars["age"] % 2 else ViewPosition.CC,
        )
        assert record.split
    assert len({record.patient_id for record in annotations.records}) == 4
    assert len({record.exam_id for record in annotations.records}) == 4
    patients = [record.patient_id for record in annotations.records]
    assert patients == sorted(patients)


def test_every_image_is_in_the_file_of_its_split(tmp_path, prepare):
    out = tmp_path / "study"
    prepare(out, fractions={Split.TRAIN: 0.5, Split.TEST: 0.5})
    assert sorted(path.name for path in (out / "annotations").iterdir()) == [
        "all.json",
        "test.json",
        "train.json",
    ]
    parts = [records_of(out, "train"), records_of(out, "test")]
    assert sorted(r.image_id for r in records_of(out)) == sorted(
        r.image_id for p in parts for r in p
    )
    assert not {r.patient_id for r in parts[0]} & {r.patient_id for r in parts[1]}
    assert {len(part) for part in parts} == {4}


def test_two_runs_and_more_workers_give_the_same_bytes(tmp_path, prepare):
    prepare(tmp_path / "a" / "study")
    prepare(tmp_path / "b" / "study", workers=2)
    first, second = output_bytes(tmp_path / "a" / "study"), output_bytes(tmp_path / "b" / "study")
    assert first == second
    assert len([name for name in first if name.endswith(".png")]) == 8


def test_the_order_of_the_rows_changes_nothing(tmp_path, prepare, study):
    rows = read_rows(study / "table.csv")
    write_rows(study / "turned.tsv", rows[::-1])
    text = (study / "turned.tsv").read_text().replace(",", "\t")
    (study / "turned.tsv").write_text(text)
    options = {"fractions": {Split.TRAIN: 0.5, Split.TEST: 0.5}, "limit": 5}
    prepare(tmp_path / "a" / "study", root=study / "table.csv", **options)
    prepare(tmp_path / "b" / "study", root=study / "turned.tsv", **options)
    (study / "turned.tsv").unlink()
    assert output_bytes(tmp_path / "a" / "study") == output_bytes(tmp_path / "b" / "study")


def test_no_identity_of_header_or_table_reaches_an_output(tmp_path, prepare, study):
    bad = tmp_path / "bad.dcm"
    write_dicom(bad, draw_breast(), **IDENTITY | {"PhotometricInterpretation": "RGB"})
    rows = read_rows(study / "table.csv")
    write_rows(
        tmp_path / "t.csv",
        [row | {"path": str(study / row["path"])} for row in rows]
        + [rows[0] | {"path": "bad.dcm"}],
    )
    out = tmp_path / "study"
    prepare(out, root=tmp_path / "t.csv", source_options={"clinical": "age"})
    patients = {row["patient_id"] for row in rows}
    needles = [*IDENTITY.values(), *CELLS.values(), *patients, "Planted", "PLANTED", "scans/"]
    for name, content in output_bytes(out, times=True).items():
        owner_only = name in ("rejected.csv", "private/sources.csv")
        for needle in needles:
            if not owner_only:
                assert needle.encode() not in content, f"{needle} is in {name}"
    # Owner-only files hold paths and nothing else.
    assert read_rows(out / "rejected.csv") == [{"path": "bad.dcm", "reason": "colour image"}]
    with (out / "private" / "sources.csv").open() as file:
        assert file.readline() == "image_id,path\n"
    for name in ("rejected.csv", "private/sources.csv"):
        assert stat.S_IMODE((out / name).stat().st_mode) == 0o600


def test_a_png_has_no_chunk_that_could_hold_text_or_time(tmp_path, prepare):
    prepare(tmp_path / "study", limit=1)
    data = (tmp_path / "study" / records_of(tmp_path / "study")[0].img_path).read_bytes()
    names, place = [], 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4])
        names.append(data[place + 4 : place + 8])
        place += 12 + length
    assert set(names) == {b"IHDR", b"IDAT", b"IEND"}


def test_pseudonyms_do_not_depend_on_the_output_but_on_the_salt(tmp_path, prepare, study):
    prepare(tmp_path / "a")
    prepare(tmp_path / "b", limit=3)
    assert {r.image_id for r in records_of(tmp_path / "b")} < {
        r.image_id for r in records_of(tmp_path / "a")
    }
    chosen = DatasetOptions(tasks=TASKS, limit=3)
    prepare_dataset("table", tmp_path / "c", study, chosen)
    assert (tmp_path / "c" / "private" / "salt").exists()
    ids = {r.image_id for r in records_of(tmp_path / "c")}
    assert not ids & {r.image_id for r in records_of(tmp_path / "a")}


def test_a_public_source_gets_the_same_pseudonyms_without_a_salt_file(tmp_path, study, monkeypatch):
    monkeypatch.setattr(table, "PUBLIC", True, raising=False)
    for out in ("a", "b"):
        prepare_dataset("table", tmp_path / out / "study", study, DatasetOptions(limit=2))
    assert not (tmp_path / "a" / "study" / "private" / "salt").exists()
    assert output_bytes(tmp_path / "a" / "study") == output_bytes(tmp_path / "b" / "study")


@pytest.fixture
def study_with_bad_files(tmp_path):
    folder = write_table_study(tmp_path / "source", images=4)
    good = (folder / "scans" / "PLANTED-MRN-0_0.dcm").read_bytes()
    (folder / "text.dcm").write_text("no DICOM at all")
    (folder / "empty.dcm").write_bytes(b"")
    (folder / "cut.dcm").write_bytes(good[: len(good) // 2])
    write_dicom(folder / "header.dcm", draw_breast(), PixelData=None)
    write_dicom(folder / "black.dcm", np.zeros((300, 200), np.uint16), ImageLaterality="L")
    names = ["text.dcm", "empty.dcm", "cut.dcm", "header.dcm", "black.dcm", "nowhere.dcm"]
    rows = read_rows(folder / "table.csv")
    write_rows(folder / "table.csv", rows + [rows[0] | {"path": name} for name in names])
    return folder, names


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_bad_files_are_listed_with_their_reason_and_the_others_are_prepared(
    tmp_path, prepare, study_with_bad_files, workers
):
    folder, names = study_with_bad_files
    summary = prepare(tmp_path / "study", root=folder, workers=workers)
    assert summary.exit_code == 3
    listed = {row["path"]: row["reason"] for row in read_rows(tmp_path / "study" / "rejected.csv")}
    assert listed == summary.rejected
    assert set(listed) == set(names)
    assert listed["nowhere.dcm"] == "file does not exist"
    assert listed["text.dcm"] == "not a DICOM file"
    assert listed["header.dcm"] == "no pixel data"
    assert "truncated" in listed["cut.dcm"]
    assert str(summary).splitlines()[-1] == (
        f"{tmp_path / 'study'}: 4 prepared, 6 rejected: see {tmp_path / 'study' / 'rejected.csv'}"
    )
    prepared = json.loads((tmp_path / "study" / "prepared.json").read_text())
    assert sum(prepared["rejected"].values()) == 6
    assert (
        prepared["prepared"]["images"] == 4 == len(list((tmp_path / "study" / "images").iterdir()))
    )


def test_a_rejected_image_is_not_read_again_until_its_file_changes(
    tmp_path, prepare, study_with_bad_files
):
    folder, _ = study_with_bad_files
    prepare(tmp_path / "study", root=folder)
    again = prepare(tmp_path / "study", root=folder)
    assert (again.reused, len(again.rejected)) == (10, 6)
    good = (folder / "scans" / "PLANTED-MRN-0_0.dcm").read_bytes()
    (folder / "cut.dcm").write_bytes(good)
    mended = prepare(tmp_path / "study", root=folder)
    assert (mended.reused, len(mended.rejected), mended.counts["images"]) == (9, 5, 5)


def test_an_unknown_side_is_rejected_when_the_flip_needs_it(tmp_path, prepare):
    write_dicom(tmp_path / "a.dcm", draw_breast())
    write_dicom(tmp_path / "b.dcm", draw_breast(), ImageLaterality="L")
    rows = [
        {"path": f"{name}.dcm", "patient_id": "1", "malignant": 0, "density": "A"} for name in "ab"
    ]
    write_rows(tmp_path / "t.csv", rows)
    options = PreparationOptions(flip_to=Laterality.LEFT)
    summary = prepare(tmp_path / "study", root=tmp_path / "t.csv", preparation=options)
    assert (list(summary.rejected), summary.exit_code) == (["a.dcm"], 3)
    assert "laterality" in summary.rejected["a.dcm"]


def test_nothing_prepared_is_an_error_that_still_lists_the_reasons(tmp_path, prepare):
    write_rows(
        tmp_path / "t.csv", [{"path": "a", "patient_id": "1", "malignant": 0, "density": "A"}]
    )
    summary = prepare(tmp_path / "study", root=tmp_path / "t.csv")
    assert summary.exit_code == 1
    assert len(read_rows(tmp_path / "study" / "rejected.csv")) == 1


def test_an_error_that_nobody_foresaw_rejects_one_image_without_quoting_it(
    tmp_path, prepare, monkeypatch
):
    real = jobs.prepare_image

    def fail_once(path, *rest):
        if path.name.endswith("_3.dcm"):
            raise IndexError("header of Planted^Person")
        return real(path, *rest)

    monkeypatch.setattr(jobs, "prepare_image", fail_once)
    summary = prepare(tmp_path / "study")
    assert list(summary.rejected.values()) == ["unexpected IndexError"]
    assert summary.counts["images"] == 7


def test_an_image_that_ends_its_process_is_rejected(tmp_path, prepare, monkeypatch):
    def first_dies(self, work, items, bar, witnesses):
        for job in items[1:]:
            work(job)
        return [items[0]]

    monkeypatch.setattr(Crew, "for_each", first_dies)
    summary = prepare(tmp_path / "study")
    assert list(summary.rejected.values()) == [CRASHED]
    monkeypatch.undo()
    # It may have been the memory: the next run tries again.
    again = prepare(tmp_path / "study")
    assert (again.reused, again.rejected) == (7, {})


def test_a_finding_lies_on_the_same_tissue_after_crop_scale_and_flip(tmp_path, prepare, salt_file):
    pixels = draw_breast((400, 300), top=2000)
    pixels[180:220, 60:100] = 4000
    write_dicom(tmp_path / "a.dcm", pixels, ImageLaterality="L", ImagerPixelSpacing=[0.1, 0.1])
    finding = {"box": [60, 180, 100, 220], "label": "mass", "outline": [[60, 180], [100, 220]]}
    item = {"img_path": "a.dcm", "patient_id": "1", "gt_label": {}, "findings": [finding]}
    (tmp_path / "t.json").write_text(json.dumps({"data_list": [item]}))
    for name, options in {
        "plain": PreparationOptions(),
        "flipped": PreparationOptions(flip_to=Laterality.RIGHT),
        "scaled": PreparationOptions(flip_to=Laterality.RIGHT, spacing_mm=0.2),
        "sized": PreparationOptions(size_hw=(200, 120)),
    }.items():
        chosen = DatasetOptions(salt_file=salt_file, preparation=options)
        prepare_dataset("table", tmp_path / name, tmp_path / "t.json", chosen)
        (record,) = records_of(tmp_path / name)
        image = image_of(tmp_path / name, record)
        (found,) = record.findings
        left, top, right, bottom = (round(v) for v in found.box)
        bright = image > 0.75 * image.max()
        assert bright[top:bottom, left:right].mean() > 0.8, name
        assert bright.sum() < 1.3 * (bottom - top) * (right - left), name
        assert record.geometry.to_source(found.box) == pytest.approx((60, 180, 100, 220), abs=0.02)
        xs, ys = zip(*found.outline, strict=True)
        assert (min(xs), min(ys), max(xs), max(ys)) == pytest.approx(found.box, abs=0.01)


def test_a_finding_outside_of_the_crop_is_counted_and_told(tmp_path, prepare):
    write_dicom(tmp_path / "a.dcm", draw_breast((400, 300)), ImageLaterality="L")
    finding = {"box": [280, 380, 299, 399], "label": "mass"}
    item = {"img_path": "a.dcm", "patient_id": "1", "gt_label": {}, "findings": [finding]}
    (tmp_path / "t.json").write_text(json.dumps({"data_list": [item]}))
    summary = prepare_dataset("table", tmp_path / "study", tmp_path / "t.json")
    assert summary.counts["findings_cut"] == 1
    assert "findings that the crop cuts: 1" in str(summary)


def test_what_was_done_is_written_down_with_its_counts(tmp_path, prepare, study):
    rows = read_rows(study / "table.csv")
    rows = [row | {"path": str(study / row["path"]), "exam_id": row["view"]} for row in rows]
    write_rows(tmp_path / "t.csv", rows)
    prepare(tmp_path / "study", root=tmp_path / "t.csv")
    prepared = json.loads((tmp_path / "study" / "prepared.json").read_text())
    assert prepared["source"] == "study"
    assert prepared["converter"] == "table"
    assert {"mammography", "pydicom", "imagecodecs"} <= set(prepared["versions"])
    counts = prepared["prepared"]
    assert (counts["images"], counts["patients"], counts["exams"]) == (8, 4, 8)
    assert counts["laterality"] == {"L": 8}
    assert counts["view_position"] == {"CC": 4, "MLO": 4}
    assert counts["labels"]["malignant"] == {"0": 4, "1": 4, "missing": 0}
    assert sum(part["patients"] for part in counts["splits"].values()) == 4
    assert (prepared["preparation"]["voi"], prepared["seed"], prepared["cache"]) == (
        "auto",
        0,
        None,
    )
    times = prepared["timings"]
    assert times["images"] == 8
    assert times["images_per_second"] > 0
    assert list(times["seconds_per_image"]) == ["read", "prepare", "write"]
    spread = times["seconds_per_image"]["prepare"]
    assert 0 < spread["median"] <= spread["p95"] <= spread["max"] < times["seconds"] + 0.1
    again = prepare(tmp_path / "study", root=tmp_path / "t.csv")
    assert again.timings["images"] == 0
    assert again.timings["seconds_per_image"] == times["seconds_per_image"]


def test_a_patient_in_two_splits_of_the_source_is_refused(tmp_path, prepare, study):
    rows = read_rows(study / "table.csv")
    rows = [
        row | {"path": str(study / row["path"]), "split": s}
        for row, s in zip(rows, ["train", "test"] * 4, strict=True)
    ]
    write_rows(tmp_path / "t.csv", rows)
    with pytest.raises(ValueError, match="patients must be in one split only, got PLANTED-MRN-0"):
        prepare(tmp_path / "study", root=tmp_path / "t.csv")
    assert not (tmp_path / "study").exists()


def test_a_manufacturer_that_is_no_name_of_one_is_left_out_and_doubted(tmp_path, prepare):
    for name, maker in {
        "a": "HOLOGIC, Inc.",
        "b": "Planted^Person",
        "c": "seen 12.04.1956",
    }.items():
        tags = {"ImageLaterality": "L", "ViewPosition": "CC", "Manufacturer": maker}
        write_dicom(tmp_path / f"{name}.dcm", draw_breast(), **tags)
    row = {"patient_id": "1", "malignant": 0, "density": "A"}
    write_rows(tmp_path / "t.csv", [{"path": f"{name}.dcm"} | row for name in "abc"])
    summary = prepare(tmp_path / "study", root=tmp_path / "t.csv")
    assert summary.counts["manufacturer"] == {"HOLOGIC, Inc.": 1, "unknown": 2}
    doubts = read_rows(tmp_path / "study" / "doubts.csv")
    assert {row["path"] for row in doubts} == {"b.dcm", "c.dcm"}
    assert "prepared with doubts: 2: see" in str(summary)


@pytest.mark.parametrize("out", ["study", "study/images"])
def test_the_folder_of_the_source_is_not_written_into(tmp_path, prepare, out):
    folder = write_table_study(tmp_path / out, images=2)
    before = output_bytes(tmp_path / "study")
    with pytest.raises(ValueError, match="--out must be another folder than that of the source"):
        prepare_dataset("table", tmp_path / "study", folder)
    assert output_bytes(tmp_path / "study") == before


def test_numbers_that_make_no_sense_are_refused(tmp_path, prepare):
    with pytest.raises(ValueError, match="--limit must be at least 1, got 0"):
        prepare(tmp_path / "study", limit=0)
    with pytest.raises(ValueError, match="workers must be at least 0, got -1"):
        prepare(tmp_path / "study", workers=-1)


def test_a_path_that_no_file_can_have_rejects_one_image(tmp_path, prepare, study):
    rows = [row | {"path": str(study / row["path"])} for row in read_rows(study / "table.csv")[:2]]
    write_rows(tmp_path / "t.csv", [*rows, rows[0] | {"path": "x" * 300}])
    summary = prepare(tmp_path / "study", root=tmp_path / "t.csv")
    assert summary.rejected == {"x" * 300: "file does not exist"}
    assert summary.counts["images"] == 2


def test_the_name_of_the_table_is_told_to_nobody(tmp_path, prepare, study):
    table_name = "Planted_Person.csv"
    (study / table_name).write_bytes((study / "table.csv").read_bytes())
    options = {"table": table_name, "clinical": "age"}
    prepare(tmp_path / "study", source_options=options)
    (study / table_name).unlink()
    assert json.loads((tmp_path / "study" / "prepared.json").read_text())["converter_options"] == {
        "clinical": "age"
    }


def test_the_working_folder_has_a_name_as_well(tmp_path, prepare, monkeypatch):
    (tmp_path / "study").mkdir()
    monkeypatch.chdir(tmp_path / "study")
    prepare(Path(), limit=1)
    done = json.loads((tmp_path / "study" / "prepared.json").read_text())
    annotations = read_annotations(tmp_path / "study" / "annotations" / "all.json")
    assert (done["source"], annotations.source) == ("study", "study")
