import cv2
import numpy as np
import pytest
from PIL import Image

from mammography.datasets.transforms.load_mammogram import LoadMammogram, read_mammogram
from mammography.functional.pixel_cache import encode_pixels
from mammography.functional.png16 import encode_png16
from mammography.structures.pixel_cache import CACHE_KINDS, cache_path, png_checksum

DEEP = np.random.default_rng(0).integers(0, 65536, (30, 20)).astype(np.uint16)
DEEP[0, :2] = 0, 65535
SHALLOW = (DEEP >> 8).astype(np.uint8)


def load(path):
    return LoadMammogram()({"img_path": str(path)})


def write(path, image):
    writers = {
        ".npy": lambda: np.save(path, image),
        ".png": lambda: cv2.imwrite(str(path), image),
        ".tiff": lambda: cv2.imwrite(str(path), image),
        ".pgm": lambda: cv2.imwrite(str(path), image),
    }
    writers[path.suffix]()
    return path


@pytest.mark.parametrize("suffix", [".png", ".npy", ".tiff", ".pgm"])
@pytest.mark.parametrize("image", [DEEP, SHALLOW], ids=["16 bit", "8 bit"])
def test_every_level_of_a_file_is_kept(tmp_path, suffix, image):
    results = load(write(tmp_path / f"x{suffix}", image))
    full = np.iinfo(image.dtype).max
    assert results["img"].dtype == np.float32
    assert np.array_equal(results["img"], (image / full).astype(np.float32))
    assert results["img"].max() == 1
    assert results["img_shape"] == results["ori_shape"] == (30, 20)


def test_our_own_files_and_those_of_pillow_agree(tmp_path):
    (tmp_path / "ours.png").write_bytes(encode_png16(DEEP))
    Image.fromarray(DEEP).save(tmp_path / "pillow.png")
    assert np.array_equal(load(tmp_path / "ours.png")["img"], load(tmp_path / "pillow.png")["img"])


def test_grey_stored_as_colour_is_taken_as_grey(tmp_path):
    path = write(tmp_path / "x.png", np.stack([SHALLOW] * 3, axis=-1))
    assert np.array_equal(read_mammogram(str(path)), SHALLOW)


def test_floats_in_range_are_kept(tmp_path):
    image = np.linspace(0, 1, 12).reshape(3, 4)
    assert np.array_equal(load(write(tmp_path / "x.npy", image))["img"], image.astype(np.float32))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full((2, 2), 3.0), r"float image must lie in \[0, 1\], got \[3, 3\]"),
        (np.full((2, 2), np.nan), r"float image must lie in \[0, 1\]"),
        (np.zeros((2, 2), np.int32), "must be uint8, uint16 or float, got int32"),
        (np.arange(12, dtype=np.uint8).reshape(2, 2, 3), "must be grey"),
        (np.zeros((0, 5), np.uint8), "must be grey, got shape"),
        (np.array([{}], dtype=object), "must be readable"),
    ],
)
def test_pixels_of_another_kind_are_refused_with_the_file(tmp_path, image, message):
    path = tmp_path / "x.npy"
    np.save(path, image, allow_pickle=True)
    with pytest.raises(ValueError, match=r"x\.npy: .*" + message):
        load(path)


@pytest.mark.parametrize("content", [b"", b"not an image", encode_png16(DEEP)[:300]])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.png: image must be readable"):
        load(tmp_path / "x.png")


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        load(tmp_path / "none.png")


def test_a_failing_disk_is_an_error_that_names_the_file(monkeypatch):
    def fail(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("mmengine.fileio.get", fail)
    with pytest.raises(OSError, match=r"Input/output error: 'x\.png'"):
        load("x.png")


@pytest.fixture
def prepared(tmp_path):
    """Return a prepared PNG."""
    path = tmp_path / "images" / "i01.png"
    path.parent.mkdir()
    path.write_bytes(encode_png16(DEEP))
    return path


def store(png, kind, image, checksum=None):
    path = cache_path(png, kind)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode_pixels(image, kind, checksum or png_checksum(png)))
    return path


@pytest.mark.parametrize("kind", CACHE_KINDS)
def test_the_cache_is_read_in_place_of_the_png(prepared, kind):
    store(prepared, kind, DEEP[::-1])  # Others on purpose: to tell which file was read.
    plain, quick = (LoadMammogram(c)({"img_path": str(prepared)}) for c in (None, kind))
    assert np.array_equal(quick["img"], plain["img"][::-1])
    assert quick["img_shape"] == quick["ori_shape"] == (30, 20)


@pytest.mark.parametrize("kind", CACHE_KINDS)
def test_a_cache_that_is_absent_damaged_or_of_another_png_is_an_error(prepared, kind):
    remedy = f"run tools/prepare_dataset.py with --cache {kind}, or load without cache"
    load = LoadMammogram(cache=kind)
    with pytest.raises(FileNotFoundError, match=rf"cache/i01\.{kind} does not exist: {remedy}"):
        load({"img_path": str(prepared)})
    path = store(prepared, kind, DEEP, b"1234")
    with pytest.raises(ValueError, match=rf"{kind}: cache must hold the pixels of .*: {remedy}"):
        load({"img_path": str(prepared)})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=rf"{kind}: cache must be readable: .*damaged: {remedy}"):
        load({"img_path": str(prepared)})


def test_an_unknown_cache_is_refused_at_once():
    with pytest.raises(ValueError, match="LoadMammogram: cache must be one of npy, blosc or None"):
        LoadMammogram(cache="zip")
