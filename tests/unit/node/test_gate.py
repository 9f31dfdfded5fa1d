"""The gate: what a browser is told with every answer, and what it cannot be made to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from detente.errors import DetenteError
from detente.node.api import api_app
from detente.node.gate import Door, Gate, cookie_of, door_of, host_of
from detente.node.home import init_home
from detente.node.node import Node
from detente.node.operators import SESSION_S, Officer, add_operator
from detente.node.signin import origin_of

T0 = 1_790_000_000_000_000
PASSWORD = "correct horse battery"
CONSOLE = {"x_detente": "console"}
SAID = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def ask(
    app: Any, method: str, path: str, body: Any = None, cookie: str = "", **headers: str
) -> httpx.Response:
    """One request at a door on loopback; a header's underscores are hyphens."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if cookie:
            given["cookie"] = cookie
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, json=body, headers=given)

    return asyncio.run(send())


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """North's node with an officer of the watch and an admin."""
    home = init_home(
        tmp_path / "north", party="north", name="North", role="party", listen="127.0.0.1:4710"
    )
    opened = Node(home)
    opened.clock_real_us = lambda: T0
    add_operator(opened.store, "anna", "watch", "cell", PASSWORD, T0)
    add_operator(opened.store, "boss", "admin", "cell", PASSWORD, T0)
    yield opened
    opened.close()


@pytest.fixture
def app(node: Node) -> Any:
    """North's operators' door."""
    return api_app(node)


def cookie_from(answer: httpx.Response) -> str:
    """The cookie that an answer sets."""
    assert answer.status_code == 200, answer.text
    return answer.headers["set-cookie"].partition(";")[0]


def sign_in(app: Any, name: str = "anna") -> str:
    """The cookie of a new session."""
    body = {"name": name, "password": PASSWORD, "cookie": True}
    return cookie_from(ask(app, "POST", "/api/v1/session", body, **CONSOLE))


# -- what every answer carries ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", None),
        ("GET", "/assets/nothing.js", 404),
        ("GET", "/healthz", 200),
        ("HEAD", "/healthz", 200),
        ("GET", "/log/checkpoint", 404),
        ("GET", "/api/v1/status", 401),
        ("GET", "/nothing", 401),
        ("PUT", "/", 401),
        ("POST", "/witness/add-checkpoint", 400),
        ("POST", "/api/v1/session", 400),
        ("POST", "/api/v1/session/passkey/options", 400),
    ],
)
def test_every_answer_has_the_headers(app: Any, method: str, path: str, status: int | None) -> None:
    """Good, refused, unknown: no answer of the door is without the policy, and none is kept."""
    answer = ask(app, method, path)
    assert status in (None, answer.status_code), answer.text
    assert {name: answer.headers.get(name) for name in SAID} == SAID
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.headers.get_list("content-security-policy")) == 1


def test_answers_in_a_session_have_the_headers_too(app: Any) -> None:
    """Content, lists, the API's own document, refusals by role and faults all carry the policy."""
    cookie = sign_in(app)
    for path in ("/api/v1/status", "/api/openapi.json", "/api", "/metrics", "/api/v1/operators"):
        answer = ask(app, "GET", path, cookie=cookie)
        assert answer.status_code in (200, 403), path
        assert {name: answer.headers.get(name) for name in SAID} == SAID


def test_headers_of_the_application_do_not_weaken_those_of_the_gate() -> None:
    """A handler that sets a policy of its own is overruled; one that says how long to keep is heard."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"Content-Security-Policy", b"default-src *"), (b"Cache-Control", b"private")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"x"})

    async def find(_token: str) -> Officer:
        raise AssertionError

    answer = ask(Gate(handler, find, Door("127.0.0.1", 1)), "GET", "/healthz")
    assert answer.headers.get_list("content-security-policy") == [SAID["content-security-policy"]]
    assert answer.headers["cache-control"] == "private"


def test_websocket_is_closed() -> None:
    """The door speaks no other protocol: what is not a request reaches nothing behind the gate."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def nobody(*_: Any) -> Any:
        raise AssertionError

    gate = Gate(nobody, nobody, Door("127.0.0.1", 1))
    asyncio.run(gate({"type": "websocket", "path": "/", "headers": []}, nobody, send))
    assert [message["type"] for message in sent] == ["websocket.close"]


# -- Host ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:4711", "127.0.0.1:4711", "[::1]:4711"])
def test_door_on_loopback_answers_its_own_names(app: Any, host: str) -> None:
    """localhost and loopback addresses, at whatever port a tunnel has."""
    assert ask(app, "GET", "/healthz", host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "attacker.example:4711",
        "localhost.attacker.example",
        "127.0.0.1.attacker.example:4711",
        "192.0.2.1",
        "[2001:db8::1]:4711",
        "0.0.0.0",
        "",
        "127.0.0.1@attacker.example",
    ],
)
@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/status", "/api/v1/session"])
def test_door_on_loopback_answers_no_other_name(app: Any, host: str, path: str) -> None:
    """A name that was made to mean 127.0.0.1 gets 421 and nothing else, sign-in or not."""
    answer = ask(app, "GET", path, cookie=sign_in(app), host=host)
    assert (answer.status_code, answer.json()["error"]["code"]) == (421, "host")
    assert {name: answer.headers.get(name) for name in SAID} == SAID


def test_door_beyond_loopback_answers_every_name() -> None:
    """There the certificate says which names are the node's."""
    door = Door("192.0.2.1", 4711)

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

    async def find(_token: str) -> Officer:
        raise AssertionError

    answer = ask(Gate(handler, find, door), "GET", "/healthz", host="node.example:4711")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("header", "host"),
    [("a.example:1", "a.example"), ("A.Example", "a.example"), ("[::1]:1", "::1"), ("", "")],
)
def test_host_is_read_without_its_port(header: str, host: str) -> None:
    """The port does not count, brackets are no part of an address, letters are small."""
    assert host_of(header) == host


# -- the cookie ------------------------------------------------------------------------------------------


def test_cookie_is_for_the_browser_alone(app: Any) -> None:
    """Signing in with a cookie shows no token; no script reads it, no other site sends it."""
    body = {"name": "anna", "password": PASSWORD, "cookie": True}
    answer = ask(app, "POST", "/api/v1/session", body, **CONSOLE)
    assert answer.json()["token"] is None
    name, *rules = answer.headers["set-cookie"].split("; ")
    assert name.startswith("detente-4711=")
    assert rules == ["Path=/", "HttpOnly", "SameSite=Strict"]
    body["cookie"] = False
    answer = ask(app, "POST", "/api/v1/session", body)
    assert "set-cookie" not in answer.headers
    headers = {"authorization": f"Bearer {answer.json()['token']}"}
    assert ask(app, "GET", "/api/v1/status", **headers).status_code == 200


def test_cookie_of_a_door_with_tls_is_secure() -> None:
    """Beyond loopback the cookie never travels in the clear; its name has the port."""
    assert Door("192.0.2.1", 443).set_cookie("t") == (
        "detente-443=t; Path=/; HttpOnly; SameSite=Strict; Secure"
    )
    assert Door("::1", 1).set_cookie("") == (
        "detente-1=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
    )


def test_door_is_that_of_the_settings(node: Node) -> None:
    """Host and port are those of `api` in config.toml."""
    door = door_of(node.home.config)
    assert (door.host, door.port, door.scheme, door.cookie) == (
        *("127.0.0.1", 4711, "http", "detente-4711"),
    )


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        (["detente-1=a"], "a"),
        (["x=y; detente-1=a; detente-12=b"], "a"),
        (["x=y", "detente-1=a"], "a"),
        (["detente-1=a; detente-1=a"], "a"),
        (["detente-1=a; detente-1=b"], ""),
        (["detente-1=a", "detente-1=b"], ""),
        (["detente-1"], ""),
        (["Detente-1=a"], ""),
        ([], ""),
    ],
)
def test_cookie_is_read_when_it_is_certain(headers: list[str], value: str) -> None:
    """Another server on the machine can add a cookie of this name: of two that differ, none counts."""
    scope = {"headers": [(b"cookie", text.encode()) for text in headers]}
    assert cookie_of(scope, "detente-1") == value


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/v1/notices", "/api/v1/session", "/witness/add-checkpoint"])
def test_cookie_without_the_header_changes_nothing(app: Any, method: str, path: str) -> None:
    """A form on another page can make a browser post with its cookie, but not add the header."""
    cookie = sign_in(app)
    for headers in ({}, {"x_detente": ""}, {"x_detente": "Console"}):
        answer = ask(app, method, path, {}, cookie=cookie, **headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "console-header")
    assert ask(app, "GET", "/api/v1/session", cookie=cookie).status_code == 200


def test_sign_in_that_sets_a_cookie_needs_the_header(app: Any) -> None:
    """Another page cannot sign an officer's browser in as somebody else."""
    body = {"name": "anna", "password": PASSWORD, "cookie": True}
    wanted = [
        ("/api/v1/session", body),
        ("/api/v1/session/link", {"link": "x"}),
        ("/api/v1/session/passkey", {"challenge": "x", "credential": {}}),
    ]
    for path, document in wanted:
        answer = ask(app, "POST", path, document)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "console-header")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("site", "status"), [("same-site", 403), ("cross-site", 403)])
def test_request_that_another_page_made_is_refused(app: Any, site: str, status: int) -> None:
    """A page of another server on localhost is of the same site; its requests are not the officer's."""
    cookie = sign_in(app)
    refused = ask(app, "GET", "/api/v1/status", cookie=cookie, sec_fetch_site=site)
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, "other-origin")
    for own in ("same-origin", "none"):
        answer = ask(app, "GET", "/api/v1/status", cookie=cookie, sec_fetch_site=own)
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/session", {"name": "anna", "password": "a guess, and another"}),
        ("/api/v1/session/passkey/options", {}),
        ("/api/v1/session/link", {"link": "x"}),
    ],
)
def test_another_page_cannot_keep_the_sign_in_busy(app: Any, path: str, body: Any) -> None:
    """What needs no session is refused to other pages as well: their guesses and challenges would crowd an officer's out."""
    for site in ("cross-site", "same-site"):
        refused = ask(app, "POST", path, body, sec_fetch_site=site, **CONSOLE)
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "other-origin"
    assert ask(app, "POST", path, body, sec_fetch_site="same-origin", **CONSOLE).status_code != 403


def test_no_answer_lets_another_origin_in(app: Any) -> None:
    """The node never says yes to a browser that asks whether another page may send or read."""
    headers = {
        "origin": "http://attacker.example",
        "access_control_request_method": "POST",
        "access_control_request_headers": "x-detente",
    }
    for path in ("/api/v1/notices", "/api/v1/session", "/"):
        answer = ask(app, "OPTIONS", path, **headers)
        assert answer.status_code >= 400
        assert not any(name.startswith("access-control") for name in answer.headers)


# -- locked sessions ---------------------------------------------------------------------------------------


def test_locked_session_may_do_what_the_table_says(app: Any) -> None:
    """All but asking who one is, unlocking, signing out and the stream is 423, whatever the path."""
    cookie = sign_in(app)
    assert ask(app, "POST", "/api/v1/session/lock", cookie=cookie, **CONSOLE).status_code == 200
    document = ask(app, "GET", "/api/openapi.json", cookie=sign_in(app)).json()
    tried = [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, item in document["paths"].items()
        for method in item
    ]
    may = {
        ("GET", "/api/v1/session"),
        ("DELETE", "/api/v1/session"),
        ("POST", "/api/v1/session/unlock"),
        ("GET", "/api/v1/stream"),
    }
    opens = {
        ("POST", "/api/v1/session"),
        ("POST", "/api/v1/session/link"),
        ("POST", "/api/v1/session/passkey"),
        ("POST", "/api/v1/session/passkey/options"),
    }
    others = [("GET", "/metrics"), ("GET", "/api/openapi.json"), ("GET", "/nothing")]
    for method, path in [*tried, *others]:
        if (method, path) in may | opens:
            continue
        answer = ask(app, method, path, cookie=cookie, **CONSOLE)
        assert (answer.status_code, answer.json()["error"]["code"]) == (423, "locked"), path
    found = ask(app, "GET", "/api/v1/session", cookie=cookie)
    assert (found.status_code, found.json()["locked"]) == (200, True)


def test_stream_of_a_session_can_ask_again_while_it_runs(node: Node) -> None:
    """What a handler finds in its request: the officer, and a question that sees a lock and an end."""
    seen: list[Any] = []

    async def handler(scope: Any, _receive: Any, send: Any) -> None:
        ask_again = scope["detente.session"]
        seen.append(scope["detente.officer"].locked)
        node.store.set_session(row.token_hash, locked=True, misses=0)
        seen.append((await ask_again()).locked)
        node.store.end_session(row.token_hash)
        try:
            await ask_again()
        except DetenteError as error:
            seen.append(error.code)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    from detente.node.operators import officer_of, open_session, session_of

    token, _, _ = open_session(node.store, "anna", T0)
    row = session_of(node.store, token, T0)

    async def find(given: str) -> Officer:
        return officer_of(node.store, given, T0)

    gate = Gate(handler, find, Door("127.0.0.1", 4711))
    assert ask(gate, "GET", "/api/v1/stream", cookie=f"detente-4711={token}").status_code == 200
    assert seen == [False, True, "sign-in"]


# -- sessions -----------------------------------------------------------------------------------------------


def test_session_says_who_and_what_the_role_may(app: Any, node: Node) -> None:
    """Name, role, desk, node, actions, keys and how long an idle console stays open."""
    found = ask(app, "GET", "/api/v1/session", cookie=sign_in(app, "boss")).json()
    assert found == {
        "name": "boss",
        "role": "admin",
        "desk": "cell",
        "party": "north",
        "party_name": "North",
        "exercise_only": False,
        "expires": "2026-09-22T02:13:20Z",
        "locked": False,
        "actions": ["agree", "manage", "prove", "read"],
        "passkeys": 0,
        "idle_lock_s": 900,
    }


def test_sign_out_ends_the_session_and_takes_the_cookie(app: Any) -> None:
    """What was signed out is unknown, also to whoever kept the token; other sessions stay."""
    first, second = sign_in(app), sign_in(app)
    answer = ask(app, "DELETE", "/api/v1/session", cookie=first, **CONSOLE)
    assert answer.status_code == 200
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert ask(app, "GET", "/api/v1/session", cookie=first).status_code == 401
    assert ask(app, "GET", "/api/v1/session", cookie=second).status_code == 200


def test_sign_in_ends_the_session_that_the_browser_had(app: Any) -> None:
    """The officer who takes over a desk's browser leaves no open session of the one before."""
    before = sign_in(app)
    body = {"name": "boss", "password": PASSWORD, "cookie": True}
    answer = ask(app, "POST", "/api/v1/session", body, cookie=before, **CONSOLE)
    assert ask(app, "GET", "/api/v1/session", cookie=cookie_from(answer)).json()["name"] == "boss"
    assert ask(app, "GET", "/api/v1/session", cookie=before).status_code == 401


def test_link_signs_in_once(app: Any, node: Node) -> None:
    """A link's secret opens one session, for its operator; then it is worth nothing."""
    made = ask(app, "POST", "/api/v1/operators/anna/link", cookie=sign_in(app, "boss"), **CONSOLE)
    assert made.status_code == 201, made.text
    found = made.json()
    assert (found["name"], found["expires"]) == ("anna", "2026-09-21T14:23:20Z")
    address, _, secret = found["link"].partition("#/sign-in?link=")
    assert address == "http://localhost:4711/"
    assert len(secret) == 43
    answer = ask(app, "POST", "/api/v1/session/link", {"link": secret}, **CONSOLE)
    session = ask(app, "GET", "/api/v1/session", cookie=cookie_from(answer)).json()
    assert (session["name"], answer.json()["token"]) == ("anna", None)
    again = ask(app, "POST", "/api/v1/session/link", {"link": secret}, **CONSOLE)
    assert (again.status_code, again.json()["error"]["code"]) == (401, "sign-in")
    assert "detente operator link" in again.json()["error"]["hint"]


def test_session_ends_at_its_time_for_a_browser_too(app: Any, node: Node) -> None:
    """After twelve hours the cookie is worth nothing."""
    cookie = sign_in(app)
    node.clock_real_us = lambda: T0 + SESSION_S * 1_000_000
    assert ask(app, "GET", "/api/v1/session", cookie=cookie).status_code == 401


def unlock(app: Any, cookie: str, password: str) -> httpx.Response:
    """One try."""
    body = {"password": password}
    return ask(app, "POST", "/api/v1/session/unlock", body, cookie=cookie, **CONSOLE)


def test_unlocking_needs_the_password_of_the_session_s_officer(app: Any) -> None:
    """The right password unlocks, wrong ones say how many tries are left, a good one counts anew."""
    cookie = sign_in(app)
    ask(app, "POST", "/api/v1/session/lock", cookie=cookie, **CONSOLE)
    for _ in range(2):
        for left in (4, 3, 2, 1):
            refused = unlock(app, cookie, "wrong password")
            error = refused.json()["error"]
            assert (refused.status_code, error["code"]) == (403, "unlock")
            assert f"{left} tries" in error["message"]
        found = unlock(app, cookie, PASSWORD)
        assert (found.status_code, found.json()["locked"]) == (200, False)
        assert ask(app, "GET", "/api/v1/status", cookie=cookie).status_code == 200
        ask(app, "POST", "/api/v1/session/lock", cookie=cookie, **CONSOLE)


def test_session_ends_after_five_wrong_tries(app: Any) -> None:
    """Who passes by a locked screen has five guesses; then not even the password unlocks."""
    cookie = sign_in(app)
    ask(app, "POST", "/api/v1/session/lock", cookie=cookie, **CONSOLE)
    codes = [unlock(app, cookie, f"guess {n}").status_code for n in range(5)]
    assert codes == [403, 403, 403, 403, 401]
    assert unlock(app, cookie, PASSWORD).status_code == 401
    assert ask(app, "GET", "/api/v1/session", cookie=cookie).status_code == 401


def test_locking_again_forgets_no_wrong_try(app: Any) -> None:
    """A second lock of a locked session, from another window, gives no new tries."""
    cookie = sign_in(app)
    for _ in range(4):
        ask(app, "POST", "/api/v1/session/lock", cookie=cookie, **CONSOLE)
        unlock(app, cookie, "wrong password")
    assert unlock(app, cookie, "wrong password").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"challenge": "x"},
        {"credential": {}},
        {"password": PASSWORD, "challenge": "x", "credential": {}},
    ],
)
def test_unlocking_is_with_one_of_two(app: Any, body: Any) -> None:
    """Neither nothing nor both: a password, or a challenge and its answer; no try is counted."""
    cookie = sign_in(app)
    ask(app, "POST", "/api/v1/session/lock", cookie=cookie, **CONSOLE)
    for _ in range(6):
        refused = ask(app, "POST", "/api/v1/session/unlock", body, cookie=cookie, **CONSOLE)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unlock-with")
    assert unlock(app, cookie, PASSWORD).status_code == 200


def test_open_session_is_not_unlocked(app: Any) -> None:
    """Only what is locked can be unlocked: no password is tried against an open session."""
    assert unlock(app, sign_in(app), PASSWORD).json()["error"]["code"] == "not-locked"


def test_body_of_a_stranger_is_small(app: Any) -> None:
    """Who has not signed in can make the node read 64 KiB and no more."""
    body = {"name": "anna", "password": "x" * 70_000}
    answer = ask(app, "POST", "/api/v1/session", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body-too-large")
    assert "65536" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("api", "origin"),
    [
        ("127.0.0.1:4711", "http://localhost:4711"),
        ("[::1]:4711", "http://localhost:4711"),
        ("localhost:4711", "http://localhost:4711"),
        ("127.0.0.2:4711", "http://127.0.0.2:4711"),
        ("192.0.2.7:443", "https://192.0.2.7:443"),
        ("[2001:db8::1]:4711", "https://[2001:db8::1]:4711"),
        ("node.example:4711", "https://node.example:4711"),
        ("0.0.0.0:4711", "https://north.example:4711"),
        ("[::]:4711", "https://north.example:4711"),
    ],
)
def test_link_leads_to_the_door_by_a_name_where_there_is_one(
    tmp_path: Path, api: str, origin: str
) -> None:
    """Loopback is called localhost; a door on every address is called as the card calls the machine."""
    home = init_home(
        tmp_path / "n",
        party="north",
        name="North",
        role="party",
        listen="127.0.0.1:4710",
        api=api,
        address="https://north.example:4710",
    )
    opened = Node(home)
    try:
        assert origin_of(opened, door_of(home.config)) == origin
    finally:
        opened.close()


def test_names_that_are_no_loopback_door_s_need_tls() -> None:
    """A door on every address, or on a name, is not one of this machine only."""
    for host in ("0.0.0.0", "::", "192.0.2.7", "node.example"):
        assert Door(host, 1).scheme == "https"
        assert "Secure" in Door(host, 1).set_cookie("t")
