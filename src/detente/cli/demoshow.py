"""The story of a play as lines of text."""

from __future__ import annotations

import shlex
import textwrap
from pathlib import Path

from rich.console import Console
from rich.text import Text

from detente.cli.demonodes import OFFICER, Nodes
from detente.node.outcome import EXIT_BAD_NEWS, EXIT_DONE
from detente.protocol.bundle import LEGAL_NOTE
from detente.scenario.script import (
    Script,
)
from detente.units import format_dtg

COLOURS = ("cyan", "yellow")  # by place in the script: swapping the parties swaps the colours


class Show:
    """The story as lines of text; the same with and without a terminal, but for colour."""

    def __init__(self, console: Console, script: Script) -> None:
        self.console, self.script = console, script
        self.prefix = f"EXERCISE {script.label}".strip()
        self.unexpected = 0
        self._names = {party.id: party.name for party in script.parties}
        parties = [party.id for party in script.parties if party.role == "party"]
        self._styles = dict(zip(parties, COLOURS, strict=True))
        self._width = max(len(party.name) for party in script.parties)

    def blank(self) -> None:
        """An empty line."""
        self.plain("")

    def plain(self, text: str, style: str = "") -> None:
        """A line as it is."""
        self.console.print(Text(text, style=style), soft_wrap=True, highlight=False)

    def name(self, party: str) -> str:
        """A party's name."""
        return self._names.get(party, party)

    def opening(self, timeline: list[str]) -> None:
        """What the reader must know before anything happens: content note first."""
        script = self.script
        if script.content_note:
            self.plain(f"Content note: {script.content_note}", "bold")
            self.blank()
        for line in timeline:
            self.plain(line)
        if timeline:
            self.blank()
        self.plain(f"{self.prefix}  {script.title}", "bold")
        if script.note:
            self.plain(script.note)
        if script.assumptions:
            self.plain("Assumed:")
            for item in script.assumptions:
                self.plain(f"  - {item}")

    def cast(self, nodes: Nodes) -> None:
        """Who plays, where their nodes are, and what clock they agreed on."""
        assert nodes.clock is not None
        self.blank()
        self.plain(f"D={shlex.quote(str(nodes.base))}")
        for party in nodes.parties:
            role = "neutral witness" if party.role == "neutral" else "party"
            line = f"  {party.name:<{self._width}}  {role}: process {nodes.processes[party.id].pid}, {nodes.homes[party.id].card().address}, $D/{party.id}"
            self.plain(line, self._styles.get(party.id, ""))
        minima = nodes.terms.minima
        self.plain(
            f"  All have signed: closer than {minima.lateral_tenth_mm / 18_520_000:g} NM and"
            f" {minima.vertical_tenth_mm / 3048:g} ft is a conflict   (detente agree show $D/{nodes.parties[0].id})"
        )
        self.plain(f"  All times are of the {nodes.clock.label}")
        self.plain(f"  {LEGAL_NOTE}")
        self.blank()

    def consoles(self, nodes: Nodes, record: Path | None) -> None:
        """How to look at each party's own console; a link may be kept in no record, so it works once."""
        if record is not None:
            self.plain(f"  The public record above, as a page for a browser: $D/{record.name}")
        self.plain("  Consoles. Each link signs in once, within ten minutes; the password unlocks.")
        for party in nodes.parties:
            if party.id in nodes.consoles:
                link, password = nodes.consoles[party.id]
                self.plain(
                    f"  {party.name:<{self._width}}  {link}  password {password}",
                    self._styles.get(party.id, ""),
                )
        first = next(party.id for party in nodes.parties if party.id in nodes.consoles)
        self.plain(f"  Another link: detente operator link $D/{first} {OFFICER}")
        self.blank()

    def line(self, now_us: int, party: str, text: str, style: str = "") -> None:
        """One thing that happened: label, scenario time, who, what."""
        label = f"{self.prefix} {format_dtg(now_us)}  "
        name = f"{self.name(party):<{self._width}}  " if party else ""
        for at, part in enumerate(self._wrapped(text, len(label) + len(name))):
            if at:
                self.more(f"  {part}", style)
                continue
            head = Text(label).append(name, self._styles.get(party, "")).append(part, style)
            self.console.print(head, soft_wrap=True, highlight=False)

    def more(self, text: str, style: str = "", *, wrap: bool = True) -> None:
        """What belongs to the line above."""
        label = f"{self.prefix}     "
        parts = self._wrapped(text, len(label) + 2) if wrap else [text]
        for at, part in enumerate(parts):
            indent = "  " if at else ""
            self.console.print(
                Text(label + indent).append(part, style), soft_wrap=True, highlight=False
            )

    def _wrapped(self, text: str, indent: int) -> list[str]:
        """On a terminal, lines that fit it and keep their label; elsewhere one line each, for tools."""
        width = self.console.width - indent
        if not self.console.is_terminal or width < 30:
            return [text]
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]

    def command(self, text: str) -> None:
        """The command that shows the line above; never broken, so that it can be copied."""
        self.more(f"$ detente {text}", "dim", wrap=False)

    def wrong(self, text: str) -> None:
        """The nodes answered otherwise than the script expects: said aloud, and kept for the end."""
        self.unexpected += 1
        self.more(f"NOT AS THE SCRIPT EXPECTS: {text}", "bold red")

    def ending(self, nodes: Nodes, *, kept: bool) -> int:
        """The last lines, and the exit code."""
        count = len(nodes.processes)
        self.plain(f"{self.prefix}  ended the {count} processes that this demo started.")
        if kept:
            first = nodes.parties[0].id
            self.plain(
                f"The records stay in {nodes.base}; look with: detente notice list $D/{first}"
            )
        if self.unexpected:
            self.plain(f"{self.unexpected} answers were not as the script expects.", "bold red")
            return EXIT_BAD_NEWS
        return EXIT_DONE
