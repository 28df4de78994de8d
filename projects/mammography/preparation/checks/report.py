"""What the check of a prepared source found, to read and to act upon."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from mammography.preparation.checks.problem import Problem

_LISTED = 10
_TOTALS = ("images", "patients", "exams", "findings")
_TALLIES = ("laterality", "view_position", "manufacturer")


@dataclass(frozen=True)
class CheckReport:
    """What was found.

    Attributes:
        root: Folder of the prepared source.
        counts: ``all`` and every split to what it holds
            (:func:`mammography.preparation.counts.count_records`).
        problems: All that is wrong.
    """

    root: Path
    counts: Mapping[str, Mapping[str, Any]]
    problems: Sequence[Problem]

    @property
    def errors(self) -> list[Problem]:
        """Problems that must be mended before training."""
        return [problem for problem in self.problems if problem.is_error]

    @property
    def warnings(self) -> list[Problem]:
        """Problems that must be known."""
        return [problem for problem in self.problems if not problem.is_error]

    @property
    def exit_code(self) -> int:
        """1 if there are errors, else 0."""
        return int(bool(self.errors))

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {
            "errors": [asdict(problem) for problem in self.errors],
            "warnings": [asdict(problem) for problem in self.warnings],
            "counts": self.counts,
        }

    def __str__(self) -> str:
        """Return a table of what the splits hold, then what is wrong."""
        lines = _table(list(self.counts), [["", *self.counts], *self._rows()])
        lines += [*_listed("errors", self.errors), *_listed("warnings", self.warnings)]
        numbers = f"{len(self.errors)} errors, {len(self.warnings)} warnings"
        return "\n".join([*lines, f"{self.root}: {numbers}"])

    def _rows(self) -> list[list[str]]:
        parts = list(self.counts.values())
        rows = [[name, *(str(part[name]) for part in parts)] for name in _TOTALS]
        for field in _TALLIES:
            rows += _value_rows(field, [part[field] for part in parts])
        for task in parts[0]["labels"] if parts else ():
            rows += _value_rows(task, [part["labels"][task] for part in parts])
        return rows


def _value_rows(name: str, tallies: Sequence[Mapping[str, float]]) -> list[list[str]]:
    """Return a row for every value that one of the columns has."""
    values = dict.fromkeys(value for tally in tallies for value in tally)
    return [[f"{name} {value}", *(f"{t.get(value, 0):g}" for t in tallies)] for value in values]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not columns:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns) + 1)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ] + [""]


def _listed(title: str, problems: Sequence[Problem]) -> list[str]:
    """List the first problems of each check and say how many more there are."""
    lines = [f"{title}:"] if problems else []
    ordered = sorted(problems, key=lambda problem: problem.check)
    for check, group in groupby(ordered, key=lambda problem: problem.check):
        found = list(group)
        lines.append(f"  {check}: {len(found)}")
        lines += [f"    {problem}" for problem in found[:_LISTED]]
        if len(found) > _LISTED:
            lines.append(f"    and {len(found) - _LISTED} more, which --json lists")
    return [*lines, ""] if lines else []
