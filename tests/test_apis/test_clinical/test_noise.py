"""Labels that no variable knows of: what says more than chance of them has seen them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.metrics import roc_auc_score

from clinical_case import write_dump_of, write_networks
from golden import golden
from mammography.apis.clinical.columns import ColumnKinds
from mammography.apis.clinical.images import read_images
from mammography.apis.clinical.models import MODELS, LogisticModel
from mammography.apis.clinical.nested import out_of_fold_scores
from mammography.apis.clinical.provenance import InFoldError
from mammography.apis.folds import draw_folds


def noise(patients, columns, seed):
    """Return noise that knows nothing, labels, and folds of the patients."""
    rng = np.random.default_rng(seed)
    names = [f"p{i:03d}" for i in range(patients)]
    table = pd.DataFrame(
        rng.normal(size=(patients, columns)), names, [f"x{k}" for k in range(columns)]
    )
    labels = dict(zip(names, rng.permutation(np.arange(patients) % 2).astype(float), strict=True))
    return table, labels, draw_folds(labels, "malignant", 5, 2, seed)


def area(table, labels, folds, make):
    """Return the mean area of the outer folds: no score of two models is compared."""
    kinds = ColumnKinds(image=tuple(table.columns))
    scores = out_of_fold_scores(lambda _: table, labels, folds, kinds, make)
    fold = np.array([folds.outer[name] for name in scores.index])
    truth = np.array([labels[name] for name in scores.index])
    return np.mean([roc_auc_score(truth[fold == k], scores[fold == k]) for k in set(fold)])


def mean_area(name, repetitions, columns=20):
    found = [area(*noise(80, columns, seed), MODELS[name]) for seed in range(repetitions)]
    # The bound says something only if chance alone would rarely reach it.
    assert np.std(found, ddof=1) / np.sqrt(repetitions) < 0.05 / 2.5
    return np.mean(found)


def test_noise_is_worth_nothing():
    assert mean_area("logistic", 30) == pytest.approx(0.5, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "boosting"])
def test_noise_is_worth_nothing_to_larger_models(name):
    assert mean_area(name, 30) == pytest.approx(0.5, abs=0.05)


class Selecting(LogisticModel):
    """Chooses its columns among the patients it is fitted on."""

    def __init__(self, _):
        self.choice = SelectKBest(f_classif, k=10)

    def fit(self, x, y, x_validation, y_validation):
        chosen = self.choice.fit_transform(x, y)
        return super().fit(chosen, y, self.choice.transform(x_validation), y_validation)

    def predict(self, x):
        return super().predict(self.choice.transform(x))


def test_columns_that_were_chosen_by_all_labels_deceive_and_those_chosen_in_the_fold_do_not():
    outside, inside = [], []
    for seed in range(16):
        table, labels, folds = noise(80, 500, seed)
        best = SelectKBest(f_classif, k=10).fit(table, [labels[name] for name in table.index])
        chosen = table[best.get_feature_names_out()]
        outside.append(area(chosen, labels, folds, MODELS["logistic"]))
        inside.append(area(table, labels, folds, Selecting))
    assert np.std(inside, ddof=1) / 4 < 0.05 / 2.5
    assert np.mean(inside) == pytest.approx(0.5, abs=0.05)
    assert np.mean(outside) > 0.85
    reference = golden("09_clinical")["expected"]["leakage_demo"]
    assert np.mean(outside) == pytest.approx(reference["auc_selection_outside_cv"], abs=0.05)
    assert np.mean(inside) == pytest.approx(reference["auc_selection_inside_cv"], abs=0.05)


def test_networks_that_remember_deceive_a_fusion_unless_their_scores_are_out_of_fold(tmp_path):
    """The guard stands between the two: the same networks, the same noise."""
    _, labels, folds = noise(100, 1, 0)
    truth = np.array(list(labels.values()))
    score = np.random.default_rng(1).normal(size=100)
    cv = write_networks(tmp_path / "cv", folds, truth, lambda i, _: score[i], memory=3.0)
    honest = read_images([cv], "malignant")
    assert area(honest.table_of(0), labels, folds, MODELS["logistic"]) < 0.65
    dump = tmp_path / "predictions.json"
    remembered = dict(enumerate(score + 3.0 * (2 * truth - 1)))
    write_dump_of(dump, list(range(100)), remembered, truth, {"split": "train"}, "train")
    with pytest.raises(InFoldError, match="got 100 of 100 that it did train on"):
        read_images([dump], "malignant")
    allowed = read_images([dump], "malignant", allow_in_fold=True)
    assert area(allowed.table_of(0), labels, folds, MODELS["logistic"]) > 0.99
