from collections import Counter

import numpy as np
import pytest
from scipy import ndimage, stats

from mammography.functional.outlines import fill_outline
from mammography.functional.patch_overlap import Region
from mammography.functional.patch_sampling import (
    Place,
    SamplingRules,
    background_places,
    lesion_places,
)

IMAGE_HW = (120, 100)


def rng(seed=0):
    return np.random.default_rng(seed)


def rules(size=32, **changes):
    return SamplingRules(patch_hw=(size, size), **changes)


def rectangle(left, top, right, bottom):
    mask = np.zeros(IMAGE_HW, bool)
    mask[top:bottom, left:right] = True
    return mask


def blob(seed):
    noise = ndimage.gaussian_filter(rng(seed).normal(size=IMAGE_HW), 7)
    mask = np.zeros(IMAGE_HW, bool)
    mask[20:90, 15:85] = noise[20:90, 15:85] > np.quantile(noise, 0.9 if seed % 2 else 0.99)
    return mask


def counted_overlap(mask, place, size=32):
    """Count pixels, without the table."""
    padded = np.pad(mask, 200)
    rows = slice(200 + place.top, 200 + place.top + size)
    common = padded[rows, 200 + place.left : 200 + place.left + size].sum()
    return max(common / mask.sum(), common / size**2)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("border", ["shift", "zeros"])
def test_every_patch_of_a_lesion_overlaps_as_much_as_its_cutoff_asks_for(seed, border):
    mask, where = blob(seed), rules(border=border)
    places = lesion_places(rng(seed), Region(mask), [], IMAGE_HW, where)
    assert len(places) == len({(p.left, p.top) for p in places}) == 10
    left, top, right, bottom = Region(mask).box
    for place in places:
        assert place.overlap == counted_overlap(mask, place) >= place.cutoff
        if border == "shift":
            assert 0 <= place.left <= 100 - 32
            assert 0 <= place.top <= 120 - 32
        else:
            assert left <= place.left + 16 < right
            assert top <= place.top + 16 < bottom


@pytest.mark.parametrize("seed", range(6))
def test_cutoff_is_the_highest_step_that_enough_centres_of_the_box_reach(seed):
    mask, where = blob(seed), rules(border="zeros")
    left, top, right, bottom = Region(mask).box
    overlaps = np.array(
        [
            counted_overlap(mask, Place(x - 16, y - 16, 0))
            for x in range(left, right)
            for y in range(top, bottom)
        ]
    )
    steps = [round(0.9 - 0.05 * i, 2) for i in range(18)]
    highest = next(step for step in steps if (overlaps >= step).sum() >= 10)
    places = lesion_places(rng(), Region(mask), [], IMAGE_HW, where)
    assert {place.cutoff for place in places} == {highest}


def test_some_of_these_lesions_have_a_cutoff_that_fell():
    cutoffs = {
        lesion_places(rng(), Region(blob(seed)), [], IMAGE_HW, rules())[0].cutoff
        for seed in range(6)
    }
    assert 0.9 in cutoffs
    assert min(cutoffs) < 0.9


def drawn_one_by_one(mask, source, size=32):
    """Draw centres in the box until one overlaps enough, as the published code does."""
    left, top, right, bottom = Region(mask).box
    while True:
        x, y = source.integers(left, right), source.integers(top, bottom)
        place = Place(int(x) - size // 2, int(y) - size // 2, 0)
        if counted_overlap(mask, place, size) >= 0.9:
            return place.left, place.top


def test_places_are_as_frequent_as_where_centres_are_drawn_until_one_fits():
    mask = fill_outline([(30, 30), (56, 34), (50, 60), (34, 58)], IMAGE_HW)
    region, where = Region(mask), rules(per_region=1, border="zeros")
    ours = Counter(
        (place.left, place.top)
        for seed in range(3000)
        for place in lesion_places(rng(seed), region, [], IMAGE_HW, where)
    )
    source = rng(1)
    theirs = Counter(drawn_one_by_one(mask, source) for _ in range(3000))
    # Neighbouring places together, so that each cell counts enough.
    cells = sorted({(x // 4, y // 4) for x, y in ours | theirs})
    table = [
        [sum(n for (x, y), n in count.items() if (x // 4, y // 4) == cell) for cell in cells]
        for count in (ours, theirs)
    ]
    kept = np.array(table)[:, np.sum(table, axis=0) >= 20]
    assert kept.shape[1] > 5
    assert stats.chi2_contingency(kept).pvalue > 0.001


def test_centred_patch_lies_around_the_centre_of_mass_whatever_it_overlaps_with():
    mask = fill_outline([(20, 20), (80, 20), (80, 26), (26, 26), (26, 80), (20, 80)], IMAGE_HW)
    (place,) = lesion_places(rng(), Region(mask), [], IMAGE_HW, rules(per_region=1, centred=True))
    y, x = ndimage.center_of_mass(mask)
    assert abs(place.left + 15.5 - x) <= 0.5
    assert abs(place.top + 15.5 - y) <= 0.5
    assert place.cutoff is None
    assert place.overlap == counted_overlap(mask, place) < 0.9


@pytest.mark.parametrize(("border", "left", "top"), [("shift", 68, 0), ("zeros", 79, -11)])
def test_centred_patch_at_a_corner_is_shifted_or_filled_up(border, left, top):
    where = rules(per_region=1, centred=True, border=border)
    (place,) = lesion_places(rng(), Region(rectangle(90, 0, 100, 10)), [], IMAGE_HW, where)
    assert (place.left, place.top, place.overlap) == (left, top, 1.0)


def test_a_speck_gives_as_many_patches_as_it_has_places():
    places = lesion_places(rng(), Region(rectangle(50, 60, 52, 62)), [], IMAGE_HW, rules())
    assert sorted((p.left, p.top) for p in places) == [(34, 44), (34, 45), (35, 44), (35, 45)]
    assert {(p.overlap, p.cutoff) for p in places} == {(1.0, 0.9)}


def test_a_lesion_larger_than_the_patch_holds_the_patch():
    mask = rectangle(10, 10, 90, 110)
    for place in lesion_places(rng(), Region(mask), [], IMAGE_HW, rules()):
        assert counted_overlap(mask, place) >= 0.9
        assert place.overlap == pytest.approx(
            Region(mask).count(place.left, place.top, (32, 32)) / 1024
        )


def test_patches_avoid_a_lesion_of_another_class_beside_theirs():
    mine, other = Region(rectangle(40, 40, 52, 52)), Region(rectangle(56, 40, 64, 48))
    for place in lesion_places(rng(), mine, [other], IMAGE_HW, rules()):
        assert other.overlap(place.left, place.top, (32, 32)) <= 0.35
        assert not place.is_crowded


def test_patches_of_a_lesion_inside_one_of_another_class_are_drawn_all_the_same_and_say_so():
    mine, other = Region(rectangle(46, 46, 50, 50)), Region(rectangle(40, 40, 56, 56))
    places = lesion_places(rng(), mine, [other], IMAGE_HW, rules())
    assert len(places) == 10
    assert all(place.is_crowded for place in places)


def test_background_overlaps_little_with_every_lesion_and_shows_the_breast():
    lesions, breast = [rectangle(20, 20, 30, 30), blob(3)], rectangle(0, 10, 70, 110)
    regions = [Region(mask) for mask in lesions]
    where = rules(per_image=200, least_breast=0.5)
    places = background_places(rng(), regions, Region(breast), IMAGE_HW, where)
    assert len({(p.left, p.top) for p in places}) == 200
    for place in places:
        overlaps = [counted_overlap(mask, place) for mask in lesions]
        assert place.overlap == max(overlaps) <= 0.35
        shown = breast[place.top : place.top + 32, place.left : place.left + 32]
        assert shown.sum() >= 0.5 * 32 * 32
    assert max(place.overlap for place in places) > 0.2, "some must come near"


def test_background_is_drawn_evenly_from_all_places_that_fit():
    breast = Region(np.ones(IMAGE_HW, bool))
    where = rules(100, per_image=1)  # 100 x 100 in 120 x 100: 21 places.
    tops = Counter(
        background_places(rng(seed), [], breast, IMAGE_HW, where)[0].top for seed in range(500)
    )
    assert sorted(tops) == list(range(21))
    assert stats.chisquare(list(tops.values())).pvalue > 0.001


def test_background_without_room_is_short():
    lesion, breast = Region(rectangle(0, 0, 100, 120)), Region(rectangle(0, 0, 100, 120))
    assert background_places(rng(), [lesion], breast, IMAGE_HW, rules()) == []
    place = background_places(rng(), [], breast, (32, 32), rules())
    assert [(p.left, p.top) for p in place] == [(0, 0)]


def test_an_image_smaller_than_the_patch_begins_at_its_corner():
    region = Region(rectangle(4, 5, 9, 9))
    places = lesion_places(rng(), region, [], (20, 24), rules())
    assert [(p.left, p.top) for p in places] == [(0, 0)]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"patch_hw": (4, 32)}, "patch_hw must be two numbers of at least 8 pixels"),
        ({"per_region": 0}, "per_region must be at least 1"),
        ({"centred": True}, "per_region must be 1 where patches are centred"),
        ({"per_image": -1}, "per_image must be at least 0"),
        ({"least_overlap": 0.0}, r"least_overlap must lie in \(0, 1\]"),
        ({"most_overlap": 1.0}, r"most_overlap must lie in \[0, 1\)"),
        ({"least_breast": 1.5}, r"least_breast must lie in \[0, 1\]"),
        ({"border": "mirror"}, "border must be shift or zeros"),
    ],
)
def test_rules_out_of_range_are_refused(changes, rule):
    with pytest.raises(ValueError, match=f"SamplingRules: {rule}, got"):
        SamplingRules(**changes)
