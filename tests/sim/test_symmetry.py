"""Rule 5: the conflicts are a function of the live versions and the agreement, the same from either side."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detente.airspace.altitude import build_altitude
from detente.airspace.area import Area, Circle, Geometry
from detente.airspace.volume import build_volume
from detente.notice.activity import ActivityNotice, build_notice
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.simulation.check import check_always, live_conflicts
from detente.simulation.node import SimNode, converse
from detente.simulation.room import Room
from detente.simulation.world import START_US
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S

MINUTE_US = 60 * US_PER_S

# One notice: whose, where, how large, how high, in which datum, when, exercise, box or circle.
SPEC = st.tuples(
    st.integers(0, 1),
    st.integers(0, 5),
    st.integers(1, 12),
    st.integers(0, 4),
    st.sampled_from(["MSL", "STD", "AGL"]),
    st.integers(0, 4),
    st.booleans(),
    st.booleans(),
)


def notice(name: str, spec: tuple[Any, ...]) -> ActivityNotice:
    """A notice near others of its kind, so that many meet."""
    _, place, size, floor, datum, start, exercise, box = spec
    lon, lat = 35 * NANODEG_PER_DEG + place * 40_000_000, 35 * NANODEG_PER_DEG
    geometry: Geometry = Circle((lon, lat), size * TENTH_MM_PER_NM)
    if box:
        east, top = lon + size * 10_000_000, lat + size * 10_000_000
        ring = ((lon, lat), (east, lat), (east, top), (lon, top), (lon, lat))
        geometry = Area(((ring,),))
    lower = floor * 2000 * TENTH_MM_PER_FT
    start_us = START_US + start * 20 * MINUTE_US
    piece = build_volume(
        geometry,
        "planar",
        build_altitude(lower, "ft", datum, field="lower"),
        build_altitude(lower + 2000 * TENTH_MM_PER_FT, "ft", datum, field="upper"),
        start_us,
        start_us + 30 * MINUTE_US,
        field="pieces[0]",
    )
    return build_notice(name=name, exercise=exercise, activity="patrol", pieces=(piece,))


def play(
    specs: list[tuple[Any, ...]], order: list[int], talks: list[bool], *, swap: bool
) -> dict[str, bytes]:
    """File notices in some order, with exchanges in between or not; the conflicts both sides have."""
    room = Room()
    nodes = room.nodes()
    for number in order:
        node = nodes[specs[number][0] ^ swap]
        salt = hashlib.shake_128(b"salt of %d" % number)
        node.running.entropy = salt.digest  # one notice, one body, whatever the order
        filed = notice(f"N-{number}", specs[number])
        node.run(lambda core: core.file_notice(filed, (), node.now_us(), officer="o", desk="d"))  # noqa: B023
        if talks[number % len(talks)]:
            room.wait(3)
            converse(*nodes)
    room.wait(3)
    converse(*nodes)
    return agreed(*nodes)


def agreed(one: SimNode, other: SimNode) -> dict[str, bytes]:
    """The conflicts of one side, which must be those of the other."""
    notices = set(one.running.state.notices)
    assert notices == set(other.running.state.notices)
    here, there = live_conflicts(one.running, notices), live_conflicts(other.running, notices)
    assert here == there
    assert list(check_always([one, other])) == []
    return here


def mirrored(record: bytes) -> bytes:
    """A record with north and south exchanged."""
    value: Any = parse_canonical(record)
    names = {"north": "south", "south": "north"}
    for one in value["notices"]:
        party, _, name = one["id"].partition(":")
        one["id"] = f"{names[party]}:{name}"
    value["notices"].sort(key=lambda one: one["id"])
    return encode_canonical(value)


CHECKS = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@CHECKS
@given(data=st.data(), specs=st.lists(SPEC, min_size=2, max_size=6))
def test_conflicts_any_order_of_filing_and_delivery_gives_the_same_bytes(
    data: st.DataObject, specs: list[tuple[Any, ...]]
) -> None:
    """Whoever files first and whenever the line works, both sides end with the same ids and records."""
    numbers = list(range(len(specs)))
    talks = st.lists(st.booleans(), min_size=1, max_size=4)
    first = play(specs, numbers, data.draw(talks), swap=False)
    second = play(specs, data.draw(st.permutations(numbers)), data.draw(talks), swap=False)
    assert first == second


@CHECKS
@given(specs=st.lists(SPEC, min_size=2, max_size=6))
def test_conflicts_parties_exchanged_mirror_exactly(specs: list[tuple[Any, ...]]) -> None:
    """With north and south exchanged every id is the same and every record is its mirror image."""
    numbers = list(range(len(specs)))
    plain = play(specs, numbers, [True], swap=False)
    swapped = play(specs, numbers, [True], swap=True)
    assert {i: mirrored(record) for i, record in plain.items()} == swapped


def test_conflicts_of_these_notices_do_occur() -> None:
    """The notices above are near enough to meet: the two properties are not empty."""
    same = (2, 5, 1, "MSL", 1, True, False)
    specs = [
        (0, *same),
        (1, *same),
        (1, 2, 5, 1, "AGL", 1, True, True),
        (1, 2, 5, 1, "MSL", 1, False, False),
    ]
    found = play(specs, [0, 1, 2, 3], [False], swap=False)
    verdicts = sorted(parse_canonical(record)["verdict"] for record in found.values())  # type: ignore[call-overload,index]
    assert verdicts == ["cannot-tell", "conflict"]
