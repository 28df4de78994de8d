import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import golden
from mammography.functional.contralateral import match_contralateral


def columns(table):
    return (
        [row["patient"] for row in table],
        [None] * len(table),
        [row["lat"] for row in table],
        [row["cancer"] for row in table],
    )


def test_the_healthy_breasts_of_unilateral_cancers_are_the_controls():
    case = golden("07_samplers")["expected"]["contralateral"]
    match = match_contralateral(*columns(case["table"]))
    assert [case["table"][i] for i in match.matched] == case["kept_unilateral_only"]
    assert {case["table"][i]["patient"] for i in match.bilateral} == {3}
    assert {case["table"][i]["patient"] for i in match.cancer_free} == {2}


def test_a_control_is_of_the_same_exam():
    match = match_contralateral(["p"] * 4, ["new", "new", "old", "old"], "LRLR", [1, 0, 0, 0])
    assert match.matched == (0, 1)
    assert match.cancer_free == (2, 3)


def test_a_view_of_the_ill_breast_that_is_called_healthy_is_no_control():
    assert match_contralateral(["p"] * 3, [None] * 3, "LLR", [1, 0, 0]).matched == (0, 2)


def test_images_without_patient_side_or_label_are_told_apart():
    match = match_contralateral(
        ["p", None, "p", "p"], [None] * 4, ["L", "L", None, "R"], [1, 1, 1, None]
    )
    assert match.unknown == (1, 2, 3)
    assert match.one_sided == (0,)


exams = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 1), st.sampled_from("LR"), st.integers(0, 1)),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(exams)
def test_matched_exams_have_cancer_on_one_side_alone_and_no_image_is_used_twice(rows):
    patients, days, sides, labels = map(list, zip(*rows, strict=True)) if rows else ([],) * 4
    match = match_contralateral(patients, days, sides, labels)
    used = [
        i
        for kind in (match.matched, match.bilateral, match.one_sided, match.cancer_free)
        for i in kind
    ]
    assert len(used) == len(set(used))
    for index in match.matched:
        same = [
            j for j in match.matched if (patients[j], days[j]) == (patients[index], days[index])
        ]
        by_side = {side: {labels[j] for j in same if sides[j] == side} for side in "LR"}
        assert sorted(by_side.values(), key=sorted) == [{0}, {1}]


@pytest.mark.parametrize(
    ("sides", "labels", "message"),
    [("L", [1, 0], "for each of 2 labels, got 1, 1 and 1"), ("L", [2], "0 or 1, got 2")],
)
def test_columns_that_do_not_fit_are_refused(sides, labels, message):
    with pytest.raises(ValueError, match=message):
        match_contralateral(["p"], [None], sides, labels)
