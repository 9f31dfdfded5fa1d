"""The one predicate, piece against piece, and its summary for two notices."""

from __future__ import annotations

from functools import cached_property, lru_cache
from hashlib import sha256

import msgspec
import numpy as np
import numpy.typing as npt

from detente.airspace.altitude import DATUMS, DatumBounds
from detente.airspace.area import Moving, count_positions
from detente.airspace.moving import Span
from detente.airspace.near import Budget, TooMuchWork
from detente.airspace.shape import Shape, compare_lateral
from detente.conflict.motion import Encounter
from detente.conflict.place import find_place
from detente.conflict.separation import Rules
from detente.conflict.verdict import (
    CANNOT_TELL,
    CLEAR,
    CONFLICT,
    TOUCH,
    Band,
    PairVerdict,
    meeting_band,
    say_cannot_tell,
    say_conflict,
    say_moving,
    say_touch,
)
from detente.limits import EDGE_PAIRS_PER_PAIR
from detente.notice.activity import ActivityNotice

Longs = npt.NDArray[np.int64]

_KEPT_VERTICES = 5_000  # outlines larger than this are made again when needed, not kept in memory
_KEPT_POSITIONS = 500  # larger notices are not kept ready between calls
_PIECE_COST = 20  # what one pair of pieces costs beyond its edges, in edge pairs


class Prepared:
    """A notice with its shapes made and its pieces in arrays, ready to be compared many times.

    Args:
        notice: the one.
        columns: as this class makes them, where they are known: the boxes need not be made again.
    """

    def __init__(self, notice: ActivityNotice, columns: Longs | None = None) -> None:
        self.notice = notice
        shapes: dict[object, Shape] = {}
        self.shapes: list[Shape] = []
        for piece in notice.pieces:
            key = (piece.geometry, piece.edges)
            if key not in shapes:
                shapes[key] = Shape(piece.geometry, piece.edges)
            self.shapes.append(shapes[key])
        if columns is not None:
            self.columns = columns
        self._bounds: DatumBounds | None = None
        self._msl = np.empty((0, 2), dtype=np.int64)

    @cached_property
    def columns(self) -> Longs:
        """A row for each piece: interval, box, edges and their datums; see `COLUMNS`."""
        return np.array(
            [
                (
                    piece.start_us,
                    piece.end_us,
                    *shape.box[0],
                    *shape.box[1],
                    piece.lower.tenth_mm,
                    DATUMS.index(piece.lower.datum),
                    piece.upper.tenth_mm,
                    DATUMS.index(piece.upper.datum),
                )
                for piece, shape in zip(self.notice.pieces, self.shapes, strict=True)
            ],
            dtype=np.int64,
        )

    @cached_property
    def order(self) -> bytes:
        """What puts two notices in an order that both sides agree on: their content alone."""
        return sha256(msgspec.json.encode(self.notice.body(), order="sorted")).digest()

    def msl(self, bounds: DatumBounds) -> Longs:
        """Per piece: the lowest its lower edge and the highest its upper edge can be, 0.1 mm MSL."""
        if self._bounds != bounds:
            self._msl = np.array(
                [
                    (
                        bounds.range_msl(piece.lower.tenth_mm, piece.lower.datum)[0],
                        bounds.range_msl(piece.upper.tenth_mm, piece.upper.datum)[1],
                    )
                    for piece in self.notice.pieces
                ],
                dtype=np.int64,
            )
            self._bounds = bounds
        return self._msl

    def trim(self) -> None:
        """Forgets large outlines, which can be made again."""
        made = [part for shape in self.shapes for part in shape.parts if part.is_made]
        if sum(len(part.globe.vertices) for part in made) > _KEPT_VERTICES:
            for part in made:
                part.forget()


def prepare(notice: ActivityNotice, columns: Longs | None = None) -> Prepared:
    """A notice made ready; the last few that are not large are kept ready, with the outlines cut so far.

    Args:
        notice: the one.
        columns: of it, where they are known.
    """
    if sum(count_positions(piece.geometry) for piece in notice.pieces) > _KEPT_POSITIONS:
        return Prepared(notice, columns)
    ready = _kept(notice)
    if columns is not None:
        ready.columns = columns
    return ready


@lru_cache(maxsize=1024)
def _kept(notice: ActivityNotice) -> Prepared:
    return Prepared(notice)


# Columns of `Prepared.columns`, also of the index of live volumes.
START, END, BOX_LOW, BOX_HIGH, LOWER, LOWER_DATUM, UPPER, UPPER_DATUM = 0, 1, 2, 5, 8, 9, 10, 11
COLUMNS = 12


def near_rows(
    row: Longs, row_msl: Longs, others: Longs, others_msl: Longs, rules: Rules
) -> npt.NDArray[np.int64]:
    """Which of many pieces might not be clear of one; a superset, found by whole-number boxes.

    Args:
        row: the one piece, shape (12,).
        row_msl: its outward band in MSL, shape (2,).
        others: the many, shape (n, 12).
        others_msl: their bands, shape (n, 2).
        rules: minima (bounds are in the bands already).
    """
    minima = rules.minima
    keep = np.nonzero(
        (others[:, START] <= row[END] + minima.time_us)
        & (others[:, END] >= row[START] - minima.time_us)
    )[0]
    for axis in range(3):
        if not len(keep):
            return keep
        low = others[keep, BOX_LOW + axis]
        high = others[keep, BOX_HIGH + axis]
        keep = keep[
            (low <= row[BOX_HIGH + axis] + minima.lateral_tenth_mm)
            & (high >= row[BOX_LOW + axis] - minima.lateral_tenth_mm)
        ]
    # Where both edges have one datum they compare as they are; else outward, in mean sea level.
    lower = np.where(
        others[keep, LOWER_DATUM] == row[UPPER_DATUM],
        others[keep, LOWER] - row[UPPER],
        others_msl[keep, 0] - row_msl[1],
    )
    upper = np.where(
        others[keep, UPPER_DATUM] == row[LOWER_DATUM],
        row[LOWER] - others[keep, UPPER],
        row_msl[0] - others_msl[keep, 1],
    )
    near: Longs = keep[np.maximum(lower, upper) <= minima.vertical_tenth_mm]
    return near


class _Meeting(msgspec.Struct, frozen=True):
    """Two pieces that are near in time and height; lateral not yet looked at."""

    rank: int  # 0 may be a conflict, 1 may be a cannot-tell, 2 a touch at most
    from_us: int
    until_us: int
    band: Band
    i: int
    j: int
    time_gap: int
    vertical: tuple[int, int]
    moves: bool = False  # one of the two pieces at least

    def order(self) -> tuple[int, ...]:
        return (
            self.rank,
            self.from_us,
            self.until_us,
            self.band.lower.tenth_mm,
            self.band.upper.tenth_mm,
            self.i,
            self.j,
        )


def judge(one: Prepared, two: Prepared, rules: Rules) -> PairVerdict:
    """The verdict on two notices. The same for swapped sides: content alone decides the order."""
    if one.notice.exercise != two.notice.exercise:
        return PairVerdict(CLEAR, "one is an exercise and one is real; they never conflict")
    a, b = (one, two) if one.order <= two.order else (two, one)
    budget = Budget(EDGE_PAIRS_PER_PAIR)
    meetings: list[_Meeting] = []
    found: list[_Meeting] = []
    try:
        meetings = _meetings(a, b, rules, budget)
        verdict, found, signs = _decide(a, b, meetings, rules, budget)
    except TooMuchWork:
        return _too_much(meetings)
    finally:
        a.trim()
        b.trim()
    if verdict == CLEAR:
        return PairVerdict(CLEAR, "volumes are clear of each other")
    return _summary(a, b, verdict, found, signs, rules)


def _meetings(a: Prepared, b: Prepared, rules: Rules, budget: Budget) -> list[_Meeting]:
    """All pairs of pieces that no box, interval or band rules out, in their order."""
    minima, bounds = rules.minima, rules.bounds
    msl_a, msl_b = a.msl(bounds), b.msl(bounds)
    meetings = []
    for i, piece_a in enumerate(a.notice.pieces):
        near = near_rows(a.columns[i], msl_a[i], b.columns, msl_b, rules).tolist()
        budget.spend(_PIECE_COST * len(near))
        for j in near:
            piece_b = b.notice.pieces[j]
            latest = max(piece_a.start_us, piece_b.start_us)
            earliest = min(piece_a.end_us, piece_b.end_us)
            time_gap = latest - earliest
            over = bounds.gap(piece_b.lower, piece_a.upper)
            under = bounds.gap(piece_a.lower, piece_b.upper)
            vertical = (max(over[0], under[0]), max(over[1], under[1]))
            minimum = minima.vertical_tenth_mm
            if time_gap > minima.time_us or vertical[0] > minimum:
                continue
            if time_gap == minima.time_us or vertical[0] == minimum:
                rank = 2
            else:
                rank = 0 if vertical[1] < minimum else 1
            band = meeting_band(
                (piece_a.lower, piece_b.lower), (piece_a.upper, piece_b.upper), bounds
            )
            times = min(latest, earliest), max(latest, earliest)
            moves = isinstance(piece_a.geometry, Moving) or isinstance(piece_b.geometry, Moving)
            if moves:
                span = Encounter(piece_a, piece_b, a.shapes[i], b.shapes[j], minima).hull()
                times = span.from_us, span.until_us
            meetings.append(_Meeting(rank, *times, band, i, j, time_gap, vertical, moves))
    meetings.sort(key=_Meeting.order)
    return meetings


def _decide(
    a: Prepared, b: Prepared, meetings: list[_Meeting], rules: Rules, budget: Budget
) -> tuple[str, list[_Meeting], tuple[int, int, int]]:
    """The worst verdict, the meetings that make its hull, and the signs of the first of them."""
    lateral: dict[tuple[int, int], int] = {}
    touches: list[tuple[_Meeting, int]] = []
    for rank, verdict in ((0, CONFLICT), (1, CANNOT_TELL)):
        found: list[_Meeting] = []
        hull: tuple[int, int, Band] | None = None
        for meeting in meetings:
            if meeting.rank != rank:
                continue
            # What cannot widen the hull need not be compared: a thousand pieces that all overlap
            # cost one comparison.
            if hull and _within_hull(meeting, hull):
                continue
            try:
                sign = _lateral(a, b, meeting, rules, budget, lateral)
            except TooMuchWork:
                if found and rank == 0:  # a conflict is a fact, even if its hull stays open
                    return verdict, found, (-1, -1, -1)
                raise
            if sign < 0:
                found.append(_timed(a, b, meeting, rules))
                hull = _hull(found, rules.bounds)
            elif sign == 0:
                touches.append((meeting, 0))
        if found:
            return verdict, found, (-1, -1, -1)
    for meeting in meetings:
        if meeting.rank == 2:
            sign = _lateral(a, b, meeting, rules, budget, lateral)
            if sign <= 0:
                touches.append((meeting, sign))
    if not touches:
        return CLEAR, [], (1, 1, 1)
    first, sign = touches[0]
    minima = rules.minima
    signs = (
        sign,
        0 if first.vertical[0] == minima.vertical_tenth_mm else -1,
        0 if first.time_gap == minima.time_us else -1,
    )
    return TOUCH, [meeting for meeting, _ in touches], signs


def _lateral(
    a: Prepared,
    b: Prepared,
    meeting: _Meeting,
    rules: Rules,
    budget: Budget,
    known: dict[tuple[int, int], int],
) -> int:
    one, two = a.shapes[meeting.i], b.shapes[meeting.j]
    if meeting.moves:
        encounter = _encounter(a, b, meeting, rules)
        return encounter.compare(encounter.hull(), budget)
    key = (id(one), id(two))
    if key not in known:
        known[key] = compare_lateral(one, two, rules.minima.lateral_tenth_mm, budget)
    return known[key]


def _encounter(a: Prepared, b: Prepared, meeting: _Meeting, rules: Rules) -> Encounter:
    return Encounter(
        a.notice.pieces[meeting.i],
        b.notice.pieces[meeting.j],
        a.shapes[meeting.i],
        b.shapes[meeting.j],
        rules.minima,
    )


def _timed(a: Prepared, b: Prepared, meeting: _Meeting, rules: Rules) -> _Meeting:
    """A meeting below the minimum, with the times at which a moving piece is there."""
    if not meeting.moves:
        return meeting
    try:
        span = _encounter(a, b, meeting, rules).window(Budget(EDGE_PAIRS_PER_PAIR))
    except TooMuchWork:  # the whole time then
        return meeting
    return msgspec.structs.replace(meeting, from_us=span.from_us, until_us=span.until_us)


def _within_hull(meeting: _Meeting, hull: tuple[int, int, Band]) -> bool:
    start, stop, band = hull
    return start <= meeting.from_us and meeting.until_us <= stop and band.holds(meeting.band)


def _hull(meetings: list[_Meeting], bounds: DatumBounds) -> tuple[int, int, Band]:
    first = meetings[0]
    start, stop, band = first.from_us, first.until_us, first.band
    for meeting in meetings[1:]:
        start, stop = min(start, meeting.from_us), max(stop, meeting.until_us)
        band = band.joined(meeting.band, bounds)
    return start, stop, band


def _summary(
    a: Prepared,
    b: Prepared,
    verdict: str,
    found: list[_Meeting],
    signs: tuple[int, int, int],
    rules: Rules,
) -> PairVerdict:
    first = found[0]
    start, stop, band = _hull(found, rules.bounds)
    place: tuple[int, int] | None = None
    gap: int | None = None
    try:
        place, gap = _place(a, b, first, rules)
    except TooMuchWork:  # the verdict stands without it
        gap = -1 if signs[0] < 0 else 0
    window = (start, stop)
    if verdict == CONFLICT:
        gaps = (gap, first.vertical[1], first.time_gap)
        if first.moves:
            reason = say_moving(window, band, gaps, rules.minima)
        else:
            reason = say_conflict(window, band, gaps, rules.minima)
    elif verdict == CANNOT_TELL:
        pieces = (a.notice.pieces[first.i], b.notice.pieces[first.j])
        datums = {edge.datum for piece in pieces for edge in (piece.lower, piece.upper)}
        names = tuple(sorted(datums))
        reason = say_cannot_tell(window, names, first.vertical, rules.minima.vertical_tenth_mm)
    else:
        reason = say_touch(window, band, signs, rules.minima)
    lower, upper, datum = band.in_one_datum(rules.bounds)
    return PairVerdict(
        verdict=verdict,
        reason=reason,
        from_us=start,
        until_us=stop,
        lower_tenth_mm=lower,
        upper_tenth_mm=upper,
        datum=datum,
        place=place,
        lateral_gap_tenth_mm=gap,
        vertical_gap_tenth_mm=first.vertical[0],
        time_gap_us=first.time_gap,
    )


def _place(
    a: Prepared, b: Prepared, meeting: _Meeting, rules: Rules
) -> tuple[tuple[int, int], int]:
    budget = Budget(EDGE_PAIRS_PER_PAIR)
    if meeting.moves:
        span = Span(meeting.from_us, meeting.until_us)
        return _encounter(a, b, meeting, rules).place(span, budget)
    one, two = a.shapes[meeting.i], b.shapes[meeting.j]
    return find_place(one, two, rules.minima.lateral_tenth_mm, budget)


def _too_much(meetings: list[_Meeting]) -> PairVerdict:
    """A pair so intricate that judging it would cost more than a hostile notice may cost us."""
    reason = (
        "the two notices are too intricate to compare within the limit; "
        "file fewer or simpler pieces to get an answer"
    )
    if not meetings:
        return PairVerdict(CANNOT_TELL, reason)
    return PairVerdict(
        CANNOT_TELL,
        reason,
        from_us=min(meeting.from_us for meeting in meetings),
        until_us=max(meeting.until_us for meeting in meetings),
    )
