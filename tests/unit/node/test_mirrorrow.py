"""How far the copies between two nodes are, and what happens when one has reached its limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest

from detente.errors import DetenteError, UsageError
from detente.ledger.checkpoint import sign_checkpoint
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.ledger.mirror import Upload, make_package
from detente.ledger.witness import Witnessed, WitnessedHead
from detente.node.home import Home
from detente.node.mirror import LEAF_COST, Mirror
from detente.node.mirroring import Mirroring
from detente.node.mirrorroom import Reception
from detente.node.mirrorrow import MirrorRow, mirror_row
from detente.node.store import Store
from detente.protocol.core import Core
from detente.units import US_PER_S, format_time

T0 = 1_790_000_000_000_000
ORIGIN = "detente/south/log/1"
ENTRIES = [b"entry %d" % n for n in range(600)]
TREE = MerkleTree(leaf_hash(entry) for entry in ENTRIES)


class Told:
    """North's node, as far as mirrors need one; jobs run at once."""

    def __init__(self, core: Core, store: Store) -> None:
        self.core, self.store, self.mirror = core, store, Mirror(store, "north")
        self.home = SimpleNamespace(config=SimpleNamespace(retry_most_s=60.0))
        self.effects: list[Any] = []

    def now_us(self) -> int:
        """The time of these tests."""
        return T0

    def mirrors(self, _core: Core, _origin: str) -> bool:
        """Everything is mirrored here."""
        return True

    async def run(self, job: Callable[[Core], Any]) -> Any:
        """Run a job."""
        result, effects = job(self.core)
        self.effects += effects
        return result

    async def do(self, act: Callable[[Core], Any]) -> Any:
        """Run something without effects."""
        return act(self.core)


@pytest.fixture
def node(core: Core, store: Store) -> Any:
    """North's node."""
    return Told(core, store)


def seen(node: Any, homes: dict[str, Home], size: int, time_s: int) -> None:
    """South's head of a size is cosigned here at a time."""
    note = sign_checkpoint(homes["south"].identity().signer, ORIGIN, size, TREE.root(size), 5)
    head = WitnessedHead(size, TREE.root(size), note)
    node.store.put_value(f"witness:{ORIGIN}", msgspec.to_builtins(head))
    node.store.put_witnessed(Witnessed(ORIGIN, size, time_s, head.root, note))


def taken(node: Any, start: int, end: int, size: int) -> None:
    """South's entries are stored here."""
    upload = Upload(ORIGIN, start, size)
    assert node.mirror.take(upload, make_package(TREE, start, ENTRIES[start:end], size))


def row(node: Any, serving: Any = None) -> MirrorRow:
    """The row of south."""
    return mirror_row(node, serving, node.core, "south")


def test_copy_of_a_peer_is_behind_since_the_first_head_that_it_does_not_reach(
    node: Any, homes: dict[str, Home]
) -> None:
    """L-MIR-9: entries held of how many, and the time of the oldest head beyond; complete, there is no time."""
    assert row(node).theirs is None
    now_s = T0 // US_PER_S
    seen(node, homes, 200, now_s - 50)
    taken(node, 0, 200, 200)
    found = row(node).theirs
    assert found is not None
    assert (found.held, found.size, found.since, found.full) == (200, 200, None, False)
    seen(node, homes, 300, now_s - 40)
    seen(node, homes, 400, now_s - 30)
    found = row(node).theirs
    assert found is not None
    assert (found.held, found.size) == (200, 400)
    assert found.since == format_time((now_s - 40) * US_PER_S)


def test_copy_of_a_peer_is_that_of_its_newest_epoch(node: Any, homes: dict[str, Home]) -> None:
    """L-MIR-9: after a recovery the copy of the log that goes on is shown; the tenth epoch comes after the ninth."""
    seen(node, homes, 200, 5)
    for epoch in (9, 10):
        head = WitnessedHead(epoch, bytes(32), "x")
        node.store.put_value(f"witness:detente/south/log/{epoch}", msgspec.to_builtins(head))
    found = row(node).theirs
    assert found is not None
    assert found.size == 10


def test_copy_of_ours_is_behind_since_the_first_head_that_it_does_not_reach(node: Any) -> None:
    """L-MIR-9: the log's own time of the oldest head above what the peer said that it holds."""
    core = node.core
    assert row(node).ours is None
    core.journal.put_value(f"mirror:south:{core.origin}", 1)
    signer = core.identity.signer
    for size, time_s in ((1, 100), (4, 200), (9, 300)):
        core.journal.put_checkpoint(
            size, sign_checkpoint(signer, core.origin, size, b"x" * 32, time_s)
        )
    found = row(node).ours
    assert found is not None
    assert (found.held, found.size) == (1, 9)
    assert found.since == format_time(200 * US_PER_S)
    core.journal.put_value(f"mirror:south:{core.origin}", 9)
    found = row(node).ours
    assert found is not None
    assert found.since is None


def test_copy_at_a_peer_that_mirrors_nothing_is_none(node: Any) -> None:
    """L-MIR-9: where the other side keeps no copy none is shown, rather than one of nothing."""
    core = node.core
    note = sign_checkpoint(core.identity.signer, core.origin, 3, b"x" * 32, 5)
    core.journal.put_checkpoint(3, note)
    there = SimpleNamespace(absent=True, full=False, failing=None)
    assert row(node, SimpleNamespace(mirroring={"south": there})).ours is None
    there.absent, there.failing = False, "why"
    found = row(node, SimpleNamespace(mirroring={"south": there})).ours
    assert found is not None
    assert found.failing == "why"


def test_copy_that_is_full_is_one_alarm_here(
    node: Any, homes: dict[str, Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-MIR-6, L-MIR-9: what does not fit is refused, the officers are told once, and the row says so."""
    monkeypatch.setattr("detente.limits.MIRROR_BYTES", LEAF_COST)
    seen(node, homes, 200, 5)
    upload = Upload(ORIGIN, 0, 200)
    body = upload.encode() + make_package(TREE, 0, ENTRIES[:200], 200).encode()

    async def stream() -> AsyncIterator[bytes]:
        yield body

    for _ in range(2):
        with pytest.raises(UsageError) as caught:
            asyncio.run(Reception(node).run(stream(), packed=False))
        assert caught.value.code == "mirror-full"
    assert [one.code for one in node.effects] == ["mirror-full"]
    (alarm,) = [one for one in node.core.state.alarms if one.code == "mirror-full"]
    assert alarm.party == "south"
    monkeypatch.setattr("detente.limits.MIRROR_BYTES", LEAF_COST - 1)
    found = row(node).theirs
    assert found is not None
    assert found.full


def test_copy_of_ours_that_is_full_is_one_alarm_of_ours(node: Any, homes: dict[str, Home]) -> None:
    """L-MIR-9: a peer that answers 507 over its limit is told to officers once; a full disk is not the same."""
    core = node.core
    core.journal.put_value(f"cosigner:south:{core.origin}", core.tree.size)
    note = sign_checkpoint(core.identity.signer, core.origin, core.tree.size, core.tree.root(), 5)
    core.journal.put_checkpoint(core.tree.size, note)
    words = b'{"error": {"code": "store-unavailable"}}'

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(507, content=words)

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="https://south")
    mirroring = Mirroring(node, "south", client)
    with pytest.raises(DetenteError):
        asyncio.run(mirroring.submit())
    assert (mirroring.full, node.effects) == (False, [])
    words = b'{"error": {"code": "mirror-full"}}'
    for _ in range(2):
        with pytest.raises(DetenteError):
            asyncio.run(mirroring.submit())
    assert mirroring.full
    assert [one.code for one in node.effects] == ["mirror-full"]
