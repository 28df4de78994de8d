from pathlib import Path

import pytest

from mammography.apis.clinical.provenance import InFoldError, check_out_of_fold
from mammography.structures.annotation import Annotations, ImageRecord, write_annotations
from mammography.structures.folds import Folds
from mammography.structures.task import parse_tasks

DUMP = Path("dump.json")
FOLDS = Folds({"a": 0, "b": 1, "c": 1}, ({"b": 0, "c": 1}, {"a": 0}))
OUTER = {"folds": FOLDS.to_json(), "out_of_fold": "outer"}
INNER = {"folds": FOLDS.to_json(), "out_of_fold": "inner", "outer_fold": 0}


@pytest.fixture
def train(tmp_path):
    """An annotation file that a network trains on: patients a and b."""
    rows = tuple(ImageRecord(f"{name}.png", patient_id=name) for name in "ab")
    path = tmp_path / "train.json"
    write_annotations(path, Annotations(parse_tasks(["malignant:binary"]), rows))
    return path.as_posix()


def test_patients_of_the_training_annotations_are_refused(train):
    with pytest.raises(
        InFoldError, match="got 1 of 2 that it did train on, such as b: what a netw"
    ):
        check_out_of_fold(DUMP, {"trained_on": [train]}, ["b", "c", "c"], ["test"] * 3)
    told = check_out_of_fold(DUMP, {"trained_on": [train]}, ["c", "d"], ["", ""])
    assert "none of these patients is in the annotations" in told


@pytest.mark.parametrize(
    ("info", "splits"), [({"split": "train"}, ["", ""]), ({"split": "test"}, ["test", "train"])]
)
def test_images_of_the_training_split_are_refused(info, splits):
    with pytest.raises(InFoldError, match=r"dump\.json: .* --allow-in-fold-features"):
        check_out_of_fold(DUMP, info, ["a", "b"], splits)


@pytest.mark.parametrize("info", [{}, {"trained_on": []}, {"trained_on": ["gone.json"]}])
def test_what_cannot_be_shown_is_refused_unless_the_split_shows_it(info):
    with pytest.raises(InFoldError, match="patients must be shown to be others"):
        check_out_of_fold(DUMP, info, ["a", "b"], ["test", ""])
    assert "all images are for test" in check_out_of_fold(DUMP, info, ["a", "b"], ["test", "val"])


@pytest.mark.parametrize(
    ("info", "patients", "models"),
    [
        (OUTER, "abc", ()),
        (INNER, "bc", ()),
        (OUTER, "abc", ("outer0-inner1", "outer1-inner0", "outer1-inner0")),
        (INNER, "bc", ("outer0-inner0", "outer0-inner1")),
    ],
)
def test_folds_show_that_rows_are_out_of_fold(info, patients, models):
    assert check_out_of_fold(DUMP, info, list(patients), [""] * len(patients), models)


@pytest.mark.parametrize(
    ("info", "patients", "models", "message"),
    [
        (OUTER, "az", (), "patients must be in the folds of the dump, got z"),
        (INNER, "abc", (), "got 1 of 3 that it did train on, such as a"),
        (OUTER | {"out_of_fold": None}, "ab", (), "got 2 of 2"),
        (INNER, "bc", ("outer0-inner1", "outer0-inner0"), "got 2 of 2 that it did train on"),
    ],
)
def test_rows_that_the_folds_contradict_are_refused(info, patients, models, message):
    with pytest.raises(InFoldError, match=message):
        check_out_of_fold(DUMP, info, list(patients), [""] * len(patients), models)
