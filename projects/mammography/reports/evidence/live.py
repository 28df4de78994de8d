"""The tables that follow the threshold, as they are before it is moved."""

import numpy as np
from numpy.typing import NDArray

from mammography.functional.bootstrap import FEWEST_OF_A_CLASS
from mammography.functional.confusion import Confusion, confusion_at
from mammography.functional.estimate import Estimate
from mammography.functional.proportions import proportion
from mammography.reports.blocks import Table
from mammography.reports.evidence.chapter import told
from mammography.reports.evidence.counts import members_of
from mammography.reports.evidence.study import Model, Study
from mammography.reports.wording import NOT_DEFINED

RATE_TITLES = ("sensitivity", "specificity", "PPV", "NPV", "recall rate")


def threshold_text(value: float) -> str:
    """Write a threshold.

    Example:
        >>> threshold_text(0.31254), threshold_text(0.0000123), threshold_text(0)
        ('0.3125', '1.23e-05', '0.0000')
    """
    return f"{value:.2e}" if value != 0 and abs(value) < 0.001 else f"{value:.4f}"


def counts_of(
    study: Study, model: Model, chosen: NDArray[np.bool_] | None = None
) -> dict[str, int]:
    """Count the four outcomes of some cases at the threshold of a model."""
    chosen = np.ones(study.n, bool) if chosen is None else chosen
    found = confusion_at(study.labels[chosen], model.scores[chosen], model.threshold.value)
    return counts_in(found)


def counts_in(found: Confusion) -> dict[str, int]:
    """Return the four counts at one threshold."""
    return {
        "tp": int(found.true_positive),
        "fn": int(found.false_negative),
        "fp": int(found.false_positive),
        "tn": int(found.true_negative),
    }


def rates_of(counts: dict[str, int]) -> dict[str, Estimate]:
    """Return sensitivity, specificity, PPV, NPV and recall rate with Wilson intervals."""
    tp, fn, fp, tn = (counts[name] for name in ("tp", "fn", "fp", "tn"))
    shares = {
        "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "ppv": (tp, tp + fp),
        "npv": (tn, tn + fn),
        "recall_rate": (tp + fp, tp + fn + fp + tn),
    }
    return {name: proportion(*share) for name, share in shares.items()}


def cost_of(counts: dict[str, int], prevalence: float) -> dict[str, float]:
    """Return what a threshold costs per 1,000 screened.

    Args:
        counts: The four outcomes; both classes present.
        prevalence: Share of those screened that have a cancer.

    Example:
        >>> cost = cost_of({"tp": 8, "fn": 2, "fp": 10, "tn": 90}, prevalence=0.01)
        >>> {name: round(value, 1) for name, value in cost.items()}
        {'recalled': 107.0, 'found': 8.0, 'missed': 2.0, 'false_positives': 99.0}
    """
    tp, fn, fp, tn = (counts[name] for name in ("tp", "fn", "fp", "tn"))
    found = 1000 * prevalence * tp / (tp + fn)
    missed = 1000 * prevalence * fn / (tp + fn)
    alarms = 1000 * (1 - prevalence) * fp / (fp + tn)
    return {"recalled": found + alarms, "found": found, "missed": missed, "false_positives": alarms}


def assumed_prevalence(study: Study) -> float:
    """Return the prevalence of screening that was given, else that of the cases."""
    return study.options.prevalence or study.prevalence


def rates_table(study: Study) -> Table:
    """Tell the rates of every model."""
    rows = tuple(
        (
            model.name,
            threshold_text(model.threshold.value),
            *(told(rate) for rate in rates_of(counts_of(study, model)).values()),
        )
        for model in study.models
    )
    header = ("model", "threshold", *(f"{title} (95 %)" for title in RATE_TITLES))
    return Table(
        f"At the threshold, {study.n:,} cases, {study.positives:,} positive",
        header,
        rows,
        anchor="live-rates",
    )


def counts_table(study: Study) -> Table:
    """Tell the four counts of every model."""
    rows = tuple(
        (model.name, *(f"{count:,}" for count in counts_of(study, model).values()))
        for model in study.models
    )
    header = ("model", "TP", "FN", "FP", "TN")
    return Table("Cases by label and decision", header, rows, anchor="live-counts")


def cost_table(study: Study) -> Table:
    """Tell what the threshold of every model costs per 1,000 screened."""
    prevalence = assumed_prevalence(study)
    rows = []
    for model in study.models:
        cost = cost_of(counts_of(study, model), prevalence)
        each = f"{cost['recalled'] / cost['found']:.1f}" if cost["found"] else NOT_DEFINED
        rows.append((model.name, *(f"{value:.1f}" for value in cost.values()), each))
    return Table(
        f"Per 1,000 screened, at a prevalence of {100 * prevalence:.2f} %",
        (
            *("model", "recalled", "cancers found", "cancers missed", "false positives"),
            "recalls per cancer found",
        ),
        tuple(rows),
        anchor="live-cost",
    )


def groups_table(study: Study) -> Table:
    """Tell the decisions of the reference in each subgroup."""
    chosen = [("all cases", np.ones(study.n, bool))]
    for attribute in study.divisions:
        chosen += [(f"{attribute.title}: {name}", cases) for name, cases in members_of(attribute)]
    rows = []
    for name, cases in chosen:
        counts = counts_of(study, study.reference, cases)
        positives, negatives = counts["tp"] + counts["fn"], counts["fp"] + counts["tn"]
        rates = rates_of(counts)
        rows.append(
            (
                name,
                *(f"{n:,}" for n in (positives + negatives, positives, *counts.values())),
                _share(rates["sensitivity"], positives),
                _share(rates["specificity"], negatives),
            )
        )
    header = ("cases", "n", "positive", "TP", "FN", "FP", "TN", "sensitivity", "specificity")
    return Table(
        f"Decisions of {study.reference.name} in subgroups, at the threshold",
        header,
        tuple(rows),
        anchor="live-groups",
    )


def _share(rate: Estimate, cases: int) -> str:
    """Write a rate; without an interval where too few cases stand behind it."""
    if not cases:
        return NOT_DEFINED
    return told(rate) if cases >= FEWEST_OF_A_CLASS else f"{rate.value:.3f}"
