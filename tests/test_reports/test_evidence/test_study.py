"""Dumps of several models become one study, or say why not."""

from dataclasses import replace

import numpy as np
import pytest

from invented_evidence import TASKS, invent_images, predictions
from mammography.reports.evidence.chapters.cohort import cohort_chapter
from mammography.reports.evidence.options import EvidenceOptions
from mammography.reports.evidence.study import read_study
from mammography.reports.evidence.words import score_of
from mammography.structures.prediction import Dump, write_dump
from mammography.structures.task import parse_tasks
from mammography.terms import Level


def write(path, rows, tasks=TASKS, **info):
    write_dump(path, Dump(tasks, tuple(rows), info))
    return path


@pytest.fixture
def rows():
    return predictions(invent_images(40), 0.5, seed=0)


def test_images_of_a_breast_become_one_case_with_their_mean_score_and_highest_uncertainty(study):
    case = 7
    members = study.members[case]
    assert len(members) == 2
    assert study.models[0].scores[case] == pytest.approx(
        np.mean([row.pred_score["malignant"] for row in members])
    )
    assert study.models[0].uncertainty["total"][case] == pytest.approx(
        max(row.pred_uncertainty["malignant"]["total"] for row in members)
    )


@pytest.mark.parametrize(
    ("level", "count"), [("image", 160), ("breast", 80), ("exam", 40), ("patient", 40)]
)
def test_each_level_has_its_cases(tmp_path, rows, level, count):
    path = write(tmp_path / "a.json", rows)
    assert read_study([path], EvidenceOptions(level=Level(level))).n == count


def test_models_on_other_cases_are_named(tmp_path, rows):
    first, second = write(tmp_path / "a.json", rows), write(tmp_path / "b.json", rows[4:])
    with pytest.raises(ValueError, match=r"b\.json: cases must be those of .*a\.json, got 2 miss"):
        read_study([first, second], EvidenceOptions())


def test_models_with_other_labels_are_named(tmp_path, rows):
    turned = [replace(row, gt_label={"malignant": 1 - row.gt_label["malignant"]}) for row in rows]
    first, second = write(tmp_path / "a.json", rows), write(tmp_path / "b.json", turned)
    with pytest.raises(ValueError, match=r"b\.json: labels must be those of .*a\.json, got 80"):
        read_study([first, second], EvidenceOptions())


def test_one_class_alone_is_refused(tmp_path, rows):
    alone = [replace(row, gt_label={"malignant": 0.0}) for row in rows]
    with pytest.raises(ValueError, match="cases of both classes, got 80 of class 0 alone"):
        read_study([write(tmp_path / "a.json", alone)], EvidenceOptions())


def test_a_missing_score_names_the_dump_and_the_task(tmp_path, rows):
    path = write(tmp_path / "a.json", [replace(rows[0], pred_score={}), *rows[1:]])
    with pytest.raises(ValueError, match=r"a\.json: malignant: .* scores must be finite, got 1"):
        read_study([path], EvidenceOptions())


def test_images_without_a_patient_are_refused(tmp_path, rows):
    path = write(tmp_path / "a.json", [replace(rows[0], patient_id=None), *rows[1:]])
    with pytest.raises(ValueError, match="got 1 of 160 without patient_id"):
        read_study([path], EvidenceOptions(level=Level.IMAGE))


def test_a_dump_without_a_binary_task_is_refused(tmp_path, rows):
    tasks = parse_tasks(["size:regression"])
    path = write(tmp_path / "a.json", [replace(row, gt_label={}) for row in rows], tasks)
    with pytest.raises(ValueError, match=r"chosen among the binary ones \(none\)"):
        read_study([path], EvidenceOptions())


def test_one_of_several_tasks_must_be_chosen(tmp_path, rows):
    tasks = parse_tasks(["malignant:binary", "lvi:binary"])
    path = write(tmp_path / "a.json", rows, tasks)
    with pytest.raises(ValueError, match=r"\(malignant, lvi\): name it with --task"):
        read_study([path], EvidenceOptions())
    assert read_study([path], EvidenceOptions(task="malignant")).task.name == "malignant"
    with pytest.raises(ValueError, match=r"must be a binary one .* got size"):
        read_study([path], EvidenceOptions(task="size"))


def test_a_file_that_is_no_dump_is_named(tmp_path):
    (tmp_path / "a.json").write_text('{"metainfo": {}, "data_list": []}')
    with pytest.raises(ValueError, match=r"a\.json must be a dump of predictions"):
        read_study([tmp_path / "a.json"], EvidenceOptions())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": ("a", "b")}, r"names must be one per dump \(1\), got 2"),
        ({"thresholds": (0.1, 0.2)}, r"thresholds must be one per dump \(1\), got 2"),
        ({"reference": 1}, "position of a dump, 1 to 1, got 2"),
    ],
)
def test_choices_must_suit_the_number_of_dumps(tmp_path, rows, changes, message):
    path = write(tmp_path / "a.json", rows)
    with pytest.raises(ValueError, match=message):
        read_study([path], EvidenceOptions(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"level": Level.PATCH}, "level must be one of image"),
        ({"pooling": "median"}, "pooling must be one of mean"),
        ({"repeats": 10}, "repeats must be at least 100"),
        ({"prevalence": 1.5}, "prevalence must be between 0 and 1"),
        ({"thresholds": (float("nan"),)}, "thresholds must be finite"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_at_once(changes, message):
    with pytest.raises(ValueError, match=message):
        EvidenceOptions(**changes)


def test_models_are_called_by_their_configs_and_told_apart(tmp_path, rows):
    paths = [write(tmp_path / f"{n}.json", rows, config="/home/x/same.py") for n in "ab"]
    names = [model.name for model in read_study(paths, EvidenceOptions()).models]
    assert names == ["same (1)", "same (2)"]
    plain = write(tmp_path / "plain.json", rows)
    assert read_study([plain], EvidenceOptions()).models[0].name == "plain"


def exams_of(rows):
    """Return what a model of whole exams says: one row for each, its name that of a view."""
    made = [
        replace(row, image_id=None, laterality=None, view_position=None)
        for row in {row.exam_id: row for row in rows}.values()
    ]
    positive = {row.exam_id for row in rows if row.gt_label["malignant"]}
    return [replace(row, gt_label={"malignant": float(row.exam_id in positive)}) for row in made]


@pytest.mark.parametrize("level", ["image", "breast"])
def test_exams_that_were_scored_as_a_whole_are_not_divided(tmp_path, rows, level):
    path = write(tmp_path / "a.json", exams_of(rows), level="exam")
    told = rf"a\.json: level must be one of exam, patient, got {level}: .* ask for level exam"
    with pytest.raises(ValueError, match=told):
        read_study([path], EvidenceOptions(level=Level(level)))


def test_a_model_of_exams_is_compared_with_one_of_images(tmp_path, rows):
    images = write(tmp_path / "a.json", rows)
    exams = write(tmp_path / "b.json", exams_of(rows), level="exam")
    study = read_study([exams, images], EvidenceOptions(level=Level.EXAM))
    assert study.n == 40
    assert score_of(study) == (
        "what the model says of it as a whole or the mean of the scores of its images"
    )
    (totals, *_) = cohort_chapter(study).blocks
    counts = dict(totals.rows)
    assert counts["exams"] == "40"
    assert "images" not in counts
    other = read_study([images], EvidenceOptions(level=Level.EXAM))
    assert dict(cohort_chapter(other).blocks[0].rows)["images"] == "160"
