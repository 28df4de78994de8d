"""Who is in a synthetic study: patients, breasts, lesions, labels and clinical variables.

Each patient follows from the seed and her number alone, so a study can be drawn in any
order, by any number of workers, in part or again.
"""

import math
from dataclasses import dataclass, fields

import numpy as np

from mammography.functional.phantom import PhantomView
from mammography.functional.phantom_breast import LesionMix, PhantomBreast, plan_breast
from mammography.functional.phantom_shape import BreastShape, draw_shape
from mammography.functional.phantom_vendor import VENDORS, VendorLook
from mammography.terms import Laterality, ViewPosition

DENSITIES = ("A", "B", "C", "D")
VIEWS = tuple((side, view) for side in Laterality for view in (ViewPosition.CC, ViewPosition.MLO))

_DENSITY_SHARES = (0.1, 0.4, 0.4, 0.1)
_DENSITY_RANGES = ((0.0, 0.15), (0.22, 0.42), (0.5, 0.7), (0.8, 1.0))
# Streams of chance; the numbers only have to differ.
_PLAN, _POSITIVE, _VENDOR, _VIEW = 1, 2, 3, 4


@dataclass(frozen=True)
class PhantomStudy:
    """What a synthetic study holds.

    Attributes:
        patients: How many.
        seed: Decides everything else.
        image_size_hw: Rows and columns of a machine of ``resolution`` 1; the rows span
            224 mm.
        vendors: Names in :data:`VENDORS`, in equal shares.
        prevalence: Share of patients with cancer, met to within one patient.
        benign_rate: Share of breasts with a benign lesion, with or without cancer.
        calcification_rate: Share of lesions that are calcifications.
        lesion_contrast: Factor on how bright lesions are.
        clinical_effect: Factor on how much clinical variables tell; 0 is nothing.
        bilateral_rate: Share of patients with cancer who have it in both breasts.
        missing_view_rate: Share of exams that lack one of the four views.

    Raises:
        ValueError: If a value lies outside what it may be.
    """

    patients: int = 60
    seed: int = 0
    image_size_hw: tuple[int, int] = (1024, 832)
    vendors: tuple[str, ...] = tuple(VENDORS)
    prevalence: float = 0.3
    benign_rate: float = 0.35
    calcification_rate: float = 0.35
    lesion_contrast: float = 1.0
    clinical_effect: float = 1.0
    bilateral_rate: float = 0.03
    missing_view_rate: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.patients < 1 or self.seed < 0:
            raise ValueError(
                f"PhantomStudy: patients must be >= 1 and seed >= 0, got {self.patients}, "
                f"{self.seed}"
            )
        height, width = self.image_size_hw
        if height < 32 or not 0.75 * height <= width <= 2 * height:
            raise ValueError(
                "PhantomStudy: image_size_hw must be >= 32 rows and 0.75 to 2 times as many "
                f"columns, so that the breast fits, got {self.image_size_hw}"
            )
        if not self.vendors or set(self.vendors) - set(VENDORS):
            raise ValueError(
                f"PhantomStudy: vendors must be some of {', '.join(VENDORS)}, got {self.vendors}"
            )
        for name in (item.name for item in fields(self) if item.type is float):
            value, top = getattr(self, name), 1.0 if name.endswith(("rate", "prevalence")) else 10.0
            if not 0 <= value <= top:
                raise ValueError(f"PhantomStudy: {name} must be 0 to {top:g}, got {value}")

    def look(self, patient: "PhantomPatient") -> VendorLook:
        """Return the machine that a patient was seen on."""
        return VENDORS[patient.vendor]


@dataclass(frozen=True)
class PhantomPatient:
    """One patient and her exam.

    Attributes:
        number: From 0.
        vendor: Name in :data:`VENDORS`.
        density: Index in :data:`DENSITIES`.
        glandularity: The same as a share, 0 to 1, as it is drawn.
        breasts: Left and right.
        views: Which were taken.
        clinical: ``age_years``, ``family_history`` (0 or 1), ``body_mass_index`` (not
            for all); the first two tell a little about cancer, the last nothing.
    """

    number: int
    vendor: str
    density: int
    glandularity: float
    breasts: dict[Laterality, PhantomBreast]
    views: tuple[tuple[Laterality, ViewPosition], ...]
    clinical: dict[str, float]

    @property
    def malignant(self) -> bool:
        """Whether either breast has cancer."""
        return any(breast.malignant for breast in self.breasts.values())

    def labels(self, laterality: Laterality) -> dict[str, str | float]:
        """Return the outcomes of one breast by task; ``mass_size_mm`` only with a mass."""
        breast = self.breasts[laterality]
        labels: dict[str, str | float] = {
            "malignant": float(breast.malignant),
            "birads": str(breast.birads),
            "density": DENSITIES[self.density],
        }
        size = breast.mass_size_mm
        return labels if size is None else labels | {"mass_size_mm": size}


def plan_patient(study: PhantomStudy, number: int) -> PhantomPatient:
    """Return patient ``number`` of a study, whoever else is drawn.

    Example:
        >>> study = PhantomStudy(patients=100, prevalence=0.02)
        >>> sum(plan_patient(study, number).malignant for number in range(100))
        2
    """
    rng = np.random.default_rng([study.seed, _PLAN, number])
    ill = _is_ill(study, number)
    first = Laterality(rng.choice(list(Laterality)))
    both = rng.random() < study.bilateral_rate
    sides = {first, first.other} if both else {first}
    shape = draw_shape(rng)
    density = int(rng.choice(4, p=_DENSITY_SHARES))
    mix = LesionMix(study.benign_rate, study.calcification_rate, study.lesion_contrast)
    breasts = {
        side: plan_breast(rng, side, _vary(rng, shape), ill and side in sides, mix)
        for side in Laterality
    }
    views = list(VIEWS)
    if rng.random() < study.missing_view_rate:
        views.pop(int(rng.integers(4)))
    return PhantomPatient(
        number=number,
        vendor=_vendor(study, number),
        density=density,
        glandularity=float(rng.uniform(*_DENSITY_RANGES[density])),
        breasts=breasts,
        views=tuple(views),
        clinical=_clinical(rng, ill, study.clinical_effect),
    )


def plan_view(
    study: PhantomStudy, patient: PhantomPatient, laterality: Laterality, view: ViewPosition
) -> PhantomView:
    """Return what has to be drawn for one view of a patient."""
    breast, look = patient.breasts[laterality], study.look(patient)
    height, width = (round(n * look.resolution) for n in study.image_size_hw)
    return PhantomView(
        laterality=laterality,
        view_position=view,
        shape=breast.shape,
        density=patient.glandularity,
        lesions=breast.lesions,
        size_hw=(height, width),
        seed=(study.seed, _VIEW, patient.number, VIEWS.index((laterality, view))),
    )


def _is_ill(study: PhantomStudy, number: int) -> bool:
    """Spread the patients with cancer evenly, from a start that the seed decides."""
    start = np.random.default_rng([study.seed, _POSITIVE]).random()
    before, after = (math.floor(n * study.prevalence + start) for n in (number, number + 1))
    return after > before


def _vendor(study: PhantomStudy, number: int) -> str:
    """Give each run of patients every vendor once, in an order of its own."""
    block, place = divmod(number, len(study.vendors))
    order = np.random.default_rng([study.seed, _VENDOR, block]).permutation(len(study.vendors))
    return study.vendors[int(order[place])]


def _vary(rng: np.random.Generator, shape: BreastShape) -> BreastShape:
    """Return the shape of one of two breasts, which are never quite alike."""
    values = {f.name: getattr(shape, f.name) * rng.normal(1, 0.02) for f in fields(shape)}
    return BreastShape(**values)


def _clinical(rng: np.random.Generator, ill: bool, effect: float) -> dict[str, float]:
    """Draw clinical variables.

    Age is normal with a standard deviation of 9 years and 0.28 of them more with cancer:
    its ROC-AUC is ``Phi(0.28 * effect / sqrt(2))``, 0.58 at effect 1. The log odds of
    family history rise by 0.7 times the effect.
    """
    age = np.clip(rng.normal(56 + 9 * 0.28 * effect * ill, 9), 30, 90)
    log_odds = math.log(0.12 / 0.88) + 0.7 * effect * ill
    variables = {
        "age_years": float(round(age)),
        "family_history": float(rng.random() < 1 / (1 + math.exp(-log_odds))),
    }
    index, known = round(float(np.clip(rng.normal(26, 4), 17, 45)), 1), rng.random() < 0.9
    return variables | ({"body_mass_index": index} if known else {})
