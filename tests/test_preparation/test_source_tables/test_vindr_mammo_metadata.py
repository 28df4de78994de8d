"""The table of metadata of VinDr-Mammo, on invented rows."""

import csv

import pytest

from mammography.preparation.source_tables.vindr_mammo_metadata import Header, MetadataTable

ROW = {"SOP Instance UID": "a1", "Patient's Age": "053Y", "Manufacturer": "SIEMENS"}


def write(folder, *rows):
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.mark.parametrize(
    ("cells", "header"),
    [
        ({}, Header("SIEMENS", 53)),
        ({"Patient's Age": "47"}, Header("SIEMENS", 47)),
        ({"Patient's Age": "47.0"}, Header("SIEMENS", 47)),
        ({"Patient's Age": ""}, Header("SIEMENS")),
        ({"Manufacturer": "NA"}, Header(None, 53)),
        ({"Series Instance UID": "1.2.3.4.5.6", "Window Center": "[1, 2]"}, Header("SIEMENS", 53)),
    ],
)
def test_a_row_gives_maker_and_age_and_nothing_else(tmp_path, cells, header):
    table = MetadataTable.read(write(tmp_path, ROW | cells))
    assert (table.rows, table.headers, table.problems.found) == (1, {"a1": header}, [])


def test_a_folder_without_the_table_has_none_and_none_is_a_choice(tmp_path):
    (tmp_path / "metadata.txt").write_text("of something else")
    assert MetadataTable.read(tmp_path).headers == {}
    assert MetadataTable.read(write(tmp_path, ROW), "none").headers == {}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            {"Patient's Age": "old"},
            "Patient's Age must be years up to 120, such as 053Y, got 'old'",
        ),
        ({"Patient's Age": "011M"}, "Patient's Age must be years up to 120"),
        ({"Patient's Age": "999Y"}, "Patient's Age must be years up to 120"),
        ({"Manufacturer": "of 21.03.2019"}, "Manufacturer must be no date"),
        ({"SOP Instance UID": ""}, "SOP Instance UID must not be empty"),
        ({"SOP Instance UID": "a1"}, "SOP Instance UID must differ from that of row 2"),
    ],
)
def test_a_bad_row_is_refused_by_its_number(tmp_path, cells, message):
    table = MetadataTable.read(write(tmp_path, ROW, ROW | {"SOP Instance UID": "b2"} | cells))
    (found,) = table.problems.found
    assert found.startswith(f"row 3: {message}")
    assert set(table.headers) == {"a1"}
