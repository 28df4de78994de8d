import numpy as np
import pytest
import torch

from golden import golden
from mammography.functional.sinkhorn import assign_sinkhorn


def test_codes_are_the_golden_ones():
    case = golden("03_ssl_losses")["expected"]["swav_sinkhorn_eps0.05_it3"]
    codes = assign_sinkhorn(torch.tensor(case["scores"]), epsilon=0.05, iterations=3)
    np.testing.assert_allclose(codes, case["q"], rtol=1e-4, atol=1e-6)


def test_many_iterations_reach_the_doubly_balanced_limit():
    cases = golden("03_ssl_losses")["expected"]
    scores = torch.tensor(cases["swav_sinkhorn_eps0.05_it3"]["scores"])
    codes = assign_sinkhorn(scores, epsilon=0.5, iterations=200)
    expected = cases["sinkhorn_converged_eps0.5"]
    np.testing.assert_allclose(codes, expected["q"], atol=1e-5)
    np.testing.assert_allclose(codes.sum(dim=0), expected["col_mass"], atol=1e-4)


def test_codes_are_those_of_lightly():
    from lightly.loss.swav_loss import sinkhorn as lightly_sinkhorn  # seconds to import

    scores = torch.rand(32, 10, generator=torch.Generator().manual_seed(0)) * 2 - 1
    torch.testing.assert_close(
        assign_sinkhorn(scores), lightly_sinkhorn(scores.clone()), rtol=1e-4, atol=1e-6
    )


def test_two_crops_at_once_are_each_balanced_alone():
    scores = torch.rand(2, 9, 4, generator=torch.Generator().manual_seed(1))
    together = assign_sinkhorn(scores)
    for crop in range(2):
        torch.testing.assert_close(together[crop], assign_sinkhorn(scores[crop]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_large_scores_and_an_unreachable_prototype_stay_finite(dtype):
    # exp(300 / 0.05) overflows every float type, exp(-300 / 0.05) underflows.
    scores = torch.tensor([[300.0, 299.0, -300.0], [299.0, 300.0, -300.0]], dtype=dtype)
    codes = assign_sinkhorn(scores)
    assert codes.dtype == torch.float32
    assert codes.isfinite().all()
    torch.testing.assert_close(codes.sum(dim=1), torch.ones(2))


def test_half_precision_scores_give_the_codes_of_the_same_scores_in_single():
    scores = (torch.rand(8, 5, generator=torch.Generator().manual_seed(2)) * 2 - 1).half()
    torch.testing.assert_close(assign_sinkhorn(scores), assign_sinkhorn(scores.float()))


@pytest.mark.parametrize("setting", [{"epsilon": 0.0}, {"iterations": 0}])
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(ValueError, match="assign_sinkhorn: epsilon must be > 0"):
        assign_sinkhorn(torch.zeros(2, 2), **setting)
