import numpy as np
import pytest
from pydicom import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from mammography.functional.intensity import (
    INVERT,
    Line,
    LookupTable,
    VoiFunction,
    Window,
    display,
    stretch,
)

RNG = np.random.default_rng(0)
WHITE = 65535


def header(dtype, bits, **tags):
    dataset = Dataset()
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsStored, dataset.BitsAllocated = bits, 16
    dataset.PixelRepresentation = int(np.dtype(dtype).kind == "i")
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


def all_values(dtype, bits):
    low = -(1 << (bits - 1)) if np.dtype(dtype).kind == "i" else 0
    return np.arange(low, low + (1 << bits)).astype(dtype).reshape(64, -1)


def scaled(values, low, high):
    """Bring pydicom's output range to ours."""
    return np.clip((values.astype(np.float64) - low) / (high - low), 0, 1) * WHITE


@pytest.mark.parametrize("function", list(VoiFunction))
@pytest.mark.parametrize(
    ("dtype", "bits", "center", "width"),
    [
        (np.uint16, 12, 2048, 4096),
        (np.uint16, 12, 1500.5, 333.25),
        (np.uint16, 14, 9000, 2500),
        (np.uint16, 16, 40000, 50000),
        (np.int16, 12, 40, 400),
        (np.int16, 16, -3000, 20000),
        (np.uint16, 12, 700, 2),
        (np.uint16, 12, 700, 1),
    ],
)
def test_windows_agree_with_pydicom_for_every_value(function, dtype, bits, center, width):
    dataset = header(
        dtype, bits, WindowCenter=center, WindowWidth=width, VOILUTFunction=function.value
    )
    image = all_values(dtype, bits)
    low, high = float(image.min()), float(image.max())
    with np.errstate(over="ignore"):
        expected = scaled(apply_voi_lut(image, dataset), low, high)
    np.testing.assert_allclose(
        display(image, [Window(center, width, function)]), expected, atol=0.55
    )


@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (2.5, -100), (0.25, 10), (-1, 4095)])
def test_rescale_before_a_window_agrees_with_pydicom(slope, intercept):
    dataset = header(
        np.uint16, 12, RescaleSlope=slope, RescaleIntercept=intercept,
        WindowCenter=900, WindowWidth=1500, VOILUTFunction="LINEAR_EXACT",
    )  # fmt: skip
    image = all_values(np.uint16, 12)
    low, high = intercept, 4095 * slope + intercept  # Downwards where the slope is negative.
    expected = scaled(apply_voi_lut(apply_modality_lut(image, dataset), dataset), low, high)
    ours = display(image, [Line(slope, intercept), Window(900, 1500, VoiFunction.LINEAR_EXACT)])
    np.testing.assert_allclose(ours, expected, atol=0.55)


def table_dataset(first, entries, bits):
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item["LUTDescriptor"].VR = "SS" if first < 0 else "US"
    item.LUTData = [int(entry) for entry in entries]
    item["LUTData"].VR = "US"
    return item


@pytest.mark.parametrize(
    ("dtype", "first", "count", "bits"),
    [(np.uint16, 0, 4096, 12), (np.uint16, 300, 2000, 14), (np.int16, -500, 1000, 16)],
)
def test_voi_table_agrees_with_pydicom(dtype, first, count, bits):
    entries = np.sort(RNG.integers(0, 1 << bits, count))
    dataset = header(dtype, 12, VOILUTSequence=[table_dataset(first, entries, bits)])
    image = all_values(dtype, 12)
    expected = scaled(apply_voi_lut(image, dataset), 0, (1 << bits) - 1)
    ours = display(image, [LookupTable(first, entries, (1 << bits) - 1)])
    np.testing.assert_allclose(ours, expected, atol=0.55)


def test_modality_table_agrees_with_pydicom():
    entries = np.sort(RNG.integers(0, 65536, 4000))
    dataset = header(np.uint16, 12, ModalityLUTSequence=[table_dataset(50, entries, 16)])
    image = all_values(np.uint16, 12)
    expected = apply_modality_lut(image, dataset)
    np.testing.assert_array_equal(LookupTable(50, entries)(image.astype(float)), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("maps", [[Window(90, 150)], [Line(2, -7), Window(40, 300), INVERT]])
def test_one_pass_over_the_image_equals_the_formula(dtype, maps):
    image = RNG.integers(0, 256, (40, 30)).astype(dtype)
    values = image.astype(np.float64)
    for step in maps:
        values = step(values)
    np.testing.assert_allclose(display(image, maps), values * WHITE, atol=0.55)
    np.testing.assert_array_equal(display(image[::2, ::-1], maps), display(image, maps)[::2, ::-1])


def test_real_numbers_take_the_same_formula():
    image = RNG.normal(0.5, 0.3, (20, 20)).astype(np.float32)
    expected = np.clip(image.astype(np.float64) - 0.1, 0, 1) * WHITE
    ours = display(image, [Window(0.6, 1.0, VoiFunction.LINEAR_EXACT)])
    np.testing.assert_allclose(ours, expected, atol=0.55)


def test_window_far_from_zero_loses_no_digits():
    image = np.arange(60000, 60064, dtype=np.uint16).reshape(8, 8)
    ours = display(image, [Window(60032, 20, VoiFunction.LINEAR_EXACT)])
    expected = np.clip((image - 60032.0) / 20 + 0.5, 0, 1) * WHITE
    np.testing.assert_allclose(ours, expected, atol=0.51)


def test_inversion_is_the_negative():
    image = all_values(np.uint16, 12)
    for window in (Window(2000, 3000), Window(2000, 900, VoiFunction.SIGMOID)):
        negative = display(image, [window, INVERT]).astype(int)
        np.testing.assert_allclose(negative, WHITE - display(image, [window]).astype(int), atol=1)


def test_stretch_clips_one_value_in_ten_thousand_at_the_dense_end():
    values = np.arange(100_000)
    grey = stretch(values)(values.astype(float))
    assert (grey == 1).sum() == pytest.approx(10, abs=1)
    assert (grey == 0).sum() == pytest.approx(100, abs=1)


def test_stretch_of_equal_values_is_a_window():
    assert stretch(np.full(10, 7)).width > 0


@pytest.mark.parametrize(
    ("center", "width", "function"),
    [
        (100, 0.5, VoiFunction.LINEAR),
        (100, 0, VoiFunction.LINEAR_EXACT),
        (100, -4, VoiFunction.SIGMOID),
        (float("nan"), 10, VoiFunction.LINEAR),
        (1, float("inf"), VoiFunction.LINEAR),
    ],
)
def test_impossible_window_is_an_error(center, width, function):
    with pytest.raises(ValueError, match=r"window: width must be .*, got width"):
        Window(center, width, function)
