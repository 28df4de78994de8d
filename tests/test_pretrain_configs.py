"""The parts of each pretraining config fit one another."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpretrain.registry import HOOKS, MODELS, TRANSFORMS
from torch.nn.modules.batchnorm import _BatchNorm

from mammography.functional.weight_transfer import transfer_state
from tiny_pretraining import CONFIG_ROOT, METHODS

CROPS = {"barlowtwins": [224, 224], "byol": [224, 224], "swav": [224] * 2 + [96] * 6}


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


@pytest.fixture
def cfg(method):
    init_default_scope("mmpretrain")
    name = f"{method}_resnet50w_2xb256-amp-coslr-100e_mammo-patch-224px.py"
    return Config.fromfile(CONFIG_ROOT / "pretrain" / name)


def test_pipeline_makes_the_crops_that_the_model_expects(method, cfg):
    steps = [TRANSFORMS.build(step) for step in cfg.train_dataloader.dataset.pipeline]
    results = {"img": np.random.default_rng(0).random((224, 224), dtype=np.float32)}
    for step in steps:
        results = step(results)
    assert [tuple(view.shape) for view in results["inputs"]] == [(1, s, s) for s in CROPS[method]]
    assert not torch.equal(results["inputs"][0], results["inputs"][1])
    expected = cfg.model.head.loss.num_crops if method == "swav" else [2]
    assert sum(expected) == len(CROPS[method])
    assert cfg.train_dataloader.drop_last


def test_inputs_reach_the_model_between_minus_one_and_one(cfg):
    preprocess = MODELS.build(cfg.model.data_preprocessor)
    views = [torch.tensor([0.0, 0.5, 1.0]).reshape(1, 1, 1, 3)] * 2
    inputs = preprocess({"inputs": views, "data_samples": None}, training=True)["inputs"]
    assert [view.flatten().tolist() for view in inputs] == [[-1, 0, 1]] * 2


def test_norms_and_biases_are_excluded_from_lars_except_in_swav(method, cfg):
    model = MODELS.build(cfg.model)
    wrapper = cfg.optim_wrapper | {"type": "OptimWrapper"}
    groups = build_optim_wrapper(model, wrapper).optimizer.param_groups
    excluded = {id(p) for g in groups if g.get("lars_exclude") for p in g["params"]}
    assert all(g["weight_decay"] == (0 if g.get("lars_exclude") else 1e-6) for g in groups)
    norms = [p for m in model.modules() if isinstance(m, _BatchNorm) for p in m.parameters()]
    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    plain = {id(p) for p in [*norms, *biases] if p.requires_grad}
    assert excluded == (set() if method == "swav" else plain)


def test_hooks_find_their_parts_of_the_model(cfg):
    model = MODELS.build(cfg.model)
    optimizer = torch.optim.SGD(model.parameters(), lr=1)
    runner = SimpleNamespace(
        model=model, epoch=0, iter=0, optim_wrapper=SimpleNamespace(optimizer=optimizer)
    )
    for hook in map(HOOKS.build, cfg.get("custom_hooks", [])):
        hook.before_train(runner)
        hook.before_train_epoch(runner)


def test_imagenet_weights_fit_the_stem_and_the_first_stage(method, cfg):
    name = f"{method}_resnet50w_in1k-pre_2xb256-amp-coslr-100e_mammo-patch-224px.py"
    other = Config.fromfile(CONFIG_ROOT / "pretrain" / name)
    hooks = other.custom_hooks
    assert [hook.type for hook in hooks if hook not in cfg.get("custom_hooks", [])] == [
        "LoadPretrainedHook"
    ]
    # Weights of a ResNet-50 as published files hold them: BYOL's target lies beside.
    resnet = MODELS.build({"type": "ResNet", "depth": 50}).state_dict()
    prefixes = ("backbone.", "target_net.module.0.") if method == "byol" else ("backbone.",)
    file = {"state_dict": {p + name: value for p in prefixes for name, value in resnet.items()}}
    backbone = MODELS.build(cfg.model.backbone).state_dict()
    options = {name: hooks[-1][name] for name in ("allow", "stem_scale")}
    state, report = transfer_state(file, backbone, **options)
    assert report.prefix == "state_dict.backbone."
    assert report.summed == ("conv1.weight",)
    assert set(state) == {n for n in backbone if n.startswith(("conv1.", "bn1.", "layer1."))}


def test_starting_weights_are_the_only_difference(method, cfg):
    name = f"{method}_resnet50w_in1k-pre_2xb256-amp-coslr-100e_mammo-patch-224px.py"
    other = Config.fromfile(CONFIG_ROOT / "pretrain" / name)
    different = {key for key in other if other[key] != cfg.get(key)}
    assert different == {"custom_hooks", "weights"}
