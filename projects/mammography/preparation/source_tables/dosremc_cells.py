"""Cells of DoSReMC tables: lists that are written as text."""

import ast
import math
import warnings
from typing import Any

from mammography.preparation import cells
from mammography.structures.annotation import Finding

DOMAINS = ("source", "target")
_LONGEST = 20_000  # Characters; a list of a thousand boxes is shorter.
_MALIGNANT = {"benign": False, "malign": True, "malignant": True}


def pair(value: object) -> tuple[int, int]:
    """Read two zeros or ones, such as ``[1, 0]``; a JSON table has them as a list already.

    Raises:
        CellError: If it is anything else.

    Example:
        >>> pair("[0, 1]"), pair(" (1.0,0) "), pair([0, 0])
        ((0, 1), (1, 0), (0, 0))
    """
    found = _literal(value)
    if not isinstance(found, list | tuple) or len(found) != 2 or not all(map(_is_bit, found)):
        raise cells.CellError("be a list of two, each 0 or 1, such as [1, 0]")
    return int(found[0]), int(found[1])


def domain_word(value: object) -> str:
    """Read ``Source`` or ``Target``.

    Raises:
        CellError: If it is another word.
    """
    word = str(value).strip().lower()
    if word not in DOMAINS:
        raise cells.CellError("be Source or Target")
    return word


def domain_label(value: object) -> str:
    """Read ``[1, 0]`` for the source and ``[0, 1]`` for the target, or the word.

    Raises:
        CellError: If it is neither.

    Example:
        >>> domain_label("[0, 1]"), domain_label("Source")
        ('target', 'source')
    """
    try:
        return domain_word(value)
    except cells.CellError:
        pass
    try:
        return {(1, 0): "source", (0, 1): "target"}[pair(value)]
    except (cells.CellError, KeyError):
        raise cells.CellError("be [1, 0], [0, 1], Source or Target") from None


def coordinates(value: object) -> tuple[Finding, ...]:
    """Read boxes ``[(label, x, y, w, h), ...]``, x and y of the upper left corner, in pixels.

    Raises:
        CellError: If it is anything else, or a label may name a person.

    Example:
        >>> coordinates("[('malign', 10, 20, 30, 40)]")
        (Finding(box=(10.0, 20.0, 40.0, 60.0), label='malign', malignant=True, outline=()),)
    """
    found = _literal(value)
    if not isinstance(found, list | tuple):
        raise cells.CellError("be a list of (label, x, y, w, h)")
    return tuple(map(_finding, found))


def _finding(item: Any) -> Finding:
    if not isinstance(item, list | tuple) or len(item) != 5:
        raise cells.CellError("be a list of (label, x, y, w, h)")
    label, numbers = item[0], item[1:]
    if not isinstance(label, str | int) or not all(map(_is_number, numbers)):
        raise cells.CellError("have a word and four numbers in every box")
    left, top, width, height = map(float, numbers)
    if width <= 0 or height <= 0:
        raise cells.CellError("have boxes with a width and a height above 0")
    word = str(cells.category(str(label)))
    return Finding(
        (left, top, left + width, top + height), word, _MALIGNANT.get(word.strip().lower())
    )


def _is_bit(item: object) -> bool:
    return _is_number(item) and item in (0, 1)


def _is_number(item: object) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool) and math.isfinite(item)


def _literal(value: object) -> Any:
    """Read a list that is written as in Python, which runs nothing."""
    if not isinstance(value, str):
        return value
    if len(value) > _LONGEST:
        raise cells.CellError(f"have at most {_LONGEST} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python remarks on odd escapes in text.
            return ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise cells.CellError("be a list, such as [1, 0]") from None
