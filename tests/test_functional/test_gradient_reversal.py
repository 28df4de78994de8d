import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)

from golden import golden
from mammography.functional.gradient_reversal import adversarial_strength, reverse_gradient


def double(values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("strength", ["0.0", "0.25", "1.0", "2.0"])
def test_the_reversed_gradient_agrees_with_pytorch_adapt_and_tllib(strength):
    cases = golden("02_dann")
    x = double(cases["inputs"]["x"]).requires_grad_()
    (reverse_gradient(x, float(strength)) @ double(cases["inputs"]["w"])).sum().backward()
    assert torch.equal(x.grad, double(cases["expected"][f"grl_grad_lambda_{strength}"]))


def test_the_schedule_agrees_with_the_published_curve():
    expected = golden("02_dann")["expected"]
    curve = expected["lambda_schedule_gamma10"]
    ours = [adversarial_strength(p) for p in curve["p"]]
    assert ours == pytest.approx(curve["lambda_"], abs=1e-10)
    limited = expected["tllib_default_alpha1_final_lambda"]
    assert adversarial_strength(1.0, steepness=1.0) == pytest.approx(limited, abs=1e-10)


def reference_step(strength):
    """Return losses and gradients of the two-layer step of the reference values."""
    given = {
        name: double(golden("02_dann")["inputs"][name])
        for name in ("Wf", "Wc", "Wd", "xs", "xt", "ys")
    }
    weights = {name: given[name].requires_grad_() for name in ("Wf", "Wc", "Wd")}
    source, target = (torch.tanh(given[name] @ weights["Wf"]) for name in ("xs", "xt"))
    classes = F.binary_cross_entropy_with_logits((source @ weights["Wc"])[:, 0], given["ys"])
    logits = [reverse_gradient(f, strength) @ weights["Wd"] for f in (source, target)]
    labels = [torch.ones_like(logits[0]), torch.zeros_like(logits[1])]
    parts = [
        F.binary_cross_entropy_with_logits(logit, label)
        for logit, label in zip(logits, labels, strict=True)
    ]
    domains = (parts[0] + parts[1]) / 2
    (classes + domains).backward()
    return {"cls_loss": classes, "domain_loss": domains} | {
        f"grad_{name}": weight.grad for name, weight in weights.items()
    }


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_a_step_of_both_players_agrees_with_the_reference_implementation(strength):
    want = golden("02_dann")["expected"][f"dann_step_lambda_{strength}"]
    ours = reference_step(strength)
    for name, value in ours.items():
        torch.testing.assert_close(value, double(want[name]), atol=1e-10, rtol=0)


def test_the_adversary_learns_the_same_at_any_strength():
    gradients = [reference_step(strength)["grad_Wd"] for strength in (0.0, 0.5, 7.0)]
    assert torch.equal(gradients[0], gradients[1])
    assert torch.equal(gradients[0], gradients[2])


def test_it_is_the_gradient_of_the_identity_written_by_hand():
    torch.manual_seed(0)
    x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    by_hand = (1 + 0.3) * x.detach() - 0.3 * x
    torch.testing.assert_close(reverse_gradient(x, 0.3), by_hand)
    (want,) = torch.autograd.grad(by_hand.sin().sum(), x)
    (ours,) = torch.autograd.grad(reverse_gradient(x, 0.3).sin().sum(), x)
    torch.testing.assert_close(ours, want)


def test_values_pass_bit_by_bit_in_every_precision():
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        x = torch.randn(4, 3).to(dtype).requires_grad_()
        out = reverse_gradient(x, 0.7)
        assert torch.equal(out, x)
        assert out.dtype == dtype
        out.float().sum().backward()
        assert x.grad.dtype == dtype


def test_autocast_changes_nothing():
    x = torch.randn(4, 3).bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = reverse_gradient(x, 1.0)
    assert out.dtype == torch.bfloat16
    assert torch.equal(out, x)


def test_features_that_need_no_gradient_may_pass():
    assert not reverse_gradient(torch.ones(2), 1.0).requires_grad


def test_the_limit_scales_the_curve():
    assert adversarial_strength(0.0, 0.3) == 0.0
    assert adversarial_strength(0.2, 0.3) == pytest.approx(0.3 * adversarial_strength(0.2))
    assert adversarial_strength(1.0, steepness=1e6) == 1.0


@pytest.mark.parametrize("progress", [-0.1, 1.1, float("nan")])
def test_progress_is_a_share(progress):
    with pytest.raises(ValueError, match="progress must be from 0 to 1"):
        adversarial_strength(progress)
