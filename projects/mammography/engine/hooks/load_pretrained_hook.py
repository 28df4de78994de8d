"""Start the training from weights that another network or task has learned."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner.checkpoint import get_torch_safe_globals
from mmpretrain.registry import HOOKS, MODELS
from mmpretrain.utils import get_ori_model
from torch import nn

from mammography.engine import checkpoint_classes  # noqa: F401 (and what MMEngine leaves out)
from mammography.functional.published_weights import LAYOUTS, rename_published
from mammography.functional.weight_transfer import transfer_state


@HOOKS.register_module()
class LoadPretrainedHook(Hook):
    """Load weights into a part of the model and refuse what does not fit.

    Done right before the first epoch: every initialisation (MMPreTrain's ResNet
    zeroes its last norms even after an ``init_cfg`` of its parent) and the loading of
    checkpoints lie behind, the first step before. Averaged copies of the model (EMA,
    BYOL's target) take their values at the first step and so see the loaded ones.
    A resumed run keeps the weights of its checkpoint. What a plain batch norm has learned goes
    to every domain of ``norm_cfg=dict(type="DomainBN")``.

    Args:
        checkpoint: File, or address that begins with ``http``.
        module: Part of the model, e.g. ``backbone``; empty for all of it.
        prefix: What the names in the file begin with, when it holds several networks.
        allow: Patterns of names, without prefix, that may stay unloaded. ImageNet
            weights of a ResNet-50 for :class:`NarrowLateResNet`:
            ``("layer2.*", "layer3.*", "layer4.*", "fc.*")``.
        stem_scale: Factors of the colour channels when a stem becomes one-channel;
            see :func:`~mammography.functional.weight_transfer.transfer_state`.
        layout: What published file it is, if its names differ from those here:
            ``timm_convnext`` (winner of RSNA 2022), ``efficientnet_pytorch`` (Mammo-CLIP, with
            ``module="backbone.timm_model"``) or ``mirai_resnet``; see
            :mod:`~mammography.functional.published_weights`.

    Raises:
        FileNotFoundError: If there is no such file when training begins.
        ValueError: If the weights do not fit, a frozen layer gets none, or
            ``load_from`` has set them already.
    """

    priority = "VERY_HIGH"

    def __init__(
        self,
        checkpoint: str,
        module: str = "backbone",
        prefix: str | None = None,
        allow: Sequence[str] = (),
        stem_scale: Sequence[float] | None = None,
        layout: str | None = None,
    ) -> None:
        if layout is not None and layout not in LAYOUTS:
            raise ValueError(
                f"LoadPretrainedHook: layout must be one of {', '.join(LAYOUTS)}, got {layout!r}"
            )
        if isinstance(allow, str) or (stem_scale is not None and len(stem_scale) != 3):
            raise ValueError(
                "LoadPretrainedHook: allow must be several patterns and stem_scale three "
                f"factors, got {allow!r} and {stem_scale!r}"
            )
        self.checkpoint, self.module, self.layout = str(checkpoint), module, layout
        self.options: dict[str, Any] = {
            "prefix": prefix,
            "allow": tuple(allow),
            "stem_scale": stem_scale,
        }
        self._whole_model_loaded = False

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Note that a checkpoint of the whole model was loaded or resumed."""
        self._whole_model_loaded = True

    def before_train(self, runner: Runner) -> None:
        """Load the weights, unless the run was resumed."""
        if self._whole_model_loaded:
            if runner.iter > 0:
                runner.logger.info(
                    "LoadPretrainedHook: resumed, so %s is not read", self.checkpoint
                )
                return
            raise ValueError(
                f"LoadPretrainedHook: {self.checkpoint} would replace a part of what load_from "
                "loaded: drop one of the two"
            )
        part = get_ori_model(runner.model).get_submodule(self.module)
        content, target = _read(self.checkpoint), part.state_dict()
        last: tuple[str, ...] = ()
        plain = {name: name for name in target} | _plain_norms(part, content)
        try:
            if self.layout is not None:
                content, last = rename_published(content, self.layout, target)
            loaded, report = transfer_state(
                content,
                {plain[name]: tensor for name, tensor in target.items()},
                module=self.module,
                **self.options,
            )
        except ValueError as error:
            raise ValueError(f"LoadPretrainedHook: {self.checkpoint}: {error}") from error
        state = {name: loaded[plain[name]] for name in target if plain[name] in loaded}
        _check_frozen(part, state)
        part.load_state_dict(state, strict=False)
        said = f"{report}, last layers left out: {', '.join(last)}" if last else str(report)
        runner.logger.info("LoadPretrainedHook: %s <- %s: %s", self.module, self.checkpoint, said)


def _check_frozen(part: nn.Module, state: Mapping[str, Any]) -> None:
    """Refuse layers that would neither be loaded nor learn."""
    random = [n for n, p in part.named_parameters() if not p.requires_grad and n not in state]
    if random:
        raise ValueError(
            f"LoadPretrainedHook: frozen layers must be loaded, got {len(random)} tensors that "
            f"would stay random, {random[0]} first: freeze fewer stages or load other weights"
        )


def _plain_norms(part: nn.Module, content: Mapping[str, Any]) -> dict[str, str]:
    """Return what a file calls the tensors of norms per domain, if it knows of no domains."""
    kind: Any = MODELS.get("DomainBN")
    if kind is None or any(".domains." in name for name in _names(content)):
        return {}
    norms = {path: module for path, module in part.named_modules() if isinstance(module, kind)}
    return {
        f"{path}.{name}": f"{path}.{name.rpartition('.')[2]}"
        for path, norm in norms.items()
        for name in norm.state_dict()
    }


def _names(content: Mapping[str, Any]) -> Iterator[str]:
    for name, value in content.items():
        yield str(name)
        if isinstance(value, Mapping):
            yield from _names(value)


def _read(checkpoint: str) -> Mapping[str, Any]:
    """Read a checkpoint without running code that it may hold."""
    if checkpoint.startswith("http"):
        read: Callable[..., Any] = torch.hub.load_state_dict_from_url
    elif Path(checkpoint).is_file():
        read = torch.load
    else:
        raise FileNotFoundError(
            f"LoadPretrainedHook: checkpoint must be a file or an address, got {checkpoint}"
        )
    with torch.serialization.safe_globals(get_torch_safe_globals()):  # MMEngine's own checkpoints
        content = read(checkpoint, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping):
        raise ValueError(  # noqa: TRY004 (it is about the file, not about a call)
            f"a checkpoint must be a dict of tensors, got {type(content).__name__}"
        )
    return content
