"""What they call us with: stores and outlets as an OMS hears them (oms), an OMS as stores hear it (pos)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs

from msgspec import Struct

from entrepot import clock, decode, dialect
from entrepot.dialect import Problem, Route
from entrepot.dialects.storepos import wire
from entrepot.dispatch import intake, refusing, returning, shipping, told, voiding
from entrepot.dispatch.refusing import Refusal
from entrepot.dispatch.returning import NewWaybill, Return
from entrepot.dispatch.shipping import Checkout
from entrepot.dispatch.told import ReceiptTold, Told, WaybillTold
from entrepot.dispatch.voiding import Void
from entrepot.errors import Refused
from entrepot.orders import turned_away

if TYPE_CHECKING:
    from entrepot.dialect import Call, Handler, Reply

_LOOK = 0.04
"""Seconds between two looks at a void that is being asked about."""


# Role oms: 门店下单篇 ---------------------------------------------------------------------------------


async def ordermake(call: Call) -> Reply:
    """POS门店下发发货通知至OMS: take the order in and find who ships it."""
    body: wire.OrderMake = call.body
    call.document = body.dispatchNO
    new = wire.ordered(body, call.partner, call.seal(call.raw), call.fingerprint(body.phone))
    try:
        await call.do(intake.take, new)
    except Refused as refusal:
        return wire.not_taken(await turned_away.reported(call.do, new.order, refusal))
    return wire.OK


async def orderremove(call: Call) -> Reply:
    """POS门店作废发货通知单: void it where nothing has left, once the outlets that know of it agree."""
    body: wire.OrderRemove = call.body
    call.document = body.dispatchNO
    partner = call.partner
    patience = clock.ticks() + dialect.seconds(partner.settings.void_timeout)
    void = Void(number=body.dispatchNO, who=partner.name, connection_id=partner.id)
    asked = await call.do(voiding.begin, void)
    verdict = asked.verdict
    while verdict == "asking":
        if clock.ticks() > patience:
            return wire.ASKING
        await asyncio.sleep(_LOOK)
        verdict = await call.ask(voiding.standing, asked.order_id)
    return wire.OK if verdict == "void" else wire.render(Problem("order_left"))


# Role oms: 门店发货篇 ---------------------------------------------------------------------------------


async def checkout(call: Call) -> Reply:
    """门店出库回传: an outlet shipped parcels of a note."""
    body: wire.CheckOut = call.body
    call.document = body.dispatchNO
    call.also = tuple(package.waybillCode for package in body.packages)
    done = await call.do(
        shipping.check_out,
        Checkout(
            note=body.dispatchNO,
            boxes=wire.boxes(body),
            who=call.partner.name,
            connection_id=call.partner.id,
            late_reason=decode.text(body.over24hReason) or "",
        ),
    )
    _file(call, done.order)
    return wire.OK


async def refuse(call: Call) -> Reply:
    """门店退单: an outlet will not ship what is open of a note."""
    body: wire.Refuse = call.body
    call.document = body.dispatchNO
    done = await call.do(
        refusing.refuse,
        Refusal(
            note=body.dispatchNO,
            who=call.partner.name,
            connection_id=call.partner.id,
            reason=decode.text(body.reason) or "",
        ),
    )
    _file(call, done.order)
    return wire.OK


async def refund(call: Call) -> Reply:
    """门店接收退货: a piece came back to an outlet, which need not be the one that shipped it."""
    body: wire.Refund = call.body
    call.document, call.also = body.sn, (body.waybillCode,)
    done = await call.do(
        returning.receive,
        Return(
            outlet=body.shopCode,
            code=body.sn,
            waybill=body.waybillCode,
            express=decode.text(body.express) or "",
            who=call.partner.name,
        ),
    )
    _file(call, done.order)
    return wire.OK


async def waybillchange(call: Call) -> Reply:
    """门店更改出库运单号: a note's packages go under another waybill."""
    body: wire.WaybillChange = call.body
    call.document, call.also = body.dispatchNO, (body.targetbillCode, body.waybillCode)
    done = await call.do(
        returning.change_waybill,
        NewWaybill(
            note=body.dispatchNO,
            target=body.targetbillCode,
            express=body.express,
            waybill=body.waybillCode,
            who=call.partner.name,
            connection_id=call.partner.id,
        ),
    )
    _file(call, done.order)
    return wire.OK


def _file(call: Call, number: str) -> None:
    """File the exchange under the store's number too."""
    call.also = (*call.also, number)


# Role pos ------------------------------------------------------------------------------------------


async def pushorder(call: Call) -> Reply:
    """OMS下发电商发货通知单至POS: an outlet of ours is to ship; what it lacks goes to ``pos/refuse``."""
    body: wire.PushOrder = call.body
    call.document = body.dispatchNO
    sealed, phone = call.seal(call.raw), call.fingerprint(body.phone)
    new = wire.offered(body, call.partner, sealed, phone)
    try:
        await call.do(intake.take, new)
    except Refused as refusal:
        raise await turned_away.reported(call.do, new.order, refusal) from refusal
    return wire.OK


async def pushcancel(call: Call) -> Reply:
    """OMS作废电商发货通知单: give it up unless goods have left."""
    body: wire.PushCancel = call.body
    call.document = body.dispatchNO
    partner = call.partner
    void = Void(
        number=body.dispatchNO,
        who=partner.name,
        connection_id=partner.id,
        kind=wire.NOTE,
        unknown="told",
    )
    try:
        asked = await call.do(voiding.begin, void)
    except Refused as refusal:
        return wire.note_left(refusal)
    return wire.OK if asked.verdict == "void" else wire.ASKING


async def pushpackage(call: Call) -> Reply:
    """OMS同步包裹发货: parcels of an order of ours left."""
    body: wire.PushPackage = call.body
    call.document = body.dispatchNO
    return await _told(call, body.dispatchNO, body, complete=False)


async def pushcomplete(call: Call) -> Reply:
    """OMS同步通知单发货: nothing more will come."""
    body: wire.PushComplete = call.body
    call.document = body.dispatchNO
    return await _told(call, body.dispatchNO, *body.transfers, complete=True)


async def pushreceipt(call: Call) -> Reply:
    """OMS同步收货: a piece of an order of ours came back somewhere."""
    body: wire.PushReceipt = call.body
    call.document = body.dispatchNO
    call.also = (body.transferCode, body.waybillCode, body.sn)
    await call.do(
        told.receipts,
        ReceiptTold(
            number=body.dispatchNO,
            connection_id=call.partner.id,
            outlet=body.receiverCode,
            waybill=body.waybillCode,
            code=body.sn,
            who=call.partner.name,
        ),
    )
    return wire.OK


async def pushwaybill(call: Call) -> Reply:
    """OMS同步快递单更改: parcels of ours go under another waybill."""
    body: wire.PushWaybill = call.body
    call.document, call.also = body.targetbillCode, (body.waybillCode,)
    heard = await call.do(
        told.waybills,
        WaybillTold(
            connection_id=call.partner.id,
            target=body.targetbillCode,
            express=body.express,
            waybill=body.waybillCode,
            who=call.partner.name,
        ),
    )
    call.also += heard.orders
    return wire.OK


async def _told(call: Call, number: str, *transfers: wire.SentTransfer, complete: bool) -> Reply:
    said = tuple(wire.transfer(transfer) for transfer in transfers)
    call.also = tuple(n for transfer in said for n in transfer.numbers())
    await call.do(
        told.parcels,
        Told(
            number=number,
            connection_id=call.partner.id,
            transfers=said,
            who=call.partner.name,
            complete=complete,
        ),
    )
    return wire.OK


class Query(Struct, frozen=True):
    """Which of the open paths is meant."""

    method: Literal[
        "pushpackage", "pushcomplete", "pushreceipt", "pushwaybill", "pushorder", "pushcancel"
    ]


async def by_query(call: Call) -> Reply:
    """Answer ``?method=pushorder``, the document's other way of writing the open paths."""
    method = parse_qs(call.query).get("method", [""])[0]
    if method not in _PUSHES:
        return wire.render(Problem("unknown_path", "接口不存在", status=404))
    handler, _ = _PUSHES[method]
    call.body = _READERS[method].read(call.raw)
    return await handler(call)


_PUSHES: dict[str, tuple[Handler, Any]] = {
    "pushpackage": (pushpackage, wire.PushPackage),
    "pushcomplete": (pushcomplete, wire.PushComplete),
    "pushreceipt": (pushreceipt, wire.PushReceipt),
    "pushwaybill": (pushwaybill, wire.PushWaybill),
    "pushorder": (pushorder, wire.PushOrder),
    "pushcancel": (pushcancel, wire.PushCancel),
}
_SHAPES = tuple(shape for _, shape in _PUSHES.values())
_READERS = {name: decode.Reader(shape) for name, (_, shape) in _PUSHES.items()}

_NUMBER = "dispatchNO"
_NUMBERS = {"pushwaybill": "targetbillCode"}
"""Where a call says its document's number, if not in ``dispatchNO``."""

OMS = (
    Route("POST", "/pos/ordermake", ordermake, wire.OrderMake, number=_NUMBER),
    Route("POST", "/pos/orderremove", orderremove, wire.OrderRemove, number=_NUMBER),
    Route("POST", "/pos/checkout", checkout, wire.CheckOut, number=_NUMBER),
    Route("POST", "/pos/refuse", refuse, wire.Refuse, number=_NUMBER),
    Route("POST", "/pos/refund", refund, wire.Refund, number="sn"),
    Route("POST", "/pos/delivery/waybillchange", waybillchange, wire.WaybillChange, number=_NUMBER),
)
POS = (
    *(
        Route("POST", f"/{name}", handler, shape, number=_NUMBERS.get(name, _NUMBER))
        for name, (handler, shape) in _PUSHES.items()
    ),
    Route("POST", "", by_query, shapes=_SHAPES, query=Query, number=_NUMBER),
    Route("POST", "/", by_query, shapes=_SHAPES, query=Query, number=_NUMBER),
)
