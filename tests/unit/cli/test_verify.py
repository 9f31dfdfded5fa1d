"""The command that checks a bundle, with a policy of the reader's."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import msgspec
from typer.testing import CliRunner

from detente.cli.main import app
from detente.ledger.policy import format_policy
from detente.protocol.bundling import make_bundle
from detente.protocol.views import find_statements
from detente.simulation.node import converse, cosign_newest
from detente.simulation.officer import random_notice
from detente.simulation.party import REAL
from detente.simulation.room import Room


@functools.cache
def scene() -> tuple[bytes, dict[str, object], str, str]:
    """North's bundle, cosigned by south; the roots; a policy that it satisfies, and one that it does not."""
    room = Room(2, crypto=REAL)
    north, south = room.nodes()
    converse(north, south)
    notice = random_notice("A-1", room.chance, north.now_us(), exercise=True)
    north.run(lambda core: core.file_notice(notice, (), north.now_us(), officer="o", desk="d"))
    room.wait(3)
    converse(north, south)
    cosign_newest(north, south)
    data = make_bundle(north.running, find_statements(north.running, "A-1"))
    keys = {one.name: one.identity.signer.public for one in room.parties}
    logs = {"detente/north/log/1": keys["north"]}
    met = format_policy(logs, {"detente/south": keys["south"]}, 1)
    unmet = format_policy(logs, {"detente/un": keys["south"]}, 1)
    roots = {one.name: one.root.public.to_json() for one in room.parties}
    return data, {"roots": roots}, met, unmet


def verify(folder: Path, policy: str, data: bytes | None = None) -> tuple[int, str]:
    """Exit code and output."""
    bundle, roots, _, _ = scene()
    (folder / "a.bundle").write_bytes(bundle if data is None else data)
    (folder / "trust.json").write_bytes(msgspec.json.encode(roots))
    (folder / "policy").write_text(policy, "utf-8")
    files = [str(folder / name) for name in ("a.bundle", "trust.json", "policy")]
    words = ["verify", files[0], "--trust", files[1], "--policy", files[2]]
    plain = CliRunner().invoke(app, words)
    if plain.exit_code < 2:
        found = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
        assert found["valid"] is True
        assert found["quorum"][0]["met"] is (plain.exit_code == 0)
    return plain.exit_code, plain.output


def test_verify_policy_that_is_satisfied_says_so(tmp_path: Path) -> None:
    """B-POL-1: with the quorum the command ends with 0 and names the log."""
    code, text = verify(tmp_path, scene()[2])
    assert code == 0
    assert "quorum for detente/north/log/1 met" in text


def test_verify_policy_that_is_not_satisfied_ends_with_1(tmp_path: Path) -> None:
    """B-POL-1: the bundle is valid, and whoever lacks is named."""
    code, text = verify(tmp_path, scene()[3])
    assert code == 1
    assert "VALID" in text
    assert "NOT MET" in text
    assert "detente/un" in text


def test_verify_policy_of_a_file_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    """Nobody takes a policy for checked that was not looked at."""
    code, text = verify(tmp_path, scene()[2], b"detente-evidence/1 REAL\n")
    assert code == 2
    assert "a policy is for a bundle" in text
