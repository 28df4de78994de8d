"""The data sets in a config, inside whatever wraps them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

Dataset = dict[str, Any]


def data_sets(node: Any) -> Iterator[Dataset]:
    """Yield the data sets with an annotation file, inside any wrappers."""
    if "ann_file" in node:
        yield node
    for inner in [*node.get("datasets", ()), *([node["dataset"]] if "dataset" in node else [])]:
        yield from data_sets(inner)


def annotation_file(leaf: Dataset) -> Path:
    """Return where the annotations of a data set are."""
    return Path(leaf.get("data_root") or "", leaf["ann_file"])
