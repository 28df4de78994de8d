import numpy as np
import pytest

from mammography.functional.phantom_shape import (
    FIELD_HEIGHT_MM,
    BreastShape,
    draw_shape,
    fit_inside,
    nipple_height_mm,
    pectoral_width_mm,
    project,
    skin_depth_mm,
)
from mammography.terms import ViewPosition

VIEWS = [ViewPosition.CC, ViewPosition.MLO]
Y = np.linspace(0, FIELD_HEIGHT_MM, 449)
SHAPES = [draw_shape(np.random.default_rng(seed)) for seed in range(40)]


@pytest.mark.parametrize("view", VIEWS)
def test_breast_is_deepest_at_the_nipple_and_fits_the_field(view):
    for shape in SHAPES:
        depth = skin_depth_mm(shape, view, Y)
        assert abs(Y[depth.argmax()] - nipple_height_mm(shape, view)) < 1
        assert shape.depth_mm < depth.max() <= shape.depth_mm + 3.5
        assert depth.max() < 0.75 * FIELD_HEIGHT_MM
        assert (depth >= 0).all()


def test_cc_outline_without_squareness_is_half_an_ellipse():
    shape = BreastShape(depth_mm=80, half_height_mm=90, squareness=2.0)
    y = nipple_height_mm(shape, ViewPosition.CC) + np.array([-60.0, -20.0, 45.0])
    depth = skin_depth_mm(shape, ViewPosition.CC, y)
    expected = 80 * np.sqrt(1 - (np.array([60, 20, 45]) / 90) ** 2)
    assert depth == pytest.approx(expected, abs=1e-3)


def test_cc_outline_is_convex_apart_from_the_nipple():
    for shape in SHAPES:
        y = Y[np.abs(Y - nipple_height_mm(shape, ViewPosition.CC)) > 9]
        depth = skin_depth_mm(shape, ViewPosition.CC, y)
        inside = depth > 0
        for part in (y < shape.nipple_cc * FIELD_HEIGHT_MM, y > shape.nipple_cc * FIELD_HEIGHT_MM):
            bend = np.diff(depth[inside & part], 2)
            assert (bend < 1e-6).all()


def test_mlo_has_a_fold_below_the_breast_and_muscle_above():
    for shape in SHAPES:
        depth = skin_depth_mm(shape, ViewPosition.MLO, Y)
        nipple = nipple_height_mm(shape, ViewPosition.MLO)
        if nipple + shape.half_height_mm < FIELD_HEIGHT_MM:
            assert depth[nipple < Y].min() < 0.15 * shape.depth_mm
        muscle = pectoral_width_mm(shape, ViewPosition.MLO, Y)
        assert (np.diff(muscle) <= 0).all()
        assert 0 < muscle[0] < depth[0]
        assert muscle[-1] == 0


def test_cc_shows_no_pectoral_muscle():
    assert not pectoral_width_mm(BreastShape(), ViewPosition.CC, Y).any()


def test_a_point_lies_equally_deep_in_both_views():
    shape, position = BreastShape(), (0.5, 0.0, 0.0)
    depths = [project(shape, view, position)[0] for view in VIEWS]
    assert depths[0] == pytest.approx(depths[1])


def test_lateral_is_up_in_cc_and_up_is_up_in_mlo():
    shape = BreastShape()
    assert (
        project(shape, ViewPosition.CC, (0.5, 0.3, 0.0))[1]
        < project(shape, ViewPosition.CC, (0.5, -0.3, 0.0))[1]
    )
    assert (
        project(shape, ViewPosition.MLO, (0.5, 0.0, 0.3))[1]
        < project(shape, ViewPosition.MLO, (0.5, 0.0, -0.3))[1]
    )


@pytest.mark.parametrize("view", VIEWS)
def test_a_disc_outside_is_moved_inside_and_one_inside_stays(view):
    shape = BreastShape()
    inside = (0.45 * shape.depth_mm, nipple_height_mm(shape, view))
    assert fit_inside(shape, view, inside, 10) == pytest.approx(inside)
    x, y = fit_inside(shape, view, (shape.depth_mm + 20, 20.0), 10)
    skin = np.stack([skin_depth_mm(shape, view, Y), Y], axis=1)
    assert np.hypot(*(skin - (x, y)).T).min() >= 9.9
    assert x >= 10
