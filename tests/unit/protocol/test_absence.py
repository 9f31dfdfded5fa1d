"""Proof of absence: complete by the root and by the other party's own chains; a prover who cheats fails."""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detente.airspace.area import Circle
from detente.errors import PeerError, UsageError
from detente.ledger.checkpoint import log_origin, parse_checkpoint
from detente.ledger.cosignature import cosign
from detente.ledger.note import parse_note
from detente.limits import ABSENCE_BYTES, ABSENCE_ENTRIES
from detente.protocol.absence import (
    MEMBERS,
    NOT_PROVED,
    Absence,
    Proving,
    make_absence,
    verify_absence,
)
from detente.protocol.paper import decode_paper, encode_paper
from detente.signing.key import PublicKeys
from detente.simulation.node import SimNode, converse, cosign_newest
from detente.simulation.officer import random_notice
from detente.simulation.party import SIMULATED
from detente.simulation.room import Room
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_NM, US_PER_S, format_time, parse_time

SPEC = (Path(__file__).parents[3] / "docs/spec/absence.md").read_text("utf-8")
HOUR_US = 3600 * US_PER_S


def box(lon: float, lat: float = 35.0) -> bytes:
    """A box as GeoJSON."""
    ring = [[lon + x, lat + y] for x, y in ((-0.2, -0.2), (0.2, -0.2), (0.2, 0.2), (-0.2, 0.2))]
    return msgspec.json.encode({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})


class Scene:
    """North told south of A-1 at 35E and A-2 at 40E, and east of B-1; east cosigned south's log before and after."""

    def __init__(self) -> None:
        self.room = Room(3)
        self.north, self.south, self.east = self.room.nodes()
        converse(self.north, self.south)
        converse(self.north, self.east)
        self.start_us = self.room.timeline.now_us - HOUR_US
        self.file("A-1", 35.0, "south")
        cosign_newest(self.south, self.east)
        self.middle = make_absence(self.south.running, "north", *self.asked(45.0))
        self.file("A-2", 40.0, "south")
        self.file("B-1", 45.0, "east")
        self.room.wait(2 * 3600)
        cosign_newest(self.south, self.east)
        self.seen_us = self.east.now_us()
        self.roots: dict[str, PublicKeys] = {p.name: p.root.public for p in self.room.parties}

    def file(self, name: str, lon: float, to: str) -> None:
        """North tells somebody of a circle around a place, for an hour from now."""
        now_us = self.room.timeline.now_us
        drawn = random_notice(name, self.room.chance, now_us, exercise=False)
        piece = msgspec.structs.replace(
            drawn.pieces[0],
            geometry=Circle(
                (round(lon * NANODEG_PER_DEG), 35 * NANODEG_PER_DEG), 2 * TENTH_MM_PER_NM
            ),
            start_us=now_us,
            end_us=now_us + HOUR_US,
        )
        notice = msgspec.structs.replace(drawn, pieces=(piece,))
        self.north.run(
            lambda core: core.file_notice(notice, (to,), self.north.now_us(), officer="o", desk="d")
        )
        for _ in range(2):
            self.room.wait(3)
            converse(self.north, {"south": self.south, "east": self.east}[to])

    def asked(self, lon: float) -> tuple[bytes, int, int]:
        """An area, and the hours around."""
        return box(lon), self.start_us, self.start_us + 3 * HOUR_US

    def prove(self, node: SimNode, by: str, lon: float | None) -> bytes:
        """A node's proof about a party; with no place, of everything."""
        return make_absence(
            node.running, by, *(self.asked(lon) if lon is not None else (None, None, None))
        )

    def verify(self, data: bytes) -> Absence:
        """What it proves."""
        return verify_absence(data, self.roots, verifier=SIMULATED.verifier)


@functools.cache
def scene() -> Scene:
    """One scene for all tests here."""
    return Scene()


def test_absence_of_a_place_never_notified_is_proved() -> None:
    """A-ANS-1: South proves that no notice of north's met 45E, from a log that east had seen."""
    found = scene().verify(scene().prove(scene().south, "north", 45.0))
    assert (found.answer, found.reason, found.notices) == ("none", None, [])
    assert found.notices_checked == 2
    assert found.cosigned_by == ["east"]
    assert found.entries == scene().south.running.tree.size
    assert found.complete_until == format_time(scene().seen_us // US_PER_S * US_PER_S)
    assert found.not_proved == NOT_PROVED


def test_absence_of_a_place_that_was_notified_names_the_notice() -> None:
    """A-ANS-1: the same file about 40E says which notice it was, and when it came."""
    found = scene().verify(scene().prove(scene().south, "north", 40.0))
    assert found.answer == "these"
    assert [(one.id, one.version, one.state) for one in found.notices] == [("north:A-2", 1, "live")]


def test_absence_without_a_question_lists_every_notice() -> None:
    """A-ANS-1: without an area everything that north gave notice of is listed."""
    found = scene().verify(scene().prove(scene().south, "north", None))
    assert [one.id for one in found.notices] == ["north:A-1", "north:A-2"]
    assert found.statements["ordinary"] >= 2


def test_absence_of_a_party_that_never_spoke_is_proved() -> None:
    """A-CHAIN-2: an empty chain has no head, and the leaves show that nothing came on it."""
    found = scene().verify(scene().prove(scene().south, "east", 45.0))
    assert found.answer == "none"
    assert found.statements == {"safety": 0, "ordinary": 0}
    assert found.exercise is False


def test_absence_log_cut_at_an_older_head_is_shown_as_its_time() -> None:
    """A-TIME-1: an older head proves only until it was seen; an interval that ends later is not answered."""
    found = scene().verify(scene().middle)
    assert found.answer == "cannot-tell"
    assert "before the interval ends" in (found.reason or "")
    assert found.entries < scene().south.running.tree.size


def test_absence_log_cut_at_an_older_head_cosigned_late_is_seen_no_longer() -> None:
    """A-TIME-1: east cosigns South's old head for South a day later; the head is as old as South itself said."""
    east = scene().room.parties[2].identity
    content = decode_paper("absence", scene().middle, MEMBERS, 2**28)
    own = "".join(
        f"{line}\n"
        for line in content["checkpoint"].splitlines()
        if not line.startswith("\u2014 detente/east ")
    )
    known = parse_checkpoint(parse_note(own))
    late_s = scene().seen_us // US_PER_S + 86_400
    content["checkpoint"] = own + cosign(east.signer, "detente/east", known, late_s)
    found = scene().verify(encode_paper("absence", content))
    assert found.cosigned_by == ["east"]
    assert found.answer == "cannot-tell"
    assert found.complete_until == scene().verify(scene().middle).complete_until


def test_absence_notice_without_its_pieces_cannot_be_told() -> None:
    """A-OPEN-1: a notice whose place is not opened leaves the question open, and is named."""

    def close(content: Any) -> None:
        for one in content["statements"]:
            one["openings"].pop("pieces", None)

    found = scene().verify(changed(close))
    assert found.answer == "cannot-tell"
    assert found.unopened == ["north:A-1@1", "north:A-2@1"]


@functools.cache
def _content() -> Any:
    return decode_paper("absence", scene().prove(scene().south, "north", 40.0), MEMBERS, 2**28)


def changed(change: Callable[[Any], None]) -> bytes:
    """South's proof about 40E with its content changed, well-formed again."""
    content = copy.deepcopy(_content())
    change(content)
    return encode_paper("absence", content)


def theirs(content: Any) -> list[int]:
    """Where north's statements stand."""
    return [i for i, row in enumerate(content["leaves"]) if row[5:6] == ["north>south"]]


def drop_entry(content: Any) -> None:
    """Leave the last notice out, leaf and statement."""
    del content["leaves"][theirs(content)[-1]]
    content["statements"].pop()


def relabel_local(content: Any) -> None:
    """Show the last notice as a local entry."""
    row = content["leaves"][theirs(content)[-1]]
    row[2:] = ["local", "alarm", row[4]]
    content["statements"].pop()


def relabel_type(content: Any) -> None:
    """Show the last notice as another type."""
    content["leaves"][theirs(content)[-1]][3] = "talk/message"


def relabel_link(content: Any) -> None:
    """Show the last notice as east's."""
    row = content["leaves"][theirs(content)[-1]]
    row[5] = "east>south"
    row.pop()
    content["statements"].pop()


def close_leaf(content: Any) -> None:
    """Give no content of the last notice."""
    content["leaves"][theirs(content)[-1]].pop()
    content["statements"].pop()


def swap_bodies(content: Any) -> None:
    """Show each notice at the other's place."""
    first, second = (s for s in content["statements"] if s["openings"])
    first["openings"], second["openings"] = second["openings"], first["openings"]


def swap_statements(content: Any) -> None:
    """Show the statements in another order."""
    content["statements"].reverse()


def move_notice(content: Any) -> None:
    """Say another place than was committed to."""
    piece = content["statements"][-1]["openings"]["pieces"][1][0]
    piece["geometry"]["center"][0] -= 10**10


def leave_out_chain(content: Any) -> None:
    """Leave out the head of a chain."""
    content["heads"].pop("ordinary")


def older_head(content: Any) -> None:
    """Sign with the statement before the last."""
    first = decode_paper("absence", scene().middle, MEMBERS, 2**28)
    content["heads"] = first["heads"]


def older_checkpoint(content: Any) -> None:
    """Show all the leaves under an older head."""
    first = decode_paper("absence", scene().middle, MEMBERS, 2**28)
    content["checkpoint"] = first["checkpoint"]


def other_log(content: Any) -> None:
    """Show north's log as south's."""
    cosign_newest(scene().north, scene().east)
    theirs_ = decode_paper("absence", scene().prove(scene().north, "south", None), MEMBERS, 2**28)
    content["checkpoint"], content["keys"] = theirs_["checkpoint"], theirs_["keys"]


CHEATS = [
    drop_entry,
    relabel_local,
    relabel_type,
    relabel_link,
    close_leaf,
    swap_bodies,
    swap_statements,
    move_notice,
    leave_out_chain,
    older_head,
    older_checkpoint,
    other_log,
]


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.__name__)
def test_absence_prover_who_cheats_fails(cheat: Callable[[Any], None]) -> None:
    """A-LOG-1, A-ALL-1, A-ALL-2, A-CHAIN-1, A-CHAIN-2, A-OPEN-1: whatever is left out, moved or relabelled is noticed."""
    assert scene().verify(changed(lambda content: None)).answer == "these"
    with pytest.raises(PeerError):
        scene().verify(changed(cheat))


MALFORMED: dict[str, Callable[[Any], None]] = {
    "leaves-number": lambda c: c.update(leaves=5),
    "leaf-number": lambda c: c["leaves"].__setitem__(0, 5),
    "leaf-short": lambda c: c["leaves"][0].pop(),
    "leaf-salt": lambda c: c["leaves"][0].__setitem__(0, "AAAA"),
    "leaf-time": lambda c: c["leaves"][0].__setitem__(4, "now"),
    "statements-number": lambda c: c.update(statements=5),
    "statement-null": lambda c: c["statements"].__setitem__(0, None),
    "payload-null": lambda c: c["statements"][0].update(payload=None),
    "openings-null": lambda c: c["statements"][0].update(openings=None),
    "heads-list": lambda c: c.update(heads=[]),
    "head-null": lambda c: c["heads"].update(ordinary=None),
    "keys-null": lambda c: c.update(keys=None),
    "keys-empty": lambda c: c.update(keys=[]),
    "key-more": lambda c: c["keys"].append(c["keys"][0]),
    "by-number": lambda c: c.update(by=5),
    "by-itself": lambda c: c.update(by="south"),
    "prover-other": lambda c: c.update(prover="east"),
    "checkpoint-null": lambda c: c.update(checkpoint=None),
    "checkpoint-empty": lambda c: c.update(checkpoint=""),
    "question-text": lambda c: c.update(question="where"),
    "question-area": lambda c: c["question"].update(area="{}"),
    "question-times": lambda c: c["question"].update(until=c["question"]["from"]),
    "exercise": lambda c: c.update(EXERCISE=True),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_absence_of_other_form_is_refused(name: str) -> None:
    """A-FORM-1, A-KEY-1: any other form is the file's fault, and nothing else goes wrong."""
    with pytest.raises(PeerError):
        scene().verify(changed(MALFORMED[name]))


def test_absence_key_that_vouches_for_nothing_is_refused() -> None:
    """A-KEY-1: a true certificate that nothing here needs does not ride along."""
    other = next(
        one["document"]["certificates"]
        for one in (p.card for p in scene().room.parties)
        if one["document"]["party"] == "north"
    )
    signing = next(one for one in other if one["document"]["use"] == "signing")
    content = decode_paper(
        "absence", scene().prove(scene().south, "east", 45.0), MEMBERS, ABSENCE_BYTES
    )
    keys = [*content["keys"], signing]
    content["keys"] = sorted(keys, key=lambda one: str(one["document"]["party"]))
    with pytest.raises(PeerError, match="vouches for nothing"):
        scene().verify(encode_paper("absence", content))


def test_absence_of_another_epoch_says_so() -> None:
    """Attack 7: after a stale backup the new log is another; the reader learns that an earlier one was."""
    room = Room(2)
    north, south = room.nodes()
    converse(north, south)
    south.act(lambda core: core.state.open_epoch(core.tree.size))
    south.act(lambda core: core.append_local(south.now_us(), "log/epoch"))
    south.act(lambda core: core.append_local(south.now_us(), "log/recovered"))
    cosign_newest(south, north)
    roots = {p.name: p.root.public for p in room.parties}
    data = make_absence(south.running, "north", None, None, None)
    found = verify_absence(data, roots, verifier=SIMULATED.verifier)
    assert found.log == log_origin("south", 2)
    assert any("epoch 2" in one for one in found.remarks)


def test_make_absence_of_an_unknown_party_is_refused() -> None:
    """A misspelt party would be proved absent with ease."""
    with pytest.raises(UsageError) as caught:
        make_absence(scene().south.running, "nroth", None, None, None)
    assert caught.value.code == "party-unknown"


def test_make_absence_opens_place_and_time_and_no_words() -> None:
    """What a question about place and time does not need stays closed: no text, no other party's content."""
    data = scene().prove(scene().south, "north", 40.0)
    assert b"simulated" not in data
    content = _content()
    assert all(len(row) < 9 for row in content["leaves"] if row[5:6] != ["north>south"])


def test_spec_limits_are_those_in_force() -> None:
    """The numbers in the text are those of the code."""
    assert f"At most {ABSENCE_ENTRIES:,} entries and {ABSENCE_BYTES // 2**20} MiB" in SPEC


@pytest.mark.parametrize("rule", sorted(set(re.findall(r"\*\*(A-[A-Z]+-\d+)\*\*", SPEC))))
def test_spec_rule_of_absence_is_quoted_by_a_test(rule: str) -> None:
    """Each rule of the page is proved by a test that names it."""
    assert re.search(rf'^    """[^"]*{rule}\b', Path(__file__).read_text("utf-8"), re.MULTILINE)


def test_absence_read_in_slices_is_the_same_file() -> None:
    """However a record is cut into slices, the file is the one made at once."""
    core = scene().south.running
    for most in (1, 3, 10_000):
        proving = Proving(core, "north", None, None, None)
        turns = 1
        while not proving.read(core, most):
            turns += 1
        assert turns == -(-core.tree.size // most) or most == 10_000
        assert proving.encode() == make_absence(core, "north", None, None, None)


def test_absence_a_statement_elsewhen_is_no_answer_and_touching_is() -> None:
    """A-ANS-1: the interval's ends belong to it: a notice that starts as it ends is met."""
    core, area = scene().south.running, box(35.0)
    start_us = parse_time(
        scene().verify(scene().prove(scene().south, "north", 35.0)).notices[0].start
    )
    for until_us, met in ((start_us, ["north:A-1"]), (start_us - 1, [])):
        data = make_absence(core, "north", area, start_us - HOUR_US, until_us)
        assert [one.id for one in scene().verify(data).notices] == met
