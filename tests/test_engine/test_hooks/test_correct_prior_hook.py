"""Scores of a test move by the log odds of the prior, and nothing stays moved."""

import logging
import math
from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample

from mammography.engine.hooks.correct_prior_hook import CorrectPriorHook
from mammography.models.heads.masked_multi_task_head import MaskedMultiTaskHead
from mammography.models.tta.multi_task_tta_model import MultiTaskTTAModel

TASKS = {
    "malignant": {"kind": "binary"},
    "recall": {"kind": "binary"},
    "density": {"kind": "ordinal", "num_classes": 4},
}


class Model(BaseModel):
    def forward(self, inputs, data_samples=None, mode="tensor"):
        raise NotImplementedError


@pytest.fixture
def runner():
    torch.manual_seed(0)
    model = Model()
    model.head = MaskedMultiTaskHead(TASKS, in_channels=5)
    return SimpleNamespace(model=model, logger=logging.getLogger("test"))


def scores(runner, task):
    torch.manual_seed(1)
    samples = runner.model.head.predict((torch.randn(6, 5),), [DataSample() for _ in range(6)])
    return torch.tensor([sample.pred_scores[task] for sample in samples])


def test_the_odds_of_the_task_alone_are_those_of_the_population(runner):
    before = {task: scores(runner, task) for task in TASKS}
    hook = CorrectPriorHook(trained=0.5, population=0.02)
    hook.before_test(runner)
    moved = scores(runner, "malignant")
    odds = before["malignant"] / (1 - before["malignant"])
    torch.testing.assert_close(moved / (1 - moved), odds / 49, rtol=1e-5, atol=0)
    for task in ("recall", "density"):
        assert torch.equal(scores(runner, task), before[task])


def test_validation_is_moved_as_the_test_is(runner):
    before = scores(runner, "malignant")
    hook = CorrectPriorHook(trained=0.5, population=0.02)
    hook.before_test(runner)
    tested = scores(runner, "malignant")
    hook.after_test(runner)
    hook.before_val(runner)
    assert torch.equal(scores(runner, "malignant"), tested)
    assert not torch.equal(tested, before)


def test_training_and_weights_are_left_alone(runner):
    before, weights = scores(runner, "malignant"), deepcopy(runner.model.state_dict())
    hook = CorrectPriorHook(trained=0.3, population=0.01)
    for _ in range(2):
        hook.before_val(runner)
        torch.testing.assert_close(runner.model.state_dict(), weights, rtol=0, atol=0)
        hook.after_val(runner)
    assert torch.equal(scores(runner, "malignant"), before)


def test_of_learned_noise_the_mean_moves_and_the_variance_stays(runner):
    tasks = {"malignant": {"kind": "binary", "attenuation": {"samples": 10}}}
    torch.manual_seed(0)
    runner.model.head = MaskedMultiTaskHead(tasks, in_channels=5)
    layer = runner.model.head.layers["malignant"]
    before = layer(torch.ones(2, 5))
    CorrectPriorHook(trained=0.5, population=0.02).before_test(runner)
    moved = layer(torch.ones(2, 5)) - before
    torch.testing.assert_close(moved, torch.tensor([[-math.log(49), 0.0]] * 2))


def test_the_model_inside_a_test_time_augmentation_is_moved(runner):
    before = scores(runner, "malignant")
    inner, runner.model = runner.model, MultiTaskTTAModel(module=runner.model)
    CorrectPriorHook(trained=0.5, population=0.02).before_test(runner)
    runner.model = inner
    assert (scores(runner, "malignant") < before / 10).all()


@pytest.mark.parametrize("task", ["density", "gone"])
def test_only_a_binary_task_has_log_odds(runner, task):
    with pytest.raises(ValueError, match=rf"\(malignant, recall\), got {task}"):
        CorrectPriorHook(0.5, 0.02, task=task).before_test(runner)


def test_a_share_that_is_none_is_refused_when_it_is_built():
    with pytest.raises(ValueError, match="population must lie between 0 and 1, got 2"):
        CorrectPriorHook(trained=0.5, population=2)
