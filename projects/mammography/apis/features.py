"""Files of features: embeddings of images and who they are of."""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammography.apis.config import UsageError

Texts = NDArray[np.str_]
IDENTITY = ("img_path", "image_id", "patient_id", "exam_id", "laterality", "view_position", "split")


@dataclass(frozen=True, eq=False)
class Features:
    """What ``tools/test.py --out-item feature`` and ``tools/cross_validate.py --features`` write.

    Attributes:
        values: Embeddings, ``(N, C)``.
        names: ``img_path``, ``patient_id`` and so on, ``(N,)`` each, ``""`` where not known.
        labels: Task name to labels, ``(N,)``, NaN where there is none.
        models: Model that each row comes from, ``(N,)``; all the same unless of several folds.
        info: Where they come from.
    """

    values: NDArray[np.float32]
    names: dict[str, Texts]
    labels: dict[str, NDArray[np.float64]]
    models: Texts
    info: dict[str, Any] = field(default_factory=dict)


def read_features(path: str | Path) -> Features:
    """Read an NPZ file of features.

    Raises:
        UsageError: If it is absent or holds none.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} must be an NPZ file of features: {error}") from error
    if absent := [name for name in ("features", "patient_id") if name not in arrays]:
        raise UsageError(f"{path} must hold features and patient_id, got no {absent[0]}")
    count = len(arrays["features"])
    return Features(
        arrays["features"],
        {name: arrays[name] for name in IDENTITY if name in arrays},
        {name[3:]: values for name, values in arrays.items() if name.startswith("gt_")},
        arrays.get("model", np.full(count, "")),
        json.loads(str(arrays["info"])) if "info" in arrays else {},
    )


def join_features(parts: dict[str, Features], info: dict[str, Any], split: str) -> Features:
    """Put the rows of several models one below the other.

    Args:
        parts: Name of the model to its features.
        info: Where they come from.
        split: What the images are to their model.
    """
    several = list(parts.values())
    names = {
        name: np.concatenate([part.names[name] for part in several]) for name in several[0].names
    }
    names["split"] = np.full(len(names["patient_id"]), split)
    return Features(
        np.concatenate([part.values for part in several]),
        names,
        {
            task: np.concatenate([_labels(part, task) for part in several])
            for task in sorted({task for part in several for task in part.labels})
        },
        np.concatenate([np.full(len(part.values), model) for model, part in parts.items()]),
        info,
    )


def _labels(part: Features, task: str) -> NDArray[np.float64]:
    return part.labels.get(task, np.full(len(part.values), np.nan))


def write_features(path: Path, features: Features) -> None:
    """Write features, whole or not at all."""
    arrays: dict[str, Any] = {"features": features.values, **features.names}
    arrays |= {f"gt_{task}": labels for task, labels in features.labels.items()}
    arrays |= {"model": features.models, "info": np.array(json.dumps(features.info))}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(buffer.getvalue())
    unfinished.replace(path)
