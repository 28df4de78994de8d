"""Files that are not DICOM, good and bad: PNG, JPEG, NPY, TIFF, PGM, and what is no picture."""

import io
import pickle
import struct

import cv2
import imagecodecs
import numpy as np
from PIL import Image

from bad_cases import IMAGE, SECRET, SHALLOW, bad, good
from bad_streams import bomb
from dicom_files import LOSSY_ENCODERS, jpeg_8bit, jpeg_lossless, uid
from mammography.functional.png16 import encode_png16
from raw_png import COLOUR, PALETTE, WITH_ALPHA, chunk, interlaced, raw_png, rows

HEIGHT, WIDTH = IMAGE.shape
COLOURED = np.stack([SHALLOW, SHALLOW, SHALLOW // 2], axis=-1)
COLOURS = "colour or multi-frame image"


def png(raw, size_hw=(HEIGHT, WIDTH), *args, **settings):
    return raw_png(raw, size_hw, *args, **settings)


def inflating(name, before):
    """Return a chunk of text that inflates to 100 MB."""
    return chunk(name, before + b"\x78\x9c" + bomb(100) + bytes(4))


DEEP = IMAGE.astype(">u2")
PNG = {
    "png": good(encode_png16(IMAGE)),
    "png called dcm": good(encode_png16(IMAGE)),
    "png of 8 bits": good(png(rows(SHALLOW))),
    "png interlaced": good(
        png(interlaced(DEEP), bits=16, is_interlaced=True)
    ),
    "png of three equal colours": good(png(rows(np.dstack([SHALLOW] * 3)), kind=COLOUR)),
    "png with text": good(png(rows(SHALLOW), extra=chunk(b"tEXt", b"Author\0" + SECRET.encode()))),
    "png with text that inflates": good(
        png(rows(SHALLOW), extra=inflating(b"iTXt", b"Author\0\1\0\0\0") * 3)
    ),
    "png with a profile that inflates": good(
        png(rows(SHALLOW), extra=inflating(b"iCCP", SECRET.encode() + b"\0\0"))
    ),
    "png with colours": bad(COLOURS, png(rows(COLOURED), kind=COLOUR)),
    "png with alpha": bad(COLOURS, png(rows(np.dstack([SHALLOW] * 2)), kind=WITH_ALPHA)),
    "png with a palette": bad(
        COLOURS, png(rows(SHALLOW), kind=PALETTE, extra=chunk(b"PLTE", bytes(range(255))))
    ),
    "png without its palette": bad("corrupt PNG file", png(rows(SHALLOW), kind=PALETTE)),
    "png of 2^31 pixels": bad("implausible size", png(b"", (1 << 16, 1 << 15), 16)),
    "png of 2^32 rows": bad("implausible size", png(b"", (2**32 - 1, 1))),
    "png of no pixels": bad("implausible size", png(b"", (0, 0))),
    "png that lies about its size": bad("corrupt PNG file", png(rows(SHALLOW), (19000, 19000), 16)),
    "png that inflates": bad(
        "corrupt PNG file", png(b"", packed=b"\x78\x9c" + bomb(800) + bytes(4))
    ),
    "png with a filter that is none": bad("corrupt PNG file", png(b"\x09" + rows(SHALLOW)[1:])),
    "png with a wrong checksum": bad("corrupt PNG file", encode_png16(IMAGE)[:-20] + bytes(20)),
    "png cut": bad("corrupt PNG file", encode_png16(IMAGE)[:-30]),
    "png of 3 bits": bad("corrupt PNG file", png(rows(SHALLOW), bits=3)),
    "png head only": bad("corrupt PNG file", b"\x89PNG\r\n\x1a\n"),
}  # fmt: skip


def saved(array, **settings):
    file = io.BytesIO()
    np.save(file, array, **settings)
    return file.getvalue()


def npy(shape, kind="<u2", data=b""):
    head = repr({"descr": kind, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data


class Trap:
    """What runs code when it is unpickled."""

    def __reduce__(self):  # noqa: D105
        return print, (SECRET,)


NPY = {
    "npy": good(saved(IMAGE)),
    "npy in the order of Fortran": good(saved(np.asfortranarray(IMAGE))),
    "npy of objects": bad(
        "unsupported pixel type object", saved(np.array([[Trap()]]), allow_pickle=True)
    ),
    "npy that hides a pickle": bad(
        "unsupported pixel type object", npy((9, 9), "|O", pickle.dumps(Trap()))
    ),
    "npy of fields": bad(
        "unsupported pixel type void16", saved(np.zeros(IMAGE.shape, [(SECRET, "<u2")]))
    ),
    "npy of text": bad("unsupported pixel type str448", saved(np.full(IMAGE.shape, SECRET))),
    "npy of 10^24 values": bad("corrupt NPY file", npy((10**12, 10**12), data=bytes(99))),
    "npy of negative sides": bad("corrupt NPY file", npy((-160, -120), data=IMAGE.tobytes())),
    "npy of nothing, often": bad("unsupported pixel type void", npy((10**9, 10**9), "|V0")),
    "npy nested without end": bad("corrupt NPY file", npy("(" * 9000)),
    "npy of code": bad(
        "corrupt NPY file", b"\x93NUMPY\1\0\x20\0__import__('os').getpid()" + bytes(99)
    ),
    "npy and another": bad("corrupt NPY file", saved(IMAGE) * 2),
    "npy cut": bad("corrupt NPY file", saved(IMAGE)[:-1]),
    "npy of one row": bad(COLOURS, saved(IMAGE.ravel())),
    "npy with NaN": bad("values that are not finite", saved(np.where(IMAGE > 9, IMAGE, np.nan))),
    "npy of 1e300": bad(
        "not a breast: the image holds values that are too large or not finite",
        saved(IMAGE * 1e300),
    ),
}  # fmt: skip


def tiff(*images, **settings):
    file = io.BytesIO()
    first, *others = map(Image.fromarray, images)
    first.save(file, "TIFF", save_all=bool(others), append_images=others, **settings)
    return file.getvalue()


def raw_tiff(data, height=HEIGHT, width=WIDTH, bits=16, packing=1, kind=1, white=1):
    """Return a TIFF of one strip."""
    tags = {256: width, 257: height, 258: bits, 259: packing, 262: white, 273: 134}
    tags |= {277: 1, 278: height, 279: len(data), 339: kind}
    entries = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<LH", 8, len(tags)) + entries + bytes(4) + data


TIFF = {
    "tiff": good(tiff(IMAGE)),
    "tiff in tiles": good(imagecodecs.tiff_encode(IMAGE, tile=(64, 64))),
    "tiff of real numbers": good(tiff(IMAGE.astype(np.float32))),
    "tiff of double precision": good(raw_tiff((IMAGE / 7).tobytes(), bits=64, kind=3)),
    "tiff with a long description": good(tiff(IMAGE, description=SECRET * 9999)),
    "tiff of two pages": bad(COLOURS, tiff(IMAGE, IMAGE)),
    "tiff with a palette": bad(COLOURS, raw_tiff(SHALLOW.tobytes(), bits=8, white=3)),
    "tiff with colours": bad(COLOURS, tiff(COLOURED)),
    "tiff of two values": bad("unsupported pixel type bool", tiff(IMAGE > 99)),
    "tiff of real numbers with white as zero": bad(
        "unsupported pixel type float32 with white as zero",
        raw_tiff(IMAGE.astype("<f4").tobytes(), bits=32, kind=3, white=0),
    ),
    "tiff of 2^62 pixels": bad("implausible size", raw_tiff(b"", 2**31 - 1, 2**31 - 1)),
    "tiff that lies about its size": bad("corrupt TIFF file", raw_tiff(bytes(99), 19000, 19000)),
    "tiff of an unknown packing": bad(
        "corrupt TIFF file", raw_tiff(IMAGE.tobytes(), packing=65000)
    ),
    "tiff that inflates": bad(
        "corrupt TIFF file", raw_tiff(b"\x78\x9c" + bomb(100) + bytes(4), packing=8)
    ),
    "tiff in a loop": bad("corrupt TIFF file", b"II*\0" + struct.pack("<LHL", 8, 0, 8)),
    "tiff that points beyond its end": bad(
        "corrupt TIFF file", b"II*\0\xff\xff\xff\x7f" + bytes(99)
    ),
    "tiff of many widths": bad(
        "corrupt TIFF file",
        tiff(IMAGE).replace(struct.pack("<HHL", 256, 4, 1), struct.pack("<HHL", 256, 4, 99)),
    ),
    "tiff cut": bad("corrupt TIFF file", tiff(IMAGE)[:9000]),
}  # fmt: skip


def pgm(data=None, white=65535, size=b"120 160", kind=b"P5"):
    data = DEEP.tobytes() if data is None else data
    return kind + b"\n# " + SECRET.encode() + b"\n%b\n# again\n%d\n" % (size, white) + data


PGM = {
    "pgm with comments": good(pgm()),
    "pgm of text": good(pgm(b" ".join(b"%d" % v for v in IMAGE.ravel()), kind=b"P2")),
    "pgm of two greys": bad("corrupt PGM file", pgm(SHALLOW.tobytes(), white=1)),
    "pgm of 65536 greys": bad("corrupt PGM file", pgm(white=65536)),
    "pgm of no grey": bad("corrupt PGM file", pgm(white=0)),
    "pgm cut by the last byte": bad("corrupt PGM file", pgm()[:-1]),
    "pgm and another": bad("corrupt PGM file", pgm() * 2),
    "pgm of 10^18 pixels": bad("implausible size", pgm(size=b"1000000000 1000000000")),
    "pgm of text that lies": bad("corrupt PGM file", pgm(b"1 2 3", kind=b"P2")),
    "pgm of words": bad("corrupt PGM file", pgm(SECRET.encode(), kind=b"P2")),
    "pgm of negative values": bad("corrupt PGM file", pgm(b"-5 " * IMAGE.size, kind=b"P2")),
    "pgm that is a comment": bad("corrupt PGM file", b"P5\n#" + b"x" * 100_000),
}  # fmt: skip


def jpeg(pixels=SHALLOW, mode="L", **settings):
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **settings)
    return file.getvalue()


def of_size(data, height, width):
    """Return a JPEG that states another size."""
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


CUT = jpeg()[: len(jpeg()) // 2]
JPEG = {
    "jpeg": good(jpeg()),
    "jpeg progressive": good(jpeg_8bit(SHALLOW, progressive=True)),
    "jpeg of 12 bits": good(LOSSY_ENCODERS[uid.JPEGExtended12Bit](IMAGE)),
    "jpeg lossless": good(jpeg_lossless(IMAGE)),
    "jpeg with a comment": good(jpeg(comment=SECRET)),
    "jpeg of four inks": bad(COLOURS, jpeg(mode="CMYK")),
    "jpeg with colours": bad(COLOURS, jpeg(COLOURED, mode="RGB")),
    "jpeg cut": bad("corrupt JPEG file", CUT),
    "jpeg cut and ended": bad("corrupt JPEG file", CUT + b"\xff\xd9"),
    "jpeg that ends too early": bad("corrupt JPEG file", CUT + b"\xff\xd9" + jpeg()[len(CUT) :]),
    "jpeg that lies about its size": bad("corrupt JPEG file", of_size(jpeg(), 30000, 30000)),
    "jpeg that lacks rows": bad("corrupt JPEG file", of_size(jpeg(), HEIGHT + 8, WIDTH)),
    "jpeg of no rows": bad("implausible size", of_size(jpeg(), 0, WIDTH)),
    "jpeg of noise": bad("corrupt JPEG file", b"\xff\xd8\xff" + bytes(range(256)) * 9),
}  # fmt: skip

NO_PICTURE = {
    "empty": bad("not a DICOM file", b""),
    "one byte": bad("not a DICOM file", b"\0"),
    "text": bad("not a DICOM file", f"name,date\n{SECRET},2019\n".encode() * 50),
    "json": bad("not a DICOM file", b'{"name": "%s"}' % SECRET.encode() * 99),
    "zeros": bad("not a DICOM file", bytes(5000)),
    "zip": bad("not a DICOM file", b"PK\3\4" + bytes(range(256)) * 9),
    "bmp": bad("not a DICOM file", cv2.imencode(".bmp", SHALLOW)[1].tobytes()),
    "jp2": bad("not a DICOM file", imagecodecs.jpeg2k_encode(IMAGE)),
    "executable": bad("not a DICOM file", b"\x7fELF" + bytes(range(256)) * 20),
    "pdf": bad("not a DICOM file", b"%PDF-1.7\n" + SECRET.encode() * 99),
}
PICTURES = PNG | NPY | TIFF | PGM | JPEG | NO_PICTURE
