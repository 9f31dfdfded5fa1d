"""The picture: rows as the ledger gives them, which of them changed, the same after a restart and from either side."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detente.agreement.terms import Terms
from detente.airspace.altitude import build_altitude
from detente.airspace.area import Circle, Moving
from detente.airspace.volume import build_volume
from detente.errors import DetenteError, RefusedError, UsageError
from detente.limits import SUMMARY_CHARS
from detente.notice.activity import ActivityNotice, build_notice
from detente.protocol import alarms, picture
from detente.protocol.core import Core
from detente.protocol.incoming import start_recovery
from detente.protocol.picture import Drawings, NoticeRow
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.room import Room
from detente.simulation.world import START_US
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S

HOUR_US = 3600 * US_PER_S


def notice(
    name: str, lon: float = 35.0, *, datum: str = "MSL", floor_ft: int = 0, **more: Any
) -> ActivityNotice:
    """A circle of 5 NM over 3,000 ft of height for an hour, two hours from the start."""
    piece = build_volume(
        Circle((round(lon * NANODEG_PER_DEG), 35 * NANODEG_PER_DEG), 5 * TENTH_MM_PER_NM),
        "planar",
        build_altitude(floor_ft * TENTH_MM_PER_FT, "ft", datum, field="lower"),
        build_altitude((floor_ft + 3000) * TENTH_MM_PER_FT, "ft", datum, field="upper"),
        START_US + 2 * HOUR_US,
        START_US + 3 * HOUR_US,
        field="pieces[0]",
    )
    return build_notice(
        name=name,
        pieces=(piece,),
        **{"exercise": True, "activity": "patrol", **more},
    )


def talk(room: Room, *nodes: SimNode) -> None:
    """Exchange until nothing is under way."""
    for _ in range(3):
        for i, one in enumerate(nodes):
            for other in nodes[i + 1 :]:
                converse(one, other)
        room.wait(3)


def file(node: SimNode, one: ActivityNotice, *to: str, amend: bool = False) -> None:
    """File a notice."""
    node.run(
        lambda core: core.file_notice(
            one, to, node.now_us(), officer="o", desk="watch", amend=amend
        )
    )


def cancel(node: SimNode, name: str) -> None:
    """Cancel a notice."""
    node.run(
        lambda core: core.cancel_notice(
            f"{node.name}:{name}", "done", node.now_us(), officer="o", desk="watch"
        )
    )


def rows(core: Core, since: int = 0) -> list[NoticeRow]:
    """Rows changed since a revision."""
    return picture.notice_rows(core, picture.changed_notices(core, since), Drawings())


def row(core: Core, name: str) -> NoticeRow:
    """One row."""
    (found,) = picture.notice_rows(core, [name], Drawings())
    return found


def plain(value: Any) -> Any:
    """As the console reads it."""
    return json.loads(msgspec.json.encode(value))


@pytest.fixture
def two() -> tuple[Room, SimNode, SimNode]:
    """North and south on an open line."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    return room, north, south


# -- rows --------------------------------------------------------------------------------------------


def test_row_of_a_notice_holds_its_volume_drawn_and_its_band_with_datum(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """Outline in degrees, times, and each edge as text with its datum and in feet for the profile."""
    _, north, _ = two
    file(north, notice("A-1", region="the valley", text="low"))
    found = plain(row(north.running, "north:A-1"))
    (piece,) = found["pieces"]
    assert piece["lower"] == {"text": "0 ft MSL", "ft": 0.0, "datum": "MSL"}
    assert piece["upper"] == {"text": "3,000 ft MSL", "ft": 3000.0, "datum": "MSL"}
    assert piece["outline"][0][0][0] == piece["outline"][0][0][-1]
    assert (found["region"], found["text"], found["text_cut"]) == ("the valley", "low", False)
    assert (found["start"], found["end"]) == (piece["start"], piece["end"])
    assert found["cannot_draw"] is False


def test_row_of_a_moving_volume_says_where_it_is_when(two: tuple[Room, SimNode, SimNode]) -> None:
    """Positions in degrees, a time for each, radius and edges; a volume that stays has none of it."""
    _, north, _ = two
    times = (START_US + 2 * HOUR_US, START_US + 3 * HOUR_US)
    points = ((35_123_456_789, 35 * NANODEG_PER_DEG), (36 * NANODEG_PER_DEG, -NANODEG_PER_DEG // 2))
    piece = build_volume(
        Moving(points, times, 5 * TENTH_MM_PER_NM),
        "geodesic",
        build_altitude(0, "ft", "MSL", field="lower"),
        build_altitude(TENTH_MM_PER_FT, "ft", "MSL", field="upper"),
        *times,
        field="pieces[0]",
    )
    file(north, build_notice(name="A-1", pieces=(piece,), exercise=True, activity="tanker"))
    file(north, notice("A-2"))
    moving, staying = (
        plain(row(north.running, f"north:{name}"))["pieces"][0] for name in ("A-1", "A-2")
    )
    assert moving["way"] == {
        "points": [[35.123456789, 35.0], [36.0, -0.5]],
        "times": [moving["start"], moving["end"]],
        "radius_m": 9260.0,
        "edges": "geodesic",
    }
    assert moving["outline"]
    assert "way" not in staying


def test_row_of_a_long_text_is_cut_and_says_so(two: tuple[Room, SimNode, SimNode]) -> None:
    """A text over the limit is cut to it; one of exactly the limit is whole."""
    _, north, _ = two
    file(north, notice("A-1", text="x" * (SUMMARY_CHARS + 1)))
    file(north, notice("A-2", text="x" * SUMMARY_CHARS))
    cut, whole = row(north.running, "north:A-1"), row(north.running, "north:A-2")
    assert (len(cut.text or ""), cut.text_cut) == (SUMMARY_CHARS, True)
    assert (len(whole.text or ""), whole.text_cut) == (SUMMARY_CHARS, False)


def test_row_of_own_notice_goes_from_waiting_to_delivered_to_cancelled() -> None:
    """Each step shows: who has not answered, who has, and when it was received."""
    room = Room()
    north, south = room.nodes()
    file(north, notice("A-1"))
    waiting = row(north.running, "north:A-1")
    assert (waiting.state, waiting.waiting_for, waiting.waiting_version) == (
        "waiting",
        ["south"],
        1,
    )
    assert (waiting.received, waiting.lead_time_s, waiting.late) == (None, None, False)
    assert plain(waiting)["pieces"]
    talk(room, north, south)
    delivered = row(north.running, "north:A-1")
    assert (delivered.state, delivered.waiting_for, delivered.waiting_version) == (
        "delivered",
        [],
        None,
    )
    assert delivered.lead_time_s is not None
    assert [(one.party, one.answer) for one in delivered.receipts] == [("south", "delivered")]
    cancel(north, "A-1")
    cancelled = row(north.running, "north:A-1")
    assert (cancelled.state, cancelled.version, cancelled.waiting_for) == (
        "cancelled",
        2,
        ["south"],
    )
    assert plain(cancelled)["pieces"] == plain(delivered)["pieces"]
    assert cancelled.activity == "patrol"


def test_row_of_a_filed_notice_waits_for_its_receipt(two: tuple[Room, SimNode, SimNode]) -> None:
    """Signed and not yet answered: filed, waiting for the recipient."""
    _, north, _ = two
    file(north, notice("A-1"))
    found = row(north.running, "north:A-1")
    assert (found.state, found.waiting_for, found.waiting_version) == ("filed", ["south"], None)


def test_row_shows_the_version_that_still_waits(two: tuple[Room, SimNode, SimNode]) -> None:
    """After a restart a new version waits unsigned: the row stays at the signed one and says so."""
    room, north, south = two
    file(north, notice("A-1"))
    talk(room, north, south)
    north.crash()
    north.start()
    file(north, notice("A-1", lon=36.0), amend=True)
    found = row(north.running, "north:A-1")
    assert (found.version, found.waiting_version, found.waiting_for) == (1, 2, ["south"])
    assert found.state == "filed"


def test_row_tells_whose_desk_opened_it(two: tuple[Room, SimNode, SimNode]) -> None:
    """Both sides see that a desk has had it in front of it; no officer's name crosses."""
    room, north, south = two
    file(north, notice("A-1"))
    talk(room, north, south)
    south.run(
        lambda core: (
            None,
            core.open_notice("north:A-1", south.now_us(), officer="bo", desk="general"),
        )
    )
    talk(room, north, south)
    for node in (north, south):
        found = row(node.running, "north:A-1")
        assert [(one.party, one.desk) for one in found.opened_by] == [("south", "general")]
        assert b'"bo"' not in msgspec.json.encode(found)


def test_row_of_a_late_notice_says_so(two: tuple[Room, SimNode, SimNode]) -> None:
    """A notice that came later than agreed is late on both sides, by the agreed number."""
    room, north, south = two
    room.wait(2 * 3600 - 300)
    file(north, notice("A-1"))
    talk(room, north, south)
    for node in (north, south):
        found = row(node.running, "north:A-1")
        assert (found.late, found.agreed_lead_s) == (True, 600)
        assert found.lead_time_s is not None
        assert found.lead_time_s < 600


def test_row_whose_content_is_gone_cannot_be_drawn_and_is_there(
    two: tuple[Room, SimNode, SimNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Openings that were destroyed leave a row that says that it cannot be drawn."""
    room, north, south = two
    file(north, notice("A-1"))
    talk(room, north, south)
    core = south.running
    monkeypatch.setattr(core, "_volumes", {})
    monkeypatch.setattr(core.journal, "openings", lambda _: {})
    found = row(core, "north:A-1")
    assert (found.cannot_draw, plain(found)["pieces"], found.activity) == (True, [], None)


def test_drawings_keep_no_more_than_their_limit(two: tuple[Room, SimNode, SimNode]) -> None:
    """Outlines are kept by body up to a size, the newest of them, and never wrong ones."""
    _, north, _ = two
    for i in range(8):
        file(north, notice(f"A-{i}", lon=30.0 + i))
    ids = [f"north:A-{i}" for i in range(8)]
    size = len(msgspec.json.encode(row(north.running, ids[0]).pieces))
    small = Drawings(most_bytes=3 * size)
    first = plain(picture.notice_rows(north.running, ids, small))
    assert len(small) <= 3
    assert plain(picture.notice_rows(north.running, ids[::-1], small)) == first[::-1]


def test_unknown_notice_has_no_row(two: tuple[Room, SimNode, SimNode]) -> None:
    """An id that is not in the record is left out."""
    _, north, _ = two
    assert picture.notice_rows(north.running, ["north:A-9"], Drawings()) == []


# -- changes -----------------------------------------------------------------------------------------


def changed(core: Core, since: int) -> set[str]:
    """Ids of notices changed since a revision."""
    return set(picture.changed_notices(core, since))


def test_change_of_a_row_is_found_from_any_revision_before_it(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """Filing, a receipt, an opening and a cancellation each bring their row, and no other."""
    room, north, south = two
    core = north.running
    file(north, notice("A-1"))
    file(north, notice("A-2", lon=40.0))
    talk(room, north, south)
    at = core.tree.size
    assert changed(core, at) == set()
    assert changed(core, 0) == {"north:A-1", "north:A-2"}
    south.run(lambda c: (None, c.open_notice("north:A-1", south.now_us(), officer="bo", desk="d")))
    talk(room, north, south)
    assert changed(core, at) == {"north:A-1"}
    at = core.tree.size
    cancel(north, "A-2")
    assert changed(core, at) == {"north:A-2"}
    at = core.tree.size
    talk(room, north, south)  # the receipt of it
    assert changed(core, at) == {"north:A-2"}


ACT = st.tuples(st.integers(0, 1), st.sampled_from(["file", "amend", "cancel", "open", "talk"]), st.integers(0, 3))  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts=st.lists(ACT, min_size=4, max_size=14), cut=st.integers(0, 100))
def test_picture_of_changes_laid_over_an_old_one_is_the_whole_picture(
    acts: list[tuple[int, str, int]], cut: int
) -> None:
    """Whatever happens: an old picture with all changes since is the picture of now, also after a restart."""
    room = Room()
    nodes = room.nodes()
    talk(room, *nodes)
    held: dict[int, tuple[int, dict[str, Any]]] = {}
    at = cut % len(acts)
    for step, (side, what, number) in enumerate(acts):
        node = nodes[side]
        with contextlib.suppress(DetenteError):  # what cannot be done now is refused
            act(room, node, nodes[1 - side], what, number)
        if what == "talk":
            talk(room, *nodes)
        if step == at:
            held = {i: (n.running.tree.size, whole(n)) for i, n in enumerate(nodes)}
    for i, node in enumerate(nodes):
        since, old = held[i]
        assert {**old, **whole(node, since)} == whole(node)
        before = (node.running.tree.size, whole(node), whole(node, since))
        node.crash()
        node.start()
        waiting = {
            k for k, v in before[1].items() if k.startswith("notice") and v["state"] == "filed"
        }
        after = whole(node)
        assert {k: v for k, v in after.items() if k not in waiting} == {
            k: v for k, v in before[1].items() if k not in waiting
        }
        assert (node.running.tree.size, set(whole(node, since))) == (before[0], set(before[2]))


def act(room: Room, node: SimNode, other: SimNode, what: str, number: int) -> None:
    """One thing that an officer does; places are few, so that many meet."""
    name = f"N-{number}"
    if what in ("file", "amend"):
        file(node, notice(name, lon=35 + number * 0.1), amend=what == "amend")
    elif what == "cancel":
        cancel(node, name)
    elif what == "open":
        id_ = f"{other.name}:{name}"
        node.run(lambda c: (None, c.open_notice(id_, node.now_us(), officer="o", desk="d")))


def whole(node: SimNode, since: int = 0) -> dict[str, Any]:
    """Everything that changed since a revision, by kind and id."""
    core = node.running
    conflicts = picture.conflict_rows(core, picture.changed_conflicts(core, since))
    raised = alarms.alarm_rows(core, (), node.now_us(), since)
    found = {f"notice {r.id}": r for r in rows(core, since)}
    return {
        key: plain(value)
        for key, value in {
            **found,
            **{f"conflict {r.id}": r for r in conflicts},
            **{f"alarm {r.id}": r for r in raised},
        }.items()
    }


def test_rows_are_the_same_after_a_restart_and_so_is_the_revision(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """What changed since a revision is the same filter when the ledger is folded anew."""
    room, north, south = two
    file(north, notice("A-1"))
    file(south, notice("B-1"))
    talk(room, north, south)
    middle = north.running.tree.size
    cancel(south, "B-1")
    talk(room, north, south)
    before = [whole(north, since) for since in (0, middle)]
    north.crash()
    north.start()
    assert [whole(north, since) for since in (0, middle)] == before


def test_epoch_changes_when_the_record_proves_old_and_again_when_it_goes_on(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """A console's revision counts in one ledger only; a restart alone does not change its name."""
    room, north, south = two
    snapshot = north.disk.snapshot()
    file(north, notice("A-1"))
    talk(room, north, south)
    first = picture.epoch_of(north.running)
    north.crash()
    north.start()
    assert picture.epoch_of(north.running) == first == "detente/north/log/1"
    north.restore(snapshot)
    talk(room, north, south)
    behind = picture.epoch_of(north.running)
    north.act(lambda core: start_recovery(core, north.now_us()))
    talk(room, north, south)
    assert len({first, behind, picture.epoch_of(north.running)}) == 3


# -- conflicts, from either side -----------------------------------------------------------------------


def test_conflict_row_mirrors_on_the_other_side(two: tuple[Room, SimNode, SimNode]) -> None:
    """Own and peer change places; all else, the id and the order of the two included, is the same."""
    room, north, south = two
    file(north, notice("A-1"))
    file(south, notice("B-1", lon=35.05))
    file(south, notice("B-2", lon=34.95, datum="STD", floor_ft=6000))
    talk(room, north, south)
    here, there = (
        plain(picture.conflict_rows(n.running, picture.changed_conflicts(n.running, 0)))
        for n in (north, south)
    )
    assert len(here) == 2
    assert {one["verdict"] for one in here} == {"conflict", "cannot-tell"}
    for one, other in zip(here, there, strict=True):
        assert (one["own"], one["peer"], one["party"]) == (other["peer"], other["own"], "south")
        assert other["party"] == "north"
        sides = ("own", "peer", "party", "seen")
        assert {k: v for k, v in one.items() if k not in sides} == {
            k: v for k, v in other.items() if k not in sides
        }
        assert one["lower"].endswith(one["datum"])
        assert one["place"].keys() == {"lat", "lon"}


def test_notice_row_is_the_same_on_both_sides_but_for_its_state(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """Nothing in a row says whose console it is, beyond delivered there and received here."""
    room, north, south = two
    file(north, notice("A-1"))
    talk(room, north, south)
    here, there = (plain(row(n.running, "north:A-1")) for n in (north, south))
    assert (here.pop("state"), there.pop("state")) == ("delivered", "received")
    assert here == there


@pytest.mark.parametrize("swap", [False, True])
def test_order_of_rows_does_not_put_one_party_first(swap: bool) -> None:
    """The same two stories with the names exchanged are in the exchanged order: time counts, not whose."""
    room = Room()
    nodes = room.nodes()
    talk(room, *nodes)
    one, other = reversed(nodes) if swap else nodes
    file(one, notice("A-1", lon=35.0))
    talk(room, *nodes)
    room.wait(60)
    file(other, notice("B-1", lon=35.01))
    talk(room, *nodes)
    room.wait(60)
    file(one, notice("A-2", lon=35.02))
    talk(room, *nodes)
    for node in nodes:
        raised = alarms.alarm_rows(node.running, (), node.now_us())
        names = [[id_.partition(":")[2] for id_ in sorted(a.notices, key=lambda n: n[-3:])] for a in raised]  # fmt: skip
        assert names == [["A-2", "B-1"], ["A-1", "B-1"]]


def test_conflict_of_two_others_has_no_own_side() -> None:
    """A node that both told of their notices shows their conflict as theirs."""
    room = Room(3)
    north, south, east = room.nodes()
    talk(room, north, south, east)
    file(north, notice("A-1"))
    file(south, notice("B-1"))
    talk(room, north, south, east)
    (found,) = picture.conflict_rows(east.running, picture.changed_conflicts(east.running, 0))
    assert (found.own, found.peer, found.party) == (None, None, None)
    assert found.parties == ["north", "south"]


def test_conflict_row_is_resolved_for_good_when_one_side_amends(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """A resolved conflict is sent once more as such, and a new clash has an id of its own."""
    room, north, south = two
    file(north, notice("A-1"))
    file(south, notice("B-1"))
    talk(room, north, south)
    core = north.running
    at = core.tree.size
    file(south, notice("B-1", lon=35.01), amend=True)
    talk(room, north, south)
    found = picture.conflict_rows(core, picture.changed_conflicts(core, at))
    assert [one.state for one in found] == ["live", "resolved"]
    assert found[0].id != found[1].id
    assert core.state.conflicts[found[1].id].live(core.state.notices) is False


# -- before sending ------------------------------------------------------------------------------------


def preview(node: SimNode, one: ActivityNotice, *to: str, amend: bool = False) -> picture.Preview:
    """What filing would do."""
    return node.act(
        lambda core: picture.preview(core, one, to, node.now_us(), desk="watch", amend=amend)
    )


def test_preview_changes_nothing_at_all(two: tuple[Room, SimNode, SimNode]) -> None:
    """Ledger, intents, state and the number of the next filing are as before, to the byte."""
    from detente.protocol import views

    room, north, south = two
    file(south, notice("B-1"))
    talk(room, north, south)
    core = north.running
    writes = north.disk.writes
    before = (core.tree.root(), views.projection(core), dict(core.intents), core._next_intent)
    assert preview(north, notice("A-1")).verdict == "conflict"
    after = (core.tree.root(), views.projection(core), dict(core.intents), core._next_intent)
    assert (before, writes) == (after, north.disk.writes)


def test_preview_finds_what_filing_then_finds(two: tuple[Room, SimNode, SimNode]) -> None:
    """The verdicts before and after sending are the same, but for the id that nobody can know yet."""
    room, north, south = two
    for i in range(6):
        datum, floor_ft = ("STD", 6000) if i % 3 else ("MSL", 0)
        file(south, notice(f"B-{i}", lon=35 + i * 0.09, datum=datum, floor_ft=floor_ft))
    talk(room, north, south)
    asked = preview(north, notice("A-1"))
    file(north, notice("A-1"))
    core = north.running
    found = picture.conflict_rows(core, picture.changed_conflicts(core, 0))
    recorded = [
        {k: v for k, v in plain(one).items() if k not in ("id", "state", "seen")} for one in found
    ]
    assert sorted(map(str, plain(asked.meetings))) == sorted(map(str, recorded))
    assert len(asked.meetings) >= 3
    assert (asked.verdict, asked.compared) == ("conflict", 6)
    assert [one.rank for one in asked.meetings] == sorted(one.rank for one in asked.meetings)


def test_preview_answers_lead_time_and_outlines(two: tuple[Room, SimNode, SimNode]) -> None:
    """What would be sent to whom, how long before its start, and how it looks."""
    room, north, _ = two
    room.wait(2 * 3600 - 60)
    found = preview(north, notice("A-1"))
    assert (found.id, found.version, found.to) == ("north:A-1", 1, ["south"])
    assert (found.late, found.agreed_lead_s) == (True, 600)
    assert found.lead_time_s < 60
    file(north, notice("A-1"))
    assert plain(found.pieces) == plain(row(north.running, "north:A-1"))["pieces"]
    assert (found.verdict, found.meetings) == ("clear", [])


def test_preview_of_an_amendment_does_not_meet_the_version_it_replaces(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """Own notices are no clash, and the next version number is shown."""
    _, north, _ = two
    file(north, notice("A-1"))
    found = preview(north, notice("A-1", lon=35.01), amend=True)
    assert (found.version, found.verdict, found.compared) == (2, "clear", 0)


def test_preview_ignores_the_other_kind_and_what_is_cancelled(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """Exercise and real never meet, and what was taken back is not in the air."""
    room, north, south = two
    file(south, notice("B-1", exercise=False))
    file(south, notice("B-2"))
    talk(room, north, south)
    cancel(south, "B-2")
    talk(room, north, south)
    found = preview(north, notice("A-1"))
    assert (found.verdict, found.compared) == ("clear", 0)


REFUSED: list[tuple[str, dict[str, Any], bool, tuple[str, ...]]] = [
    ("notice-exists", {}, False, ()),
    ("notice-unknown", {"name": "A-9"}, True, ()),
    ("recipient-unknown", {"name": "A-9"}, False, ("west",)),
    ("exercise-flip", {"exercise": False}, True, ()),
]


@pytest.mark.parametrize(("code", "more", "amend", "to"), REFUSED, ids=[one[0] for one in REFUSED])
def test_preview_refuses_what_filing_refuses(
    two: tuple[Room, SimNode, SimNode],
    code: str,
    more: dict[str, Any],
    amend: bool,
    to: tuple[str, ...],
) -> None:
    """The same rule, the same words, the same field."""
    _, north, _ = two
    file(north, notice("A-1"))
    one = notice(**{"name": "A-1", **more})
    said = []
    for ask in (preview, file):
        with pytest.raises((UsageError, RefusedError)) as error:
            ask(north, one, *to, amend=amend)
        said.append((error.value.code, str(error.value), error.value.field))
    assert said[0] == said[1]
    assert said[0][0] == code


def test_preview_under_an_exercise_agreement_refuses_a_real_notice() -> None:
    """A rule that the peers keep too is kept before anything is sent."""
    room = Room(terms=Terms(exercise_only=True))
    north, south = room.nodes()
    talk(room, north, south)
    with pytest.raises(RefusedError) as error:
        preview(north, notice("A-1", exercise=False))
    assert error.value.rule == "exercise-only"


def test_random_notices_are_all_drawn(two: tuple[Room, SimNode, SimNode]) -> None:
    """Whatever the simulation thinks of has outlines, all closed."""
    room, north, _ = two
    for i in range(60):
        file(north, random_notice(f"R-{i}", room.chance, north.now_us(), exercise=True))
    found = [plain(one) for one in rows(north.running)]
    assert len(found) == 60
    for one in found:
        for piece in one["pieces"]:
            assert piece["outline"]
            assert all(ring[0] == ring[-1] for rings in piece["outline"] for ring in rings)
