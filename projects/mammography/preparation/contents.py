"""What the tables of a source say, before any image is looked at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mammography.preparation.cells import Problems
from mammography.preparation.tables import TableError
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task


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
