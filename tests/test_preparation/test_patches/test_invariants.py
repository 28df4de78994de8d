"""What must hold for patches of any study, on phantoms; the slow test takes a thousand."""

import csv
import json
from collections import Counter, defaultdict

import numpy as np
import pytest

from mammography.functional.outlines import fill_outline
from mammography.functional.png16 import decode_png16
from mammography.preparation.checks.dataset import check_dataset
from mammography.preparation.patches.dataset import make_patches
from mammography.preparation.patches.lesion_classes import CLASSES
from mammography.preparation.patches.options import PatchOptions
from mammography.structures.annotation import read_annotations
from mammography.terms import Laterality
from phantoms import prepared_png_study
from prepared_source import write_prepared_source
from table_study import output_bytes

PATCH = 24
SIZE_HW = (128, 104)


@pytest.fixture(
    scope="module", params=[15, pytest.param(250, marks=pytest.mark.slow)], ids=lambda n: f"{4 * n}"
)
def study(request, tmp_path_factory):
    """A study of four phantoms per patient, and its patches."""
    root = tmp_path_factory.mktemp("study")
    source = prepared_png_study(
        root / "phantom", patients=request.param, size_hw=SIZE_HW, prevalence=0.5, seed=3,
        calcification_rate=0.5,
    )  # fmt: skip
    summary = make_patches(source, root / "set", PatchOptions("S10", (PATCH, PATCH)), workers=2)
    records = read_annotations(source / "annotations" / "all.json").records
    assert len(records) == 4 * request.param
    return source, summary, {record.image_id: record for record in records}


@pytest.fixture(scope="module")
def rows(study):
    with (study[1].out / "patches.csv").open(newline="") as file:
        return [
            row | {name: int(row[name]) for name in ("left", "top", "right", "bottom")}
            for row in csv.DictReader(file)
        ]


def masks(record):
    return [fill_outline(finding.outline, SIZE_HW) for finding in record.findings]


def overlap(mask, row):
    """Count pixels, without a table of sums."""
    common = mask[row["top"] : row["bottom"], row["left"] : row["right"]].sum()
    return max(common / mask.sum(), common / PATCH**2)


def test_overlaps_are_what_the_table_says_and_keep_to_the_rules(study, rows):
    known = {name: masks(record) for name, record in study[2].items()}
    for row in rows:
        overlaps = [overlap(mask, row) for mask in known[row["source_image"]]]
        if row["class"] == "background":
            assert max(overlaps) <= 0.35
            assert float(row["overlap"]) == pytest.approx(max(overlaps), abs=1e-4)
        else:
            own = overlaps[int(row["lesion"])]
            assert own >= float(row["cutoff"])
            assert float(row["overlap"]) == pytest.approx(own, abs=1e-4)
    cutoffs = Counter(float(row["cutoff"]) for row in rows if row["cutoff"])
    assert cutoffs[0.9] > 0.9 * sum(cutoffs.values())


def count_places(mask):
    """Count the patches whose centre lies in the box of a region, moved into the image."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    tops, lefts = (
        {min(max(i - PATCH // 2, 0), size - PATCH) for i in range(centres[0], centres[-1] + 1)}
        for centres, size in zip((rows, columns), SIZE_HW, strict=True)
    )
    return len(tops) * len(lefts)


def test_every_lesion_has_ten_patches_of_its_class_and_every_image_ten_of_background(study, rows):
    found = Counter((row["source_image"], row["lesion"], row["class"]) for row in rows)
    expected = {}
    for name, record in study[2].items():
        for number, (finding, mask) in enumerate(zip(record.findings, masks(record), strict=True)):
            word = "malignant" if finding.malignant else "benign"
            places = min(count_places(mask), 10)
            expected[name, str(number), f"{word}_{finding.label}"] = places
        if record.findings:
            expected[name, "", "background"] = 10
    assert found == expected
    short = sum(places < 10 for places in expected.values())
    assert study[1].rules.get("fewer places than patches", 0) == short < 0.02 * len(expected)


def test_every_class_is_there_in_a_large_study_in_every_split(study, rows):
    found = {(row["split"], row["class"]) for row in rows}
    assert {name for _, name in found} == set(CLASSES)
    if len(study[2]) >= 1000:
        assert found == {(split, name) for split in ("train", "val", "test") for name in CLASSES}


def test_no_patient_is_in_two_splits(study, rows):
    splits = defaultdict(set)
    for row in rows:
        splits[row["patient_id"]].add(row["split"])
        assert study[2][row["source_image"]].patient_id == row["patient_id"]
        assert study[2][row["source_image"]].split == row["split"]
    assert all(len(found) == 1 for found in splits.values())


def test_every_patch_is_cut_to_the_pixel_and_background_shows_breast(study, rows):
    source, summary, records = study
    images = {
        name: decode_png16((source / record.img_path).read_bytes())
        for name, record in records.items()
        if record.findings
    }
    for row in rows:
        patch = decode_png16((summary.out / row["img_path"]).read_bytes())
        image = images[row["source_image"]]
        assert (patch == image[row["top"] : row["bottom"], row["left"] : row["right"]]).all()
        if row["class"] == "background":
            assert (patch > 0).mean() >= 0.25


def test_the_check_of_prepared_sources_finds_no_error(study):
    assert [problem for problem in check_dataset(study[1].out).problems if problem.is_error] == []


def test_no_patch_is_cut_twice(rows):
    places = Counter((row["source_image"], row["lesion"], row["left"], row["top"]) for row in rows)
    assert set(places.values()) == {1}


def test_the_same_seed_gives_the_same_files(study, tmp_path):
    source, summary, _ = study
    again = make_patches(source, tmp_path / "set", PatchOptions("S10", (PATCH, PATCH)))
    first, second = output_bytes(summary.out), output_bytes(again.out)
    assert list(first) != []
    assert first == second
    other = make_patches(source, tmp_path / "s", PatchOptions("S10", (PATCH, PATCH), seed=9))
    digests = [np.frombuffer(output_bytes(x.out)["patches.csv"], np.uint8) for x in (again, other)]
    assert digests[0].size != digests[1].size or (digests[0] != digests[1]).any()


@pytest.mark.parametrize("flip_to", [None, Laterality.LEFT])
def test_places_lead_back_to_the_lesions_of_the_dicom_files(flip_to, tmp_path):
    """From files drawn with known lesions through preparation and patches, and back."""
    source = write_prepared_source(tmp_path, flip_to)
    truth = json.loads((tmp_path / "drawn" / "truth.json").read_text())["images"]
    known = np.array([lesion["box"] for image in truth for lesion in image["lesions"]])
    summary = make_patches(source, tmp_path / "set", PatchOptions("S10", (64, 64)))
    seen = set()
    for record in read_annotations(summary.out / "annotations" / "all.json").records:
        for finding in record.findings:
            if min(finding.box) > 0 and max(finding.box) < 64:  # Shown whole.
                off = np.abs(known - record.geometry.to_source(finding.box)).max(axis=1)
                assert off.min() < 0.02
                seen.add(int(off.argmin()))
    assert len(seen) > len(known) / 2
