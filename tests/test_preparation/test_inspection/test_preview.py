from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from dicom_files import draw_breast, write_dicom
from mammography.preparation.image import prepare_image
from mammography.preparation.inspection.preview import draw_preview
from mammography.preparation.options import PreparationOptions
from mammography.preparation.rejection import RejectedImage

ORANGE = (230, 159, 0)
OPTIONS = PreparationOptions(require_laterality=False)


def drawn(path, prepared, lines=("1", "text")):
    with Image.open(BytesIO(draw_preview(path, OPTIONS, prepared, lines))) as image:
        assert not image.info
        return np.asarray(image)


def write(tmp_path, pixels, **tags):
    return write_dicom(tmp_path / "a.dcm", pixels, ImageLaterality="L", **tags)


def test_the_crop_box_is_drawn_where_it_lies(tmp_path):
    pixels = draw_breast((1600, 800))  # Twice as high as it is drawn, 400 pixels wide.
    path = write(tmp_path, pixels)
    prepared = prepare_image(path)
    page = drawn(path, prepared)
    rows, columns = np.nonzero((page == ORANGE).all(2))
    left, top, right, bottom = (end / 2 for end in prepared.geometry.crop_box)
    head = 12 + 20 * 3
    found = columns.min() - 12, rows.min() - head, columns.max() - 11, rows.max() - head + 1
    np.testing.assert_allclose(found, (left, top, right, bottom), atol=1.5)


def test_the_prepared_picture_stands_beside_it_as_it_is(tmp_path):
    path = write(tmp_path, draw_breast((1600, 800)))
    prepared = prepare_image(path)
    page = drawn(path, prepared)
    left, top = 12 + 400 + 12, 12 + 20 * 3
    width = round(prepared.pixels.shape[1] * 800 / prepared.pixels.shape[0])
    shown = page[top : top + 800, left : left + width]
    assert (shown == shown[:, :, :1]).all()
    with Image.fromarray((prepared.pixels >> 8).astype(np.uint8)) as whole:
        expected = np.asarray(whole.resize((width, 800), Image.Resampling.BOX))
    difference = np.abs(shown[:, :, 0].astype(int) - expected)
    assert (difference > 3).mean() < 0.01  # Two ways to average differ along the outline.
    assert difference.mean() < 0.2


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16])
def test_dense_is_bright_in_every_file(tmp_path, dtype):
    pixels = (draw_breast() // 24).astype(dtype)
    plain = drawn(write(tmp_path, pixels), None)
    inverted = drawn(write(tmp_path, 125 - pixels, PhotometricInterpretation="MONOCHROME1"), None)
    np.testing.assert_allclose(plain.astype(int), inverted.astype(int), atol=1)
    assert plain[470, 60, 0] > plain[80, 400, 0] + 100


def test_a_rejected_image_is_drawn_without_a_box(tmp_path):
    page = drawn(write(tmp_path, draw_breast()), None)
    assert not (page == ORANGE).all(2).any()


@pytest.mark.parametrize("size_hw", [(1, 1), (3, 900), (900, 3), (64, 64)])
def test_any_size_can_be_drawn(tmp_path, size_hw):
    page = drawn(write(tmp_path, np.ones(size_hw, np.uint16)), None)
    assert max(page.shape) < 2000


def test_long_lines_are_not_cut(tmp_path):
    path = write(tmp_path, draw_breast())
    assert drawn(path, None, ["x" * 300]).shape[1] > drawn(path, None, ["x"]).shape[1] + 900


def test_a_file_without_pixels_has_no_picture(tmp_path):
    with pytest.raises(RejectedImage, match="no pixel data"):
        draw_preview(write(tmp_path, draw_breast(), PixelData=None), OPTIONS, None, [])
