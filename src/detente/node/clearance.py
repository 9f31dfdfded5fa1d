"""Who must move, and the list of own assets: for this node's officers, and going nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, delete, get, post
from litestar.params import FromPath, JSONBody

from detente.interop.restated import read_place
from detente.node.node import Node
from detente.node.operators import Action, Officer
from detente.protocol.asset import Asset, note_asset, remove_asset
from detente.protocol.clearance import Clearance, clearance
from detente.protocol.core import Core

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]


class NewAsset(msgspec.Struct, forbid_unknown_fields=True):
    """Something of ours that is somewhere.

    Attributes:
        place: one position in any notation, with a radius or without, such as `352341N 0355655E 5NM`.
        needs_s: time that it needs to be gone.
    """

    name: str
    kind: str
    place: str
    needs_s: int


class AssetList(msgspec.Struct, frozen=True):
    """Own assets, by name."""

    assets: list[Asset]


def clearance_routes(node: Node, officer: FindOfficer) -> list[Any]:
    """The routes.

    Args:
        officer: who asks, checked for the action.
    """

    @get(
        "/api/v1/notices/{notice:str}/clearance",
        summary="Which own notices must move for a peer's, and whether there is time",
        tags=["notices"],
    )
    async def who_must_move(request: Request[Any, Any, Any], notice: FromPath[str]) -> Clearance:
        await officer(request, "read")
        config = node.home.config
        found: Clearance = await node.do(
            lambda core: clearance(
                core,
                notice,
                node.now_us(),
                speed_kt=config.clear_speed_kt,
                hazard_nm=config.hazard_margin_nm,
            )
        )
        return found

    @get("/api/v1/assets", summary="Own assets; this node's alone", tags=["notices"])
    async def assets(request: Request[Any, Any, Any]) -> AssetList:
        await officer(request, "read")
        found: AssetList = await node.do(_list)
        return found

    @post(
        "/api/v1/assets",
        status_code=201,
        summary="Note an own asset, or note it anew under its name; nobody else is told",
        tags=["notices"],
    )
    async def note(request: Request[Any, Any, Any], data: JSONBody[NewAsset]) -> AssetList:
        who = await officer(request, "say")
        place = await asyncio.to_thread(read_place, data.place)

        def job(core: Core) -> AssetList:
            note_asset(
                core, data.name, data.kind, place, data.needs_s, node.now_us(), officer=who.name
            )
            return _list(core)

        found: AssetList = await node.do(job)
        return found

    @delete(
        "/api/v1/assets/{name:str}",
        status_code=200,
        summary="Take an own asset off the list",
        tags=["notices"],
    )
    async def remove(request: Request[Any, Any, Any], name: FromPath[str]) -> AssetList:
        who = await officer(request, "say")

        def job(core: Core) -> AssetList:
            remove_asset(core, name, node.now_us(), officer=who.name)
            return _list(core)

        found: AssetList = await node.do(job)
        return found

    return [who_must_move, assets, note, remove]


def _list(core: Core) -> AssetList:
    return AssetList(sorted(core.state.assets.values(), key=lambda one: one.name))
