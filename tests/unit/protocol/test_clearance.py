"""Who must move: distance and time against the lead time left, and nothing of it on any line."""

from __future__ import annotations

from typing import Any

import pytest

from detente.airspace.altitude import build_altitude
from detente.airspace.area import Circle
from detente.airspace.volume import build_volume
from detente.errors import UsageError
from detente.notice.activity import ActivityNotice, build_notice
from detente.protocol.asset import note_asset, remove_asset
from detente.protocol.clearance import Clearance, clearance
from detente.simulation.node import SimNode, converse
from detente.simulation.room import Room
from detente.simulation.world import START_US
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S

Two = tuple[Room, SimNode, SimNode]


@pytest.fixture
def two() -> Two:
    """North, which files, and south, which asks."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    return room, north, south


def talk(room: Room, *nodes: SimNode) -> None:
    """Exchange until nothing is under way; two seconds pass."""
    for _ in range(2):
        converse(*nodes)
        room.wait(1)


def notice(
    name: str,
    east_nm: float,
    *,
    radius_nm: float = 1,
    floor_ft: int = 0,
    starts_s: float = 0,
    lasts_s: float = 3600,
    activity: str = "recon",
    exercise: bool = True,
) -> ActivityNotice:
    """A circle some nautical miles east of a place in the ocean, at the equator."""
    piece = build_volume(
        Circle(
            (round((-35 + east_nm / 60) * NANODEG_PER_DEG), 0), round(radius_nm * TENTH_MM_PER_NM)
        ),
        "planar",
        build_altitude(floor_ft * TENTH_MM_PER_FT, "ft", "MSL", field="lower"),
        build_altitude((floor_ft + 10_000) * TENTH_MM_PER_FT, "ft", "MSL", field="upper"),
        START_US + round(starts_s * US_PER_S),
        START_US + round((starts_s + lasts_s) * US_PER_S),
        field="pieces[0]",
    )
    return build_notice(name=name, exercise=exercise, activity=activity, pieces=(piece,))


def file(room: Room, node: SimNode, one: ActivityNotice, *others: SimNode) -> None:
    """File a notice and let it arrive."""
    node.run(
        lambda core: core.file_notice(one, [], node.now_us(), officer="o", desk="operations-cell")
    )
    for other in others:
        talk(room, node, other)


def ask(node: SimNode, wanted: str = "north:S-1", **more: Any) -> Clearance:
    """Who must move."""
    return clearance(
        node.running, wanted, node.now_us(), **{"speed_kt": 250, "hazard_nm": 50, **more}
    )


def test_own_aircraft_20_nm_off_with_a_minute_left_cannot_clear(two: Two) -> None:
    """H-HOM-2: the geometry of September 2018, moved to an empty ocean: an aircraft 20 NM from a volume that draws fire has a minute, and needs seven."""
    room, north, south = two
    file(room, south, notice("P-1", 26), north)
    hazard = notice("S-1", 0, radius_nm=5, starts_s=70, lasts_s=1800, activity="strike-hazard")
    file(room, north, hazard, south)
    room.timeline.run_until(START_US + 10 * US_PER_S)
    found = ask(south)
    assert found.lead_s == 60
    assert found.rows == []
    assert found.third_party is not None
    assert found.third_party.code == "third-party-hazard"
    (row,) = found.third_party.rows
    assert row.notice == "south:P-1"
    assert row.apart_nm == pytest.approx(20, abs=0.3)
    assert row.to_clear_nm == pytest.approx(30, abs=1)
    assert row.needs_s == pytest.approx(432, abs=15)
    assert row.bearing_deg == pytest.approx(90, abs=2)
    assert (row.lead_s, row.can) == (60, False)


def test_own_aircraft_with_ten_minutes_left_can_clear(two: Two) -> None:
    """The same place with ten minutes of lead time is one that can be left."""
    room, north, south = two
    file(room, south, notice("P-1", 26), north)
    file(room, north, notice("S-1", 0, radius_nm=5, starts_s=620, activity="strike-hazard"), south)
    found = ask(south)
    assert found.third_party is not None
    (row,) = found.third_party.rows
    assert row.can
    assert row.needs_s < row.lead_s <= 620
    faster = ask(south, speed_kt=500).third_party
    assert faster is not None
    assert faster.rows[0].needs_s == pytest.approx(row.needs_s / 2, abs=1)


def test_own_notice_inside_the_volume_has_its_depth_and_the_minima_to_go(two: Two) -> None:
    """Who is in the middle of a volume of 10 NM leaves it by 10 NM and the agreed 3."""
    room, north, south = two
    file(room, south, notice("P-1", 0), north)
    file(room, north, notice("S-1", 0, radius_nm=10, starts_s=1000, activity="patrol"), south)
    found = ask(south)
    assert found.third_party is None
    assert found.margin_nm == 3
    (row,) = found.rows
    assert row.apart_nm == 0
    assert 12.9 <= row.to_clear_nm <= 13.6
    assert row.needs_s == pytest.approx(row.to_clear_nm / 250 * 3600, abs=2)


@pytest.mark.parametrize(
    "change",
    [
        {"east_nm": 30},
        {"east_nm": 0, "floor_ft": 40_000},
        {"east_nm": 0, "starts_s": 9000},
        {"east_nm": 0, "exercise": False},
    ],
)
def test_own_notice_that_is_clear_need_not_move(two: Two, change: dict[str, Any]) -> None:
    """Apart in place, height, time or kind, nobody has to move."""
    room, north, south = two
    file(room, south, notice("P-1", **change), north)
    file(room, north, notice("S-1", 0, radius_nm=5, starts_s=600, activity="patrol"), south)
    assert ask(south).rows == []


def test_height_is_no_shelter_from_a_third_party(two: Two) -> None:
    """Fire reaches up: by height alone nobody is out of its reach."""
    room, north, south = two
    file(room, south, notice("P-1", 20, floor_ft=40_000), north)
    file(room, north, notice("S-1", 0, radius_nm=5, starts_s=60, activity="missile-launch"), south)
    found = ask(south)
    assert found.rows == []
    assert found.third_party is not None
    assert [row.notice for row in found.third_party.rows] == ["south:P-1"]


def test_notice_that_has_begun_leaves_no_time(two: Two) -> None:
    """A volume that is active already leaves less than nothing."""
    room, north, south = two
    file(room, south, notice("P-1", 0), north)
    file(room, north, notice("S-1", 0, radius_nm=5, starts_s=5, activity="patrol"), south)
    room.wait(60)
    found = ask(south)
    assert found.lead_s < 0
    assert [row.can for row in found.rows] == [False]


def test_cancelled_own_notice_and_one_that_has_ended_need_not_move(two: Two) -> None:
    """Only who may be there has to go."""
    room, north, south = two
    file(room, south, notice("P-1", 0), north)
    file(room, south, notice("P-2", 0, lasts_s=30), north)
    file(room, north, notice("S-1", 0, radius_nm=5, starts_s=20, activity="patrol"), south)
    assert {row.notice for row in ask(south).rows} == {"south:P-1", "south:P-2"}
    south.run(
        lambda core: core.cancel_notice("south:P-1", "x", south.now_us(), officer="o", desk="d")
    )
    room.wait(60)
    assert ask(south).rows == []


@pytest.mark.parametrize(
    ("wanted", "code"), [("south:P-1", "notice-own"), ("north:nothing", "notice-unknown")]
)
def test_own_or_unknown_notice_is_refused(two: Two, wanted: str, code: str) -> None:
    """Who must move is asked about a peer's notice."""
    room, north, south = two
    file(room, south, notice("P-1", 0), north)
    with pytest.raises(UsageError) as caught:
        ask(south, wanted)
    assert caught.value.code == code


def test_cancelled_notice_moves_nobody(two: Two) -> None:
    """For a notice that is cancelled nobody has to move."""
    room, north, south = two
    file(room, north, notice("S-1", 0), south)
    north.run(
        lambda core: core.cancel_notice("north:S-1", "x", north.now_us(), officer="o", desk="d")
    )
    talk(room, north, south)
    with pytest.raises(UsageError) as caught:
        ask(south)
    assert caught.value.code == "notice-cancelled"


def test_who_must_move_is_in_no_entry_and_on_no_line(two: Two) -> None:
    """H-HOM-3: Asking for either MUST write no entry and send nothing: the ledger and the peer's traffic hold nothing of it."""
    room, north, south = two
    file(room, south, notice("P-1", 0), north)
    file(room, north, notice("S-1", 0, radius_nm=5, starts_s=60, activity="strike-hazard"), south)
    talk(room, north, south)
    root, size = south.running.tree.root(), south.running.tree.size
    heads = south.running.state.heads(True, "north")
    found = ask(south)
    assert found.rows
    assert found.third_party is not None
    assert (south.running.tree.root(), south.running.tree.size) == (root, size)
    talk(room, north, south)
    assert south.running.state.heads(True, "north") == heads
    assert not south.running.intents
    kept = "".join(
        f"{entry.local}{openings}" for entry, _, _, openings in north.running.journal.replay()
    )
    for word in ("third-party", "to_clear", "needs_s", "hazard_nm", "clearance"):
        assert word not in kept


def note(node: SimNode, name: str, east_nm: float, needs_s: int, **place: int) -> None:
    """Note an asset on the equator."""
    lon = round((-35 + east_nm / 60) * NANODEG_PER_DEG)
    node.act(
        lambda core: note_asset(
            core,
            name,
            "radar",
            {"lat": 0, "lon": lon, **place},
            needs_s,
            node.now_us(),
            officer="o",
        )
    )


def test_own_assets_near_a_notice_are_shown_with_the_time_they_need_and_told_to_nobody(
    two: Two,
) -> None:
    """H-HOM-4: within the minimum, or within reach of a third party's fire; noted, noted anew, removed; on no line."""
    room, north, south = two
    file(room, north, notice("S-1", 0, starts_s=3600), south)
    before = {peer: dict(heads) for peer, heads in south.running.state.made.items()}
    note(south, "inside", 0, 60)
    note(south, "slow", 0.5, 7200)
    note(south, "area", 20, 60, radius_tenth_mm=19 * TENTH_MM_PER_NM)
    note(south, "far", 40, 60)
    found = {one.name: (one.apart_nm, one.can) for one in ask(south).assets}
    assert found == {"inside": (0, True), "slow": (0, False), "area": (0, True)}
    file(room, north, notice("S-2", 0, starts_s=3600, activity="strike-hazard"), south)
    assert [one.name for one in ask(south, "north:S-2").assets][-1] == "far"
    note(south, "slow", 100, 60)
    south.act(lambda core: remove_asset(core, "area", south.now_us(), officer="o"))
    assert [one.name for one in ask(south).assets] == ["inside"]
    with pytest.raises(UsageError):
        south.act(lambda core: remove_asset(core, "area", south.now_us(), officer="o"))
    assert ask(south, "north:S-2").assets[0].name == "inside"
    assert north.running.state.assets == {}
    assert {p: dict(h) for p, h in south.running.state.made.items()}.keys() == before.keys()
    assert south.load().state.assets == south.running.state.assets


@pytest.mark.parametrize(
    ("name", "kind", "needs_s"),
    [("", "radar", 1), ("a/b", "", 1), ("a", "", 1), ("a", "x" * 65, 1), ("a", "radar", -1)],
)
def test_asset_of_wrong_form_is_refused(two: Two, name: str, kind: str, needs_s: int) -> None:
    """H-HOM-4: a name, a kind and a time that a screen can show."""
    _, _, south = two
    with pytest.raises(UsageError):
        note_asset(
            south.running, name, kind, {"lat": 0, "lon": 0}, needs_s, south.now_us(), officer="o"
        )
