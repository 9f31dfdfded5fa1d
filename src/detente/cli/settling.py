"""How the parties of a play settle a clash: the advice of both nodes beside each other, proposals, answers, amendments."""

from __future__ import annotations

from typing import Any

from detente.cli.moves import own_first, say_moves, say_reason
from detente.cli.stage import Asking, Json
from detente.scenario.settle import Advised, AnswerProposal, Keep, Propose, Settle, option_key

SHORT = 12  # figures of an id that a command takes


class Settling(Asking):
    """Carries out what `detente.scenario.settle` parses."""

    def do(self, step: Settle) -> None:
        """Carry out one step and tell what the nodes answered."""
        if isinstance(step, Advised):
            self._advice(step)
        elif isinstance(step, Propose):
            self._propose(step)
        elif isinstance(step, AnswerProposal):
            self._answer(step)
        else:
            self._keep(step)

    def _key(self, party: str, option: str) -> str:
        return option_key(option, party, self._peer(party))

    def _conflict(self, party: str, name: str) -> str | None:
        """The one live conflict of a notice, once both nodes list it."""
        notice = self.filed[name]

        def look() -> str | None:
            found = [
                {
                    row["id"]
                    for row in self._get(side, "/api/v1/conflicts")["conflicts"]
                    if row["state"] == "live" and notice in row["notices"]
                }
                for side in self._sides(party)
            ]
            return str(*found[0]) if found[0] == found[1] and len(found[0]) == 1 else None

        id_ = self._until(look)
        if id_ is None:
            self.show.wrong(f"both nodes should list one live conflict of {name}")
        return id_

    def _advice(self, step: Advised) -> None:
        id_ = self._conflict(step.party, step.notice)
        if id_ is None:
            return
        own, peer = (
            self._get(side, f"/api/v1/conflicts/{id_}/advice")["advice"]
            for side in self._sides(step.party)
        )
        found = say_reason(own["reason"], len(own["against"]))
        self._tell(step.party, f"asks what would clear it: {found}")
        for option in own_first(own["options"], step.party):
            self.show.more(f"{option['key']:<20} {say_moves(option['moves'], step.party)}")
        if own == peer:
            name = self.show.name(self._peer(step.party))
            self.show.more(f"the same, to the last figure, at {name}'s node")
        else:
            self.show.wrong("the two nodes give other advice")
        keys = {option["key"] for option in own["options"]}
        missing = {self._key(step.party, one) for one in step.offers} - keys
        if missing:
            self.show.wrong(f"the advice should hold {', '.join(sorted(missing))}")
        self.show.command(f"advice $D/{step.party} {id_[:SHORT]}")

    def _propose(self, step: Propose) -> None:
        id_ = self._conflict(step.party, step.notice)
        if id_ is None:
            return
        option = self._key(step.party, step.option)
        said = f": {step.text}" if step.text else ""
        self._tell(step.party, f"proposes {option}{self._at(step)}{said}", "bold")
        body = {"option": option, "precedence": step.precedence, "text": step.text or None}
        if self._asked(step, "POST", f"/api/v1/conflicts/{id_}/proposals", body) is None:
            return
        self._made(step.party, step.name, option)
        self.show.command(f"propose $D/{step.party} {id_[:SHORT]} {option}")

    def _made(self, party: str, name: str, option: str) -> None:
        """Keep the id of a proposal just made, once both nodes have it."""

        def newest() -> Json | None:
            rows = [
                row
                for row in self._rows(party)
                if (row["party"], row["option"]) == (party, option)
                and not row["id"].startswith("waiting:")
                and row["id"] not in self.ids.values()
            ]
            there = {row["id"] for row in self._rows(self._peer(party))}
            return rows[-1] if rows and rows[-1]["id"] in there else None

        row = self._until(newest)
        if row is None:
            self.show.wrong(f"the proposal {option} should stand in both records")
            return
        self.ids[name] = row["id"]
        self.show.more(f"PROPOSAL {row['id'][:SHORT]}: {say_moves(row['moves'], party)}")

    def _answer(self, step: AnswerProposal) -> None:
        said = f": {step.text}" if step.text else ""
        option = self._key(step.party, step.option) if step.option else None
        with_ = f" with {option}" if option else ""
        id_ = self.ids.get(step.name, "")
        self._tell(
            step.party,
            f"answers the proposal {id_[:SHORT]}{self._at(step)}: {step.answer.upper()}{with_}{said}",
            "bold",
        )
        body = {"answer": step.answer, "option": option, "text": step.text or None}
        if self._asked(step, "POST", f"/api/v1/proposals/{id_}/answer", body) is None:
            return
        if option:
            self._made(step.party, step.counter, option)
        self.show.command(
            f"{step.answer} $D/{step.party} {id_[:SHORT]}{f' {option}' if option else ''}"
        )

    def _keep(self, step: Keep) -> None:
        id_ = self.ids.get(step.name, "")

        def accepted() -> Json | None:
            row = self._row(step.party, id_)
            return row if row and row["state"] != "proposed" else None

        self._until(accepted)  # the answer may still be on its way
        found = self._asked(step, "POST", f"/api/v1/proposals/{id_}/amendment", {})
        if found is None:
            return
        name = found["id"].partition(":")[2]
        self._tell(
            step.party, f"amends {name} exactly as accepted: version {found['version']}", "bold"
        )

        def kept() -> bool | None:
            rows = [self._row(side, id_) for side in self._sides(step.party)]
            return True if all(row and row["state"] == "kept" for row in rows) else None

        if self._until(kept):
            self.show.more("both records now say of the proposal: KEPT", "green")
        else:
            self.show.wrong("both nodes should show the proposal as kept")
        self.show.command(f"amend-as-accepted $D/{step.party} {id_[:SHORT]}")

    def _rows(self, party: str) -> list[Any]:
        rows: list[Any] = self._get(party, "/api/v1/proposals")["proposals"]
        return rows

    def _row(self, party: str, id_: str) -> Json | None:
        return next((row for row in self._rows(party) if row["id"] == id_), None)
