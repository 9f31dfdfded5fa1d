"""Positions in every notation that officers use, in and out.

Read are decimal degrees, degrees and minutes, degrees, minutes and seconds, with marks, spaces, colons or
nothing between them, hemispheres before or after, and grid references. What can be read in two ways is
refused, and the error names both: a guess is a place that nobody meant.

Source: ICAO Annex 15 and Doc 8126 for the compact forms (353125N0354715E); ISO 6709 for order and signs.
"""

from __future__ import annotations

from fractions import Fraction

import msgspec

from detente.airspace.area import LonLat, check_count
from detente.errors import UsageError
from detente.interop.found import Note, PositionRead, degrees
from detente.interop.glyphs import Token, refuse, refuse_token, where
from detente.interop.grid import format_grid, parse_grid
from detente.units import NANODEG_PER_DEG

METRES_PER_DEGREE = 111_320  # at the equator; how coarse a notation is, never where a position lies
SAID_CHARS = 120  # of the text in an error or beside a position; a position with words has 60
_MOST = {"lat": 90, "lon": 180}
_AXIS = {"N": "lat", "S": "lat", "E": "lon", "W": "lon"}
# digits of a compact form, to the length of its parts: 353125N is 35 31 25
_COMPACT = {"lat": {4: (2, 2), 6: (2, 2, 2)}, "lon": {5: (3, 2), 7: (3, 2, 2)}}
_BETWEEN = ("comma", "semicolon", "slash", "line", "dash", "arrow", "bracket", "stop", "colon")
_FAR = frozenset({"line", "dash", "arrow"})  # stand between positions, and seldom inside one


class Angle(msgspec.Struct, frozen=True):
    """One latitude or longitude as it was read.

    Args:
        value: degrees, exact.
        axis: ``"lat"``, ``"lon"``, or None when neither letter nor word says.
        lettered: a hemisphere says it.
        marked: degree marks or colons tie its parts together.
        notation: ``"dms"``, ``"dm"`` or ``"decimal"``.
        unit: the value of one in its last digit, degrees.
        at: where it begins in the text.
        end: where it ends.
        after: what stood between it and the one before.
    """

    value: Fraction
    axis: str | None
    lettered: bool
    marked: bool
    notation: str
    unit: Fraction
    at: int
    end: int
    after: frozenset[str]


class Place(msgspec.Struct, frozen=True):
    """A position in whole 1e-9 degrees, and how it was read."""

    position: LonLat
    read: PositionRead
    at: int


class Positions(msgspec.Struct, frozen=True):
    """Positions in the order of the text; `closed` when it says that the last joins the first."""

    places: list[Place]
    notes: list[Note]
    closed: bool = False


def parse_positions(text: str, original: str, tokens: list[Token]) -> Positions:
    """All positions of a text that holds nothing else.

    Args:
        text: from `glyphs.plain`.
        original: the same text as it was given, for quoting.
        tokens: from `glyphs.cut`.

    Raises:
        UsageError: something is no position, or can be read in two ways; `.field` is line and column.
    """
    return _Reader(text, original, tokens).read()


class _Reader:
    """Goes through the tokens once, from left to right."""

    def __init__(self, text: str, original: str, tokens: list[Token]) -> None:
        self.text = text
        self.original = original
        self.tokens = tokens
        self.next = 0
        self.after: set[str] = set()
        self.places: list[Place] = []
        self.first: Angle | None = None
        self.notes: dict[str, Note] = {}
        self.closed = False
        self.bare: list[list[Angle]] = [[]]  # numbers without marks and letters, line by line

    def read(self) -> Positions:
        while self.next < len(self.tokens):
            token = self.tokens[self.next]
            if token.kind in _BETWEEN:
                self.after.add(token.kind)
                self.next += 1
            elif token.kind == "label":
                self._whole("a list's label")
                self._note("label-skipped", label=token.text)
                self.next += 1
            elif token.kind == "close":
                self._whole("the end")
                self.closed = True
                self.next += 1
            elif token.kind == "grid":
                self._whole("a grid reference")
                self._grid(token)
                self.next += 1
            else:
                self._pair(self._angle())
                self.after = set()
        self._whole("the end")
        for line in self.bare:
            self._check_run(line)
        return Positions(self.places, list(self.notes.values()), self.closed)

    def _note(self, code: str, **values: str) -> None:
        self.notes.setdefault(code, Note(code, dict(values)))

    def _peek(self, ahead: int = 0) -> str:
        place = self.next + ahead
        return self.tokens[place].kind if place < len(self.tokens) else "end"

    def _said(self, at: int, end: int) -> str:
        said = self.original[at:end].strip()
        return said if len(said) <= SAID_CHARS else said[: SAID_CHARS - 1] + "…"

    def _refuse(self, code: str, message: str, at: int, hint: str = "") -> None:
        refuse(code, message, self.text, at, hint=hint)

    # -- one angle --------------------------------------------------------------------------------

    def _angle(self) -> Angle:
        start = self.next
        axis, letter, sign = None, None, 1
        token = self.tokens[start]
        if token.kind in ("latitude", "longitude"):
            axis = "lat" if token.kind == "latitude" else "lon"
            self.next += 1
            if self._peek() == "colon":
                self.next += 1
        if self._peek() == "hemisphere":
            letter = self.tokens[self.next]
            self.next += 1
        if self._peek() == "sign":
            sign = -1 if self.tokens[self.next].text == "-" else 1
            signed = self.tokens[self.next]
            self.next += 1
        else:
            signed = None
        if self._peek() != "number":
            refuse_token(self.text, self.tokens[min(self.next, len(self.tokens) - 1)])
        numbers, marked = self._numbers(prefixed=letter is not None)
        if letter is None and self._peek() == "hemisphere":
            letter = self.tokens[self.next]
            self.next += 1
        last = self.tokens[self.next - 1]
        said = self._said(token.at, last.end)
        if letter is not None and signed is not None:
            if letter.at > signed.at and signed.text == "-" and self.places and self.first is None:
                # "...E -352500N": the hyphen joins two positions
                self.after.add("dash")
                sign = 1
                token = numbers[0]
            else:
                self._refuse(
                    "sign-and-letter",
                    f"coordinate is {said!r}; it must have a sign or a hemisphere, not both",
                    token.at,
                )
        if letter is not None:
            named = _AXIS[letter.what]
            if axis not in (None, named):
                self._refuse(
                    "axis-disagrees",
                    f"coordinate is {said!r}; its word and its hemisphere must agree",
                    token.at,
                )
            axis = named
            sign = -1 if letter.what in "SW" else 1
        value, notation, unit = self._value(numbers, axis, marked, said, letter is not None)
        return Angle(
            value=sign * value,
            axis=axis,
            lettered=letter is not None,
            marked=marked,
            notation=notation,
            unit=unit,
            at=token.at,
            end=last.end,
            after=frozenset(self.after),
        )

    def _numbers(self, *, prefixed: bool) -> tuple[list[Token], bool]:
        """The numbers of one angle, and whether marks (degree, minute, colon) tie them together."""
        first = self.tokens[self.next]
        if self._peek(1) == "degree":
            return self._marked(first), True
        run, place = [first], self.next + 1
        tied = False
        # four are one too many already: looking further would cost the square of a long list
        while place < len(self.tokens) and len(run) <= 3:
            kind = self.tokens[place].kind
            following = self.tokens[place + 1] if place + 1 < len(self.tokens) else None
            joins = kind in ("colon", "dash") and self.tokens[place].tight
            if kind == "number" and self._kind(place + 1) != "degree":
                run.append(self.tokens[place])
                place += 1
            elif joins and following is not None and following.kind == "number" and following.tight:
                tied = tied or kind == "colon"
                run.append(following)
                place += 2
            elif kind in ("minute", "second") and len(run) > 1:
                place += 1
            else:
                break
        if not prefixed and any("." in number.text for number in run[:-1]):
            # 35.5 36.2E: the first is whole by itself, and has no hemisphere
            self.next += 1
            return [first], False
        lettered = prefixed or self._kind(place) == "hemisphere"
        if lettered and not (prefixed and len(run) > 3):
            if len(run) > 3:
                self._refuse(
                    "coordinate-parts",
                    f"coordinate is {self._said(first.at, run[-1].end)!r}; before a hemisphere it must "
                    "have degrees, minutes and seconds at most",
                    first.at,
                )
            self.next = place
            return run, False
        if tied:
            # 35:31:25 35:47:16
            run, place = [first], self.next + 1
            while self._kind(place) == "colon" and self._kind(place + 1) == "number":
                run.append(self.tokens[place + 1])
                place += 2
            self.next = place
            return run, True
        if prefixed:
            self._refuse(
                "coordinate-parts",
                f"coordinate is {self._said(first.at, run[-1].end)!r}; after a hemisphere it must have "
                "degrees, minutes and seconds at most",
                first.at,
            )
        self.next += 1
        return [first], False

    def _kind(self, place: int) -> str:
        return self.tokens[place].kind if place < len(self.tokens) else "end"

    def _marked(self, first: Token) -> list[Token]:
        """The numbers of an angle with a degree mark: 35°, 35° 31', 35° 31' 25"."""
        numbers = [first]
        self.next += 2
        for mark in ("minute", "second"):
            if self._peek() != "number" or self._peek(1) == "degree" or "." in numbers[-1].text:
                break
            numbers.append(self.tokens[self.next])
            self.next += 1
            if self._peek() == mark:
                self.next += 1
        return numbers

    def _value(
        self, numbers: list[Token], axis: str | None, marked: bool, said: str, lettered: bool
    ) -> tuple[Fraction, str, Fraction]:
        at = numbers[0].at
        parts = [number.text for number in numbers]
        if len(parts) == 1 and not marked:
            parts = self._compact(parts[0], axis, said, at, lettered)
        if any("." in part for part in parts[:-1]):
            self._refuse(
                "coordinate-parts",
                f"coordinate is {said!r}; it must have decimals in its last part only",
                at,
            )
        if len(parts) > 3:
            self._refuse(
                "coordinate-parts",
                f"coordinate is {said!r}; it must have degrees, minutes and seconds at most",
                at,
            )
        values = [Fraction(part) for part in parts]
        for value, name in zip(values[1:], ("minutes", "seconds"), strict=False):
            if value >= 60:
                self._refuse(
                    "coordinate-range",
                    f"{name} of {said!r} are {float(value):.9g}; they must be below 60",
                    at,
                )
        scale = Fraction(1, 60 ** (len(parts) - 1))
        unit = scale / 10 ** len(parts[-1].partition(".")[2])
        total = sum((value / 60**power for power, value in enumerate(values)), start=Fraction())
        most = _MOST[axis] if axis else 180
        if total > most:
            name = {"lat": "latitude", "lon": "longitude"}.get(axis or "", "coordinate")
            self._refuse(
                "coordinate-range",
                f"{name} is {said!r}; it must be at most {most} degrees",
                at,
            )
        return total, ("decimal", "dm", "dms")[len(parts) - 1], unit

    def _compact(
        self, number: str, axis: str | None, said: str, at: int, lettered: bool
    ) -> list[str]:
        whole, point, rest = number.partition(".")
        if len(whole) <= (2 if axis == "lat" and lettered else 3):
            return [number]
        if axis is None or not lettered:
            self._refuse(
                "hemisphere-missing",
                f"coordinate is {said!r}; without a hemisphere it must be decimal degrees",
                at,
                "write N or S, E or W: 353125N 0354715E",
            )
        widths = _COMPACT[axis or "lat"].get(len(whole))
        if widths is None:
            counts = "2, 4 or 6" if axis == "lat" else "3, 5 or 7"
            short = whole.zfill(len(whole) + 1)
            fits = len(short) in _COMPACT[axis or "lat"]
            self._refuse(
                "coordinate-digits",
                f"{'latitude' if axis == 'lat' else 'longitude'} is {said!r}; "
                f"it must have {counts} digits before the hemisphere",
                at,
                f"if a leading zero is missing, write {short}{point}{rest}; else one digit is missing or too many"
                if fits
                else "",
            )
        parts, place = [], 0
        for width in widths or ():
            parts.append(whole[place : place + width])
            place += width
        parts[-1] += point + rest
        return parts

    # -- two angles -------------------------------------------------------------------------------

    def _pair(self, angle: Angle) -> None:
        if angle.after & _FAR:
            self.bare.append([])
        if angle.axis is None and not angle.marked:
            self.bare[-1].append(angle)
        first = self.first
        if first is None:
            self.first = angle
            return
        self.first = None
        said = self._said(first.at, angle.end)
        if (first.axis is None) != (angle.axis is None) or first.lettered != angle.lettered:
            bare = angle if angle.axis is None or not angle.lettered else first
            sides = (
                ("north", "south")
                if (first if bare is angle else angle).axis == "lon"
                else (
                    "east",
                    "west",
                )
            )
            self._refuse(
                "hemisphere-missing",
                f"position is {said!r}; its second hemisphere is missing and may be {sides[0]} or "
                f"{sides[1]}; both or neither must be given",
                bare.at,
            )
        if first.axis is not None and first.axis == angle.axis:
            name = "latitudes" if angle.axis == "lat" else "longitudes"
            self._refuse(
                "axis-twice",
                f"position is {said!r}, two {name}; it must be a latitude and a longitude",
                first.at,
            )
        if first.axis is None:
            self._check_bare(first, angle, said)
        lat, lon = (angle, first) if first.axis == "lon" else (first, angle)
        position = (_nanodeg(lon.value), _nanodeg(lat.value))
        unit = max(first.unit, angle.unit)
        order = ("decimal", "dm", "dms")
        notation = max(first.notation, angle.notation, key=order.index)
        self._add(position, said, notation, float(unit * METRES_PER_DEGREE), first.at)

    def _check_bare(self, first: Angle, second: Angle, said: str) -> None:
        if second.after & _FAR:
            self._refuse(
                "position-ambiguous",
                f"text is {said!r}; it may be one position, or the beginning of two; "
                "write latitude and longitude together, with a comma or a space",
                first.at,
            )
        if abs(first.value) > 90:
            swapped = abs(second.value) <= 90
            self._refuse(
                "coordinate-range",
                f"latitude is {self._said(first.at, first.end)!r}; it must be at most 90 degrees"
                + (
                    f"; the other way round it would be latitude {float(second.value):.9g}, "
                    f"longitude {float(first.value):.9g}"
                    if swapped
                    else ""
                ),
                first.at,
                "numbers without letters are latitude, then longitude",
            )
        self._note("order-assumed", first="latitude", second="longitude")

    def _check_run(self, line: list[Angle]) -> None:
        """Refuse bare numbers that may as well be degrees and minutes: 35 31 25 35 47 16."""
        for size, name in ((2, "degrees and minutes"), (3, "degrees, minutes and seconds")):
            if not line or len(line) % (2 * size):
                continue
            rests = [angle.value for i, angle in enumerate(line) if i % size]
            inner = [angle.value for i, angle in enumerate(line) if i % size != size - 1]
            if all(0 <= v < 60 for v in rests) and all(v.denominator == 1 for v in inner):
                self._refuse(
                    "position-ambiguous",
                    f"text is {self._said(line[0].at, line[-1].end)!r}; it may be {len(line) // 2} "
                    f"positions in degrees, or {len(line) // 2 // size} in {name}; "
                    "it must have marks or hemispheres",
                    line[0].at,
                    "for example 35 31 25 N 35 47 16 E",
                )

    def _grid(self, token: Token) -> None:
        said = self._said(token.at, token.end)
        try:
            position, size_m = parse_grid(token.text, field="grid")
        except UsageError as error:
            refuse(error.code, error.message, self.text, token.at, hint=error.hint)
        self._note("grid-centre", size_m=str(size_m))
        self._add(position, said, "mgrs", float(size_m), token.at)

    def _add(self, position: LonLat, said: str, notation: str, precision_m: float, at: int) -> None:
        read = PositionRead(
            lat=degrees(position[1]),
            lon=degrees(position[0]),
            as_read=said,
            notation=notation,  # type: ignore[arg-type]
            precision_m=float(f"{precision_m:.3g}"),
        )
        self.places.append(Place(position, read, at))
        check_count(len(self.places), field=where(self.text, at))

    def _whole(self, before: str) -> None:
        """Refuse half a position."""
        if self.first is not None:
            self._refuse(
                "position-incomplete",
                f"coordinate {self._said(self.first.at, self.first.end)!r} stands alone before {before}; "
                "a position must have a latitude and a longitude",
                self.first.at,
            )


def _nanodeg(value: Fraction) -> int:
    return round(value * NANODEG_PER_DEG)


def format_mgrs(position: LonLat) -> str:
    """A grid reference of 1 m with spaces, as shown everywhere; see `detente.interop.grid`."""
    return format_grid(position)
