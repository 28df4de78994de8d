import pytest
from pydicom import uid

from headers import header_of, item
from mammography.preparation.rejection import RejectedImage
from mammography.terms import ImageKind

MAMMOGRAM, SYNTHETIC, TOMOSYNTHESIS = ImageKind


@pytest.mark.parametrize(
    ("tags", "kind", "source"),
    [
        ({}, MAMMOGRAM, None),
        ({"ImageType": ["ORIGINAL", "PRIMARY"]}, MAMMOGRAM, None),
        ({"ImageType": ["DERIVED", "PRIMARY", "", "", "", "", "", "", "150000"]}, MAMMOGRAM, None),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "POST_CONTRAST", "SUBTRACTION"]}, MAMMOGRAM, None),
        ({"ImageType": ["DERIVED", "PRIMARY", "TOMO", "GENERATED_2D"]}, SYNTHETIC, "ImageType"),
        (
            {"ImageType": ["DERIVED", "PRIMARY", "TOMOSYNTHESIS", "GENERATED_2D"]},
            SYNTHETIC,
            "ImageType",
        ),
        (
            {"ImageType": ["DERIVED", "PRIMARY", "TOMOSYNTHESIS", "NONE"]},
            TOMOSYNTHESIS,
            "ImageType",
        ),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "TOMO_PROJ", "RIGHT"]}, TOMOSYNTHESIS, "ImageType"),
        ({"ImageType": ["DERIVED", "PRIMARY", "TOMO_2D", "LEFT"]}, None, "ImageType"),
        ({"SOPClassUID": uid.BreastTomosynthesisImageStorage}, TOMOSYNTHESIS, "SOPClassUID"),
        ({"SOPClassUID": uid.CTImageStorage}, TOMOSYNTHESIS, "SOPClassUID"),
        ({"NumberOfFrames": 60}, TOMOSYNTHESIS, "NumberOfFrames"),
        ({"NumberOfFrames": 1}, MAMMOGRAM, None),
        (
            {
                "SOPClassUID": uid.BreastTomosynthesisImageStorage,
                "VolumetricProperties": "SAMPLED",
                "VolumeBasedCalculationTechnique": "MAX_IP",
            },
            SYNTHETIC,
            "VolumeBasedCalculationTechnique",
        ),
        ({"SeriesDescription": "L CC C-View"}, SYNTHETIC, "SeriesDescription"),
        ({"SeriesDescription": "R MLO Intelligent 2D"}, SYNTHETIC, "SeriesDescription"),
        ({"SeriesDescription": "LCC V-Preview"}, SYNTHETIC, "SeriesDescription"),
        ({"SeriesDescription": "Insight 2D"}, SYNTHETIC, "SeriesDescription"),
        ({"SeriesDescription": "R MLO S-View"}, SYNTHETIC, "SeriesDescription"),
        ({"ProtocolName": "Synthetic mammogram"}, SYNTHETIC, "ProtocolName"),
        (
            {"SeriesDescription": "L CC Tomosynthesis Reconstruction"},
            TOMOSYNTHESIS,
            "SeriesDescription",
        ),
        ({"SeriesDescription": "2D and tomosynthesis exam"}, MAMMOGRAM, None),
        ({"SeriesDescription": "PACS view, L MLO"}, MAMMOGRAM, None),
    ],
)
def test_the_kind_of_image_is_told_and_by_what(tags, kind, source):
    header = header_of(**tags)
    assert header.facts["image_kind"] == kind
    assert header.facts["image_kind_source"] == source
    undecided = "whether the image was computed from tomosynthesis is not told" in header.doubts
    assert undecided == (kind is None)


def test_a_picture_that_stands_in_for_private_slices_is_refused():
    private = {(0x7E01, 0x0010): ("LO", "HOLOGIC, Inc."), (0x7E01, 0x1010): ("OB", b"12")}
    captured = uid.SecondaryCaptureImageStorage
    with pytest.raises(RejectedImage, match="tomosynthesis in private elements"):
        header_of(private=private, SOPClassUID=captured)
    assert header_of(SOPClassUID=captured).facts["image_kind"] is MAMMOGRAM
    assert header_of(private=private).facts["image_kind"] is MAMMOGRAM


def test_a_single_projection_is_doubted():
    header = header_of(ImageType=["ORIGINAL", "PRIMARY", "TOMO_PROJ"])
    assert "a projection of tomosynthesis, made with a part of the dose" in header.doubts


def volume(**shared):
    """Return a header of four frames, the third of which has a window of its own."""
    common = item(
        FrameAnatomySequence=[item(FrameLaterality="R")],
        PixelMeasuresSequence=[item(PixelSpacing=[0.1, 0.1])],
        PixelValueTransformationSequence=[item(RescaleSlope=2, RescaleIntercept=-3)],
        FrameVOILUTSequence=[item(WindowCenter=100, WindowWidth=50)],
        **shared,
    )
    frames = [item() for _ in range(4)]
    frames[2] = item(FrameVOILUTSequence=[item(WindowCenter=500, WindowWidth=90)])
    return {
        "SOPClassUID": uid.BreastTomosynthesisImageStorage,
        "NumberOfFrames": 4,
        "SharedFunctionalGroupsSequence": [common],
        "PerFrameFunctionalGroupsSequence": frames,
    }


@pytest.mark.parametrize(("frame", "center"), [(0, 100), (2, 500), (None, 500)])
def test_functional_groups_tell_of_their_frame_and_by_default_of_the_middle_one(frame, center):
    header = header_of(frame=frame, **volume(), ImagerPixelSpacing=[0.07, 0.07])
    assert (header.laterality, header.facts["laterality_source"]) == ("R", "FrameLaterality")
    assert header.pixel_spacing_mm == (0.1, 0.1)
    assert (header.modality.slope, header.modality.intercept) == (2, -3)
    assert header.voi.center == center
    assert header.facts["frames"] == 4


def test_what_is_said_of_a_frame_goes_before_what_is_said_of_the_file():
    assert header_of(frame=0, **volume(), WindowCenter=7, WindowWidth=9).voi.center == 100


def test_a_frame_without_groups_of_its_own_has_those_of_all():
    header = header_of(frame=3, **volume() | {"PerFrameFunctionalGroupsSequence": [item()]})
    assert header.voi.center == 100
