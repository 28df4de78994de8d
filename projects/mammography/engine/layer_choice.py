"""Choose layers of a model by name and by type."""

import difflib
import re
from collections.abc import Collection, Iterable, Sequence

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

# Batch norms of other than two dimensions; all else of _BatchNorm takes images too.
_NOT_OF_IMAGES = (nn.BatchNorm1d, nn.BatchNorm3d)


def check_patterns(patterns: Sequence[str], place: str) -> None:
    """Refuse what is no sequence of regular expressions.

    Args:
        patterns: What was given.
        place: Start of the message: whose argument it is.

    Raises:
        ValueError: If it is a single string, or one of them is no regular expression.
    """
    if isinstance(patterns, str):
        raise ValueError(  # noqa: TRY004 (an error of a config, as the other)
            f"{place} must be several strings, got {patterns!r}"
        )
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(
                f"{place} must be regular expressions, got {pattern!r}: {error}"
            ) from error


def find_layers(
    model: nn.Module, names: Sequence[str], types: Sequence[str] | None, place: str
) -> dict[str, nn.Module]:
    """Return the layers of a model that have one of the names and one of the types.

    Args:
        model: The model.
        names: Dotted names, or regular expressions that match whole names; any name if empty.
        types: Names of classes, those derived from them included. ``BatchNorm2d`` is also
            SyncBN and what MMEngine makes of it on CPUs, ``BatchNorm`` any batch norm.
            Any type if None.
        place: Start of the messages: who chooses.

    Returns:
        Layers by name, in the order of the model.

    Raises:
        ValueError: If a name or a type matches nothing; names what there is instead.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.SyncBatchNorm(2), nn.ReLU())
        >>> list(find_layers(model, (), ("BatchNorm2d",), "choice"))
        ['1']
    """
    modules = {name: module for name, module in model.named_modules() if name}
    typed = {n: m for n, m in modules.items() if types is None or _is_any(m, types)}
    for kind in types or ():
        if not any(_is_any(module, (kind,)) for module in modules.values()):
            kinds = sorted({type(module).__name__.lstrip("_") for module in modules.values()})
            raise ValueError(
                f"{place}: types must be of layers in the model ({', '.join(kinds)}), got {kind!r}"
            )
    for pattern in names:
        if not _matching(typed, (pattern,)):
            raise ValueError(_explain_no_match(pattern, modules, types, place))
    return {name: typed[name] for name in (_matching(typed, names) if names else typed)}


def _explain_no_match(
    pattern: str, modules: dict[str, nn.Module], types: Sequence[str] | None, place: str
) -> str:
    if others := _matching(modules, (pattern,)):
        kinds = sorted({type(modules[name]).__name__ for name in others})
        return (
            f"{place}: layers must be of types {', '.join(types or ())}, got {pattern!r}, which is "
            f"{', '.join(kinds)}: name its type, or no types"
        )
    near = difflib.get_close_matches(pattern, modules, n=5, cutoff=0.5)
    near = near or list(dict.fromkeys(name.split(".")[0] for name in modules))
    return (
        f"{place}: layers must match names in the model, got {pattern!r}: there is "
        f"{', '.join(near)}"
    )


def _matching(names: Iterable[str], patterns: Collection[str]) -> list[str]:
    return [name for name in names if any(_matches(name, pattern) for pattern in patterns)]


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or re.fullmatch(pattern, name) is not None


def _is_any(module: nn.Module, kinds: Collection[str]) -> bool:
    known = {base.__name__.lstrip("_") for base in type(module).__mro__}
    if isinstance(module, _BatchNorm) and not isinstance(module, _NOT_OF_IMAGES):
        known.add("BatchNorm2d")
    return not known.isdisjoint(kinds)
