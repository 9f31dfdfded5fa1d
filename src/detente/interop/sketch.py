"""A shape as officers write it: positions, a centre with a radius, a line with a width.

A comma between two digits is read both ways. If both make sense, the text is refused and both are named.
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

from detente.airspace.area import LonLat, check_count, check_size
from detente.errors import UsageError
from detente.interop.coordinates import Place, Positions, parse_positions
from detente.interop.found import (
    FeatureRead,
    LineGeometry,
    Note,
    PointGeometry,
    PolygonGeometry,
    PropertiesRead,
    Reading,
    coordinates,
    place_only,
)
from detente.interop.glyphs import Token, cut, plain, refuse, where
from detente.limits import READ_FEATURES
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_M, TENTH_MM_PER_NM

_TIGHT_COMMA = re.compile(r"\d,(\d+)")
_HALF_TURN = 180 * NANODEG_PER_DEG

# Words that stand around the numbers and say nothing against the shape.
_FILLERS = frozenset(
    [
        "a",
        "an",
        "the",
        "at",
        "on",
        "of",
        "by",
        "in",
        "with",
        "from",
        "around",
        "area",
        "zone",
        "bounded",
        "within",
        "position",
        "positions",
        "point",
        "points",
        "coordinate",
        "coordinates",
        "coords",
        "polygon",
        "line",
        "lines",
        "route",
        "track",
        "centre",
        "center",
        "centred",
        "centered",
        "joining",
        "connecting",
        "following",
        "straight",
        "between",
        "along",
        "is",
        "having",
        "and",
        "circle",
        "circular",
        "corridor",
        "центр",
        "центром",
        "точка",
        "точки",
        "координаты",
        "маршрут",
        "коридор",
        "круг",
        "область",
    ]
)
# What a length is, by the words around it.
_ROLES = {
    "radius": frozenset(
        [
            "radius",
            "rad",
            "r",
            "circle",
            "circular",
            "around",
            "радиус",
            "радиусом",
            "круг",
            "רדיוס",
        ]
    ),
    "width": frozenset(["width", "wide", "corridor", "ширина", "шириной"]),
    "half": frozenset(["half-width", "halfwidth", "either", "each", "полуширина"]),
    "diameter": frozenset(["diameter", "диаметр", "диаметром"]),
}
_TAIL = frozenset(["side", "sides"])
_UNITS_M = {"km": Fraction(1000), "m": Fraction(1), "ft": Fraction(3048, 10_000)}


def read_sketch(original: str) -> Reading:
    """The shapes in a text of positions and lengths.

    Raises:
        UsageError: something has no meaning, or two; `.field` is line and column.
    """
    text = plain(original)
    commas = [match[1] for match in _TIGHT_COMMA.finditer(text)]
    if not commas:
        return _read(text, original, comma=False)
    found: dict[bool, Reading] = {}
    errors: dict[bool, UsageError] = {}
    for comma in (False, True):
        try:
            found[comma] = _read(text, original, comma=comma)
        except UsageError as error:
            errors[comma] = error
    unclear = True in found and False in errors and errors[False].code == "position-ambiguous"
    if unclear or (len(found) == 2 and found[False].features != found[True].features):
        other = "whole degrees" if unclear else _say(found[False])
        raise UsageError(
            "comma-ambiguous",
            f"text has commas between digits; it may say {other}, or with decimal commas "
            f"{_say(found[True])}; it must have points as decimal signs, or spaces after its commas",
            field=where(text, text.index(",")),
        )
    if False in found:
        return found[False]
    if True in found:
        found[True].notes.append(Note("comma-decimal", {}))
        return found[True]
    long = any(len(rest) > 3 for rest in commas)  # no coordinate has four digits before its point
    raise errors[True] if long or errors[True].code == "length-comma" else errors[False]


def _say(reading: Reading) -> str:
    first = reading.positions[0]
    place = f"latitude {first.lat:.9g}, longitude {first.lon:.9g}"
    more = len(reading.positions) - 1
    return f"{place} and {more} more" if more else place


def _read(text: str, original: str, *, comma: bool) -> Reading:
    tokens = cut(text, comma=comma)
    groups = [tokens]
    if sum(token.kind == "length" for token in tokens) > 1:
        groups = _lines(tokens)
    if len(groups) > READ_FEATURES:
        raise UsageError(
            "shapes-too-many",
            f"text has {len(groups):,} shapes; it must have at most {READ_FEATURES}",
            hint="read them in parts",
            field="text",
        )
    readings = [_group(text, original, group) for group in groups]
    kinds = {reading.kind for reading in readings}
    if len(kinds) > 1:
        raise UsageError(
            "shapes-mixed",
            f"text has {' and '.join(sorted(kinds))}; it must have shapes of one kind",
            hint="read them one after the other",
            field="text",
        )
    notes: dict[str, Note] = {}
    for reading in readings:
        for note in reading.notes:
            notes.setdefault(note.code, note)
    return place_only(
        kind=readings[0].kind,
        features=[feature for reading in readings for feature in reading.features],
        positions=[position for reading in readings for position in reading.positions],
        notes=list(notes.values()),
    )


def _lines(tokens: list[Token]) -> list[list[Token]]:
    groups: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind in ("line", "semicolon"):
            groups.append([])
        else:
            groups[-1].append(token)
    return [group for group in groups if group]


def _group(text: str, original: str, tokens: list[Token]) -> Reading:
    lengths = [token for token in tokens if token.kind == "length"]
    roles = set()
    rest: list[Token] = []
    for token in tokens:
        word = token.text.lower()
        named = {role for role, words in _ROLES.items() if word in words}
        if token.kind == "word" and (named or word in _FILLERS or word in _TAIL):
            roles |= named
        elif token.kind != "length":
            rest.append(token)
    if "half" in roles:
        roles.discard("width")
    if len(lengths) > 1:
        refuse(
            "length-twice",
            f"text has {len(lengths)} lengths for one shape; it must have one, or one on each line",
            text,
            lengths[1].at,
        )
    found = parse_positions(text, original, rest)
    if not found.places:
        refuse(
            "position-missing",
            "text has no position; it must have at least one",
            text,
            tokens[0].at if tokens else 0,
            hint="for example 353125N 0354716E, or 35.5236, 35.7878",
        )
    if "[" in text and any(note.code == "order-assumed" for note in found.notes):
        refuse(
            "position-ambiguous",
            "text has numbers in square brackets; they may be latitude, longitude, or as GeoJSON has them "
            "longitude, latitude; they must have hemispheres, or stand without brackets",
            text,
            text.index("["),
        )
    if lengths:
        return _sized(text, original, found, lengths[0], roles)
    return shape_of(found)


def shape_of(found: Positions) -> Reading:
    """Positions without a length: a point, a line of two, or else an area."""
    places = found.places
    notes = [*found.notes]
    check_count(len(places), field="text")
    positions = [place.position for place in places]
    reads = [place.read for place in places]
    properties = PropertiesRead()
    if len(positions) > 3 and positions[-1] == positions[0]:
        positions = positions[:-1]
    feature: FeatureRead
    if len(positions) == 1:
        notes.append(Note("size-missing", {"wanted": "radius"}))
        feature = FeatureRead(
            geometry=PointGeometry(coordinates(positions[0])), properties=properties
        )
    elif len(positions) == 2:
        notes.append(Note("size-missing", {"wanted": "half_width"}))
        _bend(positions, properties, notes)
        feature = FeatureRead(
            geometry=LineGeometry([coordinates(p) for p in positions]), properties=properties
        )
    else:
        ring = [*positions, positions[0]]
        if len(places) == len(positions) and not found.closed:
            notes.append(Note("ring-closed", {}))
        _bend(ring, properties, notes)
        feature = FeatureRead(
            geometry=PolygonGeometry([[coordinates(p) for p in ring]]), properties=properties
        )
    return place_only(kind="positions", features=[feature], positions=reads, notes=notes)


def _bend(line: list[LonLat], properties: PropertiesRead, notes: list[Note]) -> None:
    """Make edges geodesic where one crosses 180 degrees: straight in longitude and latitude, it would
    go round the other way."""
    if any(abs(one[0] - other[0]) > _HALF_TURN for one, other in pairwise(line)):
        properties.edges = "geodesic"
        notes.append(Note("edges-geodesic", {}))


def _sized(text: str, original: str, found: Positions, length: Token, roles: set[str]) -> Reading:
    places = found.places
    said = original[length.at : length.end].strip()
    notes = [*found.notes]
    radius = len(places) == 1
    if radius and roles & {"width", "half"} and not roles & {"radius", "diameter"}:
        refuse(
            "corridor-short",
            "corridor has one position; it must have at least two",
            text,
            places[0].at,
        )
    if not radius and not roles & {"width", "half"}:
        refuse(
            "length-ambiguous",
            f"length is {said!r} beside {len(places)} positions; it may be the radius of a circle or the "
            "width of a corridor; a circle must have one centre, a corridor the word width",
            text,
            length.at,
        )
    halved = (radius and "diameter" in roles) or (not radius and "half" not in roles)
    if halved:
        notes.append(Note("length-halved", {"read": said}))
    name, value = _length(text, said, length, halved)
    if radius:
        return place_only(
            kind="circle",
            features=[circle(places[0].position, name, value)],
            positions=[place.read for place in places],
            notes=notes,
        )
    return place_only(
        kind="corridor",
        features=[_corridor(places, name, value, notes)],
        positions=[place.read for place in places],
        notes=notes,
    )


def circle(center: LonLat, unit: str, value: float) -> FeatureRead:
    """A circle as GeoJSON; `unit` is ``"nm"`` or ``"m"``."""
    properties = PropertiesRead()
    if unit == "nm":
        properties.radius_nm = value
    else:
        properties.radius_m = value
    return FeatureRead(geometry=PointGeometry(coordinates(center)), properties=properties)


def _corridor(places: list[Place], unit: str, value: float, notes: list[Note]) -> FeatureRead:
    check_count(len(places), field="text")
    properties = PropertiesRead()
    if unit == "nm":
        properties.half_width_nm = value
    else:
        properties.half_width_m = value
    line = [place.position for place in places]
    _bend(line, properties, notes)
    return FeatureRead(geometry=LineGeometry([coordinates(p) for p in line]), properties=properties)


def _length(text: str, said: str, token: Token, halved: bool) -> tuple[str, float]:
    """A length in nautical miles or metres, checked."""
    if token.what == "mile":
        refuse(
            "length-mile",
            f"length is {said!r}; it may be nautical (1,852 m) or statute miles (1,609 m); "
            "it must be in NM, km, m or ft",
            text,
            token.at,
        )
    if re.match(r"\d+,\d{3}(?!\d)", text[token.at :]):
        refuse(
            "length-comma",
            f"length is {said!r}; its comma may be a decimal sign or part thousands; "
            "it must be written without",
            text,
            token.at,
        )
    number = re.match(r"[\d.]+", token.text)
    value = Fraction(number.group() if number else 0) / (2 if halved else 1)
    if token.what == "nm":
        check_size(round(value * TENTH_MM_PER_NM), field=where(text, token.at))
        return "nm", float(value)
    value *= _UNITS_M[token.what]
    check_size(round(value * TENTH_MM_PER_M), field=where(text, token.at))
    return "m", float(value)
