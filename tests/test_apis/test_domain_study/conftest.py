"""A repository with two hospitals and a config, written once."""

import shutil

import pytest

from domain_study_case import write_study


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """Return it; tests leave it as it is, but for the study file."""
    root = tmp_path_factory.mktemp("repository")
    write_study(root, patients=8)
    return root


@pytest.fixture
def root(repository, tmp_path, monkeypatch):
    """Return a copy of it that is the current folder."""
    copied = shutil.copytree(repository, tmp_path / "repository")
    monkeypatch.chdir(copied)
    return copied
