import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from mammography.evaluation.metrics import screening_metric
from mammography.evaluation.metrics.screening_metric import ScreeningMetric
from mammography.structures.task import parse_tasks

TASKS = {
    name: task.to_json()
    for name, task in parse_tasks(["malignant:binary", "density:ordinal=A,B,C"]).items()
}


def study(patients=60, seed=0):
    """Two views of two breasts of each patient; the score knows a little of the label."""
    rng = np.random.default_rng(seed)
    samples = []
    for patient in range(patients):
        for side in "LR":
            cancer = float(rng.random() < 0.2)
            for view in ("CC", "MLO"):
                score = 1 / (1 + math.exp(-(2 * cancer - 1 + rng.normal())))
                samples.append(
                    {
                        "img_path": f"{patient}{side}{view}.png",
                        "patient_id": f"p{patient}",
                        "exam_id": None,
                        "laterality": side,
                        "view_position": view,
                        "manufacturer": ("alpha", "beta", None)[patient % 3],
                        "clinic_vars": {"site": f"site {patient % 2}"},
                        "gt_targets": {"malignant": cancer, "density": float(patient % 3)},
                        "pred_scores": {"malignant": score, "density": [0.2, 0.3, 0.5]},
                    }
                )
    return samples


def measure(samples, rule=None, carried=None, **settings):
    metric = ScreeningMetric(**settings)
    metric.dataset_meta = {"task_specs": TASKS}
    metric.rule, metric.carried = rule, carried or {}
    metric.process(None, samples)
    return metric.evaluate(len(samples)), metric.details


def table(samples):
    rows = [
        {**s, "y": s["gt_targets"]["malignant"], "p": s["pred_scores"]["malignant"]}
        for s in samples
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("level", "names"),
    [
        ("image", ["img_path"]),
        ("breast", ["patient_id", "laterality"]),
        ("patient", ["patient_id"]),
    ],
)
@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_cases_are_those_of_pandas_and_their_metrics_those_of_the_formula(level, names, pooling):
    samples = study()
    cases = table(samples).groupby(names).agg(y=("y", "max"), p=("p", pooling))
    metrics, details = measure(samples, level=level, pooling=pooling, subgroups=["view_position"])
    expected = 2 * (cases.y * cases.p).sum() / (cases.y.sum() + cases.p.sum())
    assert metrics == {"malignant/pf1": pytest.approx(expected)}
    assert set(details["malignant"]) == {"pf1", "subgroups"}


def test_a_threshold_is_never_chosen_unless_it_is_asked_for():
    metrics, details = measure(study())
    assert not any("threshold" in key or "sensitivity" in key for key in metrics)
    assert "operating_point" not in details["malignant"]


def test_a_chosen_threshold_is_told_with_its_counts_and_where_it_comes_from():
    samples = study()
    rule = {"rule": "sensitivity_at_specificity", "at_least": 0.9}
    metrics, details = measure(samples, rule)
    cases = (
        table(samples).groupby(["patient_id", "laterality"]).agg(y=("y", "max"), p=("p", "mean"))
    )
    called = cases.p >= metrics["malignant/threshold"]
    assert metrics["malignant/sensitivity"] == pytest.approx(called[cases.y == 1].mean())
    assert metrics["malignant/specificity"] == pytest.approx(1 - called[cases.y == 0].mean())
    assert metrics["malignant/specificity"] >= 0.9
    assert metrics["malignant/recall_rate"] == pytest.approx(called.mean())
    point = details["malignant"]["operating_point"]
    assert point["f1"] == pytest.approx(f1_score(cases.y, called))
    assert (point["level"], point["pooling"], point["chosen"]) == ("breast", "mean", rule)
    assert point["tp"] + point["fp"] + point["tn"] + point["fn"] == 120


def test_a_carried_threshold_is_applied_and_not_chosen_anew():
    carried = {
        "threshold": 0.25,
        "level": "breast",
        "pooling": "mean",
        "rule": "youden",
        "epoch": 3,
    }
    metrics, details = measure(study(), carried={"malignant": carried})
    assert metrics["malignant/threshold"] == 0.25
    point = details["malignant"]["operating_point"]
    assert (point["threshold"], point["chosen"]["rule"], point["chosen"]["epoch"]) == (
        0.25,
        "youden",
        3,
    )
    other, _ = measure(study(), {"rule": "youden"})
    assert other["malignant/threshold"] != 0.25


def test_a_threshold_of_another_level_is_refused():
    carried = {"threshold": 0.25, "level": "image", "pooling": "mean"}
    with pytest.raises(ValueError, match="got one chosen by image mean for breast mean: give val_"):
        measure(study(), carried={"malignant": carried})


def test_subgroups_are_the_metrics_of_their_own_images_with_counts():
    samples = study()
    fields = ("manufacturer", "density", "view_position", "site")
    metrics, details = measure(samples, {"rule": "youden"}, subgroups=fields)
    found = details["malignant"]["subgroups"]
    assert {field: list(parts) for field, parts in found.items()} == {
        "manufacturer": ["alpha", "beta", "unknown"],
        "density": ["0", "1", "2"],
        "view_position": ["CC", "MLO"],
        "site": ["site 0", "site 1"],
    }
    frame = table(samples)
    for field, value, chosen in [
        ("manufacturer", "beta", frame.manufacturer == "beta"),
        ("manufacturer", "unknown", frame.manufacturer.isna()),
        ("view_position", "CC", frame.view_position == "CC"),
    ]:
        cases = (
            frame[chosen].groupby(["patient_id", "laterality"]).agg(y=("y", "max"), p=("p", "mean"))
        )
        part = found[field][value]
        assert (part["n"], part["n_positive"]) == (len(cases), cases.y.sum())
        assert part["roc_auc"] == pytest.approx(roc_auc_score(cases.y, cases.p))
        assert part["average_precision"] == pytest.approx(average_precision_score(cases.y, cases.p))
        called = cases.p >= metrics["malignant/threshold"]
        assert part["sensitivity"] == pytest.approx(called[cases.y == 1].mean())


def test_numbers_are_cut_into_intervals():
    samples = study(8)
    for index, sample in enumerate(samples):
        sample["clinic_vars"]["age_years"] = (45, 50, 59.5, 80, None)[index // 4 % 5]
    _, details = measure(samples, subgroups={"age_years": (50, 60), "view_position": None})
    parts = details["malignant"]["subgroups"]["age_years"]
    sizes = {value: part["n"] for value, part in parts.items()}
    assert sizes == {"unknown": 2, "< 50": 4, "50 to < 60": 8, ">= 60": 2}  # of 16 breasts
    assert list(parts) == ["unknown", "< 50", "50 to < 60", ">= 60"]
    assert set(details["malignant"]["subgroups"]["view_position"]) == {"CC", "MLO"}


def test_a_view_without_a_label_still_counts_in_the_score_of_its_breast():
    samples = study(30)
    full, _ = measure(samples)
    for sample in samples[::2]:
        del sample["gt_targets"]["malignant"]
    assert measure(samples)[0] == full
    for sample in samples[:2]:
        sample["gt_targets"].pop("malignant", None)
    frame = table([{**s, "gt_targets": {"malignant": 0.0, **s["gt_targets"]}} for s in samples[2:]])
    cases = frame.groupby(["patient_id", "laterality"]).agg(y=("y", "max"), p=("p", "mean"))
    expected = 2 * (cases.y * cases.p).sum() / (cases.y.sum() + cases.p.sum())
    assert measure(samples)[0]["malignant/pf1"] == pytest.approx(expected)


def test_predictions_that_are_not_finite_are_told_and_stop_nothing():
    samples = study(4)
    samples[3]["pred_scores"]["malignant"] = math.nan
    metrics, details = measure(samples, {"rule": "youden"})
    assert math.isnan(metrics["malignant/pf1"])
    assert details["malignant"]["notes"] == ["pf1 not defined: 1 of 16 predictions are not finite"]


def test_a_subgroup_without_positives_keeps_its_count_and_has_no_area():
    samples = study(3)
    for sample in samples[:4]:
        sample["gt_targets"]["malignant"] = 0.0
    _, details = measure(samples, subgroups=["patient_id"])
    part = details["malignant"]["subgroups"]["patient_id"]["p0"]
    assert (part["n"], part["n_positive"]) == (2, 0)
    assert math.isnan(part["roc_auc"])
    assert math.isnan(part["pf1"])


def test_images_without_a_side_are_cases_of_their_own():
    samples = study(2)
    for sample in samples:
        sample["laterality"] = None
    _, details = measure(samples, subgroups=["exam_id"])
    assert details["malignant"]["subgroups"]["exam_id"]["unknown"]["n"] == 8


def test_labels_of_one_class_choose_no_threshold_and_say_so():
    samples = study(3)
    for sample in samples:
        sample["gt_targets"]["malignant"] = 0.0
    metrics, details = measure(samples, {"rule": "youden"})
    assert set(metrics) == {"malignant/pf1"}
    assert (
        "threshold not chosen: a threshold needs labels of both" in details["malignant"]["notes"][0]
    )


def test_a_field_that_no_image_has_is_told(monkeypatch):
    said = []
    monkeypatch.setattr(screening_metric, "print_log", lambda text, **_: said.append(text))
    measure(study(2), subgroups=["ethnicity"])
    assert said == ["ScreeningMetric: no image has ethnicity: it divides nothing"]


def test_tasks_without_labels_and_of_other_kinds_are_left_out():
    samples = study(2)
    for sample in samples:
        del sample["gt_targets"]["malignant"]
    assert measure(samples) == ({}, {})


@pytest.mark.parametrize(
    "settings", [{"level": "patch"}, {"pooling": "sum"}, {"subgroups": "density"}]
)
def test_what_does_not_fit_is_refused(settings):
    with pytest.raises(ValueError, match=r"ScreeningMetric: level must be one of image, breast"):
        ScreeningMetric(**settings)


def test_intervals_that_do_not_rise_are_refused():
    with pytest.raises(ValueError, match=r"must be cut at rising numbers, got \(60, 50\) for age"):
        ScreeningMetric(subgroups={"age": (60, 50)})


def test_breasts_of_exams_that_were_scored_as_a_whole_are_refused():
    metric = ScreeningMetric()
    metric.dataset_meta = {"task_specs": TASKS, "level": "exam"}
    metric.process(None, study(2))
    with pytest.raises(ValueError, match="level must be one of exam, patient, got breast: each"):
        metric.evaluate(8)
