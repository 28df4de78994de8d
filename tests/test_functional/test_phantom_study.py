import statistics
import zlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score

from mammography.functional.phantom import draw_phantom, place_lesions
from mammography.functional.phantom_lesion import LesionKind
from mammography.functional.phantom_study import PhantomStudy, plan_patient, plan_view
from mammography.functional.phantom_vendor import VENDORS, digitise
from mammography.terms import Laterality, ViewPosition
from phantoms import phantom_image


def patients_of(study):
    return [plan_patient(study, number) for number in range(study.patients)]


@pytest.fixture(scope="module")
def cohort():
    return patients_of(PhantomStudy(patients=1600, seed=1))


@pytest.mark.parametrize("prevalence", [0.0, 0.02, 0.3, 0.5, 1.0])
def test_prevalence_is_met_to_within_one_patient(prevalence):
    for seed in range(3):
        study = PhantomStudy(patients=250, seed=seed, prevalence=prevalence)
        count = sum(patient.malignant for patient in patients_of(study))
        assert abs(count - 250 * prevalence) <= 1


def test_a_patient_does_not_depend_on_how_many_there_are():
    few, many = PhantomStudy(patients=5, seed=3), PhantomStudy(patients=500, seed=3)
    assert [plan_patient(few, n) for n in range(5)] == [plan_patient(many, n) for n in range(5)]


def test_another_seed_gives_other_patients():
    one, two = (plan_patient(PhantomStudy(seed=s), 0) for s in (0, 1))
    assert one.breasts != two.breasts


def test_vendors_have_equal_shares_whatever_the_diagnosis(cohort):
    for name in VENDORS:
        share = [patient.vendor == name for patient in cohort]
        assert np.mean(share) == 0.25
        assert np.mean([s for s, p in zip(share, cohort, strict=True) if p.malignant]) == (
            pytest.approx(0.25, abs=0.05)
        )


def test_one_breast_is_ill_and_rarely_both(cohort):
    ill = [sum(b.malignant for b in p.breasts.values()) for p in cohort if p.malignant]
    assert set(ill) == {1, 2}
    assert 0.01 < np.mean(np.array(ill) == 2) < 0.06


def test_exams_have_four_views_and_a_few_three(cohort):
    counts = [len(patient.views) for patient in cohort]
    assert set(counts) == {3, 4}
    assert np.mean(np.array(counts) == 3) == pytest.approx(0.05, abs=0.02)


def test_labels_follow_from_what_the_breast_holds(cohort):
    seen = set()
    for patient in cohort:
        for side, breast in patient.breasts.items():
            labels = patient.labels(side)
            kinds = {(x.kind, x.malignant) for x in breast.lesions}
            seen |= kinds
            ill = any(malignant for _, malignant in kinds)
            masses = [x.size_mm for x in breast.lesions if x.kind is LesionKind.MASS]
            birads = int(labels["birads"])
            assert labels["malignant"] == float(ill)
            assert (birads >= 4) if ill else (birads == 1) == (not kinds)
            assert ("mass_size_mm" in labels) == bool(masses)
            if masses:
                assert labels["mass_size_mm"] == round(max(masses), 1)
            assert labels["density"] == "ABCD"[patient.density]
    assert len(seen) == 4


def test_benign_and_malignant_lesions_have_the_same_sizes_and_contrasts(cohort):
    lesions = [x for p in cohort for b in p.breasts.values() for x in b.lesions]
    for kind in LesionKind:
        for name in ("size_mm", "contrast"):
            groups = [
                [getattr(x, name) for x in lesions if (x.kind, x.malignant) == (kind, ill)]
                for ill in (True, False)
            ]
            assert stats.ks_2samp(*groups).pvalue > 0.005


@pytest.mark.parametrize("effect", [0.0, 2.0])
def test_age_tells_as_much_as_its_closed_form(effect):
    study = PhantomStudy(patients=2000, prevalence=0.5, clinical_effect=effect)
    patients = patients_of(study)
    score = roc_auc_score(
        [p.malignant for p in patients], [p.clinical["age_years"] for p in patients]
    )
    expected = statistics.NormalDist().cdf(0.28 * effect / np.sqrt(2))
    assert score == pytest.approx(expected, abs=0.03)


def test_body_mass_index_tells_nothing_and_is_sometimes_missing(cohort):
    known = [p for p in cohort if "body_mass_index" in p.clinical]
    assert len(known) / len(cohort) == pytest.approx(0.9, abs=0.03)
    index = [p.clinical["body_mass_index"] for p in known]
    assert roc_auc_score([p.malignant for p in known], index) == pytest.approx(0.5, abs=0.05)


@pytest.fixture(scope="module")
def small_study():
    """Statistics of every CC image of a small study, and whether its breast is ill."""
    study = PhantomStudy(patients=240, seed=2, prevalence=0.6, image_size_hw=(128, 104))
    rows, ill = [], []
    for patient in patients_of(study):
        look = study.look(patient)
        for side in Laterality:
            view = plan_view(study, patient, side, ViewPosition.CC)
            image, mask = draw_phantom(view)
            stored = digitise(view.rng(1), image, mask, look, view.pixel_spacing_mm, "RCC", side)
            tissue = stored[mask] / look.largest
            tissue = 1 - tissue if look.monochrome1 else tissue
            rows.append(
                {
                    "mean": tissue.mean(),
                    "deviation": tissue.std(),
                    "brightest": tissue.max(),
                    "image maximum": stored.max(),
                    "breast area": mask.mean(),
                    "file size": len(zlib.compress(stored.tobytes(), 1)),
                    "density": patient.density,
                    "views": len(patient.views),
                    "number": patient.number,
                    "age": patient.clinical["age_years"],
                    "family history": patient.clinical["family_history"],
                }
                | {name: patient.vendor == name for name in VENDORS}
            )
            ill.append(patient.breasts[side].malignant)
    return rows, ill


def test_nothing_global_gives_the_diagnosis_away(small_study):
    rows, ill = small_study
    scores = {name: roc_auc_score(ill, [row[name] for row in rows]) for name in rows[0]}
    assert {name: s for name, s in scores.items() if abs(s - 0.5) > 0.1} == {}


def lesion_features(image, placed, spacing):
    """How the brightness around a lesion changes with the angle and the distance."""
    middle = np.array(placed.box).reshape(2, 2).mean(axis=0)
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    features = []
    for distance_mm in (0.2, 0.5, 0.8, 1.1, 1.4):
        radius = distance_mm * placed.lesion.size_mm / 2 / spacing
        x, y = (middle + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)).T.astype(int)
        ring = image[np.clip(y, 0, len(image) - 1), np.clip(x, 0, image.shape[1] - 1)]
        features += [ring.mean(), ring.std(), np.abs(np.diff(ring)).mean()]
    return features


@pytest.mark.parametrize("kind", LesionKind)
def test_margins_and_forms_tell_malignant_from_benign(kind):
    study = PhantomStudy(
        patients=40,
        prevalence=1.0,
        benign_rate=1.0,
        calcification_rate=float(kind is LesionKind.CALCIFICATION),
        image_size_hw=(384, 312),
    )
    features, ill = [], []
    for patient in patients_of(study):
        for breast in patient.breasts.values():
            view = plan_view(study, patient, breast.laterality, ViewPosition.CC)
            image, _ = draw_phantom(view)
            for placed in place_lesions(view):
                features.append(lesion_features(image, placed, view.pixel_spacing_mm))
                ill.append(placed.lesion.malignant)
    features = (features - np.mean(features, 0)) / np.std(features, 0)
    model = LogisticRegression(C=0.1)
    score = cross_val_score(model, features, ill, cv=4, scoring="roc_auc").mean()
    assert score > 0.75
    shuffled = np.random.default_rng(0).permutation(ill)
    chance = cross_val_score(model, features, shuffled, cv=4, scoring="roc_auc").mean()
    assert chance == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"patients": 0}, "patients must be >= 1"),
        ({"seed": -1}, "seed >= 0"),
        ({"image_size_hw": (16, 16)}, "image_size_hw must be >= 32 rows"),
        ({"image_size_hw": (512, 128)}, "0.75 to 2 times as many columns"),
        ({"vendors": ("alpha", "gamma")}, "vendors must be some of alpha, beryl, cobalt, delta"),
        ({"vendors": ()}, "vendors must be some of"),
        ({"prevalence": 1.5}, "prevalence must be 0 to 1, got 1.5"),
        ({"lesion_contrast": -1.0}, "lesion_contrast must be 0 to 10, got -1.0"),
    ],
)
def test_impossible_study_is_refused_when_it_is_made(values, message):
    with pytest.raises(ValueError, match=message):
        PhantomStudy(**values)


def test_density_classes_do_not_overlap_in_what_is_drawn():
    cohort = patients_of(PhantomStudy(patients=300))
    ranges = [[p.glandularity for p in cohort if p.density == density] for density in range(4)]
    for low, high in pairwise(ranges):
        assert max(low) < min(high)


def test_vendor_look_can_be_replaced_for_an_experiment():
    noisy = replace(VENDORS["alpha"], noise=0.2)
    calm, _ = phantom_image("alpha")
    loud, mask = phantom_image(noisy)
    assert loud[mask].std() > calm[mask].std()
