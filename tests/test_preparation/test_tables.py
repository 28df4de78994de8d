import json
from zipfile import ZipFile

import pandas as pd
import pytest
from openpyxl import Workbook

from mammography.preparation.tables import TableError, read_table


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def rows_of(path):
    return [(row.place, row.cells) for row in read_table(path)[1]]


@pytest.mark.parametrize(("name", "separator"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t")])
def test_a_text_table_gives_text_and_the_row_numbers_of_a_spreadsheet(tmp_path, name, separator):
    lines = ["path,patient_id", "a.dcm,007", "", "b.dcm,8"]
    path = write(tmp_path / name, "\n".join(lines).replace(",", separator))
    assert rows_of(path) == [
        ("row 2", {"path": "a.dcm", "patient_id": "007"}),
        ("row 4", {"path": "b.dcm", "patient_id": "8"}),
    ]


def test_a_line_break_inside_quotes_does_not_shift_the_row_numbers(tmp_path):
    path = write(tmp_path / "a.csv", 'path,note\n"a.dcm\n",x\nb.dcm,y\n')
    assert [place for place, _ in rows_of(path)] == ["row 2", "row 3"]


def test_the_mark_that_excel_writes_in_front_is_no_part_of_the_first_column(tmp_path):
    path = write(tmp_path / "a.csv", "path,patient_id\na,1\n", "utf-8-sig")
    assert read_table(path)[0] == ["path", "patient_id"]


def test_a_workbook_gives_its_first_sheet_with_numbers(tmp_path):
    book = Workbook()
    for line in (["path", "age", None], ["a.dcm", 54, None], [None, None, None], ["b.dcm", None]):
        book.active.append(line)
    book.create_sheet("other").append(["nothing"])
    book.save(tmp_path / "a.xlsx")
    assert rows_of(tmp_path / "a.xlsx") == [
        ("row 2", {"path": "a.dcm", "age": 54}),
        ("row 4", {"path": "b.dcm", "age": None}),
    ]


def test_a_workbook_that_tells_too_small_a_size_loses_no_row(tmp_path):
    book = Workbook()
    for line in (["path", "age"], ["a.dcm", 54], ["b.dcm", 60]):
        book.active.append(line)
    book.save(tmp_path / "whole.xlsx")
    with ZipFile(tmp_path / "whole.xlsx") as whole, ZipFile(tmp_path / "a.xlsx", "w") as small:
        for name in whole.namelist():
            small.writestr(name, whole.read(name).replace(b'ref="A1:B3"', b'ref="A1:B2"'))
    assert b'ref="A1:B2"' in ZipFile(tmp_path / "a.xlsx").read("xl/worksheets/sheet1.xml")
    assert rows_of(tmp_path / "a.xlsx")[1:] == [("row 3", {"path": "b.dcm", "age": 60})]


def test_a_row_of_blanks_is_an_empty_row(tmp_path):
    path = write(tmp_path / "a.csv", "path,age\n , \na.dcm,0\n")
    assert rows_of(path) == [("row 3", {"path": "a.dcm", "age": "0"})]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_the_index_that_pandas_writes_without_a_name_is_no_column(tmp_path, suffix):
    frame = pd.DataFrame({"path": ["a.dcm", "b.dcm"], "age": ["54", "60"]}, index=[4, 9])
    path = tmp_path / f"a{suffix}"
    frame.to_csv(path) if suffix == ".csv" else frame.to_excel(path)
    assert read_table(path)[0] == ["path", "age"]
    assert rows_of(path)[1] == ("row 3", {"path": "b.dcm", "age": "60"})


@pytest.mark.parametrize("cell", ["a.dcm", "", "1.5"])
def test_a_column_without_a_name_that_is_no_index_is_refused(tmp_path, cell):
    path = write(tmp_path / "a.csv", f",age\n0,54\n{cell},60\n")
    with pytest.raises(TableError, match=f"or hold the numbers of the rows, got '{cell}' in row 3"):
        read_table(path)


def test_a_json_list_gives_its_items(tmp_path):
    path = write(tmp_path / "a.json", json.dumps([{"path": "a"}, {"path": "b", "age": 3}]))
    assert read_table(path)[0] == ["path", "age"]
    assert rows_of(path)[1] == ("[1]", {"path": "b", "age": 3})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "row 1 must name every column once, got nothing"),
        ("a.csv", "path,path\na,b\n", "row 1 must name every column once, got 'path' twice"),
        ("a.csv", "path,,x\na,b,c\n", "row 1 must name every column once, got 'path', '', 'x'"),
        ("a.csv", "path,note\na,b,c\n", "row 2 must have 2 cells as the header has, got 3"),
        ("a.csv", "path,note\na,b\nc\n", "row 3 must have 2 cells as the header has, got 1"),
        ("a.csv", 'path,note\n"a"x,b\n', "must be a table of text cells"),
        ("a.json", "[1]", r"\[0\] must be an object, got 1"),
        ("a.json", '{"path": {"0": "a"}}', r'writes a list with to_json\(orient="records"\)'),
        ("a.json", "{", "must be JSON"),
        ("a.xlsx", "not a workbook", "must be an Excel workbook"),
        ("a.pdf", "", "a table must end in .csv, .tsv, .xlsx, .json"),
    ],
)
def test_what_is_no_table_is_refused_with_the_place(tmp_path, name, text, message):
    with pytest.raises(TableError, match=message):
        read_table(write(tmp_path / name, text))


def test_a_table_in_an_old_encoding_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(TableError, match="must be UTF-8 text: save it as 'CSV UTF-8'"):
        read_table(write(tmp_path / "a.csv", "path,note\na,Müller\n", "latin-1"))
