"""Images to breasts and patients, against pandas and loops."""

import numpy as np
import pandas as pd
import pytest

from mammography.functional.aggregation import (
    NAMES_OF_LEVEL,
    POOLINGS,
    group_by,
    pool_labels,
    pool_scores,
)
from mammography.terms import Level


@pytest.fixture
def images():
    """Some hundred views of few breasts, in no order, some without a label."""
    rng = np.random.default_rng(0)
    n = 300
    table = pd.DataFrame(
        {
            "patient_id": rng.choice([f"p{i}" for i in range(20)], n),
            "exam_id": rng.choice(["2019", "2021"], n),
            "laterality": rng.choice(["L", "R"], n),
            "score": rng.random(n),
            "label": rng.choice([0.0, 1.0, np.nan], n, p=[0.7, 0.1, 0.2]),
        }
    )
    table["img_path"] = [f"{i}.png" for i in range(n)]
    return table


@pytest.mark.parametrize("level", NAMES_OF_LEVEL)
def test_every_level_is_the_group_by_of_pandas(images, level):
    names = list(NAMES_OF_LEVEL[level])
    groups = group_by(*(images[name] for name in names))
    theirs = images.groupby(names, sort=True)
    np.testing.assert_array_equal(groups.sizes, theirs.size())
    np.testing.assert_allclose(pool_scores(images["score"], groups), theirs["score"].mean())
    np.testing.assert_allclose(pool_scores(images["score"], groups, "max"), theirs["score"].max())
    np.testing.assert_array_equal(pool_labels(images["label"], groups), theirs["label"].max())
    firsts = images.iloc[groups.first][names].reset_index(drop=True)
    pd.testing.assert_frame_equal(firsts, theirs["score"].max().reset_index()[names])


def test_noisy_or_is_the_chance_that_not_all_images_are_of_class_0(images):
    groups = group_by(images["patient_id"])
    pooled = pool_scores(images["score"], groups, "noisy_or")
    for row, (_, views) in enumerate(images.groupby("patient_id")["score"]):
        assert pooled[row] == pytest.approx(1 - np.prod(1 - views))


def test_a_case_of_one_image_keeps_its_score_and_label(images):
    groups = group_by(images["img_path"])
    for pooling in POOLINGS:
        pooled = pool_scores(images["score"], groups, pooling)
        np.testing.assert_allclose(pooled, images["score"].to_numpy()[groups.first])
    labels = pool_labels(images["label"], groups)
    np.testing.assert_array_equal(labels, images["label"].to_numpy()[groups.first])


def test_probabilities_of_several_classes_are_pooled_class_by_class(images):
    groups = group_by(images["patient_id"])
    table = np.stack([images["score"], 1 - images["score"]], axis=1)
    pooled = pool_scores(table, groups)
    np.testing.assert_allclose(pooled[:, 0], pool_scores(images["score"], groups))
    np.testing.assert_allclose(pooled.sum(axis=1), 1)


def test_neither_the_order_of_images_nor_that_of_names_changes_a_group(images):
    shuffled = images.sample(frac=1, random_state=1)
    for table in (images, shuffled):
        groups = group_by(table["laterality"], table["patient_id"])
        found = pool_scores(table["score"], groups).tolist()
        expected = table.groupby(["laterality", "patient_id"])["score"].mean().tolist()
        assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("scores", "pooling", "message"),
    [
        ([0.1, np.nan], "mean", "finite, got 1 that are not"),
        ([0.1, 0.2], "median", "one of mean, max, noisy_or, got 'median'"),
        ([0.1, 1.2], "noisy_or", "one probability per image"),
        ([[0.1], [0.2]], "noisy_or", "one probability per image"),
    ],
)
def test_what_cannot_be_pooled_is_refused(scores, pooling, message):
    with pytest.raises(ValueError, match=message):
        pool_scores(scores, group_by(["a", "a"]), pooling)


@pytest.mark.parametrize("names", [(), ([],), (["a"], ["a", "b"])])
def test_images_need_all_of_their_names(names):
    with pytest.raises(ValueError, match="names must be as many as images"):
        group_by(*names)


def test_a_breast_is_told_by_patient_exam_and_side():
    assert NAMES_OF_LEVEL[Level.BREAST] == ("patient_id", "exam_id", "laterality")
