import pytest
import torch
import torchvision
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS, MODELS
from mmpretrain.structures import DataSample

import mammography.engine.hooks.domain_norm_hook
import mammography.engine.hooks.load_pretrained_hook
import mammography.models.backbones.narrow_late_resnet
import mammography.models.layers.domain_batch_norm  # noqa: F401

NARROW = ("layer2.*", "layer3.*", "layer4.*", "fc.*")


IMAGES = [
    {"inputs": torch.rand(1, 32, 32), "data_samples": DataSample().set_gt_label(label)}
    for label in range(2)
]
VIEWS = [{"inputs": [torch.rand(1, 32, 32)] * 2, "data_samples": DataSample()} for _ in range(2)]


class Probe(Hook):
    """Keeps what the model holds when the first step begins."""

    priority = "VERY_LOW"
    seen = None

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if self.seen is None:
            self.seen = {k: v.clone() for k, v in runner.model.state_dict().items()}


def preprocessor(kind: str) -> dict:
    return {"type": kind, "mean": [0.5], "std": [0.5], "to_rgb": False}


def classifier(backbone: dict) -> dict:
    return {
        "type": "ImageClassifier",
        "data_preprocessor": preprocessor("ClsDataPreprocessor"),
        "backbone": backbone,
        "neck": {"type": "GlobalAveragePooling"},
        "head": {
            "type": "LinearClsHead",
            "num_classes": 2,
            "in_channels": 1024 if backbone["type"] == "NarrowLateResNet" else 512,
            "loss": {"type": "CrossEntropyLoss"},
        },
    }


RESNET18 = {"type": "ResNet", "depth": 18, "in_channels": 1}
NECK = {
    "type": "NonLinearNeck",
    "in_channels": 512,
    "hid_channels": 16,
    "out_channels": 8,
    "norm_cfg": {"type": "BN1d"},
}
SELF_SUPERVISED = {
    "BarlowTwins": {
        "neck": NECK,
        "head": {
            "type": "LatentCrossCorrelationHead",
            "in_channels": 8,
            "loss": {"type": "CrossCorrelationLoss"},
        },
    },
    "BYOL": {
        "neck": NECK,
        "head": {
            "type": "LatentPredictHead",
            "predictor": NECK | {"in_channels": 8, "with_avg_pool": False},
            "loss": {"type": "CosineSimilarityLoss"},
        },
    },
    "SwAV": {
        "neck": {
            "type": "SwAVNeck",
            "in_channels": 512,
            "hid_channels": 16,
            "out_channels": 8,
            "norm_cfg": {"type": "BN1d"},
        },
        "head": {
            "type": "SwAVHead",
            "loss": {
                "type": "SwAVLoss",
                "feat_dim": 8,
                "num_prototypes": 4,
                "num_crops": [2, 0],
                "temperature": 0.1,
            },
        },
    },
}


def self_supervisor(kind: str) -> dict:
    return {
        "type": kind,
        "data_preprocessor": preprocessor("SelfSupDataPreprocessor"),
        "backbone": RESNET18,
        **SELF_SUPERVISED[kind],
    }


def train(model: dict, hook: dict, work_dir, dataset=IMAGES, **kwargs) -> dict:
    """Train a step or more; return what the model held when the first one began."""
    probe = Probe()
    runner = Runner(
        model=MODELS.build(model),
        work_dir=str(work_dir),
        train_dataloader={
            "batch_size": 2,
            "dataset": dataset,
            "sampler": {"type": "DefaultSampler", "shuffle": False},
            "collate_fn": {"type": "default_collate"},
        },
        train_cfg={"by_epoch": True, "max_epochs": kwargs.pop("epochs", 1)},
        optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.1}},
        custom_hooks=[
            probe,
            HOOKS.build({"type": "LoadPretrainedHook", **hook}),
            *kwargs.pop("hooks", ()),
        ],
        default_scope="mmpretrain",
        experiment_name=f"{work_dir.name}_{torch.rand(1).item()}",
        **kwargs,
    )
    runner.train()
    return probe.seen


def backbone_of(state: dict) -> dict:
    return {k[9:]: v for k, v in state.items() if k.startswith("backbone.")}


@pytest.fixture
def resnet18(tmp_path):
    """A file of MMPreTrain with weights of a ResNet-18 that no initialisation gives."""
    state = MODELS.build(RESNET18 | {"in_channels": 3}).state_dict()
    state = {k: torch.rand_like(v) if v.is_floating_point() else v for k, v in state.items()}
    file = {"meta": {}, "state_dict": {f"backbone.{k}": v for k, v in state.items()}}
    torch.save(file, tmp_path / "resnet18.pth")
    return str(tmp_path / "resnet18.pth"), state


def assert_backbone_is(seen: dict, state: dict) -> None:
    ours = backbone_of(seen)
    assert set(ours) == set(state)
    for name, tensor in state.items():
        want = tensor.sum(1, keepdim=True) if name == "conv1.weight" else tensor
        torch.testing.assert_close(ours[name], want, rtol=0, atol=0)


def test_a_classifier_begins_with_the_loaded_weights(resnet18, tmp_path):
    file, state = resnet18
    seen = train(classifier(RESNET18), {"checkpoint": file}, tmp_path / "run")
    assert_backbone_is(seen, state)


@pytest.mark.parametrize("method", SELF_SUPERVISED)
def test_self_supervision_begins_with_the_loaded_weights(method, resnet18, tmp_path):
    file, state = resnet18
    seen = train(self_supervisor(method), {"checkpoint": file}, tmp_path / "run", VIEWS)
    assert_backbone_is(seen, state)


@pytest.mark.parametrize("method", SELF_SUPERVISED)
def test_a_classifier_begins_with_what_self_supervision_saved(method, resnet18, tmp_path):
    train(self_supervisor(method), {"checkpoint": resnet18[0]}, tmp_path / "pretrain", VIEWS)
    saved = tmp_path / "pretrain" / "epoch_1.pth"
    seen = train(classifier(RESNET18), {"checkpoint": str(saved)}, tmp_path / "finetune")
    want = backbone_of(torch.load(saved, weights_only=False)["state_dict"])
    for name, tensor in want.items():
        assert torch.equal(seen[f"backbone.{name}"], tensor), name


def test_the_averaged_branch_of_byol_begins_with_the_loaded_weights(resnet18, tmp_path):
    train(self_supervisor("BYOL"), {"checkpoint": resnet18[0]}, tmp_path / "run", VIEWS)
    saved = torch.load(tmp_path / "run" / "epoch_1.pth", weights_only=False)["state_dict"]
    # One step long the average is what the online branch held before it.
    for name in ("layer1.0.conv1.weight", "layer4.1.bn2.weight"):
        assert torch.equal(saved[f"target_net.module.0.{name}"], resnet18[1][name])


def test_a_narrow_late_resnet_takes_stem_and_first_stage_of_torchvision(tmp_path):
    torch.manual_seed(0)
    state = torchvision.models.resnet50().state_dict()
    torch.save(state, tmp_path / "resnet50.pth")
    hook = {"checkpoint": str(tmp_path / "resnet50.pth")}
    model = classifier({"type": "NarrowLateResNet"})
    with pytest.raises(ValueError, match=r"layer2\.0\.conv3\.weight \(shape \(512, 128, 1, 1\)"):
        train(model, hook, tmp_path / "refused")
    seen = backbone_of(train(model, hook | {"allow": NARROW}, tmp_path / "run"))
    assert torch.equal(seen["conv1.weight"], state["conv1.weight"].sum(1, keepdim=True))
    for name in (name for name in seen if name.startswith(("bn1.", "layer1."))):
        assert torch.equal(seen[name], state[name]), name
    assert not torch.equal(seen["layer2.0.conv1.weight"], state["layer2.0.conv1.weight"])


def test_stages_that_are_frozen_but_get_no_weights_are_refused(tmp_path):
    torch.save(torchvision.models.resnet50().state_dict(), tmp_path / "resnet50.pth")
    hook = {"checkpoint": str(tmp_path / "resnet50.pth"), "allow": NARROW}
    model = {"type": "NarrowLateResNet", "frozen_stages": 2}
    with pytest.raises(ValueError, match=r"got 39 tensors .* random, layer2\.0\.conv1"):
        train(classifier(model), hook, tmp_path / "refused")
    train(classifier(model | {"frozen_stages": 1}), hook, tmp_path / "run")


def test_says_what_it_loaded(resnet18, tmp_path):
    train(classifier(RESNET18), {"checkpoint": resnet18[0]}, tmp_path / "run")
    (log,) = (tmp_path / "run").rglob("*.log")
    assert "resnet18.pth: 120 of 120 tensors loaded from names that begin with" in log.read_text()


def test_a_resumed_run_keeps_its_own_weights(resnet18, tmp_path):
    hook = {"checkpoint": resnet18[0]}
    train(classifier(RESNET18), hook, tmp_path / "run")
    saved = torch.load(tmp_path / "run" / "epoch_1.pth", weights_only=False)["state_dict"]
    seen = train(classifier(RESNET18), hook, tmp_path / "run", resume=True, epochs=2)
    assert all(torch.equal(seen[name], tensor) for name, tensor in saved.items())


def test_a_run_that_finds_nothing_to_resume_loads(resnet18, tmp_path):
    hook = {"checkpoint": resnet18[0]}
    seen = train(classifier(RESNET18), hook, tmp_path / "run", resume=True)
    assert_backbone_is(seen, resnet18[1])


def test_two_sources_of_weights_are_refused(resnet18, tmp_path):
    with pytest.raises(ValueError, match="would replace a part of what load_from loaded"):
        train(
            classifier(RESNET18),
            {"checkpoint": resnet18[0]},
            tmp_path / "run",
            load_from=resnet18[0],
        )


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"must be a file or an address, got nowhere\.pth"):
        train(classifier(RESNET18), {"checkpoint": "nowhere.pth"}, tmp_path / "run")


def test_a_pattern_instead_of_several_is_refused():
    with pytest.raises(ValueError, match="allow must be several patterns"):
        HOOKS.build({"type": "LoadPretrainedHook", "checkpoint": "x.pth", "allow": "fc.*"})


def test_plain_batch_norms_go_to_every_domain_and_those_of_domains_to_their_own(tmp_path):
    """MMCV finds the layer in the scope of MMPreTrain."""
    init_default_scope("mmpretrain")
    per_domain = classifier(RESNET18 | {"norm_cfg": {"type": "DomainBN"}})
    plain, apart = MODELS.build(classifier(RESNET18)), MODELS.build(per_domain)
    for model in (plain, apart):
        for index, statistic in enumerate(model.state_dict().values()):
            statistic.add_(index)
        torch.save(model.state_dict(), tmp_path / f"{model is plain}.pth")
    hook = {"type": "LoadPretrainedHook", "module": ""}
    source = {"type": "DomainNormHook", "domain": "source", "when": ("train",)}
    seen = train(
        per_domain,
        hook | {"checkpoint": str(tmp_path / "True.pth")},
        tmp_path / "a",
        hooks=[source],
    )
    for domain in ("source", "target"):
        for name in ("weight", "running_mean", "num_batches_tracked"):
            ours = seen[f"backbone.layer4.1.bn2.domains.{domain}.{name}"]
            assert torch.equal(ours, plain.state_dict()[f"backbone.layer4.1.bn2.{name}"])
    seen = train(
        per_domain,
        hook | {"checkpoint": str(tmp_path / "False.pth")},
        tmp_path / "b",
        hooks=[source],
    )
    name = "backbone.bn1.domains.{}.running_mean"
    assert all(torch.equal(seen[name], each) for name, each in apart.state_dict().items())
    assert not torch.equal(seen[name.format("source")], seen[name.format("target")])


def test_weights_of_a_published_layout_are_renamed_and_what_was_left_out_is_told(tmp_path):
    file = {}
    for name, value in torchvision.models.resnet18().state_dict().items():
        stem, _, rest = name.partition(".")
        stage = stem.startswith("layer")
        file[f"_model.{stem}_{rest}" if stage else f"_model.downsampler.{name}"] = value
    file = {name: value for name, value in file.items() if ".fc." not in name}
    file["_model.fc.bias"] = torch.ones(2)
    torch.save(file, tmp_path / "mirai.pt")
    model = classifier(RESNET18)
    hook = {"checkpoint": str(tmp_path / "mirai.pt"), "layout": "mirai_resnet"}
    seen = backbone_of(train(model, hook, tmp_path))
    assert torch.equal(seen["layer4.1.conv2.weight"], file["_model.layer4_1.conv2.weight"])
    (log,) = tmp_path.glob("*/*.log")
    assert "last layers left out: _model.fc.bias" in log.read_text()
    with pytest.raises(ValueError, match=r"layout must be one of timm_convnext, .* got 'mirai'"):
        HOOKS.build({"type": "LoadPretrainedHook", **hook, "layout": "mirai"})
