from pathlib import Path

import pytest

from mammography.preparation.work import witness
from mammography.preparation.work.witness import Witness, WitnessError


def test_a_machine_that_sees_the_same_may_help(tmp_path, monkeypatch):
    (tmp_path / "a.dcm").write_bytes(b"123")
    monkeypatch.chdir(tmp_path)
    told = Witness.of([(tmp_path / "a.dcm").relative_to(tmp_path)])
    monkeypatch.chdir("/")
    told.check()


@pytest.mark.parametrize("content", [None, b"", b"1234"])
def test_a_file_that_is_absent_or_another_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "a.dcm"
    path.write_bytes(b"123")
    told = Witness.of([path])
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WitnessError, match=r"must see the disk of this machine .*/a\.dcm: use"):
        told.check()


def test_another_version_is_an_error_that_names_both(monkeypatch):
    told = Witness.of([Path(__file__)])  # Not the one of another test: a process looks once.
    versions = dict(told.versions) | {"opencv-python": "4.10.0.84"}
    monkeypatch.setattr(witness, "find_versions", lambda: versions)
    here = dict(told.versions)["opencv-python"]
    with pytest.raises(WitnessError, match=f"one has opencv-python 4.10.0.84 for {here}: install"):
        told.check()


def test_a_process_looks_once(tmp_path):
    path = tmp_path / "probe"
    path.touch()
    told = Witness.of([path])
    told.check()
    path.unlink()
    told.check()
