"""Headers for tests: a tiny DICOM file with some attributes, read as the preparation does."""

from io import BytesIO

import pydicom
from pydicom import Dataset

from dicom_files import draw_breast, make_dicom
from mammography.preparation.headers.header import read_header

IMAGE = draw_breast((80, 64))


def header_of(window_index=0, frame=None, private=None, **tags):
    """Return the header of a file with these attributes; ``private`` are elements by tag."""
    dataset = pydicom.dcmread(BytesIO(make_dicom(IMAGE, bits=12, **tags)))
    for tag, (vr, value) in (private or {}).items():
        dataset.add_new(tag, vr, value)
    return read_header(dataset, window_index, frame)


def item(**tags):
    """Return an item of a sequence."""
    dataset = Dataset()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


def view_code(value, *modifiers, meaning="x"):
    """Return a ViewCodeSequence."""
    view = item(CodeValue=value, CodingSchemeDesignator="SCT", CodeMeaning=meaning)
    view.ViewModifierCodeSequence = [item(CodeValue=m) for m in modifiers]
    return [view]
