import pytest

from crashing_work import square, square_or_die_at_three
from mammography.preparation.work.gather import gather


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers):
    assert gather(square, [5, 2, 9], workers) == [{"square": [n * n, None]} for n in (5, 2, 9)]


def test_an_item_that_ends_its_process_has_no_result_and_the_others_have_theirs():
    expected = [None if n == 3 else square(n) for n in range(6)]
    assert gather(square_or_die_at_three, list(range(6)), 2) == expected


def test_no_worker_is_refused():
    with pytest.raises(ValueError, match="--workers must be at least 1, got 0"):
        gather(square, [1], 0)
