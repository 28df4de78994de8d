"""One outcome to predict: its name, its kind and its classes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mammography.terms import TaskKind

_MOST_CLASSES = 100
_WHOLE = re.compile(r"(-?\d+)\.0+")  # What pandas makes of a class beside an empty cell.
_TRUTH = {"true": "1", "false": "0"}
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
    def from_json(cls, name: str, spec: Any) -> "Task":
        """Read the entry ``name`` of ``metainfo.task_specs``.

        Raises:
            TaskError: If it has no kind, an unknown one, or classes that do not suit it.
        """
        kinds = [kind.value for kind in TaskKind]
        if not isinstance(spec, dict) or spec.get("kind") not in kinds:
            raise TaskError(f"task {name}: kind must be one of {', '.join(kinds)}, got {spec!r}")
        classes = spec.get("classes", ())
        if not isinstance(classes, list | tuple):
            raise TaskError(f"task {name}: classes must be a list of names, got {classes!r}")
        return cls(name, TaskKind(spec["kind"]), tuple(map(str, classes)))

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
            number = _as_number(value)
            if not abs(number) < float("inf"):
                raise TaskError(f"task {self.name}: must be a finite number, got {value!r}")
            return number
        text = _as_class(value, self.classes)
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


def _as_number(value: Any) -> float:
    """Read a number; NaN where there is none. ``1_5`` is none in a table."""
    try:
        return float("nan") if "_" in str(value) else float(value)
    except (TypeError, ValueError):
        return float("nan")


def _as_class(value: Any, classes: tuple[str, ...]) -> str:
    """Spell a cell as a class name: ``1.0``, ``1`` and ``True`` are all ``1``, text or not."""
    text = str(value).strip()
    if text in classes:
        return text
    whole = _WHOLE.fullmatch(text)
    return _TRUTH.get(text.lower(), whole[1] if whole else text)


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


def read_tasks(meta: Any, labels: Sequence[Mapping[str, Any]]) -> dict[str, Task]:
    """Read the tasks of ``metainfo``; where it gives a name only, the labels tell the kind.

    Raises:
        TaskError: If ``metainfo`` does not hold what it must.
    """
    if not isinstance(meta, dict):
        raise TaskError(f"metainfo must be an object, got {meta!r}")
    names, specs = meta.get("tasks", []), meta.get("task_specs", {})
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TaskError(f"metainfo.tasks must be a list of names, got {names!r}")
    if not isinstance(specs, dict):
        raise TaskError(f"metainfo.task_specs must be an object, got {specs!r}")
    return {
        name: Task.from_json(name, specs[name])
        if name in specs
        else infer_task(name, (row[name] for row in labels if _is_number(row.get(name))))
        for name in names
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and value == value


def infer_task(name: str, values: Iterable[float]) -> Task:
    """Tell the kind of a task of the published form, which gives names only, by its labels.

    Raises:
        TaskError: If they are whole numbers too large for classes: perhaps identifiers.
    """
    labels = {float(value) for value in values}
    if labels <= {0.0, 1.0}:
        return Task(name, TaskKind.BINARY)
    if not all(label.is_integer() and label >= 0 for label in labels):
        return Task(name, TaskKind.REGRESSION)
    count = int(max(labels)) + 1
    if count > _MOST_CLASSES:
        raise TaskError(
            f"task {name}: labels must say whether they are classes or values, got whole numbers "
            f"up to {count - 1}: give its kind in metainfo.task_specs or by --tasks"
        )
    return Task(name, TaskKind.MULTICLASS, tuple(str(i) for i in range(count)))
