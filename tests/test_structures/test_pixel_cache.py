import numpy as np
import pytest

from mammography.functional.pixel_cache import encode_pixels
from mammography.functional.png16 import encode_png16
from mammography.structures.pixel_cache import (
    CACHE_KINDS,
    cache_path,
    cached_checksum,
    checksum_at_end,
    png_checksum,
)

IMAGE = np.random.default_rng(0).integers(0, 65536, (30, 20)).astype(np.uint16)


def test_the_checksum_of_a_png_is_that_of_its_data(tmp_path):
    other = IMAGE.copy()
    other[3, 4] ^= 1
    found = set()
    for name, image in {"a": IMAGE, "b": IMAGE.copy(), "c": other}.items():
        data = encode_png16(image)
        (tmp_path / name).write_bytes(data)
        assert png_checksum(tmp_path / name) == checksum_at_end(data, tmp_path / name)
        assert data.count(png_checksum(tmp_path / name)) == 1
        found.add(png_checksum(tmp_path / name))
    assert len(found) == 2


@pytest.mark.parametrize("kind", CACHE_KINDS)
def test_cached_pixels_tell_the_png_they_come_from(tmp_path, kind):
    png = tmp_path / "images" / "i01.png"
    path = cache_path(png, kind)
    assert path == tmp_path / "cache" / f"i01.{kind}"
    assert cached_checksum(path) is None
    path.parent.mkdir()
    path.write_bytes(encode_pixels(IMAGE, kind, b"abcd"))
    assert cached_checksum(path) == b"abcd"


@pytest.mark.parametrize("content", [b"", b"short", encode_png16(IMAGE)[:-1]])
def test_a_png_that_is_not_whole_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.png: PNG must be whole"):
        png_checksum(tmp_path / "x.png")
