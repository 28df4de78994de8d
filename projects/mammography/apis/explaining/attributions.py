"""Maps that explain a score of a model, by several methods."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from captum.attr import Occlusion
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mammography.apis.config import UsageError
from mammography.functional.affine import Matrix
from mammography.functional.attribution import attention_rollout, grad_cam, grad_cam_plus_plus
from mammography.functional.receptive_field import (
    ReceptiveField,
    place_evenly,
    place_fields,
    receptive_fields,
)
from mammography.terms import TaskKind

METHODS = ("grad-cam", "grad-cam++", "attention", "rollout", "occlusion")
_Fields = tuple[ReceptiveField, ReceptiveField] | None
_CAMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "grad-cam": grad_cam,
    "grad-cam++": grad_cam_plus_plus,
}


@dataclass(frozen=True)
class Question:
    """What is asked of a model.

    Attributes:
        task: Name of the outcome.
        category: Index of the class, of an outcome with several classes; a binary or ordinal one
            is asked about class 1, or about more than each class.
        method: One of :data:`METHODS`.
        layer: Name of the module whose map ``grad-cam`` reads; the last map of the backbone
            by default.
        window: Side of the square that ``occlusion`` covers, in pixels of the network's input.
        stride: Distance of its neighbours.
    """

    task: str
    category: int | None = None
    method: str = "grad-cam"
    layer: str = ""
    window: int = 64
    stride: int = 32


@dataclass(frozen=True)
class CaseMaps:
    """A map for each view of a case, and where its places lie.

    Attributes:
        maps: Values >= 0, ``(V, h, w)``, on the CPU.
        to_input: From places of a map to pixels of the network's input, ``(2, 3)``, both
            continuous from the top-left corner.
        placed_by: ``receptive fields`` where a place lies on the middle of what its cell sees;
            ``equal shares`` where that is not known, or the places are pixels.
    """

    maps: Tensor
    to_input: Matrix
    placed_by: str


def explain_case(
    model: nn.Module, inputs: Tensor, sample: DataSample, question: Question
) -> CaseMaps:
    """Return a map for each view of a case, at a resolution that the method has.

    Shapes:
        inputs ``(V, C, H, W)``, normalised, one view for a model of single images.

    Args:
        model: In evaluation mode.
        inputs: What its backbone sees.
        sample: The case.
        question: What is asked.

    Raises:
        UsageError: If the model does not have what the method needs.
    """
    score = _score_of(model, sample, question)
    fields: _Fields = None
    if question.method in _CAMS:
        maps, fields = _cam(model, inputs, score, question)
    elif question.method == "occlusion":
        maps = _occlusion(inputs, score, question)
    else:
        maps, fields = _attention(model, inputs, rollout=question.method == "rollout")
    (rows, columns), (height, width) = maps.shape[1:], inputs.shape[2:]
    return CaseMaps(
        maps.detach().float().cpu(),
        place_fields(fields) if fields else place_evenly((rows, columns), (height, width)),
        "receptive fields" if fields else "equal shares",
    )


def _score_of(
    model: nn.Module, sample: DataSample, question: Question
) -> Callable[[Tensor], Tensor]:
    """Return the function from the views of the case to the logit that is explained, ``(1,)``."""
    layers = getattr(getattr(model, "head", None), "layers", {})
    if question.task not in layers:
        raise UsageError(
            f"--task: must be one of {', '.join(layers) or 'none'} of the model, "
            f"got {question.task}"
        )
    task, category = layers[question.task].task, question.category
    if task.kind is TaskKind.MULTICLASS and not 0 <= (category or 0) < task.num_classes:
        raise UsageError(
            f"--class: must be 0 to {task.num_classes - 1} for {task.name}, got {category}"
        )
    if task.kind is not TaskKind.MULTICLASS and category is not None:
        raise UsageError(f"--class: {task.name} is {task.kind}: leave it out")

    def score(views: Tensor) -> Tensor:
        logits: Tensor = model(views, [sample], mode="tensor")[task.name]
        if task.kind is TaskKind.ORDINAL:
            return logits.sum(1)  # One for each class that may be exceeded.
        return logits[:, category or 0]

    return score


def _cam(
    model: nn.Module, inputs: Tensor, score: Callable[[Tensor], Tensor], question: Question
) -> tuple[Tensor, _Fields]:
    name = question.layer or "backbone"
    modules = dict(model.named_modules())
    if name not in modules:
        known = ", ".join(part for part in modules if part and part.count(".") < 2)
        raise UsageError(f"--layer: must be a module of the model ({known} ...), got {name}")
    kept: list[Any] = []

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
        kept.append(output[-1] if isinstance(output, tuple | list) else output)

    # A frozen backbone has no parameter that asks for gradients; the image does.
    image = inputs.clone().requires_grad_()
    handle = modules[name].register_forward_hook(keep)
    try:
        with torch.enable_grad():
            total = score(image).sum()
    finally:
        handle.remove()
    shapes = [tuple(getattr(one, "shape", ())) for one in kept]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise UsageError(
            f"--layer: {name} must give one map (N, C, h, w) per pass, got shapes {shapes}: "
            "name another one"
        )
    fields = receptive_fields(kept[0], image)  # Before the graph is spent on the gradients.
    (gradients,) = torch.autograd.grad(total, kept[0])
    return _CAMS[question.method](kept[0], gradients), fields


def _attention(model: nn.Module, inputs: Tensor, *, rollout: bool) -> tuple[Tensor, _Fields]:
    """Return where the class token looks: in the last layer, or through all of them."""
    neck: Any = getattr(model, "neck", None)
    if not hasattr(neck, "attention_maps"):
        raise UsageError(
            "--method: attention and rollout need a TransformerNeck, "
            f"the model has {type(neck).__name__}: take grad-cam"
        )
    image = inputs.clone().requires_grad_()
    with torch.enable_grad():  # For the record of what a token sees; no gradient is taken.
        feats: Any = model.extract_feat(image, stage="backbone")  # type: ignore[operator]
        fields = receptive_fields(neck.pool(feats[-1]), image)
    with torch.no_grad():
        maps = neck.attention_maps(feats)
    looks = attention_rollout(maps) if rollout else maps[:, -1].mean(1)
    rows, columns = neck.token_grid(tuple(feats[-1].shape[2:]))
    return looks[:, 0, 1:].reshape(-1, rows, columns), fields


def _occlusion(inputs: Tensor, score: Callable[[Tensor], Tensor], question: Question) -> Tensor:
    """Return by how much the score falls when a square is painted as dark as the background."""
    channels, side = inputs.shape[1], min(question.window, *inputs.shape[2:])
    darkest = inputs.amin().item()  # Black: 0 after normalisation would be grey.

    def fall(view: int) -> Tensor:
        before, after = inputs[:view], inputs[view + 1 :]
        explainer = Occlusion(lambda image: score(torch.cat([before, image, after])))
        found: Tensor = explainer.attribute(
            inputs[view : view + 1],
            sliding_window_shapes=(channels, side, side),
            strides=(channels, question.stride, question.stride),
            baselines=darkest,
        )
        return found.mean(1).relu()

    with torch.no_grad():
        return torch.cat([fall(view) for view in range(len(inputs))])
