import numpy as np
import pytest

from mammography.preparation.patches import regions as rules
from mammography.preparation.patches.lesion_classes import OTHER_KIND, UNKNOWN_MALIGNANCY
from mammography.preparation.patches.regions import find_regions, finding_mask
from mammography.structures.annotation import Finding, ImageRecord

SIZE_HW = (60, 40)
BREAST = np.ones(SIZE_HW, bool)


def mass(*box, malignant=True, label="mass", outline=()):
    return Finding(tuple(map(float, box)), label, malignant, outline)


def found(*findings, breast=BREAST, labels=None, **options):
    record = ImageRecord("a.png", image_id="a", gt_label=labels or {}, findings=findings)
    return find_regions(record, breast, **options)


def test_region_of_a_box_are_its_pixels_and_of_an_outline_those_inside():
    box, outline = mass(4, 10, 14, 20), mass(4, 10, 14, 20, outline=((4, 10), (14, 10), (4, 20)))
    regions = found(box, outline)
    assert regions.lesions[0].region.box == (4, 10, 14, 20)
    assert regions.lesions[0].region.area == 100
    assert regions.lesions[1].region.area == pytest.approx(50, abs=6)


def test_a_lesion_that_the_image_cuts_is_cut_and_counted():
    regions = found(mass(-5, 50, 8, 75), mass(30, 10, 39, 20))
    assert regions.lesions[0].region.box == (0, 50, 8, 60)
    assert +regions.rules == {rules.CUT: 1}


def test_a_mark_smaller_than_a_pixel_is_the_pixel_that_it_lies_in():
    mask, corner = finding_mask(mass(7.6, 8.7, 7.9, 8.9), SIZE_HW)
    assert (mask.shape, corner, mask.sum()) == ((1, 1), (7, 8), 1)


@pytest.mark.parametrize(
    ("finding", "reason"),
    [
        (mass(41, 5, 60, 20), rules.OUTSIDE_IMAGE),
        (mass(5, -20, 20, 0), rules.OUTSIDE_IMAGE),
        (mass(25, 5, 38, 20), rules.OUTSIDE_BREAST),
        (mass(2, 5, 9, 20, label="asymmetry"), OTHER_KIND),
        (mass(2, 5, 9, 20, malignant=None), UNKNOWN_MALIGNANCY),
    ],
)
def test_a_finding_without_patches_is_counted_by_its_reason(finding, reason):
    breast = np.zeros(SIZE_HW, bool)
    breast[:, :20] = True
    regions = found(finding, mass(2, 40, 9, 50), breast=breast)
    assert regions.left_out == {reason: 1}
    assert [lesion.number for lesion in regions.lesions] == [1]


def test_regions_without_a_class_keep_the_background_away_all_the_same():
    regions = found(mass(2, 5, 9, 20, label="asymmetry"), mass(20, 5, 30, 20))
    assert [region.box for region in regions.all] == [(2, 5, 9, 20), (20, 5, 30, 20)]


def test_a_lesion_partly_outside_of_the_breast_is_whole_unless_clipped():
    breast = np.zeros(SIZE_HW, bool)
    breast[:, :20] = True
    whole = found(mass(15, 10, 25, 20), breast=breast)
    clipped = found(mass(15, 10, 25, 20), breast=breast, clip=True)
    assert whole.lesions[0].region.box == (15, 10, 25, 20)
    assert clipped.lesions[0].region.box == (15, 10, 20, 20)
    assert +whole.rules == +clipped.rules == {rules.PARTLY_OUTSIDE: 1}


def test_one_region_given_twice_counts_once_and_one_of_two_classes_not_at_all():
    regions = found(
        mass(2, 5, 9, 20),
        mass(2, 5, 9, 20),
        mass(20, 5, 30, 20),
        mass(20, 5, 30, 20, label="calcification"),
        mass(20, 40, 30, 50),
        mass(20, 40, 30, 50, label="asymmetry"),
    )
    assert [lesion.number for lesion in regions.lesions] == [0, 4]
    assert regions.left_out == {rules.TWICE: 1, rules.TWO_CLASSES: 2, OTHER_KIND: 1}


def test_label_of_the_image_tells_where_findings_do_not():
    findings = mass(2, 5, 9, 20, malignant=None), mass(20, 5, 30, 20, malignant=False)
    regions = found(*findings, labels={"suspicious": 1.0}, malignant_from="suspicious")
    assert [lesion.class_index for lesion in regions.lesions] == [3, 4]
    missing = found(*findings, malignant_from="suspicious")
    assert missing.left_out == {UNKNOWN_MALIGNANCY: 1}
