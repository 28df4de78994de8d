import pytest
import torch

from golden import golden
from mammography.functional.entropy import entropy_parts, logit_entropy, probability_entropy
from mammography.functional.loss_attenuation import noisy_logits


def test_one_logit_has_the_entropy_of_two_classes():
    case = golden("01b_bn_freezing_semantics")["expected"]["tent_single_logit_pitfall"]
    expected = torch.tensor(case["correct_binary_entropy"])
    torch.testing.assert_close(logit_entropy(torch.tensor(case["logit"])), expected)
    torch.testing.assert_close(logit_entropy(torch.tensor(case["logit"])[:, 0]), expected)


def test_one_logit_is_two_classes_with_the_first_logit_zero_and_so_is_its_gradient():
    z = torch.linspace(-20, 20, 41, dtype=torch.float64)[:, None].requires_grad_()
    both = torch.cat([torch.zeros_like(z), z], dim=1)
    torch.testing.assert_close(logit_entropy(z), logit_entropy(both))
    ours = torch.autograd.grad(logit_entropy(z).sum(), z)[0]
    theirs = torch.autograd.grad(logit_entropy(both).sum(), z)[0]
    torch.testing.assert_close(ours, theirs)


def test_several_classes_have_the_entropy_of_their_distribution():
    logits = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    expected = torch.distributions.Categorical(logits=logits).entropy()
    torch.testing.assert_close(logit_entropy(logits), expected)
    torch.testing.assert_close(probability_entropy(logits.softmax(1)), expected)


def test_the_golden_logits_have_the_golden_entropies():
    case = golden("01_bn_statistics")["expected"]["tent_sgd_lr0.1"]
    for step in ("1_pre_update", "2"):
        logits = torch.tensor(case[f"logits_step{step}"], dtype=torch.float64)
        entropy = logit_entropy(logits).mean().item()
        assert entropy == pytest.approx(case[f"entropy{step[0]}"], abs=1e-10)


@pytest.mark.parametrize("logit", [-1e4, -200.0, 200.0, 1e4])
def test_sure_predictions_have_no_entropy_and_a_finite_gradient(logit):
    z = torch.tensor([[logit]], requires_grad=True)
    (gradient,) = torch.autograd.grad(logit_entropy(z).sum(), z)
    assert logit_entropy(z).item() == pytest.approx(0, abs=1e-30)
    assert gradient.isfinite().all()


def test_a_probability_of_zero_has_a_finite_gradient():
    p = torch.tensor([[0.0, 1.0], [0.25, 0.75]], requires_grad=True)
    (gradient,) = torch.autograd.grad(probability_entropy(p).sum(), p)
    assert gradient.isfinite().all()
    torch.testing.assert_close(gradient[1], -torch.log(p[1].detach()) - 1)


def test_the_parts_of_an_ensemble_agree_with_the_reference_values():
    case = golden("04_uncertainty")["expected"]["ensemble_decomposition"]
    probabilities = torch.tensor(case["probs_B_M_C"], dtype=torch.float64).transpose(0, 1)
    total, aleatoric, epistemic = entropy_parts(probabilities)
    for ours, name in (
        (total, "total_entropy"),
        (aleatoric, "expected_entropy"),
        (epistemic, "mutual_information"),
        (epistemic, "torch_uncertainty_MI"),
        (total, "torch_uncertainty_entropy_of_mean"),
    ):
        want = torch.tensor(case[name], dtype=torch.float64)
        torch.testing.assert_close(ours, want, atol=1e-6, rtol=0, msg=name)


def test_the_parts_over_a_noise_of_the_logit_agree_with_quadrature():
    count = 1_000_000
    noise = torch.special.ndtri((torch.arange(count, dtype=torch.float64) + 0.5) / count)
    for case in golden("04_uncertainty")["expected"]["binary_attenuation"]:
        mu, std = (torch.tensor([case[name]], dtype=torch.float64) for name in ("mu", "sigma"))
        p = torch.sigmoid(noisy_logits(mu, std, noise[:, None]))
        total, aleatoric, shared = entropy_parts(torch.stack([1 - p, p], dim=-1))
        assert total.item() == pytest.approx(case["predictive_entropy_nats"], abs=1e-6)
        assert aleatoric.item() == pytest.approx(case["expected_entropy_nats"], abs=1e-6)
        assert shared.item() == pytest.approx(case["mutual_information_nats"], abs=1e-6)


def test_predictions_that_agree_leave_nothing_epistemic():
    p = torch.rand(1, 9, 3, generator=torch.Generator().manual_seed(0)).softmax(-1)
    total, aleatoric, epistemic = entropy_parts(p.expand(7, -1, -1))
    torch.testing.assert_close(total, aleatoric)
    assert epistemic.min() >= 0
    assert epistemic.max() < 1e-6
