from itertools import chain

import pytest

from mammography.functional.parameter_groups import cut_in_groups


@pytest.mark.parametrize(("total", "count"), [(344, 42), (42, 42), (10, 3), (5, 1)])
def test_all_names_are_in_one_group_in_order_and_the_last_takes_the_rest(total, count):
    names = [f"p{i}" for i in range(total)]
    groups = cut_in_groups(names, count)
    assert list(chain(*groups)) == names
    assert {len(group) for group in groups[:-1]} <= {total // count}
    assert len(groups[-1]) == total // count + total % count


@pytest.mark.parametrize("count", [0, 4])
def test_more_groups_than_names_are_refused(count):
    with pytest.raises(ValueError, match=rf"between 1 and .* \(3\), got {count}"):
        cut_in_groups(["a", "b", "c"], count)
