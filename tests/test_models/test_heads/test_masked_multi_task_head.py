import math

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from golden import golden
from head_cases import TARGETS, TASKS, gradients, samples
from mammography.models.heads.masked_multi_task_head import MaskedMultiTaskHead
from ranks import run_on_ranks


@pytest.fixture
def head():
    torch.manual_seed(0)
    head = MaskedMultiTaskHead(TASKS, 8)
    head.init_weights()
    return head


@pytest.fixture
def feats():
    torch.manual_seed(1)
    return (torch.randn(len(TARGETS), 8),)


def test_two_processes_learn_what_one_does(tmp_path):
    """Also from tasks that one process, or both, have no label of."""
    alone = gradients()
    for rank in run_on_ranks(gradients, tmp_path):
        assert set(rank) == set(alone)
        for name, gradient in alone.items():
            torch.testing.assert_close(rank[name], gradient, atol=1e-7, rtol=1e-5, msg=name)


def test_masked_losses_agree_with_the_reference_values():
    cases = golden("05_losses")
    logits = torch.tensor(cases["inputs"]["logits"])
    want = cases["expected"]["masked_bce"]
    head = MaskedMultiTaskHead({name: {"kind": "binary"} for name in "abc"}, 3)
    for column, layer in enumerate(head.layers.values()):
        layer.linear.weight.data = torch.eye(3)[column, None]
        layer.linear.bias.data.zero_()
    targets = [
        {t: float(v) for t, v in zip("abc", row, strict=True) if not math.isnan(float(v))}
        for row in want["targets"]
    ]
    losses = head.loss((logits,), samples(targets))
    ours = [losses[f"{name}_loss"].item() for name in "abc"]
    assert ours == pytest.approx(want["per_task_mean_over_observed"], rel=1e-6)
    assert [losses[f"{name}_labels"].item() for name in "abc"] == [3, 2, 3]


def test_a_sample_without_a_label_changes_nothing_for_the_task(head, feats):
    all_losses = head.loss(feats, samples(TARGETS))
    for name in TASKS:
        rows = [i for i, labels in enumerate(TARGETS) if name in labels]
        if rows:
            own = head.loss((feats[0][rows],), samples([TARGETS[i] for i in rows]))
            torch.testing.assert_close(own[f"{name}_loss"], all_losses[f"{name}_loss"])


def test_what_an_unlabelled_image_holds_cannot_spoil_a_loss(head, feats):
    feats[0][5] = float("nan")
    feats[0].requires_grad_()
    losses = head.loss(feats, samples(TARGETS))
    sum(loss for name, loss in losses.items() if "loss" in name).backward()
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert torch.isfinite(feats[0].grad[:5]).all()


def test_a_batch_without_any_label_gives_zeros_and_zero_gradients(head, feats):
    losses = head.loss(feats, samples([{}] * 6))
    sum(loss for name, loss in losses.items() if "loss" in name).backward()
    assert all(loss == 0 for loss in losses.values())
    assert all((p.grad == 0).all() for p in head.parameters())


def test_weights_of_tasks_scale_their_losses(feats):
    torch.manual_seed(0)
    tasks = {"a": {"kind": "binary"}, "b": {"kind": "binary", "loss_weight": 0.25}}
    head = MaskedMultiTaskHead(tasks, 8)
    head.outcomes["b"].load_state_dict(head.outcomes["a"].state_dict())
    losses = head.loss(feats, samples([{"a": 1.0, "b": 1.0}] * 6))
    torch.testing.assert_close(losses["b_loss"], losses["a_loss"] / 4)


def test_mmengine_sums_the_losses_and_only_logs_the_counts(head, feats):
    model = MODELS.build({"type": "ImageClassifier", "backbone": {"type": "LeNet5"}})
    losses = head.loss(feats, samples(TARGETS))
    total, log = model.parse_losses(losses)
    want = sum(losses[f"{name}_loss"] for name in TASKS)
    torch.testing.assert_close(total, want)
    assert log["density_labels"] == 3


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"density": 4.0}, r"images/0\.png: task density: .* from 0 to 3, got 4\.0"),
        ({"birads": -1.0}, r"images/0\.png: task birads: .* from 0 to 4, got -1\.0"),
        ({"malignant": 0.5}, r"images/0\.png: task malignant: .* from 0 to 1, got 0\.5"),
        ({"malignant": math.nan}, r"images/0\.png: task malignant: .* got nan"),
        ({"size": math.inf}, r"images/0\.png: task size: .* a finite number, got inf"),
    ],
)
def test_a_label_out_of_range_is_refused_with_its_image(head, targets, message):
    with pytest.raises(ValueError, match=message):
        head.loss((torch.zeros(1, 8),), samples([targets]))


def test_a_sample_without_the_field_of_labels_is_refused(head):
    with pytest.raises(ValueError, match=r"x\.png: a sample must carry gt_targets"):
        head.loss((torch.zeros(1, 8),), [DataSample(metainfo={"img_path": "x.png"})])


def test_predictions_are_probabilities_and_values(head, feats):
    predicted = head.eval().predict(feats, samples(TARGETS))
    assert [s.img_path for s in predicted] == [f"images/{i}.png" for i in range(6)]
    for row, sample in enumerate(predicted):
        scores = sample.pred_scores
        assert list(scores) == list(TASKS)
        assert 0 < scores["malignant"] < 1
        for name, classes in (("birads", 5), ("density", 4), ("grade", 3)):
            assert len(scores[name]) == classes
            assert sum(scores[name]) == pytest.approx(1)
            assert min(scores[name]) >= 0
        assert isinstance(scores["size"], float)
        torch.testing.assert_close(sample.pred_features, feats[0][row])


def test_predictions_agree_with_the_logits(head, feats):
    logits = head.eval()(feats)
    scores = head.predict(feats)[2].pred_scores
    assert scores["malignant"] == pytest.approx(logits["malignant"][2, 0].sigmoid().item())
    assert scores["birads"] == pytest.approx(logits["birads"][2].softmax(0).tolist())
    assert scores["size"] == pytest.approx(logits["size"][2, 0].item())
    exceeded = logits["density"][2].sigmoid().cumprod(0)
    assert sum(scores["density"][2:]) == pytest.approx(exceeded[1].item())


def test_the_hidden_layer_is_the_embedding(feats):
    head = MaskedMultiTaskHead(TASKS, 8, hidden_channels=4, drop_rate=0.5).eval()
    features = head.pre_logits(feats)
    assert features.shape == (6, 4)
    torch.testing.assert_close(head.predict(feats)[0].pred_features, features[0])
    torch.testing.assert_close(head(feats)["birads"], head.layers["birads"](features))


@pytest.mark.parametrize("autocast", [True, False])
def test_features_of_half_precision_give_losses_in_float32(head, feats, autocast):
    if not autocast:
        head, feats = head.bfloat16(), (feats[0].bfloat16(),)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        losses = head.loss(feats, samples(TARGETS))
        sample = head.predict(feats)[0]
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert sum(sample.pred_scores["birads"]) == pytest.approx(1)
    assert sample.pred_features.dtype == torch.float32


def test_mixed_precision_rounds_neither_values_nor_probabilities():
    torch.manual_seed(0)
    head = MaskedMultiTaskHead({"size": {"kind": "regression"}, "b": {"kind": "binary"}}, 8)
    head.outcomes["size"].linear.bias.data.fill_(37.1)
    feats = (torch.randn(500, 8).bfloat16(),)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = [sample.pred_scores for sample in head.predict(feats)]
    exact = [sample.pred_scores for sample in head.predict((feats[0].float(),))]
    assert rounded == exact
    assert len({scores["b"] for scores in rounded}) == 500


def test_works_in_the_classifier_of_mmpretrain_as_it_is():
    torch.manual_seed(0)
    model = MODELS.build(
        {
            "type": "ImageClassifier",
            "data_preprocessor": {"mean": [0.5], "std": [0.5], "to_rgb": False},
            "backbone": {"type": "ResNet", "depth": 18, "in_channels": 1},
            "neck": {"type": "GlobalAveragePooling"},
            "head": {"type": "MaskedMultiTaskHead", "tasks": TASKS, "in_channels": 512},
        }
    )
    batch = {"inputs": [torch.rand(1, 64, 32)] * 6, "data_samples": samples(TARGETS)}
    data = model.data_preprocessor(batch, training=True)
    losses = model(**data, mode="loss")
    assert set(losses) == {f"{n}_{what}" for n in TASKS for what in ("loss", "labels")}
    model.eval()
    predicted = model.val_step(batch)
    assert predicted[0].gt_targets == TARGETS[0]
    features = model.extract_feat(data["inputs"], stage="pre_logits")
    torch.testing.assert_close(features[3], predicted[3].pred_features)
    assert model(data["inputs"])["density"].shape == (6, 3)


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({}, "at least one outcome, got none"),
        ({"bone_loss": {"kind": "binary"}}, "a word without 'loss' .* got 'bone_loss'"),
        ({"tumour size": {"kind": "regression"}}, "got 'tumour size'"),
        ({"type": {"kind": "binary"}}, "got 'type'"),
        ({"training": {"kind": "binary"}}, "got 'training'"),
        ({"a": {"kind": "survival"}}, "task a: kind must be one of binary, .*, got 'survival'"),
        ({"a": {"kind": "ordinal"}}, "task a: .* at least 2 classes"),
        ({"a": {"kind": "regression", "num_classes": 2}}, "task a: .* must have no classes"),
        ({"a": {"kind": "binary", "weight": 2}}, "task a: .*unexpected keyword argument 'weight'"),
        ({"a": {}}, "task a: kind must be one of .*, got ''"),
        ({"a": {"kind": "regression", "loss": "l0"}}, "task a: loss must be 'mse' or 'smooth_l1'"),
        ({"a": {"kind": "regression", "beta": 0}}, "task a: beta must be above 0, got 0"),
        ({"a": {"kind": "binary", "pos_weight": -1}}, "task a: pos_weight must be above 0, got -1"),
        ({"a": {"kind": "binary", "label_smoothing": 1}}, r"task a: label_smoothing .* \[0, 1\)"),
        (
            {"a": {"kind": "ordinal", "num_classes": 3, "method": "x"}},
            "task a: method must be 'corn' or 'coral', got 'x'",
        ),
    ],
)
def test_what_describes_no_task_is_refused(tasks, message):
    with pytest.raises(ValueError, match=message):
        MaskedMultiTaskHead(tasks, 8)
