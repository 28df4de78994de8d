"""How numbers and metrics are spelled on a page."""

import math
from collections.abc import Sequence
from typing import Any

NOT_DEFINED = "not defined"
ABSENT = "–"  # noqa: RUF001 (a dash in an empty cell)

_METRICS = {
    "roc_auc": "ROC-AUC",
    "average_precision": "average precision",
    "bce": "BCE (nats)",
    "accuracy": "accuracy",
    "quadratic_kappa": "quadratic kappa",
    "cross_entropy": "cross-entropy (nats)",
    "mse": "MSE",
    "r2": "R²",
    "pearson": "Pearson r",
    "loss": "loss",
}
LOWER_IS_BETTER = frozenset({"bce", "cross_entropy", "mse", "loss"})
BETWEEN_0_AND_1 = frozenset({"roc_auc", "average_precision", "accuracy"})


def metric_label(key: str) -> str:
    """Name of a metric as a paper writes it; an unknown key stays as it is."""
    return _METRICS.get(key, key)


def metric_order(keys: Sequence[str]) -> list[str]:
    """Known metrics in their usual order, then the others as they came."""
    known = [key for key in _METRICS if key in keys]
    return known + [key for key in dict.fromkeys(keys) if key not in _METRICS]


def number(value: Any) -> str:
    """Write a number with the digits it deserves.

    Example:
        >>> number(12), number(0.84213), number(1234.5), number(0.00002), number(None)
        ('12', '0.842', '1234.5', '2.00e-05', 'not defined')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOT_DEFINED
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e9):
        return str(int(value)) if isinstance(value, int) else f"{value:.3f}"
    if abs(value) >= 100:
        return f"{value:.5g}"
    return f"{value:.3f}" if abs(value) >= 0.001 else f"{value:.2e}"


def counted(count: int, what: str, many: str = "") -> str:
    """Write a count with its noun.

    Example:
        >>> counted(1, "image"), counted(2, "image"), counted(3, "study", "studies")
        ('1 image', '2 images', '3 studies')
    """
    return f"{count:,} {what if count == 1 else many or what + 's'}"


def with_interval(value: float, interval: tuple[float, float] | None) -> str:
    """Write a number with its interval, where it has one.

    Example:
        >>> with_interval(0.8124, (0.75, 0.86)), with_interval(float("nan"), None)
        ('0.812 (0.750 to 0.860)', 'not defined')
    """
    if interval is None or math.isnan(interval[0]):
        return number(value)
    return f"{value:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"


def signed(value: float, interval: tuple[float, float]) -> str:
    """Write a difference.

    Example:
        >>> signed(0.0312, (-0.01, 0.07))
        '+0.031 (-0.010 to +0.070)'
    """
    if math.isnan(interval[0]):
        return f"{value:+.3f}"
    return f"{value:+.3f} ({interval[0]:+.3f} to {interval[1]:+.3f})"


def p_value(value: float) -> str:
    """Write a p-value.

    Example:
        >>> p_value(0.0312), p_value(0.00002), p_value(float("nan"))
        ('0.031', '< 0.001', 'not defined')
    """
    return "< 0.001" if value < 0.001 else number(value)
