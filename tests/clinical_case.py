"""Patients with planted clinical variables, and networks whose skill is known."""

from pathlib import Path

import numpy as np
from scipy.special import expit

from mammography.structures.annotation import Annotations, ImageRecord, write_annotations
from mammography.structures.folds import Folds
from mammography.structures.prediction import Dump, PredictionRecord, write_dump
from mammography.structures.task import parse_tasks
from mammography.terms import Split

TASKS = parse_tasks(["malignant:binary"])


def invent_patients(count: int, clinical: float, image: float, seed: int = 0):
    """Return labels, clinical variable and image log odds; skills in standard deviations."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 2).astype(float)
    age = rng.normal(clinical * labels, 1)
    logit = rng.normal(image * labels, 1)
    return labels, age, logit


def write_patients(folder: Path, count: int = 120, clinical=1.0, image=1.0, seed: int = 0) -> Path:
    """Write annotations of two images per patient, with clinical variables."""
    labels, age, _ = invent_patients(count, clinical, image, seed)
    rng = np.random.default_rng(seed + 1)
    rows = []
    for i, label in enumerate(labels):
        variables = {
            "age_years": round(float(50 + 9 * age[i]), 3),
            "menopause": str(rng.choice(["pre", "post"])),
        }
        if rng.random() < 0.9:
            variables["body_mass_index"] = float(rng.normal(26, 4))
        for view in ("CC", "MLO"):
            rows.append(
                ImageRecord(
                    f"{i}{view}.png",
                    patient_id=f"p{i:03d}",
                    gt_label={"malignant": label},
                    clinic_vars=variables,
                )
            )
    path = folder / "all.json"
    write_annotations(path, Annotations(TASKS, tuple(rows)))
    return path


def write_dump_of(path: Path, patients: list[int], logits: dict[int, float], labels, info, split):
    """Write predictions of two images per patient."""
    rows = tuple(
        PredictionRecord(
            f"{i}{view}.png",
            patient_id=f"p{i:03d}",
            split=split,
            gt_label={"malignant": labels[i]},
            pred_score={"malignant": float(expit(logits[i]))},
        )
        for i in patients
        for view in ("CC", "MLO")
    )
    write_dump(path, Dump(TASKS, rows, info))


def write_networks(folder: Path, folds: Folds, labels, score, *, memory: float = 0.0) -> Path:
    """Write what ``tools/cross_validate.py`` leaves of networks with planted scores.

    Args:
        folder: Where.
        folds: Of the patients, with inner folds.
        labels: By number of the patient.
        score: Patient and model to a log odds.
        memory: How much a network knows the label of a patient it trained on.
    """
    numbers = {f"p{i:03d}": i for i in range(len(labels))}
    outer, inner = folds.shape

    def said(i: int, model: tuple[int, int]) -> float:
        trained = folds.role(f"p{i:03d}", *model) is Split.TRAIN
        return score(i, model) + memory * trained * (2 * labels[i] - 1)

    everyone = list(range(len(labels)))
    tested = {
        i: float(np.mean([said(i, (folds.outer[f"p{i:03d}"], j)) for j in range(inner)]))
        for i in everyone
    }
    info = {"folds": folds.to_json(), "out_of_fold": "outer", "split": "test"}
    write_dump_of(folder / "predictions.json", everyone, tested, labels, info, "test")
    for k in range(outer):
        inside = [numbers[name] for name in sorted(folds.inner[k])]
        validated = {i: said(i, (k, folds.inner[k][f"p{i:03d}"])) for i in inside}
        told = info | {"out_of_fold": "inner", "outer_fold": k, "split": "val"}
        write_dump_of(folder / f"inner/outer{k}.json", inside, validated, labels, told, "val")
    return folder
