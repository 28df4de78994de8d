"""The published self-supervised models on a tiny backbone and invented patches."""

from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.dist import is_distributed
from mmengine.logging import MessageHub
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor
from torch.utils.data import Dataset

import mammography.engine.hooks.freeze_parameters_hook
import mammography.engine.hooks.swav_queue_hook
import mammography.models.heads.cross_correlation_head
import mammography.models.losses.global_swav_loss  # noqa: F401 (registered)
from ssl_cases import share

CONFIG_ROOT = Path(__file__).parents[1] / "configs"
METHODS = ("barlowtwins", "byol", "swav")


def tiny_model(method: str, norm: str = "SyncBN", queue_length: int = 0) -> ConfigDict:
    """Config of a method's base model with a ResNet-18 of eight channels."""
    model = Config.fromfile(CONFIG_ROOT / "_base_" / "models" / f"{method}_resnet50w.py").model
    norm_cfg = {"type": norm} | ({"num_groups": 4} if norm == "GN" else {})
    model.backbone = ConfigDict(
        type="ResNet", depth=18, in_channels=1, stem_channels=8, base_channels=8, norm_cfg=norm_cfg
    )
    model.neck.update(in_channels=64, hid_channels=32, out_channels=16, norm_cfg=norm_cfg)
    if method == "byol":
        model.head.predictor.update(
            in_channels=16, hid_channels=32, out_channels=16, norm_cfg=norm_cfg
        )
    if method == "swav":
        model.head.loss.update(
            feat_dim=16, num_prototypes=8, num_crops=[2, 2], queue_length=queue_length
        )
    return model


class Patches(Dataset[dict[str, Any]]):
    """Blurred noise; views differ by fresh noise, small crops are cut from them.

    Args:
        method: With ``swav``, two small crops follow the two views.
        length: Number of patches.
        size: Height and width of the large views in pixels.
    """

    def __init__(self, method: str, length: int = 16, size: int = 64) -> None:
        generator = torch.Generator().manual_seed(0)
        coarse = torch.rand(length, 1, 8, 8, generator=generator)
        self.patches = torch.nn.functional.interpolate(coarse, size=size, mode="bilinear")
        self.small_crops = method == "swav"

    def __len__(self) -> int:
        """Number of patches."""
        return len(self.patches)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return the views of a patch, the same ones each time."""
        return {"inputs": self.views(self.patches[index], seed=index), "data_samples": DataSample()}

    def views(self, patches: Tensor, seed: int) -> list[Tensor]:
        """Return the views of one patch or of a batch of them."""
        generator = torch.Generator().manual_seed(seed)
        views = [
            (patches + 0.05 * torch.randn(patches.shape, generator=generator)).clamp(0, 1)
            for _ in range(2)
        ]
        half = patches.shape[-1] // 2
        return views + [view[..., :half, :half] for view in views if self.small_crops]


def train_together() -> dict[str, dict[str, Tensor]]:
    """Train each method for four steps on 8 patches of all processes; return the weights.

    Group norm keeps the patches of a batch apart, as SyncBN needs a GPU.
    """
    init_default_scope("mmpretrain")
    MessageHub.get_current_instance().update_info("max_iters", 4)
    return {method: _train_together(method) for method in METHODS}


def _train_together(method: str) -> dict[str, Tensor]:
    torch.manual_seed(0)
    model = MODELS.build(tiny_model(method, norm="GN", queue_length=11)).train().double()
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9))
    alone = not is_distributed()
    wrapped = model if alone else MMDistributedDataParallel(model, broadcast_buffers=False)
    data = Patches(method, length=8, size=32)
    for step in range(4):
        views = [share(view).double() for view in data.views(data.patches, seed=step)]
        optimizer.update_params(wrapped(views, mode="loss")["loss"])
    return dict(model.state_dict())
