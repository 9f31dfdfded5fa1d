"""The engine: one predicate, exact, and the same answer on both sides."""

import random

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from notices import (
    EPOCH,
    FEET,
    MINUTE,
    NM,
    altitude,
    box,
    circle,
    corridor,
    judged,
    notice,
    piece,
)

from detente.airspace.volume import build_volume
from detente.conflict import pair
from detente.conflict.strategic import (
    DatumBounds,
    Minima,
    Rules,
    check_pair,
)

HERE = box(35, 33, 36, 34)
NEXT = box(36, 33, 37, 34)
THREES = Rules(Minima(3 * NM, 3_000 * FEET, 3 * MINUTE))


# -- symmetry ------------------------------------------------------------------------------------


@st.composite
def pieces(draw):
    """Volumes close enough together that every verdict is common."""
    lon, lat = draw(st.integers(0, 6)) / 2, draw(st.integers(0, 6)) / 2
    kind = draw(st.integers(0, 3))
    edges = draw(st.sampled_from(["planar", "planar", "geodesic"]))
    if kind == 0:
        geometry = box(lon, lat, lon + draw(st.integers(1, 4)) / 2, lat + 1)
    elif kind == 1:
        geometry = circle(lon, lat, draw(st.sampled_from([100, 27_800, 55_600])))
    elif kind == 2:
        geometry = corridor([(lon, lat), (lon + 1, lat + draw(st.integers(-2, 2)) / 2)], 5_000)
    else:
        geometry = box(lon, lat, lon + 0.5, lat + 0.5)
    low = draw(st.integers(0, 8))
    high = low + draw(st.integers(1, 4))
    lower, upper = draw(
        st.sampled_from(
            [
                (f"{low * 1000} ft MSL", f"{high * 1000} ft MSL"),
                (f"FL {low * 10}", f"FL {high * 10}"),
                (f"{low * 1000} ft MSL", f"FL {high * 10}"),
                (f"{low * 100} m AGL", f"{high * 100} m AGL"),
                (f"{low * 300} m WGS84", f"{high * 300} m WGS84"),
            ]
        )
    )
    start = draw(st.integers(0, 6)) * 10
    return piece(geometry, lower, upper, start, start + draw(st.integers(1, 4)) * 10, edges)


RULES = st.sampled_from(
    [
        Rules(),
        THREES,
        Rules(Minima(0, 1_000 * FEET, 0)),
        Rules(bounds=DatumBounds(cold_permille=10, warm_permille=10)),
    ]
)


@given(
    st.lists(pieces(), min_size=1, max_size=4), st.lists(pieces(), min_size=1, max_size=4), RULES
)
@settings(max_examples=300, deadline=None)
def test_pair_swapped_sides_give_the_same_bytes(pieces_a, pieces_b, rules):
    """What one party records is byte for byte what the other records."""
    judged(notice(*pieces_a), notice(*pieces_b, name="B-7"), rules)


@given(
    st.lists(pieces(), min_size=1, max_size=3), st.lists(pieces(), min_size=1, max_size=3), RULES
)
@settings(max_examples=100, deadline=None)
def test_pair_verdict_is_the_worst_of_its_pieces(pieces_a, pieces_b, rules):
    """A notice is no more and no less than its pieces."""
    order = ("conflict", "cannot-tell", "touch", "clear")
    singles = [
        check_pair(notice(one), notice(two), rules).verdict for one in pieces_a for two in pieces_b
    ]
    whole = judged(notice(*pieces_a), notice(*pieces_b), rules)
    assert whole.verdict == min(singles, key=order.index)


@given(st.lists(pieces(), min_size=2, max_size=4), st.lists(pieces(), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_pair_name_and_order_of_pieces_do_not_change_the_verdict(pieces_a, pieces_b):
    """Relabelling changes nothing; the order of pieces changes no verdict, window or band."""
    one = judged(notice(*pieces_a), notice(*pieces_b))
    assert judged(notice(*pieces_a, name="Z-9"), notice(*pieces_b, name="C-3")) == one
    two = judged(notice(*reversed(pieces_a)), notice(*pieces_b))
    assert (two.verdict, two.from_us, two.until_us) == (one.verdict, one.from_us, one.until_us)
    assert (two.lower_tenth_mm, two.upper_tenth_mm) == (one.lower_tenth_mm, one.upper_tenth_mm)


@given(pieces(), pieces(), RULES, st.integers(-(10**9), 10**9))
@settings(max_examples=60, deadline=None)
def test_pair_shifted_in_time_shifts_its_window(one, two, rules, shift_s):
    """The engine has no clock: a shift of both is a shift of the answer."""

    def moved(volume):
        return build_volume(
            volume.geometry,
            volume.edges,
            volume.lower,
            volume.upper,
            volume.start_us + shift_s * 10**6,
            volume.end_us + shift_s * 10**6,
            field="piece",
        )

    before = judged(notice(one), notice(two), rules)
    after = judged(notice(moved(one)), notice(moved(two)), rules)
    assert before.verdict == after.verdict
    assert before.place == after.place
    assert before.lateral_gap_tenth_mm == after.lateral_gap_tenth_mm
    if before.from_us is not None:
        assert after.from_us - before.from_us == shift_s * 10**6


# -- the predicate -------------------------------------------------------------------------------


def test_pair_overlapping_in_all_three_axes_conflicts():
    """Two volumes that overlap laterally, vertically and in time conflict, with window and band."""
    verdict = judged(
        notice(piece(HERE, "5000 ft MSL", "FL 250", 0, 60)),
        notice(piece(box(35.5, 33.5, 36.5, 34.5), "0 ft MSL", "10000 ft MSL", 30, 90)),
    )
    assert verdict.verdict == "conflict"
    assert verdict.reason == (
        "volumes overlap from 2018-09-17T19:09:00Z to 2018-09-17T19:39:00Z "
        "between 5,000 ft MSL and 10,000 ft MSL"
    )
    assert (verdict.from_us, verdict.until_us) == (EPOCH + 30 * MINUTE, EPOCH + 60 * MINUTE)
    assert (verdict.lower_tenth_mm, verdict.upper_tenth_mm) == (5_000 * FEET, 10_000 * FEET)
    assert verdict.datum == "MSL"
    assert verdict.place == (35_750_000_000, 33_750_000_000)
    assert verdict.lateral_gap_tenth_mm == -1
    assert verdict.vertical_gap_tenth_mm == -5_000 * FEET
    assert verdict.time_gap_us == -30 * MINUTE


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (piece(NEXT), "sharing an edge and no airspace"),
        (piece(HERE, "9000 ft MSL", "12000 ft MSL"), "meeting at 9,000 ft MSL"),
        (piece(HERE, start=60, end=90), "one ending when the other begins"),
        (piece(HERE, start=-30, end=0), "one ending when the other begins"),
        (piece(NEXT, "9000 ft MSL", "12000 ft MSL", 60, 90), "sharing an edge"),
    ],
)
def test_pair_equal_on_one_axis_touches(other, said):
    """A shared face, level or instant is a touch: intervals are half-open, areas are open."""
    verdict = judged(notice(piece(HERE)), notice(other))
    assert verdict.verdict == "touch"
    assert said in verdict.reason


@pytest.mark.parametrize(
    "other",
    [
        piece(box(36.1, 33, 37, 34)),
        piece(HERE, "9001 ft MSL", "12000 ft MSL"),
        piece(HERE, start=61, end=90),
        piece(NEXT, "9001 ft MSL", "12000 ft MSL"),
        piece(NEXT, start=61, end=90),
    ],
)
def test_pair_apart_on_one_axis_is_clear(other):
    """One axis that clears is enough, whatever the others do."""
    assert judged(notice(piece(HERE)), notice(other)).verdict == "clear"


def test_pair_one_microsecond_of_common_time_conflicts():
    """Time is exact to the microsecond."""
    mine = notice(piece(HERE))
    late = build_volume(
        HERE, "planar", altitude("1000 ft MSL"), altitude("9000 ft MSL"),
        EPOCH + 60 * MINUTE - 1, EPOCH + 90 * MINUTE, field="piece",
    )  # fmt: skip
    assert judged(mine, notice(late)).verdict == "conflict"


def test_pair_minima_make_near_volumes_conflict_and_exact_ones_touch():
    """With minima, a smaller gap on all three axes conflicts; a gap equal to one touches."""
    mine = notice(piece(HERE, "1000 ft MSL", "5000 ft MSL", 0, 60))
    near = notice(piece(box(36.01, 33, 37, 34), "7000 ft MSL", "9000 ft MSL", 62, 90))
    verdict = judged(mine, near, THREES)
    assert verdict.verdict == "conflict"
    assert "0.50 NM apart laterally (minimum 3.00 NM)" in verdict.reason
    assert "2,000 ft apart vertically (minimum 3,000 ft)" in verdict.reason
    assert "2 min 00 s apart in time (minimum 3 min 00 s)" in verdict.reason
    exact = notice(piece(HERE, "8000 ft MSL", "9000 ft MSL", 0, 60))
    assert judged(mine, exact, THREES).verdict == "touch"
    assert judged(mine, notice(piece(HERE, start=63, end=70)), THREES).verdict == "touch"
    assert judged(mine, notice(piece(HERE, start=64, end=70)), THREES).verdict == "clear"


def test_pair_thousand_feet_apart_is_exact_at_all_flight_levels():
    """At all 54 level pairs exactly 1,000 ft apart, nobody is below 1,000 ft (defects 4, 5)."""
    rules = Rules(Minima(5 * NM, 1_000 * FEET, 0))
    for level in range(50, 590, 10):
        mine = notice(piece(HERE, f"FL {level - 5}", f"FL {level}"))
        above = notice(piece(HERE, f"FL {level + 10}", f"FL {level + 15}"))
        assert judged(mine, above, rules).verdict == "touch"
        feet = notice(piece(HERE, f"{level * 100 + 999} ft STD", f"{level * 100 + 1500} ft STD"))
        assert judged(mine, feet, rules).verdict == "conflict"


def test_pair_feet_and_metres_of_one_height_compare_exactly():
    """5,000 ft is 1,524 m: units never decide a verdict."""
    mine = notice(piece(HERE, "1000 ft MSL", "5000 ft MSL"))
    assert judged(mine, notice(piece(HERE, "1524 m MSL", "2000 m MSL"))).verdict == "touch"
    assert judged(mine, notice(piece(HERE, "1523 m MSL", "2000 m MSL"))).verdict == "conflict"
    assert judged(mine, notice(piece(HERE, "1525 m MSL", "2000 m MSL"))).verdict == "clear"


# -- datums --------------------------------------------------------------------------------------


def test_pair_of_two_datums_inside_the_bound_cannot_be_told():
    """FL 060 and 5,500 ft are 500 ft apart on paper and perhaps not in the air."""
    verdict = judged(
        notice(piece(HERE, "1000 ft MSL", "5500 ft MSL")), notice(piece(HERE, "FL 60", "FL 80"))
    )
    assert verdict.verdict == "cannot-tell"
    assert "altitude datums differ: MSL against STD" in verdict.reason
    assert verdict.vertical_gap_tenth_mm < 0


def test_pair_of_two_datums_outside_the_bound_is_told():
    """A gap, or an overlap, that no weather can close is certain."""
    low = notice(piece(HERE, "0 ft MSL", "5000 ft MSL"))
    assert judged(low, notice(piece(HERE, "FL 300", "FL 350"))).verdict == "clear"
    assert judged(low, notice(piece(HERE, "FL 0", "FL 100"))).verdict == "conflict"
    assert judged(low, notice(piece(HERE, "500 m WGS84", "600 m WGS84"))).verdict == "conflict"


def test_pair_tighter_bounds_turn_cannot_tell_into_an_answer():
    """Every hundred feet that an agreement takes off the bounds is worth having."""
    mine = notice(piece(HERE, "1000 ft MSL", "5500 ft MSL"))
    theirs = notice(piece(HERE, "FL 80", "FL 100"))
    tight = DatumBounds(qnh_min_pa=100_000, qnh_max_pa=102_500, cold_permille=20, warm_permille=20)
    assert judged(mine, theirs).verdict == "cannot-tell"
    assert judged(mine, theirs, Rules(bounds=tight)).verdict == "clear"


def test_pair_same_datum_at_the_deciding_edges_is_exact_in_mixed_bands():
    """A band from MSL to a flight level meets another band of levels exactly at the level."""
    mine = notice(piece(HERE, "0 ft MSL", "FL 250"))
    assert judged(mine, notice(piece(HERE, "FL 250", "FL 300"))).verdict == "touch"
    assert judged(mine, notice(piece(HERE, "FL 240", "FL 300"))).verdict == "conflict"


def test_pair_datum_doubt_elsewhere_cleared_is_clear():
    """What is apart in place or time is clear, whatever the altitudes are."""
    mine = notice(piece(HERE, "1000 ft MSL", "5500 ft MSL"))
    assert judged(mine, notice(piece(box(40, 33, 41, 34), "FL 60", "FL 80"))).verdict == "clear"
    assert judged(mine, notice(piece(HERE, "FL 60", "FL 80", 61, 90))).verdict == "clear"
    assert judged(mine, notice(piece(NEXT, "FL 60", "FL 80"))).verdict == "touch"


def test_pair_conflict_outranks_cannot_tell():
    """A notice with a certain and a doubtful meeting is a conflict, with the certain one's window."""
    mine = notice(
        piece(HERE, "1000 ft MSL", "5500 ft MSL", 0, 60),
        piece(HERE, "FL 100", "FL 200", 90, 120),
    )
    verdict = judged(mine, notice(piece(HERE, "FL 60", "FL 150", 0, 120)))
    assert verdict.verdict == "conflict"
    assert (verdict.from_us, verdict.until_us) == (EPOCH + 90 * MINUTE, EPOCH + 120 * MINUTE)
    assert verdict.datum == "STD"


# -- the rest --------------------------------------------------------------------------------------


def test_pair_exercise_and_real_never_conflict():
    """Exercise means that nothing flies."""
    real, played = notice(piece(HERE)), notice(piece(HERE), exercise=True)
    assert judged(real, played).verdict == "clear"
    assert judged(played, played).verdict == "conflict"


def test_pair_hull_covers_every_meeting():
    """The window and band reach over all meetings, not only the first."""
    mine = notice(
        *(piece(HERE, f"{k}000 ft MSL", f"{k + 2}000 ft MSL", k * 10, k * 10 + 5) for k in range(6))
    )
    verdict = judged(mine, notice(piece(HERE, "500 ft MSL", "99000 ft MSL", 0, 100)))
    assert (verdict.from_us, verdict.until_us) == (EPOCH, EPOCH + 55 * MINUTE)
    assert (verdict.lower_tenth_mm, verdict.upper_tenth_mm) == (500 * FEET, 7_000 * FEET)
    assert verdict.reason.endswith("between 500 ft MSL and 7,000 ft MSL")


def test_pair_place_lies_in_the_meeting():
    """The place named lies inside both volumes, or between them when they are only too near."""
    draw = random.Random(4)
    for _ in range(40):
        lon, lat = draw.uniform(-170, 170), draw.uniform(-70, 70)
        shapes = [
            circle(lon, lat, 20_000),
            box(lon - 0.1, lat - 0.1, lon + 1, lat + 1),
            corridor([(lon - 1, lat), (lon + 1, lat + 0.1)], 3_000),
        ]
        draw.shuffle(shapes)
        one, two = shapes[:2]
        verdict = judged(notice(piece(one)), notice(piece(two)))
        assert verdict.verdict == "conflict"
        spot = circle(verdict.place[0] / 1e9, verdict.place[1] / 1e9, 1)
        for shape in (one, two):
            assert judged(notice(piece(shape)), notice(piece(spot))).verdict == "conflict"


def test_pair_lateral_gap_of_circles_is_their_distance():
    """The gap reported is the distance of the centres less both radii."""
    verdict = judged(
        notice(piece(circle(10, 0, 5_000))),
        notice(piece(circle(10.1, 0, 5_000))),
        Rules(Minima(NM, 0, 0)),
    )
    assert abs(verdict.lateral_gap_tenth_mm - (111_319_491 - 100_000_000)) < 2_000


def test_pair_repeated_overlaps_cost_one_comparison(monkeypatch):
    """A thousand pieces that all overlap a thousand others are judged by comparing one pair."""
    calls = []
    plain = pair.compare_lateral
    monkeypatch.setattr(pair, "compare_lateral", lambda *a: calls.append(1) or plain(*a))
    many = notice(*(piece(box(0, 0, 1 + k / 1000, 1)) for k in range(300)))
    more = notice(*(piece(box(0, 0, 1, 1 + k / 1000)) for k in range(300)), name="B-1")
    assert check_pair(many, more, Rules()).verdict == "conflict"
    assert len(calls) == 1


def test_pair_too_intricate_to_judge_cannot_be_told(monkeypatch):
    """Past the work that one pair may cost, the answer is cannot-tell, the same on both sides."""
    monkeypatch.setattr(pair, "EDGE_PAIRS_PER_PAIR", 50)
    verdict = judged(notice(piece(HERE)), notice(piece(box(35.5, 33.5, 38, 38))))
    assert verdict.verdict == "cannot-tell"
    assert "too intricate" in verdict.reason


def test_record_is_canonical_json_without_floats():
    """What both nodes record survives RFC 8785 and holds integers, text, lists and null only."""
    record = judged(notice(piece(HERE)), notice(piece(box(35.5, 33.5, 38, 38)))).record()
    rfc8785.dumps(record)

    def leaves(value):
        if isinstance(value, list):
            for item in value:
                yield from leaves(item)
        else:
            yield value

    assert all(type(leaf) in (int, str, type(None)) for v in record.values() for leaf in leaves(v))
    assert judged(notice(piece(HERE)), notice(piece(box(50, 33, 51, 34)))).record()["place"] is None


def test_record_bytes_are_pinned():
    """The engine's spec version stands for these bytes; a change of them is a new version."""
    mine = notice(piece(corridor([(34.8, 35.5), (35.8, 35.5)], 5_000), "FL 100", "FL 200"))
    theirs = notice(piece(circle(35.6, 35.4, 10_000), "4000 m MSL", "8000 m MSL", 30, 90))
    assert rfc8785.dumps(judged(mine, theirs).record()).decode() == (
        '{"datum":"MSL","from_us":1537211340000000,"lateral_gap_tenth_mm":-39050880,'
        '"lower_tenth_mm":40000000,"place":[35600004852,35466666963],'
        '"reason":"volumes overlap from 2018-09-17T19:09:00Z to 2018-09-17T19:39:00Z '
        'between 13,123 ft MSL and FL 200","time_gap_us":-1800000000,'
        '"until_us":1537213140000000,"upper_tenth_mm":70363500,"verdict":"conflict",'
        '"vertical_gap_tenth_mm":-30363500}'
    )
