"""Plays a script: what its steps ask of the nodes, at their times, and what the nodes answered."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from detente.cli.acts import Acts
from detente.cli.client import Api
from detente.cli.demonodes import Nodes
from detente.cli.demoshow import Show
from detente.errors import DetenteError, UnavailableError
from detente.protocol.bundle import verify_bundle
from detente.scenario.act import Acted, Looked
from detente.scenario.script import (
    CYCLE,
    Ask,
    Cancel,
    Conflicts,
    File,
    Look,
    Party,
    Report,
    Say,
    Script,
    Step,
    area_geojson,
    describe_notice,
    notice_geojson,
    time_to_clear,
)
from detente.scenario.settle import Keep
from detente.scenario.terms import play_speed
from detente.units import US_PER_S, format_dtg, format_duration, format_time, parse_time

DELIVERED_S = 10.0  # a receipt on loopback takes milliseconds; past this the play says none came
COSIGNED_S = (
    8.0  # witnesses cosign once a second, and one that was not there yet tries after a pause
)
SHORT = 8  # characters of an id that are shown: enough to tell a dozen of them apart


class Stopped(BaseException):
    """Somebody asked the demo to end (Ctrl-C, a signal, or --exit-after)."""


class Player:
    """Carries out steps at their times, and tells what the nodes answered."""

    def __init__(
        self, script: Script, nodes: Nodes, show: Show, speed: float, until: float | None
    ) -> None:
        self.script, self.nodes, self.show, self.until = script, nodes, show, until
        self.speed = play_speed(script, speed)
        self.begun = nodes.begin
        self.files = nodes.base / "files"
        self.files.mkdir(exist_ok=True)
        self.filed: dict[str, str] = {}  # name as in the script, to the notice's full id
        self.listed: dict[
            str, list[str]
        ] = {}  # party, to the conflicts it listed since the last filing
        self.asked = 0
        assert nodes.clock is not None
        self.clock = nodes.clock
        self.origin_us = script.clock.start_us
        self.acts = Acts(nodes, show, self.clock, self.filed, lambda: self.origin_us)

    def play(self) -> None:
        """All steps, then the loop, until somebody stops it.

        Raises:
            Stopped: the time is over.
        """
        for step in self.script.steps:
            self._wait(step.at_s)
            self._do(step)
        loop = self.script.loop
        if loop is None:
            self.show.line(
                self.clock.now_us(), "", "The play is over. The nodes run on until Ctrl-C."
            )
            while True:
                self._wait(float("inf"))
        offset_s = self.script.steps[-1].at_s
        cycle = 0
        while True:
            cycle += 1
            at_us = self.clock.now_us()
            self.origin_us = at_us - at_us % (60 * US_PER_S)  # whole minutes read better
            for step in loop.steps:
                self._wait(offset_s + step.at_s)
                self._do(_in_cycle(step, cycle))
            offset_s += loop.every_s
            self._wait(offset_s)

    def _wait(self, at_s: float) -> None:
        """Sleep until a moment of the play; look after the nodes meanwhile.

        Raises:
            Stopped: --exit-after comes first.
            UnavailableError: a node has ended.
        """
        due = self.begun + at_s / self.speed
        while True:
            now = time.monotonic()
            if self.until is not None and now >= self.until:
                raise Stopped
            if self.nodes.failed is not None:
                raise self.nodes.failed
            gone = self.nodes.ended()
            if gone:
                raise UnavailableError(
                    "node-ended", f"the node of {gone[0]} has ended; all must run to the end"
                )
            if now >= due:
                return
            most = due if self.until is None else min(due, self.until)
            time.sleep(max(0.0, min(0.25, most - now)))

    def _do(self, step: Step) -> None:
        kinds: tuple[tuple[Any, Callable[[Any], None]], ...] = (
            (Say, self._say),
            (File, self._file),
            (Cancel, self._cancel),
            (Look, self._look),
            (Conflicts, self._conflicts),
            (Ask, self._ask),
            (Report, self._report),
            (Acted, self.acts.do),
            (Looked, self.acts.do),
        )
        next(act for kind, act in kinds if isinstance(step, kind))(step)
        if isinstance(step, Keep):
            self.listed.clear()

    def _line(self, party: str, text: str, style: str = "") -> None:
        self.show.line(self.clock.now_us(), party, text, style)

    def _api(self, party: str) -> Api:
        return self.nodes.apis[party]

    def _peer(self, party: str) -> Party:
        return next(p for p in self.nodes.parties if p.role == "party" and p.id != party)

    def _own_name(self, party: str, notice_id: str) -> str:
        """A notice as this party calls it: its own without the party."""
        owner, _, name = notice_id.partition(":")
        return name if owner == party else notice_id

    # -- steps ---------------------------------------------------------------------------------

    def _say(self, step: Say) -> None:
        self._line(step.party, step.text, "italic" if not step.party else "")

    def _file(self, step: File) -> None:
        if step.do == "preview":
            self._preview(step)
            return
        verb = {"file": "files", "amend": "amends", "file-words": "offers words as"}[step.do]
        self._line(
            step.party, f"{verb} {step.notice}: {describe_notice(step, self.origin_us)}", "bold"
        )
        if step.text and step.expect_field:
            self.show.more(f'"{step.text}"')
        content = notice_geojson(step, self.origin_us, step.notice)
        path = self.files / f"{step.notice}.geojson"
        path.write_bytes(content)
        amend = step.do == "amend"
        params = {"wait": "delivered", "timeout_s": DELIVERED_S, "amend": amend}
        try:
            found = self._api(step.party).json(
                "POST", "/api/v1/notices", content=content, params=params
            )
        except DetenteError as error:
            self._refused(step, error, path)
            return
        self.filed[step.notice] = found["id"]
        self.listed.clear()
        self._receipt(step.party, found["id"])
        if not step.taken:
            rule = step.expect_field or step.expect_rule
            self.show.wrong(f"the notice was taken; it should be refused for {rule}")
        for row in found["conflicts"]:
            self._conflict(step.party, row)
        self.show.command(f"notice show $D/{step.party} {step.notice}")

    def _preview(self, step: File) -> None:
        """Ask the node what filing would do; it may ask about the words for the place."""
        self._line(
            step.party,
            f"writes {step.notice}, not sent yet: {describe_notice(step, self.origin_us)}",
            "bold",
        )
        content = notice_geojson(step, self.origin_us, step.notice)
        found = self._api(step.party).json("POST", "/api/v1/preview", content=content)
        codes = [one["code"] for one in found["questions"]]
        for one in found["questions"]:
            said = f'"{one["words"]}" is said'
            self.show.more(
                f"the node asks before sending: {said}, and the volume lies {one['lies']} of {one['place']}, {one['distance_nm']:.0f} NM, bearing {one['bearing_deg']:03d}",
                "bold",
            )
        if not codes:
            self.show.more("the node has no question about the words")
        if codes != ([step.expect_question] if step.expect_question else []):
            self.show.wrong(f"the node should ask: {step.expect_question or 'nothing'}")

    def _refused(self, step: File, error: DetenteError, path: Path) -> None:
        self.show.more(f"refused: {error}", "bold")
        if error.hint:
            self.show.more(error.hint)
        verb = "amend" if step.do == "amend" else "file"
        self.show.command(f"notice {verb} $D/{step.party} $D/files/{path.name}")
        if step.taken:
            self.show.wrong("the notice should be taken")
        elif step.expect_rule:
            if error.code != step.expect_rule:
                self.show.wrong(f"the rule is {error.code}; it should be {step.expect_rule}")
        elif step.expect_field not in (error.field or ""):
            self.show.wrong(f"the refusal names {error.field}; it should name {step.expect_field}")

    def _shown(self, party: str, notice_id: str) -> dict[str, Any]:
        """A notice as a party's node shows it, without telling the other side that it was opened."""
        found: dict[str, Any] = self._api(party).json(
            "GET", f"/api/v1/notices/{notice_id}", params={"opened": "false"}
        )
        return found

    def _receipt(self, party: str, notice_id: str) -> None:
        """The receipts of a notice's newest version, with the lead time that they give."""
        notice = self._shown(party, notice_id)
        version = notice["versions"][-1]
        for row in version["receipts"]:
            late = ", LATE by the agreement" if notice["late"] else ""
            self.show.more(
                f"receipt {row['receipt'][:SHORT]} of {self.show.name(row['party'])}, version {version['version']}: {row['answer']}"
                f" {_seconds(row['received'])}, lead time {_lead(notice['lead_time_s'])}{late}",
                "bold" if late else "green",
            )
        if not version["receipts"]:
            self.show.wrong(f"no receipt after {DELIVERED_S:g} s")

    def _cancel(self, step: Cancel) -> None:
        reason = step.text or "no longer planned"
        self._line(step.party, f"cancels {step.notice}: {reason}", "bold")
        found = self._api(step.party).json(
            "POST",
            f"/api/v1/notices/{self.filed[step.notice]}/cancel",
            body={"reason": reason},
            params={"wait": "delivered", "timeout_s": DELIVERED_S},
        )
        self.listed.clear()
        self._receipt(step.party, found["id"])
        self.show.command(f"notice show $D/{step.party} {step.notice}")

    def _conflicts(self, step: Conflicts) -> None:
        found = self._api(step.party).json("GET", "/api/v1/conflicts")["conflicts"]
        live = [row for row in found if row["state"] == "live"]
        peer = self._peer(step.party)
        if live:
            self._line(step.party, f"lists {len(live)} live conflict{'s' * (len(live) > 1)}")
        else:
            resolved = f"; {len(found)} resolved" if found else ""
            self._line(step.party, f"lists no live conflict{resolved}", "green")
        for row in live:
            self._conflict(step.party, row)
        ids = [row["id"] for row in live]
        if peer.id in self.listed:
            same = sorted(self.listed[peer.id]) == sorted(ids)
            if same and ids:
                self.show.more(f"the same id, and the same verdict, as at {peer.name}'s node")
            elif not same:
                self.show.wrong(f"{peer.name}'s node lists other conflicts")
        self.listed[step.party] = ids
        self.show.command(f"conflicts $D/{step.party}")
        if step.expect and step.expect != ("conflict" if ids else "none"):
            self.show.wrong(f"it should list {step.expect}")

    def _conflict(self, party: str, row: dict[str, Any]) -> None:
        own = next(one for one in row["notices"] if one.startswith(f"{party}:"))
        other = next(one for one in row["notices"] if one != own)
        place = row["place"]
        near = f", near {_position(place['lat'], place['lon'])}" if place else ""
        self.show.more(
            f"{row['verdict'].upper()} {row['id'][:SHORT]}: own {self._own_name(party, own)} and {other}{near}: {row['reason']}",
            "bold red",
        )

    def _ask(self, step: Ask) -> None:
        self.asked += 1
        text = step.text or "Was there prior notice?"
        self._line(step.party, f"asks its record: {text}", "bold")
        area = area_geojson(step)
        path = self.files / f"ask-{self.asked}.geojson"
        path.write_bytes(area)
        start, end = (
            self._time(when.resolve_us(self.origin_us)) for when in (step.start, step.end)
        )
        body = {
            "area": msgspec.json.decode(area),
            "from": start,
            "until": end,
            "by": step.by or None,
        }
        found = self._api(step.party).json("POST", "/api/v1/ask", body=body)
        for row in found["notices"]:
            received = (
                f"received {_seconds(row['received'])}" if row["received"] else "no receipt yet"
            )
            self.show.more(
                f"yes: {row['id']} version {row['version']} ({row['state']}), {received}, lead time {_lead(row['lead_time_s'])}",
                "green",
            )
        if not found["notices"]:
            self.show.more("none in this record", "bold")
        for limit in (found["limits"][0], found["limits"][-1]):
            self.show.more(f"- {limit}", "dim")
        by = f" --by {step.by}" if step.by else ""
        self.show.command(
            f"ask $D/{step.party} --area $D/files/{path.name} --from {start} --until {end}{by}"
        )
        if step.expect and step.expect != ("notice" if found["notices"] else "none"):
            self.show.wrong(f"the answer should be {step.expect}")

    def _time(self, time_us: int | None) -> str:
        assert time_us is not None  # a question's times are never words only
        return format_time(time_us)

    def _report(self, step: Report) -> None:
        notice = self._shown(step.party, self.filed[step.notice])
        received = notice["versions"][-1]["received"]
        until_us = step.until.resolve_us(self.origin_us) if step.until else None
        until_us = parse_time(notice["start"]) if until_us is None else until_us
        if received is None:
            self._line(step.party, f"{step.text or step.notice}: no receipt, so no time is known")
            self.show.wrong("there should be a receipt")
            return
        left = time_to_clear(parse_time(received), until_us)
        text = step.text or f"From the receipt of {step.notice} to {format_dtg(until_us)}"
        self._line(step.party, f"{text}: {left}", "bold")
        self.show.more(f"received {_seconds(received)}, to {format_time(until_us)}")
        full = self._own_name(step.party, self.filed[step.notice])
        self.show.command(f"notice show $D/{step.party} {full}")

    def _look(self, step: Look) -> None:
        {
            "receipts": self._receipts,
            "prove": self._prove,
            "verify": self._verify,
            "tamper": self._tamper,
        }[step.do](step)

    def _receipts(self, step: Look) -> None:
        notice_id = self.filed[step.notice]
        found = self._api(step.party).json("GET", f"/api/v1/receipts/{notice_id}")
        self._line(step.party, f"looks up the receipts of {notice_id}")
        for row in found["receipts"]:
            version = f"version {row['version']}: " if "version" in row else ""
            self.show.more(
                f"receipt {row['receipt'][:SHORT]} of {self.show.name(row['party'])}: {version}{row['answer']} {_seconds(row['received'])}"
            )
        for missing in found["missing"]:
            self.show.more(f"no receipt yet: {missing}", "bold")
        self.show.command(f"receipts $D/{step.party} {self._own_name(step.party, notice_id)}")

    def _bundle(self, step: Look) -> Path:
        return self.files / f"{step.notice}.bundle"

    def _prove(self, step: Look) -> None:
        notice_id = self.filed[step.notice]
        self.nodes.wait_witnesses()
        everybody = {party.id for party in self.nodes.parties} - {step.party}
        until = time.monotonic() + COSIGNED_S
        while True:
            data = self._api(step.party).request("GET", f"/api/v1/bundles/{notice_id}").content
            cosigned = {one for place in self._checked(data).logged_at for one in place.cosigned_by}
            if everybody <= cosigned or time.monotonic() > until:
                break
            time.sleep(0.1)
        path = self._bundle(step)
        path.write_bytes(data)
        self._line(
            step.party, f"writes the proof of {notice_id} into one file of {len(data):,} bytes"
        )
        self.show.more(
            "the statement, its receipt, its place in both ledgers, checkpoints that witnesses cosigned"
        )
        self.show.command(
            f"prove $D/{step.party} {self._own_name(step.party, notice_id)} -o $D/files/{path.name}"
        )

    def _checked(self, data: bytes) -> Any:
        agreement = self.nodes.agreement
        assert agreement is not None
        roots = {member.id: member.root for member in agreement.members.values()}
        return verify_bundle(data, roots, agreement=agreement.hash)

    def _verify(self, step: Look) -> None:
        verified = self._checked(self._bundle(step).read_bytes())
        self._line(
            step.party,
            f"verifies the file offline: valid, made by {self.show.name(verified.made_by)}",
            "green",
        )
        order = [p.id for p in self.nodes.parties]
        logs = sorted(verified.logged_at, key=lambda one: order.index(one.log.split("/")[1]))
        for place in logs:
            names = sorted(place.cosigned_by, key=order.index)
            vouch = ", ".join(self.show.name(one) for one in names) or "nobody else"
            owner = self.show.name(place.log.split("/")[1])
            self.show.more(
                f"entry {place.index} of {owner}'s ledger, logged {_seconds(place.logged)}, checkpoint cosigned by {vouch}"
            )
        for one in verified.received_by:
            self.show.more(
                f"receipt {one.receipt[:SHORT]} of {self.show.name(one.party)}: {one.answer} {_seconds(one.time)}, lead time {_lead(verified.lead_time_s)}"
            )
        for remark in verified.remarks:
            self.show.more(f"remark: {remark}")
        self._verify_command(self._bundle(step))

    def _verify_command(self, path: Path) -> None:
        self.show.command(f"verify $D/files/{path.name} --trust $D/agreement.json")

    def _tamper(self, step: Look) -> None:
        self._line(step.party, "changes one byte of a copy of the file", "bold")
        for name, data in change_one_byte(self._bundle(step).read_bytes()).items():
            path = self._bundle(step).with_suffix(f".{name}")
            path.write_bytes(data)
            how = {"changed": "as it is", "forged": "with its SHA-256 made to fit again"}[name]
            try:
                self._checked(data)
            except DetenteError as error:
                self.show.more(f"{how}: refused: {error}", "green")
            else:
                self.show.wrong(f"{how}: the changed file verifies; it must be refused")
            self._verify_command(path)


def change_one_byte(bundle: bytes) -> dict[str, bytes]:
    """A bundle with one byte changed: as it is, and with its checksum recomputed.

    The byte lies inside a digest of the signed payload, and becomes another letter: the file stays
    well-formed, so that nothing but the signatures can tell.
    """
    changed = bytearray(bundle)
    found = re.search(rb'"payload":"([A-Za-z0-9+/=_-]+)"', bundle)
    at, byte = len(bundle) // 2, bundle[len(bundle) // 2] ^ 4
    if found:
        payload = base64.b64decode(found[1].replace(b"-", b"+").replace(b"_", b"/") + b"==")
        for middle in re.finditer(rb"[A-Za-z0-9_-]{40,}", payload):
            # the first of three bytes fills the whole of a base64 letter: bit 2 changes that one only
            for i in range(-(-(middle.start() + 8) // 3) * 3, middle.end() - 8, 3):
                if payload[i : i + 1].islower() and bytes([payload[i] ^ 4]).islower():
                    at = found.start(1) + i // 3 * 4
                    letter = base64.b64encode(bytes([payload[i] ^ 4, *payload[i + 1 : i + 3]]))
                    byte = letter[0]
                    break
            else:
                continue
            break
    changed[at] = byte
    body, _, _ = bytes(changed).rpartition(b"sha256 ")
    forged = body + b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n"
    return {"changed": bytes(changed), "forged": forged}


def _in_cycle(step: Step, cycle: int) -> Step:
    """A step of the loop, with the number of the cycle in the name of its notice."""
    if isinstance(step, File | Cancel | Look | Report):
        name = step.notice.replace(CYCLE, str(cycle))
        return msgspec.structs.replace(step, notice=name)
    return step


def _seconds(text: str) -> str:
    """A time to the second; the exact one is in the record."""
    time_us = parse_time(text)
    return format_time(time_us - time_us % US_PER_S)


def _position(latitude_deg: float, longitude_deg: float) -> str:
    north = f"{abs(latitude_deg):.4f}{'N' if latitude_deg >= 0 else 'S'}"
    return f"{north} {abs(longitude_deg):.4f}{'E' if longitude_deg >= 0 else 'W'}"


def _lead(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    return format_duration(seconds) if seconds >= 0 else f"{format_duration(-seconds)} after start"
