"""DICOM files whose header is bad."""

import struct
from functools import partial

import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset

from bad_cases import IMAGE, SECRET, bad, dicom, good, raw
from dicom_files import draw_breast
from raw_dicom import element, nested, sequence, tag_of

TEXT = (b"CS", SECRET.encode())
LARGEST = np.iinfo(np.uint16).max


def us(*numbers):
    return b"US", struct.pack(f"<{len(numbers)}H", *numbers)


def ds(*texts):
    return b"DS", "\\".join(texts).encode()


def bits(allocated, stored=None):
    stored = stored or allocated
    return {"BitsAllocated": us(allocated), "BitsStored": us(stored), "HighBit": us(stored - 1)}


DESCRIPTOR = struct.pack("<3H", 4096, 0, 16)


def table(descriptor=DESCRIPTOR, data=bytes(8192), kind=b"OW"):
    """Return a lookup table; a part that is none is absent."""
    item = b"" if descriptor is None else element(tag_of("LUTDescriptor"), b"US", descriptor)
    item += b"" if data is None else element(tag_of("LUTData"), kind, data)
    return b"SQ", sequence(item)


def document(class_uid, **tags):
    """Return what stands for no image: a report, a document."""
    return dicom(SOPClassUID=class_uid, Modality="SR", **gone(), **tags)


def gone():
    names = ("Rows", "Columns", "PixelData", "BitsAllocated", "PhotometricInterpretation")
    return dict.fromkeys(names)


def content():
    """Return the content of a report: many texts."""
    text = Dataset()
    text.ValueType, text.TextValue = "TEXT", f"{SECRET} " * 2000
    return [text] * 50


NO_NUMBER = "implausible NumberOfFrames"

LAYOUT = {
    "no Rows": bad("no Rows in the header", raw(Rows=None)),
    "no Columns": bad("no Columns in the header", raw(Columns=None)),
    "no BitsAllocated": bad("no BitsAllocated in the header", raw(BitsAllocated=None)),
    "no PhotometricInterpretation": bad(
        "no PhotometricInterpretation in the header", raw(PhotometricInterpretation=None)
    ),
    "Rows are 0": bad("no Rows in the header", raw(Rows=us(0))),
    "Rows are text": bad("implausible Rows", raw(Rows=TEXT)),
    "Rows are two": bad("implausible Rows", raw(Rows=us(160, 120))),
    "Rows are negative": bad("implausible Rows", raw(Rows=(b"SS", struct.pack("<h", -160)))),
    "65535 x 65535": bad("implausible size", raw(Rows=us(LARGEST), Columns=us(LARGEST))),
    "more rows than pixels": bad("truncated pixel data", raw(Rows=us(161))),
    "fewer rows than pixels": good(
        raw(Rows=us(150)), "the pixel data are longer than rows and columns tell"
    ),
    "1 x 1": bad("not a breast: the image is too small", raw(pixels=IMAGE[:1, :1])),
    "1 x N": bad("not a breast: the image is too small", raw(pixels=IMAGE[80:81])),
    "N x 1": bad("not a breast: the image is too small", raw(pixels=IMAGE[:, :1])),
    "1 bit": bad(
        "not a breast: the image is constant", raw(**bits(1), PixelData=(b"OW", bytes(2400)))
    ),
    "12 bits allocated": bad("unsupported pixel layout (bits allocated)", raw(**bits(12))),
    "64 bits": bad("truncated pixel data", raw(**bits(64))),
    "32 bits of half the length": bad("truncated pixel data", raw(**bits(32))),
    "more bits stored than allocated": bad("implausible BitsStored", raw(**bits(16, 20))),
    "65535 bits stored": bad("implausible BitsStored", raw(BitsStored=us(LARGEST))),
    "BitsStored is 0": bad("implausible BitsStored", raw(BitsStored=us(0))),
    "HighBit is odd": bad("unsupported pixel layout (high bit)", raw(HighBit=us(15))),
    "HighBit is text": bad("implausible HighBit", raw(HighBit=TEXT)),
    "PixelRepresentation is 7": bad(
        "implausible PixelRepresentation", raw(PixelRepresentation=us(7))
    ),
    "SamplesPerPixel is 0": bad("implausible SamplesPerPixel", raw(SamplesPerPixel=us(0))),
    "RGB": bad(
        "colour image", raw(SamplesPerPixel=us(3), PhotometricInterpretation=(b"CS", b"RGB"))
    ),
    "YBR": bad("colour image", raw(PhotometricInterpretation=(b"CS", b"YBR_FULL"))),
    "palette": bad("colour image", raw(PhotometricInterpretation=(b"CS", b"PALETTE COLOR"))),
    "photometric of a name": bad("colour image", raw(PhotometricInterpretation=TEXT)),
    "two frames": bad("multi-frame image", dicom(np.stack([IMAGE, IMAGE]))),
    "two frames of one": bad("multi-frame image", raw(NumberOfFrames=(b"IS", b"2"))),
    "frames are 0": good(raw(NumberOfFrames=(b"IS", b"0"))),
    "frames are absurd": bad(NO_NUMBER, raw(NumberOfFrames=(b"IS", b"2147483647"))),
    "frames are text": bad(NO_NUMBER, raw(NumberOfFrames=(b"IS", SECRET.encode()))),
    "frames are a fraction": bad(NO_NUMBER, raw(NumberOfFrames=(b"IS", b"0.5"))),
    "tiny frames without end": bad(
        NO_NUMBER, raw(Rows=us(1), Columns=us(1), PixelData=(b"OW", bytes(400_000)))
    ),
    "no pixel data": bad("no pixel data", raw(PixelData=None)),
    "empty pixel data": bad("truncated pixel data", raw(PixelData=(b"OW", b""))),
    "real numbers": bad(
        "pixel data are real numbers",
        raw({0x7FE00008: (b"OF", IMAGE.astype("<f4").tobytes())}, PixelData=None),
    ),
}  # fmt: skip

ODD = "ImagerPixelSpacing is implausible and was ignored"
INVALID = "the window is invalid and was ignored"
INCOMPLETE = "the window is incomplete and was ignored"
BROKEN = "broken lookup table"
WINDOW = partial(raw, WindowCenter=ds("1500"))

GREY = {
    "spacing is NaN": good(raw(ImagerPixelSpacing=ds("NaN", "NaN")), ODD),
    "spacing is 0": good(raw(ImagerPixelSpacing=ds("0", "0")), ODD),
    "spacing is negative": good(raw(ImagerPixelSpacing=ds("-0.07", "-0.07")), ODD),
    "spacing is text": good(raw(ImagerPixelSpacing=ds(SECRET, SECRET)), ODD),
    "spacing is huge": good(raw(ImagerPixelSpacing=ds("1e300", "1e300")), ODD),
    "spacing is one number": good(raw(ImagerPixelSpacing=ds("0.07")), ODD),
    "spacing with commas": good(raw(ImagerPixelSpacing=ds("0,07", "0,07")), ODD),
    "window is NaN": good(WINDOW(WindowWidth=ds("NaN")), INCOMPLETE),
    "window is text": good(WINDOW(WindowWidth=ds(SECRET)), INCOMPLETE),
    "window without width": good(WINDOW(), INCOMPLETE),
    "window of two centers": good(
        raw(WindowCenter=ds("1500", "1"), WindowWidth=ds("3000")), INCOMPLETE
    ),
    "window of width 0": good(WINDOW(WindowWidth=ds("0")), INVALID),
    "window of negative width": good(WINDOW(WindowWidth=ds("-3000")), INVALID),
    "window of endless width": good(
        WINDOW(WindowWidth=ds("1e300")), "the window leaves the breast hardly any contrast"
    ),
    "window beside the values": good(
        raw(WindowCenter=ds("1e30"), WindowWidth=ds("9")), "the window clips much of the breast"
    ),
    "window of an unknown function": good(
        WINDOW(WindowWidth=ds("3200"), VOILUTFunction=TEXT),
        "the VOI LUT function is unknown, LINEAR was taken",
    ),
    "lookup table too short": bad(BROKEN, raw(VOILUTSequence=table(data=bytes(100)))),
    "lookup table without data": bad(BROKEN, raw(VOILUTSequence=table(data=None))),
    "lookup table without descriptor": bad(BROKEN, raw(VOILUTSequence=table(None))),
    "lookup table of two numbers": bad(BROKEN, raw(VOILUTSequence=table(bytes(4)))),
    "lookup table of 65535 bits": bad(
        BROKEN, raw(VOILUTSequence=table(struct.pack("<3H", 4096, 0, LARGEST)))
    ),
    "lookup table of text": bad(
        BROKEN, raw(VOILUTSequence=table(data=SECRET.encode(), kind=b"LO"))
    ),
    "modality table too short": bad(BROKEN, raw(ModalityLUTSequence=table(data=bytes(100)))),
    "lookup table is a name": bad(BROKEN, raw(VOILUTSequence=(b"LO", SECRET.encode()))),
    "lookup table all black": good(
        raw(VOILUTSequence=table()), "the window clips much of the breast"
    ),
    "slope is 0": good(
        raw(RescaleSlope=ds("0")), "RescaleSlope is implausible and was ignored"
    ),
    "slope is NaN": good(
        raw(RescaleSlope=ds("NaN")), "RescaleSlope is no number and was ignored"
    ),
    "slope is 1e30": good(
        raw(RescaleSlope=ds("1e30")), "RescaleSlope is implausible and was ignored"
    ),
    "intercept is 1e300": good(
        raw(RescaleIntercept=ds("1e300")), "RescaleIntercept is implausible and was ignored"
    ),
    "padding is text": good(
        raw(PixelPaddingValue=(b"DS", SECRET.encode())),
        "PixelPaddingValue is no number and was ignored",
    ),
    "padding cannot be stored": good(
        raw(PixelPaddingValue=us(50000)), "PixelPaddingValue cannot be stored and was ignored"
    ),
}  # fmt: skip

NOISE = np.random.default_rng(0).integers(0, 4096, (300, 200)).astype(np.uint16)
LABEL = np.zeros_like(IMAGE)
LABEL[10:14, 90:110] = 4000

PICTURE = {
    "constant": bad("not a breast: the image is constant", dicom(IMAGE * 0)),
    "all white": bad("not a breast: the image is constant", dicom(IMAGE * 0 + 4095)),
    "noise": bad(
        "not a breast: the region that stands out is too small or too large", dicom(NOISE)
    ),
    "label only": bad("not a breast: no region stands out of the background", dicom(LABEL)),
    "negative picture": bad(
        "not a breast: the background is bright, or there is none",
        dicom(4095 - np.minimum(IMAGE, 4095)),
    ),
    "no laterality": bad("unknown laterality", raw(ImageLaterality=None), laterality=""),
    "laterality is a name": bad("unknown laterality", raw(ImageLaterality=TEXT), laterality=""),
    "other laterality in the header": good(
        raw(ImageLaterality=(b"CS", b"R")), "the given laterality contradicts the header"
    ),
    "breast on the other side": good(
        dicom(np.ascontiguousarray(IMAGE[:, ::-1])),
        "the chest wall lies on the side of the other breast",
    ),
    "view is a name": good(
        raw(ViewPosition=TEXT), "the view is none of ours", "the view is unknown", view=""
    ),
    "modality is a name": good(raw(Modality=TEXT), "modality is not MG"),
    "maker is a name": good(
        raw(Manufacturer=(b"LO", SECRET.encode())), "the manufacturer was left out: no name"
    ),
    "unknown characters": good(raw(SpecificCharacterSet=TEXT, Manufacturer=(b"LO", b"\xff\xfe"))),
}  # fmt: skip


def before_pixels(data):
    """Return a file with these bytes before its pixel data."""
    head = raw(PixelData=None)
    return head + data + raw()[len(head) :]


CAPTURED = uid.SecondaryCaptureImageStorage
OBJECT = {
    "report": bad("no pixel data", document(uid.EnhancedSRStorage, ContentSequence=content())),
    "PDF in DICOM": bad(
        "no pixel data",
        document(uid.EncapsulatedPDFStorage, EncapsulatedDocument=SECRET.encode() * 999),
    ),
    "DICOMDIR": bad("no pixel data", document(uid.MediaStorageDirectoryStorage)),
    "sequences 1000 deep": bad(
        "truncated or corrupt file", before_pixels(nested(tag_of("ViewCodeSequence"), 1000))
    ),
    "sequences 20000 deep": bad(
        "truncated or corrupt file", before_pixels(nested(tag_of("IconImageSequence"), 20000))
    ),
    "element of 4 GB": bad(
        "no pixel data", before_pixels(element(0x00291010, b"OB", b"short", length=0xFFFFFFF0))
    ),
    "view code is no sequence": bad(
        "broken header (AttributeError)", raw(ViewCodeSequence=(b"LO", SECRET.encode()))
    ),
    "half a number": bad("broken header (BytesLengthException)", raw(Modality=(b"FL", b"12"))),
    "unknown type of value": bad(
        "broken header (NotImplementedError)", raw(SeriesDescription=(b"ZZ", SECRET.encode()))
    ),
    "tomosynthesis in private elements": bad(
        "tomosynthesis in private elements",
        raw({0x7E011010: (b"OB", bytes(99))}, SOPClassUID=(b"UI", CAPTURED.encode())),
    ),
}  # fmt: skip

HEADERS = LAYOUT | GREY | PICTURE | OBJECT
GOOD = {
    "good": good(dicom()),
    "good, larger": good(dicom(draw_breast((300, 200), noise=20, seed=1))),
    "good, raw": good(raw()),
}
