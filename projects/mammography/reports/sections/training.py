"""How the training went: losses and learning rate over the iterations."""

import math
from collections.abc import Iterator

import numpy as np

from mammography.reports.blocks import Block, Chart, Facts, Row, Section, Text, Tone, chart
from mammography.reports.figures.curves import draw_curves, mean_window
from mammography.reports.remedies import missing_log
from mammography.reports.run_folder import Run
from mammography.reports.training_log import TrainingLog
from mammography.reports.wording import counted, number

MAX_LINES = 6


def training_section(run: Run) -> Section:
    """Draw the losses and the learning rate."""
    log = run.log
    if not log.train:
        return Section("training", "Training", (missing_log(),))
    keys = list(dict.fromkeys(key for row in log.train for key in row))
    charts = tuple(
        _chart(log, title, axis, chosen) for title, axis, chosen in _figures(keys) if chosen
    )
    blocks: list[Block] = [*_divergence(log, keys), Facts(tuple(_facts(log))), Row(charts)]
    return Section("training", "Training", tuple(blocks))


def _figures(keys: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Title, y axis and keys of each figure, as far as the log has them."""
    yield "Total loss", "loss", [key for key in keys if key == "loss"]
    parts = [key for key in keys if "loss" in key and key != "loss"]
    for start in range(0, len(parts), MAX_LINES):
        title = "Loss of each task" + (f" ({start // MAX_LINES + 1})" if start else "")
        yield title, "loss", parts[start : start + MAX_LINES]
    yield "Learning rate", "learning rate", [key for key in keys if key == "lr"]
    yield "Gradient norm", "norm of the gradient", [key for key in keys if key == "grad_norm"]


def _chart(log: TrainingLog, title: str, axis: str, keys: list[str]) -> Chart:
    curves = {key.removesuffix("_loss"): log.train_curve(key) for key in keys}
    ends = ", ".join(f"{name} {number(y[0])} to {number(y[-1])}" for name, (_, y) in curves.items())
    n = max(len(y) for _, y in curves.values())
    window = mean_window(n)
    mean = f" Bold: running mean of {window} values." if window else ""
    return chart(
        draw_curves(curves, "iteration", axis, resumed_at=log.starts),
        title,
        f"{title} over the iterations, first to last logged value: {ends}.",
        f"n = {counted(n, 'logged value')} per line; first to last: {ends}.{mean}",
    )


def _facts(log: TrainingLog) -> Iterator[tuple[str, str]]:
    last = log.train[-1]
    reached = f"iteration {last['iter']:.0f}"
    yield "Reached", reached + (f", epoch {last['epoch']:.0f}" if "epoch" in last else "")
    if log.starts:
        places = ", ".join(f"{place:.0f}" for place in log.starts)
        yield "Resumed", f"logging again from iteration {places} (dotted lines)"
    for key, title, unit in (("time", "Time", "s"), ("data_time", "of it waiting for data", "s")):
        values = log.train_curve(key)[1]
        if values:
            yield title, f"{number(float(np.median(values)))} {unit} per iteration (median)"
    memory = log.train_curve("memory")[1]
    if memory and max(memory) > 0:
        yield "GPU memory", f"{max(memory):.0f} MB at most"


def _divergence(log: TrainingLog, keys: list[str]) -> Iterator[Text]:
    for key in keys:
        x, y = log.train_curve(key)
        broken = [place for place, value in zip(x, y, strict=True) if not math.isfinite(value)]
        # One infinite norm is how a scaled half-precision step announces that it is skipped.
        if broken and key != "grad_norm":
            yield Text(
                f"{key} was not finite in {counted(len(broken), 'logged iteration')}, first at "
                f"iteration {broken[0]:.0f}: the training diverged there.",
                Tone.WARNING,
            )
