"""A log of ours, read by code that nobody here wrote: golang.org/x/mod and Go's standard library.

Debian has both: `golang-go` and `golang-golang-x-mod-dev`. Where they are absent these tests skip by name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from detente.ledger.checkpoint import (
    cosigner_name,
    log_keys,
    log_origin,
    parse_checkpoint,
    sign_checkpoint,
)
from detente.ledger.cosignature import add_cosignature, cosign, cosigner_keys
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.ledger.note import parse_note
from detente.ledger.tile import Tile, encode_bundle
from detente.signing.base64 import encode_base64
from detente.signing.key import SigningKeys

HERE = Path(__file__).parent
SOURCES = Path("/usr/share/gocode")  # where Debian puts Go libraries
SIZE, OLD_SIZE = 700, 300
ORIGIN = log_origin("north", 1)
NORTH = SigningKeys.from_seed(bytes(range(64)))
WITNESS = SigningKeys.from_seed(bytes(range(64, 128)))


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reader as a program."""
    go = shutil.which("go")
    if go is None or not (SOURCES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("Go or golang.org/x/mod absent (Debian: golang-go golang-golang-x-mod-dev)")
    folder = tmp_path_factory.mktemp("reader")
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(SOURCES),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
    }
    program = folder / "reader"
    subprocess.run(
        [go, "build", "-o", str(program), str(HERE / "reader.go")], env=environment, check=True
    )
    return program


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A log of 700 leaves as the files it serves, cosigned by a witness."""
    entries = [b"leaf %d" % number for number in range(SIZE)]
    tree = MerkleTree(leaf_hash(entry) for entry in entries)
    note = sign_checkpoint(NORTH, ORIGIN, SIZE, tree.root(), 1_700_000_000)
    checkpoint = parse_checkpoint(parse_note(note))
    note = add_cosignature(note, cosign(WITNESS, cosigner_name("un"), checkpoint, 1_700_000_001))
    (tmp_path / "checkpoint").write_text(note, "utf-8")
    for level in range(2):
        count = SIZE >> 8 * level
        for index in range(-(-count // 256)):
            width = min(256, count - index * 256)
            hashes = (tree.stored(8 * level, index * 256 + i) for i in range(width))
            put(tmp_path, Tile(level, index, width), b"".join(hashes))
            if level == 0:
                put(
                    tmp_path,
                    Tile(-1, index, width),
                    encode_bundle(entries[index * 256 :][:width]),
                )
    (tmp_path / "old").write_text(encode_base64(tree.root(OLD_SIZE)))
    return tmp_path


def put(folder: Path, tile: Tile, data: bytes) -> None:
    """Keep a tile where the log serves it."""
    path = folder / tile.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def read(reader: Path, folder: Path) -> tuple[int, str]:
    """The reader's exit code and words."""
    keys = log_keys(ORIGIN, NORTH.public)[0], cosigner_keys(cosigner_name("un"), WITNESS.public)[0]
    found = subprocess.run(
        [
            str(reader),
            str(folder),
            *(key.format() for key in keys),
            str(OLD_SIZE),
            (folder / "old").read_text(),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.returncode, found.stdout + found.stderr


def test_reader_of_others_takes_our_checkpoint_cosignature_and_tiles(
    reader: Path, served: Path
) -> None:
    """L-CP-1, L-COS-1, L-TILE-1: Go's own code verifies notes, cosignature, every inclusion and the growth of the log."""
    code, words = read(reader, served)
    assert code == 0, words
    assert f"VALID: {SIZE} entries of {ORIGIN}" in words


@pytest.mark.parametrize(
    "path",
    ["tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/000", "checkpoint", "old"],
)
def test_reader_of_others_refuses_one_changed_byte(reader: Path, served: Path, path: str) -> None:
    """L-TILE-1: the same code refuses a log with one byte changed in a tile, an entry, its head or its past."""
    data = bytearray((served / path).read_bytes())
    at = data.index(b"\n") + 1 if path == "checkpoint" else 40  # the size, which is signed
    data[at] ^= 1
    (served / path).write_bytes(data)
    code, words = read(reader, served)
    assert code == 1, words
