"""The gate before everything that operators and their browsers can reach.

Who has no session learns nothing, not even what is there. What a browser must be told with every answer
is added here, and what a browser could be made to do behind its officer's back is refused here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Request

from detente.errors import DetenteError
from detente.node.home import Config, is_loopback, split_listen
from detente.node.operators import Action, Officer, local_officer
from detente.node.outcome import error_json, http_status
from detente.node.pages import Pages

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Send

    FindOfficer = Callable[[str], Awaitable[Officer]]
    WhoAsks = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]

# What answers at the operators' door without a session, (method, path), beside the console's files; all
# else is 401, known or not.
OPEN = frozenset(
    {
        ("GET", "/healthz"),
        ("POST", "/witness/add-checkpoint"),
        ("POST", "/witness/add-entries"),
        ("POST", "/api/v1/session"),
        ("POST", "/api/v1/session/link"),
        ("POST", "/api/v1/session/passkey"),
        ("POST", "/api/v1/session/passkey/options"),
    }
)

# And what is below these, with GET: the log is public, and so is what was witnessed and mirrored of others.
OPEN_UNDER = ("/log/", "/witness/")

# What a locked session may do; the stream carries only ticks then.
LOCKED = frozenset(
    {
        ("GET", "/api/v1/session"),
        ("DELETE", "/api/v1/session"),
        ("POST", "/api/v1/session/unlock"),
        ("GET", "/api/v1/stream"),
    }
)

CONSOLE = b"console"  # the value of X-Detente; what counts is that the header is there at all

# With every answer. Scripts, styles and connections of this very origin and no others; never in a frame.
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        b"font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
        b"form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
_FIXED = frozenset(name for name, _ in HEADERS)


class Door(msgspec.Struct, frozen=True):
    """The operators' door as a browser sees it."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether it is reached from this machine only; beyond it there is TLS."""
        return is_loopback(self.host)

    @property
    def scheme(self) -> str:
        """``http`` on loopback, ``https`` beyond."""
        return "http" if self.loopback else "https"

    @property
    def cookie(self) -> str:
        """The cookie's name; with the port, because cookies do not tell the ports of a host apart."""
        return f"detente-{self.port}"

    def set_cookie(self, token: str) -> str:
        """The header that gives a browser its session; with no token, the one that takes it away."""
        secure = "" if self.loopback else "; Secure"
        gone = "" if token else "; Max-Age=0"
        return f"{self.cookie}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{gone}"


def door_of(config: Config) -> Door:
    """The operators' door of a node's settings."""
    host, port = split_listen(config.api, field="api")
    return Door(host, port)


def host_of(header: str) -> str:
    """The host of a `Host` header, without the port.

    Example:
        >>> host_of("localhost:4711"), host_of("[::1]:4711"), host_of("Node.Example")
        ('localhost', '::1', 'node.example')
    """
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].lower()


def who_asks(desk: str, *, local: bool) -> WhoAsks:
    """How a handler learns which officer asks, and that the officer's role may do this.

    Args:
        local: requests come from the owner of the directory, who may do everything.
    """

    async def officer(request: Request[Any, Any, Any], action: Action) -> Officer:
        if local:
            return local_officer(request.headers.get("x-officer", "owner")[:64], desk)
        found: Officer = request.scope["detente.officer"]  # type: ignore[typeddict-item]
        found.check(action)
        return found

    return officer


class Gate:
    """Stands before the operators' application.

    What it puts into a request's scope: ``detente.token``, the session's token; ``detente.officer``, who
    that is; ``detente.session``, which asks again (an answer may take longer than a session lasts).
    """

    def __init__(
        self, app: ASGIApp, find_officer: FindOfficer, door: Door, pages: Pages | None = None
    ) -> None:
        self._app = app
        self._find_officer = find_officer
        self._door = door
        self._pages = pages or Pages()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Let a request through if it has a session or needs none."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                close: Any = {"type": "websocket.close", "code": 1008}
                await send(close)
            return
        told = _told(send, bare=scope["method"] == "HEAD")
        try:
            self._check_host(scope)
            if Pages.has(scope["path"]) and scope["method"] in ("GET", "HEAD"):
                await self._pages.answer(scope, told)
                return
            scope = await self._admit(scope)
        except DetenteError as error:
            await _refuse(told, error)
            return
        await self._app(scope, receive, told)

    def _check_host(self, scope: Any) -> None:
        """Refuse a request that names another host than this machine, at a door on loopback.

        1. An officer looks at a page of attacker.example, with the console open in another tab.
        2. The name attacker.example is changed to mean 127.0.0.1; the page asks its own name again.
        3. The browser sends that to the node, and would show the page the answer: one origin, it believes.
        """
        if not self._door.loopback:
            return
        host = host_of(_header(scope, b"host"))
        if not is_loopback(host):
            raise DetenteError(
                "host",
                "Host is not a name of this machine; it must be localhost or a loopback address",
                hint=f"open {self._door.scheme}://localhost:{self._door.port}/",
            )

    async def _admit(self, scope: Any) -> Any:
        method, path = scope["method"], scope["path"]
        scheme, _, bearer = _header(scope, b"authorization").partition(" ")
        token = bearer if scheme.lower() == "bearer" else ""
        cookie = "" if token else cookie_of(scope, self._door.cookie)
        if cookie and method not in ("GET", "HEAD") and not from_console(scope):
            raise no_header()
        if cookie or method not in ("GET", "HEAD"):
            _check_site(scope)
        looks = method in ("GET", "HEAD")
        is_open = ("GET" if looks else method, path) in OPEN or (
            looks and path.startswith(OPEN_UNDER)
        )
        if is_open:
            # for HEAD as for GET; what is not open has no HEAD, since some looks are told to a peer
            return {
                **scope,
                "method": "GET" if method == "HEAD" else method,
                "detente.token": cookie,
            }
        token = token or cookie
        if not token:
            raise DetenteError(
                "sign-in", "there is no session; sign in first", hint="POST /api/v1/session"
            )
        officer = await self._find_officer(token)
        if officer.locked and (method, path) not in LOCKED:
            raise DetenteError(
                "locked", "the session is locked; it must be unlocked first", hint="unlock it"
            )
        scope["detente.token"] = token
        scope["detente.officer"] = officer
        scope["detente.session"] = partial(self._find_officer, token)
        return scope


def from_console(scope: Any) -> bool:
    """Whether a request has the header that a page of another origin cannot add without asking."""
    return _header(scope, b"x-detente").encode("latin-1") == CONSOLE


def no_header() -> DetenteError:
    """The refusal of a request that has not got it."""
    return DetenteError(
        "console-header",
        "X-Detente is missing; with a cookie it must be there in everything but GET",
        hint="send the header X-Detente: console",
    )


def cookie_of(scope: Any, name: str) -> str:
    """The value of a cookie; empty when there is none, or several that differ.

    Another server on this machine shares its cookies with the node, and could set a second one of the
    same name: which of the two is the officer's cannot be told.
    """
    found = set()
    for header, value in scope["headers"]:
        if header == b"cookie":
            for part in value.decode("latin-1").split(";"):
                given, equals, content = part.strip().partition("=")
                if equals and given == name:
                    found.add(content)
    return found.pop() if len(found) == 1 else ""


def _check_site(scope: Any) -> None:
    """Refuse what a page of another origin made the browser send.

    With the cookie: `SameSite` counts hosts, not ports, so a page of another server on localhost is of the
    same site, and its request for a notice would be recorded as the officer's look. And without, where it is
    more than looking:

    1. An officer's browser shows a page of attacker.example, in any tab.
    2. The page posts names and passwords to the node, as many as wait at once, or asks for a thousand challenges.
    3. It sees no answer; but the officer's own sign-in or unlocking is told to come back later.
    """
    if _header(scope, b"sec-fetch-site") not in ("", "same-origin", "none"):
        raise DetenteError(
            "other-origin", "the request comes from another page; it must come from the console"
        )


def _header(scope: Any, wanted: bytes) -> str:
    for name, value in scope["headers"]:
        if name == wanted:
            return bytes(value).decode("latin-1")
    return ""


def _told(send: Send, *, bare: bool) -> Send:
    """`send` that adds what every answer carries, and leaves out the body of an answer to HEAD."""

    async def wrapped(message: Any) -> None:
        if message["type"] == "http.response.start":
            kept = [(n, v) for n, v in message.get("headers", ()) if n.lower() not in _FIXED]
            if not any(name.lower() == b"cache-control" for name, _ in kept):
                kept.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*kept, *HEADERS]}
        elif bare and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return wrapped


async def _refuse(send: Send, error: DetenteError) -> None:
    body = msgspec.json.encode(error_json(error))
    status = http_status(error)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # the body of the request is not read
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    start: Any = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    end: Any = {"type": "http.response.body", "body": body, "more_body": False}
    await send(end)
