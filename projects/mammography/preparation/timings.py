"""How long the preparation took, from what its processes noted for every image."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

_QUANTILES = {"median": 0.5, "p95": 0.95, "max": 1.0}
_DIGITS = 4


def describe_timings(
    results: Iterable[Mapping[str, Any]], images: int, seconds: float
) -> dict[str, Any]:
    """Return the times of one call, and what each stage took per image.

    Args:
        results: What the processes noted, in this call or in earlier ones; images that
            were rejected are left out.
        images: Images that this call prepared or rejected.
        seconds: Duration of this call.

    Example:
        >>> noted = [{"seconds": {"read": 0.2}}, {"seconds": {"read": 0.4}}]
        >>> times = describe_timings(noted, 2, 0.5)
        >>> times["images_per_second"], times["seconds_per_image"]
        (4.0, {'read': {'median': 0.3, 'p95': 0.39, 'max': 0.4}})
    """
    stages: dict[str, list[float]] = {}
    for result in results:
        for stage, taken in result.get("seconds", {}).items():
            stages.setdefault(stage, []).append(taken)
    return {
        "seconds": round(seconds, 1),
        "images": images,
        "images_per_second": round(images / seconds, 2),
        "seconds_per_image": {stage: _spread(values) for stage, values in stages.items()},
    }


def _spread(values: list[float]) -> dict[str, float]:
    found = np.quantile(values, list(_QUANTILES.values()))
    return {
        name: round(float(value), _DIGITS) for name, value in zip(_QUANTILES, found, strict=True)
    }
