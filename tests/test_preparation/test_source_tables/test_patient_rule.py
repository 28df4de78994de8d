"""Who a row is of."""

import pytest

from mammography.preparation.source_tables.patient_rule import count_alike


@pytest.mark.parametrize("other", ["007", "7"])
def test_identifiers_that_differ_in_zeros_or_case_only_are_told_once(caplog, other):
    assert count_alike("end2end", ["csaw/7", f"CSAW/{other}", "csaw/70", "embed/7"]) == 1
    assert f"CSAW/{other} = csaw/7" in caplog.text


@pytest.mark.parametrize("other", ["70", "1007", "7_R", "8"])
def test_other_identifiers_are_of_others(caplog, other):
    assert count_alike("end2end", ["7", "7", other]) == 0
    assert not caplog.records
