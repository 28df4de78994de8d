import pytest
import torch

from golden import golden
from mammography.functional.multi_task_loss import (
    binary_losses,
    mean_over_processes,
    uncertainty_weighted,
)


@pytest.fixture
def case():
    cases = golden("05_losses")
    inputs = cases["inputs"]
    logits = torch.tensor(inputs["logits"], dtype=torch.float64)
    return logits, torch.tensor(inputs["targets"], dtype=torch.float64), cases["expected"]


def test_positive_weights_agree_with_the_reference_values(case):
    logits, targets, expected = case
    want = expected["bce_pos_weight"]
    for column, weight in enumerate(want["pos_weight"]):
        ours = binary_losses(logits[:, column], targets[:, column], pos_weight=weight)
        theirs = torch.tensor(want["none"], dtype=torch.float64)[:, column]
        torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-9)


def test_smoothed_labels_agree_with_the_reference_values(case):
    logits, targets, expected = case
    ours = binary_losses(logits, targets, label_smoothing=0.1)
    theirs = torch.tensor(expected["label_smoothing_bce_eps0.1_halfeps"]["none"])
    torch.testing.assert_close(ours, theirs.double(), atol=1e-6, rtol=1e-6)


def test_the_mean_over_observed_labels_agrees_with_the_reference_values(case):
    logits, _, expected = case
    want = expected["masked_bce"]
    targets = torch.tensor(
        [[float(t) for t in row] for row in want["targets"]], dtype=torch.float64
    )
    logits.requires_grad_()
    means = []
    for column in range(3):
        seen = ~targets[:, column].isnan()
        losses = binary_losses(logits[seen, column], targets[seen, column])
        means.append(mean_over_processes(losses, seen.sum()))
    assert [m.item() for m in means] == pytest.approx(want["per_task_mean_over_observed"], abs=1e-9)
    torch.stack(means).mean().backward()
    grad = torch.tensor(want["grad_of_mean_of_task_means"], dtype=torch.float64)
    torch.testing.assert_close(logits.grad, grad, atol=1e-9, rtol=1e-9)


def test_the_mean_of_the_shares_is_the_mean_over_all():
    losses = torch.arange(1.0, 8.0)
    for cut in range(8):
        total = torch.tensor(7.0)
        shares = [mean_over_processes(part, total, 2) for part in (losses[:cut], losses[cut:])]
        torch.testing.assert_close(torch.stack(shares).mean(), losses.mean())


def test_no_label_at_all_gives_a_zero_on_the_graph():
    logits = torch.randn(3, requires_grad=True)
    loss = mean_over_processes(logits[torch.tensor([], dtype=torch.long)], torch.tensor(0.0), 2)
    loss.backward()
    assert loss == 0
    assert torch.equal(logits.grad, torch.zeros(3))


def test_learned_weights_agree_with_the_reference_values():
    want = golden("05_losses")["expected"]["kendall2018"]
    log_variances = torch.tensor(want["log_var"], dtype=torch.float64, requires_grad=True)
    terms = [
        uncertainty_weighted(
            torch.tensor(loss), s, torch.tensor(1.0), regression=bool(is_regression)
        )
        for loss, s, is_regression in zip(
            want["task_losses"], log_variances, want["is_regression"], strict=True
        )
    ]
    torch.stack(terms).sum().backward()
    assert sum(terms).item() == pytest.approx(want["total"], abs=1e-7)
    assert log_variances.grad.tolist() == pytest.approx(want["grad_log_var"], abs=1e-7)


def test_a_task_without_labels_does_not_move_its_learned_weight():
    s = torch.tensor(0.7, requires_grad=True)
    uncertainty_weighted(torch.tensor(0.0), s, torch.tensor(0.0)).backward()
    assert s.grad == 0
