"""What a node takes from its cosigners, and whom its settings may name as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from detente.errors import DetenteError, UnavailableError
from detente.ledger.checkpoint import parse_checkpoint, sign_checkpoint
from detente.ledger.cosignature import cosign, cosigner_keys
from detente.ledger.note import ED25519_COSIGNATURE, NoteKey, parse_note
from detente.node.cosigning import LoneCosigning
from detente.node.home import Home, LoneAddress, init_home
from detente.protocol.core import Core
from detente.signing.key import SigningKeys

NAME = "witness.example/w1"
KEYS = SigningKeys.from_seed(bytes(range(64)))
OTHER = SigningKeys.from_seed(bytes(range(64, 128)))
ED25519, MLDSA44 = (key.format() for key in cosigner_keys(NAME, KEYS.public))
URL = "http://127.0.0.1:4790"


def named(name: str, keys: SigningKeys = KEYS) -> tuple[str, ...]:
    """The vkeys of a witness."""
    return tuple(key.format() for key in cosigner_keys(name, keys.public))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node's directory whose settings are appended to."""
    path = tmp_path_factory.mktemp("home") / "north"
    init_home(path, party="north", name="N", role="party", listen="127.0.0.1:4710", valid_from_us=1)
    return path


def opened(directory: Path, *witnesses: tuple[str, tuple[str, ...]]) -> Home:
    """The directory with these witnesses in its settings."""
    path = directory / "config.toml"
    before = path.read_text()
    tables = [
        f'\n[[witness]]\nurl = "{url}"\nvkeys = [{", ".join(f"{chr(34)}{k}{chr(34)}" for k in vkeys)}]\n'
        for url, vkeys in witnesses
    ]
    path.write_text(before + "".join(tables))
    try:
        return Home(directory)
    finally:
        path.write_text(before)


def test_witness_in_the_settings_has_its_name_from_its_keys(directory: Path) -> None:
    """L-WIT-8: two vkeys of one name, in either order, over TLS or on loopback."""
    for url, vkeys in (
        (URL, (ED25519, MLDSA44)),
        ("https://witness.example/log", (MLDSA44, ED25519)),
        ("http://localhost:1", (ED25519, MLDSA44)),
        ("http://[::1]:1", (ED25519, MLDSA44)),
    ):
        (one,) = opened(directory, (url, vkeys)).config.witness
        assert one.check() == (NAME, KEYS.public)


BAD: dict[str, Callable[[], tuple[str, tuple[str, ...]]]] = {
    "plain http beyond loopback": lambda: ("http://witness.example", (ED25519, MLDSA44)),
    "no such scheme": lambda: ("ftp://127.0.0.1", (ED25519, MLDSA44)),
    "a name that could be a party's id": lambda: (URL, named("north")),
    "the name of a party's witness": lambda: (URL, named("detente/south")),
    "the name of a party's log": lambda: (URL, named("detente/south/log/1")),
    "one key": lambda: (URL, (ED25519,)),
    "one key twice": lambda: (URL, (ED25519, ED25519)),
    "two names": lambda: (URL, (ED25519, named("witness.example/w2")[1])),
    "a wrong id": lambda: (URL, (ED25519.replace("+", "+0", 1), MLDSA44)),
    "a key of small order": lambda: (
        URL,
        (NoteKey(NAME, ED25519_COSIGNATURE, (1).to_bytes(32, "little")).format(), MLDSA44),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_witness_in_the_settings_that_is_wrong_is_refused(directory: Path, name: str) -> None:
    """L-WIT-8: nothing is submitted anywhere before the settings are right."""
    with pytest.raises(DetenteError):
        opened(directory, BAD[name]())


def test_witness_in_the_settings_twice_is_refused(directory: Path) -> None:
    """L-WIT-8: one witness has one place."""
    with pytest.raises(DetenteError, match="twice"):
        opened(directory, (URL, (ED25519, MLDSA44)), (URL, (ED25519, MLDSA44)))


class Asked:
    """A lone witness's loop beside a core, and a head of the core's log."""

    def __init__(self, core: Core) -> None:
        node: Any = SimpleNamespace(counters=Counter(), now_us=lambda: 1)
        settings = LoneAddress(url=URL, vkeys=(ED25519, MLDSA44))
        self.core, self.loop = core, LoneCosigning(node, settings)
        size = core.tree.size
        self.note = sign_checkpoint(core.identity.signer, core.origin, size, core.tree.root(), 5)
        self.head = parse_checkpoint(parse_note(self.note))

    def keep(self, lines: str) -> str | None:
        """What is kept of an answer."""
        self.loop._keep(self.core, self.head.size, self.note, lines)
        return self.core.journal.cosignatures(self.head.size).get(NAME)


def test_answer_of_a_witness_is_kept_by_its_two_lines_only(core: Core) -> None:
    """L-WIT-8: whatever else it wrote would stand in every bundle, so it is left out."""
    asked = Asked(core)
    lines = cosign(KEYS, NAME, asked.head, 7)
    junk = cosign(OTHER, "detente/south", asked.head, 7) + f"\u2014 {NAME} AAAAAAAA\n"
    assert asked.keep(junk + lines) == lines


def test_answer_of_a_witness_by_another_key_is_not_kept(core: Core) -> None:
    """L-WIT-8: the keys are those of the settings, whoever answers at the address."""
    asked = Asked(core)
    with pytest.raises(UnavailableError):
        asked.keep(cosign(OTHER, NAME, asked.head, 7))
    with pytest.raises(UnavailableError):
        asked.keep(cosign(KEYS, "witness.example/w2", asked.head, 7))
    assert core.journal.cosignatures(asked.head.size) == {}
