"""From recordings to figures and tables."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from mammography.reports.activations.comparison import (
    LayerComparison,
    LayerFacts,
    compare_layer,
    describe_layer,
    find_common_layers,
)
from mammography.reports.activations.files import (
    draw_distances,
    figure_name,
    write_csvs,
    write_figure,
    write_markdown,
)
from mammography.reports.activations.recording import Kind, Recording, read_recordings
from mammography.reports.figures.ridgeline import MOST_CHANNELS, draw_ridgelines


def compare_recordings(
    paths: Sequence[Path],
    out: Path,
    *,
    names: Sequence[str] | None = None,
    layers: Sequence[str] = (),
    kind: Kind = "activation",
    channels: int = MOST_CHANNELS,
    say: Callable[[str], None] = lambda line: None,
) -> list[LayerComparison]:
    """Draw the densities of every layer that all recordings have, and measure distances.

    Writes ``ridgelines/<layer>.png``, ``distances.csv``, ``layers.csv``, ``distances.md`` and
    ``distances.png`` (without distances where there is but one recording).

    Args:
        paths: Files of ``RecordActivationsHook``, at least one.
        out: Folder to write to.
        names: A name for each; by default the parts of the paths that differ.
        layers: Regular expressions: layers whose whole name none of them matches are left out.
        kind: ``activation`` or ``gradient``.
        channels: Most channels of a figure, >= 1.
        say: Takes a line for each layer.

    Returns:
        The distances of each layer and pair.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a file is something else, or there is no layer that all of them have and the
            names match.
    """
    if channels < 1:
        raise ValueError(f"channels must be at least 1, got {channels}")
    recordings = read_recordings(paths, names, kind)
    chosen = _choose(find_common_layers(recordings), layers)
    comparisons: list[LayerComparison] = []
    facts: list[LayerFacts] = []
    for layer in chosen:
        records = {recording.name: recording.read(layer) for recording in recordings}
        comparisons += compare_layer(layer, records)
        described = {name: describe_layer(layer, name, each) for name, each in records.items()}
        facts += described.values()
        figure = draw_ridgelines(
            {name: each.values for name, each in records.items()},
            {name: each.mean_variance for name, each in described.items()},
            title=layer,
            x_title=kind,
            most_channels=channels,
        )
        write_figure(out / "ridgelines" / figure_name(layer), figure)
        say(f"{layer}: {described[recordings[0].name].channels} channels")
    _write(out, recordings, comparisons, facts)
    return comparisons


def _write(
    out: Path,
    recordings: Sequence[Recording],
    comparisons: Sequence[LayerComparison],
    facts: Sequence[LayerFacts],
) -> None:
    write_csvs(out, comparisons, facts)
    write_markdown(out, recordings, comparisons, facts)
    if comparisons:
        write_figure(out / "distances.png", draw_distances(comparisons))


def _choose(common: Sequence[str], patterns: Sequence[str]) -> list[str]:
    chosen = [n for n in common if not patterns or any(re.fullmatch(p, n) for p in patterns)]
    if not chosen:
        raise ValueError(
            f"layers must match those that all recordings have, got {', '.join(patterns)}: "
            f"there is {', '.join(common)}"
        )
    return chosen
