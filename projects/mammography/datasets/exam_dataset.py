"""Whole exams: all views that belong together are one sample."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from mmpretrain.registry import DATASETS
from mmpretrain.structures import DataSample
from torch import Tensor

from mammography.datasets.mammography_dataset import MammographyDataset
from mammography.functional.aggregation import NAMES_OF_LEVEL, group_by
from mammography.terms import Level

_LEVELS = (Level.BREAST, Level.EXAM, Level.PATIENT)
_SHARED = ("patient_id", "exam_id", "laterality", "manufacturer", "split", "domain")
_OF_A_VIEW = ("img_path", "image_id", "laterality", "view_position")
_ORDER = ("exam_id", "laterality", "view_position", "image_id", "img_path")


@DATASETS.register_module()
class ExamDataset(MammographyDataset):
    """Breasts, exams or patients of an annotation file, each with all of its views.

    The pipeline is that of single images and runs once for each view; all views must come out at
    one size. A sample holds as many views as there are: a missing view is absent, never a
    black image. Views are sorted by exam, side, projection and name. The label of a case is the
    highest of its images in each task, which for 0 and 1 is their OR; clinical variables
    are those of its first view that knows them. ``metainfo`` tells the level, so that dumps do.

    ``MultiInputClassifier`` with a ``ViewFusionNeck`` takes the samples, behind a
    ``MultiViewDataPreprocessor``; as cases have different numbers of views, loaders need
    ``collate_fn=dict(type="pseudo_collate")``.

    Shapes:
        ``inputs``: ``(V, 1, H, W)``, V views.

    Args:
        ann_file: Annotation file, relative to ``data_root``.
        level: What one sample is: ``breast``, ``exam`` or ``patient``.
        **kwargs: As in :class:`MammographyDataset`. ``filter_cfg`` chooses images, before
            they are put together; ``indices`` chooses cases.

    Raises:
        ValueError: If the level is none of these, or an image does not tell its case.
    """

    def __init__(self, ann_file: str, *, level: str = "exam", **kwargs: Any) -> None:
        if level not in _LEVELS:
            raise ValueError(
                f"{type(self).__name__}: level must be one of {', '.join(_LEVELS)}, got {level!r}: "
                "MammographyDataset reads single images"
            )
        self.level = Level(level)
        super().__init__(ann_file, **kwargs)
        self._metainfo["level"] = self.level.value

    def filter_data(self) -> list[dict[str, Any]]:
        """Choose the images, then put those of a case together, in the order of the file."""
        rows = super().filter_data()
        names = NAMES_OF_LEVEL[self.level]
        for row in rows:
            if missing := [name for name in names if row[name] is None]:
                raise ValueError(
                    f"{self.ann_file}: every image must tell its {self.level} by "
                    f"{', '.join(names)}, got none of {', '.join(missing)} for {row['img_path']}"
                )
        groups = group_by(*([row[name] for row in rows] for name in names))
        bounds = [*groups.starts.tolist(), len(rows)]
        order = groups.order.tolist()
        members = sorted(order[a:b] for a, b in pairwise(bounds))
        return [_case([rows[i] for i in numbers]) for numbers in members]

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline for each view of a case and pack them together."""
        info = self.get_data_info(idx)
        packed = [self._through_pipeline(dict(view)) for view in info["views"]]
        if isinstance(packed[0]["inputs"], list):  # versions of each view, from TestTimeAug
            versions = [_versions(view) for view in packed]
            cases = [_pack(info, list(views)) for views in zip(*versions, strict=True)]
            return {name: [case[name] for case in cases] for name in ("inputs", "data_samples")}
        return _pack(info, packed)


def _case(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the rows of the images of one case."""
    views = sorted(rows, key=lambda row: tuple(row[name] or "" for name in _ORDER))
    tasks = dict.fromkeys(task for row in views for task in row["gt_label"])
    labels = {
        task: max(row["gt_label"][task] for row in views if task in row["gt_label"])
        for task in tasks
    }
    clinical: dict[str, Any] = {}
    for row in reversed(views):
        clinical |= {name: value for name, value in row["clinic_vars"].items() if value is not None}
    return {
        **{name: _common([row[name] for row in views]) for name in _SHARED},
        "img_path": views[0]["img_path"],
        "image_id": None,
        "view_position": None,
        "gt_label": labels,
        "clinic_vars": clinical,
        "views": views,
    }


def _common(values: Sequence[Any]) -> Any:
    """Return what all views say; None where they differ."""
    return values[0] if len(set(values)) == 1 else None


def _versions(packed: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    return [
        {"inputs": inputs, "data_samples": sample}
        for inputs, sample in zip(packed["inputs"], packed["data_samples"], strict=True)
    ]


def _pack(info: Mapping[str, Any], packed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    images: list[Tensor] = [view["inputs"] for view in packed]
    if len({tuple(image.shape) for image in images}) > 1:
        sizes = ", ".join(str(tuple(image.shape[-2:])) for image in images)
        raise ValueError(
            f"{info['img_path']}: the views of a case must come out of the pipeline at one size, "
            f"got {sizes}: give every resizing transform a size_hw"
        )
    sample = DataSample()
    told = (*_SHARED, "img_path", "image_id", "view_position", "clinic_vars", "sample_idx")
    views = [
        {name: view[name] for name in _OF_A_VIEW}
        | {"warp_matrix": done["data_samples"].get("warp_matrix")}
        for view, done in zip(info["views"], packed, strict=True)
    ]
    sample.set_metainfo({name: info[name] for name in told} | {"views": views})
    sample.set_field(dict(info["gt_label"]), "gt_targets", dtype=dict)
    return {"inputs": torch.stack(images), "data_samples": sample}
