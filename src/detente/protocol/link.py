"""The link: frames between two nodes, and the heads that show who is behind.

A frame carries sealed statements and, always, both sides' chain heads as the sender knows them. So
every frame is also a hello: heads are compared before anything new is signed. The normative text is
docs/spec/link.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from detente.errors import PeerError, UsageError, shown
from detente.limits import FRAME_BYTES, FRAME_STATEMENTS
from detente.signing.base64 import decode_base64url, encode_base64url
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.units import format_time, parse_time

FRAME_TAG = b"detente:frame:v1\n"


class Head(msgspec.Struct, frozen=True):
    """The last statement of a chain: its number and id; 0 and None before the first."""

    sequence: int = 0
    id: str | None = None


Heads = dict[str, Head]  # chain -> head
NO_HEADS: Heads = {"safety": Head(), "ordinary": Head()}

# One table for both sides: (state, what the heads show) -> state. What is absent stays as it is.
#   cold         this run of the node has not compared heads with the peer yet: nothing new is signed
#   open         heads agree; statements flow
#   behind       the peer proved, with our own signatures, that we lost statements (a stale backup)
#   peer-behind  the peer lost statements that we hold; it gets them back with every frame
#   forked       two statements of one chain carry the same number
LinkState = Literal["cold", "open", "behind", "peer-behind", "forked"]
Comparison = Literal["agree", "we-lack", "they-lack", "fork"]
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
    ("behind", "fork"): "forked",
}


class Link(msgspec.Struct):
    """What this run of the node knows about one line; all of it is relearned after a restart.

    Attributes:
        acked: heads of our chains as the peer last said it holds them; the outbox starts after them.
        their_sent: heads of the peer's chains as it last stated them.
        heard_us: our clock at the last good frame.
        synced_us: our clock when we last held everything the peer had said by then.
        offered, offered_us: what is under way, so that the two directions of one exchange and the two
            loops of a line do not send the same statements side by side.
        offset_us: the peer's clock less ours, from the exchange with the shortest round trip of late.
    """

    peer: str
    state: LinkState = "cold"
    acked: Heads = msgspec.field(default_factory=lambda: dict(NO_HEADS))
    their_sent: Heads = msgspec.field(default_factory=lambda: dict(NO_HEADS))
    their_run: str = ""
    their_number: int = 0
    heard_us: int | None = None
    offset_us: int | None = None
    synced_us: int | None = None
    offered: dict[str, int] = msgspec.field(default_factory=dict)
    offered_us: int = 0

    def offer(self, chain: str, sequence: int, now_us: int) -> None:
        """Note that statements up to `sequence` are under way in a frame."""
        self.offered[chain] = max(sequence, self.offered.get(chain, 0))
        self.offered_us = now_us

    def sent_up_to(self, chain: str, now_us: int) -> int:
        """The number up to which the peer holds our chain, or will in a moment if no frame is lost."""
        fresh = 0 <= now_us - self.offered_us < OFFER_US
        return max(self.acked[chain].sequence, self.offered.get(chain, 0) if fresh else 0)

    def move(self, comparison: Comparison) -> bool:
        """Advance by the table; True when the state changed."""
        after = LINK_MOVES.get((self.state, comparison), self.state)
        changed = after != self.state
        self.state = after
        return changed


class Frame(msgspec.Struct, frozen=True):
    """What one node sends another in one piece.

    Attributes:
        run, number: which run of the sender's program, and its how-manieth frame: heads in a frame that
            was overtaken on the way must not make an honest peer look as if it had lost something.
        time_us: the sender's clock when it was sent.
        received: heads of the addressee's chains as the sender holds them (also the acknowledgement).
        sent: heads of the sender's own chains.
        messages: sealed statements, in chain order.
        lost: sealed statements that the *addressee* made and seems to have lost; they prove it.
        checkpoint: the sender's newest signed checkpoint, or None.
    """

    sender: str
    recipient: str
    run: str
    number: int
    time_us: int
    received: Heads
    sent: Heads
    messages: tuple[bytes, ...] = ()
    lost: tuple[bytes, ...] = ()
    checkpoint: str | None = None


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    checkpoint: str | None
    from_: str = msgspec.field(name="from")
    lost: list[str] = msgspec.field()
    messages: list[str] = msgspec.field()
    number: int = msgspec.field()
    run: str = msgspec.field()
    received: dict[Literal["ordinary", "safety"], tuple[int, str | None]] = msgspec.field()
    sent: dict[Literal["ordinary", "safety"], tuple[int, str | None]] = msgspec.field()
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
            "checkpoint": frame.checkpoint,
            "from": frame.sender,
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
        parse_canonical(body)
        wire = msgspec.json.decode(body, type=_Wire)
        for heads in (wire.received, wire.sent):
            if set(heads) != {"ordinary", "safety"} or any(
                (n == 0) != (i is None) or n < 0 for n, i in heads.values()
            ):
                raise UsageError(
                    "heads-malformed", f"heads are {shown(heads)}; they must name both chains"
                )
        if len(wire.messages) > FRAME_STATEMENTS or len(wire.lost) > FRAME_STATEMENTS:
            raise UsageError(
                "frame-too-long",
                f"frame has {len(wire.messages)} messages; it must have at most {FRAME_STATEMENTS}",
            )
        time_us = parse_time(wire.time)
    except (msgspec.DecodeError, UsageError) as error:
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
        messages=tuple(decode_base64url(one) for one in wire.messages),
        lost=tuple(decode_base64url(one) for one in wire.lost),
        checkpoint=wire.checkpoint,
    )
