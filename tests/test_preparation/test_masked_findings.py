"""From masks in files to findings on prepared images, through runs that are killed and redone."""

import os
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from dicom_files import draw_breast, write_dicom
from mammography.functional.outlines import fill_outline
from mammography.preparation import finding_masks
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.finding_masks import ABSENT
from mammography.preparation.image import PreparationOptions
from mammography.preparation.source_record import FindingMask, SourceRecord
from mammography.preparation.sources import table
from mammography.preparation.study import DatasetOptions
from mammography.preparation.work.journal import Journal
from mammography.structures.annotation import Finding
from mammography.terms import Laterality
from table_study import image_of, output_bytes, read_rows, records_of

SIZE = (900, 700)
VALUE = 4000  # Of the lesion; the tissue is darker by far.


def draw_lesion(size_hw=SIZE, at=(200, 480), radius=70):
    """A mask of a lobed lesion of some 140 pixels, off the middle in both directions."""
    y, x = np.mgrid[: size_hw[0], : size_hw[1]] + 0.5
    angle = np.arctan2(y - at[1], x - at[0])
    reach = radius * (1 + 0.25 * np.sin(3 * angle + 1) + 0.1 * np.sin(7 * angle))
    return np.hypot(x - at[0], y - at[1]) < reach


@pytest.fixture
def source(tmp_path):
    """A folder with images that show their lesions, the masks, and the records of both."""
    folder = tmp_path / "source"
    folder.mkdir()
    records = []
    for number in range(4):
        lesions = [draw_lesion(), draw_lesion(at=(120, 330), radius=30)]
        pixels = draw_breast(SIZE, top=1500)
        for name, mask in zip("ab", lesions, strict=True):
            pixels[mask] = VALUE
            cv2.imwrite(str(folder / f"{number}{name}.png"), 255 * mask.astype(np.uint8))
        tags = {"ImageLaterality": "L", "ViewPosition": "CC", "ImagerPixelSpacing": [0.1, 0.1]}
        write_dicom(folder / f"{number}.dcm", pixels, **tags)
        masks = (
            FindingMask(f"{number}a.png", "mass", malignant=True),
            FindingMask(f"{number}b.png", "calcification", malignant=False),
        )
        records.append(SourceRecord(f"{number}.dcm", patient_id=str(number), masks=masks))
    (folder / "table.csv").touch()
    return folder, records


@pytest.fixture
def prepare(source, salt_file, monkeypatch, tmp_path):
    """Prepare the source, in folders of the same name so that all their bytes compare."""

    def run(place="a", root=None, records=None, preparation=None, **options):
        def read_records(root, tasks, *, table=""):
            return iter(records or source[1])

        monkeypatch.setattr(table, "read_records", read_records)
        monkeypatch.setattr(table, "find_tasks", lambda root, table="": {})
        chosen = DatasetOptions(
            salt_file=salt_file, preparation=preparation or PreparationOptions()
        )
        out = tmp_path / place / "study"
        return prepare_dataset("table", out, root or source[0], chosen, **options)

    return run


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


def edges(mask):
    ys, xs = np.nonzero(mask)
    return xs.min(), ys.min(), xs.max() + 1, ys.max() + 1


def prepare_mask(mask, record):
    """A mask cropped, scaled, mirrored and padded as the geometry of its image says."""
    geometry, (height, width) = record.geometry, record.size_hw
    left, top, right, bottom = geometry.crop_box
    part = mask[top:bottom, left:right].astype(np.float32)
    scale_y, scale_x = geometry.scale_hw
    size = (round(part.shape[1] * scale_x), round(part.shape[0] * scale_y))
    part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    part = part[:, ::-1] if geometry.flipped else part
    (above, beside), canvas = geometry.offset_hw, np.zeros((height, width), np.float32)
    canvas[above : above + part.shape[0], beside : beside + part.shape[1]] = part
    return canvas > 0.5


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"flip_to": Laterality.RIGHT},
        {"margin_px": 0, "spacing_mm": 0.15, "flip_to": Laterality.RIGHT},
        {"spacing_mm": 0.08},
        {"size_hw": (500, 450)},
        {"size_hw": (450, 500), "flip_to": Laterality.RIGHT},
    ],
)
def test_an_outline_lies_on_the_prepared_image_where_its_mask_lies(tmp_path, prepare, options):
    prepare(preparation=PreparationOptions(voi="none", **options))
    record = records_of(tmp_path / "a" / "study")[0]
    mass, calcification = record.findings
    assert (mass.label, mass.malignant) == ("mass", True)
    assert (calcification.label, calcification.malignant) == ("calcification", False)
    filled = fill_outline(mass.outline, record.size_hw)
    expected = prepare_mask(draw_lesion(), record)
    assert overlap(filled, expected) > 0.98
    assert mass.box == pytest.approx(edges(expected), abs=0.75)
    assert record.geometry.to_source(mass.box) == pytest.approx(edges(draw_lesion()), abs=0.02)
    assert record.geometry.crop_box[1] > 50  # Without a crop its place would prove nothing.
    # The lesions shine in the image itself.
    image = image_of(tmp_path / "a" / "study", record)
    shown = image > 0.6 * image.max()
    both = filled | fill_outline(calcification.outline, record.size_hw)
    assert overlap(shown, both) > 0.97


def test_the_findings_of_masks_follow_those_of_the_source(tmp_path, prepare, source):
    own = Finding((10.0, 400.0, 20.0, 410.0), "own")
    records = [replace(record, findings=(own,)) for record in source[1]]
    prepare(records=records)
    for record in records_of(tmp_path / "a" / "study"):
        assert [f.label for f in record.findings] == ["own", "mass", "calcification"]


def test_an_absent_mask_is_a_doubt_and_is_found_when_it_comes(tmp_path, prepare, source):
    folder, _ = source
    prepare("b")
    (folder / "1a.png").rename(tmp_path / "1a.png")
    summary = prepare()
    assert (summary.exit_code, summary.rejected, summary.doubts) == (0, {}, {"1.dcm": [ABSENT]})
    assert read_rows(summary.out / "doubts.csv") == [{"path": "1.dcm", "doubt": ABSENT}]
    assert summary.counts["findings"] == 7
    assert prepare().reused == 4
    (tmp_path / "1a.png").rename(folder / "1a.png")
    summary = prepare()
    assert (summary.reused, summary.doubts, summary.counts["findings"]) == (3, {}, 8)
    assert output_bytes(tmp_path / "a" / "study") == output_bytes(tmp_path / "b" / "study")


def test_a_mask_that_changes_is_read_again_and_labels_are_not(tmp_path, prepare, source):
    folder, records = source
    prepare()
    cv2.imwrite(str(folder / "2a.png"), 255 * draw_lesion(radius=50).astype(np.uint8))
    assert prepare().reused == 3
    os.utime(folder / "3b.png", ns=(1, 1))
    assert prepare().reused == 3
    renamed = [
        replace(r, masks=tuple(replace(m, label="new", malignant=None) for m in r.masks))
        for r in records
    ]
    assert prepare(records=renamed).reused == 4
    labels = {f.label for r in records_of(tmp_path / "a" / "study") for f in r.findings}
    assert labels == {"new"}


def test_masks_in_another_order_are_not_mistaken_for_each_other(tmp_path, prepare, source):
    folder, records = source
    for path in folder.glob("*.png"):  # Alike in size and time, as unpacked raw masks are.
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        path.unlink()
        np.save(path.with_suffix(".npy"), mask)
        os.utime(path.with_suffix(".npy"), ns=(5, 5))
    masks = [tuple(replace(m, path=m.path.replace("png", "npy")) for m in r.masks) for r in records]
    records = [replace(r, masks=m) for r, m in zip(records, masks, strict=True)]
    prepare(records=records)
    before = {f.label: f.box for f in records_of(tmp_path / "a" / "study")[0].findings}
    turned = [replace(record, masks=record.masks[::-1]) for record in records]
    assert prepare(records=turned).reused == 0
    assert {f.label: f.box for f in records_of(tmp_path / "a" / "study")[0].findings} == before
    assert prepare(records=turned).reused == 4


@pytest.mark.parametrize("lines", [0, 1, 3])
def test_a_run_that_was_killed_ends_like_one_in_one_go(tmp_path, prepare, monkeypatch, lines):
    prepare("b")
    append, left = Journal.append, [lines]

    def killed(*line):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        append(*line)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            prepare()
    assert prepare().reused == lines
    assert output_bytes(tmp_path / "a" / "study") == output_bytes(tmp_path / "b" / "study")


def test_two_workers_find_what_one_finds(tmp_path, prepare):
    prepare()
    prepare("b", workers=2)
    assert output_bytes(tmp_path / "a" / "study") == output_bytes(tmp_path / "b" / "study")


def test_a_source_that_moves_as_a_whole_is_not_read_again(tmp_path, prepare, source):
    prepare()
    shutil.move(source[0], tmp_path / "moved")
    assert prepare(root=tmp_path / "moved").reused == 4


def test_a_mask_that_the_machine_could_not_read_is_tried_again(tmp_path, prepare, monkeypatch):
    def fail(path):
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(finding_masks, "read_plain_pixels", fail)
        summary = prepare()
    assert set(summary.facts["doubts"]) == {"mask of a finding: unreadable file (PermissionError)"}
    assert (summary.counts["images"], summary.counts["findings"]) == (4, 0)
    summary = prepare()
    assert (summary.reused, summary.counts["findings"], summary.doubts) == (0, 8, {})
