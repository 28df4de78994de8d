"""The films of mini-MIAS: the list in ``Info.txt``, line by line."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mammography.preparation import cells
from mammography.preparation.tables import Row, TableError

NORMAL = "NORM"
CLASSES = ("CALC", "CIRC", "SPIC", "MISC", "ARCH", "ASYM", NORMAL)
TISSUES = ("F", "G", "D")
FILMS = 322
SIZE_PX = 1024  # Height and width of every film.

_NAME = "Info.txt"
_WORDS = ("REFNUM", "BG", "CLASS", "SEVERITY")
_PLACE = "X Y RADIUS"
_HEADER = (*_WORDS, *_PLACE.split())
_FILM = re.compile(r"mdb(\d{3})")
_FILE = re.compile(r"mdb(\d{3})\.pgm", re.IGNORECASE)
# Stands where a place would: the calcifications are spread over the breast.
_SPREAD = re.compile(r"\*\s*NOTE\s*\d\s*\*", re.IGNORECASE)
_LONGEST = 60  # What is shown of a line.
_REMARK = re.compile(r"\*?\s*NOTES?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Circle:
    """Where an abnormality lies.

    Attributes:
        x: From the left border of the film, in pixels.
        y: From its bottom border, upwards.
        radius: In pixels.
    """

    x: int
    y: int
    radius: int


@dataclass(frozen=True)
class Entry:
    """One line.

    Attributes:
        film: Number of the film.
        tissue: Character of the background: ``F``, ``G`` or ``D``.
        kind: One of ``CLASSES``.
        malignant: Whether it is cancer; unknown where the film is normal.
        circle: Where it lies, when the list tells.
    """

    film: int
    tissue: str
    kind: str
    malignant: bool | None = None
    circle: Circle | None = None


@dataclass(frozen=True)
class FilmList:
    """The list.

    Attributes:
        rows: Number of lines about films.
        films: Entries of the lines that are understood, by number of the film.
        problems: What is wrong.
    """

    rows: int
    films: dict[int, list[Entry]]
    problems: cells.Problems

    @classmethod
    def read(cls, root: Path, table: str = "") -> "FilmList":
        """Read ``Info.txt`` of a folder, or the file that is named.

        A line is about a film when it starts with ``mdb``. What comes before the first of
        them, or before the header ``REFNUM ...``, is an introduction and passes; after it
        only empty lines and those that start with NOTE.

        Raises:
            TableError: If there is no such file, or it lists no film.
        """
        path = root / (table or _NAME)
        if not path.is_file():
            raise TableError(f"{path} must exist: name it with --source-options table=FILE")
        reader = _LineReader(cells.Problems(path.name))
        try:
            with path.open(encoding="utf-8-sig") as stream:
                rows = list(reader.rows(stream))
        except UnicodeDecodeError as error:
            raise TableError(f"{path} must be UTF-8 text: {error}") from error
        if not rows:
            raise TableError(f"{path} must list films, such as 'mdb001 G CIRC B 535 425 197'")
        films: dict[int, list[Entry]] = {}
        for row in rows:
            entry = reader.read(row)
            if entry:
                films.setdefault(entry.film, []).append(entry)
        return cls(len(rows), films, reader.problems)


def find_films(root: Path) -> dict[int, str]:
    """Return where the files ``mdb001.pgm`` lie, relative to the root, by number of the film.

    Raises:
        ValueError: If a film has two.
    """
    files: dict[int, str] = {}
    for path in sorted(root.rglob("*")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            continue
        if int(match[1]) in files:
            raise ValueError(
                f"{root} must hold one file {path.name.lower()}, got two: "
                "give the folder of one copy as --root"
            )
        files[int(match[1])] = path.relative_to(root).as_posix()
    return files


@dataclass
class _LineReader:
    """Turn lines into entries and note every bad word."""

    problems: cells.Problems
    first: dict[int, tuple[str, Entry]] = field(default_factory=dict)
    places: dict[Entry, str] = field(default_factory=dict)

    def rows(self, lines: Iterable[str]) -> Iterator[Row]:
        """Yield the lines about films, and note those that are nothing known."""
        started = False
        for number, line in enumerate(lines, start=1):
            words, row = line.split(), Row(f"line {number}", {})
            first = words[0].lower() if words else ""
            if first.startswith("mdb"):
                started = True
                named = dict(zip(_WORDS, words, strict=False))
                yield Row(row.place, named | {_PLACE: " ".join(words[len(_WORDS) :])})
            elif not started and first == _HEADER[0].lower():
                started = True
                if tuple(line.upper().split()) != _HEADER:
                    text = line.strip()[:_LONGEST]
                    self.problems.add(row, "the header", f"be {' '.join(_HEADER)}", text)
            elif started and words and not _REMARK.match(line.strip()):
                rule = "be about a film (mdb001), start with NOTE or be empty"
                self.problems.add(row, "the line", rule, line.strip()[:_LONGEST])

    def read(self, row: Row) -> Entry | None:
        """Return the entry; none when the line is refused."""
        read, need, before = self.problems.read, self.problems.need, len(self.problems.found)
        film = need(row, "REFNUM", _film)
        tissue = need(row, "BG", cells.one_of(TISSUES))
        kind = need(row, "CLASS", cells.one_of(CLASSES))
        is_normal = kind == NORMAL
        needs = need if kind and not is_normal else read
        severity = needs(row, "SEVERITY", cells.one_of(("B", "M")))
        circle = read(row, _PLACE, _circle)
        for column in ("SEVERITY", _PLACE):
            if is_normal and row.cells.get(column):
                self.problems.add(row, column, f"be empty after {NORMAL}", row.cells[column])
        if len(self.problems.found) > before or not (film and tissue and kind):
            return None
        entry = Entry(film, tissue, kind, None if is_normal else severity == "M", circle)
        self._compare(row, entry)
        return entry if len(self.problems.found) == before else None

    def _compare(self, row: Row, entry: Entry) -> None:
        """Compare with the other lines about the same film."""
        place, first = self.first.setdefault(entry.film, (row.place, entry))
        if first.tissue != entry.tissue:
            self.problems.add(row, "BG", f"be {first.tissue} as in {place}", entry.tissue)
        if (first.kind == NORMAL) != (entry.kind == NORMAL):
            rule = f"not contradict {place}: a film is {NORMAL} or not"
            self.problems.add(row, "CLASS", rule, entry.kind)
        twin = self.places.setdefault(entry, row.place)
        if twin != row.place:
            self.problems.add(row, "the line", f"differ from {twin}", f"mdb{entry.film:03d}")


def _film(value: object) -> int:
    match = _FILM.fullmatch(str(value))
    if match is None or not 1 <= int(match[1]) <= FILMS:
        raise cells.CellError(f"be mdb001 to mdb{FILMS}")
    return int(match[1])


def _circle(value: object) -> Circle | None:
    """Read centre and radius; none where the list says that there is no one place."""
    if _SPREAD.fullmatch(str(value)):
        return None
    numbers = [int(word) for word in str(value).split() if word.isascii() and word.isdecimal()]
    if len(numbers) != len(str(value).split()) or len(numbers) != len(_PLACE.split()):
        raise cells.CellError("be three whole numbers, *NOTE 3* or nothing")
    circle = Circle(*numbers)
    if max(circle.x, circle.y) > SIZE_PX or not 0 < circle.radius <= SIZE_PX // 2:
        raise cells.CellError(
            f"be a place on a film of {SIZE_PX} x {SIZE_PX} and a radius from 1 to {SIZE_PX // 2}"
        )
    return circle
