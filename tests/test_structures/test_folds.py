import json

import pytest

from mammography.structures.folds import FoldError, Folds, read_folds, write_folds
from mammography.terms import Split

FOLDS = Folds(
    {"a": 0, "b": 1, "c": 2, "d": 2},
    ({"b": 0, "c": 1, "d": 0}, {"a": 0, "c": 1, "d": -1}, {"a": 0, "b": 1}),
    seed=3,
    task="malignant",
)


def test_they_are_read_as_they_were_written(tmp_path):
    write_folds(tmp_path / "new" / "folds.json", FOLDS)
    assert read_folds(tmp_path / "new" / "folds.json") == FOLDS
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["folds.json"]


@pytest.mark.parametrize("model", FOLDS.models)
def test_every_patient_has_one_role_for_a_model(model):
    roles = [one for role in Split for one in FOLDS.patients(role, *model)]
    assert sorted(roles) == list("abcd")
    assert FOLDS.patients(Split.TEST, *model) == [p for p in "abcd" if FOLDS.outer[p] == model[0]]


def test_there_are_as_many_models_as_outer_times_inner_folds():
    assert FOLDS.shape == (3, 2)
    assert FOLDS.models == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]


@pytest.mark.parametrize(
    ("outer", "inner", "message"),
    [
        ({"a": 0, "b": 1}, ({"a": 0, "b": 0}, {"a": 0}), r"inner\[0\] must hold .* such as a"),
        ({"a": 0, "b": 1}, ({}, {"a": 0}), r"inner\[0\] must hold .* 1 wrong, such as b"),
        ({"a": 0, "b": 2}, ({"b": 0}, {"a": 0}), r"outer must number the folds from 0 to 1"),
        ({"a": 0, "b": 1}, ({"b": 1}, {"a": 0}), r"inner\[0\] must number its folds from 0"),
        ({"a": 0, "b": 1}, ({"b": -1}, {"a": 0}), r"inner\[0\] must number its folds from 0"),
    ],
)
def test_folds_that_share_a_patient_or_lack_one_are_refused(outer, inner, message):
    with pytest.raises(FoldError, match=message):
        Folds(outer, inner)


@pytest.mark.parametrize("content", ["{", "[]", '{"outer": {}}', '{"outer": 1, "inner": []}'])
def test_a_broken_file_is_named(tmp_path, content):
    path = tmp_path / "folds.json"
    path.write_text(content)
    with pytest.raises(FoldError, match=r"folds\.json: "):
        read_folds(path)
    with pytest.raises(FoldError, match=r"gone\.json"):
        read_folds(tmp_path / "gone.json")


def test_the_plain_form_is_json():
    assert Folds.from_json(json.loads(json.dumps(FOLDS.to_json()))) == FOLDS


def test_a_patient_without_a_fold_is_refused():
    with pytest.raises(FoldError, match="patient must be in a fold, got z"):
        FOLDS.role("z", 0, 0)
