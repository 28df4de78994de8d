"""Predict with several sets of weights, by dropout or as an ensemble, and tell how they differ."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from mmengine.model import BaseTTAModel
from mmengine.runner import load_checkpoint
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from mammography.models.tta.dropout_masks import dropout_layers, dropout_masks
from mammography.models.tta.merging import merge_versions, merge_weights
from mammography.terms import TaskKind


@MODELS.register_module()
class WeightSamplesModel(BaseTTAModel):
    """Average a multi-task model over draws of its weights, with the parts of the uncertainty.

    Several trained networks (a deep ensemble), several draws of the dropout of each, or both: every
    one is a set of weights. ``pred_uncertainty`` then holds ``total = aleatoric + epistemic``
    (see :func:`~mammography.models.tta.merging.merge_weights`). What augmented versions of an image
    differ by belongs to the image: they are averaged before.

    ``tools/test.py CONFIG CHECKPOINT --mc-dropout 20 --ensemble CHECKPOINT ...`` puts this model
    around the one of the config. Every image is predicted passes times members times.

    Args:
        module: The model; its weights are loaded by whoever tests it.
        passes: Draws of the dropout of each network; 0 leaves dropout off.
        members: Further networks: checkpoints for the same model, or
            ``dict(model=..., checkpoint=...)`` of other models with the same tasks and input.
        augmented: The data come as several versions of each image.
        seed: Of the masks of dropout.
        data_preprocessor: As in :class:`mmengine.model.BaseTTAModel`.

    Raises:
        ValueError: If there would be one set of weights, no dropout to draw, other tasks in a
            member, or a head that does not say what its tasks are.
        RuntimeError: If a checkpoint does not fit its model.

    References:
        Lakshminarayanan et al. 2017, arXiv:1612.01474 (ensembles); Gal and Ghahramani 2016,
        arXiv:1506.02142 (dropout); Depeweg et al. 2018, arXiv:1710.07283 (the parts).
    """

    def __init__(
        self,
        module: dict[str, Any] | nn.Module,
        passes: int = 0,
        members: Sequence[str | Mapping[str, Any]] = (),
        *,
        augmented: bool = False,
        seed: int = 0,
        data_preprocessor: dict[str, Any] | nn.Module | None = None,
    ) -> None:
        described = copy.deepcopy(module)
        super().__init__(module, data_preprocessor)
        self.passes, self.augmented, self.seed = passes, augmented, seed
        self.kinds = _kinds(self.module)
        self.others = nn.ModuleList(self._build(described, member) for member in members)
        if max(passes, 1) * (1 + len(self.others)) < 2:
            raise ValueError(
                "WeightSamplesModel: there must be at least 2 sets of weights, "
                f"got passes={passes} and no members"
            )
        if passes and not all(dropout_layers(model) for model in self._networks()):
            raise ValueError(
                "WeightSamplesModel: passes must be 0 for a model without dropout, all of them "
                f"would agree, got {passes}: train with drop_rate above 0, or use an ensemble"
            )

    def _build(
        self, described: dict[str, Any] | nn.Module, member: str | Mapping[str, Any]
    ) -> nn.Module:
        """Build one further network and load its weights."""
        checkpoint = member if isinstance(member, str) else member["checkpoint"]
        given = described if isinstance(member, str) else member.get("model", described)
        model = copy.deepcopy(given)
        if not isinstance(model, nn.Module):
            model = MODELS.build(model)
        if _kinds(model) != self.kinds:
            raise ValueError(
                f"WeightSamplesModel: {checkpoint} must predict {', '.join(self.kinds)}, "
                f"got {', '.join(_kinds(model))}"
            )
        load_checkpoint(model, checkpoint, map_location="cpu", strict=True)
        return model

    def _networks(self) -> list[Any]:
        return [self.module, *self.others]

    def _draws(self, network: nn.Module) -> Iterator[ExitStack]:
        """Yield once for each set of weights of a network, with its masks in place."""
        for number in range(max(self.passes, 1)):
            with ExitStack() as stack:
                if self.passes:
                    stack.enter_context(dropout_masks(network, self.seed, number))
                yield stack

    def test_step(self, data: Any) -> list[DataSample]:
        """Return one sample per image."""
        versions = _versions(data) if self.augmented else [data]
        members = []
        for network in self._networks():
            for _ in self._draws(network):
                # The samples of a batch are written into: the next pass gets them again.
                said = [[s.clone() for s in network.test_step(one)] for one in versions]
                members.append([merge_versions(list(looks)) for looks in zip(*said, strict=True)])
        return self.merge_preds([list(each) for each in zip(*members, strict=True)])

    def merge_preds(self, data_samples_list: list[list[DataSample]]) -> list[DataSample]:
        """Return one sample per image.

        Args:
            data_samples_list: What each set of weights said about each image.
        """
        return [merge_weights(members, self.kinds) for members in data_samples_list]


def _kinds(model: nn.Module) -> dict[str, TaskKind]:
    """Return the kinds of the tasks that a model predicts."""
    layers = getattr(getattr(model, "head", None), "layers", None)
    if layers is None:
        raise ValueError(
            "WeightSamplesModel: the head must say what its tasks are, as MaskedMultiTaskHead "
            f"does, got {type(getattr(model, 'head', None)).__name__}"
        )
    return {name: layer.task.kind for name, layer in layers.items()}


def _versions(data: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Part a batch of augmented versions into one batch for each version."""
    number = len(next(iter(data.values())))
    return [{key: values[i] for key, values in data.items()} for i in range(number)]
