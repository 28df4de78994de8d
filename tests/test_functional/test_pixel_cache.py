from io import BytesIO

import numpy as np
import pytest

from mammography.functional.pixel_cache import decode_pixels, encode_pixels

NOISE = np.random.default_rng(0).integers(0, 65536, (37, 23)).astype(np.uint16)
SMOOTH = (np.add.outer(np.arange(400), np.arange(300)) * 40).astype(np.uint16)
KINDS = ["npy", "blosc"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "image",
    [NOISE, SMOOTH, NOISE[:1, :1], SMOOTH[::2, ::-3], np.zeros((5, 9), np.uint16), SMOOTH.T],
    ids=["noise", "smooth", "one pixel", "strided", "zeros", "transposed"],
)
def test_every_pixel_comes_back(image, kind):
    pixels, png = decode_pixels(encode_pixels(image, kind, b"\0\xff12"), kind)
    assert pixels.dtype == np.uint16
    assert np.array_equal(pixels, image)
    assert png == b"\0\xff12"


def test_numpy_reads_the_plain_kind():
    assert np.array_equal(np.load(BytesIO(encode_pixels(NOISE, "npy", b"1234"))), NOISE)


def test_smooth_pixels_take_less_space():
    sizes = {kind: len(encode_pixels(SMOOTH, kind, b"1234")) for kind in KINDS}
    assert sizes["blosc"] < 0.5 * sizes["npy"]
    assert sizes["npy"] == SMOOTH.nbytes + 128 + 8


def test_the_same_pixels_give_the_same_bytes():
    for kind in KINDS:
        assert encode_pixels(SMOOTH, kind, b"1234") == encode_pixels(SMOOTH.copy(), kind, b"1234")


@pytest.mark.parametrize("kind", KINDS)
def test_any_damage_is_an_error(kind):
    data = encode_pixels(NOISE, kind, b"1234")
    for place in [0, 20, 127, 140, len(data) // 2, len(data) - 9, len(data) - 8, len(data) - 1]:
        damaged = bytearray(data)
        damaged[place] ^= 4
        with pytest.raises(ValueError, match="must match its checksum, it is damaged"):
            decode_pixels(bytes(damaged), kind)


@pytest.mark.parametrize("size", [0, 7, 8, 100, 135])
def test_data_that_is_cut_short_is_an_error(size):
    with pytest.raises(ValueError, match=r"damaged|cut short"):
        decode_pixels(encode_pixels(NOISE, "npy", b"1234")[:size], "npy")


@pytest.mark.parametrize(
    "image", [NOISE.astype(np.float32), NOISE[0], np.zeros((0, 3), np.uint16), NOISE.astype("u1")]
)
def test_other_pixels_are_refused(image):
    with pytest.raises(ValueError, match="image must be a non-empty 2-D array of uint16, got"):
        encode_pixels(image, "npy", b"1234")
