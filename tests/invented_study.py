"""The cells of a domain study with invented predictions."""

from pathlib import Path

import numpy as np

from mammography.reports.domain_study.cells import Cell
from mammography.structures.prediction import Dump, PredictionRecord, write_dump
from mammography.structures.task import parse_tasks

TASKS = parse_tasks(["malignant:binary", "size:regression"])


def invent_rows(
    patients: int, skill: float, seed: int = 0, rate: float = 0.3
) -> tuple[PredictionRecord, ...]:
    """Return two views of two breasts per patient; one MLO in five has no label."""
    cases, noise = np.random.default_rng(7), np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        luck = noise.normal()
        for side in "LR":
            malignant = float(cases.random() < rate)
            for view in ("CC", "MLO"):
                logit = skill * malignant + 0.5 * luck + noise.normal()
                labelled = view == "CC" or cases.random() < 0.8
                rows.append(
                    PredictionRecord(
                        img_path=f"images/{patient}{side}{view}.png",
                        patient_id=f"p{patient:03d}",
                        exam_id=f"e{patient:03d}",
                        laterality=side,
                        view_position=view,
                        gt_label={"malignant": malignant} if labelled else {},
                        pred_score={"malignant": float(1 / (1 + np.exp(-logit))), "size": 1.0},
                    )
                )
    return tuple(rows)


def write_cell(folder: Path, rows: tuple[PredictionRecord, ...], **cell: object) -> Cell:
    """Write predictions below ``folder`` and return their cell."""
    names = {
        "model": "plain",
        "source": "near",
        "input": "",
        "seed": 0,
        "target": "near",
        "statistics": "running",
    } | cell
    place = "/".join(map(str, names.values()))
    path = folder / place / "predictions.json"
    write_dump(path, Dump(TASKS, rows, {"versions": {"torch": "2.11"}}))
    return Cell(
        **names,
        at_home=names["target"] in str(names["source"]),
        folder=place,
        predictions=path,
    )


def write_cells(folder: Path, patients: int = 60, models=("plain", "dann")) -> list[Cell]:
    """Write a study of models x two targets x three statistics."""
    skills = {"running": 1.6, "batch": 1.0, "target": 1.3}
    return [
        write_cell(
            folder,
            invent_rows(patients, skill + 0.2 * number, seed=10 * row + number),
            model=model,
            target=target,
            statistics=statistics,
        )
        for number, model in enumerate(models)
        for target in ("near", "far")
        for row, (statistics, skill) in enumerate(skills.items())
    ]
