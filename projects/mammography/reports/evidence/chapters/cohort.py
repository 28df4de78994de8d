"""Who was evaluated."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammography.reports.blocks import Block, Table, Text, Tone
from mammography.reports.evidence.chapter import Chapter
from mammography.reports.evidence.counts import members_of
from mammography.reports.evidence.study import Study
from mammography.terms import Level

_HEADER = ("", "patients", "cases", "positive", "negative", "positive, %")


def cohort_chapter(study: Study) -> Chapter:
    """Count patients, exams and images, and the cases of each subgroup."""
    rows = list(_rows(study))
    table = Table(
        f"Cases by what is known of them, n = {study.n:,}",
        _HEADER,
        tuple(tuple(_cell(value) for value in row.values()) for row in rows),
    )
    known = {attribute.title for attribute in study.attributes}
    absent = [name for name in ("density", "age", "vendor", "view", "site") if name not in known]
    note = study.joined.note
    if study.rows is not Level.IMAGE:
        note += " What is known of a case is what the annotation says of its first view."
    blocks: list[Block] = [_totals(study), table, Text(note)]
    if absent:
        blocks.append(Text(f"Not recorded for any case: {', '.join(absent)}.", Tone.MISSING))
    return Chapter("cohort", "Cohort", tuple(blocks), {"cohort": rows})


def _totals(study: Study) -> Table:
    members = [row for member in study.members for row in member]
    counts = {
        "patients": len(np.unique(study.patients)),
        "patients with a positive case": len(np.unique(study.patients[study.labels == 1])),
    }
    if study.rows is not Level.PATIENT:  # who was scored over all of her exams names none
        counts["exams"] = len({(row.patient_id, row.exam_id) for row in members})
    counts[f"{study.rows}s"] = len(members)
    counts |= {
        "cases": study.n,
        "positive cases": study.positives,
        "cases without a label, left out": study.unlabelled,
    }
    rows = tuple((name, f"{count:,}") for name, count in counts.items())
    return Table("Number of", ("", "n"), rows)


def _rows(study: Study) -> Iterator[dict[str, Any]]:
    yield _row(study, "all cases", np.ones(study.n, bool))
    for attribute in study.attributes:
        for group, chosen in members_of(attribute):
            yield _row(study, f"{attribute.title}: {group}", chosen)


def _row(study: Study, name: str, chosen: NDArray[np.bool_]) -> dict[str, Any]:
    positives = int(study.labels[chosen].sum())
    return {
        "group": name,
        "patients": len(np.unique(study.patients[chosen])),
        "cases": int(chosen.sum()),
        "positive": positives,
        "negative": int(chosen.sum()) - positives,
        "positive_percent": 100 * positives / int(chosen.sum()),
    }


def _cell(value: Any) -> str:
    return {str: "{}", int: "{:,}", float: "{:.1f}"}[type(value)].format(value)
