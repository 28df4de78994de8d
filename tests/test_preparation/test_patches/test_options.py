import pytest

from mammography.preparation.patches.options import PatchOptions


def test_sets_are_the_published_ones_and_those_of_any_other_number():
    numbers = {
        name: (rules.per_region, rules.per_image, rules.centred)
        for name in ("S", "S1", "S10", "S30")
        for rules in [PatchOptions(name).rules()]
    }
    assert numbers == {
        "S": (1, 1, True), "S1": (1, 1, False), "S10": (10, 10, False), "S30": (30, 30, False)
    }  # fmt: skip


def test_overlaps_are_the_published_ones():
    rules = PatchOptions().rules()
    assert (rules.least_overlap, rules.most_overlap, rules.patch_hw) == (0.9, 0.35, (224, 224))


@pytest.mark.parametrize("name", ["T10", "S0", "S-1", "s10", "S10x", ""])
def test_an_unknown_set_is_refused(name):
    with pytest.raises(ValueError, match="--set must be S or S with a number, got"):
        PatchOptions(name)


def test_values_out_of_range_are_refused():
    with pytest.raises(ValueError, match="--seed must be at least 0, got -1"):
        PatchOptions(seed=-1)
    with pytest.raises(ValueError, match="least_breast must lie in"):
        PatchOptions(least_breast=2)
