"""Slots of a phrase as an officer types them: ``place=35.5N 35.8E``, ``altitude=FL 250``, ``duration=5 min``."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from detente.airspace.altitude import parse_altitude
from detente.errors import UsageError, shown
from detente.interop.pasted import read_pasted
from detente.units import NANODEG_PER_DEG, format_time, parse_time

_LEVEL = re.compile(r"FL ?(\d{1,3})", re.IGNORECASE)
_ALTITUDE = re.compile(r"(-?[\d,]+(?:\.\d+)?) ?(ft|m) (MSL|WGS84|AGL|STD)", re.IGNORECASE)
_DURATION = re.compile(
    r"(?:(\d+) ?d)? ?(?:(\d+) ?h)? ?(?:(\d+) ?min)? ?(?:(\d+) ?s)?", re.IGNORECASE
)
_UNITS_S = (86_400, 3600, 60, 1)


def parse_slots(given: list[str]) -> dict[str, Any]:
    """Slots as they travel.

    Raises:
        UsageError: ``slot-malformed``, or what reading a position or a time raises.

    Example:
        >>> parse_slots(["callsign=CEDAR 12", "duration=4 min 30 s", "altitude=FL 250"])["duration"]
        270
    """
    found: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or name in found:
            raise UsageError(
                "slot-malformed",
                f"slot is {shown(one)}; it must be NAME=VALUE, each name once",
                field="--slot",
            )
        found[name] = _parse(name, text.strip())
    return found


def _parse(name: str, text: str) -> Any:
    match name.partition("-")[0]:
        case "place":
            return parse_place(text)
        case "time":
            return format_time(parse_time(text, field=f"--slot {name}"))
        case "altitude":
            return _altitude(name, text)
        case "number" if text.isdecimal():
            return int(text)
        case "duration":
            return _duration(name, text)
        case _:
            return text


def parse_place(text: str) -> dict[str, int]:
    """One position in any notation, in 1e-9 degree.

    Raises:
        UsageError: ``slot-malformed``: none, or more than one.
    """
    positions = read_pasted(text.encode()).positions
    if len(positions) != 1:
        raise UsageError(
            "slot-malformed",
            f"place is {shown(text)}, which has {len(positions)} positions; it must have one",
            field="--slot place",
        )
    lat, lon = positions[0].lat, positions[0].lon
    return {
        "lat": round(Fraction(lat) * NANODEG_PER_DEG),
        "lon": round(Fraction(lon) * NANODEG_PER_DEG),
    }


def _altitude(name: str, text: str) -> dict[str, object]:
    level, match = _LEVEL.fullmatch(text), _ALTITUDE.fullmatch(text)
    if level is not None:
        given: dict[str, object] = {"value": int(level[1]), "unit": "FL", "datum": "STD"}
    elif match is not None:
        number = match[1].replace(",", "")
        value = float(number) if "." in number else int(number)
        given = {"value": value, "unit": match[2].lower(), "datum": match[3].upper()}
    else:
        raise UsageError(
            "slot-malformed",
            f"altitude is {shown(text)}; it must be such as 'FL 250', '5000 ft MSL' or '300 m AGL'",
            field=f"--slot {name}",
        )
    return parse_altitude(given, field=f"--slot {name}").body()


def _duration(name: str, text: str) -> int:
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise UsageError(
            "slot-malformed",
            f"duration is {shown(text)}; it must be such as '5 min', '1 h 30 min' or '45 s'",
            field=f"--slot {name}",
        )
    return sum(
        int(count) * unit_s
        for count, unit_s in zip(match.groups(), _UNITS_S, strict=True)
        if count is not None
    )
