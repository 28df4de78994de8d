import pytest
import torch

import ssl_cases
from mammography.functional.distributed import gather_rows, max_over_processes, sum_over_processes
from ranks import run_on_ranks


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    return run_on_ranks(ssl_cases.functional_cases, tmp_path_factory.mktemp("ranks"))


def test_without_a_process_group_every_reduction_is_the_identity():
    x = torch.rand(3, 2)
    for reduce in (sum_over_processes, max_over_processes, gather_rows):
        torch.testing.assert_close(reduce(x), x, rtol=0, atol=0)


def test_reductions_join_the_rows_of_all_ranks_in_order(ranks):
    rows = torch.arange(8.0).reshape(4, 2)
    for rank in ranks:
        found = rank["reductions"]
        assert torch.equal(found["sum"], rows.sum(dim=0))
        assert torch.equal(found["max"], rows[-1])
        assert torch.equal(found["rows"], rows)
        assert torch.equal(found["columns"], rows.T)


@pytest.mark.parametrize("method", ["barlow_twins", "swav"])
def test_gradient_of_two_processes_is_that_of_one(ranks, method):
    alone = ssl_cases.functional_cases()[method]
    assert alone["gradient"].abs().max() > 1e-3
    for rank in ranks:
        torch.testing.assert_close(rank[method], alone, rtol=1e-9, atol=1e-9)


def test_codes_of_unequal_shares_are_those_of_the_joined_batch(ranks):
    joined = torch.cat([rank["codes"] for rank in ranks])
    torch.testing.assert_close(joined, ssl_cases.codes(), rtol=1e-9, atol=1e-12)
    # The shares alone would be balanced differently: the reduction matters.
    apart = torch.cat([ssl_cases.assign_sinkhorn(x) for x in ssl_cases.draw(3, 11, 5).chunk(2)])
    assert (joined - apart).abs().max() > 0.05
