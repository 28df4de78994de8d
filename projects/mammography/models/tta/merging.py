"""Make one prediction of several of the same image."""

from typing import Any

import numpy as np
import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mammography.functional.entropy import entropy_parts
from mammography.terms import TaskKind


def merge_versions(versions: list[DataSample]) -> DataSample:
    """Average scores, features and uncertainties of the augmented versions of an image.

    Labels and metadata are those of the first version.

    Args:
        versions: What one set of weights said about each.
    """
    merged: DataSample = versions[0].clone()
    scores: dict[str, Any] = {
        task: np.mean([version.pred_scores[task] for version in versions], axis=0).tolist()
        for task in versions[0].pred_scores
    }
    merged.set_field(scores, "pred_scores", dtype=dict)
    if "pred_features" in merged:
        features = torch.stack([version.pred_features for version in versions]).mean(dim=0)
        merged.set_field(features, "pred_features", dtype=Tensor)
    parts = _mean_parts([version.get("pred_uncertainty") or {} for version in versions])
    if parts:
        merged.set_field(parts, "pred_uncertainty", dtype=dict)
    return merged


def merge_weights(members: list[DataSample], kinds: dict[str, TaskKind]) -> DataSample:
    """Average what several sets of weights say, and tell apart what they are unsure of.

    Of class probabilities: the entropy of their mean is ``total``, the mean of their entropies
    ``aleatoric``, and the difference, on which they disagree, ``epistemic``; ``variance`` is
    the mean of the learned variances, where there are any. Of a value: ``variance`` is that of the
    value over the weights.

    Args:
        members: What each set of weights said about one image.
        kinds: The kind of each task.
    """
    merged = merge_versions(members)
    learned = _mean_parts([member.get("pred_uncertainty") or {} for member in members])
    parts: dict[str, dict[str, float]] = {}
    for task, kind in kinds.items():
        scores = torch.tensor([m.pred_scores[task] for m in members], dtype=torch.float64)
        if kind is TaskKind.REGRESSION:
            parts[task] = {"variance": float(scores.var(correction=0))}
            continue
        if kind is TaskKind.BINARY:
            scores = torch.stack([1 - scores, scores], dim=-1)
        named = zip(("total", "aleatoric", "epistemic"), entropy_parts(scores), strict=True)
        parts[task] = {name: float(value) for name, value in named}
        if "variance" in learned.get(task, {}):
            parts[task]["variance"] = learned[task]["variance"]
    merged.set_field(parts, "pred_uncertainty", dtype=dict)
    return merged


def _mean_parts(versions: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Average the parts of the uncertainty that all versions have."""
    return {
        task: {part: float(np.mean([v[task][part] for v in versions])) for part in parts}
        for task, parts in versions[0].items()
        if all(set(parts) <= set(version.get(task, {})) for version in versions)
    }
