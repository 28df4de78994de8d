import pytest

from mammography.preparation.cells import CellError
from mammography.preparation.source_tables.name_pattern import NamePattern
from mammography.terms import Laterality, ViewPosition


def test_one_group_is_the_patient_and_the_whole_name_must_match():
    pattern = NamePattern(r"(\d+)_[LR]")
    assert (pattern.tells, pattern.read("0012_L")) == ({"patient"}, {"patient": "0012"})
    for name in ("0012_L_2", "a0012_L", "0012_X"):
        with pytest.raises(CellError, match=r"match the pattern \(\\d\+\)_\[LR\]"):
            pattern.read(name)


def test_groups_may_be_named_and_are_read_as_our_terms():
    pattern = NamePattern(r"(?P<patient>.+)/(?P<laterality>\w+)_(?P<view_position>\w+)(?:\.png)?")
    assert pattern.read("P_1/left_mlo.png") == {
        "patient": "P_1", "laterality": Laterality.LEFT, "view_position": ViewPosition.MLO,
    }  # fmt: skip
    with pytest.raises(CellError, match="be one of L, R"):
        pattern.read("P_1/middle_mlo.png")


def test_a_group_that_finds_nothing_is_refused():
    with pytest.raises(CellError, match="name its patient where the pattern"):
        NamePattern(r"(\d*)_L").read("_L")


def test_the_rule_in_words_is_said_where_it_is_given():
    with pytest.raises(CellError, match=r"^be a number$"):
        NamePattern(r"(\d+)", "be a number").read("x")


@pytest.mark.parametrize(
    "text", ["", r"\d+", r"(\d)(\d)", r"(?P<side>[LR])", r"(?P<patient>\d)(x)", "(", "[a"]
)
def test_another_expression_is_an_error(text):
    with pytest.raises(ValueError, match=r"patient_pattern must (be a regular|have one group)"):
        NamePattern(text)
