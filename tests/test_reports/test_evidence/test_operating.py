"""Operating points keep their rules, and none keeps it at less cost."""

import numpy as np
import pytest

from mammography.reports.evidence.operating import operating_points


def rates(counts):
    return (
        counts["tp"] / (counts["tp"] + counts["fn"]),
        counts["tn"] / (counts["tn"] + counts["fp"]),
        (counts["tp"] + counts["fp"]) / sum(counts.values()),
    )


@pytest.fixture(scope="module")
def points(study):
    return [point for point in operating_points(study) if point.model == study.models[0].name]


def brute(study, threshold):
    called, positive = study.models[0].scores >= threshold, study.labels == 1
    return {
        "tp": int((called & positive).sum()),
        "fn": int((~called & positive).sum()),
        "fp": int((called & ~positive).sum()),
        "tn": int((~called & ~positive).sum()),
    }


def test_counts_are_those_of_the_cases_and_the_stated_threshold_comes_first(study, points):
    assert points[0].rule == "stated threshold"
    assert points[0].threshold == 0.1
    assert all(point.counts == brute(study, point.threshold) for point in points)


def test_each_rule_takes_the_best_of_all_thresholds_that_keep_it(study, points):
    everywhere = [rates(brute(study, value)) for value in np.unique(study.models[0].scores)]
    for point in points[1:]:
        sensitivity, specificity, recalled = rates(point.counts)
        if point.rule.startswith("sensitivity ≥"):
            least = float(point.rule.split()[-1])
            assert specificity == max(sp for se, sp, _ in everywhere if se >= least)
            assert sensitivity >= least
        elif point.rule.startswith("specificity ≥"):
            least = float(point.rule.split()[-1])
            assert sensitivity == max(se for se, sp, _ in everywhere if sp >= least)
        elif point.rule.startswith("recall rate"):
            most = float(point.rule.split()[-2]) / 100
            assert sensitivity == max(se for se, _, recall in everywhere if recall <= most)
            assert recalled <= most
        else:
            assert sensitivity + specificity == max(se + sp for se, sp, _ in everywhere)
    assert len(points) == 9
