"""The journal: what the core needs of durable storage, as one door with two implementations.

`detente.node.store` keeps it in SQLite; `detente.simulation.disk` keeps it in memory with crashes and
full disks. Everything a core method writes belongs to one transaction, which the caller commits
before any effect leaves the node (rule 1 of the design: commit before answer).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Literal, Protocol

import msgspec

from detente.ledger.leaf import LeafHeader
from detente.ledger.merkle import Tree
from detente.ledger.witness import Witnessed
from detente.protocol.statement import Openings, Statement

Json = dict[str, Any]


class Entry(msgspec.Struct, frozen=True):
    """One ledger entry.

    Attributes:
        header: what the leaf commits to besides the content.
        content: 32 bytes the leaf commits to: the statement id, or the digest of `local`.
        outcome: how a statement was answered when it was logged (``delivered``, ``not-understood:RULE``,
            ``refused:RULE``); a rebuild replays it, and `ledger verify` compares it with the receipt given.
        statement: hex statement id, None for a local entry.
        local: the local document, None for a statement.
    """

    header: LeafHeader
    content: bytes
    outcome: str
    statement: str | None
    local: Json | None

    @property
    def index(self) -> int:
        """The entry's place in the ledger."""
        return self.header.index


class Intent(msgspec.Struct, frozen=True):
    """Something an officer filed that is durable here and not yet signed on some link.

    It waits while a line has not compared heads: nothing new is signed before (link.md).

    Attributes:
        openings: body openings, salts drawn once, so that all copies share one body digest (S-BODY-1).
        waiting: recipients for which no statement has been signed yet.
        withheld: by recipient, the fields that it is not to see; it gets their commitments.
    """

    number: int
    type: str
    chain: Literal["ordinary", "safety"]
    exercise: bool
    agreement: str
    desk: str
    thread: Json | None
    to: tuple[str, ...]
    waiting: tuple[str, ...]
    openings: Openings
    filed_us: int
    withheld: dict[str, list[str]] = {}

    @property
    def notice(self) -> str | None:
        """The id of the notice it is a version of, or None for whatever else is said."""
        if self.thread is None or not self.type.startswith("activity/"):
            return None
        return str(self.thread["id"])


class Evidence(msgspec.Struct, frozen=True):
    """A sample of what somebody sent wrongly: exact bytes, cut to a limit, with the rule it broke."""

    time_us: int
    peer: str
    code: str
    message: str
    sample: bytes


class Journal(Protocol):
    """Durable storage of one node."""

    def replay(
        self, start: int = 0, most: int | None = None
    ) -> Iterator[tuple[Entry, bytes, Statement | None, Openings]]:
        """Ledger entries in order from `start`: entry, leaf hash, statement and its openings.

        Args:
            most: so many at most; None for all.
        """

    def replay_suspect(self) -> Iterator[tuple[Entry, bytes, Statement | None, Openings]]:
        """Of all entries the alarms, and what was received and refused: where evidence is found."""

    def entry(self, index: int) -> Entry | None:
        """One entry by its index."""

    def entry_of(self, statement: str) -> Entry | None:
        """The entry of a statement."""

    def append(self, entry: Entry, leaf_hash: bytes) -> None:
        """Add the next entry."""

    def put_statement(self, statement: Statement, openings: Openings) -> None:
        """Keep a statement's envelope and openings."""

    def statement(self, statement: str) -> tuple[Statement, Openings] | None:
        """A statement by id."""

    def openings(self, statement: str) -> Openings:
        """What opens a statement that is kept here, without reading the statement itself."""

    def destroy_opening(self, statement: str, field: str) -> None:
        """Forget what opens one field of a statement; its commitment stays in the envelope."""

    def locals_of(self, type_: str) -> list[Json]:
        """Local entries of a type, in order."""

    def chain(
        self, link: str, chain: str, after: int, limit: int
    ) -> list[tuple[Statement, Openings]]:
        """Statements of one chain with a sequence above `after`, in order, at most `limit`."""

    def put_intent(self, intent: Intent) -> None:
        """Keep or replace an intent by number; one that waits for nobody is removed."""

    def intents(self) -> list[Intent]:
        """Intents that wait, in order of number."""

    def put_checkpoint(self, size: int, note: str) -> None:
        """Keep a signed checkpoint; there is one for a size."""

    def checkpoint(self, size: int | None = None) -> tuple[int, str] | None:
        """The checkpoint of a size, or the newest."""

    def checkpoint_from(self, size: int, *, cosigned: bool) -> tuple[int, str] | None:
        """The smallest checkpoint of at least `size`; with `cosigned`, of those with the most cosigners."""

    def bounding(self, index: int) -> list[int]:
        """Sizes of cosigned checkpoints that bound an entry's time, ascending.

        Of each cosigner the newest that does not hold the entry yet, and the oldest that does.
        """

    def vouched_size(self, cosigners: Collection[str], least: int) -> int:
        """The largest size of a checkpoint that at least so many of these cosigned; 0 where there is none."""

    def cosigned_after(self, size: int) -> list[int]:
        """Sizes of checkpoints above a size that somebody has cosigned, ascending."""

    def checkpoint_to(self, size: int) -> tuple[int, str] | None:
        """The largest checkpoint of at most `size`."""

    def put_mirrored(self, size: int, mirror: str, lines: str) -> None:
        """Keep a mirror's signature lines for the checkpoint of a size of ours; those for smaller ones go."""

    def mirrored(self, size: int) -> dict[str, str]:
        """Mirror to signature lines for the checkpoint of a size of ours."""

    def put_cosignature(self, size: int, cosigner: str, lines: str) -> None:
        """Keep a cosigner's signature lines for the checkpoint of a size."""

    def cosignatures(self, size: int) -> dict[str, str]:
        """Cosigner to signature lines for the checkpoint of a size."""

    def put_stamp(self, size: int, token: bytes, *, verified: bool) -> None:
        """Keep or replace the time stamp of the checkpoint of a size of ours."""

    def stamp(self, size: int) -> tuple[bytes, bool] | None:
        """The time stamp of the checkpoint of a size of ours, and whether it verified when it came."""

    def stamped_from(self, size: int) -> int | None:
        """The smallest stamped checkpoint of ours of at least `size`: of those that hold an entry, the oldest."""

    def newest_stamp(self) -> int | None:
        """The largest size of ours that was stamped."""

    def put_witnessed(self, head: Witnessed) -> None:
        """Keep or replace a head of another log, by origin and size; thins the history of that log (L-WIT-6)."""

    def witnessed(self, origin: str, size: int) -> Witnessed | None:
        """The head of one size, if it was cosigned here and is still kept."""

    def witnessed_before(self, origin: str, size: int, name: str = "") -> Witnessed | None:
        """The newest kept head of a log with at most `size` entries: an entry of that index was not in it.

        Args:
            name: of a cosigner who has a line in the head's note; of anybody if empty.
        """

    def witnessed_after(self, origin: str, size: int, name: str = "") -> Witnessed | None:
        """The oldest kept head of a log with more than `size` entries: an entry of that index was in it.

        Args:
            name: of a cosigner who has a line in the head's note; of anybody if empty.
        """

    def mirrored_tree(self, origin: str) -> Tree:
        """The tree over what is mirrored here of another log; empty where nothing is."""

    def put_value(self, name: str, value: object) -> None:
        """Keep a small JSON value under a name."""

    def value(self, name: str) -> Any:
        """A small JSON value, or None."""

    def put_evidence(self, evidence: Evidence) -> None:
        """Keep a sample within the quota of its peer and day; always count it."""
