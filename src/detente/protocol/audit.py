"""The audit: does a node's ledger hang together, entry by entry, signature by signature?"""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

from detente.errors import DetenteError
from detente.ledger.checkpoint import VerifiedCheckpoint, verify_checkpoint
from detente.ledger.leaf import leaf_bytes
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.protocol.core import Core, local_content
from detente.protocol.journal import Json
from detente.protocol.link import Head
from detente.protocol.renewal import check_renewed
from detente.protocol.statement import body_values, check_openings
from detente.signing.envelope import verify_envelope

PROBLEMS_SHOWN = 100


def audit(core: Core, *, signatures: bool = True) -> Json:
    """Recompute every leaf, chain and checkpoint, and (unless told not to) verify every signature.

    Returns:
        {"consistent", "entries", "statements", "signatures", "root", "checkpoint", "problems": [text]}
    """
    problems: list[str] = []
    tree = MerkleTree()
    heads: dict[tuple[str, str], Head] = {}
    statements = verified = 0
    receipts: dict[str, str] = {}
    outcomes: dict[str, str] = {}
    vouched: set[str] = set()
    doubts: list[dict[str, Any]] = []
    doubtful = renewed = 0

    def problem(index: int, text: str) -> None:
        if len(problems) < PROBLEMS_SHOWN:
            problems.append(f"entry {index}: {text}")

    for number, (entry, kept, statement, openings) in enumerate(core.journal.replay()):
        if entry.index != number:
            problem(number, f"index is {entry.index}; it must be {number}")
            break
        if leaf_hash(leaf_bytes(core.open_leaf(entry))) != kept:
            problem(number, "the leaf hash kept is not that of the entry")
        tree.append(kept)
        if statement is None:
            if entry.local is None or local_content(entry.local) != entry.content:
                problem(number, "the local entry's content is not what the leaf commits to")
            elif entry.local["type"] == "statement/vouched":
                vouched.add(entry.local["statement"])
            elif entry.local["type"] == "log/renewed":
                try:
                    renewed += check_renewed(core, entry, entry.local)
                except DetenteError as error:
                    problem(number, str(error))
            continue
        statements += 1
        if entry.content.hex() != statement.id or entry.statement != statement.id:
            problem(number, "the statement's id is not what the leaf commits to")
        header = entry.header
        if (header.link, header.chain, header.sequence, header.type) != (
            statement.link,
            statement.chain,
            statement.sequence,
            statement.type,
        ):
            problem(number, "the leaf header is not that of the statement")
        head = heads.get((statement.link, statement.chain), Head())
        if statement.sequence != head.sequence + 1 or statement.previous != head.id:
            problem(
                number,
                f"{statement.link} {statement.chain} {statement.sequence} does not follow {head.sequence}",
            )
        heads[statement.link, statement.chain] = Head(statement.sequence, statement.id)
        try:
            check_openings(statement, openings, complete=False)
            if signatures:
                # a key revoked or expired since still counted when the statement was logged
                public = core.state.keys.known_key(statement.party, statement.key)
                verify_envelope(statement.envelope, public, core.identity.verifier)
                verified += 1
        except DetenteError as error:
            problem(number, str(error))
        doubt = core.state.keys.doubt(statement.party, statement.key, header.time_us)
        if doubt is not None and statement.id not in vouched:
            doubtful += 1
            if len(doubts) < PROBLEMS_SHOWN:
                doubts.append(
                    {"entry": number, "statement": statement.id, "party": statement.party}
                    | msgspec.to_builtins(doubt)
                )
        outcomes[statement.id] = entry.outcome
        if statement.type == "receipt/delivered" and statement.party == core.identity.party:
            values = body_values(openings)
            receipts[str(values.get("statement"))] = f"{values.get('answer')}:{values.get('rule')}"
    for statement_id, given in receipts.items():
        answer, _, rule = outcomes.get(statement_id, "missing").partition(":")
        if given != f"{answer}:{rule or None}":
            problem(
                -1,
                f"the outcome kept for statement {statement_id[:12]} is not the one its receipt gives",
            )
    newest = core.journal.checkpoint()
    if newest is not None:
        try:
            found = _own_checkpoint(core, newest[1])
            if found.size > tree.size:
                problem(
                    tree.size,
                    f"a checkpoint of ours covers {found.size} entries; there are {tree.size}",
                )
            elif tree.root(found.size) != found.root:
                problem(found.size, "the newest checkpoint's root is not that of the entries")
        except DetenteError as error:
            problem(newest[0], f"checkpoint: {error}")
    result: dict[str, Any] = {
        "consistent": not problems,
        "entries": tree.size,
        "statements": statements,
        "signatures": verified * 2,
        "root": tree.root().hex(),
        "checkpoint": newest[0] if newest else 0,
        "problems": problems,
        "renewed": renewed,
        "doubtful": doubtful,
        "doubts": doubts,
    }
    return result


def _own_checkpoint(core: Core, note: str) -> VerifiedCheckpoint:
    """A checkpoint of ours, by the key in use or one before it.

    Raises:
        DetenteError: none of them signed it.
    """
    party, keys = core.identity.party, core.state.keys
    before = [
        one.key_id for one in keys.certificates.get(party, {}).values() if one.use == "signing"
    ]
    for public in (keys.known_key(party, key_id) for key_id in before):
        with contextlib.suppress(DetenteError):
            return verify_checkpoint(note, note.partition("\n")[0], public, core.identity.verifier)
    return verify_checkpoint(
        note, note.partition("\n")[0], core.identity.signer.public, core.identity.verifier
    )
