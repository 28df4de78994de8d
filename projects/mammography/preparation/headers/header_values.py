"""Values of a DICOM header, for one frame of it: only words and numbers that are known."""

import math
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

from pydicom import Dataset

_GROUPS = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")


class HeaderValues:
    """What a header says about one frame.

    A file of several frames states much of it in functional groups, of one frame or of all;
    what is said of one frame goes before what is said of all, and that before the rest.

    Args:
        dataset: A data set as pydicom gives it.
        frame: Index of the frame.

    Attributes:
        byte_order: That of words whose bytes pydicom leaves as they are.

    References:
        DICOM PS3.3, C.7.6.16 (multi-frame functional groups).
    """

    def __init__(self, dataset: Dataset, frame: int = 0) -> None:
        self._parts = [*_group_items(dataset, frame), dataset]
        self.byte_order = ">" if dataset.original_encoding[1] is False else "<"

    def get(self, keyword: str) -> Any:
        """Return the first value that is not empty; none if there is none."""
        values = (part.get(keyword) for part in self._parts)
        return next((v for v in values if not _is_empty(v)), None)

    def word(self, keyword: str, words: Iterable[str]) -> str | None:
        """Return the value if it is one of these words, in capitals."""
        value = self.text(keyword)
        return value if value in tuple(words) else None

    def words(self, keyword: str) -> list[str]:
        """Return all values in capitals; they may say anything."""
        value = self.get(keyword)
        values = [value] if isinstance(value, str) else value or ()
        return [str(v).strip().upper() for v in values]

    def text(self, keyword: str) -> str:
        """Return the value in capitals; it may say anything."""
        value = self.get(keyword)
        return "" if value is None else str(value).strip().upper()

    def numbers(self, keyword: str) -> list[float]:
        """Return the values; none of them if one is no finite number."""
        try:
            value = self.get(keyword)
            values = (
                value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
            )
            numbers = [float(v) for v in values if v is not None]
        except (TypeError, ValueError):
            return []
        return numbers if all(map(math.isfinite, numbers)) else []

    def has(self, tag: tuple[int, int]) -> bool:
        """Whether the data set holds an element at all."""
        return tag in self._parts[-1]

    def items(self, keyword: str) -> list[Dataset]:
        """Return the items of a sequence."""
        return list(self.get(keyword) or ())

    def is_stated(self, keyword: str) -> bool:
        """Whether there is a value, be it one that cannot be read."""
        items = (part.get_item(keyword) for part in self._parts)
        return any(item is not None and not _is_empty(item.value) for item in items)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, Sized) and len(value) == 0)


def _group_items(dataset: Dataset, frame: int) -> Iterator[Dataset]:
    for keyword in _GROUPS:
        groups = dataset.get(keyword) or ()
        index = frame if keyword == _GROUPS[0] else 0
        if index < len(groups):
            sequences = (element.value for element in groups[index] if element.VR == "SQ")
            yield from (sequence[0] for sequence in sequences if len(sequence))


def count_frames(dataset: Dataset) -> int:
    """Return how many frames a header states; 1 if it does not tell."""
    try:
        return max(int(dataset.get("NumberOfFrames") or 1), 1)
    except (TypeError, ValueError):
        return 1
