"""Self-attention over the tokens of one image, global or locality self-attention."""

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor


def _others(query: Tensor) -> Tensor | None:
    """Return the mask that keeps a token from looking at itself, True where it may look.

    A token that is alone has nobody else to look at: it keeps itself, since a row
    without any choice has no softmax.
    """
    count = query.shape[-2]
    if count == 1:
        return None
    return ~torch.eye(count, dtype=torch.bool, device=query.device)


def attend(query: Tensor, key: Tensor, value: Tensor, *, locality: bool, dropout: float) -> Tensor:
    """Mix the values by the softmax of the products of queries and keys.

    The queries come already scaled: scaling them first keeps the products in the
    range of 16-bit floats. The mask is boolean, so that it suits every precision.

    Shapes:
        query, key, value and the result ``(N, heads, tokens, channels)``.

    Args:
        query: Scaled queries.
        key: Keys.
        value: Values.
        locality: No token looks at itself, which sharpens the looks at the others.
        dropout: Share of the attention weights that are dropped; 0 in evaluation.

    References:
        Lee, Lee & Song 2021, arXiv:2112.13492, section 3.2.
    """
    mask = _others(query) if locality else None
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, dropout_p=dropout, scale=1.0
    )


def attention_weights(query: Tensor, key: Tensor, *, locality: bool) -> Tensor:
    """Return the weights that :func:`attend` mixes the values by, without dropout.

    Shapes:
        query, key ``(N, heads, tokens, channels)``; returns
        ``(N, heads, tokens, tokens)``: row i says where token i looks and sums to 1.
    """
    products = query @ key.transpose(-2, -1)
    mask = _others(query) if locality else None
    if mask is not None:
        products = products.masked_fill(~mask, float("-inf"))
    return products.softmax(-1)
