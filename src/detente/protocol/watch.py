"""The watch: which live notices of different parties would meet, as records both nodes share.

A record's bytes are a function of the two bodies and the agreements only: no clock, no order of
arrival, no "own" and "peer". So both parties hold the same id and the same bytes (rule 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from detente.agreement.terms import Agreement, SeparationMinima
from detente.airspace.altitude import parse_bounds
from detente.conflict.strategic import LiveVolumes, Minima, Rules, spec_of
from detente.notice.activity import ActivityNotice
from detente.protocol.conflictid import conflict_id
from detente.protocol.fold import NoticeState, State
from detente.protocol.journal import Json


def rules_of(agreement: Agreement) -> Rules:
    """The engine's rules under an agreement: separation minima and datum bounds."""
    terms = agreement.terms
    return _rules(terms.minima, tuple(terms.datum_bounds.items()))


@lru_cache(maxsize=256)
def _rules(minima: SeparationMinima, datum_bounds: tuple[tuple[str, int], ...]) -> Rules:
    return Rules(
        minima=Minima(
            lateral_tenth_mm=minima.lateral_tenth_mm,
            vertical_tenth_mm=minima.vertical_tenth_mm,
            time_us=minima.time_us,
        ),
        bounds=parse_bounds(dict(datum_bounds)),
    )


def pair_rules(state: State, one: NoticeState, other: NoticeState) -> Rules | None:
    """The rules two notices are judged by, or None when no agreement binds both parties.

    Where the two quote different agreements, the stricter minimum per axis holds.
    """
    agreements = [state.agreements.get(n.latest.agreement) for n in (one, other)]
    if any(
        a is None or one.party not in a.parties or other.party not in a.parties for a in agreements
    ):
        return None
    first, second = (rules_of(a) for a in agreements if a is not None)
    return first.stricter(second)


def find_meetings(
    state: State,
    live: LiveVolumes,
    own: NoticeState,
    body: ActivityNotice,
) -> Iterator[Json]:
    """Conflict records of one notice against all live notices of other parties.

    The notice need not be in the record: it may be one that is still being written.

    Args:
        own: the notice; its latest version is the one meant.
        body: the volumes of that version.

    Yields:
        Records with verdict ``conflict`` or ``cannot-tell``, in order of the other notice's id.
    """
    agreement = state.agreements.get(own.latest.agreement)
    if agreement is None:
        return
    widest = rules_of(agreement)
    for other_agreement in state.agreements.values():
        widest = widest.stricter(rules_of(other_agreement))
    for other_id in sorted(live.candidates(body, widest)):
        other = state.notices[other_id]
        if other.party == own.party or other.exercise != own.exercise:
            continue
        rules = pair_rules(state, own, other)
        if rules is None:
            continue
        verdict = live.judge(body, other_id, rules)
        if verdict.verdict in ("conflict", "cannot-tell"):
            spec = spec_of(body, live.notice(other_id))
            yield conflict_record(own, other, verdict.record(), spec)


def conflict_record(one: NoticeState, other: NoticeState, verdict: Json, spec: str) -> Json:
    """The record both sides keep, notices in order of id.

    Args:
        spec: the engine spec, by `strategic.spec_of`.
    """
    pair = sorted((one, other), key=lambda notice: notice.id)
    agreements = sorted({notice.latest.agreement for notice in pair})
    return {
        **verdict,
        "EXERCISE": one.exercise,
        "agreements": agreements,
        "engine": spec,
        "id": conflict_id([notice.latest.body_digest for notice in pair], agreements, spec),
        "notices": [
            {"body": notice.latest.body_digest, "id": notice.id, "version": notice.latest.number}
            for notice in pair
        ],
    }
