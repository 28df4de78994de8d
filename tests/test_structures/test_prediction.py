"""Tests of mammography/structures/prediction.py."""

import pytest

from mammography.structures.prediction import Dump, PredictionRecord, read_dump, write_dump
from mammography.structures.task import parse_tasks

DUMP = Dump(
    parse_tasks(["malignant:binary", "density:ordinal=A,B"]),
    (
        PredictionRecord(
            "images/i1.png",
            image_id="i1",
            laterality="L",
            gt_label={"malignant": 1.0},
            pred_score={"malignant": 0.75, "density": [0.5, 0.5]},
        ),
        PredictionRecord(
            "images/i2.png",
            pred_score={"malignant": 0.5},
            pred_uncertainty={"malignant": {"total": 0.69, "variance": 2.0}},
            pred_set={"malignant": [0, 1]},
        ),
    ),
    {"config": "x.py"},
)


@pytest.mark.parametrize("name", ["a.json", "a.pkl", "a.pickle"])
def test_a_dump_survives_the_file(tmp_path, name):
    write_dump(tmp_path / name, DUMP)
    assert read_dump(tmp_path / name) == DUMP
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_only_some_models_say_is_left_out_where_they_do_not():
    plain, unsure = (set(record.to_json()) for record in DUMP.records)
    assert unsure - plain == {"pred_uncertainty", "pred_set"}


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must end in .json, .pkl or .pickle, got '.csv'"):
        write_dump(tmp_path / "a.csv", DUMP)


def test_another_content_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ValueError, match="must hold metainfo and data_list"):
        read_dump(tmp_path / "a.json")
