"""Tables that cannot be used: one clear error, exit code 1, and nothing is written."""

import io
import os
import runpy
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

TOOL = Path(__file__).parents[2] / "tools" / "prepare_dataset.py"
HEAD = b"path,patient_id,malignant\n"
ROW = HEAD + b"a.dcm,1,0\n"
ENTITIES = b'<!DOCTYPE l [<!ENTITY a "' + b"a" * 999 + b'">' + b"".join(
    b'<!ENTITY %c "%b">' % (name, b"&%c;" % (name - 1) * 99) for name in b"bcdef"
) + b"]><l>&f;</l>"  # fmt: skip


def workbook(part="", content=None):
    """Return a workbook, with another content of the parts of that name; none leaves them out."""
    book = openpyxl.Workbook()
    book.active.append(["path", "patient_id", "malignant"])
    book.active.append(["a.dcm", 1, 0])
    whole, file = io.BytesIO(), io.BytesIO()
    book.save(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            if not part or part not in name:
                new.writestr(name, old.read(name))
            elif content is not None:
                new.writestr(name, content)
    return file.getvalue()


def cell(text, column="path"):
    """Return a table with one bad cell."""
    values = {"path": "a.dcm", "patient_id": "1", "malignant": "0"} | {column: text}
    return HEAD + ",".join(values.values()).encode() + b"\n"


CASES = {
    "empty.csv": (b"", "row 1 must name every column once, got nothing"),
    "binary.csv": (bytes(range(256)) * 40, "must be UTF-8 text"),
    "sixteen bits.csv": (ROW.decode().encode("utf-16"), "must be UTF-8 text"),
    "other columns.csv": (b"who,what\n1,2\n", "columns must have one of img_path, path"),
    "a column twice.csv": (b"path,path\n1,2\n", "row 1 must name every column once, got 'path'"),
    "header only.csv": (HEAD, "must list at least one image"),
    "few cells.csv": (HEAD + b"a.dcm,1\n", "row 2 must have 3 cells as the header has, got 2"),
    "many cells.csv": (HEAD + b"a.dcm,1,0,5\n", "row 2 must have 3 cells as the header has"),
    "huge cell.csv": (cell("x" * 200_000), "must be a table of text cells: field larger"),
    "open quote.csv": (HEAD + b'"a.dcm,1,0\n' * 9, "must be a table of text cells"),
    "path twice.csv": (ROW + b"./a.dcm,2,1\n", "row 3: path must differ from that of row 2"),
    "path above.csv": (cell("../b.dcm"), "row 2: path must stay below the root, without '..'"),
    "path above, other slash.csv": (cell("..\\b.dcm"), "path must stay below the root"),
    "path in the web.csv": (cell("http://a/b.dcm"), "path must be a file of this machine"),
    "path with NUL.csv": (cell("a\0.dcm"), "row 2: path must be a path, got"),
    "no path.csv": (cell(""), "row 2: path must be a path, got ''"),
    "no patient.csv": (cell("", "patient_id"), "row 2: patient_id must name a patient, got ''"),
    "digits lost.csv": (cell("1.2E+15", "patient_id"), "patient_id must have all its digits"),
    "label.csv": (cell("maybe", "malignant"), "row 2: task malignant: must be one of 0, 1, got"),
    "half a letter.json": (
        b'[{"path": "\\ud800.dcm", "patient_id": "1", "malignant": 0}]',
        "[0]: path must be a path, got",
    ),
    "text.json": (b"no json", "must be JSON"),
    "deep.json": (b"[" * 100_000, "must be JSON: maximum recursion depth"),
    "digits.json": (b'[{"path": 1%b}]' % (b"0" * 5000), "must be JSON: Exceeds the limit"),
    "number.json": (b"5", "must be a list of rows or a dict with data_list, got a int"),
    "numbers.json": (b"[1, 2]", "[0] must be an object, got 1"),
    "text.xlsx": (b"hello", "must be an Excel workbook"),
    "empty zip.xlsx": (workbook(part="."), "must be an Excel workbook"),
    "no sheet.xlsx": (workbook("sheet1"), "must be an Excel workbook"),
    "cut sheet.xlsx": (workbook("sheet1", b"<worksheet><sh"), "must be an Excel workbook"),
    "cut styles.xlsx": (workbook("styles", b"<x>"), "must be an Excel workbook"),
    "entities.xlsx": (workbook("sheet1", ENTITIES), "must be an Excel workbook"),
    "damaged.xlsx": (workbook()[:500] + bytes(99) + workbook()[599:], "must be an Excel workbook"),
    "pipe.csv": (os.mkfifo, "must hold one table (.csv, .tsv, .xlsx, .json), got none"),
    "folder.csv": (Path.mkdir, "must hold one table (.csv, .tsv, .xlsx, .json), got none"),
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", CASES)
def test_a_table_that_cannot_be_used_is_an_error_that_says_the_rule(tmp_path, monkeypatch, name):
    content, message = CASES[name]
    (tmp_path / "in").mkdir()
    if isinstance(content, bytes):
        (tmp_path / "in" / name).write_bytes(content)
    else:
        content(tmp_path / "in" / name)
    words = ["table", "--root", tmp_path / "in", "--out", tmp_path / "out"]
    words += ["--tasks", "malignant:binary", "--workers", "1"]
    monkeypatch.setattr(sys, "argv", ["prepare_dataset.py", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(TOOL), run_name="__main__")
    assert str(end.value.code).startswith("error: ")  # Text ends a program with exit code 1.
    assert message in end.value.code
    assert not (tmp_path / "out").exists()
