import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps
from scipy import stats

from mammography.functional.photometric import (
    add_gaussian_noise,
    adjust_brightness,
    adjust_gamma,
    adjust_sharpness,
    autocontrast,
    equalize,
)

RNG = np.random.default_rng(0)
STEP = 1 / 255


def breast(low=40, high=200):
    """Half an ellipse of tissue on an empty background, in 8 bits."""
    y, x = np.mgrid[:90, :60]
    inside = ((y - 45) / 40) ** 2 + (x / 45) ** 2 < 1
    tissue = (low + (high - low) * RNG.beta(2, 4, size=(90, 60))).astype(np.uint8)
    return np.where(inside, tissue, 0).astype(np.uint8)


EIGHT_BIT = breast()
FLOAT = (EIGHT_BIT / 255).astype(np.float32)
PILLOW = Image.fromarray(EIGHT_BIT)
DEEP = np.where(FLOAT > 0, FLOAT + RNG.random(FLOAT.shape) * STEP, 0).astype(np.float32)
EVERY = {
    "autocontrast": autocontrast,
    "brightness": lambda image: adjust_brightness(image, 0.7),
    "sharpness": lambda image: adjust_sharpness(image, 1.5),
    "equalize": equalize,
    "gamma": lambda image: adjust_gamma(image, 0.6),
    "noise": lambda image: add_gaussian_noise(image, 0.05, np.random.default_rng(0)),
}


def assert_same_as_pillow(ours, theirs, steps=1.01):
    assert ours.dtype == np.float32
    assert np.abs(ours - np.asarray(theirs) / 255).max() <= steps * STEP


@pytest.mark.parametrize(("breast_only", "ignore"), [(True, 0), (False, None)])
@pytest.mark.parametrize("cutoff", [0, 5])
def test_autocontrast_means_the_same_as_in_pillow(breast_only, ignore, cutoff):
    theirs = ImageOps.autocontrast(PILLOW, cutoff=cutoff, ignore=ignore)
    assert_same_as_pillow(autocontrast(FLOAT, breast_only, cutoff / 100), theirs)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 1.6])
def test_brightness_means_the_same_as_in_pillow(factor):
    assert_same_as_pillow(
        adjust_brightness(FLOAT, factor), ImageEnhance.Brightness(PILLOW).enhance(factor)
    )


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 1.5])
def test_sharpness_means_the_same_as_in_pillow(factor):
    theirs = np.asarray(ImageEnhance.Sharpness(PILLOW).enhance(factor))
    # Pillow rounds the smoothed image before it mixes.
    assert_same_as_pillow(adjust_sharpness(FLOAT, factor, breast_only=False), theirs, 1.6)
    masked = np.where(EIGHT_BIT > 0, theirs, 0)
    assert_same_as_pillow(adjust_sharpness(FLOAT, factor), masked, 1.6)


@pytest.mark.parametrize("breast_only", [True, False])
def test_equalize_means_the_same_as_in_pillow(breast_only):
    large = np.kron(EIGHT_BIT, np.ones((12, 12), np.uint8))  # Pillow divides whole numbers
    image = Image.fromarray(large)
    mask = Image.fromarray(((large > 0) * 255).astype(np.uint8)) if breast_only else None
    ours = equalize((large / 255).astype(np.float32), breast_only)
    assert_same_as_pillow(ours, ImageOps.equalize(image, mask), 1.1)


def test_equalized_breast_is_uniform():
    tissue = equalize(DEEP)[DEEP > 0]
    assert stats.kstest(tissue, "uniform").statistic < 0.01


def test_gamma_is_a_power():
    np.testing.assert_allclose(adjust_gamma(FLOAT, 1.7), FLOAT**1.7, atol=1e-6)


def test_noise_has_the_stated_deviation_and_no_bias():
    grey = np.full((300, 300), 0.5, np.float32)
    noise = add_gaussian_noise(grey, 0.03, np.random.default_rng(0)) - grey
    assert abs(noise.mean()) < 3 * 0.03 / 300
    assert noise.std() == pytest.approx(0.03, rel=0.02)


@pytest.mark.parametrize("name", EVERY)
def test_background_stays_empty_and_range_is_kept(name):
    changed = EVERY[name](DEEP)
    assert not changed[DEEP == 0].any()
    assert 0 <= changed.min() <= changed.max() <= 1


@pytest.mark.parametrize("name", EVERY)
def test_depth_is_kept(name):
    assert np.unique(EVERY[name](DEEP)).size > 1000


@pytest.mark.parametrize("name", EVERY)
def test_input_is_left_as_it_is(name):
    image = DEEP.copy()
    EVERY[name](image)
    assert np.array_equal(image, DEEP)


@pytest.mark.parametrize("name", ["autocontrast", "equalize"])
def test_statistics_of_the_breast_ignore_how_much_background_there_is(name):
    padded = np.pad(DEEP, ((0, 0), (0, 500)))
    np.testing.assert_allclose(EVERY[name](padded)[:, :60], EVERY[name](DEEP), atol=1e-6)


@pytest.mark.parametrize("operation", [autocontrast, equalize])
@pytest.mark.parametrize("value", [0.0, 0.3])
def test_an_image_of_one_intensity_is_kept(operation, value):
    image = np.full((8, 8), value, np.float32)
    assert np.array_equal(operation(image), image)
