"""Write what a model said about every image."""

from pathlib import Path, PurePath
from typing import Any

from mmengine.logging import print_log
from mmpretrain.registry import METRICS

from mammography.evaluation.metrics.sample_metric import SampleMetric, required
from mammography.structures.prediction import Dump, PredictionRecord, write_dump

SUFFIXES = (".json", ".pkl", ".pickle")
IDENTITY = ("image_id", "patient_id", "exam_id", "laterality", "view_position", "split")


def path_in(data_root: str | None, sample: dict[str, Any]) -> str:
    """Return the path of an image as its annotation names it."""
    path = PurePath(required(sample, "img_path"))
    if data_root and path.is_relative_to(data_root):
        path = path.relative_to(data_root)
    return path.as_posix()


@METRICS.register_module()
class DumpPredictions(SampleMetric):
    """Write predictions and labels with the pseudonyms of the annotation.

    If the rows are not images (``ExamDataset``), ``info`` gets ``level``: what they are.

    Args:
        out_file: JSON or pickle, by the suffix; see :mod:`mammography.structures.prediction`.
        data_root: Folder that the paths are written relative to.
        info: Where the predictions come from: config, checkpoint, versions.
        **settings: See :class:`SampleMetric`.

    Raises:
        ValueError: If ``out_file`` has another suffix.
    """

    def __init__(
        self,
        out_file: str,
        data_root: str | None = None,
        info: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.out_file = Path(out_file)
        if self.out_file.suffix not in SUFFIXES:
            raise ValueError(
                f"DumpPredictions: out_file must end in {', '.join(SUFFIXES)}, got {out_file}"
            )
        self.data_root, self.info = data_root, dict(info or {})

    def row(self, sample: dict[str, Any]) -> PredictionRecord:
        """Return the row of the dump."""
        identity: dict[str, Any] = {name: sample.get(name) for name in IDENTITY}
        return PredictionRecord(
            img_path=path_in(self.data_root, sample),
            **identity,
            gt_label=dict(required(sample, "gt_targets")),
            pred_score=dict(required(sample, "pred_scores")),
            pred_uncertainty=dict(sample.get("pred_uncertainty") or {}),
        )

    def compute_metrics(self, results: list[PredictionRecord]) -> dict[str, float]:
        """Write the file."""
        tasks = self.tasks_of(results[0].pred_score if results else ())
        write_dump(self.out_file, Dump(tasks, tuple(results), self.info | self.level_info))
        told = f"Predictions of {len(results)} {self.sample_level}s: {self.out_file}"
        print_log(told, logger="current")
        return {}
