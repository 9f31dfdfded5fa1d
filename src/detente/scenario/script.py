"""A story that is played to real nodes: who does what at which second of the play.

A script names fictional parties, declares a scenario clock and lists steps. It decides nothing: the
nodes sign, refuse and judge as they would at any other time, and the player shows what they answered.

Rules that parsing keeps:

1. Everything is an exercise. A script must say so first, and none of its steps may say otherwise.
2. A step that is expected to be refused names the field that the refusal must name.
3. Steps stand in the order in which they are played, and refer only to what was filed before.
4. A script labelled HYPOTHETICAL lists every assumption it makes.
5. In texts, the party names with a capital letter mean the parties (`swap_parties` exchanges them);
   a compass direction is written small.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Literal, cast

from msgspec import Struct
from msgspec.structs import replace

from detente.errors import RefusedError
from detente.limits import (
    INTERVAL_MAX_S,
    NAME_CHARS,
    PARTIES_PER_AGREEMENT,
    PIECES_PER_NOTICE,
    REGION_CHARS,
)
from detente.scenario.act import ACTS, Act, Acted, Looked, Named, nothing_named, parse_act
from detente.scenario.place import (
    Shape,
    When,
    parse_optional_when,
    parse_shape,
    parse_when,
)
from detente.scenario.table import Table, parse_table
from detente.units import US_PER_S, format_dtg, format_duration

FORMAT = "detente-script-1"
HYPOTHETICAL = "HYPOTHETICAL"
RATE_MAX = 600  # ten scenario minutes a second; faster, a receipt's own delay looks like lead time
STEP_MAX_S = 86_400  # a play lasts at most a day; a longer one belongs in the simulator
CYCLE = "{cycle}"  # in a loop: the number of the cycle, so that each cycle files notices of its own

SHIPPED: Mapping[str, str] = {
    "two-patrols": "two-patrols.toml",
    "il20-2018": "il20-2018-exchange.toml",
    "il20-2018-what-if": "il20-2018-what-if.toml",
    "il20-2018-heard": "il20-2018-heard.toml",
    "deir-ez-zor-2016": "deir-ez-zor-2016-play.toml",
    "kunduz-2015": "kunduz-2015-play.toml",
    "korea-lines": "korea-lines-play.toml",
}  # the scenarios in this package's data folder, by the name a user types; the first is the default

_NOTICE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)


class Clock(Struct, frozen=True):
    """The declared scenario clock: its start, and how many scenario seconds pass in one second."""

    start_us: int
    rate: int


class Party(Struct, frozen=True):
    """One node of the play."""

    id: str
    name: str
    role: Literal["party", "neutral"]


class TermsOverride(Struct, frozen=True):
    """What the script's agreement sets; None leaves the default of the agreement."""

    lateral_nm: float | None
    vertical_ft: float | None
    time_s: float | None
    lead_times_s: tuple[tuple[str, int], ...]
    receipt_deadlines_s: tuple[tuple[str, int], ...] = ()
    escalation_s: tuple[int, ...] | None = None
    comm_checks: tuple[str, ...] | None = None
    check_reply_s: int | None = None


class Level(Struct, frozen=True):
    """A limit of an altitude band, as a notice states it."""

    value: float
    unit: str
    datum: str

    def text(self) -> str:
        """As officers say it, with its datum: ``FL250 STD``, ``4,000 ft MSL``."""
        if self.unit == "FL":
            return f"FL{self.value:03.0f} {self.datum}"
        number = f"{self.value:,.0f}" if self.value == int(self.value) else f"{self.value:,}"
        return f"{number} {self.unit} {self.datum}"


class Piece(Struct, frozen=True):
    """One volume of a notice; a limit or time of its own outranks that of the notice."""

    shape: Shape
    lower: Level | None
    upper: Level | None
    start: When | None
    end: When | None


class Say(Struct, frozen=True):
    """Narration, by a party or (party empty) by the narrator."""

    at_s: float
    party: str
    text: str


class File(Struct, frozen=True):
    """A notice filed, amended, offered in words only, or previewed: then it is not filed.

    Attributes:
        expect_field: the field that the node's refusal must name; empty means that it is to be taken.
        expect_rule: the rule by which the node must refuse it.
        expect_question: of a preview, the code of the question about its words that the node must ask.
    """

    at_s: float
    party: str
    do: Literal["file", "file-words", "amend", "preview"]
    notice: str
    activity: str
    start: When | None
    end: When | None
    lower: Level | None
    upper: Level | None
    edges: str
    region: str
    text: str
    precedence: str
    pieces: tuple[Piece, ...]
    expect_field: str
    expect_rule: str = ""
    expect_question: str = ""

    @property
    def taken(self) -> bool:
        """Whether the node is to take it."""
        return self.do != "preview" and not self.expect_field and not self.expect_rule


class Cancel(Struct, frozen=True):
    """A notice cancelled, with the reason."""

    at_s: float
    party: str
    notice: str
    text: str


class Look(Struct, frozen=True):
    """What one party does with a notice that it made or received.

    `prove` writes a bundle, `verify` checks it offline, `tamper` changes one byte of a copy of it,
    which verification must refuse.
    """

    at_s: float
    party: str
    do: Literal["receipts", "prove", "verify", "tamper"]
    notice: str


class Conflicts(Struct, frozen=True):
    """A party's list of conflicts; `expect` is empty where the script does not presume the answer."""

    at_s: float
    party: str
    expect: Literal["", "conflict", "none"]


class Ask(Struct, frozen=True):
    """Was there prior notice? An area and an interval, and perhaps the party that is asked about."""

    at_s: float
    party: str
    shape: Shape
    start: When
    end: When
    by: str
    expect: Literal["", "notice", "none"]
    text: str


class Report(Struct, frozen=True):
    """How much time there was between the receipt of a notice and a moment.

    The moment is `until`, or the effective start of the notice where the script gives none. The
    answer is computed from the receipt that the node holds, never written in a script.
    """

    at_s: float
    party: str
    what: Literal["time-to-clear"]
    notice: str
    until: When | None
    text: str


Step = Say | File | Cancel | Look | Conflicts | Ask | Report | Act


class Loop(Struct, frozen=True):
    """Steps that repeat until the player ends; times count from the start of each cycle."""

    every_s: float
    steps: tuple[Step, ...]


class Script(Struct, frozen=True):
    """A whole play."""

    name: str
    title: str
    note: str
    label: str
    content_note: str
    timeline: str
    assumptions: tuple[str, ...]
    clock: Clock
    parties: tuple[Party, ...]
    terms: TermsOverride
    steps: tuple[Step, ...]
    loop: Loop | None


DEFAULT_PARTIES = (
    Party("north", "North", "party"),
    Party("south", "South", "party"),
    Party("meridian", "Meridian", "neutral"),
)


# -- parsing ---------------------------------------------------------------------------------------


def parse_script(raw: bytes) -> Script:
    """A script from its TOML file.

    Args:
        raw: the bytes of the file.

    Raises:
        UsageError: a field is missing, unknown or malformed, a step is out of order or refers to
            something that was not filed before. The text has the field, the value and the rule.
        RefusedError: the script, or a step of it, says that it is not an exercise.

    Source: docs/spec/scenario.md, "Script".
    """
    top = parse_table(raw)
    top.choice("format", (FORMAT,))
    _check_exercise(top)
    parties = _parse_parties(top)
    clock_table = top.table("clock")
    clock = Clock(
        start_us=clock_table.time("start"),
        rate=clock_table.whole("rate", 1, least=1, most=RATE_MAX),
    )
    clock_table.done()
    label = top.text("label", "", most_chars=40)
    assumptions = top.texts("assumptions")
    if label == HYPOTHETICAL and not assumptions:
        top.wrong("assumptions", "a list of every assumption of a script labelled HYPOTHETICAL")
    named = nothing_named()
    proved: set[str] = set()
    steps = _parse_steps(
        top.tables("steps", least=1), parties, named, proved, STEP_MAX_S, loop=False
    )
    loop: Loop | None = None
    if top.has("loop"):
        loop_table = top.table("loop")
        every_s = loop_table.number("every_s", least=1, most=STEP_MAX_S)
        loop = Loop(
            every_s,
            _parse_steps(
                loop_table.tables("steps", least=1), parties, named, proved, every_s, loop=True
            ),
        )
        loop_table.done()
    script = Script(
        name=top.token("name"),
        title=top.text("title", most_chars=200),
        note=top.text("note", ""),
        label=label,
        content_note=top.text("content_note", ""),
        timeline=top.text("timeline", "", most_chars=NAME_CHARS),
        assumptions=assumptions,
        clock=clock,
        parties=parties,
        terms=_parse_terms(top.table("terms")),
        steps=steps,
        loop=loop,
    )
    top.done()
    return script


def _check_exercise(table: Table) -> None:
    if not table.flag("exercise"):
        raise RefusedError(
            "scenario-not-exercise",
            "exercise is false; it must be true in everything that a scenario plays",
            hint="a scenario never speaks for real activity; file real notices with `detente notice`",
            field=table.path("exercise"),
        )


def _parse_parties(top: Table) -> tuple[Party, ...]:
    if not top.has("parties"):
        return DEFAULT_PARTIES
    parties: list[Party] = []
    for table in top.tables("parties", least=3):
        party = Party(
            id=table.token("id"),
            name=table.text("name", most_chars=NAME_CHARS),
            role=cast("Literal['party', 'neutral']", table.choice("role", ("party", "neutral"))),
        )
        if any(party.id == other.id or party.name == other.name for other in parties):
            table.wrong("id", "used by one party only, and so is its name")
        table.done()
        parties.append(party)
    roles = [party.role for party in parties]
    if len(parties) > PARTIES_PER_AGREEMENT or roles.count("party") != 2 or "neutral" not in roles:
        top.wrong("parties", "two of role party and at least one of role neutral")
    return tuple(parties)


def _parse_terms(table: Table) -> TermsOverride:
    lead = table.table("lead_times_s")
    receipts = table.table("receipt_deadlines_s")
    terms = TermsOverride(
        lateral_nm=table.number("lateral_nm", least=0, most=1000)
        if table.has("lateral_nm")
        else None,
        vertical_ft=table.number("vertical_ft", least=0, most=100_000)
        if table.has("vertical_ft")
        else None,
        time_s=table.number("time_s", least=0, most=86_400) if table.has("time_s") else None,
        lead_times_s=tuple(
            (name, lead.whole(name, least=0, most=INTERVAL_MAX_S)) for name in lead.names()
        ),
        receipt_deadlines_s=tuple(
            (name, receipts.whole(name, least=0, most=INTERVAL_MAX_S)) for name in receipts.names()
        ),
        escalation_s=_parse_steps_up(table) if table.has("escalation_s") else None,
        comm_checks=table.texts("comm_checks") if table.has("comm_checks") else None,
        check_reply_s=table.whole("check_reply_s", least=1, most=INTERVAL_MAX_S)
        if table.has("check_reply_s")
        else None,
    )
    lead.done()
    receipts.done()
    table.done()
    return terms


def _parse_steps_up(table: Table) -> tuple[int, ...]:
    rule = "a list of whole seconds"
    found = table.value("escalation_s", rule)
    if not isinstance(found, list) or not all(
        isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in found
    ):
        table.wrong("escalation_s", rule)
    return tuple(found)


def _parse_steps(
    tables: tuple[Table, ...],
    parties: tuple[Party, ...],
    named: Named,
    proved: set[str],
    most_s: float,
    *,
    loop: bool,
) -> tuple[Step, ...]:
    steps: list[Step] = []
    for table in tables:
        if table.has("exercise"):
            _check_exercise(table)
        step = _parse_step(table, parties, named, proved, most_s, loop=loop)
        if steps and step.at_s < steps[-1].at_s:
            table.wrong("at_s", f"at least {steps[-1].at_s:g}, the at_s of the step before")
        table.done()
        steps.append(step)
    return tuple(steps)


def _parse_step(
    table: Table,
    parties: tuple[Party, ...],
    named: Named,
    proved: set[str],
    most_s: float,
    *,
    loop: bool,
) -> Step:
    ids = [party.id for party in parties]
    do = table.choice(
        "do",
        (
            *("say", "file", "file-words", "amend", "cancel", "receipts", "conflicts"),
            *("ask", "prove", "verify", "tamper", "report", "preview"),
            *ACTS,
        ),
    )
    filed = named.filed
    at_s = table.number("at_s", least=0, most=most_s)
    party = table.choice("party", ids, "" if do == "say" else None)
    if do == "say":
        return Say(at_s, party, table.text("text"))
    if do in ACTS:
        if loop:
            table.wrong("do", "an act that can be repeated; acts of the hotline are named once")
        if next(one.role for one in parties if one.id == party) == "neutral":
            table.wrong("party", "one of the two parties")
        return parse_act(table, do, at_s, party, named)
    if (party, "") in named.away:
        table.wrong("party", "a party whose node is not silent")
    if do == "conflicts":
        expect = table.choice("expect", ("conflict", "none"), "")
        return Conflicts(at_s, party, cast("Literal['', 'conflict', 'none']", expect))
    if do == "ask":
        return _parse_ask(table, at_s, party, ids)
    notice = _parse_notice_name(table, loop=loop and do in ("file", "file-words"))
    if do in ("file", "file-words", "preview"):
        if notice in filed:
            table.wrong("notice", "a name not filed before in this script; use do = amend")
        step = _parse_file(table, at_s, party, do, notice)
        if step.taken:
            filed[notice] = party
        return step
    if notice not in filed:
        table.wrong("notice", "the name of a notice filed earlier in this script")
    if do in ("amend", "cancel") and filed[notice] != party:
        table.wrong("party", f"{filed[notice]}, which filed this notice")
    if do == "amend":
        return _parse_file(table, at_s, party, do, notice)
    if do == "cancel":
        return Cancel(at_s, party, notice, table.text("text", ""))
    if do == "report":
        return Report(
            at_s=at_s,
            party=party,
            what=cast("Literal['time-to-clear']", table.choice("what", ("time-to-clear",))),
            notice=notice,
            until=parse_when(table, "until") if table.has("until") else None,
            text=table.text("text", ""),
        )
    if do == "prove":
        proved.add(notice)
    elif do in ("verify", "tamper") and notice not in proved:
        table.wrong("notice", "the name of a notice proved earlier in this script")
    return Look(at_s, party, cast("Literal['receipts', 'prove', 'verify', 'tamper']", do), notice)


def _parse_notice_name(table: Table, *, loop: bool) -> str:
    rule = f"1 to {NAME_CHARS} of A-Z a-z 0-9 . _ -, beginning and ending with a letter or digit"
    name = table.text("notice", most_chars=NAME_CHARS, rule=rule)
    if not _NOTICE.fullmatch(name.replace(CYCLE, "0")):
        table.wrong("notice", rule)
    if loop and CYCLE not in name:
        table.wrong("notice", f"a name with {CYCLE} in a loop, so that no cycle repeats a notice")
    return name


def _parse_file(table: Table, at_s: float, party: str, do: str, notice: str) -> File:
    words = do == "file-words"
    step = File(
        at_s=at_s,
        party=party,
        do=cast("Literal['file', 'file-words', 'amend', 'preview']", do),
        notice=notice,
        activity=table.token("activity", "" if words else None),
        start=parse_optional_when(table, "start", words=words),
        end=parse_optional_when(table, "end", words=words),
        lower=_parse_level(table, "lower") if table.has("lower") else None,
        upper=_parse_level(table, "upper") if table.has("upper") else None,
        edges=table.choice("edges", ("planar", "geodesic"), ""),
        region=table.text("region", "", most_chars=REGION_CHARS),
        text=table.text("text", ""),
        precedence=table.choice("precedence", ("routine", "priority", "urgent", "flash"), ""),
        pieces=tuple(
            _parse_piece(piece) for piece in table.tables("pieces", least=0 if words else 1)
        ),
        expect_field=table.text("expect_field", "", most_chars=NAME_CHARS) if words else "",
        expect_rule=table.token("expect_rule", "") if do in ("file", "amend") else "",
        expect_question=table.choice("expect_question", ("elsewhere", "far"), "")
        if do == "preview"
        else "",
    )
    if len(step.pieces) > PIECES_PER_NOTICE:
        table.wrong("pieces", f"a list of at most {PIECES_PER_NOTICE} tables")
    if words and not step.expect_field:
        table.wrong("expect_field", "the field that the refusal must name; words alone are refused")
    if not words:
        for name in ("start", "end", "lower", "upper"):
            own = getattr(step, name)
            if own is None and any(getattr(piece, name) is None for piece in step.pieces):
                table.wrong(name, "given for the notice or for each of its pieces")
    return step


def _parse_level(table: Table, name: str) -> Level:
    level = table.table(name)
    unit = level.choice("unit", ("ft", "m", "FL"))
    datum = level.choice("datum", ("STD",) if unit == "FL" else ("MSL", "WGS84", "AGL", "STD"))
    value = level.number("value")
    level.done()
    return Level(value, unit, datum)


def _parse_piece(table: Table) -> Piece:
    piece = Piece(
        shape=parse_shape(table),
        lower=_parse_level(table, "lower") if table.has("lower") else None,
        upper=_parse_level(table, "upper") if table.has("upper") else None,
        start=parse_optional_when(table, "start", words=False),
        end=parse_optional_when(table, "end", words=False),
    )
    table.done()
    return piece


def _parse_ask(table: Table, at_s: float, party: str, ids: list[str]) -> Ask:
    return Ask(
        at_s=at_s,
        party=party,
        shape=parse_shape(table),
        start=parse_when(table, "start"),
        end=parse_when(table, "end"),
        by=table.choice("by", ids, ""),
        expect=cast(
            "Literal['', 'notice', 'none']", table.choice("expect", ("notice", "none"), "")
        ),
        text=table.text("text", ""),
    )


# -- from a step to what a node takes --------------------------------------------------------------


def notice_geojson(step: File, clock_start_us: int, own_id: str) -> bytes:
    """The notice of a step in the GeoJSON contract, as a file that `detente notice file` takes.

    A step in words only becomes a feature whose geometry is null: exactly what was said and no more,
    so that the node's refusal names what is missing.

    Args:
        step: a step that files, amends or offers words.
        clock_start_us: what relative times count from: the start of the scenario clock, or in a loop
            the start of the cycle, on the scenario's time axis.
        own_id: the notice's name, which goes into the property `id`.

    Returns:
        UTF-8 JSON: a Feature, or a FeatureCollection where the notice has several pieces.

    Source: RFC 7946; docs/spec/scenario.md, "From a step to a notice".
    """
    features = [
        {
            "type": "Feature",
            "geometry": piece.shape.geometry() if piece else None,
            "properties": _properties(step, piece, clock_start_us, own_id),
        }
        for piece in (step.pieces or (None,))
    ]
    document = (
        features[0] if len(features) == 1 else {"type": "FeatureCollection", "features": features}
    )
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _properties(
    step: File, piece: Piece | None, clock_start_us: int, own_id: str
) -> dict[str, object]:
    properties: dict[str, object] = {"id": own_id, "exercise": True}
    if step.activity:
        properties["activity"] = step.activity
    for name in ("start", "end"):
        when = (getattr(piece, name) if piece else None) or getattr(step, name)
        if when is not None:
            properties[name] = when.text(clock_start_us)
    for name in ("lower", "upper"):
        level = (getattr(piece, name) if piece else None) or getattr(step, name)
        if level is not None:
            properties[name] = {"value": level.value, "unit": level.unit, "datum": level.datum}
    if piece and piece.shape.size_name:
        properties[piece.shape.size_name] = piece.shape.size
    for name in ("edges", "region", "text", "precedence"):
        if getattr(step, name):
            properties[name] = getattr(step, name)
    return properties


def area_geojson(step: Ask) -> bytes:
    """The area of a question, as a file that `detente ask --area` takes."""
    properties: dict[str, object] = {}
    if step.shape.size_name:
        properties[step.shape.size_name] = step.shape.size
    document = {"type": "Feature", "geometry": step.shape.geometry(), "properties": properties}
    return json.dumps(document, indent=1).encode() + b"\n"


def describe_notice(step: File, clock_start_us: int) -> str:
    """The notice in plain officer English, one line, every altitude with its datum.

    Returns:
        A text such as ``patrol: polygon, FL180 STD to FL220 STD, 120645Z APR 27 to 120845Z APR 27``.
    """
    shapes = ", ".join(piece.shape.text() for piece in step.pieces) or "no geometry"
    bands = list(
        dict.fromkeys(
            _band(piece.lower or step.lower, piece.upper or step.upper)
            for piece in step.pieces or (Piece(_NOWHERE, None, None, None, None),)
        )
    )
    spans = list(
        dict.fromkeys(
            _span(piece.start or step.start, piece.end or step.end, clock_start_us)
            for piece in step.pieces or (Piece(_NOWHERE, None, None, None, None),)
        )
    )
    place = f" ({step.region})" if step.region else ""
    activity = step.activity or "words only"
    return f"{activity}{place}: {shapes}, {' and '.join(bands)}, {' and '.join(spans)}"


_NOWHERE = Shape("Polygon", ())


def _band(lower: Level | None, upper: Level | None) -> str:
    if lower is None or upper is None:
        return "no altitude band"
    return f"{lower.text()} to {upper.text()}"


def _span(start: When | None, end: When | None, clock_start_us: int) -> str:
    if start is None or end is None:
        return f"'{start.words}'" if start and start.words else "no interval"
    return f"{_dtg(start, clock_start_us)} to {_dtg(end, clock_start_us)}"


def _dtg(when: When, clock_start_us: int) -> str:
    time_us = when.resolve_us(clock_start_us)
    return f"'{when.words}'" if time_us is None else format_dtg(time_us)


def time_to_clear(received_us: int, until_us: int) -> str:
    """How long there was between a receipt and a moment, in words.

    Args:
        received_us: when the other side's node received the notice, by its signed receipt.
        until_us: the moment: the effective start, or an event.

    Example:
        >>> time_to_clear(0, 24 * 60 * US_PER_S), time_to_clear(0, -US_PER_S)
        ('24 min 00 s', 'none: the receipt came 1 s after that moment')
    """
    left_s = (until_us - received_us) / US_PER_S
    if left_s < 0:
        return f"none: the receipt came {format_duration(-left_s)} after that moment"
    return format_duration(left_s)


# -- the mirror ------------------------------------------------------------------------------------


_SAID = ("text", "reason", "place")  # fields of an act in which a party may be named


def swap_parties(script: Script) -> Script:
    """The same play with its two parties exchanged, everywhere: roles, order, actions and texts.

    Both sides are served alike when the nodes' answers to the swapped script mirror exactly. Swapping
    twice gives the script back.
    """
    one, other = (party for party in script.parties if party.role == "party")
    ids = {one.id: other.id, other.id: one.id}
    names = {one.name: other.name, other.name: one.name}
    pattern = re.compile(rf"\b({re.escape(one.name)}|{re.escape(other.name)})\b")

    def text(value: str) -> str:
        return pattern.sub(lambda match: names[match[1]], value)

    def swap_step(step: Step) -> Step:
        party = ids.get(step.party, step.party)
        if isinstance(step, Say):
            return replace(step, party=party, text=text(step.text))
        if isinstance(step, File):
            return replace(step, party=party, region=text(step.region), text=text(step.text))
        if isinstance(step, Cancel | Report):
            return replace(step, party=party, text=text(step.text))
        if isinstance(step, Ask):
            return replace(step, party=party, by=ids.get(step.by, step.by), text=text(step.text))
        if isinstance(step, Acted | Looked):
            said = {
                field: text(getattr(step, field))
                for field in _SAID
                if field in step.__struct_fields__
            }
            return replace(step, party=party, **said)
        return replace(step, party=party)

    loop = script.loop
    return replace(
        script,
        title=text(script.title),
        note=text(script.note),
        content_note=text(script.content_note),
        assumptions=tuple(text(item) for item in script.assumptions),
        parties=tuple(
            replace(p, id=ids.get(p.id, p.id), name=names.get(p.name, p.name))
            for p in script.parties
        ),
        steps=tuple(swap_step(step) for step in script.steps),
        loop=replace(loop, steps=tuple(swap_step(step) for step in loop.steps)) if loop else None,
    )
