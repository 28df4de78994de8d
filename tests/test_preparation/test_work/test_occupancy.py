import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from mammography.preparation.work.occupancy import OccupiedError, occupy


@pytest.mark.parametrize(("first", "second"), [(True, True), (True, False), (False, True)])
def test_nobody_works_beside_one_who_is_alone(tmp_path, first, second):
    lock = tmp_path / "private" / "lock"
    with (
        occupy(tmp_path, lock, alone=first),
        pytest.raises(OccupiedError, match=f"{tmp_path}: no other call may work there"),
        occupy(tmp_path, lock, alone=second),
    ):
        pass
    with occupy(tmp_path, lock, alone=second):
        pass


def test_others_may_work_beside_those_who_share(tmp_path):
    lock = tmp_path / "lock"
    with occupy(tmp_path, lock, alone=False), occupy(tmp_path, lock, alone=False):
        pass


def test_the_place_of_a_process_that_was_killed_is_free(tmp_path):
    lock = tmp_path / "lock"
    code = (
        "import sys, time; from pathlib import Path\n"
        "from mammography.preparation.work.occupancy import occupy\n"
        "with occupy(Path('x'), Path(sys.argv[1]), alone=True):\n"
        "    print('here', flush=True); time.sleep(60)\n"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE)
    assert other.stdout.readline() == b"here\n"
    with pytest.raises(OccupiedError), occupy(tmp_path, lock, alone=True):
        pass
    os.kill(other.pid, signal.SIGKILL)
    other.communicate()
    with occupy(tmp_path, lock, alone=True):
        pass


def test_a_disk_without_locks_is_told_and_worked_on(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with occupy(tmp_path, tmp_path / "lock", alone=True):
        pass
    assert f"{tmp_path}: the disk knows no locks: see that no other call" in caplog.text


def test_any_other_trouble_of_the_disk_is_an_error(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(OSError, match="Input/output error"),
        occupy(tmp_path, tmp_path / "lock", alone=True),
    ):
        pass
