"""Several tests at once."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p-values adjusted so that any false rejection among all tests stays below the level.

    Bonferroni's promise with more power, whatever the tests have in common. A test that was not
    possible (NaN) stays NaN and counts for none.

    Shapes:
        p_values and the result: ``(N,)``.

    Raises:
        ValueError: If a value is no probability.

    References:
        Holm, Scandinavian Journal of Statistics 1979;6:65.

    Example:
        >>> holm([0.01, 0.04, 0.03, 0.005]).tolist()
        [0.03, 0.06, 0.06, 0.02]
    """
    values = np.asarray(p_values, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(values))
    if ((values[known] < 0) | (values[known] > 1)).any():
        raise ValueError("holm: p-values must lie between 0 and 1")
    order = known[np.argsort(values[known])]
    raised = values[order] * np.arange(len(order), 0, -1)
    adjusted = np.full(values.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1)
    return adjusted
