"""Prepared mammograms with the labels of any tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.fileio import join_path
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS

from mammography.datasets.label_noise import LabelNoise
from mammography.datasets.patient_fraction import STRATA, PatientFraction
from mammography.datasets.presence import check_images_exist
from mammography.structures.annotation import ImageRecord, read_annotations
from mammography.structures.task import Task

_FIELDS = (
    "exam_id",
    "image_id",
    "laterality",
    "manufacturer",
    "patient_id",
    "split",
    "view_position",
)
_FILTERS = ("domain", *_FIELDS)


@DATASETS.register_module()
class MammographyDataset(BaseDataset):
    """Images of an annotation file with the labels of the chosen tasks.

    It reads the annotations that the preparation writes and the published form
    (``metainfo.tasks``, ``data_list[{img_path, gt_label}]``) alike. A missing label is an
    absent key of ``gt_label``. That every image exists is checked once, at the start;
    an image that cannot be read is an error, never silently another image.

    ``metainfo`` holds ``tasks`` (names, in order) and ``task_specs`` (what each can take).

    The wrappers of MMEngine and MMPreTrain work on it; mind that ``KFoldDataset`` divides
    images and so puts one patient into several folds.

    Args:
        ann_file: Annotation file, relative to ``data_root``.
        tasks: Names of the tasks to keep, in order; None keeps all. A specification such
            as ``"nodes:regression"`` also states the kind, which the published form
            leaves to be guessed from its labels.
        labelled_only: Leave out images without a label of any chosen task.
        balance_by: Task whose classes :class:`ClassBalancedDataset` evens out; may be left
            out when there is one such task only.
        domain: Name of the domain that all images belong to, e.g. ``source``. None leaves it
            to each record, whose ``clinic_vars`` may tell a ``domain``.
        unlabelled: Keep no label and no finding of any image: what an adaptation learns from
            them cannot come from labels. A task with its kind may then be one that the file
            does not know, so that a target without any labels joins a source.
        shuffle_labels: Seed of a permutation that deals the labels out anew among the images:
            the check that a score is earned. A model trained so must score at chance.
        flip_labels: Turn yes and no around in some images, as
            :class:`~mammography.datasets.label_noise.LabelNoise` says: for the study of
            methods that shall notice noisy labels, e.g. ``dict(task="malignant",
            by="manufacturer", value="Cobalt Film Scanners", prob=0.3, seed=0)``.
        fraction: Keep a share of the patients, with all their images, after all other choices:
            ``dict(of_patients=0.25, strata=("malignant", "density", "manufacturer"), seed=0)``;
            see :class:`~mammography.datasets.patient_fraction.PatientFraction`.
        filter_cfg: Values to keep, by field: ``dict(split=["train"], view_position=["CC"])``.
        **kwargs: As in :class:`mmpretrain.datasets.BaseDataset`: ``data_root``,
            ``data_prefix``, ``pipeline``, ``indices``, ``test_mode``, ``lazy_init`` ...

    Raises:
        ValueError: If a task or filter is unknown, or no image remains.
        FileNotFoundError: If an image is missing.
    """

    def __init__(
        self,
        ann_file: str,
        *,
        tasks: Sequence[str] | None = None,
        labelled_only: bool = False,
        balance_by: str | None = None,
        domain: str | None = None,
        unlabelled: bool = False,
        shuffle_labels: int | None = None,
        flip_labels: Mapping[str, Any] | None = None,
        fraction: Mapping[str, Any] | None = None,
        filter_cfg: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        unknown = sorted(set(filter_cfg or {}) - set(_FILTERS))
        if unknown:
            raise ValueError(
                f"{type(self).__name__}: filter_cfg must name fields among "
                f"{', '.join(_FILTERS)}, got {', '.join(unknown)}"
            )
        self.chosen = None if tasks is None else list(tasks)
        self.labelled_only = labelled_only
        self.balance_by = balance_by
        self.domain = domain
        self.unlabelled = unlabelled
        self.shuffle_labels = shuffle_labels
        self.noise = None if flip_labels is None else LabelNoise(**flip_labels)
        self.fraction = None if fraction is None else PatientFraction(**fraction)
        self._check_unlabelled()
        super().__init__(ann_file, filter_cfg=filter_cfg, **kwargs)

    def _check_unlabelled(self) -> None:
        needs = {
            "labelled_only": self.labelled_only,
            "balance_by": self.balance_by is not None,
            "shuffle_labels": self.shuffle_labels is not None,
            "flip_labels": self.noise is not None,
            "fraction": self.fraction is not None and bool(self.fraction.strata),
        }
        if self.unlabelled and (used := [name for name, given in needs.items() if given]):
            raise ValueError(
                f"{type(self).__name__}: unlabelled must stand without what needs labels, "
                f"got {', '.join(used)}"
            )

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the annotations and note their tasks in ``metainfo``."""
        annotations = read_annotations(self.ann_file)
        tasks = self._choose(annotations.tasks)
        self._metainfo["tasks"] = list(tasks)
        self._metainfo["task_specs"] = {name: task.to_json() for name, task in tasks.items()}
        self._check_balance_by(tasks)
        rows = [self._row(record, tasks) for record in annotations.records]
        if self.noise is not None:
            rows = self.noise.apply(rows, tasks, self.ann_file)
        if self.shuffle_labels is None:
            return rows
        order = np.random.default_rng(self.shuffle_labels).permutation(len(rows))
        return [row | {"gt_label": rows[i]["gt_label"]} for row, i in zip(rows, order, strict=True)]

    def _choose(self, known: Mapping[str, Task]) -> dict[str, Task]:
        if self.chosen is None:
            return dict(known)
        specified = (Task.parse(item) if ":" in item else item for item in self.chosen)
        tasks = {}
        for item in specified:
            name = item.name if isinstance(item, Task) else item
            if name not in known and not (self.unlabelled and isinstance(item, Task)):
                hint = f": state its kind, e.g. {name}:binary" if self.unlabelled else ""
                raise ValueError(
                    f"{self.ann_file}: tasks must be among {', '.join(known) or 'none'}, "
                    f"got {name}{hint}"
                )
            tasks[name] = item if isinstance(item, Task) else known[name]
        return tasks

    def _check_balance_by(self, tasks: Mapping[str, Task]) -> None:
        classed = [name for name, task in tasks.items() if task.num_classes]
        if self.balance_by is None and len(classed) == 1:
            self.balance_by = classed[0]
        if self.balance_by is not None and self.balance_by not in classed:
            raise ValueError(
                f"{self.ann_file}: balance_by must be a task with classes "
                f"({', '.join(classed) or 'there is none'}), got {self.balance_by}"
            )

    def _row(self, record: ImageRecord, tasks: Mapping[str, Task]) -> dict[str, Any]:
        """Return the plain form that travels to the workers and through the pipeline."""
        text = {name: getattr(record, name) for name in _FIELDS}
        text["domain"] = self.domain or record.clinic_vars.get("domain")
        known = {} if self.unlabelled else record.gt_label
        return {
            "img_path": self._locate(record.img_path),
            **{name: None if value is None else str(value) for name, value in text.items()},
            "mirrored": record.geometry is not None and record.geometry.flipped,
            "gt_label": {
                name: task.check(known[name]) for name, task in tasks.items() if name in known
            },
            "clinic_vars": record.clinic_vars,
            "findings": [] if self.unlabelled else [asdict(item) for item in record.findings],
            **({STRATA: self.fraction.values_of(record)} if self.fraction else {}),
        }

    def _locate(self, img_path: str) -> str:
        """Join a relative path to the prefix; keep an absolute path and a URI."""
        if "://" in img_path or Path(img_path).is_absolute():
            return img_path
        return str(join_path(self.img_prefix, img_path))

    def filter_data(self) -> list[dict[str, Any]]:
        """Keep the rows that the arguments ask for; check their images."""
        wanted = {
            name: {values} if isinstance(values, str) else set(values)
            for name, values in (self.filter_cfg or {}).items()
        }
        rows = [
            row
            for row in self.data_list
            if all(row[name] in values for name, values in wanted.items())
            and (row["gt_label"] or not self.labelled_only)
        ]
        if not rows:
            conditions = [f"{name} in {sorted(values)}" for name, values in wanted.items()]
            conditions += ["a label"] if self.labelled_only else []
            raise ValueError(
                f"{self.ann_file}: there must be an image"
                f"{' with ' if conditions else ''}{' and '.join(conditions)}, "
                f"got none among {len(self.data_list)}"
            )
        if self.fraction is not None:
            rows = self.fraction.keep(rows, self.ann_file)
            for row in rows:
                del row[STRATA]
        hint = f"or correct data_root={self.data_root!r}"
        check_images_exist((row["img_path"] for row in rows), self.ann_file, hint)
        return rows

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the class of an image in the task ``balance_by``, or nothing if unlabelled."""
        if self.balance_by is None:
            raise ValueError(
                f"{self.ann_file}: balance_by must name the task whose classes are balanced "
                f"({', '.join(self._metainfo['tasks'])}), got None"
            )
        label = self.get_data_info(idx)["gt_label"].get(self.balance_by)
        return [] if label is None else [int(label)]

    def prepare_data(self, idx: int) -> Any:
        """Return the sample after the pipeline; a pipeline that gives none is an error."""
        return self._through_pipeline(self.get_data_info(idx))

    def _through_pipeline(self, info: dict[str, Any]) -> Any:
        data = self.pipeline(info)
        if data is None:
            raise ValueError(f"{info['img_path']}: the pipeline must return a sample, got None")
        return data
