from datetime import date, datetime

import pytest

from mammography.preparation.dates import holds_date


@pytest.mark.parametrize(
    "value",
    [
        "20260131", 20260131, 20260131.0, "20260131.0", "20260131101500", "20260131 1015",
        "2026-01-31", "2026-1-5", "2026.01.31", "2026-01-31T10:00", "31.01.2026", "31.1.26",
        "1/31/2026 0:00", "24/01/31", "*12.4.1956 ?", "GE 2010-03-04", "31-Jan-2026", "31-Jan-26",
        "31 January 2026", "3rd May 2019", "Jan 31, 2026", "Sept. 3, 2019", "January 2026",
        "2026-01", "03/2020", date(2026, 1, 31), datetime(2026, 1, 31, 10),
    ],
)  # fmt: skip
def test_a_date_is_found_in_whatever_way_it_is_written(value):
    assert holds_date(value)


@pytest.mark.parametrize(
    "value",
    [
        "54", 54.5, "1956", 1956, "-5", "0.20260131", "1950.10", "123456789", "19991399", "pT2",
        "2/3", "10/12", "50-59", "50-59-60", "1.5.3", "3.1.22.7", "056Y", "C50.411", "BI-RADS 4a",
        "margin 10", "decile 10", "may 20", "GE 2000D", "Senographe ADS_17.4.5", True, None,
    ],
)  # fmt: skip
def test_what_is_no_date_is_none(value):
    assert not holds_date(value)
