"""A part of the evidence: what it shows, its numbers as tables, how they were made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mammography.functional.estimate import Estimate
from mammography.reports.blocks import Block, Section
from mammography.reports.wording import with_interval

# Axes of a figure, position along x and y, and what a pointer there reads out.
Point = tuple[int, float, float, str]


@dataclass(frozen=True)
class Chapter:
    """One part.

    Attributes:
        anchor: Name for links inside the page.
        title: Heading.
        blocks: What it shows.
        tables: File name without suffix to rows at full precision.
        methods: Sentences that say what was computed.
        points: Anchor of a figure to what a pointer reads out on it.
    """

    anchor: str
    title: str
    blocks: tuple[Block, ...]
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    methods: tuple[str, ...] = ()
    points: Mapping[str, Sequence[Point]] = field(default_factory=dict)

    @property
    def section(self) -> Section:
        """The part of the page."""
        return Section(self.anchor, self.title, self.blocks)


def told(found: Estimate) -> str:
    """Write an estimate with its interval."""
    return with_interval(found.value, found.interval)


def columns(name: str, found: Estimate) -> dict[str, float]:
    """Return an estimate as three columns of a table."""
    low, high = found.interval
    return {name: found.value, f"{name}_low": low, f"{name}_high": high}
