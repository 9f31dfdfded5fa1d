"""What would clear a conflict: the smallest changes, each proved by the intervals it stands outside of.

The door for others::

    one = Standing("north:A-1", "north", notice_a)
    advice = advise(one, two, others, earliest_us=None)    # the order of the two changes nothing
    advice.options[0].moves                                # what to change, notice by notice
    advice.record()                                        # canonical JSON that both nodes compute
    moved(one, option)                                     # the notice as it would be filed

docs/spec/advice.md is the normative text. Only what is given to `advise` is used: who calls it decides
which notices both parties hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import msgspec

from detente.airspace.area import Moving
from detente.airspace.near import TooMuchWork
from detente.conflict.aside import (
    ASIDE_REACH,
    ASIDE_STEP,
    WINDS,
    Aside,
    Cores,
    Meeting,
    Mover,
    least_aside,
)
from detente.conflict.move import Move, apply_move, parse_move
from detente.conflict.obstacle import Known, Obstacle, find_obstacles
from detente.conflict.pair import Prepared, judge
from detente.conflict.pair import prepare as _prepare
from detente.conflict.separation import Rules
from detente.conflict.span import Found, Interval, Span, least_outside
from detente.errors import UsageError
from detente.limits import (
    ADVICE_ALTITUDE_M,
    ADVICE_COMBINED,
    ADVICE_TIME_S,
    ALTITUDE_MAX_M,
    ALTITUDE_MIN_M,
    EDGE_PAIRS_PER_PAIR,
)
from detente.notice.activity import ActivityNotice
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_M, US_PER_S

__all__ = ["Advice", "Move", "Option", "Standing", "advise", "apply_move", "moved", "parse_move"]

TIME_STEP_US = 60 * US_PER_S  # what is said on a telephone
FEET_STEP = 100 * TENTH_MM_PER_FT  # a flight level
METRES_STEP = 10 * TENTH_MM_PER_M


class Standing(msgspec.Struct, frozen=True):
    """A notice that counts, with what it is judged by.

    Args:
        id: the notice's id.
        party: whose it is; a word for an option's key.
        notice: its volumes.
        rules: against the notice that is judged with it (see `advise`).
    """

    id: str
    party: str
    notice: ActivityNotice
    rules: Rules = Rules()


class Option(msgspec.Struct, frozen=True):
    """One way to be clear.

    Args:
        key: ``PARTY/later``, ``earlier``, ``up``, ``down``, ``aside`` or ``later-up`` and its like;
            ``both/PARTY-later``, ``both/PARTY-up`` or ``both/PARTY-aside`` where both give way, named for the
            party that goes later, higher, or from north to south by way of east.
        moves: what changes; one notice, or both of the conflict.
        least: the least change of each, whatever the step, in the move's unit; None where two things change,
            or the notice moves aside.
        forbidden: the merged intervals below it, in the move's unit; empty where there is no `least`.
    """

    key: str
    moves: tuple[Move, ...]
    least: int | None = None
    forbidden: tuple[Interval, ...] = ()

    def record(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "forbidden": [list(one) for one in self.forbidden],
            "key": self.key,
            "least": self.least,
            "moves": [one.body() for one in self.moves],
        }


class Advice(msgspec.Struct, frozen=True):
    """The ways out of one conflict.

    Args:
        notices: ids of the two, sorted.
        against: ids of the others that could matter, sorted: a pair of pieces is near on the surface by its boxes, and
            within a week in time.
        earliest_us: before which nothing is moved, None where anything may be.
        options: in a written order; empty where nothing helps.
        reason: ``found``; ``none``: nothing helps; ``clear``: they are, as they stand; ``too-intricate``.
    """

    notices: tuple[str, str]
    against: tuple[str, ...]
    earliest_us: int | None
    options: tuple[Option, ...]
    reason: str

    def record(self) -> dict[str, object]:
        """Canonical JSON that both nodes compute, byte for byte the same."""
        return {
            "against": list(self.against),
            "earliest_us": self.earliest_us,
            "notices": list(self.notices),
            "options": [one.record() for one in self.options],
            "reason": self.reason,
        }

    def option(self, key: str) -> Option | None:
        """The option of that key."""
        return next((one for one in self.options if one.key == key), None)


class _Side(msgspec.Struct):
    """One of the two, ready: what hinders it alone, and what of that is the other's one notice."""

    standing: Standing
    prepared: Prepared
    obstacles: list[Obstacle]  # against all others, the notice it conflicts with included
    rest: list[Obstacle]  # the same without that one


def advise(
    one: Standing,
    two: Standing,
    others: Iterable[Standing] = (),
    *,
    earliest_us: int | None = None,
) -> Advice:
    """The smallest changes that clear two notices of each other and of all others at once.

    Args:
        one: a notice; its rules are those between the two.
        two: the other's notice, with the same rules.
        others: further notices of either party, each with the rules against the notice of the other
            party. A notice stands in the way of the other party's alone, as a conflict does.
        earliest_us: the earliest time at which a moved notice may begin.

    Returns:
        Advice whose bytes do not depend on the order of the arguments.
    """
    one, two = sorted((one, two), key=lambda standing: standing.id)
    rest = sorted(others, key=lambda standing: standing.id)
    known = Known(EDGE_PAIRS_PER_PAIR)
    against: set[str] = set()
    try:
        options = _options(one, two, rest, earliest_us, known, against)
        reason = "none" if options == [] else "clear" if options is None else "found"
    except TooMuchWork:
        options, reason = None, "too-intricate"
        against.clear()
    return Advice(
        (one.id, two.id), tuple(sorted(against)), earliest_us, tuple(options or ()), reason
    )


def moved(standing: Standing, option: Option) -> ActivityNotice:
    """The notice after an option; as it is where the option leaves it alone.

    Raises:
        UsageError: it would leave the range of altitudes or times.
    """
    for move in option.moves:
        if move.notice == standing.id:
            return apply_move(standing.notice, move)
    return standing.notice


def _options(
    one: Standing,
    two: Standing,
    rest: Sequence[Standing],
    earliest_us: int | None,
    known: Known,
    against: set[str],
) -> list[Option] | None:
    """None where the two are clear of each other as they are; notes which of the rest could matter."""
    a, b = _prepare(one.notice), _prepare(two.notice)
    between = find_obstacles(a, b, one.rules, known)
    if not any(_holds(met.time) and _holds(met.height) and met.near() for met in between):
        return None
    sides = []
    for standing, prepared, met in (
        (one, a, between),
        (two, b, find_obstacles(b, a, two.rules, known)),
    ):
        alone: list[Obstacle] = []
        for other in rest:
            if other.party != standing.party:
                found = find_obstacles(prepared, _prepare(other.notice), other.rules, known)
                alone += found
                if found:
                    against.add(other.id)
        sides.append(_Side(standing, prepared, met + alone, alone))
    aside = _aside((one, a), (two, b), rest, against)
    options = [
        option
        for side, sideways in zip(sides, aside, strict=False)
        for option in _alone(side, earliest_us) + sideways
    ]
    together = find_obstacles(a, b, one.rules, known, pull=-1)
    options += _both(sides[0], sides[1], together, earliest_us) + aside[2]
    if any(_moves(standing.notice) for standing in (one, two, *rest)):
        options = [option for option in options if _is_clear(option, one, two, rest)]
    return options


def _moves(notice: ActivityNotice) -> bool:
    return any(isinstance(piece.geometry, Moving) for piece in notice.pieces)


def _is_clear(option: Option, one: Standing, two: Standing, rest: Sequence[Standing]) -> bool:
    """Whether the engine finds whoever moves clear; asked where a piece is on the way, which is looked at as its whole way."""
    try:
        after = {standing.id: moved(standing, option) for standing in (one, two)}
    except UsageError:
        return False
    pairs = [(after[one.id], after[two.id], one.rules)]
    pairs += [
        (after[standing.id], other.notice, other.rules)
        for standing in (one, two)
        if any(move.notice == standing.id for move in option.moves)
        for other in rest
        if other.party != standing.party
    ]
    return all(judge(_prepare(a), _prepare(b), rules).verdict == "clear" for a, b, rules in pairs)


# -- one gives way ---------------------------------------------------------------------------------


def _alone(side: _Side, earliest_us: int | None) -> list[Option]:
    """The least of each kind for one notice: later or earlier, up or down, and one of two together."""
    step = _height_step([side.standing])
    room = _rooms(side, earliest_us)
    in_time = _spans(one.in_time() for one in side.obstacles)
    in_height = _spans(one.in_height() for one in side.obstacles)
    times = {
        sign: least_outside(_signed(in_time, sign), TIME_STEP_US, room[0][sign]) for sign in (1, -1)
    }
    heights = {
        sign: least_outside(_signed(in_height, sign), step, room[1][sign]) for sign in (1, -1)
    }
    options = []
    for found, names, is_time in (
        (times, ("later", "earlier"), True),
        (heights, ("up", "down"), False),
    ):
        for sign in _smaller(found):
            change = found[sign]
            assert change is not None
            name = names[0] if sign > 0 else names[1]
            move = _move(
                side, sign * change.change if is_time else 0, 0 if is_time else sign * change.change
            )
            options.append(_option(f"{side.standing.party}/{name}", (move,), change, sign))
    combined = _combined(side, times, heights, room, step)
    return options + combined


def _option(key: str, moves: tuple[Move, ...], found: Found, sign: int) -> Option:
    forbidden = (
        found.forbidden if sign > 0 else tuple((-h, -low) for low, h in found.forbidden[::-1])
    )
    return Option(key, moves, sign * found.least, forbidden)


def _smaller(found: dict[int, Found | None]) -> list[int]:
    """The sign whose change is smaller; both where they are equal."""
    sizes = {sign: one.change for sign, one in found.items() if one is not None}
    return [sign for sign in (1, -1) if sign in sizes and sizes[sign] == min(sizes.values())]


def _combined(
    side: _Side,
    times: dict[int, Found | None],
    heights: dict[int, Found | None],
    room: tuple[dict[int, int], dict[int, int]],
    step: int,
) -> list[Option]:
    """One change of time and height together, each smaller than it would be alone.

    A least pair has a height at which some obstacle ends: else it could be lowered. So those heights
    are all that need be tried, and for each the time is again the least outside of intervals.
    """
    if len(side.obstacles) > ADVICE_COMBINED:
        return []
    time_most = min((one.change for one in times.values() if one is not None), default=None)
    height_most = min((one.change for one in heights.values() if one is not None), default=None)
    if time_most is None or height_most is None:
        return []
    best: tuple[int, int, int, int] | None = None
    for up in (1, -1):
        ends = {
            -(-(edge + 1) // step) * step
            for one in side.obstacles
            for edge in [one.height[1] if up > 0 else -one.height[0]]
        }
        for height in sorted(end for end in ends if 0 < end < height_most and end <= room[1][up]):
            if best is not None and height * time_most >= best[0]:
                break
            spans = _spans(one.in_time(up * height) for one in side.obstacles)
            for late in (1, -1):
                most = min(time_most - 1, room[0][late])
                found = (
                    least_outside(_signed(spans, late), TIME_STEP_US, most) if most > 0 else None
                )
                if found is None or found.change == 0:
                    continue
                # the sum of both, each as a share of what it would be alone; no direction is preferred
                # but by the last two members
                size = found.change * height_most + height * time_most
                rank = (size, found.change, -late, -up)
                if best is None or rank < best:
                    best = rank
    if best is None:
        return []
    size, change, late, up = best[0], best[1], -best[2], -best[3]
    height = (size - change * height_most) // time_most
    name = f"{'later' if late > 0 else 'earlier'}-{'up' if up > 0 else 'down'}"
    return [Option(f"{side.standing.party}/{name}", (_move(side, late * change, up * height),))]


# -- both give way ---------------------------------------------------------------------------------


def _both(
    one: _Side, two: _Side, together: list[Obstacle], earliest_us: int | None
) -> list[Option]:
    """Each moves by the same amount, in opposite directions: whose amount is rounded does not arise."""
    rooms = _rooms(one, earliest_us), _rooms(two, earliest_us)
    options = []
    for axis, word in ((0, "later"), (1, "up")):
        step = TIME_STEP_US if axis == 0 else _height_step([one.standing, two.standing])

        def pick(obstacle: Obstacle, axis: int = axis) -> Span | None:
            return obstacle.in_time() if axis == 0 else obstacle.in_height()

        spans = (
            _spans(pick(obstacle) for obstacle in together)
            + _spans(pick(obstacle) for obstacle in one.rest)
            + [span.mirrored() for span in _spans(pick(obstacle) for obstacle in two.rest)]
        )
        found = {
            sign: least_outside(
                _signed(spans, sign), step, min(rooms[0][axis][sign], rooms[1][axis][-sign])
            )
            for sign in (1, -1)
        }
        for sign in _smaller(found):
            change = found[sign]
            assert change is not None
            moves = tuple(
                _move(side, *((by, 0) if axis == 0 else (0, by)))
                for side, by in ((one, sign * change.change), (two, -sign * change.change))
            )
            party = (one if sign > 0 else two).standing.party
            # the intervals are said for the notice that is named: it goes later, or higher
            options.append(Option(f"both/{party}-{word}", moves, change.least, change.forbidden))
    return options


# -- sideways --------------------------------------------------------------------------------------


def _aside(
    one: tuple[Standing, Prepared],
    two: tuple[Standing, Prepared],
    rest: Sequence[Standing],
    against: set[str],
) -> tuple[list[Option], list[Option], list[Option]]:
    """The least moves sideways: of the first notice, of the second, of both in opposite directions.

    Notes which of the rest could matter.
    """
    known = Known(EDGE_PAIRS_PER_PAIR)
    sides = one, two

    def meetings(i: int, other: Prepared, rules: Rules, mover: int = -1) -> list[Meeting]:
        reach = ASIDE_REACH * (1 if mover < 0 else 2)
        met = find_obstacles(sides[i][1], other, rules, known, reach=reach)
        return [
            Meeting(one.shapes[0], i, one.shapes[1], mover, one.lateral)
            for one in met
            if one.stands
        ]

    alone: list[list[Meeting]] = [[], []]
    noted: set[str] = set()
    try:
        for i, (side, _) in enumerate(sides):
            for other in rest:
                if other.party != side.party:
                    met = meetings(i, _prepare(other.notice), other.rules)
                    alone[i] += met
                    if met:
                        noted.add(other.id)
        between = [meetings(i, sides[1 - i][1], one[0].rules) for i in (0, 1)]
        together = meetings(0, two[1], one[0].rules, 1)
    except TooMuchWork:
        return [], [], []
    against |= noted
    cores = Cores()
    found: list[list[Option]] = []
    for i, (side, _) in enumerate(sides):
        # it alone is the first of the movers
        only = [msgspec.structs.replace(met, mover_one=0) for met in between[i] + alone[i]]
        places = least_aside([Mover(side.notice)], only, partial(_fits, side, 0), cores)
        found.append(
            [Option(f"{side.party}/aside", (_move_aside(side, place, 0),)) for place in places[:1]]
        )
    movers = [Mover(one[0].notice), Mover(two[0].notice, opposite=True)]
    places = least_aside(
        movers,
        together + alone[0] + alone[1] if together else [],
        lambda place: all(_fits(side, i, place) for i, (side, _) in enumerate(sides)),
        cores,
    )
    axis = min((place.wind % (WINDS // 2) for place in places), default=0)
    options = [
        Option(
            f"both/{sides[0 if place.wind == axis else 1][0].party}-aside",
            tuple(_move_aside(side, place, i) for i, (side, _) in enumerate(sides)),
        )
        for place in places
        if place.wind % (WINDS // 2) == axis
    ]
    return found[0], found[1], options


def _move_aside(side: Standing, place: Aside, number: int) -> Move:
    bearing = Mover(side.notice, opposite=number == 1).bearing(place.wind)
    return Move(side.id, 0, 0, place.step * ASIDE_STEP, bearing)


def _fits(side: Standing, number: int, place: Aside) -> bool:
    """Whether the notice can be filed as it would lie."""
    try:
        apply_move(side.notice, _move_aside(side, place, number))
    except UsageError:
        return False
    return True


# -- pieces ----------------------------------------------------------------------------------------


def _spans(found: Iterable[Span | None]) -> list[Span]:
    return [span for span in found if span is not None]


def _signed(spans: Sequence[Span], sign: int) -> Sequence[Span]:
    return spans if sign > 0 else [span.mirrored() for span in spans]


def _move(side: _Side, later_us: int, higher_tenth_mm: int) -> Move:
    return Move(side.standing.id, later_us, higher_tenth_mm)


def _rooms(side: _Side, earliest_us: int | None) -> tuple[dict[int, int], dict[int, int]]:
    """How far a notice may go: (later and earlier, up and down), by sign; never below 0."""
    notice = side.prepared.notice
    most = ADVICE_TIME_S * US_PER_S
    earlier = most if earliest_us is None else min(most, notice.start_us - earliest_us)
    edges = [edge.tenth_mm for piece in notice.pieces for edge in (piece.lower, piece.upper)]
    up = min(ADVICE_ALTITUDE_M * TENTH_MM_PER_M, ALTITUDE_MAX_M * TENTH_MM_PER_M - max(edges))
    # what is at or above nought of its datum is not pushed below it
    down = min(edge if edge >= 0 else edge - ALTITUDE_MIN_M * TENTH_MM_PER_M for edge in edges)
    return {1: most, -1: max(0, earlier)}, {1: max(0, up), -1: down}


def _height_step(sides: Sequence[Standing]) -> int:
    """Hundreds of feet; tens of metres where every edge that would move is given in metres."""
    units = {
        edge.unit
        for side in sides
        for piece in side.notice.pieces
        for edge in (piece.lower, piece.upper)
    }
    return METRES_STEP if units == {"m"} else FEET_STEP


def _holds(interval: Interval) -> bool:
    return interval[0] <= 0 <= interval[1]
