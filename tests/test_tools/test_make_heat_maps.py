import json
import runpy
import sys
from pathlib import Path

import pytest

from patch_network_case import write_images, write_network

TOOL = Path(__file__).parents[2] / "tools" / "make_heat_maps.py"


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [str(TOOL), *map(str, arguments)])
    runpy.run_path(str(TOOL), run_name="__main__")


def test_it_writes_the_maps_and_prints_the_figures(monkeypatch, capsys, tmp_path):
    config, checkpoint = write_network(tmp_path / "network")
    annotations = write_images(tmp_path / "dataset")
    out = tmp_path / "out"
    run(monkeypatch, config, checkpoint, annotations, "--out", out, "--stride", 32)
    printed = capsys.readouterr().out
    assert json.loads(printed[printed.index("{") :])["mass"]["lesions"] == 1
    assert {path.name for path in (out / "maps").iterdir()} == {"ill.npz", "well.npz"}


def test_a_missing_checkpoint_ends_it_with_one_line(monkeypatch, tmp_path):
    config, _ = write_network(tmp_path / "network")
    with pytest.raises(SystemExit, match=r"make_heat_maps.py: checkpoint .* does not exist"):
        run(monkeypatch, config, tmp_path / "none.pth", "x.png", "--out", tmp_path)
