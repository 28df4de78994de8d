import json
from dataclasses import asdict

import cv2
import numpy as np
import pydicom
import pytest
from pydicom import uid

from dicom_files import draw_breast, make_dicom, write_dicom
from mammography.functional.png16 import encode_png16
from mammography.preparation.image import (
    PreparationOptions,
    RejectedImage,
    prepare_image,
)
from mammography.terms import Laterality, ViewPosition

SIZE_HW = (900, 640)
IMAGE = draw_breast(SIZE_HW, top=3000)
TAGS = {"bits": 12, "ImageLaterality": "L", "ViewPosition": "CC", "ImagerPixelSpacing": [0.1, 0.1]}


def prepare(tmp_path, pixels=IMAGE, laterality=None, syntax=uid.ExplicitVRLittleEndian, **settings):
    """Write a DICOM file with tags and prepare it with options, told apart by their names."""
    names = PreparationOptions.__dataclass_fields__
    options = PreparationOptions(**{k: v for k, v in settings.items() if k in names})
    tags = TAGS | {k: v for k, v in settings.items() if k not in names}
    path = write_dicom(
        tmp_path / "a.dcm", pixels, syntax, **{k: v for k, v in tags.items() if v is not None}
    )
    return prepare_image(path, laterality, options=options)


def test_breast_is_cropped_and_all_else_is_exactly_zero(tmp_path):
    labelled = IMAGE.copy()
    labelled[60:110, 250:600] = 4000  # Above the breast and over the edge of its box.
    prepared = prepare(tmp_path, labelled, WindowCenter=2048, WindowWidth=4096)
    left, top, right, bottom = prepared.geometry.crop_box
    inside = IMAGE > 0
    assert inside[top:bottom, left:right].sum() == inside.sum()
    assert prepared.pixels.shape == (bottom - top, right - left)
    cropped = inside[top:bottom, left:right]
    assert (prepared.pixels[cropped] >= 1).mean() > 0.999
    far = cv2.dilate(cropped.astype(np.uint8), np.ones((25, 25))) == 0
    assert (prepared.pixels[far] == 0).all()
    expected = IMAGE[top:bottom, left:right][cropped] / 4095 * 65535
    np.testing.assert_allclose(prepared.pixels[cropped], expected, atol=1.01)


def test_facts_and_geometry_tell_what_was_done(tmp_path):
    prepared = prepare(tmp_path, WindowCenter=1500, WindowWidth=3000, Manufacturer="Maker")
    assert (prepared.laterality, prepared.view_position) == (Laterality.LEFT, ViewPosition.CC)
    assert prepared.manufacturer == "Maker"
    assert prepared.pixel_spacing_mm == (0.1, 0.1)
    assert prepared.geometry.source_size_hw == SIZE_HW
    assert json.loads(json.dumps(prepared.facts)) == {
        "file_format": "DICOM", "image_kind": "mammogram", "image_kind_source": None,
        "photometric": "MONOCHROME2", "dense_values": "high",
        "dense_values_source": "PhotometricInterpretation", "bits_allocated": 16,
        "bits_stored": 12, "transfer_syntax": "Explicit VR Little Endian",
        "presentation_intent": "FOR PRESENTATION", "raw_values": None, "lossy": False,
        "frames": 1, "frame_taken": 0, "reduced": 0, "overlays": 0,
        "burned_in_annotation": None, "implant": None, "laterality_source": "ImageLaterality",
        "view_source": "ViewPosition", "view_modifiers": [],
        "spacing_source": "ImagerPixelSpacing",
        "voi": {"kind": "window", "index": 0, "of": 1, "function": "LINEAR",
                "center": 1500, "width": 3000},
        "chest_wall": "left", "doubts": [],
    }  # fmt: skip


@pytest.mark.parametrize("tags", [{"WindowCenter": 1200, "WindowWidth": 2000}, {}])
def test_monochrome1_gives_the_same_picture(tmp_path, tags):
    plain = prepare(tmp_path, **tags)
    if tags:
        tags = {"WindowCenter": 4095 - 1200 + 1, "WindowWidth": 2000}  # The window mirrored.
    inverted = prepare(tmp_path, 4095 - IMAGE, PhotometricInterpretation="MONOCHROME1", **tags)
    assert inverted.geometry == plain.geometry
    np.testing.assert_allclose(inverted.pixels.astype(int), plain.pixels.astype(int), atol=1)


def test_rescaled_values_give_the_same_picture(tmp_path):
    plain = prepare(tmp_path, WindowCenter=1200.5, WindowWidth=2000, VOILUTFunction="LINEAR_EXACT")
    rescaled = prepare(
        tmp_path, RescaleSlope=2, RescaleIntercept=-100, WindowCenter=2301, WindowWidth=4000,
        VOILUTFunction="LINEAR_EXACT",
    )  # fmt: skip
    np.testing.assert_allclose(rescaled.pixels.astype(int), plain.pixels.astype(int), atol=1)


def test_padding_is_no_breast(tmp_path):
    padded = (4095 - IMAGE).astype(np.uint16)
    padded[:90] = padded[-90:] = padded[:, 450:] = 0  # Would be white once inverted.
    prepared = prepare(
        tmp_path, padded, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=0
    )
    assert prepared.geometry.crop_box == prepare(tmp_path).geometry.crop_box


def test_without_a_window_the_grey_spans_the_breast(tmp_path):
    bright = IMAGE.copy()
    bright[:80, 300:] = 4095  # A label far brighter than the breast.
    prepared = prepare(tmp_path, bright)
    voi = prepared.facts["voi"]
    assert voi["kind"] == "stretch"
    assert voi["high"] == pytest.approx(IMAGE.max(), rel=0.02)
    assert prepared.pixels.max() == 65535


def test_window_is_ignored_on_request(tmp_path):
    tags = {"WindowCenter": 100, "WindowWidth": 20}
    assert prepare(tmp_path, voi="stretch", **tags).facts["voi"]["kind"] == "stretch"
    whole = prepare(tmp_path, voi="none", **tags)
    assert whole.facts["voi"] == {"kind": "none", "low": 0, "high": 4095}
    assert whole.pixels.max() == pytest.approx(IMAGE.max() / 4095 * 65535, abs=2)


def test_inside_is_at_least_one_even_where_the_window_ends_in_black(tmp_path):
    plain = prepare(tmp_path).pixels
    black = prepare(tmp_path, WindowCenter=3900, WindowWidth=100).pixels
    assert black.max() == 1
    np.testing.assert_array_equal(black > 0, plain > 0)


def test_window_that_clips_the_breast_is_doubted(tmp_path):
    prepared = prepare(tmp_path, WindowCenter=100, WindowWidth=20)
    assert "the window clips much of the breast" in prepared.facts["doubts"]


def test_resampling_to_a_spacing_really_happens(tmp_path):
    plain = prepare(tmp_path, ImagerPixelSpacing=[0.1, 0.05])
    prepared = prepare(tmp_path, ImagerPixelSpacing=[0.1, 0.05], spacing_mm=0.2)
    height, width = plain.pixels.shape
    assert prepared.pixels.shape == (round(height / 2), round(width / 4))
    assert prepared.pixel_spacing_mm == pytest.approx((0.2, 0.2), rel=0.01)
    area = cv2.resize(
        plain.pixels.astype(np.float32), prepared.pixels.shape[::-1], interpolation=cv2.INTER_AREA
    )
    inner = cv2.erode((prepared.pixels > 0).astype(np.uint8), np.ones((7, 7)), borderValue=1) > 0
    np.testing.assert_allclose(prepared.pixels[inner], area[inner], atol=1)
    assert prepared.pixels.min() == 0


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("flip_to", [None, *Laterality])
def test_size_keeps_the_aspect_and_the_chest_wall_at_its_border(tmp_path, right, flip_to):
    pixels = np.ascontiguousarray(IMAGE[:, ::-1]) if right else IMAGE
    side = "R" if right else "L"
    prepared = prepare(tmp_path, pixels, size_hw=(400, 500), flip_to=flip_to, ImageLaterality=side)
    assert prepared.pixels.shape == (400, 500)
    assert prepared.geometry.flipped == (flip_to is not None and flip_to != side)
    wall = 0 if (flip_to or side) == "L" else -1
    assert (prepared.pixels[:, wall] > 0).mean() > 0.8
    assert (prepared.pixels[:, -1 - wall] == 0).all()
    scale_y, scale_x = prepared.geometry.scale_hw
    assert scale_y == pytest.approx(scale_x, rel=0.005)


@pytest.mark.parametrize("options", [{}, {"size_hw": (300, 300)}, {"spacing_mm": 0.17}])
@pytest.mark.parametrize("flip_to", [None, Laterality.RIGHT])
def test_a_mark_is_found_where_the_geometry_says(tmp_path, options, flip_to):
    box = (150, 500, 162, 516)
    marked = IMAGE.copy()
    marked[box[1] : box[3], box[0] : box[2]] = 4095
    prepared = prepare(tmp_path, marked, voi="none", flip_to=flip_to, **options)
    rows, columns = np.nonzero(prepared.pixels > 60000)
    found = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    np.testing.assert_allclose(prepared.geometry.to_prepared(box), found, atol=1.01)


def test_margin_and_background_are_kept_on_request(tmp_path):
    noisy = draw_breast(SIZE_HW, noise=12)
    wide = prepare(tmp_path, noisy, margin_px=40, keep_background=True, voi="none")
    tight = prepare(tmp_path, noisy, margin_px=0)
    assert wide.geometry.crop_box[1] == tight.geometry.crop_box[1] - 40
    assert (wide.pixels[:15, -15:] > 0).any()
    assert (prepare(tmp_path, noisy, margin_px=40).pixels[:15, -15:] == 0).all()


def test_given_side_and_view_go_before_the_header(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", IMAGE, **TAGS)
    prepared = prepare_image(path, Laterality.RIGHT, ViewPosition.MLO)
    assert (prepared.laterality, prepared.view_position) == ("R", "MLO")
    assert (prepared.facts["laterality_source"], prepared.facts["view_source"]) == ("given",) * 2
    assert prepared.facts["doubts"] == [
        "the given laterality contradicts the header",
        "the given view contradicts the header",
        "the chest wall lies on the side of the other breast",
    ]


def test_an_unknown_view_is_doubted_unless_it_is_given(tmp_path):
    tags = {k: v for k, v in TAGS.items() if k != "ViewPosition"}
    path = write_dicom(tmp_path / "a.dcm", IMAGE, **tags)
    assert prepare_image(path).facts["doubts"] == ["the view is unknown"]
    assert prepare_image(path, view_position=ViewPosition.CC).facts["doubts"] == []


def test_text_in_a_background_that_is_kept_is_doubted(tmp_path):
    doubt = "text may be burnt into the background that was kept"
    for told, kept in (("YES", True), ("NO", True), ("YES", False)):
        facts = prepare(tmp_path, BurnedInAnnotation=told, keep_background=kept).facts
        assert facts["burned_in_annotation"] is (told == "YES")
        assert (doubt in facts["doubts"]) == (told == "YES" and kept)


OVERLAY_SYNTAXES = [
    uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian, uid.RLELossless,
]  # fmt: skip


@pytest.mark.parametrize("syntax", OVERLAY_SYNTAXES)
@pytest.mark.parametrize("position", [12, 15])
def test_an_overlay_in_unused_bits_changes_no_grey(tmp_path, syntax, position):
    plane = np.random.default_rng(0).integers(0, 2, IMAGE.shape).astype(np.uint16)
    plane[:, :9] = 1
    plain = prepare(tmp_path, IMAGE)
    assert plain.facts["overlays"] == 0
    path = write_dicom(tmp_path / "o.dcm", IMAGE | plane << position, syntax, **TAGS)
    dataset = pydicom.dcmread(path)
    dataset.add_new((0x6000, 0x0010), "US", IMAGE.shape[0])
    dataset.add_new((0x6000, 0x0011), "US", IMAGE.shape[1])
    dataset.add_new((0x6000, 0x0040), "CS", "G")
    dataset.add_new((0x6000, 0x0100), "US", 16)
    dataset.add_new((0x6000, 0x0102), "US", position)
    dataset.save_as(path)
    overlaid = prepare_image(path)
    assert overlaid.facts["overlays"] == 1
    np.testing.assert_array_equal(overlaid.pixels, plain.pixels)


@pytest.mark.parametrize("size", [IMAGE.size // 8, 40, IMAGE.size])
def test_an_overlay_plane_of_any_size_is_left_out(tmp_path, size):
    """Its rows, columns and bytes need not fit the image."""
    path = write_dicom(tmp_path / "o.dcm", IMAGE, **TAGS)
    dataset = pydicom.dcmread(path)
    dataset.add_new((0x6002, 0x0010), "US", 9999)
    dataset.add_new((0x6002, 0x0011), "US", 7)
    dataset.add_new((0x6002, 0x0050), "SS", [-50, 900])
    dataset.add_new((0x6002, 0x3000), "OW", bytes(size // 2 * 2))
    dataset.save_as(path)
    overlaid = prepare_image(path)
    assert overlaid.facts["overlays"] == 1
    np.testing.assert_array_equal(overlaid.pixels, prepare(tmp_path).pixels)


@pytest.mark.parametrize("name", ["a.png", "a.npy", "a.dat"])
def test_images_without_a_header_are_prepared_alike(tmp_path, name):
    path = tmp_path / name
    if name.endswith(".npy"):
        np.save(path, IMAGE)
    else:
        path.write_bytes(encode_png16(IMAGE))
    prepared = prepare_image(path, Laterality.LEFT)
    np.testing.assert_array_equal(prepared.pixels, prepare(tmp_path).pixels)
    assert prepared.facts["file_format"] == ("NPY" if name.endswith(".npy") else "PNG")


def test_compressed_file_gives_the_same_picture(tmp_path):
    plain = prepare(tmp_path)
    for syntax in (uid.JPEGLosslessSV1, uid.RLELossless):
        np.testing.assert_array_equal(prepare(tmp_path, syntax=syntax).pixels, plain.pixels)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"ImageLaterality": None}, "unknown laterality"),
        ({"ImagerPixelSpacing": None, "spacing_mm": 0.1}, "no pixel spacing"),
        ({"pixels": np.zeros(SIZE_HW, np.uint16)}, "not a breast: the image is constant"),
        ({"pixels": np.full(SIZE_HW, 4095, np.uint16)}, "not a breast: the image is constant"),
        ({"pixels": IMAGE[:50, :50]}, "not a breast: the image is too small"),
        ({"window_index": 1, "WindowCenter": 1, "WindowWidth": 9}, "no window or lookup table"),
    ],
)
def test_image_that_cannot_be_prepared_is_rejected(tmp_path, settings, reason):
    with pytest.raises(RejectedImage, match=reason):
        prepare(tmp_path, **settings)


def test_unknown_laterality_is_accepted_on_request(tmp_path):
    prepared = prepare(tmp_path, ImageLaterality=None, require_laterality=False)
    assert prepared.laterality is None


def test_nothing_about_the_patient_is_kept(tmp_path):
    secrets = {
        "PatientName": "DOE^JANE", "PatientID": "SECRET1", "StudyDate": "20200405",
        "SeriesInstanceUID": "1.2.840.99.7", "SeriesDescription": "SECRET2",
    }  # fmt: skip
    prepared = prepare(tmp_path, **secrets)
    values = asdict(prepared)
    pixels = values.pop("pixels")
    text = json.dumps(values)
    assert not any(secret in text for secret in (*secrets.values(), "DOE", str(tmp_path)))
    assert b"DOE" not in encode_png16(pixels)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"voi": "auto "}, "voi must be auto, stretch or none"),
        ({"window_index": -1}, "window_index must be at least 0"),
        ({"margin_px": -1}, "margin_px must be at least 0"),
        ({"spacing_mm": 0.0}, "spacing_mm must be from 0.01 to 5.0"),
        ({"size_hw": (0, 10)}, "size_hw must be two numbers from 8 to 32767"),
        ({"size_hw": (9, 10), "spacing_mm": 0.1}, "must not both be given"),
        ({"frames": "first"}, "frames must be refuse, middle, max or an index from 0"),
        ({"frames": -1}, "frames must be refuse, middle, max or an index from 0"),
        ({"frames": True}, "frames must be refuse, middle, max or an index from 0"),
        ({"for_processing": "invert"}, "for_processing must be refuse, keep or log"),
    ],
)
def test_impossible_options_are_refused(options, rule):
    with pytest.raises(ValueError, match=rule):
        PreparationOptions(**options)


def test_options_are_plain_values_that_can_be_compared():
    options = PreparationOptions(size_hw=(1792, 1024), flip_to=Laterality.LEFT)
    assert hash(options) == hash(PreparationOptions(size_hw=(1792, 1024), flip_to="L"))
    assert json.loads(json.dumps(asdict(options)))["flip_to"] == "L"


def test_reading_does_not_depend_on_the_name_of_the_file(tmp_path):
    path = tmp_path / "IM0001"
    path.write_bytes(make_dicom(IMAGE, **TAGS))
    np.testing.assert_array_equal(prepare_image(path).pixels, prepare(tmp_path).pixels)


@pytest.mark.parametrize("window", [{}, {"WindowCenter": 2048, "WindowWidth": 4096}])
@pytest.mark.parametrize("value", [4095, 300])
def test_whatever_value_stands_for_padding_the_picture_is_the_same(tmp_path, value, window):
    padded = np.where(IMAGE == 0, value, IMAGE).astype(np.uint16)
    prepared = prepare(tmp_path, padded, PixelPaddingValue=value, **window)
    usual = prepare(tmp_path, PixelPaddingValue=0, **window)
    assert prepared.geometry == usual.geometry
    np.testing.assert_array_equal(prepared.pixels, usual.pixels)


def test_a_value_inside_the_breast_is_no_padding_whatever_the_header_says(tmp_path):
    calcified = IMAGE.copy()
    centre = np.transpose(np.nonzero(IMAGE)).mean(axis=0).astype(int)
    calcified[centre[0] : centre[0] + 4, centre[1] : centre[1] + 4] = 4095
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    plain = prepare(tmp_path, calcified, **window)
    assert plain.pixels.max() == 65535
    prepared = prepare(tmp_path, calcified, PixelPaddingValue=4095, **window)
    np.testing.assert_array_equal(prepared.pixels, plain.pixels)
