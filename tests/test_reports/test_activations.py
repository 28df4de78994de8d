import csv

import numpy as np
import pytest
import torch
from torch import nn

from mammography.functional.distances import (
    frechet_distance,
    kolmogorov_smirnov_per_channel,
    squared_mmd,
    wasserstein1_per_channel,
)
from mammography.reports.activations.compare import compare_recordings
from mammography.reports.activations.comparison import MEASURES, MMD_VECTORS, compare_layer
from mammography.reports.activations.recording import (
    Gaussians,
    LayerRecord,
    name_by_path,
    read_recordings,
)
from test_reports.recordings import read_array, write_invented


def images(seed, shift=0.0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return shift + scale * torch.randn(2, 3, 16, 12, generator=generator)


@pytest.fixture(scope="module")
def layers():
    norm, convolution = nn.BatchNorm2d(3).eval(), nn.Conv2d(3, 5, 3)
    nn.init.normal_(norm.weight, 1, 0.2)
    norm.running_mean += 0.5
    return {"stem.bn": norm, "stem.conv": convolution}


@pytest.fixture(scope="module")
def files(layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    looks = {"home": {}, "away": {"shift": 2.0, "scale": 3.0}}
    for seed, (name, look) in enumerate(looks.items()):
        inputs = dict.fromkeys(layers, images(seed, **look))
        path = folder / name / "test/activations/test_iter_70.npz"
        write_invented(path, layers, inputs, domain=name)
    return [folder / name / "test/activations/test_iter_70.npz" for name in looks]


@pytest.fixture(scope="module")
def compared(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, compare_recordings(files, out)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_distances_are_those_of_the_recorded_values(files, compared):
    out, _ = compared
    (row,) = [row for row in rows(out / "distances.csv") if row["layer"] == "stem.conv"]
    a, b = (read_array(path, "stem.conv/values").astype(float) for path in files)
    assert float(row["w1"]) == pytest.approx(wasserstein1_per_channel(a, b).mean())
    assert float(row["ks"]) == pytest.approx(kolmogorov_smirnov_per_channel(a, b).mean())
    frechet = frechet_distance(a.mean(1), np.cov(a), b.mean(1), np.cov(b))
    assert float(row["frechet"]) == pytest.approx(frechet)
    assert float(row["mmd2"]) == pytest.approx(squared_mmd(a.T, b.T))
    assert row["bn_kl"] == ""


def test_what_enters_and_leaves_a_norm_with_stored_statistics_differs_as_much(files, compared):
    """And both are what the closed form makes of mean and variance of all values."""
    (found,) = [each for each in compared[1] if each.layer == "stem.bn"]
    assert found.distances["kl"] == pytest.approx(found.distances["bn_kl"], rel=1e-3)
    (m, n), (v, w) = (
        [read_array(path, f"stem.bn/input_{what}") for path in files]
        for what in ("mean", "variance")
    )
    expected = ((v + (m - n) ** 2) / w + (w + (m - n) ** 2) / v - 2) / 2
    assert found.distances["bn_kl"] == pytest.approx(expected.mean(), rel=1e-4)


def test_a_table_tells_how_badly_stored_statistics_fit(compared):
    stored = {
        (row["layer"], row["name"]): row["stored_kl"] for row in rows(compared[0] / "layers.csv")
    }
    assert stored["stem.conv", "home"] == ""
    assert float(stored["stem.bn", "home"]) < 0.5 < float(stored["stem.bn", "away"])


def test_everything_is_written_and_named_after_what_differs_in_the_paths(compared):
    out, found = compared
    assert {(each.first, each.second) for each in found} == {("home", "away")}
    written = {str(path.relative_to(out)) for path in out.rglob("*.*")}
    figures = {"ridgelines/stem.bn.png", "ridgelines/stem.conv.png", "distances.png"}
    assert written == figures | {"distances.csv", "layers.csv", "distances.md"}
    page = (out / "distances.md").read_text()
    assert "| home | 2 home | small | epoch_2.pth | test | 70 |" in page
    for measure in MEASURES.values():
        assert f"{measure.label}: " in page


def test_only_the_layers_and_kinds_asked_for_are_compared(layers, tmp_path):
    inputs = {name: images(0).requires_grad_() for name in layers}
    paths = [tmp_path / f"{n}.npz" for n in "ab"]
    for path in paths:
        write_invented(path, layers, inputs, gradients=True)
    found = compare_recordings(paths, tmp_path / "o", layers=[r"stem\.b."], kind="gradient")
    assert [each.layer for each in found] == ["stem.bn"]
    assert found[0].distances["w1"] == 0
    with pytest.raises(ValueError, match=r"layers must match .*got nothing: there is stem\.bn"):
        compare_recordings(paths, tmp_path / "o", layers=["nothing"])
    with pytest.raises(ValueError, match=r"layers must match .*got stem: there is"):
        compare_recordings(paths, tmp_path / "o", layers=["stem"])


def test_one_recording_has_figures_but_no_distances(files, tmp_path):
    assert compare_recordings(files[:1], tmp_path) == []
    assert not (tmp_path / "distances.csv").exists()
    assert len(list(tmp_path.rglob("*.png"))) == 2
    assert "| stem.conv | 5 |" in (tmp_path / "distances.md").read_text()


def test_recordings_without_a_common_layer_are_refused(files, layers, tmp_path):
    other = write_invented(tmp_path / "x.npz", {"a": layers["stem.bn"]}, {"a": images(0)})
    with pytest.raises(ValueError, match=r"layer in common, got one: stem.bn, stem.conv .*two: a"):
        compare_recordings([files[0], other], tmp_path, names=["one", "two"])


def test_layers_of_another_width_are_refused(layers, tmp_path, files):
    wide = {"stem.conv": nn.Conv2d(3, 6, 3)}
    other = write_invented(tmp_path / "x.npz", wide, {"stem.conv": images(0)})
    with pytest.raises(ValueError, match=r"^stem.conv: the number of channels .* 5 in a, 6 in b"):
        compare_recordings([files[0], other], tmp_path, names=["a", "b"])


def test_a_constant_channel_has_distances(layers, tmp_path):
    constant = images(0)
    constant[:, 1] = 0.25
    paths = [
        write_invented(tmp_path / f"{n}.npz", {"x": nn.Identity()}, {"x": each})
        for n, each in (("a", images(0)), ("b", constant))
    ]
    (found,) = compare_recordings(paths, tmp_path / "out")
    assert all(np.isfinite(value) for value in found.distances.values())
    assert "| x | 3 (1 constant) |" in (tmp_path / "out/distances.md").read_text()


def test_the_discrepancy_is_of_evenly_spread_vectors_where_there_are_many():
    values = np.random.default_rng(0).normal(size=(2, 3, 2 * MMD_VECTORS)).astype(np.float32)
    ones = Gaussians(np.zeros(3), np.ones(3))
    a, b = (LayerRecord(each, each.shape[1], ones) for each in values)
    (found,) = compare_layer("x", {"a": a, "b": b})
    expected = squared_mmd(a.values[:, ::2].T, b.values[:, ::2].T)
    assert found.distances["mmd2"] == pytest.approx(expected)


def test_values_that_are_not_finite_or_too_few_are_refused_with_file_and_layer(tmp_path):
    broken = images(0)
    broken[0, 0, 0, 0] = torch.inf
    path = write_invented(tmp_path / "a.npz", {"x": nn.Identity()}, {"x": broken})
    with pytest.raises(ValueError, match=r"a\.npz: x: values must be finite"):
        compare_recordings([path], tmp_path)
    write_invented(path, {"x": nn.Identity()}, {"x": torch.zeros(1, 3)})
    with pytest.raises(ValueError, match=r"a\.npz: x: there must be two values per channel, got 1"):
        compare_recordings([path], tmp_path)


@pytest.mark.parametrize("content", [b"", b"text", "npz", "npy"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / f"x.{content if isinstance(content, str) else 'npz'}"
    if content == "npz":
        np.savez(path, format="features")
    elif content == "npy":
        np.save(path, np.zeros(3))
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{path.name}: must be a file of RecordActivationsHook"):
        read_recordings([path])


def test_a_recording_without_gradients_is_refused_where_they_are_asked_for(files):
    with pytest.raises(ValueError, match="must be a gradient of a layer, got none: record"):
        read_recordings(files, kind="gradient")


@pytest.mark.parametrize("names", [["one"], ["one", "one"]])
def test_names_must_be_as_many_as_files_and_different(files, names):
    with pytest.raises(ValueError, match="one for each of 2 files, all different, got one"):
        read_recordings(files, names)


def test_names_are_what_differs_in_the_paths(tmp_path):
    runs = ["a/test/x_1.npz", "a/test/x_2.npz", "b/test/x_1.npz"]
    assert name_by_path([tmp_path / each for each in runs]) == [
        "a/test/x_1",
        "a/test/x_2",
        "b/test/x_1",
    ]
    assert name_by_path([tmp_path / "only.npz"]) == ["only"]
