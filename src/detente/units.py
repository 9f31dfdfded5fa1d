"""Units: whole numbers inside, the units people use at the border.

Length is an integer count of 0.1 mm, because 1 ft = 3048 of them and 1 m = 10,000: feet, metres,
flight levels and nautical miles are all exact. Time is an integer count of microseconds since
1970-01-01T00:00:00Z (POSIX: no leap seconds). Angles are integer counts of 1e-9 degree. All of them
fit the 53 bits of an RFC 8785 number.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from detente.errors import UsageError, shown

TENTH_MM_PER_FT = 3048  # the international foot, 0.3048 m exactly
TENTH_MM_PER_M = 10_000
TENTH_MM_PER_NM = 18_520_000  # the international nautical mile, 1852 m exactly
TENTH_MM_PER_FL = 100 * TENTH_MM_PER_FT  # a flight level is a hundred feet of pressure altitude
US_PER_S = 1_000_000
NANODEG_PER_DEG = 1_000_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_NAIVE = datetime(1970, 1, 1)
# hours to 23: newer readers of ISO 8601 take 24:00 for the next day
_RFC3339_Z = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)


def parse_time(text: object, *, field: str = "time") -> int:
    """Microseconds since the epoch of an RFC 3339 time in Z.

    Args:
        text: e.g. ``"2018-09-17T18:39:00Z"``; up to six decimals; no other offset than Z, because
            a local time in a notice has cost hours before.
        field: the name an error shows.

    Raises:
        UsageError: not a string of that form, or not a date that exists.

    Source: RFC 3339, section 5.6.

    Example:
        >>> parse_time("1970-01-01T00:00:01.5Z")
        1500000
    """
    match = _RFC3339_Z.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise UsageError(
            "time-malformed",
            f"time is {shown(text)}; it must be RFC 3339 in UTC, such as 2018-09-17T18:39:00Z",
            field=field,
        )
    try:
        moment = datetime.fromisoformat(match[0])
    except ValueError as error:
        raise UsageError(
            "time-malformed",
            f"time is {shown(text)}; it must be a date that exists ({error})",
            field=field,
        ) from None
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * US_PER_S + since.microseconds


def format_time(time_us: int) -> str:
    """RFC 3339 in Z; whole seconds without decimals, else exactly six.

    Example:
        >>> format_time(1500000), format_time(0)
        ('1970-01-01T00:00:01.500000Z', '1970-01-01T00:00:00Z')
    """
    return (_EPOCH_NAIVE + timedelta(microseconds=time_us)).isoformat() + "Z"


def format_dtg(time_us: int) -> str:
    """The date-time group officers read: ``171839Z SEP 18``.

    Example:
        >>> format_dtg(parse_time("2018-09-17T18:39:00Z"))
        '171839Z SEP 18'
    """
    moment = _EPOCH + timedelta(microseconds=time_us)
    months = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
    return f"{moment.day:02d}{moment.hour:02d}{moment.minute:02d}Z {months[moment.month - 1]} {moment.year % 100:02d}"


def format_duration(seconds: float) -> str:
    """A duration as people say it: ``1 h 05 min``, ``4 min 30 s``, ``-20 s``.

    Example:
        >>> format_duration(3900), format_duration(270), format_duration(-20)
        ('1 h 05 min', '4 min 30 s', '-20 s')
    """
    sign = "-" if seconds < 0 else ""
    total = round(abs(seconds))
    days, rest = divmod(total, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, secs = divmod(rest, 60)
    if days:
        return f"{sign}{days} d {hours:02d} h"
    if hours:
        return f"{sign}{hours} h {minutes:02d} min"
    return f"{sign}{minutes} min {secs:02d} s" if minutes else f"{sign}{secs} s"
