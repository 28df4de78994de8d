"""A part of the images, for calls that share the work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """One of several parts of a list.

    The parts differ by at most one item, and neighbours lie in different parts, so that
    each has its share of the large images.

    Attributes:
        part: Which part, from 1.
        parts: How many there are.

    Raises:
        ValueError: If there is no such part.

    Example:
        >>> [Shard(part, 3).take("abcdefgh") for part in (1, 2, 3)]
        ['adg', 'beh', 'cf']
    """

    part: int
    parts: int

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not 1 <= self.part <= self.parts:
            raise ValueError(f"--shard must be I/N with I from 1 to N, got {self}")

    def take(self, items: Sequence[T]) -> Sequence[T]:
        """Return the items of this part."""
        return items[self.part - 1 :: self.parts]

    def __str__(self) -> str:
        """Return it as it is written on a command line."""
        return f"{self.part}/{self.parts}"


def parse_shard(text: str) -> Shard:
    """Read ``I/N``.

    Raises:
        ValueError: If it is not that.

    Example:
        >>> parse_shard("3/16")
        Shard(part=3, parts=16)
    """
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise ValueError(f"--shard must be I/N with I from 1 to N, got {text!r}")
    return Shard(int(part), int(parts))
