import pytest
import torch

from golden import golden
from mammography.models.necks.transformer_layer import SelfAttention, TransformerLayer


def test_locality_attention_agrees_with_vit_pytorch():
    """Its learned temperature is one number, ours one per head, of the same logarithm."""
    want = golden("08_mil_transformer")["expected"]["lsa_vit_pytorch"]
    state = {name: torch.tensor(value) for name, value in want["state"].items()}
    x, embed_dims = torch.tensor(want["x"]), len(state["norm.weight"])
    inner = state["to_qkv.weight"].shape[0] // 3
    head_dims = round((state["temperature"].exp() ** -2).item())
    ours = SelfAttention(embed_dims, inner // head_dims, head_dims, locality=True)
    torch.testing.assert_close(ours.log_scale[0, 0, 0], state["temperature"])
    ours.load_state_dict(
        {
            "log_scale": state["temperature"].expand(inner // head_dims, 1, 1),
            "qkv.weight": state["to_qkv.weight"],
            "proj.weight": state["to_out.0.weight"],
            "proj.bias": state["to_out.0.bias"],
        }
    )
    normed = torch.nn.functional.layer_norm(
        x, (embed_dims,), state["norm.weight"], state["norm.bias"]
    )
    torch.testing.assert_close(ours.eval()(normed), torch.tensor(want["out"]), atol=1e-5, rtol=1e-5)


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return TransformerLayer(16, 32, 0.3, num_heads=2, head_dims=4).eval()


def test_a_layer_does_not_know_the_order_of_its_tokens(layer):
    x, order = torch.randn(2, 9, 16), torch.randperm(9)
    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order])


def test_each_image_of_a_batch_is_alone(layer):
    x = torch.randn(3, 9, 16)
    torch.testing.assert_close(layer(x), torch.cat([layer(one[None]) for one in x]))


def test_every_head_learns_its_own_temperature(layer):
    layer(torch.randn(2, 9, 16)).square().sum().backward()
    grad = layer.attn.log_scale.grad.flatten()
    assert grad.shape == (2,)
    assert grad.abs().min() > 0
    assert grad[0] != grad[1]


def test_plain_attention_has_no_temperature_to_learn():
    plain = SelfAttention(16, 2, 4, locality=False)
    assert "log_scale" not in dict(plain.named_parameters())
    assert "log_scale" not in plain.state_dict()


def test_attention_drops_weights_only_while_training():
    torch.manual_seed(0)
    attention = SelfAttention(16, 2, 4, attn_drop_rate=0.5)
    x = torch.randn(1, 9, 16)
    assert not torch.equal(attention(x), attention(x))
    attention.eval()
    assert torch.equal(attention(x), attention(x))
