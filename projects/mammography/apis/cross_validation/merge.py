"""Predictions and features of all models as one: each patient by models that never saw her."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mammography.apis.config import UsageError
from mammography.apis.cross_validation.folder import FoldFolder
from mammography.apis.cross_validation.plan import FoldModel, Plan
from mammography.apis.features import join_features, read_features, write_features
from mammography.apis.outputs import versions
from mammography.functional.aggregation import Pooling
from mammography.reports.cross_validation.results import ModelScore, write_results
from mammography.structures.folds import Folds
from mammography.structures.prediction import Dump, PredictionRecord, read_dump, write_dump
from mammography.terms import Split

Score = float | list[float]
_SHARED = ("level", "clinic_vars")


def merge(plan: Plan, folder: FoldFolder, features: bool, pooling: Pooling) -> None:
    """Write the dumps and the results of a cross-validation whose models are all finished.

    Args:
        plan: What was done.
        folder: Where.
        features: Whether there are features.
        pooling: How the scores of the images of a case become one.
    """
    dumps = {
        (model.outer, model.inner, split): _checked(plan.folds, model, folder, split)
        for model in plan.models
        for split in (Split.VAL, Split.TEST)
    }
    outer, inner = plan.folds.shape
    of_fold = [ensemble([dumps[i, j, Split.TEST] for j in range(inner)]) for i in range(outer)]
    records = tuple(
        sorted((r for rows in of_fold for r in rows), key=lambda record: record.img_path)
    )
    first = next(iter(dumps.values()))
    tasks = first.tasks
    merged = Dump(tasks, records, _info(plan, folder, "outer", first.info))
    write_dump(folder.root / "predictions.json", merged)
    for i in range(outer):
        rows = tuple(r for j in range(inner) for r in dumps[i, j, Split.VAL].records)
        info = _info(plan, folder, "inner", first.info) | {"outer_fold": i}
        write_dump(folder.root / "inner" / f"outer{i}.json", Dump(tasks, rows, info))
    if features:
        _merge_features(plan, folder, first.info)
    scores = [_score(plan, model, dumps, folder) for model in plan.models]
    write_results(folder.root, merged, plan.folds, scores, pooling)


def ensemble(dumps: Sequence[Dump]) -> list[PredictionRecord]:
    """Return the mean of what several models say of the same images.

    Probabilities are averaged, not their logits, and so are the values of a regression.

    Args:
        dumps: Of the models.

    Raises:
        UsageError: If they do not hold the same images.

    References:
        Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017, section 2.4.
    """
    said: dict[str, list[PredictionRecord]] = defaultdict(list)
    for dump in dumps:
        for record in dump.records:
            said[record.img_path].append(record)
    if wrong := [path for path, rows in said.items() if len(rows) != len(dumps)]:
        raise UsageError(
            f"{wrong[0]}: an image of an ensemble must be predicted once by each of {len(dumps)} "
            f"models, got {len(said[wrong[0]])}"
        )
    return [replace(rows[0], pred_score=_mean(rows)) for rows in said.values()]


def _mean(rows: Sequence[PredictionRecord]) -> dict[str, Score]:
    means: dict[str, Score] = {}
    for task in rows[0].pred_score:
        values = np.mean([row.pred_score[task] for row in rows], axis=0)
        means[task] = values.tolist() if values.ndim else float(values)
    return means


def _checked(folds: Folds, model: FoldModel, folder: FoldFolder, split: Split) -> Dump:
    """Read what a model says of patients, after a look that it did not train on them."""
    path = folder.predictions_of(model, split)
    dump = read_dump(path)
    for record in dump.records:
        role = folds.role(str(record.patient_id), model.outer, model.inner)
        if role is not split:
            raise UsageError(
                f"{path}: images must be of {split} patients, got {record.img_path} of a patient "
                f"for {role}: remove {folder.run_of(model)}"
            )
    return dump


def _info(plan: Plan, folder: FoldFolder, role: str, of_one: Mapping[str, Any]) -> dict[str, Any]:
    """Say where merged predictions come from; the folds show that they are out-of-fold."""
    (root, *others) = plan.cohort.pools
    data = plan.models[0].config.test_dataloader.dataset
    pool = folder.root / "annotations" / ("pool-0.json" if others else "pool.json")
    return {
        "config": plan.settings.config.name,
        "checkpoint": f"{len(plan.models)} models of {folder.root.name}/models",
        "split": "test" if role == "outer" else "val",
        "ann_file": str(pool.resolve()),
        "data_root": data.get("data_root", root),
        "out_of_fold": role,
        "folds": plan.folds.to_json(),
        "select": plan.settings.select,
        "versions": versions(),
        # What holds of every model: what a row is, and what the network was given beside images.
        **{name: of_one[name] for name in _SHARED if name in of_one},
    }


def _merge_features(plan: Plan, folder: FoldFolder, of_one: Mapping[str, Any]) -> None:
    parts: Mapping[Split, dict[tuple[int, str], Any]] = {
        split: {
            (model.outer, model.fold): read_features(folder.features_of(model, split))
            for model in plan.models
        }
        for split in (Split.VAL, Split.TEST)
    }
    tested = {fold: part for (_, fold), part in parts[Split.TEST].items()}
    joined = join_features(tested, _info(plan, folder, "outer", of_one), "test")
    write_features(folder.root / "features.npz", joined)
    for i in range(plan.folds.shape[0]):
        own = {fold: part for (outer, fold), part in parts[Split.VAL].items() if outer == i}
        info = _info(plan, folder, "inner", of_one) | {"outer_fold": i}
        write_features(folder.root / "inner" / f"outer{i}.npz", join_features(own, info, "val"))


def _score(
    plan: Plan,
    model: FoldModel,
    dumps: Mapping[tuple[int, int, Split], Dump],
    folder: FoldFolder,
) -> ModelScore:
    weights = folder.weights_of(model, plan.settings.select)
    return ModelScore(
        f"models/{model.name}",
        model.outer,
        model.inner,
        weights.name,
        dumps[model.outer, model.inner, Split.VAL],
        dumps[model.outer, model.inner, Split.TEST],
    )
