"""What a file lists, whatever its form: columns, rows, and tasks if it names some."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mammography.preparation.tables import (
    SUFFIXES,
    Row,
    TableError,
    json_rows,
    read_json,
    read_table,
)
from mammography.structures.annotation import infer_task
from mammography.structures.task import Task


@dataclass(frozen=True)
class Listing:
    """Rows of a table, or of the published JSON form laid flat.

    Attributes:
        path: The file.
        columns: Names of the columns; for the published form those of ``gt_label``,
            ``clinic_vars`` and the item itself.
        rows: One per image.
        published: Whether labels are numbers already, and patients are in file names.
        tasks: Outcomes that the file itself names.
    """

    path: Path
    columns: list[str]
    rows: list[Row]
    published: bool = False
    tasks: dict[str, Task] = field(default_factory=dict)


def find_listing(root: Path, table: str = "") -> Path:
    """Return the table that ``root`` is, or the one that it holds.

    Raises:
        TableError: If there is none, or several and none is named.
    """
    if root.is_file():
        return root
    if not root.is_dir():
        raise TableError(f"--root must be a folder or a table, got {root}, which does not exist")
    if table:
        if not (root / table).is_file():
            raise TableError(f"table must be a file in {root}, got {table!r}")
        return root / table
    found = [path for path in sorted(root.iterdir()) if path.suffix.lower() in SUFFIXES]
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise TableError(
            f"{root} must hold one table ({', '.join(SUFFIXES)}), got {names}: "
            "name one with --source-options table=FILE"
        )
    return found[0]


def read_listing(path: Path) -> Listing:
    """Read a table, or the published form ``{metainfo: {tasks}, data_list: [...]}``.

    Raises:
        TableError: If the file is neither.
    """
    content = read_json(path) if path.suffix.lower() == ".json" else None
    if not isinstance(content, dict) or "data_list" not in content:
        return Listing(path, *read_table(path))
    rows = [_flat(path, row) for row in json_rows(path, content["data_list"], "data_list")]
    labels = [row.cells.pop("gt_label") for row in rows]
    tasks = _tasks(content.get("metainfo") or {}, labels)
    columns = list(dict.fromkeys([*tasks, *(name for row in rows for name in row.cells)]))
    return Listing(path, columns, rows, True, tasks)


def _flat(path: Path, row: Row) -> Row:
    """Lay labels and clinical variables beside the other fields; keep the labels apart too."""
    item = {name: value for name, value in row.cells.items() if value is not None}
    labels = item.pop("gt_label", {})
    if not isinstance(labels, dict):
        raise TableError(f"{path}: {row.place}: gt_label must be an object, got {labels!r}")
    if isinstance(item.get("clinic_vars"), dict):
        item = item.pop("clinic_vars") | item
    return Row(row.place, item | labels | {"gt_label": labels})


def _tasks(meta: dict[str, Any], labels: list[dict[str, Any]]) -> dict[str, Task]:
    """Tasks of the metainfo; of the labels where it names none."""
    specs = meta.get("task_specs", {})
    names = meta.get("tasks") or dict.fromkeys(name for row in labels for name in row)
    return {
        name: Task.from_json(name, specs[name])
        if name in specs
        else infer_task(name, [float(row[name]) for row in labels if _is_number(row.get(name))])
        for name in names
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and value == value
