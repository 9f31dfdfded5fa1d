"""What parties do about a clash that both have seen: advice looked up, a change proposed, answered, and kept.

An option is written with `own` and `peer` in the place of the parties, so that a play and its mirror say the same.
"""

from __future__ import annotations

import re
from typing import Literal, cast

from msgspec import Struct

from detente.limits import NAME_CHARS
from detente.notice.activity import PRECEDENCES
from detente.scenario.table import Table

_OPTION = re.compile(r"(?:own|peer)/[a-z]+|both/(?:own|peer)-[a-z]+")
_OPTION_RULE = (
    "a key of advice with own and peer for the parties, such as own/up or both/peer-later"
)


class Advised(Struct, frozen=True):
    """What would clear the conflict of a notice, as both nodes compute it; `offers` MUST be among it."""

    at_s: float
    party: str
    notice: str
    offers: tuple[str, ...]


class Propose(Struct, frozen=True):
    """An option of the advice, proposed to the other party under a name in the script."""

    at_s: float
    party: str
    desk: str
    name: str
    notice: str
    option: str
    precedence: str
    text: str
    expect_rule: str


class AnswerProposal(Struct, frozen=True):
    """What is said to a proposal; a counter is a proposal itself, of `option` and under the name `counter`."""

    at_s: float
    party: str
    desk: str
    name: str
    answer: Literal["accept", "decline", "counter"]
    option: str
    counter: str
    text: str
    expect_rule: str


class Keep(Struct, frozen=True):
    """The amendment of the own notice that an accepted proposal describes, filed."""

    at_s: float
    party: str
    desk: str
    name: str
    expect_rule: str


Settle = Advised | Propose | AnswerProposal | Keep
SETTLES = ("advice", "propose", "answer-proposal", "keep")


def option_key(option: str, own: str, peer: str) -> str:
    """The key of an option as the nodes have it.

    Args:
        option: as in a script.
        own: id of the party that acts; peer: of the other.

    Example:
        >>> option_key("both/peer-later", "north", "south")
        'both/south-later'
    """
    return re.sub(r"\b(?:own|peer)\b", lambda found: own if found[0] == "own" else peer, option)


def parse_settle(
    table: Table,
    do: str,
    at_s: float,
    party: str,
    desk: str,
    filed: dict[str, str],
    proposals: dict[str, str],
) -> Settle:
    """A step about a clash.

    Args:
        do: one of `SETTLES`.
        filed: the notices filed before.
        proposals: those made before, each with the party that made it; a new one is added.

    Raises:
        UsageError: a field is missing or malformed, or refers to what is not there.
    """

    def notice() -> str:
        return table.named("notice", filed, "a notice filed earlier in this script")

    def new(field: str) -> str:
        name = table.unused(field, proposals)
        proposals[name] = party
        return name

    def option() -> str:
        key = table.text("option", most_chars=NAME_CHARS)
        if not _OPTION.fullmatch(key):
            table.wrong("option", _OPTION_RULE)
        return key

    if do == "advice":
        offers = table.texts("offers")
        if not all(_OPTION.fullmatch(one) for one in offers):
            table.wrong("offers", f"a list, each {_OPTION_RULE}")
        return Advised(at_s, party, notice(), offers)
    rule = table.token("expect_rule", "")
    if do == "propose":
        return Propose(
            at_s=at_s,
            party=party,
            desk=desk,
            name=new("name"),
            notice=notice(),
            option=option(),
            precedence=table.choice("precedence", PRECEDENCES, "routine"),
            text=table.text("text", ""),
            expect_rule=rule,
        )
    name = table.named("name", proposals, "a proposal of an earlier step")
    if do == "keep":
        return Keep(at_s, party, desk, name, rule)
    if proposals[name] == party:
        table.wrong("name", "a proposal of the other party")
    answer = table.choice("answer", ("accept", "decline", "counter"))
    counters = answer == "counter"
    return AnswerProposal(
        at_s=at_s,
        party=party,
        desk=desk,
        name=name,
        answer=cast("Literal['accept', 'decline', 'counter']", answer),
        option=option() if counters else "",
        counter=new("as") if counters else "",
        text=table.text("text", ""),
        expect_rule=rule,
    )
