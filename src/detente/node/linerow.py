"""One line as a console and the command line show it: what was declared of it beside what is observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from detente.hotline.health import (
    DeclaredState,
    Observed,
    Saying,
    Scope,
    Slot,
    Word,
    observe,
    word_for,
)
from detente.node.linewatch import Health
from detente.node.mirrorrow import MirrorRow, mirror_row
from detente.node.node import Node
from detente.protocol.core import Core
from detente.protocol.incoming import line_quality
from detente.protocol.linestate import (
    Declared,
    check_peer,
    checks_by_hand,
    declarations_filed,
    declared_of,
    next_check,
    streak,
)
from detente.protocol.link import CarriedBy
from detente.units import format_time

if TYPE_CHECKING:
    from detente.node.server import Serving


class DeclaredRow(msgspec.Struct, frozen=True):
    """What one party declared of one scope of a line, by its own clock, and has not taken back."""

    scope: Scope
    kind: DeclaredState
    since: str
    reason: str
    by: str


class LineRow(msgspec.Struct, frozen=True):
    """The line to one peer.

    Attributes:
        silent_s: real seconds since it was heard, or since the node began to listen.
        offset_s: its clock less ours.
        failing: why our own tries fail, or None.
        waiting: statements that it does not hold yet, unsigned ones included.
        declared: the latest that stands, by the time it claims; `declarations` are all.
        observed: what this node measures, whatever was declared.
        word: both in one word.
        path: which way the last exchange went; None before the first.
        alternate: a second address is in this node's settings.
        streak: the last 60 scheduled checks, oldest first.
        next_check: when the next one is, or None where none is agreed.
        mirror: how far the copies of the two logs are.
    """

    peer: str
    state: str
    last_heard: str | None
    silent_s: float | None
    offset_s: float | None
    failing: str | None
    waiting: int
    declared: DeclaredRow | None
    declarations: list[DeclaredRow]
    observed: Observed
    word: Word
    path: CarriedBy | None
    alternate: bool
    streak: list[Slot]
    next_check: str | None
    mirror: MirrorRow


def line_row(node: Node, serving: Serving | None, core: Core, peer: str, now_us: int) -> LineRow:
    """The line to a peer now: to be asked in a job."""
    quality = line_quality(core, peer, now_us)
    health = serving.watch.health(peer) if serving is not None else None
    declarations = [_declared(one) for one in declared_of(core.state, peer)]
    config = node.home.config
    check_us = next_check(core.state, peer, now_us)
    observed = observe(
        _heard_s(core, peer, health), _failing(serving, peer, health), config.heartbeat_s
    )
    return LineRow(
        peer=peer,
        state=quality["state"],
        last_heard=quality["heard"],
        silent_s=round(health.silent_s, 1) if health else quality["heard_ago_s"],
        offset_s=quality["offset_s"],
        failing=health.failing if health else None,
        waiting=quality["waiting"] + quality["unsigned"],
        declared=declarations[0] if declarations else None,
        declarations=declarations,
        observed=observed,
        word=word_for(observed, declarations[0].kind if declarations else "open"),
        path=core.link(peer).path,
        alternate=peer in config.alternates,
        streak=streak(core.state, peer, now_us),
        next_check=None if check_us is None else format_time(check_us),
        mirror=mirror_row(node, serving, core, peer),
    )


def _heard_s(core: Core, peer: str, health: Health | None) -> float | None:
    heard_us = core.link(peer).heard_us
    if heard_us is None or health is None:
        return None
    return health.silent_s if heard_us == health.heard_us else 0.0  # heard since it was looked at


def _failing(serving: Serving | None, peer: str, health: Health | None) -> str | None:
    """Why the peer cannot be reached; None where it answers at its second address."""
    safety = serving.lines.get((peer, "safety")) if serving is not None else None
    if safety is not None and safety.detoured:
        return safety.failing
    return health.failing if health is not None else None


def _declared(one: Declared) -> DeclaredRow:
    return DeclaredRow(one.scope, one.kind, format_time(one.since_us), one.reason, one.by)


class FiledRow(msgspec.Struct, frozen=True):
    """What an officer here said of a line, and what waits for that very line to be signed."""

    said: Saying
    scope: Scope
    reason: str
    filed: str


class LineDetail(LineRow, frozen=True, kw_only=True):
    """The line to one peer in full.

    Attributes:
        filed: said here and not signed yet, oldest first: neither declared nor known to the peer.
        by_hand: the checks that officers made, the last 60, oldest first.
    """

    filed: list[FiledRow]
    by_hand: list[Slot]
    clock: str
    now: str


def line_detail(node: Node, serving: Serving | None, core: Core, peer: str) -> LineDetail:
    """The line to a peer in full: to be asked in a job.

    Raises:
        UsageError: ``recipient-unknown``.
    """
    check_peer(core.state, peer)
    now_us = node.now_us()
    row = line_row(node, serving, core, peer, now_us)
    return LineDetail(
        **{name: getattr(row, name) for name in LineRow.__struct_fields__},
        filed=[
            FiledRow(saying, values["scope"], values["reason"], format_time(intent.filed_us))
            for saying, values, intent in declarations_filed(core, peer)
        ],
        by_hand=checks_by_hand(core.state, peer),
        clock=node.clock.label,
        now=format_time(now_us),
    )
