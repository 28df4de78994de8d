"""What a test leaves behind beside its predictions."""

import json
import math
import os
from collections import defaultdict
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = {  # import name to name of the distribution
    "mammography": "mammography",
    "torch": "torch",
    "mmpretrain": "onedl-mmpretrain",
    "mmengine": "onedl-mmengine",
}


def versions() -> dict[str, str]:
    """Return the versions that results depend on."""
    return {name: version(distribution) for name, distribution in PACKAGES.items()}


def nest_metrics(
    flat: Mapping[str, float], details: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return metrics by task, with the counts and notes of a multi-task metric.

    Example:
        >>> nest_metrics({"a/roc_auc": 0.5, "loss": 2.0}, {"a": {"roc_auc": 0.5, "n": 8}})
        {'a': {'roc_auc': 0.5, 'n': 8}, '': {'loss': 2.0}}
    """
    tasks: dict[str, dict[str, Any]] = defaultdict(dict)
    tasks.update({name: dict(values) for name, values in details.items()})
    for key, value in flat.items():
        task, _, metric = key.rpartition("/")
        tasks[task].setdefault(metric, value)
    return dict(tasks)


def write_metrics(
    path: Path, tasks: Mapping[str, Mapping[str, Any]], info: Mapping[str, Any]
) -> None:
    """Write metrics as JSON, whole or not at all; what is not defined is null."""
    plain = _plain(tasks)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(
        json.dumps({"info": dict(info), "tasks": plain}, indent=1, allow_nan=False) + "\n",
        encoding="utf-8",
    )
    unfinished.replace(path)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
