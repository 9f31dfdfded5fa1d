"""The public record of one night: who said what when, with sources, and where they disagree.

A timeline is not signed and finds nothing. Each line of it is a claim of somebody and says so, on
every line, because a line is quoted alone sooner or later. What this project computed from claims is
marked DERIVED and is computed here, never typed in. Party statements stay claims also when they are
detailed, official, or the only ones there are.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar, cast

from msgspec import Struct

from detente.errors import UsageError, shown
from detente.scenario.table import Table, parse_table
from detente.units import US_PER_S, format_dtg, format_duration, parse_time

FORMAT = "detente-timeline-1"
UNDATED = "undated"
WIDTH_LEAST = 60  # two columns of a contradiction need about 28 characters each to stay readable

Precision = Literal["second", "minute", "about"]
Bound = Literal["exactly", "about", "less-than", "more-than"]

_T = TypeVar("_T", "Source", "Speaker", "Claim")

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PRECISION_US = {"second": US_PER_S, "minute": 60 * US_PER_S}


class Source(Struct, frozen=True):
    """Where a claim can be read. `weak` means: confirm elsewhere before relying on it."""

    id: str
    title: str
    published: str
    url: str
    weak: bool
    note: str


class Speaker(Struct, frozen=True):
    """Somebody whose words are quoted."""

    id: str
    name: str


class Place(Struct, frozen=True):
    """A fact about a place as a source gives it, or a position that we derived from such facts."""

    name: str
    text: str
    sources: tuple[str, ...]
    derived: bool
    latitude_deg: float | None
    longitude_deg: float | None


class Claim(Struct, frozen=True):
    """One thing that one party said.

    `kind` tells a claim from an event as that party tells it; neither is a finding. `about` is the
    time of the event in the source's own words, `at_us` the same time on the UTC axis, if it has one.
    """

    id: str
    party: str
    said_at: str
    kind: Literal["claim", "event-as-told"]
    about: str
    at_us: int | None
    precision: Precision
    text: str
    sources: tuple[str, ...]


class Rival(Struct, frozen=True):
    """One party's value for a fact: its words, and its number where there is one."""

    claim: str
    value: str
    number: float | None
    bound: Bound


class Discrepancy(Struct, frozen=True):
    """One fact, and each party's value for it. `unit` is `time`, `s`, a noun, or empty for words."""

    fact: str
    unit: str
    rivals: tuple[Rival, ...]


class Contradiction(Struct, frozen=True):
    """Two claims that cannot both be true, or that need an explanation to be."""

    fact: str
    note: str
    left: str
    right: str
    left_text: str
    right_text: str


class Interval(Struct, frozen=True):
    """The time between two events as told, which we compute from the record."""

    what: str
    since: str
    until: str


class Timeline(Struct, frozen=True):
    """The whole record of one night."""

    name: str
    title: str
    date: str
    content_note: str
    about: str
    time_note: str
    sources: tuple[Source, ...]
    speakers: tuple[Speaker, ...]
    places: tuple[Place, ...]
    claims: tuple[Claim, ...]
    discrepancies: tuple[Discrepancy, ...]
    contradictions: tuple[Contradiction, ...]
    intervals: tuple[Interval, ...]
    not_established: tuple[str, ...]

    def claim(self, claim_id: str) -> Claim:
        """The claim of that id; parsing made sure that it is there."""
        return next(claim for claim in self.claims if claim.id == claim_id)

    def source(self, source_id: str) -> Source:
        """The source of that id."""
        return next(source for source in self.sources if source.id == source_id)

    def speaker(self, speaker_id: str) -> Speaker:
        """The speaker of that id."""
        return next(speaker for speaker in self.speakers if speaker.id == speaker_id)


# -- parsing ---------------------------------------------------------------------------------------


def parse_timeline(raw: bytes) -> Timeline:
    """A timeline from its TOML file.

    Args:
        raw: the bytes of the file.

    Raises:
        UsageError: a field is missing, unknown or malformed, or names a source, a party or a claim
            that the file does not hold. The text has the field, the value and the rule.

    Source: docs/spec/scenario.md, "Timeline".
    """
    top = parse_table(raw)
    top.choice("format", (FORMAT,))
    sources = _unique(top, "sources", [_parse_source(t) for t in top.tables("sources", least=1)])
    source_ids = [source.id for source in sources]
    speakers = _unique(top, "parties", [_parse_speaker(t) for t in top.tables("parties", least=1)])
    speaker_ids = [speaker.id for speaker in speakers]
    claims = _unique(
        top,
        "statements",
        [_parse_claim(t, source_ids, speaker_ids) for t in top.tables("statements", least=1)],
    )
    by_id = {claim.id: claim for claim in claims}
    timeline = Timeline(
        name=top.token("name"),
        title=top.text("title", most_chars=200),
        date=_parse_date(top, "date"),
        content_note=top.text("content_note"),
        about=top.text("about"),
        time_note=top.text("time_note"),
        sources=tuple(sources),
        speakers=tuple(speakers),
        places=tuple(_parse_place(t, source_ids) for t in top.tables("places")),
        claims=tuple(claims),
        discrepancies=tuple(_parse_discrepancy(t, by_id) for t in top.tables("discrepancies")),
        contradictions=tuple(_parse_contradiction(t, by_id) for t in top.tables("contradictions")),
        intervals=tuple(_parse_interval(t, by_id) for t in top.tables("intervals")),
        not_established=top.texts("not_established"),
    )
    top.done()
    return timeline


def _unique(top: Table, name: str, items: list[_T]) -> list[_T]:
    seen: set[str] = set()
    for at, item in enumerate(items):
        if item.id in seen:
            raise UsageError(
                "field-repeated",
                f"id is {shown(item.id)}; it must be used once",
                field=f"{top.path(name)}[{at}].id",
            )
        seen.add(item.id)
    return items


def _known(table: Table, name: str, ids: Iterable[str], what: str) -> str:
    value = table.text(name)
    if value not in ids:
        table.wrong(name, f"the id of a {what} in this file")
    return value


def _sources(table: Table, source_ids: Sequence[str]) -> tuple[str, ...]:
    ids = table.texts("sources")
    if not ids or any(source_id not in source_ids for source_id in ids):
        table.wrong("sources", "a list of at least one id of a source in this file")
    return ids


def _parse_date(table: Table, name: str) -> str:
    rule = "a date such as 2018-09-17"
    text = table.text(name, rule=rule)
    if not _DATE.fullmatch(text):
        table.wrong(name, rule)
    parse_time(f"{text}T00:00:00Z", field=table.path(name))
    return text


def _parse_source(table: Table) -> Source:
    source = Source(
        id=table.text("id", most_chars=8),  # it stands in the left margin of every line
        title=table.text("title"),
        published=table.text("published", ""),
        url=table.text("url", ""),
        weak=table.flag("weak", False),
        note=table.text("note", ""),
    )
    if source.weak and not source.note:
        table.wrong("note", "given, and say why the source is weak")
    table.done()
    return source


def _parse_speaker(table: Table) -> Speaker:
    speaker = Speaker(id=table.token("id"), name=table.text("name", most_chars=60))
    table.done()
    return speaker


def _parse_place(table: Table, source_ids: Sequence[str]) -> Place:
    derived = table.flag("derived", False)
    placed = table.has("lat") or table.has("lon")
    place = Place(
        name=table.text("name", most_chars=80),
        text=table.text("text"),
        sources=() if derived else _sources(table, source_ids),
        derived=derived,
        latitude_deg=table.number("lat", least=-90, most=90) if placed else None,
        longitude_deg=table.number("lon", least=-180, most=180) if placed else None,
    )
    if placed and not derived:
        table.wrong("derived", "true where a position is given: no source seen gives coordinates")
    table.done()
    return place


def _parse_claim(table: Table, source_ids: Sequence[str], speaker_ids: Sequence[str]) -> Claim:
    claim = Claim(
        id=table.token("id"),
        party=_known(table, "party", speaker_ids, "party"),
        said_at=_parse_date(table, "said_at") if table.has("said_at") else UNDATED,
        kind=cast(
            "Literal['claim', 'event-as-told']", table.choice("kind", ("claim", "event-as-told"))
        ),
        about=table.text("about", "", most_chars=120),
        at_us=table.time("at") if table.has("at") else None,
        precision=cast(
            "Precision", table.choice("precision", ("second", "minute", "about"), "minute")
        ),
        text=table.text("text"),
        sources=_sources(table, source_ids),
    )
    if claim.kind == "event-as-told" and not claim.about:
        table.wrong("about", "the time of the event in the words of the source")
    table.done()
    return claim


def _parse_discrepancy(table: Table, claims: dict[str, Claim]) -> Discrepancy:
    unit = table.text("unit", "", most_chars=20)
    discrepancy = Discrepancy(
        fact=table.text("fact", most_chars=200),
        unit=unit,
        rivals=tuple(_parse_rival(t, unit, claims) for t in table.tables("values", least=2)),
    )
    table.done()
    return discrepancy


def _parse_rival(table: Table, unit: str, claims: dict[str, Claim]) -> Rival:
    number: float | None = None
    if unit == "time":
        number = float(table.time("at")) if table.has("at") else None
    elif table.has("number"):
        number = table.number("number")
        if not unit:
            table.wrong("number", "absent where the discrepancy has no unit")
    rival = Rival(
        claim=_known(table, "statement", claims, "statement"),
        value=table.text("value", most_chars=300),
        number=number,
        bound=cast(
            "Bound",
            table.choice("bound", ("exactly", "about", "less-than", "more-than"), "exactly"),
        ),
    )
    table.done()
    return rival


def _parse_contradiction(table: Table, claims: dict[str, Claim]) -> Contradiction:
    contradiction = Contradiction(
        fact=table.text("fact", most_chars=200),
        note=table.text("note", ""),
        left=_known(table, "left", claims, "statement"),
        right=_known(table, "right", claims, "statement"),
        left_text=table.text("left_text"),
        right_text=table.text("right_text"),
    )
    if contradiction.left == contradiction.right:
        table.wrong("right", "another statement than left")
    table.done()
    return contradiction


def _parse_interval(table: Table, claims: dict[str, Claim]) -> Interval:
    interval = Interval(
        what=table.text("what", most_chars=300),
        since=_known(table, "since", claims, "statement"),
        until=_known(table, "until", claims, "statement"),
    )
    for name, claim_id in (("since", interval.since), ("until", interval.until)):
        if claims[claim_id].at_us is None:
            table.wrong(name, "a statement that has a time (at)")
    table.done()
    return interval


# -- what follows from the claims ------------------------------------------------------------------


def find_difference(discrepancy: Discrepancy) -> str:
    """How far the parties' values lie apart, in words; computed, never taken from a source.

    "Less than" and "more than" bound a value on one side. The difference is the largest that any two
    values force; where no two values exclude each other it says so.

    Args:
        discrepancy: one fact and its rival values.

    Returns:
        One sentence without a full stop.
    """
    spans: list[tuple[float, float, bool]] = []
    for rival in discrepancy.rivals:
        if rival.number is None:
            continue
        number = rival.number
        low = -float("inf") if rival.bound == "less-than" else number
        high = float("inf") if rival.bound == "more-than" else number
        spans.append((low, high, rival.bound in ("less-than", "more-than")))
    if len(spans) < 2:
        return "no two values in numbers; the words are shown as they stand"
    left_out = len(discrepancy.rivals) - len(spans)
    lowest = max(low for low, _, _ in spans)
    highest = min(high for _, high, _ in spans)
    gap = lowest - highest
    strict = any(open_ and lowest in (low, high) for low, high, open_ in spans) or any(
        open_ and highest in (low, high) for low, high, open_ in spans
    )
    tail = f" ({left_out} more in words only)" if left_out else ""
    if gap > 0:
        about = "at least " if strict else ""
        about = about or ("about " if any(r.bound == "about" for r in discrepancy.rivals) else "")
        return f"{about}{_amount(gap, discrepancy.unit)} between the values furthest apart{tail}"
    if gap == 0 and strict:
        return f"the values exclude each other, by an amount that no party gives{tail}"
    if gap == 0 and not any(open_ for _, _, open_ in spans):
        return f"none: the values agree{tail}"
    return f"none that follows: all of these values can be true together{tail}"


def _amount(amount: float, unit: str) -> str:
    if unit == "time":
        return format_duration(amount / US_PER_S)
    if unit == "s":
        return format_duration(amount)
    return f"{amount:g} {unit}"


def find_interval(timeline: Timeline, interval: Interval) -> str:
    """The time between two events as told, with what their precision leaves open.

    A time given to the minute may be any second of it, so 21:39 to 21:40 is more than nothing and less
    than two minutes.

    Args:
        timeline: the record that holds both statements.
        interval: the two statements.

    Returns:
        A text such as ``1 min 00 s by the minutes given (more than 0 s, less than 2 min 00 s)``.
    """
    since, until = timeline.claim(interval.since), timeline.claim(interval.until)
    if since.at_us is None or until.at_us is None:  # parsing refuses this; the type does not know
        return "not computable"
    length_us = until.at_us - since.at_us
    text = format_duration(length_us / US_PER_S)
    if "about" in (since.precision, until.precision):
        return f"about {text}"
    early = _PRECISION_US[since.precision]
    late = _PRECISION_US[until.precision]
    low = format_duration((length_us - early) / US_PER_S)
    high = format_duration((length_us + late) / US_PER_S)
    if early == late == US_PER_S:
        return text
    return f"{text} by the times as given (more than {low}, less than {high})"


# -- showing it ------------------------------------------------------------------------------------


def render_timeline(timeline: Timeline, width: int) -> list[str]:
    """The whole record as plain text, content note first.

    Every line that repeats somebody's words starts with CLAIM and the key of its source; a line that
    we computed starts with DERIVED.

    Args:
        timeline: the record.
        width: columns, at least 60.

    Returns:
        Lines without line ends, none longer than `width` but for an address that cannot be broken.

    Raises:
        UsageError: the width is below the least.
    """
    if width < WIDTH_LEAST:
        raise UsageError(
            "width-too-small",
            f"width is {width}; it must be at least {WIDTH_LEAST} columns",
            field="width",
        )
    lines: list[str] = []
    lines += _heading("CONTENT NOTE", width) + _wrap(timeline.content_note, width)
    lines += ["", *_wrap(timeline.title, width)]
    lines += _heading("WHAT THIS IS", width)
    lines += _wrap("Unsigned. Not a finding. A timeline of the public record, with sources.", width)
    lines += _wrap(timeline.about, width) + _wrap(timeline.time_note, width)
    lines += _heading(f"TIMELINE: {timeline.date}, as told", width)
    for claim in sorted(
        (claim for claim in timeline.claims if claim.kind == "event-as-told"), key=_when
    ):
        lines += _claim_lines(timeline, claim, width)
    lines += _heading("WHAT THE PARTIES SAID, by the day they said it", width)
    for claim in sorted(
        (claim for claim in timeline.claims if claim.kind == "claim"), key=lambda c: c.said_at
    ):
        lines += _claim_lines(timeline, claim, width)
    if timeline.discrepancies:
        lines += _heading("RIVAL CLAIMS, side by side", width)
        for discrepancy in timeline.discrepancies:
            lines += _discrepancy_lines(timeline, discrepancy, width)
    if timeline.contradictions:
        lines += _heading("CONTRADICTIONS, side by side", width)
        for contradiction in timeline.contradictions:
            lines += _contradiction_lines(timeline, contradiction, width)
    if timeline.intervals:
        lines += _heading("COMPUTED FROM THE CLAIMS ABOVE (not said by anybody)", width)
        for interval in timeline.intervals:
            keys = _keys(
                timeline,
                (*timeline.claim(interval.since).sources, *timeline.claim(interval.until).sources),
            )
            text = f"{interval.what}: {find_interval(timeline, interval)} [from {keys}]"
            lines += _guttered("DERIVED", text, width)
    if timeline.places:
        lines += _heading("PLACES", width)
        for place in timeline.places:
            lines += _place_lines(timeline, place, width)
    lines += _heading("NOT ESTABLISHED", width)
    for item in timeline.not_established:
        lines += _hanging("-", item, width)
    lines += _heading("SOURCES", width)
    for source in timeline.sources:
        mark = f"WEAK SOURCE: {source.note}" if source.weak else source.note
        text = ". ".join(part for part in (source.title, source.published, mark) if part)
        lines += _hanging(f"{source.id:<8}", text, width)
        if source.url:
            lines.append(f"{'':9}{source.url}")
    return lines


def _when(claim: Claim) -> tuple[int, str]:
    return (claim.at_us if claim.at_us is not None else 2**62, claim.id)


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


def _heading(text: str, width: int) -> list[str]:
    return ["", *_wrap(text, width), "-" * min(width, len(text))]


def _guttered(gutter: str, text: str, width: int) -> list[str]:
    return [f"{gutter} {line}" for line in _wrap(text, width - len(gutter) - 1)]


def _hanging(mark: str, text: str, width: int) -> list[str]:
    lines = _wrap(text, width - len(mark) - 1)
    return [f"{mark if at == 0 else '':<{len(mark)}} {line}" for at, line in enumerate(lines)]


def _keys(timeline: Timeline, source_ids: Iterable[str]) -> str:
    unique = list(dict.fromkeys(source_ids))
    return " ".join(f"{key} (weak)" if timeline.source(key).weak else key for key in unique)


def _gutter(timeline: Timeline, claim: Claim) -> str:
    return f"CLAIM [{_keys(timeline, claim.sources)}]"


def _claim_lines(timeline: Timeline, claim: Claim, width: int) -> list[str]:
    who = f"{timeline.speaker(claim.party).name}, {claim.said_at}"
    if claim.at_us is None:
        time = f"({claim.about}) " if claim.about else ""
    else:
        about = "about " if claim.precision == "about" else ""
        time = f"{about}{format_dtg(claim.at_us)} ({claim.about}) "
    return _guttered(_gutter(timeline, claim), f"{time}{who}: {claim.text}", width)


def _discrepancy_lines(timeline: Timeline, discrepancy: Discrepancy, width: int) -> list[str]:
    lines = _wrap(f"* {discrepancy.fact}", width)
    claims = [timeline.claim(rival.claim) for rival in discrepancy.rivals]
    gutters = [_gutter(timeline, claim) for claim in claims]
    names = [f"{timeline.speaker(c.party).name}, {c.said_at}" for c in claims]
    gutter_width = max(len(gutter) for gutter in gutters)
    name_width = min(max(len(name) for name in names), max(10, (width - gutter_width) // 2 - 3))
    value_width = max(10, width - gutter_width - name_width - 4)
    for gutter, name, rival in zip(gutters, names, discrepancy.rivals, strict=True):
        left = textwrap.wrap(name, name_width)
        right = textwrap.wrap(rival.value, value_width)
        for at in range(max(len(left), len(right))):
            who = left[at] if at < len(left) else ""
            value = right[at] if at < len(right) else ""
            lines.append(f"{gutter:<{gutter_width}} {who:<{name_width}} | {value}".rstrip())
    lines += _guttered("DERIVED difference:", find_difference(discrepancy), width)
    return [*lines, ""]


def _contradiction_lines(timeline: Timeline, contradiction: Contradiction, width: int) -> list[str]:
    column = (width - len("CLAIM ") - 3) // 2
    sides: list[list[str]] = []
    for claim_id, text in (
        (contradiction.left, contradiction.left_text),
        (contradiction.right, contradiction.right_text),
    ):
        claim = timeline.claim(claim_id)
        head = f"{timeline.speaker(claim.party).name}, {claim.said_at}"
        keys = f"[{_keys(timeline, claim.sources)}]"
        sides.append([*_wrap(head, column), *_wrap(keys, column), *_wrap(text, column)])
    rows = max(len(side) for side in sides)
    left, right = (side + [""] * (rows - len(side)) for side in sides)
    lines = _wrap(f"* {contradiction.fact}", width)
    lines += [f"CLAIM {a:<{column}} | {b}".rstrip() for a, b in zip(left, right, strict=True)]
    if contradiction.note:
        lines += _guttered("DERIVED", contradiction.note, width)
    return [*lines, ""]


def _place_lines(timeline: Timeline, place: Place, width: int) -> list[str]:
    if not place.derived:
        gutter = f"CLAIM [{_keys(timeline, place.sources)}]"
        return _guttered(gutter, f"{place.name}: {place.text}", width)
    position = ""
    if place.latitude_deg is not None and place.longitude_deg is not None:
        north, east = place.latitude_deg, place.longitude_deg
        position = (
            f" {abs(north):.4f}{'N' if north >= 0 else 'S'}"
            f" {abs(east):.4f}{'E' if east >= 0 else 'W'}"
        )
    return _guttered("DERIVED (Δ)", f"{place.name}:{position} {place.text}", width)
