"""Views that are filled by the breast, implants and padding, on drawn and on real breasts."""

import csv

import cv2
import numpy as np
import pytest

from dicom_files import draw_breast, write_dicom
from golden import shared_data
from headers import view_code
from mammography.preparation.headers.header import Header
from mammography.preparation.image import prepare_image
from mammography.preparation.jobs import Job, Workshop, prepare_job
from mammography.preparation.locate import locate
from mammography.preparation.options import PreparationOptions
from mammography.preparation.rejection import RejectedImage
from mammography.preparation.work.journal import Journal
from mammography.terms import Laterality, ViewModifier
from phantoms import phantom_image

SPOT, MAGNIFICATION = ViewModifier.SPOT_COMPRESSION, ViewModifier.MAGNIFICATION
FILLED = "the breast fills the frame: nothing was cut away"
UNEVEN = "the background is uneven: some of it may be breast"
OPTIONS = PreparationOptions()


def find(stored, modifiers=(), laterality=None, **header):
    return locate(stored, Header(**header), OPTIONS, laterality, modifiers)


@pytest.fixture(scope="module", params=[("alpha", 0.1), ("cobalt", 0.4), ("delta", 0.8)])
def close_up(request):
    """A square of tissue, magnified, of breasts of little and much gland."""
    vendor, density = request.param
    pixels, mask = phantom_image(vendor, density=density, size_hw=(1024, 832), seed=1)
    rows, columns = np.nonzero(mask)
    half, middle = int(0.3 * columns.max()), int(rows.mean())
    square = pixels[middle - half : middle + half, 4 : 4 + 2 * half]
    return cv2.resize(square, (900, 900), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("modifier", [SPOT, MAGNIFICATION])
@pytest.mark.parametrize("laterality", [*Laterality, None])
def test_a_view_that_the_breast_fills_is_kept_whole(close_up, modifier, laterality):
    located = find(close_up, [modifier], laterality)
    assert located.breast.mask.all()
    assert located.breast.box() == (0, 0, 900, 900)
    assert located.doubts == [FILLED]
    assert located.breast.chest_wall == ("right" if laterality == "R" else "left")


def test_without_such_a_modifier_it_is_doubted(close_up):
    for modifiers in ([], [ViewModifier.IMPLANT_DISPLACED]):
        located = find(close_up, modifiers)
        assert located.doubts == [UNEVEN]
        assert not located.breast.mask.all()


def test_a_frame_that_is_bright_throughout_is_kept_for_such_views_only(tmp_path):
    y, x = np.mgrid[:600, :500]
    tissue = (2500 + 300 * np.sin(x / 9) * np.cos(y / 7)).astype(np.uint16)
    tissue[300:310, 200:208] = 4000
    tags = {"bits": 12, "ImageLaterality": "R", "ViewPosition": "MLO"}
    with pytest.raises(RejectedImage, match="not a breast"):
        prepare_image(write_dicom(tmp_path / "a.dcm", tissue, **tags))
    coded = view_code("399368009", "399163009")
    prepared = prepare_image(
        write_dicom(tmp_path / "b.dcm", tissue, ViewCodeSequence=coded, **tags)
    )
    given = prepare_image(tmp_path / "a.dcm", view_modifiers=[MAGNIFICATION])
    for image in (prepared, given):
        assert image.pixels.shape == tissue.shape
        assert image.pixels.min() >= 1
        assert image.facts["view_modifiers"] == ["magnification"]
        assert image.facts["doubts"] == [FILLED]
        assert image.facts["chest_wall"] == "right"
    np.testing.assert_array_equal(prepared.pixels, given.pixels)


def test_a_table_can_tell_of_such_a_view(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", draw_breast(top=2000) + 2000, ImageLaterality="L")
    workshop = Workshop(tmp_path, Journal(tmp_path, 1), OPTIONS)
    plain, told = Job("i", path), Job("i", path, view_modifiers=(MAGNIFICATION,))
    assert workshop.key(plain) != workshop.key(told)
    assert prepare_job(told, OPTIONS).facts["view_modifiers"] == ["magnification"]


def test_a_collimated_view_is_cut_to_the_opening(close_up):
    frame = np.zeros((1200, 1100), np.uint16)
    frame[150:1050, 100:1000] = close_up
    located = find(frame, [SPOT], Laterality.RIGHT)
    assert located.breast.box() == pytest.approx((100, 150, 1000, 1050), abs=6)
    assert located.breast.mask[80:-80, 60:-60].all()
    assert located.doubts == []
    assert located.breast.chest_wall == "right"


def test_a_round_opening_is_cut_out_as_well(close_up):
    opening = cv2.circle(np.zeros((900, 900), np.uint8), (450, 450), 400, 1, -1) > 0
    located = find(np.where(opening, close_up, 0).astype(np.uint16), [SPOT])
    mask = located.breast.mask_in((0, 0, 900, 900), (900, 900))
    assert (mask & opening).sum() / (mask | opening).sum() > 0.98


def test_a_spot_view_with_air_is_cut_along_the_skin():
    pixels, mask = phantom_image("alpha", size_hw=(1024, 832), seed=2)
    columns = np.nonzero(mask.any(0))[0]
    part = slice(columns.max() // 2, columns.max() + 60)
    rows = slice(400, 700)
    located = find(np.ascontiguousarray(pixels[rows, part]), [SPOT])
    found = located.breast.mask_in((0, 0, mask[rows, part].shape[1], 300), mask[rows, part].shape)
    assert located.doubts == []
    assert (found & mask[rows, part]).sum() / (found | mask[rows, part]).sum() > 0.95


def test_padding_around_a_filled_view_is_left_out(close_up):
    padded = np.full((1000, 1000), 4095, np.uint16)
    padded[:900, :900] = np.minimum(close_up, 4000)
    located = find(padded, [SPOT], padding=(4095, 4095), bits_stored=16)
    assert located.breast.box() == pytest.approx((0, 0, 900, 900), abs=4)


@pytest.fixture(scope="module")
def films():
    """Return real films and squares cut out of their breasts."""
    folder = shared_data("ddsm_tissue")
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[::3]
    found = []
    for row in rows:
        names = row["file"], row["note"].removeprefix("mask ").split(" values")[0]
        film, labels = (cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED) for name in names)
        inside = np.pad((labels != 64).astype(np.uint8), 1)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        half = int(depth.max() / 1.45)
        square = film[max(row - half, 0) : row + half, max(column - half, 0) : column + half]
        found.append((film, cv2.resize(square, (900, 900), interpolation=cv2.INTER_CUBIC)))
    return found


def test_real_tissue_that_fills_the_frame_is_kept_whole(films):
    for _, square in films:
        assert find(square, [SPOT], bits_stored=8).breast.mask.all()


def test_real_films_have_an_even_background(films):
    doubted = [find(film, bits_stored=8).doubts for film, _ in films]
    assert sum(bool(doubts) for doubts in doubted) <= 1
    for film, _ in films:
        assert not find(film, [SPOT], bits_stored=8).breast.mask.all() or doubted[0]


def with_implant(level, seed=0):
    """Draw a breast with a disc of an implant at its chest wall."""
    pixels, mask = phantom_image("alpha", size_hw=(1024, 832), seed=seed)
    rows = np.nonzero(mask.any(1))[0]
    radius = int(0.3 * (rows.max() - rows.min()))
    disc = cv2.circle(np.zeros(mask.shape, np.uint8), (0, int(rows.mean())), radius, 1, -1) > 0
    disc &= mask
    return np.where(disc, level, pixels // 2).astype(np.uint16), mask, disc


@pytest.mark.parametrize("level", [2500, 4095])
@pytest.mark.parametrize("seed", range(3))
def test_a_bright_implant_takes_nothing_away_from_the_breast(level, seed):
    pixels, mask, disc = with_implant(level, seed)
    breast = find(pixels, bits_stored=12, implant=True).breast
    found = breast.mask_in((0, 0, 832, 1024), mask.shape)
    assert (found & mask).sum() / (found | mask).sum() > 0.95
    assert found[disc].mean() > 0.999
    assert found[mask].mean() > 0.99
    assert breast.box()[0] == 0
    assert breast.chest_wall == "left"


@pytest.mark.parametrize("present", ["YES", "NO", None])
def test_the_implant_is_told_and_what_it_does_to_the_grey(tmp_path, present):
    pixels, _, disc = with_implant(4095)
    tags = {"ImageLaterality": "L", "ViewPosition": "CC", "bits": 12}
    tags |= {"BreastImplantPresent": present} if present else {}
    window = {"WindowCenter": 1000, "WindowWidth": 2000}
    prepared = prepare_image(write_dicom(tmp_path / "a.dcm", pixels, **tags))
    assert prepared.facts["implant"] is {"YES": True, "NO": False}.get(present)
    spread = "the grey is spread over breast and implant"
    assert prepared.facts["doubts"] == ([spread] if present == "YES" else [])
    shown = prepare_image(write_dicom(tmp_path / "b.dcm", pixels, **tags, **window))
    clipped = {"YES": "the window clips much of the breast, which holds an implant"}
    usual = "the window clips much of the breast"
    assert shown.facts["doubts"] == [clipped.get(present, usual)]
    left, top, right, bottom = shown.geometry.crop_box
    assert (shown.pixels[disc[top:bottom, left:right]] == 65535).mean() > 0.99


def test_padding_that_occurs_all_over_the_breast_is_ignored_with_a_doubt(tmp_path):
    image = draw_breast((900, 640), noise=15)
    tags = {"ImageLaterality": "L", "ViewPosition": "CC", "bits": 12}
    plain = prepare_image(write_dicom(tmp_path / "a.dcm", image, **tags))
    odd = {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 2500}
    prepared = prepare_image(write_dicom(tmp_path / "b.dcm", image, **tags, **odd))
    np.testing.assert_array_equal(prepared.pixels, plain.pixels)
    doubt = "padding values occur all over the image and were ignored"
    assert prepared.facts["doubts"] == [doubt]
    noisy_air = {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 60}
    usual = prepare_image(write_dicom(tmp_path / "c.dcm", image, **tags, **noisy_air))
    assert usual.facts["doubts"] == []


def test_padding_along_the_chest_wall_is_no_crash(tmp_path):
    image = draw_breast((900, 640))
    image[:, :20] = 4095
    tags = {"ImageLaterality": "L", "ViewPosition": "CC", "bits": 12, "PixelPaddingValue": 4095}
    prepared = prepare_image(write_dicom(tmp_path / "a.dcm", image, **tags))
    left = prepared.geometry.crop_box[0]
    assert 12 <= left < 20
    assert prepared.pixels[:, : 20 - left].max() <= 1


def test_an_image_that_is_all_padding_is_no_breast():
    image = np.full((200, 200), 7, np.uint16)
    with pytest.raises(RejectedImage, match="not a breast: all of the image is padding"):
        find(image, [SPOT], padding=(7, 7))
    with pytest.raises(RejectedImage, match="not a breast: the image is too small"):
        find(image[:50], [SPOT])
