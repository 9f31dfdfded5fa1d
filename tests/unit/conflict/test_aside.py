"""Moves sideways: clear of all, and no nearer place in any of the sixteen directions is."""

import random

import numpy as np
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from notices import FEET, NM, box, circle, corridor, notice, piece
from test_advice import RULES, after, cluster, is_clear

from detente.airspace.area import Area
from detente.conflict.advice import Move, Standing, advise
from detente.conflict.aside import ASIDE_STEP, STEPS, WIND_TENTH_DEG, WINDS, Cores, Mover
from detente.conflict.strategic import Minima, Rules
from detente.errors import UsageError
from detente.limits import ADVICE_ASIDE_NM

OTHER = {"north": "south", "south": "north"}


def asides(advice):
    """The options that move something sideways."""
    return [option for option in advice.options if option.key.endswith("aside")]


def place(option, step, wind):
    """The moves of an option, as they would be for another candidate."""
    return [
        Move(
            move.notice,
            0,
            0,
            step * ASIDE_STEP,
            (wind + (WINDS // 2 if number else 0)) % WINDS * WIND_TENTH_DEG if step else 0,
        )
        for number, move in enumerate(option.moves)
    ]


def can_and_is_clear(standings, moves):
    """Whether it can be filed so, and is clear by the engine's own verdict."""
    try:
        after(standings, moves)
    except UsageError:
        return False
    return is_clear(standings, moves)


def check_least(standings, option, candidates):
    """The option is clear, and none of the candidates before it is."""
    step = option.moves[0].aside_tenth_mm // ASIDE_STEP
    wind = option.moves[0].bearing_tenth_deg // WIND_TENTH_DEG
    assert option.moves == tuple(place(option, step, wind)) or option.key.startswith("both/")
    assert is_clear(standings, option.moves), option
    for other in candidates:
        if other < (step, wind) if len(option.moves) == 1 else other[0] < step:
            assert not can_and_is_clear(standings, place(option, *other)), (option, other)


@given(st.integers(0, 2**31), st.sampled_from(RULES))
@settings(max_examples=10, deadline=None)
def test_least_offset_is_clear_and_one_step_less_is_not(seed, rules):
    """A-OFF-3: the verdict after the move is clear against all at once; one step less in any direction, or any other smaller one, is not."""
    standings = cluster(seed, rules, size=3)
    draw = random.Random(seed)
    advice = advise(standings[0], standings[1], standings[2:])
    for option in asides(advice):
        step = option.moves[0].aside_tenth_mm // ASIDE_STEP
        check_least(
            standings,
            option,
            {(draw.randint(1, step), draw.randrange(WINDS)) for _ in range(8)}
            | {(step - 1 or 1, w) for w in range(0, WINDS, 3)},
        )


@pytest.mark.nightly
@given(st.integers(0, 2**31), st.sampled_from(RULES))
@settings(max_examples=40, deadline=None)
def test_every_smaller_offset_is_not_clear(seed, rules):
    """A-OFF-3: all candidates before the one that was found are looked at with the engine's verdict, and none is clear."""
    standings = cluster(seed, rules, size=3)
    for option in asides(advise(standings[0], standings[1], standings[2:])):
        step = option.moves[0].aside_tenth_mm // ASIDE_STEP
        check_least(standings, option, [(k, w) for k in range(1, step + 1) for w in range(WINDS)])


SHAPES = [
    lambda lon, lat: circle(lon, lat, 9_000),
    lambda lon, lat: corridor([(lon - 0.2, lat), (lon + 0.2, lat + 0.1)], 900),
    lambda lon, lat: box(lon - 0.1, lat - 0.1, lon + 0.2, lat + 0.15),
    lambda lon, lat: Area(
        (
            (
                box(lon - 0.3, lat - 0.2, lon + 0.3, lat + 0.2).polygons[0][0],
                box(lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1).polygons[0][0],
            ),
        )
    ),
    lambda lon, lat: box(lon - 0.002, lat - 0.5, lon + 0.002, lat + 0.5),
    lambda lon, lat: box(lon - 0.5, lat - 0.002, lon + 0.5, lat + 0.002),
]


@given(
    st.sampled_from(SHAPES),
    st.sampled_from(SHAPES),
    st.sampled_from(["planar", "geodesic"]),
    st.sampled_from(["planar", "geodesic"]),
    st.sampled_from(
        [(10.0, 45.0), (179.3, 10.0), (-179.4, -62.0), (30.0, 89.2), (-77.0, -89.4), (0.0, 0.0)]
    ),
    st.sampled_from([Rules(), Rules(Minima(5 * NM, 1_000 * FEET, 0))]),
)
@settings(max_examples=12, deadline=None)
def test_shapes_of_every_kind_and_place_go_the_least_way(one, two, edges, other, at, rules):
    """A-OFF-3: circles, corridors, areas with holes and long thin ones, either kind of edge, at poles and the antimeridian."""
    lon, lat = at
    mine = notice(piece(one(lon, lat), edges=edges), name="A-0")
    theirs = notice(piece(two(lon + 0.05, lat + 0.02), edges=other), name="A-0")
    standings = [
        Standing("north:A-0", "north", mine, rules),
        Standing("south:A-0", "south", theirs, rules),
    ]
    advice = advise(*standings)
    for option in asides(advice):
        step = option.moves[0].aside_tenth_mm // ASIDE_STEP
        near = {(k, w) for k in {step - 1} if k > 0 for w in range(0, WINDS, 3)}
        check_least(standings, option, near)
    if advice.reason == "found" and abs(lon) < 179 and abs(lat) < 80:
        assert {option.key.partition("/")[0] for option in asides(advice)} == {
            "north",
            "south",
            "both",
        }


@given(st.integers(0, 2**31), st.sampled_from(RULES))
@settings(max_examples=15, deadline=None)
def test_offsets_have_the_same_bytes_whoever_asks_and_mirror_when_parties_change_places(
    seed, rules
):
    """A-OFF-4: the order of what is given changes no byte; with the notices exchanged between the parties the same moves stand under exchanged names."""
    standings = cluster(seed, rules, size=2)
    advice = advise(standings[0], standings[1], standings[2:])
    again = advise(standings[1], standings[0], standings[:1:-1])
    assert rfc8785.dumps(advice.record()) == rfc8785.dumps(again.record())
    swapped = [
        Standing(
            one.id.replace(one.party, OTHER[one.party]), OTHER[one.party], one.notice, one.rules
        )
        for one in standings
    ]

    def said(options, exchanged):
        found = set()
        for option in options:
            words = option.key.replace("north", "1").replace("south", "2")
            if exchanged:
                words = words.translate(str.maketrans("12", "21"))
            moves = frozenset(
                (
                    (
                        OTHER[one.notice.partition(":")[0]]
                        if exchanged
                        else one.notice.partition(":")[0]
                    ),
                    one.aside_tenth_mm,
                    one.bearing_tenth_deg,
                )
                for one in option.moves
            )
            found.add((words, moves))
        return found

    theirs = advise(swapped[0], swapped[1], swapped[2:])
    assert said(asides(advice), False) == said(asides(theirs), True)


def test_two_circles_go_apart_by_the_worked_example():
    """A-OFF-3: two circles of 4.86 NM on the same place go 10 NM aside, the first direction being north; or 5 NM each, either of them north."""
    one, two = (
        Standing(f"{party}:A-0", party, notice(piece(circle(35, 35, 9_000)), name="A-0"))
        for party in ("north", "south")
    )
    far, near = 20 * ASIDE_STEP, 10 * ASIDE_STEP
    assert {option.key: option.moves for option in asides(advise(one, two))} == {
        "north/aside": (Move("north:A-0", 0, 0, far, 0),),
        "south/aside": (Move("south:A-0", 0, 0, far, 0),),
        "both/north-aside": (
            Move("north:A-0", 0, 0, near, 0),
            Move("south:A-0", 0, 0, near, 1800),
        ),
        "both/south-aside": (
            Move("north:A-0", 0, 0, near, 1800),
            Move("south:A-0", 0, 0, near, 0),
        ),
    }


def test_offset_ends_at_a_hundred_miles_and_at_too_much_work(monkeypatch):
    """A-OFF-5: what would have to go farther than 100 NM has no such option, nor what has more parts than are looked at."""
    wide = notice(piece(circle(35, 35, 190_000)), name="A-0")
    small = notice(piece(circle(35, 35, 900)), name="A-0")
    one, two = (Standing(f"{p}:A-0", p, n) for p, n in (("north", wide), ("south", small)))
    assert {option.key for option in asides(advise(one, two))} == {
        "both/north-aside",
        "both/south-aside",
    }
    assert STEPS * ASIDE_STEP == ADVICE_ASIDE_NM * NM
    near = Standing("north:A-0", "north", notice(piece(circle(35, 35, 9_000)), name="A-0"))
    assert len(asides(advise(near, two))) == 4
    monkeypatch.setattr("detente.conflict.aside.ADVICE_ASIDE_PARTS", 1)
    advice = advise(near, two)
    assert asides(advice) == []
    assert advice.reason == "found"


def test_other_times_and_heights_do_not_stand_in_the_way():
    """A-OFF-3: only what meets in time and height as it is filed has to be passed."""
    one = Standing("north:A-0", "north", notice(piece(circle(35, 35, 9_260)), name="A-0"))
    two = Standing("south:A-0", "south", notice(piece(circle(35, 35, 9_260)), name="A-0"))
    ring = [
        Standing(
            f"south:A-{i}",
            "south",
            notice(piece(circle(35, 35, 90_000), *band, *times), name=f"A-{i}"),
        )
        for i, (band, times) in enumerate(
            [
                (("20000 ft MSL", "30000 ft MSL"), (0, 60)),
                (("1000 ft MSL", "9000 ft MSL"), (61, 90)),
            ],
            start=1,
        )
    ]
    free = asides(advise(one, two))[0]
    assert asides(advise(one, two, ring))[0] == free
    assert free.moves[0].aside_tenth_mm == 20 * ASIDE_STEP


def test_winds_of_an_opposite_mover_are_its_own():
    """What is kept of a place serves both who moves with the wind and who moves against it."""
    there = notice(piece(circle(10, 45, 5000)))
    cores = Cores()
    for opposite in (False, True):
        mover = Mover(there, opposite)
        for kept, made in zip(cores.planes(mover), mover.planes(), strict=True):
            assert np.abs(kept - made).max() < 1e-12
