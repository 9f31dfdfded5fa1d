"""A NOTAM's place, band and times.

The qualifier line gives a circle that surely holds all of it, in whole minutes and miles; the text of item E
often gives the true area. Where E has one it is taken, and a note names the circle. Words that bind nothing to
a time (PERM, EST) are refused: a notice has an end.

Source: ICAO Annex 15 and Doc 8126: items A to G, the qualifier line, ten-figure times in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fractions import Fraction
from typing import NoReturn

from detente.airspace.area import LonLat
from detente.airspace.position import format_dms
from detente.errors import UsageError, shown
from detente.interop.coordinates import METRES_PER_DEGREE
from detente.interop.found import (
    AltitudeRead,
    FeatureRead,
    Note,
    PositionRead,
    Reading,
    degrees,
)
from detente.interop.glyphs import plain, where
from detente.interop.sketch import circle, read_sketch
from detente.limits import READ_FEATURES
from detente.units import NANODEG_PER_DEG, US_PER_S, format_time

ITEMS = "QABCDEFG"
UNLIMITED_FL = 999  # of the qualifier line's upper limit
WHOLE_REGION_NM = 999  # of its radius: the whole region, no circle

_ITEM = re.compile(r"(?:(?<=\s)|(?<=^)|(?<=\())([QABCDEFG])\)", re.MULTILINE)
_IS_NOTAM = re.compile(r"(?:^|\s|\()Q\)\s*[A-Z]{4}\s*/", re.MULTILINE)
_CENTER = re.compile(r"(\d{4}(?:\d\d)?[NS])(\d{5}(?:\d\d)?[EW])(\d{3})", re.ASCII)
_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII)
_LEVEL = re.compile(r"FL\s?(\d{2,3})", re.ASCII)
_HEIGHT = re.compile(
    r"(\d{1,3}(?:,\d{3})|\d{1,6})\s?(FT|M)\.?(?:\s?\(?(AMSL|MSL|ALT|AGL|SFC|HGT|ASFC|GND)\)?)?",
    re.ASCII,
)
_DATUMS = {"AMSL": "MSL", "MSL": "MSL", "ALT": "MSL"}
_CORNER = r"\d{4}(?:\d\d(?:\.\d+)?)?[NS]\s?\d{5}(?:\d\d(?:\.\d+)?)?[EW]"
_RUN = re.compile(rf"{_CORNER}(?:[\s,;-]*(?:(?:TO|THENCE|THEN|AND)\s+)?{_CORNER})*", re.ASCII)
# Never begun inside another number (2,5NM is not 5NM), and of bounded length: a page of digits would cost its
# square, in one step that nothing else in the process can interrupt.
_SIZE = r"(?<![\d.])(?<!\d,)(\d{1,9}(?:\.\d{1,9})?)"
_RADIUS = re.compile(rf"{_SIZE}\s?(NM|KM|M)\b(?!\s{{0,9}}(?:AMSL|AGL))", re.ASCII)
_ROUND = re.compile(r"\b(?:RADIUS|RAD|WI|WITHIN|CIRCLE|CIRCULAR|DIAMETER)\b")
_CURVED = re.compile(r"\bARC\b|CLOCKWISE|\bCW\b|\bCCW\b")
_WIDTH = re.compile(rf"{_SIZE}\s?(NM|KM)\s{{1,9}}(WIDE|WIDTH|EITHER SIDE|EACH SIDE)", re.ASCII)


def is_notam(text: str) -> bool:
    """Whether a text has a NOTAM's qualifier line."""
    return _IS_NOTAM.search(plain(text).upper()) is not None


def parse_notam(original: str) -> Reading:
    """Place, band and times of one NOTAM.

    Raises:
        UsageError: an item is missing or wrong; `.field` names it, such as ``"item Q"``.
    """
    text = plain(original).upper()
    if len(_IS_NOTAM.findall(text)) > 1:
        raise UsageError(
            "notam-many",
            "text has more than one NOTAM; it must have one",
            hint="read them one after the other",
            field="item Q",
        )
    items = _items(text)
    notes: list[Note] = []
    center, radius_nm, levels, said = _qualifier(items["Q"])
    lower, upper = _band(items, levels, notes)
    start, end = _times(items, notes)
    if items.get("D"):
        notes.append(Note("notam-schedule", {"text": items["D"][:400]}))
    inner = _area(items.get("E", ""), notes)
    values: dict[str, str | int | float] = {"centre": format_dms(center), "radius_nm": radius_nm}
    features: list[FeatureRead]
    positions: list[PositionRead]
    if inner is not None:
        notes.append(Note("notam-circle-not-used", values))
        notes += inner.notes
        features, positions = inner.features, inner.positions
    else:
        if radius_nm == WHOLE_REGION_NM:
            _refuse("notam-region", "radius is 999, the whole region; it must be a circle", "Q")
        if radius_nm == 0:
            _refuse("notam-radius", "radius is 000; it must be 001 to 998", "Q")
        notes.append(Note("notam-circle-used", values))
        features = [circle(center, "nm", float(radius_nm))]
        positions = [_read_center(center, said)]
    for feature in features:
        _complete(feature, lower, upper, start, end)
    return Reading(
        kind="notam",
        features=features,
        positions=positions,
        lower=lower,
        upper=upper,
        start=start,
        end=end,
        notes=notes,
    )


def _complete(
    feature: FeatureRead,
    lower: AltitudeRead | None,
    upper: AltitudeRead | None,
    start: str | None,
    end: str | None,
) -> None:
    """Put band and times where a notice has them."""
    properties = feature.properties
    if lower is not None:
        properties.lower = lower
    if upper is not None:
        properties.upper = upper
    if start is not None:
        properties.start = start
    if end is not None:
        properties.end = end


def _refuse(code: str, message: str, item: str, hint: str = "") -> NoReturn:
    raise UsageError(code, message, hint=hint, field=f"item {item}")


def _items(text: str) -> dict[str, str]:
    """Item letter to what stands after it. E is words, in which "A)" may stand: order decides."""
    found: dict[str, str] = {}
    open_item, begin, wanted = "", 0, 0
    for match in _ITEM.finditer(text):
        place = ITEMS.index(match[1])
        if place < wanted or (open_item == "E" and match[1] not in "FG"):
            continue
        if open_item:
            found[open_item] = text[begin : match.start()].strip()
        open_item, begin, wanted = match[1], match.end(), place + 1
    if open_item:
        found[open_item] = text[begin:].strip()
    for item in "FG":  # the last item closes the bracket of the whole NOTAM
        if item in found:
            found[item] = (
                found[item].splitlines()[0].strip().rstrip(")").strip() if found[item] else ""
            )
    if open_item == "E":
        found["E"] = found["E"].removesuffix(")")
    return found


def _qualifier(line: str) -> tuple[LonLat, int, tuple[int, int], str]:
    parts = [part.strip() for part in re.sub(r"\s+", " ", line).split("/")]
    if len(parts) != 8:
        _refuse(
            "notam-qualifier",
            f"qualifier line has {len(parts)} parts; it must have 8: region/code/traffic/purpose/scope/"
            "lower/upper/centre and radius",
            "Q",
        )
    if not all(re.fullmatch(r"\d{3}", part, re.ASCII) for part in parts[5:7]):
        _refuse(
            "notam-qualifier",
            f"limits are {shown('/'.join(parts[5:7]))}; they must be flight levels of three digits",
            "Q",
        )
    said = parts[7].replace(" ", "")
    match = _CENTER.fullmatch(said)
    if match is None:
        _refuse(
            "notam-qualifier",
            f"centre is {shown(parts[7])}; it must be degrees and minutes and a radius of three digits",
            "Q",
            "for example 3531N03547E005",
        )
    try:
        position = read_sketch(f"{match[1]} {match[2]}").positions[0]
    except UsageError as error:
        _refuse(error.code, error.message, "Q", error.hint)
    center = (_nanodeg(position.lon), _nanodeg(position.lat))
    return center, int(match[3]), (int(parts[5]), int(parts[6])), f"{match[1]}{match[2]}"


def _nanodeg(degree: float) -> int:
    return round(Fraction(degree) * NANODEG_PER_DEG)


def _read_center(center: LonLat, said: str) -> PositionRead:
    seconds = len(said) > len("3531N03547E")
    unit = METRES_PER_DEGREE / (3600 if seconds else 60)
    return PositionRead(
        lat=degrees(center[1]),
        lon=degrees(center[0]),
        as_read=said,
        notation="dms" if seconds else "dm",
        precision_m=float(f"{unit:.3g}"),
    )


# -- the band -------------------------------------------------------------------------------------


def _band(
    items: dict[str, str], levels: tuple[int, int], notes: list[Note]
) -> tuple[AltitudeRead | None, AltitudeRead | None]:
    if not items.get("F") and not items.get("G"):
        lower, upper = levels
        notes.append(Note("notam-band-from-qualifier", {"lower_fl": lower, "upper_fl": upper}))
        low = AltitudeRead(float(lower), "FL", "STD")
        if upper == UNLIMITED_FL:
            notes.append(Note("upper-unlimited", {"item": "Q"}))
            return low, None
        return low, AltitudeRead(float(upper), "FL", "STD")
    return _edge(items.get("F", ""), "F", notes), _edge(items.get("G", ""), "G", notes)


def _edge(text: str, item: str, notes: list[Note]) -> AltitudeRead | None:
    if not text:
        _refuse("notam-limit", f"item {item} is missing; F and G must both be there", item)
    if text in ("SFC", "GND", "SURFACE", "GROUND"):
        notes.append(Note("surface-read-as-agl", {"item": item, "text": text}))
        return AltitudeRead(0.0, "ft", "AGL")
    if text in ("MSL", "SEA LEVEL"):
        return AltitudeRead(0.0, "ft", "MSL")
    if text in ("UNL", "UNLTD", "UNLIMITED"):
        if item == "F":
            _refuse("notam-limit", f"lower limit is {text}; it must be a level or a height", item)
        notes.append(Note("upper-unlimited", {"item": item}))
        return None
    level = _LEVEL.fullmatch(text)
    if level:
        return AltitudeRead(float(level[1]), "FL", "STD")
    height = _HEIGHT.fullmatch(text)
    if height is None:
        _refuse(
            "notam-limit",
            f"limit is {shown(text)}; it must be SFC, GND, UNL, a flight level, or feet or metres with "
            "AMSL or AGL",
            item,
        )
    if height[3] is None:
        # thousands of feet may lie between the two, so neither is taken
        notes.append(Note("datum-missing", {"item": item, "text": text}))
        return None
    value = float(height[1].replace(",", ""))
    unit: str = "ft" if height[2] == "FT" else "m"
    return AltitudeRead(value, unit, _DATUMS.get(height[3], "AGL"))  # type: ignore[arg-type]


# -- the times ------------------------------------------------------------------------------------


def _times(items: dict[str, str], notes: list[Note]) -> tuple[str | None, str | None]:
    start_us = _time(items.get("B"), "B", notes)
    end_us = _time(items.get("C"), "C", notes)
    if start_us is not None and end_us is not None and start_us >= end_us:
        _refuse(
            "notam-time",
            f"times are {items['B']} and {items['C']}; item B must be before item C",
            "C",
        )
    return (
        format_time(start_us) if start_us is not None else None,
        format_time(end_us) if end_us is not None else None,
    )


def _time(text: str | None, item: str, notes: list[Note]) -> int | None:
    if not text:
        notes.append(Note("time-missing", {"item": item}))
        return None
    said = text.splitlines()[0].strip()
    if said.startswith("PERM"):
        _refuse(
            "notam-permanent",
            f"end is {shown(said)}; it must be a time, because a notice has an end",
            item,
            "write the end of the standing period that you mean, or leave item C out",
        )
    if re.fullmatch(r"\d{10}\s?EST", said):
        _refuse(
            "notam-estimated",
            f"end is {shown(said)}, an estimate; it must be a time that is certain",
            item,
            "leave out EST if the time shall count",
        )
    if said in ("WIE", "WIE."):
        _refuse(
            "notam-immediate",
            "start is WIE, with immediate effect; it must be a time",
            item,
            "write the time when it began",
        )
    match = _TIME.fullmatch(said.removesuffix("Z").removesuffix(" UTC"))
    if match is None:
        _refuse(
            "notam-time",
            f"time is {shown(said)}; it must be ten digits: year, month, day, hour, minute in UTC",
            item,
            "for example 2609301200",
        )
    year, month, day, hour, minute = (int(part) for part in match.groups())
    try:
        moment = datetime(2000 + year, month, day, hour, minute, tzinfo=UTC)
    except ValueError as error:
        _refuse("notam-time", f"time is {said}; it must be a time that exists ({error})", item)
    return int(moment.timestamp()) * US_PER_S


# -- the words of item E ------------------------------------------------------------------------------


def _area(text: str, notes: list[Note]) -> Reading | None:
    """The geometry in the words, or None where there is none that can be read whole."""
    runs = [match.group() for match in _RUN.finditer(text)]
    if not runs:
        return None
    if _CURVED.search(text):
        notes.append(Note("arc-not-read", {}))
        return None
    radii, width = _RADIUS.findall(text), _WIDTH.search(text)
    found: Reading | None = None
    for run in runs:
        words = _words(text, run, len(runs), radii, width)
        if words is None:
            # a place that is mentioned, such as an aerodrome's, is not the area
            notes.append(Note("positions-not-used", {"text": run[:200]}))
            return None
        if found is not None and len(found.features) >= READ_FEATURES:
            _refuse(
                "notam-too-many",
                f"text has more than {READ_FEATURES} shapes; it must have at most that",
                "E",
            )
        one = _shape(run, words)
        if found is None:
            found = one
        else:
            found.features += one.features
            found.positions += one.positions
            codes = {note.code for note in found.notes}
            found.notes += [note for note in one.notes if note.code not in codes]
    return found


def _words(
    text: str, run: str, runs: int, radii: list[tuple[str, str]], width: re.Match[str] | None
) -> str | None:
    """What the text says of the size of a run of positions; None where they are no area at all."""
    positions = len(re.findall(_CORNER, run))
    if positions == 1 and len(radii) == 1 and _ROUND.search(text) and runs == 1:
        role = "diameter" if "DIAMETER" in text else "radius"
        return f" {role} {radii[0][0]} {radii[0][1]}"
    if positions > 1 and width is not None:
        return f" {'width' if width[3].startswith('WID') else 'half-width'} {width[1]} {width[2]}"
    return "" if positions >= 3 else None


def _shape(run: str, words: str) -> Reading:
    try:
        return read_sketch(run.replace("\n", " ") + words)
    except UsageError as error:
        raise UsageError(
            error.code, error.message, hint=error.hint, field=f"item E, {where(run, 0)}"
        ) from None
