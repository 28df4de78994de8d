import pytest
import torch
from torch import nn

from mammography.engine.training_stages import (
    TrainingStage,
    first_epochs,
    keep_trainable,
    read_stages,
    stage_at,
)

STAGES = [
    {"epochs": 3, "trainable": ["head"], "lr": 1e-3, "weight_decay": 1e-4},
    {"epochs": 10, "trainable": ["backbone.layer4.2", "head"], "lr": 1e-4},
    {"epochs": 37, "trainable": [".*"], "lr": 1e-5},
]


def test_every_epoch_lies_in_one_stage():
    stages = read_stages(STAGES, "update")
    assert first_epochs(stages) == [0, 3, 13]
    found = [stage_at(stages, epoch) for epoch in range(50)]
    assert found == [0] * 3 + [1] * 10 + [2] * 37


def test_rates_of_a_stage_replace_those_of_the_config_and_all_else_stays():
    given = {"type": "OptimWrapper", "optimizer": {"type": "Adam", "lr": 1, "betas": (0.8, 0.9)}}
    first, second, _ = read_stages(STAGES, "update")
    rates = {"lr": 1e-3, "weight_decay": 1e-4}
    assert first.optim_wrapper(given)["optimizer"] == given["optimizer"] | rates
    assert second.optim_wrapper(given)["optimizer"] == given["optimizer"] | {"lr": 1e-4}
    assert given["optimizer"]["lr"] == 1


def test_schedulers_end_with_the_stage():
    cosine, warmup = {"type": "CosineAnnealingLR"}, {"type": "LinearLR", "by_epoch": False}
    stage = TrainingStage(3, ["head"], param_scheduler=[cosine, warmup, warmup | {"end": 5}])
    assert [each["end"] for each in stage.schedulers(10)] == [3, 30, 5]
    assert "end" not in cosine


def test_groups_hold_what_trains_and_none_is_empty():
    bias, *frozen = (nn.Parameter(torch.ones(1), requires_grad=i == 0) for i in range(3))
    groups = [{"params": frozen[:1]}, {"params": [bias, frozen[1]], "lr": 2.0}]
    optimizer = torch.optim.SGD(groups, 1.0)
    keep_trainable(optimizer)
    (group,) = optimizer.param_groups
    assert group["lr"] == 2.0
    assert group["params"] == [bias]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"epochs": 0, "trainable": ["head"]}, "epochs must be a number >= 1, got 0"),
        ({"epochs": 1.5, "trainable": ["head"]}, "epochs must be a number >= 1, got 1.5"),
        ({"epochs": 1, "trainable": []}, "trainable must name what trains, got nothing"),
        ({"epochs": 1, "trainable": "head"}, "must be several strings, got 'head'"),
        ({"epochs": 1, "trainable": ["*"]}, r"trainable \('\.\*' is everything\) must be regular"),
        ({"epochs": 1, "trainable": ["head"], "lr": 0}, "lr must be above 0, got 0"),
        (
            {"epochs": 1, "trainable": ["a"], "weight_decay": -1},
            "weight_decay must be >= 0, got -1",
        ),
        ({"epochs": 1, "trainable": ["a"], "norm_statistics": "x"}, "norm_statistics must be one"),
        (
            {"epochs": 1, "trainable": ["a"], "learning_rate": 1},
            "hold some of .*, got learning_rate",
        ),
        ({"epochs": 1}, "must state trainable"),
    ],
)
def test_a_stage_that_is_not_well_described_is_refused_with_its_place(row, message):
    with pytest.raises(ValueError, match=rf"StagedTrainingHook: stages\[1\].*{message}"):
        read_stages([STAGES[0], row], "update")


@pytest.mark.parametrize("rows", [[], {"epochs": 1}])
def test_no_stages_are_refused(rows):
    with pytest.raises(ValueError, match="must be a list of one stage at least"):
        read_stages(rows, "update")


def test_a_stage_trains_nothing_that_the_model_itself_freezes():
    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    model[0].requires_grad_(False)
    with pytest.raises(ValueError, match=r"the model itself freezes 0\.weight"):
        TrainingStage(1, [".*"]).apply(model)
