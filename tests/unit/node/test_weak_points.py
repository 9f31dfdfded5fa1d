"""Wherever an Ed25519 key enters, one on which libraries disagree is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detente.agreement.card import CERTIFICATE_TYPE, parse_card, parse_certificate
from detente.agreement.document import sign_document
from detente.agreement.terms import parse_agreement
from detente.cli.record import read_trust
from detente.errors import DetenteError
from detente.ledger.cosignature import parse_cosigner
from detente.ledger.note import (
    ED25519_COSIGNATURE,
    ED25519_NOTE,
    MLDSA44_COSIGNATURE,
    NoteKey,
)
from detente.ledger.policy import parse_policy
from detente.node.home import Home
from detente.node.lonewitness import LOGS, LoneWitness, init_witness
from detente.protocol.keyring import Keyring
from detente.protocol.learned import learn_keys
from detente.signing.base64 import encode_base64url
from detente.signing.canonical import encode_canonical
from detente.signing.key import PublicKeys, SigningKeys, parse_public_keys

P = 2**255 - 19
WEAK = {
    "identity": "0100000000000000000000000000000000000000000000000000000000000000",
    "order 2": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "order 4": "0000000000000000000000000000000000000000000000000000000000000000",
    "order 4, other sign": "0000000000000000000000000000000000000000000000000000000000000080",
    "order 8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8, other": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "identity, y = p + 1": (P + 1).to_bytes(32, "little").hex(),
    "identity, sign of zero": (1 + 2**255).to_bytes(32, "little").hex(),
    "order 4, y = p": P.to_bytes(32, "little").hex(),
    "y = 2**255 - 1": (2**255 - 1).to_bytes(32, "little").hex(),
    "not on the curve": "0200000000000000000000000000000000000000000000000000000000000000",
    "cut off": "26e8958f",
}
GOOD = SigningKeys.from_seed(bytes(range(64)))
OTHER = SigningKeys.from_seed(bytes(range(64, 128)))


def pair(point: bytes) -> dict[str, str]:
    """A pair in JSON with this Ed25519 half."""
    return OTHER.public.to_json() | {"ed25519": encode_base64url(point)}


def certificate(home: Home, point: bytes, use: str) -> Any:
    """A certificate that the party's root truly signed, for a key with this point."""
    card = home.card()
    given = next(one for one in card.certificates if one.use == use)
    key = pair(point) if use == "signing" else {"ed25519": encode_base64url(point)}
    public = PublicKeys(point, OTHER.public.mldsa44 if use == "signing" else b"")
    document = given.signed["document"] | {"key": key, "key_id": public.key_id}
    return sign_document(home.root_signer(), CERTIFICATE_TYPE, document)


def in_root(home: Home, point: bytes, _core: Any, _path: Path) -> None:
    """As a card's root."""
    signed = json.loads((home.path / "card.json").read_text())
    parse_card(signed | {"document": signed["document"] | {"root": pair(point)}})


def in_signing(home: Home, point: bytes, _core: Any, _path: Path) -> None:
    """As a certified signing key."""
    root = home.card().root
    parse_certificate(certificate(home, point, "signing"), party="north", root=root, field="x")


def in_transport(home: Home, point: bytes, _core: Any, _path: Path) -> None:
    """As a certified transport key."""
    root = home.card().root
    parse_certificate(certificate(home, point, "transport"), party="north", root=root, field="x")


def in_bundle(home: Home, point: bytes, _core: Any, _path: Path) -> None:
    """As a key in a bundle."""
    Keyring("bundle", [certificate(home, point, "signing")], {"north": home.card().root})


def in_keys(home: Home, point: bytes, core: Any, _path: Path) -> None:
    """As a key that a log publishes."""
    south = Home(home.path.parent / "south")
    keys = {
        "certificates": [certificate(south, point, "signing")],
        "party": "south",
        "revocations": [],
    }
    learn_keys(core, encode_canonical(keys), 1)


def in_agreement(_home: Home, point: bytes, core: Any, _path: Path) -> None:
    """As a member's root in an agreement."""
    document = json.loads(json.dumps(core.state.agreement.document))
    document["parties"][0]["root"] = pair(point)
    parse_agreement(document)


def in_trust(_home: Home, point: bytes, _core: Any, path: Path) -> None:
    """As a root in a file of trusted keys."""
    (path / "trust.json").write_text(json.dumps({"roots": {"north": pair(point)}}))
    read_trust(path / "trust.json")


def in_policy_log(_home: Home, point: bytes, _core: Any, _path: Path) -> None:
    """As the key of a log in a policy."""
    parse_policy(f"log {NoteKey('x', ED25519_NOTE, point).format()}\nquorum none\n".encode())


def in_policy_witness(_home: Home, point: bytes, _core: Any, _path: Path) -> None:
    """As the key of a witness in a policy."""
    key = NoteKey("x", ED25519_COSIGNATURE, point).format()
    parse_policy(f"witness w {key}\nquorum none\n".encode())


def in_settings(_home: Home, point: bytes, _core: Any, _path: Path) -> None:
    """As the key of a witness that stands alone."""
    kinds = ((ED25519_COSIGNATURE, point), (MLDSA44_COSIGNATURE, OTHER.public.mldsa44))
    parse_cosigner([NoteKey("w.example/1", kind, raw).format() for kind, raw in kinds])


def in_witness(_home: Home, point: bytes, _core: Any, path: Path) -> None:
    """As the key of a log that such a witness is to cosign."""
    kinds = ((ED25519_NOTE, point), (MLDSA44_COSIGNATURE, OTHER.public.mldsa44))
    init_witness(path / "w", "w.example/1")
    lines = [f"log {NoteKey('detente/north/log/1', *one).format()}" for one in kinds]
    (path / "w" / LOGS).write_text("\n".join([*lines, "quorum none"]) + "\n")
    LoneWitness(path / "w").close()


DOORS: list[Callable[[Home, bytes, Any, Path], None]] = [
    in_root,
    in_signing,
    in_transport,
    in_bundle,
    in_keys,
    in_agreement,
    in_trust,
    in_policy_log,
    in_policy_witness,
    in_settings,
    in_witness,
]


@pytest.mark.parametrize("door", DOORS, ids=lambda one: one.__name__)
def test_key_on_which_libraries_disagree_enters_by_no_door(
    door: Callable[[Home, bytes, Any, Path], None],
    homes: dict[str, Home],
    core: Any,
    tmp_path: Path,
) -> None:
    """K-KEY-2, L-POL-2: small order, uncanonical, off the curve or cut off: refused before it can count, whoever vouches for it."""
    came_in = []
    for number, (name, text) in enumerate(WEAK.items()):
        place = tmp_path / str(number)
        place.mkdir()
        try:
            door(homes["north"], bytes.fromhex(text), core, place)
            came_in.append(name)
        except DetenteError:
            pass
    assert came_in == []


# a good root cannot be put into a card without its signature
@pytest.mark.parametrize("door", DOORS[1:], ids=lambda one: one.__name__)
def test_good_key_enters_by_the_same_door(
    door: Callable[[Home, bytes, Any, Path], None],
    homes: dict[str, Home],
    core: Any,
    tmp_path: Path,
) -> None:
    """K-KEY-2: the same documents with a good key are taken, so it is the point that they are refused for."""
    door(homes["north"], GOOD.public.ed25519, core, tmp_path)


def test_vectors_of_wycheproof_have_no_key_that_is_refused() -> None:
    """K-KEY-2: the rule costs nobody a good key: every key of the published vectors may be enrolled."""
    path = Path(__file__).parents[4] / "shared" / "vectors" / "wycheproof" / "ed25519_test.json"
    if not path.is_file():
        pytest.skip("the vectors of Wycheproof are not here")
    groups = json.loads(path.read_text())["testGroups"]
    points = {bytes.fromhex(one["publicKey"]["pk"]) for one in groups}
    assert len(points) > 10
    for point in sorted(points):
        parse_public_keys(pair(point))
