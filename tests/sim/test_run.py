"""Seeded days under faults: what must hold does hold, whatever goes wrong."""

from __future__ import annotations

import pytest

from detente.errors import UsageError
from detente.protocol import cease
from detente.simulation import check
from detente.simulation.chance import Chance
from detente.simulation.faults import NAMES, Faults
from detente.simulation.node import SimNode
from detente.simulation.officer import random_notice
from detente.simulation.run import simulate
from detente.simulation.world import MINUTE_US, World
from detente.units import US_PER_S


@pytest.mark.parametrize("seed", range(1, 13))
def test_simulate_all_faults_at_once_keeps_every_invariant(seed: int) -> None:
    """Under all faults together nothing acknowledged is lost, nobody honest is blamed, both sides agree."""
    found = simulate(seed, hours=1, parties=2, faults="all", every_s=60)
    assert found["violations"] == []
    assert found["delivered"] > 20


@pytest.mark.parametrize("seed", range(501, 507))
def test_simulate_steps_up_are_taken_once_and_none_is_lost(seed: int) -> None:
    """H-CEA-2, H-DUE-3: with nodes that die, lines that are cut and clocks that jump, every step is one entry on each
    side, none stays due, and no request is ever behind ordinary traffic (H-CEA-4)."""
    found = simulate(seed, hours=1, parties=2, faults="crash,partition,clock-skew", every_s=60)
    assert found["violations"] == []
    assert found["steps"] > 20
    assert found["crashes"] > 0


@pytest.mark.parametrize("fault", NAMES)
@pytest.mark.parametrize("seed", [101, 102])
def test_simulate_one_fault_keeps_every_invariant(fault: str, seed: int) -> None:
    """F-EX-2: Each fault by itself breaks nothing."""
    assert simulate(seed, hours=0.5, parties=2, faults=fault, every_s=60)["violations"] == []


def test_simulate_four_parties_under_all_faults_keep_every_invariant() -> None:
    """Notices to several recipients keep one body, and all pairs of nodes agree."""
    found = simulate(201, hours=0.5, parties=4, faults="all", every_s=60)
    assert found["violations"] == []
    assert found["conflicts"] > 0


def test_simulate_real_keys_keep_every_invariant() -> None:
    """The keyed-hash stand-ins stand for something: real signatures and sealing play the same day."""
    played = simulate(4, hours=0.15, faults="all", every_s=60, real_keys=True)
    assert played["violations"] == []
    simulated = simulate(4, hours=0.15, faults="all", every_s=60)
    names = ("statements", "delivered", "filed", "conflicts", "crashes", "network")
    assert {n: played[n] for n in names} == {n: simulated[n] for n in names}
    assert played["statements"] > 0


def test_simulate_without_faults_meets_conflicts_and_ceases() -> None:
    """The officers' day is worth simulating: notices, conflicts and cease requests all happen."""
    found = simulate(301, hours=1, parties=2, faults="none", every_s=60)
    assert found["violations"] == []
    assert found["conflicts"] > 0
    assert found["ceases"] > 0
    assert found["steps"] > 0
    assert found["network"].keys() == {"frames"}


def test_simulate_same_seed_plays_the_same_day() -> None:
    """A run is a pure function of its arguments, so a violation can be replayed."""
    first, again = (simulate(401, hours=0.3, faults="all", every_s=60) for _ in range(2))
    assert first == again
    assert simulate(402, hours=0.3, faults="all")["digest"] != first["digest"]


def test_simulate_all_faults_do_happen() -> None:
    """Each fault that is switched on is met: a fault that never happens proves nothing."""
    found = simulate(2, hours=2, parties=2, faults="all", every_s=60)
    assert found["violations"] == []
    assert found["crashes"] > 0
    assert {"cut", "lost", "late"} <= found["network"].keys()
    assert found["rotations"] > 0
    assert found["restores"] > 0


def test_simulate_all_lies_are_told_caught_and_proved() -> None:
    """Lies are told among all other faults, heads are cosigned meanwhile, and nobody honest is blamed."""
    found = simulate(31, hours=2, parties=2, faults="all", every_s=60)
    assert found["violations"] == []
    assert found["lies"] > 10
    assert found["cosigned"] > 0


@pytest.mark.parametrize("parties", [9, 20])
def test_simulate_many_parties_by_area_keep_every_invariant(parties: int) -> None:
    """Above eight the parties agree by area, and the witnesses are common to all."""
    found = simulate(41, hours=0.5, parties=parties, faults="all", every_s=600)
    assert found["violations"] == []
    assert found["delivered"] > 0


@pytest.mark.parametrize(("parties", "hours"), [(21, 0.25), (50, 0.25)])
def test_simulate_the_largest_networks_keep_every_invariant(parties: int, hours: float) -> None:
    """Up to fifty parties in seven areas, under all faults: a short day, every invariant."""
    found = simulate(41, hours=hours, parties=parties, faults="all", every_s=600)
    assert found["violations"] == []
    assert found["delivered"] > parties


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"parties": 1}, "parties-count"),
        ({"parties": 51}, "parties-count"),
        ({"hours": 0}, "hours-range"),
        ({"faults": "gremlins"}, "fault-unknown"),
    ],
)
def test_simulate_wrong_argument_is_refused(arguments: dict[str, object], code: str) -> None:
    """What the simulator does not know it does not play."""
    with pytest.raises(UsageError) as caught:
        simulate(**arguments)  # type: ignore[arg-type]
    assert caught.value.code == code


# -- the invariants can fail ---------------------------------------------------------------------


def _world() -> World:
    world = World(5, 2, Faults(), every_s=60)
    world.run(40 * MINUTE_US)
    world.heal()
    assert list(check.check_always(world.party_nodes)) == []
    assert list(check.check_healed(world.party_nodes)) == []
    return world


def _nodes(world: World) -> tuple[SimNode, SimNode]:
    north, south = world.party_nodes
    return north, south


def test_check_lost_statement_is_a_violation() -> None:
    """A receiver that loses what it acknowledged is found out."""
    world = _world()
    north, south = _nodes(world)
    fresh = SimNode(south.party, south.clock, world.network._chance, _agreement(south))
    found = list(check.check_always([north, fresh]))
    assert any("was acknowledged by south to north" in text for text in found)


def test_check_false_blame_is_a_violation() -> None:
    """An alarm against an honest node is found out."""
    world = _world()
    north, _ = _nodes(world)
    north.act(lambda core: core.alarm(north.now_us(), "equivocation", "it was not", "south"))
    assert any("is blamed" in text for text in check.check_always(world.party_nodes))


def test_check_conflict_missing_on_one_side_is_a_violation() -> None:
    """Two sides with different conflicts are found out."""
    world = _world()
    north, _ = _nodes(world)
    state = north.running.state
    live = check.live_conflicts(north.running, set(state.notices))
    assert live, "the seed must give a live conflict"
    state.conflicts.pop(next(iter(live)))
    found = list(check.check_healed(world.party_nodes))
    assert any("disagree on conflict" in text for text in found)
    assert any("a rebuild gives another state" in text for text in found)


def test_simulate_proposals_are_made_and_kept() -> None:
    """A-RES-5: on a day without faults officers propose ways out of conflicts, and some of them are accepted and done."""
    found = simulate(301, hours=2, parties=2, faults="none", every_s=60)
    assert found["violations"] == []
    assert found["proposals"] > 5
    assert found["kept"] > 0


def test_check_proposal_with_two_fates_is_a_violation() -> None:
    """A-RES-3: two sides that disagree on what became of a proposal are found out."""
    world = _world()
    north, _ = _nodes(world)
    known = north.running.state.resolution.known
    assert known, "the seed must give a proposal"
    next(iter(known.values())).answer = "0" * 64
    assert any("what became of proposal" in text for text in check.check_healed(world.party_nodes))


def test_check_advice_that_differs_is_a_violation() -> None:
    """A-PRI-1: two sides that compute other advice of what both hold are found out."""
    world = _world()
    north, south = _nodes(world)
    live = check.live_conflicts(north.running, check.common_notices(north.running, south.running))
    assert live, "the seed must give a live conflict"
    conflict = north.running.state.conflicts[min(live)]
    own = next(one["id"] for one in conflict.record["notices"] if one["id"].startswith("north:"))
    north.running.state.receipts.pop(north.running.state.notices[own].latest.statements["south"])
    assert any("advise differently" in text for text in check.check_healed(world.party_nodes))


def test_check_step_taken_twice_is_a_violation() -> None:
    """H-CEA-2: A step up that is written down again is found out."""
    world = _world()
    north, _ = _nodes(world)
    known = north.running.state.urgent.known.values()
    done = next(one for one in known if one.status == "escalated")
    again = {"urgent": done.id, "step": done.step, "desk": done.desk, "due_us": 0}
    north.act(lambda core: core.append_local(north.now_us(), "urgent/escalated", **again))
    assert any("the steps of" in text for text in check.check_healed(world.party_nodes))


def test_check_step_that_nobody_takes_is_a_violation() -> None:
    """H-CEA-2: A node that does not look at its clock is found out."""
    world = _world()
    north, _ = _nodes(world)
    assert list(check.check_due(world.party_nodes)) == []
    who = {"officer": "ada", "desk": "watch"}
    north.run(
        lambda core: cease.ask_cease(
            core, {"reason": "fire"}, [], north.now_us(), exercise=True, **who
        )
    )
    world.run(5 * US_PER_S)
    north.clock.offset_us += 10 * MINUTE_US
    assert any("a step up is overdue" in text for text in check.check_due([north]))


def test_check_filing_signed_before_a_waiting_request_is_a_violation() -> None:
    """H-CEA-4: A notice that is signed while a request to its recipient waits is found out."""
    world = _world()
    north, _ = _nodes(world)
    local = {"officer": "ada", "desk": "watch", "said": "hotline/cease", "to": ["south"]}
    north.act(lambda core: core.append_local(north.now_us(), "statement/filed", **local))
    notice = random_notice("Z-1", Chance(1), north.now_us(), exercise=True)
    north.run(
        lambda core: core.file_notice(notice, (), north.now_us(), officer="ada", desk="watch")
    )
    found = list(check.check_healed(world.party_nodes))
    assert any("while a request to south waited" in text for text in found)


def test_check_ordinary_that_overtakes_a_request_is_a_violation() -> None:
    """H-CEA-4: What came in before a safety statement that was made earlier is found out, and nothing else."""
    world = _world()
    north, south = _nodes(world)
    said = [
        statement
        for entry, _, statement, _ in north.disk.replay()
        if statement is not None and entry.header.kind == "made"
    ]
    came = [
        statement.id
        for entry, _, statement, _ in south.disk.replay()
        if statement is not None and entry.header.kind == "received"
    ]
    assert check.overtaken(said, came) == []
    first = next(one for one in said if one.chain == "safety")
    behind = [one for one in said[said.index(first) :] if one.chain == "ordinary"]
    came.remove(first.id)
    assert check.overtaken(said, came) == behind  # it has not come at all
    came.append(first.id)
    assert check.overtaken(said, came) == behind


def _agreement(node: SimNode) -> dict[str, object]:
    for entry, _, _, _ in node.running.journal.replay():
        if entry.local and entry.local["type"] == "agreement/accepted":
            return dict(entry.local["file"])
    raise AssertionError
