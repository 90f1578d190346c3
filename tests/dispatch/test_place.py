"""Orders of any partner's, or the hub's own, that have a receiver are shipped by outlets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from entrepot.dispatch import desk, intake
from entrepot.facts import Receiver
from entrepot.orders.rules import NewOrder, Placed, StepBy, Wanted
from tests.dispatch.world import World, code_of, refused

if TYPE_CHECKING:
    from entrepot.db import Database

PLACES = {"A": ("浙江省", "杭州市"), "B": ("浙江省", "宁波市")}
RECEIVER = Receiver(name="张三", phone="1", province="浙江省", city="杭州市", address="一号")


def new(world: World, number: str, goods: dict[str, int], **more: Any) -> NewOrder:
    """Return an order as any dialect makes it; with ``to`` it has a receiver."""
    to = more.pop("to", None)
    return NewOrder(
        number=number,
        lines=tuple(Wanted(name=sku, qty=qty) for sku, qty in goods.items()),
        digest=repr((number, goods)).encode(),
        receiver=world.db.seal(msgspec.json.encode(to)) if to else None,
        who="erp",
        **more,
    )


async def test_a_batch_is_taken_order_by_order(database: Database) -> None:
    """With a receiver sourced, without one reserved whole and beyond stock; unknown goods are refused."""
    world = World(database)
    await world.open(PLACES, {"X": {"A": 2, "B": 2}})
    batch = [
        new(world, "N1", {"X": 1}, partner=world.store, to=RECEIVER),
        new(world, "N2", {"X": 9}),
        new(world, "N3", {"Y": 1}, to=RECEIVER),
        new(world, "N1", {"X": 1}, to=RECEIVER),
        new(world, "N1", {"X": 1}, partner=world.store, to=RECEIVER),
    ]
    said = await world.all(intake.place, batch)
    assert [refused(one) for one in said] == ["", "", "unknown_goods", "", "order_exists"]
    assert len({one.order_id for one in said if isinstance(one, Placed)}) == 3
    taken = {row["outlet"]: row["state"] for row in await world.notes("N1")}
    assert taken == {"A": "open"}
    assert not await world.notes("N2")
    assert await world.proven()


async def test_a_partners_order_is_told_parcel_by_parcel_where_it_listens(
    database: Database,
) -> None:
    """The outlet is asked, ships, and the order is shipped with it."""
    world = World(database)
    await world.open(PLACES, {"X": {"A": 1}})
    await world.do(intake.place, new(world, "N1", {"X": 1}, partner=world.store, to=RECEIVER))
    (note,) = await world.notes("N1")
    await world.check_out(note["number"], {"W1": [code_of("X", "A", 0)]})
    assert await world.state("N1") == "shipped"
    kinds = [fact.kind for fact in await world.told("N1")]
    assert kinds == ["dispatch_offered", "packages_shipped", "dispatch_completed"]


async def test_a_person_cancels_what_nobody_else_voids(database: Database) -> None:
    """Our own order asks its outlets; a store's is the store's to void; one shipped whole is cancelled."""
    world = World(database)
    await world.open(PLACES, {"X": {"A": 3}})
    await world.do(intake.place, new(world, "OWN", {"X": 1}, to=RECEIVER))
    await world.do(intake.place, new(world, "WHOLE", {"X": 1}))
    await world.order("STORE", {"X": 1})
    (note,) = await world.notes("OWN")
    await world.send(note["offer_id"])
    steps = [StepBy(number=number, who="me") for number in ("OWN", "WHOLE", "STORE", "NONE")]
    said = await world.all(desk.cancel, steps)
    assert [refused(one) for one in said] == ["", "", "order_not_ours", "unknown_order"]
    assert await world.state("OWN") == "accepted"
    (note,) = await world.notes("OWN")
    await world.settle(note["recall_id"])
    assert (await world.state("OWN"), await world.state("WHOLE")) == ("cancelled", "cancelled")
    assert await world.stock() == {("X", "A"): (3, 1)}
