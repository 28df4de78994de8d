"""Find the converter of a data source and read its options."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from mammography.preparation import sources
from mammography.preparation.contents import Contents
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task, parse_tasks
from mammography.terms import Level


class SourceError(ValueError):
    """A source is unknown, or does not know an option."""


@dataclass(frozen=True)
class Converter:
    """A module of :mod:`mammography.preparation.sources`.

    The module has two functions. ``read_records(root, tasks, **options)`` yields one
    :class:`ImageRecord` per image, with paths relative to ``root`` and the identifiers of
    the source. Its keyword arguments are its options, read from text by their types.
    ``read_contents(root, tasks, **options)`` takes the same and returns what the tables
    alone say; it opens and looks for no image. The module may have, besides,

    * ``DEFAULT_TASKS``: specs of its tasks, such as ``malignant:binary``;
    * ``LEVEL``: what one label speaks about (default: an image);
    * ``FILE_OPTIONS``: options that name files, which may tell of people;
    * ``PUBLIC``: whether everybody may see its identifiers;
    * ``default_root()``: where it lies when nobody says so;
    * ``find_tasks(root, **options)``: the tasks that its files name.

    Attributes:
        name: Name of the module.
        module: The module.
    """

    name: str
    module: Any

    @property
    def level(self) -> Level:
        """What one label speaks about."""
        return Level(getattr(self.module, "LEVEL", Level.IMAGE))

    @property
    def is_public(self) -> bool:
        """Whether the identifiers of the source are no secret."""
        return bool(getattr(self.module, "PUBLIC", False))

    def told_options(self, options: Mapping[str, str]) -> dict[str, str]:
        """Return the options that tell nobody the name of a file."""
        hidden = getattr(self.module, "FILE_OPTIONS", ())
        return {name: value for name, value in options.items() if name not in hidden}

    def find_root(self, root: Path | None) -> Path:
        """Return where the source lies.

        Raises:
            SourceError: If nobody says so and the source is not at a place of its own.
        """
        if root is not None:
            return root
        if not hasattr(self.module, "default_root"):
            raise SourceError(f"source {self.name}: --root must be given")
        return Path(self.module.default_root())

    def find_tasks(
        self, specs: Sequence[str], root: Path, options: Mapping[str, str]
    ) -> dict[str, Task]:
        """Return the tasks that are asked for, else those of the files or of the source."""
        if specs or not hasattr(self.module, "find_tasks"):
            return parse_tasks(specs or getattr(self.module, "DEFAULT_TASKS", ()))
        wanted = _values(self.name, self.module.read_records, options)
        known = inspect.signature(self.module.find_tasks).parameters
        found: dict[str, Task] = self.module.find_tasks(
            root, **{name: value for name, value in wanted.items() if name in known}
        )
        return found

    def read_records(
        self, root: Path, tasks: dict[str, Task], options: Mapping[str, str]
    ) -> Iterator[ImageRecord]:
        """Read the records of the source.

        Raises:
            SourceError: If the source does not know an option, or not with such a value.
        """
        read = self.module.read_records
        records: Iterator[ImageRecord] = read(root, tasks, **_values(self.name, read, options))
        return records

    def read_contents(
        self, root: Path, tasks: dict[str, Task], options: Mapping[str, str]
    ) -> Contents:
        """Read the tables of the source, and no image.

        Raises:
            SourceError: If the source does not know an option, or not with such a value.
        """
        values = _values(self.name, self.module.read_records, options)
        contents: Contents = self.module.read_contents(root, tasks, **values)
        return contents


def known_sources() -> list[str]:
    """Return the names of the sources that have a converter."""
    return sorted(module.name for module in iter_modules(sources.__path__))


def find_converter(source: str) -> Converter:
    """Return the converter of a source.

    Raises:
        SourceError: If there is none, naming those that exist.
    """
    if source not in known_sources():
        raise SourceError(f"source must be one of {', '.join(known_sources())}, got {source!r}")
    return Converter(source, import_module(f"{sources.__name__}.{source}"))


def _values(source: str, read: Callable[..., object], options: Mapping[str, str]) -> dict[str, Any]:
    """Give the options of a source the types of its keyword arguments."""
    known = {
        name: parameter
        for name, parameter in inspect.signature(read).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    values = {}
    for name, text in options.items():
        if name not in known:
            raise SourceError(
                f"source {source}: option must be one of {', '.join(known) or 'none'}, got {name!r}"
            )
        try:
            values[name] = _value(type(known[name].default), text)
        except (ValueError, KeyError):
            kind = type(known[name].default).__name__
            raise SourceError(f"source {source}: {name} must be {kind}, got {text!r}") from None
    return values


def _value(kind: type, text: str) -> Any:
    if kind is bool:
        return {"true": True, "false": False}[text.lower()]
    if kind is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text if kind is str else kind(text)
