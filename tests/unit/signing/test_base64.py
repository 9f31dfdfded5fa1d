"""One text for one byte string."""

from __future__ import annotations

import base64 as stdlib
import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.errors import PeerError
from detente.signing.base64 import (
    decode_base64,
    decode_base64url,
    encode_base64,
    encode_base64url,
)


@given(st.binary(max_size=100))
def test_base64_any_bytes_round_trip(data: bytes) -> None:
    """Both spellings decode to the bytes they encode, and agree with the standard library."""
    assert decode_base64(encode_base64(data)) == data
    assert decode_base64url(encode_base64url(data)) == data
    assert encode_base64(data).encode() == stdlib.b64encode(data)
    assert encode_base64url(data).encode() == stdlib.urlsafe_b64encode(data).rstrip(b"=")


@given(st.text(alphabet="ABab01+/-_= \n", max_size=12))
def test_base64_any_text_decodes_only_if_canonical(text: str) -> None:
    """K-B64-1: Whatever decodes re-encodes to the same text: no two texts mean the same bytes."""
    for decode, encode in ((decode_base64, encode_base64), (decode_base64url, encode_base64url)):
        with contextlib.suppress(PeerError):
            assert encode(decode(text)) == text


@pytest.mark.parametrize("before", ["", "-", "A_", "AAAAZ", "Ab-9AA"])
def test_base64url_of_two_last_letters_decodes_exactly_if_it_is_what_would_be_written(
    before: str,
) -> None:
    """K-B64-1: Of all pairs of last letters, at every length, those decode that encoding gives, and no others."""
    letters = [chr(n) for n in range(128)]
    for last in itertools.product(letters, letters):
        text = before + "".join(last)
        try:
            expected = encode_base64url(
                stdlib.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            )
        except ValueError:
            expected = None
        try:
            found = encode_base64url(decode_base64url(text))
        except PeerError:
            found = None
        assert found == (text if expected == text else None)


@pytest.mark.parametrize(
    "text", ["AB", "AB==\n", "A", "AAA=", "+/8", " AAA", "é", "", None, 7, b"AA"]
)
def test_base64url_odd_input_is_refused_or_exact(text: object) -> None:
    """Unused bits, padding, white space, the other alphabet and other types are refused."""
    if text == "":
        assert decode_base64url(text) == b""
        return
    with pytest.raises(PeerError) as caught:
        decode_base64url(text)
    assert caught.value.code == "base64-malformed"


@pytest.mark.parametrize("text", ["AB==", "AA", "AA=", "-_8=", "AAA=\n", None, b"AAAA"])
def test_base64_odd_input_is_refused(text: object) -> None:
    """Unused bits, missing padding, the other alphabet and other types are refused."""
    with pytest.raises(PeerError):
        decode_base64(text)


def test_base64_wrong_length_is_refused() -> None:
    """A text of another number of bytes than wanted is refused."""
    assert decode_base64url("AAAA", length=3) == bytes(3)
    with pytest.raises(PeerError, match="exactly 4 bytes"):
        decode_base64url("AAAA", length=4)
    with pytest.raises(PeerError, match="exactly 4 bytes"):
        decode_base64("AAAA", length=4)
