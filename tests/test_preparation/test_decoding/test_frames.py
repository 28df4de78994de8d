import struct
import tracemalloc

import numpy as np
import pytest
from pydicom import uid
from pydicom.encaps import encapsulate

from dicom_files import (
    DEFLATED_FRAMES,
    ENCAPSULATED_UNCOMPRESSED,
    ENCODERS,
    NATIVE,
    draw_breast,
    jpeg_lossless,
    make_dicom,
    rle,
    write_dicom,
)
from mammography.preparation.decoding.decode import read_stored_pixels
from mammography.preparation.decoding.frames import choose_frames
from mammography.preparation.rejection import RejectedImage

SLICES = np.stack([draw_breast((60, 40), top=900 + 300 * n, noise=9, seed=n) for n in range(5)])
STREAMS = [jpeg_lossless(plane) for plane in SLICES]
JPEG = uid.JPEGLosslessSV1


def reason(path, frames="refuse"):
    with pytest.raises(RejectedImage) as caught:
        read_stored_pixels(path, frames)
    return str(caught.value)


@pytest.mark.parametrize("table", ["basic", "extended", "none"])
@pytest.mark.parametrize("syntax", ENCODERS, ids=lambda syntax: syntax.name)
def test_one_compressed_frame_or_the_projection_of_all_is_taken(tmp_path, syntax, table):
    path = write_dicom(tmp_path / "a.dcm", SLICES, syntax, bits=12, table=table)
    check_choices(path)


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda syntax: syntax.name)
def test_one_plain_frame_or_the_projection_of_all_is_taken(tmp_path, syntax):
    check_choices(write_dicom(tmp_path / "a.dcm", SLICES, syntax, bits=12))


def check_choices(path):
    assert reason(path) == "multi-frame image"
    for choice, index in {"middle": 2, 0: 0, 4: 4}.items():
        image = read_stored_pixels(path, choice)
        assert (image.frame, image.frames) == (index, 5)
        np.testing.assert_array_equal(image.pixels, SLICES[index])
    image = read_stored_pixels(path, "max")
    assert (image.frame, image.frames) == (None, 5)
    np.testing.assert_array_equal(image.pixels, SLICES.max(axis=0))
    assert reason(path, 5) == "no frame of index 5"


def test_the_middle_of_an_even_number_is_the_first_of_the_second_half():
    assert choose_frames("middle", 4) == range(2, 3)


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.RLELossless])
def test_projection_keeps_the_densest_values_which_are_low_in_monochrome1(tmp_path, syntax):
    signed = SLICES.astype(np.int16) - 1000
    path = write_dicom(tmp_path / "a.dcm", signed, syntax, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_stored_pixels(path, "max").pixels, signed.min(axis=0))


@pytest.mark.parametrize("choice", ["refuse", "middle", "max", 7])
@pytest.mark.parametrize("count", [None, 0, 1])
def test_a_single_frame_is_taken_whatever_is_asked_for(tmp_path, choice, count):
    tags = {} if count is None else {"NumberOfFrames": count}
    for syntax in (uid.ExplicitVRLittleEndian, JPEG, uid.RLELossless):
        path = write_dicom(tmp_path / "a.dcm", SLICES[3], syntax, **tags)
        image = read_stored_pixels(path, choice)
        assert (image.frame, image.frames) == (0, 1)
        np.testing.assert_array_equal(image.pixels, SLICES[3])


@pytest.mark.parametrize("count", [None, 0])
@pytest.mark.parametrize("table", ["basic", "extended", "none"])
@pytest.mark.parametrize(
    "syntax", [uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, JPEG, uid.RLELossless]
)
def test_frames_that_the_header_does_not_count_are_counted(tmp_path, syntax, table, count):
    path = write_dicom(
        tmp_path / "a.dcm", SLICES, syntax, bits=12, table=table, NumberOfFrames=count
    )
    check_choices(path)


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("count", [5, None])
def test_frames_in_several_items_each_are_joined(tmp_path, table, count):
    value = encapsulate(STREAMS, fragments_per_frame=3, has_bot=table)
    path = write_dicom(
        tmp_path / "a.dcm", SLICES, JPEG, bits=12, PixelData=value, NumberOfFrames=count
    )
    check_choices(path)


WRONG_TABLES = {
    "one entry missing": lambda offsets: offsets[:-1],
    "none at the start": lambda offsets: [offset + 8 for offset in offsets],
    "between items": lambda offsets: [*offsets[:3], offsets[3] + 2, offsets[4]],
    "not in order": lambda offsets: [offsets[i] for i in (0, 2, 1, 3, 4)],
    "all zero": lambda offsets: [0] * len(offsets),
}


@pytest.mark.parametrize("wrong", WRONG_TABLES.values(), ids=WRONG_TABLES)
@pytest.mark.parametrize("extended", [False, True])
def test_table_that_cannot_be_right_is_not_believed(tmp_path, wrong, extended):
    value = encapsulate(STREAMS)
    offsets = wrong(list(struct.unpack("<5L", value[8:28])))
    body = b"" if extended else struct.pack(f"<{len(offsets)}L", *offsets)
    value = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(body)) + body + value[28:]
    tags = {"ExtendedOffsetTable": struct.pack(f"<{len(offsets)}Q", *offsets)} if extended else {}
    check_choices(write_dicom(tmp_path / "a.dcm", SLICES, JPEG, bits=12, PixelData=value, **tags))


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, JPEG, uid.RLELossless])
@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (6, "truncated pixel data"),
        (99_999, "truncated pixel data"),
        (-3, "implausible NumberOfFrames"),
        (2**31 - 1, "implausible NumberOfFrames"),
    ],
)
def test_number_of_frames_that_cannot_be_is_rejected(tmp_path, syntax, stated, expected):
    for table in ("basic", "none"):
        path = write_dicom(tmp_path / "a.dcm", SLICES, syntax, table=table, NumberOfFrames=stated)
        assert reason(path, "middle") == expected


def test_frames_that_cannot_be_told_apart_are_rejected(tmp_path):
    value = encapsulate([rle(plane) for plane in SLICES], has_bot=False)
    path = write_dicom(
        tmp_path / "a.dcm", SLICES, uid.RLELossless, PixelData=value, NumberOfFrames=3
    )
    assert reason(path, "max") == "frames that cannot be told apart"


def test_number_of_frames_that_is_no_number_is_implausible(tmp_path):
    data = make_dicom(SLICES, NumberOfFrames=12345)
    (tmp_path / "a.dcm").write_bytes(data.replace(b"12345", b"12ab5"))
    assert reason(tmp_path / "a.dcm", "middle") == "implausible NumberOfFrames"


@pytest.mark.parametrize("syntax", [*NATIVE[:2], *ENCODERS], ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_volume_that_is_cut_short_is_rejected_even_if_the_frame_is_there(tmp_path, syntax, share):
    data = make_dicom(SLICES, syntax, bits=12)
    path = tmp_path / "a.dcm"
    path.write_bytes(data[: int(share * len(data))])
    assert "truncated" in reason(path, 0)


def test_pixel_data_that_do_not_fit_their_transfer_syntax_are_rejected(tmp_path):
    data = make_dicom(SLICES[0], JPEG, bits=12)
    path = tmp_path / "a.dcm"
    path.write_bytes(data.replace(b"1.2.840.10008.1.2.4.70", b"1.2.840.10008.1.2.1\0\0\0"))
    assert reason(path) == "compressed pixel data under an uncompressed transfer syntax"
    data = make_dicom(SLICES[0]).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    path.write_bytes(data)
    assert reason(path) == "pixel data are not in items, as the transfer syntax demands"


@pytest.mark.parametrize("syntax", [JPEG, DEFLATED_FRAMES, ENCAPSULATED_UNCOMPRESSED])
def test_other_frames_are_not_decoded(tmp_path, syntax):
    streams = [b"junk", b"\0\0", ENCODERS[syntax](SLICES[2]), b"more junk"]
    path = write_dicom(
        tmp_path / "a.dcm", SLICES[:4], syntax, bits=12, PixelData=encapsulate(streams)
    )
    np.testing.assert_array_equal(read_stored_pixels(path, "middle").pixels, SLICES[2])
    assert reason(path, 0)


def test_memory_does_not_grow_with_the_number_of_frames(tmp_path):
    plane = draw_breast((600, 400), noise=9)
    path = tmp_path / "a.dcm"
    data = make_dicom(plane, bits=12, NumberOfFrames=2000)
    head, size = data.index(plane.tobytes()), 2000 * plane.nbytes
    with path.open("wb") as file:  # A file with a hole: it takes no room on the disk.
        file.write(data[: head - 4] + struct.pack("<L", size) + data[head:])
        file.seek(head + 1000 * plane.nbytes)
        file.write((plane + 1).tobytes())
        file.truncate(head + size)
    image, peak = traced(lambda: read_stored_pixels(path, "middle"))
    np.testing.assert_array_equal(image.pixels, plane + 1)
    assert peak < 2 * plane.nbytes
    path = write_dicom(path, np.stack([plane] * 12), uid.RLELossless, bits=12)
    _, peak = traced(lambda: read_stored_pixels(path, "max"))
    assert peak < 4 * plane.nbytes


def traced(run):
    tracemalloc.start()
    try:
        return run(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
