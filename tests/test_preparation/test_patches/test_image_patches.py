"""One image to its patches: planted pixels are found back where the patch says it lies."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mammography.functional.outlines import fill_outline
from mammography.functional.patch_overlap import cut_patch
from mammography.functional.phantom import place_lesions
from mammography.preparation.patches import image_patches as rules
from mammography.preparation.patches.image_patches import cut_image
from mammography.preparation.patches.options import PatchOptions
from mammography.preparation.patches.regions import finding_mask
from mammography.structures.annotation import Finding, ImageRecord
from mammography.terms import Laterality, ViewPosition
from phantoms import lesion, phantom_image, phantom_view

SIZE_HW = (160, 120)
S10 = PatchOptions("S10", (32, 32))


def numbered(size_hw=SIZE_HW):
    """Return an image in which every pixel has a value of its own, above 0."""
    return np.arange(1, size_hw[0] * size_hw[1] + 1, dtype=np.uint16).reshape(size_hw)


def record(*boxes, label="mass", malignant=True, image_id="i1"):
    findings = tuple(Finding(tuple(map(float, box)), label, malignant) for box in boxes)
    return ImageRecord("a.png", patient_id="p", image_id=image_id, findings=findings)


def counted(found):
    return Counter(patch.class_index for patch in found.patches)


@pytest.mark.parametrize("border", ["shift", "zeros"])
def test_every_pixel_of_a_patch_is_the_one_of_the_image_at_its_place(border):
    image = numbered()
    found = cut_image(
        record((0, 10, 20, 30), (60, 100, 90, 150)), image, replace(S10, border=border)
    )
    assert counted(found) == {0: 10, 3: 20}
    for patch in found.patches:
        rows, columns = np.nonzero(patch.pixels)
        values = patch.pixels[rows, columns]
        assert (values == image[rows + patch.place.top, columns + patch.place.left]).all()
        assert border == "zeros" or patch.pixels.all()
    padded = sum(not patch.pixels.all() for patch in found.patches)
    assert found.rules[rules.PADDED] == padded
    assert (padded > 0) == (border == "zeros")


def test_lesion_mask_and_image_are_cut_alike():
    """A lesion painted into the image by its outline is the mask, in every patch."""
    outline = ((50.0, 60.0), (74.0, 52.0), (90.0, 80.0), (66.0, 99.0))
    finding = Finding((50, 52, 90, 99), "mass", True, outline)
    painted = np.where(fill_outline(outline, SIZE_HW), 60000, 1000).astype(np.uint16)
    found = cut_image(ImageRecord("a.png", image_id="i", findings=(finding,)), painted, S10)
    mask, (left, top) = finding_mask(finding, SIZE_HW)
    whole = np.zeros(SIZE_HW, bool)
    whole[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    for patch in found.patches:
        bright = patch.pixels > 30000
        assert (bright == cut_patch(whole, patch.place.left, patch.place.top, (32, 32))).all()
        shown = bright.sum() / min(mask.sum(), 32 * 32)
        assert shown == pytest.approx(patch.place.overlap)
        assert (shown >= patch.place.cutoff) if patch.class_index else (shown <= 0.35)


def watermarked():
    """Return a phantom breast with a bright label beside it, its mask, and its record."""
    view = {"size_hw": (512, 416), "lesions": [lesion("mass", True)], "seed": 4}
    pixels, mask = phantom_image(**view)
    image = np.where(mask, 2000 + 50000 * pixels, 0).astype(np.uint16)
    image[20:60, 340:400] = 65535
    (placed,) = place_lesions(phantom_view("L", "CC", **view))
    in_breast = Finding(placed.box, "mass", True, tuple(map(tuple, placed.outline)))
    on_label = Finding((345.0, 25.0, 395.0, 55.0), "mass", False)
    findings = (in_breast, on_label)
    return (
        image,
        mask,
        ImageRecord("a.png", None, None, "w", Laterality.LEFT, ViewPosition.CC, findings=findings),
    )


def test_watermarks_go_from_image_and_lesions_alike_and_nothing_moves():
    image, mask, row = watermarked()
    options = PatchOptions("S10", (64, 64), remove_watermarks=True)
    kept, cleaned = (
        cut_image(row, image, replace(options, remove_watermarks=False)),
        cut_image(row, image, options),
    )
    assert counted(kept) == {0: 10, 3: 10, 4: 10}
    assert counted(cleaned) == {0: 10, 3: 10}
    assert cleaned.left_out == {"outside of the breast": 1}
    for patch in cleaned.patches:
        original = cut_patch(image, patch.place.left, patch.place.top, (64, 64))
        inside = cut_patch(mask, patch.place.left, patch.place.top, (64, 64))
        assert not (patch.pixels == 65535).any()
        assert set(np.unique(patch.pixels[patch.pixels != original])) <= {0}
        # The outline of the breast is found in a small copy: it may be a little off.
        assert ((patch.pixels > 0) == inside).mean() > 0.97


def test_an_image_without_a_breast_stays_as_it_is_and_is_counted():
    options = replace(S10, remove_watermarks=True)
    image = numbered((40, 50))  # Too small for a breast to be found.
    found = cut_image(record((5, 5, 20, 20)), image, options)
    assert found.rules[rules.NO_BREAST] == 1
    assert counted(found) == {0: 10, 3: 10}


def test_places_depend_on_seed_image_and_finding_alone():
    image, boxes = numbered(), [(10, 10, 30, 30), (60, 100, 90, 150)]

    def places(row, options=S10, number=None):
        found = cut_image(row, image, options)
        return [p.place for p in found.patches if number in (None, p.lesion)]

    both = record(*boxes)
    assert places(both) == places(both)
    assert places(both) != places(both, replace(S10, seed=1))
    assert places(both) != places(record(*boxes, image_id="i2"))
    one = replace(both, findings=both.findings[:1])
    assert places(one, number=0) == places(both, number=0)


def test_set_s_is_the_centre_of_each_lesion_and_one_of_background():
    found = cut_image(
        record((10, 10, 30, 30), (60, 100, 90, 140)), numbered(), replace(S10, patch_set="S")
    )
    assert [(p.name, p.class_index) for p in found.patches] == [
        ("l0-0", 3),
        ("l1-0", 3),
        ("b-0", 0),
    ]
    assert (found.patches[0].place.left, found.patches[0].place.top) == (4, 4)
    assert (found.patches[1].place.left, found.patches[1].place.top) == (59, 104)


def test_an_image_without_a_lesion_of_known_class_gives_no_background_either():
    assert not cut_image(record((5, 5, 20, 20), label="asymmetry"), numbered(), S10).patches


@pytest.mark.parametrize(
    ("box", "rule"),
    [
        ((60, 60, 62, 62), rules.FEWER),
        ((40, 40, 60, 60), rules.SMALLER),
        ((20, 30, 100, 130), rules.LARGER),
        ((2, 60, 20, 80), rules.AT_BORDER),
        ((110, 60, 118, 80), rules.AT_BORDER),
        ((20, 30, 100, 36), rules.RELAXED.format(0.4)),
    ],
)
def test_what_was_done_is_counted(box, rule):
    found = cut_image(record(box), numbered(), S10)
    assert found.rules[rule] == 1
    expected = {rule, rules.LARGER if max(box[2] - box[0], box[3] - box[1]) > 32 else rules.SMALLER}
    assert set(+found.rules) - {rules.AT_BORDER} == expected - {rules.AT_BORDER}


def test_a_lesion_of_another_class_in_the_same_patch_is_counted():
    inner, outer = record((46, 46, 50, 50)).findings[0], record((40, 40, 56, 56)).findings[0]
    row = replace(record(), findings=(replace(inner, malignant=False), outer))
    assert cut_image(row, numbered(), S10).rules[rules.CROWDED] == 20


def test_background_without_a_place_is_counted():
    found = cut_image(record((0, 0, 120, 160)), numbered(), S10)
    assert found.rules[rules.NO_BACKGROUND] == 10
    assert counted(found) == {3: 10}
