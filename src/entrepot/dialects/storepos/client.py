"""What we call them with, and what their answers mean. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from entrepot import facts
from entrepot.dialect import Delivered, Rejected, Request, Retry
from entrepot.dialects.storepos import wire

if TYPE_CHECKING:
    from entrepot.dialect import Partner, Sent, Verdict
    from entrepot.dialects.storepos.policy import OmsSettings
    from entrepot.facts import Fact, Levels

TELLS_STORES = frozenset(
    {
        facts.DispatchOffered.kind,
        facts.DispatchWithdrawn.kind,
        facts.PackagesShipped.kind,
        facts.DispatchCompleted.kind,
        facts.ReturnReceived.kind,
        facts.WaybillChanged.kind,
    }
)
TELLS_OMS = frozenset(
    {
        facts.DispatchRequested.kind,
        facts.OrderCancelled.kind,
        facts.PackagesShipped.kind,
        facts.DispatchRefused.kind,
        facts.ReturnReceived.kind,
        facts.WaybillChanged.kind,
    }
)
_json = msgspec.json.Encoder()
_TAKEN_BEFORE = ("已存在", "重复")


class _Answer(Struct):
    """What we look at in an answer."""

    success: bool
    msg: Any = ""


def to_stores(fact: Fact | Levels, partner: Partner) -> Request | None:
    """Return the call that tells a store system of this (role oms)."""
    settings: OmsSettings = partner.settings
    match fact:
        case facts.DispatchOffered():
            name, said = settings.paths.pushorder, _order(fact, settings)
        case facts.DispatchWithdrawn():
            name = settings.paths.pushcancel
            said = {"dispatchNO": fact.note, "shopCode": fact.outlet}
        case facts.PackagesShipped():
            name, said = settings.paths.pushpackage, _shipped(fact.transfer, fact.number)
        case facts.DispatchCompleted():
            transfers = [_shipped(transfer) for transfer in fact.transfers]
            name = settings.paths.pushcomplete
            said = {"dispatchNO": fact.number, "transfers": transfers}
        case facts.ReturnReceived():
            name, said = settings.paths.pushreceipt, _receipt(fact)
        case facts.WaybillChanged():
            name = settings.paths.pushwaybill
            said = {
                "targetbillCode": fact.target,
                "express": fact.express,
                "waybillCode": fact.waybill,
            }
        case _:
            return None
    if settings.path_style == "query":
        return Request("", _json.encode(said), query=f"method={name}")
    return Request(f"/{name.lstrip('/')}", _json.encode(said))


def to_oms(fact: Fact | Levels, _partner: Partner) -> Request | None:
    """Return the call that tells an OMS of this (role pos)."""
    match fact:
        case facts.DispatchRequested():
            return Request("/pos/ordermake", _json.encode(_request(fact)))
        case facts.OrderCancelled():
            return Request("/pos/orderremove", _json.encode({"dispatchNO": fact.number}))
        case facts.PackagesShipped():
            return Request("/pos/checkout", _json.encode(_checkout(fact)))
        case facts.DispatchRefused():
            said = {"dispatchNO": fact.number, "reason": fact.reason or wire.NO_STOCK}
            return Request("/pos/refuse", _json.encode(said))
        case facts.ReturnReceived():
            return Request("/pos/refund", _json.encode(_refund(fact)))
        case facts.WaybillChanged():
            change = {
                "dispatchNO": fact.number,
                "targetbillCode": fact.target,
                "express": fact.express,
                "waybillCode": fact.waybill,
            }
            return Request("/pos/delivery/waybillchange", _json.encode(change))
        case _:
            return None


def verdict(sent: Sent) -> Verdict:
    """Judge an answer: 200 with ``success`` is final, anything else is tried again."""
    if sent.response.status != 200:
        return Retry(f"HTTP {sent.response.status}")
    raw = sent.response.body.removeprefix(b"\xef\xbb\xbf").strip()
    if isinstance(sent.subject, facts.DispatchRequested):
        return _taken(raw)
    try:
        answer = msgspec.json.decode(raw, type=_Answer)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return Retry("the answer is not JSON in the document's envelope")
    said = str(answer.msg or "")
    if answer.success:
        return Delivered()
    if isinstance(sent.subject, facts.DispatchWithdrawn) and said.strip() == wire.UNKNOWN_NOTE:
        return Delivered(said)
    unsure_offer = isinstance(sent.subject, facts.DispatchOffered) and sent.unsure
    if unsure_offer and any(word in said for word in _TAKEN_BEFORE):
        return Delivered(said)
    return Rejected(said or "success: false")


def _taken(raw: bytes) -> Verdict:
    """Judge a 200 to an order: 通知单同步OMS完成, unless it is somebody else's page."""
    try:
        if raw:
            msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, ValueError):
        return Retry("the answer is neither empty nor a JSON object")
    return Delivered()


def _order(fact: facts.DispatchOffered, settings: OmsSettings) -> dict[str, Any]:
    return {
        "shopCode": fact.outlet,
        "dispatchNO": fact.note,
        "purchaseNumber": fact.purchase,
        **_addressed(fact.receiver),
        "express": settings.express,
        "items": [_item(line.sku, qty=line.qty) for line in fact.lines],
    }


def _receipt(fact: facts.ReturnReceived) -> dict[str, Any]:
    return {
        "transferCode": fact.note,
        "dispatchNO": fact.number,
        "receiverCode": fact.outlet,
        "receiverName": fact.outlet_name,
        "express": fact.express,
        "waybillCode": fact.waybill,
        **_item(fact.piece.sku, sn=fact.piece.code),
    }


def _request(fact: facts.DispatchRequested) -> dict[str, Any]:
    return {
        "shopCode": fact.shop,
        "dispatchNO": fact.number,
        "purchaseCode": fact.purchase,
        "memberCode": fact.member,
        **_addressed(fact.receiver),
        "items": [_item(line.sku, qty=line.qty) for line in fact.lines],
    }


def _checkout(fact: facts.PackagesShipped) -> dict[str, Any]:
    return {
        "dispatchNO": fact.number,
        "over24hReason": fact.late_reason,
        "packages": [
            {
                "express": parcel.express,
                "waybillCode": parcel.waybill,
                "sns": [piece.code for piece in parcel.pieces],
            }
            for parcel in fact.transfer.parcels
        ],
    }


def _refund(fact: facts.ReturnReceived) -> dict[str, Any]:
    return {
        "shopCode": fact.outlet,
        "express": fact.express,
        "waybillCode": fact.waybill,
        "sn": fact.piece.code,
    }


def _item(name: str, **more: Any) -> dict[str, Any]:
    """Return an article in their words, and what else is said of it."""
    product, color, size = wire.parts_of(name)
    return {"product": product, "color": color, "size": size, **more}


def _shipped(said: facts.Transfer, dispatch_no: str | None = None) -> dict[str, Any]:
    """Return what an outlet shipped in their words; on top the first package's express and waybill."""
    first = said.parcels[0] if said.parcels else None
    head = {"transferCode": said.note}
    if dispatch_no is not None:
        head["dispatchNO"] = dispatch_no
    return {
        **head,
        "shipCode": said.outlet,
        "shipName": said.outlet_name,
        "express": first.express if first else "",
        "waybillCode": first.waybill if first else "",
        "packages": [
            {
                "express": parcel.express,
                "waybillCode": parcel.waybill,
                "items": [_item(piece.sku, sn=piece.code) for piece in parcel.pieces],
            }
            for parcel in said.parcels
        ],
    }


def _addressed(receiver: facts.Receiver) -> dict[str, str]:
    """Return a receiver in their words."""
    return {
        "receiver": receiver.name,
        "phone": receiver.phone,
        "province": receiver.province,
        "city": receiver.city,
        "county": receiver.county,
        "address": receiver.address,
    }
