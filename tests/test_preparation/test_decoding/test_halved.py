"""Pictures decoded without their finest resolutions."""

import numpy as np
import pytest
from pydicom import uid

from dicom_files import ENCODERS, LOSSY_ENCODERS, NATIVE, draw_breast, jpeg2000, write_dicom
from mammography.preparation.decoding.decode import read_stored_pixels
from mammography.preparation.rejection import RejectedImage

LOSSLESS = uid.JPEG2000Lossless
HALVED = (LOSSLESS, uid.JPEG2000)
IMAGE = draw_breast((301, 198), noise=15)


def low_pass(image):
    """Halve a picture by the reversible filter of JPEG 2000.

    References:
        ISO/IEC 15444-1, F.4.8.1: (F-5) and (F-6), with the picture mirrored at its borders.
    """
    for _ in range(2):  # Columns first, then rows.
        image = image.T
        samples = np.pad(image, ((0, 0), (2, 3)), mode="reflect").astype(np.int64)
        before, odd, after = samples[:, 0:-2:2], samples[:, 1:-1:2], samples[:, 2::2]
        high = odd - ((before + after) >> 1)
        count = -(-image.shape[1] // 2)
        even = samples[:, 2::2][:, :count]
        image = even + ((high[:, :count] + high[:, 1 : count + 1] + 2) >> 2)
    return image


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("halvings", [1, 2, 3])
@pytest.mark.parametrize("shape", [(301, 198), (302, 199), (297, 196)])
def test_halved_picture_is_the_low_pass_of_the_wavelet_bit_for_bit(
    tmp_path, shape, halvings, bits, signed
):
    image = draw_breast(shape, noise=15).astype(np.int64) << 4 >> (16 - bits)
    image -= signed << (bits - 1)
    kind = f"{'i' if signed else 'u'}{1 if bits == 8 else 2}"
    path = write_dicom(tmp_path / "a.dcm", image.astype(kind), LOSSLESS, bits=bits)
    halved = read_stored_pixels(path, reduce=halvings)
    expected = image
    for _ in range(halvings):
        expected = low_pass(expected)
    expected = np.clip(expected, -signed << (bits - 1), (1 << (bits - signed)) - 1)
    assert (halved.halvings, halved.pixels.dtype) == (halvings, np.dtype(kind))
    np.testing.assert_array_equal(halved.pixels, expected)


def test_picture_whose_sign_contradicts_the_header_is_not_halved(tmp_path):
    signed = np.clip(IMAGE.astype(np.int16) - 1500, -1400, 1400)
    stream = jpeg2000(signed.view(np.uint16) & np.uint16(0x0FFF), reversible=True)
    path = write_dicom(tmp_path / "a.dcm", signed, LOSSLESS, stream=stream, bits=12)
    image = read_stored_pixels(path, reduce=1)
    assert image.halvings == 0
    np.testing.assert_array_equal(image.pixels, signed)


def test_lossy_picture_is_halved_to_about_its_mean_values(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", draw_breast((300, 200)), uid.JPEG2000, bits=12)
    halved = read_stored_pixels(path, reduce=1)
    means = draw_breast((300, 200)).reshape(150, 2, 100, 2).mean(axis=(1, 3))
    assert halved.halvings == 1
    assert np.median(np.abs(halved.pixels - means)) < 15


def test_picture_of_fewer_resolutions_is_halved_as_often_as_it_can_be(tmp_path):
    stream = jpeg2000(IMAGE, reversible=True, resolutions=3)
    path = write_dicom(tmp_path / "a.dcm", IMAGE, LOSSLESS, stream=stream, bits=12)
    halved = read_stored_pixels(path, reduce=9)
    assert (halved.halvings, halved.pixels.shape) == (2, (76, 50))


@pytest.mark.parametrize(
    "syntax", [s for s in (*NATIVE, *ENCODERS, *LOSSY_ENCODERS) if s not in HALVED], ids=str
)
def test_other_syntaxes_are_decoded_in_full(tmp_path, syntax):
    path = write_dicom(tmp_path / "a.dcm", IMAGE, syntax, bits=12)
    image = read_stored_pixels(path, reduce=2)
    assert (image.halvings, image.pixels.shape) == (0, IMAGE.shape)


def test_frames_are_halved_alike(tmp_path):
    frames = np.stack([IMAGE, IMAGE // 2, IMAGE // 3])
    path = write_dicom(tmp_path / "a.dcm", frames, LOSSLESS, bits=12)
    image = read_stored_pixels(path, "middle", reduce=1)
    assert (image.frame, image.halvings) == (1, 1)
    halved = [low_pass(frame).clip(0, 4095) for frame in frames]
    np.testing.assert_array_equal(image.pixels, halved[1])
    projected = read_stored_pixels(path, "max", reduce=1).pixels
    np.testing.assert_array_equal(projected, np.max(halved, axis=0))


@pytest.mark.parametrize(
    "cut",
    [
        lambda s: s[: len(s) // 2],
        lambda s: s[: len(s) // 2] + b"\xff\xd9",
        lambda s: s[: len(s) // 2] + s[len(s) // 2 + 200 :],
        lambda s: s[:80] + b"\xff\xd9",
    ],
    ids=["half", "half, marked", "gap in the middle", "header only"],
)
def test_incomplete_stream_is_rejected_though_the_missing_part_is_not_needed(tmp_path, cut):
    stream = cut(ENCODERS[LOSSLESS](IMAGE))
    path = write_dicom(tmp_path / "a.dcm", IMAGE, LOSSLESS, stream=stream, bits=12)
    with pytest.raises(RejectedImage, match=r"truncated|corrupt"):
        read_stored_pixels(path, reduce=2)
