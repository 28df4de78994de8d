"""Calibration errors by their names: golden values, torchmetrics and netcal."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import (
    binary_calibration_error,
    multiclass_calibration_error,
)

from binary_studies import draw_forecasts
from golden import golden
from mammography.functional.calibration_error import expected_calibration_error


@pytest.mark.parametrize(
    ("variant", "norm", "name"),
    [
        ("binary", "l1", "torchmetrics_binary_l1_15bins"),
        ("binary", "l2", "torchmetrics_binary_l2_15bins"),
        ("binary", "max", "torchmetrics_binary_max_15bins"),
        ("binary", "l1", "netcal_ECE_15"),
        ("binary", "max", "netcal_MCE_15"),
        ("top_label", "l1", "torchmetrics_multiclass_top_label_l1_15"),
        ("adaptive", "l1", "torch_uncertainty_adaptive_15"),
    ],
)
def test_each_variant_is_its_reference_value(variant, norm, name):
    case = golden("04_uncertainty")["expected"]["calibration"]
    found = expected_calibration_error(case["y"], case["p"], 15, variant, norm)
    assert found == pytest.approx(case[name], abs=1e-6)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
@pytest.mark.parametrize("bins", [5, 15])
def test_errors_are_those_of_torchmetrics(norm, bins):
    labels, chances = draw_forecasts(0, slope=0.5)
    target, p = torch.tensor(labels), torch.tensor(chances)
    theirs = binary_calibration_error(p, target, bins, norm)
    ours = expected_calibration_error(labels, chances, bins, "binary", norm)
    assert ours == pytest.approx(float(theirs), abs=1e-6)
    both = torch.stack([1 - p, p], dim=1)
    theirs = multiclass_calibration_error(both, target, 2, bins, norm)
    ours = expected_calibration_error(labels, chances, bins, "top_label", norm)
    assert ours == pytest.approx(float(theirs), abs=1e-6)


def test_the_variants_differ_and_rare_positives_that_are_missed_show_in_one_only():
    # All of one case in a hundred is missed by probabilities of 0.001 for everybody.
    labels, chances = np.repeat([1, 0], [10, 990]), np.full(1000, 0.001)
    assert expected_calibration_error(labels, chances) == pytest.approx(0.009)
    informed = np.where(labels == 1, 0.4, 0.004)
    binary = expected_calibration_error(labels, informed, variant="binary", norm="max")
    assert binary == pytest.approx(0.6)


@pytest.mark.parametrize("variant", ["top_label", "adaptive"])
def test_swapped_classes_change_nothing_of_the_top_label(variant):
    labels, chances = draw_forecasts(1)
    one = expected_calibration_error(labels, chances, variant=variant)
    other = expected_calibration_error(1 - labels, 1 - chances, variant=variant)
    assert one == pytest.approx(other, abs=1e-12)


def test_one_bin_has_the_distance_of_the_means_and_certain_truth_none():
    labels, chances = draw_forecasts(2)
    expected = abs(labels.mean() - chances.mean())
    assert expected_calibration_error(labels, chances, 1) == pytest.approx(expected)
    for variant in ("binary", "top_label", "adaptive"):
        assert expected_calibration_error([0, 1, 1], [0.0, 1.0, 1.0], variant=variant) == 0


def test_unknown_options_are_refused():
    for options, rule in (
        ({"bins": 0}, "bins must be at least 1"),
        ({"variant": "classwise"}, "variant 'binary'"),
        ({"norm": "l3"}, "norm must be"),
    ):
        with pytest.raises(ValueError, match=rule):
            expected_calibration_error([0, 1], [0.2, 0.7], **options)
    with pytest.raises(ValueError, match="scores finite"):
        expected_calibration_error([0, 1], [0.2, np.nan])
