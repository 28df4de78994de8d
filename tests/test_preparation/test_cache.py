import json

import numpy as np
import pytest

from mammography.datasets.transforms.load_mammogram import (
    LoadMammogram,
    read_cached_mammogram,
    read_mammogram,
)
from mammography.preparation.image import PreparationOptions
from mammography.preparation.work.crew import Crew
from mammography.structures.pixel_cache import CACHE_KINDS, cache_path
from mammography.terms import Laterality
from table_study import output_bytes, records_of


def cached(out, record, kind):
    return cache_path(out / record.img_path, kind)


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


@pytest.mark.parametrize("kind", CACHE_KINDS)
def test_cached_pixels_are_those_of_the_png_and_travel_the_same_way(tmp_path, prepare, kind):
    out = tmp_path / "study"
    summary = prepare(out, cache=kind)
    assert len(list((out / "cache").iterdir())) == 8
    for record in records_of(out):
        path = str(out / record.img_path)
        pixels = read_cached_mammogram(path, kind)
        assert pixels.dtype == np.uint16
        assert np.array_equal(pixels, read_mammogram(path))
        plain, quick = (LoadMammogram(cache=c)({"img_path": path}) for c in (None, kind))
        assert np.array_equal(plain["img"], quick["img"])
        assert plain["img"].dtype == quick["img"].dtype
        assert plain["img_shape"] == quick["img_shape"]
    size = sum(path.stat().st_size for path in (out / "cache").iterdir())
    told = {"kind": kind, "images": 8, "megabytes": round(size / 1e6, 1)}
    assert json.loads((out / "prepared.json").read_text())["cache"] == told
    assert f"cached as {kind}: 8 images, {told['megabytes']} MB" in str(summary)


def test_numpy_reads_the_plain_cache_by_itself(tmp_path, prepare):
    out = tmp_path / "study"
    prepare(out, cache="npy")
    for record in records_of(out):
        truth = read_mammogram(str(out / record.img_path))
        assert np.array_equal(np.load(cached(out, record, "npy")), truth)
        assert np.array_equal(np.load(cached(out, record, "npy"), mmap_mode="r"), truth)


def test_processes_cache_the_same_bytes_and_a_second_call_writes_nothing(tmp_path, prepare):
    prepare(tmp_path / "a" / "study", cache="blosc")
    prepare(tmp_path / "b" / "study", cache="blosc", workers=2)
    assert output_bytes(tmp_path / "a" / "study") == output_bytes(tmp_path / "b" / "study")
    before = times(tmp_path / "a" / "study" / "cache")
    assert prepare(tmp_path / "a" / "study", cache="blosc").reused == 8
    assert times(tmp_path / "a" / "study" / "cache") == before


def test_a_source_that_is_prepared_gets_a_cache_without_reading_an_image_again(tmp_path, prepare):
    out = tmp_path / "study"
    prepare(out)
    before = times(out / "images")
    assert prepare(out, cache="npy").reused == 8
    assert times(out / "images") == before
    assert len(list((out / "cache").iterdir())) == 8


def test_pixels_of_an_earlier_png_are_refused_until_they_are_cached_again(tmp_path, prepare):
    out, flip = tmp_path / "study", PreparationOptions(flip_to=Laterality.RIGHT)
    prepare(out, cache="npy")
    prepare(out, preparation=flip)
    record = records_of(out)[0]
    with pytest.raises(ValueError, match=r"cache must hold the pixels of .*\.png, it holds those"):
        read_cached_mammogram(str(out / record.img_path), "npy")
    prepare(out, preparation=flip, cache="npy")
    for record in records_of(out):
        path = str(out / record.img_path)
        assert np.array_equal(read_cached_mammogram(path, "npy"), read_mammogram(path))


def test_an_absent_and_a_cut_file_are_made_again(tmp_path, prepare):
    out = tmp_path / "study"
    prepare(out, cache="npy")
    files = output_bytes(out)
    first, second, *_ = records_of(out)
    cached(out, first, "npy").unlink()
    cached(out, second, "npy").write_bytes(cached(out, second, "npy").read_bytes()[:-3])
    prepare(out, cache="npy")
    assert output_bytes(out) == files


def test_cached_pixels_without_annotation_are_told(tmp_path, prepare):
    out = tmp_path / "study"
    prepare(out, cache="npy")
    summary = prepare(out, cache="npy", limit=5)
    assert len(summary.stale) == 6
    assert "PNG and cache files without annotation: 6" in str(summary)


def test_a_damaged_png_is_an_error_that_names_it(tmp_path, prepare):
    out = tmp_path / "study"
    prepare(out)
    path = out / records_of(out)[0].img_path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"{path.name}: .*damaged: delete it and run again"):
        prepare(out, cache="npy")
    path.unlink()
    assert prepare(out, cache="npy").exit_code == 0


def test_an_image_that_nobody_can_cache_is_an_error(tmp_path, prepare, monkeypatch):
    prepare(tmp_path / "study")
    monkeypatch.setattr(Crew, "for_each", lambda self, work, items, *_: items[:1])
    with pytest.raises(OSError, match=r"study: 8 images could not be cached: run again"):
        prepare(tmp_path / "study", cache="npy")
