"""How a command reaches a node: through its local socket when it runs, else by opening its directory."""

from __future__ import annotations

import asyncio
import getpass
import json
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from detente.errors import UnavailableError
from detente.node.home import Home
from detente.node.outcome import error_from_json

START_WAIT_S = 20.0  # a node that holds the lock but does not listen yet is starting or stopping
TIMEOUT_S = 120.0


class Api:
    """The API of a node's directory, running or not."""

    def __init__(self, path: Path) -> None:
        self.home = Home(path)
        self._node: Any = None
        self._app: Any = None
        self._http: httpx.Client | None = None

    def __enter__(self) -> Self:
        until = time.monotonic() + START_WAIT_S
        while True:
            if self._connect():
                return self
            try:
                self._open()
                return self
            except UnavailableError as error:
                if error.code != "directory-in-use" or time.monotonic() > until:
                    raise
            time.sleep(0.05)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            self._http.close()
        if self._node is not None:
            from detente.node import courierrun

            courierrun.put_down(self.home, self._node.core)
            self._node.close()

    @property
    def running(self) -> bool:
        """Whether a running node answers (rather than this process itself)."""
        return self._http is not None

    def _connect(self) -> bool:
        if not self.home.socket.exists():
            return False
        client = httpx.Client(
            transport=httpx.HTTPTransport(uds=self.home.socket_address()),
            base_url="http://node",
            timeout=TIMEOUT_S,
        )
        try:
            client.get("/healthz")
        except httpx.HTTPError:
            client.close()
            return False
        self._http = client
        return True

    def _open(self) -> None:
        # imported here: a command to a running node needs neither the store nor the engine
        from detente.node import courierrun
        from detente.node.api import api_app
        from detente.node.node import Node

        self._node = Node(self.home)
        courierrun.take_up(self.home, self._node.core)
        self._app = api_app(self._node, local=True)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content: bytes | None = None,
        params: dict[str, Any] | None = None,
    ) -> httpx.Response:
        """One request; an error answer is raised as the error it was.

        Raises:
            DetenteError: what the node answered, or ``node-unreachable``.
        """
        options: dict[str, Any] = {
            "params": {k: v for k, v in (params or {}).items() if v is not None},
            "headers": {"x-officer": getpass.getuser()},
        }
        if content is not None:
            options["content"] = content
        elif body is not None:
            options["json"] = body
        try:
            response = (
                self._http.request(method, path, **options)
                if self._http
                else asyncio.run(self._inside(method, path, options))
            )
        except httpx.HTTPError as error:
            raise UnavailableError(
                "node-unreachable", f"the node stopped answering ({type(error).__name__})"
            ) from error
        if response.status_code >= 400:
            try:
                detail = response.json()
            except json.JSONDecodeError:
                detail = None
            raise error_from_json(detail, response.status_code)
        return response

    async def _inside(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://node", timeout=TIMEOUT_S
        ) as client:
            return await client.request(method, path, **options)

    def json(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer."""
        return self.request(method, path, **options).json()


class Session:
    """An officer who signed in at a running node's door, as a console does.

    Args:
        base: the door, ``http://127.0.0.1:PORT``.

    Raises:
        DetenteError: name or password is wrong.
    """

    def __init__(self, base: str, name: str, password: str) -> None:
        self._http = httpx.Client(base_url=base, timeout=TIMEOUT_S)
        found = self.json("POST", "/api/v1/session", body={"name": name, "password": password})
        self._http.headers["authorization"] = f"Bearer {found['token']}"

    def json(self, method: str, path: str, *, body: Any = None) -> Any:
        """The JSON of an answer; an error answer is raised as the error it was.

        Raises:
            DetenteError: what the node answered, or ``node-unreachable``.
        """
        try:
            response = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise UnavailableError(
                "node-unreachable", f"the node stopped answering ({type(error).__name__})"
            ) from error
        if response.status_code >= 400:
            raise error_from_json(response.json(), response.status_code)
        return response.json()

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()
