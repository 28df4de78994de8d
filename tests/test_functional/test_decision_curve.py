"""Net benefits against dcurves, in Python and as R's benchmark states them."""

from importlib.resources import files

import dcurves
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from binary_studies import draw_forecasts
from mammography.functional.decision_curve import decision_curve


def table(name):
    """An example study that comes with dcurves."""
    return pd.read_csv(files("dcurves") / "data" / f"{name}.csv")


def by_logistic_regression(outcome, marker):
    fit = sm.Logit(outcome, sm.add_constant(marker)).fit(disp=False, tol=1e-14, maxiter=100)
    return fit.predict()


# From the R package's results that dcurves' own tests hold (r_dca_famhistory.csv,
# r_simple_binary_dca_result_df.csv, dca_tutorial_interventions_vals.csv; MSKCC-Epi-Bio/dcurves).
R_NET_BENEFIT = {
    "famhistory": {
        0.01: 0.030774410774410774,
        0.1: 0.018518518518518517,
        0.2: 0.0016666666666666635,
        0.3: -0.02000000000000001,
        0.5: -0.08933333333333335,
    },
    "age": {
        0.01: 0.1314747474747475,
        0.1: 0.0691851851851852,
        0.2: 0.04200000000000001,
        0.3: 0.02038095238095238,
        0.5: 0.009333333333333336,
    },
    "marker": {
        0.07: 0.07489605734767024,
        0.1: 0.06237037037037038,
        0.2: 0.029,
        0.3: 0.012952380952380951,
        0.35: 0.006769230769230774,
    },
    "all": {
        0.01: 0.13131313131313133,
        0.1: 0.04444444444444445,
        0.2: -0.07499999999999998,
        0.3: -0.2285714285714286,
        0.5: -0.72,
    },
}
R_AVOIDED_PER_100 = {
    0.07: -0.4952380952381106,
    0.1: 16.133333333333336,
    0.2: 41.599999999999994,
    0.3: 56.35555555555555,
    0.35: 61.25714285714285,
}


@pytest.mark.parametrize("model", list(R_NET_BENEFIT))
def test_net_benefits_are_those_of_r(model):
    data = table("df_binary")
    chances = {
        "famhistory": data["famhistory"],
        "age": by_logistic_regression(data["cancer"], data["age"]),
        "marker": by_logistic_regression(data["cancer"], data["marker"]),
        "all": np.ones(750),
    }[model]
    expected = R_NET_BENEFIT[model]
    curve = decision_curve(data["cancer"], chances, list(expected))
    np.testing.assert_allclose(curve.net_benefit[0], list(expected.values()), atol=1e-12)
    if model == "all":
        np.testing.assert_allclose(curve.treat_all, list(expected.values()), atol=1e-12)
    if model == "marker":
        expected = list(R_AVOIDED_PER_100.values())
        np.testing.assert_allclose(100 * curve.avoided[0], expected, atol=1e-10)


@pytest.mark.parametrize(("name", "prevalence"), [("df_binary", None), ("df_case_control", 0.2)])
def test_all_thresholds_are_those_of_dcurves(name, prevalence):
    data, thresholds = table(name), np.arange(0.01, 0.99, 0.01)
    column = "cancer" if name == "df_binary" else "casecontrol"
    theirs = dcurves.dca(
        data=data,
        outcome=column,
        modelnames=["cancerpredmarker"],
        thresholds=thresholds,
        prevalence=prevalence,
    )
    curve = decision_curve(
        data[column], data["cancerpredmarker"], thresholds, prevalence=prevalence
    )
    for model, ours in (("cancerpredmarker", curve.net_benefit[0]), ("all", curve.treat_all)):
        rows = theirs[theirs["model"] == model]
        np.testing.assert_allclose(ours, rows["net_benefit"], atol=1e-12)
    rows = theirs[theirs["model"] == "cancerpredmarker"]
    np.testing.assert_allclose(curve.avoided[0], rows["net_intervention_avoided"], atol=1e-12)


def test_a_probability_that_equals_the_threshold_acts():
    curve = decision_curve([0, 1], [0.2, 0.2], [0.2, 0.3])
    np.testing.assert_allclose(curve.net_benefit[0], [0.5 - 0.5 * 0.25, 0])


def test_right_probabilities_are_never_worse_than_all_or_none_but_for_chance():
    labels, chances = draw_forecasts(0, cases=50_000)
    curve = decision_curve(labels, chances, np.linspace(0.05, 0.9, 18))
    best = np.maximum(curve.treat_all, 0)
    assert (curve.net_benefit[0] > best - 0.003).all()
    # Too high by far, the same ranks do harm at high thresholds.
    harmful = decision_curve(labels, chances**0.1, [0.6])
    assert harmful.net_benefit[0, 0] < 0


def test_at_a_threshold_of_nothing_all_act_and_nothing_can_be_avoided():
    curve = decision_curve([0, 0, 1], [0.1, 0.2, 0.3], [0.0])
    assert curve.net_benefit[0, 0] == curve.treat_all[0] == pytest.approx(1 / 3)
    assert np.isnan(curve.avoided[0, 0])


@pytest.mark.parametrize("prevalence", [None, 0.1])
def test_intervals_are_quantiles_of_the_curves_of_resampled_patients(prevalence):
    labels, chances = draw_forecasts(1, cases=60)
    patients = np.arange(60) // 2
    at = [0.1, 0.3, 0.6]
    curve = decision_curve(
        labels, [chances, chances**2], at, patients, prevalence=prevalence, repeats=20
    )
    drawn = np.random.default_rng(0).integers(30, size=(20, 30))
    curves = []
    for row in drawn:
        cases = np.concatenate([[2 * one, 2 * one + 1] for one in row])
        both = np.stack([chances, chances**2])[:, cases]
        curves.append(decision_curve(labels[cases], both, at, prevalence=prevalence))
    for name in ("net_benefit", "avoided"):
        expected = np.quantile([getattr(c, name) for c in curves], [0.025, 0.975], axis=0)
        found = getattr(curve, f"{name}_intervals")
        np.testing.assert_allclose(np.moveaxis(found, -1, 0), expected, atol=1e-12)
    assert np.isnan(decision_curve(labels, chances, at).avoided_intervals).all()


@pytest.mark.parametrize(
    ("labels", "chances", "at", "prevalence", "rule"),
    [
        ([0, 1], [0.1, 1.5], [0.5], None, "between 0 and 1, got 0.1 to 1.5"),
        ([0, 1], [0.1, np.nan], [0.5], None, "scores finite"),
        ([0, 1], [0.1, 0.5], [0.5, 0.4], None, "must rise"),
        ([0, 1], [0.1, 0.5], [0.5, 1.0], None, "must rise"),
        ([0, 1], [0.1, 0.5], [], None, "must rise"),
        ([0, 1], [0.1, 0.5], [0.5], 1.0, "prevalence must lie"),
        ([0, 0], [0.1, 0.5], [0.5], 0.2, "at least 1 cases"),
    ],
)
def test_what_has_no_curve_is_refused(labels, chances, at, prevalence, rule):
    with pytest.raises(ValueError, match=rule):
        decision_curve(labels, chances, at, prevalence=prevalence)
