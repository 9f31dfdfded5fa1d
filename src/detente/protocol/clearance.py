"""Who must move: what a peer's notice means for this party's own, and for whom a third may fire at.

For the notice's receiver alone. It is computed from the fold when asked for, is no entry and no statement, and
nothing of it is ever sent: where own aircraft are is nobody else's. docs/spec/hotline.md, section 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from detente.airspace.drawing import Polygons, draw_geometries
from detente.airspace.leaving import way_out
from detente.airspace.volume import Volume
from detente.conflict.separation import Minima, Rules
from detente.conflict.strategic import check_pair
from detente.errors import UsageError
from detente.limits import ALTITUDE_MAX_M
from detente.notice.activity import ActivityNotice
from detente.protocol.asset import AssetNear, assets_near
from detente.protocol.core import Core
from detente.protocol.fold import NoticeState
from detente.protocol.views import find_notice
from detente.protocol.watch import pair_rules
from detente.units import TENTH_MM_PER_M, TENTH_MM_PER_NM, US_PER_S, format_time

M_PER_NM = 1852
# Activities at which somebody's air defence may fire, at anything that flies near, and who fires is
# neither the party that files nor the one that reads. In September 2018 it was a third party's.
THIRD_PARTY = ("strike-hazard", "missile-launch")


class Clearing(msgspec.Struct, frozen=True):
    """What one own notice needs to be clear.

    Attributes:
        apart_nm: least distance between the volumes, 0 where they share airspace.
        to_clear_nm: how far its aircraft may have to go, at worst.
        needs_s: for that, at the speed stated.
        lead_s: left before the peer's volume begins; negative when it has begun.
        can: whether there is time enough.
        bearing_deg: the way out from the worst place.
    """

    notice: str
    version: int
    activity: str
    apart_nm: float
    to_clear_nm: float
    needs_s: int
    lead_s: int
    can: bool
    bearing_deg: int


class ThirdParty(msgspec.Struct, frozen=True):
    """Own notices near an activity at which a third party may fire.

    Attributes:
        margin_nm: within which, from the node's settings.
    """

    code: Literal["third-party-hazard"]
    activity: str
    margin_nm: float
    rows: list[Clearing]


class Clearance(msgspec.Struct, frozen=True):
    """Who must move for a peer's notice.

    Attributes:
        speed_kt: at which own aircraft are taken to leave, from the node's settings.
        margin_nm: the agreed lateral minimum.
        lead_s: left before the notice begins.
        rows: own notices that are not clear of it by the agreed minima, or cannot be told to be.
        third_party: None for an activity at which nobody is expected to fire.
        assets: own, within the agreed minimum, or within reach of a third party's fire where one is expected.
    """

    notice: str
    version: int
    party: str
    activity: str
    exercise: bool
    start: str
    end: str
    speed_kt: float
    margin_nm: float
    lead_s: int
    rows: list[Clearing]
    third_party: ThirdParty | None
    assets: list[AssetNear]


def clearance(
    core: Core, wanted: str, now_us: int, *, speed_kt: float, hazard_nm: float
) -> Clearance:
    """Which own notices must move for a peer's notice, and whether the lead time lets them.

    Args:
        wanted: the peer's notice.
        speed_kt: of own aircraft on the way out, knots.
        hazard_nm: how far a third party's fire is taken to reach.

    Raises:
        UsageError: ``notice-unknown``, ``notice-own``, ``notice-cancelled``, or ``notice-withheld``:
            its volumes are not in this record.
    """
    notice_id = find_notice(core, wanted)
    notice = core.state.notices.get(notice_id)
    if notice is None or notice.party == core.identity.party:
        raise UsageError(
            "notice-own",
            f"notice id is {notice_id!r}; it must be a notice of another party",
            field="id",
        )
    if notice.cancelled:
        raise UsageError(
            "notice-cancelled", f"{notice_id} is cancelled; nobody must move for it", field="id"
        )
    volumes = core.volumes(notice_id)
    if volumes is None:
        raise UsageError(
            "notice-withheld",
            f"the volumes of {notice_id} are not in this record; they must be, to compare them",
            field="id",
        )
    owns = list(_own_live(core, notice, now_us))
    third = volumes.activity in THIRD_PARTY
    minimum = core.agreement().terms.minima.lateral_tenth_mm
    return Clearance(
        notice=notice_id,
        version=notice.latest.number,
        party=notice.party,
        activity=volumes.activity,
        exercise=notice.exercise,
        start=format_time(volumes.start_us),
        end=format_time(volumes.end_us),
        speed_kt=speed_kt,
        margin_nm=round(minimum / TENTH_MM_PER_NM, 2),
        lead_s=_seconds(volumes.start_us - now_us),
        rows=[
            row
            for own, body in owns
            if (rules := pair_rules(core.state, own, notice)) is not None
            and (row := _clearing(own, body, volumes, rules, now_us, speed_kt)) is not None
        ],
        third_party=ThirdParty(
            code="third-party-hazard",
            activity=volumes.activity,
            margin_nm=hazard_nm,
            rows=[
                row
                for own, body in owns
                if (rules := pair_rules(core.state, own, notice)) is not None
                and (
                    row := _clearing(own, body, volumes, _reach(rules, hazard_nm), now_us, speed_kt)
                )
                is not None
            ],
        )
        if third
        else None,
        assets=assets_near(
            core,
            volumes,
            max(minimum, round(hazard_nm * TENTH_MM_PER_NM)) if third else minimum,
            now_us,
        ),
    )


def _own_live(
    core: Core, notice: NoticeState, now_us: int
) -> Iterator[tuple[NoticeState, ActivityNotice]]:
    """Own notices of the same kind that have not ended, with their volumes."""
    for own in core.state.notices.values():
        if own.party != core.identity.party or own.exercise != notice.exercise or own.cancelled:
            continue
        body = core.volumes(own.id) if own.latest.end_us > now_us else None
        if body is not None:
            yield own, body


def _reach(rules: Rules, hazard_nm: float) -> Rules:
    """Within reach of somebody's fire: at any height."""
    lateral = max(rules.minima.lateral_tenth_mm, round(hazard_nm * TENTH_MM_PER_NM))
    return Rules(
        Minima(lateral, ALTITUDE_MAX_M * TENTH_MM_PER_M, rules.minima.time_us), rules.bounds
    )


def _clearing(
    own: NoticeState,
    body: ActivityNotice,
    peer: ActivityNotice,
    rules: Rules,
    now_us: int,
    speed_kt: float,
) -> Clearing | None:
    """What an own notice needs, or None where it is clear by the rules."""
    if check_pair(body, peer, rules).verdict == "clear":
        return None
    near = [
        (one, other)
        for one in body.pieces
        for other in peer.pieces
        if one.end_us > now_us and _meet_in_time(one, other, rules.minima.time_us)
    ]
    if not near:
        return None
    ours, theirs = (_drawn({id(pair[i]): pair[i] for pair in near}.values()) for i in (0, 1))
    out = way_out(ours, theirs, rules.minima.lateral_tenth_mm / TENTH_MM_PER_M)
    lead_s = _seconds(min(other.start_us for _, other in near) - now_us)
    needed_nm = out.needed_m / M_PER_NM
    needs_s = round(needed_nm / speed_kt * 3600)
    return Clearing(
        notice=own.id,
        version=own.latest.number,
        activity=body.activity,
        apart_nm=round(out.apart_m / M_PER_NM, 1),
        to_clear_nm=round(needed_nm, 1),
        needs_s=needs_s,
        lead_s=lead_s,
        can=needs_s <= lead_s,
        bearing_deg=out.bearing_deg,
    )


def _meet_in_time(one: Volume, other: Volume, minimum_us: int) -> bool:
    return one.start_us < other.end_us + minimum_us and other.start_us < one.end_us + minimum_us


def _drawn(pieces: Iterable[Volume]) -> list[Polygons]:
    return draw_geometries([(piece.geometry, piece.edges) for piece in pieces])


def _seconds(time_us: int) -> int:
    return time_us // US_PER_S
