import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from golden import golden
from mammography.apis.calibrating import calibrate
from mammography.structures.prediction import Dump, PredictionRecord, read_dump, write_dump
from mammography.structures.task import Task

TASKS = {
    name: Task.parse(f"{name}:{kind}")
    for name, kind in (("malignant", "binary"), ("density", "ordinal=A,B,C"), ("mm", "regression"))
}


def record(i, patient, p, label, **more):
    labels = {} if label is None else {"malignant": float(label)}
    return PredictionRecord(
        img_path=f"{i}.png",
        patient_id=patient,
        gt_label=labels | more.pop("labels", {}),
        pred_score={"malignant": float(p)} | more.pop("scores", {}),
        **more,
    )


def study(start, patients, rng, images=4, sharpness=3.0):
    """Return records of patients whose images are alike: their difficulty is shared."""
    rows = []
    for number in range(start, start + patients):
        hard = rng.normal() * 1.5
        for image in range(images):
            y = rng.random() < 0.4
            z = (2 * y - 1) * 1.0 + hard + rng.normal() * 0.3
            rows.append(record(f"{number}-{image}", f"p{number}", expit(sharpness * z), y))
    return rows


def dump(path, records, tasks=("malignant",), **info):
    write_dump(path, Dump({name: TASKS[name] for name in tasks}, tuple(records), dict(info)))
    return path


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    return (
        dump(tmp_path / "val.json", study(0, 60, rng), checkpoint="a.pth"),
        dump(tmp_path / "test.json", study(60, 60, rng), checkpoint="a.pth"),
        tmp_path / "out.json",
    )


def test_scores_and_sets_agree_with_the_reference_values_where_each_image_is_a_patient(tmp_path):
    expected = golden("04_uncertainty")["expected"]
    p, y = expected["calibration"]["p"], expected["calibration"]["y"]
    rows = [record(i, f"p{i}", p[i], y[i]) for i in range(len(p))]
    n = expected["conformal_lac"]["n_cal"]
    val = dump(tmp_path / "val.json", rows[:n])
    test = dump(tmp_path / "test.json", rows[n:])
    found = calibrate(val, test, tmp_path / "out.json")["tasks"]["malignant"]
    assert found["thresholds"] == pytest.approx([expected["conformal_lac"]["qhat"]] * 2)
    assert found["coverage_of_units"] == pytest.approx(expected["conformal_lac"]["coverage"])
    assert found["mean_set_size"] == pytest.approx(expected["conformal_lac"]["mean_set_size"])
    assert found["calibration_units"] == [n, n]


def test_the_sets_of_all_images_of_a_patient_are_right_together_as_often_as_asked(tmp_path):
    """By repetition; images taken for independent miss it, as those of a patient are alike."""
    rng = np.random.default_rng(1)
    kept = {"patient": [], "image": []}
    for _ in range(60):
        rows = study(0, 80, rng)
        val = dump(tmp_path / "val.json", rows[:160])
        test = dump(tmp_path / "test.json", rows[160:])
        for unit, shares in kept.items():
            calibrate(val, test, tmp_path / "out.json", alpha=0.2, unit=unit)
            wrong = {
                row.patient_id
                for row in read_dump(tmp_path / "out.json").records
                if int(row.gt_label["malignant"]) not in row.pred_set["malignant"]
            }
            shares.append(1 - len(wrong) / 40)
    # Expected: 0.8 to 0.8 + 1 / 41; the standard error over repetitions is about 0.01.
    assert 0.77 < np.mean(kept["patient"]) < 0.86
    assert np.mean(kept["image"]) < 0.77


def test_each_class_is_covered_as_often_as_asked_if_calibrated_by_class(tmp_path):
    rng = np.random.default_rng(2)
    y = rng.random(6000) < 0.05
    p = expit(rng.normal(size=6000) + 2.0 * y - 3)
    rows = [record(i, f"p{i}", p[i], y[i]) for i in range(6000)]
    val = dump(tmp_path / "val.json", rows[:3000])
    test = dump(tmp_path / "test.json", rows[3000:])
    plain = calibrate(val, test, tmp_path / "a.json")["tasks"]["malignant"]
    each = calibrate(val, test, tmp_path / "b.json", by_class=True)["tasks"]["malignant"]
    assert plain["coverage_of_units_by_class"][1] < 0.5  # of 5 % nearly all may be missed
    assert each["coverage_of_units_by_class"] == pytest.approx([0.9, 0.9], abs=0.06)
    assert each["calibration_units"] == [int((~y[:3000]).sum()), int(y[:3000].sum())]


def test_a_patient_is_covered_only_if_all_her_images_are(tmp_path):
    # 36 of 40 are 0.35 strange and four 0.65, the 37th of which is the threshold.
    likely = [0.35 if i % 2 else 0.65 for i in range(40)]
    calibration = [record(i, f"p{i}", p, (p > 0.5) != (i % 10 == 0)) for i, p in enumerate(likely)]
    val = dump(tmp_path / "val.json", calibration)
    rows = [record("a", "q", 0.6, 1), record("b", "q", 0.01, 1), record("c", "q", 0.4, 0)]
    rows.append(record("d", "r", 0.4, 0))
    test = dump(tmp_path / "test.json", rows)
    found = calibrate(val, test, tmp_path / "out.json", alpha=0.1)["tasks"]["malignant"]
    assert (found["test_units"], found["coverage_of_units"]) == (2, 0.5)
    assert found["coverage_of_units_by_class"] == [1.0, 0.0]
    assert found["coverage_of_images"] == 0.75


def test_the_dump_keeps_everything_else(files):
    val, test, out = files
    before = read_dump(test)
    unsure = {"malignant": {"total": 0.5}}
    rows = [replace(row, pred_uncertainty=unsure) for row in before.records]
    dump(test, rows, checkpoint="a.pth")
    report = calibrate(val, test, out)
    after = read_dump(out)
    assert after.info["checkpoint"] == "a.pth"
    assert after.info["calibration"]["unit"] == "patient"
    temperature = report["tasks"]["malignant"]["temperature"]
    for old, new in zip(rows, after.records, strict=True):
        p = old.pred_score["malignant"]
        want = expit(np.log(p / (1 - p)) / temperature)
        assert new.pred_score["malignant"] == pytest.approx(want, abs=1e-9)
        assert set(new.pred_set["malignant"]) <= {0, 1}
        assert replace(new, pred_score=old.pred_score, pred_set={}) == old
    assert json.loads((out.parent / "out.json.calibration.json").read_text()) == report
    assert (
        report["tasks"]["malignant"]["cross_entropy_after"]
        < (report["tasks"]["malignant"]["cross_entropy_before"])
    )


def test_classes_are_scaled_as_lists_and_a_regression_is_left_as_it_is(tmp_path):
    rng = np.random.default_rng(3)

    def rows(start):
        made = []
        for i in range(start, start + 50):
            scores = rng.dirichlet([1, 1, 1])
            labels = {"density": float(rng.choice(3, p=scores)), "mm": 3.0}
            more = {"scores": {"density": scores.tolist(), "mm": 4.5}, "labels": labels}
            made.append(record(i, f"p{i}", rng.random(), rng.random() < 0.5, **more))
        return made

    val = dump(tmp_path / "val.json", rows(0), tasks=("density", "mm"))
    test = dump(tmp_path / "test.json", rows(50), tasks=("density", "mm"))
    report = calibrate(val, test, tmp_path / "out.pkl", parameters=tmp_path / "how.json")
    assert list(report["tasks"]) == ["density"]
    row = read_dump(tmp_path / "out.pkl").records[0]
    assert row.pred_score["mm"] == 4.5
    assert sum(row.pred_score["density"]) == pytest.approx(1)
    assert (tmp_path / "how.json").exists()


def test_too_few_patients_give_whole_sets(tmp_path):
    val = dump(
        tmp_path / "val.json", [record(i, f"p{i}", 0.4 + i / 20, i in (2, 4)) for i in range(5)]
    )
    test = dump(tmp_path / "test.json", [record(9, "p9", 0.99, None)])
    found = calibrate(val, test, tmp_path / "out.json")["tasks"]["malignant"]
    assert found["thresholds"] == [None, None]
    assert read_dump(tmp_path / "out.json").records[0].pred_set == {"malignant": [0, 1]}
    assert "coverage_of_units" not in found


def test_what_would_promise_too_much_is_refused(files, tmp_path):
    val, test, out = files
    with pytest.raises(ValueError, match="must share no patient, got 60 in both"):
        calibrate(val, val, out)
    other = dump(tmp_path / "b.json", read_dump(test).records, checkpoint="b.pth")
    with pytest.raises(ValueError, match=r"of one model, got checkpoint 'a.pth' .* and 'b.pth'"):
        calibrate(val, other, out)
    nobody = [replace(row, patient_id=None) for row in read_dump(test).records]
    dump(test, nobody, checkpoint="a.pth")
    with pytest.raises(ValueError, match=r"must have a patient_id, got 240 without"):
        calibrate(val, test, out)
    with pytest.raises(ValueError, match="unit must be one of patient, image, got 'exam'"):
        calibrate(val, test, out, unit="exam")


def test_a_validation_without_an_error_names_its_file_and_task(tmp_path):
    val = dump(tmp_path / "v.json", [record(i, f"p{i}", 0.1 + 0.8 * i, i) for i in (0, 1)])
    test = dump(tmp_path / "t.json", [record(9, "p9", 0.5, 1)])
    with pytest.raises(ValueError, match=r"v.json: task malignant: .* part them without an error"):
        calibrate(val, test, tmp_path / "out.json")
