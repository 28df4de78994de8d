"""Images FOR PROCESSING, drawn with the physics of the detector, against the truth."""

import cv2
import numpy as np
import pytest
from scipy.stats import spearmanr

from dicom_files import write_dicom
from mammography.preparation.image import PreparationOptions, prepare_image
from mammography.preparation.rejection import RejectedImage
from raw_phantoms import BITS, LARGEST, draw_raw

SIGN, RELATION = "PixelIntensityRelationshipSign", "PixelIntensityRelationship"
TAGS = {"PresentationIntentType": "FOR PROCESSING", "ViewPosition": "CC", "ImageLaterality": "L"}
DOUBT = "pixels are for processing, not for presentation"


def prepare(tmp_path, pixels, options=None, **tags):
    path = write_dicom(tmp_path / "a.dcm", pixels, bits=BITS, **TAGS | tags)
    return prepare_image(path, options=PreparationOptions(**options or {}))


def in_file(prepared):
    """Return the prepared grey where it lies in the file."""
    left, top, right, bottom = prepared.geometry.crop_box
    grey = np.zeros(prepared.geometry.source_size_hw, np.uint16)
    grey[top:bottom, left:right] = prepared.pixels
    return grey


def overlap(prepared, phantom):
    mask = in_file(prepared) > 0
    return (mask & phantom.mask).sum() / (mask | phantom.mask).sum()


def rises_with_attenuation(prepared, phantom):
    """Return the rank correlation with the truth, and whether each level is brighter."""
    dead = cv2.dilate((phantom.intensity == 0).astype(np.uint8), np.ones((5, 5))) > 0
    inside = phantom.mask & (in_file(prepared) > 0) & ~dead
    smooth = cv2.blur(in_file(prepared).astype(np.float32), (5, 5))[inside]
    truth = phantom.attenuation[inside]
    levels = np.digitize(truth, np.linspace(0, truth.max(), 12))
    medians = [np.median(smooth[levels == level]) for level in np.unique(levels)]
    return spearmanr(smooth, truth).statistic, bool((np.diff(medians) > 0).all())


@pytest.mark.parametrize("choice", ["keep", "log"])
@pytest.mark.parametrize("logarithm", [False, True])
@pytest.mark.parametrize("dense", ["low", "high"])
@pytest.mark.parametrize("stated", ["sign", "photometric", "nothing"])
def test_breast_is_found_and_dense_is_bright_whatever_the_sense(
    tmp_path, choice, logarithm, dense, stated
):
    phantom = draw_raw(seed=3)
    tags = {RELATION: "LOG" if logarithm else "LIN"}
    if stated == "sign":  # As it is meant; the photometric interpretation says otherwise.
        tags |= {SIGN: 1 if dense == "low" else -1}
    elif stated == "photometric":
        tags |= {"PhotometricInterpretation": "MONOCHROME1" if dense == "low" else "MONOCHROME2"}
    prepared = prepare(
        tmp_path, phantom.stored(dense, logarithm), {"for_processing": choice}, **tags
    )
    assert overlap(prepared, phantom) >= 0.95
    correlation, rises = rises_with_attenuation(prepared, phantom)
    assert correlation > 0.98
    assert rises
    facts = prepared.facts
    assert facts["dense_values"] == dense
    assert facts["dense_values_source"] == (SIGN if stated == "sign" else "picture")
    assert facts["raw_values"] == ("log" if choice == "log" and not logarithm else "kept")
    assert facts["doubts"] == [DOUBT]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "settings", [{}, {"side": "R"}, {"dead_border": 6}, {"air": 16000}, {"air": 900}]
)
def test_any_detector_is_understood(tmp_path, seed, settings):
    phantom = draw_raw(seed=seed, **settings)
    tags = {"ImageLaterality": settings.get("side", "L"), RELATION: "LIN"}
    for option in ("keep", "log"):
        for sign in ({}, {SIGN: 1}):
            options = {"for_processing": option}
            prepared = prepare(tmp_path, phantom.stored(), options, **tags | sign)
            assert overlap(prepared, phantom) >= 0.95
            assert rises_with_attenuation(prepared, phantom) == (pytest.approx(1, abs=0.03), True)
            assert prepared.facts["doubts"] == [DOUBT]


@pytest.mark.parametrize("dense", ["low", "high"])
def test_what_no_ray_reaches_is_black_and_not_dense(tmp_path, dense):
    phantom = draw_raw(seed=1, dead_border=6)
    prepared = prepare(tmp_path, phantom.stored(dense), {"for_processing": "log"})
    assert in_file(prepared)[phantom.intensity == 0].max() <= 1
    assert np.median(prepared.pixels[prepared.pixels > 1]) > 20000


def test_the_logarithm_is_that_of_the_intensity(tmp_path):
    """Equal steps of attenuation give equal steps of grey, which no straight line does."""
    phantom = draw_raw(seed=1)
    steps = {}
    for option in ("keep", "log"):
        prepared = prepare(tmp_path, phantom.stored(), {"for_processing": option}, **{SIGN: 1})
        grey = cv2.blur(in_file(prepared).astype(np.float64), (9, 9))
        inner = cv2.erode(phantom.mask.astype(np.uint8), np.ones((25, 25))) > 0
        truth = phantom.attenuation[inner]
        steps[option] = 1 - np.corrcoef(truth, grey[inner])[0, 1] ** 2
    assert steps["log"] < 0.02
    assert steps["keep"] > 2 * steps["log"]


@pytest.mark.parametrize("side", ["L", "R"])
@pytest.mark.parametrize("dense", ["low", "high"])
@pytest.mark.parametrize("seed", range(3))
def test_a_wrong_sign_is_found_out_by_the_picture(tmp_path, seed, dense, side):
    phantom = draw_raw(seed=seed, side=side)
    tags = {SIGN: -1 if dense == "low" else 1, "ImageLaterality": side}
    prepared = prepare(tmp_path, phantom.stored(dense), **tags)
    assert overlap(prepared, phantom) >= 0.95
    assert rises_with_attenuation(prepared, phantom)[1]
    assert prepared.facts["doubts"] == [DOUBT, "the values are inverse to what the header says"]
    assert prepared.facts["dense_values_source"] == "picture"


def test_images_for_processing_can_be_refused(tmp_path):
    pixels = draw_raw().stored()
    with pytest.raises(RejectedImage, match="pixels are for processing"):
        prepare(tmp_path, pixels, {"for_processing": "refuse"})
    shown = {
        "PresentationIntentType": "FOR PRESENTATION",
        "PhotometricInterpretation": "MONOCHROME1",
    }
    prepared = prepare(tmp_path, pixels, {"for_processing": "refuse"}, **shown)
    assert prepared.facts["raw_values"] is None


def test_a_window_is_not_one_for_logarithms(tmp_path):
    window = {"WindowCenter": 5000, "WindowWidth": 9000, SIGN: 1}
    pixels = draw_raw().stored()
    kept = prepare(tmp_path, pixels, **window)
    assert kept.facts["voi"]["kind"] == "window"
    logarithm = prepare(tmp_path, pixels, {"for_processing": "log"}, **window)
    assert logarithm.facts["voi"]["kind"] == "stretch"
    assert logarithm.facts["voi"]["low"] == pytest.approx(-np.log(9000), abs=0.3)


def test_images_to_be_shown_are_never_turned_round(tmp_path):
    """Their header says how they are shown; a picture that contradicts it is no breast."""
    pixels = LARGEST - draw_raw().stored("high")
    tags = {"PresentationIntentType": "FOR PRESENTATION", SIGN: 1}
    with pytest.raises(RejectedImage, match="not a breast"):
        prepare(tmp_path, pixels, **tags)
