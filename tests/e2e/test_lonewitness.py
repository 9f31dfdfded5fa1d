"""A witness in nobody's agreement, as a process of its own: two nodes submit to it, and it is killed and comes back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from detente.ledger.checkpoint import origin_hash

NAME = "witness.example/w1"


@dataclass
class Lone:
    """The witness: its directory, its port, its process."""

    dir: Path
    port: int
    forks: Any
    kit: Any
    pid: int | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        argv = ["witness", "serve", str(self.dir), "--listen", f"127.0.0.1:{self.port}"]
        self.pid = self.forks.fork(argv, {}, self.dir.parent / "lone.out")
        self.kit.until(self.answers, "the witness answers")

    def kill(self) -> None:
        """kill -9, if it runs."""
        pid, self.pid = self.pid, None
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            self.kit.until(lambda: not self.kit.alive(pid), "the witness ends")

    def answers(self) -> bool:
        """Whether it is there."""
        try:
            return httpx.get(f"{self.url}/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def head(self, party: str) -> str:
        """The last head of a party's log that it shows; empty without one."""
        answer = httpx.get(f"{self.url}/witness/{origin_hash(f'detente/{party}/log/1')}/checkpoint")
        return answer.text if answer.status_code == 200 else ""


@pytest.fixture
def scene(
    make: Callable[..., Any], kit: Any, forks: Any, tmp_path: Path
) -> Iterator[tuple[Any, Lone]]:
    """Two parties, started, whose settings name a witness that knows their logs and is not started yet."""
    parties = make()
    lone = Lone(tmp_path / "lone", kit.free_port(), forks, kit)
    kit.ok("witness", "init", lone.dir, "--name", NAME)
    kit.ok("agree", "policy", parties.north.dir, "-o", tmp_path / "policy.txt")
    policy = (tmp_path / "policy.txt").read_text().splitlines()
    logs = [line for line in policy if line.startswith("log ")]
    (lone.dir / "logs.policy").write_text("\n".join([*logs, "quorum none"]) + "\n")
    vkeys = kit.ok("witness", "show", lone.dir, "--json").json["vkeys"]
    for party in ("north", "south"):
        with (parties.nodes[party].dir / "config.toml").open("a") as config:
            config.write(
                f'\n[[witness]]\nurl = "{lone.url}"\nvkeys = {vkeys!r}\n'.replace("'", '"')
            )
    parties.start("north", "south")
    parties.wait_open()
    yield parties, lone
    lone.kill()


def reader(lone: Lone, tmp_path: Path) -> Path:
    """The policy of a reader who trusts this witness and nobody else."""
    lines = (tmp_path / "policy.txt").read_text().splitlines()
    ed25519, mldsa44 = lone.kit.ok("witness", "show", lone.dir, "--json").json["vkeys"]
    lines = [one for one in lines if one.startswith("log ")]
    lines += [f"witness a {ed25519}", f"witness b {mldsa44}", "group w all a b", "quorum w"]
    path = tmp_path / "reader.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_two_nodes_submit_to_a_witness_that_is_killed_and_comes_back(
    scene: tuple[Any, Lone], kit: Any, tmp_path: Path
) -> None:
    """L-WIT-8, L-WIT-1: both logs are cosigned again after kill -9, from where it was, and a reader's policy is met by it."""
    parties, lone = scene
    north, south = parties.north, parties.south
    policy = reader(lone, tmp_path)

    def failing() -> Any:
        return north.status()["cosigners"][NAME]

    # nobody there: it is said, and nothing waits for it
    assert parties.file(north, kit.feature("L-1", 50, 10), "--wait", "delivered").code == 0
    kit.until(failing, "the missing witness is told")
    lone.start()

    def cosigned() -> bool:
        ledgers = [node.status()["ledger"] for node in (north, south)]
        return all(NAME in one["cosigned_by"] for one in ledgers)

    kit.until(cosigned, "both logs are cosigned by it")
    kit.until(lambda: failing() is None, "it is well")
    before = {party: lone.head(party) for party in ("north", "south")}
    assert all(f"\u2014 {NAME} " in head for head in before.values())
    # it vouches to those who name it, and for nothing in the agreement
    vouched = north.status()["ledger"]["vouched"]
    assert NAME not in vouched["of"] + vouched["by"]

    lone.kill()
    assert parties.file(north, kit.feature("L-2", 50, 10), "--wait", "delivered").code == 0
    kit.until(failing, "the killed witness is told")
    lone.start()
    assert {party: lone.head(party) for party in before} == before
    kit.until(lambda: cosigned() and lone.head("north") != before["north"], "it goes on")

    bundle = tmp_path / "l2.bundle"

    def proved() -> bool:
        kit.ok("prove", north.dir, "north:L-2", "-o", bundle, "--wait-s", "0")
        ran = kit.cli(
            *("verify", bundle, "--trust", parties.agreement, "--policy", policy, "--json")
        )
        found = ran.json
        if ran.code != 0:
            return False
        assert [one["met"] for one in found["quorum"]] == [True]
        assert not any("unknown cosigner" in one for one in found["remarks"])
        return True

    kit.until(proved, "a bundle satisfies the reader who trusts this witness alone")
    plain = kit.ok("verify", bundle, "--trust", parties.agreement, "--json").json
    assert any("unknown cosigner" in one for one in plain["remarks"])
