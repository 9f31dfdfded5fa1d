"""What a witness answers: add-checkpoint of C2SP tlog-witness, as values; HTTP is the node's matter.

A witness keeps the last head of each log it knows and cosigns only what extends it. `advance_witness`
is pure, so these two are the caller's duty, and without them a cosignature is worth nothing:

- **Persist before answer.** The new state is durable before the answer leaves.
- **One at a time.** Reading the state, advancing it and storing it is one atomic step per origin. Else
  (the race of the specification):

  1. Request A with size N is checked for consistency.
  2. Request B with size N+K is checked for consistency.
  3. The stored size is updated to N+K for request B.
  4. A cosignature for N+K is returned to request B.
  5. The stored size is updated to N for request A, rolling back K leaves.
  6. A cosignature for N is returned to request A; from here a log can be given a second history of
     those K leaves, cosigned.

Source: C2SP tlog-witness at 5ba5ee830903e91240fc6f9f3a7a9293d49e69c9, add-checkpoint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from detente import limits
from detente.errors import PeerError, UsageError, shown
from detente.ledger.checkpoint import Checkpoint, log_keys, parse_checkpoint, verify_checkpoint
from detente.ledger.cosignature import cosign
from detente.ledger.merkle import (
    HASH_BYTES,
    PROOF_HASHES_MOST,
    SIZE_MOST,
    verify_consistency,
)
from detente.ledger.note import NOTE_BYTES, Note, find_lines, parse_note
from detente.signing.base64 import decode_base64, encode_base64
from detente.signing.key import STRICT, PublicKeys, Signer, Verifier

# The status codes are the protocol's own words for its outcomes, not a choice of transport.
Status = Literal[200, 400, 403, 404, 409, 422]

ADD_CHECKPOINT_BYTES = NOTE_BYTES + 8192  # the note, the old size and 63 hashes of 45 bytes

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


class AddCheckpoint(msgspec.Struct, frozen=True):
    """A log asks a witness: here is my new head, and the proof that it extends the one you know."""

    old_size: int
    proof: tuple[bytes, ...]
    note: str


class WitnessedHead(msgspec.Struct, frozen=True):
    """The last head cosigned for one log.

    Args:
        size, root: of that head.
        note: the checkpoint with the log's lines and ours, as `GET <prefix>/<origin hash>/checkpoint`
            must serve it, and as evidence when the log shows another head of this size.
    """

    size: int
    root: bytes
    note: str


class Witnessed(msgspec.Struct, frozen=True):
    """A head of another log that was cosigned here, kept as history: what bounds the time of its entries.

    Args:
        origin, size, root: of that head.
        time_s: when it was cosigned here, seconds since the epoch by this node's clock.
        note: the checkpoint with the log's lines, ours, and those of neutral witnesses seen since.
    """

    origin: str
    size: int
    time_s: int
    root: bytes
    note: str


def is_spare(before: Witnessed, head: Witnessed, after: Witnessed) -> bool:
    """Whether an older head may go: both its neighbours are of the same ten minutes (L-WIT-6)."""
    slots = {one.time_s // limits.WITNESSED_SLOT_S for one in (before, head, after)}
    return len(slots) == 1


class WitnessState(msgspec.Struct, frozen=True):
    """The last head of every log this witness has cosigned, by origin."""

    heads: Mapping[str, WitnessedHead] = msgspec.field(default_factory=dict)


class WitnessAnswer(msgspec.Struct, frozen=True):
    """What the witness answers.

    Args:
        status: the protocol's status.
        body: signature lines (200), the size last cosigned (409), or a sentence for the operator.
        content_type: of the body.
        evidence: notes whose log signatures are valid and which did not pass the consistency rules;
            two of them at one size with two roots prove that the log lied.
    """

    status: Status
    body: str
    content_type: str = "text/plain; charset=utf-8"
    evidence: tuple[str, ...] = ()


def encode_add_checkpoint(old_size: int, proof: Sequence[bytes], note: str) -> bytes:
    """The request body.

    Raises:
        UsageError: `witness-request`: a size or proof that no witness would read.
    """
    if not 0 <= old_size <= SIZE_MOST or len(proof) > PROOF_HASHES_MOST:
        raise UsageError(
            "witness-request",
            f"old size is {old_size} with {len(proof)} hashes; it must be from 0, with at most 63",
        )
    lines = "".join(f"{encode_base64(hash_)}\n" for hash_ in proof)
    return f"old {old_size}\n{lines}\n{note}".encode()


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """The request of a body; the note in it is not looked at yet.

    Raises:
        PeerError: `witness-request`; `malformed_answer` turns it into the answer.
    """
    if len(body) > ADD_CHECKPOINT_BYTES:
        raise _malformed(f"it is {len(body)} bytes", body[: limits.EVIDENCE_SAMPLE_BYTES])
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed("it is not UTF-8", body) from None
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    match = _OLD.fullmatch(lines[0])
    if not separator or match is None or int(match[1]) > SIZE_MOST:
        raise _malformed(f"its first line is {shown(lines[0])}", body)
    if len(lines) - 1 > PROOF_HASHES_MOST:
        raise _malformed(f"it has {len(lines) - 1} proof lines", body)
    try:
        proof = tuple(decode_base64(line, length=HASH_BYTES, field="proof") for line in lines[1:])
    except PeerError as error:
        raise _malformed(error.message, body) from None
    return AddCheckpoint(int(match[1]), proof, note)


def malformed_answer(error: PeerError) -> WitnessAnswer:
    """The answer to a request that did not parse."""
    return WitnessAnswer(400, f"{error.message}\n")


def advance_witness(
    state: WitnessState,
    request: AddCheckpoint,
    *,
    logs: Mapping[str, PublicKeys],
    signer: Signer,
    name: str,
    now_s: int,
    verifier: Verifier = STRICT,
) -> tuple[WitnessState, WitnessAnswer]:
    """The witness's new state and its answer; the state is the same object unless it cosigned.

    Args:
        state: what it has cosigned so far, read in the same atomic step as the new one is stored.
        request: from `parse_add_checkpoint`.
        logs: the logs it knows, public keys by origin.
        signer: the witness's keys.
        name: the witness's cosigner name.
        now_s: seconds since the epoch; the caller's clock should not step back.
        verifier: the strict rule, or the simulator's.
    """
    # The order of the specification: form, origin, signature, sizes, consistency.
    try:
        note = parse_note(request.note)
        checkpoint = parse_checkpoint(note)
    except PeerError as error:
        return state, malformed_answer(error)

    public = logs.get(checkpoint.origin)
    if public is None:
        return state, WitnessAnswer(404, f"log {shown(checkpoint.origin)} is not known here\n")

    problem = ""
    try:
        verify_checkpoint(request.note, checkpoint.origin, public, verifier)
    except PeerError as error:
        if error.code != "checkpoint-empty-root":
            return state, WitnessAnswer(403, f"{error.message}\n")
        problem = error.message  # signed, but wrong in itself; sizes are looked at first

    if request.old_size > checkpoint.size:
        return state, WitnessAnswer(400, "old size must not be above the checkpoint's size\n")

    head = state.heads.get(checkpoint.origin)
    known_size = head.size if head else 0
    if request.old_size != known_size:
        return state, WitnessAnswer(409, f"{known_size}\n", content_type="text/x.tlog.size")

    problem = problem or _find_inconsistency(request, checkpoint, head)
    if problem:
        evidence = (head.note, request.note) if head else (request.note,)
        return state, WitnessAnswer(422, f"{problem}\n", evidence=evidence)

    lines = cosign(signer, name, checkpoint, now_s)
    kept = Note(
        note.text,
        tuple(
            line for key in log_keys(checkpoint.origin, public) for line in find_lines(note, key)
        ),
    )
    new_head = WitnessedHead(checkpoint.size, checkpoint.root, kept.format() + lines)
    heads = {**state.heads, checkpoint.origin: new_head}
    return WitnessState(heads), WitnessAnswer(200, lines)


def _find_inconsistency(
    request: AddCheckpoint, checkpoint: Checkpoint, head: WitnessedHead | None
) -> str:
    """Why the new head does not extend the old one; empty when it does."""
    if head is None or request.old_size == 0:
        # "the empty tree is consistent with any tree, so no proof is necessary"
        return "the proof must be empty when the old size is zero" if request.proof else ""
    try:
        verify_consistency(head.size, checkpoint.size, request.proof, head.root, checkpoint.root)
    except PeerError as error:
        return error.message
    return ""


def _malformed(why: str, body: bytes) -> PeerError:
    return PeerError(
        "witness-request",
        f"add-checkpoint request is malformed ({why}); it must follow C2SP tlog-witness",
        evidence=body,
    )
