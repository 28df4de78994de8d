"""The paper that every figure is drawn on: size, palette, axes and SVG."""

import io
import re
import threading
import warnings
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

# Okabe & Ito (2008): eight colours that every kind of colour vision tells apart.
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#000000", "#767676"
SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
DASHES = ("-", "--", "-.", ":")
POSITIVE, NEGATIVE = VERMILLION, BLUE

FONT_PT = 10.0
SMALL_PT = 9.0
SIZE_IN = (4.4, 3.3)

Location = Literal["best", "upper left", "upper right", "lower left", "lower right"]

# rcParams are global and the SVG writer reads two of them while it draws.
_DRAWING = threading.Lock()


def new_figure(
    rows: int = 1,
    *,
    size_in: tuple[float, float] = SIZE_IN,
    heights: tuple[float, ...] | None = None,
) -> tuple[Figure, list[Axes]]:
    """Return an empty figure and its axes, one below the other with a common x axis.

    Args:
        rows: Number of axes.
        size_in: Width and height in inches; text is sized for about 4.4 inches.
        heights: Of the axes, in proportion; all alike by default.
    """
    figure = Figure(figsize=size_in, layout="constrained")
    grid = {"height_ratios": heights} if heights else None
    column = figure.subplots(rows, 1, sharex=True, squeeze=False, gridspec_kw=grid)[:, 0].tolist()
    for axes in column:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=SMALL_PT)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure, column


def name_axes(axes: Axes, x: str, y: str) -> None:
    """Write the axis titles."""
    axes.set_xlabel(x, fontsize=FONT_PT)
    axes.set_ylabel(y, fontsize=FONT_PT)


def add_legend(axes: Axes, location: Location = "best") -> None:
    """Draw the legend inside the axes."""
    axes.legend(loc=location, fontsize=SMALL_PT, frameon=True, framealpha=0.85, edgecolor="none")


def shorten(name: str, length: int = 18) -> str:
    """Cut a name that would not fit beside a tick; both ends stay.

    Example:
        >>> shorten("architectural_distortion")
        'architect…stortion'
    """
    if len(name) <= length:
        return name
    return f"{name[: length // 2]}…{name[len(name) - (length - 1) // 2 :]}"


def to_svg(figure: Figure, salt: str) -> str:
    """Draw a figure as an SVG element to put into an HTML page.

    The same figure and salt give the same bytes. Text stays text, so that it can be
    searched and copied and takes the font of the page; ``$`` is only a sign in it.

    Args:
        figure: The figure; its texts are set to be drawn literally.
        salt: Keeps identifiers inside the drawing apart from those of other drawings.
    """
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    buffer = io.StringIO()
    settings: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": salt}
    with _DRAWING, mpl.rc_context(settings), warnings.catch_warnings():
        # The browser draws the text: what matplotlib's own font lacks does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _inline(buffer.getvalue())


def frames(figure: Figure) -> list[dict[str, list[float]]]:
    """Return where each of the axes lies in the last drawing of :func:`to_svg`.

    The layout depends on the text that the drawing measured: draw first.

    Returns:
        For each of the axes ``box`` (left, top, right, bottom, in units of the drawing), ``x``
        and ``y`` (both ends of the scales, linear).

    Example:
        >>> figure, (axes,) = new_figure()
        >>> _, _ = axes.set(xlim=(0, 2), ylim=(0, 1)), to_svg(figure, "example")
        >>> (frame,) = frames(figure)
        >>> frame["x"], 0 < frame["box"][0] < frame["box"][2] < 72 * SIZE_IN[0]
        ([0.0, 2.0], True)
    """
    width, height = (72 * side for side in figure.get_size_inches())
    found = []
    for axes in figure.axes:
        box = axes.get_position()
        ends = (
            *(box.x0 * width, (1 - box.y1) * height),
            *(box.x1 * width, (1 - box.y0) * height),
        )
        found.append(
            {
                "box": [round(float(end), 2) for end in ends],
                "x": [float(end) for end in axes.get_xlim()],
                "y": [float(end) for end in axes.get_ylim()],
            }
        )
    return found


def _inline(svg: str) -> str:
    """Keep what an inline SVG needs: no prologue, namespaces, metadata or idle names."""
    head, body = svg[svg.index("<svg") :].split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    for idle in (r"<metadata>.*?</metadata>", r"<!--.*?-->", r"<style.*?</style>"):
        body = re.sub(rf"\s*{idle}", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href=", "href=")
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', body))
    body = re.sub(r' id="([^"]*)"', lambda name: name[0] if name[1] in used else "", body)
    body = re.sub(r'(?<= d=")[^"]*', lambda path: _round(path[0]), body)
    body = re.sub(r"font-family: [^;\"]*", "font-family: sans-serif", body)
    body = re.sub(r"\n\s*", "\n", body).strip()
    return f'<svg {box[0] if box else ""} aria-hidden="true">{body}'


def _round(path: str) -> str:
    """Write the points of a path to a hundredth of a point, on one line."""
    return re.sub(r"(\.\d\d)\d+", r"\1", " ".join(path.split()))
