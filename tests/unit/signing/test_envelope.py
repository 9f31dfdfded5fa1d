"""One wrapper, one byte form, two signatures."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from detente.errors import PeerError, UsageError
from detente.signing.envelope import (
    encode_envelope,
    pae,
    parse_envelope,
    sign_envelope,
    verify_envelope,
)
from detente.signing.key import PublicKeys, SigningKeys, parse_public_keys
from detente.signing.simulated import KEYED_HASH, KeyedHashKeys

TYPE = "application/vnd.detente.statement+json"
VECTORS = Path(__file__).parents[2] / "vectors" / "envelope.json"
SIMULATED = KeyedHashKeys(bytes(64))


def test_pae_dsse_example_matches() -> None:
    """The pre-authentication encoding is DSSE's own example, with lengths in bytes."""
    example = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == example
    assert pae("é", b"") == "DSSEv1 2 é 0 ".encode()


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_pae_two_inputs_never_collide(one: bytes, other: bytes) -> None:
    """K-ENV-5: Different payloads or types never give the same bytes to sign."""
    assert (pae("a/b", one) == pae("a/b", other)) == (one == other)
    assert pae("a/b", one) != pae("a/c", other)


@given(st.binary(max_size=200))
def test_envelope_any_payload_round_trips(payload: bytes) -> None:
    """What was encoded parses to the same envelope, and verifies."""
    envelope = sign_envelope(SIMULATED, TYPE, payload)
    parsed = parse_envelope(encode_envelope(envelope))
    assert parsed == envelope
    verify_envelope(parsed, SIMULATED.public, KEYED_HASH)


def test_envelope_encoding_equals_rfc8785(north: SigningKeys) -> None:
    """The encoding written by hand is the RFC 8785 form of the DSSE object."""
    envelope = sign_envelope(north, TYPE, b'{"a":1}')
    data = encode_envelope(envelope)
    assert data == rfc8785.dumps(json.loads(data))
    obj = json.loads(data)
    assert list(obj) == ["payload", "payloadType", "signatures"]
    assert base64.b64decode(obj["payload"]) == b'{"a":1}'
    key_id = north.public.key_id
    assert [s["keyid"] for s in obj["signatures"]] == [f"{key_id}#ed25519", f"{key_id}#ml-dsa-44"]
    verify_envelope(parse_envelope(data), north.public)


def test_envelope_every_single_bit_flip_is_refused(north: SigningKeys) -> None:
    """K-ENV-3: No flipped bit anywhere in the bytes passes: it fails to parse or to verify."""
    envelope = sign_envelope(north, TYPE, b'{"a":1}')
    data = encode_envelope(envelope)
    # Inside the signatures the strict verifier decides, which test_key samples; here all the rest.
    inside = {envelope.signatures.ed25519, envelope.signatures.mldsa44}
    passed = []
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            try:
                parsed = parse_envelope(bytes(changed))
                if {parsed.signatures.ed25519, parsed.signatures.mldsa44} == inside:
                    verify_envelope(parsed, north.public)
                    passed.append((at, bit))
            except PeerError:
                continue
    assert passed == []


def _good() -> dict[str, Any]:
    obj: dict[str, Any] = json.loads(encode_envelope(sign_envelope(SIMULATED, TYPE, b"x")))
    return obj


def _without_second(obj: dict[str, Any]) -> None:
    del obj["signatures"][1]


def _swapped(obj: dict[str, Any]) -> None:
    obj["signatures"].reverse()


def _third(obj: dict[str, Any]) -> None:
    obj["signatures"].append(obj["signatures"][0])


def _two_keys(obj: dict[str, Any]) -> None:
    obj["signatures"][1]["keyid"] = "0" * 32 + "#ml-dsa-44"


def _upper_key(obj: dict[str, Any]) -> None:
    for signature in obj["signatures"]:
        signature["keyid"] = signature["keyid"].upper()


def _extra(obj: dict[str, Any]) -> None:
    obj["x"] = 1


def _extra_inside(obj: dict[str, Any]) -> None:
    obj["signatures"][0]["x"] = 1


def _short(obj: dict[str, Any]) -> None:
    obj["signatures"][0]["sig"] = "AAAA"


def _unpadded(obj: dict[str, Any]) -> None:
    obj["payload"] = obj["payload"].rstrip("=")


def _bad_type(obj: dict[str, Any]) -> None:
    obj["payloadType"] = 'text/"'


def _number(obj: dict[str, Any]) -> None:
    obj["payload"] = 1


@pytest.mark.parametrize(
    "change",
    [
        _without_second,
        _swapped,
        _third,
        _two_keys,
        _upper_key,
        _extra,
        _extra_inside,
        _short,
        _unpadded,
        _bad_type,
        _number,
    ],
)
def test_parse_other_shape_is_refused(change: Any) -> None:
    """K-ENV-2: One signature, three, another order, two keys, other members or types: all refused."""
    obj = _good()
    change(obj)
    data = rfc8785.dumps(obj)
    with pytest.raises(PeerError) as caught:
        parse_envelope(data)
    assert caught.value.code == "envelope-malformed"
    assert caught.value.evidence == data


def test_parse_same_object_in_other_bytes_is_refused() -> None:
    """K-ENV-3: White space, another key order, escapes and duplicate keys are refused."""
    data = rfc8785.dumps(_good())
    others = [
        data + b"\n",
        data.replace(b'":"', b'": "', 1),
        data.replace(b"application/", b"application\\/"),
        b'{"payload":"AA==",' + data[1:],
        json.dumps(dict(reversed(_good().items())), separators=(",", ":")).encode(),
    ]
    for other in others:
        with pytest.raises(PeerError) as caught:
            parse_envelope(other)
        assert caught.value.code == "envelope-not-canonical"
    for rubbish in (b"", b"null", b"[]", b"\xff", b"[" * 100_000, b'{"payload":"\\ud800"}'):
        with pytest.raises(PeerError):
            parse_envelope(rubbish)


def test_parse_large_envelope_is_refused() -> None:
    """An envelope above the limit is refused unread."""
    with pytest.raises(PeerError) as caught:
        parse_envelope(encode_envelope(sign_envelope(SIMULATED, TYPE, b"x")), most_bytes=100)
    assert caught.value.code == "envelope-too-large"


def test_verify_other_key_or_type_is_refused(north: SigningKeys, south: SigningKeys) -> None:
    """K-ENV-4: The named key must be the one expected, and the payload type is signed."""
    envelope = sign_envelope(north, TYPE, b"x")
    with pytest.raises(PeerError) as caught:
        verify_envelope(envelope, south.public)
    assert caught.value.code == "envelope-key"
    renamed = msgspec.structs.replace(envelope, key_id=south.public.key_id)
    with pytest.raises(PeerError) as caught:
        verify_envelope(renamed, south.public)
    assert caught.value.code == "signature-invalid"
    retyped = msgspec.structs.replace(envelope, payload_type="application/vnd.detente.receipt+json")
    with pytest.raises(PeerError) as caught:
        verify_envelope(retyped, north.public)
    assert caught.value.code == "signature-invalid"


@pytest.mark.parametrize(
    "kind", ["", "text", "Text/plain", 'a/"', "a/b c", "a/é", "a/" + "b" * 128]
)
def test_sign_odd_payload_type_is_refused(kind: str) -> None:
    """K-ENV-1: A payload type must be a plain lower-case media type, so that it never needs escaping."""
    with pytest.raises(UsageError):
        sign_envelope(SIMULATED, kind, b"")


def test_vectors_envelopes_answer_as_recorded() -> None:
    """Envelopes signed long ago still verify, byte for byte, and the broken ones still fail."""
    vectors = json.loads(VECTORS.read_text())
    public: PublicKeys = parse_public_keys(vectors["public"])
    assert public.key_id == vectors["key_id"]
    for case in vectors["cases"]:
        data = case["envelope"].encode()
        if case["error"] is None:
            envelope = parse_envelope(data)
            verify_envelope(envelope, public)
            assert envelope.pae.hex() == case["pae"]
            continue
        with pytest.raises(PeerError) as caught:
            verify_envelope(parse_envelope(data), public)
        assert caught.value.code == case["error"], case["name"]
