"""The files that a comparison of recordings leaves behind."""

import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text

from mammography.reports.activations.comparison import (
    EPS,
    MEASURES,
    MMD_VECTORS,
    LayerComparison,
    LayerFacts,
)
from mammography.reports.activations.recording import Recording
from mammography.reports.blocks import Table
from mammography.reports.figures.depth import draw_over_depth
from mammography.reports.page import write_page
from mammography.reports.text_tables import to_markdown, write_rows
from mammography.reports.wording import ABSENT, number

_DPI = 150


def write_figure(path: Path, figure: Figure) -> None:
    """Write a figure as PNG, whole or not at all; ``$`` is only a sign in its texts."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    figure.savefig(unfinished, format="png", dpi=_DPI)
    unfinished.replace(path)


def figure_name(layer: str) -> str:
    """Return the file name of a layer's figure: dots, letters, digits, nothing else.

    Example:
        >>> figure_name("backbone.layer4.1.bn2")
        'backbone.layer4.1.bn2.png'
    """
    return re.sub(r"[^\w.-]", "_", layer) + ".png"


def write_csvs(
    out: Path, comparisons: Sequence[LayerComparison], facts: Sequence[LayerFacts]
) -> None:
    """Write ``distances.csv``, a row per layer and pair, and ``layers.csv``, per layer and file.

    At full precision; what a layer has not is empty.
    """
    rows = [
        {"layer": each.layer, "first": each.first, "second": each.second}
        | {name: each.distances.get(name) for name in MEASURES}
        for each in comparisons
    ]
    if rows:
        write_rows(out / "distances.csv", rows)
    write_rows(out / "layers.csv", [asdict(each) for each in facts])


def write_markdown(
    out: Path,
    recordings: Sequence[Recording],
    comparisons: Sequence[LayerComparison],
    facts: Sequence[LayerFacts],
) -> None:
    """Write ``distances.md``: tables to read, what was recorded, and how it was computed."""
    blocks = [f"# {recordings[0].kind.capitalize()}s of {len(recordings)} recordings"]
    tables = [_recording_table(recordings), *_distance_tables(comparisons), _fact_table(facts)]
    blocks += [to_markdown(table) for table in tables]
    blocks.append("\n".join(f"- {sentence}" for sentence in _methods(facts)))
    write_page(out / "distances.md", "\n\n".join(blocks) + "\n")


def draw_distances(comparisons: Sequence[LayerComparison]) -> Figure:
    """Draw every measure over the depth of the network, a line per pair."""
    layers = list(dict.fromkeys(each.layer for each in comparisons))
    pairs = dict.fromkeys(_pair(each) for each in comparisons)
    found = {(_pair(each), each.layer): each.distances for each in comparisons}
    return draw_over_depth(
        layers,
        {
            MEASURES[name].label: {
                pair: [found[pair, layer].get(name, math.nan) for layer in layers] for pair in pairs
            }
            for name in _used(comparisons)
        },
    )


def _recording_table(recordings: Sequence[Recording]) -> Table:
    fields = ("config", "checkpoint", "phase", "iteration")
    rows = tuple(
        (
            recording.name,
            ", ".join(f"{count} {name or 'images'}" for name, count in recording.domains.items())
            or ABSENT,
            *(_tell(recording.about.get(name)) for name in fields),
        )
        for recording in recordings
    )
    return Table("Recordings", ("name", "images", *fields), rows)


def _distance_tables(comparisons: Sequence[LayerComparison]) -> Iterable[Table]:
    used = _used(comparisons)
    for pair in dict.fromkeys(_pair(each) for each in comparisons):
        rows = tuple(
            (each.layer, *(_write(each.distances.get(name)) for name in used))
            for each in comparisons
            if _pair(each) == pair
        )
        header = ("layer", *(MEASURES[name].label for name in used))
        yield Table(f"Distances: {pair}", header, rows)


def _fact_table(facts: Sequence[LayerFacts]) -> Table:
    layers = dict.fromkeys(each.layer for each in facts)
    names = list(dict.fromkeys(each.name for each in facts))
    found = {(each.layer, each.name): each for each in facts}
    stored = any(each.stored_kl is not None for each in facts)
    header = ["layer", "channels", *(f"avg. var, {name}" for name in names)]
    header += [f"stored KL, {name}" for name in names] if stored else []
    rows = []
    for layer in layers:
        each = [found[layer, name] for name in names]
        constant = max(one.constant for one in each)
        channels = f"{each[0].channels}" + (f" ({constant} constant)" if constant else "")
        row = [layer, channels, *(number(one.mean_variance) for one in each)]
        rows.append((*row, *(_write(one.stored_kl) for one in each if stored)))
    return Table("Layers", tuple(header), tuple(rows))


def _methods(facts: Sequence[LayerFacts]) -> Iterable[str]:
    for measure in MEASURES.values():
        yield f"{measure.label}: {measure.meaning}."
    yield "W1, KS and KL are means over the channels."
    if any(each.stored_kl is not None for each in facts):
        yield (
            "Stored KL: the same divergence between what a batch norm stores and what entered it: "
            "how badly its statistics fit these images."
        )
    yield (
        f"KL and stored KL add eps to each variance (that of the batch norm for what enters it, "
        f"else {EPS:g}), so that constant channels have one. MMD² takes at most {MMD_VECTORS} "
        "vectors of each recording."
    )
    yield (
        "Variances, KL: over all values of the recorded images. The others: over the values that "
        "were kept. Values of one image are far from independent, so there are no tests."
    )
    yield (
        "A distance of channels means something between images of two hospitals in one model, or "
        "models that grew from one: channels of models that were trained apart do not correspond."
    )


def _used(comparisons: Sequence[LayerComparison]) -> list[str]:
    return [name for name in MEASURES if any(name in each.distances for each in comparisons)]


def _pair(each: LayerComparison) -> str:
    return f"{each.first} – {each.second}"  # noqa: RUF001 (from one to the other)


def _tell(value: Any) -> str:
    return ABSENT if value in (None, "") else str(value)


def _write(value: float | None) -> str:
    return ABSENT if value is None else number(value)
