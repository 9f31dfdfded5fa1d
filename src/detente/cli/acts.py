"""What a play's officers do beside filing, given to the nodes; and what a script expects, looked up at both nodes.

Nothing is decided here: a step becomes the request that an officer's console would send, and what the node answered
is told. Where the answer is another than the script expects, that is said aloud.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from detente.cli.settling import Settling
from detente.cli.stage import Asking, Json
from detente.protocol.ladder import difference
from detente.scenario.act import (
    DESK,
    Act,
    ActOn,
    AgreeCall,
    Alarm,
    Answer,
    Call,
    Cease,
    Clearance,
    Declare,
    Disseminate,
    Emergency,
    Handover,
    Ladder,
    Line,
    Message,
    Presence,
    ReadBack,
    Reply,
    Roster,
    Slot,
    Urgent,
)
from detente.scenario.place import Shape, When
from detente.scenario.settle import Settle
from detente.units import NANODEG_PER_DEG, US_PER_S, format_duration, format_time, parse_time

_MISSED = (
    "missed",
    "late",
)  # what waited and was answered when the line came back is late for ever
_ASKED_FIRST = "the node asks first: are these words for the safety line? Nothing was said."
_CONFIRMED = "the officer confirms, and it is said"


class Acts(Asking):
    """Carries out what `detente.scenario.act` parses, and with `Settling` what `detente.scenario.settle` does."""

    def do(self, step: Act) -> None:
        """Carry out one step and tell what the nodes answered."""
        if isinstance(step, Settle):
            Settling(self.stage, self.show, self.clock, self.filed, self.origin_us, self.ids).do(
                step
            )
            return
        kinds: tuple[tuple[type, Callable[[Any], None]], ...] = (
            (ReadBack, self._read_back),
            (Disseminate, self._disseminate),
            (ActOn, self._act_on),
            (Cease, self._cease),
            (Emergency, self._emergency),
            (Reply, self._reply),
            (Message, self._message),
            (Answer, self._answer),
            (Call, self._call),
            (AgreeCall, self._agree_call),
            (Declare, self._declare),
            (Roster, self._roster),
            (Handover, self._handover),
            (Presence, self._presence),
            (Ladder, self._ladder),
            (Alarm, self._alarm),
            (Urgent, self._urgent),
            (Line, self._line),
            (Clearance, self._clearance),
        )
        next(act for kind, act in kinds if isinstance(step, kind))(step)

    def _matter(self, party: str, name: str) -> Json | None:
        """The row of a request or emergency at a party's node."""
        rows: list[Json] = self._get(party, "/api/v1/picture")["urgent"]
        return next((row for row in rows if row["id"] == self.ids[name]), None)

    def _place(self, shape: Shape) -> str:
        lon, lat = shape.rings[0][0]
        text = (
            f"{abs(lat):.6f}{'N' if lat >= 0 else 'S'} {abs(lon):010.6f}{'E' if lon >= 0 else 'W'}"
        )
        if shape.size_name:
            text += f" {shape.size:g}{'NM' if shape.size_name.endswith('_nm') else 'M'}"
        return text

    # -- the ladder ----------------------------------------------------------------------------

    def _read_back(self, step: ReadBack) -> None:
        place = self._place(step.shape)
        self._tell(
            step.party, f"reads {step.notice} back{self._at(step)}: {place}: {step.text}", "bold"
        )
        body = {
            "place": place,
            "from": self._time(step.start),
            "until": self._time(step.end),
            "words": step.text or None,
        }
        notice = self.filed[step.notice]
        found = self._asked(step, "POST", f"/api/v1/notices/{notice}/read-back", body)
        if found is None:
            return
        compared = found["comparison"]
        if compared is None:
            self.show.wrong("nothing could be compared")
            return
        agrees = "agrees" if compared["agrees"] else "differs"
        self.show.more(
            f"the machine compares with the notice as sent: it {agrees}: {difference(compared)}",
            "green" if compared["agrees"] else "bold red",
        )
        self.show.command(f"notice show $D/{step.party} {notice}")
        if agrees != step.expect:
            self.show.wrong(f"the read-back {agrees}; it should be one that {step.expect}")

    def _disseminate(self, step: Disseminate) -> None:
        now = format_time(self.clock.now_us())
        units = [
            *({"unit": one, "told": None, "acknowledged": None} for one in step.named),
            *({"unit": one, "told": now, "acknowledged": None} for one in step.told),
            *({"unit": one, "told": now, "acknowledged": now} for one in step.acknowledged),
        ]
        words = [
            f"{', '.join(names)}: {word}"
            for names, word in (
                (step.acknowledged, "acknowledged"),
                (step.told, "told, no word yet"),
                (step.named, "not told yet"),
            )
            if names
        ]
        self._tell(
            step.party, f"passes {step.notice} down{self._at(step)}: {'; '.join(words)}", "bold"
        )
        notice = self.filed[step.notice]
        self._asked(step, "POST", f"/api/v1/notices/{notice}/disseminated", {"units": units})

    def _act_on(self, step: ActOn) -> None:
        said = f": {step.text}" if step.text else ""
        self._tell(step.party, f"says what it did about {step.notice}: {step.action}{said}", "bold")
        notice = self.filed[step.notice]
        body = {"action": step.action, "text": step.text or None}
        self._asked(step, "POST", f"/api/v1/notices/{notice}/acted", body)

    def _ladder(self, step: Ladder) -> None:
        notice = self.filed[step.notice]
        shown: list[list[tuple[str, str, bool]]] = []
        expected = dict(step.rungs)

        def look() -> bool | None:
            shown.clear()
            for party in self._sides(step.party):
                rows = self._get(party, "/api/v1/picture")["notices"]
                row = next(one for one in rows if one["id"] == notice)
                shown.append(
                    [
                        (rung["rung"], rung["state"], rung["note"] == "no-answer")
                        for rung in row["ladder"][0]["rungs"]
                    ]
                )
            silent = {rung for rung, _, unanswered in shown[0] if unanswered}
            fits = all(expected.get(rung, state) == state for rung, state, _ in shown[0])
            same = shown[0] == shown[1]
            return True if fits and same and set(step.no_answer) <= silent else None

        fits = self._until(look)
        self._tell(step.party, f"looks at the ladder of {step.notice}")
        lamps = [
            f"{rung} {state}{' (signed: no answer came)' if unanswered else ''}"
            for rung, state, unanswered in shown[0]
        ]
        self.show.more("; ".join(lamps))
        if shown[0] == shown[1]:
            self.show.more(f"the same at {self.show.name(self._peer(step.party))}'s node")
        self.show.command(f"notice show $D/{step.party} {notice}")
        if not fits:
            words = ", ".join(f"{rung} {state}" for rung, state in step.rungs)
            self.show.wrong(f"both nodes should show {words}")

    # -- urgent --------------------------------------------------------------------------------

    def _said(self, step: Cease | Emergency, path: str, body: Json) -> None:
        known = {row["id"] for row in self._get(step.party, "/api/v1/picture")["urgent"]}
        if self._asked(step, "POST", path, body) is None:
            return

        def look() -> str | None:
            rows = self._get(step.party, "/api/v1/picture")["urgent"]
            new = [row["id"] for row in rows if row["id"] not in known]
            return next((str(one) for one in new if not one.startswith("waiting:")), None)

        found = self._until(look)
        if found is None:
            self.show.wrong("it is not signed: the line is down")
        self.ids[step.name] = found or ""

    def _cease(self, step: Cease) -> None:
        peer = self._peer(step.party)
        what = f" about {step.notice}" if step.notice else ""
        self._tell(
            step.party,
            f"asks {self.show.name(peer)} to cease{what}{self._at(step)}: {step.reason}",
            "bold red",
        )
        body: Json = {"reason": step.reason, "to": [peer], "exercise": True}
        optional = {
            "place": step.place,
            "text": step.text,
            "about": self.filed[step.notice] if step.notice else "",
        }
        body |= {name: value for name, value in optional.items() if value}
        self._said(step, "/api/v1/ceases", body)

    def _emergency(self, step: Emergency) -> None:
        peer = self._peer(step.party)
        words = f": {step.text}" if step.text else ""
        self._tell(step.party, f"tells of an emergency, {step.kind}{words}", "bold red")
        body: Json = {"kind": step.kind, "to": [peer], "exercise": True}
        optional = {
            "place": self._place(step.shape) if step.shape is not None else "",
            "text": step.text,
            "about": self.filed[step.notice] if step.notice else "",
        }
        body |= {name: value for name, value in optional.items() if value}
        self._said(step, "/api/v1/emergencies", body)

    def _reply(self, step: Reply) -> None:
        said = f": {step.text}" if step.text else ""
        self._tell(
            step.party, f"answers {step.name}{self._at(step)}: {step.reply.upper()}{said}", "bold"
        )
        row = self._until(lambda: self._matter(step.party, step.name))
        kind = "ceases" if row is None or row["kind"] == "cease" else "emergencies"
        base = f"/api/v1/{kind}/{self.ids[step.name]}"
        body: Json = {"text": step.text or None}
        if step.reply == "effective":
            self._asked(step, "POST", f"{base}/effective", body)
        else:
            self._asked(step, "POST", f"{base}/reply", {"reply": step.reply, **body})

    def _urgent(self, step: Urgent) -> None:
        rows: list[Json | None] = []

        def fits(row: Json | None) -> bool:
            return (
                row is not None
                and row["status"] == step.status
                and (step.step is None or row["step"] == step.step)
                and (not step.called or row["desk"] == step.called)
                and (step.received_within_s is None or row["received"] is not None)
            )

        def look() -> bool | None:
            rows[:] = [self._matter(party, step.name) for party in self._sides(step.party)]
            return True if all(fits(row) for row in rows) else None

        found = self._until(look)
        row = rows[0]
        if row is None:
            self.show.wrong(f"{step.name} is not there")
            return
        asked = self.show.name(row["to"])
        verb = "is" if row["open"] else "was"
        up = f", step {row['step']}: {row['desk']} {verb} called" if row["step"] else ""
        self._tell(step.party, f"looks at {step.name}: {row['status']}{up}")
        took: list[str] = []
        received_s = None
        if row["received"] is not None:
            received_s = (parse_time(row["received"]) - parse_time(row["asked"])) / US_PER_S
            took.append(f"on every console of {asked} after {_duration(received_s)}")
        for name, words in (("first_reply_s", "first answer"), ("effective_s", "effective")):
            if row[name] is not None:
                took.append(f"{words} after {_duration(row[name])}")
        if took:
            self.show.more("; ".join(took))
        if found:
            self.show.more(f"the same at {self.show.name(self._peer(step.party))}'s node")
        else:
            more = f", step {step.step}" if step.step is not None else ""
            self.show.wrong(f"both nodes should show {step.status}{more} {step.called}".rstrip())
        within_s = step.received_within_s
        if within_s is not None and (received_s is None or received_s > within_s):
            self.show.wrong(f"it should be received within {within_s:g} s")

    def _alarm(self, step: Alarm) -> None:
        about = self.filed.get(step.about) or self.ids.get(step.about, "")
        parties = (step.party,) if step.at == "own" else self._sides(step.party)

        def sounds(party: str) -> bool:
            return any(
                row["kind"] == step.kind
                and not row["over"]
                and (not about or about in (*row["notices"], row["statement"]))
                for row in self._get(party, "/api/v1/picture")["alarms"]
            )

        def look() -> bool | None:
            found = [sounds(party) for party in parties]
            return True if (not any(found) if step.at == "none" else all(found)) else None

        fits = self._until(look)
        names = " and ".join(self.show.name(party) for party in parties)
        word = "no" if step.at == "none" else "an"
        what = f" about {step.about}" if step.about else ""
        self._tell(step.party, f"{word} alarm ({step.kind}){what} on every console of {names}")
        if not fits:
            self.show.wrong(f"there should be {word} alarm of {step.kind} at {names}")

    # -- conversation --------------------------------------------------------------------------

    def _talked(self, step: Message | Call, path: str, body: Json, rows: str) -> None:
        """Say it, and keep the id of the statement that it became."""
        found = self._asked(step, "POST", path, body)
        if found is None:
            return
        spoken = found.get("said", found)
        questions = found.get("questions", [])
        if isinstance(step, Message) and bool(questions) is not step.expect_question:
            self.show.wrong("the node should ask first" if step.expect_question else "it asks")
        if spoken is None:
            self.show.more(_ASKED_FIRST)
            spoken = self._asked(step, "POST", path, {**body, "confirmed": True}) or {}
            spoken = spoken["said"]
            self.show.more(_CONFIRMED)

        def look() -> str | None:
            detail = self._get(step.party, f"/api/v1/talks/{spoken['thread']}?opened=false")
            said = [one for one in detail[rows] if one["party"] == step.party]
            return str(said[-1]["statement"]) if said else None

        found_id = self._until(look)
        if found_id is None:
            self.show.wrong("it is not signed: the line is down")
        self.ids[step.name] = found_id or ""

    def _message(self, step: Message) -> None:
        what = f'"{step.text}"' if step.text else step.phrase
        slots = {name: self._slot(value) for name, value in step.slots}
        self._tell(
            step.party,
            f"says to the desk {step.to_desk}{self._at(step)}, {step.precedence}: {what}",
            "bold",
        )
        body: Json = {
            "desk": step.to_desk,
            "precedence": step.precedence,
            "language": step.language,
            "to": [self._peer(step.party)],
            "exercise": True,
        }
        if step.notice:
            body["thread"] = self.filed[step.notice]
        if step.text:
            body["text"] = step.text
        else:
            body |= {"phrase": step.phrase, "slots": slots}
        if step.translator:
            body["translator"] = step.translator
        self._talked(step, "/api/v1/talks", body, "messages")
        if step.shown_in:
            self._shown(step)

    def _slot(self, value: Slot) -> str | int | Json:
        if isinstance(value, When):
            return self._time(value)
        if isinstance(value, tuple):
            lon, lat = (round(Fraction(str(one)) * NANODEG_PER_DEG) for one in value)
            return {"lat": lat, "lon": lon}
        return value

    def _shown(self, step: Message) -> None:
        """The phrase as the receiver's screen has it, in the receiver's language."""
        peer = self._peer(step.party)

        def look() -> str | None:
            for talk in self._get(peer, "/api/v1/talks")["talks"]:
                path = f"/api/v1/talks/{talk['id']}?opened=false&language={step.shown_in}"
                for one in self._get(peer, path)["messages"]:
                    if one["statement"] == self.ids[step.name] and one["shown"]:
                        return str(one["shown"]["text"])
            return None

        text = self._until(look)
        if text is None:
            self.show.wrong(f"{step.name} should be shown in {step.shown_in}")
            return
        self.show.more(f"on {self.show.name(peer)}'s screen in {step.shown_in}: {text}")

    def _answer(self, step: Answer) -> None:
        said = f": {step.text}" if step.text else ""
        self._tell(
            step.party, f"answers {step.name}{self._at(step)}: {step.answer.upper()}{said}", "bold"
        )
        body = {"answer": step.answer, "text": step.text or None}
        self._wait_for(step.party, step.name, "messages")
        self._asked(step, "POST", f"/api/v1/messages/{self.ids[step.name]}/answer", body)

    def _call(self, step: Call) -> None:
        rang = step.answered_after_s
        rung = "nobody answered" if rang is None else f"answered after {format_duration(rang)}"
        self._tell(
            step.party,
            f"records a call{self._at(step)} on the line {step.line} to {step.to_desk}: {rung}, held {format_duration(step.held_s)}: {step.text}",
            "bold",
        )
        body: Json = {
            "line": step.line,
            "desk": step.to_desk,
            "began": self._time(step.start),
            "ended": self._time(step.end),
            "answered_after_s": rang,
            "held_s": step.held_s,
            "language": step.language,
            "summary": step.text,
            "to": [self._peer(step.party)],
            "exercise": True,
        }
        if step.interpreter:
            body["interpreter"] = step.interpreter
        if step.notice:
            body["thread"] = self.filed[step.notice]
        self._talked(step, "/api/v1/calls", body, "calls")

    def _agree_call(self, step: AgreeCall) -> None:
        word = "agrees with" if step.agrees else "disputes"
        said = f": {step.text}" if step.text else ""
        self._tell(step.party, f"{word} the record of {step.name}{self._at(step)}{said}", "bold")
        self._wait_for(step.party, step.name, "calls")
        body = {"agrees": step.agrees, "text": step.text or None}
        if self._asked(step, "POST", f"/api/v1/calls/{self.ids[step.name]}/agree", body):
            both = "signed by both" if step.agrees else "one party's claim, and disputed"
            self.show.more(f"the record is now {both}")

    def _wait_for(self, party: str, name: str, rows: str) -> None:
        """Wait until something that the other party said is here."""

        def look() -> bool | None:
            for talk in self._get(party, "/api/v1/talks")["talks"]:
                detail = self._get(party, f"/api/v1/talks/{talk['id']}?opened=false")
                if any(one["statement"] == self.ids[name] for one in detail[rows]):
                    return True
            return None

        if self._until(look) is None:
            self.show.wrong(f"{name} should have been delivered")

    # -- the line and the watch ----------------------------------------------------------------

    def _declare(self, step: Declare) -> None:
        if step.do == "check":
            self._check(step)
            return
        word = {"suspend": "SUSPENDED", "resume": "RESUMED", "fault": "AT FAULT"}[step.do]
        self._tell(
            step.party,
            f"declares the line {word} ({step.scope}){self._at(step)}: {step.text}",
            "bold",
        )
        path = f"/api/v1/line/{self._peer(step.party)}/{step.do}"
        body: Json = {"scope": step.scope, "reason": step.text}
        found = self._asked(step, "POST", path, body)
        if found is not None and not found["said"]:
            self.show.more(_ASKED_FIRST)
            self._asked(step, "POST", path, {**body, "confirmed": True})
            self.show.more(_CONFIRMED)

    def _check(self, step: Declare) -> None:
        peer = self._peer(step.party)
        said = f": {step.text}" if step.text else ""
        self._tell(step.party, f"checks the line to {self.show.name(peer)} by hand{said}", "bold")
        before = self._by_hand(step.party, peer)
        if self._asked(step, "POST", f"/api/v1/line/{peer}/check", {}) is None:
            return
        found = self._until(lambda: True if self._by_hand(step.party, peer) > before else None)
        if found:
            self.show.more("the other side's machine answers", "green")
        else:
            self.show.wrong("the check should be answered")

    def _by_hand(self, party: str, peer: str) -> int:
        checks = self._get(party, f"/api/v1/line/{peer}")["by_hand"]
        return sum(one["state"] == "answered" for one in checks)

    def _line(self, step: Line) -> None:
        peer = self._peer(step.party)
        rows: list[Json] = []

        def counted(*states: str) -> int:
            return sum(slot["state"] in states for slot in rows[0]["streak"])

        def look() -> bool | None:
            found = self._get(step.party, "/api/v1/picture")["lines"]
            rows[:] = [next(row for row in found if row["peer"] == peer)]
            enough = (
                counted(*_MISSED) >= step.missed
                and counted("answered") >= step.answered
                and counted("unsent") >= step.unsent
            )
            return True if rows[0]["word"] == step.word and enough else None

        fits = self._until(look)
        row = rows[0]
        declared = row["declared"]
        said = (
            f"{declared['kind']} ({declared['scope']}) by {self.show.name(declared['by'])}: {declared['reason']}"
            if declared
            else "nothing"
        )
        self._tell(
            step.party, f"looks at the line to {self.show.name(peer)}: {row['word']}", "bold"
        )
        self.show.more(f"declared: {said}; observed: {row['observed']}")
        lamps = {"answered": "+", "late": "~", "waiting": ".", "missed": "-", "unsent": " "}
        self.show.more(
            f"scheduled checks: {counted('answered')} answered, {counted(*_MISSED)} not answered in time, {counted('unsent')} not sent"
            f"   [{''.join(lamps[slot['state']] for slot in row['streak'])}]"
        )
        self.show.command(f"status $D/{step.party}")
        if not fits:
            self.show.wrong(
                f"the line should be {step.word}, with at least {step.answered} checks answered, {step.missed} not in time, {step.unsent} not sent"
            )

    def _roster(self, step: Roster) -> None:
        start, end = self._time(step.start), self._time(step.end)
        self._tell(
            step.party,
            f"says that its desk {step.desk} is manned in {', '.join(step.languages)} from {start} until {end}",
            "bold",
        )
        body = {
            "desk": step.desk,
            "languages": list(step.languages),
            "from": start,
            "until": end,
            "to": [self._peer(step.party)],
        }
        self._asked(_At(step.party, DESK), "POST", "/api/v1/roster", body)

    def _handover(self, step: Handover) -> None:
        tested = "sound tested" if step.sound_tested else "sound NOT tested"
        self._tell(step.party, f"hands the watch to {step.to}, {tested}: {step.text}", "bold")
        body = {"to": step.to, "sound_tested": step.sound_tested, "notes": step.text}
        self._asked(step, "POST", "/api/v1/handover", body)

    def _presence(self, step: Presence) -> None:
        said = f": {step.text}" if step.text else ""
        if step.do in ("away", "back"):
            word = "nobody is at its desk" if step.do == "away" else "somebody is back at its desk"
            self._tell(step.party, f"{word} {step.desk}{said}")
            return
        if step.do == "go-silent":
            self._tell(step.party, f"falls silent without a word{said}", "bold")
            self.stage.silence(step.party)
            self.show.more("(this play has ended its node's process)")
            return
        self.stage.revive(step.party)
        self._tell(step.party, f"is there again{said}", "bold")

    def _clearance(self, step: Clearance) -> None:
        notice = self.filed[step.notice]
        rows: list[Json] = []

        def look() -> bool | None:
            rows[:] = [self._get(step.party, f"/api/v1/notices/{notice}/clearance")]
            return True if self._cleared(rows[0]) == step.expect else None

        fits = self._until(look)
        found = rows[0]
        self._tell(
            step.party,
            f"sees at home, and tells nobody, who must move for {step.notice}: {self._cleared(found)}",
            "bold" if step.expect == "not-enough" else "",
        )
        for row in found["rows"]:
            left = max(0, row["lead_s"])
            self.show.more(
                f"{row['notice'].partition(':')[2]} ({row['activity']}): {row['to_clear_nm']:.1f} NM to go at {found['speed_kt']:g} kt needs {_duration(row['needs_s'])}; there are {_duration(left)}: {'enough' if row['can'] else 'NOT ENOUGH'}"
            )
        third = found["third_party"]
        if third is not None:
            near = ", ".join(row["notice"].partition(":")[2] for row in third["rows"]) or "none"
            self.show.more(
                f"somebody else's air defence may fire: own notices within {third['margin_nm']:g} NM: {near}"
            )
        if step.third_party and not (third and third["rows"]):
            self.show.wrong("it should name own notices near which a third party may fire")
        if not fits:
            self.show.wrong(f"the time should be {step.expect}")

    def _cleared(self, found: Json) -> str:
        if not found["rows"]:
            return "clear"
        return "enough" if all(row["can"] for row in found["rows"]) else "not-enough"


class _At:
    """Who asks for something that is not of the step's own desk."""

    def __init__(self, party: str, desk: str) -> None:
        self.party, self.desk = party, desk


def _duration(seconds: float) -> str:
    """Whole seconds and more as everywhere; below, tenths."""
    return f"{seconds:.1f} s" if 0 <= seconds < 10 else format_duration(seconds)
