"""Tests of mammography/structures/geometry.py."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mammography.structures.geometry import ImageGeometry


@given(
    st.tuples(*[st.integers(0, 50)] * 2),
    st.tuples(*[st.floats(0.1, 3)] * 2),
    st.booleans(),
    st.tuples(*[st.integers(0, 30)] * 2),
    st.tuples(*[st.floats(0, 100)] * 4),
)
def test_a_box_comes_back(corner, scale, flipped, offset, box):
    left, top = corner
    geometry = ImageGeometry((200, 180), (left, top, left + 90, top + 120), scale, flipped, offset)
    assert geometry.to_source(geometry.to_prepared(box)) == pytest.approx(box, abs=1e-6)


@pytest.mark.parametrize("flipped", [False, True])
def test_the_matrix_maps_as_boxes_are_mapped(flipped):
    geometry = ImageGeometry((120, 100), (10, 20, 90, 100), (0.5, 0.8), flipped, (3, 5))
    matrix = np.array(geometry.source_matrix())
    for x, y in [(0, 0), (5, 3), (17.5, 40)]:
        assert matrix @ (x, y, 1) == pytest.approx(geometry.to_source((x, y, x, y))[:2])


@pytest.mark.parametrize("flipped", [False, True])
def test_the_mapping_is_that_of_the_pixels(flipped):
    source = np.zeros((120, 100), np.uint16)
    source[40:60, 30:50] = 1000
    crop = source[20:100, 10:90]
    prepared = cv2.resize(crop, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    prepared = np.pad(prepared[:, ::-1] if flipped else prepared, ((3, 0), (5, 0)))
    geometry = ImageGeometry((120, 100), (10, 20, 90, 100), (0.5, 0.5), flipped, (3, 5))
    rows, columns = np.nonzero(prepared)
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert geometry.to_prepared((30, 40, 50, 60)) == box
    assert geometry.to_source(box) == (30, 40, 50, 60)


def test_survives_json():
    geometry = ImageGeometry((100, 80), (1, 2, 3, 4), (0.5, 0.25), True, (6, 7))
    assert ImageGeometry.from_json(geometry.to_json()) == geometry
