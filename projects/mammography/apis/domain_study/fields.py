"""Read the parts of a study file and refuse what is misspelled."""

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from mammography.apis.config import UsageError

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def check_keys(place: str, given: Iterable[str], known: Collection[str]) -> None:
    """Refuse a key that has no meaning.

    Raises:
        UsageError: With the nearest ones that have.
    """
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=2) or sorted(known)
            raise UsageError(f"{place}: {key} has no meaning, did you mean {' or '.join(close)}?")


def check_known(place: str, name: Any, known: Collection[str]) -> str:
    """Return a name that is defined elsewhere in the study.

    Raises:
        UsageError: If it is not.
    """
    if name not in known:
        raise UsageError(f"{place} must be one of {', '.join(known) or 'none'}, got {name!r}")
    return str(name)


def named(place: str, value: Any) -> dict[str, Any]:
    """Return a dict whose keys can be names of folders.

    Raises:
        UsageError: If it is none, or empty.
    """
    if not isinstance(value, Mapping) or not value:
        raise UsageError(f"{place} must be a dict from names to settings, got {value!r}")
    for name in value:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UsageError(
                f"{place}: a name must be of letters, digits, '_', '.' and '-', got {name!r}"
            )
    return dict(value)


def settings(place: str, value: Any) -> dict[str, Any]:
    """Return a dict; None is an empty one.

    Raises:
        UsageError: If it is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UsageError(f"{place} must be a dict, got {value!r}")
    return dict(value)


def several(place: str, value: Any, read: Callable[[str, Any], Any] = lambda _, x: x) -> list[Any]:
    """Return a list, every item read; one without repeats and not empty.

    Raises:
        UsageError: If it is none.
    """
    if not isinstance(value, list | tuple) or not value:
        raise UsageError(f"{place} must be a list that is not empty, got {value!r}")
    items = [read(f"{place}[{i}]", item) for i, item in enumerate(value)]
    if len({str(item) for item in items}) < len(items):
        raise UsageError(f"{place} must name each only once, got {value!r}")
    return items


def chosen(place: str, value: Any, known: Iterable[str]) -> str:
    """Return one of some words.

    Raises:
        UsageError: If it is none of them.
    """
    words = [str(word) for word in known]
    if value not in words:
        raise UsageError(f"{place} must be one of {', '.join(words)}, got {value!r}")
    return str(value)


def whole(place: str, value: Any, lowest: int = 0) -> int:
    """Return a whole number.

    Raises:
        UsageError: If it is none, or below the lowest.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise UsageError(f"{place} must be a whole number from {lowest} on, got {value!r}")
    return value
