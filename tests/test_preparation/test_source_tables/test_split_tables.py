import pytest

from mammography.preparation.cells import CellError
from mammography.preparation.source_tables.split_tables import (
    find_split_tables,
    in_two_splits,
    path_from,
    refuse_two_splits,
)
from mammography.preparation.tables import TableError
from mammography.terms import Split


def test_tables_are_found_by_any_of_their_names_and_formats(tmp_path):
    for name in ("training.xlsx", "validation.csv", "test.json", "~$training.xlsx", "train.txt"):
        (tmp_path / name).write_text("")
    found = {split: path.name for split, path in find_split_tables(tmp_path).items()}
    assert found == {"train": "training.xlsx", "val": "validation.csv", "test": "test.json"}
    (tmp_path / "train.csv").write_text("")
    with pytest.raises(TableError, match=r"one table of train, got train\.csv, training\.xlsx"):
        find_split_tables(tmp_path)


@pytest.mark.parametrize(
    ("folder", "path", "expected"),
    [
        ("", "a/1.png", "a/1.png"),
        ("img", "a/1.png", "img/a/1.png"),
        ("img", r"a\1.png", "img/a/1.png"),
        ("img", "/elsewhere/1.png", "/elsewhere/1.png"),
        ("img", "{root}/a/1.png", "a/1.png"),
        ("{root}/img", "1.png", "img/1.png"),
        ("/elsewhere", "1.png", "/elsewhere/1.png"),
    ],
)
def test_only_relative_paths_start_from_the_folder(tmp_path, folder, path, expected):
    read = path_from(tmp_path, folder.format(root=tmp_path))
    assert read(path.format(root=tmp_path)) == expected


@pytest.mark.parametrize("path", ["../1.png", 7, "a\0b"])
def test_a_path_that_is_none_is_refused(tmp_path, path):
    with pytest.raises(CellError):
        path_from(tmp_path, "img")(path)


def test_units_in_two_splits_are_named_up_to_twenty():
    units = [(f"{n:02}", split) for n in range(23) for split in (Split.TRAIN, Split.TEST)]
    found = in_two_splits([*units, ("99", Split.VAL), ("99", Split.VAL)])
    assert (len(found), found["00"]) == (23, "test, train")
    with pytest.raises(ValueError, match=r"got 23 in two: 00 \(test, train\), .*19 .* and 3 more"):
        refuse_two_splits("made_up", "a patient", found)
    refuse_two_splits("made_up", "a patient", {})
