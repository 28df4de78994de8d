"""Masks of lesions in files: what they are read as, and which files are none."""

import cv2
import numpy as np
import pytest

from dicom_files import draw_breast, write_dicom
from mammography.functional.outlines import fill_outline
from mammography.preparation import finding_masks
from mammography.preparation.finding_masks import (
    ABSENT,
    EMPTY,
    LARGE,
    MANY_VALUES,
    OTHER_SHAPE,
    SCALED,
    SPECKS,
    find_findings,
)

SIZE = (300, 200)


def lesion(size_hw=SIZE, value=255, dtype=np.uint8):
    """A mask whose rows 50 to 69 and columns 10 to 19 are set."""
    mask = np.zeros(size_hw, dtype)
    mask[50:70, 10:20] = value
    return mask


def png(path, pixels):
    assert cv2.imwrite(str(path), pixels)
    return path


def npy(path, pixels):
    np.save(path, pixels)
    return path


def find(*paths, size_hw=SIZE):
    """The place and the doubts of one lesion."""
    found = find_findings([paths], size_hw)
    assert found.is_final
    return found.places[0], found.doubts


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: write_dicom(folder / "a.dcm", lesion()),
        lambda folder: write_dicom(folder / "a.dcm", lesion(value=1)),
        lambda folder: write_dicom(
            folder / "a.dcm", 255 - lesion(), PhotometricInterpretation="MONOCHROME1"
        ),
        lambda folder: write_dicom(folder / "a.dcm", lesion(value=65535, dtype=np.uint16)),
        lambda folder: png(folder / "a.png", lesion()),
        lambda folder: png(folder / "a.png", lesion(value=65535, dtype=np.uint16)),
        lambda folder: png(folder / "a.pgm", lesion()),
        lambda folder: png(folder / "a.tif", lesion()),
        lambda folder: npy(folder / "a.npy", lesion(value=1)),
        lambda folder: npy(folder / "a.npy", lesion(value=0.25, dtype=np.float32)),
        lambda folder: npy(folder / "a.npy", lesion(value=1, dtype=np.int16) - 1),
    ],
)
def test_a_mask_of_any_format_gives_the_box_of_its_pixels(tmp_path, write):
    place, doubts = find(write(tmp_path))
    assert (place["box"], doubts) == ([10, 50, 20, 70], [])
    assert np.array_equal(fill_outline(place["outline"], SIZE), lesion() > 0)


def test_soft_edges_of_a_scaled_mask_end_in_the_middle(tmp_path):
    mask = cv2.GaussianBlur(lesion(), None, 1.5)
    assert len(np.unique(mask)) > 10
    place, doubts = find(png(tmp_path / "a.png", mask))
    assert (place["box"], doubts) == ([10, 50, 20, 70], [])


def write_bad(folder, name):
    """Write a file that is no mask."""
    crop = draw_breast(SIZE, noise=20)
    writers = {
        "absent": lambda: folder / "nowhere.dcm",
        "long": lambda: folder / ("x" * 300),
        "folder": lambda: folder,
        "crop": lambda: write_dicom(folder / "crop.dcm", crop),
        "crop png": lambda: png(folder / "crop.png", crop),
        "black": lambda: npy(folder / "black.npy", np.zeros(SIZE, np.uint8)),
        "white": lambda: npy(folder / "white.npy", np.full(SIZE, 255, np.uint8)),
        "inverted": lambda: npy(folder / "inverted.npy", 255 - lesion()),
        "square": lambda: npy(folder / "square.npy", lesion((200, 200))),
        "turned": lambda: npy(folder / "turned.npy", lesion((200, 300))),
        "empty file": lambda: folder / "empty.dcm",
        "colour": lambda: png(
            folder / "colour.png", np.dstack([lesion(), lesion(), 255 - lesion()])
        ),
    }
    (folder / "empty.dcm").touch()
    return writers[name]()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent", ABSENT),
        ("long", ABSENT),
        ("folder", ABSENT),
        ("crop", MANY_VALUES),
        ("crop png", MANY_VALUES),
        ("black", EMPTY),
        ("white", EMPTY),
        ("inverted", LARGE),
        ("square", OTHER_SHAPE),
        ("turned", OTHER_SHAPE),
        ("empty file", "mask of a finding: not a DICOM file"),
        ("colour", "mask of a finding: colour or multi-frame image"),
    ],
)
def test_a_file_that_is_no_mask_is_a_doubt(tmp_path, name, reason):
    assert find(write_bad(tmp_path, name)) == (None, [reason])


def test_a_mask_of_another_size_and_the_same_shape_is_scaled_and_doubted(tmp_path):
    mask = cv2.ellipse(np.zeros(SIZE, np.uint8), (90, 120), (60, 40), 30, 0, 360, 255, -1)
    place, doubts = find(npy(tmp_path / "a.npy", mask), size_hw=(345, 230))
    assert doubts == [SCALED]
    box, _ = find(tmp_path / "a.npy")
    assert place["box"] == pytest.approx(1.15 * np.array(box["box"]))
    expected = cv2.resize(mask, (230, 345), interpolation=cv2.INTER_AREA) > 127
    filled = fill_outline(place["outline"], (345, 230))
    assert (filled & expected).sum() / (filled | expected).sum() > 0.98


@pytest.mark.parametrize(
    ("mask_hw", "image_hw", "is_scaled"),
    [
        # Sizes that users of CBIS-DDSM report. By rounding the scales differ by 0.03 % ...
        ((4386, 1789), (5041, 2056), True),
        ((4373, 2155), (5026, 2476), True),
        # ... and where the films differ by more than ten times as much.
        ((4688, 3088), (4624, 3056), False),
        ((4624, 3080), (4640, 3072), False),
    ],
)
def test_sizes_that_differ_by_one_factor_are_told_from_other_films(
    tmp_path, mask_hw, image_hw, is_scaled
):
    place, doubts = find(npy(tmp_path / "a.npy", lesion(mask_hw)), size_hw=image_hw)
    assert doubts == [SCALED if is_scaled else OTHER_SHAPE]
    rows, columns = image_hw[0] / mask_hw[0], image_hw[1] / mask_hw[1]
    expected = [10 * columns, 50 * rows, 20 * columns, 70 * rows]
    if is_scaled:
        assert place["box"] == pytest.approx(expected, rel=1e-9)


def test_of_several_files_the_mask_is_taken_whatever_their_order(tmp_path):
    mask = npy(tmp_path / "mask.npy", lesion())
    other = npy(tmp_path / "other.npy", lesion((150, 100)))
    for name in ("absent", "crop", "black", "square", "empty file"):
        bad = write_bad(tmp_path, name)
        for paths in ((bad, mask), (mask, bad), (bad, other, mask)):
            place, doubts = find(*paths)
            assert (place["box"], doubts) == ([10, 50, 20, 70], [])
    assert find(write_bad(tmp_path, "crop"), other)[1] == [SCALED]
    third = npy(tmp_path / "third.npy", np.roll(lesion((600, 400)), 9))
    assert find(other, third) == find(other)


def test_of_several_files_the_one_most_like_a_mask_tells_what_is_wrong(tmp_path):
    names = ["absent", "empty file", "crop", "black", "inverted", "square"]
    paths = [write_bad(tmp_path, name) for name in names]
    reasons = [find(*paths[: count + 1])[1][0] for count in range(len(paths))]
    assert reasons == [find(path)[1][0] for path in paths]
    assert find(*paths[::-1])[1] == [OTHER_SHAPE]


def test_parts_are_one_finding_and_specks_are_left_out_with_a_doubt(tmp_path):
    mask = lesion()
    mask[100:104, 30:50] = 255
    place, doubts = find(npy(tmp_path / "parts.npy", mask))
    assert (place["box"], doubts) == ([10, 50, 50, 104], [])
    assert np.array_equal(fill_outline(place["outline"], SIZE), mask > 0)
    mask[280, 180] = 255
    assert find(npy(tmp_path / "speck.npy", mask)) == (place, [SPECKS])


def test_each_lesion_has_its_place_or_none_in_order(tmp_path):
    paths = [npy(tmp_path / f"{n}.npy", np.roll(lesion(), 30 * n, axis=1)) for n in range(3)]
    gone = tmp_path / "gone.npy"
    found = find_findings([paths[:1], [gone], paths[2:], [gone]], SIZE)
    assert [place and place["box"][0] for place in found.places] == [10, None, 70, None]
    assert found.doubts == [ABSENT, ABSENT]
    assert find_findings([], SIZE).places == []


@pytest.mark.parametrize("error", [PermissionError, MemoryError])
def test_what_the_machine_is_to_blame_for_is_not_final(tmp_path, monkeypatch, error):
    def fail(path):
        raise error("of /home/planted")

    path = npy(tmp_path / "a.npy", lesion())
    monkeypatch.setattr(finding_masks, "read_plain_pixels", fail)
    found = find_findings([[path]], SIZE)
    assert (found.places, found.is_final) == ([None], False)
    assert "planted" not in found.doubts[0]
