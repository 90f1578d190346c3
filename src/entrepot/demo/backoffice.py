"""A day in the back office of document 003: restaurants order, people file papers, others check them.

Our depot ships and signs in; everything else is done by the partner's people, on their screens, over HTTP.
"""

from __future__ import annotations

import contextlib
import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from entrepot import clock
from entrepot.catalogue.flows import Article
from entrepot.courier.addresses import networks
from entrepot.courier.http import Caller, CallFailed, Target
from entrepot.db import queries
from entrepot.decode import Id, Positive, Price, glimpse
from entrepot.demo.part import Pile, stack
from entrepot.demo.stage import Act, Stage
from entrepot.dialects.trade import wire
from entrepot.dialects.trade.client import Client, Said
from entrepot.errors import EntrepotError
from entrepot.orders import flows as orders
from entrepot.orders.accounts import Customer, add_customers
from entrepot.orders.prices import Money
from entrepot.orders.rules import NewOrder, StepBy, Wanted
from entrepot.people.rules import Actor, Role
from entrepot.returns import flows as returns
from entrepot.returns.rules import Act as Receipt
from entrepot.stock.flows import locations, lock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from entrepot.db import Row, Tx
    from entrepot.dialect import Request, Response
    from entrepot.dialects.trade.words import SrProLeft

_q = queries(__package__)
DEPOT, DEPOT_NAME = 40, "DC（大连铁越仓）"
_LIVE, _NEWEST = "LIVE", 20
_LOW, _FULL, _PATIENCE = 60, 200, 10.0
_KEEPER = Actor(id=521, name="库管", role=Role.WAREHOUSE)
# SKU, name, unit, guige, pno, price, and its ids on the screens.
_GOODS = (
    ("LIVE-COD", "深海鳕鱼段", "件", "1kg*10袋", "L001", "268", 9001),
    ("LIVE-SQUID", "免浆鱿鱼花", "袋", "500g", "L002", "18.5", 9002),
    ("LIVE-PRAWN", "黑虎虾仁", "盒", "250g/盒", "L003", "36.9", 9003),
)
_CUSTOMERS = (
    Customer(id=90001, name="大连市甘井子区海悦饭店", type="A"),
    Customer(id=90002, name="沈阳市和平区顺发烤肉", type="P"),
    Customer(id=90003, name="鞍山市铁东区小海鲜", type="C"),
)
_REASONS = ("价格与客户确认不符", "请补充说明", "重复申请")


# Our side: orders come in, goods come and go. ------------------------------------------------------


async def _order(stage: Stage) -> None:
    """Take a restaurant's order in: one to three lines, now and then a gift, a discount, freight."""
    await stage.hub.db.run(stage.demo, _stock_up)
    chance = stage.chance
    customer = chance.choice(_CUSTOMERS)
    lines = [
        Wanted(name=sku, qty=chance.randint(1, 8), price=Decimal(price))
        for sku, *_, price, _unit in chance.sample(_GOODS, chance.randint(1, 3))
    ]
    if chance.random() < 0.3:
        sku, *_, price, _unit = chance.choice(_GOODS)
        lines.append(Wanted(name=sku, qty=1, price=Decimal(price), gift=chance.choice((1, 2))))
    cost = sum((line.price * line.qty for line in lines if not line.gift), Decimal(0))
    money = Money(
        customer_id=customer.id,
        discount=Decimal(chance.choice((0, 0, 5, int(cost) // 20))),
        freight=Decimal(chance.choice((0, 10, 15))),
    )
    number = stage.number()
    new = NewOrder(
        number=number,
        lines=tuple(lines),
        digest=hashlib.sha256(number.encode()).digest(),
        customer=customer.name,
        money=money,
        who=customer.name,
    )
    await stage.do(stage.demo, orders.place, new)


async def _stock_up(tx: Tx) -> None:
    """Make goods and customers known, and fill the depot where something runs low."""
    await add_customers(tx, _CUSTOMERS)
    articles = [
        Article(
            sku=sku,
            name=name,
            unit=unit,
            details={"productId": at, "productUnitId": at, "guige": guige, "pno": pno},
        )
        for sku, name, unit, guige, pno, _price, at in _GOODS
    ]
    known = await stack(tx, [Pile(article=article, at={}) for article in articles])
    place = (await locations(tx, [str(DEPOT)]))[str(DEPOT)]
    rows = await lock(tx, {(article_id, place) for article_id in known.values()})
    enough = {row.article_id for row in rows.values() if row.on_hand >= _LOW}
    low = [article for article in articles if known[article.sku] not in enough]
    if low:
        await stack(tx, [Pile(article=article, at={str(DEPOT): _FULL}) for article in low])


async def _ship(stage: Stage) -> None:
    """Ship the order that waits longest."""
    for sale in (await _sales(stage, "accepted", age=30))[:1]:
        await stage.do(stage.demo, orders.ship, StepBy(number=sale[0]["number"], who=_KEEPER.name))


async def _sign_in(stage: Stage) -> None:
    """Sign in at the depot what a passed return brought back."""
    async with _screens(stage, "warehouse") as screens:
        passed = await screens.list_sr(order=_LIVE, status="FMS_PASS")
    for row in passed.datas[-1:]:
        receipt = Receipt(number=row.orderId, action="receive", actor=_KEEPER)
        await stage.do(stage.demo, returns.act, receipt)


# Their side: what people do on their screens. ------------------------------------------------------


async def _adjust(stage: Stage) -> None:
    """Ask a better price for a line of an order: a BEFORE until it is shipped, then an AFTER."""
    state = stage.chance.choice(("accepted", "shipped"))
    found = await _sales(stage, state, age=5)
    if not found:
        return
    sale = stage.chance.choice(found[-_NEWEST:])
    async with _screens(stage, "sales") as screens:
        number = sale[0]["number"]
        open_ = await screens.list_ap(saOrderIdKeyWord=number, statuses=["RUN", "PASS"])
        sold = [row for row in sale if not row["gift"]]
        if open_.total or not sold:
            return
        row = stage.chance.choice(sold)
        ask = (row["price"] * Decimal(stage.chance.randint(80, 97)) / 100).quantize(Decimal("0.1"))
        line = wire.ApLine(
            number,
            Id(row["product_id"]),
            Id(row["unit_id"]),
            Positive(stage.chance.randint(1, row["qty"])),
            Price(row["price"]),
            Price(ask),
        )
        kind: Any = "BEFORE" if state == "accepted" else "AFTER"
        await screens.create_ap(wire.ApCreate(number, Id(row["customer_id"]), kind, (line,)))


async def _check_adjustment(stage: Stage) -> None:
    """Look at the adjustment that waits longest and its log; pass it, or refuse it with a reason."""
    async with _screens(stage, "cpa") as screens:
        waiting = await screens.list_ap(saOrderIdKeyWord=_LIVE, statuses=["RUN"])
        for row in waiting.datas[-1:]:
            await screens.show_ap(row.orderId)
            await screens.log_ap(row.orderId)
            with contextlib.suppress(
                Said
            ):  # the order has been shipped since: it can only be refused
                if stage.chance.random() < 0.8:
                    await screens.pass_ap(row.orderId)
                    return
            await screens.refuse_ap(row.orderId, stage.chance.choice(_REASONS))


async def _return(stage: Stage) -> None:
    """Look up what may come back of a shipped order, work it out, file it, and confirm it."""
    found = await _sales(stage, "shipped", age=15)
    if not found:
        return
    number = stage.chance.choice(found[-_NEWEST:])[0]["number"]
    async with _screens(stage, "sales") as screens:
        order = await screens.show_order(number)
        lines = [line for line in order.orderSrPro or () if line.leftPcount]
        if not lines:
            return
        chosen = stage.chance.sample(lines, stage.chance.randint(1, len(lines)))
        body = _body(stage, number, order.customerId, chosen)
        await screens.calculate(
            wire.Calculate(
                wire.AskedHead(number, body.orderSr.isFreight),
                tuple(
                    wire.AskedLine(line.productunitId, line.pcount, line.price, line.giftFlg)
                    for line in body.orderSrPro
                ),
            )
        )
        await screens.create_sr(body)
        drafts = await screens.list_sr(order=number, status="INVALID", buttonPermissionFlg=1)
        for row, buttons in zip(drafts.datas, drafts.buttonPermissions, strict=True):
            if buttons.editButton and stage.chance.random() < 0.3:
                await screens.edit_sr(row.orderId, body)
            if buttons.setRunButton:
                await screens.set_status(row.orderId, "RUN")
                return


def _body(stage: Stage, number: str, customer: int, chosen: Sequence[SrProLeft]) -> wire.SrBody:
    head = wire.SrHead(
        Id(customer),
        number,
        Id(DEPOT),
        DEPOT_NAME,
        wire.Flag(stage.chance.randint(0, 1)),
        remark=stage.chance.choice(("包装破损", "多发", "客户不要了")),
    )
    lines = tuple(
        wire.SrLine(
            Id(line.productId),
            Id(line.productunitId),
            Positive(stage.chance.randint(1, line.leftPcount)),
            Price(line.oldPrice),
            Price(line.oldPrice),
            wire.Gift(line.giftFlg),
        )
        for line in chosen
    )
    return wire.SrBody(head, lines)


async def _check_return(stage: Stage) -> None:
    """Look at the return that waits longest; pass it, or refuse it."""
    async with _screens(stage, "cpa") as screens:
        waiting = await screens.list_sr(order=_LIVE, status="RUN")
        for row in waiting.datas[-1:]:
            await screens.show_sr(row.orderId)
            verdict = "FMS_PASS" if stage.chance.random() < 0.85 else "INVALID"
            await screens.set_status(row.orderId, verdict)


async def _give_back(stage: Stage) -> None:
    """Complete the adjustment and the return that wait longest for their refund."""
    async with _screens(stage, "finance") as screens:
        passed = await screens.list_ap(saOrderIdKeyWord=_LIVE, type="AFTER", statuses=["PASS"])
        for adjustment in passed.datas[-1:]:
            await screens.complete_ap(adjustment.orderId)
        received = await screens.list_sr(order=_LIVE, status="RECEIVE")
        for row in received.datas[-1:]:
            await screens.set_status(row.orderId, "COMPLETE")


async def _clear_away(stage: Stage) -> None:
    """Delete the oldest adjustment and the oldest return that were refused."""
    async with _screens(stage, "sales") as screens:
        refused = await screens.list_ap(saOrderIdKeyWord=_LIVE, statuses=["INVALID"])
        for adjustment, may in list(zip(refused.datas, refused.buttonPermissions, strict=True))[
            -1:
        ]:
            if may.deleteButton:
                await screens.delete_ap(adjustment.orderId)
        drafts = await screens.list_sr(order=_LIVE, status="INVALID", buttonPermissionFlg=1)
        for row, buttons in list(zip(drafts.datas, drafts.buttonPermissions, strict=True))[-1:]:
            if buttons.delButton:
                await screens.delete_sr(row.orderId)


# Both ----------------------------------------------------------------------------------------------


async def _sales(stage: Stage, state: str, *, age: float) -> list[list[Row]]:
    """Return the traffic's orders in a state for so many seconds, the oldest first, each as its lines."""
    async with stage.hub.db.reading(stage.demo) as tx:
        rows = await tx.rows(_q.live_sales, state, age)
    sales: dict[str, list[Row]] = {}
    for row in rows:
        sales.setdefault(row["number"], []).append(row)
    return list(sales.values())


@contextlib.asynccontextmanager
async def _screens(stage: Stage, login: str) -> AsyncIterator[Client]:
    """Give the screens of one of the partner's people; every exchange is kept at their end too."""
    partner = stage.partner(stage.partners, "trade")
    allowed = stage.hub.registry.tenants[stage.partners][1].get("allowed_networks", ())
    target = Target.of(partner.partner_url or "", networks(allowed), partner.token)
    caller = Caller()

    async def send(request: Request) -> Response:
        began = clock.ticks()
        try:
            response, _ = await caller.call(target, request, {}, _PATIENCE)
        except CallFailed as failure:
            raise EntrepotError(failure.reason) from failure
        stage.hub.recorder.record(
            partner.tenant_id,
            partner.id,
            "out",
            method=request.method,
            path=request.path + (f"?{request.query}" if request.query else ""),
            status=response.status,
            seconds=clock.ticks() - began,
            request=request.body,
            reply=response.body,
            document=_document(request),
        )
        return response

    try:
        yield Client(send, partner.secrets[login])
    finally:
        caller.sweep(idle=0)


def _document(request: Request) -> str:
    """Return the number that a path ends with, else that of the order a body names, else ``""``."""
    last = request.path.rpartition("/")[2]
    if last.startswith((_LIVE, "AP", "SR")):
        return last
    named = ("saOrderId", "orderSr.saOrderId")
    return next(filter(None, (glimpse(request.body, path) for path in named)), "")


ACTS = (
    Act(name="a restaurant orders", every=20, play=_order),
    Act(name="the depot ships", every=25, play=_ship),
    Act(name="a seller asks a better price", every=25, play=_adjust),
    Act(name="an adjustment is checked", every=15, play=_check_adjustment),
    Act(name="a restaurant returns goods", every=35, play=_return),
    Act(name="a return is checked", every=20, play=_check_return),
    Act(name="the depot signs a return in", every=20, play=_sign_in),
    Act(name="money is given back", every=20, play=_give_back),
    Act(name="a seller clears away", every=90, play=_clear_away),
)
