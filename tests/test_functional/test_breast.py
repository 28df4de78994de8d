import csv

import cv2
import numpy as np
import pytest

from golden import shared_data
from mammography.functional.breast import find_breast
from mammography.functional.breast_mask import NotABreastError

SIZE_HW = (1500, 1100)
HEIGHT, WIDTH = SIZE_HW


def draw(background=0, noise=0.0, top=3000, axes_xy=(560, 500)):
    """Return a CC view of the left breast and where it is: a half ellipse that fades out."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    depth = 1 - np.hypot(x / axes_xy[0], (y - HEIGHT / 2) / axes_xy[1])
    tissue = top * np.clip(depth * 5, 0, 1) * (0.7 + 0.3 * np.sin(x / 60) * np.cos(y / 45))
    inside = depth > 0
    image = background + np.where(inside, tissue + 0.04 * top, 0)
    image = image + np.random.default_rng(0).normal(0, 1, SIZE_HW) * noise
    return np.clip(np.round(image), 0, 65535).astype(np.uint16), inside


def keeps(breast, inside, margin=0):
    """Return the share of the breast within the box and within the mask."""
    left, top, right, bottom = breast.box(margin)
    mask = breast.mask_in((0, 0, WIDTH, HEIGHT), SIZE_HW)
    return inside[top:bottom, left:right].sum() / inside.sum(), mask[inside].mean()


@pytest.mark.parametrize(("background", "noise"), [(0, 0), (0, 20), (150, 15), (500, 25)])
def test_breast_is_kept_whole_and_little_else(background, noise):
    image, inside = draw(background, noise)
    breast = find_breast(image)
    in_box, in_mask = keeps(breast, inside)
    assert in_box > 0.999
    assert in_mask > 0.99
    mask = breast.mask_in((0, 0, WIDTH, HEIGHT), SIZE_HW)
    assert mask.sum() < 1.06 * inside.sum()


def add_labels(image):
    canvas = np.zeros(SIZE_HW, np.uint8)
    cv2.putText(canvas, "LCC", (WIDTH - 220, 170), cv2.FONT_HERSHEY_SIMPLEX, 4, 1, 20)
    canvas[:60, 700:900] = 1  # Touches the top edge.
    canvas[900:1300, -80:] = 1  # Touches the far side.
    image[canvas > 0] = 4000
    return canvas > 0


def add_scanner_edges(image):
    """Add bars of uneven thickness at the top and the bottom and a line at the chest wall."""
    slope = np.arange(WIDTH) // 110
    for x in range(WIDTH):
        image[: 20 + slope[x], x] = 5000
        image[HEIGHT - 12 - slope[x] // 2 :, x] = 5000
    image[:, :4] = 5000
    image[:, -6:] = 5000


def add_leaking_light(image):
    image += (900 * np.exp(-np.arange(WIDTH) / 40)).astype(np.uint16)


def test_labels_and_scanner_edges_and_leaking_light_are_left_out():
    image, inside = draw()
    labels = add_labels(image)
    add_leaking_light(image)
    add_scanner_edges(image)
    breast = find_breast(image)
    mask = breast.mask_in((0, 0, WIDTH, HEIGHT), SIZE_HW)
    assert not (mask & labels).any()
    left, top, right, bottom = breast.box(0)
    assert breast.white_edge == 4
    assert left == 4
    assert (top, bottom) == pytest.approx((250, 1250), abs=25)
    assert right == pytest.approx(560, abs=10)
    assert keeps(breast, inside)[1] > 0.985


def test_breast_that_fills_the_edges_is_not_taken_for_a_scanner_edge():
    image, inside = draw(axes_xy=(700, 1100))  # Reaches from the top to the bottom.
    breast = find_breast(image)
    assert breast.box() == (0, 0, pytest.approx(700, abs=12), HEIGHT)
    assert keeps(breast, inside)[1] > 0.995
    assert breast.white_edge == 0


@pytest.mark.parametrize("size_hw", [(1501, 1100), (1502, 1099), (1499, 1101), (1537, 1025)])
def test_breast_at_the_border_is_kept_where_the_small_copy_covers_a_part_of_a_pixel(size_hw):
    height, width = size_hw
    image = np.zeros(size_hw, np.uint16)
    image[height // 3 :, width // 2 :] = 3000  # Reaches the bottom and the right.
    left, top, right, bottom = find_breast(image).box()
    assert (right, bottom) == (width, height)
    assert (left, top) == pytest.approx((width // 2, height // 3), abs=6)


def test_faint_nipple_is_kept():
    image, inside = draw()
    cv2.circle(nipple := np.zeros(SIZE_HW, np.uint8), (570, 750), 32, 1, -1)
    image[(nipple > 0) & ~inside] = 150  # A twentieth of the tissue.
    breast = find_breast(image)
    assert breast.mask_in((0, 0, WIDTH, HEIGHT), SIZE_HW)[nipple > 0].mean() > 0.99
    assert breast.box()[2] >= 602


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_result_does_not_depend_on_the_number_type_or_scale(dtype):
    image, _ = draw()
    expected = find_breast(image)
    scaled = (image / 20).astype(dtype) if dtype == np.uint8 else image.astype(dtype)
    breast = find_breast(scaled)
    assert breast.chest_wall == expected.chest_wall
    np.testing.assert_allclose(breast.box(), expected.box(), atol=2 * breast.factor)


def test_mirrored_image_gives_the_mirrored_result():
    image, _ = draw(noise=10)
    breast, mirrored = find_breast(image), find_breast(np.ascontiguousarray(image[:, ::-1]))
    assert (breast.chest_wall, mirrored.chest_wall) == ("left", "right")
    left, top, right, bottom = breast.box()
    np.testing.assert_allclose(mirrored.box(), (WIDTH - right, top, WIDTH - left, bottom), atol=9)


def test_density_map_is_applied_to_what_is_looked_at():
    image, _ = draw(noise=5)
    inverted = np.uint16(4095) - np.minimum(image, 4095)
    breast = find_breast(inverted, lambda values: 4095.0 - values)
    assert breast.box() == find_breast(np.minimum(image, 4095)).box()


def test_margin_widens_the_box_up_to_the_image():
    breast = find_breast(draw()[0])
    left, top, right, bottom = breast.box()
    assert breast.box(30) == (0, top - 30, right + 30, bottom + 30)
    assert left == 0


def test_mask_of_the_box_is_the_box_of_the_mask():
    breast = find_breast(draw()[0])
    whole = breast.mask_in((0, 0, WIDTH, HEIGHT), SIZE_HW)
    for margin in (14, 15, 16):  # Begins at each pixel of one of the small copy.
        left, top, right, bottom = box = breast.box(margin)
        height, width = bottom - top, right - left
        part = breast.mask_in(box, (height, width))
        assert np.mean(part != whole[top:bottom, left:right]) < 2e-4
        half = breast.mask_in(box, (height // 2, width // 2))
        assert np.mean(half != part[1::2, 1::2][: height // 2, : width // 2]) < 4e-3


def only_labels(image):
    image[:] = 0
    add_labels(image)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda image: image.fill(0), "constant"),
        (lambda image: image.fill(65535), "constant"),
        (lambda image: np.copyto(image, 4095 - np.minimum(image, 4095)), "background is bright"),
        (
            lambda image: np.copyto(
                image, np.random.default_rng(0).normal(1000, 50, SIZE_HW).astype(np.uint16)
            ),
            "ragged|small|stands out",
        ),
        (lambda image: np.copyto(image, np.uint16(0)) or add_scanner_edges(image), "stands out"),
        (
            lambda image: np.copyto(image, 100 * np.uint16(np.indices(SIZE_HW).sum(0) == 900)),
            "constant",
        ),
    ],
    ids=["black", "white", "inverted", "noise", "scanner edges only", "a line"],
)
def test_what_is_no_breast_is_refused(spoil, reason):
    image, _ = draw()
    spoil(image)
    with pytest.raises(NotABreastError, match=reason):
        find_breast(image)


def test_numbers_that_are_not_finite_are_refused():
    image = draw()[0].astype(np.float32)
    image[::2] = np.nan
    with pytest.raises(NotABreastError, match="not finite"):
        find_breast(image)


@pytest.fixture(scope="module")
def films():
    """Return the breast found in each real film and the annotated breast."""
    folder = shared_data("ddsm_tissue")
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        mask_file = row["note"].removeprefix("mask ").split(" values")[0]
        image, labels = (
            cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED)
            for name in (row["file"], mask_file)
        )
        found.append((find_breast(image), labels != 64))
    return found


def enlarge(mask, breast):
    """Return a small mask at the size of the image."""
    full = np.kron(mask, np.ones((breast.factor, breast.factor), bool))
    return full[: breast.size_hw[0], : breast.size_hw[1]]


def test_tissue_agrees_with_annotations_of_66_real_films(films):
    overlaps = []
    for breast, annotated in films:
        tissue = enlarge(breast.tissue, breast)
        overlaps.append((tissue & annotated).sum() / (tissue | annotated).sum())
    assert len(overlaps) == 66
    assert np.median(overlaps) >= 0.95
    assert min(overlaps) >= 0.85


def test_crop_of_real_films_loses_no_breast(films):
    for breast, annotated in films:
        left, top, right, bottom = breast.box(2 * breast.factor)
        assert annotated[top:bottom, left:right].sum() >= 0.99 * annotated.sum()
        # The annotations leave out much of the skin that the mask keeps, and rarely more.
        assert enlarge(breast.mask, breast)[annotated].mean() >= 0.98


def test_chest_wall_of_real_films_is_on_the_annotated_side(films):
    for breast, annotated in films:
        at_left = annotated[:, :40].sum() > annotated[:, -40:].sum()
        assert breast.chest_wall == ("left" if at_left else "right")
