"""Models of a table of patients: each is fitted on some and stopped or chosen by others."""

from collections.abc import Callable
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from mammography.apis.clinical.mlp import ClinicalMLP

STRENGTHS = (0.01, 0.1, 1.0, 10.0)


class TableModel(Protocol):
    """What learns from a table."""

    def fit(
        self, x: ArrayLike, y: ArrayLike, x_validation: ArrayLike, y_validation: ArrayLike
    ) -> Self:
        """Learn from training patients; stop or choose by validation patients."""

    def predict(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of class 1. Shapes: ``(N, C)`` to ``(N,)``."""


class LogisticModel:
    """Logistic regression with an L2 penalty, its strength chosen by the validation log loss."""

    def fit(
        self, x: ArrayLike, y: ArrayLike, x_validation: ArrayLike, y_validation: ArrayLike
    ) -> Self:
        """Fit one model per strength and keep that of the lowest validation loss."""
        fitted = [LogisticRegression(C=c, max_iter=2000).fit(x, y) for c in STRENGTHS]
        losses = [
            log_loss(y_validation, one.predict_proba(x_validation), labels=(0, 1)) for one in fitted
        ]
        self.model = fitted[int(np.argmin(losses))]
        return self

    def predict(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of class 1. Shapes: ``(N, C)`` to ``(N,)``."""
        return np.asarray(self.model.predict_proba(x)[:, 1])


class BoostingModel:
    """Gradient boosting of small trees, stopped by the validation log loss.

    Args:
        seed: Of the binning.
    """

    def __init__(self, seed: int = 0) -> None:
        self.model = HistGradientBoostingClassifier(
            max_iter=300,
            max_leaf_nodes=8,
            min_samples_leaf=10,
            early_stopping=True,
            n_iter_no_change=16,
            random_state=seed,
        )

    def fit(
        self, x: ArrayLike, y: ArrayLike, x_validation: ArrayLike, y_validation: ArrayLike
    ) -> Self:
        """Add trees until the validation loss stops falling."""
        self.model.fit(x, y, X_val=x_validation, y_val=y_validation)
        return self

    def predict(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of class 1. Shapes: ``(N, C)`` to ``(N,)``."""
        return np.asarray(self.model.predict_proba(x)[:, 1])


MODELS: dict[str, Callable[[int], TableModel]] = {
    "mlp": ClinicalMLP,
    "logistic": lambda _: LogisticModel(),
    "boosting": BoostingModel,
}
