"""The courier's desk: what a file says of a line, and what it does not."""

from __future__ import annotations

from collections import Counter
from typing import Any

from detente.node.courier import Brought, _take, _write
from detente.protocol import roster
from detente.simulation.node import SimNode, converse
from detente.simulation.room import Room
from detente.simulation.world import START_US
from detente.units import US_PER_S


class Desk:
    """As much of a node as the courier's routes look at."""

    def __init__(self, node: SimNode) -> None:
        self.counters: Counter[str] = Counter()
        self.now_us = node.now_us


def bring(node: SimNode, data: bytes) -> Brought:
    """Take a file at a node."""
    desk: Any = Desk(node)
    return node.run(lambda core: _take(desk, core, data))


def write(node: SimNode, peer: str) -> bytes:
    """Write a file at a node."""
    return node.act(lambda core: _write(core, peer, node.now_us())[1]["frame"].encode())


def test_file_that_is_brought_is_no_sign_that_the_line_is_heard() -> None:
    """F-COU-2: the time of the last good frame stays as it was, and so does the offset of the clocks."""
    room = Room()
    north, south = room.nodes()
    converse(north, south)
    link = south.running.link("north")
    heard_us, offset_us = link.heard_us, link.offset_us
    room.wait(3600)
    brought = bring(south, write(north, "south"))
    assert (brought.peer, brought.state) == ("north", "open")
    assert (link.heard_us, link.offset_us, link.path) == (heard_us, offset_us, "courier")
    back = bring(north, brought.frame.encode())
    assert back.carry is False
    assert heard_us is not None


def test_what_is_under_way_on_a_wire_goes_along() -> None:
    """F-COU-1: a frame that left a moment ago may never arrive: the file holds its statements too, and says so."""
    room = Room()
    north, south = room.nodes()
    converse(north, south)
    north.run(
        lambda core: roster.say_roster(
            *(core, "cell", ["en"], START_US, START_US + 60 * US_PER_S, [], north.now_us()),
            officer="ada",
            desk="cell",
        )
    )
    north.write("south")  # and is lost
    brought = bring(south, write(north, "south"))
    assert (brought.taken, brought.statements, brought.carry) == (1, 1, True)
    again = bring(south, write(north, "south"))
    assert (again.taken, again.duplicates) == (0, 1)
    assert bring(north, again.frame.encode()).taken == 1  # the receipt
