"""Canonical JSON: one byte form, and nothing else parses."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from detente import limits
from detente.errors import PeerError, UsageError
from detente.limits import JSON_DEPTH
from detente.signing import canonical
from detente.signing.canonical import INTEGER_MOST, encode_canonical, parse_canonical

# Every plane, with the surrogate-adjacent and beyond-BMP characters whose order differs in UTF-16.
texts = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from('\ud7ff\ue000\uffff\U00010000\U0010ffff\u2028\x00\x1f\x7f"\\/'),
    ),
    max_size=8,
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MOST, INTEGER_MOST) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=12,
)


@given(values)
def test_encode_any_value_equals_rfc8785(value: Any) -> None:
    """K-JSON-1: The fast encoder writes what the RFC 8785 library writes, for every value we allow."""
    assert encode_canonical(value) == rfc8785.dumps(value)


@given(values)
def test_parse_encoded_value_round_trips(value: Any) -> None:
    """What was encoded parses to the same value, and to the same bytes again."""
    data = encode_canonical(value)
    assert parse_canonical(data) == value


@given(values, st.data())
def test_parse_changed_byte_never_gives_the_same_value(value: Any, data: st.DataObject) -> None:
    """No changed text passes for the original: it fails, or it means something else."""
    encoded = encode_canonical(value)
    at = data.draw(st.integers(0, len(encoded) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = encoded[:at] + bytes([encoded[at] ^ (1 << bit)]) + encoded[at + 1 :]
    try:
        parsed = parse_canonical(changed)
    except PeerError:
        return
    assert encode_canonical(parsed) == changed != encoded


@given(values)
def test_parse_spaced_text_is_refused(value: Any) -> None:
    """The same value with white space or in another spelling is refused, with its bytes as evidence."""
    data = json.dumps(value).encode() + b" "
    with pytest.raises(PeerError) as caught:
        parse_canonical(data)
    assert caught.value.evidence == data


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a":1,"a":1}', "json-not-canonical"),
        (b'{"b":1,"a":1}', "json-not-canonical"),
        (b'{"\\u0061":1}', "json-not-canonical"),
        (b'"\\/"', "json-not-canonical"),
        (b'"\\u000a"', "json-not-canonical"),
        ('{"\uffff":1,"\U00010000":2}'.encode(), "json-not-canonical"),
        (b"-0", "json-not-canonical"),
        (b"1.0", "json-number"),
        (b"1e3", "json-number"),
        (b"9007199254740992", "json-number"),
        (b"1" + b"0" * 400, "json-number"),
        (b"NaN", "json-malformed"),
        (b"", "json-malformed"),
        (b"{", "json-malformed"),
        (b'"\xff"', "json-malformed"),
        (b'"\\ud800"', "json-malformed"),
        (b"\xef\xbb\xbf1", "json-malformed"),
        (b"[" * 33 + b"]" * 33, "json-depth"),
        (b"[" * 100_000 + b"]" * 100_000, "json-depth"),
    ],
)
def test_parse_uncanonical_text_is_refused(data: bytes, code: str) -> None:
    """K-JSON-2: Duplicate keys, other orders and escapes, floats, big numbers, bad Unicode and depth are refused."""
    with pytest.raises(PeerError) as caught:
        parse_canonical(data)
    assert caught.value.code == code
    assert caught.value.evidence == data


def test_parse_large_text_is_refused_unread() -> None:
    """K-JSON-3: A text above the limit is refused before it is parsed, and kept only as a sample."""
    with pytest.raises(PeerError) as caught:
        parse_canonical(b"x" * 100_000, most_bytes=99_999)
    assert caught.value.code == "json-too-large"
    assert len(caught.value.evidence) == limits.EVIDENCE_SAMPLE_BYTES


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.0, "json-number"),
        ([float("nan")], "json-number"),
        (2**53, "json-number"),
        ([-(2**53)], "json-number"),
        ("\ud800", "json-text"),
        ({"\udfff": 1}, "json-text"),
        ({1: 2}, "json-type"),
        (b"bytes", "json-type"),
        ([{1, 2}], "json-type"),
        (msgspec.UNSET, "json-type"),
    ],
)
def test_encode_unwritable_value_is_refused(value: object, code: str) -> None:
    """K-JSON-1: Floats, big integers, lone surrogates and foreign types are our own fault, and named."""
    with pytest.raises(UsageError) as caught:
        encode_canonical(value)
    assert caught.value.code == code


def test_encode_deep_value_is_refused_at_the_limit() -> None:
    """K-JSON-3: Exactly `JSON_DEPTH` levels are written and parsed; one more is refused."""
    value: Any = 1
    for _ in range(limits.JSON_DEPTH):
        value = [value]
    assert parse_canonical(encode_canonical(value)) == value
    with pytest.raises(UsageError) as caught:
        encode_canonical([value])
    assert caught.value.code == "json-depth"


def test_encode_tuple_is_written_as_a_list() -> None:
    """A tuple is a JSON array."""
    assert encode_canonical((1, ("a",))) == b'[1,["a"]]'
    assert encode_canonical(("\U00010000",)) == '["\U00010000"]'.encode()


def test_encode_rfc8785_example_sorts_by_utf16() -> None:
    """The sorting example of RFC 8785, section 3.2.3, comes out in its order."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    encoded = encode_canonical(dict.fromkeys(keys, 0))
    order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(encoded)) == order


def test_encode_every_bmp_character_equals_rfc8785() -> None:
    """K-JSON-1: Each character the fast encoder ever sees, as value and as key, is written as RFC 8785 says."""
    every = [chr(code) for code in range(0x10000) if not 0xD800 <= code <= 0xDFFF]
    value = {"all": "".join(every), **dict.fromkeys(every)}
    assert encode_canonical(value) == rfc8785.dumps(value)


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.integers(-(2**54), 2**54),
    st.sampled_from([2**53 - 1, -(2**53) + 1, 2**53, -(2**53), 1.5, b"x"]),
)


@given(
    st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(st.one_of(st.text(max_size=2), st.integers(0, 1)), inner, max_size=3),
        ),
        max_leaves=12,
    ),
    st.sampled_from([0, JSON_DEPTH - 3, JSON_DEPTH - 2, JSON_DEPTH - 1, JSON_DEPTH]),
)
def test_plain_is_what_the_check_has_nothing_against(value: object, wraps: int) -> None:
    """The quick look at an object or a list lets through exactly what the check of each value does."""
    for _ in range(wraps):
        value = [value]
    try:
        canonical._check(value, JSON_DEPTH)
    except canonical._Uncanonical:
        passes = False
    else:
        passes = True
    assert canonical._is_plain(value) == (passes and isinstance(value, list | tuple | dict))
