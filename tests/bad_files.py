"""A source of bad files and a few good ones, with its table and what is to be said of each."""

import os
import socket
from pathlib import Path

from bad_cases import Case, bad, dicom, good
from bad_headers import GOOD, HEADERS
from bad_pictures import PICTURES
from bad_streams import STREAM_CASES
from table_study import CELLS, IDENTITY, write_rows

PATIENT = "PLANTED-MRN"
LONG = "x" * 300


def link(path):
    path.symlink_to("nowhere.dcm")


def open_socket(path):
    # The path of a socket may have a hundred letters only.
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as place:
        place.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)


def forbid(path):
    path.write_bytes(dicom())
    path.chmod(0)


PLACES = {
    "absent": Case(None, "file does not exist", as_file=False),
    LONG: Case(None, "file does not exist", as_file=False),
    "folder": Case(Path.mkdir, "not a file", as_file=False),
    "pipe": Case(os.mkfifo, "not a file", as_file=False),
    "socket": Case(open_socket, "not a file", as_file=False),
    "dangling link": Case(link, "file does not exist", as_file=False),
    "link": good(lambda path: path.symlink_to("good.dcm")),
    "Übung 乳房": good(dicom()),
    "two\nlines": good(dicom()),
    'quotes "and", commas; semicolons': good(dicom()),
    "-rf": good(dicom()),
    "=cmd": good(dicom()),
    "%s{}": bad("not a DICOM file", b"%s{}"),
}
if os.geteuid():  # Nothing is forbidden to the superuser.
    PLACES["forbidden"] = bad("unreadable file (PermissionError)", forbid)
CASES = GOOD | PLACES | HEADERS | STREAM_CASES | PICTURES
REJECTED = {f"{name}.dcm": case.reason for name, case in CASES.items() if case.reason}
DOUBTED = {f"{name}.dcm": list(case.doubts) for name, case in CASES.items() if case.doubts}


def write_bad_study(folder: Path) -> Path:
    """Write every file and ``table.csv``; return the folder."""
    folder.mkdir()
    rows = []
    for number, (name, case) in enumerate(CASES.items()):
        path = folder / f"{name}.dcm"
        if isinstance(case.data, bytes):
            path.write_bytes(case.data)
        elif case.data:
            case.data(path)
        row = {"path": path.name, "patient_id": f"{PATIENT}-{number // 2}", "malignant": number % 2}
        row |= {"exam_id": IDENTITY["StudyInstanceUID"], "laterality": "L", "view": "CC"}
        rows.append(row | CELLS | case.cells)
    write_rows(folder / "table.csv", rows)
    return folder
