"""The link: its table of states, and frames as bytes."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import pytest

from detente.errors import PeerError
from detente.limits import FRAME_BYTES, FRAME_STATEMENTS
from detente.protocol.link import (
    COMPARISONS,
    FRAME_TAG,
    LINK_MOVES,
    OFFER_US,
    Comparison,
    Frame,
    Head,
    Link,
    LinkState,
    encode_frame,
    parse_frame,
)
from detente.signing.simulated import KEYED_HASH, KeyedHashKeys

KEYS = KeyedHashKeys(bytes(64))
HEADS = {"safety": Head(), "ordinary": Head(3, "ab" * 32)}
FRAME = Frame(
    sender="north",
    recipient="south",
    run="00" * 8,
    number=7,
    answers="11" * 8,
    time_us=1_537_209_540_000_000,
    received=HEADS,
    sent=HEADS,
    known=HEADS,
    messages=(b"one", b"two"),
    lost=(b"three",),
)


def verify(party: str, key_id: str, message: bytes, signature: bytes) -> None:
    """Accept north's key only."""
    assert (party, key_id) == ("north", "k")
    KEYED_HASH.verify_ed25519(KEYS.public, message, signature)


def encoded(**members: Any) -> bytes:
    """A signed frame."""
    import msgspec

    return encode_frame(msgspec.structs.replace(FRAME, **members), "k", KEYS.sign_ed25519)


# -- the table -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "comparison"), list(product(get_args(LinkState), COMPARISONS)))
def test_link_move_follows_the_table_and_else_stays(
    state: LinkState, comparison: Comparison
) -> None:
    """What is absent from the table changes nothing."""
    assert Link("south", state=state).after(comparison) == LINK_MOVES.get(
        (state, comparison), state
    )


def test_link_unproven_claim_moves_no_state() -> None:
    """A claim without proof neither opens nor closes a line."""
    assert not any(comparison == "unproven" for _, comparison in LINK_MOVES)


def test_link_forked_is_the_end() -> None:
    """No head can undo that two statements carry one number."""
    assert not any(state == "forked" for state, _ in LINK_MOVES)


def test_link_worst_comparison_comes_first() -> None:
    """What both chains show is one comparison: the gravest."""
    assert set(COMPARISONS) == set(get_args(Comparison))
    assert COMPARISONS[0] == "fork"
    assert COMPARISONS[-1] == "agree"


@pytest.mark.parametrize("state", get_args(LinkState))
def test_link_may_sign_only_when_our_own_chains_agree(state: LinkState) -> None:
    """Signing needs a compared line; the peer's loss does not stop us."""
    assert Link("south", state=state).may_sign == (state in ("open", "peer-behind"))


def test_link_offer_counts_for_a_moment_only() -> None:
    """F-SEND-3: What is under way is not sent again at once, and is when it seems lost."""
    link = Link("south")
    link.offer("ordinary", 4, 1_000)
    assert link.sent_up_to("ordinary", 1_000 + OFFER_US - 1) == 4
    assert link.sent_up_to("ordinary", 1_000 + OFFER_US) == 0
    assert link.sent_up_to("ordinary", 999) == 0, "a clock that steps back delays nothing"


# -- the bytes -------------------------------------------------------------------------------------


def test_frame_reads_back_as_it_was() -> None:
    """What is encoded is what is parsed."""
    assert parse_frame(encoded(), verify) == FRAME


def test_frame_has_the_bytes_of_the_specification() -> None:
    """docs/spec/link.md, section 2: one canonical object, its key and signature beside it."""
    data = encoded(messages=(), lost=())
    heads = '{"ordinary":[3,"' + "ab" * 32 + '"],"safety":[0,null]}'
    body = (
        '{"answers":"1111111111111111","from":"north","known":'
        + heads
        + ',"lost":[],"messages":[],'
        '"number":7,"received":' + heads + ',"run":"0000000000000000","sent":' + heads + ","
        '"time":"2018-09-17T18:39:00Z","to":"south","v":1}'
    ).encode()
    assert data.startswith(b'{"frame":' + body + b',"key":"k","signature":"')
    assert FRAME_TAG == b"detente:frame:v1\n"


def test_frame_one_changed_bit_is_refused() -> None:
    """F-FRAME-2: The signature covers every member; what is outside it has one form."""

    def strict(party: str, key_id: str, message: bytes, signature: bytes) -> None:
        if (party, key_id) != ("north", "k"):
            raise PeerError("key-unknown", "no such key")
        KEYED_HASH.verify_ed25519(KEYS.public, message, signature)

    good = encoded()
    for bit in range(8 * len(good)):
        data = bytearray(good)
        data[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(PeerError):
            parse_frame(bytes(data), strict)


def test_frame_of_many_megabytes_is_read() -> None:
    """A frame may be larger than one statement may be: up to its own limit."""
    frame = parse_frame(encoded(messages=(b"x" * 3_000_000,) * 3), verify)
    assert sum(map(len, frame.messages)) == 9_000_000


def test_frame_over_its_limits_is_refused() -> None:
    """F-FRAME-1: More bytes, or more statements, than a frame may have."""
    with pytest.raises(PeerError) as caught:
        parse_frame(b"x" * (FRAME_BYTES + 1), verify)
    assert caught.value.code == "frame-too-large"
    with pytest.raises(PeerError):
        parse_frame(encoded(messages=(b"",) * (FRAME_STATEMENTS + 1)), verify)
    with pytest.raises(PeerError):
        parse_frame(encoded(lost=(b"",) * (FRAME_STATEMENTS + 1)), verify)


@pytest.mark.parametrize(
    "members",
    [
        {"run": "short"},
        {"run": "G" * 16},
        {"answers": ""},
        {"sent": {"safety": Head(), "ordinary": Head(3, None)}},
        {"sent": {"safety": Head(), "ordinary": Head(0, "ab" * 32)}},
        {"received": {"safety": Head(-1, "ab" * 32), "ordinary": Head()}},
        {"known": {"safety": Head(1, "xyz"), "ordinary": Head()}},
    ],
)
def test_frame_malformed_heads_or_runs_are_refused(members: dict[str, Any]) -> None:
    """A head is a number and an id, or zero and none."""
    with pytest.raises(PeerError) as caught:
        parse_frame(encoded(**members), verify)
    assert caught.value.code == "frame-malformed"
