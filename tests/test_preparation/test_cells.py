from datetime import datetime
from pathlib import Path

import pytest

from mammography.preparation.cells import (
    CellError,
    Problems,
    category,
    file_name,
    identifier,
    one_of,
    path_below,
    term,
)
from mammography.preparation.tables import Row, TableError
from mammography.terms import Laterality, ViewPosition


def test_an_identifier_is_the_same_from_every_kind_of_file():
    assert {identifier(cell) for cell in ("7", 7, 7.0, " 7 ", "7.0")} == {"7"}
    assert identifier("007") == "007"
    assert identifier("Mu\u0308ller") == identifier("M\u00fcller")
    assert identifier(12345678901234567890) == "12345678901234567890"


@pytest.mark.parametrize("cell", ["1.23E+12", "1,23457E+15", 1.2345678901234568e18, 2e15])
def test_an_identifier_that_lost_digits_is_refused_since_it_joins_patients(cell):
    with pytest.raises(CellError, match="all its digits"):
        identifier(cell)


@pytest.mark.parametrize("cell", ["L", "l", "Left", "LEFT", " left "])
def test_the_left_side_is_read_however_it_is_written(cell):
    assert term(Laterality)(cell) is Laterality.LEFT


@pytest.mark.parametrize("cell", ["AB", "BCD", "E", "a"])
def test_of_letters_in_a_row_each_is_a_word_and_two_are_none(cell):
    assert one_of("ABCD")(" B ") == "B"
    with pytest.raises(CellError, match="be one of A, B, C, D"):
        one_of("ABCD")(cell)


@pytest.mark.parametrize("cell", ["a/b.dcm", "../b.dcm", "..", ".", "/b.dcm", "a\\b", "a\0", 7])
def test_a_name_of_a_file_has_no_folder(cell):
    assert file_name(" b.dcm ") == "b.dcm"
    with pytest.raises(CellError):
        file_name(cell)


def test_an_unknown_term_is_refused_with_those_that_exist():
    with pytest.raises(CellError, match="be one of CC, MLO, ML, LM"):
        term(ViewPosition)("oblique")


@pytest.mark.parametrize(
    "cell",
    [
        "1956-04-12",
        "19560412",
        19560412,
        "12.04.1956",
        "4/12/56",
        "2020-01-31 10:30",
        "31.01.2026 10:30",
        19560412.0,
        "19560412101500",
        "12-Apr-1956",
        "two\nlines",
        datetime(1956, 4, 12),
        "1.2.840.10008.5.1",
        "Doe^Jane",
        "patient fell ill after the visit in spring and",
        ["list"],
    ],
)
def test_a_clinical_cell_that_may_name_a_person_is_refused(cell):
    with pytest.raises(CellError):
        category(cell)


@pytest.mark.parametrize("cell", ["1,5", float("inf"), "-inf", "1e400"])
def test_a_number_that_would_be_no_number_in_json_is_refused(cell):
    with pytest.raises(CellError, match=r"decimal point|finite"):
        category(cell)


@pytest.mark.parametrize(
    "cell", [54, 0.5, True, "ER+", "C50.4", "pT1c", "1.25", -3, 1e-6, "IDC grade 2"]
)
def test_a_number_or_word_passes(cell):
    assert category(cell) == (1.25 if cell == "1.25" else cell)


def test_paths_below_the_folder_become_relative_to_it():
    read = path_below(Path("/data/study"))
    assert read("/data/study/a/b.dcm") == "a/b.dcm"
    assert read("a\\b.dcm") == "a/b.dcm"
    assert read("./a//b.dcm") == "a/b.dcm"
    assert read("/elsewhere/b.dcm") == "/elsewhere/b.dcm"


@pytest.mark.parametrize(
    "cell", ["../b.dcm", "a/../../b.dcm", "a\\..\\b.dcm", "s3://bucket/b.dcm", 3, "a\0b", "\ud800"]
)
def test_paths_that_leave_the_folder_are_refused(cell):
    with pytest.raises(CellError):
        path_below(Path("/data/study"))(cell)


def test_a_long_cell_is_cut_in_the_message():
    problems = Problems("a.csv")
    problems.add(Row("row 2", {}), "boxes", "be a list", "[" * 5000)
    assert problems.found == [f"row 2: boxes must be a list, got '{'[' * 199}... (5002 characters)"]


def test_all_bad_cells_are_told_up_to_20_and_the_others_counted():
    problems = Problems("table.csv")
    for number in range(23):
        problems.read(Row(f"row {number}", {"laterality": "X"}), "laterality", term(Laterality))
    with pytest.raises(TableError) as error:
        problems.check()
    lines = str(error.value).splitlines()
    assert lines[0] == "table.csv: 23 bad cells"
    assert lines[1] == "  row 0: laterality must be one of L, R, got 'X'"
    assert len(lines) == 22
    assert lines[-1] == "  and 3 more"
