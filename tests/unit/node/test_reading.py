"""The route that reads what an officer pasted."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from litestar.testing import create_test_client

from detente.errors import DetenteError
from detente.interop.found import Reading
from detente.node import reading
from detente.node.peerdoor import HANDLERS
from detente.node.reading import READING_WAITING, reading_routes


@pytest.fixture
def asked() -> list[str]:
    """The actions that the route asked an officer for."""
    return []


@pytest.fixture
def client(asked: list[str]) -> Any:
    """A client of that route alone; nobody is an officer after two questions."""

    async def officer(_request: Any, action: str) -> Any:
        if len(asked) == 2:
            raise DetenteError("role", "role is reader; it must be another")
        asked.append(action)

    with create_test_client(reading_routes(officer), exception_handlers=HANDLERS) as found:
        yield found


def test_read_answers_what_was_found(client: Any, asked: list[str]) -> None:
    """The answer is of the declared shape, and any officer may ask."""
    answer = client.post("/api/v1/read", json={"text": "353125N 0354716E 5NM"})
    assert answer.status_code == 200
    found = msgspec.convert(answer.json(), Reading)
    assert found.features[0].properties.radius_nm == 5
    assert asked == ["read"]
    assert answer.json()["features"][0]["properties"] == {"radius_nm": 5.0}


def test_read_refuses_with_the_place_of_the_error(client: Any) -> None:
    """A text with two meanings is an error of the usual form."""
    answer = client.post("/api/v1/read", json={"text": "35,5 36,2"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "comma-ambiguous"
    assert answer.json()["error"]["field"] == "line 1, column 3"


def test_read_without_an_officer_reads_nothing(client: Any, asked: list[str]) -> None:
    """The officer is asked before the text is looked at."""
    asked += ["read", "read"]
    answer = client.post("/api/v1/read", json={"text": "35,5 36,2"})
    assert answer.json()["error"]["code"] == "role"


@pytest.mark.parametrize("body", [{}, {"text": 1}, {"text": "35N 36E", "more": 1}, []])
def test_read_of_another_body_is_refused(client: Any, body: Any) -> None:
    """Only a text is taken."""
    assert client.post("/api/v1/read", json=body).status_code == 400


def test_texts_are_read_one_at_a_time_and_few_wait(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are sent at once, one is read, some wait their turn, and the rest are told to come again."""
    gate, at_once, most = threading.Event(), [0], [0]
    read = reading.read_pasted

    def slow(text: bytes) -> Reading:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        gate.wait(20)
        at_once[0] -= 1
        return read(text)

    async def officer(_request: Any, action: str) -> Any:
        asked.append(action)

    monkeypatch.setattr(reading, "read_pasted", slow)
    count = READING_WAITING + 3
    with (
        create_test_client(reading_routes(officer), exception_handlers=HANDLERS) as client,
        ThreadPoolExecutor(count) as pool,
    ):
        sent = [
            pool.submit(client.post, "/api/v1/read", json={"text": "35.5, 36.25"})
            for _ in range(count)
        ]
        until = time.monotonic() + 20
        while sum(one.done() for one in sent) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        gate.set()
        codes = sorted(one.result().status_code for one in sent)
    assert codes == [200] * READING_WAITING + [503] * 3
    assert most == [1]


def test_text_with_half_a_character_is_refused(client: Any) -> None:
    """Half of a surrogate pair is no text; it is the sender's mistake and not the node's."""
    answer = client.post("/api/v1/read", content=b'{"text": "35N 36E \\ud800"}')
    assert answer.status_code == 400
