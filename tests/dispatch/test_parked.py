"""What nobody took as often as it may be offered waits for a person, who reads so once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.dispatch import desk
from entrepot.orders.rules import StepBy
from tests.dispatch.world import World

if TYPE_CHECKING:
    from entrepot.db import Database

PLACES = {"A": ("浙江省", "杭州市"), "B": ("浙江省", "宁波市"), "C": ("上海市", "上海市")}


async def said(world: World) -> list[str]:
    """Return what the orders' logs say of being parked, the oldest first."""
    async with world.db.reading(world.tenant_id) as tx:
        rows = await tx.rows("SELECT what FROM order_log WHERE tenant_id = $1 ORDER BY id")
    return [row["what"] for row in rows if "parked" in row["what"]]


async def test_that_an_order_is_parked_is_said_once(database: Database) -> None:
    """With how often it was offered; once more when the same happens again."""
    world = World(database, max_offers=1)
    await world.open(PLACES, {"X": {"A": 1, "B": 1, "C": 1}})
    await world.order("D1", {"X": 1})
    (first,) = await world.notes("D1")
    await world.refuse(first["number"])
    assert await world.state("D1") == "parked"
    assert await said(world) == ["parked: offered 1 times"]
    await world.do(desk.source, StepBy(number="D1", who="a person"))
    (_, second) = await world.notes("D1")
    assert await world.state("D1") == "accepted"
    await world.refuse(second["number"])
    assert await world.state("D1") == "parked"
    assert await said(world) == ["parked: offered 1 times"] * 2
