"""Parties in one room, without a network: whoever tells the story carries the frames."""

from __future__ import annotations

from itertools import permutations

from detente.agreement.terms import Terms
from detente.simulation.chance import Chance
from detente.simulation.clock import NodeClock, Timeline
from detente.simulation.liar import Liar
from detente.simulation.node import SimNode, converse
from detente.simulation.party import (
    SIMULATED,
    Crypto,
    make_agreement,
    make_party,
    party_name,
)
from detente.simulation.world import START_US
from detente.units import US_PER_S


class Room:
    """Some parties that all signed one agreement, and one clock on the wall.

    Example:
        >>> room = Room()
        >>> north, south = room.node(0), room.node(1)
        >>> north.name, south.core.state.peers
        ('north', ['north'])
    """

    def __init__(
        self,
        parties: int = 2,
        seed: int = 1,
        terms: Terms | None = None,
        crypto: Crypto = SIMULATED,
    ) -> None:
        self.chance = Chance(seed)
        self.timeline = Timeline(START_US)
        self.parties = [
            make_party(party_name(i), self.chance, START_US, crypto) for i in range(parties)
        ]
        self.agreement = make_agreement(self.parties, START_US, terms)

    def node(self, number: int) -> SimNode:
        """An honest node of a party."""
        party = self.parties[number]
        return SimNode(party, NodeClock(self.timeline), self.chance.split(), self.agreement)

    def nodes(self) -> list[SimNode]:
        """Honest nodes of all parties."""
        return [self.node(number) for number in range(len(self.parties))]

    def liar(self, number: int, victim: SimNode) -> Liar:
        """A party that lies to a node."""
        return Liar(self.parties[number], victim)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.timeline.run_until(self.timeline.now_us + round(seconds * US_PER_S))

    def talk(self, *nodes: SimNode) -> None:
        """Let nodes exchange frames until nothing is under way, with time between."""
        for _ in range(8):
            self.wait(3)
            for one, other in permutations(nodes, 2):
                converse(one, other, most=2)
