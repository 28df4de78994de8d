import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import norm
from sklearn.metrics.pairwise import rbf_kernel

from golden import golden
from mammography.functional.distances import (
    energy_per_channel,
    frechet_distance,
    kolmogorov_smirnov_per_channel,
    median_gamma,
    squared_mmd,
    symmetric_kl_of_gaussians,
    wasserstein1_per_channel,
    wasserstein2_of_gaussians,
)


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture
def reference():
    return golden("10_explain_distance")["expected"]["distances"]


def gaussians(*samples):
    return [f(each) for each in samples for f in (lambda x: x.mean(0), lambda x: x.var(0, ddof=1))]


def frechet_of(x, y):
    return frechet_distance(x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T))


def test_all_distances_agree_with_their_reference_values(reference):
    a, b = np.array(reference["a"]), np.array(reference["b"])
    expected = {
        "wasserstein1_per_dim": wasserstein1_per_channel(a.T, b.T),
        "energy_per_dim": energy_per_channel(a.T, b.T),
        "sym_kl_gaussian_per_channel": symmetric_kl_of_gaussians(*gaussians(a, b)),
        "wasserstein2_gaussian_per_channel": wasserstein2_of_gaussians(*gaussians(a, b)),
        "torchmetrics_frechet": frechet_of(a, b),
        "mmd2_biased_rbf_gamma0.5": squared_mmd(a, b, 0.5, unbiased=False),
        "mmd2_unbiased_rbf_gamma0.5": squared_mmd(a, b, 0.5),
    }
    for name, ours in expected.items():
        np.testing.assert_allclose(ours, reference[name], rtol=1e-9, err_msg=name)
    statistics = [row[0] for row in reference["ks_per_dim"]]
    np.testing.assert_allclose(kolmogorov_smirnov_per_channel(a.T, b.T), statistics)


def test_a_shift_is_the_wasserstein_distance_whatever_the_shape(random):
    x = random.exponential(size=(3, 50))
    shift = np.array([0.5, -2.0, 0.0])
    np.testing.assert_allclose(wasserstein1_per_channel(x, x + shift[:, None]), abs(shift))


def test_the_divergence_of_gaussians_is_that_of_their_densities(random):
    """By numerical integration of both KL divergences."""
    means, sds = np.array([0.3, 1.1]), np.array([0.8, 1.7])
    x = np.linspace(-25, 25, 200_001)
    logs = norm.logpdf(x[:, None], means, sds)
    densities = np.exp(logs)
    expected = np.sum(np.diff(densities) * np.diff(logs)) * (x[1] - x[0])
    ours = symmetric_kl_of_gaussians(means[:1], sds[:1] ** 2, means[1:], sds[1:] ** 2)
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


def test_scale_and_offset_leave_the_divergence_as_it_is(random):
    """So it is the same before and after a batch norm."""
    x, y = random.normal(size=(2, 40, 3)) * [[[1.0]], [[2.0]]]
    scaled = gaussians(5 * x - 3, 5 * y - 3)
    np.testing.assert_allclose(
        symmetric_kl_of_gaussians(*scaled), symmetric_kl_of_gaussians(*gaussians(x, y))
    )


def test_a_variance_of_zero_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match=r"variances must be > 0, got 0: add the eps"):
        symmetric_kl_of_gaussians([0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 1.0])


def test_of_fewer_samples_than_dimensions_the_frechet_distance_stays_real(random):
    """The root of the product has an imaginary residue there; its real part is the reference."""
    x, y = random.normal(size=(5, 12)), 2 + random.normal(size=(6, 12))
    product = np.cov(x.T) @ np.cov(y.T)
    root = sqrtm(product + 1e-12 * np.eye(12))
    squares = np.square(x.mean(0) - y.mean(0)).sum()
    expected = squares + np.trace(np.cov(x.T)) + np.trace(np.cov(y.T)) - 2 * np.trace(root).real
    np.testing.assert_allclose(frechet_of(x, y), expected, rtol=1e-4)


def test_the_frechet_distance_of_one_dimension_is_the_square_of_wasserstein2(random):
    x, y = random.normal(size=(30, 1)), 1 + 3 * random.normal(size=(40, 1))
    ours = frechet_distance(x.mean(0), [[x.var(ddof=1)]], y.mean(0), [[y.var(ddof=1)]])
    np.testing.assert_allclose(ours, wasserstein2_of_gaussians(*gaussians(x, y))[0] ** 2)


def test_nothing_is_far_from_itself(random):
    x = random.normal(size=(40, 50))
    assert 0 <= frechet_of(x, x) < 1e-9
    assert squared_mmd(x, x, unbiased=False) == pytest.approx(0, abs=1e-12)
    assert not wasserstein1_per_channel(x, x).any()
    assert not kolmogorov_smirnov_per_channel(x, x).any()


@pytest.mark.parametrize("gamma", [None, 0.1])
def test_the_discrepancy_agrees_with_kernels_of_sklearn(random, gamma):
    x, y = random.normal(size=(20, 3)), 0.5 + random.normal(size=(30, 3))
    both = np.concatenate([x, y])
    pairs = np.linalg.norm(both[:, None] - both[None], axis=2)[np.triu_indices(50, 1)]
    used = gamma or 1 / (2 * np.median(pairs) ** 2)
    xx, yy, xy = (rbf_kernel(*pair, gamma=used) for pair in ((x, x), (y, y), (x, y)))
    biased = xx.mean() + yy.mean() - 2 * xy.mean()
    off = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (xx, yy)]
    assert squared_mmd(x, y, gamma, unbiased=False) == pytest.approx(biased)
    assert squared_mmd(x, y, gamma) == pytest.approx(sum(off) - 2 * xy.mean())


def test_the_unbiased_discrepancy_is_zero_in_the_mean_and_may_be_negative(random):
    found = [squared_mmd(*random.normal(size=(2, 12, 2)), 0.5) for _ in range(400)]
    assert min(found) < 0
    assert abs(np.mean(found)) < 3 * np.std(found) / 20


def test_equal_vectors_have_a_kernel_too():
    assert median_gamma(np.zeros((5, 2)), np.zeros((4, 2))) == 1
    assert squared_mmd(np.zeros((5, 2)), np.zeros((4, 2))) == 0


def test_a_single_vector_has_no_unbiased_discrepancy():
    with pytest.raises(ValueError, match="at least 2 vectors on either side, got 1 and 3"):
        squared_mmd(np.zeros((1, 2)), np.zeros((3, 2)))
