"""Read the files of ``RecordActivationsHook``."""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FORMAT = "mammography-activations-1"
Kind = Literal["activation", "gradient"]
_PREFIX = {"activation": "", "gradient": "gradient_"}
_NOT_OURS = (ValueError, KeyError, AttributeError, TypeError, EOFError)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gaussians:
    """Mean and variance of each channel. Shapes ``(C,)``."""

    mean: Floats
    variance: Floats


@dataclass(frozen=True)
class LayerRecord:
    """What passed through a layer.

    Attributes:
        values: Some of the values of each channel; a column is one place of one image.
            Shape ``(C, K)``.
        count: How many values there were per channel.
        all_values: Mean and unbiased variance of all of them.
        entered: Of what entered a batch norm; None for other layers and for gradients.
        stored: What the batch norm holds for those.
        eps: What the batch norm adds to a variance.
    """

    values: NDArray[np.float32]
    count: int
    all_values: Gaussians
    entered: Gaussians | None = None
    stored: Gaussians | None = None
    eps: float = 0.0


@dataclass(frozen=True)
class Recording:
    """A file, whose layers are read when they are asked for.

    Attributes:
        path: The file.
        name: What to call it.
        kind: Activations or gradients.
        layers: Names in the order of the forward pass; with gradients, of layers that have them.
        domains: Number of images of each domain, ``""`` where it is not known.
        about: ``phase iteration config model checkpoint``.
    """

    path: Path
    name: str
    kind: Kind
    layers: tuple[str, ...]
    domains: dict[str, int]
    about: dict[str, Any]

    def read(self, layer: str) -> LayerRecord:
        """Read a layer.

        Raises:
            ValueError: If values are not finite or too few: names file and layer.
        """
        prefix = _PREFIX[self.kind]
        with np.load(self.path) as file:
            found = {what: file[f"{layer}/{what}"] for what in _names(file, layer)}
        values = found[f"{prefix}values"]
        if not np.isfinite(values).all():
            raise ValueError(f"{self.path}: {layer}: values must be finite, got NaN or infinity")
        if values.shape[1] < 2:
            raise ValueError(
                f"{self.path}: {layer}: there must be two values per channel, got "
                f"{values.shape[1]}: record more images, or leave the layer out"
            )
        inner = self.kind == "activation"
        return LayerRecord(
            values,
            int(found[f"{prefix}count"]),
            Gaussians(found[f"{prefix}mean"], found[f"{prefix}variance"]),
            _gaussians(found, "input_mean", "input_variance") if inner else None,
            _gaussians(found, "running_mean", "running_variance") if inner else None,
            float(found.get("eps", 0.0)),
        )


def read_recordings(
    paths: Sequence[Path], names: Sequence[str] | None = None, kind: Kind = "activation"
) -> list[Recording]:
    """Open recordings and name them.

    Args:
        paths: The files.
        names: A name for each; by default the parts of the paths that differ.
        kind: What to read of them.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a file is something else or holds no such kind, or there are not as many
            names, all different, as files.
    """
    names = name_by_path(paths) if names is None else list(names)
    if len(names) != len(paths) or len(set(names)) < len(names):
        raise ValueError(
            f"names must be one for each of {len(paths)} files, all different, "
            f"got {', '.join(names)}"
        )
    return [_open(Path(path), name, kind) for path, name in zip(paths, names, strict=True)]


def name_by_path(paths: Sequence[Path]) -> list[str]:
    """Return what differs of the paths of files.

    Example:
        >>> name_by_path([Path("runs/a/test/x.npz"), Path("runs/b/test/x.npz")])
        ['a', 'b']
    """
    parts = [Path(path).with_suffix("").parts for path in paths]
    if len(parts) < 2:
        return [each[-1] for each in parts]
    start = _count_equal(parts)
    end = _count_equal([each[start:][::-1] for each in parts])
    return ["/".join(each[start : len(each) - end]) or each[-1] for each in parts]


def _count_equal(sequences: Sequence[Sequence[str]]) -> int:
    alike = [len(set(column)) == 1 for column in zip(*sequences, strict=False)]
    return (*alike, False).index(False)


def _open(path: Path, name: str, kind: Kind) -> Recording:
    try:
        with np.load(path) as file:
            if str(file["format"]) != FORMAT:
                raise ValueError(f"its format is {file['format']}")
            layers = [str(layer) for layer in file["layers"]]
            has = [n for n in layers if f"{n}/{_PREFIX[kind]}values" in file]
            domains = np.unique(file.get("domain", np.array([], str)), return_counts=True)
            about = {n: file[n].item() for n in file if "/" not in n and file[n].ndim == 0}
    except (*_NOT_OURS, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path}: must be a file of RecordActivationsHook, got something else ({error})"
        ) from error
    if not has:
        raise ValueError(
            f"{path}: there must be a {kind} of a layer, got none: record with gradients=True"
        )
    counts = dict(zip(map(str, domains[0]), map(int, domains[1]), strict=True))
    return Recording(path, name, kind, tuple(has), counts, about)


def _names(file: Any, layer: str) -> Iterator[str]:
    return (name.split("/", 1)[1] for name in file if name.startswith(f"{layer}/"))


def _gaussians(found: dict[str, Any], mean: str, variance: str) -> Gaussians | None:
    return Gaussians(found[mean], found[variance]) if mean in found else None
