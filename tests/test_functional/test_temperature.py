import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, softmax
from sklearn.metrics import log_loss

from golden import golden
from mammography.functional.temperature import fit_temperature, scale_by_temperature


@pytest.fixture
def case():
    expected = golden("04_uncertainty")["expected"]
    calibration = expected["calibration"]
    return np.array(calibration["p"]), np.array(calibration["y"]), expected["temperature_scaling"]


def test_the_temperature_agrees_with_the_reference_values(case):
    p, y, want = case
    temperature = fit_temperature(p, y)
    assert temperature == pytest.approx(want["T_statsmodels"], abs=1e-7)
    assert temperature == pytest.approx(want["T_scipy"], abs=1e-7)
    assert 1 / temperature == pytest.approx(want["netcal_weight"][0], abs=1e-3)
    assert log_loss(y, p) == pytest.approx(want["nll_before"], abs=1e-9)
    scaled = scale_by_temperature(p, temperature)
    assert log_loss(y, scaled) == pytest.approx(want["nll_after"], abs=1e-9)


def test_it_is_one_over_the_slope_of_a_logistic_regression_without_intercept(case):
    p, y, _ = case
    fit = sm.Logit(y, np.log(p / (1 - p))[:, None]).fit(disp=0)
    assert fit_temperature(p, y) == pytest.approx(1 / fit.params[0], rel=1e-7)


def test_two_classes_are_scaled_as_one_probability(case):
    p, y, _ = case
    both = np.stack([1 - p, p], axis=1)
    temperature = fit_temperature(p, y)
    assert fit_temperature(both, y) == pytest.approx(temperature, rel=1e-9)
    assert scale_by_temperature(both, temperature)[:, 1] == pytest.approx(
        scale_by_temperature(p, temperature)
    )


def test_a_known_temperature_of_many_classes_is_found_again():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(60_000, 4))
    truth = softmax(logits, axis=1)
    labels = (rng.random(len(logits))[:, None] > truth.cumsum(axis=1)).sum(axis=1)
    sure = softmax(logits * 2.5, axis=1)
    temperature = fit_temperature(sure, labels)
    assert temperature == pytest.approx(2.5, rel=0.02)
    assert scale_by_temperature(sure, 2.5) == pytest.approx(truth, abs=1e-6)


def test_scaling_divides_logits_and_keeps_their_order():
    z = np.array([-3.0, -0.2, 0.0, 1.5])
    assert scale_by_temperature(expit(z), 1.7) == pytest.approx(expit(z / 1.7))
    assert scale_by_temperature([0.0, 1.0], 1.0) == pytest.approx([0.0, 1.0], abs=1e-11)


@pytest.mark.parametrize(
    ("p", "y", "message"),
    [
        ([0.1, 0.9], [0, 1], "got 2 that the probabilities part them without an error"),
        ([0.1, 0.9], [1, 0], "got 2 that the probabilities say less than chance"),
        ([0.1, 0.9], [1], "as many as predictions, above 0, got 1 for 2"),
        ([], [], "above 0, got 0 for 0"),
    ],
)
def test_what_has_no_temperature_is_refused(p, y, message):
    with pytest.raises(ValueError, match=message):
        fit_temperature(p, y)


def test_a_temperature_is_above_zero():
    with pytest.raises(ValueError, match="temperature must be above 0, got 0"):
        scale_by_temperature([0.5], 0)
