"""A jeweller's hub as mini-programs and operators meet it, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from entrepot.catalogue import flows as catalogue
from entrepot.catalogue.flows import Article
from entrepot.connections import flows as connections
from entrepot.connections.flows import NewConnection
from entrepot.courier import desk
from entrepot.errors import Refused
from entrepot.orders import views
from entrepot.orders.rules import StepBy
from entrepot.stock import flows as stock
from entrepot.stock.flows import Count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.courier.desk import Line
    from entrepot.db import Tx
    from entrepot.hub import Hub
    from entrepot.orders.views import Order
    from tests.running import Running

DONE = {"msg": "操作成功", "code": 200}
EXISTS = {"msg": "订单号已存在，不能再次推送", "code": 500}
UNKNOWN = {"msg": "推送失败，订单号不存在。", "code": 500}


def order(number: str, *lines: tuple[str, Any], **head: Any) -> dict[str, Any]:
    """Return an order as a mini-program pushes it."""
    names = {"custName": "安港珠宝", "oriOrderNo": number, "username": "明天L", **head}
    dtls = [{"styleNo": style, "qty": qty} for style, qty in lines]
    return {"pickGoods": names, "pickGoodsDtls": dtls}


@dataclass
class Shop:
    """One connection of the demonstration's tenant, with what its partner and its operators do."""

    hub: Running
    name: str
    base_url: str

    def post(self, path: str, body: object = None, **headers: str) -> dict[str, Any]:
        """Return the answer to one call; ``body`` bytes are sent as they are, None: nothing."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = b"" if body is None else raw
        request = urllib.request.Request(self.base_url + path, sent, headers, method="POST")
        with urllib.request.urlopen(request, timeout=30) as reply:
            answer: dict[str, Any] = json.load(reply)
        assert list(answer) == ["msg", "code", "data"][: len(answer)]
        return answer

    def send(self, number: str, *lines: tuple[str, Any], **head: Any) -> dict[str, Any]:
        """Push an order."""
        return self.post("/pickGoods/send", order(number, *lines, **head))

    def cancel(self, number: object, remark: str = "") -> dict[str, Any]:
        """Cancel an order."""
        return self.post("/pickGoods/cancel", {"oriOrderNo": number, "remark": remark})

    def stock(self, *styles: str) -> list[dict[str, Any]]:
        """Ask for styles."""
        answer = self.post("/pickGoods/style/stock", {"styleNos": styles})
        assert answer["code"] == 200
        rows: list[dict[str, Any]] = answer["data"]
        return rows

    async def do(self, flow: Any, command: Any) -> Any:
        """Run one command of a flow beside the server, as an operator; raises its refusal."""

        async def work(inside: Hub) -> Any:
            tenant = inside.registry.tenant("demo")
            return (await inside.db.run(tenant, lambda tx: flow(tx, [command])))[0]

        outcome = await self.hub.do(work)
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    async def step(self, flow: Any, number: str) -> None:
        """Take one step on an order of this connection."""

        async def work(inside: Hub) -> int:
            tenant = inside.registry.tenant("demo")
            return inside.registry.named(tenant, self.name).partner.id

        me = await self.hub.do(work)
        await self.do(flow, StepBy(number=number, who="operator", connection_id=me))

    async def order(self, number: str) -> Order:
        """Return an order as an operator sees it."""

        async def work(inside: Hub) -> Order:
            async with inside.db.reading(inside.registry.tenant("demo")) as tx:
                return await views.show(tx, number, self.name)

        return await self.hub.do(work)

    async def deliveries(self, number: str) -> list[Line]:
        """Return what is or was on its way about an order, the oldest first."""

        async def work(inside: Hub) -> list[Line]:
            tenant = inside.registry.tenant("demo")
            me = inside.registry.named(tenant, self.name).partner.id
            wanted = desk.Filter(document=number, connections=(me,))
            async with inside.db.reading(tenant) as tx:
                return (await desk.find(tx, wanted, desk.deadlines(inside.registry, tenant)))[::-1]

        return await self.hub.do(work)

    async def until(self, number: str, *states: str) -> list[Line]:
        """Wait until the calls about an order are in these states."""
        lines: list[Line] = []
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            lines = await self.deliveries(number)
            if [line.state for line in lines] == list(states):
                return lines
            await asyncio.sleep(0.05)
        raise AssertionError([(line.kind, line.state, line.last_error) for line in lines])

    async def act(self, what: Any, delivery: str) -> None:
        """Let a person do something about a delivery."""

        async def work(inside: Hub) -> None:
            tenant = inside.registry.tenant("demo")
            (done,) = await desk.act(inside.db, tenant, what, [delivery], who="op", reason="why")
            assert not done.refused

        await self.hub.do(work)


async def connected(hub: Running, name: str, role: str = "erp", **settings: str) -> Shop:
    """Make a connection of the demonstration's tenant, and wait until every process knows it."""
    partner_url = settings.pop("partner_url", None)

    async def work(inside: Hub) -> str:
        tenant = inside.registry.tenant("demo")
        new = NewConnection(
            name=name, dialect="goldshop", role=role, settings=settings, partner_url=partner_url
        )
        async with inside.db.transaction(tenant) as tx:
            await connections.add(tx, inside.vault, inside.dialects, new, who="test")
        await inside.registry.load()
        return hub.base_url(inside.registry.named(tenant, name))

    shop = Shop(hub, name, await hub.do(work))
    hub.wait_until_known(shop.base_url)
    return shop


async def stocked(hub: Running, styles: Mapping[str, int], at: str = "HQ") -> None:
    """Let so many pieces of each style lie at a place."""

    async def work(inside: Hub) -> None:
        async def count(tx: Tx) -> None:
            articles = [Article(sku=style, style_no=style) for style in styles]
            known = await catalogue.add(tx, articles)
            (place,) = (await stock.locations(tx, [at])).values()
            counts = [
                Count(article_id=known[style], location_id=place, on_hand=pieces)
                for style, pieces in styles.items()
            ]
            await stock.count(tx, counts)

        await inside.db.run(inside.registry.tenant("demo"), count)

    await hub.do(work)
