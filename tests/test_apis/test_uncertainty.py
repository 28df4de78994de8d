import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from mammography.apis.uncertainty import compare_uncertainty, in_words
from mammography.functional.selective import area_under_risk_coverage, risk_coverage
from mammography.structures.annotation import Annotations, ImageRecord, write_annotations
from mammography.structures.prediction import Dump, PredictionRecord, read_dump, write_dump
from mammography.structures.task import Task
from mammography.terms import Laterality

TASK = Task.parse("malignant:binary")


@pytest.fixture
def study(tmp_path):
    """Images of two makers; labels of B are wrong in a third, and one model knows."""
    rng = np.random.default_rng(0)
    records, knowing, plain = [], [], []
    for i in range(600):
        maker, truth = "AB"[i % 2], rng.random() < 0.5
        label = float(truth != (maker == "B" and rng.random() < 0.33))
        identity = {"img_path": f"{i}.png", "patient_id": f"p{i // 4}"}
        records.append(
            ImageRecord(
                **identity, laterality=Laterality.LEFT, manufacturer=maker,
                gt_label={"malignant": label},
            )
        )  # fmt: skip
        sure = 0.97 if maker == "A" else 0.67
        variance = rng.gamma(4.0, 2.0 if maker == "B" else 1.0)
        for rows, p in ((knowing, sure), (plain, 0.95)):
            rows.append(
                PredictionRecord(
                    **identity,
                    gt_label={"malignant": label} if i else {},
                    pred_score={"malignant": float(p if truth else 1 - p)},
                    pred_uncertainty={"malignant": {"variance": variance}} if p == sure else {},
                )
            )
    write_annotations(
        tmp_path / "test.json", Annotations({"malignant": TASK}, tuple(records), "phantom")
    )
    for name, rows in (("plain", plain), ("knowing", knowing)):
        write_dump(tmp_path / f"{name}.json", Dump({"malignant": TASK}, tuple(rows)))
    return tmp_path


def compare(study, *names, **options):
    return compare_uncertainty(
        [study / f"{name}.json" for name in names], "malignant", repeats=300, **options
    )


def test_the_numbers_are_those_of_their_definitions(study):
    plain, knowing = compare(study, "plain", "knowing")
    rows = read_dump(study / "knowing.json").records[1:]  # the first image has no label
    y = np.array([row.gt_label["malignant"] for row in rows])
    p = np.array([row.pred_score["malignant"] for row in rows])
    errors = (p > 0.5) != y
    assert knowing["images"] == 599
    assert knowing["nll"].value == pytest.approx(log_loss(y, p))
    assert knowing["error"].value == pytest.approx(errors.mean())
    curve = risk_coverage(errors, np.minimum(p, 1 - p))
    assert knowing["aurc"] == pytest.approx(area_under_risk_coverage(curve))
    difference = knowing["nll"].value - plain["nll"].value
    assert knowing["nll_minus_first"].value == pytest.approx(difference)
    assert plain["nll_minus_first"].value == 0


def test_a_model_that_knows_where_labels_are_noise_is_seen_to(study):
    plain, knowing = compare(study, "plain", "knowing", coverage=0.5)
    assert knowing["nll_minus_first"].interval[1] < 0
    assert knowing["gain"].interval[0] > 0
    assert knowing["gain"].value == pytest.approx(
        knowing["error"].value - knowing["error_at_coverage"].value
    )
    assert plain["aurc"] > knowing["aurc"]


def test_each_part_is_asked_whether_it_tells_the_group(study):
    options = {"annotations": study / "test.json", "group": ("manufacturer", "B")}
    plain, knowing = compare(study, "plain", "knowing", **options)
    rows = read_dump(study / "knowing.json").records[1:]
    variance = [row.pred_uncertainty["malignant"]["variance"] for row in rows]
    member = [i % 2 for i in range(1, 600)]
    found = knowing["group_auc"]["variance"]
    assert found.value == pytest.approx(roc_auc_score(member, variance))
    assert found.interval[0] < found.value < found.interval[1]
    assert knowing["group_auc"]["total"].value == 1
    assert plain["group_auc"]["total"].value == 0.5
    assert set(plain["group_auc"]) == {"total"}


def test_it_is_written_and_said(study):
    rows = compare(study, "plain", "knowing", part="total", out=study / "out.json")
    written = json.loads((study / "out.json").read_text())
    assert written[1]["nll"]["interval"] == list(rows[1]["nll"].interval)
    text = in_words(rows)
    assert f"{rows[1]['nll'].value:.4f} (" in text
    assert "knowing.json: 599 images" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"part": "variance"}, r"plain.json: part must be one of total, got variance"),
        ({"coverage": 0}, r"coverage must lie in \(0, 1\], got 0"),
        ({"group": ("manufacturer", "B")}, "a group must come with the annotations"),
    ],
)
def test_what_cannot_be_asked_is_refused(study, options, message):
    with pytest.raises(ValueError, match=message):
        compare(study, "plain", **options)


def test_a_group_of_all_or_none_is_refused(study):
    for group, message in (
        (("manufacturer", "C"), "manufacturer must part the images, got C among A, B"),
        (("maker", "B"), "a record must have the field maker"),
    ):
        with pytest.raises(ValueError, match=message):
            compare(study, "plain", annotations=study / "test.json", group=group)


def test_dumps_of_other_images_or_labels_are_refused(study):
    dump = read_dump(study / "plain.json")
    write_dump(study / "other.json", replace(dump, records=dump.records[:-1]))
    with pytest.raises(ValueError, match=r"of the same images, .* got 599, 598 labelled rows"):
        compare(study, "plain", "other")
