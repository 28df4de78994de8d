import numpy as np
import pytest
from mmcv.transforms.utils import cache_random_params

from mammography.datasets.transforms.affine_resize import AffineResize
from mammography.datasets.transforms.random_affine_warp import RandomAffineWarp

IMAGE = np.random.default_rng(0).random((80, 50), dtype=np.float32)


def results(image=IMAGE, **more):
    return {"img": image, "img_path": "x.png", **more}


def seeded(transform, seed=0, **more):
    np.random.seed(seed)  # noqa: NPY002
    return transform(results(**more))


RANDOM = {
    "size_hw": (64, 40),
    "flip_prob": 0.5,
    "rotation_deg": 20,
    "zoom": (0.9, 1.2),
    "shear_deg": 5,
    "translation": 0.1,
    "area": (0.5, 0.9),
}


def test_without_ranges_the_random_warp_is_the_deterministic_one():
    random, fixed = RandomAffineWarp((64, 40)), AffineResize((64, 40))
    ours, theirs = random(results()), fixed(results())
    assert np.array_equal(ours["img"], theirs["img"])
    assert np.array_equal(ours["warp_matrix"], theirs["warp_matrix"])
    assert ours["img_shape"] == ours["img"].shape == (64, 40)


def test_the_seed_of_numpy_repeats_a_warp():
    warp = RandomAffineWarp(**RANDOM)
    first, second, other = seeded(warp), seeded(warp), seeded(warp, 1)
    assert np.array_equal(first["img"], second["img"])
    assert not np.array_equal(first["img"], other["img"])


def test_a_draw_can_be_replayed_on_another_image():
    warp = RandomAffineWarp(**RANDOM)
    parameters = warp.choose_parameters(results())
    matrices = [warp.warp(results(), parameters)["warp_matrix"] for _ in range(2)]
    assert np.array_equal(*matrices)
    with cache_random_params(warp):
        assert np.array_equal(warp(results())["img"], warp(results())["img"])


def test_the_matrix_says_where_a_pixel_went():
    image = np.zeros((80, 50), np.float32)
    image[38:42, 23:27] = 1
    for seed in range(5):
        warped = seeded(RandomAffineWarp(**RANDOM | {"area": None}), seed, image=image)
        y, x = np.mgrid[:64, :40] + 0.5
        weight = warped["img"] / warped["img"].sum()
        np.testing.assert_allclose(
            ((x * weight).sum(), (y * weight).sum()), warped["warp_matrix"] @ (25, 40, 1), atol=0.1
        )


def test_two_warps_in_a_row_give_one_matrix_from_the_file():
    two = AffineResize((40, 25), keep_ratio=False)(AffineResize((20, 50))(results()))
    np.testing.assert_allclose(two["warp_matrix"] @ (25, 40, 1), (12.5, 20))


def test_the_centre_alone_can_be_shown():
    shown = AffineResize((40, 36), central=(1 / 2, 3 / 4))(results(IMAGE[:, :48]))["img"]
    assert np.array_equal(shown, IMAGE[20:60, 6:42])


@pytest.mark.parametrize(
    ("laterality", "mirrored", "side"), [("L", False, 0), ("R", False, 1), ("R", True, 0)]
)
def test_the_chest_wall_lies_at_the_edge_where_it_is_in_the_image(laterality, mirrored, side):
    image = np.ones((20, 10), np.float32)
    place = {"laterality": laterality, "mirrored": mirrored}
    for flip in (False, True):
        out = AffineResize((20, 30), anchor="chest_wall", flip=flip)(results(image, **place))["img"]
        columns = np.flatnonzero(out.any(0))
        expected = np.arange(20, 30) if side != flip else np.arange(10)
        assert np.array_equal(columns, expected)


@pytest.mark.parametrize("transform", [AffineResize, RandomAffineWarp])
@pytest.mark.parametrize(
    ("laterality", "mirrored", "flip_to", "flipped"),
    [
        ("L", False, "L", False),
        ("R", False, "L", True),
        ("R", True, "L", False),
        ("L", True, "L", True),
        ("L", False, "R", True),
        ("R", False, "R", False),
    ],
)
def test_flip_to_makes_all_breasts_look_like_one_side(
    transform, laterality, mirrored, flip_to, flipped
):
    out = transform(IMAGE.shape, flip_to=flip_to)(
        results(laterality=laterality, mirrored=mirrored)
    )["img"]
    assert np.array_equal(out, np.fliplr(IMAGE) if flipped else IMAGE)


@pytest.mark.parametrize("settings", [{"flip_to": "L"}, {"anchor": "chest_wall"}])
def test_a_side_that_is_not_known_is_an_error_that_names_the_image(settings):
    with pytest.raises(ValueError, match=r"laterality must be known .* x\.png has none"):
        AffineResize((20, 20), **settings)(results(laterality=None))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"anchor": "left"}, "anchor must be one of center, chest_wall, got 'left'"),
        ({"flip_to": "left"}, "flip_to must be one of None, L, R, got 'left'"),
        ({"interpolation": "area"}, "interpolation must be one of"),
        ({"size_hw": (0, 3)}, "size_hw must be"),
        ({"rotation_deg": 400}, "rotation_deg must lie between 0 and 180, got 400"),
        ({"flip_to": "L", "flip_prob": 0.5}, "flip_prob must be 0 with flip_to='L'"),
    ],
)
def test_a_wrong_setting_is_refused_at_construction(settings, message):
    with pytest.raises(ValueError, match=message):
        RandomAffineWarp(**{"size_hw": (8, 8), **settings})


def test_an_unknown_range_is_refused_at_construction():
    with pytest.raises(TypeError, match="rotate"):
        RandomAffineWarp((8, 8), rotate=3)
    with pytest.raises(ValueError, match=r"central must be two shares .*got \(1.2, 1\)"):
        AffineResize((8, 8), central=(1.2, 1))


def test_flip_of_the_deterministic_warp_comes_after_flip_to():
    resize = AffineResize(IMAGE.shape, flip_to="L", flip=True)
    assert not resize.choose_parameters(results(laterality="R")).flip
    assert resize.choose_parameters(results(laterality="L")).flip
