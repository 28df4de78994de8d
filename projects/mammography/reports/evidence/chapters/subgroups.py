"""Whether a model does alike in all subgroups."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammography.functional.bootstrap import FEWEST_OF_A_CLASS
from mammography.functional.clustered_areas import clustered_roc_areas
from mammography.functional.curve_areas import curve_areas
from mammography.functional.delong import area_interval
from mammography.functional.estimate import Estimate
from mammography.reports.blocks import Block, Chart, Row, Table, Text, Tone, chart
from mammography.reports.evidence.chapter import Chapter, Point, columns, told
from mammography.reports.evidence.counts import members_of
from mammography.reports.evidence.live import counts_of, groups_table
from mammography.reports.evidence.study import Model, Study
from mammography.reports.figures.forest import Branch, draw_forest

_MODELS_DRAWN = 4


def subgroups_chapter(study: Study) -> Chapter:
    """Tell the area in each subgroup, and the decisions at the threshold."""
    rows = [row for model in study.models for row in _rows(study, model)]
    drawn = [_forest(study, rows, index) for index in range(min(len(study.models), _MODELS_DRAWN))]
    blocks: list[Block] = [Row(tuple(figure for figure, _ in drawn)), _table(study, rows)]
    blocks.append(groups_table(study))
    if not study.divisions:
        blocks.insert(0, Text("Nothing is known that divides the cases.", Tone.MISSING))
    files = {
        "subgroups": [
            {name: row[name] for name in ("model", "attribute", "group", "n", "positive")}
            | columns("roc_auc", row["area"])
            | row["counts"]
            for row in rows
        ]
    }
    methods = (
        "Subgroups: ROC-AUC within the group, interval by clustered variance on the scale of log "
        f"odds; none below {FEWEST_OF_A_CLASS} cases of a class, and no area for one class. No "
        "test compares subgroups: vendor, site and prevalence go together, and intervals of many "
        "groups differ by chance.",
    )
    points = {figure.anchor: read for figure, read in drawn}
    return Chapter("subgroups", "Subgroups", tuple(blocks), files, methods, points)


def _rows(study: Study, model: Model) -> Iterator[dict[str, Any]]:
    yield _row(study, model, "", "all cases", np.ones(study.n, bool))
    for attribute in study.divisions:
        for group, chosen in members_of(attribute):
            yield _row(study, model, attribute.title, group, chosen)


def _row(
    study: Study, model: Model, attribute: str, group: str, chosen: NDArray[np.bool_]
) -> dict[str, Any]:
    labels, scores = study.labels[chosen], model.scores[chosen]
    positives = int(labels.sum())
    area = Estimate(curve_areas(labels, scores)["roc_auc"])
    if min(positives, len(labels) - positives) >= FEWEST_OF_A_CLASS:
        found = clustered_roc_areas(labels, study.patients[chosen], scores)
        value = float(found.areas[0])
        area = Estimate(value, area_interval(value, float(found.covariance[0, 0])))
    return {
        "model": model.name,
        "attribute": attribute,
        "group": group,
        "n": len(labels),
        "positive": positives,
        "area": area,
        "counts": counts_of(study, model, chosen),
    }


def _forest(study: Study, rows: list[dict[str, Any]], index: int) -> tuple[Chart, list[Point]]:
    model = study.models[index]
    own = [row for row in rows if row["model"] == model.name]
    branches: list[Branch] = []
    points: list[Point] = []
    heading = ""
    for row in own:
        if row["attribute"] != heading:
            heading = row["attribute"]
            branches.append(Branch(heading, heading=True))
        text = f"{row['group']} ({row['positive']:,}/{row['n']:,})"
        if np.isfinite(row["area"].value):
            points.append((0, row["area"].value, len(branches), f"{text}\nAUC {told(row['area'])}"))
        branches.append(Branch(text, row["area"].value, row["area"].interval))
    ends = [
        end for row in rows for end in (row["area"].value, *row["area"].interval) if isfinite(end)
    ]
    figure = draw_forest(branches, "ROC-AUC (95 %)", own[0]["area"].value, (min(ends), max(ends)))
    drawn = chart(
        figure,
        f"Subgroups: {model.name}",
        f"ROC-AUC of {model.name} in {len(own) - 1} subgroups",
        "In parentheses positive cases / n. Squares with lines: area and 95 % interval; open "
        f"circles: fewer than {FEWEST_OF_A_CLASS} of a class, no interval; dashed: all cases.",
        f"chart-forest-{index}",
    )
    return drawn, points


def _table(study: Study, rows: list[dict[str, Any]]) -> Table:
    """Put the models side by side."""
    texts: dict[str, list[str]] = {}
    for row in rows:
        name = f"{row['attribute']}: {row['group']}" if row["attribute"] else row["group"]
        own = texts.setdefault(name, [f"{row['n']:,}", f"{row['positive']:,}"])
        own.append(told(row["area"]))
    header = ("cases", "n", "positive", *(f"{m.name}: ROC-AUC (95 %)" for m in study.models))
    lines = tuple((name, *cells) for name, cells in texts.items())
    return Table("Area under the ROC curve in subgroups", header, lines)
