import pytest
import torch
from mmengine.runner import CheckpointLoader
from torch import nn

from mammography.engine.portable_runner import PortableRunner
from mammography.engine.schedules.peak_one_cycle_lr import PeakOneCycleLR
from small_study import small_config


def optimizer(*rates):
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=1.0)


# The order in which schedule and optimizer step is that of the loop of MMEngine.
@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")
def test_every_group_follows_torchs_cycle_to_its_own_peak():
    ours, theirs = optimizer(1e-4, 1e-2), optimizer(1.0, 1.0)
    cycle = PeakOneCycleLR(ours, begin=0, end=20, by_epoch=False)
    expected = torch.optim.lr_scheduler.OneCycleLR(
        theirs, max_lr=[1e-4, 1e-2], total_steps=20, cycle_momentum=False
    )
    for _ in range(19):
        rates = [[group["lr"] for group in each.param_groups] for each in (ours, theirs)]
        assert rates[0] == pytest.approx(rates[1])
        ours.step()
        cycle.step()
        theirs.step()
        expected.step()
    assert [group["max_lr"] for group in ours.param_groups] == [1e-4, 1e-2]


def run(folder, resume=None):
    cfg = small_config(folder, epochs=3)
    cfg.param_scheduler = {"type": "PeakOneCycleLR", "by_epoch": False}
    cfg.optim_wrapper.optimizer.lr = 1e-3
    cfg.optim_wrapper.paramwise_cfg = {"custom_keys": {"body": {"lr_mult": 0.1}}}
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    cfg.update(load_from=resume, resume=resume is not None)
    runner = PortableRunner.from_cfg(cfg)
    runner.train()
    return runner


# MMEngine counts the optimizer steps since the start of the process only.
@pytest.mark.filterwarnings("ignore:Detected call of `scheduler.step:UserWarning")
def test_the_cycle_fits_the_run_and_a_resumed_one_goes_on_with_it(tmp_path):
    whole = run(tmp_path / "a")
    assert whole.param_schedulers[0].total_steps == 12
    peaks = sorted({group["max_lr"] for group in whole.optim_wrapper.param_groups})
    assert peaks == pytest.approx([1e-4, 1e-3])
    resumed = run(tmp_path / "b", str(tmp_path / "a" / "epoch_2.pth"))
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    assert (
        CheckpointLoader.load_checkpoint(str(tmp_path / "b" / "epoch_3.pth"))["meta"]["iter"] == 12
    )
