import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS, DefaultScope

from mammography.engine.schedules.inverse_power_lr import InversePowerLR


def optimizer(*rates):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups)


def run(schedule, steps):
    """Return the learning rates of each step."""
    rates = []
    for _ in range(steps):
        rates.append([group["lr"] for group in schedule.optimizer.param_groups])
        schedule.optimizer.step()
        schedule.step()
    return rates


def test_it_is_the_published_curve_for_every_group():
    rates = run(InversePowerLR(optimizer(0.01, 0.1), end=50), 50)
    for step, (first, second) in enumerate(rates):
        published = 0.01 / (1 + 10 * step / 50) ** 0.75
        assert first == pytest.approx(published, rel=1e-10)
        assert second == pytest.approx(10 * published, rel=1e-10)


def test_a_run_that_is_resumed_goes_on():
    whole = run(InversePowerLR(optimizer(0.01), rate=4.0, power=0.5, end=20), 20)
    first = InversePowerLR(optimizer(0.01), rate=4.0, power=0.5, end=20)
    run(first, 8)
    second = InversePowerLR(optimizer(0.01), rate=4.0, power=0.5, end=20)
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    second.load_state_dict(first.state_dict())
    second.optimizer.step()  # what MMEngine's counter of steps waits for
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    assert run(second, 12) == whole[8:]


def test_a_config_builds_it_by_name():
    """As the runner does, which adds the length of an epoch."""
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        schedule = PARAM_SCHEDULERS.build(
            {"type": "InversePowerLR", "by_epoch": False, "end": 7},
            default_args={"optimizer": optimizer(1.0), "epoch_length": 5},
        )
    assert (schedule.rate, schedule.power, schedule.end) == (10.0, 0.75, 7)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": -1.0}, r"rate and power must be >= 0, got -1\.0 and 0\.75"),
        ({"power": -1.0}, r"rate and power must be >= 0, got 10\.0 and -1\.0"),
        ({"begin": 9}, "end should be larger than begin"),
    ],
)
def test_what_cannot_be_is_refused_at_construction(settings, message):
    with pytest.raises(ValueError, match=message):
        InversePowerLR(optimizer(0.1), end=9, **settings)
