"""Choose by type and by name which parameters and statistics of a model train."""

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mammography.engine.layer_choice import check_patterns
from mammography.functional.batch_norm import find_norm_layers

NormAffine = Literal["train", "freeze"]
NormStatistics = Literal["update", "freeze", "like_affine"]

PLACE = "SelectTrainableHook"


@dataclass(frozen=True)
class TrainableChoice:
    """What is frozen. All else trains, unless the model itself keeps it frozen.

    The attributes are the arguments of
    :class:`~mammography.engine.hooks.select_trainable_hook.SelectTrainableHook`; ``place`` begins
    the messages.

    Raises:
        ValueError: If a value is none of those, or nothing is to be frozen.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 1))
        >>> TrainableChoice(freeze_types=["Conv2d"]).apply(model)
        []
        >>> describe_trainable(model)
        '7 of 27 parameters train: BatchNorm2d 4 (1 layer), Linear 3 (1 layer);
        frozen: Conv2d 20 (1 layer); statistics of batch norm: 1 update, 0 keep theirs'
    """

    freeze_types: Sequence[str] = ()
    freeze_names: Sequence[str] = ()
    train_names: Sequence[str] = ()
    norm_affine: NormAffine = "train"
    norm_statistics: NormStatistics = "update"
    place: str = PLACE

    def __post_init__(self) -> None:  # noqa: D105
        if isinstance(self.freeze_types, str):
            raise ValueError(  # noqa: TRY004 (an error of a config, as all others here)
                f"{self.place}: freeze_types must be several strings, got {self.freeze_types!r}"
            )
        check_patterns(self.freeze_names, f"{self.place}: freeze_names")
        check_patterns(self.train_names, f"{self.place}: train_names")
        for name, known in (("norm_affine", NormAffine), ("norm_statistics", NormStatistics)):
            if getattr(self, name) not in get_args(known):
                raise ValueError(
                    f"{self.place}: {name} must be one of {', '.join(get_args(known))}, "
                    f"got {getattr(self, name)!r}"
                )
        if not (self.freeze_types or self.freeze_names or self._switches):
            raise ValueError(
                f"{self.place}: something must be frozen, got no types, no names and no batch "
                "norm: to train some names only, freeze_names=('.*',)"
            )

    @property
    def _switches(self) -> bool:
        """Whether anything is asked of batch norms."""
        return self.norm_affine == "freeze" or self.norm_statistics != "update"

    def apply(self, model: nn.Module) -> list[_BatchNorm]:
        """Freeze parameters; return the batch norms that must keep their statistics.

        Raises:
            ValueError: If a type or name matches nothing, nothing would train, there is no
                batch norm to freeze, or the model itself freezes what should train.
        """
        norms = find_norm_layers(model)
        parameters = dict(model.named_parameters(remove_duplicate=False))  # tied ones
        names = [*parameters, *norms]
        self._check_matches(model, names)
        if self._switches and not norms:
            raise ValueError(
                f"{self.place}: norm_affine and norm_statistics need batch norm, got a model "
                f"without ({', '.join(_kinds_of(model))}): leave them at 'train' and 'update'"
            )
        frozen = self._find_frozen(model, names, norms)
        for name, parameter in parameters.items():
            if name in frozen:
                parameter.requires_grad_(False)
                parameter.grad = None
        self._check_result(parameters)
        return self._find_fixed(norms, frozen)

    def _find_frozen(
        self, model: nn.Module, names: Collection[str], norms: Collection[str]
    ) -> set[str]:
        affine = norms if self.norm_affine == "freeze" else ()
        chosen = {
            name
            for name in names
            if any(_is_below_type(model, name, kind) for kind in self.freeze_types)
            or _matches(name, self.freeze_names)
            or name.rpartition(".")[0] in affine
        }
        return {name for name in chosen if not _matches(name, self.train_names)}

    def _find_fixed(
        self, norms: dict[str, _BatchNorm], frozen: Collection[str]
    ) -> list[_BatchNorm]:
        if self.norm_statistics == "update":
            return []
        fixed = norms
        if self.norm_statistics == "like_affine":
            fixed = {name: norm for name, norm in norms.items() if _stands(name, norm, frozen)}
        if bare := [name for name, norm in fixed.items() if norm.running_mean is None]:
            raise ValueError(
                f"{self.place}: norm_statistics={self.norm_statistics!r} needs running statistics, "
                f"got none in {bare[0]} (track_running_stats=False): choose 'update'"
            )
        return list(fixed.values())

    def _check_matches(self, model: nn.Module, names: Collection[str]) -> None:
        for kind in self.freeze_types:
            if not any(_is_below_type(model, name, kind) for name in names):
                raise ValueError(
                    f"{self.place}: freeze_types must be types in the model "
                    f"({', '.join(_kinds_of(model))}), got {kind!r}"
                )
        for argument in ("freeze_names", "train_names"):
            check_matches(model, getattr(self, argument), f"{self.place}: {argument}")

    def _check_result(self, parameters: dict[str, nn.Parameter]) -> None:
        if not any(parameter.requires_grad for parameter in parameters.values()):
            raise ValueError(
                f"{self.place}: something must train, got a choice that freezes everything"
            )
        for name, parameter in parameters.items():
            if _matches(name, self.train_names) and not parameter.requires_grad:
                raise ValueError(
                    f"{self.place}: train_names must train, but the model itself freezes {name}, "
                    "or it is shared with a layer that is frozen: remove frozen_stages and the like"
                )


def check_matches(model: nn.Module, patterns: Collection[str], place: str) -> None:
    """Refuse a pattern that matches no parameter, batch norm or module around one.

    Args:
        model: The model.
        patterns: Regular expressions for full names.
        place: Start of the message: whose argument they are.

    Raises:
        ValueError: If one matches nothing; names what is near to it.
    """
    parameters = dict(model.named_parameters(remove_duplicate=False))
    known = {path for name in [*parameters, *find_norm_layers(model)] for path in _paths(name)}
    for pattern in patterns:
        if not any(re.fullmatch(pattern, path) for path in known):
            near = difflib.get_close_matches(pattern, sorted(known), cutoff=0.5)
            near = near or [name for name, _ in model.named_children()]
            raise ValueError(
                f"{place} must match names in the model, got {pattern!r}: there is "
                f"{', '.join(near)}"
            )


def describe_trainable(model: nn.Module) -> str:
    """Return how many parameters train, and in how many layers of each type."""
    trained: Counter[str] = Counter()
    frozen: Counter[str] = Counter()
    layers: Counter[tuple[bool, str]] = Counter()
    seen: set[nn.Parameter] = set()
    for module in model.modules():
        own = [p for p in module.parameters(recurse=False) if p not in seen]
        seen.update(own)
        for trains, sizes in ((True, trained), (False, frozen)):
            if size := sum(p.numel() for p in own if p.requires_grad is trains):
                sizes[_kind(module)] += size
                layers[trains, _kind(module)] += 1
    norms = find_norm_layers(model).values()
    updating = sum(norm.training and norm.running_mean is not None for norm in norms)
    return (
        f"{trained.total():,} of {trained.total() + frozen.total():,} parameters train: "
        f"{_list_sizes(trained, layers, trains=True)}; "
        f"frozen: {_list_sizes(frozen, layers, trains=False) or 'none'}; "
        f"statistics of batch norm: {updating} update, {len(norms) - updating} keep theirs"
    )


def _list_sizes(sizes: Counter[str], layers: Counter[tuple[bool, str]], *, trains: bool) -> str:
    return ", ".join(
        f"{kind} {size:,} ({(count := layers[trains, kind])} layer{'s' if count > 1 else ''})"
        for kind, size in sorted(sizes.items())
    )


def _paths(name: str) -> Iterator[str]:
    """Yield a name and those of the modules around it: ``a``, ``a.b``, ``a.b.weight``."""
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _matches(name: str, patterns: Collection[str]) -> bool:
    return any(re.fullmatch(pattern, path) for path in _paths(name) for pattern in patterns)


def _kind(module: nn.Module) -> str:
    return type(module).__name__.lstrip("_")


def _kinds_of(model: nn.Module) -> list[str]:
    """Return the types of the layers that have parameters or statistics."""
    return sorted(
        {_kind(m) for m in model.modules() if next(m.parameters(False), None) is not None}
    )


def _is_below_type(model: nn.Module, name: str, kind: str) -> bool:
    """Tell whether a type, or one derived from it, is that of a module around a name."""
    module = model
    for part in name.split("."):
        child = getattr(module, part)
        if not isinstance(child, nn.Module):
            return False
        if any(base.__name__.lstrip("_") == kind for base in type(child).__mro__):
            return True
        module = child
    return False


def _stands(name: str, norm: _BatchNorm, frozen: Collection[str]) -> bool:
    if norm.affine:
        return not any(parameter.requires_grad for parameter in norm.parameters())
    return name in frozen
