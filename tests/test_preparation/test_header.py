import json
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from dicom_files import draw_breast, make_dicom
from mammography.functional.intensity import VoiFunction, Window
from mammography.preparation.header import read_header
from mammography.preparation.rejection import RejectedImage
from mammography.terms import Laterality, ViewPosition

IMAGE = draw_breast((80, 64))


def header_of(window_index=0, **tags):
    dataset = pydicom.dcmread(BytesIO(make_dicom(IMAGE, bits=12, **tags)))
    return read_header(dataset, window_index)


def sequence_item(**tags):
    item = Dataset()
    for keyword, value in tags.items():
        setattr(item, keyword, value)
    return item


def view_code(value, *modifiers):
    item = sequence_item(CodeValue=value, CodingSchemeDesignator="SCT", CodeMeaning="x")
    item.ViewModifierCodeSequence = [sequence_item(CodeValue=m) for m in modifiers]
    return [item]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"ImageLaterality": "L"}, Laterality.LEFT),
        ({"Laterality": "R"}, Laterality.RIGHT),
        ({"ImageLaterality": "", "Laterality": "R"}, Laterality.RIGHT),
        ({"ImageLaterality": "B"}, None),
        ({}, None),
    ],
)
def test_laterality_is_read_from_the_image_or_else_the_series(tags, expected):
    header = header_of(**tags)
    assert header.laterality is expected
    assert header.facts["laterality_source"] == (list(tags)[-1] if expected else None)


def test_contradicting_lateralities_are_a_doubt():
    header = header_of(ImageLaterality="L", Laterality="R")
    assert header.laterality is Laterality.LEFT
    assert any("contradicts" in doubt for doubt in header.doubts)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"ViewPosition": "MLO"}, ViewPosition.MLO),
        ({"ViewPosition": "XCCL"}, ViewPosition.XCCL),
        ({"ViewCodeSequence": view_code("399162004")}, ViewPosition.CC),
        ({"ViewCodeSequence": view_code("R-10226")}, ViewPosition.MLO),
        ({"ViewPosition": "", "ViewCodeSequence": view_code("399260004")}, ViewPosition.ML),
        ({"PatientOrientation": "CC"}, ViewPosition.CC),  # So in CBIS-DDSM.
        ({"PatientOrientation": ["A", "R"]}, None),
        ({"ViewPosition": "ODD"}, None),
        ({}, None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value")
def test_view_is_read_by_name_or_code_or_where_a_scanner_put_it(tags, expected):
    header = header_of(**tags)
    assert header.view_position is expected
    assert header.facts["view_source"] == (list(tags)[-1] if expected else None)


def test_every_view_code_is_one_of_the_standard():
    from pydicom.sr.codedict import codes

    from mammography.preparation.header import _MODIFIER_CODES, _VIEW_CODES

    views = {getattr(codes.CID4014, name).value for name in codes.CID4014.dir()}
    modifiers = {getattr(codes.CID4015, name).value for name in codes.CID4015.dir()}
    assert {code for code in _VIEW_CODES if code.isdigit()} <= views
    assert {code for code in _MODIFIER_CODES if code.isdigit()} <= modifiers


def test_view_modifiers_are_told():
    header = header_of(ViewCodeSequence=view_code("399162004", "399163009", "399055006", "other"))
    assert header.facts["view_modifiers"] == ["magnification", "spot compression"]


@pytest.mark.parametrize(
    ("tags", "spacing", "source"),
    [
        ({"ImagerPixelSpacing": [0.07, 0.08]}, (0.07, 0.08), "ImagerPixelSpacing"),
        ({"PixelSpacing": [0.05, 0.05]}, (0.05, 0.05), "PixelSpacing"),
        (
            {"ImagerPixelSpacing": [0.0, 0.0], "PixelSpacing": [0.1, 0.1]},
            (0.1, 0.1),
            "PixelSpacing",
        ),
        (
            {"NominalScannedPixelSpacing": [0.043, 0.043]},
            (0.043,) * 2,
            "NominalScannedPixelSpacing",
        ),
        ({"ImagerPixelSpacing": ["NaN", "NaN"]}, None, None),
        ({"ImagerPixelSpacing": [25.4, 25.4]}, None, None),
        ({"ImagerPixelSpacing": "0.1"}, None, None),
        ({}, None, None),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_pixel_spacing_is_taken_where_it_is_plausible(tags, spacing, source):
    header = header_of(**tags)
    assert header.pixel_spacing_mm == spacing
    assert header.facts["spacing_source"] == source
    doubted = any("implausible" in doubt for doubt in header.doubts)
    assert doubted == (next(iter(tags), None) != source)


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


@pytest.mark.parametrize("vr", ["US", "OW"])
def test_lookup_table_goes_before_the_window(vr):
    entries = np.arange(0, 4096, 4).astype(np.uint16)
    item = sequence_item(LUTDescriptor=[1024, 10, 12])
    item.add_new("LUTData", vr, entries.tobytes() if vr == "OW" else entries.tolist())
    header = header_of(VOILUTSequence=[item], WindowCenter=100, WindowWidth=50)
    np.testing.assert_array_equal(header.voi.entries, entries)
    assert header.voi(np.array([0.0, 11.0, 5000.0])).tolist() == [0, 4 / 4095, 4092 / 4095]
    assert header.facts["voi"]["kind"] == "lut"


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


def test_unusual_images_are_doubted():
    header = header_of(PresentationIntentType="FOR PROCESSING", Modality="CR")
    assert header.facts["presentation_intent"] == "FOR PROCESSING"
    assert {"pixels are for processing, not for presentation", "modality is not MG"} <= set(
        header.doubts
    )


def test_facts_are_plain_values_without_patient_or_free_text():
    secrets = {
        "PatientName": "DOE^JANE", "PatientID": "SECRET1", "PatientBirthDate": "19610203",
        "StudyDate": "20200405", "StudyInstanceUID": "1.2.840.99.7", "AccessionNumber": "SECRET2",
        "StudyDescription": "SECRET3", "ImageComments": "SECRET4", "InstitutionName": "SECRET5",
        "ViewPosition": "SECRET6", "PresentationIntentType": "SECRET7",
        "VOILUTFunction": "SECRET8", "WindowCenterWidthExplanation": "SECRET9",
    }  # fmt: skip
    header = header_of(WindowCenter=100, WindowWidth=50, Manufacturer=" Maker  Inc. ", **secrets)
    text = json.dumps([header.facts, header.doubts, header.manufacturer, header.view_position])
    for secret in (*secrets.values(), "DOE", "SECRET"):
        assert secret not in text
    assert header.manufacturer == "Maker Inc."
    assert any("VOI LUT function is unknown" in doubt for doubt in header.doubts)


def test_broken_header_is_a_reason():
    dataset = pydicom.dcmread(BytesIO(make_dicom(IMAGE)))
    dataset.VOILUTSequence = [sequence_item(LUTDescriptor=[4, 0, 8])]
    with pytest.raises(RejectedImage, match=r"broken header \(AttributeError\)"):
        read_header(dataset)
