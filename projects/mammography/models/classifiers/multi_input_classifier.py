"""A classifier of cases with several views, with clinical variables, or with both."""

from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

Features = tuple[Tensor, ...]


@MODELS.register_module()
class MultiInputClassifier(ImageClassifier):
    """Join the views of a case and its clinical variables before the head.

    Backbone and neck see each view by itself. ``view_fusion`` makes one vector of those of a
    case (``ExamDataset`` and ``MultiViewDataPreprocessor`` bring them); ``clinical`` puts a
    vector of tabular variables beside it. With neither it is MMPreTrain's
    :class:`ImageClassifier`, with the same names of weights: the ablation without clinical
    variables is ``model=dict(clinical=None)`` and the head's ``in_channels``.

    Args:
        view_fusion: Config of a ``ViewFusionNeck``; None for single images.
        clinical: Config of a ``ClinicalEncoder``; None for images alone.
        **settings: ``backbone``, ``neck``, ``head``, ``data_preprocessor`` ... as in
            :class:`mmpretrain.models.ImageClassifier`.

    Raises:
        ValueError: If a clinical variable is a task of the head.
    """

    def __init__(
        self,
        *,
        view_fusion: dict[str, Any] | nn.Module | None = None,
        clinical: dict[str, Any] | nn.Module | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.view_fusion = _built(view_fusion)
        self.clinical = _built(clinical)
        if self.clinical is not None:
            predicted = sorted(set(self.clinical.names) & set(getattr(self.head, "layers", {})))
            if predicted:
                raise ValueError(
                    "MultiInputClassifier: clinical variables must not be tasks of the head, whose "
                    f"answer they are, got {', '.join(predicted)}"
                )

    def features(self, inputs: Tensor, data_samples: list[DataSample]) -> Features:
        """Return what enters the head: one vector per case.

        Shapes:
            inputs ``(sum of V, C, H, W)``; returns a tuple of one ``(N, D)``.

        Raises:
            ValueError: If the neck leaves maps, or the samples tell no views.
        """
        vectors: Tensor = self.extract_feat(inputs)[-1]
        if vectors.ndim != 2:
            raise ValueError(
                "MultiInputClassifier: the neck must give one vector per view, got shape "
                f"{tuple(vectors.shape)}: add a pooling neck"
            )
        if self.view_fusion is not None:
            vectors = self.view_fusion(vectors, [_views(sample) for sample in data_samples])
        if self.clinical is not None:
            vectors = torch.cat([vectors, self.clinical(data_samples).to(vectors.dtype)], dim=1)
        return (vectors,)

    def forward(
        self, inputs: Tensor, data_samples: list[DataSample] | None = None, mode: str = "tensor"
    ) -> Any:
        """Run one of the modes of MMPreTrain: ``tensor``, ``loss`` or ``predict``."""
        if mode == "tensor" and data_samples is not None:
            return self.head(self.features(inputs, data_samples))
        return super().forward(inputs, data_samples, mode)

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return the losses of the head."""
        losses: dict[str, Tensor] = self.head.loss(
            self.features(inputs, data_samples), data_samples
        )
        return losses

    def predict(
        self, inputs: Tensor, data_samples: list[DataSample] | None = None, **settings: Any
    ) -> list[DataSample]:
        """Return the samples with predictions."""
        given = [DataSample() for _ in inputs] if data_samples is None else data_samples
        predicted: list[DataSample] = self.head.predict(
            self.features(inputs, given), given, **settings
        )
        return predicted


def _built(part: dict[str, Any] | nn.Module | None) -> Any:
    return MODELS.build(part) if isinstance(part, dict) else part


def _views(sample: DataSample) -> list[dict[str, str | None]]:
    views: list[dict[str, str | None]] | None = sample.get("views")
    if views is None:
        name = sample.get("img_path", "sample")
        raise ValueError(f"{name}: a case must tell its views: read it with ExamDataset")
    return views
