"""What the script of the page knows: thresholds, counts above them, colours, read-outs."""

import json
from collections.abc import Mapping, Sequence
from itertools import cycle, islice, product
from typing import Any

import numpy as np
from scipy.stats import norm

from mammography.functional.bootstrap import FEWEST_OF_A_CLASS
from mammography.reports.evidence.chapter import Point
from mammography.reports.evidence.counts import grouped_counts, threshold_grid
from mammography.reports.evidence.live import assumed_prevalence
from mammography.reports.evidence.operating import Operating
from mammography.reports.evidence.study import Study
from mammography.reports.figures.canvas import DASHES, SERIES

_DIGITS = 5


def page_data(
    study: Study, operating: Sequence[Operating], points: Mapping[str, Sequence[Point]]
) -> str:
    """Return the data as JSON that may stand inside a script.

    Counts above some thousand thresholds stand for the cases, so that the page of a hundred
    thousand cases is as small as that of a thousand, and tells no score of a single case.

    Args:
        study: The cases.
        operating: Thresholds that must be among those of the slider.
        points: Anchor of a figure to what a pointer reads out on it.
    """
    grid = threshold_grid(study, [point.threshold for point in operating])
    colors = islice(cycle(color for _, color in product(DASHES, SERIES)), len(study.models))
    content: dict[str, Any] = {
        "z": float(norm.ppf(0.975)),
        "fewest": FEWEST_OF_A_CLASS,
        "prevalence": assumed_prevalence(study),
        "reference": study.options.reference,
        "grid": grid.tolist(),
        "models": [
            {
                "name": model.name,
                "color": color,
                "stated": int(np.searchsorted(grid, model.threshold.value)),
            }
            for model, color in zip(study.models, colors, strict=True)
        ],
        "groups": list(grouped_counts(study, grid)),
        "points": {
            anchor: [[axes, _short(x), _short(y), text] for axes, x, y, text in read]
            for anchor, read in points.items()
        },
    }
    # Names come from outside: none may end the script.
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
