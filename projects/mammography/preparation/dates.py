"""Whether a cell or an attribute holds a date, in whatever way people write one."""

import re
from datetime import date, datetime

_YEAR, _MONTH, _DAY = r"(19|20)\d\d", r"(0[1-9]|1[0-2])", r"(0[1-9]|[12]\d|3[01])"
_UP_TO_31 = r"(0?[1-9]|[12]\d|3[01])"
_NAME = (
    r"(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(t(ember)?)?"
    r"|oct(ober)?|nov(ember)?|dec(ember)?)"
)
_DATE = re.compile(
    rf"(?<![\d.]){_YEAR}{_MONTH}{_DAY}(\d\d){{0,3}}(?!\d)"  # 20260131, 20260131101500
    rf"|(?<!\d){_YEAR}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?!\d)"  # 2026-01-31
    rf"|(?<![\d.]){_UP_TO_31}(?P<sep>[-/.]){_UP_TO_31}(?P=sep)({_YEAR}|\d\d)(?!\d|\.\d)"  # 31.1.26
    rf"|(?<!\d){_YEAR}[-/]{_MONTH}(?!\d)"  # 2026-01
    rf"|(?<!\d)(0?[1-9]|1[0-2])[-/]{_YEAR}(?!\d)"  # 01/2026
    rf"|\b{_NAME}\b\W*(\d{{1,2}}\W+)?{_YEAR}(?!\d)"  # January 31, 2026; Jan 2026
    rf"|(?<!\d)\d{{1,2}}\W*{_NAME}\b\W*({_YEAR}|\d\d)(?!\d)",  # 31-Jan-26
    re.IGNORECASE,
)


def holds_date(value: object) -> bool:
    """Whether a value is a date or text with one in it; a year alone is none.

    Example:
        >>> [holds_date(v) for v in (20260131, "seen 31.1.26", "31-Jan-2026", "1956", "2026.5")]
        [True, True, True, False, False]
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return isinstance(value, date | datetime) or bool(_DATE.search(str(value)))
