"""Tests of mammography/structures/task.py."""

import pytest

from mammography.structures.task import Task, TaskError, parse_tasks
from mammography.terms import TaskKind

DENSITY = Task.parse("density:ordinal=A,B,C,D")


def test_a_spec_survives_the_annotation_file():
    assert Task.from_json("density", DENSITY.to_json()) == DENSITY


@pytest.mark.parametrize("cell", [1, 1.0, "1", " 1 ", True, "1.0", "true"])
def test_one_class_has_many_spellings_in_tables(cell):
    assert Task.parse("malignant:binary").encode(cell) == 1.0


def test_named_classes_of_a_binary_task_are_negative_then_positive():
    task = Task.parse("LNM:binary=N,P")
    assert [task.encode("N"), task.encode("P")] == [0.0, 1.0]


def test_regression_keeps_the_value():
    assert Task.parse("tumour_size:regression").encode("12.5") == 12.5


@pytest.mark.parametrize(
    ("task", "value", "message"),
    [
        (DENSITY, "E", "task density: must be one of A, B, C, D, got 'E'"),
        (DENSITY, 1, "must be one of A, B, C, D, got 1"),
        (Task.parse("size:regression"), "large", "must be a finite number, got 'large'"),
        (Task.parse("size:regression"), "inf", "must be a finite number"),
        (Task.parse("size:regression"), "1_5", "must be a finite number, got '1_5'"),
        (Task.parse("size:regression"), None, "must be a finite number, got None"),
    ],
)
def test_a_value_the_task_cannot_take_is_refused(task, value, message):
    with pytest.raises(TaskError, match=message):
        task.encode(value)


@pytest.mark.parametrize("label", [4, -1, 0.5, float("nan")])
def test_a_label_out_of_range_is_refused(label):
    with pytest.raises(TaskError, match="class index from 0 to 3"):
        DENSITY.check(label)


@pytest.mark.parametrize(
    "spec", ["density", "density:rank", "den sity:binary", "a:regression=1,2", "a:ordinal=A,A"]
)
def test_a_malformed_spec_is_refused(spec):
    with pytest.raises(TaskError, match="task"):
        Task.parse(spec)


def test_two_tasks_of_one_name_are_refused():
    with pytest.raises(TaskError, match="different names, got a, a"):
        parse_tasks(["a:binary", "a:regression"])


def test_binary_has_two_classes_whatever_their_names():
    assert Task("x", TaskKind.BINARY).classes == ("0", "1")
    with pytest.raises(TaskError, match="exactly 2 classes"):
        Task("x", TaskKind.BINARY, ("a", "b", "c"))


def test_a_class_that_is_called_as_a_number_is_written_comes_first():
    assert Task.parse("stage:ordinal=1.0,1,true").encode("1.0") == 0.0
    assert Task.parse("stage:ordinal=1.0,1,true").encode("true") == 2.0
