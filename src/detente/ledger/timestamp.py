"""Time stamps (RFC 3161): a third party's signed word that a head of a log existed by a time.

A cosigner is a member of the agreement or named by it. An authority of time stamps is neither: it sees 64
bytes and no log, sells its clock to everybody, and is audited for it. So a stamp gives a late end, never an
early one (B-INT-6). Nothing here does I/O; `detente.node.anchoring` asks the authority.

The library is loaded when there is a token to read: it is 7 MB, and most bundles have none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from detente.errors import PeerError, UsageError, shown
from detente.ledger.checkpoint import parse_checkpoint
from detente.ledger.note import Note, parse_note
from detente.limits import STAMP_BYTES

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

Read = TypeVar("Read")

QUERY_TYPE = "application/timestamp-query"
REPLY_TYPE = "application/timestamp-reply"
NAME_CHARS = 64
AUTHORITY = "tsa:"  # no party id has a colon, so no authority can be named like a party

_SHA512 = "2.16.840.1.101.3.4.2.3"
_GRANTED = bytes.fromhex("3003020100")  # PKIStatusInfo with status 0 and nothing else
_PROBLEM = re.compile(r'Verify error: ([^"\\]+)')
_REASON = re.compile(r'reason: "([^"\\]+)')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Stamp(msgspec.Struct, frozen=True):
    """What a token says; nothing of it is verified.

    Attributes:
        token: the TimeStampToken, DER.
        imprint: SHA-512 of what was stamped.
        time_s: the authority's clock and its accuracy added: by then it existed. Seconds since the epoch, cut off.
        authority: `tsa:` and the common name in the signer's certificate, as far as it can be printed.
        policy: under which it was stamped, an object identifier.
        nonce: as in the request.
    """

    token: bytes
    imprint: bytes
    time_s: int
    authority: str
    policy: str
    nonce: int | None


def stamped_bytes(note: str) -> bytes:
    """What of a checkpoint is stamped: its text and the log's two lines, whoever cosigned it since.

    Raises:
        PeerError: `note-malformed`, `checkpoint-malformed`, or `stamp-log-lines`: its first two lines are not by the log.
    """
    parsed = parse_note(note)
    origin = parse_checkpoint(parsed).origin
    own = parsed.signatures[:2]
    if [one.name for one in own] != [origin, origin]:
        raise PeerError(
            "stamp-log-lines",
            f"checkpoint of {shown(origin)} begins with other lines; the first two must be those of its log",
            evidence=note.encode(),
        )
    return Note(parsed.text, own).format().encode()


def stamp_imprint(note: str) -> bytes:
    """SHA-512 of what of a checkpoint is stamped."""
    return hashlib.sha512(stamped_bytes(note)).digest()


def make_query(note: str) -> tuple[bytes, int]:
    """A request for a checkpoint, and its nonce (L-TSA-1)."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    asked = TimestampRequestBuilder(stamped_bytes(note), HashAlgorithm.SHA512).build()
    assert asked.nonce is not None, "the library puts a random nonce into each request"
    return asked.as_bytes(), asked.nonce


def take_reply(
    reply: bytes,
    note: str,
    nonce: int,
    *,
    policy: str | None = None,
    roots: Sequence[Certificate] = (),
) -> Stamp:
    """The stamp in an authority's answer, if it is one for this checkpoint and this request (L-TSA-1).

    Args:
        policy: the one wanted; None for any.
        roots: certificates that its signature must lead to; without any the signature is not verified.

    Raises:
        PeerError: `stamp-too-large`, `stamp-malformed`, `stamp-refused`, `stamp-imprint`, `stamp-nonce`,
            `stamp-policy` or `stamp-invalid`.
    """
    _check_size(reply)
    response = _read(reply, lambda: _decode(reply))
    status = _read(reply, lambda: (int(response.status), " ".join(response.status_string)))
    if status[0] != 0:
        raise PeerError(
            "stamp-refused",
            f"answer of the authority of time stamps has status {status[0]} ({shown(status[1])}); it must be 0, granted",
            evidence=reply,
        )
    stamp = parse_stamp(_read(reply, response.time_stamp_token))
    check_imprint(stamp, note)
    if stamp.nonce != nonce:
        raise PeerError(
            "stamp-nonce",
            "time stamp has another nonce than the request; it must be the same, or it may be an old one",
            evidence=reply,
        )
    if policy is not None and stamp.policy != policy:
        raise PeerError(
            "stamp-policy",
            f"time stamp is under policy {shown(stamp.policy)}; it must be {policy}",
            evidence=reply,
        )
    if roots:
        verify_stamp(stamp, roots)
    return stamp


def parse_stamp(token: bytes) -> Stamp:
    """What a token says.

    Raises:
        PeerError: `stamp-too-large` or `stamp-malformed`.
    """
    _check_size(token)

    def read() -> Stamp:
        response = _response(token)
        info = response.tst_info
        if bytes(response.time_stamp_token()) != token:
            raise ValueError("it must be the only encoding of itself")
        if str(info.message_imprint.hash_algorithm.dotted_string) != _SHA512:
            raise ValueError("its imprint must be by SHA-512")
        accuracy = info.accuracy
        parts = (accuracy.seconds, accuracy.millis, accuracy.micros) if accuracy else (0, 0, 0)
        slack_s = sum(
            max(0, part or 0) / per for part, per in zip(parts, (1, 1e3, 1e6), strict=True)
        )
        time_s = int((info.gen_time.astimezone(UTC) - _EPOCH).total_seconds() + slack_s)
        return Stamp(
            token=token,
            imprint=bytes(info.message_imprint.message),
            time_s=time_s,
            authority=AUTHORITY + _name(response),
            policy=str(info.policy.dotted_string),
            nonce=info.nonce,
        )

    return _read(token, read)


def check_imprint(stamp: Stamp, note: str) -> None:
    """Raise `PeerError` (`stamp-imprint`) unless a stamp is for this checkpoint."""
    if stamp.imprint != stamp_imprint(note):
        raise PeerError(
            "stamp-imprint",
            "time stamp is for other bytes; its imprint must be SHA-512 of the checkpoint's text and the log's two lines",
            evidence=stamp.token,
        )


def verify_stamp(stamp: Stamp, roots: Sequence[Certificate]) -> None:
    """Raise unless an authority under one of these certificates signed a stamp (L-TSA-2).

    Args:
        roots: what the reader trusts for time stamps, and certificates between.

    Raises:
        PeerError: `stamp-invalid`.
    """
    from rfc3161_client import VerifierBuilder

    verifier = VerifierBuilder(roots=list(roots)).build()
    try:
        # the library raises whatever is in the way, also errors of its parser
        verifier.verify(_response(stamp.token), stamp.imprint)
    except Exception as error:
        raise PeerError(
            "stamp-invalid",
            f"time stamp by {stamp.authority} does not verify ({_why(error)}); "
            "it must be signed by an authority of time stamps under the certificate given",
            evidence=stamp.token,
        ) from None


def parse_roots(pem: bytes, *, field: str) -> list[Certificate]:
    """The certificates of a PEM file.

    Raises:
        UsageError: `certificate-malformed`.
    """
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(pem)
    except ValueError:
        raise UsageError(
            "certificate-malformed",
            f"{field} is no certificate; it must be a PEM file with the root certificate of the authority",
            field=field,
        ) from None


def _check_size(data: bytes) -> None:
    if len(data) > STAMP_BYTES:
        raise PeerError(
            "stamp-too-large",
            f"time stamp is {len(data)} bytes; it must be at most {STAMP_BYTES}",
        )


def _decode(reply: bytes) -> Any:
    from rfc3161_client import decode_timestamp_response

    return decode_timestamp_response(reply)


def _response(token: bytes) -> Any:
    """A token as the library wants it: in an answer that grants it."""
    body = _GRANTED + token
    size = len(body)
    length = bytes([size]) if size < 128 else _long(size)
    return _decode(b"\x30" + length + body)


def _long(size: int) -> bytes:
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def _name(response: Any) -> str:
    """The common name of whoever signed, or its whole name."""
    from cryptography.x509 import load_der_x509_certificate
    from cryptography.x509.oid import NameOID

    signers = list(response.signed_data.signer_infos)
    if len(signers) != 1:
        raise ValueError("it must have one signer")
    for der in sorted(response.signed_data.certificates):
        found = load_der_x509_certificate(der)
        if found.issuer == signers[0].issuer and found.serial_number == signers[0].serial_number:
            common = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            name = str(common[0].value) if common else found.subject.rfc4514_string()
            printed = "".join(c if c.isprintable() else "?" for c in name)
            return printed[:NAME_CHARS] or "?"
    raise ValueError("it must have its signer's certificate")


def _why(error: BaseException) -> str:
    """The library's reason without its own file names and lines."""
    found = _PROBLEM.search(str(error)) or _REASON.search(str(error))
    return found[1] if found else shown(str(error))


def _read(data: bytes, act: Callable[[], Read]) -> Read:
    try:
        return act()
    except PeerError:
        raise
    except Exception as error:  # the library's parser has errors of many kinds
        raise PeerError(
            "stamp-malformed",
            f"time stamp is malformed ({shown(str(error))}); it must be as in RFC 3161, in DER",
            evidence=data,
        ) from None
