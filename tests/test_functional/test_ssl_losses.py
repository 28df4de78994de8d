import numpy as np
import pytest
import torch

from golden import golden
from mammography.functional.sinkhorn import assign_sinkhorn
from mammography.functional.ssl_losses import (
    barlow_twins_loss,
    cross_correlation,
    swapped_prediction_loss,
)


def views(rows=16, features=8, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, rows, features, generator=generator, dtype=dtype)


@pytest.mark.parametrize("weight", [0.005, 0.0051])
def test_barlow_twins_loss_and_gradients_are_the_golden_ones(weight):
    cases = golden("03_ssl_losses")
    z = [torch.tensor(cases["inputs"][name], requires_grad=True) for name in ("za", "zb")]
    loss = barlow_twins_loss(*z, redundancy_weight=weight)
    loss.backward()
    expected = cases["expected"][f"barlow_lambda{weight}"]
    np.testing.assert_allclose(loss.item(), expected["loss"], rtol=1e-5)
    np.testing.assert_allclose(z[0].grad, expected["grad_a"], atol=1e-6)
    np.testing.assert_allclose(z[1].grad, expected["grad_b"], atol=1e-6)


def test_barlow_twins_loss_is_that_of_lightly():
    from lightly.loss import BarlowTwinsLoss  # seconds to import

    z = views(rows=32)
    expected = BarlowTwinsLoss(lambda_param=0.02)(*z)
    torch.testing.assert_close(barlow_twins_loss(*z, redundancy_weight=0.02), expected)


def test_barlow_twins_gradient_is_the_numerical_one():
    z = views(rows=6, features=3, dtype=torch.float64).requires_grad_()
    torch.autograd.gradcheck(lambda z: barlow_twins_loss(z[0], z[1], 0.1), z)


def test_cross_correlation_ignores_shift_scale_and_order_of_the_images():
    a, b = views(dtype=torch.float64)
    order = torch.randperm(len(a), generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(
        cross_correlation(a, b, eps=0),
        cross_correlation(3 * a[order] - 2, 0.1 * b[order] + 5, eps=0),
    )


def test_autocast_does_not_reach_the_correlation():
    a, b = views(rows=64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = cross_correlation(a, b)
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, cross_correlation(a, b), rtol=0, atol=0)


def test_half_precision_features_are_correlated_in_single():
    a, b = (60 * views(rows=64)).half()
    torch.testing.assert_close(cross_correlation(a, b), cross_correlation(a.float(), b.float()))


def test_views_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one shape \(N, D\), got \(4, 3\) and \(4, 2\)"):
        cross_correlation(torch.ones(4, 3), torch.ones(4, 2))


def test_a_batch_of_one_image_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match="at least 2 images, got 1: set drop_last=True"):
        cross_correlation(torch.ones(1, 3), torch.ones(1, 3))


def test_swapped_prediction_loss_is_the_golden_one():
    case = golden("03_ssl_losses")["expected"]["swav_loss_T0.1"]
    scores = torch.tensor(case["high"] + case["low"])
    codes = assign_sinkhorn(scores[:2])
    loss = swapped_prediction_loss(scores, codes, (0, 1), temperature=0.1)
    np.testing.assert_allclose(loss.item(), case["loss"][0], rtol=1e-5)


def test_swapped_prediction_gradient_is_that_of_lightly():
    from lightly.loss import SwaVLoss  # seconds to import

    scores = torch.rand(5, 6, 4, generator=torch.Generator().manual_seed(4)).requires_grad_()
    loss = swapped_prediction_loss(scores, assign_sinkhorn(scores[:2]), (0, 1), 0.2)
    (ours,) = torch.autograd.grad(loss, scores)
    reference = SwaVLoss(temperature=0.2)(list(scores[:2]), list(scores[2:])).squeeze()
    torch.testing.assert_close(loss, reference)
    torch.testing.assert_close(ours, torch.autograd.grad(reference, scores)[0])


def test_a_crop_never_predicts_its_own_code():
    scores = torch.rand(3, 2, 4, generator=torch.Generator().manual_seed(5))
    codes = assign_sinkhorn(scores[1:2])
    loss = swapped_prediction_loss(scores, codes, (1,))
    other = scores.clone()
    other[1] = -scores[1]
    torch.testing.assert_close(loss, swapped_prediction_loss(other, codes, (1,)))
