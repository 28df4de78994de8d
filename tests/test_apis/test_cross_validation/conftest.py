"""A hospital with a config, written once."""

import shutil

import pytest

from domain_study_case import write_config, write_hospital


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """Return the folder; tests leave it as it is."""
    root = tmp_path_factory.mktemp("repository")
    write_hospital(root / "dataset" / "near", 40, 16000, seed=1)
    loaders = ("train_dataloader", "val_dataloader", "test_dataloader")
    write_config(
        root / "configs" / "small.py",
        **{f"{loader}.dataset.data_root": "dataset/near" for loader in loaders},
    )
    return root


@pytest.fixture
def root(repository, tmp_path, monkeypatch):
    """Return a copy of it that is the current folder."""
    copied = shutil.copytree(repository, tmp_path / "repository")
    monkeypatch.chdir(copied)
    return copied
