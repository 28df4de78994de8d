"""The patients of a config: all of its annotations, divided anew."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mammography.apis.config import UsageError
from mammography.apis.data_sets import Dataset, annotation_file, data_sets
from mammography.structures.annotation import (
    Annotations,
    ImageRecord,
    read_annotations,
    write_annotations,
)
from mammography.structures.folds import Folds
from mammography.terms import Split, TaskKind


@dataclass(frozen=True)
class Cohort:
    """Images by the folder that their data set starts from.

    Attributes:
        pools: Data root to its annotations, each image once.
    """

    pools: Mapping[str, Annotations]

    def labels(self, task: str) -> dict[str, float]:
        """Return the highest label of each patient, sorted by name; NaN where there is none."""
        labels: dict[str, float] = {}
        for record in (record for pool in self.pools.values() for record in pool.records):
            known = labels.setdefault(str(record.patient_id), math.nan)
            label = record.gt_label.get(task, known)
            labels[str(record.patient_id)] = label if math.isnan(known) else max(known, label)
        return dict(sorted(labels.items()))

    def binary_tasks(self) -> list[str]:
        """Return the names of the binary tasks."""
        tasks = {name: task for pool in self.pools.values() for name, task in pool.tasks.items()}
        return [name for name, task in tasks.items() if task.kind is TaskKind.BINARY]

    def write(
        self, folder: Path, folds: Folds, outer: int, inner: int
    ) -> dict[str, dict[str, Path]]:
        """Write the annotations of a model; ``split`` says what an image is to it.

        Returns:
            Split to data root to file.
        """
        files: dict[str, dict[str, Path]] = defaultdict(dict)
        for number, (root, pool) in enumerate(self.pools.items()):
            parts: dict[Split, list[ImageRecord]] = {split: [] for split in Split}
            for record in pool.records:
                role = folds.role(str(record.patient_id), outer, inner)
                parts[role].append(replace(record, split=role))
            for split, records in parts.items():
                path = folder / f"{split}{f'-{number}' if len(self.pools) > 1 else ''}.json"
                write_annotations(path, replace(pool, records=tuple(records)))
                files[split.value][root] = path
        return dict(files)


def read_cohort(cfg: Config, splits: Sequence[str]) -> Cohort:
    """Read the annotations of some loaders of a config.

    Args:
        cfg: The config.
        splits: Loaders whose images are pooled: some of ``train``, ``val``, ``test``.

    Raises:
        UsageError: If there is no image, an image has no patient, or files of one folder tell
            different tasks.
    """
    pools: dict[str, Annotations] = {}
    for split in splits:
        for leaf in leaves_of(cfg, split):
            root, found = _root(leaf), read_annotations(annotation_file(leaf))
            known = pools.get(root)
            if known and known.tasks != found.tasks:
                raise UsageError(
                    f"{annotation_file(leaf)}: annotations of {root} must have the same tasks"
                )
            together = {r.img_path: r for r in (*(known.records if known else ()), *found.records)}
            records = tuple(sorted(together.values(), key=lambda record: record.img_path))
            pools[root] = replace(found, records=records)
    anonymous = [r.img_path for pool in pools.values() for r in pool.records if not r.patient_id]
    if anonymous or not pools:
        raise UsageError(
            "cross-validation: every image must have a patient_id, got "
            f"{f'{len(anonymous)} without, such as {anonymous[0]}' if anonymous else 'no image'}"
        )
    return Cohort(pools)


def leaves_of(cfg: Config, split: str) -> Iterable[Dataset]:
    """Return the data sets with an annotation file of a loader."""
    loader: Any = cfg.get(f"{split}_dataloader")
    return list(data_sets(loader.dataset)) if loader else []


def point_to(cfg: Config, files: Mapping[str, Mapping[str, Path]]) -> None:
    """Let every data set of a config read the annotations of a fold; changes it in place."""
    for split, of_root in files.items():
        for leaf in leaves_of(cfg, split):
            if _root(leaf) not in of_root:
                raise UsageError(
                    f"{split}_dataloader: images of {_root(leaf)} must be among those that are "
                    f"divided ({', '.join(of_root)})"
                )
            leaf["ann_file"] = str(of_root[_root(leaf)].resolve())


def _root(leaf: Dataset) -> str:
    return str(leaf.get("data_root") or "")
