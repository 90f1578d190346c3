"""A transaction that waited for an order's lock sees the order as it is then, all of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from entrepot.dispatch import shipping, voiding
from entrepot.dispatch.rules import Box
from entrepot.dispatch.shipping import Checkout
from entrepot.dispatch.voiding import Void
from tests.dispatch.world import World, code_of

if TYPE_CHECKING:
    from entrepot.db import Database

PLACES = {"A": ("浙江省", "杭州市"), "B": ("浙江省", "宁波市")}


async def test_an_answer_that_waited_for_the_last_parcel_does_not_end_the_order_twice(
    database: Database,
) -> None:
    """The ordering store hears once that nothing more will come."""
    world = World(database)
    await world.open(PLACES, {"X": {"A": 1}})
    await world.order("D1", {"X": 1})
    (note,) = await world.notes("D1")
    box = Box(express="SF", waybill="W1", codes=(code_of("X", "A", 0),))
    last = Checkout(note=note["number"], boxes=(box,), who="A", connection_id=world.store.id)
    async with database.transaction(world.tenant_id) as tx:
        await shipping.check_out(tx, [last])
        answer = asyncio.create_task(world.settle(note["offer_id"]))
        await _waits(database)
    await answer
    assert len(await world.told("D1", "dispatch_completed")) == 1


async def test_a_refusal_that_waited_for_a_void_is_not_sourced_again(database: Database) -> None:
    """No new offers while the outlets are asked."""
    world = World(database)
    await world.open(PLACES, {"X": {"A": 2, "B": 2}, "Y": {"A": 1}, "Z": {"B": 1}})
    await world.order("D1", {"Y": 1, "Z": 1})
    first, other = await world.notes("D1")
    await world.send(first["offer_id"])
    await world.send(other["offer_id"])
    void = Void(number="D1", who="shop", connection_id=world.store.id)
    async with database.transaction(world.tenant_id) as tx:
        await voiding.begin(tx, [void])
        answer = asyncio.create_task(world.settle(first["offer_id"], "rejected", "不行"))
        await _waits(database)
    await answer
    notes = await world.notes("D1")
    assert [(row["state"], row["onward"]) for row in notes] == [
        ("refused", "waiting"),
        ("open", "none"),
    ]
    assert await world.state("D1") == "accepted"


async def _waits(database: Database) -> None:
    """Wait until somebody waits for a lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(30):
        while not await database.rows(waiting):  # noqa: ASYNC110 - the server gives no event
            await asyncio.sleep(0.01)
