"""DICOM files whose pixel data are bad: cut, damaged, or under the wrong transfer syntax."""

import struct
import zlib

from pydicom import uid

from bad_cases import IMAGE, SECRET, SHALLOW, bad, dicom, good
from dicom_files import (
    ENCODERS,
    GROUP_LENGTH_AT,
    LOSSY_ENCODERS,
    STAND_IN,
    jpeg_8bit,
    rename_syntax,
)

MIDDLE, TABLE_ITEM = b"\xff" * 16, 12
NAMES = {
    uid.JPEGLosslessSV1: "JPEG Lossless",
    uid.JPEGExtended12Bit: "JPEG 12 bit",
    uid.JPEGLSLossless: "JPEG-LS",
    uid.JPEG2000Lossless: "JPEG 2000",
    uid.HTJ2KLossless: "HTJ2K",
    uid.RLELossless: "RLE",
}
STREAMS = {syntax: (ENCODERS | LOSSY_ENCODERS)[syntax](IMAGE) for syntax in NAMES}
# What is damaged is refused by one check or the other; this is which.
HALF = dict.fromkeys(NAMES, "truncated") | {uid.RLELossless: "corrupt"}
DAMAGED = {
    uid.JPEGLosslessSV1: "truncated {} stream",
    uid.JPEGExtended12Bit: "truncated {} stream",
    uid.JPEGLSLossless: "corrupt {} stream",
    uid.HTJ2KLossless: "corrupt {} stream",
}


def frame(syntax, stream, pixels=IMAGE, **tags):
    return dicom(pixels, syntax, stream, 8 if pixels is SHALLOW else 12, **tags)


def damaged(stream):
    middle = len(stream) // 2
    return stream[:middle] + MIDDLE + stream[middle + len(MIDDLE) :]


def under(syntax):
    """Return a file that states a transfer syntax, whatever it holds."""
    return rename_syntax(frame(STAND_IN, bytes(64)), syntax)


def of_every_codec():
    for syntax, stream in STREAMS.items():
        short, name = NAMES[syntax], syntax.name
        other = STREAMS[uid.RLELossless if syntax != uid.RLELossless else uid.JPEG2000Lossless]
        is_marked = syntax != uid.RLELossless
        yield (
            f"{short} cut in half",
            bad(f"{HALF[syntax]} {name} stream", frame(syntax, stream[: len(stream) // 2])),
        )
        yield (
            f"{short} of zeros",
            bad(
                f"{'truncated' if is_marked else 'corrupt'} {name} stream",
                frame(syntax, bytes(200)),
            ),
        )
        yield (
            f"{short} with another codec",
            bad(f"{'truncated' if is_marked else 'corrupt'} {name} stream", frame(syntax, other)),
        )
        yield (
            f"{short} with a broken begin",
            bad(
                f"corrupt {name} stream",
                frame(syntax, bytes(b ^ 0x55 for b in stream[:16]) + stream[16:]),
            ),
        )
        if syntax in DAMAGED:
            yield (
                f"{short} damaged",
                bad(DAMAGED[syntax].format(name), frame(syntax, damaged(stream))),
            )
        rows = {"Rows": 170}
        reason = f"corrupt {name} stream: its size differs from the header"
        yield (
            f"{short} of another size",
            bad(reason if is_marked else f"truncated {name} stream", frame(syntax, stream, **rows)),
        )
        yield f"{short} cut in its item", bad("truncated file", frame(syntax, stream)[:-20])
        yield f"{short} but for the last byte", good(frame(syntax, stream)[:-1])


def item(value, start=b"\xfe\xff\x00\xe0"):
    return start + struct.pack("<L", len(value)) + value


def encapsulated(value, **tags):
    return dicom(IMAGE, uid.RLELossless, bits=12, PixelData=value, **tags)


def deflated(data):
    """Return a file of the deflated transfer syntax with these bytes for its data set."""
    whole = dicom(IMAGE, uid.DeflatedExplicitVRLittleEndian)
    return whole[: end_of_meta(whole)] + data


def end_of_meta(data):
    """Return where the data set of a file begins."""
    return GROUP_LENGTH_AT + 4 + struct.unpack_from("<L", data, GROUP_LENGTH_AT)[0]


def bomb(megabytes):
    """Return what inflates to so many megabytes of zeros."""
    coder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    one = coder.compress(bytes(1 << 20)) + coder.flush(zlib.Z_FULL_FLUSH)
    return one * megabytes + coder.flush()


PLAIN = dicom()
RLE = STREAMS[uid.RLELossless]
WRONG_TABLE = item(struct.pack("<L", 999)) + item(RLE)

DICOM = {
    "cut in the header": bad("no pixel data", PLAIN[:700]),
    "cut in the meta header": bad("no pixel data", PLAIN[:160]),
    "cut in the pixel data": bad("truncated pixel data", PLAIN[: len(PLAIN) // 2]),
    "cut by the last byte": bad("truncated pixel data", PLAIN[:-1]),
    "preamble only": bad("no pixel data", PLAIN[:132]),
    "bytes behind": good(PLAIN + bytes(1000)),
    "little endian as big endian": bad(
        "no pixel data",
        PLAIN.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0"),
    ),
    "compressed as uncompressed": bad(
        "compressed pixel data under an uncompressed transfer syntax",
        frame(STAND_IN, RLE).replace(STAND_IN.encode(), b"1.2.840.10008.1.2.1\0\0\0\0"),
    ),
    "uncompressed as compressed": bad(
        "pixel data are not in items, as the transfer syntax demands",
        PLAIN.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"),
    ),
    "private syntax": bad("unsupported transfer syntax (private)", under("1.2.3.4.5.6.7.8.9")),
    "syntax of a name": bad("unsupported transfer syntax (private)", under(SECRET)),
    "MPEG": bad(
        "unsupported transfer syntax (MPEG2 Main Profile / Main Level)", frame(STAND_IN, bytes(64))
    ),
    "no items": bad("no pixel data", encapsulated(item(b""))),
    "no fragment": bad("no pixel data", encapsulated(item(b"") + item(b"", b"\xfe\xff\xdd\xe0"))),
    "wrong table of offsets": good(encapsulated(WRONG_TABLE, NumberOfFrames=1)),
    "wrong table of offsets of two": bad(
        "multi-frame image", encapsulated(WRONG_TABLE, NumberOfFrames=2)
    ),
    "fragments without end": bad(
        "implausible number of items", encapsulated(item(b"") * 250_000)
    ),
    "fragment of 4 GB": bad(
        "truncated file", encapsulated(item(b"") + item(RLE)).replace(
            struct.pack("<L", len(RLE)) + RLE[:8], struct.pack("<L", 0xFFFFFFFE) + RLE[:8]
        )
    ),
    "RLE of a huge picture": bad(
        "truncated RLE Lossless stream", frame(uid.RLELossless, RLE, Rows=19000, Columns=19000)
    ),
    "baseline of 12 bits": bad(
        f"corrupt {uid.JPEGBaseline8Bit.name} stream: it has more bits than stated",
        frame(uid.JPEGBaseline8Bit, STREAMS[uid.JPEGExtended12Bit], SHALLOW),
    ),
    "baseline cut": bad(
        f"truncated {uid.JPEGBaseline8Bit.name} stream",
        frame(uid.JPEGBaseline8Bit, jpeg_8bit(SHALLOW)[:-200] + b"\xff\xd9", SHALLOW),
    ),
    "deflated and cut": bad(
        "truncated or corrupt file", dicom(IMAGE, uid.DeflatedExplicitVRLittleEndian)[:-500]
    ),
    "deflated and damaged": bad("truncated or corrupt file", deflated(b"\x07" + bytes(500))),
    "deflate bomb": bad("implausible size", deflated(bomb(800))),
    "no preamble": good(PLAIN[132:]),
}  # fmt: skip
STREAM_CASES = DICOM | dict(of_every_codec())
