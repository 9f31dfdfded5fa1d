"""A witness that stands alone: keys of its own, the logs it was told of, a small store; no agreement, no statements.

Its directory holds ``witness.seed`` (keep it secret), ``name``, ``logs.policy`` (the `log` lines of a
tlog-policy file; each log by both of its keys) and ``witness.db``. It speaks plain HTTP: what it says is
signed. Put it behind a proxy with TLS where readers want that.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from litestar import Litestar, Request, Response, get, post
from litestar.params import FromPath

from detente.errors import PeerError, UnavailableError, UsageError
from detente.ledger.cosignature import cosigner_keys
from detente.ledger.note import ED25519_NOTE, MLDSA44_COSIGNATURE, check_key_name
from detente.ledger.policy import Policy, parse_policy
from detente.ledger.witness import (
    ADD_CHECKPOINT_BYTES,
    WitnessAnswer,
    Witnessed,
    WitnessedHead,
    WitnessState,
    advance_witness,
    malformed_answer,
    parse_add_checkpoint,
)
from detente.node.body import read_body
from detente.node.home import split_listen
from detente.node.logroom import checkpoint_answer
from detente.node.peerdoor import HANDLERS, healthz
from detente.node.store import Store
from detente.node.witnessroom import find_witnessed
from detente.signing.key import PublicKeys, SigningKeys

SEED, NAME, LOGS, DATABASE = "witness.seed", "name", "logs.policy", "witness.db"
SEED_BYTES = 64


def init_witness(path: Path, name: str) -> None:
    """Make a witness's directory, which knows no log yet.

    Raises:
        UsageError: ``key-name``, or ``directory-exists``.
    """
    check_key_name(name)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path / SEED, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(
            "directory-exists", f"{str(path)!r} is a witness already; it must be a new directory"
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(os.urandom(SEED_BYTES))
        os.fsync(file.fileno())
    (path / NAME).write_text(name + "\n", "utf-8")
    (path / LOGS).write_text("# one line for each key of each log: log <vkey>\nquorum none\n")


def known_logs(policy: Policy) -> dict[str, PublicKeys]:
    """The logs of a policy by origin, each under both of its keys.

    Raises:
        UsageError: ``log-keys``: one of the two is missing, or there are more.
    """
    found: dict[str, PublicKeys] = {}
    for origin in sorted({key.name for key in policy.logs}):
        by = {
            kind: [k.public for k in policy.logs if (k.name, k.kind) == (origin, kind)]
            for kind in (ED25519_NOTE, MLDSA44_COSIGNATURE)
        }
        if any(len(keys) != 1 for keys in by.values()):
            raise UsageError(
                "log-keys",
                f"log {origin!r} is not under two keys; it must be under one of each type",
            )
        found[origin] = PublicKeys(by[ED25519_NOTE][0], by[MLDSA44_COSIGNATURE][0])
    return found


class LoneWitness:
    """A witness's directory, opened by this process alone.

    Raises:
        UsageError: ``witness-unreadable``: it is no witness's. UnavailableError: ``directory-in-use``.
    """

    def __init__(self, path: Path) -> None:
        try:
            seed = (path / SEED).read_bytes()
            self.name = (path / NAME).read_text("utf-8").strip()
            self.logs = known_logs(parse_policy((path / LOGS).read_bytes()))
        except OSError as error:
            raise UsageError(
                "witness-unreadable",
                f"{str(path)!r} is no witness ({error.strerror}); it must be made by detente witness init",
            ) from None
        if len(seed) != SEED_BYTES:
            raise UsageError(
                "witness-unreadable", f"{SEED} is cut off; it must be {SEED_BYTES} bytes"
            )
        check_key_name(self.name)
        self.keys = SigningKeys.from_seed(seed)
        self._lock = os.open(path / "witness.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise UnavailableError(
                "directory-in-use", f"{str(path)!r} is in use; one directory must have one witness"
            ) from None
        self.store = Store.at(path / DATABASE)

    def close(self) -> None:
        """Let the directory go."""
        self.store.close()
        os.close(self._lock)

    @property
    def vkeys(self) -> list[str]:
        """Its two keys as others' policies name them."""
        return [key.format() for key in cosigner_keys(self.name, self.keys.public)]

    def heads(self) -> dict[str, int]:
        """The size last cosigned, by origin; 0 for a log that has not come yet."""
        kept = {origin: self._head(origin) for origin in self.store.witness_origins()}
        return dict.fromkeys(self.logs, 0) | {o: head.size for o, head in kept.items() if head}

    def add_checkpoint(self, body: bytes, now_s: int) -> WitnessAnswer:
        """Answer a request: read, advanced and durable in one step, since nothing else runs meanwhile (L-WIT-2)."""
        try:
            request = parse_add_checkpoint(body)
        except PeerError as error:
            return malformed_answer(error)
        origin = request.note.partition("\n")[0]
        head = self._head(origin)
        state = WitnessState({origin: head} if head else {})
        after, answer = advance_witness(
            state, request, logs=self.logs, signer=self.keys, name=self.name, now_s=now_s
        )
        try:
            if after is not state:
                new = after.heads[origin]
                self.store.put_value(f"witness:{origin}", msgspec.to_builtins(new))
                if self.store.witnessed(origin, new.size) is None:
                    self.store.put_witnessed(Witnessed(origin, new.size, now_s, new.root, new.note))
            elif answer.evidence and not self._refused(origin):
                # the first pair says it all: whoever asks again and again does not fill the disk
                self.store.put_value(f"refused:{origin}", list(answer.evidence))
            self.store.commit()
        except BaseException:
            self.store.rollback()
            raise
        return answer

    def refused(self) -> dict[str, list[str]]:
        """By origin, the first head of a log that did not extend the one cosigned before, behind that one (L-WIT-5)."""
        kept = {origin: self._refused(origin) for origin in self.logs}
        return {origin: notes for origin, notes in kept.items() if notes}

    def _refused(self, origin: str) -> list[str]:
        return self.store.value(f"refused:{origin}") or []

    def _head(self, origin: str) -> WitnessedHead | None:
        kept = self.store.value(f"witness:{origin}")
        return msgspec.convert(kept, WitnessedHead) if kept else None


def witness_app(witness: LoneWitness) -> Litestar:
    """What it serves: add-checkpoint, and what it cosigned."""

    @post("/witness/add-checkpoint", status_code=200, include_in_schema=False)
    async def add_checkpoint(request: Request[Any, Any, Any]) -> Response[str]:
        body = await read_body(request, ADD_CHECKPOINT_BYTES)
        answer = witness.add_checkpoint(body, int(time.time()))
        kind = {"Content-Type": answer.content_type}
        return Response(answer.body, status_code=answer.status, headers=kind)

    @get("/witness/{hashed:str}/checkpoint", include_in_schema=False)
    async def witnessed(hashed: FromPath[str]) -> Response[Any]:
        return checkpoint_answer(find_witnessed(witness.store, hashed))

    return Litestar(
        [add_checkpoint, witnessed, healthz],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,  # `read_body` has the limit
        exception_handlers=HANDLERS,
    )


def serve_witness(witness: LoneWitness, listen: str) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        UsageError: ``listen-malformed``.
    """
    host, port = split_listen(listen, field="--listen")
    uvicorn.run(
        witness_app(witness),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
    )
