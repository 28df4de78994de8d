from types import SimpleNamespace

import pytest
import torch
from mmpretrain.registry import DATASETS

import mammography.engine.hooks.check_images_hook  # noqa: F401
from mammography.engine.hooks.check_images_hook import CheckImagesHook
from mammography.engine.portable_runner import PortableRunner
from small_study import SmallStudy, small_config


@DATASETS.register_module()
class EnlargedStudy(SmallStudy):
    def __getitem__(self, index):  # noqa: D105
        sample = super().__getitem__(index)
        sample["inputs"] = sample["inputs"].repeat(1, 2, 1)
        return sample


def run(folder, caplog, **changes):
    cfg = small_config(folder, **changes)
    cfg.custom_hooks = [{"type": "CheckImagesHook"}]
    runner = PortableRunner.from_cfg(cfg)
    runner.logger.addHandler(caplog.handler)
    runner.train()
    return [record.getMessage() for record in caplog.records if "CheckImages" in record.message]


def test_a_validation_at_another_size_than_training_is_warned_of_once(tmp_path, caplog):
    (text,) = run(tmp_path, caplog, **{"val_dataloader.dataset.type": "EnlargedStudy"})
    assert "validation are 16 x 8, those of training 8 x 8 (height x width)" in text


def test_equal_sizes_are_no_reason_to_warn(tmp_path, caplog):
    assert not run(tmp_path, caplog)


def test_no_image_is_dropped_at_validation_or_test(tmp_path, caplog):
    """System D dropped the last batch of its validation."""
    with pytest.raises(ValueError, match=r"val_dataloader must .* which leaves out 3 of 7"):
        run(tmp_path / "a", caplog, **{"val_dataloader.drop_last": True})
    cfg = small_config(tmp_path / "b", **{"test_dataloader.drop_last": True})
    cfg.custom_hooks = [{"type": "CheckImagesHook"}]
    with pytest.raises(ValueError, match=r"set test_dataloader\.drop_last=False"):
        PortableRunner.from_cfg(cfg).test()
    cfg.test_dataloader.batch_size = 7  # nothing is left to drop
    PortableRunner.from_cfg(cfg).test()


def test_several_views_of_a_patch_are_not_compared():
    hook = CheckImagesHook()
    hook.before_train_iter(None, 0, {"inputs": [[torch.zeros(1, 8, 8)] * 2]})
    hook.before_val_iter(SimpleNamespace(logger=None), 0, {"inputs": [torch.zeros(1, 9, 9)]})
