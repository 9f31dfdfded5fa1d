"""Passkeys, proved with an authenticator made of software: what it signs is what a real one would."""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import encode_cbor

from detente.errors import UsageError
from detente.limits import PASSKEY_CHALLENGES, PASSKEYS_PER_OPERATOR
from detente.node.api import api_app
from detente.node.gate import Door
from detente.node.home import init_home
from detente.node.node import Node
from detente.node.operators import add_operator
from detente.node.passkeys import CHALLENGE_S, Challenges, relying_of
from detente.signing.base64 import encode_base64url
from detente.units import US_PER_S

T0 = 1_790_000_000_000_000
PASSWORD = "correct horse battery"
ORIGIN = "http://localhost:4711"
CONSOLE = {"x-detente": "console"}


class Authenticator:
    """A security key in software: ES256, resident keys, a signature counter."""

    def __init__(self, number: int = 1) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = hashlib.sha256(b"%d" % number).digest()
        self.count = 0
        self.flags = 0x05  # the user is there, and was verified

    def _head(self, host: str, flags: int) -> bytes:
        return hashlib.sha256(host.encode()).digest() + struct.pack(">BI", flags, self.count)

    @staticmethod
    def _client_data(kind: str, challenge: str, origin: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _credential(self, response: dict[str, bytes]) -> dict[str, Any]:
        name = encode_base64url(self.id)
        encoded = {key: encode_base64url(value) for key, value in response.items()}
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "clientExtensionResults": {},
            "response": encoded,
        }

    def create(self, options: dict[str, Any], origin: str = ORIGIN, host: str = "") -> Any:
        """The answer to `navigator.credentials.create`."""
        numbers = self.key.public_key().public_numbers()
        x, y = (n.to_bytes(32, "big") for n in (numbers.x, numbers.y))
        cose = encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = b"\0" * 16 + struct.pack(">H", len(self.id)) + self.id + cose
        data = self._head(host or options["rp"]["id"], self.flags | 0x40) + attested
        return self._credential(
            {
                "clientDataJSON": self._client_data(
                    "webauthn.create", options["challenge"], origin
                ),
                "attestationObject": encode_cbor({"fmt": "none", "attStmt": {}, "authData": data}),
            }
        )

    def get(self, options: dict[str, Any], origin: str = ORIGIN, host: str = "") -> Any:
        """The answer to `navigator.credentials.get`."""
        self.count += 1
        data = self._head(host or options["rpId"], self.flags)
        said = self._client_data("webauthn.get", options["challenge"], origin)
        signed = data + hashlib.sha256(said).digest()
        return self._credential(
            {
                "clientDataJSON": said,
                "authenticatorData": data,
                "signature": self.key.sign(signed, ec.ECDSA(hashes.SHA256())),
                "userHandle": b"u",
            }
        )


class Console:
    """A browser at the operators' door of a node in this process: keeps its cookie, sends the header."""

    def __init__(self, node: Node, app: Any) -> None:
        self.node, self.app = node, app
        self.cookie = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                given = {**CONSOLE, **({"cookie": self.cookie} if self.cookie else {}), **headers}
                return await client.request(method, path, json=body, headers=given)

        answer = asyncio.run(send())
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        """The document of an answer that must be good."""
        answer = self.ask(method, path, body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def sign_in(self, name: str) -> None:
        """Sign in by password."""
        body = {"name": name, "password": PASSWORD, "cookie": True}
        self.ok("POST", "/api/v1/session", body)

    def register(self, key: Authenticator, name: str = "yellow key") -> Any:
        """Add a passkey."""
        asked = self.ok("POST", "/api/v1/passkeys/options", {})
        body = {
            "challenge": asked["challenge"],
            "credential": key.create(asked["options"]),
            "name": name,
        }
        return self.ok("POST", "/api/v1/passkeys", body)

    def answer(self, key: Authenticator, **changes: str) -> dict[str, Any]:
        """A challenge, answered."""
        asked = self.ok("POST", "/api/v1/session/passkey/options", {})
        return {
            "challenge": asked["challenge"],
            "credential": key.get(asked["options"], **changes),
        }


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """North's node with two officers."""
    home = init_home(
        tmp_path / "north", party="north", name="North", role="party", listen="127.0.0.1:4710"
    )
    opened = Node(home)
    opened.clock_real_us = lambda: T0
    for name in ("anna", "ben"):
        add_operator(opened.store, name, "watch", "cell", PASSWORD, T0)
    yield opened
    opened.close()


@pytest.fixture
def console(node: Node) -> Console:
    """Anna's browser, signed in."""
    made = Console(node, api_app(node))
    made.sign_in("anna")
    return made


def other(console: Console, name: str = "") -> Console:
    """Another browser at the same door."""
    made = Console(console.node, console.app)
    if name:
        made.sign_in(name)
    return made


def test_passkey_signs_in_whoever_registered_it(console: Console) -> None:
    """A passkey made in a session opens a new one, for the same officer, again and again."""
    key = Authenticator()
    made = console.register(key)
    assert (made["name"], made["host"], made["used"]) == ("yellow key", "localhost", None)
    assert console.ok("GET", "/api/v1/session")["passkeys"] == 1
    for _ in range(2):
        browser = other(console)
        found = browser.ok("POST", "/api/v1/session/passkey", browser.answer(key))
        assert (found["name"], found["token"]) == ("anna", None)
        assert browser.ok("GET", "/api/v1/session")["name"] == "anna"
    (row,) = console.ok("GET", "/api/v1/passkeys")["passkeys"]
    assert row["used"] is not None


def test_passkey_options_ask_for_a_key_that_is_found_and_verifies_its_user(
    console: Console,
) -> None:
    """Registration asks for a discoverable key and user verification; a known key makes no second."""
    made = console.register(Authenticator())
    options = console.ok("POST", "/api/v1/passkeys/options", {})["options"]
    assert options["rp"]["id"] == "localhost"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert [one["id"] for one in options["excludeCredentials"]] == [made["id"]]
    options = console.ok("POST", "/api/v1/session/passkey/options", {})["options"]
    assert (options["rpId"], options["userVerification"]) == ("localhost", "required")
    assert options["allowCredentials"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "http://localhost:3000"},
        {"origin": "https://localhost:4711"},
        {"origin": "http://localhost"},
        {"origin": "http://attacker.example:4711"},
        {"host": "attacker.example"},
    ],
)
def test_answer_made_at_another_page_is_refused(console: Console, changes: dict[str, str]) -> None:
    """Scheme, host and port of the page must be the door's own, at sign-in and at registration."""
    key = Authenticator()
    console.register(key)
    browser = other(console)
    refused = browser.ask("POST", "/api/v1/session/passkey", browser.answer(key, **changes))
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "sign-in")
    assert browser.cookie == ""
    asked = console.ok("POST", "/api/v1/passkeys/options", {})
    credential = Authenticator(2).create(asked["options"], **changes)
    body = {"challenge": asked["challenge"], "credential": credential, "name": "x"}
    refused = console.ask("POST", "/api/v1/passkeys", body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "passkey-refused")
    assert console.ok("GET", "/api/v1/session")["passkeys"] == 1


def test_challenge_is_good_once(console: Console) -> None:
    """An answer that was taken, or refused, is worth nothing when it comes again."""
    key = Authenticator()
    console.register(key)
    browser = other(console)
    answer = browser.answer(key)
    browser.ok("POST", "/api/v1/session/passkey", answer)
    again = other(console).ask("POST", "/api/v1/session/passkey", answer)
    assert (again.status_code, again.json()["error"]["code"]) == (400, "challenge")
    wrong = browser.answer(key)
    signature = wrong["credential"]["response"]["signature"]
    wrong["credential"]["response"]["signature"] = encode_base64url(b"\0" * 70)
    assert browser.ask("POST", "/api/v1/session/passkey", wrong).status_code == 401
    wrong["credential"]["response"]["signature"] = signature
    assert browser.ask("POST", "/api/v1/session/passkey", wrong).json()["error"]["code"] == (
        "challenge"
    )


def test_answer_to_another_challenge_is_refused(console: Console) -> None:
    """What was signed must be the challenge that is named."""
    key = Authenticator()
    console.register(key)
    browser = other(console)
    first, second = browser.answer(key), browser.answer(key)
    swapped = {"challenge": first["challenge"], "credential": second["credential"]}
    assert browser.ask("POST", "/api/v1/session/passkey", swapped).status_code == 401


def test_challenge_for_one_purpose_is_no_use_for_another(console: Console) -> None:
    """A challenge of the sign-in registers nothing, nor does one that another session asked for."""
    key = Authenticator()
    asked = console.ok("POST", "/api/v1/session/passkey/options", {})
    options = {**asked["options"], "rp": {"id": "localhost"}}
    body = {"challenge": asked["challenge"], "credential": key.create(options), "name": "x"}
    assert console.ask("POST", "/api/v1/passkeys", body).json()["error"]["code"] == "challenge"
    asked = other(console, "ben").ok("POST", "/api/v1/passkeys/options", {})
    body = {"challenge": asked["challenge"], "name": "x"}
    body["credential"] = key.create(asked["options"])
    assert console.ask("POST", "/api/v1/passkeys", body).json()["error"]["code"] == "challenge"
    assert console.ok("GET", "/api/v1/passkeys") == {"passkeys": []}


def test_counter_that_goes_back_is_refused_and_counted(console: Console) -> None:
    """A signature counter that is not above the last one shows a copy of the key; it opens nothing."""
    key = Authenticator()
    console.register(key)
    key.count = 10
    browser = other(console)
    browser.ok("POST", "/api/v1/session/passkey", browser.answer(key))
    for count in (10, 3, -1):  # the signature says one more; the last one said 11
        key.count = count
        answer = browser.answer(key)
        assert browser.ask("POST", "/api/v1/session/passkey", answer).status_code == 401
    assert console.node.counters["passkeys-counter-back"] == 3
    key.count = 11
    browser.ok("POST", "/api/v1/session/passkey", browser.answer(key))


def test_key_that_does_not_count_goes_on_working(console: Console) -> None:
    """A passkey that several devices share has no counter: nought, always, is no copy."""
    key = Authenticator()
    console.register(key)
    for _ in range(2):
        key.count = -1
        browser = other(console)
        browser.ok("POST", "/api/v1/session/passkey", browser.answer(key))


def test_key_that_did_not_verify_its_user_is_refused(console: Console) -> None:
    """Touching a key that was found on a desk is not enough."""
    key = Authenticator()
    console.register(key)
    key.flags = 0x01
    browser = other(console)
    assert browser.ask("POST", "/api/v1/session/passkey", browser.answer(key)).status_code == 401
    asked = console.ok("POST", "/api/v1/passkeys/options", {})
    key = Authenticator(2)
    key.flags = 0x01
    body = {"challenge": asked["challenge"], "credential": key.create(asked["options"])}
    refused = console.ask("POST", "/api/v1/passkeys", {**body, "name": "x"})
    assert refused.json()["error"]["code"] == "passkey-refused"


def test_passkey_unlocks_the_session_of_its_own_officer_only(console: Console) -> None:
    """Anna's key unlocks Anna's session; Ben's is refused there, and counted as a wrong try."""
    anna, ben = Authenticator(1), Authenticator(2)
    console.register(anna)
    other(console, "ben").register(ben)
    console.ok("POST", "/api/v1/session/lock")
    refused = console.ask("POST", "/api/v1/session/unlock", other(console).answer(ben))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "unlock")
    assert "4 tries" in refused.json()["error"]["message"]
    assert console.ok("GET", "/api/v1/session")["locked"] is True
    answer = other(console).answer(anna)
    assert console.ok("POST", "/api/v1/session/unlock", answer)["locked"] is False
    assert console.ok("GET", "/api/v1/status")["party"] == "north"


def test_removed_passkey_opens_nothing(console: Console) -> None:
    """An officer removes own passkeys and nobody else's; what was removed is unknown at once."""
    key = Authenticator()
    made = console.register(key)
    path = f"/api/v1/passkeys/{made['id']}"
    refused = other(console, "ben").ask("DELETE", path)
    assert refused.json()["error"]["code"] == "passkey-unknown"
    assert console.ok("DELETE", path) == {"removed": made["id"]}
    browser = other(console)
    assert browser.ask("POST", "/api/v1/session/passkey", browser.answer(key)).status_code == 401
    console.register(key)
    console.node.store.remove_operator("anna")
    add_operator(console.node.store, "anna", "reader", "cell", PASSWORD, T0)
    assert browser.ask("POST", "/api/v1/session/passkey", browser.answer(key)).status_code == 401


def test_passkey_is_known_once_and_their_number_is_limited(console: Console) -> None:
    """One key is not added twice, by anybody, and an officer has ten at most."""
    for number in range(PASSKEYS_PER_OPERATOR):
        console.register(Authenticator(number))
    for browser, number, code in (
        (other(console, "ben"), 1, "passkey-exists"),
        (console, 99, "passkeys-many"),
    ):
        asked = browser.ok("POST", "/api/v1/passkeys/options", {})
        body = {"challenge": asked["challenge"], "name": "x"}
        body["credential"] = Authenticator(number).create(asked["options"])
        refused = browser.ask("POST", "/api/v1/passkeys", body)
        assert refused.json()["error"]["code"] == code


@pytest.mark.parametrize("name", ["", "x" * 65, "a\tb"])
def test_passkey_name_that_breaks_its_rule_is_refused(console: Console, name: str) -> None:
    """The name that an officer gives a key has a length and is printable."""
    asked = console.ok("POST", "/api/v1/passkeys/options", {})
    body = {"challenge": asked["challenge"], "name": name}
    body["credential"] = Authenticator().create(asked["options"])
    refused = console.ask("POST", "/api/v1/passkeys", body)
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "name")


@pytest.mark.parametrize("credential", [{}, {"id": 7}, {"id": "x", "response": []}, {"id": None}])
def test_rubbish_for_a_credential_is_refused_like_any_other(
    console: Console, credential: Any
) -> None:
    """Whatever is not an answer proves nothing, and brings out no fault."""
    for path, status in (("/api/v1/session/passkey", 401), ("/api/v1/passkeys", 400)):
        options = "/api/v1/passkeys/options" if status == 400 else f"{path}/options"
        asked = console.ok("POST", options, {})
        body = {"challenge": asked["challenge"], "credential": credential}
        if status == 400:
            body["name"] = "x"
        assert console.ask("POST", path, body).status_code == status


def test_passkey_needs_a_name_for_a_host(console: Console) -> None:
    """At an address, where browsers make no passkeys, the refusal says where to go."""
    for path in ("/api/v1/session/passkey/options", "/api/v1/passkeys/options"):
        refused = console.ask("POST", path, {}, host="127.0.0.1:4711")
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (400, "passkeys-need-a-name")
        assert "http://localhost:4711/" in error["hint"]


def test_origin_is_that_of_the_door() -> None:
    """Scheme and port are the door's, the host what was asked; a usual port is not written."""
    assert relying_of(Door("127.0.0.1", 4711), "localhost:9").origin == "http://localhost:4711"
    assert relying_of(Door("192.0.2.1", 4711), "n.example").origin == "https://n.example:4711"
    assert relying_of(Door("192.0.2.1", 443), "n.example").origin == "https://n.example"
    for address in ("192.0.2.1:4711", "[2001:db8::1]:4711", ""):
        with pytest.raises(UsageError):
            relying_of(Door("192.0.2.1", 4711), address)


def test_challenges_end_with_their_time_and_are_limited() -> None:
    """Five minutes, and so many at once: the oldest goes, the newest is good."""
    waiting = Challenges()
    made = [
        encode_base64url(waiting.make("sign-in", "", T0)) for _ in range(PASSKEY_CHALLENGES + 1)
    ]
    assert len(waiting) == PASSKEY_CHALLENGES
    with pytest.raises(UsageError):
        waiting.take(made[0], "sign-in", "", T0)
    end_us = T0 + CHALLENGE_S * US_PER_S
    assert encode_base64url(waiting.take(made[1], "sign-in", "", end_us - 1)) == made[1]
    with pytest.raises(UsageError):
        waiting.take(made[2], "sign-in", "", end_us)
    waiting.make("sign-in", "", end_us)
    assert len(waiting) == 1
