"""Data samples as a model returns them, for the tests of metrics and dumps."""

import torch
from mmpretrain.structures import DataSample

TASK_SPECS = {
    "malignant": {"kind": "binary", "classes": ["0", "1"]},
    "density": {"kind": "ordinal", "classes": ["A", "B", "C"]},
    "size_mm": {"kind": "regression"},
}
META = {"tasks": list(TASK_SPECS), "task_specs": TASK_SPECS}


def sample(index=0, gt=None, pred=None, features=None, **meta) -> DataSample:
    """Return the sample of one image."""
    made = DataSample()
    made.set_metainfo(
        {"img_path": f"dataset/s/images/{index}.png", "image_id": f"i{index}", "split": "test"}
        | meta
    )
    for name, value in (("gt_targets", gt), ("pred_scores", pred)):
        if value is not None:
            made.set_field(value, name, dtype=dict)
    if features is not None:
        made.set_field(torch.tensor(features), "pred_features", dtype=torch.Tensor)
    return made


def run_metric(metric, samples, meta=META):
    """Give samples to a metric as an evaluator does, in batches of two."""
    metric.dataset_meta = meta
    rows = [item.to_dict() for item in samples]
    for start in range(0, len(rows), 2):
        metric.process(None, rows[start : start + 2])
    return metric.evaluate(len(rows))
