import logging
from types import SimpleNamespace

import pytest
from torch import nn

from mammography.engine.hooks.check_tasks_hook import CheckTasksHook
from mammography.evaluation.metrics.multi_task_metric import MultiTaskMetric
from mammography.models.heads.masked_multi_task_head import MaskedMultiTaskHead
from mammography.structures.task import parse_tasks

HEAD = {
    "malignant": {"kind": "binary"},
    "density": {"kind": "ordinal", "num_classes": 4},
    "nodes": {"kind": "regression"},
}
DATA = ["malignant:binary", "density:ordinal=A,B,C,D", "nodes:regression"]


def loop(specs, **metric):
    meta = {"task_specs": {name: task.to_json() for name, task in parse_tasks(specs).items()}}
    measure = MultiTaskMetric(**metric)
    measure.dataset_meta = meta
    return SimpleNamespace(
        dataloader=SimpleNamespace(dataset=SimpleNamespace(metainfo=meta)),
        evaluator=SimpleNamespace(metrics=[measure, object()]),
    )


def runner(train=DATA, val=DATA, head=HEAD, **metric):
    model = nn.Module()
    model.head = MaskedMultiTaskHead(head, in_channels=2)
    validation = None if val is None else loop(val, **metric)
    return SimpleNamespace(
        model=model,
        train_dataloader=loop(train).dataloader,
        val_loop=validation,
        val_evaluator=validation and validation.evaluator,
        test_evaluator=validation and validation.evaluator,
        logger=logging.getLogger("check"),
    )


def test_a_head_that_fits_its_data_passes_and_what_it_leaves_out_is_named(caplog):
    caplog.set_level(logging.INFO)
    hook = CheckTasksHook()
    hook.before_train(runner())
    hook.before_train(runner(val=None))
    hook.before_test(runner())
    assert not caplog.records
    hook.before_train(runner([*DATA, "birads:multiclass=1,2"]))
    assert "birads" in caplog.text


def test_classes_may_be_predicted_without_their_order():
    CheckTasksHook().before_train(runner([*DATA[:1], "density:multiclass=A,B,C,D", *DATA[2:]]))


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (DATA[:2], "got malignant, density without nodes: leave it out of model.head.tasks"),
        (
            [DATA[0], "density:ordinal=A,B,C,D,E", DATA[2]],
            "got ordinal of 4 classes and ordinal of 5 classes",
        ),
        ([*DATA[:2], "nodes:binary"], r"got regression and binary: .* e\.g\. 'nodes:regression'"),
        (["malignant:multiclass=0,1", *DATA[1:]], "got binary and multiclass of 2 classes"),
    ],
)
def test_data_that_differ_are_refused_before_the_first_step(specs, message):
    with pytest.raises(ValueError, match=f"train_dataloader: .*{message}"):
        CheckTasksHook().before_train(runner(specs))


def test_what_would_be_measured_as_something_else_is_refused_before_the_first_step():
    """The published form leaves the kind to be guessed from the labels of each file."""
    guessed = [*DATA[:2], "nodes:binary"]
    with pytest.raises(ValueError, match="val_dataloader: task nodes"):
        CheckTasksHook().before_train(runner(val=guessed))
    with pytest.raises(ValueError, match="test_dataloader: task nodes"):
        CheckTasksHook().before_test(runner(val=guessed))
    CheckTasksHook().before_train(runner(val=guessed, tasks=DATA))


def test_models_without_such_a_head_are_left_alone():
    other = runner([])
    other.model.head = nn.Linear(1, 1)
    CheckTasksHook().before_train(other)
    CheckTasksHook().before_test(other)


def test_the_model_may_be_wrapped_for_test_time_augmentation():
    around = runner(val=DATA[:2])
    inner, around.model = around.model, nn.Module()
    around.model.module = inner
    with pytest.raises(ValueError, match="nodes"):
        CheckTasksHook().before_test(around)
