"""What a run of the preparation did, to print and to judge."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mammography.preparation.outputs import DOUBTS_FILE, REJECTED_FILE
from mammography.preparation.work.shards import Shard


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        out: Folder of the prepared source.
        counts: What the annotations hold (:func:`count_records`); of a shard, what its
            images will add to them.
        facts: What was found and done (:func:`count_facts`).
        rejected: Path of each image that was left out, as the source has it, to the reason.
        doubts: Path of each image that was prepared although something is odd, to what.
        shard: The part of the images that was to be done; ``None`` is all of them.
        cached: Which decoded pixels lie beside the PNG files, if that was asked for.
        reused: Number of images that earlier runs had finished.
        stale: Files of pixels that belong to no annotation.
        timings: How long it took (:func:`describe_timings`).
    """

    out: Path
    counts: dict[str, Any]
    facts: dict[str, dict[str, int]] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, list[str]] = field(default_factory=dict)
    shard: Shard | None = None
    cached: dict[str, Any] | None = None
    reused: int = 0
    stale: tuple[str, ...] = ()
    timings: dict[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0: all prepared; 3: some rejected, the rest prepared; 1: none prepared."""
        if not self.counts["images"] and not self.shard:
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
        if self.doubts and not self.shard:
            lines.append(f"prepared with doubts: {len(self.doubts)}: see {self.out / DOUBTS_FILE}")
        if self.counts["findings_cut"]:
            lines.append(f"findings that the crop cuts: {self.counts['findings_cut']}")
        if self.cached:
            lines.append("cached as {kind}: {images} images, {megabytes} MB".format(**self.cached))
        if self.stale:
            rest = f"PNG and cache files without annotation: {len(self.stale)}"
            lines.append(f"{rest}: of earlier runs; delete them before you hand images/ over")
        return "\n".join([*lines, self._last_line()])

    def _last_line(self) -> str:
        numbers = f"{self.counts['images']} prepared, {len(self.rejected)} rejected"
        if self.shard:
            then = "when all are done, the same command without --shard writes the annotations"
            return f"{self.out}: shard {self.shard}: {numbers} ({self.reused} before): {then}"
        where = f": see {self.out / REJECTED_FILE}" if self.rejected else ""
        return f"{self.out}: {numbers}{where}"


def _tally(what: str, reasons: Iterable[str]) -> list[str]:
    return [f"{what}: {reason}: {count}" for reason, count in Counter(reasons).most_common()]
