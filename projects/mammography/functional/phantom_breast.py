"""What one synthetic breast holds: its lesions, and the labels that follow from them."""

import math
from dataclasses import dataclass

import numpy as np

from mammography.functional.phantom_lesion import Lesion, LesionKind
from mammography.functional.phantom_shape import BreastShape, project
from mammography.terms import Laterality, ViewPosition

_SIZES_MM = {LesionKind.MASS: (9.0, 24.0), LesionKind.CALCIFICATION: (9.0, 18.0)}
_CONTRASTS = {LesionKind.MASS: (0.2, 0.34), LesionKind.CALCIFICATION: (0.4, 0.65)}


@dataclass(frozen=True)
class LesionMix:
    """Which lesions the breasts of a study hold.

    Attributes:
        benign_rate: Share of breasts with a benign lesion, with or without cancer.
        calcification_rate: Share of lesions that are calcifications.
        contrast: Factor on how bright lesions are.
    """

    benign_rate: float
    calcification_rate: float
    contrast: float


@dataclass(frozen=True)
class PhantomBreast:
    """One breast and what is in it."""

    laterality: Laterality
    shape: BreastShape
    lesions: tuple[Lesion, ...]
    birads: int

    @property
    def malignant(self) -> bool:
        """Whether any lesion is cancer."""
        return any(lesion.malignant for lesion in self.lesions)

    @property
    def mass_size_mm(self) -> float | None:
        """Diameter of the largest mass; None where there is no mass."""
        sizes = [x.size_mm for x in self.lesions if x.kind is LesionKind.MASS]
        return round(max(sizes), 1) if sizes else None


def plan_breast(
    rng: np.random.Generator,
    laterality: Laterality,
    shape: BreastShape,
    malignant: bool,
    mix: LesionMix,
) -> PhantomBreast:
    """Draw what a breast holds.

    Args:
        rng: Source of chance.
        laterality: Which breast.
        shape: Its outline.
        malignant: Whether one of its lesions is cancer; benign ones may lie beside it.
        mix: Which lesions there are.
    """
    benign = int(rng.random() < mix.benign_rate) * int(1 + (rng.random() < 0.15))
    lesions: list[Lesion] = []
    for is_cancer in [True] * malignant + [False] * benign:
        for _ in range(30):
            lesion = _draw_lesion(rng, mix, is_cancer)
            if all(_apart(shape, lesion, other) for other in lesions):
                lesions.append(lesion)
                break
    return PhantomBreast(laterality, shape, tuple(lesions), _birads(rng, lesions))


def _draw_lesion(rng: np.random.Generator, mix: LesionMix, malignant: bool) -> Lesion:
    is_calcification = rng.random() < mix.calcification_rate
    kind = LesionKind.CALCIFICATION if is_calcification else LesionKind.MASS
    return Lesion(
        kind,
        malignant,
        size_mm=float(rng.uniform(*_SIZES_MM[kind])),
        contrast=float(rng.uniform(*_CONTRASTS[kind]) * mix.contrast),
        position=(
            float(rng.uniform(0.28, 0.68)),
            float(np.clip(rng.normal(0.1, 0.3), -0.5, 0.5)),
            float(rng.uniform(-0.35, 0.5)),
        ),
    )


def _apart(shape: BreastShape, one: Lesion, other: Lesion) -> bool:
    """Tell whether two lesions lie clear of each other in both views."""
    clear = (one.size_mm + other.size_mm) / 2 + 6
    return all(
        math.dist(project(shape, view, one.position), project(shape, view, other.position)) > clear
        for view in (ViewPosition.CC, ViewPosition.MLO)
    )


def _birads(rng: np.random.Generator, lesions: list[Lesion]) -> int:
    """Return the category of the worst lesion; a few benign ones look suspicious."""
    if not lesions:
        return 1
    cancer = [lesion for lesion in lesions if lesion.malignant]
    if cancer:
        return 5 if cancer[0].size_mm > 15 else 4
    if rng.random() < 0.08:
        return 4
    return 3 if any(lesion.kind is LesionKind.MASS for lesion in lesions) else 2
