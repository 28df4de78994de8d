import copy
import logging
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.runner import find_latest_checkpoint
from torch import nn

from group_cases import train_balanced, train_two_choices
from mammography.engine.hooks.select_trainable_hook import SelectTrainableHook
from mammography.engine.portable_runner import PortableRunner
from ranks import run_on_ranks
from small_study import small_config

FROZEN = {"body.0.weight", "body.0.bias"}
STATISTICS = {"body.1.running_mean", "body.1.running_var", "body.1.num_batches_tracked"}
EVERY_STEP = {"default_hooks.checkpoint.by_epoch": False}


def build(folder, choice, resume=False, **changes):
    cfg = small_config(folder, **changes)
    cfg.custom_hooks = [{"type": "SelectTrainableHook", **choice}]
    cfg.optim_wrapper.optimizer.weight_decay = 0.5
    if resume:
        cfg.update(resume=True, load_from=find_latest_checkpoint(folder))
    return PortableRunner.from_cfg(cfg)


def changed(runner):
    """Train and return the names of what has moved."""
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.train()
    after = runner.model.state_dict()
    return {name for name, value in after.items() if not torch.equal(value, before[name])}


@pytest.mark.parametrize(
    ("choice", "stays"),
    [
        ({"freeze_types": ["Conv2d"]}, FROZEN),
        ({"freeze_types": ["Conv2d"], "norm_statistics": "freeze"}, FROZEN | STATISTICS),
        ({"norm_affine": "freeze"}, {"body.1.weight", "body.1.bias"}),
        ({"norm_statistics": "freeze"}, STATISTICS),
        (
            {"freeze_names": ["body"], "norm_statistics": "like_affine"},
            FROZEN | STATISTICS | {"body.1.weight", "body.1.bias"},
        ),
    ],
)
def test_what_is_frozen_stays_exactly_and_all_else_moves(tmp_path, choice, stays):
    """With weight decay and momentum, over two epochs with a validation after each."""
    runner = build(tmp_path, choice)
    assert changed(runner) == set(runner.model.state_dict()) - stays


class Interrupt(Hook):
    priority = "LOWEST"

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == 6:
            raise KeyboardInterrupt


@pytest.mark.filterwarnings("ignore:Detected call of `scheduler.step:UserWarning")
def test_a_resumed_run_goes_on_as_if_it_had_not_stopped(tmp_path):
    choice = {"freeze_types": ["Conv2d"], "norm_statistics": "freeze"}
    whole = build(tmp_path / "a", choice)
    whole.train()
    stopped = build(tmp_path / "b", choice, **EVERY_STEP)
    stopped.register_hook(Interrupt())
    with pytest.raises(KeyboardInterrupt):
        stopped.train()
    resumed = build(tmp_path / "b", choice, resume=True, **EVERY_STEP)
    resumed.train()
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name])


def test_weights_that_learned_before_a_resume_are_not_moved_by_their_momentum(tmp_path):
    build(tmp_path, {"norm_statistics": "freeze"}).train()
    runner = build(tmp_path, {"freeze_types": ["Conv2d"]}, resume=True)
    runner.train_loop._max_epochs = 3
    states = torch.load(find_latest_checkpoint(tmp_path), weights_only=False)["state_dict"]
    runner.train()
    assert runner.epoch == 3
    for name in FROZEN:
        assert torch.equal(runner.model.state_dict()[name], states[name])


def test_the_log_says_what_trains_once_modes_are_set(tmp_path, caplog):
    runner = build(tmp_path, {"freeze_types": ["Conv2d"], "norm_statistics": "freeze"})
    runner.logger.setLevel("INFO")
    runner.logger.addHandler(caplog.handler)
    runner.train()
    said = [r.getMessage() for r in caplog.records if "parameters train" in r.getMessage()]
    assert said == [
        "SelectTrainableHook: 33 of 73 parameters train: BatchNorm2d 8 (1 layer), "
        "Linear 25 (1 layer); frozen: Conv2d 40 (1 layer); "
        "statistics of batch norm: 0 update, 1 keep theirs"
    ]


def test_frozen_weights_that_nobody_loaded_are_warned_of(tmp_path, caplog):
    def warned(**changes):
        caplog.clear()
        runner = build(tmp_path, {"freeze_types": ["Conv2d"]}, **changes)
        runner.logger.addHandler(caplog.handler)
        runner.train()
        return "random ones would stay random" in caplog.text

    assert warned()
    assert not warned(load_from=str(tmp_path / "epoch_2.pth"))


def test_a_test_alone_is_left_as_it_is(tmp_path):
    runner = build(tmp_path, {"freeze_types": ["Conv2d"]})
    runner.test()
    assert all(parameter.requires_grad for parameter in runner.model.parameters())


def test_a_choice_that_does_not_fit_the_model_stops_the_run_before_it_trains(tmp_path):
    with pytest.raises(ValueError, match="freeze_types must be types in the model"):
        build(tmp_path, {"freeze_types": ["Conv3d"]}).train()


def test_an_unknown_parallel_wrapper_is_refused(tmp_path):
    runner = build(tmp_path, {"freeze_types": ["Conv2d"]})
    runner.model = nn.DataParallel(runner.model)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    with pytest.raises(ValueError, match="alone or in MMDistributedDataParallel, got DataParallel"):
        SelectTrainableHook(freeze_types=["Conv2d"]).before_run(runner)


@pytest.fixture
def process_group(tmp_path):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.usefixtures("process_group")
def test_batch_norms_that_a_wrapper_replaces_keep_their_statistics():
    def wrap(_, model):  # as with sync_bn, for which DistributedDataParallel needs a GPU
        model[1] = copy.deepcopy(model[1])
        return MMDistributedDataParallel(model)

    model = wrap({}, nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)))
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), 0.1))
    runner = SimpleNamespace(model=model, optim_wrapper=optimizer, wrap_model=wrap, cfg={})
    runner.logger = logging.getLogger("silent")
    hook = SelectTrainableHook(freeze_types=["Conv2d"], norm_statistics="freeze")
    hook.before_run(runner)
    assert runner.model is not model
    hook.before_train_iter(runner, 0)
    assert not runner.model.module[1].training


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    return run_on_ranks(partial(train_two_choices, folder), folder)


@pytest.mark.parametrize("statistics", ["freeze", "update"])
def test_two_processes_wait_for_no_frozen_gradient_and_agree(ranks, statistics):
    first, second = (rank[statistics] for rank in ranks)
    assert first["steps"] == 6
    assert first["reduced_tensors"] == 4  # weight and bias of the norm and of the linear layer
    assert first["first_wrapper_is_gone"]
    own = STATISTICS if statistics == "update" else set()  # each from its images
    for name, value in first["after"].items():
        assert name in own or torch.equal(value, second["after"][name])
        stays = name in FROZEN or (statistics == "freeze" and name in STATISTICS)
        assert torch.equal(value, first["before"][name]) is stays


def test_two_processes_end_with_the_weights_of_one_with_batches_twice_as_large(ranks, tmp_path):
    """So they draw the same groups, augmented alike, and add the same gradients."""
    alone = train_balanced(tmp_path, norm_statistics="freeze")
    assert alone["steps"] == 6
    for name, value in alone["after"].items():
        torch.testing.assert_close(ranks[0]["freeze"]["after"][name], value, rtol=1e-5, atol=1e-6)
