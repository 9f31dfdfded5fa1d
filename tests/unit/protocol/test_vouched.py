"""Whether the newest head of a node's own log counts as witnessed, by the agreement's quorum."""

from __future__ import annotations

from itertools import pairwise

import pytest

from detente.agreement.terms import Terms
from detente.errors import UnavailableError
from detente.ledger.checkpoint import parse_checkpoint
from detente.ledger.merkle import verify_consistency
from detente.ledger.note import parse_note
from detente.limits import QUORUM_LATE_S
from detente.node.recordwatch import RecordWatch
from detente.protocol.effect import Alert
from detente.protocol.vouched import Quorum, quorum_of, vouched, vouched_words
from detente.simulation.node import SimNode, converse, cosign_newest
from detente.simulation.party import make_agreement
from detente.simulation.room import Room
from detente.simulation.world import START_US
from detente.units import US_PER_S, format_time


class Scene:
    """North, south, and as many witnesses as one likes among five parties; north has signed a head."""

    def __init__(self, witnesses: tuple[str, ...], quorum: int) -> None:
        self.room = Room(5)
        terms = Terms(quorum=quorum)
        self.room.agreement = make_agreement(
            self.room.parties, START_US, terms, witnesses=witnesses
        )
        self.nodes = {node.name: node for node in self.room.nodes()}
        self.north = self.nodes["north"]
        converse(self.north, self.nodes["south"])
        self.signed_us = self.sign()

    def sign(self) -> int:
        """North appends something and signs a head; when."""
        self.north.act(
            lambda core: core.append_local(
                self.north.now_us(), "alarm", code="x", message="x", party=None
            )
        )
        self.north.act(lambda core: core.checkpoint(self.north.now_us()))
        return self.north.now_us() // US_PER_S * US_PER_S

    def cosigned(self, *names: str) -> None:
        """These cosign north's newest head."""
        for name in names:
            cosign_newest(self.north, self.nodes[name])

    @property
    def size(self) -> int:
        """North's newest head."""
        found = self.north.running.journal.checkpoint()
        assert found is not None
        return found[0]


def others(count: int) -> tuple[str, ...]:
    """Names of others than north and south to be witnesses."""
    names = sorted(party.name for party in Room(5).parties)
    return tuple([one for one in names if one not in ("north", "south")][:count])


def test_head_with_k_of_n_counts_as_witnessed_and_with_fewer_does_not() -> None:
    """L-POL-6, L-POL-7: two of three must cosign; a party that is no witness does not stand in for one."""
    names = others(3)
    scene = Scene(names, 2)
    assert vouched(scene.north.running).since == format_time(scene.signed_us)
    scene.cosigned(names[0], "south")
    found = vouched(scene.north.running)
    assert (found.least, found.of, found.by) == (2, sorted(names), [names[0]])
    assert not found.met
    assert found.size == 0
    scene.cosigned(names[2])
    found = vouched(scene.north.running)
    assert found.met
    assert found.by == sorted((names[0], names[2]))
    assert (found.size, found.since) == (scene.size, None)


def test_head_signed_after_the_last_that_counts_is_said_with_its_time() -> None:
    """L-POL-7: what counts stays said with its size; since when nothing has is the time of the next head."""
    names = others(1)
    scene = Scene(names, 1)
    scene.cosigned(*names)
    counted = scene.size
    scene.room.wait(7)
    signed_us = scene.sign()
    scene.room.wait(7)
    scene.sign()
    found = vouched(scene.north.running)
    assert (found.met, found.size, found.since) == (False, counted, format_time(signed_us))
    assert f"up to entry {counted}" in vouched_words(found)
    assert format_time(signed_us) in vouched_words(found)


def test_agreement_without_witness_is_content_with_one_other_party() -> None:
    """L-POL-6: where nobody is named, any other party will do, and the party itself will not."""
    scene = Scene((), 1)
    found = vouched(scene.north.running)
    assert found.least == 1
    assert "north" not in found.of
    scene.cosigned("south")
    assert vouched(scene.north.running).met


@pytest.mark.parametrize(
    ("witnesses", "quorum", "wanted"),
    [
        (2, 5, 2),  # all, where fewer are named
        (2, 0, 0),
        (0, 3, 1),
        (0, 0, 0),
    ],
)
def test_quorum_is_bounded_by_who_is_named(witnesses: int, quorum: int, wanted: int) -> None:
    """L-POL-6: a quorum above the number of witnesses asks for all; of 0, for nobody."""
    scene = Scene(others(witnesses), quorum)
    assert quorum_of(scene.north.running.state.agreement, "north").least == wanted
    assert vouched(scene.north.running).met is (wanted == 0)


def test_quorum_never_counts_the_party_itself() -> None:
    """L-POL-6: a party that the agreement names as witness does not vouch for its own log."""
    scene = Scene(("north", *others(1)), 2)
    agreement = scene.north.running.state.agreement
    assert quorum_of(agreement, "north") == Quorum(1, others(1))
    assert quorum_of(agreement, "south").least == 2


def test_quorum_without_agreement_asks_for_nobody() -> None:
    """L-POL-6: before an agreement there is nobody to ask."""
    assert quorum_of(None, "north") == Quorum(0, ())


def test_heads_of_a_log_extend_each_other_and_stand_on_entries_that_are_durable() -> None:
    """L-CP-5: one head for a size, each consistent with those before; none is signed where its entries are not kept."""
    scene = Scene((), 1)
    core, disk = scene.north.running, scene.north.disk
    sizes = [scene.size]
    for _ in range(6):
        scene.sign()
        sizes.append(scene.size)
    notes = [core.journal.checkpoint(size) for size in sizes]
    heads = [parse_checkpoint(parse_note(found[1])) for found in notes if found is not None]
    for old, new in pairwise(heads):
        hashes = core.tree.consistency_proof(old.size, new.size)
        verify_consistency(old.size, new.size, hashes, old.root, new.root)
    assert scene.north.act(lambda core: core.checkpoint(scene.north.now_us() + 9)) == notes[-1][1]  # type: ignore[index]
    disk.full = True
    with pytest.raises(UnavailableError):
        scene.sign()
    disk.full = False
    scene.north.crash()
    scene.north.start()
    assert scene.size == sizes[-1]
    assert scene.north.running.tree.size == sizes[-1]


def look(scene: Scene, watch: RecordWatch, rate: float = 1.0) -> list[str]:
    """The codes that the watch tells officers now."""
    node: SimNode = scene.north
    effects = node.run(lambda core: ((e := watch.look(core, node.now_us(), rate)), e))
    return [one.code for one in effects if isinstance(one, Alert)]


def test_quorum_missing_for_ten_minutes_is_one_alarm() -> None:
    """L-POL-7: not before, once however often it is looked at, also by a program started anew; and its end is told."""
    names = others(1)
    scene, watch = Scene(names, 1), RecordWatch()
    scene.room.wait(QUORUM_LATE_S - 2)
    assert look(scene, watch) == []
    scene.room.wait(3)
    assert look(scene, watch) == ["quorum-missing"]
    scene.sign()
    assert look(scene, watch) == []
    assert look(scene, RecordWatch()) == []
    codes = [one.code for one in scene.north.running.state.alarms]
    assert codes.count("quorum-missing") == 1
    scene.cosigned(*names)
    assert look(scene, watch) == ["quorum-met"]
    assert look(scene, watch) == []


def test_quorum_missing_again_is_an_alarm_again() -> None:
    """L-POL-7: each time since which none counts is an alarm of its own."""
    names = others(1)
    scene, watch = Scene(names, 1), RecordWatch()
    scene.cosigned(*names)
    for _ in range(2):
        scene.sign()
        scene.room.wait(QUORUM_LATE_S + 2)
        assert look(scene, watch) == ["quorum-missing"]
        scene.sign()
        scene.cosigned(*names)
        assert look(scene, watch) == ["quorum-met"]


def test_quorum_by_a_clock_that_runs_fast_is_awaited_longer() -> None:
    """L-POL-7: witnesses answer in real seconds, however fast an exercise's clock runs."""
    scene = Scene(others(1), 1)
    scene.room.wait(QUORUM_LATE_S + 2)
    assert look(scene, RecordWatch(), rate=10.0) == []
