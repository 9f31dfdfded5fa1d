"""Absence: that a record holds no notice by a party which meets an area and an interval, by completeness.

Every leaf header of the log is opened, so the root is computed again from all of them and none can be left
out; the party's own gapless chains leave no number between. The format and what it does not prove are
docs/spec/absence.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from detente.agreement.card import KeyCertificate
from detente.errors import DetenteError, PeerError, UsageError, shown
from detente.ledger.checkpoint import Cosigned, VerifiedCheckpoint
from detente.ledger.leaf import (
    CONTENT_BYTES,
    SALT_BYTES,
    LeafHeader,
    LeafOpening,
    parse_leaf_header,
    verify_leaf_opening,
)
from detente.ledger.merkle import MerkleTree
from detente.limits import ABSENCE_BYTES, ABSENCE_ENTRIES
from detente.notice.activity import ActivityNotice, parse_activity_body
from detente.protocol.asked import area_query, check_interval, find_meeting
from detente.protocol.heads import with_cosignatures
from detente.protocol.interval import DATE_MOST_S
from detente.protocol.keyring import Keyring, signed_a_line
from detente.protocol.paper import Json, decode_paper, encode_paper, invalid, shown_time
from detente.protocol.statement import (
    CHAINS,
    STATEMENT_TYPE,
    UNSIGNED,
    Statement,
    body_values,
    check_openings,
    link_name,
    parse_statement,
    statement_id,
)
from detente.signing.base64 import decode_base64url, encode_base64url
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.signing.envelope import Envelope, encode_envelope
from detente.signing.key import STRICT, PublicKeys, Verifier, parse_public_keys
from detente.units import US_PER_S, format_time, parse_time

if TYPE_CHECKING:
    from detente.protocol.core import Core

MEMBERS = {
    1: frozenset(
        {"by", "checkpoint", "heads", "keys", "leaves", "prover", "question", "statements"}
    )
}
OPENED = ("activity", "pieces", "precedence")  # what a place and a time need; words stay closed
LOCAL_MEMBERS, OTHER_MEMBERS, THEIR_MEMBERS = 5, 8, 9

NOT_PROVED = (
    "It does not prove that nothing flew.",
    "It does not show what was said in another way, by voice or to others.",
    "It does not show a statement that was sent and never taken in: whoever sent it has no receipt. Compare with the sender's own log.",
    "Between the last cosignature before an entry and the first after it, when the entry came is open; entries later than the checkpoint are not in it.",
)


class Meeting(msgspec.Struct, frozen=True):
    """A notice that met what was asked about.

    Attributes:
        received: by the prover's clock.
        state: live, replaced or cancelled, by the end of this log.
    """

    id: str
    version: int
    statement: str
    exercise: bool
    received: str
    start: str
    end: str
    state: Literal["live", "replaced", "cancelled"]


class Absence(msgspec.Struct, frozen=True):
    """What a proof of absence proves.

    Attributes:
        answer: ``none``, ``these`` or ``cannot-tell``.
        reason: why it cannot be told.
        statements: how many the party's chains hold, by chain.
        entries: of the prover's log, all of which were opened.
        complete_until: the oldest of the log's own time of this head and those of its cosigners.
        unopened: notices whose place or time is withheld or destroyed.
        not_proved: sentences for whoever reads it.
    """

    exercise: bool
    answer: Literal["none", "these", "cannot-tell"]
    reason: str | None
    by: str
    prover: str
    question: Json | None
    notices: list[Meeting]
    statements: dict[str, int]
    notices_checked: int
    unopened: list[str]
    log: str
    entries: int
    checkpoint_time: str
    cosigned_by: list[str]
    complete_until: str
    remarks: list[str]
    not_proved: tuple[str, ...] = NOT_PROVED


# -- making one ------------------------------------------------------------------------------------


def make_absence(
    core: Core, by: str, area: bytes | None, from_us: int | None, until_us: int | None
) -> bytes:
    """The proof of what a party said to this node, up to the newest cosigned head.

    Args:
        by: the other party.
        area: GeoJSON; None, with the times, to ask about every notice.

    Raises:
        UsageError: the party is unknown, the question malformed, no head signed, or the log too long.
    """
    proving = Proving(core, by, area, from_us, until_us)
    proving.read(core, ABSENCE_ENTRIES)
    return proving.encode()


class Proving:
    """A proof of absence under way: a long record is read in slices, so that nothing waits for it.

    What is read cannot change between two slices, except that an opening is destroyed: then it is not in
    the proof. Arguments and errors as `make_absence`.
    """

    def __init__(
        self, core: Core, by: str, area: bytes | None, from_us: int | None, until_us: int | None
    ) -> None:
        if by not in core.state.peers:
            raise UsageError(
                "party-unknown",
                f"party is {by!r}; it must be one of {', '.join(core.state.peers)}",
                field="by",
            )
        self._by, self._prover = by, core.identity.party
        self._question: Json | None = None
        if area is not None and from_us is not None and until_us is not None:
            check_interval(from_us, until_us)
            area_query(area, from_us, until_us, exercise=False)
            self._question = {
                "area": area.decode("utf-8"),
                "from": format_time(from_us),
                "until": format_time(until_us),
            }
        self._size, self._note = _newest_head(core)
        if self._size > ABSENCE_ENTRIES:
            raise UsageError(
                "record-too-long",
                f"the log has {self._size} entries; it must have at most {ABSENCE_ENTRIES}",
            )
        self._leaves: list[bytes] = []
        self._statements: list[bytes] = []
        self._exercise: set[bool] = set()
        self._last: dict[str, Statement] = {}
        self._certificates: list[KeyCertificate] = []

    def read(self, core: Core, most: int) -> bool:
        """Read on, so many entries at most; True when all are read."""
        link = link_name(self._by, self._prover)
        left = min(most, self._size - len(self._leaves))
        for entry, _, statement, openings in core.journal.replay(len(self._leaves), left):
            opening = core.open_leaf(entry)
            theirs = statement is not None and entry.header.link == link
            self._leaves.append(encode_canonical(_leaf_row(opening, theirs=theirs)))
            if statement is None or not theirs:
                continue
            self._last[statement.chain] = statement
            self._exercise.add(statement.exercise)
            opened = OPENED if statement.type == "activity/notice" else ()
            shown_ = encode_canonical({name: openings[name] for name in opened if name in openings})
            # the payload is canonical, else it would not have been taken in
            self._statements.append(
                b'{"openings":%b,"payload":%b}' % (shown_, statement.envelope.payload)
            )
        if len(self._leaves) < self._size:
            return False
        self._certificates = self._vouching(core)
        return True

    def _vouching(self, core: Core) -> list[KeyCertificate]:
        signers = {(one.party, one.key) for one in self._last.values()}
        return [
            c
            for party, known in core.state.keys.certificates.items()
            for c in known.values()
            if c.use == "signing"
            and (
                (party, c.key_id) in signers
                or signed_a_line(
                    [self._note], party, parse_public_keys(c.key, verifier=core.identity.verifier)
                )
            )
        ]

    def encode(self) -> bytes:
        """The file, when all is read; needs no core, and takes a while where the record is long."""
        content = {
            "EXERCISE": self._exercise == {True},
            "by": self._by,
            "checkpoint": self._note,
            "heads": {
                chain: parse_canonical(encode_envelope(one.envelope))
                for chain, one in sorted(self._last.items())
            },
            "keys": [
                c.signed
                for c in sorted(self._certificates, key=lambda c: (c.party, c.serial, c.key_id))
            ],
            "prover": self._prover,
            "question": self._question,
            "v": 1,
        }
        lists = {"leaves": self._leaves, "statements": self._statements}
        data = encode_paper("absence", content, lists)
        if len(data) > ABSENCE_BYTES:
            raise UsageError(
                "record-too-long",
                f"the proof is {len(data)} bytes; it must be at most {ABSENCE_BYTES}",
            )
        return data


def _newest_head(core: Core) -> tuple[int, str]:
    """The newest head of this log that somebody cosigned, else the newest one."""
    for size in reversed(core.journal.bounding(core.tree.size)):
        found = core.journal.checkpoint(size)
        if found is not None and found[1].partition("\n")[0] == core.origin:
            return size, with_cosignatures(core, size, found[1])
    newest = core.journal.checkpoint()
    if newest is None or newest[1].partition("\n")[0] != core.origin:
        raise UsageError(
            "not-yet-signed",
            "no checkpoint of this log is signed yet; try again when a line is open",
        )
    return newest


def _leaf_row(opening: LeafOpening, *, theirs: bool) -> list[object]:
    header = opening.header
    row: list[object] = [
        encode_base64url(opening.header_salt),
        encode_base64url(opening.content_commitment),
        header.kind,
        header.type,
        header.time_us,
    ]
    if header.link is not None:
        row += [header.link, header.chain, header.sequence]
    if theirs:
        assert opening.content_salt is not None
        row.append(encode_base64url(opening.content_salt))
    return row


# -- checking one ----------------------------------------------------------------------------------


def _invalid(message: str) -> PeerError:
    return invalid("absence", message)


def verify_absence(
    data: bytes, roots: Mapping[str, PublicKeys], *, verifier: Verifier = STRICT
) -> Absence:
    """What a proof of absence proves to somebody who trusts these root keys and nothing else.

    Raises:
        PeerError: anything is malformed, altered, left out or unproved.
    """
    content = decode_paper("absence", data, MEMBERS, ABSENCE_BYTES, lists=("leaves", "statements"))
    by, prover, note = content["by"], content["prover"], content["checkpoint"]
    if not isinstance(by, str) or not isinstance(prover, str) or by == prover:
        raise _invalid("by and prover must be two parties")
    if not isinstance(note, str):
        raise _invalid("checkpoint must be a note")
    remarks: list[str] = []
    keys = Keyring("absence", content["keys"], roots, verifier)
    origin = note.partition("\n")[0]
    if origin.rpartition("/")[0] != f"detente/{prover}/log":
        raise _invalid(f"log is {shown(origin)}; it must be that of {prover}")
    head = keys.checkpoint(note, origin, prover)
    cosigned = [
        (party, one)
        for party, one in keys.cosigners(note, prover, head.other_lines, remarks)
        if one.time_s < DATE_MOST_S
    ]
    link = link_name(by, prover)
    theirs = _read_leaves(content["leaves"], link, head)
    looking = _Looking(content, head, cosigned, remarks)
    for statement, values, header in _read_statements(content["statements"], theirs, link):
        looking.take(statement, values, header)
    counts = _check_heads(keys, content["heads"], looking.last)
    keys.check_all_used()
    if content["EXERCISE"] is not (looking.exercise == {True}):
        raise _invalid("EXERCISE must be whether there are statements and all are exercise")
    epoch = origin.rpartition("/")[2]
    if epoch != "1":
        remarks.append(
            f"this log is epoch {epoch} of {prover}: what an earlier epoch held and nobody gave back is not in it"
        )
    return looking.answer(counts)


def _read_leaves(
    rows: list[msgspec.Raw], link: str, head: VerifiedCheckpoint
) -> list[tuple[LeafHeader, LeafOpening]]:
    """The party's entries, after the root was computed from all leaves (A-ALL-1, A-ALL-2)."""
    if len(rows) != head.size or len(rows) > ABSENCE_ENTRIES:
        raise _invalid(f"leaves must be all {head.size} of the checkpoint")
    tree = MerkleTree()
    theirs = []
    for index, raw in enumerate(rows):
        row: Any = parse_canonical(bytes(raw))
        if not isinstance(row, list) or len(row) not in (
            LOCAL_MEMBERS,
            OTHER_MEMBERS,
            THEIR_MEMBERS,
        ):
            raise _invalid(f"leaf {index} must have {LOCAL_MEMBERS} to {THEIR_MEMBERS} members")
        place = row[5:8] if len(row) > LOCAL_MEMBERS else [None, None, None]
        header = parse_leaf_header(
            {
                "index": index,
                "kind": row[2],
                "type": row[3],
                "time": row[4],
                **dict(zip(("link", "chain", "sequence"), place, strict=True)),
            }
        )
        opening = LeafOpening(
            header=header,
            header_salt=decode_base64url(row[0], length=SALT_BYTES, field="header_salt"),
            content_salt=decode_base64url(row[8], length=SALT_BYTES, field="content_salt")
            if len(row) == THEIR_MEMBERS
            else None,
            content_commitment=decode_base64url(
                row[1], length=CONTENT_BYTES, field="content_commitment"
            ),
        )
        if (header.link == link) is not (len(row) == THEIR_MEMBERS):
            raise _invalid(f"leaf {index} must be opened if and only if it is of {link}")
        if header.link == link:
            if header.kind != "received":
                raise _invalid(f"leaf {index} of {link} must be received")
            theirs.append((header, opening))
        tree.append(verify_leaf_opening(opening, None))
    if tree.root() != head.root:
        raise _invalid("the leaves must lead to the root of the checkpoint")
    return theirs


def _read_statements(
    rows: list[msgspec.Raw], theirs: list[tuple[LeafHeader, LeafOpening]], link: str
) -> Iterator[tuple[Statement, Json, LeafHeader]]:
    """The party's statements in the order of their leaves, chained and numbered without a gap (A-CHAIN-1)."""
    if len(rows) != len(theirs):
        raise _invalid(f"statements must be one for each leaf of {link}")
    heads: dict[str, tuple[int, str | None]] = {}
    for raw, (header, opening) in zip(rows, theirs, strict=True):
        row: Any = parse_canonical(bytes(raw))
        if not isinstance(row, dict) or set(row) != {"openings", "payload"}:
            raise _invalid("a statement must have openings and payload")
        payload = encode_canonical(row["payload"])
        verify_leaf_opening(opening, bytes.fromhex(statement_id(payload)))
        key = row["payload"].get("key") if isinstance(row["payload"], dict) else None
        statement = parse_statement(
            Envelope(STATEMENT_TYPE, payload, key if isinstance(key, str) else "", UNSIGNED),
            canonical=True,
        )
        number, previous = heads.get(statement.chain, (0, None))
        if (
            (header.link, header.chain, header.sequence, header.type)
            != (statement.link, statement.chain, statement.sequence, statement.type)
            or statement.sequence != number + 1
            or statement.previous != previous
        ):
            raise _invalid(f"leaf {header.index} must be statement {number + 1} of its chain")
        heads[statement.chain] = (statement.sequence, statement.id)
        openings = check_openings(statement, row["openings"], complete=False)
        yield statement, body_values(openings), header


def _check_heads(
    keys: Keyring, heads: Any, last: Mapping[str, tuple[Statement, LeafHeader]]
) -> dict[str, int]:
    """Each chain's last statement is signed by the party, and so all before it (A-CHAIN-2)."""
    if not isinstance(heads, dict) or set(heads) != set(last):
        raise _invalid("heads must be the last statement of each chain")
    for chain, (one, header) in last.items():
        signed = keys.statement(heads[chain])
        if signed.id != one.id:
            raise _invalid(f"the head of the {chain} chain must be its last statement")
        keys.check_time(signed, header.time_us)
    return {chain: last[chain][0].sequence if chain in last else 0 for chain in CHAINS}


class _Looking:
    """The reader's own look at each statement in turn (A-ANS-1); keeps what it found, not what it saw.

    Attributes:
        last: of each chain, with the header of its leaf.
        exercise: the flags of the statements.
    """

    def __init__(
        self,
        content: Json,
        head: VerifiedCheckpoint,
        cosigned: list[tuple[str, Cosigned]],
        remarks: list[str],
    ) -> None:
        self._content, self._head, self._cosigned = content, head, cosigned
        self._remarks = remarks
        self._question = _read_question(content["question"])
        self._queries: dict[bool, ActivityNotice] = {}
        if self._question is not None:
            area, from_us, until_us = self._question
            self._queries = {
                flag: area_query(area, from_us, until_us, exercise=flag) for flag in (True, False)
            }
        self.last: dict[str, tuple[Statement, LeafHeader]] = {}
        self.exercise: set[bool] = set()
        self._versions: dict[str, dict[int, bool]] = {}  # of each notice: is it a cancellation
        self._met: list[tuple[str, int, Meeting]] = []
        self._unopened: list[str] = []
        self._checked = 0

    def take(self, statement: Statement, values: Json, header: LeafHeader) -> None:
        """Look at one statement."""
        self.last[statement.chain] = (statement, header)
        self.exercise.add(statement.exercise)
        thread = statement.thread
        if thread is None:
            return
        if statement.notice is not None and statement.type.startswith("activity/"):
            cancel = statement.type == "activity/cancel"
            self._versions.setdefault(statement.notice, {})[thread.version] = cancel
        if statement.type != "activity/notice":
            return
        self._checked += 1
        if not set(OPENED) <= set(values):
            self._unopened.append(f"{thread.id}@{thread.version}")
            return
        if self._question is not None and _is_elsewhen(values["pieces"], *self._question[1:]):
            return
        try:
            volumes = parse_activity_body(
                {name: values[name] for name in OPENED},
                name=thread.id.partition(":")[2],
                exercise=statement.exercise,
            )
        except DetenteError as error:
            self._remarks.append(f"{thread.id}@{thread.version} is no notice by the rules: {error}")
            return
        if self._queries and find_meeting(volumes, self._queries[statement.exercise]) is None:
            return
        meeting = Meeting(
            id=thread.id,
            version=thread.version,
            statement=statement.id,
            exercise=statement.exercise,
            received=shown_time("absence", header.time_us),
            start=format_time(volumes.start_us),
            end=format_time(volumes.end_us),
            state="live",
        )
        self._met.append((thread.id, thread.version, meeting))

    def answer(self, counts: dict[str, int]) -> Absence:
        """What all of it comes to."""
        content, head, cosigned, unopened = (
            self._content,
            self._head,
            self._cosigned,
            self._unopened,
        )
        # the oldest word about this head, so that a clock ahead stretches nothing, and never later than the
        # log's own, so that an old head cosigned late does not either; that of the two parties only where
        # nobody else speaks, so that neither sets the time of its own proof (A-TIME-1)
        others = [one for party, one in cosigned if party not in (content["by"], content["prover"])]
        words = others or [one for _, one in cosigned]
        complete_us = min([head.time_s, *(one.time_s for one in words)]) * US_PER_S
        meetings = [
            msgspec.structs.replace(meeting, state=self._state(notice, version))
            for notice, version, meeting in self._met
        ]
        reason = None
        if unopened:
            reason = f"the place or time of {', '.join(unopened[:10])} is withheld or destroyed"
        elif self._question is not None and complete_us < self._question[2]:
            reason = f"the log was seen until {shown_time('absence', complete_us)}, before the interval ends"
        answer: Literal["none", "these", "cannot-tell"] = (
            "these" if meetings else ("cannot-tell" if reason else "none")
        )
        return Absence(
            exercise=content["EXERCISE"],
            answer=answer,
            reason=reason,
            by=content["by"],
            prover=content["prover"],
            question=content["question"],
            notices=meetings,
            statements=counts,
            notices_checked=self._checked,
            unopened=unopened,
            log=head.origin,
            entries=head.size,
            checkpoint_time=shown_time("absence", head.time_s * US_PER_S),
            cosigned_by=sorted({party for party, _ in cosigned}),
            complete_until=shown_time("absence", complete_us),
            remarks=self._remarks,
        )

    def _state(self, notice: str, version: int) -> Literal["live", "replaced", "cancelled"]:
        """What became of a version, by the higher versions in the same chains."""
        known = sorted(self._versions.get(notice, {}).items())
        newer = [cancel for number, cancel in known if number > version]
        return "live" if not newer else ("cancelled" if newer[0] else "replaced")


def _is_elsewhen(pieces: Any, from_us: int, until_us: int) -> bool:
    """Whether every piece ends before an interval or starts after it, so that its place need not be looked at.

    False for whatever cannot be read: then the rules of a notice say what is wrong with it.
    """
    try:
        times = [(parse_time(one["start"]), parse_time(one["end"])) for one in pieces]
    except (UsageError, KeyError, TypeError, IndexError):
        return False
    return bool(times) and all(end < from_us or start > until_us for start, end in times)


def _read_question(question: Any) -> tuple[bytes, int, int] | None:
    if question is None:
        return None
    if (
        not isinstance(question, dict)
        or set(question) != {"area", "from", "until"}
        or not isinstance(question["area"], str)
    ):
        raise _invalid("question must be null, or have area, from and until")
    try:
        from_us, until_us = (parse_time(question[n], field=n) for n in ("from", "until"))
        check_interval(from_us, until_us)
        area_query(question["area"].encode("utf-8"), from_us, until_us, exercise=False)
    except UsageError as error:
        raise _invalid(f"question is none: {error}") from None
    return question["area"].encode("utf-8"), from_us, until_us
