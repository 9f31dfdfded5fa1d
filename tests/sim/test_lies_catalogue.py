"""The catalogue of dishonesty: each row is played, caught and proved."""

from __future__ import annotations

import pytest

from detente.simulation.chance import Chance
from detente.simulation.clock import NodeClock
from detente.simulation.lies import CATALOGUE, Lie, Scene, tell
from detente.simulation.room import Room
from detente.simulation.witness import SimWitness


def make_scene(seed: int = 1, witnesses: int = 2) -> Scene:
    """North and south, honest; east lies; neutrals watch, and one of them colludes."""
    room = Room(4 + witnesses, seed=seed)
    nodes = [room.node(0), room.node(1)]
    watching = [SimWitness(party, NodeClock(room.timeline)) for party in room.parties[4:]]
    return Scene(room.parties[2], nodes, watching, room.parties[3], Chance(seed))


@pytest.mark.parametrize("lie", CATALOGUE, ids=lambda lie: lie.name)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lie_of_the_catalogue_is_caught_and_proved(lie: Lie, seed: int) -> None:
    """Every dishonesty is caught where the table says, and leaves evidence that verify_evidence accepts, or none where it says none."""
    assert tell(lie, make_scene(seed)) == []


@pytest.mark.parametrize("witnesses", [1, 3])
def test_lies_one_after_the_other_are_all_caught(witnesses: int) -> None:
    """What one lie leaves behind hides no other."""
    scene = make_scene(9, witnesses)
    for lie in CATALOGUE * 2:
        assert (lie.name, tell(lie, scene)) == (lie.name, [])
