"""Augment the images of a rare class more than the others."""

import logging
from collections.abc import Sequence
from typing import Any

from mmcv.transforms import BaseTransform, Compose
from mmengine.logging import print_log
from mmpretrain.registry import TRANSFORMS

Config = dict[str, Any]


@TRANSFORMS.register_module()
class AugmentByLabel(BaseTransform):
    """Give positive images other augmentations than the others.

    Cancers are few, and a sampler shows each of them often: stronger augmentation keeps them
    from being learned by heart. As published, negatives are not augmented at all::

        dict(
            type="AugmentByLabel",
            label="malignant",
            positive=[dict(type="RandomFlip", prob=0.5), dict(type="AdjustGamma", magnitude=0.3)],
        )

    **This leaks the label.** A network may learn that what is interpolated, rotated or brightened
    is cancer, which no test image tells it. The log warns of it. With ``other`` both classes go
    through the same family of transforms, and only probabilities and strengths differ::

            other=[dict(type="RandomFlip", prob=0.5), dict(type="AdjustGamma", magnitude=0.1)],

    Then that a step acted does not tell the label, if it is as probable for both classes. How
    strongly it acted may still: a score that is far better on training images than on
    those of the validation, which are not augmented, is the sign.

    The random generators move by what each class draws; each sample has its own seed in
    ``ReproducibleEpochLoop``.

    Required key: ``gt_label`` (a dict of labels by task), and those of the transforms.

    Args:
        label: Binary task. Images without its label are treated as the others.
        positive: Transforms of images of class 1.
        other: Transforms of all other images: the same types in the same order. None: none.

    Raises:
        ValueError: If there is no transform, ``other`` is of another family, or an image has no
            labels at all.
    """

    def __init__(
        self, label: str, positive: Sequence[Config], other: Sequence[Config] | None = None
    ) -> None:
        if not positive:
            raise ValueError("AugmentByLabel: positive must have transforms, got none")
        if other is not None and _types(other) != _types(positive):
            raise ValueError(
                "AugmentByLabel: other must have the types of positive "
                f"({', '.join(_types(positive))}), got {', '.join(_types(other)) or 'none'}: what "
                "one class alone goes through tells it; use prob and magnitude"
            )
        self.label = label
        self.positive = Compose(list(positive))
        self.other = None if other is None else Compose(list(other))
        if other is None:
            print_log(
                f"AugmentByLabel: only images with {label} are augmented, so the augmentation "
                "tells the label and a network may learn it instead: give other the same "
                "transforms with lower prob or magnitude",
                logger="current",
                level=logging.WARNING,
            )

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Augment by label."""
        if not isinstance(results.get("gt_label"), dict):
            raise ValueError(  # noqa: TRY004 (it is about the data)
                f"{results.get('img_path', 'image')}: AugmentByLabel must know labels by task, "
                f"got gt_label={results.get('gt_label')!r}: load with MammographyDataset"
            )
        chosen = self.positive if results["gt_label"].get(self.label) == 1 else self.other
        out: dict[str, Any] | None = results if chosen is None else chosen(results)
        return out

    def __repr__(self) -> str:
        """Show how it was built."""
        steps = {"positive": self.positive, "other": self.other}
        shown = ", ".join(f"{name}={step and step.transforms}" for name, step in steps.items())
        return f"AugmentByLabel(label={self.label!r}, {shown})"


def _types(transforms: Sequence[Config]) -> list[str]:
    return [str(step["type"]) for step in transforms]
