"""Labels of what the tables of a source say."""

import pytest

from mammography.preparation.contents import check_choice, encode_labels
from mammography.structures.task import TaskError, parse_tasks

TASKS = parse_tasks(["malignant:binary", "birads:ordinal=1,2,3,4,5"])


def test_a_value_that_is_not_known_is_no_label_and_0_is_one():
    assert encode_labels(TASKS, {"malignant": 0, "birads": None}) == {"malignant": 0.0}
    assert encode_labels(TASKS, {"birads": "2", "density": "C"}) == {"birads": 1.0}


def test_a_value_without_class_is_an_error_with_the_remedy():
    with pytest.raises(TaskError, match=r"birads: must be one of 1, .*, 5, got '6': .*--tasks"):
        encode_labels(TASKS, {"birads": "6"})


def test_words_of_an_option_are_those_that_it_knows():
    check_choice("s", "form", "a", "ab")
    check_choice("s", "forms", (), "ab")
    with pytest.raises(ValueError, match="source s: form must be one of a, b, got 'ab'"):
        check_choice("s", "form", "ab", "ab")
    with pytest.raises(ValueError, match="source s: forms must be some of a, b, got a,c"):
        check_choice("s", "forms", ("a", "c"), "ab")
    with pytest.raises(ValueError, match="source s: forms must be some of a, b, got none"):
        check_choice("s", "forms", (), "ab", least=1)
