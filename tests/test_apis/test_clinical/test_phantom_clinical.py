"""The clinical variables of the synthetic study: what they tell is known in closed form."""

import csv
import json
import math

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from clinical_case import TASKS, write_networks
from mammography.apis.clinical.command import train_clinical
from mammography.apis.clinical.settings import Settings
from mammography.apis.folds import draw_folds
from mammography.functional.decision_curve import decision_curve
from mammography.functional.delong import roc_areas
from mammography.functional.phantom_study import PhantomStudy, plan_patient
from mammography.reports.evidence.options import EvidenceOptions
from mammography.reports.evidence.write import write_evidence
from mammography.structures.annotation import Annotations, ImageRecord, write_annotations
from mammography.structures.prediction import read_dump, row_level
from mammography.terms import Level

PATIENTS, EFFECT, SKILL = 500, 2.0, 1.3
MODES = ("clinical", "mammo", "clinical-mammo")


def history_rates(effect):
    """How often patients with and without cancer have a family history."""
    return 1 / (1 + math.exp(-(math.log(0.12 / 0.88) + 0.7 * effect))), 0.12


def known_area(effect, skill):
    """The area of the best score of age, family history and an image score of a given skill.

    Of the log likelihood ratio of two normals and one yes or no, over both answers of both
    patients. Rates and shifts are those of dataset/phantom/README.md.
    """
    shift = math.hypot(0.28 * effect, skill)
    step = 0.7 * effect  # of the log odds of cancer, by family history
    ill, well = history_rates(effect)
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


def known_log_odds(patients):
    """Return the log odds of cancer of each patient by mode: of the plan, prevalence one half."""
    _, clinical, images = patients
    age = np.array([variables["age_years"] for variables in clinical])
    history = np.array([variables["family_history"] for variables in clinical]) == 1
    shift, (ill, well) = 9 * 0.28 * EFFECT, history_rates(EFFECT)
    of_age = shift * (age - 56 - shift / 2) / 81
    of_history = np.where(history, math.log(ill / well), math.log((1 - ill) / (1 - well)))
    of_image = SKILL * (images - SKILL / 2)
    variables = of_age + of_history
    return dict(zip(MODES, (variables, of_image, variables + of_image), strict=True))


def known_net_benefit(mode, threshold):
    """The net benefit of the known probability over infinitely many patients, in closed form."""
    shift = {"clinical": 0.28 * EFFECT, "mammo": SKILL}.get(mode, math.hypot(0.28 * EFFECT, SKILL))
    rates = history_rates(EFFECT if mode != "mammo" else 0.0)
    line = math.log(threshold / (1 - threshold))
    called = []
    for rate, centre in zip(rates, (shift**2 / 2, -(shift**2) / 2), strict=True):
        ratios = (math.log(rates[0] / rates[1]), math.log((1 - rates[0]) / (1 - rates[1])))
        called.append(
            sum(
                share * norm.sf((line - ratio - centre) / shift)
                for share, ratio in zip((rate, 1 - rate), ratios, strict=True)
            )
        )
    return 0.5 * called[0] - 0.5 * called[1] * threshold / (1 - threshold)


@pytest.fixture(scope="module")
def many():
    """Labels and clinical variables of many patients."""
    study = PhantomStudy(patients=8000, seed=1, prevalence=0.5, clinical_effect=EFFECT)
    planned = [plan_patient(study, number) for number in range(study.patients)]
    labels = np.array([float(patient.malignant) for patient in planned])
    return labels, [patient.clinical for patient in planned]


def test_the_known_area_is_that_of_many_drawn_patients(many):
    labels, clinical = many
    found = roc_areas(labels, best_clinical_score(clinical))
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
def fused(patients, tmp_path_factory):
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
    return folder / "out"


@pytest.fixture(scope="module")
def metrics(fused):
    """The numbers of the fusion."""
    return json.loads((fused / "metrics.json").read_text())


@pytest.fixture(scope="module")
def evidence(fused, tmp_path_factory):
    """The tables of the evidence that one command makes of the fused predictions."""
    out = tmp_path_factory.mktemp("evidence")
    dumps = [fused / f"predictions/{mode}-logistic.json" for mode in MODES]
    write_evidence(dumps, out, EvidenceOptions(level=Level.PATIENT, names=MODES, repeats=1000))

    def read(name):
        with (out / "tables" / f"{name}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    return read


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
    assert one["interval"][1] < 0
    assert one["p_holm"] < 0.05


def test_fused_probabilities_are_those_of_the_plan(patients, fused):
    for mode, known in known_log_odds(patients).items():
        dump = read_dump(fused / f"predictions/{mode}-logistic.json")
        assert row_level(dump.info) is Level.PATIENT
        found = {row.patient_id: row.pred_score["malignant"] for row in dump.records}
        chances = np.array([found[f"p{number:03d}"] for number in range(PATIENTS)])
        # A model of 200 patients has coefficients that are off by some 0.2 standard deviations
        # each: at the steepest a tenth of a probability together.
        assert np.abs(chances - expit(known)).mean() < 0.1
        assert np.corrcoef(known, logit(chances))[0, 1] > 0.9


def test_the_evidence_finds_them_calibrated(evidence):
    for row in evidence("calibration"):
        for name, truth in (("slope", 1), ("in_the_large", 0)):
            low, high = (float(row[f"{name}_{end}"]) for end in ("low", "high"))
            assert low < truth < high
            assert high - low < 1.2


def test_the_decision_curve_of_the_evidence_is_that_of_the_plan(evidence):
    rows = {
        (row["model"], round(float(row["threshold"]), 2)): row for row in evidence("decision_curve")
    }
    for mode in MODES:
        for threshold in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
            row, truth = rows[mode, threshold], known_net_benefit(mode, threshold)
            low, high = (float(row[f"net_benefit_{end}"]) for end in ("low", "high"))
            assert low < truth < high
            assert float(row["net_benefit"]) == pytest.approx(truth, abs=0.06)


def test_the_known_net_benefit_is_that_of_many_drawn_patients(many):
    labels, clinical = many
    images = np.random.default_rng(3).normal(SKILL * labels, 1)
    for mode, known in known_log_odds((labels, clinical, images)).items():
        curve = decision_curve(labels, expit(known), [0.2, 0.5, 0.7])
        truth = [known_net_benefit(mode, threshold) for threshold in (0.2, 0.5, 0.7)]
        np.testing.assert_allclose(curve.net_benefit[0], truth, atol=0.02)
