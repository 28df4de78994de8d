"""Volumes, coarse decoding and what the facts say about both."""

import cv2
import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.encaps import encapsulate

from dicom_files import draw_breast, write_dicom
from headers import item
from mammography.preparation.headers.header import Header
from mammography.preparation.image import PreparationOptions, prepare_image
from mammography.preparation.reading import Picture, read_picture
from mammography.preparation.rejection import RejectedImage
from phantoms import phantom_image

TAGS = {"bits": 12, "ImageLaterality": "L", "ViewPosition": "CC"}
SLICE, PROJECTION = "the image is one slice of a volume", "the image is a projection of a volume"


def slices(count=5, size_hw=(300, 200)):
    """Return slices of a breast; a bright square lies in the first one only."""
    volume = np.stack([draw_breast(size_hw, top=1500 + 200 * n) for n in range(count)])
    volume[0, 140:160, 40:60] = 4000
    return volume


def write_volume(path, volume, syntax=uid.ExplicitVRLittleEndian, **tags):
    write_dicom(path, volume[0], **TAGS | tags)
    dataset = pydicom.dcmread(path)
    dataset.SOPClassUID = uid.BreastTomosynthesisImageStorage
    dataset.NumberOfFrames = len(volume)
    if syntax.is_compressed:
        dataset.PixelData = encapsulate([imagecodecs.jpegls_encode(image) for image in volume])
        dataset["PixelData"].VR = "OB"
    else:
        dataset.PixelData = volume.tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path)
    return path


def prepare(path, **options):
    return prepare_image(path, options=PreparationOptions(voi="none", **options))


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.JPEGLSLossless])
@pytest.mark.parametrize(
    ("choice", "taken", "doubt"),
    [("middle", 2, SLICE), (0, 0, SLICE), (4, 4, SLICE), ("max", None, PROJECTION)],
)
def test_a_volume_gives_the_slice_that_is_asked_for_and_says_so(
    tmp_path, syntax, choice, taken, doubt
):
    volume = slices()
    path = write_volume(tmp_path / "v.dcm", volume, syntax)
    expected = volume.max(0) if taken is None else volume[taken]
    np.testing.assert_array_equal(
        read_picture(path, PreparationOptions(frames=choice)).stored, expected
    )
    prepared = prepare(path, frames=choice)
    flat = prepare(write_dicom(tmp_path / "flat.dcm", expected, **TAGS))
    np.testing.assert_array_equal(prepared.pixels, flat.pixels)
    facts = prepared.facts
    assert (facts["frames"], facts["frame_taken"]) == (5, taken)
    assert (facts["image_kind"], facts["doubts"]) == ("tomosynthesis", [doubt])
    assert (flat.facts["frames"], flat.facts["frame_taken"], flat.facts["doubts"]) == (1, 0, [])


def test_a_volume_is_refused_by_default_and_so_is_a_slice_that_it_does_not_have(tmp_path):
    path = write_volume(tmp_path / "v.dcm", slices())
    with pytest.raises(RejectedImage, match="multi-frame image"):
        prepare(path)
    with pytest.raises(RejectedImage, match="no frame of index 5"):
        prepare(path, frames=5)


def test_a_choice_of_slices_changes_nothing_for_an_image(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", draw_breast(), **TAGS)
    for choice in ("refuse", "middle", "max", 3):
        prepared = prepare(path, frames=choice)
        assert prepared.facts["frame_taken"] == 0
        assert prepared.facts["doubts"] == []


def test_one_file_per_slice_is_doubted_as_well(tmp_path):
    tags = TAGS | {"SOPClassUID": uid.CTImageStorage}
    facts = prepare(write_dicom(tmp_path / "a.dcm", draw_breast(), **tags)).facts
    assert (facts["image_kind"], facts["doubts"]) == ("tomosynthesis", [SLICE])


@pytest.mark.parametrize("middle", [1000, 900])
def test_a_projection_takes_the_window_of_the_middle_slice_and_says_if_others_differ(
    tmp_path, middle
):
    def windowed(center):
        return item(FrameVOILUTSequence=[item(WindowCenter=center, WindowWidth=4000)])

    groups = [windowed(1000), windowed(1000), windowed(middle), windowed(1000), windowed(1000)]
    path = write_volume(tmp_path / "v.dcm", slices(), PerFrameFunctionalGroupsSequence=groups)
    facts = prepare_image(path, options=PreparationOptions(frames="max")).facts
    assert facts["voi"]["center"] == middle
    differ = "the window of the middle slice was taken, others have another one"
    assert facts["doubts"][:2] == [PROJECTION, differ][: 2 - (middle == 1000)]
    first = prepare_image(path, options=PreparationOptions(frames=0)).facts
    assert (first["voi"]["center"], first["doubts"]) == (1000, [SLICE])


def reversible(pixels):
    return imagecodecs.jpeg2k_encode(
        pixels, codecformat="j2k", reversible=True, bitspersample=12, resolutions=6
    )


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Return a drawn breast as a JPEG 2000 file, with a mark, and the box of the mark."""
    pixels, _ = phantom_image("alpha", size_hw=(1024, 832), seed=4)
    box = (150, 480, 198, 528)
    pixels[box[1] : box[3], box[0] : box[2]] = 4095
    path = tmp_path_factory.mktemp("film") / "a.dcm"
    tags = TAGS | {"ImagerPixelSpacing": [0.07, 0.07]}
    stream = reversible(pixels)
    return write_dicom(path, pixels, uid.JPEG2000Lossless, stream=stream, **tags), box


CASES = [
    ({"size_hw": (360, 250)}, 1),
    ({"size_hw": (180, 120)}, 2),
    ({"size_hw": (90, 60)}, 3),
    ({"size_hw": (50, 30)}, 3),
    ({"size_hw": (600, 400)}, 0),
    ({"spacing_mm": 0.1}, 0),
    ({"spacing_mm": 0.14}, 1),
    ({"spacing_mm": 0.28}, 2),
    ({}, 0),
]


@pytest.mark.parametrize(("options", "halvings"), CASES)
def test_coarse_decoding_gives_almost_the_same_picture_in_the_same_place(film, options, halvings):
    path, box = film
    full = prepare(path, **options)
    fast = prepare(path, reduce_jpeg2000=True, **options)
    assert (full.facts["reduced"], fast.facts["reduced"]) == (0, halvings)
    assert fast.geometry.source_size_hw == full.geometry.source_size_hw == (1024, 832)
    tolerance = 8 * 2**halvings if halvings else 0
    np.testing.assert_allclose(fast.geometry.crop_box, full.geometry.crop_box, atol=tolerance)
    # The margin is two pixels of what was read, and the film is small.
    slack = 0.01 * 2**halvings
    np.testing.assert_allclose(fast.geometry.scale_hw, full.geometry.scale_hw, rtol=slack)
    assert fast.pixel_spacing_mm == pytest.approx(full.pixel_spacing_mm, rel=slack)
    for prepared in (full, fast):
        rows, columns = np.nonzero(prepared.pixels > 58000)
        found = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        np.testing.assert_allclose(prepared.geometry.to_prepared(box), found, atol=1.3)


def at_file_points(prepared, y, x):
    """Return the grey at points of the file."""
    left, top, _, _ = prepared.geometry.to_prepared((0, 0, 1, 1))
    scale_y, scale_x = prepared.geometry.scale_hw
    grid = np.meshgrid(x * scale_x + left - 0.5, y * scale_y + top - 0.5)
    columns, rows = (axis.astype(np.float32) for axis in grid)
    return cv2.remap(prepared.pixels.astype(np.float32), columns, rows, cv2.INTER_LINEAR)


@pytest.mark.parametrize(("options", "halvings"), [c for c in CASES if c[1]])
def test_coarse_decoding_differs_little_from_averaging(film, options, halvings):
    path, _ = film
    y, x = np.arange(300, 750, 3.0), np.arange(30, 132, 3.0)  # Breast beside the mark.
    full = at_file_points(prepare(path, **options), y, x)
    fast = at_file_points(prepare(path, reduce_jpeg2000=True, **options), y, x)
    assert full.min() > 1000
    assert abs(fast.mean() - full.mean()) < 0.004 * full.mean()
    assert (fast - full).std() < 0.04 * full.mean()
    (shift_x, shift_y), _ = cv2.phaseCorrelate(full, fast)  # In steps of 3 pixels of the file.
    scale = prepare(path, **options).geometry.scale_hw[0]
    assert max(abs(shift_x), abs(shift_y)) * 3 * scale < 0.15


def test_the_margin_is_one_of_the_file_however_coarsely_it_was_read(film):
    options = {"size_hw": (90, 60), "margin_px": 80}
    full, fast = prepare(film[0], **options), prepare(film[0], reduce_jpeg2000=True, **options)
    assert fast.facts["reduced"] == 3
    np.testing.assert_allclose(fast.geometry.crop_box, full.geometry.crop_box, atol=16)


def test_the_last_pixel_that_was_read_may_stand_for_fewer_of_the_file():
    picture = Picture(np.zeros((128, 104)), Header(), (1021, 829), halvings=3)
    assert picture.box_in_file((0, 8, 104, 128)) == (0, 64, 829, 1021)


def test_other_syntaxes_are_not_reduced(tmp_path):
    pixels, _ = phantom_image("alpha", size_hw=(1024, 832))
    path = write_dicom(tmp_path / "a.dcm", pixels, uid.JPEGLSLossless, **TAGS)
    full = prepare(path, size_hw=(200, 120))
    fast = prepare(path, size_hw=(200, 120), reduce_jpeg2000=True)
    np.testing.assert_array_equal(full.pixels, fast.pixels)
    assert fast.facts["reduced"] == 0


@pytest.mark.parametrize("modifiers", [(), ("magnification",)])
def test_what_cannot_be_found_coarsely_is_read_in_full(tmp_path, modifiers):
    pixels = draw_breast((300, 200))
    path = write_dicom(tmp_path / "a.dcm", pixels, uid.JPEG2000Lossless, **TAGS)
    options = PreparationOptions(size_hw=(90, 60), reduce_jpeg2000=True)
    assert prepare_image(path, options=options, view_modifiers=modifiers).facts["reduced"] <= 1


def test_plain_files_say_that_they_are_one_image(tmp_path):
    np.save(tmp_path / "a.npy", draw_breast())
    options = PreparationOptions(require_laterality=False, frames="max", reduce_jpeg2000=True)
    facts = prepare_image(tmp_path / "a.npy", options=options).facts
    assert (facts["frames"], facts["frame_taken"], facts["reduced"]) == (1, None, 0)
