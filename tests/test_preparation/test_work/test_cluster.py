"""The same work on a Dask cluster: two processes of this machine stand for many machines."""

import os
import signal
import sys
import threading
import time

import pytest
from tqdm import tqdm

from crashing_work import CrashingWork, WorkThatKillsItsParent
from mammography.preparation.work import cluster
from mammography.preparation.work.cluster import ClusterError, for_each_on_cluster
from mammography.preparation.work.crew import Crew
from mammography.preparation.work.witness import Witness
from table_study import output_bytes, write_table_study

distributed = pytest.importorskip("distributed", reason="needs the extra dask")


def local_cluster(workers):
    return distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=":0", protocol="tcp"
    )


@pytest.fixture(scope="module")
def two_workers():
    """A cluster of two processes; a nanny starts a new one for one that dies."""
    with local_cluster(2) as local:
        yield local


@pytest.fixture
def no_workers(monkeypatch):
    monkeypatch.setattr(cluster, "_LOOK_S", 0.05)
    monkeypatch.setattr(cluster, "_CONNECT_S", 2.0)
    with local_cluster(0) as local:
        yield local


def run(local, work, items, witnesses=()):
    """Return what is fatal, and how far the progress bar came."""
    with tqdm(total=len(items), disable=True) as bar:
        steps = []
        bar.update = lambda number=1: steps.append(number)
        fatal = for_each_on_cluster(work, items, local.scheduler_address, witnesses, bar)
    return fatal, sum(steps)


def done(folder):
    return {int(path.name) for path in folder.iterdir()}


def kill_a_worker(local, is_time):
    """Kill one of the workers in the background as soon as it is time."""
    victim = min(pids(local))

    def kill():
        while not is_time():
            time.sleep(0.001)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    return killer


def test_every_item_is_worked_on_once(tmp_path, two_workers):
    assert run(two_workers, CrashingWork(tmp_path), range(40)) == ([], 40)
    assert {path.read_text() for path in tmp_path.iterdir()} == {"x"}
    assert done(tmp_path) == set(range(40))


def test_a_worker_that_is_killed_half_way_loses_nothing(tmp_path, two_workers):
    killer = kill_a_worker(two_workers, lambda: len(list(tmp_path.iterdir())) >= 10)
    assert run(two_workers, CrashingWork(tmp_path, pause_s=0.05), range(40)) == ([], 40)
    killer.join()
    assert done(tmp_path) == set(range(40))


def test_a_source_is_prepared_to_the_same_bytes_though_a_worker_is_killed(
    tmp_path, prepare, two_workers, monkeypatch
):
    study = write_table_study(tmp_path / "source", images=40)
    prepare(tmp_path / "here" / "study", root=study, cache="npy")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")  # Workers are elsewhere: paths must not depend on it.
    images = tmp_path / "there" / "study" / "images"
    killer = kill_a_worker(two_workers, lambda: len(list(images.glob("*.png"))) >= 10)
    source = os.path.relpath(study)
    summary = prepare(
        type(images)("study"),
        root=type(images)(source),
        scheduler=two_workers.scheduler_address,
        cache="npy",
    )
    assert not killer.is_alive(), "the work was done before the worker was killed"
    assert (summary.counts["images"], summary.rejected, summary.reused) == (40, {}, 0)
    assert output_bytes(tmp_path / "there" / "study") == output_bytes(tmp_path / "here" / "study")
    assert not list((tmp_path / "there" / "study" / ".journal").glob("probe*"))


def pids(local):
    with distributed.Client(local, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=30)  # A test before this one may have killed one.
        return set(client.run(os.getpid).values())


def test_an_item_that_ends_its_process_is_named_and_harms_no_worker(tmp_path, two_workers):
    before = pids(two_workers)
    fatal, steps = run(two_workers, CrashingWork(tmp_path, 7), range(1, 21))
    assert (sorted(fatal), steps) == ([7, 14], 20)
    assert done(tmp_path) == set(range(1, 21)) - {7, 14}
    assert pids(two_workers) == before


def test_what_dask_gives_up_since_workers_died_with_it_is_done_here(
    tmp_path, two_workers, monkeypatch
):
    # By default it takes four deaths; and what waits on the same worker is given up as well.
    monkeypatch.setattr(two_workers.scheduler, "allowed_failures", 0)
    assert run(two_workers, WorkThatKillsItsParent(tmp_path, 7), range(1, 21)) == ([], 20)
    (tmp_path / "was here").unlink()
    assert done(tmp_path) == set(range(1, 21))


def test_only_some_items_are_under_way_at_any_time(tmp_path, two_workers):
    ahead = []

    class Watched(list):
        def __iter__(self):
            for number, item in enumerate(super().__iter__()):
                ahead.append(number - len(list(tmp_path.iterdir())))
                yield item

    items = Watched(range(60))
    assert run(two_workers, CrashingWork(tmp_path, pause_s=0.005), items) == ([], 60)
    assert max(ahead) <= cluster._PER_THREAD * 2


def test_an_error_of_the_work_ends_the_run(tmp_path, two_workers):
    with pytest.raises(OSError, match="no space left"):
        run(two_workers, CrashingWork(tmp_path, 7, error=True), range(1, 16))


def test_a_worker_that_sees_another_disk_is_an_error_and_no_rejection(
    tmp_path, two_workers, monkeypatch
):
    elsewhere = Witness(((str(tmp_path / "lock"), 3),), ())
    monkeypatch.setattr(Witness, "of", lambda files: elsewhere)
    with pytest.raises(ClusterError, match=r"--scheduler: every worker must see the disk .*lock"):
        run(two_workers, CrashingWork(tmp_path), range(4))
    assert done(tmp_path) == set()


def test_a_worker_without_the_package_is_an_error_that_says_so(two_workers, monkeypatch):
    def absent(item):
        return item

    module = type(sys)("absent_on_workers")
    module.absent, absent.__module__, absent.__qualname__ = absent, module.__name__, "absent"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with pytest.raises(ClusterError, match=r"a worker cannot do the work .*: install mammography"):
        run(two_workers, absent, range(4))


def test_a_cluster_without_workers_is_waited_for_but_not_for_ever(
    tmp_path, no_workers, monkeypatch, caplog
):
    monkeypatch.setattr(cluster, "_PATIENCE_S", 0.2)
    with pytest.raises(ClusterError, match="the cluster must have workers, it had none for"):
        run(no_workers, CrashingWork(tmp_path), range(4))
    assert "the cluster has no worker: waiting for one" in caplog.text


def test_a_scheduler_that_is_lost_is_an_error_that_says_how_to_go_on(tmp_path, no_workers):
    closing = threading.Timer(0.5, no_workers.close)
    closing.start()
    with pytest.raises(OSError, match="the scheduler was lost: the same command goes on"):
        run(no_workers, CrashingWork(tmp_path), range(4))
    closing.join()


def test_an_address_without_scheduler_is_an_error_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT_S", 0.5)
    with (
        pytest.raises(
            ClusterError,
            match=r"must be the address of a Dask scheduler .*127.0.0.1:9 .*: dask scheduler",
        ),
        tqdm(disable=True) as bar,
    ):
        for_each_on_cluster(CrashingWork(tmp_path), [1], "tcp://127.0.0.1:9", (), bar)


def test_where_nothing_is_left_to_do_nobody_asks_for_a_cluster(tmp_path, prepare):
    prepare(tmp_path / "study")
    assert prepare(tmp_path / "study", scheduler="tcp://127.0.0.1:9").reused == 8


def test_without_dask_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'mammography\[dask\]'"):
        Crew(scheduler="tcp://host:8786")


def test_a_cluster_and_workers_of_this_machine_exclude_each_other():
    with pytest.raises(ValueError, match="--workers must not be given with --scheduler, got 2"):
        Crew(2, "tcp://host:8786")
