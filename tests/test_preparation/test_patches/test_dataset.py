"""The whole set: files, annotations, table and account, once and again."""

import csv
import json
import shutil
from collections import Counter

import numpy as np
import pytest

from mammography.functional.png16 import decode_png16, encode_png16
from mammography.preparation.patches.dataset import make_patches
from mammography.preparation.patches.lesion_classes import CLASSES
from mammography.preparation.patches.options import PatchOptions
from mammography.preparation.patches.source import PUBLISHED_FRACTIONS
from mammography.preparation.work.journal import read_journal
from mammography.structures.annotation import read_annotations
from mammography.terms import Level, Split
from phantoms import prepared_png_study
from prepared_source import edit_rows
from table_study import output_bytes

OPTIONS = PatchOptions("S10", (16, 16))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Images whose shape the phantoms have, and in which every pixel has a value of its own."""
    root = prepared_png_study(
        tmp_path_factory.mktemp("study") / "phantom", patients=8, size_hw=(96, 78)
    )
    for number, path in enumerate(sorted((root / "images").glob("*.png"))):
        pixels = decode_png16(path.read_bytes())
        own = np.arange(1, pixels.size + 1).reshape(pixels.shape) + 97 * number
        path.write_bytes(encode_png16(np.where(pixels > 0, own, 0).astype(np.uint16)))
    return root


@pytest.fixture(scope="module")
def patches(source, tmp_path_factory):
    out = tmp_path_factory.mktemp("patches") / "set"
    return make_patches(source, out, OPTIONS)


def rows(summary):
    with (summary.out / "patches.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def pixels(summary, path):
    return decode_png16((summary.out / path).read_bytes())


def test_annotations_table_files_and_account_tell_the_same(patches):
    table = rows(patches)
    whole = read_annotations(patches.out / "annotations" / "all.json")
    assert whole.level is Level.PATCH
    assert whole.tasks["lesion"].classes == CLASSES
    assert [record.img_path for record in whole.records] == [row["img_path"] for row in table]
    assert {p.relative_to(patches.out).as_posix() for p in patches.out.glob("images/*")} == {
        row["img_path"] for row in table
    }
    by_split = {
        split: Counter(row["class"] for row in table if row["split"] == split)
        for split in ("train", "val", "test")
    }
    account = json.loads((patches.out / "prepared.json").read_text())
    assert {s: part["classes"] for s, part in account["patches"].items()} == {
        split: {name: found[name] for name in CLASSES} for split, found in by_split.items()
    }
    assert account["options"]["patch_set"] == "S10"
    for split in Split:
        part = read_annotations(patches.out / "annotations" / f"{split}.json").records
        assert {record.split for record in part} == {split}


def test_every_pixel_of_every_patch_is_that_of_its_box_in_its_image(patches, source):
    images = {
        record.image_id: decode_png16((source / record.img_path).read_bytes())
        for record in read_annotations(source / "annotations" / "all.json").records
    }
    for row in rows(patches):
        left, top, right, bottom = (int(row[n]) for n in ("left", "top", "right", "bottom"))
        cut = images[row["source_image"]][top:bottom, left:right]
        assert (pixels(patches, row["img_path"]) == cut).all()


def test_the_account_adds_up(patches, source):
    account = json.loads((patches.out / "prepared.json").read_text())
    whole = read_annotations(source / "annotations" / "all.json").records
    findings = account["findings"]
    assert findings["of the source"] == sum(len(record.findings) for record in whole)
    left_out = sum(findings["left out"].values())
    assert findings["with patches"] + left_out == findings["of the source"]
    lesions = Counter((r["source_image"], r["lesion"]) for r in rows(patches) if r["lesion"])
    assert len(lesions) == findings["with patches"]
    background = Counter(row["source_image"] for row in rows(patches) if not row["lesion"])
    assert sum(lesions.values()) + sum(background.values()) == patches.total
    assert account["images"] == {
        "of the source": len(whole),
        "without a finding": sum(not record.findings for record in whole),
        "with patches": len(background),
    }


def test_the_same_seed_gives_the_same_bytes_with_workers_and_another_seed_others(
    patches, source, tmp_path
):
    first = output_bytes(patches.out, times=False)
    again = make_patches(source, tmp_path / "set", OPTIONS, workers=2)
    assert output_bytes(again.out) == first
    other = make_patches(source, tmp_path / "other", PatchOptions("S10", (16, 16), seed=1))
    assert output_bytes(other.out)["patches.csv"] != first["patches.csv"]


def test_a_second_call_does_nothing_again_and_what_is_lost_is_made_anew(patches, source, tmp_path):
    out = tmp_path / "set"
    shutil.copytree(patches.out, out)
    images = {row["source_image"] for row in rows(patches)}
    assert make_patches(source, out, OPTIONS).reused == len(images)
    (out / rows(patches)[5]["img_path"]).unlink()
    assert make_patches(source, out, OPTIONS).reused == len(images) - 1
    assert output_bytes(out) == output_bytes(patches.out)


def test_what_changed_is_done_again_and_leftovers_are_counted(patches, source, tmp_path):
    out = tmp_path / "set"
    shutil.copytree(patches.out, out)
    fewer = make_patches(source, out, PatchOptions("S", (16, 16)))
    assert fewer.reused == 0
    assert fewer.stale == patches.total - fewer.total
    assert "PNG files without annotation, of earlier runs" in str(fewer)


def test_a_damaged_image_is_rejected_and_counted(source, tmp_path):
    damaged = tmp_path / "phantom"
    shutil.copytree(source, damaged)
    lost = read_annotations(damaged / "annotations" / "all.json").records
    lost = [record for record in lost if record.findings][:3]
    (damaged / lost[0].img_path).write_bytes(b"no PNG")
    (damaged / lost[1].img_path).unlink()
    (damaged / lost[2].img_path).write_bytes(encode_png16(np.ones((40, 40), np.uint16)))
    summary = make_patches(damaged, tmp_path / "set", OPTIONS)
    assert sorted(summary.rejected.values()) == [
        "PNG cannot be decoded",
        "PNG has another size than its annotation says",
        "file does not exist",
    ]
    assert summary.exit_code == 3
    assert "3 images rejected: see" in str(summary)


def test_new_splits_come_with_those_of_the_whole_images(source, tmp_path):
    summary = make_patches(source, tmp_path / "set", OPTIONS, PUBLISHED_FRACTIONS)
    of_patient = {}
    for folder in ("annotations", "whole_images"):
        for record in read_annotations(summary.out / folder / "all.json").records:
            of_patient.setdefault(record.patient_id, set()).add(record.split)
    assert all(len(splits) == 1 for splits in of_patient.values())
    assert len(of_patient) == 8
    old = read_annotations(source / "annotations" / "all.json").records
    new = read_annotations(summary.out / "whole_images" / "all.json").records
    assert [record.img_path for record in new] == [record.img_path for record in old]
    assert [record.split for record in new] != [record.split for record in old]
    make_patches(source, summary.out, OPTIONS)
    assert not list((summary.out / "whole_images").glob("*.json")), "they would mislead"


def test_a_source_whose_findings_all_lie_in_the_air_gives_no_patch(source, tmp_path):
    empty = tmp_path / "phantom"
    shutil.copytree(source, empty)

    def into_the_air(row):
        for finding in row.get("findings", ()):
            finding |= {"box": [74.0, 1.0, 77.0, 4.0], "outline": []}
        return row

    edit_rows(empty, into_the_air)
    summary = make_patches(empty, tmp_path / "set", OPTIONS)
    assert summary.exit_code == 1
    assert set(summary.left_out) <= {
        "outside of the breast",
        "the same region of the same class again",
    }


def test_the_folder_of_the_source_is_refused(source):
    with pytest.raises(ValueError, match="--out must be another folder than that of the source"):
        make_patches(source, source, OPTIONS)


def test_the_journal_has_one_line_per_image_with_findings(patches, source):
    entries, run = read_journal(patches.out / ".journal")
    with_findings = read_annotations(source / "annotations" / "all.json").records
    assert set(entries) == {record.image_id for record in with_findings if record.findings}
    assert run == 1
