"""Ask of dumps whether a model knows where it is unsure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from mammography.apis.dump_columns import Columns, columns_of
from mammography.functional.area_estimates import estimate_areas
from mammography.functional.estimate import Estimate
from mammography.functional.resampling import resample_patients
from mammography.functional.selective import (
    area_under_generalised_risk,
    area_under_risk_coverage,
    risk_coverage,
    selective_risks,
)
from mammography.structures.annotation import read_annotations
from mammography.structures.prediction import Dump, read_dump

Floats = NDArray[np.float64]
PARTS = ("total", "aleatoric", "epistemic", "variance")


@dataclass(frozen=True, eq=False)
class Doubts:
    """What one dump says, image by image.

    Attributes:
        columns: Labels, probabilities and patients.
        cross_entropy: In nats, ``(N,)``.
        errors: 1 where the likeliest class is not the label, ``(N,)``.
        parts: Part of the uncertainty to its values, ``(N,)``; ``total`` is there always.
    """

    columns: Columns
    cross_entropy: Floats
    errors: Floats
    parts: Mapping[str, Floats]


def compare_uncertainty(
    dumps: Sequence[str | Path],
    task: str,
    *,
    coverage: float = 0.8,
    part: str = "total",
    annotations: str | Path | None = None,
    group: tuple[str, str] | None = None,
    out: str | Path | None = None,
    repeats: int = 2000,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return for each dump whether its uncertainty tells errors, and a group of images.

    By dump: cross-entropy (``nll``), share of errors among all images and among the surest
    (``error``, ``error_at_coverage`` and their ``gain``), AURC and AUGRC; the ROC-AUC with which
    each part of the uncertainty tells the group (``group_auc``); and ``nll_minus_first``, the
    paired difference to the first dump. Intervals: 95 %, from resampled patients.

    Args:
        dumps: Of the same labelled images.
        task: Name of a task with classes.
        coverage: Share of the surest images, in (0, 1].
        part: Part of the uncertainty that ranks images; ``total`` is the entropy of the score where
            a dump does not hold it.
        annotations: File that holds the field of ``group`` for each image.
        group: Field and value of the images that the uncertainty should tell.
        out: JSON to write.
        repeats: Number of resamples.
        seed: Of the resampling.

    Raises:
        ValueError: If the dumps are not of the same images and labels, have not the part, or an
            argument is out of its range.
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage must lie in (0, 1], got {coverage}")
    if (group is None) != (annotations is None):
        raise ValueError("a group must come with the annotations that hold it, got one of the two")
    known = [read_dump(path) for path in dumps]
    _check_same_images(known, task)
    doubts = [_doubts(dump, task, str(path)) for dump, path in zip(known, dumps, strict=True)]
    member = None if group is None else _members(known[0], task, str(annotations), group)
    rows = []
    for path, each in zip(dumps, doubts, strict=True):
        if part not in each.parts:
            raise ValueError(f"{path}: part must be one of {', '.join(each.parts)}, got {part}")
        row: dict[str, Any] = {"dump": str(path), "images": len(each.errors)}
        row |= _risks(each, doubts[0], part, coverage, repeats, seed)
        if member is not None:
            row["group_auc"] = _tells(each, member)
        rows.append(row)
    if out:
        Path(out).write_text(json.dumps(rows, indent=1, default=_plain) + "\n", encoding="utf-8")
    return rows


def _check_same_images(dumps: list[Dump], task: str) -> None:
    """Refuse dumps whose rows are not the same images with the same labels."""
    seen = [
        [(row.img_path, row.gt_label.get(task)) for row in dump.records if task in row.gt_label]
        for dump in dumps
    ]
    if not seen[0] or any(other != seen[0] for other in seen):
        raise ValueError(
            f"dumps must be of the same images, with the same labels of {task}, "
            f"got {', '.join(str(len(rows)) for rows in seen)} labelled rows"
        )


def _doubts(dump: Dump, task: str, place: str) -> Doubts:
    whole = columns_of(dump, task, "patient", place)
    rows = np.isfinite(whole.labels)
    columns, each = whole.labelled, np.arange(int(rows.sum()))
    truth = columns.labels.astype(int)
    parts = {"total": np.asarray(entr(columns.probabilities).sum(axis=1))}
    told = [record.pred_uncertainty.get(task, {}) for record in dump.records]
    told = [parts_of for parts_of, kept in zip(told, rows, strict=True) if kept]
    for part in PARTS:
        if all(part in parts_of for parts_of in told):
            parts[part] = np.array([parts_of[part] for parts_of in told])
    likely = columns.probabilities[each, truth].clip(1e-12)
    errors = (columns.probabilities.argmax(axis=1) != truth).astype(np.float64)
    return Doubts(columns, -np.log(likely), errors, parts)


def _members(dump: Dump, task: str, annotations: str, group: tuple[str, str]) -> NDArray[np.bool_]:
    """Return which labelled images belong to the group."""
    name, value = group
    records = read_annotations(annotations).records
    by_path = {record.img_path: getattr(record, name, None) for record in records}
    if not any(by_path.values()):
        raise ValueError(f"{annotations}: a record must have the field {name}, got none that has")
    found = [by_path.get(row.img_path) for row in dump.records if task in row.gt_label]
    member = np.array([each is not None and str(each) == value for each in found])
    if member.all() or not member.any():
        values = ", ".join(sorted({str(each) for each in found}))
        raise ValueError(f"group: {name} must part the images, got {value} among {values}")
    return member


def _risks(
    each: Doubts, first: Doubts, part: str, coverage: float, repeats: int, seed: int
) -> dict[str, Any]:
    """Return the numbers of one dump with their intervals."""

    def statistic(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        nll, of_first = (weights @ d.cross_entropy / total for d in (each, first))
        kept, whole = selective_risks(each.errors, each.parts[part], [coverage, 1.0], weights).T
        return np.stack([nll, whole, kept, whole - kept, nll - of_first], axis=1)

    names = ("nll", "error", "error_at_coverage", "gain", "nll_minus_first")
    found = resample_patients(statistic, each.columns.units, repeats=repeats, seed=seed)
    curve = risk_coverage(each.errors, each.parts[part])
    areas = {"aurc": area_under_risk_coverage(curve), "augrc": area_under_generalised_risk(curve)}
    return dict(zip(names, found.estimates(), strict=True)) | areas


def _tells(each: Doubts, member: NDArray[np.bool_]) -> dict[str, Estimate]:
    """Return how well each part of the uncertainty tells the group."""
    found = estimate_areas(member, each.columns.units, *each.parts.values())
    return dict(zip(each.parts, found.roc, strict=True))


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate):
        return {"value": value.value, "interval": list(value.interval)}
    raise TypeError(f"{type(value).__name__} has no plain form")


def in_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the numbers of :func:`compare_uncertainty` as lines of text."""
    lines = []
    for row in rows:
        lines.append(f"{row['dump']}: {row['images']} images")
        for name, value in row.items():
            if isinstance(value, Mapping):
                lines += [f"  {name} of {part:<10}{_text(v)}" for part, v in value.items()]
            elif name not in ("dump", "images"):
                lines.append(f"  {name:<24}{_text(value)}")
    return "\n".join(lines)


def _text(value: Estimate | float) -> str:
    if not isinstance(value, Estimate):
        return f"{value:.4f}"
    low, high = value.interval
    return f"{value.value:.4f} ({low:.4f} to {high:.4f})"
