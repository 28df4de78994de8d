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
from mammography.structures.task import Task, TaskError, read_tasks


@dataclass(frozen=True)
class Listing:
    """Rows of a table, or of the published JSON form laid flat.

    Attributes:
        path: The file.
        columns: Names of the columns; for the published form those of ``gt_label``,
            ``clinic_vars`` and the item itself.
        rows: One per image.
        published: Whether labels are numbers already, and patients are in file names.
        meta: The ``metainfo`` of the published form.
        labels: Its ``gt_label``, one per row.
    """

    path: Path
    columns: list[str]
    rows: list[Row]
    published: bool = False
    meta: dict[str, Any] = field(default_factory=dict)
    labels: list[dict[str, Any]] = field(default_factory=list)

    @property
    def tasks(self) -> dict[str, Task]:
        """Outcomes that the file itself names.

        Raises:
            TableError: If it does not say what they are.
        """
        try:
            return read_tasks(self.meta, self.labels)
        except TaskError as error:
            raise TableError(f"{self.path}: {error}") from error


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
    tables = (path for path in sorted(root.iterdir()) if path.suffix.lower() in SUFFIXES)
    found = [path for path in tables if path.is_file()]  # To open a pipe is to wait for ever.
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
    meta = content.get("metainfo") or {}
    if not isinstance(meta, dict):
        raise TableError(f"{path}: metainfo must be an object, got {meta!r}")
    if not meta.get("tasks"):
        meta = meta | {"tasks": list(dict.fromkeys(name for row in labels for name in row))}
    # A task that no row has a label of is a column all the same.
    names = meta["tasks"] if isinstance(meta["tasks"], list) else []
    columns = list(dict.fromkeys([*map(str, names), *(c for row in rows for c in row.cells)]))
    return Listing(path, columns, rows, True, meta, labels)


def _flat(path: Path, row: Row) -> Row:
    """Lay labels and clinical variables beside the other fields; keep the labels apart too."""
    item = {name: value for name, value in row.cells.items() if value is not None}
    labels = item.pop("gt_label", {})
    if not isinstance(labels, dict):
        raise TableError(f"{path}: {row.place}: gt_label must be an object, got {labels!r}")
    if isinstance(item.get("clinic_vars"), dict):
        item = item.pop("clinic_vars") | item
    return Row(row.place, item | labels | {"gt_label": labels})
