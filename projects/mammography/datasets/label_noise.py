"""Wrong labels on purpose, of known number and place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mammography.structures.task import Task
from mammography.terms import TaskKind


@dataclass(frozen=True)
class LabelNoise:
    """Flip the labels of a yes-or-no task with a probability, in the images of one group.

    Each image draws for itself, in the order of the file, whether it belongs to the group or not:
    a larger ``prob`` flips the same images and more.

    Attributes:
        task: Name of the task.
        by: Field of the images that tells the group, e.g. ``manufacturer``.
        value: What the field holds in the group.
        prob: Probability of a flip, in [0, 1].
        seed: Decides which.

    Raises:
        ValueError: If ``prob`` is no probability.

    Example:
        >>> noise = LabelNoise("malignant", by="manufacturer", value="B", prob=1.0)
        >>> rows = [{"manufacturer": m, "gt_label": {"malignant": 1.0}} for m in "AB"]
        >>> tasks = {"malignant": Task("malignant", TaskKind.BINARY)}
        >>> [row["gt_label"]["malignant"] for row in noise.apply(rows, tasks, "train.json")]
        [1.0, 0.0]
    """

    task: str
    by: str
    value: str
    prob: float
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        if not 0 <= self.prob <= 1:
            raise ValueError(f"flip_labels: prob must lie in [0, 1], got {self.prob}")

    def apply(
        self, rows: Sequence[dict[str, Any]], tasks: Mapping[str, Task], place: str
    ) -> list[dict[str, Any]]:
        """Return the rows of a data set with the noise in them.

        Args:
            rows: Each with the field ``by`` and ``gt_label``.
            tasks: Those of the data set.
            place: The annotation file, for messages.

        Raises:
            ValueError: If the task is not one of yes or no, there is no such field, or no image
                belongs to the group.
        """
        binary = [name for name, task in tasks.items() if task.kind is TaskKind.BINARY]
        if self.task not in binary:
            raise ValueError(
                f"{place}: flip_labels: task must be binary ({', '.join(binary) or 'none is'}), "
                f"got {self.task}"
            )
        values = sorted({str(row.get(self.by)) for row in rows})
        if self.value not in values:
            raise ValueError(
                f"{place}: flip_labels: value must be a {self.by} of an image "
                f"({', '.join(values[:9])}), got {self.value}"
            )
        chosen = np.random.default_rng(self.seed).random(len(rows)) < self.prob
        return [
            self._flipped(row) if flip and row.get(self.by) == self.value else row
            for row, flip in zip(rows, chosen, strict=True)
        ]

    def _flipped(self, row: dict[str, Any]) -> dict[str, Any]:
        labels = row["gt_label"]
        if self.task not in labels:
            return row
        return row | {"gt_label": labels | {self.task: 1.0 - labels[self.task]}}
