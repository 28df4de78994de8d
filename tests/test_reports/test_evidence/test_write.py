"""The page, its tables and its text: numbers, privacy, form."""

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar as of_statsmodels
from statsmodels.stats.proportion import proportion_confint

from invented_evidence import write_invented
from mammography.functional.clustered_areas import clustered_roc_areas
from mammography.functional.delong import area_interval, compare_areas, roc_areas
from mammography.functional.mcnemar import mcnemar
from mammography.functional.multiplicity import holm
from mammography.functional.precision_areas import jackknife_average_precisions
from mammography.functional.predictive_values import predictive_values
from mammography.functional.probabilistic_f1 import probabilistic_f_score
from mammography.reports.evidence.live import counts_of, rates_of
from mammography.reports.evidence.options import EvidenceOptions
from mammography.reports.evidence.patient_rates import rates_by_patient
from mammography.reports.evidence.study import read_study
from mammography.reports.evidence.write import write_evidence
from mammography.structures.prediction import read_dump, write_dump
from mammography.terms import Level
from test_reports.test_evidence.conftest import REPEATS

ANCHORS = (
    "summary",
    "cohort",
    "discrimination",
    "threshold",
    "calibration",
    "decision",
    "distributions",
    "selective",
    "subgroups",
    "comparison",
    "pictures",
    "methods",
    "software",
)


def number(row, name):
    return float(row[name])


def test_every_part_is_there_and_linked(page):
    assert tuple(re.findall(r'<section id="(\w+)">', page)) == ANCHORS
    assert tuple(re.findall(r'<a href="#(\w+)">', page)) == ANCHORS


def test_areas_are_those_of_scikit_learn_with_the_intervals_of_their_functions(study, table):
    scores = np.stack([model.scores for model in study.models])
    precisions = jackknife_average_precisions(study.labels, study.patients, *scores)
    for index, row in enumerate(table("areas")):
        expected = roc_auc_score(study.labels, scores[index])
        assert number(row, "roc_auc") == pytest.approx(expected)
        found = clustered_roc_areas(study.labels, study.patients, scores[index])
        ends = area_interval(float(found.areas[0]), float(found.covariance[0, 0]))
        told = [number(row, f"roc_auc_{end}") for end in ("low", "high")]
        assert told == pytest.approx(list(ends))
        found = probabilistic_f_score(study.labels, scores[index])
        assert number(row, "probabilistic_f1") == pytest.approx(found)
        expected = average_precision_score(study.labels, scores[index])
        assert number(row, "average_precision") == pytest.approx(expected)
        told = [number(row, f"average_precision_{end}") for end in ("low", "high")]
        ends = precisions.estimates(scale="logit")[index].interval
        assert told == pytest.approx(list(ends))


def test_rates_at_the_threshold_have_the_wilson_intervals_of_statsmodels(study, table):
    for model, row in zip(study.models, table("at_threshold"), strict=True):
        called = model.scores >= model.threshold.value
        found = int((called & (study.labels == 1)).sum())
        assert number(row, "sensitivity") == pytest.approx(found / study.positives)
        ends = proportion_confint(found, study.positives, method="wilson")
        told = [number(row, f"sensitivity_{end}") for end in ("low", "high")]
        assert told == pytest.approx(list(ends))
        recalled = number(row, "recalled_per_1000")
        assert recalled == pytest.approx(1000 * called.mean())
        parts = number(row, "found_per_1000") + number(row, "false_positives_per_1000")
        assert parts == pytest.approx(recalled)


def test_intervals_between_patients_are_wilsons_where_each_has_one_case(invented):
    for level in (Level.PATIENT, Level.BREAST):
        options = EvidenceOptions(level=level, repeats=100, thresholds=(0.1,))
        alike = [
            tuple(round(end, 9) for end in rates_by_patient(one, model)[name].interval)
            == tuple(round(end, 9) for end in rates_of(counts_of(one, model))[name].interval)
            for one in (read_study(invented.dumps, options),)
            for model in one.models
            for name in ("sensitivity", "specificity", "ppv", "npv", "recall_rate")
        ]
        assert all(alike) if level is Level.PATIENT else not any(alike)


def test_a_given_prevalence_weighs_the_cost_of_a_threshold(invented, tmp_path):
    options = EvidenceOptions(repeats=100, thresholds=(0.1,), prevalence=0.006)
    write_evidence(invented.dumps[:1], tmp_path, options)
    text = (tmp_path / "evidence.md").read_text()
    assert "Per 1,000 screened, at a prevalence of 0.60 %" in text
    row = re.search(r"\*\*Per 1,000.*\n\n.*\n.*\n\| model_a \| (.*) \|\n", text)[1]
    _, found, missed, *_ = map(float, row.split(" | "))
    assert found + missed == pytest.approx(6, abs=0.11)


def test_comparisons_are_the_paired_tests_of_their_references_with_holm(study, table):
    rows = {row["measure"]: row for row in table("comparison")}
    both = study.models[1].scores, study.models[0].scores
    test = compare_areas(clustered_roc_areas(study.labels, study.patients, *both))
    assert number(rows["ROC-AUC, clustered"], "p") == pytest.approx(test.p_value)
    test = compare_areas(roc_areas(study.labels, *both))
    assert number(rows["ROC-AUC, DeLong"], "p") == pytest.approx(test.p_value)
    calls = [model.scores >= model.threshold.value for model in study.models]
    positive = study.labels == 1
    first, second = calls[1][positive], calls[0][positive]
    compared = mcnemar(first, second, study.patients[positive])
    row = rows["sensitivity, McNemar"]
    # Some patients have a cancer in both breasts.
    assert number(row, "p") == pytest.approx(compared.p_patients)
    told = [number(row, f"difference_{end}") for end in ("low", "high")]
    assert told == pytest.approx(list(compared.difference.interval))
    apart = jackknife_average_precisions(study.labels, study.patients, *both).contrast(0, 1)
    row = rows["average precision, jackknife"]
    assert number(row, "difference") == pytest.approx(
        average_precision_score(study.labels, both[0])
        - average_precision_score(study.labels, both[1])
    )
    assert number(row, "p") == pytest.approx(apart.p_values()[0])
    tested = [row for row in rows.values() if row["p_holm"]]
    assert len(tested) == 4
    adjusted = holm([number(row, "p") for row in tested])
    assert [number(row, "p_holm") for row in tested] == pytest.approx(adjusted)


def test_where_each_patient_is_one_case_rates_are_compared_by_the_exact_test(invented, tmp_path):
    options = EvidenceOptions(level=Level.PATIENT, repeats=100, thresholds=(0.1, 0.2))
    study = read_study(invented.dumps, options)
    write_evidence(invented.dumps, tmp_path, options)
    with (tmp_path / "tables" / "comparison.csv").open(newline="") as file:
        rows = {row["measure"]: row for row in csv.DictReader(file)}
    for measure, label in (("sensitivity", 1), ("specificity", 0)):
        chosen = study.labels == label
        second, first = (
            (model.scores[chosen] >= model.threshold.value) == label for model in study.models
        )
        counts = [[(a & b).sum() for b in (second, ~second)] for a in (first, ~first)]
        expected = of_statsmodels(counts, exact=True).pvalue
        assert number(rows[f"{measure}, McNemar"], "p") == pytest.approx(expected)


def test_a_study_of_cases_and_controls_says_so_and_has_narrower_precision(
    invented, folder, tmp_path
):
    options = EvidenceOptions(
        repeats=100, thresholds=(0.1,), sampling="case_control", prevalence=0.006
    )
    study = read_study(invented.dumps[:1], options)
    write_evidence(invented.dumps[:1], tmp_path, options)
    widths = []
    for place in (tmp_path, folder):
        with (place / "tables" / "areas.csv").open(newline="") as file:
            row = next(csv.DictReader(file))
        widths.append(number(row, "average_precision_high") - number(row, "average_precision_low"))
    assert widths[0] < widths[1]
    text = (tmp_path / "evidence.md").read_text()
    assert "numbers of positive and negative patients fixed by the study" in text
    assert "Predictive values at a prevalence of 0.60 %" in text
    with (tmp_path / "tables" / "at_threshold.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    called = study.models[0].scores >= 0.1
    values = predictive_values(study.labels, called, 0.006, study.patients)
    told = [number(row, f"ppv_at_prevalence{end}") for end in ("", "_low", "_high")]
    assert told == pytest.approx([values.ppv.value, *values.ppv.interval])
    # Of screening far fewer of the recalled have a cancer than of these cases.
    assert values.ppv.value < 0.5 * number(row, "ppv")
    assert "Predictive values at a prevalence" not in (folder / "evidence.md").read_text()


def test_calibration_tells_the_brier_score_of_scikit_learn(study, table):
    for model, row in zip(study.models, table("calibration"), strict=True):
        assert number(row, "brier") == pytest.approx(brier_score_loss(study.labels, model.scores))
        assert number(row, "slope_low") < number(row, "slope") < number(row, "slope_high")


def test_net_benefit_is_its_definition(study, table):
    for row in table("decision_curve")[:60:7]:
        model = next(model for model in study.models if model.name == row["model"])
        t = number(row, "threshold")
        called = model.scores >= t
        tp, fp = (float((called & (study.labels == label)).mean()) for label in (1, 0))
        assert number(row, "net_benefit") == pytest.approx(tp - fp * t / (1 - t))


def test_subgroups_of_few_positives_have_an_area_and_no_interval(study, table):
    rows = table("subgroups")
    few = [row for row in rows if 0 < int(row["positive"]) < 10]
    many = [row for row in rows if int(row["positive"]) >= 10]
    assert few
    assert all(row["roc_auc"] and not row["roc_auc_low"] for row in few)
    assert all(row["roc_auc_low"] for row in many)
    (vendor,) = (one for one in study.attributes if one.title == "vendor")
    chosen = np.array(vendor.values) == "GE"
    row = next(r for r in rows if (r["attribute"], r["group"]) == ("vendor", "GE"))
    expected = roc_auc_score(study.labels[chosen], study.models[0].scores[chosen])
    assert number(row, "roc_auc") == pytest.approx(expected)


def test_the_worst_errors_are_the_extreme_scores_on_the_wrong_side(study, table):
    rows, model = table("worst_errors"), study.models[0]
    alarms = [number(row, "score") for row in rows if row["kind"] == "Worst false positives"]
    missed = [number(row, "score") for row in rows if row["kind"] == "Worst false negatives"]
    assert alarms[0] == model.scores[study.labels == 0].max()
    assert alarms == sorted(alarms, reverse=True)
    assert missed == sorted(model.scores[(study.labels == 1) & (model.scores < 0.1)])[:6]


def test_pictures_have_maps_laid_over(page):
    assert page.count('class="overlay"') == page.count('<image href="data:image/png') > 6


def test_without_maps_the_page_says_which_images_to_explain_and_how(invented, tmp_path):
    options = EvidenceOptions(repeats=100, thresholds=(0.1,))
    page = write_evidence(invented.dumps[:1], tmp_path, options).read_text(encoding="utf-8")
    names = re.search(r"tools/explain\.py .* --task malignant .* --images ([\w ]+)\n", page)[1]
    rows = (tmp_path / "tables" / "worst_errors.csv").read_text().splitlines()[1:]
    assert names.split() == [row.split(",")[1] for row in rows]


def test_the_cohort_counts_patients_exams_and_images(folder):
    text = (folder / "evidence.md").read_text()
    for line in ("| patients | 150 |", "| exams | 150 |", "| images | 600 |", "| cases | 300 |"):
        assert line in text
    assert "Joined with test.json by image." in text


def test_the_methods_say_what_ran(folder):
    methods = (folder / "evidence.md").read_text().split("## Methods")[1]
    for said in (
        "Obuchowski (1997)",
        f"{REPEATS} resamples of patients",
        "seed 0",
        "Wilson (1927)",
        "McNemar's exact",
        "adjusted for the 4 tests",
        "model_b 0.2000, given by the user",
    ):
        assert said in methods, said


def test_the_page_needs_nothing_outside_itself(page):
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)|@import|<link|<iframe|src=", page)
    addresses = re.findall(r"""\b(?:srcset|href|action)\s*=\s*["']([^"']*)""", page)
    assert all(one.startswith(("#", "data:image/png;base64,")) for one in addresses)
    assert "default-src 'none'" in page
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids))


def test_no_folder_of_the_machine_is_told(folder, invented):
    files = [*folder.glob("*.*"), *folder.glob("tables/*.csv")]
    assert len(files) >= 11
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert str(invented.root) not in text, file
        assert "secret" not in text, file
        assert "images/" not in text, file


def test_scores_of_single_cases_are_told_of_the_worst_errors_alone(page, study):
    data = json.loads(re.search(r"const DATA = (.*);\n", page)[1])
    assert set(data) == {
        *("z", "fewest", "prevalence", "reference", "grid", "models", "groups", "points"),
    }


def test_names_from_outside_cannot_break_the_page(invented, tmp_path):
    evil = "</script><b>"  # as short as a name that is not shortened
    options = EvidenceOptions(repeats=100, names=(evil,))
    page = write_evidence(invented.dumps[:1], tmp_path, options).read_text(encoding="utf-8")
    assert page.count("</script>") == 1
    assert "<b>" not in page


def test_the_same_input_gives_the_same_files(tmp_path):
    (dump,) = write_invented(tmp_path, patients=60, noises=(0.5,)).dumps
    for name in "ab":
        write_evidence([dump], tmp_path / name, EvidenceOptions(repeats=100))
    files = [path for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) > 9
    for file in files:
        other = tmp_path / "b" / file.relative_to(tmp_path / "a")
        assert other.read_bytes() == file.read_bytes()


def test_too_few_cases_give_numbers_without_intervals_and_say_so(tmp_path):
    dumps = write_invented(tmp_path, patients=12, noises=(0.5,)).dumps
    write_evidence(dumps, tmp_path / "out", EvidenceOptions(repeats=100))
    text = (tmp_path / "out" / "evidence.md").read_text()
    assert "give no interval and no test" in text
    areas = (tmp_path / "out" / "tables" / "areas.csv").read_text().splitlines()[1].split(",")
    assert areas[4:6] == ["", ""]


def test_scores_that_are_no_risks_have_no_calibration(tmp_path):
    (path,) = write_invented(tmp_path, patients=60, noises=(0.5,)).dumps
    dump = read_dump(path)
    rows = tuple(
        replace(row, pred_score={"malignant": 10 * row.pred_score["malignant"] - 4})
        for row in dump.records
    )
    write_dump(path, replace(dump, records=rows))
    write_evidence([path], tmp_path / "out", EvidenceOptions(repeats=100))
    text = (tmp_path / "out" / "evidence.md").read_text()
    assert text.count("Scores outside 0 to 1 are no risks") == 3
    assert not (tmp_path / "out" / "tables" / "calibration.csv").exists()
