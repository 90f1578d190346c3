"""The life of one split order on the wire, as the hub recorded it; ``pytest -s`` prints it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from entrepot import clock
from entrepot.connections.exchanges import Exchange, Filter, find
from tests.storepos.shops import YES, code, no

if TYPE_CHECKING:
    from entrepot.hub import Hub
    from tests.storepos.shops import Shops

LIFE = [
    *("in ordermake", "out pushorder", "out pushorder"),
    *("in refuse", "out pushorder"),
    *("in checkout", "out pushpackage", "in checkout", "out pushpackage"),
    *("in waybillchange", "out pushwaybill"),
    *("in checkout", "out pushpackage", "out pushcomplete"),
    *("in refund", "out pushreceipt", "in orderremove"),
]


def test_everything_that_was_said_about_an_order_is_found_under_its_number(
    shops: Shops, name: str
) -> None:
    """Split over two outlets, one refuses, a third takes over; in parts, relabelled, returned, not voided."""
    live(shops, name)
    said = shops.until(lambda: recorded(shops, name))
    for exchange in said:
        sys.stdout.write(told(exchange) + "\n")
    assert [f"{e.direction} {e.path.rpartition('/')[2]}" for e in said] == LIFE
    assert all(e.status == 200 for e in said)


def live(shops: Shops, name: str) -> None:
    """Play all parts but the hub's."""
    x, y, stub = f"{name}X/C/S", f"{name}Y/C/S", shops.stub
    shops.stocked({x: {"6002": 2}, y: {"6003": 1, "6004": 1}})
    assert shops.order(name, {x: 2, y: 1}) == YES
    first, second = shops.note(name, "6002"), shops.note(name, "6003")
    assert shops.call("pos/refuse", {"dispatchNO": second, "reason": "残次"}) == YES
    third = shops.note(name, "6004")
    for n in range(2):
        assert shops.check_out(first, {f"{name}-SF{n}": [code(x, "6002", n)]}) == YES
        shops.until(lambda: stub.of("pushpackage", waybillCode=f"{name}-SF{n}"))  # noqa: B023
    change = {"targetbillCode": f"{name}-SF0", "express": "YTO", "waybillCode": f"{name}-YT0"}
    assert shops.call("pos/delivery/waybillchange", {"dispatchNO": first, **change}) == YES
    shops.until(lambda: stub.of("pushwaybill", targetbillCode=f"{name}-SF0"))
    assert shops.check_out(third, {f"{name}-SF2": [code(y, "6004", 0)]}) == YES
    shops.until(lambda: stub.of("pushcomplete", dispatchNO=name))
    back = {"shopCode": "6005", "express": "SF", "waybillCode": f"{name}-R"}
    assert shops.call("pos/refund", {**back, "sn": code(x, "6002", 0)}) == YES
    shops.until(lambda: stub.of("pushreceipt", dispatchNO=name))
    assert shops.call("pos/orderremove", {"dispatchNO": name}) == no("通知单已经出库")


def recorded(shops: Shops, number: str) -> list[Exchange]:
    """Return what is recorded of an order, the oldest first, once all of it is."""

    async def work(hub: Hub) -> list[Exchange]:
        async with hub.db.reading(hub.registry.tenant("demo")) as tx:
            return await find(tx, hub.vault, Filter(document=number))

    found = asyncio.run(shops.running.do(work))[::-1]
    return found if len(found) >= len(LIFE) else []


def told(exchange: Exchange) -> str:
    """Return an exchange in a line: when, who called whom with what, and the answer."""
    way = "stores → hub" if exchange.direction == "in" else "hub → stores"
    at = f"{clock.shanghai(exchange.at):%H:%M:%S.%f}"[:-3]
    call = exchange.path.rpartition("/")[2]
    return f"{at} {way} {call} {exchange.request} ⇒ {exchange.status} {exchange.reply}"
