import json

import pytest

from mammography.evaluation.metrics.dump_predictions import DumpPredictions
from mammography.structures.prediction import read_dump
from samples import META, TASK_SPECS, run_metric, sample

PRED = {"malignant": 0.25, "density": [0.2, 0.3, 0.5]}


@pytest.mark.parametrize("suffix", [".json", ".pkl"])
def test_rows_carry_pseudonyms_labels_and_predictions_in_the_order_of_the_data_set(
    tmp_path, suffix
):
    path = tmp_path / "out" / f"predictions{suffix}"
    metric = DumpPredictions(str(path), data_root="dataset/s", info={"checkpoint": "epoch_3.pth"})
    known = {"patient_id": "p7", "exam_id": "e", "laterality": "L", "view_position": "MLO"}
    samples = [sample(i, {"malignant": 1.0}, PRED, **known) for i in (4, 2, 9)]
    assert run_metric(metric, samples) == {}
    dump = read_dump(path)
    assert [row.img_path for row in dump.records] == [
        "images/4.png",
        "images/2.png",
        "images/9.png",
    ]
    row = dump.records[1]
    assert (row.image_id, row.patient_id, row.exam_id) == ("i2", "p7", "e")
    assert (row.laterality, row.view_position, row.split) == ("L", "MLO", "test")
    assert (row.gt_label, row.pred_score) == ({"malignant": 1.0}, PRED)
    assert {name: task.to_json() for name, task in dump.tasks.items()} == {
        name: TASK_SPECS[name] for name in PRED
    }
    assert dump.info["checkpoint"] == "epoch_3.pth"


def test_it_holds_nothing_but_what_is_promised(tmp_path):
    path = tmp_path / "p.json"
    run_metric(DumpPredictions(str(path)), [sample(0, {}, PRED, patient_name="Doe^Jane")])
    assert "Doe" not in path.read_text()
    assert json.loads(path.read_text())["data_list"][0]["patient_id"] is None


def test_uncertainty_is_written_where_a_model_tells_it(tmp_path):
    path = tmp_path / "p.json"
    unsure = sample(0, {}, PRED)
    parts = {"malignant": {"total": 0.5, "aleatoric": 0.3, "epistemic": 0.2}}
    unsure.set_field(parts, "pred_uncertainty", dtype=dict)
    run_metric(DumpPredictions(str(path)), [unsure, sample(1, {}, PRED)])
    assert [row.pred_uncertainty for row in read_dump(path).records] == [parts, {}]


def test_an_image_outside_the_data_root_keeps_its_path(tmp_path):
    path = tmp_path / "p.json"
    run_metric(DumpPredictions(str(path), data_root="elsewhere"), [sample(0, {}, PRED)])
    assert read_dump(path).records[0].img_path == "dataset/s/images/0.png"


def test_an_unknown_suffix_fails_at_construction():
    with pytest.raises(ValueError, match=r"must end in .json, .pkl, .pickle, got p.csv"):
        DumpPredictions("p.csv")


def test_a_dump_says_what_its_rows_are_unless_they_are_images(tmp_path):
    path = tmp_path / "p.json"
    exam = sample(0, {}, PRED, image_id=None, patient_id="p7", exam_id="e")
    run_metric(DumpPredictions(str(path)), [exam], META | {"level": "exam"})
    assert read_dump(path).info == {"level": "exam"}
    run_metric(DumpPredictions(str(path)), [sample(0, {}, PRED)])
    assert read_dump(path).info == {}
