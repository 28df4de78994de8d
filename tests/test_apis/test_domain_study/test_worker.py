"""Jobs in a process beside this one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mammography.apis.domain_study.worker import JobError, Worker
from study_jobs import fail, print_and_fail, same_process


def test_a_process_is_kept_from_job_to_job_and_replaced_after_a_failure():
    with Worker() as worker:
        first = worker.do(os.getpid)
        assert first != os.getpid()
        assert worker.do(os.getpid) == first
        with pytest.raises(JobError, match=r"^ValueError: the second line is in the details$"):
            worker.do(fail)
        assert worker.do(os.getpid) != first


def test_a_new_process_takes_over_after_some_jobs():
    with Worker(jobs=2) as worker:
        first, second, third, fourth = (worker.do(os.getpid) for _ in range(4))
    assert first == second != third == fourth


def test_a_failure_tells_where_it_was():
    with Worker() as worker, pytest.raises(JobError) as failed:
        worker.do(fail)
    assert "study_jobs.py" in failed.value.details
    assert "and more" in failed.value.details


def test_a_process_that_dies_is_a_failed_job_and_no_more():
    with Worker() as worker:
        process = worker.do(os.getpid)
        with pytest.raises(JobError, match="died, exit code 7"):
            worker.do(os._exit, 7)
        with pytest.raises(JobError, match=r"exit code -9 \(killed, perhaps for its memory\)"):
            worker.do(same_process, signal.SIGKILL)
        assert worker.do(os.getpid) != process


def test_what_a_job_prints_goes_to_its_file(tmp_path, capfd):
    log = tmp_path / "cell" / "console.log"
    with Worker() as worker, pytest.raises(JobError):
        worker.do(print_and_fail, log=log)
    assert log.read_text() == "from Python\nfrom a child\n"
    assert "from" not in capfd.readouterr().out


def test_nothing_is_left_after_it():
    with Worker() as worker:
        process = worker.do(os.getpid)
    assert not _lives(process)
    worker = Worker()
    process = worker.do(os.getpid)
    worker.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not _lives(process)


def test_it_ends_with_the_process_that_started_it(tmp_path):
    code = (
        "import os, sys\n"
        "from mammography.apis.domain_study.worker import Worker\n"
        "from study_jobs import tell_and_wait\n"
        "if __name__ == '__main__':\n"
        "    with Worker() as worker:\n"
        "        worker.do(tell_and_wait, sys.argv[1])\n"
    )
    script, note = tmp_path / "parent.py", tmp_path / "pid"
    script.write_text(code)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, script, note], env=environment)
    process = int(_wait_for(lambda: note.exists() and note.read_text()))
    parent.kill()
    parent.wait()
    assert _wait_for(lambda: not _lives(process))


def _lives(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/status")  # of one that waits to be buried, on Linux
    return not status.exists() or "zombie" not in status.read_text()


def _wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    return condition()
