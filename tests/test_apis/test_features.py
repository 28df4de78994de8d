import numpy as np
import pytest

from mammography.apis.config import UsageError
from mammography.apis.features import join_features, read_features, write_features
from mammography.evaluation.metrics.dump_features import DumpFeatures
from samples import run_metric, sample


@pytest.fixture
def path(tmp_path):
    """What a test writes."""
    samples = [
        sample(0, {"malignant": 1.0}, features=[1.0, 2.0], patient_id="p0"),
        sample(1, {}, features=[3.0, 4.0], patient_id="p1"),
    ]
    run_metric(DumpFeatures(str(tmp_path / "f.npz"), info={"split": "test"}), samples)
    return tmp_path / "f.npz"


def test_they_are_read_as_a_test_writes_them(path):
    found = read_features(path)
    assert found.values.tolist() == [[1, 2], [3, 4]]
    assert found.names["patient_id"].tolist() == ["p0", "p1"]
    np.testing.assert_array_equal(found.labels["malignant"], [1, np.nan])
    assert (found.info, found.models.tolist()) == ({"split": "test"}, ["", ""])


def test_rows_of_several_models_are_joined_with_the_name_of_each(path, tmp_path):
    one = read_features(path)
    joined = join_features({"outer0-inner0": one, "outer0-inner1": one}, {"a": 1}, "val")
    write_features(tmp_path / "joined.npz", joined)
    found = read_features(tmp_path / "joined.npz")
    assert found.values.shape == (4, 2)
    assert found.models.tolist() == ["outer0-inner0"] * 2 + ["outer0-inner1"] * 2
    assert found.names["split"].tolist() == ["val"] * 4
    assert found.info == {"a": 1}
    np.testing.assert_array_equal(found.labels["malignant"], [1, np.nan] * 2)


def test_another_file_is_refused(tmp_path):
    (tmp_path / "text.npz").write_text("text")
    with pytest.raises(UsageError, match=r"text\.npz must be an NPZ file of features"):
        read_features(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", features=np.zeros((2, 2)))
    with pytest.raises(UsageError, match="must hold features and patient_id, got no patient_id"):
        read_features(tmp_path / "other.npz")
