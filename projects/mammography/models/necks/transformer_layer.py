"""Layer of a Transformer over tokens, with locality self-attention."""

from typing import Any

import torch
from torch import Tensor, nn

from mammography.functional.attention import attend, attention_weights


class SelfAttention(nn.Module):
    """Multi-head self-attention with an optional locality variant.

    Shapes:
        ``(N, tokens, C)`` to the same.

    Args:
        embed_dims: C.
        num_heads: Attention heads.
        head_dims: Channels of a head; heads times channels need not be C.
        locality: Each head learns its temperature and no token looks at itself. Made
            for small data sets, where plain attention stays smooth.
        attn_drop_rate: Dropout of attention weights.
        drop_rate: Dropout of the result.

    References:
        Lee, Lee & Song 2021, arXiv:2112.13492, equations 5 and 6.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int = 8,
        head_dims: int = 64,
        *,
        locality: bool = True,
        attn_drop_rate: float = 0.0,
        drop_rate: float = 0.0,
    ) -> None:
        super().__init__()
        self.num_heads, self.locality, self.attn_drop_rate = num_heads, locality, attn_drop_rate
        self.qkv = nn.Linear(embed_dims, 3 * num_heads * head_dims, bias=False)
        self.proj = nn.Linear(num_heads * head_dims, embed_dims)
        self.proj_drop = nn.Dropout(drop_rate)
        # The logarithm keeps a learned factor positive whatever the optimiser does.
        log_scale = torch.full((num_heads, 1, 1), head_dims**-0.5).log()
        self.log_scale: Tensor
        if locality:
            self.log_scale = nn.Parameter(log_scale)
        else:
            self.register_buffer("log_scale", log_scale, persistent=False)

    def _scaled_heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        return q * self.log_scale.exp().to(q.dtype), k, v

    def forward(self, x: Tensor) -> Tensor:
        """Return what each token gathers from the others."""
        q, k, v = self._scaled_heads(x)
        dropout = self.attn_drop_rate if self.training else 0.0
        mixed = attend(q, k, v, locality=self.locality, dropout=dropout)
        out: Tensor = self.proj_drop(self.proj(mixed.transpose(1, 2).flatten(2)))
        return out

    def weights(self, x: Tensor) -> Tensor:
        """Return where each token looks, ``(N, heads, tokens, tokens)``."""
        q, k, _ = self._scaled_heads(x)
        return attention_weights(q, k, locality=self.locality)


class TransformerLayer(nn.Module):
    """Pre-norm layer: attention, then two linear maps, each beside a shortcut.

    Shapes:
        ``(N, tokens, C)`` to the same.

    Args:
        embed_dims: C.
        feedforward_channels: Width between the linear maps.
        ffn_drop_rate: Dropout behind each linear map.
        attention: Arguments of :class:`SelfAttention`.
    """

    def __init__(
        self, embed_dims: int, feedforward_channels: int, ffn_drop_rate: float, **attention: Any
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(embed_dims)
        self.attn = SelfAttention(embed_dims, **attention)
        self.ffn = nn.Sequential(
            nn.LayerNorm(embed_dims),
            nn.Linear(embed_dims, feedforward_channels),
            nn.GELU(),
            nn.Dropout(ffn_drop_rate),
            nn.Linear(feedforward_channels, embed_dims),
            nn.Dropout(ffn_drop_rate),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens after one exchange."""
        x = x + self.attn(self.norm1(x))
        out: Tensor = x + self.ffn(x)
        return out
