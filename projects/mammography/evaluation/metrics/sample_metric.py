"""What every metric here shares: one row per sample, gathered once, in data-set order."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from mammography.structures.prediction import row_level
from mammography.structures.task import Task
from mammography.terms import Level


class SampleMetric(BaseMetric):
    """Turn each sample into a row; the rows of all processes meet on the first one.

    Every process takes part in the exchange, with labels or without, and the samples that
    the sampler repeats to fill the last round are dropped: the rows are those of the data
    set, in its order.

    Args:
        tasks: Outcomes, each as ``name:kind`` or ``name:kind=class,class``; those of the
            data set by default.
        prefix: Put before the names of the results.
    """

    def __init__(self, tasks: Sequence[str] | None = None, prefix: str | None = None) -> None:
        # "gpu" gathers through the process group, also on CPUs; "cpu" would go through
        # files below the current folder, which several machines need not share.
        super().__init__(collect_device="gpu", prefix="tasks")
        self.prefix = prefix  # MMEngine warns about an empty one, but names hold the task
        self._given = None if tasks is None else {t.name: t for t in map(Task.parse, tasks)}

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep one row per sample of a batch."""
        self.results.extend(self.row(sample) for sample in data_samples)

    @abstractmethod
    def row(self, sample: dict[str, Any]) -> Any:
        """Return what is needed of a sample, on the CPU."""

    @property
    def sample_level(self) -> Level:
        """What one sample of the data set is."""
        return row_level(self.dataset_meta or {})

    @property
    def level_info(self) -> dict[str, str]:
        """What a dump says its rows are; of images nothing."""
        return {} if self.sample_level is Level.IMAGE else {"level": self.sample_level.value}

    def tasks_of(self, names: Iterable[str]) -> dict[str, Task]:
        """Describe the tasks that a model predicts.

        Raises:
            ValueError: If one is not known.
        """
        known = self._given
        if known is None:
            specs = (self.dataset_meta or {}).get("task_specs", {})
            known = {name: Task.from_json(name, spec) for name, spec in specs.items()}
        if missing := [name for name in names if name not in known]:
            raise ValueError(
                f"{type(self).__name__}: predicted tasks must be those of the data set "
                f"({', '.join(known) or 'none'}), got {', '.join(missing)}: name them in the "
                "annotation file or in the argument tasks"
            )
        return {name: known[name] for name in names}


def required(sample: dict[str, Any], name: str) -> Any:
    """Return a field of a sample.

    Raises:
        ValueError: If the sample has none of that name.
    """
    if name not in sample:
        image = sample.get("img_path", "sample")
        raise ValueError(
            f"{image}: a prediction must carry {name}: predict with MaskedMultiTaskHead, "
            "pack with PackMammogram"
        )
    return sample[name]
