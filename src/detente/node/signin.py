"""Signing in, out and up: sessions of scripts and browsers, one-use links, locks, passkeys."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.params import FromPath, JSONBody

from detente.errors import DetenteError, UnavailableError, UsageError, shown
from detente.limits import NAME_CHARS, PASSKEYS_PER_OPERATOR, SIGN_IN_BODY_BYTES
from detente.node import operators, passkeys
from detente.node.gate import Door, from_console, no_header
from detente.node.node import Node
from detente.node.operators import ROLES, Action, Role
from detente.node.shapes import Shape, answers
from detente.protocol.core import Core
from detente.units import format_time

if TYPE_CHECKING:
    from detente.node.gate import WhoAsks

HASHING_AT_ONCE = (
    2  # sign-ins hashed at a time: argon2 takes 64 MB and a tenth of a second for each
)
HASHING_WAITING = 50  # sign-ins that may wait for that; guessing faster is told to come back

Asked = Request[Any, Any, Any]


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """Name and password of an operator; `cookie` for a browser, which must not see the token."""

    name: str
    password: str
    cookie: bool = False


class LinkSignIn(msgspec.Struct, forbid_unknown_fields=True):
    """The secret of a one-use link: what stands after `link=` in its address."""

    link: str


class PasskeyAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """A browser's answer to a challenge: `PublicKeyCredential.toJSON()`."""

    challenge: str
    credential: dict[str, Any]


class Unlock(msgspec.Struct, forbid_unknown_fields=True):
    """A password, or a browser's answer to a challenge."""

    password: str | None = None
    challenge: str | None = None
    credential: dict[str, Any] | None = None


class PasskeyMade(msgspec.Struct, forbid_unknown_fields=True):
    """A browser's answer to a challenge, and what the officer calls the key."""

    challenge: str
    credential: dict[str, Any]
    name: str


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """An empty document."""


class Session(Shape):
    """Who is signed in, at which node, and what the role may do."""

    name: str
    role: Role
    desk: str
    party: str
    party_name: str
    exercise_only: bool
    expires: str
    locked: bool
    actions: list[Action]
    passkeys: int
    idle_lock_s: int


class SignedIn(Session):
    """A new session. The token is null where it is in the cookie."""

    token: str | None


class SignedOut(Shape):
    """The session is over."""

    signed_out: bool


class PasskeyOptions(Shape):
    """A challenge, and the options of WebAuthn that hold it, as JSON."""

    challenge: str
    options: dict[str, Any]


class Passkey(Shape):
    """One of the officer's own passkeys; it works at `host` only."""

    id: str
    name: str
    host: str
    created: str
    used: str | None


class Passkeys(Shape):
    """The officer's own passkeys, oldest first."""

    passkeys: list[Passkey]


class PasskeyRemoved(Shape):
    """The id of the passkey that was removed."""

    removed: str


class Link(Shape):
    """An address that signs an operator in, once."""

    link: str
    expires: str
    name: str


class _Hashing:
    """Passwords are compared a few at a time, away from the worker: guessing keeps no statement waiting."""

    def __init__(self) -> None:
        self._running, self._waiting = asyncio.Semaphore(HASHING_AT_ONCE), 0

    async def check(self, row: Any, password: str) -> bool:
        """Whether a password is that of an operator's row.

        Raises:
            UnavailableError: ``busy``.
        """
        if self._waiting >= HASHING_WAITING:
            raise UnavailableError(
                "busy",
                f"{self._waiting} sign-ins wait; try again in a moment",
                hint="wait a little",
            )
        self._waiting += 1
        try:
            async with self._running:
                return await asyncio.to_thread(operators.check_password, row, password)
        finally:
            self._waiting -= 1


def signin_routes(node: Node, door: Door, officer: WhoAsks) -> list[Any]:
    """The routes of sessions, links and passkeys."""
    hashing, challenges, store = _Hashing(), passkeys.Challenges(), node.store
    config = node.home.config

    def now_us() -> int:
        return node.clock_real_us()

    def described(core: Core, token: str) -> dict[str, Any]:
        session = operators.session_of(store, token, now_us())
        who = operators.officer_of(store, token, now_us())
        agreement = core.state.agreement
        return {
            "name": who.name,
            "role": who.role,
            "desk": who.desk,
            "party": config.party,
            "party_name": config.name,
            "exercise_only": agreement is not None and agreement.terms.exercise_only,
            "expires": format_time(session.expires_us),
            "locked": who.locked,
            "actions": sorted(ROLES.get(who.role, ())),
            "passkeys": len(store.passkeys(who.name)),
            "idle_lock_s": config.lock_after_s,
        }

    def token_of(request: Asked) -> str:
        token: str = request.scope.get("detente.token", "")  # type: ignore[assignment]
        if not token:
            raise UsageError(
                "no-session", "the local socket has no sessions; it must be the operators' door"
            )
        return token

    async def say_session(request: Asked) -> Session:
        token = token_of(request)
        return Session(**await node.do(lambda core: described(core, token)))

    async def begin(request: Asked, name: str, *, cookie: bool) -> Response[SignedIn]:
        """A session for an operator who showed who they are; the browser's one before it ends."""
        before: str = request.scope.get("detente.token", "")  # type: ignore[assignment]

        def job(core: Core) -> tuple[str, dict[str, Any]]:
            token, _, _ = operators.open_session(store, name, now_us())
            if before:
                store.end_session(operators.token_hash(before))
            return token, described(core, token)

        token, session = await node.do(job)
        answer = SignedIn(**session, token=None if cookie else token)
        headers = {"set-cookie": door.set_cookie(token)} if cookie else {}
        return Response(answer, headers=headers)

    def refuse_others(request: Asked) -> None:
        """Refuse to set a cookie for a page of another origin.

        1. A page posts a form with an account of its author to the node, in the officer's browser.
        2. The officer works on in a session that another person can read.
        """
        if not from_console(request.scope):
            raise no_header()

    def refused(error: DetenteError) -> DetenteError:
        node.counters["sign-ins-refused"] += 1
        return error

    @post(
        "/api/v1/session",
        status_code=200,
        summary="Sign in",
        tags=["session"],
        security=[],
        request_max_body_size=SIGN_IN_BODY_BYTES,
        responses=answers(200, SignedIn),
    )
    async def open_session(request: Asked, data: JSONBody[SignIn]) -> Response[SignedIn]:
        if data.cookie:
            refuse_others(request)
        row = await node.do(lambda _core: store.operator(data.name))
        if not await hashing.check(row, data.password):
            raise refused(DetenteError("sign-in", "name or password is wrong"))
        return await begin(request, data.name, cookie=data.cookie)

    @post(
        "/api/v1/session/link",
        status_code=200,
        summary="Sign in by a one-use link",
        tags=["session"],
        security=[],
        request_max_body_size=SIGN_IN_BODY_BYTES,
        responses=answers(200, SignedIn),
    )
    async def open_by_link(request: Asked, data: JSONBody[LinkSignIn]) -> Response[SignedIn]:
        refuse_others(request)
        name = await node.do(lambda _core: operators.take_link(store, data.link, now_us()))
        if name is None:
            raise refused(
                DetenteError(
                    "sign-in",
                    "link is used, over or unknown; it must be a new one",
                    hint="detente operator link DIR NAME",
                )
            )
        return await begin(request, name, cookie=True)

    @post(
        "/api/v1/session/passkey/options",
        status_code=200,
        summary="A challenge for signing in or unlocking by passkey",
        tags=["session"],
        security=[],
        request_max_body_size=SIGN_IN_BODY_BYTES,
        responses=answers(200, PasskeyOptions),
    )
    async def challenge(request: Asked, data: JSONBody[Nothing]) -> PasskeyOptions:
        relying = passkeys.relying_of(door, request.headers.get("host", ""))
        made = challenges.make("sign-in", "", now_us())
        options = passkeys.sign_in_options(relying, made)
        return PasskeyOptions(challenge=options["challenge"], options=options)

    async def proved(request: Asked, data: PasskeyAnswer, name: str | None = None) -> str | None:
        """Whose passkey answered a challenge, None when the answer proves nothing.

        Args:
            name: whose it must be; None for anybody's.
        """
        relying = passkeys.relying_of(door, request.headers.get("host", ""))
        made = challenges.take(data.challenge, "sign-in", "", now_us())
        wanted = str(data.credential.get("id", ""))
        row = await node.do(lambda _core: store.passkey(wanted))
        count = passkeys.check_sign_in(relying, made, data.credential, row)
        if count is None or (name is not None and row.operator != name):
            return None

        def job(_core: Core) -> bool:
            newest = store.passkey(wanted)
            if newest is None or passkeys.counter_back(newest, count):
                return False
            store.use_passkey(wanted, count, now_us())
            return True

        if not await node.do(job):
            node.counters["passkeys-counter-back"] += 1
            return None
        return str(row.operator)

    @post(
        "/api/v1/session/passkey",
        status_code=200,
        summary="Sign in by passkey",
        tags=["session"],
        security=[],
        request_max_body_size=SIGN_IN_BODY_BYTES,
        responses=answers(200, SignedIn),
    )
    async def open_by_passkey(request: Asked, data: JSONBody[PasskeyAnswer]) -> Response[SignedIn]:
        refuse_others(request)
        name = await proved(request, data)
        if name is None:
            raise refused(passkeys.wrong_passkey())
        return await begin(request, name, cookie=True)

    @get("/api/v1/session", summary="Who am I", tags=["session"], responses=answers(200, Session))
    async def show_session(request: Asked) -> Session:
        return await say_session(request)

    @delete(
        "/api/v1/session",
        status_code=200,
        summary="Sign out",
        tags=["session"],
        responses=answers(200, SignedOut),
    )
    async def end_session(request: Asked) -> Response[SignedOut]:
        hashed = operators.token_hash(token_of(request))
        await node.do(lambda _core: store.end_session(hashed))
        return Response(SignedOut(signed_out=True), headers={"set-cookie": door.set_cookie("")})

    @post(
        "/api/v1/session/lock",
        status_code=200,
        summary="Lock the session",
        tags=["session"],
        responses=answers(200, Session),
    )
    async def lock(request: Asked) -> Session:
        token = token_of(request)
        await node.do(lambda _core: operators.lock_session(store, token, now_us()))
        return await say_session(request)

    @post(
        "/api/v1/session/unlock",
        status_code=200,
        summary="Unlock the session",
        tags=["session"],
        responses=answers(200, Session),
    )
    async def unlock(request: Asked, data: JSONBody[Unlock]) -> Session:
        token = token_of(request)
        by_passkey = data.challenge is not None and data.credential is not None
        if (data.password is None) != by_passkey:
            raise UsageError(
                "unlock-with", "it must be either a password, or a challenge and a credential"
            )
        row = await node.do(lambda _core: operators.begin_unlock(store, token, now_us()))
        if data.challenge is not None and data.credential is not None:
            answer = PasskeyAnswer(data.challenge, data.credential)
            right = row is not None and await proved(request, answer, row.name) is not None
        else:
            right = await hashing.check(row, data.password or "")
        left = await node.do(
            lambda _core: operators.end_unlock(store, token, now_us(), right=right)
        )
        if not right:
            raise refused(_still_locked(left))
        return await say_session(request)

    @get(
        "/api/v1/passkeys",
        summary="The officer's own passkeys",
        tags=["session"],
        responses=answers(200, Passkeys),
    )
    async def list_passkeys(request: Asked) -> Passkeys:
        who = await officer(request, "read")
        rows = await node.do(lambda _core: store.passkeys(who.name))
        return Passkeys(passkeys=[_passkey(row) for row in rows])

    @post(
        "/api/v1/passkeys/options",
        status_code=200,
        summary="A challenge for a new passkey",
        tags=["session"],
        responses=answers(200, PasskeyOptions),
    )
    async def passkey_options(request: Asked, data: JSONBody[Nothing]) -> PasskeyOptions:
        who = await officer(request, "read")
        owner = operators.token_hash(token_of(request))
        relying = passkeys.relying_of(door, request.headers.get("host", ""))
        known = await node.do(lambda _core: store.passkeys(who.name))
        made = challenges.make("register", owner, now_us())
        options = passkeys.registration_options(
            relying, made, party=config.party, operator=who.name, known=known
        )
        return PasskeyOptions(challenge=options["challenge"], options=options)

    @post(
        "/api/v1/passkeys",
        status_code=201,
        summary="Add a passkey",
        tags=["session"],
        responses=answers(201, Passkey),
    )
    async def add_passkey(request: Asked, data: JSONBody[PasskeyMade]) -> Passkey:
        who = await officer(request, "read")
        owner = operators.token_hash(token_of(request))
        if not 1 <= len(data.name) <= NAME_CHARS or not data.name.isprintable():
            raise UsageError(
                "passkey-name",
                f"name is {shown(data.name)}; it must have 1 to {NAME_CHARS} printable characters",
                field="name",
            )
        relying = passkeys.relying_of(door, request.headers.get("host", ""))
        made = challenges.take(data.challenge, "register", owner, now_us())
        new = passkeys.check_registration(relying, made, data.credential)

        def job(_core: Core) -> Any:
            operators.session_of(store, token_of(request), now_us())
            if len(store.passkeys(who.name)) >= PASSKEYS_PER_OPERATOR:
                raise UsageError(
                    "passkeys-many",
                    f"there are {PASSKEYS_PER_OPERATOR} passkeys; it must be at most that many",
                    hint="remove one that is not used any more",
                )
            kept = store.put_passkey(
                id=new.id,
                operator=who.name,
                name=data.name,
                host=relying.host,
                public_key=new.public_key,
                sign_count=new.sign_count,
                created_us=now_us(),
                used_us=None,
            )
            if not kept:
                raise UsageError(
                    "passkey-exists",
                    "the passkey is known already; it must be new",
                    field="credential",
                )
            return store.passkey(new.id)

        return _passkey(await node.do(job))

    @delete(
        "/api/v1/passkeys/{passkey:str}",
        status_code=200,
        summary="Remove one of the officer's own passkeys",
        tags=["session"],
        responses=answers(200, PasskeyRemoved),
    )
    async def remove_passkey(request: Asked, passkey: FromPath[str]) -> PasskeyRemoved:
        who = await officer(request, "read")
        if not await node.do(lambda _core: store.remove_passkey(passkey, who.name)):
            raise UsageError(
                "passkey-unknown",
                f"passkey is {shown(passkey)}; it must be one of your own",
                field="passkey",
            )
        return PasskeyRemoved(removed=passkey)

    @post(
        "/api/v1/operators/{name:str}/link",
        status_code=201,
        summary="Make a one-use link that signs an operator in",
        tags=["operations"],
        responses=answers(201, Link),
    )
    async def make_link(request: Asked, name: FromPath[str]) -> Link:
        await officer(request, "manage")
        secret, expires_us = await node.do(lambda _core: operators.make_link(store, name, now_us()))
        address = f"{origin_of(node, door)}/#/sign-in?link={secret}"
        return Link(link=address, expires=format_time(expires_us), name=name)

    return [
        open_session,
        open_by_link,
        challenge,
        open_by_passkey,
        show_session,
        end_session,
        lock,
        unlock,
        list_passkeys,
        passkey_options,
        add_passkey,
        remove_passkey,
        make_link,
    ]


def origin_of(node: Node, door: Door) -> str:
    """The address at which a browser reaches the operators' door, without a final slash.

    A loopback door is called by name, since passkeys need one. A door on every address of the machine is
    called as the party's own card calls the machine.
    """
    host = door.host
    if host in ("127.0.0.1", "::1"):
        host = "localhost"
    elif host in ("0.0.0.0", "::"):
        address = node.home.card().address.removeprefix("https://")
        host = address.rpartition(":")[0].strip("[]")
    return f"{door.scheme}://{f'[{host}]' if ':' in host else host}:{door.port}"


def _passkey(row: Any) -> Passkey:
    return Passkey(
        id=row.id,
        name=row.name,
        host=row.host,
        created=format_time(row.created_us),
        used=None if row.used_us is None else format_time(row.used_us),
    )


def _still_locked(left: int) -> DetenteError:
    if left == 0:
        return DetenteError("sign-in", "too many wrong tries: the session is over; sign in again")
    return DetenteError(
        "unlock",
        f"this is not the password or passkey of the session's officer; {left} tries are left",
        hint="sign out to let another officer sign in",
    )
