import json
import math

import numpy as np

from mammography.apis.outputs import nest_metrics, versions, write_metrics


def test_metrics_are_written_by_task_with_null_for_what_is_not_defined(tmp_path):
    flat = {"malignant/roc_auc": math.nan, "accuracy/top1": 50.0}
    details = {"malignant": {"roc_auc": math.nan, "n": 3, "notes": ["roc_auc not defined: why"]}}
    path = tmp_path / "test" / "metrics.json"
    tasks = nest_metrics(flat, details)
    tasks["accuracy"]["top5"] = np.float32(0.5)
    write_metrics(path, tasks, {"checkpoint": "epoch_1.pth"})
    assert json.loads(path.read_text()) == {
        "info": {"checkpoint": "epoch_1.pth"},
        "tasks": {
            "malignant": {"roc_auc": None, "n": 3, "notes": ["roc_auc not defined: why"]},
            "accuracy": {"top1": 50.0, "top5": 0.5},
        },
    }
    assert [p.name for p in path.parent.iterdir()] == ["metrics.json"]


def test_the_versions_that_results_depend_on_are_known():
    assert versions()["torch"].startswith("2.")
