import logging
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from mmengine.dataset import BaseDataset, ClassBalancedDataset, DefaultSampler
from mmpretrain.models import LinearClsHead
from torch import nn

from group_cases import Rows, row
from mammography.engine.hooks.check_imbalance_hook import CheckImbalanceHook
from mammography.engine.portable_runner import PortableRunner
from mammography.engine.samplers.contralateral_sampler import ContralateralSampler
from mammography.engine.samplers.group_batch_sampler import GroupBatchSampler
from mammography.engine.samplers.weighted_sampler import WeightedSampler
from mammography.models.heads.masked_multi_task_head import MaskedMultiTaskHead
from small_study import small_config

ROWS = [row(i, f"p{i // 2}", "LR"[i % 2], malignant=float(i % 2), density=0.0) for i in range(8)]


def loader(sampler=None, batch_sampler=None, dataset=None):
    plain = DefaultSampler(Rows(ROWS), seed=0)
    return SimpleNamespace(
        sampler=sampler or plain, batch_sampler=batch_sampler, dataset=dataset or Rows(ROWS)
    )


def head(**malignant):
    tasks = {"malignant": {"kind": "binary", **malignant}, "density": {"kind": "binary"}}
    return MaskedMultiTaskHead(tasks, in_channels=2)


def warnings(caplog, loader, head):
    model = nn.Module()
    model.head = head
    runner = SimpleNamespace(model=model, train_dataloader=loader, logger=logging.getLogger("i"))
    CheckImbalanceHook().before_train(runner)
    return [record.getMessage() for record in caplog.records]


WEIGHTED = WeightedSampler(Rows(ROWS), "malignant", seed=0)
BATCHES = GroupBatchSampler(DefaultSampler(Rows(ROWS), seed=0), 2, "malignant")
BY_SIDE = WeightedSampler(Rows(ROWS), "laterality", seed=0)
MATCHED = ContralateralSampler(Rows(ROWS), "malignant", seed=0)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"sampler": WEIGHTED}, "WeightedSampler"),
        ({"sampler": SimpleNamespace(sampler=WEIGHTED)}, "WeightedSampler"),  # NumberedSampler
        ({"sampler": MATCHED}, "ContralateralSampler"),
        ({"batch_sampler": BATCHES}, "GroupBatchSampler"),
    ],
)
def test_a_sampler_and_a_weight_for_one_task_are_warned_of_once_with_the_remedy(
    caplog, given, name
):
    (text,) = warnings(caplog, loader(**given), head(pos_weight=40.0))
    assert f"of malignant is corrected twice, by {name} and by pos_weight=40.0" in text
    assert "model.head.tasks.malignant: drop one of them" in text


class Labelled(BaseDataset):
    balance_by = "malignant"

    def load_data_list(self):
        return [dict(item) for item in ROWS]

    def get_cat_ids(self, idx):
        return [int(ROWS[idx]["gt_label"]["malignant"])]


def test_so_is_the_data_set_that_repeats_rare_classes(caplog):
    wrapped = SimpleNamespace(dataset=ClassBalancedDataset(Labelled(), 0.9))
    (text,) = warnings(caplog, loader(dataset=wrapped), head(pos_weight=2.0))
    assert "by ClassBalancedDataset and by pos_weight=2.0" in text


@dataclass
class FocalLoss:
    alpha: float


@pytest.mark.parametrize(("alpha", "count"), [(0.25, 1), (0.5, 0), (-1, 0)])
def test_the_alpha_of_a_focal_loss_is_a_weight_unless_it_is_switched_off(caplog, alpha, count):
    given = head()
    given.layers["malignant"].criterion = FocalLoss(alpha)
    assert len(warnings(caplog, loader(sampler=WEIGHTED), given)) == count


def test_heads_of_mmpretrain_are_looked_at_as_a_whole(caplog):
    given = LinearClsHead(2, 4, loss={"type": "CrossEntropyLoss", "class_weight": [1.0, 9.0]})
    (text,) = warnings(caplog, loader(sampler=WEIGHTED), given)
    assert "class_weight=[1.0, 9.0] of the loss of model.head" in text


@pytest.mark.parametrize(
    ("given", "malignant"),
    [
        ({}, {"pos_weight": 40.0}),
        ({"sampler": WEIGHTED}, {}),
        ({"sampler": WEIGHTED}, {"pos_weight": 1.0}),
        ({"sampler": BY_SIDE}, {"pos_weight": 40.0}),
    ],
    ids=["the loss alone", "the sampler alone", "a weight of one", "another field"],
)  # fmt: skip
def test_one_correction_is_no_reason_to_warn(caplog, given, malignant):
    assert not warnings(caplog, loader(**given), head(**malignant))


def test_it_finds_the_sampler_of_a_running_training(tmp_path, caplog):
    cfg = small_config(tmp_path, **{"train_dataloader.dataset.type": "GroupedStudy"})
    cfg.train_dataloader.sampler = {"type": "WeightedSampler", "groups": "malignant"}
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    runner = PortableRunner.from_cfg(cfg)
    runner.model.head = head(pos_weight=3.0)
    runner.logger.addHandler(caplog.handler)
    runner.train_loop  # noqa: B018 (builds the loader)
    CheckImbalanceHook().before_train(runner)
    assert "corrected twice, by WeightedSampler" in caplog.text
