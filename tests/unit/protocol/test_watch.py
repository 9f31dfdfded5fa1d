"""The watch: one record for both sides, by the stricter of two agreements, never across exercise and real."""

from __future__ import annotations

import msgspec
import pytest

from detente.agreement.terms import SeparationMinima, Terms
from detente.airspace.area import Circle, Moving, parse_geometry_body
from detente.errors import UsageError
from detente.notice.activity import ActivityNotice
from detente.protocol.conflictid import conflict_id
from detente.protocol.watch import pair_rules, rules_of
from detente.simulation.check import live_conflicts
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.party import make_agreement
from detente.simulation.room import Room
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_NM

HERE = Circle((35 * NANODEG_PER_DEG, 35 * NANODEG_PER_DEG), 2 * TENTH_MM_PER_NM)


def over_here(room: Room, name: str, *, exercise: bool = True, east_nm: int = 0) -> ActivityNotice:
    """A notice over one place, at one height and time."""
    drawn = random_notice(name, type(room.chance)(1), room.timeline.now_us, exercise=exercise)
    center = (HERE.center[0] + east_nm * 20_330_000, HERE.center[1])
    piece = msgspec.structs.replace(drawn.pieces[0], geometry=Circle(center, HERE.radius_tenth_mm))
    return msgspec.structs.replace(drawn, pieces=(piece,))


def file(node: SimNode, notice: ActivityNotice, *, amend: bool = False) -> None:
    """File it."""
    node.run(
        lambda core: core.file_notice(notice, (), node.now_us(), officer="o", desk="d", amend=amend)
    )


def talk(room: Room, *nodes: SimNode) -> None:
    """Exchange until nothing is under way."""
    for _ in range(3):
        converse(*nodes)
        room.wait(3)


def live(node: SimNode) -> dict[str, bytes]:
    """Live conflicts of a node."""
    return live_conflicts(node.running, set(node.running.state.notices))


def test_watch_two_parties_over_one_place_conflict_on_both_sides() -> None:
    """Both nodes record the same id and the same bytes, and both tell their officers."""
    room = Room()
    north, south = room.nodes()
    file(north, over_here(room, "A-1"))
    file(south, over_here(room, "B-1"))
    talk(room, north, south)
    assert len(live(north)) == 1
    assert live(north) == live(south)
    assert north.alerts["conflict"] == south.alerts["conflict"] == 1


def test_watch_one_party_never_conflicts_with_itself() -> None:
    """A pair is judged only between different parties."""
    room = Room()
    north, south = room.nodes()
    file(north, over_here(room, "A-1"))
    file(north, over_here(room, "A-2"))
    talk(room, north, south)
    assert live(north) == live(south) == {}


def test_watch_exercise_and_real_never_conflict() -> None:
    """Rule 6: they do not mix, however near they are."""
    room = Room()
    north, south = room.nodes()
    file(north, over_here(room, "A-1", exercise=True))
    file(south, over_here(room, "B-1", exercise=False))
    talk(room, north, south)
    assert live(north) == live(south) == {}


def test_watch_amended_away_resolves_on_both_sides() -> None:
    """A conflict lives as long as both versions do; what was recorded stays recorded."""
    room = Room()
    north, south = room.nodes()
    file(north, over_here(room, "A-1"))
    file(south, over_here(room, "B-1"))
    talk(room, north, south)
    file(north, over_here(room, "A-1", east_nm=100), amend=True)
    talk(room, north, south)
    assert live(north) == live(south) == {}
    assert len(north.running.state.conflicts) == 1


def test_watch_stricter_of_two_agreements_holds() -> None:
    """Where the two notices quote different agreements, each axis takes the larger minimum."""
    room = Room(terms=Terms(minima=SeparationMinima(lateral_tenth_mm=0)))
    north, south = room.nodes()
    talk(room, north, south)
    file(north, over_here(room, "A-1"))
    talk(room, north, south)
    wide = Terms(
        minima=SeparationMinima(lateral_tenth_mm=10 * TENTH_MM_PER_NM, vertical_tenth_mm=0)
    )
    newer = make_agreement(room.parties, room.timeline.now_us, wide)
    for node in (north, south):
        node.act(lambda core: core.accept_agreement(newer, room.timeline.now_us))
    file(south, over_here(room, "B-1", east_nm=9))  # 5 NM apart: only the newer minimum is broken
    talk(room, north, south)
    assert len(live(north)) == 1
    assert live(north) == live(south)
    state = north.running.state
    rules = pair_rules(state, state.notices["north:A-1"], state.notices["south:B-1"])
    assert rules is not None
    assert rules.minima.lateral_tenth_mm == 10 * TENTH_MM_PER_NM
    assert rules.minima.vertical_tenth_mm == SeparationMinima().vertical_tenth_mm


def test_watch_without_a_common_agreement_judges_nothing() -> None:
    """A pair is judged only under an agreement that both parties signed."""
    room = Room(3)
    north, south, east = room.nodes()
    two = make_agreement(room.parties[:2], room.timeline.now_us + 1)
    for node in (north, south):
        node.act(lambda core: core.accept_agreement(two, room.timeline.now_us))
    file(north, over_here(room, "A-1"))  # under the agreement of two
    file(east, over_here(room, "C-1"))  # under that of three
    talk(room, north, south)
    talk(room, north, east)
    assert live(north) == {}
    state = north.running.state
    assert pair_rules(state, state.notices["north:A-1"], state.notices["east:C-1"]) is None


def test_conflict_id_ignores_order_and_hears_every_part() -> None:
    """The id is a function of the two bodies and their agreements."""
    assert conflict_id(["a", "b"], ["x", "y"], "1") == conflict_id(["b", "a"], ["y", "x", "x"], "1")
    assert conflict_id(["a", "b"], ["x"], "1") != conflict_id(["a", "b"], ["y"], "1")
    assert conflict_id(["a", "b"], ["x"], "1") != conflict_id(["a", "c"], ["x"], "1")
    assert conflict_id(["a", "b"], ["x"], "1") != conflict_id(["a", "b"], ["x"], "2")


def test_rules_of_an_agreement_are_its_minima_and_bounds() -> None:
    """What was agreed is what is judged by."""
    room = Room()
    agreement = room.node(0).running.agreement()
    rules = rules_of(agreement)
    assert rules.minima.lateral_tenth_mm == agreement.terms.minima.lateral_tenth_mm
    assert rules.bounds.body() == agreement.terms.datum_bounds


@pytest.mark.parametrize("swap", [False, True])
def test_watch_alert_names_conflict_and_both_notices(swap: bool) -> None:
    """The officer's alert refers to the conflict and the two notices, whoever filed first."""
    room = Room()
    nodes = room.nodes()
    north, south = nodes
    seen: list[tuple[str, ...]] = []
    north.on_effects = lambda effects: seen.extend(
        e.refs for e in effects if getattr(e, "code", "") == "conflict"
    )
    for node, name in [(north, "A-1"), (south, "B-1")][:: -1 if swap else 1]:
        file(node, over_here(room, name))
        talk(room, north, south)
    (refs,) = seen
    assert refs[0] in live(north)
    assert set(refs[1:]) == {"north:A-1", "south:B-1"}


def test_watch_conflict_of_engine_1_is_not_doubled_and_keeps_its_bytes() -> None:
    """T-SPEC-1: where nothing moves the record is that of engine 1, and one recorded under another spec is known."""
    room = Room()
    north, south = room.nodes()
    file(north, over_here(room, "A-1"))
    file(south, over_here(room, "B-1"))
    talk(room, north, south)
    core = north.running
    (id_,) = live(north)
    record = core.state.conflicts[id_].record
    assert record["engine"] == "1"
    bodies = [one["body"] for one in record["notices"]]
    assert id_ == conflict_id(bodies, record["agreements"], "1")
    # a record of the same pair that was made under another version
    other = conflict_id(bodies, record["agreements"], "2")
    core.state.conflicts[other] = core.state.conflicts.pop(id_)
    size = core.tree.size
    assert core.after_activity(record["notices"][0]["id"], north.now_us()) == []
    assert core.tree.size == size


def test_watch_moving_volumes_conflict_under_engine_2_on_both_sides() -> None:
    """T-SPEC-2: a convoy on its way is judged by both nodes with the same bytes, and the record says engine 2."""
    room = Room()
    north, south = room.nodes()
    still = over_here(room, "A-1")
    piece = still.pieces[0]
    way = Moving(
        (HERE.center, (HERE.center[0] + NANODEG_PER_DEG, HERE.center[1])),
        (piece.start_us, piece.end_us),
        TENTH_MM_PER_NM,
    )
    moving = msgspec.structs.replace(
        over_here(room, "B-1"), pieces=(msgspec.structs.replace(piece, geometry=way),)
    )
    file(north, still)
    file(south, moving)
    talk(room, north, south)
    assert len(live(north)) == 1
    assert live(north) == live(south)
    (id_,) = live(north)
    assert north.running.state.conflicts[id_].record["engine"] == "2"


def test_watch_peer_that_knows_only_engine_1_refuses_a_moving_volume_by_name() -> None:
    """T-SPEC-2: what an older program says to a moving volume is which kind it does not know."""

    with pytest.raises(UsageError) as caught:
        parse_geometry_body({"type": "turning"}, field="geometry")
    assert caught.value.code == "geometry-type"
    assert "turning" in str(caught.value)
