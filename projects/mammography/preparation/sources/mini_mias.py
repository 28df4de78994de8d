"""mini-MIAS: small digitised film with circles around abnormalities, in pairs of films."""

import logging
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mammography.preparation.contents import (
    Contents,
    check_choice,
    check_task_names,
    encode_labels,
)
from mammography.preparation.source_tables.mini_mias_films import (
    FILMS,
    NORMAL,
    SIZE_PX,
    Circle,
    Entry,
    FilmList,
    find_films,
)
from mammography.structures.annotation import Finding, ImageRecord
from mammography.structures.task import Task
from mammography.terms import ImageKind, Laterality, Level, ViewPosition

LEVEL = Level.IMAGE
PUBLIC = True
FILE_OPTIONS = ("table",)
DEFAULT_TASKS = (
    "malignant:binary",
    "tissue:multiclass=fatty,fatty-glandular,dense-glandular",
)

_TISSUES = {"F": "fatty", "G": "fatty-glandular", "D": "dense-glandular"}
_KINDS = {
    "CALC": "calcification",
    "CIRC": "mass",
    "SPIC": "mass",
    "MISC": "mass",
    "ARCH": "distortion",
    "ASYM": "asymmetry",
}
_OUTCOMES = ("malignant", "abnormal", "tissue", *dict.fromkeys(_KINDS.values()))
_LATERALITIES = ("none", "pairs")
_SPACING_MM = (0.2, 0.2)  # A PGM file cannot hold it.
_CORNERS = 64  # Of the polygon that stands for a circle.

logger = logging.getLogger(__name__)


def read_records(
    root: Path,
    tasks: dict[str, Task],
    *,
    table: str = "",
    laterality: str = "none",
    abnormal_only: bool = False,
) -> Iterator[ImageRecord]:
    """Read one record per film.

    A film without a file keeps a path by which the preparation rejects it.

    Args:
        root: Folder with ``Info.txt`` and, at any depth, the films ``mdb001.pgm``.
        tasks: Some of ``malignant``, ``abnormal``, ``tissue``, ``mass``,
            ``calcification``, ``distortion`` and ``asymmetry``.
        table: The list if it is another file; relative to ``root``.
        laterality: ``none`` leaves the side unknown; ``pairs`` takes it from the number of
            the film: even is left, odd is right.
        abnormal_only: Leave out normal films, so that a negative is a benign finding.

    Raises:
        TableError: If the list cannot be read, or with all that is wrong in it.
        ValueError: If a task or option is unknown, or a film has two files.
    """
    contents = read_contents(root, tasks, table, laterality, abnormal_only)
    contents.check()
    for what, count in contents.facts["notes"].items():
        logger.warning("source mini_mias: %s: %d", what, count)
    if laterality == "none":
        logger.warning(
            "source mini_mias: the side of the breast is left unknown, by which films are "
            "rejected: keep them with --allow-unknown-laterality, or trust the numbers of the "
            "films with --source-options laterality=pairs"
        )
    yield from contents.records


def read_contents(
    root: Path,
    tasks: dict[str, Task],
    table: str = "",
    laterality: str = "none",
    abnormal_only: bool = False,
) -> Contents:
    """Read the list, and the names of the files; the options are those of the records."""
    check_task_names("mini_mias", tasks, _OUTCOMES)
    check_choice("mini_mias", "laterality", laterality, _LATERALITIES)
    listed, files = FilmList.read(root, table), find_films(root)
    entries = [entry for film in listed.films.values() for entry in film]
    kept = {
        film: lines
        for film, lines in listed.films.items()
        if not abnormal_only or lines[0].kind != NORMAL
    }
    notes = {
        "normal films left out": len(listed.films) - len(kept),
        f"films of the {FILMS} that the list lacks": FILMS - len(listed.films),
        "files of films that the list lacks, left out": len(files.keys() - listed.films.keys()),
    }
    return Contents(
        rows=listed.rows,
        records=tuple(
            _record(film, lines, files.get(film, f"mdb{film:03d}.pgm"), tasks, laterality)
            for film, lines in kept.items()
        ),
        problems=(listed.problems,),
        facts={
            "lines_by_class": dict(Counter(entry.kind for entry in entries)),
            "abnormalities_without_place": sum(
                entry.kind != NORMAL and entry.circle is None for entry in entries
            ),
            "notes": {what: count for what, count in notes.items() if count},
        },
    )


def _record(
    film: int, entries: list[Entry], path: str, tasks: dict[str, Task], laterality: str
) -> ImageRecord:
    # Two films after each other are the breasts of one patient.
    patient = f"pair {(film + 1) // 2}"
    by_number = Laterality.RIGHT if film % 2 else Laterality.LEFT
    kinds = {_KINDS[entry.kind] for entry in entries if entry.kind != NORMAL}
    known = {
        "malignant": int(any(entry.malignant for entry in entries)),
        "abnormal": int(bool(kinds)),
        "tissue": _TISSUES[entries[0].tissue],
    } | {kind: int(kind in kinds) for kind in _KINDS.values()}
    return ImageRecord(
        img_path=path,
        patient_id=patient,
        exam_id=patient,
        laterality=by_number if laterality == "pairs" else None,
        view_position=ViewPosition.MLO,
        image_kind=ImageKind.MAMMOGRAM,
        pixel_spacing_mm=_SPACING_MM,
        gt_label=encode_labels(tasks, known),
        findings=tuple(
            _finding(entry.circle, _KINDS[entry.kind], entry.malignant)
            for entry in entries
            if entry.circle
        ),
    )


def _finding(circle: Circle, label: str, malignant: bool | None) -> Finding:
    """Turn a circle that is measured from the bottom into a box measured from the top."""
    x, y, radius = circle.x, SIZE_PX - circle.y, circle.radius
    angles = (2 * math.pi * corner / _CORNERS for corner in range(_CORNERS))
    return Finding(
        (x - radius, y - radius, x + radius, y + radius),
        label,
        malignant,
        tuple((x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles),
    )
