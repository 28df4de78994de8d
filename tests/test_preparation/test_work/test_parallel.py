import pytest
from tqdm import tqdm

from crashing_work import CrashingWork
from mammography.preparation.work.parallel import for_each


def run(work, items, workers):
    with tqdm(total=len(items), disable=True) as bar:
        return for_each(work, items, workers, bar)


def done(folder):
    return {int(path.name): path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_every_item_is_worked_on_once(tmp_path, workers):
    assert run(CrashingWork(tmp_path), range(9), workers) == []
    assert done(tmp_path) == dict.fromkeys(range(9), "x")


@pytest.mark.parametrize(("workers", "number", "fatal"), [(1, 8, [7]), (2, 15, [7, 14])])
def test_items_that_end_their_process_are_named_and_no_other_is_lost(
    tmp_path, workers, number, fatal
):
    items = range(1, number + 1)
    assert sorted(run(CrashingWork(tmp_path, 7), items, workers)) == fatal
    assert set(done(tmp_path)) == set(items) - set(fatal)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_item_whose_process_was_killed_by_chance_is_tried_again(tmp_path, workers):
    work = CrashingWork(tmp_path, 7, mercy=2)
    assert run(work, range(1, 9), workers) == []
    assert {path.name for path in tmp_path.glob("[0-9]*")} == set(map(str, range(1, 9)))
    assert (tmp_path / "deaths of 7").read_text() == "xx"


def test_an_error_of_the_work_ends_the_run(tmp_path):
    with pytest.raises(OSError, match="no space left"):
        run(CrashingWork(tmp_path, 7, error=True), range(1, 16), 2)
