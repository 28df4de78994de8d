import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from mammography.functional.standardization import standardize


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    breast = rng.random((40, 30)).astype(np.float32) * 0.5 + 0.2
    breast[:, 20:] = 0
    return breast


def test_the_whole_image_gets_what_scikit_learn_gives(image):
    theirs = StandardScaler().fit_transform(image.reshape(-1, 1).astype(np.float64))
    found = standardize(image, breast_only=False)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.ravel(), theirs.ravel(), atol=1e-5)


def test_the_breast_alone_does_not_depend_on_how_much_background_there_is(image):
    found, tight = standardize(image), standardize(image[:, :20])
    np.testing.assert_allclose(found[:, :20], tight, atol=1e-6)
    assert tight.mean(dtype=float) == pytest.approx(0, abs=1e-6)
    assert tight.std(dtype=float) == pytest.approx(1, abs=1e-6)
    assert found[:, 20:].max() < tight.min()  # the background stays the darkest


def test_contrast_and_brightness_of_an_image_leave_no_trace(image):
    other = np.where(image > 0, 0.5 * image + 0.1, 0).astype(np.float32)
    np.testing.assert_allclose(standardize(other)[:, :20], standardize(image)[:, :20], atol=1e-4)


def test_an_image_of_one_intensity_becomes_0():
    assert not standardize(np.full((4, 4), 0.5, np.float32)).any()
    assert not standardize(np.zeros((4, 4), np.float32)).any()


def test_the_image_itself_stays(image):
    before = image.copy()
    standardize(image)
    np.testing.assert_array_equal(image, before)
