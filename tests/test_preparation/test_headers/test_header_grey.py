"""Grey of headers against pydicom's own arithmetic, and what is odd about them."""

from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from dicom_files import make_dicom
from headers import IMAGE, header_of, item
from mammography.functional.intensity import VoiFunction, Window, apply_maps
from mammography.preparation.headers.header import read_header
from mammography.preparation.rejection import RejectedImage

VALUES = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def test_first_window_is_taken_by_default_and_another_on_request():
    tags = {"WindowCenter": [100, 200], "WindowWidth": [50, 60], "VOILUTFunction": "SIGMOID"}
    assert header_of(**tags).voi == Window(100, 50, VoiFunction.SIGMOID)
    second = header_of(1, **tags)
    assert second.voi == Window(200, 60, VoiFunction.SIGMOID)
    assert second.facts["voi"] == {
        "kind": "window", "index": 1, "of": 2, "function": "SIGMOID", "center": 200, "width": 60,
    }  # fmt: skip
    with pytest.raises(RejectedImage, match="no window or lookup table of index 2"):
        header_of(2, **tags)


@pytest.mark.parametrize(
    "tags",
    [
        {"WindowCenter": 100, "WindowWidth": 0},
        {"WindowCenter": 100},
        {"WindowCenter": [1, 2], "WindowWidth": 5},
    ],
)
def test_impossible_window_is_ignored_with_a_doubt(tags):
    header = header_of(**tags)
    assert header.voi is None
    assert any("window" in doubt for doubt in header.doubts)


def lut(vr, entries, descriptor, big_endian=False):
    table = item(LUTDescriptor=descriptor)
    data = entries.astype(">u2" if big_endian else "<u2").tobytes()
    table.add_new("LUTData", vr, data if vr == "OW" else entries.tolist())
    return [table]


@pytest.mark.parametrize("vr", ["US", "OW"])
def test_lookup_table_goes_before_the_window(vr):
    entries = np.arange(0, 4096, 4).astype(np.uint16)
    tables = lut(vr, entries, [1024, 10, 12])
    header = header_of(VOILUTSequence=tables, WindowCenter=100, WindowWidth=50)
    np.testing.assert_array_equal(header.voi.entries, entries)
    assert header.voi(np.array([0.0, 11.0, 5000.0])).tolist() == [0, 4 / 4095, 4092 / 4095]
    assert header.facts["voi"]["kind"] == "lut"


WINDOW = {"WindowCenter": 1200, "WindowWidth": 900}
RESCALE = {"RescaleSlope": 2, "RescaleIntercept": -100}
CURVE = (65535 * np.linspace(0, 1, 4096) ** 1.5).astype(np.uint16)


@pytest.mark.parametrize(
    "tags",
    [
        WINDOW,
        WINDOW | {"VOILUTFunction": "SIGMOID"},
        WINDOW | {"VOILUTFunction": "LINEAR_EXACT"},
        WINDOW | RESCALE,
        {"VOILUTSequence": lut("OW", CURVE, [4096, 0, 16])},
        {"VOILUTSequence": lut("US", CURVE[:1000], [1000, 300, 16])},
        {"ModalityLUTSequence": lut("OW", CURVE >> 4, [4096, 0, 16]), **WINDOW},
    ],
    ids=lambda tags: "-".join(tags),
)
def test_grey_is_that_of_pydicom_over_its_range(tags):
    """It scales to the range of the bits after the modality transform; grey is 0 to 1."""
    for table in tags.get("ModalityLUTSequence", []):
        table.ModalityLUTType = "US"
    dataset = pydicom.dcmread(BytesIO(make_dicom(VALUES, bits=12, **tags)))
    header = read_header(dataset)
    modality = apply_modality_lut(VALUES, dataset)
    expected = apply_voi_lut(modality, dataset).astype(float)
    if isinstance(header.voi, Window):
        low, high = (-100, 8090) if "RescaleSlope" in tags else (0, 4095)
        high = 65535 if "ModalityLUTSequence" in tags else high
        expected = (expected - low) / (high - low)
    else:
        expected /= header.voi.white
    maps = [header.modality, header.voi] if header.modality else [header.voi]
    np.testing.assert_allclose(apply_maps(VALUES, maps), expected, atol=2e-4)


@pytest.mark.parametrize("vr", ["US", "OW"])
def test_lookup_table_of_a_big_endian_file_is_read_as_pydicom_reads_it(vr):
    tables = lut(vr, CURVE, [4096, 0, 16], big_endian=True)
    data = make_dicom(VALUES, uid.ExplicitVRBigEndian, bits=12, VOILUTSequence=tables)
    dataset = pydicom.dcmread(BytesIO(data))
    np.testing.assert_array_equal(read_header(dataset).voi.entries, CURVE)


def test_entries_of_eight_bits_may_be_packed_or_not():
    entries = np.arange(256, dtype=np.uint8)
    packed = item(LUTDescriptor=[256, 0, 8])
    packed.add_new("LUTData", "OW", entries.tobytes())
    for tables in ([packed], lut("OW", entries.astype(np.uint16), [256, 0, 8])):
        voi = header_of(VOILUTSequence=tables).voi
        np.testing.assert_array_equal(voi.entries, entries)
        assert voi.white == 255


@pytest.mark.parametrize(("vr", "number"), [("US", 63488), ("SS", -2048)])
def test_first_value_of_a_table_may_be_negative_where_stored_values_are(vr, number):
    values = (VALUES.astype(np.int16) - 2048).astype(np.int16)
    dataset = pydicom.dcmread(BytesIO(make_dicom(values, bits=12)))
    dataset.VOILUTSequence = lut("OW", np.arange(4096, dtype=np.uint16), [4096, 0, 12])
    dataset.VOILUTSequence[0].add_new("LUTDescriptor", vr, [4096, number, 12])
    assert read_header(dataset).voi.first == -2048


def test_modality_of_no_effect_is_left_out():
    assert header_of(RescaleSlope=1, RescaleIntercept=0).modality is None
    assert header_of(RescaleSlope=2, RescaleIntercept=-5).modality(np.array([10.0])) == 15
    assert any("RescaleSlope" in doubt for doubt in header_of(RescaleSlope=0).doubts)


@pytest.mark.parametrize("keyword", ["RescaleSlope", "RescaleIntercept"])
def test_a_rescaling_that_is_no_number_is_ignored_with_a_doubt(keyword):
    data = make_dicom(IMAGE, bits=12, **{keyword: "1.234567"})
    header = read_header(pydicom.dcmread(BytesIO(data.replace(b"1.234567", b"Doe^Jane"))))
    assert header.modality is None
    assert f"{keyword} is no number and was ignored" in header.doubts
    assert not any(keyword in doubt for doubt in header_of(**{keyword: ""}).doubts)


@pytest.mark.parametrize(
    ("bits", "signed", "tags", "padding"),
    [
        (12, False, {"PixelPaddingValue": 0}, (0, 0)),
        (12, False, {"PixelPaddingValue": 4095, "PixelPaddingRangeLimit": 4000}, (4000, 4095)),
        (16, False, {"PixelPaddingValue": ("SS", -1)}, (65535, 65535)),
        (16, True, {"PixelPaddingValue": ("US", 63536)}, (-2000, -2000)),
        (16, True, {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1990}, (-2000, -1990)),
        (12, False, {"PixelPaddingRangeLimit": 10}, None),
    ],
)
def test_padding_is_understood_whatever_its_sign(bits, signed, tags, padding):
    image = IMAGE.view(np.int16) if signed else IMAGE
    dataset = pydicom.dcmread(BytesIO(make_dicom(image, bits=bits)))
    for keyword, value in tags.items():
        vr, value = value if isinstance(value, tuple) else ("SS" if signed else "US", value)
        dataset.add_new(keyword, vr, value)
    header = read_header(dataset)
    assert header.padding == padding
    assert header.doubts == []


@pytest.mark.parametrize("value", [("SS", -2000), ("US", 60000)])
def test_padding_that_cannot_be_stored_is_ignored_with_a_doubt(value):
    dataset = pydicom.dcmread(BytesIO(make_dicom(IMAGE, bits=12)))
    dataset.add_new("PixelPaddingValue", *value)
    header = read_header(dataset)
    assert header.padding is None
    assert "PixelPaddingValue cannot be stored and was ignored" in header.doubts


PROCESSING = {"PresentationIntentType": "FOR PROCESSING"}


@pytest.mark.parametrize(
    ("tags", "dense", "source"),
    [
        ({}, "high", "PhotometricInterpretation"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "low", "PhotometricInterpretation"),
        # It tells nothing of an image to be shown.
        ({"PixelIntensityRelationshipSign": 1}, "high", "PhotometricInterpretation"),
        (
            PROCESSING | {"PixelIntensityRelationshipSign": 1},
            "low",
            "PixelIntensityRelationshipSign",
        ),
        (
            PROCESSING
            | {"PixelIntensityRelationshipSign": -1, "PhotometricInterpretation": "MONOCHROME1"},
            "high",
            "PixelIntensityRelationshipSign",
        ),
        (PROCESSING, "high", None),
    ],
)
def test_the_sense_of_the_values_comes_from_how_they_are_meant(tags, dense, source):
    facts = header_of(**tags).facts
    assert (facts["dense_values"], facts["dense_values_source"]) == (dense, source)


def test_the_intent_is_known_from_the_class_as_well():
    raw = header_of(SOPClassUID=uid.DigitalMammographyXRayImageStorageForProcessing)
    assert raw.facts["presentation_intent"] == "FOR PROCESSING"
    assert raw.raw is not None
    assert not raw.raw.is_logarithm
    logarithm = header_of(**PROCESSING, PixelIntensityRelationship="LOG")
    assert logarithm.raw.is_logarithm
    captured = header_of(SOPClassUID=uid.SecondaryCaptureImageStorage)
    assert captured.facts["presentation_intent"] is None
