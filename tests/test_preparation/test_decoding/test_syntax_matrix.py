"""One phantom in every transfer syntax that an encoder exists for."""

import shutil
import subprocess
from io import BytesIO

import imagecodecs
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import uid
from pydicom.uid import UID_dictionary

from dicom_files import (
    ENCODERS,
    JPEG_XL,
    NATIVE,
    NEAR,
    deflate,
    draw_breast,
    jpeg_8bit,
    make_dicom,
    rename_syntax,
    write_dicom,
)
from jpeg_lossless import encode_lossless_jpeg
from mammography.preparation.decoding import codecs
from mammography.preparation.decoding.decode import read_stored_pixels
from mammography.preparation.image import PreparationOptions, prepare_image
from mammography.preparation.rejection import RejectedImage, TemporaryRejection

LOSSLESS = [*NATIVE, *ENCODERS]
PROGRESSIVE = uid.UID("1.2.840.10008.1.2.4.55")
JPIP = uid.UID("1.2.840.10008.1.2.4.94")
JPIP_DEFLATED = uid.UID("1.2.840.10008.1.2.4.95")
JPIP_HTJ2K_DEFLATED = uid.JPIPHTJ2KReferencedDeflate
BITS = (8, 10, 12, 14, 16)


def name(value):
    return codecs.name(value) if isinstance(value, uid.UID) else None


def phantom(bits=12, signed=False):
    top = 200 if bits == 8 else (1 << bits) - 400
    noise = np.clip(bits - 7, 1, 4) * 3.0
    image = np.minimum(draw_breast(top=top, noise=noise), (1 << bits) - 1)
    kind = "u1" if bits == 8 else "u2"
    if signed:
        return (image.astype(int) - (1 << (bits - 1))).astype(kind.replace("u", "i"))
    return image.astype(kind)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("syntax", LOSSLESS, ids=name)
def test_stored_values_come_back_bit_for_bit(tmp_path, syntax, signed, bits):
    image = phantom(bits, signed)
    path = write_dicom(tmp_path / "a.dcm", image, syntax, bits=bits)
    stored = read_stored_pixels(path).pixels
    assert stored.dtype == image.dtype
    np.testing.assert_array_equal(stored, image)


@pytest.mark.parametrize("bits", range(2, 17))
@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("restart_rows", [0, 1, 5])
def test_lossless_jpeg_of_any_precision_predictor_and_restarts_is_exact(
    tmp_path, bits, predictor, restart_rows
):
    image = np.random.default_rng(bits).integers(0, 1 << bits, (13, 17))
    image[6:9] = image[5, 0]
    image = image.astype(np.uint8 if bits <= 8 else np.uint16)
    stream = encode_lossless_jpeg(image, bits, predictor, restart_rows)
    path = write_dicom(tmp_path / "a.dcm", image, uid.JPEGLossless, stream=stream, bits=bits)
    np.testing.assert_array_equal(read_stored_pixels(path).pixels, image)
    cut = stream[: len(stream) * 2 // 3] + b"\xff\xd9"
    write_dicom(path, image, uid.JPEGLossless, stream=cut, bits=bits)
    with pytest.raises(RejectedImage, match=r"truncated|corrupt"):
        read_stored_pixels(path)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (31, 17), (300, 201)])
@pytest.mark.parametrize("syntax", LOSSLESS, ids=name)
def test_odd_shapes_come_back_bit_for_bit(tmp_path, syntax, shape):
    image = np.random.default_rng(0).integers(0, 4096, shape).astype(np.uint16)
    path = write_dicom(tmp_path / "a.dcm", image, syntax, bits=12)
    np.testing.assert_array_equal(read_stored_pixels(path).pixels, image)


VOI = {
    "window": {"WindowCenter": 1500, "WindowWidth": 2000, "VOILUTFunction": "LINEAR"},
    "exact window": {"WindowCenter": 1500, "WindowWidth": 2000, "VOILUTFunction": "LINEAR_EXACT"},
    "sigmoid": {"WindowCenter": 1500, "WindowWidth": 2000, "VOILUTFunction": "SIGMOID"},
    "table": {"VOILUTSequence": np.round(65535 * np.linspace(0, 1, 4096) ** 1.5)},
    "none": {},
}
WHITE = 4095
PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2")


def voi_tags(voi, inverted):
    """Return the tags of a VOI transform, or of the one that shows inverted values alike."""
    tags = dict(VOI[voi])
    if "WindowCenter" in tags and inverted:
        # Centres count from half a pixel below in a linear window.
        tags["WindowCenter"] = WHITE - tags["WindowCenter"] + (voi == "window")
    if "VOILUTSequence" in tags:
        entries = tags["VOILUTSequence"].astype(np.uint16)
        item = pydicom.Dataset()
        item.LUTDescriptor = [4096, 0, 16]
        item.add_new("LUTData", "US", (65535 - entries[::-1] if inverted else entries).tolist())
        tags["VOILUTSequence"] = [item]
    return tags


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Prepare the phantom once per way to show it, from the plainest of files."""
    path = tmp_path_factory.mktemp("expected") / "a.dcm"
    plain = uid.ExplicitVRLittleEndian
    return {(voi, kind): prepare(path, plain, voi, kind) for voi in VOI for kind in PHOTOMETRIC}


def prepare(path, syntax, voi, photometric):
    inverted = photometric == "MONOCHROME1"
    image = WHITE - phantom() if inverted else phantom()
    path.write_bytes(
        make_dicom(
            image,
            syntax,
            bits=12,
            PhotometricInterpretation=photometric,
            ImageLaterality="L",
            ViewPosition="CC",
            **voi_tags(voi, inverted),
        )
    )
    return prepare_image(path, options=PreparationOptions())


@pytest.mark.parametrize("voi", VOI)
@pytest.mark.parametrize("photometric", PHOTOMETRIC)
@pytest.mark.parametrize("syntax", LOSSLESS, ids=name)
def test_prepared_pixels_agree_across_syntaxes(tmp_path, expected, syntax, photometric, voi):
    prepared = prepare(tmp_path / "a.dcm", syntax, voi, photometric)
    assert prepared.geometry == expected[voi, photometric].geometry
    np.testing.assert_array_equal(prepared.pixels, expected[voi, photometric].pixels)


@pytest.mark.parametrize("voi", VOI)
def test_monochrome1_shows_inverted_values_as_monochrome2_shows_the_values(expected, voi):
    ours, theirs = (expected[voi, photometric] for photometric in PHOTOMETRIC)
    assert ours.geometry == theirs.geometry
    off = np.abs(ours.pixels.astype(int) - theirs.pixels.astype(int))
    assert off.max() <= 1  # Of 65535: halves are rounded from the other side.
    assert np.count_nonzero(off) < 0.01 * off.size


def test_each_voi_transform_shows_another_picture(expected):
    pictures = {prepared.pixels.tobytes() for prepared in expected.values()}
    assert len(pictures) >= len(VOI)


def test_near_lossless_values_are_within_their_limit_and_those_of_another_decoder(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", phantom(), uid.JPEGLSNearLossless, bits=12)
    stored = read_stored_pixels(path).pixels
    assert 0 < np.abs(stored.astype(int) - phantom()).max() <= NEAR
    np.testing.assert_array_equal(stored, by_pydicom(path))


def by_pydicom(path):
    try:
        return pydicom.dcmread(path).pixel_array
    except (RuntimeError, NotImplementedError) as error:
        pytest.skip(f"pydicom has no decoder: {error}")


@pytest.mark.parametrize(("syntax", "rounding"), [(uid.JPEG2000, 0), (uid.HTJ2K, 1)], ids=name)
def test_lossy_wavelets_equal_those_of_openjpeg(tmp_path, syntax, rounding):
    path = write_dicom(tmp_path / "a.dcm", phantom(), syntax, bits=12)
    stored = read_stored_pixels(path).pixels.astype(int)
    assert 0 < np.abs(stored - phantom()).max() < 100
    np.testing.assert_allclose(stored, by_pydicom(path), rtol=0, atol=rounding)


def test_what_a_lossy_picture_has_out_of_range_is_cut_off_and_not_wrapped_around(tmp_path):
    image = phantom()
    values = image.astype(int) * 2 - 1000  # Partly below 0, partly above 4095.
    raised = (values + (1 << 15) - (1 << 11)).astype(np.uint16)
    stream = bytearray(imagecodecs.htj2k_encode(raised))
    assert stream[42] == 15
    stream[42] = 11  # A precision of 12 bits: zero lies elsewhere, all else stays.
    path = write_dicom(tmp_path / "a.dcm", image, uid.HTJ2K, stream=bytes(stream), bits=12)
    np.testing.assert_array_equal(read_stored_pixels(path).pixels, values.clip(0, 4095))


@pytest.mark.parametrize("progressive", [False, True])
def test_lossy_jpeg_of_8_bits_is_read_progressive_or_not(tmp_path, progressive):
    image = phantom(8)
    syntax = PROGRESSIVE if progressive else uid.JPEGBaseline8Bit
    stream = jpeg_8bit(image, progressive=progressive)
    path = write_dicom(tmp_path / "a.dcm", image, syntax, stream=stream)
    stored = read_stored_pixels(path).pixels
    np.testing.assert_array_equal(stored, np.asarray(Image.open(BytesIO(stream))))
    assert 0 < np.abs(stored.astype(int) - image).max() < 30


def test_lossy_jpeg_xl_is_near_the_original(tmp_path):
    stored = read_stored_pixels(write_dicom(tmp_path / "a.dcm", phantom(), JPEG_XL, bits=12)).pixels
    assert 0 < np.abs(stored.astype(int) - phantom()).mean() < 20


DCMTK = [
    (("dcmconv", "+ti"), uid.ImplicitVRLittleEndian),
    (("dcmconv", "+tb"), uid.ExplicitVRBigEndian),
    (("dcmconv", "+td"), uid.DeflatedExplicitVRLittleEndian),
    (("dcmcrle",), uid.RLELossless),
    (("dcmcjpeg", "+e1"), uid.JPEGLosslessSV1),
    *((("dcmcjpeg", "+el", "+sv", str(number)), uid.JPEGLossless) for number in range(1, 8)),
    (("dcmcjpls",), uid.JPEGLSLossless),
]


def run_dcmtk(tool, *arguments):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} of DCMTK is not installed")
    subprocess.run([tool, *map(str, arguments)], check=True, capture_output=True)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize(
    ("tool", "syntax"), DCMTK, ids=lambda v: "" if isinstance(v, str) else " ".join(v)
)
def test_what_dcmtk_encodes_comes_back_bit_for_bit(tmp_path, tool, syntax, bits):
    plain = write_dicom(tmp_path / "plain.dcm", phantom(bits), bits=bits)
    run_dcmtk(*tool, plain, tmp_path / "coded.dcm")
    dataset, stored = read_stored_pixels(tmp_path / "coded.dcm")[:2]
    assert dataset.file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(stored, phantom(bits))


@pytest.mark.parametrize(
    ("bits", "encoder", "decoder", "syntax"),
    [
        (8, ("dcmcjpeg", "+eb"), "dcmdjpeg", uid.JPEGBaseline8Bit),
        (8, ("dcmcjpeg", "+ep"), "dcmdjpeg", PROGRESSIVE),
        (12, ("dcmcjpeg", "+ee"), "dcmdjpeg", uid.JPEGExtended12Bit),
        (12, ("dcmcjpls", "+en", "+md", NEAR), "dcmdjpls", uid.JPEGLSNearLossless),
    ],
    ids=name,
)
def test_lossy_pictures_equal_those_that_dcmtk_decodes(tmp_path, bits, encoder, decoder, syntax):
    plain = write_dicom(tmp_path / "plain.dcm", phantom(bits), bits=bits)
    run_dcmtk(*encoder, plain, tmp_path / "coded.dcm")
    run_dcmtk(decoder, tmp_path / "coded.dcm", tmp_path / "decoded.dcm")
    dataset, stored = read_stored_pixels(tmp_path / "coded.dcm")[:2]
    assert dataset.file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(stored, read_stored_pixels(tmp_path / "decoded.dcm").pixels)


UNREAD = [
    *(syntax for syntax, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax"),
    "1.2.840.113619.5.2",
    "1.2.3.4",
]


@pytest.mark.parametrize("syntax", [s for s in UNREAD if not codecs.is_known(s)])
def test_syntax_without_a_decoder_is_rejected_by_its_name(tmp_path, syntax):
    path = write_dicom(tmp_path / "a.dcm", phantom(), uid.UID(syntax), stream=b"JANE")
    with pytest.raises(RejectedImage) as caught:
        read_stored_pixels(path)
    shown = UID_dictionary[syntax][0] if syntax in UID_dictionary else "private"
    assert str(caught.value) == f"unsupported transfer syntax ({shown})"


@pytest.mark.parametrize("syntax", [JPIP, JPIP_DEFLATED, JPIP_HTJ2K_DEFLATED])
def test_reference_to_a_server_is_rejected_by_the_name_of_its_syntax(tmp_path, syntax):
    data = make_dicom(phantom(), uid.MPEG2MPML, stream=b"none", PixelData=None)
    head = data.index(b"\x08\0\x16\0UI")  # Where the data set begins.
    body = data[head:]
    if syntax != JPIP:
        body = deflate(np.frombuffer(body, np.uint8))
    (tmp_path / "a.dcm").write_bytes(rename_syntax(data[:head] + body, syntax))
    with pytest.raises(RejectedImage) as caught:
        read_stored_pixels(tmp_path / "a.dcm")
    assert str(caught.value) == f"unsupported transfer syntax ({syntax.name})"


@pytest.mark.parametrize("syntax", [NATIVE[0], NATIVE[1], NATIVE[3]], ids=name)
def test_syntax_that_is_not_stated_is_found_out(tmp_path, syntax):
    dataset = pydicom.dcmread(BytesIO(make_dicom(phantom(), syntax, bits=12)))
    del dataset.file_meta.TransferSyntaxUID
    file = BytesIO()
    pydicom.dcmwrite(
        file,
        dataset,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian,
    )
    (tmp_path / "a.dcm").write_bytes(file.getvalue())
    stored = read_stored_pixels(tmp_path / "a.dcm")
    assert "TransferSyntaxUID" not in stored.dataset.file_meta
    np.testing.assert_array_equal(stored.pixels, phantom())


def test_codec_that_is_not_part_of_the_build_is_the_reason_and_not_the_file(tmp_path, monkeypatch):
    def missing(stream):
        raise imagecodecs.DelayedImportError("jpegls")

    monkeypatch.setattr(imagecodecs, "jpegls_decode", missing)
    path = write_dicom(tmp_path / "a.dcm", phantom(), uid.JPEGLSLossless, bits=12)
    with pytest.raises(TemporaryRejection, match=r"^no decoder of JPEG-LS .* is installed$"):
        read_stored_pixels(path)


def test_fallback_decodes_what_the_first_decoder_refuses(tmp_path, monkeypatch):
    def refuse(stream):
        raise imagecodecs.Jpeg8Error("odd")

    path = write_dicom(tmp_path / "a.dcm", phantom(), uid.JPEGLosslessSV1, bits=12)
    by_pydicom(path)
    decode = imagecodecs.jpeg8_decode
    answers = iter([refuse, decode])
    monkeypatch.setattr(imagecodecs, "jpeg8_decode", lambda stream: next(answers)(stream))
    np.testing.assert_array_equal(read_stored_pixels(path).pixels, phantom())
