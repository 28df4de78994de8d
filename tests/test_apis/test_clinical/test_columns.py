import numpy as np
import pandas as pd
import pytest

from golden import golden
from mammography.apis.clinical.columns import (
    ColumnKinds,
    column_transformer,
    read_kinds,
    to_model_table,
)
from mammography.apis.config import UsageError


def test_columns_are_prepared_as_the_reference_says():
    case = golden("09_clinical")["expected"]["impute_encode"]
    tables = {part: pd.DataFrame(case[part]) for part in ("train", "test")}
    kinds = read_kinds(tables["train"])
    assert kinds == ColumnKinds(("age", "size"), ("grade",), ("er",))
    columns = column_transformer(kinds)
    train = columns.fit_transform(to_model_table(tables["train"], kinds))
    np.testing.assert_allclose(train, case["train_out"], atol=1e-9)
    assert columns.get_feature_names_out().tolist() == case["feature_names"]
    test = columns.transform(to_model_table(tables["test"], kinds))
    np.testing.assert_allclose(test, case["test_out"], atol=1e-9)


TABLE = pd.DataFrame(
    {
        "age": [50.0, None, 61.0, 45.0],
        "grade": [1.0, 2.0, None, 3.0],
        "menopause": ["pre", "post", None, "post"],
        "treated": [True, False, None, True],
        "empty": [None, None, None, None],
    },
    index=list("abcd"),
)


def test_the_kind_of_a_column_follows_from_its_values():
    kinds = read_kinds(TABLE)
    assert kinds == ColumnKinds(("age", "grade", "empty"), ("menopause",), ("treated",))


def test_numbers_may_be_said_to_be_classes():
    kinds = read_kinds(TABLE, categorical=["grade"])
    made = to_model_table(TABLE, kinds)
    assert made["grade"].tolist()[:2] == ["1", "2"]
    columns = column_transformer(kinds).fit(made)
    names = columns.get_feature_names_out().tolist()
    assert [name for name in names if "grade" in name] == [
        *("cat__grade_1", "cat__grade_2", "cat__grade_3", "cat__grade_missing"),
    ]


def test_other_patients_change_nothing_of_what_was_fitted():
    kinds = ColumnKinds(("age",), ("menopause",), image=("malignant",))
    table = to_model_table(TABLE.assign(malignant=[1.0, 2.0, 3.0, 4.0]), kinds)
    columns = column_transformer(kinds).fit(table.iloc[:3])
    alone = columns.transform(table.iloc[[0]])
    np.testing.assert_array_equal(columns.transform(table)[:1], alone)
    assert columns.get_feature_names_out().tolist() == [
        *("num__age", "num__missingindicator_age"),
        *("cat__menopause_missing", "cat__menopause_post", "cat__menopause_pre"),
        "image__malignant",
    ]


def test_a_value_that_is_missing_for_the_first_time_in_the_test_is_imputed():
    kinds = ColumnKinds(("age",))
    columns = column_transformer(kinds).fit(pd.DataFrame({"age": [1.0, 2.0, 6.0]}))
    row = columns.transform(pd.DataFrame({"age": [np.nan]}))
    np.testing.assert_allclose(row, [[(2 - 3) / np.std([1, 2, 6])]])


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"numeric": ["menopause"]}, "--numeric: menopause must hold numbers"),
        ({"binary": ["age"]}, "--binary: age must hold 0 or 1"),
        ({"categorical": ["agee"]}, r"--categorical: must name columns of the table \(age, grade"),
    ],
)
def test_a_column_of_another_kind_is_refused(told, message):
    with pytest.raises(UsageError, match=message):
        read_kinds(TABLE, **told)
