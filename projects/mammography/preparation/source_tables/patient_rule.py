"""Which patient a row belongs to, where the published format does not say."""

import logging
import re
from collections.abc import Iterable

from mammography.preparation.source_tables.name_pattern import NamePattern

_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")  # Before a number.
_LISTED = 20

logger = logging.getLogger(__name__)


def choose_patient_rule(
    source: str, unit: str, column: str, pattern: NamePattern | None, alone: bool
) -> str:
    """Choose the one way to the patient that the tables and the options leave.

    Without the patient nothing can be split, counted or compared safely, hence no way is
    taken that nobody asked for.

    Args:
        source: Name of the source.
        unit: What a row is, ``breast`` or ``image``.
        column: Column of the patient; empty when the tables have none.
        pattern: What finds the patient in a name, when it is given.
        alone: Whether every unit shall be a patient of its own.

    Returns:
        ``column``, ``pattern`` or ``each UNIT``, for the account.

    Raises:
        ValueError: If there is no way, or two.
    """
    by_pattern = pattern is not None and "patient" in pattern.tells
    ways = {f"the column {column}": bool(column), "patient_pattern": by_pattern}
    ways[f"{unit}_is_patient=true"] = alone
    found = [way for way, given in ways.items() if given]
    if len(found) > 1:
        raise ValueError(
            f"source {source}: the patient must be known in one way, got {' and '.join(found)}"
        )
    if not found:
        raise ValueError(
            f"source {source}: every row must tell its patient, got no column of patients: add "
            "one, or find the patient in the names with --source-options patient_pattern=REGEX, "
            f"or take every {unit} for a patient with {unit}_is_patient=true, which may put one "
            "woman into two splits and makes intervals too narrow"
        )
    if alone:
        logger.warning(
            "source %s: every %s counts as a patient: images of one woman may lie in different "
            "splits, and intervals by patient are too narrow",
            source,
            unit,
        )
        return f"each {unit}"
    return "column" if column else "pattern"


def count_alike(source: str, patients: Iterable[str]) -> int:
    """Count patients who may be one, by identifiers such as ``7`` and ``007``, and warn of them.

    Args:
        source: Name of the source.
        patients: Identifiers.

    Returns:
        Number of groups whose identifiers differ in case or in zeros before a number only.

    Example:
        >>> count_alike("end2end", ["P_5", "p_00005", "P_50"])
        1
    """
    groups: dict[str, set[str]] = {}
    for patient in patients:
        groups.setdefault(_ZEROS.sub("", patient.casefold()), set()).add(patient)
    alike = [" = ".join(sorted(group)) for group in groups.values() if len(group) > 1]
    if alike:
        more = f" and {len(alike) - _LISTED} more" if len(alike) > _LISTED else ""
        logger.warning(
            "source %s: identifiers that may be of one patient each: %s%s; they count as "
            "different ones, who may lie in different splits: spell them alike if they are not",
            source,
            ", ".join(alike[:_LISTED]),
            more,
        )
    return len(alike)
