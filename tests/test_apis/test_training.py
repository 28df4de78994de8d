import logging
import os
import socket
from pathlib import Path

import pytest
import torch

from mammography.apis.config import UsageError
from mammography.apis.training import find_checkpoint, report_run, train
from small_study import small_config


@pytest.fixture
def config(tmp_path):
    cfg = small_config(tmp_path / "unused", epochs=1)
    cfg.pop("work_dir")
    cfg.auto_scale_lr = {"base_batch_size": 6}
    path = tmp_path / "configs" / "small.py"
    path.parent.mkdir()
    cfg.dump(path)
    return path


@pytest.fixture
def built(monkeypatch):
    """What a runner would have been built from; nothing is trained."""
    seen = []

    class Stub:
        logger = logging.getLogger("stub")

        def train(self):
            pass

    def build(cfg):
        seen.append(cfg)
        Stub.work_dir = cfg.work_dir
        return Stub()

    monkeypatch.setattr("mammography.apis.training.build_runner", build)
    return seen


def test_the_arguments_go_into_the_config(config, built, tmp_path):
    train(
        config,
        work_dir=str(tmp_path / "run"),
        amp=True,
        validate=False,
        auto_scale_lr=True,
        pin_memory=False,
        persistent_workers=False,
        tensorboard=True,
        seed=5,
        deterministic=True,
        report=False,
    )
    (cfg,) = built
    assert cfg.work_dir == str(tmp_path / "run")
    assert cfg.optim_wrapper.type == "AmpOptimWrapper"
    assert (cfg.val_cfg, cfg.val_dataloader, cfg.val_evaluator) == (None, None, None)
    assert cfg.auto_scale_lr == {"base_batch_size": 6, "enable": True}
    assert cfg.train_dataloader.pin_memory is False
    assert cfg.train_dataloader.persistent_workers is False
    backends = [backend["type"] for backend in cfg.visualizer.vis_backends]
    assert backends == ["LocalVisBackend", "TensorboardVisBackend"]
    assert cfg.randomness == {"seed": 5, "deterministic": True}


def test_options_win_over_arguments(config, built):
    train(config, seed=5, report=False, cfg_options={"randomness.seed": 6, "work_dir": "elsewhere"})
    assert built[0].randomness.seed == 6
    assert built[0].work_dir == "elsewhere"


def test_nothing_is_changed_without_arguments(config, built, tmp_path):
    train(config, report=False)
    (cfg,) = built
    assert cfg.work_dir == str(tmp_path / "work_dirs" / "small")
    assert cfg.optim_wrapper.type == "OptimWrapper"
    assert cfg.get("visualizer") is None
    assert not cfg.get("resume")


def test_resuming_without_a_checkpoint_starts_at_the_beginning_and_keeps_load_from(
    config, built, tmp_path
):
    weights = tmp_path / "pretrained.pth"
    torch.save({}, weights)
    train(config, resume="auto", report=False, cfg_options={"load_from": str(weights)})
    assert (built[0].load_from, bool(built[0].get("resume"))) == (str(weights), False)


def test_resuming_takes_the_last_checkpoint_also_of_a_run_that_was_moved(config, built, tmp_path):
    run = tmp_path / "work_dirs" / "small"
    run.mkdir(parents=True)
    (run / "epoch_3.pth").touch()
    (run / "last_checkpoint").write_text("/moved/away/epoch_3.pth")
    train(config, resume="auto", report=False)
    assert (built[0].load_from, built[0].resume) == (str(run / "epoch_3.pth"), True)


def test_a_config_may_ask_for_resuming(config, built, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    run = tmp_path / "work_dirs" / "small"
    run.mkdir(parents=True)
    for name in ("epoch_3.pth", "epoch_9.pth"):
        (run / name).touch()
    (run / "last_checkpoint").write_text(str(run / "epoch_9.pth"))
    for load_from, name in ((None, "epoch_9.pth"), (str(run / "epoch_3.pth"), "epoch_3.pth")):
        train(config, report=False, cfg_options={"resume": True, "load_from": load_from})
        assert (built[-1].load_from, built[-1].resume) == (str(run / name), True)
        assert f"continues from {run / name}" in caplog.text


def test_resuming_takes_the_newest_checkpoint_when_the_note_of_the_last_one_is_empty(tmp_path):
    (tmp_path / "last_checkpoint").touch()
    assert find_checkpoint(str(tmp_path)) is None
    for age, name in enumerate(["best_a_roc_auc_epoch_9.pth", "epoch_10.pth", "epoch_9.pth"]):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    assert find_checkpoint(str(tmp_path)) == str(tmp_path / "epoch_10.pth")


@pytest.mark.parametrize(
    "arguments", [{"resume": "gone.pth"}, {"cfg_options": {"load_from": "gone.pth"}}]
)
def test_missing_weights_are_an_error(config, built, arguments):
    with pytest.raises(UsageError, match=r"checkpoint gone\.pth does not exist"):
        train(config, report=False, **arguments)


def test_scaling_the_learning_rate_needs_to_know_the_batch_size_it_is_for(config, built):
    with pytest.raises(UsageError, match="base_batch_size"):
        train(config, auto_scale_lr=True, cfg_options={"auto_scale_lr.base_batch_size": None})


def test_a_run_without_checkpoints_has_no_last_one(tmp_path):
    assert find_checkpoint(str(tmp_path)) is None


def test_a_parallel_run_leaves_no_threads_that_would_abort_the_process(config, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    for name, value in {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", **where}.items():
        monkeypatch.setenv(name, value)
    train(config, launcher="pytorch", report=False)
    assert not torch.distributed.is_initialized()
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        pytest.skip("only Linux tells the names of threads")
    names = {(task / "comm").read_text().strip() for task in tasks.iterdir()}
    assert not {name for name in names if "gloo" in name}


def test_a_report_that_fails_does_not_lose_the_run(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no space left")

    monkeypatch.setattr("mammography.reports.run_report.write_run_report", fail)
    report_run(tmp_path)
