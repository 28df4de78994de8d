"""The three self-supervised methods learn, resume, and follow the published schedules."""

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpretrain.models.losses import CosineSimilarityLoss
from mmpretrain.models.utils import CosineEMA
from mmpretrain.registry import MODELS
from torch import nn

from golden import golden
from ranks import run_on_ranks
from tiny_pretraining import METHODS, Patches, tiny_model, train_together


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope("mmpretrain")
    MessageHub.get_current_instance().update_info("max_iters", 20)


def learn(method, steps=20):
    """Losses of ``steps`` steps on 16 patches, and the features in the end."""
    torch.manual_seed(0)
    model = MODELS.build(tiny_model(method)).train()
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9))
    data = Patches(method)
    losses = []
    for step in range(steps):
        batch = {"inputs": data.views(data.patches, seed=step), "data_samples": None}
        losses.append(model.train_step(batch, optimizer)["loss"].item())
    with torch.no_grad():
        return losses, model.backbone(data.patches)[0].mean(dim=(2, 3))


@pytest.mark.parametrize(("method", "share"), [("barlowtwins", 0.1), ("byol", 0.5), ("swav", 0.4)])
def test_loss_falls_in_twenty_steps_and_features_do_not_collapse(method, share):
    losses, features = learn(method)
    assert np.mean(losses[-3:]) < share * losses[0]
    directions = nn.functional.normalize(features, dim=1)
    # 0 where all patches look alike, about 1 where directions are spread evenly.
    assert directions.std(dim=0).mean() * directions.shape[1] ** 0.5 > 0.2


def run(method, folder, resume_from=None):
    """Train 4 epochs of 4 steps; SwAV's queue opens in epoch 1, and is full in epoch 2."""
    torch.manual_seed(0)
    hooks = [
        {"type": "SwAVQueueHook", "start_epoch": 1},
        {
            "type": "FreezeParametersHook",
            "prefixes": ["head.loss_module.prototypes"],
            "num_iters": 10,
        },
    ]
    runner = Runner(
        model=tiny_model(method, queue_length=18),
        work_dir=str(folder),
        train_dataloader={
            "batch_size": 4,
            "num_workers": 0,
            "dataset": Patches(method, size=32),
            "sampler": {"type": "DefaultSampler", "shuffle": True},
            "collate_fn": {"type": "default_collate"},
        },
        train_cfg={"by_epoch": True, "max_epochs": 4},
        optim_wrapper={"optimizer": {"type": "LARS", "lr": 0.6, "momentum": 0.9}},
        default_hooks={"checkpoint": {"type": "CheckpointHook", "interval": 1}},
        custom_hooks=hooks if method == "swav" else [],
        default_scope="mmpretrain",
        log_level="ERROR",
        randomness={"seed": 0},
        experiment_name=f"{method}-{folder.name}",
        resume=resume_from is not None,
        load_from=resume_from and str(resume_from),
    )
    runner.train()
    return runner.model.state_dict()


@pytest.mark.parametrize("method", METHODS)
def test_a_resumed_run_ends_like_an_uninterrupted_one(method, tmp_path):
    whole = run(method, tmp_path / "whole")
    for epoch in (1, 2):  # before the queue opens, and while it is part full
        checkpoint = tmp_path / "whole" / f"epoch_{epoch}.pth"
        resumed = run(method, tmp_path / f"resumed{epoch}", resume_from=checkpoint)
        torch.testing.assert_close(resumed, whole, rtol=0, atol=0)
        saved = {path.name for path in (tmp_path / f"resumed{epoch}").glob("*.pth")}
        assert saved == {f"epoch_{later}.pth" for later in range(epoch + 1, 5)}
    if method == "swav":
        assert whole["head.loss_module.queue_count"] == 18
        assert whole["head.loss_module.queue"].norm(dim=2).min() > 0.99


def test_target_of_byol_follows_the_golden_schedule():
    """MMEngine's momentum is 1 - tau, so base_momentum=0.01 is tau = 0.99 at first."""
    taus = golden("03_ssl_losses")["expected"]["byol_tau_schedule_tau0.996_K10"]
    MessageHub.get_current_instance().update_info("max_iters", len(taus) - 1)
    online = nn.Linear(1, 1, bias=False).double()
    ema = CosineEMA(online, momentum=1 - taus[0])
    found = []
    for step in range(len(taus)):
        ema.module.weight.data.fill_(1.0)
        online.weight.data.fill_(0.0)
        ema.update_parameters(online)
        found.append(ema.module.weight.item())
        assert ema.steps == step + 1
    # The first step copies the online network, as both begin alike in the paper's code.
    np.testing.assert_allclose(found, [0.0, *taus[1:]], rtol=1e-8)


def test_loss_of_byol_is_that_of_the_paper():
    cases = golden("03_ssl_losses")
    z = [torch.tensor(cases["inputs"][name], requires_grad=True) for name in ("za", "zb")]
    settings = tiny_model("byol").head.loss
    assert settings.pop("type") == "CosineSimilarityLoss"
    # BYOL of MMPreTrain multiplies the sum of both directions by 2.
    loss = 2 * CosineSimilarityLoss(**settings)(z[0], z[1].detach())
    loss.backward()
    expected = cases["expected"]
    np.testing.assert_allclose(loss.item(), expected["byol_regression_loss"]["loss"], rtol=1e-5)
    gradient = 2 * np.array(expected["neg_cosine"]["grad_a"])
    np.testing.assert_allclose(z[0].grad, gradient, atol=1e-6)


@pytest.mark.slow
def test_weights_trained_by_two_processes_are_those_of_one(tmp_path):
    alone = train_together()
    for rank in run_on_ranks(train_together, tmp_path):
        for method in METHODS:
            torch.testing.assert_close(rank[method], alone[method], rtol=1e-6, atol=1e-8)
