"""Time stamps: what is stamped, and which answers and tokens are none."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detente.errors import PeerError, UsageError
from detente.ledger.checkpoint import Checkpoint, sign_checkpoint
from detente.ledger.cosignature import add_cosignature, cosign
from detente.ledger.note import parse_note
from detente.ledger.timestamp import (
    Stamp,
    make_query,
    parse_roots,
    parse_stamp,
    stamped_bytes,
    take_reply,
    verify_stamp,
)
from detente.limits import STAMP_BYTES
from detente.signing.key import SigningKeys
from tsa import NEEDS_OPENSSL, Authority

LOG, OTHER = (SigningKeys.from_seed(bytes([n]) * 64) for n in (1, 2))
ORIGIN = "detente/north/log/1"


@functools.cache  # ML-DSA signatures are drawn
def note(size: int = 5) -> str:
    """A checkpoint of north's."""
    return sign_checkpoint(LOG, ORIGIN, size, b"r" * 32, 1_790_000_000)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One for all tests here."""
    return Authority(tmp_path_factory.mktemp("tsa"))


def stamped(authority: Authority, text: str | None = None) -> Stamp:
    """A stamp of a checkpoint, verified."""
    text = note() if text is None else text
    query, nonce = make_query(text)
    roots = parse_roots(authority.certificate.read_bytes(), field="x")
    return take_reply(authority.stamp(query), text, nonce, policy="1.2.3.4.1", roots=roots)


def test_stamped_bytes_are_the_text_and_the_log_s_two_lines_whoever_cosigned_since() -> None:
    """L-TSA-1: what is stamped is the same before and after a cosignature, and holds both signatures of the log."""
    text = note()
    more = add_cosignature(
        text, cosign(OTHER, "detente/south", Checkpoint(ORIGIN, 5, b"r" * 32), 1_790_000_009)
    )
    assert more != text
    assert stamped_bytes(more) == stamped_bytes(text) == text.encode()
    lines = text.splitlines()
    assert lines[:2] == [ORIGIN, "5"]
    assert len(lines) == 6
    assert all(one.startswith(f"— {ORIGIN} ") for one in lines[4:])


def test_stamped_bytes_of_a_note_that_begins_with_another_s_lines_are_refused() -> None:
    """A note whose first two lines are not the log's has no bytes to stamp."""
    text = cosign(OTHER, "detente/south", Checkpoint(ORIGIN, 5, b"r" * 32), 9)
    own = parse_note(note()).text
    with pytest.raises(PeerError) as caught:
        stamped_bytes(f"{own}\n{text}")
    assert caught.value.code == "stamp-log-lines"


@NEEDS_OPENSSL
def test_stamp_of_an_authority_verifies_and_says_when_by_whom(authority: Authority) -> None:
    """L-TSA-1, L-TSA-2: an answer of `openssl ts` verifies under its root; its time is genTime and the accuracy."""
    found = stamped(authority)
    assert found.authority == "tsa:Exercise TSA"
    assert found.imprint == hashlib.sha512(note().encode()).digest()
    assert found.policy == "1.2.3.4.1"
    assert parse_stamp(found.token) == found
    (authority.root / "token").write_bytes(found.token)
    (authority.root / "data").write_bytes(stamped_bytes(note()))
    authority._openssl(  # others verify the same token over the same bytes
        "ts", "-verify", "-data", "data", "-in", "token", "-token_in", "-CAfile", "ca.pem"
    )  # fmt: skip


WRONG: dict[str, Callable[[Authority, bytes, int], tuple[bytes, str, int, str | None]]] = {
    "stamp-imprint": lambda tsa, query, nonce: (tsa.stamp(query), note(6), nonce, None),
    "stamp-nonce": lambda tsa, query, nonce: (tsa.stamp(query), note(), nonce + 1, None),
    "stamp-policy": lambda tsa, query, nonce: (tsa.stamp(query), note(), nonce, "1.2.3.4.5"),
    "stamp-too-large": lambda _t, _q, n: (b"0" * (STAMP_BYTES + 1), note(), n, None),
    "stamp-malformed": lambda _t, _q, n: (b"<html>busy</html>", note(), n, None),
    "stamp-refused": lambda tsa, query, n: (tsa.stamp(query[:-1]), note(), n, None),
}


@NEEDS_OPENSSL
@pytest.mark.parametrize("code", WRONG)
def test_answer_that_is_no_stamp_of_what_was_asked_is_refused_by_name(
    authority: Authority, code: str
) -> None:
    """L-TSA-1: an answer for another head, of another request or policy, too large, no stamp at all, or a refusal is named as that."""
    query, nonce = make_query(note())
    reply, text, nonce, policy = WRONG[code](authority, query, nonce)
    with pytest.raises(PeerError) as caught:
        take_reply(reply, text, nonce, policy=policy)
    assert caught.value.code == code
    assert "must be" in str(caught.value) or "it must" in str(caught.value)


@NEEDS_OPENSSL
def test_stamp_by_sha256_is_refused(authority: Authority) -> None:
    """L-TSA-1: an imprint by another algorithm is refused, although it is of the same bytes."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    asked = TimestampRequestBuilder(stamped_bytes(note()), HashAlgorithm.SHA256).build()
    assert asked.nonce is not None
    with pytest.raises(PeerError) as caught:
        take_reply(authority.stamp(asked.as_bytes()), note(), asked.nonce)
    assert caught.value.code == "stamp-malformed"
    assert "SHA-512" in str(caught.value)


@NEEDS_OPENSSL
def test_stamp_under_another_root_does_not_verify(authority: Authority, tmp_path: Path) -> None:
    """L-TSA-2: a stamp counts under the certificate of its own authority and no other."""
    other = parse_roots(Authority(tmp_path / "other").certificate.read_bytes(), field="x")
    with pytest.raises(PeerError) as caught:
        verify_stamp(stamped(authority), other)
    assert caught.value.code == "stamp-invalid"
    assert "unable to get local issuer certificate" in str(caught.value)


@NEEDS_OPENSSL
@pytest.mark.parametrize("usage", ["critical,serverAuth", "critical,emailProtection"])
def test_stamp_by_a_certificate_that_is_not_for_time_stamps_does_not_verify(
    authority: Authority, usage: str
) -> None:
    """L-TSA-2: any server under the root could stamp, were the extended key usage not looked at."""
    # openssl itself answers under no such certificate: it is put in afterwards, with the same key, name and serial
    wrong = stamped(authority).token.replace(authority.issued(), authority.issued(usage))
    roots = parse_roots(authority.certificate.read_bytes(), field="x")
    with pytest.raises(PeerError) as caught:
        verify_stamp(parse_stamp(wrong), roots)
    assert caught.value.code == "stamp-invalid"
    assert "(unsuitable certificate purpose)" in str(caught.value)


@NEEDS_OPENSSL
@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_stamp_with_bits_turned_is_refused_or_says_the_same(
    authority: Authority, data: st.DataObject
) -> None:
    """Whatever is turned in a token, it is refused, or what it says and covers is as before."""
    good = stamped_once(authority)
    spoiled = bytearray(good.token)
    for _ in range(data.draw(st.integers(1, 3))):
        spoiled[data.draw(st.integers(0, len(spoiled) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    roots = parse_roots(authority.certificate.read_bytes(), field="x")
    try:
        found = parse_stamp(bytes(spoiled))
        verify_stamp(found, roots)
    except PeerError:
        return
    assert (found.imprint, found.time_s, found.authority) == (
        good.imprint,
        good.time_s,
        good.authority,
    )


_ONCE: list[Stamp] = []


def stamped_once(authority: Authority) -> Stamp:
    """One stamp for all examples."""
    if not _ONCE:
        _ONCE.append(stamped(authority))
    return _ONCE[0]


def test_roots_that_are_no_certificates_are_refused() -> None:
    """A file that holds no certificate is named with its field."""
    with pytest.raises(UsageError) as caught:
        parse_roots(b"hello", field="--tsa")
    assert (caught.value.code, caught.value.field) == ("certificate-malformed", "--tsa")
