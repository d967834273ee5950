"""Formats of times: RFC 3339, ISO 8601 durations, HTTP dates."""

from __future__ import annotations

import re

from dynclient._expressions import expression

_DATE = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.[0-9]+)?"
_OFFSET = r"(?:[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2}))"
_IS_DATE = expression(_DATE)
_IS_TIME = expression(_CLOCK + _OFFSET)
_IS_LOCAL_TIME = expression(_CLOCK)
_IS_DATE_TIME = expression(f"{_DATE}[Tt ]{_CLOCK}{_OFFSET}")
_IS_LOCAL_DATE_TIME = expression(f"{_DATE}[Tt ]{_CLOCK}")
# RFC 3339, Appendix A; fractions of the last unit as ISO 8601 has them, which is what producers write.
_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
_DURATION = expression(
    rf"-?P(?=[0-9T])(?:[0-9]+W|(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?=[0-9])(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?)"
)
USUAL_DATE = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
"""What most dates look like, told at once."""
USUAL_DATE_TIME = (
    USUAL_DATE + r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
"""What most date-times look like."""
_IS_USUAL_DATE_TIME = expression(USUAL_DATE_TIME)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905 - reads better
_HTTP_DATE = expression(
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?P<day>[0-9]{{2}}) (?P<month>{'|'.join(_MONTHS)}) (?P<year>[0-9]{{4}}) "
    rf"{_CLOCK} GMT"
)


def is_date(text: str) -> bool:
    """RFC 3339, 5.6: full-date."""
    found = _IS_DATE.fullmatch(text)
    return found is not None and _has_day(int(found["year"]), int(found["month"]), int(found["day"]))


def is_time(text: str) -> bool:
    """RFC 3339, 5.6: full-time."""
    found = _IS_TIME.fullmatch(text)
    return found is not None and _is_clock(found) and _is_offset(found)


def is_full_or_local_time(text: str) -> bool:
    """RFC 3339, 5.6: full-time, or partial-time.

    JSON Schema has full-time alone; but most who write ``format: time`` mean a time of day, which has no offset, and
    that is what their servers send.
    """
    return is_time(text) or is_local_time(text)


def is_local_time(text: str) -> bool:
    """RFC 3339, 5.6: partial-time."""
    found = _IS_LOCAL_TIME.fullmatch(text)
    return found is not None and _is_clock(found)


def is_date_time(text: str) -> bool:
    """RFC 3339, 5.6: date-time."""
    if _IS_USUAL_DATE_TIME.fullmatch(text):
        return True
    found = _IS_DATE_TIME.fullmatch(text)
    if found is None or text[10] == " ":
        return False
    has_day = _has_day(int(found["year"]), int(found["month"]), int(found["day"]))
    return has_day and _is_clock(found) and _is_offset(found)


def is_local_date_time(text: str) -> bool:
    """RFC 3339, 5.6: full-date and partial-time."""
    found = _IS_LOCAL_DATE_TIME.fullmatch(text)
    if found is None or text[10] == " ":
        return False
    return _has_day(int(found["year"]), int(found["month"]), int(found["day"])) and _is_clock(found)


def is_duration(text: str) -> bool:
    """RFC 3339, Appendix A."""
    return text.isascii() and _DURATION.fullmatch(text) is not None


def is_http_date(text: str) -> bool:
    """RFC 9110, 5.6.7: IMF-fixdate."""
    found = _HTTP_DATE.fullmatch(text)
    if found is None:
        return False
    month = _MONTHS.index(found["month"]) + 1
    return _has_day(int(found["year"]), month, int(found["day"])) and _is_clock(found)


def _has_day(year: int, month: int, day: int) -> bool:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] - (month == 2 and not leap)  # noqa: PLR2004


def _is_offset(found: re.Match[str]) -> bool:
    return found["sign"] is None or (int(found["hours"]) < 24 and int(found["minutes"]) < 60)  # noqa: PLR2004


def _is_clock(found: re.Match[str]) -> bool:
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"])
    if hour > 23 or minute > 59:  # noqa: PLR2004
        return False
    if second < 60:  # noqa: PLR2004
        return True
    # RFC 3339, 5.7: a leap second is the last of a day in UTC.
    groups = found.groupdict()
    if groups.get("sign"):
        offset = int(groups["hours"]) * 60 + int(groups["minutes"])
        minutes = hour * 60 + minute - (offset if groups["sign"] == "+" else -offset)
    else:
        minutes = hour * 60 + minute
    return second == 60 and minutes % 1440 == 1439  # noqa: PLR2004
