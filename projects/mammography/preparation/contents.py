"""What the tables of a source say, before any image is looked at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mammography.preparation.cells import Problems
from mammography.preparation.tables import TableError
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task, TaskError


@dataclass(frozen=True)
class Contents:
    """What the tables of a source say.

    Attributes:
        rows: Number of rows, refused ones included.
        records: One per image that the understood rows list. Where the tables do not name
            the files, the paths only tell the images apart.
        problems: What is wrong, table by table.
        facts: Plain counts and names of this source alone, for the dry run.
    """

    rows: int
    records: tuple[ImageRecord, ...]
    problems: tuple[Problems, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Raise when rows were refused.

        Raises:
            TableError: With the bad cells of every table.
        """
        found = [str(problems) for problems in self.problems if problems.found]
        if found:
            raise TableError("\n".join(found))


def check_task_names(source: str, tasks: Mapping[str, Task], known: Iterable[str]) -> None:
    """Refuse tasks that a source has no labels for.

    Raises:
        ValueError: If a task has another name.
    """
    unknown = sorted(set(tasks) - set(known))
    if unknown:
        raise ValueError(
            f"source {source}: tasks must be some of {', '.join(known)}, got {', '.join(unknown)}"
        )


def check_choice(
    source: str, option: str, chosen: str | Sequence[str], known: Iterable[str], least: int = 0
) -> None:
    """Refuse a word of an option that it does not know.

    Args:
        source: Name of the source.
        option: Name of the option.
        chosen: Its word, or its words.
        known: What it may be.
        least: Number of words that there must be.

    Raises:
        ValueError: If a word is another one, or there are too few.
    """
    known = list(known)
    if isinstance(chosen, str):
        number, words, got = "one", [chosen], repr(chosen)
    else:
        number, words, got = "some", [*chosen], ",".join(chosen) or "none"
    if set(words) - set(known) or len(words) < least:
        raise ValueError(
            f"source {source}: {option} must be {number} of {', '.join(known)}, got {got}"
        )


def encode_labels(tasks: Mapping[str, Task], values: Mapping[str, Any]) -> dict[str, float]:
    """Return the labels of an image: of every task whose value is known.

    Args:
        tasks: Tasks by name.
        values: By the names of the tasks; ``None`` or absent where it is not known.

    Raises:
        TaskError: If a task has no class for a value.

    Example:
        >>> tasks = {"density": Task.parse("density:ordinal=A,B,C,D")}
        >>> encode_labels(tasks, {"density": "C", "birads": 2}), encode_labels(tasks, {})
        ({'density': 2.0}, {})
    """
    try:
        return {
            name: task.encode(values[name])
            for name, task in tasks.items()
            if values.get(name) is not None
        }
    except TaskError as error:
        raise TaskError(
            f"{error}: the tables have this value, give it a class with --tasks"
        ) from None
