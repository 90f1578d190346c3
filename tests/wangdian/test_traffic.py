"""The demonstration's traffic: a merchant composes gift boxes, and they are sold at the other end."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from entrepot.catalogue import suites
from entrepot.demo import wangdian
from entrepot.demo.stage import Stage
from entrepot.stock import views
from tests.running import demo

if TYPE_CHECKING:
    from entrepot.hub import Hub


async def test_gift_boxes_travel_and_are_sold(server_url: str, template: str) -> None:
    """What is composed arrives with its goods, can be sold once tea has arrived, and stock is proven."""
    acts = {act.name: act.play for act in wangdian.part.acts}
    with demo(server_url, template, "--role", "all") as running:

        async def play(hub: Hub) -> None:
            tenants = (hub.registry.tenant("demo"), hub.registry.tenant("partners"))
            stage = Stage(hub, *tenants, random.Random(4))
            for _ in range(6):
                await acts["a merchant composes a gift box"](stage)
            await acts["a merchant changes a price"](stage)
            for _ in range(100):
                if len(await _boxes(hub)) > 1:
                    break
                await asyncio.sleep(0.2)
            await acts["tea arrives"](stage)
            await acts["a gift box is sold"](stage)

        await running.do(play)
        assert len(await running.do(_boxes)) > 1

        async def look(hub: Hub) -> tuple[dict[str, tuple[int, int]], int]:
            async with hub.db.reading(hub.registry.tenant("demo")) as tx:
                found = await views.standing(
                    tx, ["LIVE-CUP", "LIVE-TEA1", "LIVE-TEA2", "xiaowanzi01"]
                )
                wrong = await views.discrepancies(tx)
            return {row.sku: (row.on_hand, row.reserved) for row in found}, len(wrong)

        lying, wrong = await running.do(look)
        assert wrong == 0
        assert lying["xiaowanzi01"] == (55, 0)
        sold = [60 - there for sku, (there, _) in lying.items() if sku.startswith("LIVE")]
        assert sum(count > 0 for count in sold) == 2
        assert all(reserved == 0 for _, reserved in lying.values())


async def _boxes(hub: Hub) -> tuple[suites.Shown, ...]:
    async with hub.db.reading(hub.registry.tenant("demo")) as tx:
        (page,) = await suites.search(tx, [suites.Search(part="LIVE-CUP")])
        (other,) = await suites.search(tx, [suites.Search(part="LIVE-TEA1")])
    return page.suites + other.suites
