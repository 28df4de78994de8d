import pytest
import torch
from coral_pytorch.dataset import corn_label_from_logits, levels_from_labelbatch
from coral_pytorch.losses import coral_loss, corn_loss

from golden import golden
from mammography.functional.ordinal import (
    class_probabilities,
    coral_exceedance,
    coral_losses,
    corn_exceedance,
    corn_losses,
    exceeded_levels,
)


@pytest.fixture(params=["coral", "corn"])
def case(request):
    return request.param, golden("05_losses")["expected"][request.param]


def mean_loss(method, logits, labels):
    if method == "coral":
        return coral_losses(logits, labels).mean()
    losses, asked = corn_losses(logits, labels)
    return losses.sum() / asked.sum()


def test_loss_and_gradient_agree_with_the_reference_values(case):
    method, want = case
    logits = torch.tensor(want["logits"], requires_grad=True)
    loss = mean_loss(method, logits, torch.tensor(want["labels"]))
    loss.backward()
    assert loss.item() == pytest.approx(want.get("loss", want.get("loss_mean")), abs=1e-6)
    torch.testing.assert_close(logits.grad, torch.tensor(want["grad"]), atol=1e-7, rtol=1e-5)


def test_cumulative_probabilities_agree_with_the_reference_values():
    want = golden("05_losses")["expected"]["corn"]
    logits = torch.tensor(want["logits"])
    torch.testing.assert_close(corn_exceedance(logits), torch.tensor(want["cumulative_probs"]))
    above_half = (corn_exceedance(logits) > 0.5).sum(1)
    assert above_half.tolist() == want["pred"]


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_losses_and_gradients_agree_with_coral_pytorch(classes):
    torch.manual_seed(classes)
    labels = torch.randint(classes, (50,))
    for method in ("coral", "corn"):
        ours = torch.randn(50, classes - 1).mul(4).requires_grad_()
        theirs = ours.detach().clone().requires_grad_()
        loss = mean_loss(method, ours, labels)
        if method == "coral":
            reference = coral_loss(theirs, levels_from_labelbatch(labels, classes))
        else:
            reference = corn_loss(theirs, labels, classes)
        torch.autograd.backward([loss, reference])
        torch.testing.assert_close(loss, reference)
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_levels_agree_with_coral_pytorch():
    labels = torch.tensor([0, 3, 1, 2])
    assert torch.equal(exceeded_levels(labels, 4), levels_from_labelbatch(labels, 4))


def test_the_most_exceeded_class_agrees_with_coral_pytorch():
    torch.manual_seed(0)
    logits = torch.randn(100, 4) * 3
    assert torch.equal((corn_exceedance(logits) > 0.5).sum(1), corn_label_from_logits(logits))


@pytest.mark.parametrize("exceedance", [coral_exceedance, corn_exceedance])
def test_class_probabilities_are_probabilities_even_of_logits_out_of_order(exceedance):
    torch.manual_seed(1)
    exceeded = exceedance(torch.randn(200, 5) * 6)
    assert (exceeded.diff(dim=1) <= 0).all()
    probabilities = class_probabilities(exceeded)
    assert probabilities.shape == (200, 6)
    assert (probabilities >= 0).all()
    torch.testing.assert_close(probabilities.sum(1), torch.ones(200))


def test_coral_leaves_logits_in_order_alone():
    logits = torch.tensor([[2.0, 0.5, -1.0]])
    torch.testing.assert_close(coral_exceedance(logits), logits.sigmoid())


def test_extreme_logits_give_finite_losses_and_gradients():
    logits = torch.tensor([[1e4, -1e4, 1e4]], requires_grad=True)
    losses, _ = corn_losses(logits, torch.tensor([3]))
    (losses + coral_losses(logits, torch.tensor([3]))).sum().backward()
    assert torch.isfinite(losses).all()
    assert torch.isfinite(logits.grad).all()
