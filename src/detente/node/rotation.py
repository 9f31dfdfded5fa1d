"""Rotation: new keys beside those in use, told to all, used from an effective time on.

keys/next/USE.seed   made by `detente keys rotate`, with USE.json: its certificate and from when it is used
keys/old/            sealing keys that others may still have sealed to, one file each

What a key signed before it was replaced goes on counting until its certificate ends; what was sealed to a key
opens as long as its seed is in keys/old. docs/spec/signing.md, section 6, is the normative text.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509 import load_der_x509_certificate

from detente.agreement.card import USES, Use, issue_card, issue_certificate
from detente.errors import UsageError, shown
from detente.limits import CLOCK_SKEW_FLAG_S
from detente.node import tls
from detente.node.clock import real_us
from detente.node.home import KEY_DAYS, Home, read_json, transport_key_id, write_json
from detente.protocol.core import Core
from detente.signing.base64 import decode_base64url, encode_base64url
from detente.signing.key import SigningKeys
from detente.signing.sealing import SealingKeys
from detente.units import US_PER_S, format_time, parse_time

if TYPE_CHECKING:
    from detente.agreement.document import Json

SEED_BYTES = {"signing": 64, "sealing": 96, "transport": 32}


def check_use(use: str) -> Use:
    """Raise unless a key has this use.

    Raises:
        UsageError: ``use-unknown``.
    """
    for known in USES:
        if use == known:
            return known
    raise UsageError(
        "use-unknown", f"use is {shown(use)}; it must be one of {', '.join(USES)}", field="use"
    )


def waiting(home: Home, use: str) -> Json | None:
    """The key that waits to be used: its id, certificate and time; None where none does."""
    path = home.path / "keys" / "next" / f"{use}.json"
    return dict(read_json(path, field="keys")) if path.is_file() else None


def prepare(home: Home, use: Use, serial: int, from_us: int) -> Json:
    """Make and certify the next key of a use; the node uses it from `from_us` on.

    Args:
        serial: above those of the keys before it.

    Returns:
        The certificate, which all peers must be told.

    Raises:
        UsageError: ``rotation-waiting``: one was made before that is not in use yet.
    """
    folder = home.path / "keys" / "next"
    if waiting(home, use) is not None:
        raise UsageError(
            "rotation-waiting",
            f"a {use} key waits to be used; there must be one at a time",
            hint="see: detente keys list DIR",
        )
    root = home.root_signer()
    folder.mkdir(mode=0o700, exist_ok=True)
    seed = os.urandom(SEED_BYTES[use])
    key_id, key = _public(use, seed)
    certificate = issue_certificate(
        root,
        party=home.config.party,
        use=use,
        key_id=key_id,
        key=key,
        serial=serial,
        # a peer whose clock is behind must not find it too early
        valid_from_us=from_us - CLOCK_SKEW_FLAG_S * US_PER_S,
        valid_until_us=from_us + KEY_DAYS * 86_400 * US_PER_S,
    )
    _write(folder / f"{use}.seed", seed)
    if use == "transport":
        _write_leaf(home, folder / "tls.pem", seed)
    write_json(
        folder / f"{use}.json",
        {"certificate": certificate, "from": format_time(from_us), "key": key_id},
    )
    return certificate


def forget(home: Home, use: str) -> None:
    """Take back what `prepare` made: nobody was told."""
    for name in (f"{use}.json", f"{use}.seed", *(("tls.pem",) if use == "transport" else ())):
        (home.path / "keys" / "next" / name).unlink(missing_ok=True)


def renew_card(home: Home, certificate: Json | None = None, address: str | None = None) -> Json:
    """The card with one more certificate, or at another address; the newest two of each use stay on it."""
    card = home.card()
    kept = [one.signed for one in card.certificates] + ([certificate] if certificate else [])
    kept.sort(key=lambda one: -int(one["document"]["serial"]))
    of_use: dict[str, list[Json]] = {}
    for one in kept:
        of_use.setdefault(one["document"]["use"], []).append(one)
    renewed = issue_card(
        home.root_signer(),
        party=card.party,
        name=card.name,
        role=card.role,
        address=card.address if address is None else address,
        tls_ca=card.tls_ca,
        certificates=[one for use in USES for one in of_use.get(use, [])[:2]],
        issued_us=real_us(),
    )
    write_json(home.path / "card.json", renewed)
    return renewed


def take_next(home: Home, core: Core, now_us: int) -> list[tuple[str, str]]:
    """Put keys in place whose time has come and whose certificate is on record here, or waits to be told.

    Each file is replaced whole; a crash between two leaves the rest for the next look.

    Returns:
        Use and key id of each.
    """
    folder = home.path / "keys" / "next"
    if not folder.is_dir():
        return []
    taken = []
    for use in USES:
        found = waiting(home, use)
        if found is None or parse_time(found["from"]) > now_us or not _told(core, found):
            continue
        keys = home.path / "keys"
        if use == "sealing":
            old = keys / "old"
            old.mkdir(mode=0o700, exist_ok=True)
            now = home.seed("sealing")
            name = f"sealing-{SealingKeys.from_seed(now).public.key_id}.seed"
            _write(old / name, now)
        if (folder / f"{use}.seed").is_file():
            (folder / f"{use}.seed").replace(keys / f"{use}.seed")
        if use == "transport" and (folder / "tls.pem").is_file():
            (folder / "tls.pem").replace(home.tls_chain)
        (folder / f"{use}.json").unlink()
        taken.append((str(use), str(found["key"])))
    return taken


def _told(core: Core, found: Json) -> bool:
    if found["key"] in core.state.keys.certificates.get(core.identity.party, {}):
        return True
    return any(
        intent.type == "policy/key-certificate"
        and intent.openings["certificate"][1]["document"]["key_id"] == found["key"]
        for intent in core.intents.values()
    )


def _public(use: Use, seed: bytes) -> tuple[str, dict[str, Any]]:
    if use == "signing":
        signing = SigningKeys.from_seed(seed).public
        return signing.key_id, dict(signing.to_json())
    if use == "sealing":
        sealing = SealingKeys.from_seed(seed).public
        return sealing.key_id, dict(sealing.to_json())
    transport = Ed25519PrivateKey.from_private_bytes(seed)
    public = transport.public_key().public_bytes_raw()
    return transport_key_id(transport), {"ed25519": encode_base64url(public)}


def _write_leaf(home: Home, path: Path, seed: bytes) -> None:
    root = Ed25519PrivateKey.from_private_bytes(home.seed("root")[:32])
    authority = load_der_x509_certificate(decode_base64url(home.card().tls_ca))
    transport = Ed25519PrivateKey.from_private_bytes(seed)
    leaf = tls.make_leaf(root, authority, transport, home.config.party, tls.now_utc())
    tls.write_pem(path, leaf, authority, transport)


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
