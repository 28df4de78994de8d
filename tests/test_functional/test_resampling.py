"""Patients are drawn whole, of each kind as many as there are, and what is undefined again."""

import numpy as np
import pytest

from mammography.functional.resampling import patient_strata, resample_patients


def seen_weights(**options):
    """All weights that a statistic is asked about, but for the first row: the study itself."""
    rows = []

    def statistic(weights):
        rows.append(weights.copy())
        return weights.mean(axis=1)

    resample_patients(statistic, **options)
    return np.concatenate(rows[1:])


def test_all_cases_of_a_patient_are_drawn_equally_often_and_patients_as_many_as_there_are():
    patients = np.array([3, 1, 3, 2, 1, 1, 9])
    weights = seen_weights(patients=patients, repeats=50)
    for one in np.unique(patients):
        assert (np.ptp(weights[:, patients == one], axis=1) == 0).all()
    first = [np.flatnonzero(patients == one)[0] for one in np.unique(patients)]
    assert (weights[:, first].sum(axis=1) == 4).all()
    assert len(np.unique(weights, axis=0)) > 10


def test_each_kind_of_patient_keeps_its_number():
    patients = np.repeat(np.arange(30), 2)
    strata = np.repeat(["benign"] * 24 + ["cancer"] * 6, 2)
    weights = seen_weights(patients=patients, strata=strata, repeats=50)
    assert (weights[:, strata == "cancer"].sum(axis=1) == 12).all()
    assert (weights[:, strata == "benign"].sum(axis=1) == 48).all()


def test_the_spread_of_a_mean_is_the_standard_error_between_patients():
    rng = np.random.default_rng(0)
    means = rng.normal(size=200)
    values, patients = np.repeat(means, 5), np.repeat(np.arange(200), 5)
    found = resample_patients(lambda w: w @ values / w.sum(axis=1), patients, repeats=4000)
    assert found.draws.std() == pytest.approx(means.std() / np.sqrt(200), rel=0.04)


def test_what_is_not_defined_is_drawn_again_and_counted():
    # Of three patients one has what is divided by: it is missing in (2/3)^3 = 0.30 of the draws.
    has = np.array([1.0, 0.0, 0.0])

    def statistic(weights):
        total = weights @ has
        return np.where(total > 0, 1 / np.maximum(total, 1), np.nan)

    found = resample_patients(statistic, [0, 1, 2], repeats=2000)
    assert found.draws.shape == (2000, 1)
    assert np.isfinite(found.draws).all()
    assert found.redrawn / (2000 + found.redrawn) == pytest.approx(8 / 27, abs=0.03)


def test_leaving_out_groups_of_many_patients_tells_the_same_skewness_as_each_patient():
    values = np.random.default_rng(0).exponential(size=5000)

    def statistic(weights):
        return weights @ values / weights.sum(axis=1)

    found = resample_patients(statistic, np.arange(5000), repeats=10, jackknife=True)
    assert len(found.influence) == 1000
    each = values - values.mean()
    steepness = [(x**3).sum() / (6 * (x**2).sum() ** 1.5) for x in (found.influence[:, 0], each)]
    assert steepness[0] == pytest.approx(steepness[1], abs=0.002)


def test_the_seed_decides_and_chunks_do_not_show():
    values = np.random.default_rng(0).normal(size=40)

    def statistic(weights):
        return weights @ values

    draws = [resample_patients(statistic, np.arange(40), seed=s).draws for s in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


def test_a_patient_with_a_positive_case_is_of_the_positive_kind():
    found = patient_strata([0, 1, 0, 0], ["b", "b", "a", "b"])
    assert found.tolist() == [True, True, False, True]


def test_what_cannot_be_resampled_is_refused():
    with pytest.raises(ValueError, match="study itself must be defined"):
        resample_patients(lambda w: np.full(len(w), np.nan), [1, 2])
    with pytest.raises(ValueError, match="must be of one stratum"):
        resample_patients(lambda w: w.sum(1), [1, 1], strata=[0, 1])
    with pytest.raises(ValueError, match="strata must be one per case"):
        resample_patients(lambda w: w.sum(1), [1, 1], strata=[0])
    with pytest.raises(ValueError, match="resamples must define the numbers"):
        resample_patients(
            lambda w: np.where((w == 1).all(axis=1), 1.0, np.nan), np.arange(40), repeats=3
        )
