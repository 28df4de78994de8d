"""What a run of the preparation did, to print and to judge."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REJECTED_FILE = "rejected.csv"
DOUBTS_FILE = "doubts.csv"


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        out: Folder of the prepared source.
        counts: What the annotations hold (:func:`count_records`).
        facts: What was found and done (:func:`count_facts`).
        rejected: Path of each image that was left out, as the source has it, to the reason.
        doubts: Path of each image that was prepared although something is odd, to what.
        reused: Number of images that earlier runs had finished.
        stale: PNG files in the folder that belong to no annotation.
        seconds: Duration.
    """

    out: Path
    counts: dict[str, Any]
    facts: dict[str, dict[str, int]] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, list[str]] = field(default_factory=dict)
    reused: int = 0
    stale: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0: all prepared; 3: some rejected, the rest prepared; 1: none prepared."""
        if not self.counts["images"]:
            return 1
        return 3 if self.rejected else 0

    def __str__(self) -> str:
        """Say what was done, the numbers of images in the last line."""
        lines = [
            f"{split}: {part['images']} images of {part['patients']} patients"
            for split, part in self.counts["splits"].items()
        ]
        lines += _tally("rejected", self.rejected.values())
        lines += _tally("doubt", (doubt for found in self.doubts.values() for doubt in found))
        if self.doubts:
            lines.append(f"prepared with doubts: {len(self.doubts)}: see {self.out / DOUBTS_FILE}")
        if self.counts["findings_cut"]:
            lines.append(f"findings that the crop cuts: {self.counts['findings_cut']}")
        if self.stale:
            rest = f"PNG files without annotation: {len(self.stale)}"
            lines.append(f"{rest}: of earlier runs; delete them before you hand images/ over")
        last = f"{self.out}: {self.counts['images']} prepared, {len(self.rejected)} rejected"
        where = f": see {self.out / REJECTED_FILE}" if self.rejected else ""
        return "\n".join([*lines, last + where])


def _tally(what: str, reasons: Iterable[str]) -> list[str]:
    return [f"{what}: {reason}: {count}" for reason, count in Counter(reasons).most_common()]
