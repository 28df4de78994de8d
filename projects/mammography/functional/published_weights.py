"""Names of published mammography weights, and what the same tensors are called here.

Which file has which names (as of 2024; a file that differs is refused by what does not fit):

``timm_convnext``
    ConvNeXt of timm (``stem.0``, ``stages.1.downsample.0``, ``stages.1.blocks.0.conv_dw``,
    ``mlp.fc1``, ``head.norm``), as in the checkpoints of the winner of RSNA 2022 (ConvNeXt-S,
    below ``state_dict``; of an ensemble below ``fmodels.<fold>``). For MMPreTrain's ``ConvNeXt``.
``efficientnet_pytorch``
    EfficientNet as in the package of that name (``_conv_stem``, ``_blocks.7._depthwise_conv``,
    ``_bn0``), as in Mammo-CLIP (B2 and B5, below ``model`` and ``image_encoder``). For timm's
    ``tf_efficientnet_b2`` and ``_b5``, which pad and normalise alike (``SAME``, epsilon 0.001);
    ``efficientnet_b5`` takes the tensors as well and computes something else.
``mirai_resnet``
    ResNet of Mirai (``downsampler.conv1``, ``layer1_0.conv1``, below ``_model`` or
    ``image_encoder._model``). For MMPreTrain's ``ResNet``. The published file is a pickled model:
    save its ``state_dict()`` with the code of Mirai first, as no code of a file is run here.

The last layers of these networks (``head.fc``, ``_fc``, ``pool``, ``fc``) have no place here and
are left out. Other files of timm and torchvision need no layout: their names are those of
``module="backbone.timm_model"`` and ``module="backbone"``.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from torch import Tensor

from mammography.functional.weight_transfer import flatten_state

Rules = tuple[tuple[str, str | None], ...]

# Patterns follow what stands before a network (state_dict., module., ...). The first that
# matches gives the name here; None: a last layer.
_TIMM_CONVNEXT: Rules = (
    (r"stem\.(\d)\.(\w+)", r"downsample_layers.0.\1.\2"),
    (r"stages\.(\d)\.downsample\.(\d)\.(\w+)", r"downsample_layers.\1.\2.\3"),
    (r"stages\.(\d)\.blocks\.(\d+)\.conv_dw\.(\w+)", r"stages.\1.\2.depthwise_conv.\3"),
    (r"stages\.(\d)\.blocks\.(\d+)\.mlp\.fc([12])\.(\w+)", r"stages.\1.\2.pointwise_conv\3.\4"),
    (r"stages\.(\d)\.blocks\.(\d+)\.mlp\.grn\.(\w+)", r"stages.\1.\2.grn.\3"),
    (r"stages\.(\d)\.blocks\.(\d+)\.(gamma|norm\.\w+)", r"stages.\1.\2.\3"),
    (r"head\.norm\.(\w+)", r"norm3.\1"),
    (r"norm_pre\.(\w+)", r"norm3.\1"),
    (r"head\.(?:\w+\.)*fc\.(?:\w+\.?)+", None),
)
_MIRAI_RESNET: Rules = (
    (r"downsampler\.((?:conv|bn)1\.\w+)", r"\1"),
    (r"layer(\d)_(\d+)\.((?:\w+\.)+\w+)", r"layer\1.\2.\3"),
    (r"(?:pool|fc|birads_fc|region_fc|prob_of_failure_layer)\.(?:\w+\.?)+", None),
)
# A block with an expansion, and one without; the names of norms are counted from the first.
_EXPANDED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_SQUEEZE = {"_se_reduce": "se.conv_reduce", "_se_expand": "se.conv_expand"}
_ENDS = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}


def rename_published(
    checkpoint: Mapping[str, object], layout: str, target: Iterable[str]
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Give the tensors of a published file the names that they have here.

    What stands before a network stays, so that
    :func:`~mammography.functional.weight_transfer.transfer_state` finds the one that fits and
    refuses what does not.

    Args:
        checkpoint: Content of the file, nested as it may be.
        layout: One of :data:`LAYOUTS`; see the top of this module.
        target: Names of the tensors of the network to be loaded.

    Returns:
        Tensors by dotted name, and the names of the last layers that were left out.

    Raises:
        ValueError: If there is no such layout, no name is of it, or the file has more blocks than
            the network.

    Example:
        >>> import torch
        >>> file = {"_model.layer1_0.conv1.weight": torch.ones(1), "_model.fc.bias": torch.ones(1)}
        >>> state, left = rename_published(file, "mirai_resnet", ["layer1.0.conv1.weight"])
        >>> list(state), left
        (['_model.layer1.0.conv1.weight'], ('_model.fc.bias',))
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {layout!r}")
    rename = LAYOUTS[layout](list(target))
    tensors = dict(flatten_state(checkpoint))
    renamed: dict[str, Tensor] = {}
    left: list[str] = []
    known = 0
    for name, tensor in tensors.items():
        found = rename(name)
        known += found is not None and found != name
        if found is None:
            left.append(name)
        else:
            renamed[found] = tensor
    if not known:
        raise ValueError(
            f"weights of layout {layout} must have its names, got "
            f"{next(iter(tensors), 'no tensor at all')!r}: choose another layout, or none"
        )
    return renamed, tuple(left)


def _by_rules(rules: Rules) -> Callable[[list[str]], Callable[[str], str | None]]:
    """Return what renames by the first rule that matches the end of a name."""
    compiled = [(re.compile(rf"(?P<before>(?:.*\.)?){rule}"), new) for rule, new in rules]

    def rename(name: str) -> str | None:
        for pattern, new in compiled:
            if match := pattern.fullmatch(name):
                # Groups of a rule are counted after the one that stands before it.
                return None if new is None else match["before"] + _fill(new, match)
        return name

    return lambda _: rename


def _fill(new: str, match: re.Match[str]) -> str:
    return re.sub(r"\\(\d)", lambda number: match[int(number[1]) + 1], new)


def _efficientnet(target: list[str]) -> Callable[[str], str | None]:
    """Return what renames EfficientNets; their blocks are counted through, timm's by stage."""
    places = [re.fullmatch(r"(?:.*\.)?blocks\.(\d+)\.(\d+)\.(.+)", name) for name in target]
    blocks = sorted({(int(place[1]), int(place[2])) for place in places if place})
    expanded = {(int(p[1]), int(p[2])) for p in places if p and p[3].startswith("conv_pwl.")}

    def rename(name: str) -> str | None:
        if match := re.fullmatch(r"((?:.*\.)?)_blocks\.(\d+)\.(\w+)\.(\w+)", name):
            before, number, part, rest = match.groups()
            if int(number) >= len(blocks):
                raise ValueError(
                    f"weights of layout efficientnet_pytorch must have the {len(blocks)} blocks of "
                    f"the model, got {name}: choose the model_name of the same size, e.g. "
                    "tf_efficientnet_b5"
                )
            place = blocks[int(number)]
            parts = (_EXPANDED if place in expanded else _PLAIN) | _SQUEEZE
            return f"{before}blocks.{place[0]}.{place[1]}.{parts.get(part, part)}.{rest}"
        if match := re.fullmatch(r"((?:.*\.)?)(_conv_stem|_bn0|_conv_head|_bn1)\.(\w+)", name):
            return f"{match[1]}{_ENDS[match[2]]}.{match[3]}"
        return None if re.fullmatch(r"(?:.*\.)?_fc\.\w+", name) else name

    return rename


LAYOUTS: Mapping[str, Callable[[list[str]], Callable[[str], str | None]]] = {
    "timm_convnext": _by_rules(_TIMM_CONVNEXT),
    "efficientnet_pytorch": _efficientnet,
    "mirai_resnet": _by_rules(_MIRAI_RESNET),
}
