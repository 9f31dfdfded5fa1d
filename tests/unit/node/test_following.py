"""What a party shows the world as its log, held against what it showed here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from detente.errors import PeerError
from detente.ledger.checkpoint import cosigner_name, parse_checkpoint, sign_checkpoint
from detente.ledger.cosignature import cosign, verify_cosignatures
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.ledger.mirror import Upload, make_package
from detente.ledger.note import parse_note
from detente.ledger.tile import parse_tile_path
from detente.ledger.witness import Witnessed, WitnessedHead
from detente.node.following import Following
from detente.node.home import Home
from detente.node.mirror import Mirror
from detente.node.store import Store
from detente.protocol.core import Core
from detente.protocol.evidence import export_evidence, find_evidence, verify_evidence

T0 = 1_790_000_000_000_000
ORIGIN = "detente/south/log/1"
ENTRIES = [b"entry %d" % n for n in range(600)]
TRUE = MerkleTree(leaf_hash(e) for e in ENTRIES)
FORK = MerkleTree(leaf_hash(e) for e in [*ENTRIES[:100], b"fork", *ENTRIES[101:]])


class Told:
    """North's node, as far as following needs one; jobs run at once."""

    def __init__(self, core: Core, store: Store) -> None:
        self.core, self.store, self.mirror = core, store, Mirror(store, "north")
        self.effects: list[Any] = []

    def now_us(self) -> int:
        """The time of these tests."""
        return T0

    async def run(self, job: Callable[[Core], Any]) -> Any:
        """Run a job."""
        result, effects = job(self.core)
        self.effects += effects
        return result


@pytest.fixture
def node(core: Core, store: Store) -> Told:
    """North's node."""
    return Told(core, store)


def sign(homes: dict[str, Home], size: int, tree: MerkleTree) -> str:
    """South's note for a head."""
    signer = homes["south"].identity().signer
    return sign_checkpoint(signer, ORIGIN, size, tree.root(size), T0 // 10**6)


def cosigned(node: Told, homes: dict[str, Home], size: int) -> None:
    """Make a head one that was cosigned here."""
    note = sign(homes, size, TRUE)
    head = parse_checkpoint(parse_note(note))
    note += cosign(homes["north"].identity().signer, cosigner_name("north"), head, T0 // 10**6)
    node.store.put_value(
        f"witness:{ORIGIN}", msgspec.to_builtins(WitnessedHead(size, head.root, note))
    )
    node.store.put_witnessed(Witnessed(ORIGIN, size, T0 // 10**6, head.root, note))


def look(node: Told, note: str, tree: MerkleTree = TRUE) -> list[str]:
    """Look once at a log that shows this note and the tiles of this tree; the paths asked for."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == "/log/checkpoint":
            return httpx.Response(200, text=note)
        tile = parse_tile_path(request.url.path.removeprefix("/log/1/"))
        row = (tree.stored(8 * tile.level, tile.index * 256 + i) for i in range(tile.width))
        return httpx.Response(200, content=b"".join(row))

    async def play() -> None:
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(transport=transport, base_url="https://south") as http:
            await Following(node, "south", http).look()  # type: ignore[arg-type]

    asyncio.run(play())
    return asked


def check_proved(node: Told, homes: dict[str, Home]) -> None:
    """The record holds both notes and evidence that convinces a reader who knows only the file."""
    assert [one.code for one in node.effects] == ["log-inconsistent"]
    (alarm,) = node.store.locals_of("alarm")
    assert len(alarm["heads"]) == 2
    (found,) = find_evidence(node.core)
    assert (found.kind, found.against) == ("log-fork", "south")
    roots = {party: home.root_signer().public for party, home in homes.items()}
    verify_evidence(export_evidence(node.core, found), roots)


def test_log_that_grew_honestly_is_read_by_its_tiles_and_nobody_is_blamed(
    node: Told, homes: dict[str, Home]
) -> None:
    """L-FOL-1: a larger head is proved by tiles to extend the one that was cosigned here."""
    cosigned(node, homes, 300)
    asked = look(node, sign(homes, 600, TRUE))
    assert "/log/1/tile/0/001" in asked
    assert node.effects == []


@pytest.mark.parametrize(("size", "tree"), [(300, FORK), (600, FORK), (200, FORK)])
def test_log_that_shows_another_history_is_caught_with_proof(
    node: Told, homes: dict[str, Home], size: int, tree: MerkleTree
) -> None:
    """L-FOL-1: at the same size by the roots, at a larger by its own tiles, at a smaller by the mirror."""
    cosigned(node, homes, 300)
    for start, end in Upload(ORIGIN, 0, 300).intervals():
        package = make_package(TRUE, start, ENTRIES[start:end], 300)
        assert node.mirror.take(Upload(ORIGIN, 0, 300), package)
    assert node.mirror.finish(node.core, Upload(ORIGIN, 300, 300), T0).status == 200
    look(node, sign(homes, size, tree), tree)
    check_proved(node, homes)
    look(node, sign(homes, size, tree), tree)
    assert len(node.store.locals_of("alarm")) == 1


def test_tiles_that_are_not_of_the_checkpoint_prove_nothing(
    node: Told, homes: dict[str, Home]
) -> None:
    """L-FOL-1: whoever answers wrong tiles on the way gets nobody blamed."""
    cosigned(node, homes, 300)
    with pytest.raises(PeerError):
        look(node, sign(homes, 600, TRUE), FORK)
    assert node.effects == []


def test_head_of_another_or_unsigned_is_refused(node: Told, homes: dict[str, Home]) -> None:
    """L-FOL-1: what the party's keys did not sign is not its log's."""
    cosigned(node, homes, 300)
    signer = homes["north"].identity().signer
    for note in (
        sign_checkpoint(signer, ORIGIN, 300, FORK.root(300), 5),
        sign_checkpoint(signer, "detente/north/log/1", 300, FORK.root(300), 5),
        "x",
    ):
        with pytest.raises(PeerError):
            look(node, note)
    assert node.effects == []


def test_lines_of_neutral_witnesses_are_kept_once_and_others_not(
    node: Told, homes: dict[str, Home]
) -> None:
    """L-FOL-2: a witness's cosignature joins the head that was cosigned here; a second one, or a false one, does not."""
    cosigned(node, homes, 300)
    note = sign(homes, 300, TRUE)
    head = parse_checkpoint(parse_note(note))
    keys, name = homes["witness"].identity().signer, cosigner_name("witness")
    forged = cosign(homes["south"].identity().signer, name, head, 7)
    look(node, note + forged)
    assert name not in node.store.witnessed(ORIGIN, 300).note  # type: ignore[union-attr]
    look(node, note + cosign(keys, name, head, 7))
    look(node, note + cosign(keys, name, head, 8))
    kept = node.store.witnessed(ORIGIN, 300)
    assert kept is not None
    (seen,) = verify_cosignatures(kept.note, {name: keys.public}).cosigned
    assert seen.time_s == 7
