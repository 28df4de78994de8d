"""What made the predictions and the page."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import PurePath
from typing import Any

from mammography.reports.blocks import Facts, Part
from mammography.reports.evidence.chapter import Chapter
from mammography.reports.evidence.study import Study

PACKAGES = ("mammography", "scikit-learn", "scipy", "statsmodels", "numpy", "matplotlib")
# Told elsewhere, places on a machine, or a line for every patient.
_LEFT_OUT = ("data_root", "ann_file", "operating_points", "folds")


def software_chapter(study: Study) -> Chapter:
    """Tell where each model comes from, and with what the page was made."""
    parts = tuple(
        Part(f"Model: {model.full_name}", (Facts(tuple(_facts(model.info))),))
        for model in study.models
    )
    page = Part("This page", (Facts(tuple(_page(study))),))
    return Chapter("software", "Software and configuration", (*parts, page))


def _facts(info: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not info:
        yield "Origin", "the predictions do not say"
    for name, value in info.items():
        if name not in _LEFT_OUT:
            yield name.replace("_", " "), _plain(value)


def _plain(value: Any) -> str:
    """Write a value; of a path only its name, which tells nothing about the machine."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return PurePath(text).name if "/" in text else text


def _page(study: Study) -> Iterator[tuple[str, str]]:
    options = study.options
    yield "Versions", ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    yield (
        "Settings",
        f"task {study.task.name}, level {options.level}, pooling {options.pooling}, reference "
        f"{options.reference + 1}, {options.repeats:,} resamples, seed {options.seed}",
    )
