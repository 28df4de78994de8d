"""What kind of value each clinical column holds, and how it enters a model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mammography.apis.config import UsageError

MISSING = "missing"


@dataclass(frozen=True)
class ColumnKinds:
    """Columns by kind.

    Attributes:
        numeric: Numbers.
        categorical: Names of classes.
        binary: 0 or 1.
        image: Numbers that an image model gave; never missing.
    """

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    binary: tuple[str, ...] = ()
    image: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Return all columns."""
        return (*self.numeric, *self.categorical, *self.binary, *self.image)


def read_kinds(
    table: pd.DataFrame,
    *,
    numeric: Sequence[str] = (),
    categorical: Sequence[str] = (),
    binary: Sequence[str] = (),
) -> ColumnKinds:
    """Tell the kind of every column from its values, unless it is given.

    Only 0 and 1 (or false and true) is binary, other numbers are numeric, the rest is
    categorical. A class that is written as a number has to be named as categorical.

    Args:
        table: A row per patient.
        numeric: Columns that hold numbers.
        categorical: Columns that hold classes.
        binary: Columns that hold 0 or 1.

    Raises:
        UsageError: If a named column is absent, or holds another kind of value.

    Example:
        >>> read_kinds(pd.DataFrame({"age": [50.0, None], "grade": ["2", "1"], "er": [1, 0]}))
        ColumnKinds(numeric=('age',), categorical=('grade',), binary=('er',), image=())
    """
    told = {
        name: kind
        for kind, names in (("numeric", numeric), ("categorical", categorical), ("binary", binary))
        for name in names
    }
    if absent := [name for name in told if name not in table]:
        raise UsageError(
            f"--{told[absent[0]]}: must name columns of the table ({', '.join(names_of(table))}), "
            f"got {absent[0]}"
        )
    kinds: dict[str, list[str]] = {"numeric": [], "categorical": [], "binary": []}
    for name in names_of(table):
        found = _kind(table[name])
        kind = told.get(name, found)
        if kind != found and kind != "categorical" and (kind, found) != ("numeric", "binary"):
            raise UsageError(f"--{kind}: {name} must hold {_WHAT[kind]}, got other values")
        kinds[kind].append(name)
    return ColumnKinds(*(tuple(names) for names in kinds.values()))


def names_of(table: pd.DataFrame) -> list[str]:
    """Return the names of the columns of a table."""
    return [str(name) for name in table.columns]


_WHAT = {"numeric": "numbers", "binary": "0 or 1"}


def _kind(column: "pd.Series[Any]") -> str:
    values = column.dropna().tolist()
    if not all(isinstance(value, bool | int | float | np.number | np.bool_) for value in values):
        return "categorical"
    return "binary" if values and {float(value) for value in values} <= {0.0, 1.0} else "numeric"


def to_model_table(table: pd.DataFrame, kinds: ColumnKinds) -> pd.DataFrame:
    """Return the columns of a table as numbers and texts, NaN where there is no value."""
    made: dict[str, Any] = {}
    for name in (*kinds.numeric, *kinds.binary, *kinds.image):
        made[name] = pd.to_numeric(table[name]).astype(float)
    for name in kinds.categorical:
        texts = [np.nan if is_missing(value) else _as_text(value) for value in table[name]]
        made[name] = pd.Series(texts, index=table.index, dtype=object)
    return pd.DataFrame(made, index=table.index)[list(kinds.all)]


def is_missing(value: Any) -> bool:
    """Tell whether a cell is empty.

    Example:
        >>> [is_missing(value) for value in (None, float("nan"), 0, "")]
        [True, True, False, False]
    """
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _as_text(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()  # of a column with empty cells
    return str(int(value) if whole else value)


def column_transformer(kinds: ColumnKinds) -> ColumnTransformer:
    """Return what turns a table into the input of a model, to be fitted on training patients.

    Numbers: the median where one is missing, an indicator for each column that lacks some in
    training, then zero mean and unit variance (of the indicators too). Classes: one column each,
    one more for those without; a class that training did not have is zero in all. Binary: the
    more frequent value where one is missing. Scores of images: zero mean and unit variance.

    Args:
        kinds: Columns by kind.
    """
    number = Pipeline(
        [
            (
                "impute",
                SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
            ),
            ("scale", StandardScaler()),
        ]
    )
    category = Pipeline(
        [
            ("impute", SimpleImputer(strategy="constant", fill_value=MISSING)),
            ("encode", OneHotEncoder(handle_unknown="ignore", sparse_output=False)),
        ]
    )
    binary = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
    parts = [
        ("num", number, kinds.numeric),
        ("cat", category, kinds.categorical),
        ("bin", binary, kinds.binary),
        ("image", StandardScaler(), kinds.image),
    ]
    return ColumnTransformer(
        [(name, step, list(columns)) for name, step, columns in parts if columns]
    )
