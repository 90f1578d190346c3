"""The demonstration's traffic: ordering store, hub, shipping store, hub, ordering store, over HTTP."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from entrepot.demo import storepos
from entrepot.demo.stage import Stage
from entrepot.stock import views
from tests.running import demo

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from entrepot.db import Row
    from entrepot.hub import Hub

ORDERED = """
SELECT o.number, o.state, (SELECT count(DISTINCT t.note) FROM told_package t
                           WHERE t.tenant_id = $1 AND t.order_id = o.id) AS notes
FROM sales_order o
WHERE o.tenant_id = $1 AND o.number LIKE 'LIVE%' AND o.fulfilment = 'partner' ORDER BY o.number
"""
SOURCED = """
SELECT number, state FROM sales_order
WHERE tenant_id = $1 AND number LIKE 'LIVE%' AND fulfilment = 'outlets' ORDER BY number
"""
NOTES = "SELECT state, count(*) AS n FROM dispatch_note WHERE tenant_id = $1 GROUP BY state"
TOLD = """
SELECT t.waybill, p.piece ->> 'code' AS code, p.piece ->> 'returned' IS NOT NULL AS returned
FROM told_package t, jsonb_array_elements(t.pieces) AS p (piece) WHERE t.tenant_id = $1 ORDER BY code, waybill
"""
LEFT = """
SELECT p.waybill, x.code, x.returned_at IS NOT NULL AS returned
FROM package p JOIN package_piece x ON x.tenant_id = $1 AND x.package_id = p.id
WHERE p.tenant_id = $1 ORDER BY x.code, p.waybill
"""
OPEN = (
    "SELECT count(*) AS n FROM delivery WHERE tenant_id = $1 AND (settled_at IS NULL OR echo = 1)"
)


class Play:
    """The stage, and acts played at the pace of a test."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        tenants = (hub.registry.tenant("demo"), hub.registry.tenant("partners"))
        self.stage = Stage(hub, *tenants, random.Random(7))
        self.acts = {act.name: act.play for act in storepos.part.acts}

    async def rows(self, tenant_id: int, query: str) -> list[Row]:
        """Read."""
        async with self.hub.db.reading(tenant_id) as tx:
            return await tx.rows(query)

    async def act(self, name: str, times: int = 1) -> None:
        """Play an act."""
        for _ in range(times):
            await self.acts[name](self.stage)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it holds."""
        async with asyncio.timeout(60):
            while not await holds():  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.1)

    async def quiet(self) -> bool:
        """Tell whether neither end has anything left to tell the other."""
        counts = [await self.rows(t, OPEN) for t in (self.stage.demo, self.stage.partners)]
        return all(rows[0]["n"] == 0 for rows in counts)

    async def play(self) -> None:
        """Sell, change minds, refuse, ship in parts, relabel and return, until nothing is open."""
        await self.act("goods arrive at the outlets", 2)
        await self.act("a store sells what others have", 8)
        await self.until(self.quiet)
        await asyncio.sleep(1)
        await self.act("a buyer gives a receipt back")
        await self.until(self.quiet)
        await self.act("an outlet refuses", 2)
        await self.until(self.quiet)
        for _ in range(80):
            await self.act("an outlet ships")
            await self.until(self.quiet)
            if not await storepos._open_notes(self.stage):
                break
        for name in ("a buyer sends a piece back", "an outlet changes a waybill"):
            await self.act(name, 3)
        await self.until(self.quiet)


async def test_both_ends_tell_each_other_the_same_story(server_url: str, template: str) -> None:
    """Splits, refusals, a void, returns and new waybills: what the stores heard is what left the outlets."""
    with demo(server_url, template, "--role", "all") as running:

        async def play(hub: Hub) -> dict[str, Any]:
            scene = Play(hub)
            await scene.play()
            ours, theirs = scene.stage.demo, scene.stage.partners
            seen: dict[str, Any] = {}
            for name, tenant_id, query in (
                ("ordered", theirs, ORDERED),
                ("sourced", ours, SOURCED),
                ("told", theirs, TOLD),
                ("left here", ours, LEFT),
                ("left there", theirs, LEFT),
                ("notes", ours, NOTES),
            ):
                rows = await scene.rows(tenant_id, query)
                seen[name] = [tuple(dict(row.items()).values()) for row in rows]
            for tenant_id in (ours, theirs):
                async with hub.db.reading(tenant_id) as tx:
                    assert not await views.discrepancies(tx)
            return seen

        seen = await running.do(play)
    ordered = {number: state for number, state, _ in seen["ordered"]}
    assert ordered == dict(seen["sourced"])
    assert len(ordered) == 8
    assert set(ordered.values()) <= {"shipped", "short", "oversold", "cancelled"}
    assert "cancelled" in ordered.values()
    assert any(notes > 1 for _, _, notes in seen["ordered"]), "no order was split"
    notes = dict(seen["notes"])
    assert notes["refused"] >= 2
    assert "open" not in notes
    assert seen["left here"] == seen["left there"]
    shown = {(waybill, code) for waybill, code, _ in seen["told"]}
    assert shown == {(waybill, code) for waybill, code, _ in seen["left here"]}
    assert sum(returned for _, _, returned in seen["left here"]) == 3
