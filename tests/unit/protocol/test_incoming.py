"""Frames in and out: what goes first, what is left for the next, and what a status shows."""

from __future__ import annotations

import pytest

from detente.protocol import incoming
from detente.protocol.incoming import line_quality, next_frame
from detente.protocol.link import Frame
from detente.protocol.statement import parse_message, seal_info
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.room import Room


def file(room: Room, node: SimNode, name: str) -> None:
    """File a notice that the seed draws."""
    notice = random_notice(name, room.chance, node.now_us(), exercise=True)
    node.run(lambda core: core.file_notice(notice, (), node.now_us(), officer="o", desk="d"))


def cease(node: SimNode) -> None:
    """File a cease request."""
    values = {"reason": "stop"}
    node.run(
        lambda core: core.say(
            "hotline/cease", values, (), node.now_us(), exercise=True, officer="o", desk="d"
        )
    )


def opened(node: SimNode, frame: Frame) -> list[tuple[str, int]]:
    """Chain and sequence of the statements in a frame to a node."""
    found = []
    for sealed in frame.messages:
        info = seal_info(frame.sender, node.name)
        statement, _ = parse_message(node.party.identity.opener.open(sealed, info))
        found.append((statement.chain, statement.sequence))
    return found


def frame_of(node: SimNode, peer: str, **options: object) -> Frame:
    """The next frame, not sent."""
    return next_frame(node.running, peer, node.now_us(), **options)  # type: ignore[arg-type]


def pair() -> tuple[Room, SimNode, SimNode]:
    """Two nodes with an open line."""
    room = Room()
    north, south = room.nodes()
    converse(north, south)
    return room, north, south


def test_next_frame_safety_goes_before_ordinary() -> None:
    """F-SEND-1, F-EX-3: Of one frame the safety chain comes first, whatever was said first."""
    room, north, south = pair()
    file(room, north, "A-1")
    cease(north)
    assert opened(south, frame_of(north, "south")) == [("safety", 1), ("ordinary", 1)]


def test_next_frame_with_ordinary_repeats_every_safety_statement_not_held() -> None:
    """F-SEND-2: If the frame with the safety statement is lost, no later ordinary one arrives without it."""
    room, north, south = pair()
    cease(north)
    assert opened(south, frame_of(north, "south", chains=("safety",))) == [("safety", 1)]
    file(room, north, "A-1")
    assert opened(south, frame_of(north, "south")) == [("safety", 1), ("ordinary", 1)]


def test_next_frame_on_a_cold_line_has_heads_only() -> None:
    """F-SEND-1: What the peer lacks is not known before heads were compared."""
    room, north, _ = pair()
    file(room, north, "A-1")
    north.crash()
    north.start()
    frame = frame_of(north, "south")
    assert frame.messages == ()
    assert frame.answers is None
    assert frame.sent["ordinary"].sequence == 1


def test_next_frame_full_leaves_the_rest_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame holds what fits; the order stays, and at least one statement always fits."""
    room, north, south = pair()
    for number in range(4):
        file(room, north, f"A-{number}")
    room.wait(5)
    one = len(frame_of(north, "south", most=1).messages[0])
    room.wait(5)
    monkeypatch.setattr(incoming, "FRAME_BYTES", 2 * (2 * one + one // 2))
    assert opened(south, frame_of(north, "south")) == [("ordinary", 1), ("ordinary", 2)]
    assert opened(south, frame_of(north, "south")) == [("ordinary", 3), ("ordinary", 4)]
    room.wait(5)
    monkeypatch.setattr(incoming, "FRAME_BYTES", 0)
    assert opened(south, frame_of(north, "south")) == [("ordinary", 1)]


def test_take_frame_answer_leaves_with_the_receipts_of_the_same_frame() -> None:
    """A receipt needs no second exchange: it is in the answer to the frame with the statement."""
    room, north, south = pair()
    file(room, north, "A-1")
    answer = south.serve(north.write("south"))
    assert answer is not None
    north.take(answer)
    assert len(north.running.state.receipts) == 1


def test_line_quality_says_what_waits() -> None:
    """The status of a line: its state, what the peer does not hold, what is not even signed."""
    room = Room()
    north, south = room.nodes()
    file(room, north, "A-1")
    before = line_quality(north.running, "south", north.now_us())
    assert (before["state"], before["waiting"], before["unsigned"]) == ("cold", 0, 1)
    assert before["heard"] is None
    converse(north, south)
    room.wait(2)
    after = line_quality(north.running, "south", north.now_us())
    assert (after["state"], after["waiting"], after["unsigned"]) == ("open", 0, 0)
    assert after["heard_ago_s"] == 2.0


def test_synced_time_never_runs_ahead_of_the_peers_frame() -> None:
    """How far the record is complete is told by when the peer wrote, not by when its frame came."""
    room, north, south = pair()
    data = south.write("north")
    wrote_us = south.now_us()
    room.wait(600)
    north.take(data)
    assert north.running.link("south").synced_us == wrote_us
