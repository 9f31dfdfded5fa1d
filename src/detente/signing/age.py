"""A file under a passphrase, in the age format: backups that open without this program, too.

The format is C2SP's age, version 1, with one scrypt recipient: an age tool of any make opens what is written here with
the passphrase. docs/spec/signing.md, section 7, states the choices; nothing else of age is read.

Source: C2SP age.md, "The scrypt recipient type", "Header MAC" and "Payload".
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from detente.errors import UsageError
from detente.limits import PASSPHRASE_CHARS, PASSPHRASE_LEAST_CHARS

VERSION = b"age-encryption.org/v1\n"
WORK = 18  # 2^18: 256 MiB and about a second; what the age tools choose
WORK_MOST = 20  # a file that asks for more would only fill this machine's memory
CHUNK = 64 * 1024

_SALT_BYTES, _KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 16, 16, 16, 16
_HEADER_BYTES = 512  # a header of ours has 150
_HEADER = re.compile(
    rb"age-encryption\.org/v1\n-> scrypt ([A-Za-z0-9+/]{22}) ([1-9][0-9]?)\n([A-Za-z0-9+/]{43})\n--- ([A-Za-z0-9+/]{43})\n"
)


def is_age(data: bytes) -> bool:
    """Whether a file begins as an age file does.

    Example:
        >>> is_age(b"age-encryption.org/v1\\n-> scrypt"), is_age(b"detente")
        (True, False)
    """
    return data.startswith(b"age-encryption.org/")


def check_passphrase(text: str) -> str:
    """Raise unless a passphrase is long enough to stand alone against somebody who has the file.

    Raises:
        UsageError: ``passphrase-wrong-length``; the value is not shown.
    """
    if not PASSPHRASE_LEAST_CHARS <= len(text) <= PASSPHRASE_CHARS:
        raise UsageError(
            "passphrase-wrong-length",
            f"passphrase has {len(text)} characters; it must have {PASSPHRASE_LEAST_CHARS} to {PASSPHRASE_CHARS}",
            hint="five or six words drawn by dice are easy to keep and hard to guess",
            field="passphrase",
        )
    return text


class AgeWriter:
    """Encrypts what is written, chunk by chunk.

    Args:
        write: takes the encrypted bytes.
        entropy: draws fresh random bytes.
        work: base-two logarithm of scrypt's work factor.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        passphrase: str,
        entropy: Callable[[int], bytes],
        work: int = WORK,
    ) -> None:
        salt, key, nonce = (entropy(n) for n in (_SALT_BYTES, _KEY_BYTES, _NONCE_BYTES))
        body = ChaCha20Poly1305(_wrap_key(passphrase, salt, work)).encrypt(bytes(12), key, None)
        head = VERSION + b"-> scrypt %s %d\n%s\n---" % (_base64(salt), work, _base64(body))
        write(head + b" " + _base64(_mac(key, head)) + b"\n" + nonce)
        self._write, self._cipher = write, ChaCha20Poly1305(_derive(key, nonce, b"payload"))
        self._held = b""
        self._chunks = 0

    def write(self, data: bytes) -> int:
        """Take more plaintext; the last chunk is held back until it is known whether it is the last."""
        self._held += data
        while len(self._held) > CHUNK:
            self._put(self._held[:CHUNK], last=False)
            self._held = self._held[CHUNK:]
        return len(data)

    def close(self) -> None:
        """Write the last chunk; without it the file does not open."""
        self._put(self._held, last=True)
        self._held = b""

    def _put(self, chunk: bytes, *, last: bool) -> None:
        self._write(self._cipher.encrypt(_nonce(self._chunks, last=last), chunk, None))
        self._chunks += 1


def open_age(data: bytes, passphrase: str) -> Iterator[bytes]:
    """The plaintext of an age file, chunk by chunk; the file is sound only when the last one has come.

    Raises:
        UsageError: ``passphrase-wrong``, ``backup-malformed``.
    """
    match = _HEADER.match(data[:_HEADER_BYTES])
    if match is None:
        raise _malformed("its header is not that of one passphrase")
    salt, work = _bytes(match[1], _SALT_BYTES), int(match[2])
    if work > WORK_MOST:
        raise _malformed(f"its work factor is 2^{work}; it must be at most 2^{WORK_MOST}")
    try:
        key = ChaCha20Poly1305(_wrap_key(passphrase, salt, work)).decrypt(
            bytes(12), _bytes(match[3], _KEY_BYTES + _TAG_BYTES), None
        )
    except InvalidTag:
        raise UsageError(
            "passphrase-wrong",
            "the passphrase does not open this file; it must be the one that it was written with",
            field="passphrase",
        ) from None
    head = match[0][: match[0].rindex(b" ")]
    if not hmac.compare_digest(_mac(key, head), _bytes(match[4], 32)):
        raise _malformed("its header was changed")
    yield from _chunks(data[match.end() :], key)


def _chunks(payload: bytes, key: bytes) -> Iterable[bytes]:
    nonce, sealed = payload[:_NONCE_BYTES], payload[_NONCE_BYTES:]
    cipher = ChaCha20Poly1305(_derive(key, nonce, b"payload"))
    size = CHUNK + _TAG_BYTES
    count = max(1, -(-len(sealed) // size))
    for number in range(count):
        last = number == count - 1
        try:
            chunk = cipher.decrypt(
                _nonce(number, last=last), sealed[number * size : (number + 1) * size], None
            )
        except (InvalidTag, ValueError):
            raise _malformed(f"it is cut off or changed after {number * CHUNK} bytes") from None
        if last and number and not chunk:
            raise _malformed("its last chunk is empty")
        yield chunk


def _wrap_key(passphrase: str, salt: bytes, work: int) -> bytes:
    salted = b"age-encryption.org/v1/scrypt" + salt
    return Scrypt(salt=salted, length=32, n=2**work, r=8, p=1).derive(passphrase.encode())


def _derive(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)


def _mac(key: bytes, head: bytes) -> bytes:
    return hmac.digest(_derive(key, b"", b"header"), head, "sha256")


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _base64(data: bytes) -> bytes:
    return b64encode(data).rstrip(b"=")


def _bytes(text: bytes, length: int) -> bytes:
    try:
        data = b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        data = b""
    if len(data) != length or _base64(data) != text:
        raise _malformed("its header is not canonical")
    return data


def _malformed(why: str) -> UsageError:
    return UsageError(
        "backup-malformed",
        f"the encrypted file cannot be read: {why}",
        hint="copy it again from where it was kept",
        field="FILE",
    )
