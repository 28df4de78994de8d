"""What a bad file is, for the tests: its bytes, and the one thing to be said about it."""

from dataclasses import dataclass, field

from dicom_files import draw_breast, make_dicom
from raw_dicom import raw_dicom, tag_of, usual
from table_study import IDENTITY

IMAGE = draw_breast((160, 120), noise=20)
SHALLOW = (IMAGE >> 4).astype("uint8")
SECRET = IDENTITY["PatientName"]  # Stands where no name belongs.
VIEW = {"ImageLaterality": "L", "ViewPosition": "CC"}


@dataclass(frozen=True)
class Case:
    """One file.

    Attributes:
        data: Its bytes; a function that makes something else of a path; none leaves it absent.
        reason: Why it is rejected; none if it is prepared.
        doubts: What is odd about it, if it is prepared.
        cells: What its row of the table says.
        as_file: Whether a tool that knows no table would give the same reason.
    """

    data: object
    reason: str | None = None
    doubts: tuple[str, ...] = ()
    cells: dict[str, str] = field(default_factory=dict)
    as_file: bool = True


def good(data, *doubts, **cells):
    return Case(data, None, doubts, cells)


def bad(reason, data, **cells):
    return Case(data, reason, (), cells)


def dicom(pixels=IMAGE, *args, **tags):
    """Return a DICOM file full of identity."""
    return make_dicom(pixels, *args, **VIEW | IDENTITY | tags)


def raw(spoilt=None, tail=b"", pixels=IMAGE, **values):
    """Return a DICOM file with values that no writer would write; none leaves one out.

    Args:
        spoilt: Elements to add, by tag.
        tail: Bytes that follow.
        pixels: Stored values.
        values: VR and value, by keyword.
    """
    elements = usual(pixels) | planted() | (spoilt or {})
    for keyword, value in values.items():
        elements[tag_of(keyword)] = value
    return raw_dicom({tag: value for tag, value in elements.items() if value}, tail=tail)


def planted():
    """Return elements that name a patient."""
    kinds = {"PatientName": b"PN", "PatientID": b"LO", "PatientBirthDate": b"DA"}
    return {tag_of(name): (vr, IDENTITY[name].encode()) for name, vr in kinds.items()}
