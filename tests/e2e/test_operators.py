"""The operators' door: sign-in, roles, and nothing without them."""

from __future__ import annotations

import base64
import re
from typing import Any

import httpx
import pytest

PASSWORD = "correct horse battery"
ROLES = ("watch", "supervisor", "linguist", "records", "reader", "admin")


@pytest.fixture(scope="module")
def operators(trio: Any, kit: Any) -> Any:
    """One operator of each role at north, signed in: role to client."""
    clients = {}
    for role in ROLES:
        kit.ok(
            *("operator", "add", trio.north.dir, role[:3], "--role", role, "--password-stdin"),
            *("--desk", "general-staff"),
            stdin=PASSWORD + "\n",
        )
        client = httpx.Client(base_url=trio.north.api, timeout=30)
        answer = client.post("/api/v1/session", json={"name": role[:3], "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        assert answer.json()["desk"] == "general-staff"
        client.headers["authorization"] = f"Bearer {answer.json()['token']}"
        clients[role] = client
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture(scope="module")
def document(operators: Any) -> Any:
    """The OpenAPI document."""
    answer = operators["reader"].get("/api/openapi.json")
    assert answer.status_code == 200
    return answer.json()


SIGN_INS = {
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/session/link"),
    ("POST", "/api/v1/session/passkey"),
    ("POST", "/api/v1/session/passkey/options"),
}


def routes(document: Any) -> list[tuple[str, str]]:
    """All (method, path) of the document, parameters filled in."""
    return [
        (method.upper(), re.sub(r"\{[^}]*\}", "x", path))
        for path, item in document["paths"].items()
        for method in item
        if method in ("get", "post", "put", "delete", "patch")
    ]


def test_every_api_route_without_sign_in_is_401(trio: Any, document: Any) -> None:
    """Of all routes in the OpenAPI document only those of signing in answer without a session."""
    found = routes(document)
    assert len(found) > 20
    with httpx.Client(base_url=trio.north.api, timeout=30) as client:
        for method, path in found:
            if (method, path) in SIGN_INS:
                continue
            answer = client.request(method, path)
            assert (method, path, answer.status_code) == (method, path, 401)
            assert answer.json()["error"]["code"] == "sign-in"
            wrong = client.request(method, path, headers={"authorization": "Bearer x"})
            assert wrong.status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/api/openapi.json",
        "/api",
        "/metrics",
        "/nothing",
        "/api/v1/session",
        "//healthz",
        "/index.html",
    ],
)
def test_other_path_without_sign_in_tells_nothing(trio: Any, path: str) -> None:
    """Documents, metrics and even paths that do not exist are 401 without a session."""
    assert httpx.get(trio.north.api + path, timeout=30).status_code == 401


def test_healthz_answers_anybody_and_says_nothing_else(trio: Any) -> None:
    """/healthz is open and holds no fact about the node."""
    answer = httpx.get(trio.north.api + "/healthz", timeout=30)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_officer_named_in_a_header_is_ignored_at_the_operators_door(trio: Any) -> None:
    """The header by which the local command line names its user opens nothing over the network."""
    headers = {"x-officer": "root"}
    assert httpx.get(trio.north.api + "/api/v1/status", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("name", "password"),
    [("wat", "wrong password"), ("nobody", PASSWORD), ("wat", ""), ("", ""), ("wat", "x" * 5000)],
)
def test_wrong_password_and_unknown_name_get_the_same_answer(
    trio: Any, operators: Any, name: str, password: str
) -> None:
    """Which of the two is wrong is not told."""
    answer = httpx.post(
        trio.north.api + "/api/v1/session", json={"name": name, "password": password}, timeout=30
    )
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "name or password is wrong"


READS = [
    ("GET", "/api/v1/status", None),
    ("GET", "/api/v1/notices", None),
    ("GET", "/api/v1/conflicts", None),
    ("GET", "/api/v1/agreement", None),
    ("GET", "/api/v1/agreement/policy", None),
    ("GET", "/api/v1/events", None),
    ("GET", "/api/v1/ceases", None),
    ("GET", "/api/v1/urgent", None),
    ("GET", "/api/v1/picture", None),
    ("GET", "/metrics", None),
]
# (method, path, body, the roles that may); "*" means every role
ACTS = [
    *((method, path, body, "*") for method, path, body in READS),
    ("POST", "/api/v1/notices", "notice", "watch supervisor"),
    ("POST", "/api/v1/notices/nope/cancel", {"reason": "x"}, "watch supervisor"),
    (
        "POST",
        "/api/v1/notices/nope/read-back",
        {
            "place": "353125N 0354716E",
            "from": "2027-01-01T00:00:00Z",
            "until": "2027-01-01T01:00:00Z",
        },
        "watch supervisor",
    ),
    ("POST", "/api/v1/notices/nope/disseminated", {"units": [{"unit": "a"}]}, "watch supervisor"),
    ("POST", "/api/v1/notices/nope/acted", {"action": "noted"}, "watch supervisor"),
    ("POST", "/api/v1/ceases", {"reason": "test", "exercise": True}, "watch supervisor"),
    ("POST", "/api/v1/ceases/nope/reply", {"reply": "ceasing"}, "watch supervisor"),
    ("POST", "/api/v1/ceases/nope/effective", {}, "watch supervisor"),
    ("POST", "/api/v1/emergencies", {"kind": "hit", "exercise": True}, "watch supervisor"),
    ("POST", "/api/v1/emergencies/nope/reply", {"reply": "heard"}, "watch supervisor"),
    ("GET", "/api/v1/bundles/nope", None, "watch supervisor records admin"),
    ("GET", "/api/v1/ledger/audit", None, "watch supervisor records admin"),
    ("GET", "/api/v1/evidence", None, "watch supervisor records admin"),
    ("POST", "/api/v1/agreement", {}, "supervisor admin"),
    ("POST", "/api/v1/recover", None, "admin"),
    ("POST", "/api/v1/ledger/rebuild", None, "admin"),
    ("POST", "/api/v1/policy", {"type": "x", "document": {}}, "admin"),
    ("GET", "/api/v1/operators", None, "admin"),
    (
        "POST",
        "/api/v1/operators",
        {"name": "new", "role": "x", "password": PASSWORD},
        "admin",
    ),
    ("DELETE", "/api/v1/operators/nope", None, "admin"),
    ("POST", "/api/v1/operators/nope/link", None, "admin"),
    ("GET", "/api/v1/talks", None, "*"),
    ("GET", "/api/v1/calls", None, "*"),
    ("GET", "/api/v1/phrasebook", None, "*"),
    ("POST", "/api/v1/phrasebook/render", {"phrase": "courtesy.thanks"}, "*"),
    ("GET", "/api/v1/notices/nope/clearance", None, "*"),
    ("GET", "/api/v1/assets", None, "*"),
    (
        "POST",
        "/api/v1/assets",
        {"name": "", "kind": "radar", "place": "353125N 0354716E", "needs_s": 60},
        "watch supervisor",
    ),
    ("DELETE", "/api/v1/assets/nope", None, "watch supervisor"),
    ("POST", "/api/v1/ledger/recosign", None, "admin"),
    (
        "POST",
        "/api/v1/talks",
        {"desk": "operations-cell", "text": "x", "exercise": True},
        "watch supervisor",
    ),
    ("POST", "/api/v1/messages/nope/answer", {"answer": "affirm"}, "watch supervisor"),
    ("POST", "/api/v1/calls/nope/agree", {"agrees": True}, "watch supervisor"),
    ("POST", "/api/v1/drafts/1/release", None, "watch supervisor"),
    ("GET", "/api/v1/line/south", None, "*"),
    ("GET", "/api/v1/roster", None, "*"),
    *(
        (
            "POST",
            f"/api/v1/line/nobody/{word}",
            {"scope": "talk", "reason": "x"},
            "watch supervisor",
        )
        for word in ("suspend", "resume", "fault")
    ),
    ("POST", "/api/v1/line/nobody/check", None, "watch supervisor"),
    (
        "POST",
        "/api/v1/roster",
        {
            "desk": "operations-cell",
            "languages": ["en"],
            "from": "2031-01-01T00:00:00Z",
            "until": "2031-01-01T08:00:00Z",
        },
        "watch supervisor",
    ),
    ("POST", "/api/v1/handover", {"to": "nobody", "sound_tested": True}, "watch supervisor"),
    ("GET", "/api/v1/session", None, "*"),
    ("GET", "/api/v1/passkeys", None, "*"),
]


@pytest.mark.parametrize("role", ROLES)
def test_role_may_do_what_its_row_says_and_nothing_else(
    operators: Any, kit: Any, role: str
) -> None:
    """Each role passes or is refused with 403, by the table; a refusal names the roles that may."""
    client = operators[role]
    for method, path, body, able in ACTS:
        if body == "notice":
            body = kit.feature(f"R-{role}", -70, -20)
        answer = client.request(method, path, json=body)
        allowed = able == "*" or role in able.split()
        assert (answer.status_code != 403) == allowed, (method, path, answer.text)
        assert answer.status_code not in (401, 500), (method, path, answer.text)
        if not allowed:
            assert all(one in answer.json()["error"]["message"] for one in able.split())


def test_notice_filed_by_an_operator_names_the_desk_and_not_the_person(
    trio: Any, operators: Any, kit: Any, tmp_path: Any
) -> None:
    """A desk speaks: the other side learns the desk; who sat there stays in the own record."""
    name = "quartermaster-jones"  # long: three letters stand in a page of base64 by chance
    add = ("operator", "add", trio.north.dir, name, "--role", "watch", "--password-stdin")
    kit.ok(*add, "--desk", "general-staff", stdin=PASSWORD + "\n")
    session = httpx.post(
        trio.north.api + "/api/v1/session", json={"name": name, "password": PASSWORD}
    )
    answer = httpx.post(
        trio.north.api + "/api/v1/notices",
        json=kit.feature("D-1", -75, -20),
        params={"wait": "delivered"},
        headers={"authorization": f"Bearer {session.json()['token']}"},
        timeout=30,
    )
    assert answer.status_code == 201
    kit.ok("prove", trio.south.dir, "north:D-1", "-o", tmp_path / "d")
    ran = kit.ok("verify", tmp_path / "d", "--trust", trio.agreement, "--json")
    assert ran.json["statement"]["desk"] == "general-staff"
    bundle = (tmp_path / "d").read_bytes()
    inside = [
        base64.b64decode(
            one + b"=" * (-len(one) % 4), altchars=b"-_" if set(one) & set(b"-_") else None
        )
        for one in re.findall(rb"[A-Za-z0-9+/_-]{16,}", bundle)
        if len(one) % 4 != 1
    ]
    assert any(b"general-staff" in one for one in inside)  # so the search sees what was said
    assert not any(name.encode() in one for one in [bundle, *inside])


def test_removed_operator_is_signed_out(trio: Any, operators: Any, kit: Any) -> None:
    """Removing an operator ends the sessions at once; adding the name again does not revive them."""
    add = ("operator", "add", trio.north.dir, "gone", "--role", "reader", "--password-stdin")
    kit.ok(*add, stdin=PASSWORD + "\n")
    session = {"name": "gone", "password": PASSWORD}
    token = httpx.post(trio.north.api + "/api/v1/session", json=session).json()["token"]
    headers = {"authorization": f"Bearer {token}"}
    assert httpx.get(trio.north.api + "/api/v1/status", headers=headers).status_code == 200
    kit.ok("operator", "remove", trio.north.dir, "gone")
    assert httpx.get(trio.north.api + "/api/v1/status", headers=headers).status_code == 401
    kit.ok(*add, stdin=PASSWORD + "\n")
    assert httpx.get(trio.north.api + "/api/v1/status", headers=headers).status_code == 401
    assert kit.cli("operator", "remove", trio.north.dir, "nobody").code == 2


def test_operator_with_a_short_password_or_a_taken_name_is_refused(
    trio: Any, operators: Any, kit: Any
) -> None:
    """Names are unique and passwords have a least length; the field is named."""
    add = ("operator", "add", trio.north.dir)
    end = ("--role", "reader", "--password-stdin", "--json")
    short = kit.cli(*add, "short", *end, stdin="x\n")
    assert (short.code, short.json["error"]["field"]) == (2, "password")
    taken = kit.cli(*add, "wat", *end, stdin=PASSWORD + "\n")
    assert (taken.code, taken.json["error"]["field"]) == (2, "name")
    kit.ok("operator", "list", trio.north.dir)


def test_openapi_document_is_of_version_3_1_and_hangs_together(document: Any) -> None:
    """The document says 3.1, every operation has an answer, every reference leads somewhere."""
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "detente node"
    for path, item in document["paths"].items():
        assert path.startswith("/")
        for method, operation in item.items():
            assert operation["responses"], (method, path)
            assert operation["summary"], (method, path)
            named = set(re.findall(r"\{(\w+)\}", path))
            given = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert named == given, (method, path)
    ids = [op["operationId"] for item in document["paths"].values() for op in item.values()]
    assert len(set(ids)) == len(ids)

    def references(value: Any) -> Any:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for one in value.values():
                yield from references(one)
        elif isinstance(value, list):
            for one in value:
                yield from references(one)

    for reference in references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_metrics_are_prometheus_text_without_content(operators: Any, trio: Any, kit: Any) -> None:
    """/metrics parses, counts, and holds neither text nor place of any notice."""
    from prometheus_client.parser import text_string_to_metric_families

    kit.ok(
        "notice",
        "file",
        trio.north.dir,
        trio.save(kit.feature("M-1", 77.125, 3, text="SECRETWORD")),
    )
    trio.wait_open()  # a job that failed after it wrote loads the core anew, and lines are cold for a moment
    page = operators["reader"].get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    values = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }
    assert values["detente_ledger_entries",] > 1
    assert values["detente_line_open", "south"] == 1
    assert values["detente_fault",] == 0
    assert "SECRETWORD" not in page.text
    assert "77." not in page.text


def test_events_wait_for_the_next_one(operators: Any, trio: Any, kit: Any) -> None:
    """A listener gets what it has not seen and nothing twice."""
    client = operators["reader"]
    last = max((e["number"] for e in client.get("/api/v1/events").json()["events"]), default=0)
    path = trio.save(kit.feature("E-1", 85, 3))
    kit.ok("notice", "file", trio.south.dir, path, "--wait", "delivered")
    found = client.get("/api/v1/events", params={"after": last, "wait_s": 10}).json()["events"]
    assert found
    assert min(e["number"] for e in found) == last + 1


def test_session_ends_at_its_time(make: Any, kit: Any) -> None:
    """A session of twelve hours is worth nothing thirteen hours later."""
    parties = make()
    node = parties.north
    node.start()
    kit.ok(
        *("operator", "add", node.dir, "w", "--role", "reader", "--password-stdin"),
        stdin=PASSWORD + "\n",
    )
    answer = httpx.post(node.api + "/api/v1/session", json={"name": "w", "password": PASSWORD})
    headers = {"authorization": f"Bearer {answer.json()['token']}"}
    assert httpx.get(node.api + "/api/v1/status", headers=headers).status_code == 200
    node.stop()
    node.start()  # a session outlives a restart
    assert httpx.get(node.api + "/api/v1/status", headers=headers).status_code == 200
    node.stop()
    node.env = {"DETENTE_CLOCK_OFFSET_S": str(13 * 3600)}
    node.start()
    late = httpx.get(node.api + "/api/v1/status", headers=headers)
    assert (late.status_code, late.json()["error"]["code"]) == (401, "sign-in")


def test_guessing_passwords_keeps_no_statement_waiting(trio: Any, operators: Any, kit: Any) -> None:
    """While many sign-ins are guessed at once, a notice is delivered as ever."""
    import threading

    stop = threading.Event()
    codes = set()

    def guess() -> None:
        with httpx.Client(base_url=trio.north.api, timeout=60) as client:
            while not stop.is_set():
                body = {"name": "wat", "password": "guess guess"}
                codes.add(client.post("/api/v1/session", json=body).status_code)

    threads = [threading.Thread(target=guess) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        ran = trio.file(trio.north, kit.feature("S-1", 95, 3), "--wait", "delivered")
        assert ran.code == 0, ran.err
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert codes <= {401, 503}


CONSOLE = {"x-detente": "console"}


def browser(node: Any) -> httpx.Client:
    """A client that keeps cookies and calls the node by name, as a browser does."""
    return httpx.Client(base_url=f"http://localhost:{node.api_port}", headers=CONSOLE, timeout=30)


@pytest.mark.parametrize("running", [True, False])
def test_link_from_the_command_line_signs_a_browser_in_once(
    make: Any, kit: Any, running: bool
) -> None:
    """`operator link` prints an address that opens a session, made by a running node or without one."""
    node = make().north
    if running:
        node.start()
    kit.ok(
        *("operator", "add", node.dir, "anna b", "--role", "watch", "--password-stdin"),
        stdin=PASSWORD + "\n",
    )
    found = kit.ok("operator", "link", node.dir, "anna b", "--json").json
    assert sorted(found) == ["expires", "link", "name"]
    printed = kit.ok("operator", "link", node.dir, "anna b").out
    assert ("detente serve" in printed) == (not running)
    address, _, secret = found["link"].partition("#/sign-in?link=")
    assert address == f"http://localhost:{node.api_port}/"
    if not running:
        node.start()
    with browser(node) as client:
        answer = client.post("/api/v1/session/link", json={"link": secret})
        assert answer.status_code == 200, answer.text
        assert client.cookies.get(f"detente-{node.api_port}")
        assert client.get("/api/v1/session").json()["name"] == "anna b"
        assert client.get("/api/v1/notices").status_code == 200
        again = client.post("/api/v1/session/link", json={"link": secret})
        assert again.status_code == 401
        assert client.get("/api/v1/session").status_code == 200  # a link of no use ends nothing
    assert kit.cli("operator", "link", node.dir, "nobody").code == 2


def test_locked_browser_is_unlocked_by_its_own_officer(trio: Any, operators: Any) -> None:
    """At a real node: lock, refused, unlock, sign out; a restart changes nothing about the lock."""
    node = trio.north
    with browser(node) as client:
        body = {"name": "wat", "password": PASSWORD, "cookie": True}
        assert client.post("/api/v1/session", json=body).status_code == 200
        assert client.post("/api/v1/session/lock").json()["locked"] is True
        node.stop()
        node.start()
        assert client.get("/api/v1/notices").status_code == 423
        wrong = client.post("/api/v1/session/unlock", json={"password": "guess guess"})
        assert wrong.status_code == 403
        good = client.post("/api/v1/session/unlock", json={"password": PASSWORD})
        assert (good.status_code, good.json()["locked"]) == (200, False)
        assert client.get("/api/v1/notices").status_code == 200
        assert client.delete("/api/v1/session").status_code == 200
        assert f"detente-{node.api_port}" not in client.cookies
        assert client.get("/api/v1/session").status_code == 401
    trio.wait_open()


def test_cookies_of_two_nodes_on_one_machine_do_not_meet(
    trio: Any, operators: Any, kit: Any
) -> None:
    """One browser is signed in at both nodes at once: cookies have the port in their names."""
    kit.ok(
        *("operator", "add", trio.south.dir, "sue", "--role", "reader", "--password-stdin"),
        stdin=PASSWORD + "\n",
    )
    with browser(trio.north) as client:
        for node, name in ((trio.north, "wat"), (trio.south, "sue")):
            body = {"name": name, "password": PASSWORD, "cookie": True}
            base = f"http://localhost:{node.api_port}"
            assert client.post(f"{base}/api/v1/session", json=body).status_code == 200
        for node, name in ((trio.north, "wat"), (trio.south, "sue")):
            found = client.get(f"http://localhost:{node.api_port}/api/v1/session").json()
            assert (found["name"], found["party"]) == (name, node.party)


def test_every_route_s_answer_carries_the_console_s_policy(
    trio: Any, operators: Any, document: Any
) -> None:
    """Over a real connection, with and without a session, every route answers with the headers."""
    names = ("content-security-policy", "x-content-type-options", "referrer-policy")
    names += ("cross-origin-opener-policy", "cross-origin-resource-policy", "permissions-policy")
    with httpx.Client(base_url=trio.north.api, timeout=30) as stranger:
        for client in (stranger, operators["reader"]):
            for method, path in [*routes(document), ("GET", "/"), ("GET", "/assets/x.js")]:
                if path == "/api/v1/stream":
                    continue  # it does not end; its headers are those of every answer
                answer = client.request(method, path)
                assert [answer.headers.get_list(name) for name in names].count([]) == 0, path
                assert all(len(answer.headers.get_list(name)) == 1 for name in names), path
                assert "frame-ancestors 'none'" in answer.headers[names[0]]


def test_name_that_was_made_to_mean_this_machine_gets_nothing(trio: Any) -> None:
    """A request for another host at the loopback door is misdirected, whatever it asks."""
    for path in ("/", "/healthz", "/api/v1/session"):
        answer = httpx.get(trio.north.api + path, headers={"host": "attacker.example"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (421, "host")
