import os
import sys
import time

import pytest

from crashing_work import CrashingWork, fail, fail_oddly, interrupt, note_process, square
from mammography.preparation.work.companion import Companion, Company


@pytest.fixture
def company():
    with Company() as company:
        yield company


def test_the_work_is_done_in_one_other_process_without_threads_of_its_own(tmp_path, company):
    told = []
    for name in ("a", "b"):
        assert company.do(note_process, tmp_path / name)
        told.append((tmp_path / name).read_text())
    assert told[0] == told[1]
    process, parent, threads = told[0].split()
    assert (int(parent), threads) == (os.getpid(), "1")
    assert int(process) != os.getpid()


def test_a_call_that_ends_its_process_every_time_is_not_done_and_the_next_one_is(tmp_path, company):
    work = CrashingWork(tmp_path, 3)
    assert [company.do(work, item) for item in (1, 3, 5)] == [True, False, True]


def test_the_errors_of_the_work_arrive_with_the_place_where_they_arose(company):
    with pytest.raises(FileNotFoundError, match=r"No such file or directory: 'x\.dcm'") as caught:
        company.do(fail, "x")
    assert "in fail" in caught.value.__notes__[0]
    assert company.do(square, 2)


def test_an_error_that_cannot_travel_arrives_as_text(company):
    with pytest.raises(RuntimeError, match="OddError: 1 and 2"):
        company.do(fail_oddly, 1)


def test_ctrl_c_does_not_reach_the_work_before_it_is_done(tmp_path, company):
    assert company.do(interrupt, tmp_path / "done")
    assert (tmp_path / "done").exists()


def test_a_process_that_was_idle_for_long_ends_and_a_new_one_takes_the_next_call(tmp_path):
    one = Companion(idle_s=0.1)
    assert one.do(note_process, tmp_path / "a")
    first = int((tmp_path / "a").read_text().split()[0])
    deadline = time.monotonic() + 20
    while one._process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert one._process.returncode == 0
    assert one.do(note_process, tmp_path / "a")
    assert int((tmp_path / "a").read_text().split()[0]) != first
    one.dismiss()


def test_dismissed_processes_end(tmp_path):
    with Company() as company:
        company.do(note_process, tmp_path / "a")
        process = int((tmp_path / "a").read_text().split()[0])
        os.kill(process, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_process_that_cannot_be_started_is_an_error_and_no_fatal_item(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(OSError, match="a process beside this one could not be started"):
        Companion().do(square, 2)
