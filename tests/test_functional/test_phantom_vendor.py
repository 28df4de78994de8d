from dataclasses import replace

import numpy as np
import pytest

from mammography.functional.phantom_vendor import (
    VENDORS,
    VendorLook,
    Voi,
    contrast_curve,
    display_header,
)
from phantoms import phantom_image

LOOKS = list(VENDORS.values())
PLAIN = VendorLook("Plain", noise=0.0, blur_mm=0.0)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.manufacturer)
def test_contrast_curve_rises_everywhere_from_0_to_1(look):
    curve = contrast_curve(np.linspace(0, 1, 2001, dtype=np.float32), look)
    assert (np.diff(curve) > 0).all()
    assert curve[[0, -1]] == pytest.approx([0, 1], abs=1e-5)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.manufacturer)
def test_monochrome1_stores_the_same_image_upside_down(look):
    one, two = (phantom_image(replace(look, monochrome1=m))[0] for m in (True, False))
    assert ((one.astype(int) + two) == look.largest).all()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.manufacturer)
def test_stored_values_fit_the_bits_and_use_most_of_them(look):
    pixels, _ = phantom_image(look)
    assert pixels.dtype == np.uint16
    assert pixels.max() <= look.largest
    assert np.ptp(pixels) > 0.9 * look.largest


@pytest.mark.parametrize("side", ["L", "R"])
def test_label_has_the_highest_value_and_lies_far_from_the_chest_wall(side):
    pixels, mask = phantom_image(PLAIN, laterality=side, view="MLO")
    rows, columns = np.nonzero((pixels == PLAIN.largest) & ~mask)
    assert len(rows) > 50
    assert rows.max() < 0.1 * len(pixels)
    share = columns / pixels.shape[1]
    assert (share > 0.6).all() if side == "L" else (share < 0.4).all()


def test_air_is_exactly_0_or_noisy_as_the_vendor_says():
    for look in (PLAIN, replace(PLAIN, background=0.02, noise=0.01)):
        pixels, mask = phantom_image(look)
        air = pixels[40:][~mask[40:]]
        if look.background:
            assert air.mean() == pytest.approx(0.02 * look.largest, rel=0.05)
            assert air.std() > 0.003 * look.largest
        else:
            assert not air.any()


def test_tissue_is_never_stored_as_air():
    for look in LOOKS:
        look = replace(look, monochrome1=False, background=0.0)
        pixels, mask = phantom_image(look, density=0.0)
        assert pixels[mask].min() > 0


def test_noise_has_the_strength_asked_for():
    quiet, mask = phantom_image(PLAIN)
    loud, _ = phantom_image(replace(PLAIN, noise=0.05, bits_stored=16))
    quiet = quiet / PLAIN.largest
    low, high = PLAIN.signal_range
    level = (quiet - low) / (high - low)
    difference = (loud / 65535 - quiet)[mask] / (high - low) / (0.5 + level[mask])
    assert difference.std() == pytest.approx(0.05, rel=0.05)


def test_blur_softens_edges():
    sharp, mask = phantom_image(PLAIN, size_hw=(512, 416))
    soft, _ = phantom_image(replace(PLAIN, blur_mm=1.0), size_hw=(512, 416))
    roughness = [
        np.abs(np.diff(p.astype(float), axis=1))[mask[:, 1:]].mean() for p in (sharp, soft)
    ]
    assert roughness[1] < 0.6 * roughness[0]


def test_film_has_white_edges_above_and_below():
    pixels, _ = phantom_image("cobalt")
    assert pixels[[0, -1]].min() > 0.9 * VENDORS["cobalt"].largest
    assert pixels[128, -1] < 0.1 * VENDORS["cobalt"].largest


def test_linear_window_spans_the_signal_as_dicom_counts():
    header = display_header(replace(PLAIN, signal_range=(0.0, 1.0)))
    # PS3.3 C.11.2.1.2.1: y = ((x - (c - 0.5)) / (w - 1) + 0.5), 0 to 1
    x = np.array([0, PLAIN.largest])
    y = (x - (header["WindowCenter"] - 0.5)) / (header["WindowWidth"] - 1) + 0.5
    assert y == pytest.approx([0, 1])


def test_window_is_in_units_of_the_modality_lut():
    plain = display_header(PLAIN)
    scaled = display_header(replace(PLAIN, rescale=(2.0, -100.0)))
    assert scaled["WindowCenter"] == pytest.approx(2 * plain["WindowCenter"] - 100)
    assert scaled["WindowWidth"] == pytest.approx(2 * plain["WindowWidth"])


def test_sixteen_bits_of_lut_are_counted_as_0():
    header = display_header(replace(PLAIN, voi=Voi.LUT, bits_stored=16))
    assert header["LUTDescriptor"] == [0, 0, 16]
    assert len(header["LUTData"]) == 2 * 65536


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gamma": 0.0}, "gamma must be > 0, got 0.0"),
        ({"steepness": -1.0}, "steepness must be >= 0, got -1.0"),
        ({"bits_stored": 17}, "bits_stored must be 8 to 16, got 17"),
        ({"resolution": 0.0}, "resolution must be > 0, got 0.0"),
        ({"signal_range": (0.8, 0.2)}, r"signal_range must rise within 0 to 1, got \(0.8, 0.2\)"),
        ({"voi": Voi.LUT, "rescale": (2.0, 0.0)}, "rescale must keep slope 1"),
    ],
)
def test_impossible_look_is_refused_when_it_is_made(values, message):
    with pytest.raises(ValueError, match=message):
        VendorLook("Plain", **values)
