"""A disk in memory: the journal of a simulated node, with crashes, a full disk and stale backups.

Everything is kept in plain containers; a transaction is a list of ways back. So a commit costs nothing,
a crash undoes what was not committed, and only a snapshot copies.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from detente.errors import UnavailableError
from detente.ledger.merkle import MerkleTree
from detente.ledger.witness import Witnessed, is_spare
from detente.limits import (
    EVIDENCE_SAMPLE_BYTES,
    EVIDENCE_SAMPLES_PER_PEER_DAY,
    WITNESSED_WHOLE,
)
from detente.protocol.journal import Entry, Evidence, Intent
from detente.protocol.statement import Openings, Statement
from detente.units import US_PER_S

DAY_US = 86_400 * US_PER_S


class _Content(msgspec.Struct):
    """What stands on the disk."""

    entries: list[tuple[Entry, bytes]] = []
    entry_of: dict[str, int] = {}
    statements: dict[str, tuple[Statement, Openings]] = {}
    chains: dict[tuple[str, str], list[str]] = {}
    intents: dict[int, Intent] = {}
    checkpoints: dict[int, str] = {}
    sizes: list[int] = []
    cosigned: dict[int, dict[str, str]] = {}
    mirrored: dict[int, dict[str, str]] = {}
    stamps: dict[int, tuple[bytes, bool]] = {}
    witnessed: dict[str, dict[int, Witnessed]] = {}
    mirrors: dict[str, tuple[bytes, ...]] = {}
    values: dict[str, bytes] = {}
    evidence: list[Evidence] = []
    evidence_counts: Counter[tuple[int, str, str]] = msgspec.field(default_factory=Counter)

    def copy(self) -> _Content:
        """A copy that later writes do not reach; values themselves never change."""
        return _Content(
            entries=list(self.entries),
            entry_of=dict(self.entry_of),
            statements=dict(self.statements),
            chains={name: list(ids) for name, ids in self.chains.items()},
            intents=dict(self.intents),
            checkpoints=dict(self.checkpoints),
            sizes=list(self.sizes),
            cosigned={size: dict(lines) for size, lines in self.cosigned.items()},
            mirrored={size: dict(lines) for size, lines in self.mirrored.items()},
            stamps=dict(self.stamps),
            witnessed={origin: dict(heads) for origin, heads in self.witnessed.items()},
            mirrors=dict(self.mirrors),
            values=dict(self.values),
            evidence=list(self.evidence),
            evidence_counts=Counter(self.evidence_counts),
        )


class Disk:
    """A `Journal` in memory.

    Attributes:
        full: writes fail as on a full disk.
        writes: how many there have been; a caller sees from it whether a failed job wrote anything.
    """

    def __init__(self) -> None:
        self._content = _Content()
        self._undo: list[Callable[[], object]] = []
        self.full = False
        self.writes = 0
        self.on_write: Callable[[], None] = lambda: None  # may end the program there and then

    # -- transactions --------------------------------------------------------------------------

    def commit(self) -> None:
        """Make everything since the last commit durable.

        Raises:
            UnavailableError: ``store-unavailable``; nothing was kept.
        """
        if self.full and self._undo:
            self.rollback()
            raise _unavailable()
        self._undo.clear()

    def rollback(self) -> None:
        """Forget everything since the last commit: a failed job, or a crash."""
        while self._undo:
            self._undo.pop()()

    def snapshot(self) -> object:
        """What is durable now, for `restore`."""
        assert not self._undo, "a snapshot is taken between transactions"
        return self._content.copy()

    def restore(self, snapshot: object) -> None:
        """Go back to a snapshot, as an operator does with an old backup."""
        assert isinstance(snapshot, _Content)
        self._undo.clear()
        self._content = snapshot.copy()

    def _write(self, undo: Callable[[], object]) -> None:
        self.writes += 1  # also one that fails: the job that tried it must be undone
        if self.full:
            raise _unavailable()
        self.on_write()
        self._undo.append(undo)

    def _put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        if key in table:
            before = table[key]
            self._write(lambda: table.__setitem__(key, before))
        else:
            self._write(lambda: table.pop(key))
        table[key] = value

    # -- ledger --------------------------------------------------------------------------------

    def replay(
        self, start: int = 0, most: int | None = None
    ) -> Iterator[tuple[Entry, bytes, Statement | None, Openings]]:
        """See `Journal`."""
        content = self._content
        for entry, leaf in content.entries[start : None if most is None else start + most]:
            if entry.statement is None:
                yield entry, leaf, None, {}
            else:
                yield entry, leaf, *content.statements[entry.statement]

    def replay_suspect(self) -> Iterator[tuple[Entry, bytes, Statement | None, Openings]]:
        """See `Journal`."""
        for row in self.replay():
            header = row[0].header
            refused = header.kind == "received" and row[0].outcome.startswith("refused")
            if refused or (header.kind == "local" and header.type == "alarm"):
                yield row

    def entry(self, index: int) -> Entry | None:
        """See `Journal`."""
        entries = self._content.entries
        return entries[index][0] if 0 <= index < len(entries) else None

    def entry_of(self, statement: str) -> Entry | None:
        """See `Journal`."""
        index = self._content.entry_of.get(statement)
        return None if index is None else self.entry(index)

    def append(self, entry: Entry, leaf_hash: bytes) -> None:
        """See `Journal`."""
        entries = self._content.entries
        assert entry.index == len(entries), "entries are appended in order"
        self._write(entries.pop)
        entries.append((entry, leaf_hash))
        if entry.statement is not None:
            assert entry.statement not in self._content.entry_of, "a statement is logged once"
            self._put(self._content.entry_of, entry.statement, entry.index)

    def put_statement(self, statement: Statement, openings: Openings) -> None:
        """See `Journal`."""
        chain = self._content.chains.setdefault((statement.link, statement.chain), [])
        assert statement.sequence == len(chain) + 1, "one statement for each number, without gaps"
        self._put(self._content.statements, statement.id, (statement, openings))
        self._write(chain.pop)
        chain.append(statement.id)

    def statement(self, statement: str) -> tuple[Statement, Openings] | None:
        """See `Journal`."""
        return self._content.statements.get(statement)

    def openings(self, statement: str) -> Openings:
        """See `Journal`."""
        return self._content.statements[statement][1]

    def destroy_opening(self, statement: str, field: str) -> None:
        """See `Journal`."""
        kept, openings = self._content.statements[statement]
        left = {name: one for name, one in openings.items() if name != field}
        self._put(self._content.statements, statement, (kept, left))

    def locals_of(self, type_: str) -> list[dict[str, Any]]:
        """See `Journal`."""
        return [
            entry.local
            for entry, _ in self._content.entries
            if entry.local is not None and entry.header.type == type_
        ]

    def chain(
        self, link: str, chain: str, after: int, limit: int
    ) -> list[tuple[Statement, Openings]]:
        """See `Journal`."""
        ids = self._content.chains.get((link, chain), [])
        return [self._content.statements[i] for i in ids[max(0, after) :][: max(0, limit)]]

    def put_intent(self, intent: Intent) -> None:
        """See `Journal`."""
        intents = self._content.intents
        if intent.waiting:
            self._put(intents, intent.number, intent)
        elif intent.number in intents:
            before = intents[intent.number]
            self._write(lambda: intents.__setitem__(intent.number, before))
            del intents[intent.number]

    def intents(self) -> list[Intent]:
        """See `Journal`."""
        return [self._content.intents[number] for number in sorted(self._content.intents)]

    def put_checkpoint(self, size: int, note: str) -> None:
        """See `Journal`."""
        sizes = self._content.sizes
        if size not in self._content.checkpoints:
            self._write(lambda: sizes.remove(size))
            insort(sizes, size)
        self._put(self._content.checkpoints, size, note)

    def checkpoint(self, size: int | None = None) -> tuple[int, str] | None:
        """See `Journal`."""
        sizes = self._content.sizes
        wanted = (sizes[-1] if sizes else 0) if size is None else size
        note = self._content.checkpoints.get(wanted)
        return None if note is None else (wanted, note)

    def checkpoint_from(self, size: int, *, cosigned: bool) -> tuple[int, str] | None:
        """See `Journal`."""
        sizes = self._content.sizes
        later = sizes[bisect_left(sizes, size) :]
        if cosigned:
            by = self._content.cosigned
            later = sorted((n for n in later if by.get(n)), key=lambda n: (-len(by[n]), n))
        return (later[0], self._content.checkpoints[later[0]]) if later else None

    def bounding(self, index: int) -> list[int]:
        """See `Journal`."""
        by: dict[str, list[int]] = {}
        for size, lines in sorted(self._content.cosigned.items()):
            for cosigner in lines:
                by.setdefault(cosigner, []).append(size)
        found = set()
        for sizes in by.values():
            at = bisect_right(sizes, index)
            found |= {*sizes[max(0, at - 1) : at], *sizes[at : at + 1]}
        return sorted(found - {0})

    def vouched_size(self, cosigners: Collection[str], least: int) -> int:
        """See `Journal`."""
        wanted = set(cosigners)
        found = (n for n, by in self._content.cosigned.items() if len(wanted & set(by)) >= least)
        return max(found, default=0)

    def cosigned_after(self, size: int) -> list[int]:
        """See `Journal`."""
        return sorted(n for n, by in self._content.cosigned.items() if n > size and by)

    def checkpoint_to(self, size: int) -> tuple[int, str] | None:
        """See `Journal`."""
        sizes = self._content.sizes
        at = bisect_right(sizes, size)
        return (sizes[at - 1], self._content.checkpoints[sizes[at - 1]]) if at else None

    def put_mirrored(self, size: int, mirror: str, lines: str) -> None:
        """See `Journal`."""
        for old, kept in self._content.mirrored.items():
            if old < size and mirror in kept:
                self._write(partial(kept.__setitem__, mirror, kept[mirror]))
                del kept[mirror]
        self._put(self._content.mirrored.setdefault(size, {}), mirror, lines)

    def mirrored(self, size: int) -> dict[str, str]:
        """See `Journal`."""
        return dict(sorted(self._content.mirrored.get(size, {}).items()))

    def put_stamp(self, size: int, token: bytes, *, verified: bool) -> None:
        """See `Journal`."""
        self._put(self._content.stamps, size, (token, verified))

    def stamp(self, size: int) -> tuple[bytes, bool] | None:
        """See `Journal`."""
        return self._content.stamps.get(size)

    def stamped_from(self, size: int) -> int | None:
        """See `Journal`."""
        return min((one for one in self._content.stamps if one >= size), default=None)

    def newest_stamp(self) -> int | None:
        """See `Journal`."""
        return max(self._content.stamps, default=None)

    def put_cosignature(self, size: int, cosigner: str, lines: str) -> None:
        """See `Journal`."""
        self._put(self._content.cosigned.setdefault(size, {}), cosigner, lines)

    def cosignatures(self, size: int) -> dict[str, str]:
        """See `Journal`."""
        return dict(sorted(self._content.cosigned.get(size, {}).items()))

    def put_witnessed(self, head: Witnessed) -> None:
        """See `Journal`."""
        heads = self._content.witnessed.setdefault(head.origin, {})
        self._put(heads, head.size, head)
        if len(heads) > WITNESSED_WHOLE + 1:
            sizes = sorted(heads, reverse=True)[WITNESSED_WHOLE - 1 : WITNESSED_WHOLE + 2]
            after, old, before = (heads[size] for size in sizes)
            if is_spare(before, old, after):
                self._write(lambda: heads.__setitem__(old.size, old))
                del heads[old.size]

    def witnessed(self, origin: str, size: int) -> Witnessed | None:
        """See `Journal`."""
        return self._content.witnessed.get(origin, {}).get(size)

    def witnessed_before(self, origin: str, size: int, name: str = "") -> Witnessed | None:
        """See `Journal`."""
        found = [one for one in self._witnessed(origin, name) if one.size <= size]
        return max(found, key=lambda one: one.size, default=None)

    def witnessed_after(self, origin: str, size: int, name: str = "") -> Witnessed | None:
        """See `Journal`."""
        found = [one for one in self._witnessed(origin, name) if one.size > size]
        return min(found, key=lambda one: one.size, default=None)

    def _witnessed(self, origin: str, name: str) -> Iterable[Witnessed]:
        heads = self._content.witnessed.get(origin, {}).values()
        return [one for one in heads if f"\n\u2014 {name} " in one.note] if name else heads

    def mirrored_tree(self, origin: str) -> MerkleTree:
        """See `Journal`."""
        return MerkleTree(self._content.mirrors.get(origin, ()))

    def put_mirror(self, origin: str, leaves: Sequence[bytes]) -> None:
        """Keep the leaf hashes of another log, as a node does in its tables of the mirror."""
        self._put(self._content.mirrors, origin, tuple(leaves))

    def put_value(self, name: str, value: object) -> None:
        """See `Journal`."""
        self._put(self._content.values, name, msgspec.json.encode(value))

    def value(self, name: str) -> Any:
        """See `Journal`."""
        found = self._content.values.get(name)
        return None if found is None else msgspec.json.decode(found)

    # -- evidence ------------------------------------------------------------------------------

    def put_evidence(self, evidence: Evidence) -> None:
        """See `Journal`."""
        counts, kept = self._content.evidence_counts, self._content.evidence
        day = evidence.time_us // DAY_US
        self._put(
            counts,
            (day, evidence.peer, evidence.code),
            counts[day, evidence.peer, evidence.code] + 1,
        )
        of_day = sum(1 for e in kept if e.peer == evidence.peer and e.time_us // DAY_US == day)
        if of_day < EVIDENCE_SAMPLES_PER_PEER_DAY:
            self._write(kept.pop)
            sample = evidence.sample[:EVIDENCE_SAMPLE_BYTES]
            kept.append(msgspec.structs.replace(evidence, sample=sample))

    def evidence(self) -> list[Evidence]:
        """The samples kept, oldest first."""
        return list(self._content.evidence)

    @property
    def samples(self) -> int:
        """How many samples are kept."""
        return len(self._content.evidence)

    def evidence_counts(self) -> dict[str, int]:
        """How much was not taken, by rule, over all days and peers."""
        total: Counter[str] = Counter()
        for (_, _, code), count in self._content.evidence_counts.items():
            total[code] += count
        return dict(sorted(total.items()))


def _unavailable() -> UnavailableError:
    return UnavailableError(
        "store-unavailable",
        "the store cannot write: disk is full; nothing was taken",
        hint="free disk space on the node's directory; senders keep what they sent and try again",
    )
