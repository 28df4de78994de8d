import base64

import cv2
import numpy as np
import pytest

from mammography.reports.thumbnails import (
    MAX_SIDE,
    make_overlay,
    make_thumbnail,
    stretch_for_display,
)


def decode(thumbnail):
    data = base64.b64decode(thumbnail.data_uri.removeprefix("data:image/png;base64,"))
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_the_stretch_ignores_the_background_and_keeps_it_black():
    image = np.zeros((50, 40), np.uint16)
    image[:, :20] = np.linspace(30_000, 31_000, 1000).reshape(50, 20)
    small = stretch_for_display(image)
    assert (small[:, 20:] == 0).all()
    assert small.max() == 255
    assert abs(int(np.median(small[:, :20])) - 128) < 3


def test_the_stretch_does_not_depend_on_the_bit_depth():
    image = np.random.default_rng(0).integers(0, 255, (20, 30)).astype(np.uint8)
    np.testing.assert_array_equal(
        stretch_for_display(image), stretch_for_display(image.astype(np.uint16) * 257)
    )


def test_an_image_of_one_value_or_none_is_black():
    assert stretch_for_display(np.zeros((4, 4), np.uint16)).max() == 0
    assert stretch_for_display(np.full((4, 4), 7, np.uint16)).max() == 0


def test_a_large_image_becomes_small_and_keeps_its_shape(tmp_path):
    image = np.random.default_rng(0).integers(1, 65535, (1200, 800)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    thumbnail = make_thumbnail(tmp_path / "a.png")
    assert thumbnail.size_hw == (1200, 800)
    assert decode(thumbnail).shape == (MAX_SIDE, MAX_SIDE * 2 // 3)


def test_what_is_no_image_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"a\.png must be an image, got 8 bytes"):
        make_thumbnail(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"a\.png must be an image, got 0 bytes"):
        make_thumbnail(tmp_path / "a.png")


def test_a_grey_map_becomes_colours_that_show_where_it_is_high(tmp_path):
    heat = np.zeros((40, 20), np.uint8)
    heat[10, 5] = 255
    cv2.imwrite(str(tmp_path / "map.png"), heat)
    data = base64.b64decode(make_overlay(tmp_path / "map.png").split(",")[1])
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (40, 20, 4)
    np.testing.assert_array_equal(picture[..., 3], heat)


def test_a_map_of_sixteen_bits_and_a_coloured_one_are_read_as_well(tmp_path):
    cv2.imwrite(str(tmp_path / "deep.png"), np.full((4, 4), 65535, np.uint16))
    color = np.zeros((4, 4, 3), np.uint8)
    color[..., 2] = 200
    cv2.imwrite(str(tmp_path / "color.png"), color)
    for name, pixel in (("deep", 255), ("color", 200)):
        data = base64.b64decode(make_overlay(tmp_path / f"{name}.png").split(",")[1])
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        assert picture[0, 0, -1] == pixel
