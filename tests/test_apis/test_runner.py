import warnings

import pytest
import torch
import torch.distributed as dist

from mammography.apis.config import UsageError
from mammography.apis.console import import_plugin
from mammography.apis.runner import build_runner, process_group
from small_study import small_config


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_without_a_gpu_mixed_precision_is_bfloat16_and_memory_is_not_pinned(tmp_path):
    cfg = small_config(tmp_path, workers=2, log_level="INFO")
    cfg.optim_wrapper.update(type="AmpOptimWrapper", loss_scale="dynamic", dtype="float16")
    cfg.train_dataloader.pin_memory = True
    runner = build_runner(cfg)
    assert runner.optim_wrapper["type"] == "CpuAmpOptimWrapper"
    assert not {"loss_scale", "dtype"} & set(runner.optim_wrapper)
    assert runner._train_dataloader["pin_memory"] is False
    assert runner._train_dataloader["persistent_workers"] is True
    assert cfg.optim_wrapper.type == "AmpOptimWrapper"  # the config itself stays
    assert "bfloat16 on the CPU" in next(tmp_path.rglob("*.log")).read_text()


def test_without_workers_none_persist_and_nothing_is_fetched_ahead(tmp_path):
    cfg = small_config(tmp_path, **{"train_dataloader.prefetch_factor": 4})
    cfg.train_dataloader.persistent_workers = True
    loader = build_runner(cfg)._train_dataloader
    assert loader["persistent_workers"] is False
    assert "prefetch_factor" not in loader


def test_with_a_gpu_the_config_is_followed(tmp_path, monkeypatch):
    from mammography.apis.runner import _fit_loader, _fit_mixed_precision

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    cfg = small_config(tmp_path)
    cfg.optim_wrapper.type = "AmpOptimWrapper"
    assert _fit_mixed_precision(cfg) == []
    assert cfg.optim_wrapper.type == "AmpOptimWrapper"
    for wanted in (True, False):
        loader = {"num_workers": 2, "pin_memory": wanted}
        _fit_loader(loader)
        assert loader["pin_memory"] is wanted


@pytest.mark.parametrize(("launcher", "variable"), [("pytorch", "RANK"), ("slurm", "SLURM_PROCID")])
def test_a_launcher_that_did_not_start_the_process_is_refused(
    tmp_path, monkeypatch, launcher, variable
):
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(UsageError, match=rf"--launcher {launcher}: {variable} .* use tools/"):
        build_runner(small_config(tmp_path, launcher=launcher))


def test_the_group_that_a_run_joined_is_left_and_no_other(tmp_path):
    def join(name):
        dist.init_process_group(
            "gloo", init_method=f"file://{tmp_path}/{name}", rank=0, world_size=1
        )

    with process_group():
        join("inside")
    assert not dist.is_initialized()
    join("outside")
    with process_group():
        pass
    assert dist.is_initialized()
    dist.destroy_process_group()


def test_a_runner_of_another_type_can_be_named(tmp_path):
    cfg = small_config(tmp_path, runner_type="mmengine.Runner", experiment_name="other")
    assert type(build_runner(cfg)).__name__ == "Runner"


def test_the_plugin_is_imported_without_the_remarks_of_third_parties(capsys):
    with warnings.catch_warnings():
        import_plugin()
        warnings.warn("'pin_memory' argument is set as true but no accelerator", stacklevel=1)
    assert "OneDL" not in capsys.readouterr().out
