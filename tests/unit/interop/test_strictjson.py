"""Strict JSON: one reading of the bytes, or an error."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.errors import UsageError
from detente.interop.strictjson import parse_json


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json-empty"),
        (b" \n", "json-empty"),
        (b'{"a": 1, "a": 2}', "json-duplicate-key"),
        (b'{"a": {"b": 1, "b": 1}}', "json-duplicate-key"),
        (b'{"a": NaN}', "number-not-finite"),
        (b'{"a": -Infinity}', "number-not-finite"),
        (b'{"a": "\xff"}', "json-not-utf8"),
        (b"\xef\xbb\xbf{}", "json-malformed"),
        (b"{", "json-malformed"),
        (b"[1,]", "json-malformed"),
        (b"[1] 2", "json-malformed"),
        (b"[01]", "json-malformed"),
        (b"[" * 33 + b"]" * 33, "json-too-deep"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "json-too-deep"),
        (b"[" * 1_000_000, "json-too-deep"),
        (b"[" + b"9" * 61 + b"]", "number-too-long"),
        (b"[0." + b"9" * 61 + b"]", "number-too-long"),
        (b'"' + b"x" * 9_000_000 + b'"', "json-too-large"),
    ],
)
def test_json_that_has_two_readings_or_none_is_refused(data, code):
    """Duplicate keys, NaN, depth, size, encoding and syntax each have their own error."""
    with pytest.raises(UsageError) as error:
        parse_json(data)
    assert error.value.code == code


def test_json_brackets_in_text_are_not_depth():
    """Only real nesting counts."""
    assert parse_json(b'{"a": "' + b"[" * 100 + b'\\""}') == {"a": "[" * 100 + '"'}


def test_json_numbers_stay_exact():
    """0.1 stays 0.1; integers stay integers."""
    assert parse_json(b"[0.1, 1e2, 7, -0.0]") == [Decimal("0.1"), Decimal("1e2"), 7, Decimal("0")]


@given(st.binary(max_size=200))
def test_json_of_any_bytes_is_a_value_or_our_error(data):
    """No bytes crash the reader."""
    try:
        parse_json(data)
    except UsageError as error:
        assert error.message  # noqa: PT017
