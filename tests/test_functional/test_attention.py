import pytest
import torch
from torch import nn

from mammography.functional.attention import attend, attention_weights


@pytest.fixture
def heads():
    torch.manual_seed(0)
    return [torch.randn(2, 3, 7, 4) for _ in range(3)]


@pytest.mark.parametrize("locality", [False, True])
def test_mixing_by_the_weights_is_attention(heads, locality):
    q, k, v = heads
    mixed = attention_weights(q, k, locality=locality) @ v
    torch.testing.assert_close(attend(q, k, v, locality=locality, dropout=0.0), mixed)


def test_attention_agrees_with_the_multi_head_attention_of_torch():
    torch.manual_seed(0)
    reference = nn.MultiheadAttention(12, 3, bias=False, batch_first=True).eval()
    x = torch.randn(2, 7, 12)
    qkv = x @ reference.in_proj_weight.T
    q, k, v = qkv.unflatten(-1, (3, 3, 4)).permute(2, 0, 3, 1, 4)
    mixed = attend(q * 4**-0.5, k, v, locality=False, dropout=0.0)
    ours = mixed.transpose(1, 2).flatten(2) @ reference.out_proj.weight.T
    want, weights = reference(x, x, x, average_attn_weights=False)
    torch.testing.assert_close(ours, want)
    torch.testing.assert_close(attention_weights(q * 4**-0.5, k, locality=False), weights)


def test_with_locality_no_token_looks_at_itself(heads):
    q, k, _ = heads
    weights = attention_weights(q, k, locality=True)
    assert torch.equal(weights.diagonal(dim1=-2, dim2=-1), torch.zeros(2, 3, 7))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 7))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_every_precision_and_a_single_token_give_finite_results_and_gradients(dtype):
    for tokens in (1, 2, 9):
        q, k, v = (torch.randn(1, 2, tokens, 8, dtype=dtype).requires_grad_() for _ in range(3))
        out = attend(q, k, v, locality=True, dropout=0.0)
        out.float().sum().backward()
        assert out.dtype == dtype
        for tensor in (out, q.grad, k.grad, v.grad):
            assert torch.isfinite(tensor).all()


def test_a_single_token_returns_its_value(heads):
    q, k, v = (x[:, :, :1] for x in heads)
    torch.testing.assert_close(attend(q, k, v, locality=True, dropout=0.0), v)


def test_dropout_drops_weights(heads):
    q, k, v = heads
    torch.manual_seed(0)
    assert not torch.equal(
        attend(q, k, v, locality=True, dropout=0.5), attend(q, k, v, locality=True, dropout=0.0)
    )
