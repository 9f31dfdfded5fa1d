"""Passkeys: challenges, and what a browser's answer to one proves (Web Authentication, Level 3).

The package that reads and verifies the answers is loaded when the first one comes.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import secrets
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from detente.errors import DetenteError, UsageError
from detente.limits import PASSKEY_CHALLENGES
from detente.node.gate import Door, host_of
from detente.signing.base64 import encode_base64url
from detente.units import US_PER_S

Purpose = Literal["sign-in", "register"]

CHALLENGE_S = (
    300  # to find the key, touch it and type its number; the browser's own limit is the same
)


class Relying(msgspec.Struct, frozen=True):
    """Who asks for the passkey: a passkey made for one host is of no use at another."""

    host: str
    origin: str


def relying_of(door: Door, host_header: str) -> Relying:
    """The host and origin that a browser must have been at.

    The origin has the door's own scheme and port: a page of another server on the same host may use the
    same passkeys, and what it was given must be of no use here.

    Raises:
        UsageError: ``passkeys-need-a-name``.
    """
    host = host_of(host_header)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        named = bool(host)
    else:
        named = False
    if not named:
        hint = f"open {door.scheme}://localhost:{door.port}/" if door.loopback else ""
        raise UsageError(
            "passkeys-need-a-name",
            f"host is {host!r}; it must be a name, since browsers make no passkeys for an address",
            hint=hint or "give the node's machine a name",
            field="Host",
        )
    usual = {"http": 80, "https": 443}[door.scheme]
    port = "" if door.port == usual else f":{door.port}"
    return Relying(host, f"{door.scheme}://{host}{port}")


class Challenges:
    """Challenges that wait for their answer: each good once, for one purpose, for five minutes.

    In memory only: after a restart a browser asks again.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Purpose, str, int]] = {}

    def make(self, purpose: Purpose, owner: str, now_us: int) -> bytes:
        """A new challenge.

        Args:
            owner: the hash of the session that it belongs to; empty when anybody may answer.
        """
        for old in [c for c, (_, _, until_us) in self._waiting.items() if until_us <= now_us]:
            del self._waiting[old]
        while len(self._waiting) >= PASSKEY_CHALLENGES:
            self._waiting.pop(next(iter(self._waiting)))
        challenge = secrets.token_bytes(32)
        until_us = now_us + CHALLENGE_S * US_PER_S
        self._waiting[encode_base64url(challenge)] = (purpose, owner, until_us)
        return challenge

    def take(self, challenge: str, purpose: Purpose, owner: str, now_us: int) -> bytes:
        """The challenge, used up by this whatever comes of it.

        Raises:
            UsageError: ``challenge``: it was never made, for this; it was used; or its time is over.
        """
        found = self._waiting.pop(challenge, None)
        if found is None or found[:2] != (purpose, owner) or found[2] <= now_us:
            raise UsageError(
                "challenge",
                "challenge is unknown, used or over; it must be a new one",
                hint="ask for options again",
                field="challenge",
            )
        return _decoded(challenge)

    def __len__(self) -> int:
        return len(self._waiting)


def registration_options(
    relying: Relying, challenge: bytes, *, party: str, operator: str, known: list[Any]
) -> dict[str, Any]:
    """What the browser's `navigator.credentials.create` is asked with.

    Args:
        known: rows of passkeys that the officer has; a device that holds one makes no second.
    """
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    # the party is in it: two nodes on one machine share a host, and must not replace each other's passkeys
    user = hashlib.sha256(f"detente:passkey-user:v1\n{party}\n{operator}".encode()).digest()
    options = generate_registration_options(
        rp_id=relying.host,
        rp_name=f"detente {party}",
        user_id=user,
        user_name=f"{operator} ({party})",
        user_display_name=f"{operator} ({party})",
        challenge=challenge,
        timeout=CHALLENGE_S * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=_decoded(row.id))
            for row in known
            if row.host == relying.host
        ],
    )
    found: dict[str, Any] = json.loads(options_to_json(options))
    return found


def sign_in_options(relying: Relying, challenge: bytes) -> dict[str, Any]:
    """What the browser's `navigator.credentials.get` is asked with; it finds the passkey itself."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=relying.host,
        challenge=challenge,
        timeout=CHALLENGE_S * 1000,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    found: dict[str, Any] = json.loads(options_to_json(options))
    return found


class NewPasskey(msgspec.Struct, frozen=True):
    """What is kept of a passkey that a browser made."""

    id: str
    public_key: bytes
    sign_count: int


def check_registration(
    relying: Relying, challenge: bytes, credential: dict[str, Any]
) -> NewPasskey:
    """The passkey in a browser's answer.

    Raises:
        UsageError: ``passkey-refused``.
    """
    from webauthn import verify_registration_response

    def check() -> Any:
        return verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=relying.host,
            expected_origin=relying.origin,
            require_user_verification=True,
        )

    made = _checked(check)
    if made is None:
        raise UsageError(
            "passkey-refused",
            "the passkey does not fit its challenge, host or page; it must be made here and now, with user verification",
            hint="ask for options again",
            field="credential",
        )
    return NewPasskey(
        encode_base64url(made.credential_id), made.credential_public_key, made.sign_count
    )


def check_sign_in(
    relying: Relying, challenge: bytes, credential: dict[str, Any], row: Any
) -> int | None:
    """The signature counter in a browser's answer, None when the answer proves nothing.

    Args:
        row: the passkey that the answer names, None when there is none.
    """
    from webauthn import verify_authentication_response

    if row is None or row.host != relying.host:
        return None

    def check() -> Any:
        return verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=relying.host,
            expected_origin=relying.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=0,  # compared by `counter_back`, when it is certain who signed
            require_user_verification=True,
        )

    proved = _checked(check)
    return None if proved is None else int(proved.new_sign_count)


def counter_back(row: Any, sign_count: int) -> bool:
    """Whether a signature counter is not above the last one: a copy of the passkey was used in between.

    Passkeys that several devices share do not count; theirs is always nought.
    """
    last = int(row.sign_count)
    return (sign_count > 0 or last > 0) and sign_count <= last


def wrong_passkey() -> DetenteError:
    """The one refusal of a sign-in by passkey: which part was wrong is not told."""
    return DetenteError(
        "sign-in", "passkey was not accepted", hint="sign in with a password or a link"
    )


def _checked(check: Callable[[], Any]) -> Any:
    try:
        return check()
    except Exception:
        # whatever a stranger's bytes bring out of the reader means one thing: they prove nothing
        return None


def _decoded(text: str) -> bytes:
    from webauthn import base64url_to_bytes

    return base64url_to_bytes(text)
