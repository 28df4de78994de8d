"""What models are called."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePath

from mammography.reports.figures.canvas import shorten
from mammography.structures.prediction import Dump

_LONGEST = 26


def model_names(paths: Sequence[Path], dumps: Sequence[Dump], given: Sequence[str]) -> list[str]:
    """Call models by their configs, else by their files; never by folders of the machine.

    Args:
        paths: Files of the dumps.
        dumps: The dumps.
        given: Names that the user chose; none for those.
    """
    if given:
        return _apart(given)
    configs = [PurePath(str(dump.info.get("config") or "")).stem for dump in dumps]
    return _apart([config or path.stem for config, path in zip(configs, paths, strict=True)])


def short_names(names: Sequence[str]) -> list[str]:
    """Shorten names for tables and legends, and keep them apart.

    Example:
        >>> short_names(["resnet50w-transformer_1xb72_lnm-image-1792x1024px", "clinical"])
        ['resnet50w-tra…-1792x1024px', 'clinical']
    """
    return _apart([shorten(name, _LONGEST) for name in names])


def _apart(names: Sequence[str]) -> list[str]:
    counts = Counter(names)
    return [
        name if counts[name] == 1 else f"{name} ({number})"
        for number, name in enumerate(names, start=1)
    ]
