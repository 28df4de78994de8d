import pytest
import torch
from torch import nn

from golden import golden
from mammography.models.necks.transformer_neck import TransformerNeck


@pytest.fixture
def neck():
    torch.manual_seed(0)
    neck = TransformerNeck(
        16, input_size_hw=(512, 256), depth=2, num_heads=2, head_dims=4, pos_std=1.0
    )
    return neck.eval()


def test_has_the_published_number_of_parameters_with_five_outputs():
    model = nn.Sequential(TransformerNeck(), nn.Linear(1024, 5))
    assert sum(p.numel() for p in model.parameters()) == 4_505_613


@pytest.mark.parametrize(
    ("size", "pool", "tokens"),
    [
        ((500, 500), {"kernel_size": 2, "stride": 1}, 225),
        ((896, 512), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}, 210),
        ((512, 512), {"kernel_size": 2, "stride": 1}, 225),
    ],
)
def test_other_published_sizes_need_no_preset(size, pool, tokens):
    neck = TransformerNeck(8, input_size_hw=size, pool=pool, head_dims=2)
    assert neck.pos_embed.shape == (1, tokens + 1, 8)
    height, width = (-(-side // 32) for side in size)
    assert neck.tokens(torch.rand(1, 8, height, width)).shape == (1, tokens + 1, 8)


def test_positions_for_another_size_agree_with_the_reference_values():
    want = golden("08_mil_transformer")["expected"]["pos_embed"]
    (rows, columns), source = want["src_shape"], torch.tensor(want["src"])
    neck = TransformerNeck(
        source.shape[2],
        input_size_hw=(32 * rows, 32 * columns),
        pool={"kernel_size": 1},
        num_heads=1,
        head_dims=2,
    ).eval()
    neck.pos_embed.data = source
    neck.cls_token.data.zero_()
    for shape, name in ((want["dst_shape"], "mmpretrain_bicubic"), ((rows, columns), "src")):
        ours = neck.tokens(torch.zeros(1, source.shape[2], *shape))
        torch.testing.assert_close(ours, torch.tensor(want[name]), atol=1e-5, rtol=1e-5)


def test_tokens_are_the_pooled_cells_row_by_row(neck):
    x = torch.rand(2, 16, 16, 8)
    neck.pos_embed.data.zero_()
    tokens = neck.tokens((x,))
    pooled = nn.functional.avg_pool2d(x, (4, 3), (3, 2), (0, 1))
    torch.testing.assert_close(tokens[:, 1 + 4 * 2 + 3], pooled[:, :, 2, 3])
    torch.testing.assert_close(tokens[:, 0], neck.cls_token[0].expand(2, -1))


def test_a_smaller_image_does_not_take_a_prefix_of_the_positions(neck):
    """Its positions cover the whole grid: the last one lies near the last one."""
    neck.pos_embed.data = torch.linspace(0, 1, 21)[None, :, None].expand(1, 21, 16).contiguous()
    positions = neck.tokens(torch.zeros(1, 16, 10, 4))[0, 1:, 0]
    assert len(positions) == 3 * 2
    assert positions[-1] > 0.85


def test_each_image_of_a_batch_is_alone(neck):
    x = torch.rand(3, 16, 14, 9)
    (together,) = neck(x)
    alone = torch.cat([neck(one[None])[0] for one in x])
    torch.testing.assert_close(together, alone)


def test_where_a_lesion_lies_matters_by_the_positions_alone(neck):
    x = torch.zeros(1, 16, 16, 8)
    x[:, :, 2:5, 1:4] = 9 * torch.rand(16, 1, 1)
    mirrored = x.flip(2)
    (here,), (there,) = neck(x), neck(mirrored)
    assert (here - there).abs().max() > 1e-4
    neck.pos_embed.data.zero_()
    torch.testing.assert_close(neck(x), neck(mirrored))


def test_attention_maps_explain_what_the_forward_pass_did(neck):
    x = torch.rand(2, 16, 16, 8)
    maps = neck.attention_maps((x,))
    assert maps.shape == (2, 2, 2, 21, 21)
    torch.testing.assert_close(maps.sum(-1), torch.ones(2, 2, 2, 21))
    assert (maps.diagonal(dim1=-2, dim2=-1) == 0).all()
    tokens = neck.tokens(x)
    for layer, weights in zip(neck.layers, maps.unbind(1), strict=True):
        attention = layer.attn
        values = attention.qkv(layer.norm1(tokens))[..., 16:].unflatten(-1, (2, 4))
        mixed = (weights @ values.transpose(1, 2)).transpose(1, 2).flatten(2)
        tokens = tokens + attention.proj(mixed)
        tokens = tokens + layer.ffn(tokens)
    torch.testing.assert_close(neck.norm(tokens[:, 0]), neck(x)[0])


def test_mixed_precision_stays_finite_with_gradients():
    torch.manual_seed(0)
    neck = TransformerNeck(32, input_size_hw=(512, 256), head_dims=8)
    x = (50 * torch.rand(2, 32, 16, 8)).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        (out,) = neck((x,))
    out.float().square().sum().backward()
    assert torch.isfinite(x.grad).all()
    assert all(torch.isfinite(p.grad).all() for p in neck.parameters())


def test_every_parameter_learns(neck):
    neck.train()
    neck(torch.rand(2, 16, 16, 8))[0].square().sum().backward()
    assert not [n for n, p in neck.named_parameters() if p.grad is None or not p.grad.any()]


def test_the_published_positions_are_louder_than_the_usual():
    torch.manual_seed(0)
    assert TransformerNeck(64).pos_embed.std().item() == pytest.approx(0.02, rel=0.05)
    assert TransformerNeck(64, pos_std=1.0).pos_embed.std().item() == pytest.approx(1, rel=0.05)


def test_an_image_too_small_for_one_token_is_refused():
    with pytest.raises(ValueError, match="must hold one kernel"):
        TransformerNeck(8, input_size_hw=(96, 256))
    neck = TransformerNeck(8, input_size_hw=(256, 256), head_dims=2)
    with pytest.raises(ValueError, match=r"must hold one kernel of \(4, 3\), got \(2, 8\)"):
        neck(torch.rand(1, 8, 2, 8))
