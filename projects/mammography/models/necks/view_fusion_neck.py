"""From the views of an exam to one vector, however many views there are."""

from collections.abc import Mapping, Sequence

import torch
from mmengine.model import BaseModule
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mammography.terms import Laterality, ViewPosition

Views = Sequence[Mapping[str, str | None]]
_SIDES = [side.value for side in Laterality]
_PROJECTIONS = [view.value for view in ViewPosition]


@MODELS.register_module()
class ViewFusionNeck(BaseModule):
    """Let the views of a case look at each other and read them out at a class token.

    A Transformer encoder over one token per view. Each token carries a learned code of its side
    and one of its projection; "not known" is a state of both. Any number of views is taken:
    those that a case lacks are masked out of the attention, so a case alone gives what it
    gives beside a case with more views. The order of the views does not matter.

    Shapes:
        Features ``(sum of V, C)``, case after case, to ``(N, embed_dims)``.

    Args:
        in_channels: C.
        embed_dims: Width of the tokens; C by default.
        depth: Layers.
        num_heads: Attention heads; they divide ``embed_dims``.
        feedforward_channels: Inner width of the feed-forward parts; twice ``embed_dims`` by
            default.
        drop_rate: Dropout inside the layers.
        init_cfg: Initialisation; PyTorch's unless given.

    Raises:
        ValueError: If the heads do not divide the width.

    References:
        Vaswani et al. 2017, arXiv:1706.03762; Xiong et al. 2020, arXiv:2002.04745 (norms before
        the layers).

    Example:
        >>> neck = ViewFusionNeck(in_channels=8, num_heads=2).eval()
        >>> exam = [{"laterality": "L", "view_position": view} for view in ("CC", "MLO")]
        >>> neck(torch.rand(3, 8), [exam, exam[:1]]).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        in_channels: int,
        embed_dims: int | None = None,
        depth: int = 1,
        num_heads: int = 8,
        feedforward_channels: int | None = None,
        drop_rate: float = 0.1,
        init_cfg: dict | list[dict] | None = None,  # type: ignore[type-arg]
    ) -> None:
        super().__init__(init_cfg)
        width = embed_dims or in_channels
        if width % num_heads:
            raise ValueError(
                f"ViewFusionNeck: num_heads must divide embed_dims, got {num_heads} and {width}"
            )
        self.project = nn.Linear(in_channels, width) if width != in_channels else nn.Identity()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.side_embed = nn.Embedding(len(_SIDES) + 1, width)
        self.projection_embed = nn.Embedding(len(_PROJECTIONS) + 1, width)
        for weight in (self.cls_token, self.side_embed.weight, self.projection_embed.weight):
            nn.init.normal_(weight, std=0.02)
        layer = nn.TransformerEncoderLayer(
            width,
            num_heads,
            feedforward_channels or 2 * width,
            drop_rate,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(
            layer, depth, norm=nn.LayerNorm(width), enable_nested_tensor=False
        )

    def forward(self, feats: Tensor, cases: Sequence[Views]) -> Tensor:
        """Return one vector per case.

        Args:
            feats: One vector per view, those of a case side by side.
            cases: The views of each case, each with ``laterality`` and ``view_position``.

        Raises:
            ValueError: If there are not as many vectors as views, or a case has none.
        """
        counts = [len(views) for views in cases]
        if sum(counts) != len(feats) or 0 in counts:
            raise ValueError(
                "ViewFusionNeck: there must be one feature vector per view and a view per case, "
                f"got {len(feats)} vectors for cases of {counts} views"
            )
        tokens = self.project(feats) + self._codes(cases, feats.device)
        bags = nn.utils.rnn.pad_sequence(tokens.split(counts), batch_first=True)
        size = torch.tensor(counts, device=feats.device)[:, None]
        absent = torch.arange(bags.shape[1], device=feats.device) >= size
        tokens = torch.cat([self.cls_token.expand(len(bags), -1, -1).to(bags.dtype), bags], dim=1)
        absent = nn.functional.pad(absent, (1, 0), value=False)
        out: Tensor = self.encoder(tokens, src_key_padding_mask=absent)[:, 0]
        return out

    def _codes(self, cases: Sequence[Views], device: torch.device) -> Tensor:
        views = [view for case in cases for view in case]
        sides = [_index(_SIDES, view.get("laterality")) for view in views]
        projections = [_index(_PROJECTIONS, view.get("view_position")) for view in views]
        codes: Tensor = self.side_embed(torch.tensor(sides, device=device)) + self.projection_embed(
            torch.tensor(projections, device=device)
        )
        return codes


def _index(known: list[str], value: str | None) -> int:
    """Return the place of a word; the last one stands for everything that is not known."""
    return known.index(value) if value in known else len(known)
