"""Deadlines under crashes, restarts, cut lines and clocks that jump: none is lost, none passes twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detente.errors import DetenteError
from detente.notice.readback import ReadBack
from detente.protocol import ladder, views
from detente.protocol.deadlines import next_due, pass_deadlines
from detente.protocol.fold import NoticeState
from detente.protocol.ladder import LadderRow, Unit, ladder_rows
from detente.simulation.chance import Chance
from detente.simulation.node import Crashed, SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.room import Room
from detente.units import US_PER_S, format_time

WHO = {"officer": "ada", "desk": "watch"}
MINUTE_US = 60 * US_PER_S

# What may happen next: what, to whom, and how much of it.
OFTEN, SELDOM = ("wait", "look", "talk"), ("file", "amend", "cancel", "jump", "restart", "crash")
STEP = st.tuples(
    st.sampled_from([*OFTEN * 3, *SELDOM, "open", "read", "pass", "act"]),
    st.integers(0, 1),
    st.integers(0, 9),
)


class Play:
    """North and south, and what happens to them."""

    def __init__(self) -> None:
        self.room = Room()
        self.nodes = self.room.nodes()
        self.filed = 0
        self.armed: list[str | None] = [None, None]
        for number, node in enumerate(self.nodes):
            node.crash_at = lambda number=number: self._take(number)  # type: ignore[misc]
        self.talk()

    def _take(self, number: int) -> str | None:
        kind, self.armed[number] = self.armed[number], None
        return kind

    def talk(self) -> None:
        """Exchange what there is; a node that dies in it starts again."""
        self.room.wait(3)
        try:
            converse(*self.nodes)
        except (Crashed, DetenteError):
            self._revive()

    def _revive(self) -> None:
        for node in self.nodes:
            node.start()

    def look(self, number: int) -> None:
        """One turn of the timer."""
        node = self.nodes[number]
        self._do(number, lambda core: (None, pass_deadlines(core, node.now_us(), 2)))

    def _do(self, number: int, job: Callable[[Any], Any]) -> None:
        try:
            self.nodes[number].run(job)
        except (Crashed, DetenteError):
            self._revive()

    def step(self, what: str, number: int, size: int) -> None:
        """One thing happens."""
        node, other = self.nodes[number], self.nodes[1 - number]
        now_us = node.now_us()
        own = sorted(i for i in node.running.state.filed_versions if i.startswith(node.name))
        theirs = sorted(i for i in node.running.state.notices if i.startswith(other.name))
        if what == "wait":
            self.room.wait((size + 1) * 150)
        elif what == "look":
            self.look(number)
        elif what == "talk":
            self.talk()
        elif what == "jump":
            node.clock.offset_us = (size - 5) * 20 * MINUTE_US
        elif what == "restart":
            node.core = None
            node.start()
        elif what == "crash":
            self.armed[number] = "before" if size % 2 else "after"
        elif what == "file":
            self.filed += 1
            one = random_notice(f"A-{self.filed}", self.room.chance, now_us, exercise=True)
            self._do(number, lambda core: core.file_notice(one, (), now_us, **WHO))
        elif what == "amend" and own:
            name = own[size % len(own)].partition(":")[2]
            one = random_notice(name, self.room.chance, now_us, exercise=True)
            self._do(number, lambda core: core.file_notice(one, (), now_us, amend=True, **WHO))
        elif what == "cancel" and own:
            self._do(
                number,
                lambda core: core.cancel_notice(own[size % len(own)], "done", now_us, **WHO),
            )
        elif theirs and what in ("open", "read", "pass", "act"):
            self._climb(what, number, theirs[size % len(theirs)], size)

    def _climb(self, what: str, number: int, wanted: str, size: int) -> None:
        now_us = self.nodes[number].now_us()
        said = ReadBack((35 * 10**9, 35 * 10**9), None, now_us, now_us + MINUTE_US)
        units = [Unit("a", format_time(now_us), format_time(now_us) if size % 2 else None)]
        jobs: dict[str, Callable[[Any], Any]] = {
            "open": lambda core: (None, core.open_notice(wanted, now_us, **WHO)),
            "read": lambda core: ladder.read_back(core, wanted, said, None, now_us, **WHO),
            "pass": lambda core: ladder.disseminate(core, wanted, units, now_us, **WHO),
            "act": lambda core: ladder.act(core, wanted, "noted", None, None, now_us, **WHO),
        }
        self._do(number, jobs[what])

    def end(self) -> None:
        """All clocks are right again, everything is exchanged, and every deadline has come."""
        self.armed = [None, None]
        for node in self.nodes:
            node.clock.offset_us = 0
        for _ in range(3):
            self.talk()
        self.room.wait(4 * 3600)
        for _ in range(40):
            for number in (0, 1):
                self.look(number)
        for _ in range(3):
            self.talk()


def entries(node: SimNode, type_: str) -> list[tuple[Any, Any]]:
    """Entries of a type with what they say: the local document, or the opened body."""
    return [
        (entry, entry.local or {name: value for name, (_, value) in openings.items()})
        for entry, _, _, openings in node.running.journal.replay()
        if entry.header.type == type_
    ]


def check(play: Play) -> None:
    """None lost, none twice, no honest word refused, the same on both sides, the same after a rebuild."""
    for node in play.nodes:
        core = node.running
        passed = Counter(
            f"{local['expectation']['expected']}:{local['expectation']['statement']}"
            for _, local in entries(node, "deadline/passed")
        )
        told = Counter(
            f"{values['expected']}:{values['statement']}"
            for entry, values in entries(node, "receipt/no-answer")
            if entry.header.kind == "made"
        )
        assert max(passed.values(), default=0) <= 1, "a deadline passed twice"
        assert max(told.values(), default=0) <= 1, "it was said twice that no answer came"
        owed_to_us = {id_ for id_, one in core.state.passed.items() if one.to == node.name}
        assert set(told) == owed_to_us & set(passed), "a deadline was lost, or said without one"
        assert next_due(core.state) is None, "something is owed for ever"
        for entry, _, _, _ in core.journal.replay():
            assert not entry.outcome.startswith(("refused", "not-")), entry
        assert views.projection(node.load()) == views.projection(core)
    here, there = (node.running.state for node in play.nodes)
    assert set(here.notices) == set(there.notices)
    for id_, notice in here.notices.items():
        for number in notice.versions:
            one, other = (ladder_rows(s, s.notices[id_], number) for s in (here, there))
            assert [shown(row, notice) for row in one] == [shown(row, notice) for row in other]


def shown(row: LadderRow, notice: NoticeState) -> list[Any]:
    """The rungs; of a version that was replaced, one clock may have passed what the other never came to."""
    replaced = any(
        later > row.version and row.party in version.statements
        for later, version in notice.versions.items()
    )
    return [
        (one.rung, one.note, one.at) if replaced and one.state in ("due", "missing") else one
        for one in row.rungs
    ]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(steps=st.lists(STEP, min_size=15, max_size=60))
def test_deadlines_under_crashes_and_jumping_clocks_pass_once_each(
    steps: list[tuple[str, int, int]],
) -> None:
    """H-DUE-3: whatever happens in between, each deadline that came unanswered is written once and said once."""
    play = Play()
    play.step("file", 0, 0)
    play.talk()
    for step in steps:
        play.step(*step)
    play.end()
    check(play)


def test_deadlines_of_these_plays_do_pass() -> None:
    """The property above is not empty: deadlines pass on both sides, some answers are late, nodes do die."""
    counts: Counter[str] = Counter()
    for seed in range(6):
        play, chance = Play(), Chance(seed)
        for node in play.nodes:
            node.on_crash = lambda: counts.update(["crash"])
        for _ in range(80):
            what = chance.pick([*OFTEN * 3, *SELDOM, "file", "open", "read", "pass", "act"])
            play.step(what, chance.below(2), chance.below(10))
        play.end()
        check(play)
        for node in play.nodes:
            core = node.running
            counts["told"] += len(
                [e for e, _ in entries(node, "receipt/no-answer") if e.header.kind == "made"]
            )
            for notice in core.state.notices.values():
                for row in ladder_rows(core.state, notice, notice.latest.number):
                    counts.update(rung.state for rung in row.rungs)
    assert min(counts[one] for one in ("crash", "told", "done", "late", "missing")) > 3, counts
