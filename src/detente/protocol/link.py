"""The link: frames between two nodes, and the heads that show who is behind.

A frame carries sealed statements and, always, both sides' chain heads as the sender knows them. So
every frame is also a hello: heads are compared before anything new is signed. The normative text is
docs/spec/link.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from detente.errors import PeerError, UsageError, shown
from detente.limits import FRAME_BYTES, FRAME_STATEMENTS
from detente.signing.base64 import decode_base64url, encode_base64url
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.units import format_time, parse_time

FRAME_TAG = b"detente:frame:v1\n"
_RUN = re.compile(r"[0-9a-f]{16}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Head(msgspec.Struct, frozen=True):
    """The last statement of a chain: its number and id; 0 and None before the first."""

    sequence: int = 0
    id: str | None = None


Heads = dict[str, Head]  # chain -> head
NO_HEADS: Heads = {"safety": Head(), "ordinary": Head()}

# One table for both sides: (state, what the heads show) -> state. What is absent stays as it is; where
# the two chains show different things, the first in COMPARISONS counts. `unproven` moves nothing.
#   cold         this run of the node has not compared heads with the peer yet: nothing new is signed
#   open         heads agree; statements flow
#   behind       the peer proved, with our own signatures, that we lost statements (a stale backup)
#   peer-behind  the peer lost statements that we hold; it gets them back with every frame
#   forked       two statements of one chain carry the same number
LinkState = Literal["cold", "open", "behind", "peer-behind", "forked"]
CarriedBy = Literal["first", "alternate", "courier"]
Comparison = Literal["fork", "we-lack", "unproven", "they-lack", "agree"]
COMPARISONS: tuple[Comparison, ...] = ("fork", "we-lack", "unproven", "they-lack", "agree")
PROGRAM_DIGITS = 8  # of a run: which start of the program; the others are the line's own
PROGRAMS_KEPT = 64  # more restarts than frames are ever under way; one that is forgotten costs one more exchange
OFFER_US = (
    2_000_000  # a frame not acknowledged by then is taken for lost and its statements go again
)
LINK_MOVES: dict[tuple[LinkState, Comparison], LinkState] = {
    ("cold", "agree"): "open",
    ("cold", "we-lack"): "behind",
    ("cold", "they-lack"): "peer-behind",
    ("cold", "fork"): "forked",
    ("open", "they-lack"): "peer-behind",
    ("open", "we-lack"): "behind",
    ("open", "fork"): "forked",
    ("peer-behind", "agree"): "open",
    ("peer-behind", "we-lack"): "behind",
    ("peer-behind", "fork"): "forked",
    ("behind", "agree"): "open",
    ("behind", "they-lack"): "peer-behind",
    ("behind", "fork"): "forked",
}


class Link(msgspec.Struct):
    """What this run of the node knows about one line; all of it is relearned after a restart.

    Attributes:
        acked: heads of our chains that the peer said it holds, as far as we said them; the outbox
            starts after them.
        their_received: the same as the peer stated it, also where we know nothing of it.
        their_sent: heads of the peer's chains as it last stated them.
        their_known: heads of the peer's chains that it admits we claimed to hold.
        their_run, their_number: the frame heard last; what ours say they answer.
        session: our run as this line knows it: the program's eight digits, and eight that are drawn anew whenever a
            program of the peer's is heard that was not heard before; empty until then.
        program, programs: of the peer's runs: the one that answered this session, and those heard lately.
        disputed: chains of which the peer signed a number twice; it is shown the one we hold.
        contested: by chain, the number of a head that the peer claims and our record has otherwise; it is
            shown ours, which is signed already, so that it can prove the other.
        heard_us: our clock at the last good frame.
        synced_us: our clock when we last held everything the peer had said by then.
        offered, offered_us: what is under way, so that the two directions of one exchange and the two
            loops of a line do not send the same statements side by side.
        offset_us: the peer's clock less ours, from the exchange with the shortest round trip of late.
        path: which way our last exchange with the peer went.
    """

    peer: str
    state: LinkState = "cold"
    acked: Heads = msgspec.field(default_factory=lambda: dict(NO_HEADS))
    their_received: Heads = msgspec.field(default_factory=lambda: dict(NO_HEADS))
    their_sent: Heads = msgspec.field(default_factory=lambda: dict(NO_HEADS))
    their_known: Heads = msgspec.field(default_factory=lambda: dict(NO_HEADS))
    their_run: str | None = None
    their_number: int = 0
    session: str = ""
    program: str | None = None
    programs: list[str] = []
    disputed: set[str] = msgspec.field(default_factory=set)
    contested: dict[str, int] = msgspec.field(default_factory=dict)
    heard_us: int | None = None
    offset_us: int | None = None
    synced_us: int | None = None
    offered: dict[str, int] = msgspec.field(default_factory=dict)
    offered_us: int = 0
    path: CarriedBy | None = None

    def offer(self, chain: str, sequence: int, now_us: int) -> None:
        """Note that statements up to `sequence` are under way in a frame."""
        self.offered[chain] = max(sequence, self.offered.get(chain, 0))
        self.offered_us = now_us

    def sent_up_to(self, chain: str, now_us: int) -> int:
        """The number up to which the peer holds our chain, or will in a moment if no frame is lost."""
        fresh = 0 <= now_us - self.offered_us < OFFER_US
        return max(self.acked[chain].sequence, self.offered.get(chain, 0) if fresh else 0)

    def hear(self, frame: Frame, run: str, draw: Callable[[], bytes]) -> tuple[bool, bool]:
        """Note which run of the peer's a frame is of; whether its heads count, and whether its messages do.

        Args:
            run: ours, as the program began with it.
            draw: four random bytes.

        The attack this stops needs no attacker: (1) A frame with North's statement 20 is on a slow way. (2) North dies and is restored from
        before it; heads agree at 19. (3) The frame arrives and South takes 20. (4) North signs another 20, and looks like a liar. So once South has
        heard a new program of North's, only frames count that answer what South has said since.
        """
        program, session = frame.run[:PROGRAM_DIGITS], self.session or run
        overtaken = (
            self.their_run is not None
            and program == self.their_run[:PROGRAM_DIGITS]
            and frame.number <= self.their_number
        )
        if not overtaken:
            self.their_run, self.their_number = frame.run, frame.number
        answers = frame.answers or ""
        current = answers[:PROGRAM_DIGITS] == run[:PROGRAM_DIGITS] and not overtaken
        if answers == session and self.program in (None, program):
            self.program = program
        elif answers == session or program not in self.programs:
            self.session, self.program = run[:PROGRAM_DIGITS] + draw().hex(), None
        if program not in self.programs:
            self.programs = [*self.programs[1 - PROGRAMS_KEPT :], program]
        return current, answers == session and self.program == program

    @property
    def may_sign(self) -> bool:
        """Whether our own chains agree with the peer's, so that a new number is surely a new one."""
        return self.state in ("open", "peer-behind")

    def after(self, comparison: Comparison) -> LinkState:
        """The state that a comparison leads to, by the table."""
        return LINK_MOVES.get((self.state, comparison), self.state)


class Frame(msgspec.Struct, frozen=True):
    """What one node sends another in one piece.

    Attributes:
        run, number: which run of the sender's program, and its how-manieth frame: heads in a frame that
            was overtaken on the way are old news.
        answers: the run of the addressee that the sender heard last, or None. Heads count only in a frame that answers the
            addressee's present program: a frame from before its restart, delayed or replayed, could agree with a record
            that has lost statements since. Messages count only in one that answers its present session with the sender.
        time_us: the sender's clock when it was sent.
        received: heads of the addressee's chains as the sender holds them (also the acknowledgement).
        sent: heads of the sender's own chains.
        known: heads of the sender's own chains that the addressee said it holds. Above `sent`, they are
            the sender's own word that it has lost statements; nothing else accuses it.
        messages: sealed statements, in chain order.
        lost: sealed statements that the *addressee* made and has lost; they prove it.
    """

    sender: str
    recipient: str
    run: str
    number: int
    time_us: int
    received: Heads
    sent: Heads
    known: Heads
    answers: str | None = None
    messages: tuple[bytes, ...] = ()
    lost: tuple[bytes, ...] = ()


_WireHeads = dict[Literal["ordinary", "safety"], tuple[int, str | None]]


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    answers: str | None
    from_: str = msgspec.field(name="from")
    known: _WireHeads = msgspec.field()
    lost: list[str] = msgspec.field()
    messages: list[str] = msgspec.field()
    number: int = msgspec.field()
    received: _WireHeads = msgspec.field()
    run: str = msgspec.field()
    sent: _WireHeads = msgspec.field()
    time: str = msgspec.field()
    to: str = msgspec.field()
    v: Literal[1] = msgspec.field()


class _Signed(msgspec.Struct, forbid_unknown_fields=True):
    frame: msgspec.Raw
    key: str
    signature: str


def _heads_json(heads: Heads) -> dict[str, Any]:
    return {chain: [heads[chain].sequence, heads[chain].id] for chain in ("ordinary", "safety")}


def encode_frame(frame: Frame, key_id: str, sign: Callable[[bytes], bytes]) -> bytes:
    """The frame as bytes, signed with the transport key.

    Statements authenticate themselves; the frame's own signature keeps a third member of the
    agreement, who passes TLS, from speaking for this one about heads.
    """
    body = encode_canonical(
        {
            "answers": frame.answers,
            "from": frame.sender,
            "known": _heads_json(frame.known),
            "lost": [encode_base64url(one) for one in frame.lost],
            "messages": [encode_base64url(one) for one in frame.messages],
            "number": frame.number,
            "run": frame.run,
            "received": _heads_json(frame.received),
            "sent": _heads_json(frame.sent),
            "time": format_time(frame.time_us),
            "to": frame.recipient,
            "v": 1,
        }
    )
    signature = encode_base64url(sign(FRAME_TAG + body))
    return (
        b'{"frame":'
        + body
        + b',"key":"'
        + key_id.encode()
        + b'","signature":"'
        + signature.encode()
        + b'"}'
    )


def parse_frame(data: bytes, verify: Callable[[str, str, bytes, bytes], None]) -> Frame:
    """A frame whose signature verifies.

    Args:
        verify: called with (party, key id, message, signature); raises PeerError when the key is not a
            certified transport key of that party or the signature is wrong.

    Raises:
        PeerError: ``frame-malformed``, ``frame-too-large`` or what `verify` raises.
    """
    if len(data) > FRAME_BYTES:
        raise PeerError(
            "frame-too-large",
            f"frame is {len(data)} bytes; it must be at most {FRAME_BYTES}",
            field="frame",
            evidence=data[:1024],
        )
    try:
        signed = msgspec.json.decode(data, type=_Signed)
        body = bytes(signed.frame)
        parse_canonical(body, most_bytes=FRAME_BYTES)
        wire = msgspec.json.decode(body, type=_Wire)
        for heads in (wire.received, wire.sent, wire.known):
            if set(heads) != {"ordinary", "safety"} or any(
                n < 0 or (i is not None if n == 0 else _ID.fullmatch(i or "") is None)
                for n, i in heads.values()
            ):
                raise UsageError(
                    "heads-malformed", f"heads are {shown(heads)}; they must name both chains"
                )
        if len(wire.messages) > FRAME_STATEMENTS or len(wire.lost) > FRAME_STATEMENTS:
            raise UsageError(
                "frame-too-long",
                f"frame has {len(wire.messages)} messages; it must have at most {FRAME_STATEMENTS}",
            )
        for run in (wire.run, wire.answers):
            if run is not None and _RUN.fullmatch(run) is None:
                raise UsageError("run-malformed", f"run is {shown(run)}; it must be 16 hex digits")
        time_us = parse_time(wire.time)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, UsageError) as error:
        raise PeerError(
            "frame-malformed", f"frame is malformed: {error}", field="frame", evidence=data
        ) from None
    verify(wire.from_, signed.key, FRAME_TAG + body, decode_base64url(signed.signature))
    return Frame(
        sender=wire.from_,
        recipient=wire.to,
        run=wire.run,
        number=wire.number,
        time_us=time_us,
        received={chain: Head(*head) for chain, head in wire.received.items()},
        sent={chain: Head(*head) for chain, head in wire.sent.items()},
        known={chain: Head(*head) for chain, head in wire.known.items()},
        answers=wire.answers,
        messages=tuple(decode_base64url(one) for one in wire.messages),
        lost=tuple(decode_base64url(one) for one in wire.lost),
    )
