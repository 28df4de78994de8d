"""The configs of the patch classifier: what each stage trains, and what the images become."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmpretrain.registry import MODELS, TRANSFORMS
from torch import nn
from torchvision.models import resnet50, vgg16

import mammography.plugin  # noqa: F401
from mammography.engine.training_stages import read_stages

CONFIGS = Path(__file__).parents[1] / "configs"
PUBLISHED = sorted((CONFIGS / "patch_to_whole").glob("*px.py"))
PUBLISHED = [path for path in PUBLISHED if "-patch-224px" in path.name]
RESNETS = [path for path in PUBLISHED if path.name.startswith("resnet50")]
(VGG,) = [path for path in PUBLISHED if path.name.startswith("vgg16")]


def stages_of(cfg):
    (hook,) = [hook for hook in cfg.custom_hooks if hook["type"] == "StagedTrainingHook"]
    return read_stages(hook["stages"], "update")


def trained_by_stage(path):
    cfg, trained = Config.fromfile(path), []
    for stage in stages_of(cfg):
        model = MODELS.build(cfg.model)
        stage.apply(model)
        trained.append(sum(p.numel() for p in model.parameters() if p.requires_grad))
    return trained


def size(*parts):
    return sum(p.numel() for part in parts for p in part.parameters())


@pytest.mark.parametrize("path", RESNETS, ids=lambda p: p.stem)
def test_stages_train_the_head_then_the_last_block_too_then_everything(path):
    """As many parameters as torchvision's ResNet-50 has there, less two channels of the stem."""
    reference = resnet50(num_classes=5)
    head, whole = size(reference.fc), size(reference) - 2 * 64 * 7 * 7
    assert trained_by_stage(path) == [head, head + size(reference.layer4[2]), whole]


def test_stages_of_the_vgg_train_the_head_then_its_last_three_convolutions_too():
    convolutions = [m for m in vgg16().features if isinstance(m, nn.Conv2d)]
    head, whole = 5 * 512 + 5, size(*convolutions) - 2 * 64 * 3 * 3
    assert trained_by_stage(VGG) == [head, head + size(*convolutions[-3:]), head + whole]


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda p: p.stem)
def test_rates_and_epochs_are_the_published_ones(path):
    stages = stages_of(Config.fromfile(path))
    assert [stage.epochs for stage in stages] == [3, 10, 100 if "cbis-s-" in path.name else 37]
    assert [stage.lr for stage in stages] == [1e-3, 1e-4, 1e-5]
    assert [stage.weight_decay for stage in stages] == [1e-4, 1e-4, 0.0]


@pytest.mark.parametrize("name", ["lesion-patch_224", "demo-lesion-patch_96"])
def test_augmentation_reaches_the_published_limits_and_keeps_to_them(name):
    cfg = Config.fromfile(CONFIGS / f"_base_/datasets/pipelines/{name}.py")
    warp, brightness = (TRANSFORMS.build(cfg.train_pipeline[i]) for i in (1, 2))
    drawn = [warp.ranges.draw(np.random.default_rng(i), (224, 224)) for i in range(2000)]
    turned = np.array([p.rotation_deg for p in drawn])
    upside_down = turned > 90
    assert 0.45 < upside_down.mean() < 0.55
    assert 0.45 < np.mean([p.flip for p in drawn]) < 0.55
    turned = np.where(upside_down, turned - 180, turned)
    sheared = np.array([p.shear_deg for p in drawn])
    zoomed = np.array([p.zoom for p in drawn])
    grey = np.full((2, 2), 0.5, np.float32)
    factors = np.array([brightness({"img": grey})["img"][0, 0] / 0.5 for _ in range(2000)])
    for values, low, high in (
        (turned, -25, 25),
        (sheared, -12, 12),
        (zoomed, 0.8, 1.2),
        (factors, 0.8, 1.2),
    ):
        room = 0.02 * (high - low)
        assert low - 1e-6 <= values.min() < low + room
        assert high - room < values.max() <= high + 1e-6


def test_a_test_patch_reaches_the_network_as_it_was_cut():
    image = np.random.default_rng(0).random((224, 224), dtype=np.float32)
    cfg = Config.fromfile(CONFIGS / "_base_/datasets/pipelines/lesion-patch_224.py")
    resized = TRANSFORMS.build(cfg.test_pipeline[1])({"img": image.copy()})
    assert np.array_equal(resized["img"], image)
