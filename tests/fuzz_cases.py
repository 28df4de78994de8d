"""What to fuzz the preparation with: damaged files of every kind, and headers of any value."""

import io
import re
import struct
import zlib
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
from hypothesis import strategies as st
from PIL import Image
from pydicom import uid
from pydicom.datadict import dictionary_VR, tag_for_keyword

import mammography.preparation
from bad_cases import SECRET, VIEW, planted
from bad_pictures import jpeg, raw_tiff, saved, tiff
from bad_streams import deflated, end_of_meta
from dicom_files import (
    ENCODERS,
    LOSSY_ENCODERS,
    NATIVE,
    draw_breast,
    jpeg_8bit,
    make_dicom,
)
from fuzz_victim import WAYS
from jpeg_lossless import encode_lossless_jpeg
from mammography.functional.png16 import encode_png16
from raw_dicom import element, raw_dicom, sequence, tag_of, usual
from raw_png import raw_png
from table_study import IDENTITY


class Blob:
    """Bytes of a file, which are not printed when a test fails."""

    def __init__(self, data):
        self.data = data


IMAGE = draw_breast((96, 80), noise=20)
SHALLOW = (IMAGE >> 4).astype(np.uint8)
HEAD = 1500  # Bytes of a file in which its header lies.
SPECIAL = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\xff\xd9")
SPECIAL += (
    b"\xff\xff",
    b"\xfe\xff\x00\xe0",
    b"\xfe\xff\xdd\xe0",
    b"\x00\x80",
    b"\xff\x90",
    b"9" * 9,
)


def file_of(pixels, syntax, **settings):
    tags = VIEW | IDENTITY | {"WindowCenter": 1500, "WindowWidth": 3000}
    return make_dicom(pixels, syntax, **tags | settings)


def seeds():
    """Yield sound files of every transfer syntax and every other format."""
    for syntax in (*NATIVE, *ENCODERS, *LOSSY_ENCODERS):
        yield file_of(IMAGE, syntax, bits=12)
    yield file_of(SHALLOW, uid.JPEGBaseline8Bit, stream=jpeg_8bit(SHALLOW), bits=8)
    yield file_of((IMAGE - 2000).astype(np.int16), uid.JPEG2000Lossless, bits=12)
    for syntax in (uid.ExplicitVRLittleEndian, uid.RLELossless, uid.JPEGLosslessSV1):
        yield file_of(np.stack([IMAGE] * 3), syntax, bits=12)
    yield encode_png16(IMAGE)
    yield from (cv2.imencode(".png", pixels)[1].tobytes() for pixels in (IMAGE, SHALLOW))
    yield cv2.imencode(".png", np.dstack([SHALLOW] * 3))[1].tobytes()
    yield from (jpeg(SHALLOW), jpeg(SHALLOW, progressive=True), saved(IMAGE), saved(IMAGE / 7))
    yield from (tiff(IMAGE, compression=name) for name in ("raw", "tiff_lzw", "packbits"))
    yield imagecodecs.tiff_encode(IMAGE, tile=(32, 32), compression=8)
    yield raw_tiff((IMAGE / 7).tobytes(), *IMAGE.shape, bits=64, kind=3)
    yield b"P5\n80 96\n65535\n" + IMAGE.astype(">u2").tobytes()
    yield b"P2\n80 96\n4095\n" + b" ".join(b"%d" % v for v in IMAGE.ravel())


SEEDS = list(seeds())
ways = st.integers(0, len(WAYS) - 1)
places = st.one_of(st.integers(0, HEAD), st.integers(0, 1 << 16))
lengths = st.one_of(st.integers(0, 9), st.integers(0, 4000))
bytes_of_any_kind = st.one_of(st.binary(max_size=8), st.sampled_from(SPECIAL))


def flip(data, place, length, new):
    length = length % 8 + 1
    turned = bytes(byte ^ 0x55 for byte in data[place : place + length])
    return data[:place] + turned + data[place + length :]


def overwrite(data, place, length, new):
    return data[:place] + new + data[place + len(new) :]


def insert(data, place, length, new):
    return data[:place] + (new or b"\0") * (length % 50 + 1) + data[place:]


def delete(data, place, length, new):
    return data[:place] + data[place + length :]


def repeat(data, place, length, new):
    return data[:place] + data[place : place + length] * 2 + data[place + length :]


def cut(data, place, length, new):
    return data[:place]


def splice(data, place, length, new):
    other = SEEDS[length % len(SEEDS)]
    return data[:place] + other[place:]


CHANGES = (flip, overwrite, insert, delete, repeat, cut, splice)
changes = st.tuples(st.sampled_from(CHANGES), places, lengths, bytes_of_any_kind)


@st.composite
def damaged(draw, sound):
    """Draw bytes with some of them changed."""
    data = draw(sound)
    for change, place, length, new in draw(st.lists(changes, min_size=1, max_size=4)):
        data = change(data, place % (len(data) + 1), length, new)
    return data


def wrapped(syntax, stream):
    """Return a sound file around a stream that need not be."""
    if syntax is None:
        return raw_png(b"", IMAGE.shape, 16, packed=stream)
    if syntax == uid.DeflatedExplicitVRLittleEndian:
        return deflated(stream)
    shallow = syntax == uid.JPEGBaseline8Bit
    pixels, bits = (SHALLOW, 8) if shallow else (IMAGE, 12)
    return file_of(pixels, syntax, stream=stream or b"\0", bits=bits)


def streams():
    """Yield transfer syntaxes and what is coded in them, none for PNG."""
    for syntax, encode in (ENCODERS | LOSSY_ENCODERS).items():
        yield syntax, encode(IMAGE)
    yield uid.JPEGBaseline8Bit, jpeg_8bit(SHALLOW)
    yield uid.JPEGBaseline8Bit, jpeg_8bit(SHALLOW, progressive=True)
    yield uid.JPEGLossless, encode_lossless_jpeg(IMAGE, 12, predictor=4, restart_rows=8)
    tiles = io.BytesIO()
    Image.fromarray(IMAGE).save(tiles, "JPEG2000", no_jp2=True, tile_size=(32, 32))
    yield uid.JPEG2000Lossless, tiles.getvalue()
    whole = file_of(IMAGE, uid.DeflatedExplicitVRLittleEndian)
    yield uid.DeflatedExplicitVRLittleEndian, whole[end_of_meta(whole) :]
    yield None, zlib.compress(b"".join(b"\2" + row.tobytes() for row in IMAGE.astype(">u2")))


STREAMS = list(streams())
damaged_files = damaged(st.sampled_from(SEEDS)).map(Blob)
damaged_streams = st.sampled_from(STREAMS).flatmap(
    lambda sound: damaged(st.just(sound[1])).map(lambda data: Blob(wrapped(sound[0], data)))
)


def keywords_that_are_read():
    """Return the attributes that the preparation names in its own text."""
    folder = Path(mammography.preparation.__file__).parent
    text = "".join(path.read_text() for path in folder.rglob("*.py"))
    names = set(re.findall(r"\b[A-Z][A-Za-z]{3,}\b", text))
    return sorted(name for name in names if tag_for_keyword(name))


KEYWORDS = keywords_that_are_read()
TYPES = [b"US", b"SS", b"UL", b"DS", b"IS", b"CS", b"LO", b"UI", b"FD", b"OB", b"OW", b"UN"]
TYPES += [b"SQ", b"AT", b"PN", b"UV", b"ZZ"]
WORDS = ["0", "-1", "1", "16", "12", "NaN", "inf", "1e300", "-1e-300", "1e9999", "0.07\\0.07"]
WORDS += ["1\\2\\3", "\\", "", " ", "9" * 400, SECRET, "MONOCHROME1", "MLO", "L", "R", "SIGMOID"]
WORDS += [
    "FOR PROCESSING",
    "LOG",
    "1.2.840.10008.5.1.4.1.1.13.1.3",
    "ISO 2022 IR 87",
    "GENERATED_2D",
]
numbers = st.one_of(st.integers(0, 20), st.integers(0, 0xFFFF)).map(lambda n: struct.pack("<H", n))
texts = st.sampled_from(WORDS).map(str.encode)
plain_values = st.one_of(
    numbers,
    texts,
    st.lists(numbers, min_size=2, max_size=4).map(b"".join),
    st.binary(max_size=12),
    st.just(bytes(70_000)),
)
keywords = st.sampled_from(KEYWORDS)


def usual_type(keyword):
    return dictionary_VR(tag_of(keyword)).split(" ")[0].encode()


@st.composite
def elements(draw, values):
    """Draw an attribute that is read, of its own type or of another."""
    keyword = draw(keywords)
    kind = draw(st.one_of(st.just(usual_type(keyword)), st.sampled_from(TYPES)))
    return tag_of(keyword), (kind, draw(values))


def items(values):
    """Return a strategy of sequences of such elements."""
    item = st.lists(elements(values), max_size=3).map(
        lambda found: b"".join(element(tag, *value) for tag, value in sorted(dict(found).items()))
    )
    return st.builds(
        lambda inside, told: sequence(*inside, defined=told),
        st.lists(item, max_size=3),
        st.booleans(),
    )


any_values = st.recursive(plain_values, items, max_leaves=8)


@st.composite
def odd_headers(draw):
    """Draw a DICOM file some of whose attributes have any value of any type."""
    found = usual(IMAGE) | planted()
    found |= dict(draw(st.lists(elements(any_values), min_size=1, max_size=4)))
    implicit = draw(st.booleans())
    syntax = uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
    stated = draw(st.sampled_from([syntax, uid.ExplicitVRLittleEndian]))
    return Blob(raw_dicom(found, stated, implicit))
