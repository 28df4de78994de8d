import numpy as np
import pytest
from mmcv.transforms.utils import cache_random_params
from mmpretrain.datasets.transforms import RandAugment, Translate
from mmpretrain.registry import TRANSFORMS

from mammography.datasets.transforms.add_gaussian_noise import AddGaussianNoise
from mammography.datasets.transforms.adjust_brightness import AdjustBrightness
from mammography.datasets.transforms.adjust_gamma import AdjustGamma
from mammography.datasets.transforms.adjust_sharpness import AdjustSharpness
from mammography.datasets.transforms.equalize_histogram import EqualizeHistogram
from mammography.datasets.transforms.stretch_contrast import StretchContrast
from mammography.functional import photometric

IMAGE = np.random.default_rng(0).random((40, 30), dtype=np.float32) * 0.5 + 0.2
IMAGE[:, 20:] = 0
PLAIN = [StretchContrast, EqualizeHistogram]
GRADED = [AdjustBrightness, AdjustSharpness, AdjustGamma, AddGaussianNoise]


def apply(transform, seed=0):
    np.random.seed(seed)  # noqa: NPY002
    return transform({"img": IMAGE.copy()})["img"]


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (StretchContrast(1.0), photometric.autocontrast(IMAGE)),
        (StretchContrast(1.0, cutoff=0.1), photometric.autocontrast(IMAGE, cutoff=0.1)),
        (EqualizeHistogram(1.0, breast_only=False), photometric.equalize(IMAGE, False)),
        (AdjustBrightness(0.3, prob=1.0), photometric.adjust_brightness(IMAGE, 1.3)),
        (AdjustSharpness(0.3, prob=1.0), photometric.adjust_sharpness(IMAGE, 1.3)),
        (AdjustGamma(1.0, prob=1.0), photometric.adjust_gamma(IMAGE, 2)),
    ],
)
def test_a_transform_applies_its_function(transform, expected):
    transform.random_negative_prob = 0
    assert np.array_equal(apply(transform), expected)


def test_the_sign_is_random():
    brightness = AdjustBrightness(0.3, prob=1.0)
    means = {round(float(apply(brightness, seed).mean() / IMAGE.mean()), 3) for seed in range(20)}
    assert means == {0.7, 1.3}


@pytest.mark.parametrize("kind", PLAIN + GRADED)
def test_it_acts_with_its_probability(kind):
    make = (lambda prob: kind(prob=prob)) if kind in PLAIN else (lambda prob: kind(0.3, prob=prob))
    acted = [not np.array_equal(apply(make(0.3), seed), IMAGE) for seed in range(300)]
    assert 0.2 < np.mean(acted) < 0.4
    assert np.array_equal(apply(make(0.0)), IMAGE)


@pytest.mark.parametrize("kind", GRADED)
def test_magnitude_0_changes_nothing(kind):
    np.testing.assert_allclose(apply(kind(0.0, prob=1.0)), IMAGE, atol=1e-6)


def test_randaugment_of_mmpretrain_sets_the_level():
    policies = [{"type": "AdjustBrightness", "magnitude_range": (0, 0.25), "prob": 1.0}]
    augment = RandAugment(policies, num_policies=1, magnitude_level=6)
    augment.transforms[0].random_negative_prob = 0
    np.testing.assert_allclose(apply(augment), IMAGE * 1.15, rtol=1e-6)


def test_randaugment_of_mmpretrain_takes_all_of_them():
    policies = [{"type": kind.__name__} for kind in PLAIN]
    policies += [{"type": kind.__name__, "magnitude_range": (0, 0.3)} for kind in GRADED]
    augment = RandAugment(policies, num_policies=6, magnitude_level=6, magnitude_std=0.5)
    for seed in range(20):
        changed = apply(augment, seed)
        assert changed.dtype == np.float32
        assert 0 <= changed.min() <= changed.max() <= 1
        assert not changed[:, 20:].any()


@pytest.mark.parametrize("kind", PLAIN + GRADED)
def test_a_draw_can_be_replayed(kind):
    transform = kind() if kind in PLAIN else kind(magnitude_range=(0, 1), magnitude_std="inf")
    for _ in range(5):
        with cache_random_params(transform):
            first, second = (transform({"img": IMAGE.copy()})["img"] for _ in range(2))
        assert np.array_equal(first, second)


def test_the_augmentations_of_mmpretrain_can_still_be_replayed():
    translate = Translate(magnitude=0.1, prob=1.0)
    with cache_random_params(translate):
        first, second = (translate({"img": IMAGE.copy()})["img"] for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("kind", PLAIN + GRADED)
def test_names_are_our_own(kind):
    assert TRANSFORMS.get(kind.__name__) is kind


def test_whole_numbers_are_refused_because_the_scale_would_be_wrong():
    with pytest.raises(ValueError, match=r"img must be of floats.*got uint16.*LoadMammogram"):
        StretchContrast(1.0)({"img": np.zeros((4, 4), np.uint16)})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AdjustGamma(), "exactly one of magnitude and magnitude_range"),
        (lambda: AdjustGamma(0.1, magnitude_range=(0, 1)), "exactly one of magnitude"),
        (lambda: StretchContrast(prob=2), "prob must lie between 0 and 1, got 2"),
        (lambda: StretchContrast(cutoff=0.5), "cutoff must lie"),
    ],
)
def test_a_wrong_setting_is_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_it_shows_how_it_was_built():
    assert "cutoff=0.1" in repr(StretchContrast(cutoff=0.1))
    assert "magnitude=0.2" in repr(AdjustGamma(0.2))
