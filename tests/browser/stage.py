"""Some business on the demonstration, so that every list has something in it: orders of several
partners, deliveries that got through, were refused and timed out, paperwork at several steps.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from functools import partial
from typing import TYPE_CHECKING, Any

from entrepot.connections import flows as connections
from entrepot.orders import flows as orders
from entrepot.orders.rules import StepBy
from tests.browser import office, shops
from tests.running import aim

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.connections.rules import Connection
    from entrepot.db import Tx
    from entrepot.hub import Hub
    from tests.running import Running

SHIPPED, OPEN, STORE = "NO-SHIPPED", "NO-OPEN", "TZ-1"
# One of each to look at, and one to act on from a desk and from a phone.
REFUSED, STUCK = "NO-REFUSED", "NO-STUCK"
GIVEN_UP, TOLD = "NO-GIVEN-UP", "NO-TOLD"
AWAY, WRONG, BACK = "NO-AWAY", "NO-WRONG", "TZ-BACK"
PLACES = ("", "-1440", "-390")
NOWHERE = "http://127.0.0.1:9/"
_PATIENCE = 30.0


async def play(hub: Running) -> None:
    """Do the business; returns once what was told is told and what cannot be is given up."""
    ours = {"goldshop": "erp", "storepos": "oms", "trade": "platform"}
    of = {
        c.partner.name: c
        for c in await hub.connections()
        if ours.get(c.partner.name) == c.partner.role
    }
    call = _caller(hub, of)
    refused = [REFUSED + place for place in PLACES]
    stuck = [name + place for name in (STUCK, GIVEN_UP, TOLD) for place in PLACES]
    for number in (SHIPPED, OPEN, *refused, *stuck):
        await call("goldshop", "/pickGoods/send", _pick(number))
    for place in PLACES:
        for number in (AWAY + place, WRONG + place):
            await call("goldshop", "/pickGoods/send", _pick(number, f"XX{number}"), code=500)
        await call("storepos", "/pos/ordermake", _STORE | {"dispatchNO": BACK + place})
    await call("storepos", "/pos/ordermake", _STORE)
    await call("trade", "/v2/order/ap", _AP, method="PUT", bearer="sales")
    await call("trade", "/order/sr", _SR, bearer="sales")
    await hub.do(partial(shops.open_shops, PLACES))
    await hub.do(partial(office.open_office, PLACES))
    await hub.do(partial(_ship, [SHIPPED]))
    await _until(hub, "delivered", 1)
    await hub.do(partial(_set, "partners", unknown_order="reject"))
    await _refuses(hub, next(c for c in await hub.connections() if c.partner.role == "miniapp"))
    await hub.do(partial(_ship, refused))
    await _until(hub, "rejected", len(refused))
    before = aim(hub.settings.database_url or "")
    await hub.do(partial(_set, "demo", partner_url=NOWHERE, deadline="1s", schedule="1s"))
    await _turned(hub, before)
    await hub.do(partial(_ship, stuck))
    await _until(hub, "needs_attention", len(stuck))


def _caller(hub: Running, of: Mapping[str, Connection]) -> Any:
    async def call(
        name: str, path: str, body: object, method: str = "POST", bearer: str = "", code: int = 200
    ) -> None:
        headers = {"Content-Type": "application/json"}
        if bearer:
            headers["Authorization"] = f"Bearer {of[name].partner.secrets[bearer]}"
        request = urllib.request.Request(
            hub.base_url(of[name]) + path, json.dumps(body).encode(), headers, method=method
        )
        answer = await asyncio.to_thread(_read, request)
        assert answer.get("code") in (code, 100000) or answer.get("success") is True, answer

    return call


def _read(request: urllib.request.Request) -> Any:
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


async def _ship(numbers: list[str], hub: Hub) -> None:
    steps = [StepBy(number=number, who="demo operator") for number in numbers]
    await hub.db.run(hub.registry.tenant("demo"), partial(orders.ship, batch=steps))


async def _set(tenant: str, hub: Hub, **changes: str) -> None:
    async def change(tx: Tx) -> None:
        await connections.change(
            tx, hub.vault, hub.dialects, "goldshop", changes, who="demo operator"
        )

    await hub.db.run(hub.registry.tenant(tenant), change)


async def _refuses(hub: Running, miniapp: Connection) -> None:
    """Wait until every process of the mini-program refuses orders that it does not know."""
    body = json.dumps({"oriOrderNo": "NO-BODYS", "orderSatus": 1}).encode()
    headers = {"Content-Type": "application/json"}
    url, row = f"{hub.base_url(miniapp)}/app/markOrderStatus", 0
    async with asyncio.timeout(_PATIENCE):
        while row < 20:  # as many new sockets as make it likely that each process took one
            request = urllib.request.Request(url, body, headers)
            answer = await asyncio.to_thread(_read, request)
            row = row + 1 if answer["code"] != 200 else 0


async def _turned(hub: Running, before: bytes | None) -> None:
    """Wait until the courier knows the new address."""
    deadline = time.monotonic() + _PATIENCE
    while aim(hub.settings.database_url or "") == before:
        assert time.monotonic() < deadline, "the courier keeps to the old address"
        await asyncio.sleep(0.1)


async def _until(hub: Running, state: str, least: int) -> None:
    """Wait until so many of the tenant's deliveries are in a state."""
    deadline = time.monotonic() + _PATIENCE

    async def count(hub: Hub) -> int:
        async with hub.db.reading(hub.registry.tenant("demo")) as tx:
            query = "SELECT count(*) FROM delivery WHERE tenant_id = $1 AND state = $2"
            return int(await tx.value(query, state))

    while await hub.do(count) < least:
        assert time.monotonic() < deadline, f"no delivery became {state}"
        await asyncio.sleep(0.3)


def _pick(number: str, style: str = "YPJ1601") -> object:
    head = {"custName": "安港珠宝", "oriOrderNo": number, "username": "明天L"}
    lines = [{"styleNo": style, "qty": 3}, {"styleNo": "YPJ1602", "qty": 2}]
    return {"pickGoods": head, "pickGoodsDtls": lines}


_STORE = {
    "shopCode": "6001", "dispatchNO": STORE, "purchaseCode": "XP2101", "memberCode": "VIP01",
    "receiver": "张三", "phone": "13800138000", "province": "浙江省", "city": "杭州市",
    "county": "西湖区", "address": "文三路1号",
    "items": [{"product": "G1", "color": "C1", "size": "S1", "qty": 2}],
}  # fmt: skip
_AP = {
    "saOrderId": "test-09", "customerId": 149, "type": "AFTER",
    "orderApPros": [
        {"saOrderId": "test-09", "productId": 1, "productUnitId": 1, "pcount": 1,
         "salePrice": 32.5, "askPrice": 30},
    ],
}  # fmt: skip
_SR = {
    "orderSr": {
        "platformId": 1, "customerId": 32805, "saOrderId": "SA180611037577", "toDepotId": 40,
        "toDepotName": "DC（大连铁越仓）", "remark": "包装破损", "isFreight": 1,
    },
    "orderSrPro": [
        {"productId": 4152, "productunitId": 7383, "pcount": 1, "oldPrice": 391, "price": 391,
         "giftFlg": 0},
    ],
}  # fmt: skip
