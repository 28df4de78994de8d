import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from mammography.functional.png16 import SIGNATURE, decode_png16, encode_png16
from raw_png import PALETTE, chunk, interlaced, raw_png, rows

images = arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=40))


def png(image, filters=(2,), pieces=1, depth=16):
    """Write a grey PNG by hand: rows with the given filter codes, data in several IDAT."""
    height, width = image.shape
    raw = image.astype(">u2" if depth == 16 else np.uint8).view(np.uint8).astype(int)
    step, rows = depth // 8, []
    for y in range(height):
        kind, up = filters[y % len(filters)], raw[y - 1] if y else np.zeros_like(raw[0])
        left = np.concatenate([np.zeros(step, int), raw[y][:-step]])
        row = raw[y] - {0: 0, 1: left, 2: up, 3: (left + up) // 2}[kind]
        rows.append(bytes([kind]) + (row % 256).astype(np.uint8).tobytes())
    body = zlib.compress(b"".join(rows))
    size = -(-len(body) // pieces)
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    parts = [chunk(b"IDAT", body[i : i + size]) for i in range(0, len(body), size)]
    return SIGNATURE + chunk(b"IHDR", header) + b"".join(parts) + chunk(b"IEND", b"")


@given(images)
def test_files_are_read_by_opencv_and_pillow_without_change(image):
    data = encode_png16(image)
    np.testing.assert_array_equal(
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), image
    )
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), image)
    np.testing.assert_array_equal(decode_png16(data), image)


@given(images)
def test_files_of_opencv_and_pillow_are_read_without_change(image):
    by_pillow = io.BytesIO()
    Image.fromarray(image).save(by_pillow, "PNG")
    for data in (by_pillow.getvalue(), cv2.imencode(".png", image)[1].tobytes()):
        decoded = decode_png16(data)
        assert decoded.dtype == np.uint16
        np.testing.assert_array_equal(decoded, image)


@given(images, st.lists(st.sampled_from([0, 1, 2, 3]), min_size=1), st.integers(1, 4))
def test_any_filters_and_any_division_into_chunks_are_read(image, filters, pieces):
    np.testing.assert_array_equal(decode_png16(png(image, tuple(filters), pieces)), image)


def test_eight_bit_file_stays_eight_bit():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    decoded = decode_png16(png(image, depth=8))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, image)


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 9), (9, 1), (3, 5), (40, 33)])
@pytest.mark.parametrize("bits", [8, 16])
def test_interlaced_files_are_read(size_hw, bits):
    image = np.random.default_rng(0).integers(0, 1 << bits, size_hw).astype(f">u{bits // 8}")
    data = raw_png(interlaced(image), size_hw, bits, is_interlaced=True)
    np.testing.assert_array_equal(decode_png16(data), image)


def test_what_lies_beside_the_pixels_is_neither_inflated_nor_told(capfd):
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    large = zlib.compress(bytes(10_000_000))
    text = chunk(b"iTXt", b"Author\0\1\0\0\0" + large) + chunk(b"iCCP", b"Doe^Jane\0\0" + large)
    data = raw_png(rows(image), image.shape, extra=text + chunk(b"tRNS", bytes(99)))
    np.testing.assert_array_equal(decode_png16(data), image)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("raw", "settings", "rule"),
    [
        (bytes(10_000_000), {}, "must hold 272 bytes of rows, got 273"),
        (bytes(271), {}, "must hold 272 bytes of rows, got 271"),
        (b"\x05" + bytes(271), {}, "must have known filters"),
        (bytes(272), {"kind": PALETTE}, "a palette if need be"),
        (bytes(272), {"bits": 3}, "must have a size and a kind of the standard"),
        (bytes(272), {"size_hw": (2**31, 1)}, "must have a size and a kind of the standard"),
    ],
)
def test_rows_that_are_not_as_stated_are_an_error_in_silence(capfd, raw, settings, rule):
    with pytest.raises(ValueError, match=rule):
        decode_png16(raw_png(raw, **{"size_hw": (16, 16)} | settings))
    assert capfd.readouterr() == ("", "")


def test_a_view_with_gaps_is_written_as_its_values():
    image = np.arange(600, dtype=np.uint16).reshape(20, 30) * 100
    np.testing.assert_array_equal(decode_png16(encode_png16(image[::2, ::-3])), image[::2, ::-3])


def test_file_holds_pixels_and_no_metadata():
    data = encode_png16(np.ones((3, 4), np.uint16))
    names, position = [], 8
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        names.append(data[position + 4 : position + 8])
        position += 12 + length
    assert names == [b"IHDR", b"IDAT", b"IEND"]


NOISE = np.random.default_rng(0).integers(0, 65536, (50, 40)).astype(np.uint16)


@pytest.mark.parametrize("write", [encode_png16, lambda x: cv2.imencode(".png", x)[1].tobytes()])
def test_every_truncation_is_an_error(write):
    data = write(NOISE)
    for end in (0, 5, 8, 20, 33, 60, len(data) // 2, len(data) - 12, len(data) - 1):
        with pytest.raises(ValueError, match="decode_png16"):
            decode_png16(data[:end])


@pytest.mark.parametrize("write", [encode_png16, lambda x: cv2.imencode(".png", x)[1].tobytes()])
def test_every_changed_byte_is_an_error(write):
    data = write(NOISE)
    for position in (*range(40), len(data) // 2, len(data) - 5, len(data) - 20):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        with pytest.raises(ValueError, match="decode_png16"):
            decode_png16(bytes(damaged))


@pytest.mark.parametrize(
    "body", [b"", b"\0" * 20, zlib.compress(b"\2" * 9), zlib.compress(bytes(11))[:-3]]
)
def test_wrong_data_under_a_right_checksum_are_an_error(body):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 4, 16, 0, 0, 0, 0))
    with pytest.raises(ValueError, match="decode_png16"):
        decode_png16(SIGNATURE + header + chunk(b"IDAT", body) + chunk(b"IEND", b""))


@pytest.mark.parametrize(
    "image", [np.ones((2, 2), np.uint8), np.ones((2, 2, 1), np.uint16), np.ones((0, 2), np.uint16)]
)
def test_only_16_bit_images_are_written(image):
    with pytest.raises(ValueError, match="non-empty 2-D array of uint16, got"):
        encode_png16(image)
