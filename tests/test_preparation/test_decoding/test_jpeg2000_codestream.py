from contextlib import suppress

import imagecodecs
import numpy as np
import pytest
from pydicom import uid

from dicom_files import draw_breast, jpeg2000, write_dicom
from mammography.preparation.decoding.decode import read_stored_pixels
from mammography.preparation.decoding.jpeg2000_codestream import (
    is_plain_htj2k,
    read_jpeg2000_header,
)
from mammography.preparation.rejection import RejectedImage

IMAGE = draw_breast((60, 48), noise=15)
USUAL = {
    "lossless": {},
    "lossy": {"level": 0.0001, "reversible": False},
    "fine steps": {"level": 1e-6, "reversible": False},
    "lengths of tiles": {"tlm": True},
    "tiles": {"tile": (32, 32)},
    "one resolution": {"resolutions": 0},
}


def is_plain(stream):
    return is_plain_htj2k(stream, read_jpeg2000_header(stream))


@pytest.mark.parametrize("settings", USUAL.values(), ids=USUAL)
@pytest.mark.parametrize("bits", [8, 16])
def test_usual_streams_are_plain(settings, bits):
    image = IMAGE if bits == 16 else (IMAGE >> 4).astype(np.uint8)
    assert is_plain(imagecodecs.htj2k_encode(image, **settings))


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("levels", [1, 2])
def test_header_tells_size_bits_sign_and_levels(bits, signed, levels):
    image = (IMAGE >> 5).astype(f"{'i' if signed else 'u'}{1 if bits == 8 else 2}")
    header = read_jpeg2000_header(jpeg2000(image, bits, reversible=True, resolutions=levels + 1))
    assert (header.size_hw, header.precision, header.signed) == ((60, 48), bits, signed)
    assert header.levels == levels


# Places in a stream of imagecodecs: SIZ at 2, COD at 55, QCD at 69; the lossy stream has two bytes
# for each step. What OpenJPH did with some of them: a division by zero, a loop without an end, a
# segmentation fault.
HARMFUL = {
    "tiles without columns": ("lossless", {27: 0}),
    "tiles without rows": ("lossless", {31: 0}),
    "tiles of one pixel of a large grid": ("lossless", {9: 8, 13: 8, 27: 1, 31: 1}),
    "first tile off the picture": ("lossless", {39: 8}),
    "several components": ("lossless", {41: 2}),
    "subsampled component": ("lossless", {43: 2}),
    "too many resolutions": ("lossless", {64: 200}),
    "code blocks too large": ("lossless", {65: 10}),
    "plain code blocks": ("lossless", {67: 0}),
    "precincts announced": ("lossless", {59: 1}),
    "steps for a lossless wavelet": ("lossless", {73: 0x22}),
    "bits beyond the largest": ("lossy", {74: 0xFF}),
    "bits beyond the largest in the last band": ("lossy", {104: 0xFF}),
    "unknown segment": ("lossless", {46: 0x5E}),
}


@pytest.mark.parametrize(("settings", "changes"), HARMFUL.values(), ids=HARMFUL)
def test_header_that_could_harm_is_not_plain_and_never_decoded_by_openjph(
    tmp_path, monkeypatch, settings, changes
):
    stream = bytearray(imagecodecs.htj2k_encode(IMAGE, **USUAL[settings]))
    for place, value in changes.items():
        assert stream[place] != value
        stream[place] = value
    assert not is_plain(bytes(stream))

    def harm(*_, **__):
        raise AssertionError("OpenJPH was given a harmful stream")

    monkeypatch.setattr(imagecodecs, "htj2k_decode", harm)
    path = write_dicom(tmp_path / "a.dcm", IMAGE, uid.HTJ2K, stream=bytes(stream), bits=12)
    with suppress(RejectedImage):
        assert read_stored_pixels(path).pixels.shape == IMAGE.shape


def test_stream_that_openjph_fails_on_is_decoded_by_openjpeg(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise imagecodecs.Htj2kError("odd")

    monkeypatch.setattr(imagecodecs, "htj2k_decode", fail)
    path = write_dicom(tmp_path / "a.dcm", IMAGE, uid.HTJ2KLossless, bits=12)
    np.testing.assert_array_equal(read_stored_pixels(path).pixels, IMAGE)


@pytest.mark.parametrize("cut", [3, 20, 60, 70, 100])
def test_header_that_is_cut_short_is_an_error(cut):
    with pytest.raises(ValueError, match=r"JPEG 2000|not found|subsection"):
        read_jpeg2000_header(imagecodecs.htj2k_encode(IMAGE)[:cut])
