import torch

from golden import golden
from mammography.models.layers.gated_attention import GatedAttention


def test_agrees_with_the_reference_values():
    cases = golden("08_mil_transformer")
    given = {name: torch.tensor(value) for name, value in cases["inputs"].items()}
    attention = GatedAttention(6, 4, bias=True)
    names = {"value": "V", "gate": "U", "score": "w"}
    attention.load_state_dict(
        {f"{ours}.weight": given[theirs] for ours, theirs in names.items()}
        | {f"{ours}.bias": given[f"b{theirs}"].flatten() for ours, theirs in names.items()}
    )
    pooled, weights = attention(given["H"][None])
    want = cases["expected"]["gated_attention_mil"]
    torch.testing.assert_close(weights, torch.tensor(want["A"]), atol=1e-5, rtol=0)
    torch.testing.assert_close(pooled, torch.tensor(want["Z"]), atol=1e-5, rtol=0)


def test_the_order_of_the_instances_changes_only_the_order_of_the_weights():
    torch.manual_seed(0)
    attention, bag, order = GatedAttention(8), torch.randn(3, 6, 8), torch.randperm(6)
    pooled, weights = attention(bag)
    again, reordered = attention(bag[:, order])
    torch.testing.assert_close(again, pooled)
    torch.testing.assert_close(reordered, weights[:, order])
    torch.testing.assert_close(weights.sum(1), torch.ones(3))


def test_bags_know_nothing_of_each_other_and_there_may_be_none():
    torch.manual_seed(0)
    attention, bags = GatedAttention(8), torch.randn(3, 6, 8)
    for row, pooled in enumerate(attention(bags)[0]):
        torch.testing.assert_close(attention(bags[[row]])[0][0], pooled)
    pooled, weights = attention(bags[:0])
    assert (pooled.shape, weights.shape) == ((0, 8), (0, 6))


def test_has_no_bias_as_published():
    assert sum(p.numel() for p in GatedAttention(512).parameters()) == 2 * 512 * 128 + 128
