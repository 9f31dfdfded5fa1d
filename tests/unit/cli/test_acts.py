"""The player's acts against nodes that answer what a test says: an expectation that fails is said aloud."""

from __future__ import annotations

from typing import Any

import pytest

from detente.cli import stage
from detente.cli.acts import Acts
from detente.errors import RefusedError
from detente.scenario.act import (
    DESK,
    Act,
    ActOn,
    Alarm,
    Clearance,
    Declare,
    Ladder,
    Line,
    ReadBack,
    Urgent,
)
from detente.scenario.place import Shape, When
from detente.scenario.script import DEFAULT_PARTIES, Party
from detente.scenario.settle import Advised, Keep, Propose

SEEN_S, PAUSE_S = stage.SEEN_S, stage.PAUSE_S  # as the player has them
PLACE = Shape("Point", ((((-30.5, 37.4)),),))


class Nodes:
    """Both nodes: what they answer by party and path; where nothing stands for a party, it is for both."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, Any]] = []
        self.party = ""

    @property
    def parties(self) -> tuple[Party, ...]:
        """The cast."""
        return DEFAULT_PARTIES

    def desk(self, party: str, desk: str) -> Nodes:
        """An officer."""
        self.party = party
        return self

    def json(self, method: str, path: str, *, body: Any = None) -> Any:
        """What the test says."""
        self.asked.append((method, path, body))
        found = self.answers.get(f"{self.party} {path}", self.answers.get(path))
        if isinstance(found, Exception):
            raise found
        assert found is not None, path
        return found

    def silence(self, party: str) -> None:
        """Nothing to end."""

    def revive(self, party: str) -> None:
        """Nothing to start."""


class Told:
    """What is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.wrongs: list[str] = []

    def line(self, now_us: int, party: str, text: str, style: str = "") -> None:
        """One line."""
        self.lines.append(text)

    def more(self, text: str, style: str = "", *, wrap: bool = True) -> None:
        """One line."""
        self.lines.append(text)

    def command(self, text: str) -> None:
        """One line."""

    def wrong(self, text: str) -> None:
        """Kept."""
        self.wrongs.append(text)

    def name(self, party: str) -> str:
        """With a capital letter."""
        return party.title()


class Still:
    """A clock that stands."""

    label = "UTC"

    def now_us(self) -> int:
        """Nought."""
        return 0


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for canned answers."""
    monkeypatch.setattr(stage, "SEEN_S", 0.0)
    monkeypatch.setattr(stage, "PAUSE_S", 0.0)


def done(step: Act, answers: dict[str, Any], **ids: str) -> tuple[Told, Nodes]:
    """What is told of one step, with these names given before it."""
    nodes, told = Nodes(answers), Told()
    player = Acts(nodes, told, Still(), {"A-1": "north:A-1"}, lambda: 0)
    player.ids.update(STOP="ab", **ids)
    player.do(step)
    return told, nodes


def ladder(state: str, note: str | None = None) -> dict[str, Any]:
    """A picture with one notice and one rung."""
    rung = {"rung": "disseminated", "state": state, "note": note}
    return {"notices": [{"id": "north:A-1", "ladder": [{"rungs": [rung]}]}]}


def line(word: str, states: tuple[str, ...]) -> dict[str, Any]:
    """A picture with one line."""
    streak = [{"state": state} for state in states]
    row = {"peer": "south", "word": word, "declared": None, "observed": "open", "streak": streak}
    return {"lines": [row]}


def urgent(status: str, received: str | None) -> dict[str, Any]:
    """A picture with one request."""
    row = {
        "id": "ab", "status": status, "step": 0, "desk": None, "to": "south", "open": True,
        "asked": "2027-01-01T00:00:00Z", "received": received, "first_reply_s": None, "effective_s": None,
    }  # fmt: skip
    return {"urgent": [row]}


PICTURE = "/api/v1/picture"
MISSING = Ladder(0, "north", "A-1", (("disseminated", "missing"),), ("disseminated",))
PROPOSE = Propose(0, "south", DESK, "CLIMB", "A-1", "own/up", "routine", "", "")
KEEP = Keep(0, "south", DESK, "CLIMB", "")
ASKED = Urgent(0, "north", "STOP", "asked", 5.0, None, "")


@pytest.mark.parametrize(
    ("step", "answers", "wrong"),
    [
        (MISSING, {PICTURE: ladder("missing", "no-answer")}, ""),
        (MISSING, {PICTURE: ladder("missing")}, "both nodes should show disseminated missing"),
        (MISSING, {PICTURE: ladder("due")}, "both nodes should show"),
        (
            MISSING,
            {
                PICTURE: ladder("missing", "no-answer"),
                f"south {PICTURE}": ladder("due"),
            },
            "both nodes should show",
        ),
        (ASKED, {PICTURE: urgent("asked", "2027-01-01T00:00:04Z")}, ""),
        (ASKED, {PICTURE: urgent("asked", "2027-01-01T00:00:06Z")}, "received within 5 s"),
        (ASKED, {PICTURE: urgent("asked", None)}, "received within 5 s"),
        (ASKED, {PICTURE: urgent("ceasing", "2027-01-01T00:00:04Z")}, "should show asked"),
        (Line(0, "north", "open", 1, 1, 0), {PICTURE: line("open", ("late", "answered"))}, ""),
        (
            Line(0, "north", "open", 1, 1, 0),
            {PICTURE: line("open", ("answered",))},
            "should be open",
        ),
        (Line(0, "north", "silent", 0, 0, 0), {PICTURE: line("open", ())}, "should be silent"),
        (Alarm(0, "north", "cease", "", "none"), {PICTURE: {"alarms": []}}, ""),
        (Alarm(0, "north", "cease", "", "both"), {PICTURE: {"alarms": []}}, "should be an alarm"),
        (
            Clearance(0, "south", "A-1", "not-enough", False),
            {"/api/v1/notices/north:A-1/clearance": {"rows": [], "third_party": None}},
            "should be not-enough",
        ),
    ],
)
def test_expectation_that_fails_is_told(step: Act, answers: dict[str, Any], wrong: str) -> None:
    """What holds is told without complaint; what does not, or holds at one node only, is said aloud."""
    told, _ = done(step, answers)
    if wrong:
        assert any(wrong in one for one in told.wrongs), told.wrongs
    else:
        assert told.wrongs == []


def test_refusal_by_another_rule_or_none_is_told() -> None:
    """An act that must be refused by a rule is wrong when it is taken, or refused by another."""
    step = ActOn(0, "south", DESK, "A-1", "noted", "", "not-disseminated")
    path = "/api/v1/notices/north:A-1/acted"
    right = RefusedError("not-disseminated", "not every unit has acknowledged")
    other = RefusedError("action-unknown", "action is unknown")
    assert done(step, {path: right})[0].wrongs == []
    assert "refused by not-disseminated" in done(step, {path: other})[0].wrongs[0]
    assert "it was taken" in done(step, {path: {}})[0].wrongs[0]


def test_read_back_is_given_as_figures_and_its_metres_are_told() -> None:
    """A read-back goes out in the receiver's own figures, and the comparison that the node made is what counts."""
    step = ReadBack(
        0, "south", DESK, "A-1", PLACE, When(at_us=0), When(at_us=60_000_000), "", "agrees"
    )
    compared = {
        "agrees": False,
        "place_m": 5122,
        "middle_m": 6622,
        "radius_m": None,
        "from_min": 0,
        "until_min": 1,
    }
    told, nodes = done(step, {"/api/v1/notices/north:A-1/read-back": {"comparison": compared}})
    assert nodes.asked[0][2]["place"] == "37.400000N 030.500000W"
    assert any("5,122 m" in one for one in told.lines)
    assert told.wrongs == ["the read-back differs; it should be one that agrees"]


def test_declaration_that_the_node_asks_about_is_confirmed_and_told() -> None:
    """Where the node asks first nothing was said; the officer confirms, and that is told."""
    step = Declare(0, "north", DESK, "suspend", "all", "by order", "")
    told, nodes = done(step, {"/api/v1/line/south/suspend": {"said": False}})
    assert [body.get("confirmed") for _, _, body in nodes.asked] == [None, True]
    assert any("asks first" in one for one in told.lines)


def test_expectation_is_looked_up_until_it_holds_and_no_longer_than_twenty_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """C-18: what comes late still counts; what never comes is given up after 20 s, by a clock that only counts."""
    monkeypatch.setattr(stage, "SEEN_S", SEEN_S)
    monkeypatch.setattr(stage, "PAUSE_S", PAUSE_S)
    at = [0.0]
    looks: list[float] = []
    monkeypatch.setattr(stage.time, "monotonic", lambda: at[0])
    monkeypatch.setattr(stage.time, "sleep", lambda s: at.__setitem__(0, at[0] + s))
    player = Acts.__new__(Acts)

    def holds_from(second: float) -> bool | None:
        looks.append(at[0])
        return True if at[0] >= second else None

    assert player._until(lambda: holds_from(19.0)) is True
    assert at[0] < 20
    at[0] = 0.0
    looks.clear()
    assert player._until(lambda: holds_from(1000.0)) is None
    assert 20 <= looks[-1] < 21
    assert len(looks) > 50


CLASH = "cd" * 32
LISTED = {"conflicts": [{"id": CLASH, "state": "live", "notices": ["north:A-1", "south:B-1"]}]}
CLIMB = {"notice": "south:B-1", "later_us": 0, "higher_tenth_mm": 15_240_000, "aside_tenth_mm": 0}


def advised(*keys: str) -> dict[str, Any]:
    """Advice that offers options of these keys."""
    options = [{"key": key, "moves": [CLIMB]} for key in keys]
    return {"advice": {"reason": "found", "against": [], "options": options}}


def proposal(state: str, id_: str = "ef" * 32) -> dict[str, Any]:
    """Proposals with one of South."""
    row = {"id": id_, "party": "south", "option": "south/up", "state": state, "moves": [CLIMB]}
    return {"proposals": [row]}


@pytest.mark.parametrize(
    ("step", "answers", "wrong"),
    [
        (Advised(0, "south", "A-1", ("own/up",)), {"": advised("south/up")}, ""),
        (Advised(0, "south", "A-1", ("peer/up",)), {"": advised("south/up")}, "hold north/up"),
        (
            Advised(0, "south", "A-1", ()),
            {"": advised("south/up"), "north ": advised("south/down")},
            "the two nodes give other advice",
        ),
        (PROPOSE, {"proposals": proposal("proposed"), "": {}}, ""),
        (PROPOSE, {"proposals": proposal("proposed", "waiting:1"), "": {}}, "in both records"),
        (
            PROPOSE,
            {"proposals": proposal("proposed"), "north proposals": {"proposals": []}, "": {}},
            "in both records",
        ),
        (KEEP, {"proposals": proposal("kept")}, ""),
        (KEEP, {"proposals": proposal("accepted")}, "should show the proposal"),
    ],
)
def test_settling_that_goes_otherwise_is_told(
    step: Act, answers: dict[str, Any], wrong: str
) -> None:
    """Advice must be the same at both nodes and hold what the script says; proposals must reach both records, and be kept in both."""
    paths: dict[str, Any] = {"/api/v1/conflicts": LISTED}
    for key, found in answers.items():
        party, _, what = key.rpartition(" ")
        where = (
            "proposals"
            if what == "proposals"
            else f"conflicts/{CLASH}/{'advice' if isinstance(step, Advised) else 'proposals'}"
        )
        paths[f"{party} /api/v1/{where}".strip()] = found
    paths[f"/api/v1/proposals/{'ef' * 32}/amendment"] = {"id": "south:B-1", "version": 2}
    told, _ = done(step, paths, CLIMB="ef" * 32 if step is KEEP else "")
    if wrong:
        assert any(wrong in one for one in told.wrongs), told.wrongs
    else:
        assert told.wrongs == []
