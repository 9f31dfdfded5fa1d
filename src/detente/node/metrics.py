"""Prometheus metrics: counts and states, never content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from detente import __version__
from detente.protocol import views
from detente.protocol.core import Core
from detente.protocol.incoming import line_quality
from detente.units import US_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from detente.node.node import Node

CONTENT_TYPE = CONTENT_TYPE_LATEST


class _Collector:
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """What `generate_latest` asks for."""
        return self._metrics


def page(node: Node, core: Core) -> bytes:
    """The metrics of a node as Prometheus text."""
    now_us = node.now_us()
    found: list[Metric] = []

    def gauge(
        name: str, text: str, rows: list[tuple[list[str], float]], labels: tuple[str, ...] = ()
    ) -> None:
        family = GaugeMetricFamily(f"detente_{name}", text, labels=list(labels))
        for values, value in rows:
            family.add_metric(values, value)
        found.append(family)

    def counter(
        name: str, text: str, rows: list[tuple[list[str], float]], labels: tuple[str, ...] = ()
    ) -> None:
        family = CounterMetricFamily(f"detente_{name}", text, labels=list(labels))
        for values, value in rows:
            family.add_metric(values, value)
        found.append(family)

    gauge(
        "info",
        "Version of this node",
        [([__version__, core.identity.party], 1)],
        ("version", "party"),
    )
    gauge("ledger_entries", "Entries in the ledger", [([], core.tree.size)])
    gauge("fault", "1 while this node must not sign", [([], 0 if core.fault is None else 1)])
    gauge("intents_waiting", "Filings not signed on every line yet", [([], len(core.intents))])
    lines = [line_quality(core, peer, now_us) for peer in core.state.peers]
    gauge(
        "line_open",
        "1 when heads agree with the peer",
        [([r["peer"]], float(r["state"] == "open")) for r in lines],
        ("peer",),
    )
    gauge(
        "line_waiting",
        "Statements the peer has not got",
        [([r["peer"]], r["waiting"]) for r in lines],
        ("peer",),
    )
    gauge(
        "line_heard_seconds",
        "Seconds since the peer was last heard",
        [([r["peer"]], r["heard_ago_s"]) for r in lines if r["heard_ago_s"] is not None],
        ("peer",),
    )
    gauge(
        "clock_offset_seconds",
        "The peer's clock less ours",
        [([r["peer"]], r["offset_s"]) for r in lines if r["offset_s"] is not None],
        ("peer",),
    )
    states: dict[str, int] = {}
    for row in views.conflict_rows(core):
        key = f"{row['verdict']} {row['state']}"
        states[key] = states.get(key, 0) + 1
    gauge(
        "conflicts",
        "Conflicts by verdict and state",
        [(key.split(), n) for key, n in sorted(states.items())],
        ("verdict", "state"),
    )
    gauge(
        "notices",
        "Notices by party",
        [
            ([p], sum(n.party == p for n in core.state.notices.values()))
            for p in sorted({n.party for n in core.state.notices.values()})
        ],
        ("party",),
    )
    totals = sorted((k, v) for k, v in node.counters.items() if ":" not in k)
    counter("work", "What this process has done", [([k], v) for k, v in totals], ("kind",))
    events = sorted(
        (k.partition(":")[2], v) for k, v in node.counters.items() if k.startswith("event:")
    )
    counter("events", "Events shown to officers", [([k], v) for k, v in events], ("code",))
    counter(
        "not_taken",
        "Messages not taken, by rule",
        [([k], v) for k, v in node.store.evidence_counts().items()],
        ("code",),
    )
    gauge("time_seconds", "The node's clock (declared in an exercise)", [([], now_us / US_PER_S)])
    registry = CollectorRegistry()
    registry.register(_Collector(found))
    return generate_latest(registry)
