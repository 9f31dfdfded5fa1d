"""TLS: certificates under the agreed roots, and contexts that take no others."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from detente.errors import PeerError
from detente.node import tls
from detente.node.home import is_loopback
from detente.signing.base64 import encode_base64url
from detente.signing.key import PublicKeys


class Side:
    """One side's root, authority and certificate."""

    def __init__(self, party: str, folder: Path) -> None:
        self.root, transport = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        now = datetime.now(UTC)
        self.party = party
        self.authority = tls.make_authority(self.root, party, now)
        self.chain = folder / f"{party}.pem"
        leaf = tls.make_leaf(self.root, self.authority, transport, party, now)
        tls.write_pem(self.chain, leaf, self.authority, transport)
        self.der = self.authority.public_bytes(Encoding.DER)
        self.public = PublicKeys(self.root.public_key().public_bytes_raw(), b"")


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Side, Side, Side]:
    """North, south and a stranger."""
    north, south, stranger = (Side(name, tmp_path) for name in ("north", "south", "stranger"))
    return north, south, stranger


def shake(server: ssl.SSLContext, client: ssl.SSLContext) -> Any:
    """A handshake in memory; returns the version both agreed on."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = server.wrap_bio(to_server, to_client, server_side=True)
    other = client.wrap_bio(to_client, to_server, server_hostname="north")
    waiting = [other, one]
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                pass
        if not waiting:
            # a refused client certificate shows with the first read in TLS 1.3
            one.write(b"x")
            assert other.read(1) == b"x"
            return one.version()
    raise AssertionError("no handshake")


def test_two_agreed_sides_speak_tls_1_3(sides: tuple[Side, Side, Side]) -> None:
    """Certificates under the roots each side agreed to are taken, with TLS 1.3."""
    north, south, _ = sides
    server = tls.server_context(north.chain, [south.der])
    assert shake(server, tls.client_context(south.chain, north.der)) == "TLSv1.3"


def test_stranger_is_refused_by_both_sides(sides: tuple[Side, Side, Side]) -> None:
    """Neither a client nor a server under another root gets through."""
    north, south, stranger = sides
    server = tls.server_context(north.chain, [south.der])
    with pytest.raises(ssl.SSLError):
        shake(server, tls.client_context(stranger.chain, north.der))
    with pytest.raises(ssl.SSLError):
        shake(server, tls.client_context(south.chain, stranger.der))


def test_client_without_certificate_is_refused(sides: tuple[Side, Side, Side]) -> None:
    """A client must show a certificate."""
    north, south, _ = sides
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname = False
    bare.load_verify_locations(cadata=north.der)
    with pytest.raises(ssl.SSLError):
        shake(tls.server_context(north.chain, [south.der]), bare)


@pytest.mark.parametrize("side", ["server", "client"])
def test_older_tls_is_refused(sides: tuple[Side, Side, Side], side: str) -> None:
    """TLS 1.2 is not spoken by either side."""
    north, south, _ = sides
    server = tls.server_context(north.chain, [south.der])
    client = tls.client_context(south.chain, north.der)
    old = server if side == "client" else client
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        shake(server, client)


def test_authority_must_be_made_with_the_agreed_root(sides: tuple[Side, Side, Side]) -> None:
    """A card whose TLS authority is not of its root key, or is rubbish, is refused with its bytes."""
    north, _, stranger = sides
    assert tls.check_authority(encode_base64url(north.der), north.public, "north") == north.der
    for der in (stranger.der, b"rubbish", b"", north.der[:-1], north.der + b"x"):
        with pytest.raises(PeerError) as caught:
            tls.check_authority(encode_base64url(der), north.public, "north")
        assert caught.value.code == "authority-wrong"


def test_leaf_cannot_issue_certificates(sides: tuple[Side, Side, Side], tmp_path: Path) -> None:
    """A node's certificate, or what it issues, does not serve as an authority."""
    north, south, _ = sides
    key = Ed25519PrivateKey.generate()
    now = datetime.now(UTC)
    fake = tls.make_leaf(
        key, south.authority, key, "south", now
    )  # names south's root, not signed by it
    tls.write_pem(tmp_path / "fake.pem", fake, south.authority, key)
    server = tls.server_context(north.chain, [south.der])
    with pytest.raises(ssl.SSLError):
        shake(server, tls.client_context(tmp_path / "fake.pem", north.der))


def test_pem_is_the_owners_only(sides: tuple[Side, Side, Side]) -> None:
    """The file with the private key is mode 0600 from its first byte."""
    assert sides[0].chain.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_api_does_without_tls_on_loopback_only(host: str, answer: bool) -> None:
    """Only an address that reaches this machine alone is served without TLS."""
    assert is_loopback(host) is answer
