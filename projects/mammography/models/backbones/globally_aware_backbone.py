"""Look at the whole mammogram, and again at full size where it seems worth it."""

from typing import Any

import torch
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mammography.functional.proposals import cut_crops, place_crops, propose_windows
from mammography.functional.saliency import scale_to_unit


@MODELS.register_module()
class GloballyAwareBackbone(BaseBackbone):
    """A small network on the whole image chooses crops for a larger one.

    A 1x1 convolution makes a saliency map per class of the global network's last map. The
    maps, as probabilities and each scaled to [0, 1] by its extremes, are summed; where the
    sum is largest, ``num_crops`` windows are chosen one after the other and cut out of the
    input at full resolution. The local network sees each crop. No gradient passes through
    the choice: the saliency learns from the labels of the image alone (through the head).

    Give it to ``ImageClassifier`` without a neck, with a :class:`GloballyAwareHead`. Any
    backbone of MMPreTrain can be either network. Saliency and choice are computed in the
    precision of the weights also under autocast: bfloat16 makes ties of near windows.

    Shapes:
        ``(N, C, H, W)`` to four tensors, the rows of each in the order of the images:
        saliency as logits ``(N, num_classes, h, w)``; upper left corners of the crops
        ``(N, K, 2)`` in pixels of the input, row and column, int64; features of the crops
        ``(N, K, D)``; maxima of the global features ``(N, global_channels)``.

    Args:
        global_network: Config of a backbone whose last output is a map.
        local_network: Config of a backbone whose last output is a map, which is averaged,
            or a vector.
        num_classes: Saliency maps: tasks of the head.
        global_channels: Channels of the last map of the global network.
        crop_size_hw: Height and width of a crop in pixels of the input. The windows on the
            saliency are in proportion.
        num_crops: K.
        crop_channels: Channels that the local network takes; crops of one channel are
            repeated, e.g. 3 times for weights of colour images.
        init_cfg: Initialisation of the saliency; each network has its own.

    Raises:
        ValueError: If a number is not positive; when it is used, if the global network gives
            no such map or a crop is larger than the image.

    References:
        Shen et al. 2021, "An interpretable classifier for high-resolution breast cancer
        screening images utilizing weakly supervised localization", Medical Image Analysis
        68:101908, arXiv:2002.07613.

    Example:
        >>> model = GloballyAwareBackbone(
        ...     global_network=dict(type="PreActivationResNet"),
        ...     local_network=dict(type="mmpretrain.ResNet", depth=18, in_channels=1),
        ...     crop_size_hw=(64, 64),
        ... )
        >>> [tuple(each.shape) for each in model(torch.rand(2, 1, 384, 256))]
        [(2, 2, 6, 4), (2, 6, 2), (2, 6, 512), (2, 256)]
    """

    def __init__(
        self,
        global_network: dict[str, Any],
        local_network: dict[str, Any],
        num_classes: int = 2,
        global_channels: int = 256,
        crop_size_hw: tuple[int, int] = (256, 256),
        num_crops: int = 6,
        crop_channels: int = 1,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        height, width = crop_size_hw
        if min(num_classes, height, width, num_crops, crop_channels) < 1:
            raise ValueError(
                "GloballyAwareBackbone: num_classes, crop_size_hw, num_crops and crop_channels "
                f"must be at least 1, got {num_classes}, {(height, width)}, {num_crops} and "
                f"{crop_channels}"
            )
        self.global_network = MODELS.build(global_network)
        self.local_network = MODELS.build(local_network)
        self.saliency = nn.Conv2d(global_channels, num_classes, 1, bias=False)
        self.crop_hw = (height, width)
        self.num_crops = num_crops
        self.crop_channels = crop_channels

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return saliency, corners and features of the crops, and global features."""
        features = self._check_map(self.global_network(images)[-1])
        with torch.autocast(images.device.type, enabled=False):
            saliency = self.saliency(features.to(self.saliency.weight.dtype)).float()
            corners = self.choose_crops(saliency, (images.shape[2], images.shape[3]))
        crops = self._describe(cut_crops(images, corners, self.crop_hw))
        return saliency, corners, crops, features.amax((2, 3))

    @torch.no_grad()
    def choose_crops(self, saliency: Tensor, image_hw: tuple[int, int]) -> Tensor:
        """Return the corners of the crops ``(N, K, 2)`` that a saliency asks for.

        Args:
            saliency: Logits ``(N, num_classes, h, w)``.
            image_hw: Height and width of the images.
        """
        map_hw = (saliency.shape[2], saliency.shape[3])
        window_hw = (
            _in_proportion(self.crop_hw[0], map_hw[0], image_hw[0]),
            _in_proportion(self.crop_hw[1], map_hw[1], image_hw[1]),
        )
        evidence = scale_to_unit(saliency.sigmoid()).sum(1)
        corners = propose_windows(evidence, window_hw, self.num_crops)
        return place_crops(corners, map_hw, image_hw, self.crop_hw)

    def _describe(self, crops: Tensor) -> Tensor:
        """Return the features of crops ``(N, K, C, h, w)`` as ``(N, K, D)``.

        The crops of an image follow each other in the batch of the local network.
        """
        batch = crops.flatten(0, 1)
        if batch.shape[1] == 1:
            batch = batch.expand(-1, self.crop_channels, -1, -1)
        features = self.local_network(batch)[-1]
        if features.ndim == 4:
            features = features.mean((2, 3))
        described: Tensor = features.unflatten(0, crops.shape[:2])
        return described

    def _check_map(self, features: Tensor) -> Tensor:
        channels = self.saliency.in_channels
        if features.ndim != 4 or features.shape[1] != channels:
            raise ValueError(
                "GloballyAwareBackbone: the last output of global_network must be of shape "
                f"(N, {channels}, h, w), got {tuple(features.shape)}: give its channels as "
                "global_channels"
            )
        return features


def _in_proportion(crop: int, of_map: int, of_image: int) -> int:
    """Return the side of a window in the map, between one pixel and the whole map."""
    return min(of_map, max(1, round(crop * of_map / of_image)))
