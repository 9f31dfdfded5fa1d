"""TLS 1.3, mutual: certificates made with the root key, contexts that trust only agreed roots.

The server cannot tell the application whose certificate it saw, so this is the outer wall only: every
frame and every statement carries a signature of its own.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from detente.errors import PeerError
from detente.signing.base64 import decode_base64url
from detente.signing.key import PublicKeys

CA_DAYS = 20 * 365  # as long as the root; a lost root means a new agreement
LEAF_DAYS = 2 * 365


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def make_authority(root: Ed25519PrivateKey, party: str, now: datetime) -> x509.Certificate:
    """The X.509 authority of a party, self-signed with its root's Ed25519 key."""
    return (
        x509.CertificateBuilder()
        .subject_name(_name(f"detente root {party}"))
        .issuer_name(_name(f"detente root {party}"))
        .public_key(root.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root.public_key()), critical=False)
        .sign(root, None)
    )


def make_leaf(
    root: Ed25519PrivateKey,
    authority: x509.Certificate,
    transport: Ed25519PrivateKey,
    party: str,
    now: datetime,
) -> x509.Certificate:
    """The node's own certificate, for its transport key, issued by its authority."""
    return (
        x509.CertificateBuilder()
        .subject_name(_name(party))
        .issuer_name(authority.subject)
        .public_key(transport.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=LEAF_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(f"{party}.detente.invalid")]), critical=False
        )
        .add_extension(
            x509.ExtendedKeyUsage(
                [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH, x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(transport.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False
        )
        .sign(root, None)
    )


def check_authority(der_base64url: str, root: PublicKeys, party: str) -> bytes:
    """The DER of a peer's authority, if it was made with the root key the agreement names.

    Raises:
        PeerError: ``authority-wrong``.
    """
    der = decode_base64url(der_base64url)
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        certificate.verify_directly_issued_by(certificate)
        raw = key.public_bytes_raw() if hasattr(key, "public_bytes_raw") else b""
    except Exception as error:  # the library raises many kinds for a hostile certificate
        raise PeerError(
            "authority-wrong", f"TLS authority of {party} cannot be read: {error}", evidence=der
        ) from error
    if raw != root.ed25519:
        raise PeerError(
            "authority-wrong",
            f"TLS authority of {party} is not made with its agreed root key",
            evidence=der,
        )
    return der


def write_pem(path: Path, *parts: x509.Certificate | Ed25519PrivateKey) -> None:
    """Write certificates and keys as PEM, readable by the owner only."""
    data = b"".join(
        part.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        if isinstance(part, Ed25519PrivateKey)
        else part.public_bytes(Encoding.PEM)
        for part in parts
    )
    path.touch(mode=0o600)
    path.write_bytes(data)


def client_context(chain: Path, authority_der: bytes) -> ssl.SSLContext:
    """A context that speaks TLS 1.3 only, shows our certificate and trusts one party's root only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # the host name says nothing here: nodes move, and the issuer is the one party we mean to reach
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority_der)
    context.load_cert_chain(chain)
    return context


def server_context(chain: Path, authorities: list[bytes]) -> ssl.SSLContext:
    """A context that speaks TLS 1.3 only and demands a certificate under an agreed root."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(chain)
    for der in authorities:
        context.load_verify_locations(cadata=der)
    return context


def now_utc() -> datetime:
    """The machine's time, for certificates: TLS libraries know no scenario clock."""
    return datetime.now(UTC)
