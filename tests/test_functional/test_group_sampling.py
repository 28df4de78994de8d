from collections import Counter
from itertools import chain, islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import golden
from mammography.functional.group_sampling import deal_units, draw_group


def units_of(sizes):
    members = iter(range(sum(sizes)))
    return [tuple(islice(members, size)) for size in sizes]


def draw(sizes, places, batches, seed=0):
    return list(islice(draw_group(units_of(sizes), places, np.random.default_rng(seed)), batches))


def members(units):
    return list(chain(*units))


SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=12)


@given(sizes=SIZES, places=st.integers(1, 9), seed=st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_batches_are_full_and_no_member_is_drawn_again_before_all_others(sizes, places, seed):
    counts = Counter(dict.fromkeys(range(sum(sizes)), 0))
    for batch in draw(sizes, places, 12, seed):
        assert len(members(batch)) == places
        counts.update(members(batch))
        if places <= sum(sizes):
            assert max(counts.values()) - min(counts.values()) <= 1


@given(sizes=SIZES, seed=st.integers(0, 99), data=st.data())
@settings(max_examples=100, deadline=None)
def test_no_member_comes_twice_in_a_batch_that_is_no_larger_than_the_group(sizes, seed, data):
    places = data.draw(st.integers(1, sum(sizes)))
    for batch in draw(sizes, places, 12, seed):
        assert len(set(members(batch))) == places


def test_a_large_unit_is_divided_rather_than_a_member_drawn_twice():
    """The batch takes the last of the four views and has room for two more of them."""
    for seed in range(50):
        for batch in draw([2, 1, 4], 6, 12, seed):
            assert len(set(members(batch))) == 6


def test_a_group_smaller_than_its_places_fills_them_evenly():
    for batch in draw([1, 1, 1], 8, 9):
        assert sorted(Counter(members(batch)).values()) in ([2, 3, 3],)


@pytest.mark.parametrize("places", [2, 4, 16])
def test_pairs_are_never_divided_when_places_are_even(places):
    whole = set(units_of([2] * 33))
    assert set(chain(*draw([2] * 33, places, 100))) == whole


@pytest.mark.parametrize("places", [2, 4, 6])
def test_a_single_among_pairs_divides_one_of_them_at_the_end_of_a_round(places):
    sizes = [2] * 20 + [1]
    whole = set(units_of(sizes))
    batches = draw(sizes, places, 41)  # so many rounds as there are places
    divided = sum(unit not in whole for unit in chain(*batches))
    assert divided <= 2 * places


def test_singles_wait_for_each_other():
    sizes = [2] * 20 + [1] * 4
    assert set(chain(*draw(sizes, 2, 22))) == set(units_of(sizes))


def test_pairs_in_three_places_are_divided_in_every_second_batch_only():
    whole = set(units_of([2] * 30))
    batches = draw([2] * 30, 3, 20)
    assert all(sum(unit in whole for unit in batch) == 1 for batch in batches)


def test_rounds_come_in_different_orders():
    rounds = [members(chain(*draw([1] * 20, 5, 12)[start : start + 4])) for start in (0, 4, 8)]
    assert all(sorted(order) == list(range(20)) for order in rounds)
    assert rounds[0] != rounds[1] != rounds[2]


def test_every_place_of_a_round_is_equally_likely():
    first = Counter(members(draw([1] * 5, 1, 1, seed))[0][0] for seed in range(2000))
    assert all(abs(count - 400) < 5 * np.sqrt(2000 * 0.2 * 0.8) for count in first.values())


def test_classes_are_balanced_exactly_as_in_the_reference():
    case = golden("07_samplers")
    labels, want = case["y"], case["expected"]["catalyst_BatchBalance"]
    classes = [[(i,) for i, y in enumerate(labels) if y == value] for value in (0, 1)]
    draws = [draw_group(units, 4, np.random.default_rng(0)) for units in classes]
    batches = [members(members(parts)) for parts in zip(*map(islice, draws, [5, 5]), strict=True)]
    assert [len(batch) for batch in batches] == want["batch_sizes"]
    assert [sum(labels[i] for i in batch) for batch in batches] == want["pos_per_batch"]


@given(sizes=SIZES, parts=st.integers(1, 4))
@settings(max_examples=100, deadline=None)
def test_units_are_dealt_into_equal_parts_and_none_is_lost(sizes, parts):
    sizes = sizes + [1] * (-sum(sizes) % parts)
    dealt = deal_units(units_of(sizes), parts)
    assert {len(members(part)) for part in dealt} == {sum(sizes) // parts}
    assert sorted(members(chain(*dealt))) == list(range(sum(sizes)))


@given(pairs=st.integers(0, 6), singles=st.integers(0, 6), parts=st.integers(1, 4))
@settings(max_examples=100, deadline=None)
def test_pairs_are_dealt_whole_where_parts_are_even(pairs, singles, parts):
    sizes = [2] * pairs + [1, 1] * singles
    sizes += [2] * (-(sum(sizes) // 2) % parts)
    assert set(chain(*deal_units(units_of(sizes), parts))) == set(units_of(sizes))


def test_pairs_are_dealt_whole_in_odd_parts_when_there_is_a_single_for_each():
    units = [(0,), (1,), (2, 3), (4, 5), (6, 7), (8, 9)]
    assert set(chain(*deal_units(units, 2))) == set(units)


def test_what_cannot_be_drawn_or_dealt_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"must be a place and units .* got 0 places and 1 units"):
        draw_group([(0,)], 0, rng)
    with pytest.raises(ValueError, match="got 2 places and 0 units"):
        draw_group([], 2, rng)
    with pytest.raises(ValueError, match="3 members must fill 2 equal parts"):
        deal_units([(0, 1), (2,)], 2)
