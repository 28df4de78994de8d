import json
from io import BytesIO

import pydicom
import pytest

from dicom_files import make_dicom
from headers import IMAGE, header_of
from mammography.preparation.headers.header import plain_header, read_header
from mammography.preparation.rejection import RejectedImage


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


def test_spacing_of_a_magnified_view_is_doubted():
    tags = {"ImagerPixelSpacing": [0.07, 0.07]}
    magnified = header_of(EstimatedRadiographicMagnificationFactor=1.8, **tags)
    doubt = "magnified view: pixel spacing is that of the detector"
    assert doubt in magnified.doubts
    assert doubt not in header_of(EstimatedRadiographicMagnificationFactor=1.07, **tags).doubts


def test_unusual_images_are_doubted():
    header = header_of(PresentationIntentType="FOR PROCESSING", Modality="CR")
    assert header.facts["presentation_intent"] == "FOR PROCESSING"
    assert {"pixels are for processing, not for presentation", "modality is not MG"} <= set(
        header.doubts
    )


@pytest.mark.parametrize(
    ("keyword", "doubt"),
    [
        ("Modality", "no modality stated"),
        ("SamplesPerPixel", "no SamplesPerPixel stated, 1 was taken"),
        ("BitsStored", "no BitsStored stated, BitsAllocated was taken"),
        ("HighBit", "no HighBit stated, BitsStored - 1 was taken"),
        ("PixelRepresentation", "no PixelRepresentation stated, unsigned was taken"),
    ],
)
def test_what_is_missing_and_can_be_meant_in_one_way_only_is_doubted(keyword, doubt):
    assert header_of(**{keyword: None}).doubts == [doubt]
    assert header_of().doubts == []


def test_a_missing_transfer_syntax_is_doubted():
    dataset = pydicom.dcmread(BytesIO(make_dicom(IMAGE, bits=12)))
    del dataset.file_meta.TransferSyntaxUID
    assert read_header(dataset).doubts == ["no transfer syntax stated"]


@pytest.mark.parametrize(("value", "fact"), [("YES", True), ("NO", False), ("", None)])
@pytest.mark.parametrize(
    ("keyword", "name"),
    [("BreastImplantPresent", "implant"), ("BurnedInAnnotation", "burned_in_annotation")],
)
def test_yes_and_no_are_told(keyword, name, value, fact):
    assert header_of(**{keyword: value}).facts[name] is fact
    assert header_of().facts[name] is None


def test_overlays_are_counted():
    def plane(group):
        return {(group, 0x0010): ("US", 80), (group, 0x0011): ("US", 64)}

    assert header_of().facts["overlays"] == 0
    assert header_of(private=plane(0x6000)).facts["overlays"] == 1
    assert header_of(private=plane(0x6000) | plane(0x601E)).facts["overlays"] == 2


def test_facts_are_plain_values_without_patient_or_free_text():
    secrets = {
        "PatientName": "DOE^JANE", "PatientID": "SECRET1", "PatientBirthDate": "19610203",
        "StudyDate": "20200405", "StudyInstanceUID": "1.2.840.99.7", "AccessionNumber": "SECRET2",
        "StudyDescription": "SECRET3", "ImageComments": "SECRET4", "InstitutionName": "SECRET5",
        "ViewPosition": "SECRET6", "PresentationIntentType": "SECRET7",
        "VOILUTFunction": "SECRET8", "WindowCenterWidthExplanation": "SECRET9",
        "SeriesDescription": "C-View SECRETA", "ProtocolName": "SECRETB",
        "ImageType": ["DERIVED", "PRIMARY", "SECRETC"], "BreastImplantPresent": "SECRETD",
        "PixelIntensityRelationship": "SECRETE", "BurnedInAnnotation": "SECRETF",
    }  # fmt: skip
    header = header_of(WindowCenter=100, WindowWidth=50, Manufacturer=" Maker  Inc. ", **secrets)
    text = json.dumps([header.facts, header.doubts, header.manufacturer, header.view_position])
    for secret in (*map(str, secrets.values()), "DOE", "SECRET"):
        assert secret not in text
    assert header.facts["image_kind"] == "synthetic"
    assert header.manufacturer == "Maker Inc."
    assert any("VOI LUT function is unknown" in doubt for doubt in header.doubts)


def test_broken_header_is_a_reason():
    dataset = pydicom.dcmread(BytesIO(make_dicom(IMAGE)))
    dataset.add_new("ViewCodeSequence", "LO", "no items")
    with pytest.raises(RejectedImage, match=r"broken header \(AttributeError\)"):
        read_header(dataset)


def test_files_without_header_have_the_same_facts():
    assert set(plain_header("PNG", 16).facts) == set(header_of().facts) - {"voi"}
