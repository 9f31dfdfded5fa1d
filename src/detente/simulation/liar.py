"""A lying peer: it holds its party's true keys, keeps no rules, and says whatever a test wants said.

Its statements go round the core: it signs any payload, seals it for its victim and puts it into a frame
with any heads. By default everything is as an honest node would have it, so that each lie stands alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from detente.protocol.link import PROGRAM_DIGITS, Frame, Head, Heads, encode_frame
from detente.protocol.statement import (
    SALT_BYTES,
    Openings,
    Statement,
    Thread,
    commit_openings,
    encode_message,
    open_fields,
    seal_info,
    sign_statement,
)
from detente.signing.key import Signer
from detente.signing.sealing import parse_sealing_public_key
from detente.simulation.chance import Chance
from detente.simulation.node import SimNode
from detente.simulation.officer import random_notice
from detente.simulation.party import Party

Json = dict[str, Any]


class Liar:
    """A party without a node, and the node it lies to.

    Attributes:
        heads: of its own chains to the victim, as far as it was honest.
        run, number: of its frames.
    """

    def __init__(self, party: Party, victim: SimNode, seed: int = 7) -> None:
        self.party = party
        self.victim = victim
        self.chance = Chance(seed)
        self.heads: Heads = {"safety": Head(), "ordinary": Head()}
        self.run = self.chance.bytes(8).hex()
        self.number = 0

    @property
    def name(self) -> str:
        """Its party."""
        return self.party.name

    # -- statements ----------------------------------------------------------------------------

    def notice_values(self, *, exercise: bool = True) -> Json:
        """The body of some notice."""
        return random_notice("X", self.chance, self.victim.now_us(), exercise=exercise).body()

    def say(
        self,
        type_: str,
        values: Mapping[str, object],
        *,
        chain: str = "ordinary",
        keep: bool = True,
        signer: Signer | None = None,
        **members: Any,
    ) -> tuple[Statement, Openings]:
        """Sign a statement: the next of its chain, unless `members` say otherwise.

        Args:
            keep: count it as the head of the chain.
            members: of `encode_payload`, to override.
        """
        openings = open_fields(dict(values), self.chance.bytes(SALT_BYTES * len(values)))
        head = self.heads[chain]
        agreement = self.victim.running.state.agreement
        statement = sign_statement(
            signer or self.party.identity.signer,
            **{
                "exercise": True,
                "agreement": agreement.hash if agreement else None,
                "body": commit_openings(openings),
                "chain": chain,
                "claimed_us": self.victim.now_us(),
                "party": self.name,
                "desk": "desk",
                "recipient": self.victim.name,
                "previous": head.id,
                "sequence": head.sequence + 1,
                "thread": None,
                "to": [self.victim.name],
                "type_": type_,
                **members,
            },
        )
        if keep:
            self.heads[chain] = Head(statement.sequence, statement.id)
        return statement, openings

    def say_notice(
        self, name: str = "X-1", version: int = 1, **members: Any
    ) -> tuple[Statement, Openings]:
        """Sign a notice of its own."""
        thread = Thread(f"{self.name}:{name}", "notice", version)
        values = self.notice_values(exercise=members.get("exercise", True))
        return self.say("activity/notice", values, **{"thread": thread, **members})

    def seal(self, statement: Statement, openings: Openings) -> bytes:
        """A statement and openings, sealed for the victim."""
        return self.seal_plain(encode_message(statement, openings))

    def seal_plain(self, plain: bytes) -> bytes:
        """Any bytes, sealed for the victim as this party's message."""
        identity = self.victim.party.identity
        key = parse_sealing_public_key(identity.opener.public.to_json(), sealer=identity.sealer)
        return identity.sealer.seal(key, plain, seal_info(self.name, self.victim.name))

    # -- frames --------------------------------------------------------------------------------

    def frame(
        self,
        messages: Sequence[bytes] = (),
        *,
        key: Party | None = None,
        **members: Any,
    ) -> bytes:
        """A signed frame; heads are the true ones and it answers the victim, unless `members` differ.

        Args:
            key: whose transport key signs it; its own when not given.
        """
        core = self.victim.running
        link = core.link(self.name)
        if link.program != self.run[:PROGRAM_DIGITS]:  # it has greeted its victim before it lies
            link.program = self.run[:PROGRAM_DIGITS]
            link.programs.append(link.program)
        self.number += 1
        frame = Frame(
            **{
                "sender": self.name,
                "recipient": self.victim.name,
                "run": self.run,
                "number": self.number,
                "answers": core.session(self.name),
                "time_us": self.victim.now_us(),
                "received": core.state.heads(True, self.name),
                "sent": dict(self.heads),
                "known": core.state.heads(False, self.name),
                "messages": tuple(messages),
                **members,
            }
        )
        identity = (key or self.party).identity
        return encode_frame(frame, identity.transport_key, identity.sign_transport)

    def send(self, *said: tuple[Statement, Openings], **members: Any) -> bytes | None:
        """Send statements in one frame; what the victim answers."""
        return self.victim.serve(self.frame([self.seal(*one) for one in said], **members))
