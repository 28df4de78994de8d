"""Fit a model of a table in nested folds and score every patient by models that never saw her."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammography.apis.clinical.columns import ColumnKinds, column_transformer
from mammography.apis.clinical.models import TableModel
from mammography.structures.folds import Folds
from mammography.terms import Split


def out_of_fold_scores(
    table_of: Callable[[int], pd.DataFrame],
    labels: Mapping[str, float],
    folds: Folds,
    kinds: ColumnKinds,
    make: Callable[[int], TableModel],
) -> "pd.Series[float]":
    """Return the probability of class 1 of every patient, by the models of her outer fold.

    For each pair of outer and inner fold, the columns are prepared and the model is fitted on the
    patients outside of both, and stopped by the inner fold; the outer fold gets the mean
    probability of its models.

    Args:
        table_of: Outer fold to the table whose rows that fold may see, by patient: what
            images say of a training patient differs from fold to fold.
        labels: Patient to 0 or 1.
        folds: Of the patients.
        kinds: Columns by kind.
        make: Seed to a new model.

    Returns:
        Scores by patient, in the order of the names.
    """
    outer, inner = folds.shape
    said: dict[str, list[float]] = {}
    for i in range(outer):
        table = table_of(i)
        tested = folds.patients(Split.TEST, i, 0)
        scores = [
            _fit_one(table, labels, folds, (i, j), kinds, make(i * inner + j)) for j in range(inner)
        ]
        said |= dict(zip(tested, np.mean(scores, axis=0), strict=True))
    return pd.Series(said).sort_index()


def _fit_one(
    table: pd.DataFrame,
    labels: Mapping[str, float],
    folds: Folds,
    pair: tuple[int, int],
    kinds: ColumnKinds,
    model: TableModel,
) -> NDArray[np.float64]:
    """Return what one model says of the patients of its outer fold."""
    columns = column_transformer(kinds)
    parts = {role: folds.patients(role, *pair) for role in Split}
    truth = {role: np.array([labels[one] for one in patients]) for role, patients in parts.items()}
    # The test fold is not even at hand before the model is fitted.
    seen = table.loc[[*parts[Split.TRAIN], *parts[Split.VAL]], list(kinds.all)]
    x = columns.fit_transform(seen.loc[parts[Split.TRAIN]])
    model.fit(
        x, truth[Split.TRAIN], columns.transform(seen.loc[parts[Split.VAL]]), truth[Split.VAL]
    )
    return model.predict(columns.transform(table.loc[parts[Split.TEST], list(kinds.all)]))
