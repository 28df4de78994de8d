"""What a binary outcome is worth as a decision: per breast, at a threshold, in subgroups."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmpretrain.registry import METRICS
from numpy.typing import NDArray

from mammography.evaluation.metrics.sample_metric import SampleMetric, required
from mammography.functional.aggregation import (
    NAMES_OF_LEVEL,
    POOLINGS,
    Pooling,
    group_by,
    levels_from,
    pool_labels,
    pool_scores,
)
from mammography.functional.metrics import binary_metrics
from mammography.functional.operating_points import RULES, operating_point
from mammography.functional.probabilistic_f1 import probabilistic_f_score
from mammography.terms import Level, TaskKind

PLACE = "ScreeningMetric"
SHOWN = ("sensitivity", "specificity", "ppv", "recall_rate")
Row = tuple[dict[str, float], dict[str, Any], dict[str, str | None]]
Column = NDArray[np.float64]


@METRICS.register_module()
class ScreeningMetric(SampleMetric):
    """Metrics of binary tasks over breasts (or another level), at a threshold and in subgroups.

    Beside :class:`MultiTaskMetric`, in the same list::

        val_evaluator = test_evaluator = [
            dict(type="MultiTaskMetric"),
            dict(type="ScreeningMetric", subgroups=("manufacturer", "density", "view_position")),
        ]

    For each binary task:

    - ``pf1``: the probabilistic F1 of RSNA 2022 over cases, :func:`probabilistic_f_score`.
    - ``threshold``, ``sensitivity``, ``specificity``, ``ppv``, ``recall_rate`` (the share that is
      called back): at the threshold that :class:`CarryThresholdHook` has chosen on the
      validation. Without that hook there are none: a threshold chosen on the test images would
      flatter the model.
    - in ``details`` and so in ``metrics.json``: ``operating_point`` with counts, all shares and
      where the threshold comes from; ``subgroups``: field to value to ``n``, ``n_positive``,
      ``roc_auc``, ``average_precision``, ``pf1`` and the shares at the same threshold. The images
      of a subgroup are pooled alone: ``view_position`` compares breasts by their CC with
      breasts by their MLO. An image without the field is in ``unknown``.

    A case has the pooled score of its images and the highest of their labels. An image that
    lacks a name of its case (patient, side) is a case of its own.

    Args:
        level: What a case is: ``image``, ``breast``, ``exam`` or ``patient``.
        pooling: How scores of a case become one: ``mean``, ``max`` or ``noisy_or``.
        subgroups: Fields of the samples, labels of other tasks or clinical variables; with where
            to cut what is a number: ``dict(manufacturer=None, age_years=(50, 60, 70))``.
        tasks: See :class:`SampleMetric`.
        prefix: See :class:`SampleMetric`.

    Raises:
        ValueError: If level or pooling is none of those.
    """

    details: dict[str, dict[str, Any]]

    def __init__(
        self,
        level: str = "breast",
        pooling: Pooling = "mean",
        subgroups: Sequence[str] | Mapping[str, Sequence[float] | None] = (),
        tasks: Sequence[str] | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(tasks, prefix)
        levels = [each.value for each in NAMES_OF_LEVEL]
        if level not in levels or pooling not in POOLINGS or isinstance(subgroups, str):
            raise ValueError(
                f"{PLACE}: level must be one of {', '.join(levels)}, pooling one of "
                f"{', '.join(POOLINGS)} and subgroups several names, got {level!r}, {pooling!r} "
                f"and {subgroups!r}"
            )
        self.level, self.pooling = Level(level), pooling
        cuts = subgroups if isinstance(subgroups, Mapping) else dict.fromkeys(subgroups)
        self.subgroups = {name: tuple(edges or ()) for name, edges in cuts.items()}
        for name, edges in self.subgroups.items():
            if list(edges) != sorted({*edges}):
                raise ValueError(
                    f"{PLACE}: a subgroup must be cut at rising numbers, got {edges} for {name}"
                )
        self.details = {}
        # Set by CarryThresholdHook: how to choose a threshold, or the one that was chosen.
        self.rule: Mapping[str, Any] | None = None
        self.carried: Mapping[str, Mapping[str, Any]] = {}

    def row(self, sample: dict[str, Any]) -> Row:
        """Return labels, predictions, and what tells case and subgroups."""
        targets = required(sample, "gt_targets")
        known = {**(sample.get("clinic_vars") or {}), **targets, **sample}
        fields = dict.fromkeys((*NAMES_OF_LEVEL[self.level], "img_path"), ()) | self.subgroups
        where = {name: _word(known.get(name), edges) for name, edges in fields.items()}
        return targets, required(sample, "pred_scores"), where

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Return ``<task>/<metric>`` over all cases."""
        self.details = {}
        flat: dict[str, float] = {}
        self._check_sample_level()
        self._check_subgroups(results)
        for name, task in self.tasks_of(results[0][1] if results else ()).items():
            if task.kind is not TaskKind.BINARY or not any(name in row[0] for row in results):
                continue
            if broken := sum(not math.isfinite(row[1][name]) for row in results):
                note = f"pf1 not defined: {broken} of {len(results)} predictions are not finite"
                print_log(f"{name}/{note}", logger="current")
                flat[f"{name}/pf1"] = math.nan
                self.details[name] = {"pf1": math.nan, "notes": [note]}
            else:
                point, notes = self._operating_point(name, results)
                values = self._measure(name, results, point)
                shown = {key: values[key] for key in ("pf1", *SHOWN) if key in values}
                threshold = {"threshold": point["threshold"]} if point else {}
                flat |= {f"{name}/{key}": value for key, value in {**shown, **threshold}.items()}
                self.details[name] = shown | threshold | _told(operating_point=point, notes=notes)
                self.details[name] |= _told(subgroups=self._by_subgroup(name, results, point))
        return flat

    def _operating_point(
        self, name: str, rows: Sequence[Row]
    ) -> tuple[dict[str, Any] | None, list[str]]:
        """Return the point at the chosen or carried threshold, or why there is none."""
        labels, scores = self._cases(name, rows)
        source: dict[str, Any]
        if self.rule is not None:
            options = dict(self.rule)
            rule = options.pop("rule")
            try:
                threshold = RULES[rule](labels, scores, **options).threshold
            except ValueError as error:  # one class
                print_log(f"{name}/threshold not chosen: {error}", logger="current")
                return None, [f"threshold not chosen: {error}"]
            source = {"rule": rule, **options}
        elif name in self.carried:
            source = dict(self.carried[name])
            threshold = source.pop("threshold")
            self._check_level(name, source)
        else:
            return None, []
        point = operating_point(labels, scores, threshold).to_json()
        place = {"level": self.level.value, "pooling": self.pooling}
        return {**point, **place, "chosen": source}, []

    def _check_level(self, name: str, source: dict[str, Any]) -> None:
        ours = (self.level.value, self.pooling)
        if (theirs := (source.pop("level"), source.pop("pooling"))) != ours:
            raise ValueError(
                f"{PLACE}: the threshold of {name} must be of the level it is applied to, got one "
                f"chosen by {' '.join(theirs)} for {' '.join(ours)}: give val_evaluator and "
                "test_evaluator the same level and pooling"
            )

    def _cases(self, name: str, rows: Sequence[Row]) -> tuple[Column, Column]:
        """Return label and score of each labelled case; all of its images count in the score."""
        names = NAMES_OF_LEVEL[self.level]
        needed = [key for key in names if key != "exam_id"]  # a patient may have one exam
        keys = [
            "\n".join(str(where[key]) for key in names)
            if all(where[key] is not None for key in needed)
            else f"image\n{where['img_path']}\n{index}"
            for index, (_, _, where) in enumerate(rows)
        ]
        groups = group_by(keys)
        scores = pool_scores([row[1][name] for row in rows], groups, self.pooling)
        labels = pool_labels([row[0].get(name, math.nan) for row in rows], groups)
        known = ~np.isnan(labels)
        return labels[known], scores[known]

    def _measure(
        self, name: str, rows: Sequence[Row], point: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """Return counts and metrics of cases, at the threshold if there is one."""
        labels, scores = self._cases(name, rows)
        areas = binary_metrics(labels, scores).values
        values: dict[str, Any] = {"n": len(labels), "n_positive": int(labels.sum())}
        values |= {key: areas[key] for key in ("roc_auc", "average_precision")}
        values["pf1"] = probabilistic_f_score(labels, scores)
        if point is not None:
            here = operating_point(labels, scores, point["threshold"])
            values |= {key: getattr(here, key) for key in SHOWN}
        return values

    def _by_subgroup(
        self, name: str, rows: Sequence[Row], point: Mapping[str, Any] | None
    ) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for field, edges in self.subgroups.items():
            parts: dict[str, list[Row]] = {}
            for row in rows:
                parts.setdefault(row[2][field] or "unknown", []).append(row)
            order = {value: place for place, value in enumerate(_intervals(edges))}
            found[field] = {
                value: self._measure(name, parts[value], point)
                for value in sorted(parts, key=lambda value: (order.get(value, -1), value))
                if any(name in row[0] for row in parts[value])
            }
        return found

    def _check_sample_level(self) -> None:
        if self.level not in (known := levels_from(self.sample_level)):
            raise ValueError(
                f"{PLACE}: level must be one of {', '.join(known)}, got {self.level}: each score "
                f"is of one {self.sample_level} as a whole, which cannot be divided"
            )

    def _check_subgroups(self, results: Sequence[Row]) -> None:
        for field in self.subgroups:
            if results and all(row[2][field] is None for row in results):
                print_log(f"{PLACE}: no image has {field}: it divides nothing", logger="current")


def _told(**parts: Any) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if value}


def _word(value: Any, edges: Sequence[float] = ()) -> str | None:
    """Spell a value; a number by its interval, a class index as a whole number."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if edges:
        return _intervals(edges)[bisect_right(edges, float(value))]
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _intervals(edges: Sequence[float]) -> list[str]:
    """Name what lies below, between and above some numbers."""
    if not edges:
        return []
    between = [f"{low:g} to < {high:g}" for low, high in pairwise(edges)]
    return [f"< {edges[0]:g}", *between, f">= {edges[-1]:g}"]
