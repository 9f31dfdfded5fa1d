"""A simulated neutral witness: the real rules of a witness, on simulated time."""

from __future__ import annotations

from collections.abc import Mapping

from detente.errors import PeerError
from detente.ledger.checkpoint import cosigner_name
from detente.ledger.witness import (
    WitnessAnswer,
    WitnessState,
    advance_witness,
    malformed_answer,
    parse_add_checkpoint,
)
from detente.signing.key import PublicKeys
from detente.simulation.clock import NodeClock
from detente.simulation.party import Party
from detente.units import US_PER_S


class SimWitness:
    """A neutral's witness.

    Attributes:
        refused: notes that it refused though their log had signed them, as it keeps them for evidence.
    """

    def __init__(self, party: Party, clock: NodeClock) -> None:
        self.party = party
        self.clock = clock
        self.state = WitnessState()
        self.refused: list[tuple[str, ...]] = []

    def add(self, body: bytes, logs: Mapping[str, PublicKeys]) -> WitnessAnswer:
        """Answer a request to cosign; the state moves before the answer leaves (L-WIT-1)."""
        try:
            request = parse_add_checkpoint(body)
        except PeerError as error:
            return malformed_answer(error)
        self.state, answer = advance_witness(
            self.state,
            request,
            logs=logs,
            signer=self.party.identity.signer,
            name=cosigner_name(self.party.name),
            now_s=self.clock.now_us() // US_PER_S,
            verifier=self.party.identity.verifier,
        )
        if answer.evidence:
            self.refused.append(answer.evidence)
        return answer

    def size(self, origin: str) -> int:
        """The size it cosigned last."""
        head = self.state.heads.get(origin)
        return head.size if head else 0
