"""Each invariant of the simulator is broken on purpose, in the program that it watches, and seen to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from detente.protocol import core as core_module
from detente.protocol import evidence, incoming
from detente.protocol.core import Core
from detente.protocol.evidence import Found
from detente.protocol.fold import State
from detente.protocol.journal import Entry
from detente.simulation import node as node_module
from detente.simulation import world as world_module
from detente.simulation.disk import Disk
from detente.simulation.run import simulate

Patch = pytest.MonkeyPatch


def forget_what_was_acknowledged(patch: Patch) -> None:
    """A store that loses what it answered for."""
    found = Disk.entry_of

    def entry_of(disk: Disk, statement: str) -> Entry | None:
        entry = found(disk, statement)
        return None if entry is not None and entry.index % 7 == 3 else entry

    patch.setattr(Disk, "entry_of", entry_of)


def find_no_conflicts(patch: Patch) -> None:
    """North does not look."""
    find = core_module.find_meetings

    def find_meetings(state: State, *rest: Any) -> Iterator[Any]:
        return iter(()) if state.party == "north" else find(state, *rest)

    patch.setattr(core_module, "find_meetings", find_meetings)


def cry_wolf(patch: Patch) -> None:
    """An alarm against whoever sends a notice."""

    def cry(core: Core, now_us: int, taken: incoming.Taken) -> None:
        for entry in taken.entries:
            if entry.header.type == "activity/notice":
                taken.effects += core.alarm_once(now_us, "equivocation", "it was not", "south")

    patch.setattr(incoming, "_note_refused", cry)


def catch_no_equivocation(patch: Patch) -> None:
    """A node that keeps an equivocation to itself."""
    alarm = Core.alarm_once

    def alarm_once(core: Core, now_us: int, code: str, *rest: Any, **proof: Any) -> Any:
        quiet = code in ("equivocation", "chain-fork")
        return [] if quiet else alarm(core, now_us, code, *rest, **proof)

    patch.setattr(Core, "alarm_once", alarm_once)


def refuse_the_evidence(patch: Patch) -> None:
    """Evidence that nobody can verify."""
    patch.setattr(evidence, "verify_evidence", _refuse)


def _refuse(*_: Any, **__: Any) -> Any:
    from detente.errors import PeerError

    raise PeerError("evidence-invalid", "evidence is wrong; it must be right", field="x")


def prove_a_wrong_of_somebody_honest(patch: Patch) -> None:
    """A record that proves what did not happen."""
    patch.setattr(evidence, "find_evidence", lambda core: iter([_wrong(core)]))


def _wrong(core: Core) -> Found:
    return Found("equivocation", core.identity.party, 0, "", {})


def keep_every_body(patch: Patch) -> None:
    """Memory that grows."""

    def keep_volumes(state: State, body: str, volumes: Any) -> None:
        state.parsed[f"{body}{len(state.parsed)}"] = volumes

    patch.setattr(State, "keep_volumes", keep_volumes)


def give_no_receipts(patch: Patch) -> None:
    """What was taken is not answered."""
    patch.setattr(incoming, "_answer_all", lambda core, now_us, taken: None)


def pass_nothing(patch: Patch) -> None:
    """A node that does not look at its clock."""
    patch.setattr(world_module, "pass_due", lambda core, now_us: [])


def send_the_ordinary_first(patch: Patch) -> None:
    """A frame that leaves the safety chain for later."""
    next_frame = incoming.next_frame

    def ordinary_only(core: Core, peer: str, now_us: int, **how: Any) -> Any:
        most = how.pop("chains", ("safety", "ordinary"))
        return next_frame(
            core, peer, now_us, chains=("ordinary",) if "ordinary" in most else (), **how
        )

    patch.setattr(node_module, "next_frame", ordinary_only)


def salt_anew(patch: Patch) -> None:
    """A leaf that its record cannot open."""
    leaf_seed = Core.leaf_seed

    def seed(core: Core, index: int) -> bytes:
        return bytes(32) if core.tree.size == index and index % 9 == 0 else leaf_seed(core, index)

    patch.setattr(Core, "leaf_seed", seed)


MUTANTS: list[tuple[Callable[[Patch], None], str, str]] = [
    (forget_what_was_acknowledged, "none", "is not in the record of"),
    (find_no_conflicts, "none", "disagree on conflict"),
    (cry_wolf, "none", "an honest node is blamed: equivocation"),
    (catch_no_equivocation, "lies", "was not caught"),
    (refuse_the_evidence, "lies", "is not accepted"),
    (prove_a_wrong_of_somebody_honest, "none", "evidence against an honest node"),
    (keep_every_body, "none", "parsed bodies are"),
    (give_no_receipts, "none", "has no receipt from"),
    (pass_nothing, "none", "is overdue by"),
    (send_the_ordinary_first, "none", "waits behind ordinary"),
    (salt_anew, "none", "audit:"),
]


@pytest.mark.parametrize(
    ("mutate", "faults", "said"), MUTANTS, ids=lambda one: getattr(one, "__name__", "")
)
def test_program_that_breaks_an_invariant_is_seen_with_the_command_that_replays_it(
    mutate: Callable[[Patch], None], faults: str, said: str, monkeypatch: Patch
) -> None:
    """A program that is wrong in one thing has a violation that says which, when, and the command that plays it again."""
    arguments: dict[str, Any] = {"seed": 5, "hours": 0.7, "faults": faults, "every_s": 60}
    assert simulate(**arguments)["violations"] == []
    mutate(monkeypatch)
    found = simulate(**arguments)
    assert any(said in text for text in found["violations"]), found["violations"][:5]
    assert found["first_violation"]["time"].startswith("2018-09-17T")
    command = f"detente simulate --seed 5 --hours 0.7 --parties 2 --faults {faults} --every 60"
    assert found["replay"] == command
