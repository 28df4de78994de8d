"""Draw batches with a fixed number of places for each group of samples.

A *unit* is what belongs together: the indices of the views of a breast, or one index.
"""

import math
from collections.abc import Iterable, Iterator, Sequence, Set
from heapq import heappop, heappush

import numpy as np

Unit = tuple[int, ...]
Turn = tuple[float, Unit]


def draw_group(
    units: Sequence[Unit], places: int, rng: np.random.Generator
) -> Iterator[list[Unit]]:
    """Yield, batch after batch without end, the units that fill the places of a group.

    All units come in random order, and only then all again, in another order. A unit
    with more members than places are left waits, while the next one that fits takes
    them. If all that are still to come are too large, the first is divided, and the rest
    of it comes last. So at any time every member was drawn as often as any other or once
    more, and none comes twice in a batch unless that has more places than there are members.

    Args:
        units: What belongs together; no member is in two of them.
        places: Members of the group in each batch, >= 1.
        rng: Source of randomness.

    Raises:
        ValueError: If there is nothing to draw or no place for it.

    Example:
        >>> batches = draw_group([(0, 1), (2, 3), (4,), (5,)], 2, np.random.default_rng(0))
        >>> sorted(sorted(sum(next(batches), ())) for _ in range(3))
        [[0, 1], [2, 3], [4, 5]]
    """
    if places < 1 or not units or not all(units):
        raise ValueError(
            "draw_group: there must be a place and units with members, "
            f"got {places} places and {len(units)} units"
        )
    return _draw(units, places, rng)


def deal_units(units: Iterable[Unit], parts: int) -> list[list[Unit]]:
    """Divide units into parts with the same number of members, large units first.

    A unit is divided only where the room that is left takes none whole: of units with one
    or two members at most one per part, and none where a part has even room.

    Raises:
        ValueError: If the members cannot be divided so.

    Example:
        >>> deal_units([(0,), (1,), (2, 3), (4, 5)], 2)
        [[(2, 3), (0,)], [(4, 5), (1,)]]
    """
    queue = _Queue((-len(unit), unit) for unit in units)
    each, rest = divmod(queue.members, parts)
    if rest:
        raise ValueError(f"deal_units: {queue.members} members must fill {parts} equal parts")
    return [queue.fill(each) for _ in range(parts)]


class _Queue:
    """Units that wait, those of each size in a heap by turn."""

    def __init__(self, turns: Iterable[Turn] = ()) -> None:
        self.members = 0
        self._heaps: dict[int, list[Turn]] = {}
        self.extend(turns)

    def extend(self, turns: Iterable[Turn]) -> None:
        for turn in turns:
            heappush(self._heaps.setdefault(len(turn[1]), []), turn)
            self.members += len(turn[1])

    def fill(self, room: int) -> list[Unit]:
        """Return units that fill the room, or all that are left."""
        units = []
        while room and self.members:
            units.append(self._pop(room))
            room -= len(units[-1])
        return units

    def _pop(self, room: int) -> Unit:
        waiting = {size: heap for size, heap in self._heaps.items() if heap}
        fitting = [heap for size, heap in waiting.items() if size <= room]
        _, unit = heappop(min(fitting or waiting.values(), key=lambda heap: heap[0]))
        self.members -= len(unit)
        if len(unit) > room:
            self.extend([(math.inf, unit[room:])])
        return unit[:room]


def _draw(units: Sequence[Unit], places: int, rng: np.random.Generator) -> Iterator[list[Unit]]:
    queue = _Queue()
    again: list[Turn] = []  # of the next round, but drawn in this batch already
    while True:
        batch = queue.fill(places)
        while room := places - sum(map(len, batch)):
            turns = again or list(zip(rng.random(len(units)).tolist(), units, strict=True))
            drawn = {member for unit in batch for member in unit}
            fresh, again = _set_apart(turns, drawn)
            queue.extend(fresh or turns)
            batch += queue.fill(room)
        yield batch
        queue.extend(again)
        again = []


def _set_apart(turns: Iterable[Turn], drawn: Set[int]) -> tuple[list[Turn], list[Turn]]:
    """Return what a batch that holds some members may take beside them, and what must wait.

    Units are divided only if there is no other choice. If all is drawn, nothing waits.
    """
    whole = [turn for turn in turns if drawn.isdisjoint(turn[1])]
    if whole:
        return whole, [turn for turn in turns if not drawn.isdisjoint(turn[1])]
    fresh: list[Turn] = []
    known: list[Turn] = []
    for turn, unit in turns:
        for part, wanted in ((fresh, False), (known, True)):
            if members := tuple(member for member in unit if (member in drawn) is wanted):
                part.append((turn, members))
    return fresh, known if fresh else []
