import numpy as np
import pytest

from invented_study import TASKS, invent_rows
from mammography.apis.config import UsageError
from mammography.apis.cross_validation.merge import ensemble
from mammography.structures.prediction import Dump, PredictionRecord
from mammography.structures.task import parse_tasks


def test_an_ensemble_says_the_mean_probability_whatever_the_order_of_the_images():
    dumps = [Dump(TASKS, invent_rows(10, 1.0, seed)) for seed in range(3)]
    shuffled = Dump(TASKS, dumps[2].records[::-1])
    together = {row.img_path: row for row in ensemble([dumps[0], dumps[1], shuffled])}
    for rows in zip(*(dump.records for dump in dumps), strict=True):
        expected = np.mean([row.pred_score["malignant"] for row in rows])
        assert together[rows[0].img_path].pred_score["malignant"] == pytest.approx(expected)


def test_the_probabilities_of_classes_are_averaged_class_by_class():
    tasks = parse_tasks(["density:ordinal=A,B,C"])
    dumps = [
        Dump(tasks, (PredictionRecord("1.png", pred_score={"density": scores}),))
        for scores in ([0.2, 0.3, 0.5], [0.6, 0.3, 0.1])
    ]
    (row,) = ensemble(dumps)
    assert row.pred_score["density"] == pytest.approx([0.4, 0.3, 0.3])


def test_one_model_is_its_own_ensemble():
    dump = Dump(TASKS, invent_rows(5, 1.0))
    assert ensemble([dump]) == list(dump.records)


@pytest.mark.parametrize("rows", [slice(1, None), slice(0, 0)])
def test_an_image_that_a_model_lacks_is_named(rows):
    dump = Dump(TASKS, invent_rows(2, 1.0))
    with pytest.raises(UsageError, match=r"images/0LCC\.png: .* once by each of 2 models, got 1"):
        ensemble([dump, Dump(TASKS, dump.records[rows])])
