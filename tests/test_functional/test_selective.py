from itertools import permutations

import numpy as np
import pytest

from golden import golden
from mammography.functional.selective import (
    area_under_generalised_risk,
    area_under_risk_coverage,
    risk_coverage,
    selective_risks,
)


@pytest.fixture
def case():
    expected = golden("04_uncertainty")["expected"]
    p = np.array(expected["calibration"]["p"])
    y = np.array(expected["calibration"]["y"])
    return ((p >= 0.5) != y).astype(float), 1 - np.maximum(p, 1 - p), expected["selective"]


def test_areas_and_risks_agree_with_the_reference_values(case):
    losses, doubts, want = case
    curve = risk_coverage(losses, doubts)
    aurc = area_under_risk_coverage(curve)
    assert aurc == pytest.approx(want["aurc_definition_mean_over_k"], abs=1e-12)
    augrc = area_under_generalised_risk(curve)
    assert augrc == pytest.approx(want["augrc_torch_uncertainty"], abs=1e-8)
    assert curve.risk_at(1.0) == pytest.approx(want["risk_at_full_coverage"])
    assert curve.risk_at(0.8) == pytest.approx(want["risk_at_80pct"])


def test_the_other_convention_of_the_area_is_that_of_torch_uncertainty(case):
    losses, doubts, want = case
    curve = risk_coverage(losses, doubts)
    trapezoid = np.trapezoid(curve.risk, curve.coverage) / (1 - 1 / len(losses))
    assert trapezoid == pytest.approx(want["aurc_torch_uncertainty"], abs=1e-8)
    assert area_under_risk_coverage(curve) != pytest.approx(trapezoid, abs=1e-5)


def test_equal_uncertainties_give_the_mean_over_their_orders():
    losses, doubts = np.array([1.0, 0.0, 0.0, 1.0, 0.0]), np.array([1, 1, 1, 2, 2])
    curves = []
    for order in permutations(range(5)):
        chosen = np.array(order)
        if (np.diff(doubts[chosen]) >= 0).all():
            curves.append(np.cumsum(losses[chosen]) / np.arange(1, 6))
    assert risk_coverage(losses, doubts).risk == pytest.approx(np.mean(curves, axis=0))


def test_an_uncertainty_that_tells_errors_beats_one_that_tells_nothing():
    losses = np.repeat([0.0, 1.0], [80, 20])
    perfect, none = risk_coverage(losses, losses), risk_coverage(losses, np.zeros(100))
    assert perfect.risk_at(0.8) == 0
    assert area_under_risk_coverage(none) == pytest.approx(0.2)
    assert area_under_risk_coverage(perfect) < 0.03
    assert area_under_generalised_risk(perfect) < area_under_generalised_risk(none)


def test_weights_are_repeated_cases():
    rng = np.random.default_rng(0)
    losses, doubts = (rng.random(30) < 0.3) * 1.0, rng.permutation(30) / 30
    weights = rng.integers(4, size=(50, 30))
    ours = selective_risks(losses, doubts, [0.35, 0.8, 1.0], weights)
    for row, times in zip(ours, weights, strict=True):
        order = np.argsort(doubts)
        repeated = np.repeat(losses[order], times[order])
        counts = [int(np.ceil(round(c * len(repeated), 9))) for c in (0.35, 0.8, 1.0)]
        # The last case may be accepted in part of its copies: all of them are, here.
        ends = [
            np.cumsum(times[order])[np.searchsorted(np.cumsum(times[order]), n)] for n in counts
        ]
        assert row == pytest.approx([repeated[:end].mean() for end in ends])
    whole = selective_risks(losses, doubts, [0.8], np.ones((1, 30)))
    assert whole[0, 0] == pytest.approx(risk_coverage(losses, doubts).risk_at(0.8))


@pytest.mark.parametrize(
    ("losses", "doubts", "message"),
    [
        ([], [], "two rows of equal length, above 0"),
        ([1.0], [1.0, 2.0], r"got \(1,\) and \(2,\)"),
        ([1.0, np.nan], [1.0, 2.0], "must be finite"),
    ],
)
def test_what_is_no_curve_is_refused(losses, doubts, message):
    with pytest.raises(ValueError, match=message):
        risk_coverage(losses, doubts)


def test_coverages_are_shares_and_an_area_needs_two_points():
    curve = risk_coverage([1.0], [0.5])
    with pytest.raises(ValueError, match=r"coverage must lie in \(0, 1\], got 0"):
        curve.risk_at(0)
    with pytest.raises(ValueError, match="must have 2 points, got 1"):
        area_under_generalised_risk(curve)
