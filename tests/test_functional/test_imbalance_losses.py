import math

import pytest
import torch
from torchvision.ops import sigmoid_focal_loss

from golden import golden
from mammography.functional.imbalance_losses import (
    asymmetric_losses,
    equalised_logits,
    label_gradients,
)
from mammography.functional.multi_task_loss import (
    binary_losses,
    binary_losses_of_log_probabilities,
)

F = torch.nn.functional


@pytest.fixture
def batch():
    torch.manual_seed(0)
    return torch.randn(200, dtype=torch.float64) * 4, (torch.rand(200) < 0.3).double()


@pytest.mark.parametrize("gamma", [0.0, 1.5, 2.0])
def test_without_margin_and_with_equal_exponents_it_is_the_focal_loss(batch, gamma):
    ours = asymmetric_losses(*batch, gamma, gamma, margin=0.0)
    torch.testing.assert_close(ours, sigmoid_focal_loss(*batch, alpha=-1, gamma=gamma))


def test_asymmetric_losses_without_alpha_agree_with_the_reference_values():
    cases = golden("05_losses")
    logits = torch.tensor(cases["inputs"]["logits"], dtype=torch.float64)
    targets = torch.tensor(cases["inputs"]["targets"], dtype=torch.float64)
    for gamma in (2.0, 0.0):
        want = cases["expected"][f"focal_torchvision_alpha-1_gamma{gamma}"]["none"]
        ours = asymmetric_losses(logits, targets, gamma, gamma, margin=0.0)
        torch.testing.assert_close(ours, torch.tensor(want, dtype=torch.float64), rtol=0, atol=1e-9)


def test_the_asymmetric_loss_is_its_formula(batch):
    logits, labels = batch
    p = torch.sigmoid(logits)
    q = (p - 0.05).clamp(min=0)
    want = torch.where(labels == 1, -((1 - p) ** 1) * p.log(), -(q**4) * (1 - q).log())
    torch.testing.assert_close(asymmetric_losses(logits, labels, 1.0, 4.0, 0.05), want)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 4.0])
def test_easy_negatives_below_the_margin_teach_nothing_and_no_gradient_is_nan(gamma):
    logits = torch.tensor([-200.0, -4.0, -2.0, 0.0, 200.0], requires_grad=True)
    losses = asymmetric_losses(logits, torch.zeros(5), 0.0, gamma, margin=0.05)
    losses.sum().backward()
    assert losses.isfinite().all()
    assert logits.grad.isfinite().all()
    assert logits.grad[:2].tolist() == [0, 0]
    assert logits.grad[2] > 0
    assert logits.grad[3] > 0


def test_gradients_in_proportion_to_the_numbers_of_images_give_the_balanced_softmax():
    """Ren et al. 2020, arXiv:2007.10740: a softmax of logits plus logarithms of counts."""
    torch.manual_seed(0)
    logits, labels = torch.randn(50, 3), torch.randint(3, (50,))
    counts = torch.tensor([900.0, 90.0, 10.0])
    ours = F.cross_entropy(equalised_logits(logits, labels, counts), labels)
    torch.testing.assert_close(ours, F.cross_entropy(logits + counts.log(), labels))


def test_equal_gradients_or_no_exponent_give_the_plain_cross_entropy():
    torch.manual_seed(0)
    logits, labels = torch.randn(50, 3), torch.randint(3, (50,))
    torch.testing.assert_close(equalised_logits(logits, labels, torch.full((3,), 7.0)), logits)
    unequal = torch.tensor([1e6, 3.0, 1e-6])
    torch.testing.assert_close(equalised_logits(logits, labels, unequal, tau=0.0), logits)


def test_factors_are_bounded_below_and_the_own_logit_stays():
    moved = equalised_logits(torch.zeros(1, 2), torch.tensor([0]), torch.tensor([1e9, 1.0]))
    assert moved[0].tolist() == pytest.approx([0.0, math.log(1e-4)])


def test_label_gradients_are_those_of_autograd():
    torch.manual_seed(0)
    logits, labels = torch.randn(40, 3, requires_grad=True), torch.randint(3, (40,))
    F.cross_entropy(logits, labels, reduction="sum").backward()
    of_labels = logits.grad.gather(1, labels[:, None])[:, 0].abs()
    want = torch.zeros(3).index_add(0, labels, of_labels)
    torch.testing.assert_close(label_gradients(logits.detach(), labels), want)
    assert label_gradients(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)).tolist() == [0] * 3


@pytest.mark.parametrize(("weight", "smoothing"), [(None, 0.0), (5.0, 0.0), (5.0, 0.1)])
def test_cross_entropy_of_log_probabilities_is_that_of_the_logits(batch, weight, smoothing):
    logits, labels = batch
    logs = torch.stack([F.logsigmoid(-logits), F.logsigmoid(logits)], dim=1)
    ours = binary_losses_of_log_probabilities(logs, labels, weight, smoothing)
    torch.testing.assert_close(ours, binary_losses(logits, labels, weight, smoothing))
