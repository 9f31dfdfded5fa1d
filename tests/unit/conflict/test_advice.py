"""Advice: the smallest change that clears a notice of all others at once, and no smaller one does."""

import random
from itertools import pairwise

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from notices import EPOCH, FEET, MINUTE, NM, altitude, box, circle, corridor, notice, piece

from detente.airspace.altitude import DatumBounds
from detente.airspace.area import Moving
from detente.airspace.volume import build_volume
from detente.conflict.advice import (
    FEET_STEP,
    METRES_STEP,
    TIME_STEP_US,
    Move,
    Standing,
    advise,
    apply_move,
    moved,
    parse_move,
)
from detente.conflict.strategic import Minima, Rules, check_pair
from detente.errors import UsageError
from detente.limits import ADVICE_TIME_S, ALTITUDE_MAX_M, ALTITUDE_MIN_M

TIGHT = DatumBounds(97_000, 104_000, 60, 60, 150_000, 250_000, -100_000, 4_000_000)
RULES = [
    Rules(),
    Rules(Minima(5 * NM, 1_000 * FEET, 3 * MINUTE), TIGHT),
    Rules(Minima(5 * NM, 1_000 * FEET, 0)),
]
DAY = 1440


def some_notice(draw, name, datums=("MSL",), most=3):
    """A random notice in a small part of the sky, so that most of them meet."""
    pieces = []
    for _ in range(draw.randint(1, most)):
        lon, lat = 10 + draw.uniform(0, 0.3), 45 + draw.uniform(0, 0.3)
        shape = draw.randint(0, 2)
        if shape == 0:
            geometry = circle(lon, lat, draw.uniform(1_000, 20_000))
        elif shape == 1:
            geometry = box(lon, lat, lon + 0.15, lat + 0.1)
        else:
            geometry = corridor([(lon, lat), (lon + 0.1, lat + 0.2)], draw.uniform(10, 5_000))
        low, start = draw.randint(0, 12), draw.randint(0, 50)
        datum = draw.choice(datums)
        pieces.append(
            piece(
                geometry,
                f"{low * 1000} ft {datum}",
                f"{low * 1000 + draw.randint(1, 4) * 1000} ft {datum}",
                start,
                start + draw.randint(1, 40),
            )
        )
    return notice(*pieces, name=name)


def cluster(seed, rules, size=5, datums=("MSL",)):
    """Two notices and others of both parties, by one seed."""
    draw = random.Random(seed)
    return [
        Standing(f"{party}:A-{i}", party, some_notice(draw, f"A-{i}", datums=datums), rules)
        for i in range(size)
        for party in ("north", "south")
    ]


def meeting():
    """Two circles that overlap for twenty minutes."""
    return [
        Standing(f"{party}:A-0", party, notice(piece(circle(35, 35, 9_000), start=at), name="A-0"))
        for party, at in (("north", 0), ("south", 40))
    ]


def clear_of_all(move_to, side, standings):
    """Whether a notice is clear of all those of the other party, by the engine's own verdict."""
    return all(
        check_pair(move_to, other.notice, other.rules).verdict == "clear"
        for other in standings
        if other.party != side.party
    )


def after(standings, moves):
    """All notices as they are after some moves."""
    by = {move.notice: move for move in moves}
    return [
        Standing(one.id, one.party, apply_move(one.notice, by[one.id]), one.rules)
        if one.id in by
        else one
        for one in standings
    ]


def scaled(moves, factor):
    """The same moves, each times a fraction of whole steps, or with another size."""
    return [Move(one.notice, factor(one.later_us), factor(one.higher_tenth_mm)) for one in moves]


def is_clear(standings, moves):
    """Whether everybody who moves is clear of all notices of the other party afterwards."""
    now = after(standings, moves)
    moving = {move.notice for move in moves}
    return all(clear_of_all(one.notice, one, now) for one in now if one.id in moving)


def written(**members):
    """A move as a peer writes it, one microsecond later unless told otherwise."""
    return {**Move("a", 1).body(), **members}


def sign(number):
    """-1, 0 or 1."""
    return (number > 0) - (number < 0)


@given(
    st.integers(0, 2**31),
    st.sampled_from(RULES),
    st.sampled_from([("MSL",), ("MSL", "STD"), ("AGL", "WGS84", "STD")]),
)
@settings(max_examples=60, deadline=None)
def test_every_option_is_clear_of_all_and_one_unit_less_is_not(seed, rules, datums):
    """A-ADV-1, A-ADV-2, A-ADV-5: the engine's verdict after an option is clear against all at once; one step less, or one unit less than the least, is not."""
    standings = cluster(seed, rules, size=4, datums=datums)
    advice = advise(standings[0], standings[1], standings[2:])
    for option in advice.options:
        assert is_clear(standings, option.moves), option
        if option.least is None:
            continue
        size = max(abs(one.later_us) + abs(one.higher_tenth_mm) for one in option.moves)
        timed = any(one.later_us for one in option.moves)
        step = TIME_STEP_US if timed else FEET_STEP
        assert size % step == 0
        least = abs(option.least)
        assert 0 <= size - least < step * (1 + size // step)
        for less in {size - step, *(k * step for k in range(0, size // step, 7))}:
            assert not is_clear(standings, scaled(option.moves, lambda n: sign(n) * less))  # noqa: B023
        assert is_clear(standings, scaled(option.moves, lambda n: sign(n) * least))  # noqa: B023
        for less in (least - 1, least // 2, 1):
            if less < least:
                assert not is_clear(
                    standings,
                    scaled(option.moves, lambda n: sign(n) * less),  # noqa: B023
                )


@given(st.integers(0, 2**31), st.sampled_from(RULES))
@settings(max_examples=40, deadline=None)
def test_intervals_prove_that_no_smaller_change_would_do(seed, rules):
    """A-ADV-4: the merged intervals hold every step below the change and every unit below the least, and each of their ends is a change that is not clear."""
    standings = cluster(seed, rules, size=3)
    for option in advise(standings[0], standings[1], standings[2:]).options:
        if option.least is None:
            continue
        first = option.moves[0]
        change = first.later_us or first.higher_tenth_mm
        if option.key.startswith("both/"):
            change = abs(change)
        step = TIME_STEP_US if first.later_us else FEET_STEP
        held = lambda s: any(low <= s <= high for low, high in option.forbidden)  # noqa: B023, E731
        assert all(held(s) for s in range(0, change, sign(change) * step))
        assert not held(change)
        assert not held(option.least)
        assert held(option.least - sign(change))
        assert any(
            min(0, option.least) <= low <= 0 or low <= 0 <= high for low, high in option.forbidden
        )
        merged = list(option.forbidden)
        assert merged == sorted(merged)
        assert all(one[1] + 1 < two[0] for one, two in pairwise(merged))


@given(st.integers(0, 2**31), st.sampled_from(RULES))
@settings(max_examples=40, deadline=None)
def test_advice_has_the_same_bytes_whoever_asks(seed, rules):
    """A-ADV-3: the order of the two, and of the others, changes no byte."""
    standings = cluster(seed, rules, size=4)
    others = standings[2:]
    random.Random(seed).shuffle(others)
    one = advise(standings[0], standings[1], standings[2:], earliest_us=EPOCH - 60 * MINUTE)
    two = advise(standings[1], standings[0], others, earliest_us=EPOCH - 60 * MINUTE)
    assert rfc8785.dumps(one.record()) == rfc8785.dumps(two.record())


@given(st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_half_each_mirrors_when_the_parties_change_places(seed):
    """A-ADV-7: each gives way by the same amount, and with the notices exchanged between the parties the same options stand with the names exchanged."""
    standings = cluster(seed, RULES[1], size=3)
    other = {"north": "south", "south": "north"}
    swapped = [
        Standing(
            one.id.replace(one.party, other[one.party]), other[one.party], one.notice, one.rules
        )
        for one in standings
    ]
    mine = advise(standings[0], standings[1], standings[2:]).options
    theirs = advise(swapped[0], swapped[1], swapped[2:]).options

    def said(options, names):
        found = {}
        for option in options:
            side, _, what = option.key.partition("/")
            for party in names:
                if side == party or what.startswith(f"{party}-"):
                    key = option.key.replace(party, names[party])
                    break
            found[key] = (
                {
                    (
                        one.notice.replace(
                            one.notice.partition(":")[0], names[one.notice.partition(":")[0]]
                        ),
                        one.later_us,
                        one.higher_tenth_mm,
                    )
                    for one in option.moves
                },
                option.least,
            )
        return found

    assert said(mine, {"north": "north", "south": "south"}) == said(theirs, other)
    for option in mine:
        if option.key.startswith("both/"):
            first, second = option.moves
            assert (first.later_us, first.higher_tenth_mm) == (
                -second.later_us,
                -second.higher_tenth_mm,
            )


def test_worked_example_of_the_page():
    """A-ADV-2: two circles that overlap for an hour, 5 NM, 1,000 ft and 3 min apart at least: what each could do."""
    rules = RULES[2]
    one = Standing("north:A-1", "north", notice(piece(circle(35, 35, 9_000)), name="A-1"), rules)
    two = Standing(
        "south:B-1",
        "south",
        notice(piece(circle(35.1, 35, 9_000), "5000 ft MSL", "12000 ft MSL", 40, 90), name="B-1"),
        rules,
    )
    found = {option.key: option for option in advise(one, two).options}
    assert list(found) == [
        "north/earlier",
        "north/up",
        "north/aside",
        "south/later",
        "south/up",
        "south/aside",
        "both/south-later",
        "both/south-aside",
    ]
    assert found["north/earlier"].moves == (Move("north:A-1", -21 * MINUTE, 0),)
    assert found["north/earlier"].least == -20 * MINUTE - 1
    assert found["both/south-later"].moves == (
        Move("north:A-1", -11 * MINUTE, 0),
        Move("south:B-1", 11 * MINUTE, 0),
    )
    assert found["both/south-later"].least == 10 * MINUTE + 1
    assert found["south/up"].least == 5_000 * FEET + 1


def test_earlier_stops_at_the_earliest_time():
    """A-ADV-6: nothing is moved to before the earliest time that was told; without one it may go as far as a delay may."""
    rules = Rules()
    one = Standing("north:A-1", "north", notice(piece(circle(35, 35, 9_000)), name="A-1"), rules)
    two = Standing(
        "south:B-1",
        "south",
        notice(piece(circle(35, 35, 9_000), start=50, end=120), name="B-1"),
        rules,
    )
    free = advise(one, two)
    assert free.option("north/earlier").moves[0].later_us == -11 * MINUTE
    assert advise(one, two, earliest_us=EPOCH - 11 * MINUTE).option("north/earlier") is not None
    held = advise(one, two, earliest_us=EPOCH - 11 * MINUTE + 1)
    assert held.option("north/earlier") is None
    assert held.option("north/later") is not None
    assert held.earliest_us == EPOCH - 11 * MINUTE + 1


def test_nothing_goes_below_nought_or_past_the_limits():
    """A-ADV-6: a shift of altitude ends where an edge would pass nought of its datum or a limit of altitude, and a delay ends at a week."""
    rules = Rules()
    low = notice(piece(circle(35, 35, 9_000), "0 ft AGL", "9000 ft AGL"), name="A-1")
    top = notice(
        piece(circle(35, 35, 9_000), "1000 ft AGL", f"{ALTITUDE_MAX_M} m AGL", end=60 * 24 * 8),
        name="B-1",
    )
    advice = advise(Standing("n:A-1", "n", low, rules), Standing("s:B-1", "s", top, rules))
    assert {option.key for option in advice.options if "aside" not in option.key} == {
        "n/earlier",
        "s/later",
        "both/s-later",
    }
    assert ALTITUDE_MIN_M < 0
    always = notice(piece(circle(35, 35, 9_000), end=60 * 24 * 30, start=-60 * 24 * 30), name="C-1")
    stuck = advise(Standing("n:C-1", "n", always, rules), Standing("s:B-1", "s", top, rules))
    assert {option.key.partition("/")[2].rpartition("-")[2] for option in stuck.options} == {
        "aside"
    }
    assert ADVICE_TIME_S == 7 * 86_400


def test_metres_are_moved_by_tens_of_metres():
    """A-ADV-2: what is given in metres is moved by whole tens of metres, all else by whole hundreds of feet."""
    one = notice(piece(circle(35, 35, 900), "100 m AGL", "300 m AGL"), name="A-1")
    two = notice(piece(circle(35, 35, 900), "200 m AGL", "400 m AGL"), name="B-1")
    both = advise(Standing("n:A", "n", one), Standing("s:B", "s", two))
    assert both.option("s/up").moves[0].higher_tenth_mm == 11 * METRES_STEP
    feet = notice(piece(circle(35, 35, 900), "200 m AGL", "4000 ft AGL"), name="B-1")
    assert (
        advise(Standing("n:A", "n", one), Standing("s:B", "s", feet))
        .option("s/up")
        .moves[0]
        .higher_tenth_mm
        % FEET_STEP
        == 0
    )


def test_what_moves_is_advised_by_its_whole_way_and_is_clear():
    """A-ADV-9: a convoy through an area: its height is judged as it stands in time, its delay by the whole way; each option is clear, and the way's own times go along."""
    times = tuple(EPOCH + minute * MINUTE for minute in (0, 60))
    way = Moving(((10 * 10**9, 45 * 10**9), (11 * 10**9, 45 * 10**9)), times, 5_000 * 10_000)
    convoy = notice(
        build_volume(
            way, "planar", altitude("0 ft MSL"), altitude("1000 ft MSL"), *times, field="x"
        ),
        name="A-1",
    )
    area = notice(
        piece(box(10.4, 44.9, 10.5, 45.1), "500 ft MSL", "3000 ft MSL", 0, 40), name="B-1"
    )
    rules = Rules(Minima(NM, 0, MINUTE))
    standings = [Standing("n:A", "n", convoy, rules), Standing("s:B", "s", area, rules)]
    advice = advise(*standings)
    assert {"n/later", "n/up", "s/up"} <= {option.key for option in advice.options}
    for option in advice.options:
        assert is_clear(standings, option.moves), option
    later = moved(standings[0], advice.option("n/later"))
    assert later.pieces[0].geometry.times_us[0] == later.pieces[0].start_us
    assert advice.option("n/up").least == 3000 * FEET + 1
    # in use when nobody is there: clear as they stand, though the ways cross
    early = notice(piece(box(10.4, 44.9, 10.5, 45.1), start=0, end=5), name="B-1")
    assert advise(standings[0], Standing("s:B", "s", early, rules)).reason == "clear"


def test_what_is_clear_or_too_intricate_says_so_and_advises_nothing(monkeypatch):
    """A-ADV-8: two notices that are clear of each other get no advice, nor does what costs more than a pair may cost."""
    one, two = meeting()
    assert advise(one, two).reason == "found"
    monkeypatch.setattr("detente.conflict.advice.EDGE_PAIRS_PER_PAIR", 10)
    assert (advise(one, two).reason, advise(one, two).options) == ("too-intricate", ())
    monkeypatch.undo()
    far = Standing(two.id, two.party, notice(piece(circle(-100, 0, 10)), name="A-0"), two.rules)
    assert (advise(one, far).reason, advise(one, far).options) == ("clear", ())
    exercise = Standing(
        two.id, two.party, notice(*two.notice.pieces, name="A-0", exercise=True), two.rules
    )
    assert advise(one, exercise).reason == "clear"


def test_notices_of_the_same_party_do_not_stand_in_each_others_way():
    """A-ADV-1: a notice is to be clear of the other party's alone, as in a conflict."""
    one, two = meeting()
    late = Standing("north:A-9", "north", moved(one, advise(one, two).options[0]), one.rules)
    assert (
        advise(one, two, [late]).option(advise(one, two).options[0].key)
        == advise(one, two).options[0]
    )


def test_combined_change_is_smaller_in_both_than_each_alone():
    """A-ADV-2: a change of time and height together has less of each than the least of either alone, and is clear."""
    rules = Rules()
    mine = notice(piece(circle(35, 35, 9_000), "5000 ft MSL", "6000 ft MSL", 0, 10), name="A-1")
    wide = piece(circle(35, 35, 9_000), "0 ft MSL", "7000 ft MSL", 0, 20)
    high = piece(circle(35, 35, 9_000), "0 ft MSL", "20000 ft MSL", 0, 5)
    long = piece(circle(35, 35, 9_000), "5000 ft MSL", "6500 ft MSL", 0, 300)
    one = Standing("n:A", "n", mine, rules)
    two = Standing("s:B", "s", notice(wide, high, long, name="B-1"), rules)
    advice = advise(one, two, earliest_us=EPOCH)
    combined = advice.option("n/later-down")
    assert combined.moves == (Move("n:A", 21 * MINUTE, -1_100 * FEET),)
    assert advice.option("n/later").moves[0].later_us == 301 * MINUTE
    assert advice.option("n/up").moves[0].higher_tenth_mm == 15_100 * FEET
    assert clear_of_all(moved(one, combined), one, [two])
    assert (combined.least, combined.forbidden) == (None, ())


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"notice": "a"},
        {"notice": "a", "later_us": 1, "higher_tenth_mm": 0},
        written(notice=1),
        written(later_us=0),
        written(later_us=True),
        written(later_us=1.0),
        written(later_us=2**53),
        written(aside_tenth_mm=-1),
        written(aside_tenth_mm=100 * NM + 1),
        written(aside_tenth_mm=1, bearing_tenth_deg=3600),
        written(bearing_tenth_deg=225),
        written(more=1),
    ],
)
def test_move_of_another_form_is_refused(wrong):
    """A move that a peer wrote has exactly its members, in range, and moves something."""
    with pytest.raises(UsageError, match="move is"):
        parse_move(wrong, field="moves[0]")
    assert parse_move(written(later_us=5), field="f") == Move("a", 5, 0)
    aside = Move("a", 0, -3, 100 * NM, 3599)
    assert parse_move(aside.body(), field="f") == aside


def test_area_carried_over_the_antimeridian_is_moved_or_refused_by_its_edges():
    """A-OFF-2: with geodesic edges it lies across 180 degrees; with planar edges it cannot, and is refused; a circle does not care."""
    move = Move("a", 0, 0, 60 * NM, 900)
    east = box(179, 0, 179.5, 0.5)
    moved_box = apply_move(notice(piece(east, edges="geodesic"), name="A-1"), move).pieces[0]
    assert {lon > 0 for ring in moved_box.geometry.polygons for lon, _ in ring[0]} == {True, False}
    with pytest.raises(UsageError, match="180"):
        apply_move(notice(piece(east), name="A-1"), move)
    round_one = apply_move(notice(piece(circle(179.5, 0, 900)), name="A-1"), move).pieces[0]
    assert round_one.geometry.center == (-179_500_000_000, 0)


def test_move_out_of_time_or_height_is_refused():
    """What a notice could not say is not what it is moved to."""
    one = notice(piece(circle(35, 35, 900)), name="A-1")
    for move in (Move("a", 0, 10**13), Move("a", 2**52 * 64), Move("a", -(2**52) * 64)):
        with pytest.raises(UsageError):
            apply_move(one, move)
