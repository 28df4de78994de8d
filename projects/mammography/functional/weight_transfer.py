"""Weights of one network for another: which tensors fit, and what to say of the rest."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from torch import Tensor

# Words that wrappers and files put before the names of a network.
_WRAPPERS = {"", "module", "model", "state_dict", "model_state_dict", "_orig_mod"}
# The branch that published methods hand on when a file holds two.
_BRANCHES = {"teacher", "encoder_q", "base_encoder"}


@dataclass(frozen=True)
class TransferReport:
    """What of a checkpoint goes where.

    Attributes:
        prefix: What the names of the checkpoint begin with.
        loaded: Names that are loaded.
        summed: Those of them whose three input channels became one.
        left: Pattern to the names that keep their initial values by it.
        total: Number of tensors of the target.
    """

    prefix: str
    loaded: tuple[str, ...]
    summed: tuple[str, ...]
    left: dict[str, tuple[str, ...]]
    total: int

    def __str__(self) -> str:
        """Say it in one line."""
        text = f"{len(self.loaded)} of {self.total} tensors loaded"
        text += f" from names that begin with {self.prefix!r}" if self.prefix else ""
        text += "".join(f", input channels of {name} summed to one" for name in self.summed)
        left = ", ".join(f"{pattern} ({len(names)})" for pattern, names in self.left.items())
        return text + (f", left as they were: {left}" if left else "")


def transfer_state(
    checkpoint: Mapping[str, Any],
    target: Mapping[str, Tensor],
    *,
    module: str = "backbone",
    prefix: str | None = None,
    allow: Sequence[str] = (),
    stem_scale: Sequence[float] | None = None,
) -> tuple[dict[str, Tensor], TransferReport]:
    """Find the tensors of a network in a checkpoint and insist that they fit.

    Files of torchvision, timm, MMPreTrain and self-supervised methods differ in what
    they put before the same names (``state_dict``, ``module.``, ``backbone.``,
    ``teacher.``): the prefix is the one that most names of the target follow. A plain
    branch or the teacher wins over further branches that fit as well.

    A first layer for three channels fits one for a single channel by the sum over its
    channels, which gives on a gray image what three equal channels gave.

    Args:
        checkpoint: Content of the file, nested as it may be.
        target: State of the module to be loaded.
        module: Name of the module in its model.
        prefix: What names begin with, when the file holds several candidates.
        allow: Patterns, in names of the target, of what may be missing, superfluous
            or of another shape, e.g. ``layer2.*``. If one tensor that a pattern covers
            does not fit, none of them is loaded: half a stage is worse than none.
        stem_scale: Factor for each of the three channels before the sum. For weights
            that saw ``(x - mean) / std`` by channel it is our std over theirs, e.g.
            0.5 / (0.229, 0.224, 0.225). Different means shift each output by a
            constant, which the next normalisation takes up once it trains.

    Returns:
        The state to load and the report.

    Raises:
        ValueError: If nothing fits, several prefixes fit alike, or a name that no
            pattern allows is missing, superfluous or of another shape.

    Example:
        >>> import torch
        >>> file = {"state_dict": {"backbone.conv1.weight": torch.ones(8, 3, 7, 7)}}
        >>> state, report = transfer_state(file, {"conv1.weight": torch.zeros(8, 1, 7, 7)})
        >>> state["conv1.weight"].unique(), report.prefix
        (tensor([3.]), 'state_dict.backbone.')
    """
    names = dict(flatten_state(checkpoint))
    if prefix is None:
        prefix = _find_prefix(names, target, module)
    source = {k.removeprefix(prefix): v for k, v in names.items() if k.startswith(prefix)}
    source, summed = _to_one_channel(source, target, stem_scale)
    problems = _problems(source, target)
    refused = [k for k in problems if not any(fnmatchcase(k, p) for p in allow)]
    if refused or not source:
        raise ValueError(
            f"weights for {module or 'the model'} (names after {prefix!r}) must fit, got "
            f"{_listed({k: problems[k] for k in refused}) or 'none'}: choose other weights, "
            "or allow these names"
        )
    covered = {p: tuple(k for k in target if fnmatchcase(k, p)) for p in allow}
    left = {p: names for p, names in covered.items() if any(k in problems for k in names)}
    kept = {k for names in left.values() for k in names}
    state = {k: source[k] for k in target if k in source and k not in kept}
    if not state:
        raise ValueError(f"weights for {module}: at least one tensor must be loaded, got none")
    report = TransferReport(
        prefix, tuple(state), tuple(k for k in summed if k in state), left, len(target)
    )
    return state, report


def flatten_state(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor of nested dicts under its dotted name."""
    for key, value in content.items():
        if isinstance(value, Tensor):
            yield f"{prefix}{key}", value
        elif isinstance(value, Mapping):
            yield from flatten_state(value, f"{prefix}{key}.")


def _find_prefix(names: Mapping[str, Tensor], target: Mapping[str, Tensor], module: str) -> str:
    """Return what stands before most names of the target."""
    found: Counter[str] = Counter()
    for name in names:
        parts = name.split(".")
        for i in range(len(parts)):
            if ".".join(parts[i:]) in target:
                found[".".join([*parts[:i], ""])] += 1
    if not found:
        raise ValueError(
            f"weights for {module or 'the model'} must have names such as {next(iter(target))!r}, "
            f"got {next(iter(names), 'no tensor at all')!r}"
        )
    plain = _WRAPPERS | set(module.split("."))

    def rank(prefix: str) -> int:
        words = set(prefix.split(".")) - plain
        return 0 if not words else 1 if words <= _BRANCHES else 2

    most = max(found.values())
    best = sorted((p for p in found if found[p] == most), key=rank)
    alike = [p for p in best if rank(p) == rank(best[0])]
    if len(alike) > 1:
        raise ValueError(
            f"weights for {module or 'the model'} must be in one place, got {', '.join(alike)}: "
            "name one of them as prefix"
        )
    return best[0]


def _to_one_channel(
    source: Mapping[str, Tensor], target: Mapping[str, Tensor], scale: Sequence[float] | None
) -> tuple[dict[str, Tensor], list[str]]:
    """Sum the three input channels of kernels that the target has for one channel."""
    result, summed = dict(source), []
    for name, kernel in source.items():
        one = (kernel.shape[0], 1, *kernel.shape[2:]) if kernel.ndim == 4 else None
        if one and kernel.shape[1] == 3 and name in target and target[name].shape == one:
            factors = kernel.new_tensor(scale or (1, 1, 1))[None, :, None, None]
            result[name] = (kernel * factors).sum(1, keepdim=True)
            summed.append(name)
    return result, summed


def _problems(source: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> dict[str, str]:
    """Return what does not fit, by name."""
    problems = {k: "superfluous" for k in source if k not in target}
    for name, tensor in target.items():
        if name not in source:
            # Old files lack this count, which only a BN without momentum reads.
            if not name.endswith("num_batches_tracked"):
                problems[name] = "missing"
        elif source[name].shape != tensor.shape:
            problems[name] = f"shape {tuple(source[name].shape)} for {tuple(tensor.shape)}"
    return problems


def _listed(reasons: Mapping[str, str], most: int = 8) -> str:
    """Join names and reasons, the first few of them."""
    shown = [f"{name} ({reason})" for name, reason in list(reasons.items())[:most]]
    more = len(reasons) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
