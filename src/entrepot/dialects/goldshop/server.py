"""What they call us with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot import decode
from entrepot.catalogue import stated, views
from entrepot.catalogue.stated import LevelsStated, LevelStated
from entrepot.dialect import Route
from entrepot.dialects.goldshop import wire
from entrepot.errors import BadInput, Missing, Refused
from entrepot.orders import flows as orders
from entrepot.orders import turned_away
from entrepot.orders.rules import StepBy
from entrepot.stock.published import Channel

if TYPE_CHECKING:
    from entrepot.dialect import Call, Reply


async def send(call: Call) -> Reply:
    """小程序订单推送ERP: take an order in and reserve all of it."""
    body: wire.Send = call.body
    call.document = body.pickGoods.oriOrderNo
    digest, sealed = decode.digest(call.raw), call.seal(call.raw)
    new = wire.order(body, call.partner, call.partner.settings, digest, sealed)
    try:
        await call.do(orders.place, new)
    except Refused as refusal:
        raise await turned_away.reported(call.do, new, refusal) from refusal
    return wire.OK


async def stock(call: Call) -> Reply:
    """小程序查询ERP款式库存: what may be sold of some styles, or of all."""
    asked: wire.StockQuery | None = call.body
    partner = call.partner
    channel = Channel(connection_id=partner.id, locations=partner.settings.locations)
    if asked is None or not asked.styleNos:
        return wire.stock_stream(views.every_style(call.db, partner.tenant_id, channel))
    names = tuple(dict.fromkeys(asked.styleNos))
    wanted = views.StylesWanted(channel=channel, names=names)
    return wire.stock_answer(await call.ask(views.styles, wanted))


async def cancel(call: Call) -> Reply:
    """小程序取消订单: free what the order holds."""
    asked: wire.Cancel = call.body
    number = decode.text(asked.oriOrderNo)
    if number is None:
        raise Missing("unknown_order", "No order number is given.")
    call.document = number
    await call.do(orders.cancel, _step(call, number, decode.text(asked.remark) or ""))
    return wire.OK


async def mark(call: Call) -> Reply:
    """标记订单状态: the ERP has processed (1) or shipped (2) an order of ours."""
    body: wire.Mark = call.body
    call.document = body.oriOrderNo
    if body.orderSatus not in (wire.PROCESSED, wire.SHIPPED):
        raise BadInput("bad_status", "orderSatus is neither 1 nor 2.", path="orderSatus")
    step = orders.process if body.orderSatus == wire.PROCESSED else orders.ship_elsewhere
    settings: wire.MiniappSettings = call.partner.settings
    try:
        await call.do(step, _step(call, body.oriOrderNo))
    except Missing:
        if settings.unknown_order == "reject":
            raise
    return wire.OK


async def push_stocks(call: Call) -> Reply:
    """ERP款式库存数发生变动推送: what the ERP says may be sold of some styles."""
    body: wire.PushStocks = call.body
    settings: wire.MiniappSettings = call.partner.settings
    rows = tuple(
        LevelStated(name=line.styleNo, qty=line.stockQty, at=at)
        for at, line in enumerate(body.pickGoodsDtls)
    )
    levels = LevelsStated(
        rows=rows, partner=call.partner, create_unknown=settings.unknown_style == "accept"
    )
    await call.do(stated.take, levels)
    return wire.OK


def _step(call: Call, number: str, remark: str = "") -> StepBy:
    partner = call.partner
    return StepBy(number=number, who=partner.name, connection_id=partner.id, remark=remark)


_SENT = "pickGoods.oriOrderNo"
ERP = (
    Route("POST", "/pickGoods/send", send, wire.Send, number=_SENT, form=True),
    Route("POST", "/pickGoods/style/stock", stock, wire.StockQuery, optional_body=True, form=True),
    Route("POST", "/pickGoods/cancel", cancel, wire.Cancel, number="oriOrderNo", form=True),
)
MINIAPP = (
    Route("POST", "/app/markOrderStatus", mark, wire.Mark, number="oriOrderNo", form=True),
    Route("POST", "/goldshop/app/pushStocks", push_stocks, wire.PushStocks, form=True),
)
