"""What officers do beside filing: receipts, urgent matters, conversation, the line, the watch; and what is looked up.

A script decides nothing here either: each act is what an officer would ask of the own node, and an expectation is a
question to the nodes, whose answer the player shows. Parsed by `parse_act` from one table of a script.

Rules that parsing keeps:

1. An act refers only to what was filed, asked or said before, by its name in the script.
2. Nobody acts at a desk that is away, and nothing is done by a party whose node is silent.
3. An act that must be refused names the rule by which.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

from msgspec import Struct

from detente.agreement.terms import Terms
from detente.hotline.cease import CEASE_REPLIES, EMERGENCY_KINDS, EMERGENCY_REPLIES
from detente.hotline.health import SCOPES
from detente.hotline.talk import ANSWERS
from detente.limits import NAME_CHARS, REGION_CHARS, UNITS_PER_NOTICE
from detente.notice.activity import PRECEDENCES
from detente.notice.ladder import ACTIONS, RUNG_STATES, RUNGS
from detente.scenario.place import Position, Shape, When, parse_position, parse_shape, parse_when
from detente.scenario.settle import (
    SETTLES,
    Advised,
    AnswerProposal,
    Keep,
    Propose,
    parse_settle,
)
from detente.scenario.table import Table

DESK = Terms().desks[0]  # who acts where a step names no desk
LATENESS_MOST_S = 86_400  # of an expectation; a play lasts a day at most
STEPS_MOST = 20  # of an escalation; more than an agreement ever gives
SLOTS_MOST = 60  # of a streak


Slot = str | int | When | Position  # words, a number, a time, or a place: longitude, latitude


class ReadBack(Struct, frozen=True):
    """A peer's notice read back in the receiver's own figures; `expect` is what the comparison must find."""

    at_s: float
    party: str
    desk: str
    notice: str
    shape: Shape
    start: When
    end: When
    text: str
    expect: Literal["agrees", "differs"]


class Disseminate(Struct, frozen=True):
    """A peer's notice passed down: units told, units not reached yet, and those that have acknowledged."""

    at_s: float
    party: str
    desk: str
    notice: str
    named: tuple[str, ...]
    told: tuple[str, ...]
    acknowledged: tuple[str, ...]
    expect_rule: str


class ActOn(Struct, frozen=True):
    """What was done about a peer's notice."""

    at_s: float
    party: str
    desk: str
    notice: str
    action: str
    text: str
    expect_rule: str


class Cease(Struct, frozen=True):
    """A request to cease, under a name in the script; `notice` is what it is about, or empty."""

    at_s: float
    party: str
    desk: str
    name: str
    notice: str
    reason: str
    place: str
    text: str


class Emergency(Struct, frozen=True):
    """An emergency told to the other party; the shape is None where nobody knows the place."""

    at_s: float
    party: str
    desk: str
    name: str
    notice: str
    kind: str
    shape: Shape | None
    text: str


class Reply(Struct, frozen=True):
    """What is said about a request to cease or an emergency; ``effective`` says that it has ceased."""

    at_s: float
    party: str
    desk: str
    name: str
    reply: str
    text: str
    expect_rule: str


class Message(Struct, frozen=True):
    """A message from desk to desk: a text, or a phrase with its slots.

    Attributes:
        shown_in: the language in which the receiver's screen is looked at afterwards, or empty.
    """

    at_s: float
    party: str
    desk: str
    name: str
    notice: str
    to_desk: str
    precedence: str
    language: str
    text: str
    phrase: str
    slots: tuple[tuple[str, Slot], ...]
    translator: str
    shown_in: str
    expect_question: bool


class Answer(Struct, frozen=True):
    """An answer to a message."""

    at_s: float
    party: str
    desk: str
    name: str
    answer: str
    text: str
    expect_rule: str


class Call(Struct, frozen=True):
    """The record of a telephone call; `answered_after_s` is None where nobody answered."""

    at_s: float
    party: str
    desk: str
    name: str
    notice: str
    line: str
    to_desk: str
    start: When
    end: When
    answered_after_s: int | None
    held_s: int
    language: str
    interpreter: str
    text: str


class AgreeCall(Struct, frozen=True):
    """Whether the record of a call is right."""

    at_s: float
    party: str
    desk: str
    name: str
    agrees: bool
    text: str


class Declare(Struct, frozen=True):
    """A line declared suspended, at fault or resumed; or checked by hand, which declares nothing."""

    at_s: float
    party: str
    desk: str
    do: Literal["suspend", "resume", "fault", "check"]
    scope: str
    text: str
    expect_rule: str


class Roster(Struct, frozen=True):
    """When a desk is manned and in which languages; names no person."""

    at_s: float
    party: str
    desk: str
    languages: tuple[str, ...]
    start: When
    end: When


class Handover(Struct, frozen=True):
    """The watch handed to another officer."""

    at_s: float
    party: str
    desk: str
    to: str
    sound_tested: bool
    text: str


class Presence(Struct, frozen=True):
    """A desk that nobody mans, or a node that ends without a word; and both coming back."""

    at_s: float
    party: str
    do: Literal["away", "back", "go-silent", "come-back"]
    desk: str
    text: str


class Ladder(Struct, frozen=True):
    """The rungs of a notice as both nodes show them; both must show the same."""

    at_s: float
    party: str
    notice: str
    rungs: tuple[tuple[str, str], ...]
    no_answer: tuple[str, ...]


class Alarm(Struct, frozen=True):
    """An alarm that one party's consoles, both parties', or nobody's, must show and nobody has seen."""

    at_s: float
    party: str
    kind: str
    about: str
    at: Literal["own", "both", "none"]


class Urgent(Struct, frozen=True):
    """A request to cease or an emergency as both nodes show it.

    Attributes:
        status: as the tables of the specification name it.
        received_within_s: from asked to received, on the scenario clock; None where it does not matter.
        step, called: to which desk it has moved up, after how many steps.
    """

    at_s: float
    party: str
    name: str
    status: str
    received_within_s: float | None
    step: int | None
    called: str


class Line(Struct, frozen=True):
    """The line as one party's node shows it: the word for it, and the checks of its streak.

    Attributes:
        missed: how many scheduled checks at least were not answered in time, whatever came later.
        answered, unsent: how many at least were answered in time, or never sent.
    """

    at_s: float
    party: str
    word: str
    missed: int
    answered: int
    unsent: int


class Clearance(Struct, frozen=True):
    """Who must move for a peer's notice, and whether the time left is enough; shown at home only."""

    at_s: float
    party: str
    notice: str
    expect: Literal["enough", "not-enough", "clear"]
    third_party: bool


Acted = (
    Propose
    | AnswerProposal
    | Keep
    | ReadBack
    | Disseminate
    | ActOn
    | Cease
    | Emergency
    | Reply
    | Message
    | Answer
    | Call
    | AgreeCall
    | Declare
    | Roster
    | Handover
    | Presence
)
Looked = Ladder | Alarm | Urgent | Line | Clearance | Advised
Act = Acted | Looked

ACTS = (
    *("read-back", "disseminate", "act", "cease", "emergency", "reply", "message", "answer"),
    *("call", "agree-call", "suspend", "resume", "fault", "check", "roster", "handover"),
    *("away", "back", "go-silent", "come-back"),
    *("ladder", "alarm", "urgent", "line", "clearance"),
    *SETTLES,
)
_LOOKS = ("ladder", "alarm", "urgent", "line", "clearance")
_KINDS = ("cease", "emergency", "read-back", "no-answer", "comm-check", "message", "line-declared")
_WORDS = ("open", "open-suspended", "open-fault", "silent", "silent-suspended", "silent-fault")
# words for what a peer's rule says, which a script may expect
_RULE = "the code of a refusal such as not-disseminated"


class Named(NamedTuple):
    """What a script has named so far, each with the party that did; and who is not there.

    Attributes:
        matters: requests to cease and emergencies, with their kind.
        away: party and desk; with no desk the party's node.
    """

    filed: dict[str, str]
    matters: dict[str, tuple[str, str]]
    messages: dict[str, str]
    calls: dict[str, str]
    proposals: dict[str, str]
    away: set[tuple[str, str]]


def nothing_named() -> Named:
    """Before the first step."""
    return Named({}, {}, {}, {}, {}, set())


def parse_act(table: Table, do: str, at_s: float, party: str, named: Named) -> Act:
    """A step that is no filing.

    Args:
        do: one of `ACTS`.
        named: what was named before; changed by what this step names.

    Raises:
        UsageError: a field is missing or malformed, or refers to what is not there.
    """
    if do in ("away", "back", "go-silent", "come-back"):
        return _parse_presence(table, do, at_s, party, named)
    if (party, "") in named.away:
        table.wrong("party", "a party whose node is not silent")
    if do in _LOOKS:
        return _parse_look(table, do, at_s, party, named)
    desk = DESK if do == "advice" else table.token("desk", DESK)
    if do != "advice" and (party, desk) in named.away:
        table.wrong(
            "desk", "a desk that is not away" if table.has("desk") else "one that is manned"
        )
    if do in SETTLES:
        return parse_settle(table, do, at_s, party, desk, named.filed, named.proposals)
    if do in ("read-back", "disseminate", "act"):
        return _parse_rung(table, do, at_s, party, desk, named)
    if do in ("cease", "emergency", "reply"):
        return _parse_matter(table, do, at_s, party, desk, named)
    if do in ("message", "answer", "call", "agree-call"):
        return _parse_talk(table, do, at_s, party, desk, named)
    if do == "roster":
        return Roster(
            at_s, party, desk, _names(table, "languages", least=1),
            parse_when(table, "start"), parse_when(table, "end"),
        )  # fmt: skip
    if do == "handover":
        return Handover(
            at_s, party, desk, table.token("to"), table.flag("sound_tested"), table.text("text", "")
        )
    checks = do == "check"
    return Declare(
        at_s=at_s,
        party=party,
        desk=desk,
        do=cast("Literal['suspend', 'resume', 'fault', 'check']", do),
        scope="" if checks else table.choice("scope", SCOPES),
        text=table.text("text", "" if checks else None),
        expect_rule=table.token("expect_rule", ""),
    )


def _parse_presence(table: Table, do: str, at_s: float, party: str, named: Named) -> Presence:
    desk = table.token("desk", DESK) if do in ("away", "back") else ""
    away = (party, desk) in named.away
    if do in ("away", "go-silent"):
        if away:
            table.wrong("do", "said of what is there")
        named.away.add((party, desk))
    else:
        if not away:
            table.wrong("do", "said of what is away")
        named.away.discard((party, desk))
    return Presence(
        at_s,
        party,
        cast("Literal['away', 'back', 'go-silent', 'come-back']", do),
        desk,
        table.text("text", ""),
    )


def _parse_rung(
    table: Table, do: str, at_s: float, party: str, desk: str, named: Named
) -> ReadBack | Disseminate | ActOn:
    notice = table.named("notice", named.filed, "a notice filed earlier in this script")
    if named.filed[notice] == party:
        table.wrong("notice", "a notice of the other party")
    if do == "read-back":
        shape = parse_shape(table, sizeless=True)
        if shape.kind != "Point":
            table.wrong("circle", "given: a read-back restates one position")
        return ReadBack(
            at_s=at_s,
            party=party,
            desk=desk,
            notice=notice,
            shape=shape,
            start=parse_when(table, "start"),
            end=parse_when(table, "end"),
            text=table.text("text", ""),
            expect=cast(
                "Literal['agrees', 'differs']", table.choice("expect", ("agrees", "differs"))
            ),
        )
    if do == "act":
        return ActOn(
            at_s,
            party,
            desk,
            notice,
            table.choice("action", ACTIONS),
            table.text("text", ""),
            table.token("expect_rule", ""),
        )
    units = [_names(table, name, least=0) for name in ("named", "told", "acknowledged")]
    every = [one for part in units for one in part]
    if not 1 <= len(every) <= UNITS_PER_NOTICE or len(set(every)) != len(every):
        table.wrong(
            "told", f"1 to {UNITS_PER_NOTICE} units, each once in named, told or acknowledged"
        )
    return Disseminate(
        at_s, party, desk, notice, units[0], units[1], units[2], table.token("expect_rule", "")
    )


def _parse_matter(
    table: Table, do: str, at_s: float, party: str, desk: str, named: Named
) -> Cease | Emergency | Reply:
    if do == "reply":
        name = table.named("name", named.matters, "a request or emergency of an earlier step")
        asked_by, kind = named.matters[name]
        if asked_by == party:
            table.wrong("name", "one that the other party asked")
        replies = (*CEASE_REPLIES, "effective") if kind == "cease" else EMERGENCY_REPLIES
        reply = table.choice("reply", replies)
        return Reply(
            at_s, party, desk, name, reply, table.text("text", ""), table.token("expect_rule", "")
        )
    name = table.unused("name", named.matters)
    named.matters[name] = (party, do)
    notice = _about(table, named)
    if do == "cease":
        return Cease(
            at_s, party, desk, name, notice,
            table.text("reason"), table.text("place", ""), table.text("text", ""),
        )  # fmt: skip
    return Emergency(
        at_s=at_s,
        party=party,
        desk=desk,
        name=name,
        notice=notice,
        kind=table.choice("kind", EMERGENCY_KINDS),
        shape=parse_shape(table, sizeless=True) if table.has("circle") else None,
        text=table.text("text", ""),
    )


def _parse_talk(
    table: Table, do: str, at_s: float, party: str, desk: str, named: Named
) -> Message | Answer | Call | AgreeCall:
    if do == "answer":
        name = table.named("name", named.messages, "a message of an earlier step")
        if named.messages[name] == party:
            table.wrong("name", "a message of the other party")
        return Answer(
            at_s, party, desk, name,
            table.choice("answer", ANSWERS), table.text("text", ""), table.token("expect_rule", ""),
        )  # fmt: skip
    if do == "agree-call":
        name = table.named("name", named.calls, "a call of an earlier step")
        if named.calls[name] == party:
            table.wrong("name", "a call that the other party recorded")
        return AgreeCall(at_s, party, desk, name, table.flag("agrees"), table.text("text", ""))
    names = named.messages if do == "message" else named.calls
    name = table.unused("name", names)
    names[name] = party
    notice = _about(table, named)
    to_desk = table.token("to_desk", DESK)
    if do == "call":
        return Call(
            at_s=at_s,
            party=party,
            desk=desk,
            name=name,
            notice=notice,
            line=table.token("line"),
            to_desk=to_desk,
            start=parse_when(table, "start"),
            end=parse_when(table, "end"),
            answered_after_s=table.whole("answered_after_s", least=0, most=LATENESS_MOST_S)
            if table.has("answered_after_s")
            else None,
            held_s=table.whole("held_s", 0, least=0, most=LATENESS_MOST_S),
            language=table.token("language", "en"),
            interpreter=table.text("interpreter", "", most_chars=NAME_CHARS),
            text=table.text("text"),
        )
    phrase = table.text("phrase", "", most_chars=NAME_CHARS)
    if bool(phrase) == table.has("text"):
        table.wrong("text", "given, or else a phrase, but not both")
    slots = table.table("slots")
    return Message(
        at_s=at_s,
        party=party,
        desk=desk,
        name=name,
        notice=notice,
        to_desk=to_desk,
        precedence=table.choice("precedence", PRECEDENCES, "routine"),
        language=table.token("language", "en"),
        text=table.text("text", ""),
        phrase=phrase,
        slots=tuple((one, _slot(slots, one)) for one in slots.names()),
        translator=table.text("translator", "", most_chars=NAME_CHARS),
        shown_in=table.token("shown_in", "") if phrase else "",
        expect_question=table.flag("expect_question", False),
    )


def _slot(table: Table, name: str) -> Slot:
    if name.startswith("place"):
        return parse_position(table, name)
    if name.startswith("time"):
        return parse_when(table, name)
    value = table.value(name, "a text or a whole number")
    if isinstance(value, bool) or not isinstance(value, str | int):
        table.wrong(name, "a text or a whole number")
    return value if isinstance(value, int) else table.text(name)


def _parse_look(table: Table, do: str, at_s: float, party: str, named: Named) -> Looked:
    if do == "ladder":
        notice = table.named("notice", named.filed, "a notice filed earlier in this script")
        rungs = table.table("rungs")
        expected = tuple((one, rungs.choice(one, RUNG_STATES)) for one in RUNGS if rungs.has(one))
        rungs.done()
        if not expected:
            table.wrong("rungs", "a table of at least one rung and its state")
        missing = _names(table, "no_answer", least=0)
        if not set(missing) <= set(RUNGS):
            table.wrong("no_answer", f"a list of {', '.join(RUNGS)}")
        return Ladder(at_s, party, notice, expected, missing)
    if do == "alarm":
        known = {**named.filed, **named.matters, **named.messages}
        about = (
            table.named("about", known, "something named earlier in this script")
            if table.has("about")
            else ""
        )
        at = table.choice("at", ("own", "both", "none"), "own")
        kind = table.choice("kind", _KINDS)
        return Alarm(at_s, party, kind, about, cast("Literal['own', 'both', 'none']", at))
    if do == "urgent":
        within = table.has("received_within_s")
        return Urgent(
            at_s=at_s,
            party=party,
            name=table.named("name", named.matters, "a request or emergency of an earlier step"),
            status=table.token("status"),
            received_within_s=table.number("received_within_s", least=0, most=LATENESS_MOST_S)
            if within
            else None,
            step=table.whole("step", least=0, most=STEPS_MOST) if table.has("step") else None,
            called=table.token("called", ""),
        )
    if do == "line":
        return Line(
            at_s,
            party,
            table.choice("word", _WORDS),
            *(table.whole(one, 0, least=0, most=SLOTS_MOST) for one in ("missed", "answered", "unsent")),
        )  # fmt: skip
    notice = table.named("notice", named.filed, "a notice filed earlier in this script")
    expect = table.choice("expect", ("enough", "not-enough", "clear"))
    return Clearance(
        at_s,
        party,
        notice,
        cast("Literal['enough', 'not-enough', 'clear']", expect),
        table.flag("third_party", False),
    )


# -- names -----------------------------------------------------------------------------------------


def _about(table: Table, named: Named) -> str:
    if not table.has("notice"):
        return ""
    return table.named("notice", named.filed, "a notice filed earlier in this script")


def _names(table: Table, field: str, *, least: int) -> tuple[str, ...]:
    names = table.texts(field)
    if len(names) < least or any(len(one) > REGION_CHARS for one in names):
        table.wrong(field, f"a list of at least {least} short names")
    return names
