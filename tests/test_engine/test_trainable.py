from typing import Any

import pytest
import torch
import torchvision
from mmpretrain.models import ResNet
from torch import nn

from golden import golden
from mammography.engine.trainable import TrainableChoice, describe_trainable
from mammography.functional.batch_norm import find_norm_layers

BN_FC = TrainableChoice(freeze_types=["Conv2d"])


def trained(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def small():
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)),
        nn.Sequential(nn.Conv2d(2, 2, 3, bias=False), nn.SyncBatchNorm(2)),
        nn.Linear(2, 1),
    )


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "densenet121", "efficientnet_b4"])
def test_bn_fc_trains_what_the_reference_counts(name):
    want = golden("01b_bn_freezing_semantics")["expected"][name]
    with torch.device("meta"):  # their sizes are enough
        model = torchvision.models.get_model(name)
    assert BN_FC.apply(model) == []
    assert sum(p.numel() for p in model.parameters()) == want["total"]
    norms = find_norm_layers(model)
    affine = sum(p.numel() for norm in norms.values() for p in norm.parameters())
    assert (len(norms), affine) == (want["bn_layers"], want["bn_affine_params"])
    numbers = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert numbers == want["bn_affine_params"] + want["head_params_1000way"]
    assert describe_trainable(model).startswith(f"{numbers:,} of {want['total']:,} parameters")
    assert f"{want['bn_layers']} update, 0 keep theirs" in describe_trainable(model)


ALL = {name for name, _ in small().named_parameters()}


@pytest.mark.parametrize("row", range(8))
def test_the_two_switches_give_the_truth_table(row):
    want = golden("01b_bn_freezing_semantics")["expected"]["semantics"][row]
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(2, track_running_stats=want["track_running_stats"])
    model = nn.Sequential(norm, nn.Conv2d(2, 1, 1)).train()
    switches: dict[str, Any] = {
        "norm_affine": "train" if want["requires_grad"] else "freeze",
        "norm_statistics": "update" if want["train_mode"] else "freeze",
        "freeze_types": ["Conv2d"] if want["requires_grad"] else [],  # what else may train
    }
    choice = None
    if switches["freeze_types"] or "freeze" in switches.values():
        choice = TrainableChoice(**switches)
    if not (want["train_mode"] or want["track_running_stats"]):
        with pytest.raises(ValueError, match=r"needs running statistics, got none in 0 \(track"):
            choice.apply(model)
        return
    for layer in choice.apply(model):
        layer.eval()
    images = torch.randn(8, 2, 4, 4) * 3 + 1
    before = {name: value.clone() for name, value in model.state_dict().items()}
    normed = norm(images)
    model[1](normed).sum().backward()
    by_batch = nn.functional.batch_norm(images, None, None, training=True)
    assert torch.allclose(normed, by_batch, atol=1e-5) is want["uses_batch_stats"]
    if want["track_running_stats"]:
        moved = not torch.equal(norm.running_mean, before["0.running_mean"])
        assert moved is want["running_stats_changed"]
    assert (norm.weight.grad is not None) is want["affine_has_grad"]


STAGES = ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"]
AS_MMPRETRAIN = [
    None,
    {"norm_statistics": "freeze"},
    {"freeze_names": STAGES, "norm_statistics": "like_affine"},
    {"freeze_names": STAGES[:4], "norm_statistics": "like_affine"},
    {"freeze_names": STAGES[:2], "norm_statistics": "like_affine"},
    {"norm_affine": "freeze"},
]


@pytest.mark.parametrize("row", range(1, 6))
def test_it_does_what_options_of_mmpretrain_do(row):
    want = golden("01b_bn_freezing_semantics")["expected"]["mmpretrain_resnet18"][row]
    model = nn.ModuleDict({"backbone": ResNet(18), "head": nn.Linear(1, 1)}).train()
    choice = dict(AS_MMPRETRAIN[row])
    if "freeze_names" in choice:
        choice["freeze_names"] = [f"backbone.{name}" for name in choice["freeze_names"]]
    for layer in TrainableChoice(**choice).apply(model):
        layer.eval()
    norms = find_norm_layers(model).values()
    assert len(norms) == want["bn_total"]
    assert sum(norm.training for norm in norms) == want["bn_in_train_mode"]
    assert sum(norm.weight.requires_grad for norm in norms) == want["bn_affine_trainable"]
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert sum(c.weight.requires_grad for c in convolutions) == want["conv_trainable"]
    theirs = ResNet(18, **want["cfg"])
    theirs.train()
    assert trained(model["backbone"]) == trained(theirs)


@pytest.mark.parametrize(
    ("choice", "frozen"),
    [
        ({"freeze_types": ["BatchNorm"]}, {"0.1.weight", "0.1.bias", "1.1.weight", "1.1.bias"}),
        ({"norm_affine": "freeze"}, {"0.1.weight", "0.1.bias", "1.1.weight", "1.1.bias"}),
        (
            {"freeze_types": ["BatchNorm2d", "Linear"]},
            {"0.1.weight", "0.1.bias", "2.weight", "2.bias"},
        ),
        ({"freeze_types": ["Sequential"]}, ALL - {"2.weight", "2.bias"}),
        ({"freeze_names": [".*bias"]}, {"0.0.bias", "0.1.bias", "1.1.bias", "2.bias"}),
        ({"freeze_names": ["0"]}, {"0.0.weight", "0.0.bias", "0.1.weight", "0.1.bias"}),
        ({"freeze_names": [".*"], "train_names": ["2"]}, ALL - {"2.weight", "2.bias"}),
        ({"freeze_names": ["[01]"], "train_names": [".*1"]}, {"0.0.weight", "0.0.bias"}),
        ({"norm_affine": "freeze", "train_names": ["1.1"]}, {"0.1.weight", "0.1.bias"}),
    ],
)
def test_types_include_derived_ones_and_names_all_that_is_inside(choice, frozen):
    model = small()
    TrainableChoice(**choice).apply(model)
    assert trained(model) == ALL - frozen


def test_statistics_stay_where_weight_and_bias_are_frozen():
    model = small()
    choice = TrainableChoice(freeze_names=["0"], norm_statistics="like_affine")
    assert choice.apply(model) == [model[0][1]]
    without = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2, affine=False), nn.Linear(2, 1))
    both = [
        TrainableChoice(freeze_names=[name], norm_statistics="like_affine").apply(without)
        for name in ("0", "1")
    ]
    assert both == [[], [without[1]]]


def test_it_says_what_trains():
    model = small()
    for layer in TrainableChoice(["Conv2d"], norm_statistics="freeze").apply(model):
        layer.eval()
    assert describe_trainable(model) == (
        "11 of 67 parameters train: BatchNorm2d 4 (1 layer), Linear 3 (1 layer), "
        "SyncBatchNorm 4 (1 layer); frozen: Conv2d 56 (2 layers); "
        "statistics of batch norm: 0 update, 2 keep theirs"
    )


def test_tied_parameters_are_counted_once_and_frozen_by_any_of_their_names():
    model = small()
    model[1][1].weight = model[0][1].weight
    TrainableChoice(freeze_names=["1"]).apply(model)
    assert trained(model) == {"0.0.weight", "0.0.bias", "0.1.bias", "2.weight", "2.bias"}
    assert " of 65 parameters" in describe_trainable(model)
    with pytest.raises(ValueError, match=r"train_names must train, .* freezes 0.1.weight, or it"):
        TrainableChoice(freeze_names=["1"], train_names=["0.1"]).apply(model)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({}, "something must be frozen, got no types, no names and no batch norm"),
        ({"train_names": ["2"]}, "something must be frozen"),
        ({"freeze_types": "Conv2d"}, "freeze_types must be several strings, got 'Conv2d'"),
        ({"freeze_names": ["layer[1"]}, r"must be regular expressions, got 'layer\[1': unterm"),
        ({"norm_affine": "update"}, "norm_affine must be one of train, freeze, got 'update'"),
        ({"norm_statistics": "train"}, "one of update, freeze, like_affine, got 'train'"),
    ],
)
def test_what_is_no_choice_is_refused_at_once(choice, message):
    with pytest.raises(ValueError, match=message):
        TrainableChoice(**choice)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"freeze_types": ["Conv3d"]}, r"\(BatchNorm2d, Conv2d, Linear, SyncBatchNorm\), got 'C"),
        ({"freeze_names": ["backbon"]}, "must match names in the model, got 'backbon': there is 0"),
        ({"freeze_names": ["0.0.wieght"]}, "got '0.0.wieght': there is 0.0.weight"),
        (
            {"freeze_names": ["0"], "train_names": ["hed"]},
            "train_names must match names in the model, got 'hed'",
        ),
        ({"freeze_names": [".*"]}, "something must train, got a choice that freezes everything"),
    ],
)
def test_what_the_model_has_not_is_refused(choice, message):
    with pytest.raises(ValueError, match=message):
        TrainableChoice(**choice).apply(small())


@pytest.mark.parametrize("switch", ["norm_affine", "norm_statistics"])
def test_a_model_without_batch_norm_cannot_freeze_it(switch):
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
    with pytest.raises(ValueError, match=r"need batch norm, .* without \(LayerNorm, Linear\)"):
        TrainableChoice(**{switch: "freeze"}).apply(model)


def flat(count):
    """A network of some linear layers, two parameters each."""
    return nn.ModuleDict({f"layer{i}": nn.Linear(1, 1) for i in range(count)})


@pytest.mark.parametrize("first", [1, 24, 41])
def test_the_last_of_some_groups_of_parameters_train(first):
    model = flat(172)  # 344 tensors, as ConvNeXt-S with its head
    names = [name for name, _ in model.named_parameters()]
    assert TrainableChoice(freeze_groups=(first, 42)).apply(model) == []
    assert trained(model) == set(names[8 * first :])


def test_freezing_all_groups_freezes_everything_and_is_refused_unless_something_is_excepted():
    """System B's upto_freeze=42 of 42 froze nothing."""
    everything = {"freeze_groups": (42, 42)}
    with pytest.raises(ValueError, match="something must train, got a choice that freezes every"):
        TrainableChoice(**everything).apply(flat(172))
    model = flat(172)
    TrainableChoice(**everything, train_names=["layer171"]).apply(model)
    assert trained(model) == {"layer171.weight", "layer171.bias"}


def test_statistics_of_batch_norm_can_stand_with_the_groups_that_are_frozen():
    model = small()
    (fixed,) = TrainableChoice(freeze_groups=(1, 2), norm_statistics="like_affine").apply(model)
    assert fixed is model[0][1]
    assert trained(model) == {"1.0.weight", "1.1.weight", "1.1.bias", "2.weight", "2.bias"}


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ((43, 42), r"how many of how many groups to freeze, e\.g\. \(24, 42\), got \(43, 42\)"),
        ((-1, 42), r"got \(-1, 42\)"),
        ((0, 42), "something must be frozen"),
    ],
)
def test_groups_that_do_not_exist_or_freeze_nothing_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        TrainableChoice(freeze_groups=groups)


def test_more_groups_than_parameters_are_refused():
    with pytest.raises(ValueError, match=r"freeze_groups: the number of groups .* \(4\), got 42"):
        TrainableChoice(freeze_groups=(1, 42)).apply(flat(2))
