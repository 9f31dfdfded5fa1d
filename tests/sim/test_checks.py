"""Scheduled checks of lines over seeded hours in which everything goes wrong."""

from __future__ import annotations

from collections import Counter

import pytest

from detente.agreement.terms import Terms
from detente.protocol.linestate import streak
from detente.simulation.faults import parse_faults
from detente.simulation.node import SimNode
from detente.simulation.world import MINUTE_US, World

TIMES = [f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in range(0, 60, 10)]
TERMS = Terms(comm_checks=TIMES, check_reply_s=60)


def counts(node: SimNode) -> Counter[tuple[str, str]]:
    """How often each slot was begun and missed at a node."""
    found: Counter[tuple[str, str]] = Counter()
    for entry, _, _, _ in node.disk.replay():
        if entry.local is not None and entry.local["type"].startswith("check/"):
            found[entry.local["type"], entry.local["slot"]] += 1
    return found


BAD = "loss,duplication,reordering,partition,crash,torn-write,disk-full,clock-skew"


@pytest.mark.parametrize("faults", [BAD, "partition,crash", "clock-skew"])
@pytest.mark.parametrize("seed", [11, 12])
def test_slot_is_begun_once_and_missed_once_whatever_goes_wrong(seed: int, faults: str) -> None:
    """H-LIN-3: crashes, partitions and clocks that jump begin no slot twice and miss none twice; every slot has one state,
    and a line that works again answers."""
    world = World(seed, 2, parse_faults(faults), terms=TERMS, every_s=60)
    world.run(180 * MINUTE_US)
    world.check()
    world.heal()
    world.run(25 * MINUTE_US)  # two slots in peace
    world.check()
    assert world.violations == {}
    missed = 0
    for node in world.party_nodes:
        found = counts(node)
        assert found
        assert max(found.values()) == 1
        missed += sum(1 for kind, _ in found if kind == "check/missed")
        (peer,) = node.running.state.peers
        slots = streak(node.running.state, peer, node.now_us())
        assert len({slot.slot for slot in slots}) == len(slots) >= 15
        assert slots[-2].state == "answered"
        begun = {slot for kind, slot in found if kind == "check/begun"}
        assert {slot.slot for slot in slots if slot.state != "unsent"} == begun
    assert missed or faults == "clock-skew"


def test_checks_in_peace_are_all_answered() -> None:
    """H-LIN-3: without faults the streak has no gap, on both sides."""
    world = World(5, 2, parse_faults("none"), terms=TERMS, every_s=60)
    world.run(125 * MINUTE_US)
    for node in world.party_nodes:
        (peer,) = node.running.state.peers
        states = [slot.state for slot in streak(node.running.state, peer, node.now_us())]
        assert states == ["answered"] * 12
