"""Fit models of clinical variables, of images and of both, and compare them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from mammography.apis.clinical.design import Design
from mammography.apis.clinical.images import ImageTable, read_images
from mammography.apis.clinical.models import MODELS
from mammography.apis.clinical.nested import out_of_fold_scores
from mammography.apis.clinical.patients import (
    Patients,
    join_patients,
    read_annotation_patients,
    read_table_patients,
)
from mammography.apis.clinical.settings import MODES, Settings
from mammography.apis.config import UsageError
from mammography.apis.folds import draw_folds
from mammography.apis.outputs import versions
from mammography.reports.cases import pool_cases
from mammography.reports.cross_validation.comparison import (
    Entry,
    compare_entries,
    write_comparison,
)
from mammography.reports.cross_validation.measures import INTERVALS
from mammography.reports.wording import with_interval
from mammography.structures.folds import Folds, write_folds
from mammography.structures.prediction import Dump, PredictionRecord, write_dump
from mammography.structures.task import Task
from mammography.terms import Level, TaskKind


def train_clinical(
    settings: Settings, out: str | Path, say: Callable[[str], None] = lambda _: None
) -> None:
    """Fit every mode with every model in nested folds, and write scores and comparison.

    All modes have the same patients: those with a label and with all that is asked for. ``OUT``
    gets ``predictions/<mode>-<model>.json`` (a row per patient), ``folds.json``,
    ``metrics.json`` and ``results.md``.

    Args:
        settings: What to do.
        out: Folder.
        say: Gets every line about the progress.

    Raises:
        UsageError: If it cannot be done, or a network trained on patients that it scored.
    """
    _check(settings)
    clinical, images = _read(settings)
    labels, facts = _cohort(settings, clinical, images)
    folds = _folds(settings, labels, images)
    design = Design(settings, clinical, images, sorted(labels))
    facts += [*design.facts(), _folds_in_words(folds)]
    for fact in facts:
        say(fact)
    folder, entries = Path(out), []
    write_folds(folder / "folds.json", folds)
    info = {"level": "patient", "out_of_fold": "outer", "split": "test", "versions": versions()}
    for mode in settings.modes:
        for name in settings.models:
            scores = out_of_fold_scores(
                lambda outer, mode=mode: design.table(mode, outer),  # type: ignore[misc]
                *(labels, folds, design.kinds(mode)),
                lambda number, name=name: MODELS[name](settings.seed + number),  # type: ignore[misc]
            )
            dump = _dump(
                settings.task, scores, labels, {**info, "mode": mode, "model": name}, folds
            )
            write_dump(folder / "predictions" / f"{mode}-{name}.json", dump)
            cases = pool_cases(dump, f"{mode}, {name}", settings.task, Level.PATIENT, "mean")
            entries.append(Entry(mode, name, cases))
    comparison = compare_entries(entries, folds.outer)
    for name, measured in comparison.measures.items():
        pooled = measured.pooled
        area = with_interval(pooled.areas["roc_auc"], pooled.intervals.get("roc_auc"))
        say(f"{name}: ROC-AUC {area}")
    told = info | {"task": settings.task, "facts": facts}
    write_comparison(folder, f"Clinical fusion: {settings.task}", facts, comparison, told)
    say(f"Results: {folder}/results.md, metrics.json, predictions/")


def _check(settings: Settings) -> None:
    given = bool(settings.annotations or settings.table)
    if any("clinical" in mode for mode in settings.modes) and not given:
        raise UsageError("--mode clinical needs --annotations or --table")
    if any("mammo" in mode for mode in settings.modes) and not settings.images:
        raise UsageError("--mode mammo needs --images: what networks say of the images")
    for name, known in (("modes", MODES), ("models", tuple(MODELS))):
        wanted = getattr(settings, name)
        if not wanted or set(wanted) - set(known):
            raise UsageError(f"--{name} must be some of {', '.join(known)}, got {wanted}")


def _read(settings: Settings) -> tuple[Patients | None, ImageTable | None]:
    clinical = None
    if settings.annotations:
        clinical = read_annotation_patients(settings.annotations, settings.task)
    if settings.table:
        own = read_table_patients(settings.table, settings.task)
        clinical = join_patients(clinical, own) if clinical else own
    images = None
    if any("mammo" in mode for mode in settings.modes):
        images = read_images(
            settings.images,
            settings.task,
            pooling=settings.pooling,
            allow_in_fold=settings.allow_in_fold,
            features=settings.features,
        )
    return clinical, images


def _cohort(
    settings: Settings, clinical: Patients | None, images: ImageTable | None
) -> tuple[dict[str, float], list[str]]:
    """Return the labels of the patients with all that is asked for, and say who is left out."""
    labels = dict(images.labels if images else {}) | dict(clinical.labels if clinical else {})
    sets = {"a label": set(labels)}
    if clinical and any("clinical" in mode for mode in settings.modes):
        sets["clinical variables"] = set(clinical.table.index)
    if images:
        sets["images"] = set(images.patients)
    everyone, kept = set[str]().union(*sets.values()), set.intersection(*sets.values())
    lacking = [f"{len(everyone - have)} without {what}" for what, have in sets.items()]
    if not kept:
        raise UsageError(
            f"there must be patients with {', '.join(sets)}, got none among {len(everyone)}: are "
            "the identifiers the same?"
        )
    positive = sum(labels[patient] == 1 for patient in kept)
    told = f"{len(kept)} patients, {positive} with {settings.task}"
    told += (
        f"; left out of {len(everyone)}: {', '.join(lacking)}" if len(everyone) > len(kept) else ""
    )
    return {patient: labels[patient] for patient in sorted(kept)}, [told]


def _folds(settings: Settings, labels: Mapping[str, float], images: ImageTable | None) -> Folds:
    """Return the folds of the networks, where they have nested ones, or draw some."""
    if images is None or images.folds is None:
        return draw_folds(labels, settings.task, settings.outer, settings.inner, settings.seed)
    given = images.folds
    return replace(
        given,
        outer={patient: fold for patient, fold in given.outer.items() if patient in labels},
        inner=tuple(
            {patient: fold for patient, fold in inner.items() if patient in labels}
            for inner in given.inner
        ),
    )


def _folds_in_words(folds: Folds) -> str:
    outer, inner = folds.shape
    return (
        f"{outer} outer x {inner} inner folds of patients (seed {folds.seed}). A model is fitted "
        "on the patients outside of both folds, columns are prepared on those alone, training "
        "stops by the inner fold, and the outer fold gets the mean probability of its models. "
        f"{INTERVALS} With one score a patient Obuchowski's variance is DeLong's. They hold the "
        "fitted models fixed."
    )


def _dump(
    task: str,
    scores: "pd.Series[Any]",
    labels: Mapping[str, float],
    info: dict[str, Any],
    folds: Folds,
) -> Dump:
    records = tuple(
        PredictionRecord(
            img_path=str(patient),
            patient_id=str(patient),
            split="test",
            gt_label={task: labels[str(patient)]},
            pred_score={task: float(score)},
        )
        for patient, score in scores.items()
    )
    known = {task: Task(task, TaskKind.BINARY)}
    return Dump(known, records, info | {"level": Level.PATIENT.value, "folds": folds.to_json()})
