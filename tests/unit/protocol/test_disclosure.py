"""Fields withheld, opened to somebody, and destroyed: every proof stays valid and the record says what was done."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detente.errors import PeerError, RefusedError, UsageError
from detente.protocol import views
from detente.protocol.absence import make_absence, verify_absence
from detente.protocol.audit import audit
from detente.protocol.bundle import Verified, verify_bundle
from detente.protocol.bundling import make_bundle
from detente.protocol.disclosure import BACKUPS, Destruction, destroy, disclose
from detente.protocol.history import timeline
from detente.protocol.incoming import start_recovery
from detente.protocol.opening import DESTRUCTIBLE, MEMBERS
from detente.protocol.paper import decode_paper, encode_paper
from detente.protocol.picture import Drawings, notice_rows
from detente.protocol.rules import TYPES
from detente.protocol.statement import body_values
from detente.simulation.node import SimNode, converse, cosign_newest, quiet
from detente.simulation.officer import random_notice
from detente.simulation.party import SIMULATED
from detente.simulation.room import Room

SPEC = (Path(__file__).parents[3] / "docs/spec/bundle.md").read_text("utf-8")
A1 = "north:A-1"


class Scene:
    """North told south of A-1, with a text; both logs are cosigned."""

    def __init__(self) -> None:
        self.room = Room(2)
        self.north, self.south = self.room.nodes()
        converse(self.north, self.south)
        self.file()
        self.talk()

    def file(self) -> None:
        """North files it."""
        notice = random_notice("A-1", self.room.chance, self.north.now_us(), exercise=False)
        self.north.run(
            lambda core: core.file_notice(notice, (), self.north.now_us(), officer="o", desk="d")
        )

    def talk(self) -> None:
        """Exchange until nothing is under way; each cosigns the other's log."""
        for _ in range(2):
            self.room.wait(3)
            converse(self.north, self.south)
        cosign_newest(self.north, self.south)
        cosign_newest(self.south, self.north)

    def bundle(self, node: SimNode, withhold: tuple[str, ...] = ()) -> bytes:
        """A node's bundle."""
        ids = views.find_statements(node.running, A1)
        return make_bundle(node.running, ids, withhold=withhold)

    def verify(self, data: bytes, *opened: bytes) -> Verified:
        """What a bundle proves."""
        roots = {p.name: p.root.public for p in self.room.parties}
        return verify_bundle(data, roots, opened=opened, verifier=SIMULATED.verifier)

    def disclose(self, node: SimNode, field: str, to: str = "the board") -> bytes:
        """An opening file."""
        return node.act(
            lambda core: disclose(
                core,
                views.find_statements(core, A1),
                field,
                to=to,
                reason="asked by the board",
                now_us=node.now_us(),
                officer="anna",
                desk="records",
            )
        )

    def destroy(
        self, node: SimNode, field: str, *, officer: str = "anna", alone: bool = True
    ) -> Destruction:
        """Destroy a field, and fold anew as the shell does."""
        found = node.act(
            lambda core: destroy(
                core,
                views.find_statements(core, A1),
                field,
                reason="a name that endangers",
                now_us=node.now_us(),
                officer=officer,
                desk="records",
                alone=alone,
            )
        )
        if found.done:
            links = node.running.links
            node.core = node.load()
            node.core.links = links
        return found

    def end(self) -> None:
        """Let the notice be over."""
        notice = self.north.running.state.notices[A1]
        self.room.wait((notice.latest.end_us - self.room.timeline.now_us) / 1e6 + 1)


def values(node: SimNode) -> Any:
    """What of the notice a node can still open."""
    (id_,) = views.find_statements(node.running, A1)
    found = node.running.journal.statement(id_)
    assert found is not None
    return body_values(found[1])


# -- withholding and opening -------------------------------------------------------------------------


def test_bundle_withheld_field_is_named_and_opened_later() -> None:
    """B-OPEN-1, B-OPEN-2: a bundle without the text is valid and says so; the opening file joins it, and is recorded."""
    scene = Scene()
    data = scene.bundle(scene.north, ("text",))
    assert b"simulated" not in data
    closed = scene.verify(data)
    assert "text" in closed.statement["withheld"]
    opening = scene.disclose(scene.north, "text")
    opened = scene.verify(data, opening)
    assert opened.statement["body"]["text"] == "simulated"
    assert "text" not in opened.statement["withheld"]
    (local,) = scene.north.running.journal.locals_of("opening/disclosed")
    assert (local["officer"], local["to"], local["field"]) == ("anna", "the board", "text")
    (row,) = scene.north.running.state.openings.disclosed[opened.statement["id"]]
    assert row.reason == "asked by the board"


def test_make_bundle_unknown_field_is_refused() -> None:
    """A misspelt field would be shown although it was to be withheld."""
    scene = Scene()
    with pytest.raises(UsageError) as caught:
        scene.bundle(scene.north, ("txet",))
    assert caught.value.code == "field-unknown"


@pytest.mark.parametrize(
    "change",
    [
        {"value": "other"},
        {"salt": "A" * 22},
        {"salt": "AAAA"},
        {"salt": 5},
        {"field": "region"},
        {"field": 5},
        {"statement": "ab" * 32},
        {"statement": None},
        {"EXERCISE": True},
        {"v": 2},
    ],
)
def test_opening_that_does_not_fit_is_refused(change: dict[str, object]) -> None:
    """B-OPEN-1: an opening of another value, salt, field, statement or kind opens nothing."""
    scene = Scene()
    data = scene.bundle(scene.north, ("text",))
    content = decode_paper("opening", scene.disclose(scene.north, "text"), MEMBERS, 2**20)
    with pytest.raises(PeerError):
        scene.verify(data, encode_paper("opening", {**content, **change}))


def test_opening_of_what_is_open_must_say_the_same() -> None:
    """B-OPEN-1: an opening file adds nothing to what is open, and cannot contradict it."""
    scene = Scene()
    opening = scene.disclose(scene.north, "text")
    assert scene.verify(scene.bundle(scene.north), opening).statement["withheld"] == []
    content = decode_paper("opening", opening, MEMBERS, 2**20)
    with pytest.raises(PeerError, match="another value"):
        scene.verify(
            scene.bundle(scene.north), encode_paper("opening", {**content, "value": "other"})
        )


def test_disclose_to_nobody_is_refused() -> None:
    """B-OPEN-2: who gets it stands in the record."""
    scene = Scene()
    with pytest.raises(UsageError) as caught:
        scene.disclose(scene.north, "text", to=" ")
    assert (caught.value.code, caught.value.field) == ("words-missing", "to")


# -- destroying ------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["text", "pieces"])
def test_destroyed_field_leaves_every_proof_valid(field: str) -> None:
    """B-DESTROY-2, B-DESTROY-3: the value is gone; bundle, audit and a fold anew are as good as before, byte for byte."""
    scene = Scene()
    scene.end()
    before = scene.north.running.state.notices[A1].latest
    found = scene.destroy(scene.north, field)
    core = scene.north.running
    assert found.done
    assert found.elsewhere == ["south: its own copy, in its own record", BACKUPS]
    assert field not in values(scene.north)
    assert field in values(scene.south)
    after = core.state.notices[A1].latest
    assert (after.start_us, after.end_us) == (before.start_us, before.end_us)
    assert views.projection(scene.north.load()) == views.projection(core)
    assert audit(core)["consistent"]
    proved = scene.verify(scene.bundle(scene.north))
    assert proved.statement["withheld"] == [field]
    assert scene.verify(scene.bundle(scene.south)).statement["id"] == proved.statement["id"]
    (row,) = core.state.openings.destroyed[proved.statement["id"]]
    assert (row.field, row.officers, row.reason) == (field, ["anna"], "a name that endangers")


def test_destroyed_pieces_cannot_be_told_absent_and_the_notice_stays() -> None:
    """B-DESTROY-3: who destroyed a place cannot prove that it was elsewhere."""
    scene = Scene()
    scene.end()
    scene.destroy(scene.south, "pieces")
    cosign_newest(scene.south, scene.north)
    roots = {p.name: p.root.public for p in scene.room.parties}
    data = make_absence(scene.south.running, "north", None, None, None)
    found = verify_absence(data, roots, verifier=SIMULATED.verifier)
    assert (found.answer, found.unopened) == ("cannot-tell", ["north:A-1@1"])
    assert views.show_notice(scene.south.running, A1, scene.south.now_us())["geojson"] is None


def test_destroy_pieces_of_a_live_notice_is_refused() -> None:
    """B-DESTROY-1: who is to be warned of a place must find it (rule opening-live)."""
    scene = Scene()
    with pytest.raises(RefusedError) as caught:
        scene.destroy(scene.north, "pieces")
    assert caught.value.code == "opening-live"
    assert "pieces" in values(scene.north)
    assert scene.destroy(scene.north, "text").done


def test_destroy_before_the_receipt_is_refused() -> None:
    """B-DESTROY-1: what is still to be sent must be whole, or the chain would stand still (rule opening-undelivered)."""
    scene = Scene()
    room = Room(2)
    scene.room, (scene.north, scene.south) = room, room.nodes()
    converse(scene.north, scene.south)
    scene.file()
    with pytest.raises(RefusedError) as caught:
        scene.destroy(scene.north, "text")
    assert caught.value.code == "opening-undelivered"


def test_destroy_field_that_the_record_needs_is_refused() -> None:
    """B-DESTROY-1: what a statement does cannot be destroyed (rule opening-needed)."""
    scene = Scene()
    with pytest.raises(RefusedError) as caught:
        scene.destroy(scene.north, "activity")
    assert caught.value.code == "opening-needed"


def test_destroy_takes_two_officers_who_are_not_the_owner() -> None:
    """B-DESTROY-1: the first officer asks, the same officer cannot complete it, another does; both are named."""
    scene = Scene()
    first = scene.destroy(scene.north, "text", alone=False)
    assert (first.done, "text" in values(scene.north)) == (False, True)
    with pytest.raises(RefusedError) as caught:
        scene.destroy(scene.north, "text", alone=False)
    assert caught.value.code == "second-officer"
    assert scene.destroy(scene.north, "text", officer="boris", alone=False).done
    (row,) = next(iter(scene.north.running.state.openings.destroyed.values()))
    assert row.officers == ["anna", "boris"]


def test_destroyed_field_can_be_neither_opened_nor_destroyed_again() -> None:
    """B-DESTROY-2: what is gone is gone, and the refusal says when, by whom and why."""
    scene = Scene()
    scene.destroy(scene.north, "text")
    for again in (scene.disclose, scene.destroy):
        with pytest.raises(UsageError, match="by anna: a name that endangers"):
            again(scene.north, "text")


@pytest.mark.parametrize("loser_name", ["north", "south"])
def test_statement_comes_back_after_a_loss_without_what_was_destroyed(loser_name: str) -> None:
    """B-DESTROY-4: maker or addressee, who lost it takes the statement back though the other destroyed a field."""
    scene = Scene()
    room = Room(2)
    scene.room, (scene.north, scene.south) = room, room.nodes()
    converse(scene.north, scene.south)
    nodes = {node.name: node for node in (scene.north, scene.south)}
    loser = nodes.pop(loser_name)
    (holder,) = nodes.values()
    empty = loser.disk.snapshot()
    scene.file()
    scene.talk()
    scene.destroy(holder, "text")
    loser.restore(empty)
    recover(scene, loser, holder)
    assert A1 in loser.running.state.notices
    assert "text" not in values(loser)
    assert loser.running.fault is None
    assert quiet(loser, holder)
    assert audit(loser.running)["consistent"]


def recover(scene: Scene, loser: SimNode, holder: SimNode) -> None:
    """The way forward after a stale backup."""
    for _ in range(4):
        scene.room.wait(3)
        converse(loser, holder)
    loser.act(lambda core: start_recovery(core, loser.now_us()))
    for _ in range(6):
        scene.room.wait(3)
        converse(loser, holder)


def test_destructible_fields_are_fields_of_their_types() -> None:
    """B-DESTROY-1: the table names types and fields that exist, and of what is required only places and reasons."""
    for type_, fields in DESTRUCTIBLE.items():
        row = TYPES[type_]
        assert set(fields) <= {*row.required, *row.optional}, type_
        assert set(fields) & set(row.required) <= {"pieces", "reason"}, type_


@pytest.mark.parametrize(
    "rule", sorted(set(re.findall(r"\*\*(B-(?:OPEN|DESTROY|INT|OLD)-\d+)\*\*", SPEC)))
)
def test_spec_rule_of_openings_is_quoted_by_a_test(rule: str) -> None:
    """Each rule of the page is proved by a test that names it."""
    here = Path(__file__).parent
    texts = "".join(
        (here / name).read_text("utf-8") for name in ("test_disclosure.py", "test_interval.py")
    )
    assert re.search(rf'^    """[^"]*{rule}\b', texts, re.MULTILINE)


# -- withholding at sending --------------------------------------------------------------------------


class Withheld:
    """North told south and east of A-1, and withholds its text from south."""

    def __init__(self) -> None:
        self.room = Room(3)
        self.north, self.south, self.east = self.room.nodes()
        for other in (self.south, self.east):
            converse(self.north, other)
        self.file("A-1", {"south": ["text"]})
        self.room.wait(3)
        for other in (self.south, self.east):
            converse(self.north, other)

    def file(self, name: str, withhold: dict[str, list[str]]) -> None:
        """File a notice of north's."""
        notice = random_notice(name, self.room.chance, self.north.now_us(), exercise=True)
        self.north.run(
            lambda core: core.file_notice(
                notice,
                ("south", "east"),
                self.north.now_us(),
                officer="o",
                desk="d",
                withhold=withhold,
            )
        )


def test_notice_withheld_from_one_reaches_it_without_the_field_and_the_other_whole() -> None:
    """S-HOLD-1: south gets the commitment and is told what it does not see, east the text; one body digest, one place."""
    scene = Withheld()
    told = {}
    for node in (scene.south, scene.east):
        core = node.running
        (wanted,) = views.find_statements(core, A1)
        found = core.journal.statement(wanted)
        assert found is not None
        told[node.name] = found
    south, east = told["south"], told["east"]
    assert (south[0].withheld, east[0].withheld) == (("text",), ())
    assert "text" not in south[1]
    assert east[1]["text"][1] == "simulated"
    assert south[0].body_digest == east[0].body_digest
    shown = views.show_notice(scene.south.running, A1, scene.south.now_us())
    assert (shown["text"], shown["versions"][0]["withheld"]) == (None, {"south": ["text"]})
    assert shown["geojson"] is not None
    assert {r.answer for r in scene.north.running.state.receipts.values()} == {"delivered"}
    for node in (scene.north, scene.south):
        assert audit(node.running)["consistent"]
        assert views.projection(node.load()) == views.projection(node.running)


def test_withheld_field_is_opened_by_its_maker_later() -> None:
    """S-HOLD-1, B-OPEN-1: south's own bundle names the field as withheld, and north's opening fits it."""
    scene = Withheld()
    cosign_newest(scene.south, scene.north)
    roots = {p.name: p.root.public for p in scene.room.parties}
    core = scene.south.running
    data = make_bundle(core, views.find_statements(core, A1))
    proved = verify_bundle(data, roots, verifier=SIMULATED.verifier)
    assert proved.statement["withheld"] == ["text"]
    wanted = proved.statement["id"]
    opening = scene.north.act(
        lambda core: disclose(
            core,
            [wanted],
            "text",
            to="board",
            reason="asked",
            now_us=scene.north.now_us(),
            officer="anna",
            desk="d",
        )
    )
    opened = verify_bundle(data, roots, opened=[opening], verifier=SIMULATED.verifier)
    assert opened.statement["withheld"] == []
    assert opened.statement["body"]["text"] == "simulated"


@pytest.mark.parametrize(
    ("withhold", "code"),
    [
        ({"south": ["pieces"]}, "withhold-needed"),
        ({"south": ["activity"]}, "withhold-needed"),
        ({"un": ["text"]}, "withhold-recipient"),
        ({"south": ["region"]}, "withhold-absent"),
    ],
)
def test_notice_withholding_what_must_be_told_is_refused(
    withhold: dict[str, list[str]], code: str
) -> None:
    """S-HOLD-1: place, times and activity reach everybody who is told; nothing is filed where one is withheld."""
    scene = Withheld()
    with pytest.raises(UsageError) as caught:
        scene.file("A-2", withhold)
    assert (caught.value.code, caught.value.field) == (code, "withhold")
    assert "north:A-2" not in scene.north.running.state.notices


# -- what officers see -----------------------------------------------------------------------------


def test_timeline_tells_what_was_disclosed_and_destroyed_and_between_when_it_was_made() -> None:
    """The history of a notice has a row for each opening given away or destroyed, and intervals beside claims."""
    scene = Scene()
    scene.disclose(scene.north, "text", to="board")
    scene.destroy(scene.north, "text", alone=False)
    scene.destroy(scene.north, "text", officer="boris", alone=False)
    rows = timeline(scene.north.running, A1).rows
    found = {row.kind: row for row in rows}
    assert found["disclosed"].values["to"] == "board"
    assert found["disclosed"].version == 1
    assert found["destruction-asked"].values["officers"] == ["anna"]
    gone = found["destroyed"].values
    assert (gone["field"], gone["officers"]) == ("text", ["anna", "boris"])
    assert gone["reason"] == "a name that endangers"
    assert set(found["signed"].values["made_between"]) == {"not_before", "not_after", "by"}
    assert set(found["delivered"].values["received_between"]) == {"not_before", "not_after", "by"}


def test_destroyed_place_leaves_the_picture_and_what_was_drawn_of_it() -> None:
    """B-DESTROY-2: after the destruction the row has no outline, and none is kept in the memory of drawings."""
    scene = Scene()
    scene.end()
    drawings = Drawings()
    (before,) = notice_rows(scene.north.running, [A1], drawings)
    assert len(drawings) == 1
    assert len(msgspec.json.encode(before.pieces)) > 10
    scene.destroy(scene.north, "pieces")
    drawings.forget()
    (after,) = notice_rows(scene.north.running, [A1], drawings)
    assert (after.pieces, after.cannot_draw, len(drawings)) == ([], True, 0)
    assert (after.start, after.end) == (before.start, before.end)
    shown = views.show_notice(scene.north.running, A1, scene.north.now_us())
    (gone,) = shown["versions"][0]["destroyed"]
    assert (gone["field"], gone["reason"]) == ("pieces", "a name that endangers")
