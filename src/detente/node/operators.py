"""Operators: who may do what, passwords (argon2), sessions and one-use links."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, Literal

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from detente.errors import DetenteError, UsageError, shown
from detente.limits import LINKS_PER_OPERATOR, NAME_CHARS, UNLOCK_TRIES
from detente.node.store import Store
from detente.units import US_PER_S

Role = Literal["watch", "supervisor", "linguist", "records", "reader", "admin"]
Action = Literal["read", "say", "prove", "agree", "manage", "destroy"]

# What each role may do; what is absent is refused. Nobody signs anything as a person: a desk speaks.
ROLES: dict[str, frozenset[Action]] = {
    "watch": frozenset({"read", "say", "prove"}),
    "supervisor": frozenset({"read", "say", "prove", "agree", "destroy"}),
    "linguist": frozenset({"read"}),
    "records": frozenset({"read", "prove", "destroy"}),
    "reader": frozenset({"read"}),
    "admin": frozenset({"read", "prove", "agree", "manage"}),
}

SESSION_S = 12 * 3600  # a watch of eight hours with handover at both ends
LINK_S = (
    600  # to walk from one machine to another with it; what lies about longer is found by others
)
PASSWORD_CHARS = 10  # with argon2id; shorter falls to a stolen store
PASSWORD_MOST_CHARS = 1_000  # a passphrase fits; a megabyte is an attempt to keep us busy

_hasher = PasswordHasher()
# verified against when the name is unknown, so that an answer's time does not tell which names exist
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$U1VPc2Zq0jL7HkZm7jB2cXoW9d1TqvJmF1m6v6Hn0wQ"


class Officer(msgspec.Struct, frozen=True):
    """Who acts: a name and role, at a desk.

    Args:
        locked: the session is locked: it may hear alarms, and nothing of what they are about.
    """

    name: str
    role: str
    desk: str
    locked: bool = False

    def check(self, action: Action) -> None:
        """Raise unless this officer's role may do this.

        Raises:
            DetenteError: ``role``.
        """
        if action not in ROLES.get(self.role, frozenset()):
            able = ", ".join(sorted(role for role, actions in ROLES.items() if action in actions))
            raise DetenteError(
                "role", f"role is {self.role!r}; to {action} it must be one of {able}"
            )


def local_officer(name: str, desk: str) -> Officer:
    """Whoever can read the node's directory owns the node: the local command line may do everything."""
    return Officer(f"local:{name}", "local", desk)


ROLES["local"] = frozenset({"read", "say", "prove", "agree", "manage", "destroy"})


def add_operator(store: Store, name: str, role: str, desk: str, password: str, now_us: int) -> None:
    """Add an operator.

    Raises:
        UsageError: name, role or password breaks its rule, or the name is taken.
    """
    printable = 1 <= len(name) <= NAME_CHARS and name.isprintable()
    # a slash or nothing but dots could not stand in an address, and so never be removed
    if not printable or "/" in name or not name.strip(".") or name.startswith("local:"):
        raise UsageError(
            "operator-name",
            f"name is {shown(name)}; it must have 1 to {NAME_CHARS} printable characters, no slash, and not be dots only",
            field="name",
        )
    if role not in ROLES or role == "local":
        raise UsageError(
            "role-unknown",
            f"role is {shown(role)}; it must be one of {', '.join(sorted(set(ROLES) - {'local'}))}",
            field="role",
        )
    if not PASSWORD_CHARS <= len(password) <= PASSWORD_MOST_CHARS:
        raise UsageError(
            "password-length",
            f"password has {len(password)} characters; it must have {PASSWORD_CHARS} to {PASSWORD_MOST_CHARS}",
            field="password",
        )
    if not store.put_operator(name, role, desk, _hasher.hash(password), now_us):
        raise UsageError(
            "operator-exists", f"operator is {name!r}; the name must be new", field="name"
        )


def check_password(row: Any, password: str) -> bool:
    """Whether a password is that of an operator's row; as slow for None, a name that is not there.

    Takes a tenth of a second on purpose: call it from a thread where nobody waits.
    """
    if len(password) > PASSWORD_MOST_CHARS:
        return False
    try:
        _hasher.verify(row.password_hash if row else _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return row is not None


def open_session(store: Store, name: str, now_us: int) -> tuple[str, Officer, int]:
    """A session for an operator whose password was checked.

    Returns:
        Token (shown once; only its hash is kept), officer, expiry in microseconds since the epoch.

    Raises:
        DetenteError: ``sign-in``: the operator was removed in between.
    """
    row = store.operator(name)
    if row is None:
        raise DetenteError("sign-in", "name or password is wrong")
    token = secrets.token_urlsafe(32)
    expires_us = now_us + SESSION_S * US_PER_S
    store.end_sessions(now_us)
    store.put_session(token_hash(token), name, expires_us)
    return token, Officer(row.name, row.role, row.desk), expires_us


def officer_of(store: Store, token: str, now_us: int) -> Officer:
    """Who holds a session token.

    Raises:
        DetenteError: ``sign-in`` when it is unknown or has expired.
    """
    session = session_of(store, token, now_us)
    row = store.operator(session.operator)
    if row is None:
        raise _signed_out()
    return Officer(row.name, row.role, row.desk, bool(session.locked))


def session_of(store: Store, token: str, now_us: int) -> Any:
    """The row of a session that stands.

    Raises:
        DetenteError: ``sign-in`` when it is unknown or has expired.
    """
    session = store.session(token_hash(token))
    if session is None or session.expires_us <= now_us:
        raise _signed_out()
    return session


def lock_session(store: Store, token: str, now_us: int) -> None:
    """Lock a session that stands; one that is locked stays as it is."""
    session = session_of(store, token, now_us)
    if not session.locked:
        store.set_session(session.token_hash, locked=True, misses=0)


def begin_unlock(store: Store, token: str, now_us: int) -> Any:
    """Count a try to unlock a session, before it is known whether the try is good.

    Counted first, so that guesses made at the same moment do not share one count.

    Returns:
        The operator's row, for the password to be compared with.

    Raises:
        DetenteError: ``sign-in`` when the session is gone. UsageError: ``not-locked``.
    """
    session = session_of(store, token, now_us)
    if not session.locked:
        raise UsageError("not-locked", "the session is open; it must be locked to be unlocked")
    store.set_session(session.token_hash, locked=True, misses=session.misses + 1)
    return store.operator(session.operator)


def end_unlock(store: Store, token: str, now_us: int, *, right: bool) -> int:
    """Unlock a session after a good try; after too many bad ones in a row, end it.

    Returns:
        How many tries are left; 0 when the session was ended.

    Raises:
        DetenteError: ``sign-in`` when the session is gone.
    """
    session = session_of(store, token, now_us)
    if right:
        store.set_session(session.token_hash, locked=False, misses=0)
        return UNLOCK_TRIES
    if session.misses >= UNLOCK_TRIES:
        store.end_session(session.token_hash)
    return max(0, UNLOCK_TRIES - int(session.misses))


def make_link(store: Store, name: str, now_us: int) -> tuple[str, int]:
    """A secret that signs an operator in once.

    Returns:
        The secret (shown once; only its hash is kept), expiry in microseconds since the epoch.

    Raises:
        UsageError: ``operator-unknown``.
    """
    if store.operator(name) is None:
        raise UsageError(
            "operator-unknown",
            f"operator is {shown(name)}; it must be one that was added",
            hint="detente operator list DIR",
            field="name",
        )
    secret = secrets.token_urlsafe(32)
    expires_us = now_us + LINK_S * US_PER_S
    store.put_link(_secret_hash(secret), name, expires_us)
    store.end_links(now_us, name, LINKS_PER_OPERATOR)
    return secret, expires_us


def take_link(store: Store, secret: str, now_us: int) -> str | None:
    """The name of the operator whom a link signs in, None when it is of no use; used up by this."""
    row = store.take_link(_secret_hash(secret))
    return None if row is None or row.expires_us <= now_us else str(row.operator)


def _signed_out() -> DetenteError:
    return DetenteError("sign-in", "session is unknown or has expired; sign in again")


def token_hash(token: str) -> str:
    """What is kept of a session's token."""
    return hashlib.sha256(b"detente:session:v1\n" + token.encode("utf-8", "replace")).hexdigest()


def _secret_hash(secret: str) -> str:
    return hashlib.sha256(b"detente:link:v1\n" + secret.encode("utf-8", "replace")).hexdigest()
