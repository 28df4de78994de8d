"""Write the features of every image."""

import io
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmpretrain.registry import METRICS

from mammography.evaluation.metrics.dump_predictions import IDENTITY, path_in
from mammography.evaluation.metrics.sample_metric import SampleMetric, required

SUFFIXES = (".npz", ".pkl", ".pickle")
Arrays = dict[str, np.ndarray[Any, Any]]


@METRICS.register_module()
class DumpFeatures(SampleMetric):
    """Write the embedding that enters the task layers, for classifiers outside.

    The file holds ``features`` (N, C) float32, the texts ``img_path image_id patient_id
    exam_id laterality view_position split`` (N,) with ``""`` where one is not known, and
    ``gt_<task>`` (N,) with NaN where a label is missing. NPZ files need no pickle to read:
    ``np.load(path)["features"]``. The text ``info`` is JSON of where they come from, and of
    their ``level`` if the rows are not images (``ExamDataset``).

    Args:
        out_file: NPZ or pickle of the same dictionary, by the suffix.
        data_root: Folder that the paths are written relative to.
        info: Where the features come from: config, checkpoint, versions.
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
                f"DumpFeatures: out_file must end in {', '.join(SUFFIXES)}, got {out_file}"
            )
        self.data_root, self.info = data_root, dict(info or {})

    def row(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return what the file holds of a sample."""
        texts = {name: sample.get(name) or "" for name in IDENTITY}
        return {
            "features": required(sample, "pred_features").float().cpu().numpy(),
            "img_path": path_in(self.data_root, sample),
            **{name: str(text) for name, text in texts.items()},
            "targets": dict(sample.get("gt_targets") or {}),
        }

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Write the file."""
        arrays = _as_arrays(results)
        if info := self.info | self.level_info:
            arrays["info"] = np.array(json.dumps(info))
        _write(self.out_file, arrays)
        told = f"Features of {len(results)} {self.sample_level}s: {self.out_file}"
        print_log(told, logger="current")
        return {}


def _as_arrays(rows: list[dict[str, Any]]) -> Arrays:
    arrays = {"features": np.stack([row["features"] for row in rows]).astype(np.float32)}
    for name in ("img_path", *IDENTITY):
        arrays[name] = np.array([row[name] for row in rows], dtype=str)
    for task in sorted({name for row in rows for name in row["targets"]}):
        labels = [row["targets"].get(task, np.nan) for row in rows]
        arrays[f"gt_{task}"] = np.array(labels, dtype=np.float64)
    return arrays


def _write(path: Path, arrays: Arrays) -> None:
    """Write the file, whole or not at all."""
    buffer = io.BytesIO()
    if path.suffix == ".npz":
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    else:
        pickle.dump(arrays, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(buffer.getvalue())
    unfinished.replace(path)
