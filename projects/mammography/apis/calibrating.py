"""Calibrate a model on its validation, and apply that to its test."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mammography.apis.dump_columns import UNITS, Columns, class_tasks, columns_of
from mammography.functional.aggregation import group_by, pool_scores
from mammography.functional.conformal import (
    conformal_threshold,
    label_nonconformity,
    prediction_sets,
)
from mammography.functional.temperature import fit_temperature, scale_by_temperature
from mammography.structures.prediction import Dump, PredictionRecord, read_dump, write_dump

# What must be the same of a model for its validation to say something about its test.
_SAME = ("config", "checkpoint", "tta", "mc_dropout", "ensemble")


@dataclass(frozen=True)
class Calibration:
    """What is learned from a validation for one task.

    Attributes:
        temperature: Divides the logits.
        thresholds: Of the nonconformity, one for each class (equal without ``by_class``);
            infinite where there are too few units for alpha.
        units: Calibration units behind each threshold.
    """

    temperature: float
    thresholds: tuple[float, ...]
    units: tuple[int, ...]


def calibrate(
    validation: str | Path,
    test: str | Path,
    out: str | Path,
    *,
    alpha: float = 0.1,
    unit: str = "patient",
    by_class: bool = False,
    parameters: str | Path | None = None,
) -> dict[str, Any]:
    """Write the test with calibrated scores and prediction sets, and what was calibrated.

    Temperature scaling makes scores as sure as they are right on the validation. Prediction sets
    (split conformal, LAC) hold the truth of a new unit with a probability of at least
    ``1 - alpha``. The unit is the patient: the nonconformity of a patient is the largest of her
    images, so the sets of *all* her images are right together that often. Sets are of the scores
    before scaling, which keeps the guarantee exact although the temperature saw the same
    patients; on two classes they would be the same after it. ``pred_uncertainty`` stays that of
    the model as it is. A threshold of the scores before is another number after:
    :func:`~mammography.functional.temperature.scale_by_temperature` moves it.

    Args:
        validation: Dump of patients that neither training nor test have.
        test: Dump of the same model.
        out: Dump to write, JSON or pickle.
        alpha: Share of units that may be missed, in (0, 1).
        unit: ``patient``, or ``image`` if no two images are of one patient.
        by_class: Calibrate each class by the units that have it (Mondrian): the promise then
            holds for each class, the rare one too, over all images of that class of a unit.
        parameters: JSON of what was calibrated; by default beside ``out``, as
            ``<out>.calibration.json``.

    Returns:
        The content of that JSON: by task temperature, thresholds (null: infinite), cross-entropy
        before and after, coverage and size of the sets.

    Raises:
        ValueError: If the dumps are of different models or share patients, or lack what is needed.
    """
    if unit not in UNITS:
        raise ValueError(f"calibrate: unit must be one of {', '.join(UNITS)}, got {unit!r}")
    known, new = read_dump(validation), read_dump(test)
    _check_same_model(known, new)
    found: dict[str, Any] = {}
    records = list(new.records)
    for task in class_tasks(new):
        fitted = columns_of(known, task, unit, str(validation)).labelled
        asked = columns_of(new, task, unit, str(test))
        _check_apart(fitted, asked, unit)
        try:
            learned = _learn(fitted, alpha, by_class)
        except ValueError as error:
            raise ValueError(f"{validation}: task {task}: {error}") from error
        sets = prediction_sets(asked.probabilities, learned.thresholds)
        scaled = scale_by_temperature(asked.probabilities, learned.temperature)
        records = [
            _calibrated(record, task, scores, chosen)
            for record, scores, chosen in zip(records, scaled, sets, strict=True)
        ]
        found[task] = _described(learned) | _tested(asked, scaled, sets)
    how = {"method": "temperature scaling; split conformal sets (LAC)", "alpha": alpha}
    how |= {"unit": unit, "by_class": by_class, "validation": str(Path(validation).name)}
    write_dump(out, replace(new, records=tuple(records), info=new.info | {"calibration": how}))
    report = how | {"test": str(Path(test).name), "tasks": found}
    place = Path(parameters) if parameters else Path(f"{out}.calibration.json")
    place.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return report


def _check_same_model(known: Dump, new: Dump) -> None:
    for name in _SAME:
        ours, theirs = known.info.get(name), new.info.get(name)
        if ours != theirs:
            raise ValueError(
                f"calibrate: both dumps must be of one model, got {name} {ours!r} of the "
                f"validation and {theirs!r} of the test"
            )
    if missing := [name for name in class_tasks(new) if new.tasks[name] != known.tasks.get(name)]:
        raise ValueError(
            f"calibrate: both dumps must have the same tasks, got {', '.join(missing)} in the test "
            "alone or with other classes"
        )


def _check_apart(known: Columns, new: Columns, unit: str) -> None:
    if shared := set(known.units.tolist()) & set(new.units.tolist()):
        raise ValueError(
            f"calibrate: validation and test must share no {unit}, got {len(shared)} in both"
        )


def _learn(columns: Columns, alpha: float, by_class: bool) -> Calibration:
    """Learn the temperature and the thresholds."""
    scores = columns.probabilities
    temperature = fit_temperature(scores, columns.labels)
    strange = label_nonconformity(scores, columns.labels)
    thresholds, units = [], []
    for index in range(scores.shape[1]):
        rows = columns.labels == index if by_class else np.ones(len(strange), bool)
        per_unit = strange[rows]
        if rows.any():
            per_unit = pool_scores(strange[rows], group_by(columns.units[rows]), "max")
        thresholds.append(conformal_threshold(per_unit, alpha))
        units.append(len(per_unit))
    return Calibration(temperature, tuple(thresholds), tuple(units))


def _calibrated(record: PredictionRecord, task: str, scores: Any, chosen: Any) -> PredictionRecord:
    score = scores.tolist() if isinstance(record.pred_score[task], list) else float(scores[1])
    return replace(
        record,
        pred_score=record.pred_score | {task: score},
        pred_set=record.pred_set | {task: np.flatnonzero(chosen).tolist()},
    )


def _described(learned: Calibration) -> dict[str, Any]:
    finite = [value if math.isfinite(value) else None for value in learned.thresholds]
    return {
        "temperature": learned.temperature,
        "thresholds": finite,
        "calibration_units": list(learned.units),
    }


def _tested(asked: Columns, scaled: Any, sets: Any) -> dict[str, Any]:
    """Return what the test, where it has labels, says about the calibration."""
    rows = np.isfinite(asked.labels)
    sizes: dict[str, Any] = {"mean_set_size": float(sets.sum(axis=1).mean())}
    if not rows.any():
        return sizes
    labels, units = asked.labels[rows].astype(int), asked.units[rows]
    each = np.arange(len(labels))
    covered = sets[rows][each, labels]
    of_class = [labels == k for k in range(sets.shape[1])]
    losses = [-np.log(p[rows][each, labels].clip(1e-12)) for p in (asked.probabilities, scaled)]
    return sizes | {
        "test_units": len(set(units.tolist())),
        "coverage_of_units": _covered_units(covered, units),
        "coverage_of_units_by_class": [_covered_units(covered[k], units[k]) for k in of_class],
        "coverage_of_images": float(covered.mean()),
        "cross_entropy_before": float(losses[0].mean()),
        "cross_entropy_after": float(losses[1].mean()),
    }


def _covered_units(covered: Any, units: Any) -> float | None:
    """Return the share of units all of whose images are covered; None of no unit."""
    if not len(covered):
        return None
    return float(1 - pool_scores(1.0 - covered, group_by(units), "max").mean())
