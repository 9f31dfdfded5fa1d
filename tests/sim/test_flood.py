"""H-CEA-4: requests and their answers pass whatever ordinary traffic there is, under faults too."""

from __future__ import annotations

import contextlib

import pytest

from detente.errors import DetenteError
from detente.protocol import cease, roster
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.simulation.check import check_due, check_healed
from detente.simulation.faults import Faults
from detente.simulation.node import Crashed, SimNode, converse
from detente.simulation.room import Room
from detente.simulation.world import MINUTE_US, World
from detente.units import US_PER_S

WHO = {"officer": "ada", "desk": "watch"}
FLOOD = (
    300  # ordinary statements at once, from each side every other minute: more than a frame holds
)


def flood(node: SimNode, count: int = FLOOD) -> bool:
    """Say much on the ordinary chain; whether the node lived through it."""

    def job(core: Core) -> tuple[None, list[Effect]]:
        now_us, effects = node.now_us(), []
        for number in range(count):
            effects += roster.say_roster(
                core, f"desk {number}", ["en"], now_us, now_us + US_PER_S, [], now_us, **WHO
            )[1]
        return None, effects

    try:
        node.run(job)
    except (Crashed, DetenteError):
        return False
    return True


def flood_until(world: World, node: SimNode) -> None:
    """Say it again and again until a node lives through it."""
    if not flood(node):
        world.timeline.after(5 * US_PER_S, lambda: flood_until(world, node))


def ask(node: SimNode, times: int = 1) -> None:
    """Ask to cease."""

    def job(core: Core) -> tuple[None, list[Effect]]:
        effects = []
        for _ in range(times):
            values = {"reason": "own people there"}
            effects += cease.ask_cease(core, values, [], node.now_us(), exercise=True, **WHO)[1]
        return None, effects

    with contextlib.suppress(Crashed, DetenteError):
        node.run(job)


@pytest.mark.parametrize("seed", [1, 2])
def test_requests_pass_floods_of_ordinary_traffic_under_faults(seed: int) -> None:
    """H-CEA-4: with both chains full, nodes that die, lines cut, frames lost, late and doubled and clocks that jump, no
    ordinary statement ever reaches the other side before a request that was made earlier, and every step is taken."""
    faults = Faults(
        crash=True, partition=True, clock_skew=True, loss=True, reordering=True, duplication=True
    )
    world = World(seed, 2, faults, every_s=60)
    north, south = world.party_nodes
    pair = frozenset((north.name, south.name))
    # what a seed may not bring in so few minutes comes here: a line that is cut, and a node that dies
    world.timeline.after(90 * US_PER_S, lambda: world.network.cut.add(pair))
    world.timeline.after(150 * US_PER_S, lambda: world.network.cut.discard(pair))
    world.timeline.after(200 * US_PER_S, lambda: south.crash() if south.core else None)
    for minute in range(6):
        for number, node in enumerate(world.party_nodes):
            after_us = minute * MINUTE_US + number * 7 * US_PER_S
            if minute % 2 == 0:
                world.timeline.after(after_us, lambda node=node: flood_until(world, node))
            world.timeline.after(after_us + US_PER_S, lambda node=node: ask(node))
    for _ in range(6):
        world.run(MINUTE_US)
        world.check()
    world.heal()
    world.note(check_healed(world.party_nodes))
    world.note(check_due(world.party_nodes))
    assert world.violations == {}
    north, south = world.party_nodes
    queued = north.running.state.head(True, "south", "ordinary").sequence
    assert queued > 2 * FLOOD
    assert len(south.running.state.urgent.known) > 5
    assert world.crashes > 0
    assert {"cut", "lost", "late"} <= world.network.counts.keys()


def test_notice_waits_for_requests_that_are_signed_in_slices() -> None:
    """H-CEA-4: more requests wait than are signed at once when the line opens; what is filed meanwhile comes after them."""
    room = Room()
    north, south = room.nodes()
    ask(north, 150)
    answer = south.serve(north.write("south"))
    assert answer is not None
    north.take(answer)
    flood(north, 1)
    waits = [intent.chain for intent in north.running.intents.values()]
    assert waits.count("safety") > 0
    assert waits.count("ordinary") == 1
    for _ in range(8):
        converse(north, south)
        room.wait(3)
    assert north.running.intents == {}
    assert list(check_healed([north, south])) == []
