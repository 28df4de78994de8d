"""Percentile and BCa intervals against scipy, from the very same draws."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import bootstrap

from mammography.functional.resamples import Resamples
from mammography.functional.resampling import resample_patients


def skewed(seed=0, count=60):
    return np.random.default_rng(seed).exponential(size=count)


def spread_of(values):
    """The variance, whose distribution is skewed, for cases that count several times."""

    def statistic(weights):
        mean = weights @ values / weights.sum(axis=1)
        return weights @ values**2 / weights.sum(axis=1) - mean**2

    return statistic


def by_scipy(data, statistic, draws, method, level=0.95, **options):
    """Scipy's interval, made to use our draws: it adds none of its own."""
    result = bootstrap(
        data,
        statistic,
        n_resamples=0,
        bootstrap_result=SimpleNamespace(bootstrap_distribution=draws),
        method=method,
        confidence_level=level,
        **options,
    )
    return result.confidence_interval


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_intervals_are_those_of_scipy_on_the_same_draws(level):
    values = skewed()
    found = resample_patients(spread_of(values), np.arange(60), repeats=999, jackknife=True)
    for method, ours in (("BCa", found.bca(level)), ("percentile", found.percentile(level))):
        theirs = by_scipy((values,), np.var, found.draws[:, 0], method, level)
        np.testing.assert_allclose(ours[0], theirs, rtol=1e-10)
    assert not np.allclose(found.bca(level), found.percentile(level), rtol=0.02)


def test_bca_of_two_kinds_of_patients_is_that_of_scipy_for_two_samples():
    first, second = skewed(1, 40), skewed(2, 25)
    values, kind = np.concatenate([first, second]), np.repeat([0, 1], [40, 25])

    def ratio_of_means(weights):
        means = [(weights * (kind == k)) @ values / weights[:, kind == k].sum(1) for k in (0, 1)]
        return means[0] / means[1]

    found = resample_patients(
        ratio_of_means, np.arange(65), strata=kind, repeats=999, jackknife=True
    )
    theirs = by_scipy(
        (first, second),
        lambda x, y, axis=-1: x.mean(axis=axis) / y.mean(axis=axis),
        found.draws[:, 0],
        "BCa",
    )
    np.testing.assert_allclose(found.bca()[0], theirs, rtol=1e-10)


def test_a_contrast_is_the_paired_difference_of_draws_and_influences():
    values, other = skewed(3), skewed(4)

    def both(weights):
        return np.stack([spread_of(values)(weights), spread_of(other)(weights)], axis=1)

    def difference(weights):
        return spread_of(values)(weights) - spread_of(other)(weights)

    options = {"patients": np.arange(60), "repeats": 300, "jackknife": True}
    contrast = resample_patients(both, **options).contrast(0, 1)
    direct = resample_patients(difference, **options)
    for name in ("estimate", "draws", "influence"):
        np.testing.assert_allclose(getattr(contrast, name), getattr(direct, name), atol=1e-14)
    np.testing.assert_allclose(contrast.bca(), direct.bca())


def test_an_estimate_is_a_number_with_its_bounds():
    found = Resamples(np.array([2.0]), np.arange(101.0)[:, None])
    (estimate,) = found.estimates(0.5)
    assert (estimate.value, estimate.interval) == (2.0, (25.0, 75.0))


def test_bca_needs_patients_left_out_and_has_no_bounds_where_all_draws_lie_on_one_side():
    with pytest.raises(ValueError, match="pass jackknife=True"):
        Resamples(np.zeros(1), np.ones((9, 1))).bca()
    found = Resamples(np.zeros(1), np.ones((9, 1)), influence=np.ones((4, 1)))
    assert np.isnan(found.bca()).all()


def test_numbers_that_never_vary_have_the_bounds_they_are():
    found = Resamples(np.ones(1), np.ones((9, 1)), influence=np.zeros((4, 1)))
    np.testing.assert_array_equal(found.bca(), [[1, 1]])
