import math

import numpy as np
import pytest

from mammography.apis.config import UsageError
from mammography.apis.folds import draw_folds
from mammography.functional.folds import nested_folds


def test_folds_of_names_are_those_of_the_sorted_labels_whatever_their_order():
    labels = {f"p{i:02d}": float(i % 3 == 0) for i in range(40)} | {"p99": math.nan}
    folds = draw_folds(labels, "malignant", 3, 2, 5)
    assert draw_folds(dict(reversed(labels.items())), "malignant", 3, 2, 5) == folds
    tested, validated = nested_folds([labels[name] for name in sorted(labels)], 3, 2, 5)
    np.testing.assert_array_equal([folds.outer[name] for name in sorted(labels)], tested)
    for k in range(3):
        assert [folds.inner[k].get(n, -1) for n in sorted(labels)] == validated[k].tolist()


def test_the_task_is_named_where_a_class_is_too_small():
    with pytest.raises(UsageError, match="task malignant: nested_folds: both classes must have"):
        draw_folds({"a": 1.0, "b": 0.0, "c": 0.0}, "malignant", 2, 2, 0)
