import numpy as np
import pytest

from mammography.functional.phantom_shape import BreastShape
from mammography.functional.phantom_tissue import Grid, breast_mask, draw_tissue, power_law_noise
from mammography.terms import ViewPosition
from phantoms import phantom_image


@pytest.mark.parametrize("beta", [0.0, 2.0, 3.0])
def test_noise_power_falls_with_the_exponent_asked_for(beta):
    grid = Grid((256, 256), 0.5)
    power = np.mean(
        [
            np.abs(np.fft.fft2(power_law_noise(np.random.default_rng(s), grid, beta, 1e6))) ** 2
            for s in range(12)
        ],
        axis=0,
    )
    fy, fx = np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)
    radius = np.hypot(fx, fy)
    band = (radius > 0.02) & (radius < 0.4)
    slope = np.polyfit(np.log(radius[band]), np.log(power[band]), 1)[0]
    assert slope == pytest.approx(-beta, abs=0.08)


def test_noise_has_mean_0_and_deviation_1():
    noise = power_law_noise(np.random.default_rng(0), Grid((120, 90), 0.7), 3.0)
    assert (noise.mean(), noise.std()) == pytest.approx((0, 1), abs=1e-4)


@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_a_denser_breast_is_brighter(view):
    means = []
    for density in (0.0, 0.3, 0.6, 1.0):
        images = [phantom_image(density=density, view=view, seed=s) for s in range(6)]
        means.append(np.mean([image[mask].mean() for image, mask in images]))
    assert (np.diff(means) > 0.01).all()


def test_tissue_is_0_outside_and_bright_inside():
    grid = Grid((128, 104), 1.75)
    shape = BreastShape()
    tissue = draw_tissue(np.random.default_rng(0), grid, shape, ViewPosition.MLO, 0.5)
    mask = breast_mask(grid, shape, ViewPosition.MLO)
    assert not tissue[~mask].any()
    assert 0.04 < tissue[mask].min() < tissue[mask].max() < 0.9


def test_breast_fades_towards_the_skin():
    image, mask = phantom_image(density=0.0)
    row = 128
    skin = np.flatnonzero(mask[row])[-1]
    assert image[row, skin - 1] < 0.6 * image[row, skin - 25 : skin - 20].mean()


def test_the_muscle_is_the_brightest_part_of_a_fatty_mlo():
    image, _ = phantom_image(density=0.0, view="MLO")
    assert image[:30, :15].mean() > 1.5 * image[130:160, 20:60].mean()
