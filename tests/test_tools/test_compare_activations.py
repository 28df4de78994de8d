import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS

import mammography.models.heads.masked_multi_task_head  # noqa: F401
from prepared_study import write_config, write_study

TOOLS = Path(__file__).parents[2] / "tools"
RECORD = "default_hooks.record.type=RecordActivationsHook"


def tool(name):
    spec = importlib.util.spec_from_file_location(f"tools_{name}", TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A repository with a prepared study, a config, and weights after no training at all."""
    folder = tmp_path_factory.mktemp("repository")
    write_study(folder)
    config = write_config(folder)
    init_default_scope("mmpretrain")
    model = MODELS.build(Config.fromfile(config, import_custom_modules=False).model)
    torch.save({"state_dict": model.state_dict(), "meta": {"iter": 30}}, folder / "weights.pth")
    return folder


@pytest.fixture
def record(root, tmp_path, monkeypatch):
    """Return a function that tests the weights under watch and returns the recording."""
    monkeypatch.chdir(tmp_path)

    def run(work_dir, *more, options=()):
        config, weights = root / "configs/multi_task/small.py", root / "weights.pth"
        arguments = [str(config), str(weights), "--no-report", "--work-dir", work_dir, *more]
        tool("test").main([*arguments, "--cfg-options", RECORD, *options])
        return next(Path(work_dir).glob("*/activations/*.npz"))

    return run


def test_two_tests_are_recorded_and_compared_from_the_command_line(record, tmp_path, capsys):
    layers = "default_hooks.record.layers=[backbone.bn1,backbone.layer4.1.bn2]"
    test = record("a", options=[layers])
    train = record("b", "--split", "train", options=[layers])
    assert test == Path("a/test/activations/test_iter_30.npz")
    main = tool("compare_activations").main
    main([str(test), str(train), "--out", str(tmp_path / "out"), "--names", "tested", "learned"])
    said = capsys.readouterr().out.splitlines()
    assert said[-3:-1] == ["backbone.bn1: 8 channels", "backbone.layer4.1.bn2: 64 channels"]
    assert (tmp_path / "out/ridgelines/backbone.layer4.1.bn2.png").exists()
    page = (tmp_path / "out/distances.md").read_text()
    assert "| tested | 8 images | small | weights.pth | test | 30 |" in page


def test_of_several_versions_of_an_image_all_are_recorded(record):
    found = []
    for more in ([], ["--tta"]):
        with np.load(record(str(len(more)), *more)) as file:
            texts = [file[name].tolist() for name in ("model", "layers", "image_id")]
            found.append((int(file["backbone.bn1/count"]), *texts))
    plain, mirrored = found
    assert mirrored == (2 * plain[0], *plain[1:])
    assert len(plain[-1]) == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.npz"], "missing.npz"),
        ([str(TOOLS / "test.py")], "must be a file of RecordActivationsHook"),
    ],
)
def test_an_error_is_told_in_a_line(arguments, message, tmp_path):
    with pytest.raises(SystemExit) as error:
        tool("compare_activations").main([*arguments, "--out", str(tmp_path)])
    assert str(error.value).startswith("compare_activations.py: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
