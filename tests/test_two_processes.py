from functools import partial

import numpy as np
import pytest
import torch

from mammography.structures.prediction import read_dump
from ranks import run_on_ranks
from two_processes import evaluate, train_and_evaluate


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("two_processes")


@pytest.fixture(scope="module")
def ranks(folder):
    return run_on_ranks(partial(train_and_evaluate, folder), folder)


def test_on_cpus_both_end_with_the_same_weights_and_the_same_statistics(ranks):
    first, second = (rank["training"] for rank in ranks)
    assert first["norm"] == "_BatchNormXd"  # SyncBN needs a GPU
    for a, b in zip(first["weights"], second["weights"], strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first["before"], second["before"])
    torch.testing.assert_close(first["after"], (first["before"] + second["before"]) / 2)
    assert torch.equal(first["after"], second["after"])
    assert torch.equal(first["of_average"], second["of_average"])


def test_metrics_and_dumps_are_those_of_one_process(ranks, folder, tmp_path):
    """Also when the first process has no label of a task, and seven images fill four pairs."""
    alone = evaluate(tmp_path)
    first, second = (rank["evaluation"] for rank in ranks)
    assert first["metrics"] == pytest.approx(alone["metrics"], nan_ok=True)
    assert second["metrics"] == pytest.approx(alone["metrics"], nan_ok=True)
    counts = {task: row["n"] for task, row in first["details"].items()}
    assert counts == {"malignant": 7, "density": 3, "size_mm": 7}
    assert second["details"] == {}  # the first process alone computes and writes
    together = read_dump(folder / "evaluation" / "predictions.json").records
    expected = read_dump(tmp_path / "predictions.json").records
    assert [r.image_id for r in together] == [f"i{index}" for index in range(7)]
    for ours, theirs in zip(together, expected, strict=True):
        for task, score in theirs.pred_score.items():
            assert ours.pred_score[task] == pytest.approx(score)
    features, other = (np.load(path / "features.npz") for path in (folder / "evaluation", tmp_path))
    assert features["features"] == pytest.approx(other["features"], abs=1e-6)
    assert np.array_equal(features["gt_density"], other["gt_density"], equal_nan=True)
