"""One outcome to predict: its name, its kind and its classes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mammography.terms import TaskKind

_SPEC = re.compile(r"(?P<name>\w+):(?P<kind>\w+)(?:=(?P<classes>.+))?")


class TaskError(ValueError):
    """A task or one of its labels is not what it has to be."""


@dataclass(frozen=True)
class Task:
    """An outcome with the values that it can take.

    A label is a number everywhere: 0 or 1 (binary), the index of the class
    (multiclass, ordinal: from lowest to highest), or the value (regression).

    Attributes:
        name: Word of letters, digits and underscores, e.g. ``malignant``.
        kind: What sort of outcome it is.
        classes: Names of the classes in label order; two for binary, none for
            regression.

    Raises:
        TaskError: If the number of classes does not suit the kind.

    Example:
        >>> density = Task.parse("density:ordinal=A,B,C,D")
        >>> density.encode("C"), density.num_classes
        (2.0, 4)
        >>> Task.parse("malignant:binary").encode("1")
        1.0
    """

    name: str
    kind: TaskKind
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Fill in the classes of a binary task and check their number."""
        if self.kind is TaskKind.BINARY and not self.classes:
            object.__setattr__(self, "classes", ("0", "1"))
        wanted = {TaskKind.BINARY: "exactly 2", TaskKind.REGRESSION: "no"}.get(
            self.kind, "at least 2"
        )
        count = len(self.classes)
        fits = {"exactly 2": count == 2, "no": count == 0, "at least 2": count >= 2}[wanted]
        if not fits or len(set(self.classes)) != count:
            raise TaskError(
                f"task {self.name}: {self.kind} must have {wanted} classes, all different, "
                f"got {list(self.classes)}"
            )

    @classmethod
    def parse(cls, spec: str) -> "Task":
        """Read ``name:kind`` or ``name:kind=class,class,...``.

        Raises:
            TaskError: If ``spec`` has another form or names an unknown kind.
        """
        match = _SPEC.fullmatch(spec.strip())
        kinds = [kind.value for kind in TaskKind]
        if not match or match["kind"] not in kinds:
            raise TaskError(
                f"task {spec!r} must be name:kind or name:kind=class,class,... "
                f"with kind one of {', '.join(kinds)}"
            )
        classes = tuple(part.strip() for part in (match["classes"] or "").split(",") if part)
        return cls(match["name"], TaskKind(match["kind"]), classes)

    @classmethod
    def from_json(cls, name: str, spec: dict[str, Any]) -> "Task":
        """Read the entry ``name`` of ``metainfo.task_specs``."""
        return cls(name, TaskKind(spec["kind"]), tuple(spec.get("classes", ())))

    def to_json(self) -> dict[str, Any]:
        """Return the entry of ``metainfo.task_specs``."""
        return {"kind": self.kind.value} | ({"classes": list(self.classes)} if self.classes else {})

    @property
    def num_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.classes)

    def encode(self, value: Any) -> float:
        """Turn a value of a table into a label.

        Raises:
            TaskError: If ``value`` is none that the task can take.
        """
        if self.kind is TaskKind.REGRESSION:
            try:
                number = float(value)
            except (TypeError, ValueError):
                number = float("nan")
            if not abs(number) < float("inf"):
                raise TaskError(f"task {self.name}: must be a finite number, got {value!r}")
            return number
        text = _as_class(value)
        if text not in self.classes:
            raise TaskError(
                f"task {self.name}: must be one of {', '.join(self.classes)}, got {value!r}"
            )
        return float(self.classes.index(text))

    def check(self, label: float) -> float:
        """Return ``label`` when it is one that the task can take.

        Raises:
            TaskError: If it is not.
        """
        is_index = float(label).is_integer() and 0 <= label < self.num_classes
        finite = abs(float(label)) < float("inf")
        if not (finite if self.kind is TaskKind.REGRESSION else is_index):
            rule = (
                "a finite number"
                if self.kind is TaskKind.REGRESSION
                else f"a class index from 0 to {self.num_classes - 1}"
            )
            raise TaskError(f"task {self.name}: label must be {rule}, got {label!r}")
        return float(label)


def _as_class(value: Any) -> str:
    """Spell a cell as a class name: ``1.0``, ``1`` and ``True`` are all ``1``."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def parse_tasks(specs: Sequence[str]) -> dict[str, Task]:
    """Read several tasks, in order.

    Raises:
        TaskError: If a spec is malformed or two carry the same name.
    """
    tasks = [Task.parse(spec) for spec in specs]
    names = [task.name for task in tasks]
    if len(set(names)) != len(names):
        raise TaskError(f"tasks must have different names, got {', '.join(names)}")
    return dict(zip(names, tasks, strict=True))
