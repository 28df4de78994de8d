import logging

import pytest
import torch

from mammography.engine.portable_runner import PortableRunner
from small_study import small_config


def test_a_checkpoint_of_another_model_is_not_tested(tmp_path):
    weights = PortableRunner.from_cfg(small_config(tmp_path)).model.state_dict()
    weights["heads.other"] = weights.pop("heads.weight")
    torch.save({"state_dict": weights}, tmp_path / "other.pth")
    other = {"load_from": str(tmp_path / "other.pth")}
    with pytest.raises(RuntimeError, match=r"heads.other(.|\n)*heads.weight"):
        PortableRunner.from_cfg(small_config(tmp_path, **other)).test()
    PortableRunner.from_cfg(small_config(tmp_path, **other)).train()  # may take a part


def test_several_processes_without_a_gpu_need_torchrun(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cfg = small_config(tmp_path, launcher="slurm")
    with pytest.raises(ValueError, match=r"launcher must be pytorch .* tools/dist_train.sh"):
        PortableRunner.from_cfg(cfg)


def test_the_console_gets_the_news_and_the_file_everything(tmp_path, capfd):
    cfg = small_config(tmp_path, log_level="INFO")
    runner = PortableRunner.from_cfg(cfg)
    runner.logger.info("news")
    for handler in runner.logger.handlers:
        handler.flush()
    console = "".join(capfd.readouterr())
    log = next(tmp_path.rglob("*.log")).read_text()
    for text in ("System environment", "max_epochs", "Hooks will be executed"):
        assert text in log
        assert text not in console
    assert "news" in log
    assert "news" in console


def test_remarks_of_mmengine_about_itself_are_dropped(tmp_path):
    runner = PortableRunner.from_cfg(small_config(tmp_path))
    runner.logger.warning('"FileClient" will be deprecated in future.')
    runner.logger.log(logging.WARNING, "kept")
    log = next(tmp_path.rglob("*.log")).read_text()
    assert "kept" in log
    assert "FileClient" not in log


def test_runs_of_the_same_second_share_neither_folder_nor_logs(tmp_path):
    runners = [PortableRunner.from_cfg(small_config(tmp_path)) for _ in range(3)]
    assert len({runner.log_dir for runner in runners}) == 3
    assert len({id(runner.message_hub) for runner in runners}) == 3
