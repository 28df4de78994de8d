"""Transformer over the cells of a feature map, read out at a class token."""

from collections.abc import Iterable
from typing import Any

import torch
from mmengine.model import BaseModule
from mmengine.utils import to_2tuple
from mmpretrain.models.utils import resize_pos_embed
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mammography.functional.positions import Size, feature_size, pooled_grid
from mammography.models.necks.transformer_layer import TransformerLayer


@MODELS.register_module()
class TransformerNeck(BaseModule):
    """Pool a feature map to tokens, let them exchange, return the class token.

    Positions are learned on the grid that ``input_size_hw`` gives and interpolated
    for an image of any other size, so that one set of weights serves several sizes. To
    go on at another size change the pipeline and keep ``input_size_hw``: a checkpoint fits
    the grid that it was trained with, no other.
    They start at a standard deviation of 0.02, the habit of vision transformers: the
    published N(0, 1) of ``pos_std=1.0`` is larger than the pooled features that it is
    added to, so a network with a frozen backbone begins by reading noise.

    Shapes:
        Map or tuple of maps, the last one ``(N, C, H, W)``, to a tuple of one ``(N, C)``.

    Args:
        in_channels: C, also the width of the tokens.
        input_size_hw: Image size whose grid the positions are learned on.
        backbone_stride: Image pixels per cell of the map.
        pool: ``kernel_size``, ``stride`` and ``padding`` as (rows, columns) of the
            average pooling to tokens; the default makes 18 x 16 = 288 of 1792 x 1024.
        depth: Layers.
        feedforward_channels: Inner width of the feed-forward parts.
        num_heads: Attention heads.
        head_dims: Channels of a head.
        locality: Locality self-attention.
        drop_rate: Dropout of tokens, attention weights and attention output.
        ffn_drop_rate: Dropout of the feed-forward parts.
        pos_std: Standard deviation of positions and class token at the start.
        init_cfg: Initialisation of the linear layers; PyTorch's unless given.

    Raises:
        ValueError: If the map of ``input_size_hw``, or later of an image, is smaller
            than one pooling kernel.

    References:
        Dosovitskiy et al. 2021, arXiv:2010.11929; Lee, Lee & Song 2021,
        arXiv:2112.13492 (locality self-attention).

    Example:
        >>> neck = TransformerNeck(in_channels=32, input_size_hw=(512, 256))
        >>> neck.grid_hw, neck((torch.rand(2, 32, 12, 9),))[0].shape
        ((5, 4), torch.Size([2, 32]))
    """

    def __init__(
        self,
        in_channels: int = 1024,
        input_size_hw: Size = (1792, 1024),
        backbone_stride: int = 32,
        pool: dict[str, Any] | None = None,
        depth: int = 1,
        feedforward_channels: int = 1024,
        num_heads: int = 8,
        head_dims: int = 64,
        *,
        locality: bool = True,
        drop_rate: float = 0.2,
        ffn_drop_rate: float = 0.3,
        pos_std: float = 0.02,
        init_cfg: dict | list[dict] | None = None,  # type: ignore[type-arg]
    ) -> None:
        super().__init__(init_cfg)
        published = {"kernel_size": (4, 3), "stride": (3, 2), "padding": (0, 1)}
        self.pool = nn.AvgPool2d(**(published if pool is None else pool))
        self.grid_hw = self.token_grid(feature_size(input_size_hw, backbone_stride))
        self.pos_std = pos_std
        self.cls_token = nn.Parameter(torch.zeros(1, 1, in_channels))
        tokens = self.grid_hw[0] * self.grid_hw[1]
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens + 1, in_channels))
        self.drop = nn.Dropout(drop_rate)
        layers = [
            TransformerLayer(
                in_channels,
                feedforward_channels,
                ffn_drop_rate,
                num_heads=num_heads,
                head_dims=head_dims,
                locality=locality,
                attn_drop_rate=drop_rate,
                drop_rate=drop_rate,
            )
            for _ in range(depth)
        ]
        self.layers: Iterable[TransformerLayer] = nn.ModuleList(layers)  # type: ignore[assignment]
        self.norm = nn.LayerNorm(in_channels)
        self._draw_positions()

    def _draw_positions(self) -> None:
        for parameter in (self.pos_embed, self.cls_token):
            nn.init.normal_(parameter, std=self.pos_std)

    def token_grid(self, map_hw: Size) -> Size:
        """Return rows and columns of tokens that a feature map is pooled to.

        Raises:
            ValueError: If the map is smaller than one pooling kernel.
        """
        pool = self.pool
        return pooled_grid(
            map_hw, to_2tuple(pool.kernel_size), to_2tuple(pool.stride), to_2tuple(pool.padding)
        )

    def tokens(self, feats: Tensor | tuple[Tensor, ...]) -> Tensor:
        """Return the class token and the pooled cells with their positions, row by row.

        Shapes:
            Last map ``(N, C, H, W)``; returns ``(N, 1 + tokens, C)``.
        """
        x = feats[-1] if isinstance(feats, tuple) else feats
        grid = self.token_grid((x.shape[2], x.shape[3]))
        cells = self.pool(x).flatten(2).transpose(1, 2)
        positions = resize_pos_embed(self.pos_embed, self.grid_hw, grid, mode="bicubic")
        x = torch.cat([self.cls_token.expand(len(cells), -1, -1), cells], dim=1) + positions
        out: Tensor = self.drop(x)
        return out

    def forward(self, feats: Tensor | tuple[Tensor, ...]) -> tuple[Tensor]:
        """Return the class token of each image after the last layer."""
        x = self.tokens(feats)
        for layer in self.layers:
            x = layer(x)
        return (self.norm(x[:, 0]),)

    def attention_maps(self, feats: Tensor | tuple[Tensor, ...]) -> Tensor:
        """Return where each token looks in each layer, for explanation.

        Where the class token of the last layer looks, as a picture, is
        ``maps[:, -1, :, 0, 1:].unflatten(-1, neck.token_grid(feats[-1].shape[2:]))``.
        Call it in evaluation mode, otherwise dropout acts on what the layers see.

        Shapes:
            Last map ``(N, C, H, W)``; returns
            ``(N, depth, heads, 1 + tokens, 1 + tokens)``, each row sums to 1.
        """
        x, maps = self.tokens(feats), []
        for layer in self.layers:
            maps.append(layer.attn.weights(layer.norm1(x)))
            x = layer(x)
        return torch.stack(maps, dim=1)
