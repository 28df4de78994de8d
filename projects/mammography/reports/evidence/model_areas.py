"""Areas under the curves of the models of a study, with the intervals to report."""

from dataclasses import dataclass

from mammography.functional.clustered_areas import clustered_roc_areas
from mammography.functional.curve_areas import curve_areas
from mammography.functional.delong import RocAreas, area_interval
from mammography.functional.estimate import Estimate
from mammography.functional.jackknife import Jackknife
from mammography.functional.precision_areas import jackknife_average_precisions
from mammography.reports.evidence.study import Study


@dataclass(frozen=True, eq=False)
class ModelAreas:
    """Areas of K models.

    Attributes:
        roc: ROC-AUC of each model; without an interval where the cases are too few.
        precision: Average precision of each model, likewise.
        roc_areas: ROC-AUCs and how they vary together; None where the cases are too few.
        precisions: Average precisions without each patient; None where the cases are too few.
    """

    roc: tuple[Estimate, ...]
    precision: tuple[Estimate, ...]
    roc_areas: RocAreas | None = None
    precisions: Jackknife | None = None


def model_areas(study: Study) -> ModelAreas:
    """Measure the models of a study.

    Raises:
        ValueError: If the cases are many, but those of a class are of a single patient.
    """
    scores = [model.scores for model in study.models]
    if not study.enough:
        areas = [curve_areas(study.labels, one) for one in scores]
        return ModelAreas(
            tuple(Estimate(area["roc_auc"]) for area in areas),
            tuple(Estimate(area["average_precision"]) for area in areas),
        )
    found = clustered_roc_areas(study.labels, study.patients, *scores)
    precisions = jackknife_average_precisions(
        study.labels, study.patients, *scores, sampling=study.options.sampling
    )
    roc = tuple(
        Estimate(float(area), area_interval(float(area), float(variance)))
        for area, variance in zip(found.areas, found.covariance.diagonal(), strict=True)
    )
    return ModelAreas(roc, tuple(precisions.estimates(scale="logit")), found, precisions)
