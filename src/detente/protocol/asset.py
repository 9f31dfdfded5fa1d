"""Own assets: what of ours stands or works somewhere without a notice, and how long it needs to move.

A private list: local entries of this node, in no statement, told to nobody. It is shown beside own live notices
where a peer's notice comes near. docs/spec/hotline.md, section 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from detente.airspace.distance import distance_to
from detente.airspace.near import Budget, TooMuchWork
from detente.airspace.shape import Shape
from detente.errors import UnavailableError, UsageError, shown
from detente.limits import ASSET_MOVES_S, ASSETS_MOST, EDGE_PAIRS_PER_PAIR
from detente.notice.activity import ActivityNotice, check_name
from detente.protocol.journal import Entry, Json
from detente.protocol.statement import is_desk
from detente.units import TENTH_MM_PER_NM, US_PER_S

if TYPE_CHECKING:
    from detente.protocol.core import Core
    from detente.protocol.fold import State


class Asset(msgspec.Struct, frozen=True):
    """Something of ours that is somewhere.

    Attributes:
        kind: in the words of whoever noted it, such as `radar` or `convoy`.
        lat, lon: of its middle, 1e-9 degree.
        radius_tenth_mm: of the area that it is in; 0 for a point.
        needs_s: to be gone, once somebody says so.
    """

    name: str
    kind: str
    lat: int
    lon: int
    radius_tenth_mm: int
    needs_s: int


class AssetNear(msgspec.Struct, frozen=True):
    """An own asset that a peer's notice comes near, and whether there is time for it to move.

    Attributes:
        apart_nm: from the edge of its area to the volume; 0 inside. None where it costs too much to tell.
    """

    name: str
    kind: str
    apart_nm: float | None
    needs_s: int
    lead_s: int
    can: bool


def note_asset(
    core: Core, name: str, kind: str, place: Json, needs_s: int, now_us: int, *, officer: str
) -> Asset:
    """Note an asset, or note it anew under its name; nobody else is told.

    Args:
        place: `lat` and `lon`, with `radius_tenth_mm` or without.

    Raises:
        UsageError: ``name-malformed``, ``kind-malformed``, ``needs-wrong``. UnavailableError: ``assets-full``.
    """
    check_name(name)
    if not is_desk(kind):
        raise UsageError(
            "kind-malformed",
            f"kind is {shown(kind)}; it must have 1 to 64 printable characters",
            field="kind",
        )
    if not 0 <= needs_s <= ASSET_MOVES_S:
        raise UsageError(
            "needs-wrong",
            f"needs_s is {needs_s}; it must be 0 to {ASSET_MOVES_S} s",
            field="needs_s",
        )
    if name not in core.state.assets and len(core.state.assets) >= ASSETS_MOST:
        raise UnavailableError(
            "assets-full",
            f"{len(core.state.assets)} assets are noted; at most {ASSETS_MOST} may be",
        )
    asset = Asset(name, kind, place["lat"], place["lon"], place.get("radius_tenth_mm", 0), needs_s)
    core.append_local(now_us, "asset/noted", officer=officer, asset=msgspec.to_builtins(asset))
    return asset


def remove_asset(core: Core, name: str, now_us: int, *, officer: str) -> None:
    """Take an asset off the list; that it was on it stays in the record of this node.

    Raises:
        UsageError: ``asset-unknown``.
    """
    if name not in core.state.assets:
        raise UsageError(
            "asset-unknown", f"asset is {shown(name)}; it must be on the list", field="name"
        )
    core.append_local(now_us, "asset/removed", officer=officer, name=name)


def apply_noted(state: State, entry: Entry, local: Json) -> None:
    """Fold ``asset/noted``."""
    asset = msgspec.convert(local["asset"], Asset)
    state.assets[asset.name] = asset


def apply_removed(state: State, entry: Entry, local: Json) -> None:
    """Fold ``asset/removed``."""
    state.assets.pop(local["name"], None)


def assets_near(
    core: Core, volumes: ActivityNotice, within_tenth_mm: int, now_us: int
) -> list[AssetNear]:
    """Own assets within a distance of a notice's volumes, at any height, the nearest first."""
    lead_s = (volumes.start_us - now_us) // US_PER_S
    found = []
    for asset in core.state.assets.values():
        apart = _apart(asset, volumes)
        if apart is not None and apart > within_tenth_mm:
            continue
        found.append(
            AssetNear(
                name=asset.name,
                kind=asset.kind,
                apart_nm=None if apart is None else round(apart / TENTH_MM_PER_NM, 1),
                needs_s=asset.needs_s,
                lead_s=lead_s,
                can=asset.needs_s <= lead_s,
            )
        )
    return sorted(found, key=lambda one: (one.apart_nm or 0, one.name))


def _apart(asset: Asset, volumes: ActivityNotice) -> int | None:
    budget = Budget(EDGE_PAIRS_PER_PAIR)
    try:
        least = min(
            distance_to((asset.lon, asset.lat), Shape(piece.geometry, piece.edges), budget)
            for piece in volumes.pieces
        )
    except TooMuchWork:
        return None
    return max(0, least - asset.radius_tenth_mm)
