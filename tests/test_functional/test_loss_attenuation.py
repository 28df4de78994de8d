import math

import pytest
import torch

from golden import golden
from mammography.functional.loss_attenuation import (
    binary_log_probabilities,
    class_log_probabilities,
    fixed_noise,
    noise_std,
    noisy_logits,
)

F = torch.nn.functional


@pytest.fixture
def cases():
    return golden("04_uncertainty")["expected"]


def even_noise(count: int) -> torch.Tensor:
    """Return the mid-quantiles of the normal distribution: integration without chance."""
    return torch.special.ndtri((torch.arange(count, dtype=torch.float64) + 0.5) / count)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def test_one_logit_agrees_with_quadrature(cases):
    noise = even_noise(4_000_000)[:, None, None]
    for case in cases["binary_attenuation"]:
        samples = noisy_logits(double([[case["mu"]]]), double([[case["sigma"]]]), noise)[..., 0]
        no, yes = binary_log_probabilities(samples)[0].tolist()
        assert math.exp(yes) == pytest.approx(case["E_sigmoid"], abs=1e-8)
        assert -yes == pytest.approx(case["nll_y1"], abs=1e-8)
        assert -no == pytest.approx(case["nll_y0"], abs=1e-8)


def test_classes_agree_with_quadrature(cases):
    """By the standard error of 2^17 even points: 1e-4, where independent ones have 1e-3."""
    noise = fixed_noise(2**17, 3, seed=1).double()[:, None]
    for case in cases["softmax_attenuation"]:
        samples = noisy_logits(double([case["mu"]]), double([case["sigma"]]), noise)
        log_probabilities = class_log_probabilities(samples)[0]
        torch.testing.assert_close(
            log_probabilities.exp(), double(case["E_softmax"]), atol=1e-4, rtol=0
        )
        torch.testing.assert_close(-log_probabilities, double(case["nll"]), atol=1e-3, rtol=0)


def test_ten_samples_of_given_noise_agree_with_the_reference_values(cases):
    case = cases["fixed_noise_T10"]
    noise = double(case["eps"])
    noise = noise if len(noise) == 10 else noise.transpose(0, 1)
    samples = noisy_logits(double(case["mu"]), double(case["sigma"]), noise)
    losses = F.nll_loss(class_log_probabilities(samples), torch.tensor(case["y"]), reduction="none")
    torch.testing.assert_close(losses, double(case["per_sample_nll"]), atol=1e-12, rtol=0)
    assert losses.mean().item() == pytest.approx(case["mean"], abs=1e-12)


def test_the_mean_over_samples_is_inside_the_logarithm(cases):
    """A mean of cross-entropies is another loss and a larger one."""
    noise = even_noise(1_000_000)[:, None, None]
    for case in cases["binary_attenuation"]:
        samples = noisy_logits(double([[case["mu"]]]), double([[case["sigma"]]]), noise)[..., 0]
        ours = -binary_log_probabilities(samples)[0, 1].item()
        outside = F.softplus(-samples).mean().item()
        assert outside == pytest.approx(case["jensen_wrong_E_nll_y1"], abs=1e-6)
        if case["sigma"]:
            assert ours < outside - 0.001


def test_two_logits_of_which_one_is_zero_are_one_logit():
    torch.manual_seed(0)
    samples = torch.randn(10, 5, dtype=torch.float64) * 3
    two = torch.stack([torch.zeros_like(samples), samples], dim=-1)
    torch.testing.assert_close(class_log_probabilities(two), binary_log_probabilities(samples))


def test_noise_that_all_classes_share_changes_nothing_and_noise_of_each_does():
    torch.manual_seed(0)
    logits, std = torch.randn(4, 3), torch.full((4, 3), 2.0)
    shared = torch.randn(50, 4, 1).expand(-1, -1, 3)
    plain = logits.log_softmax(1)
    of_shared = class_log_probabilities(noisy_logits(logits, std, shared))
    torch.testing.assert_close(of_shared, plain)
    of_each = class_log_probabilities(noisy_logits(logits, std, torch.randn(50, 4, 3)))
    assert (of_each - plain).abs().max() > 0.1


def test_no_logit_is_too_large_for_its_logarithm():
    samples = torch.tensor([[3e4, -3e4], [3e4, 3e4]])
    logs = binary_log_probabilities(samples)
    assert logs[0].tolist() == [-3e4, 0.0]
    torch.testing.assert_close(logs[1], torch.full((2,), 0.5).log())


def test_half_precision_is_left_before_the_probabilities_are_averaged():
    logits, std = torch.tensor([[9.0]]).bfloat16(), torch.tensor([[1.0]]).bfloat16()
    samples = noisy_logits(logits, std, torch.randn(64, 1, 1))
    assert samples.dtype == torch.float32
    assert binary_log_probabilities(samples[..., 0].bfloat16()).dtype == torch.float32
    assert noise_std(std).dtype == torch.float32


def test_the_learned_variance_is_its_exponential_and_bounded():
    s = torch.tensor([-1e9, -1.0, 0.0, 2.0, 1e9])
    want = torch.tensor([math.exp(-5), math.exp(-0.5), 1, math.e, math.exp(5)])
    torch.testing.assert_close(noise_std(s), want)


def test_an_estimate_by_fixed_points_is_within_one_over_their_number():
    """Each stratum of the normal distribution holds one point, so the bound is no chance."""
    for count in (16, 64, 256):
        for seed in range(5):
            noise = fixed_noise(count, 1, seed)[:, 0].double()
            strata = (torch.special.ndtr(noise) * count).long()
            assert sorted(strata.tolist()) == list(range(count))
            for mean, std in ((0.5, 1.0), (-2.0, 2.0), (3.0, 30.0)):
                exact = torch.sigmoid(mean + std * even_noise(100_000)).mean()
                assert (torch.sigmoid(mean + std * noise).mean() - exact).abs() < 1 / count


def test_fixed_points_leave_the_global_generator_alone_and_follow_from_the_seed():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = fixed_noise(32, 4, seed=7)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, fixed_noise(32, 4, seed=7))
    assert not torch.equal(first, fixed_noise(32, 4, seed=8))
    assert first.isfinite().all()
    assert torch.corrcoef(first.T).fill_diagonal_(0).abs().max() < 0.35
