from io import BytesIO

import cv2
import imagecodecs
import numpy as np
import pytest
from PIL import Image

from dicom_files import make_dicom
from mammography.functional.png16 import encode_png16
from mammography.preparation.decoding.files import plain_format, read_plain_pixels
from mammography.preparation.rejection import RejectedImage

DEEP = (np.arange(80 * 60).reshape(80, 60) * 13 % 65536).astype(np.uint16)
SHALLOW = (DEEP // 256).astype(np.uint8)


def npy(array):
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


def tiff(*images, **settings):
    file = BytesIO()
    first, *others = map(Image.fromarray, images)
    first.save(file, "TIFF", save_all=bool(others), append_images=others, **settings)
    return file.getvalue()


def jpeg(array, **settings):
    file = BytesIO()
    Image.fromarray(array).save(file, "JPEG", quality=95, **settings)
    return file.getvalue()


def turned():
    """Return the EXIF data that ask a viewer to turn a picture by a quarter."""
    exif = Image.Exif()
    exif[274] = 6
    return exif.tobytes()


def pgm(array, kind=b"P5"):
    head = kind + b"\n# a comment\n60 80\n%d\n" % (65535 if array.dtype == np.uint16 else 255)
    if kind == b"P2":
        return head + b" ".join(b"%d" % value for value in array.ravel())
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (encode_png16(DEEP), DEEP),
        (cv2.imencode(".png", SHALLOW)[1].tobytes(), SHALLOW),
        (npy(DEEP), DEEP),
        (npy(DEEP.astype(">u2")[..., None]), DEEP),
        (npy(DEEP.astype(np.float32) / 7), DEEP.astype(np.float32) / 7),
        (npy(DEEP.astype(np.int16)), DEEP.astype(np.int16)),
        (tiff(DEEP), DEEP),
        (tiff(DEEP, compression="tiff_lzw"), DEEP),
        (tiff(SHALLOW), SHALLOW),
        (imagecodecs.tiff_encode(DEEP, photometric="miniswhite"), 65535 - DEEP),
        (pgm(DEEP), DEEP),
        (pgm(SHALLOW), SHALLOW),
        (pgm(DEEP, b"P2"), DEEP),
        (imagecodecs.jpeg8_encode(DEEP // 16, lossless=True, bitspersample=12), DEEP // 16),
    ],
)  # fmt: skip
def test_all_bits_are_read_whatever_the_suffix(tmp_path, data, expected):
    path = tmp_path / "image.dat"
    path.write_bytes(data)
    pixels = read_plain_pixels(path)
    assert pixels.dtype == expected.dtype
    np.testing.assert_array_equal(pixels, expected)


THRICE = np.stack([SHALLOW] * 3, axis=-1)
COLOUR = np.stack([SHALLOW, SHALLOW, SHALLOW // 2], axis=-1)
OPAQUE = np.dstack([THRICE, np.full_like(SHALLOW, 255)])


def test_a_grey_jpeg_has_the_pixels_of_another_decoder_as_they_are_stored(tmp_path):
    path = tmp_path / "image.dat"
    for data in (jpeg(SHALLOW), jpeg(SHALLOW, exif=turned()), jpeg(SHALLOW, progressive=True)):
        path.write_bytes(data)
        assert plain_format(path) == "JPEG"
        np.testing.assert_array_equal(read_plain_pixels(path), imagecodecs.jpeg8_decode(data))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (cv2.imencode(".png", THRICE)[1].tobytes(), SHALLOW),
        (jpeg(THRICE), imagecodecs.jpeg8_decode(jpeg(SHALLOW))),
        (jpeg(THRICE, subsampling=0), imagecodecs.jpeg8_decode(jpeg(SHALLOW))),
    ],
)
def test_a_picture_whose_three_colours_are_the_same_is_grey(tmp_path, data, expected):
    path = tmp_path / "image.dat"
    path.write_bytes(data)
    np.testing.assert_array_equal(read_plain_pixels(path), expected)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (cv2.imencode(".png", COLOUR)[1].tobytes(), "colour or multi-frame image"),
        (cv2.imencode(".png", OPAQUE)[1].tobytes(), "colour or multi-frame image"),
        (jpeg(COLOUR), "colour or multi-frame image"),
        (tiff(COLOUR), "colour or multi-frame image"),
        (tiff(THRICE), "colour or multi-frame image"),
        (tiff(DEEP, DEEP), "colour or multi-frame image"),
        (npy(np.zeros((3, 80, 60), np.uint16)), "colour or multi-frame image"),
        (npy(np.zeros((80, 60), complex)), "unsupported pixel type complex128"),
        (npy(np.zeros((8, 6), [("Doe^Jane", "<u2")])), "unsupported pixel type void16"),
        (npy(np.full((80, 60), np.nan)), "values that are not finite"),
        (npy(DEEP)[:500], "corrupt NPY file"),
        (npy(np.array([[object()]])), "unsupported pixel type object"),
        (encode_png16(DEEP)[:-30], "corrupt PNG file"),
        (tiff(DEEP)[:3000], "corrupt TIFF file"),
        (jpeg(SHALLOW)[:-300], "corrupt JPEG file"),
        (jpeg(SHALLOW)[:-2], "corrupt JPEG file"),
        (jpeg(SHALLOW)[:3], "corrupt JPEG file"),
        (pgm(DEEP)[:3000], "corrupt PGM file"),
        (b"no image at all", "unknown file format"),
    ],
)
def test_unusable_file_is_rejected_with_its_reason(tmp_path, data, reason):
    path = tmp_path / "image.png"
    path.write_bytes(data)
    with pytest.raises(RejectedImage) as caught:
        read_plain_pixels(path)
    assert str(caught.value) == reason


def test_dicom_is_told_from_other_formats_by_its_bytes(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(b"P5" + make_dicom(DEEP)[2:])
    assert plain_format(path) is None
    with pytest.raises(RejectedImage, match="unreadable file"):
        plain_format(tmp_path / "none.png")
