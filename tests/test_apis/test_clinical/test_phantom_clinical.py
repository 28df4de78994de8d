"""The clinical variables of the synthetic study: what they tell is known in closed form."""

import json
import math

import numpy as np
import pytest
from scipy.stats import norm

from clinical_case import TASKS, write_networks
from mammography.apis.clinical.command import train_clinical
from mammography.apis.clinical.settings import Settings
from mammography.apis.folds import draw_folds
from mammography.functional.delong import roc_areas
from mammography.functional.phantom_study import PhantomStudy, plan_patient
from mammography.structures.annotation import Annotations, ImageRecord, write_annotations

PATIENTS, EFFECT, SKILL = 500, 2.0, 1.3
MODES = ("clinical", "mammo", "clinical-mammo")


def known_area(effect, skill):
    """The area of the best score of age, family history and an image score of a given skill.

    Of the log likelihood ratio of two normals and one yes or no, over both answers of both
    patients. Rates and shifts are those of dataset/phantom/README.md.
    """
    shift = math.hypot(0.28 * effect, skill)
    step = 0.7 * effect  # of the log odds of cancer, by family history
    ill, well = 1 / (1 + math.exp(-(math.log(0.12 / 0.88) + step))), 0.12
    area = 0.0
    for first in (0, 1):
        for second in (0, 1):
            weight = (ill if first else 1 - ill) * (well if second else 1 - well)
            lead = shift**2 + step * (first - second)
            rank = norm.cdf(lead / (shift * math.sqrt(2))) if shift else 0.5 * (1 + np.sign(lead))
            area += weight * rank
    return area


def best_clinical_score(clinical):
    """Return the log likelihood ratio of the plan."""
    age = np.array([variables["age_years"] for variables in clinical]) / 9
    history = np.array([variables["family_history"] for variables in clinical])
    return 0.28 * EFFECT * age + 0.7 * EFFECT * history


def test_the_known_area_is_that_of_many_drawn_patients():
    study = PhantomStudy(patients=8000, seed=1, prevalence=0.5, clinical_effect=EFFECT)
    patients = [plan_patient(study, number) for number in range(study.patients)]
    score = best_clinical_score([patient.clinical for patient in patients])
    found = roc_areas([patient.malignant for patient in patients], score)
    error = math.sqrt(found.covariance[0, 0])
    assert error < 0.006
    assert found.areas[0] == pytest.approx(known_area(EFFECT, 0), abs=3 * error)
    assert known_area(EFFECT, 0) < known_area(0.0, SKILL) < known_area(EFFECT, SKILL)


@pytest.fixture(scope="module")
def patients():
    """Labels, clinical variables and image scores of planted skill of a synthetic study."""
    study = PhantomStudy(patients=PATIENTS, seed=7, prevalence=0.5, clinical_effect=EFFECT)
    planned = [plan_patient(study, number) for number in range(PATIENTS)]
    labels = np.array([float(patient.malignant) for patient in planned])
    images = np.random.default_rng(1).normal(SKILL * labels, 1)
    return labels, [patient.clinical for patient in planned], images


@pytest.fixture(scope="module")
def metrics(patients, tmp_path_factory):
    """Fuse them."""
    folder = tmp_path_factory.mktemp("phantom")
    labels, clinical, images = patients
    rows = tuple(
        ImageRecord(
            f"{number}.png",
            patient_id=f"p{number:03d}",
            gt_label={"malignant": labels[number]},
            clinic_vars=dict(variables),
        )
        for number, variables in enumerate(clinical)
    )
    write_annotations(folder / "all.json", Annotations(TASKS, rows))
    named = {f"p{i:03d}": label for i, label in enumerate(labels)}
    folds = draw_folds(named, "malignant", 5, 2, 0)
    write_networks(folder / "cv", folds, labels, lambda i, _: images[i])
    settings = Settings(
        annotations=(folder / "all.json",), images=(folder / "cv",), models=("mlp", "logistic")
    )
    train_clinical(settings, folder / "out")
    return json.loads((folder / "out/metrics.json").read_text())


@pytest.fixture(scope="module")
def best(patients):
    """The best scores there are, of the same patients: log likelihood ratios of the plan."""
    _, clinical, images = patients
    variables = best_clinical_score(clinical)
    return dict(zip(MODES, (variables, SKILL * images, variables + SKILL * images), strict=True))


@pytest.mark.parametrize("model", ["mlp", "logistic"])
def test_areas_come_out_in_the_planted_order(metrics, model):
    found = [metrics["models"][f"{mode}, {model}"]["pooled"]["roc_auc"] for mode in MODES]
    assert found == sorted(found)
    assert found[0] > 0.5


@pytest.mark.parametrize("mode", MODES)
def test_a_fusion_finds_out_of_fold_nearly_what_the_best_score_knows(patients, best, metrics, mode):
    known = roc_areas(patients[0], best[mode]).areas[0]
    found = metrics["models"][f"{mode}, logistic"]["pooled"]["roc_auc"]
    assert found == pytest.approx(known, abs=0.02)


@pytest.mark.parametrize("mode", ["clinical", "mammo"])
def test_fusion_is_better_than_either_with_an_interval_that_says_so(metrics, mode):
    names = (f"{mode}, logistic", "clinical-mammo, logistic")
    (one,) = (d for d in metrics["differences"] if (d["first"], d["second"]) == names)
    assert one["delong"][1] < 0
    assert one["bootstrap"][1] < 0
    assert one["p_holm"] < 0.05
