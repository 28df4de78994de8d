import os
from pathlib import Path

import pytest
from mmengine.config import Config

from mammography.apis.config import UsageError, check_checkpoint, load_config, repository_of
from prepared_study import write_config


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    (root / "dataset" / "phantom").mkdir(parents=True)
    return write_config(root)


def refusal(path, **options):
    with pytest.raises(UsageError) as error:
        load_config(path, {name.replace("__", "."): value for name, value in options.items()})
    return str(error.value)


def test_options_change_the_config(path):
    options = {"train_dataloader.batch_size": 7, "test_dataloader.dataset.pipeline.0.type": "X"}
    cfg = load_config(path, options)
    assert cfg.train_dataloader.batch_size == 7
    assert cfg.test_dataloader.dataset.pipeline[0].type == "X"
    assert cfg.train_dataloader.dataset.pipeline[0].type == "LoadMammogram"


def test_an_unknown_key_is_refused_with_the_nearest_ones(path):
    assert "train_dataloader" in refusal(path, train_dataloder__batch_size=7)


def test_a_helper_of_the_config_is_refused_with_the_places_it_went_to(path):
    message = refusal(path, data_root="/elsewhere")
    assert "has no effect" in message
    for split in ("train", "val", "test"):
        assert f"{split}_dataloader.dataset.data_root" in message


def test_an_index_beyond_a_list_is_refused(path):
    assert "--cfg-options" in refusal(path, val_evaluator__3__type="X")


def test_a_key_that_a_runner_reads_may_be_new(path):
    cfg = load_config(path, {"find_unused_parameters": True, "compile": False})
    assert cfg.find_unused_parameters is True


def test_custom_imports_take_effect_as_an_option(path, tmp_path, monkeypatch):
    (tmp_path / "imported_by_option.py").write_text("import os; os.environ['SEEN'] = 'yes'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("SEEN", raising=False)
    load_config(path, {"custom_imports.imports": ["imported_by_option"]})
    assert os.environ["SEEN"] == "yes"
    monkeypatch.delenv("SEEN")


def test_a_missing_config_is_named_with_similar_ones(path):
    with pytest.raises(UsageError, match=r"smal\.py does not exist: did you mean .*small\.py\?"):
        load_config(path.with_name("smal.py"))


def test_relative_paths_are_found_from_any_folder(path, tmp_path, monkeypatch):
    root = path.parents[2]
    monkeypatch.chdir(tmp_path)
    cfg = load_config(path)
    assert cfg.train_dataloader.dataset.data_root == str(root / "dataset" / "phantom")
    assert cfg.train_dataloader.dataset.ann_file == "annotations/train.json"
    assert cfg.work_dir == str(root / "work_dirs" / "small")
    monkeypatch.chdir(root)
    cfg = load_config(path)
    assert cfg.train_dataloader.dataset.data_root == "dataset/phantom"
    assert cfg.work_dir == "work_dirs/small"


def test_a_path_below_the_current_folder_goes_first(path, tmp_path, monkeypatch):
    (tmp_path / "dataset" / "phantom").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert load_config(path).val_dataloader.dataset.data_root == "dataset/phantom"


def test_the_repository_is_found_from_a_dumped_config(path, monkeypatch, tmp_path):
    root = path.parents[2]
    assert repository_of(root / "work_dirs" / "small" / "small.py") == root
    monkeypatch.chdir(tmp_path)
    assert repository_of(Path("/nowhere/small.py")) == Path()


def test_a_missing_checkpoint_is_named_with_those_of_the_run(tmp_path):
    (tmp_path / "epoch_2.pth").touch()
    with pytest.raises(UsageError, match=r"x\.pth does not exist: .* holds .*epoch_2\.pth"):
        check_checkpoint("x.pth", str(tmp_path))
    for there in (str(tmp_path / "epoch_2.pth"), "https://host/weights.pth"):
        assert check_checkpoint(there, str(tmp_path)) == there


def test_the_config_of_the_file_stays_as_it_is(path):
    before = Config.fromfile(path).pretty_text
    load_config(path, {"train_dataloader.batch_size": 7})
    assert Config.fromfile(path).pretty_text == before
