"""What a page is made of: plain data that a template turns into HTML."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from matplotlib.figure import Figure

from mammography.reports.figures.canvas import frames, to_svg


class Tone(StrEnum):
    """How loudly a text speaks."""

    PLAIN = "plain"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes:
        text: What it says; escaped on the page.
        tone: Plain, a warning, or something that is missing.
        remedy: Command that makes what is missing, if there is one.
    """

    kind: ClassVar[str] = "text"
    text: str
    tone: Tone = Tone.PLAIN
    remedy: str = ""


@dataclass(frozen=True)
class Facts:
    """Names and values, one below the other."""

    kind: ClassVar[str] = "facts"
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first cell of a row names it.

    Attributes:
        caption: What the table shows.
        header: One title per column.
        rows: As many cells as the header has.
        wide: Index of the columns that hold prose, the others hold numbers.
        anchor: Name by which a script finds the table; empty if none does.
    """

    kind: ClassVar[str] = "table"
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    wide: tuple[int, ...] = ()
    anchor: str = ""


@dataclass(frozen=True)
class Chart:
    """A drawn figure.

    Attributes:
        title: Heading above the figure; no two charts of a page share one.
        alt: What the figure says, for those who cannot see it.
        svg: The drawing; made by :func:`chart` and not escaped on the page.
        caption: How to read it, with n.
        anchor: Name by which a script finds the figure; empty if none does.
        frames: Where the axes lie, as JSON; see :func:`~mammography.reports.figures.canvas.frames`.
    """

    kind: ClassVar[str] = "chart"
    title: str
    alt: str
    svg: str
    caption: str = ""
    anchor: str = ""
    frames: str = ""


def chart(figure: Figure, title: str, alt: str, caption: str = "", anchor: str = "") -> Chart:
    """Draw a figure as a block; its title keeps the names inside the SVG unique.

    With an anchor, a script finds the figure and where its axes lie.
    """
    svg = to_svg(figure, salt=title)
    return Chart(title, alt, svg, caption, anchor, json.dumps(frames(figure)) if anchor else "")


@dataclass(frozen=True)
class Outline:
    """A box on a picture, in pixels of the picture before it was made small."""

    left: float
    top: float
    width: float
    height: float
    style: str


@dataclass(frozen=True)
class Picture:
    """An image with outlines.

    Attributes:
        data_uri: The image itself; empty when it could not be read.
        size_hw: Rows and columns before it was made small.
        outlines: Boxes to draw.
        alt: What it shows.
        lines: Text below it.
        overlay_uri: Picture laid over it; empty if there is none.
    """

    data_uri: str
    size_hw: tuple[int, int]
    outlines: tuple[Outline, ...]
    alt: str
    lines: tuple[str, ...]
    overlay_uri: str = ""


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side under a heading."""

    kind: ClassVar[str] = "gallery"
    title: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Details:
    """Preformatted text that opens on a click."""

    kind: ClassVar[str] = "details"
    summary: str
    text: str


@dataclass(frozen=True)
class Listing:
    """Sentences as a list."""

    kind: ClassVar[str] = "listing"
    items: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """Blocks side by side where there is room."""

    kind: ClassVar[str] = "row"
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True)
class Part:
    """Blocks under a heading inside a section."""

    kind: ClassVar[str] = "part"
    title: str
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True)
class Tile:
    """A number to remember.

    Attributes:
        label: What it is.
        value: The number.
        note: Its interval, or what it is of.
    """

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Tiles:
    """Numbers to remember, side by side."""

    kind: ClassVar[str] = "tiles"
    title: str
    tiles: tuple[Tile, ...]


Block = Tiles | Text | Facts | Table | Chart | Gallery | Details | Listing | Row | Part


@dataclass(frozen=True)
class Section:
    """One chapter of a page.

    Attributes:
        anchor: Name for links inside the page: lower-case letters and hyphens.
        title: Heading.
        blocks: What it holds, in order.
    """

    anchor: str
    title: str
    blocks: tuple[Block, ...]
