import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from mammography.functional.saliency import count_top, scale_to_unit, top_fraction_logits


def test_the_published_map_has_28_top_pixels():
    assert count_top(46 * 30, 0.02) == 28
    assert count_top(4, 0.02) == 1


def test_top_pooling_is_the_mean_of_the_largest_probabilities():
    torch.manual_seed(0)
    logits = 3 * torch.randn(3, 2, 46, 30, dtype=torch.float64)
    largest = logits.sigmoid().flatten(2).sort(dim=2, descending=True).values[..., :28]
    pooled = top_fraction_logits(logits, 0.02)
    torch.testing.assert_close(pooled.sigmoid(), largest.mean(2))


def test_its_loss_is_the_cross_entropy_of_the_mean_probability():
    """With the same gradient, where probabilities can still be told from 0 and 1."""
    torch.manual_seed(0)
    logits = torch.randn(4, 2, 9, 7, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(2, (4, 2)).double()
    ours = F.binary_cross_entropy_with_logits(top_fraction_logits(logits, 0.1), labels)
    (gradient,) = torch.autograd.grad(ours, logits)
    mean = logits.sigmoid().flatten(2).topk(6, dim=2).values.mean(2)
    theirs = F.binary_cross_entropy(mean, labels)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradient, torch.autograd.grad(theirs, logits)[0])


@pytest.mark.parametrize(("logit", "label"), [(-60.0, 1.0), (60.0, 0.0), (-200.0, 1.0)])
def test_a_saturated_map_still_learns(logit, label):
    """Where the published form has lost the gradient."""
    logits = torch.full((1, 1, 5, 5), logit, requires_grad=True)
    pooled = top_fraction_logits(logits, 0.2)
    F.binary_cross_entropy_with_logits(pooled, torch.tensor([[label]])).backward()
    assert logits.grad.abs().sum() == pytest.approx(1.0, rel=1e-5)
    assert logits.grad.sum().sign() == (-1 if label else 1)


def test_scaling_puts_the_extremes_of_each_map_at_0_and_1():
    torch.manual_seed(0)
    maps = torch.rand(3, 2, 5, 4)
    scaled = scale_to_unit(maps)
    assert torch.equal(scaled.amin((2, 3)), torch.zeros(3, 2))
    torch.testing.assert_close(scaled.amax((2, 3)), torch.ones(3, 2))
    torch.testing.assert_close(scaled, scale_to_unit(0.3 * maps + 2), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_flat_map_becomes_0_with_finite_gradients(value):
    maps = torch.full((1, 1, 3, 3), value, requires_grad=True)
    scaled = scale_to_unit(maps)
    scaled.sum().backward()
    assert torch.equal(scaled, torch.zeros(1, 1, 3, 3))
    assert torch.isfinite(maps.grad).all()
