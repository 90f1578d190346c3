"""The words of document 002, and what they mean to us. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from entrepot import facts
from entrepot.decode import Name, Optional, Positive, Text, text
from entrepot.dialect import Problem, Reply
from entrepot.dispatch.intake import NewDispatch
from entrepot.dispatch.rules import Box
from entrepot.orders.rules import NewOrder, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from entrepot.dialect import Partner
    from entrepot.errors import Refused

NOTE = "note"
"""The name space of the numbers under which a partner gives us notes to ship; its orders' are ``order``."""
UNKNOWN_NOTE = "通知单不存在"
VOID_NOTE = "通知单已作废"
LEFT_ORDER = "通知单已经出库"
LEFT_NOTE = "通知单已出库"
NO_STOCK = "库存不足"

# What they call us with (role oms) -----------------------------------------------------------------


class Item(Struct, frozen=True):
    """Pieces of one article: 货号, 色号, 尺码."""

    product: Text
    color: Text
    size: Text
    qty: Positive


class OrderMake(Struct, frozen=True):
    """``pos/ordermake``: a store sold goods that others are to ship."""

    shopCode: Name
    dispatchNO: Name
    receiver: Text
    phone: Text
    province: Text
    city: Text
    address: Text
    items: Annotated[tuple[Item, ...], Meta(min_length=1)]
    purchaseCode: Optional = None
    memberCode: Optional = None
    county: Optional = None


class OrderRemove(Struct, frozen=True):
    """``pos/orderremove``."""

    dispatchNO: Name


class CheckoutPackage(Struct, frozen=True):
    """A parcel that left an outlet; ``sns`` are 件码."""

    express: Name
    waybillCode: Name
    sns: tuple[Name, ...]


class CheckOut(Struct, frozen=True):
    """``pos/checkout``."""

    dispatchNO: Name
    packages: tuple[CheckoutPackage, ...]
    over24hReason: Optional = None


class Refuse(Struct, frozen=True):
    """``pos/refuse``."""

    dispatchNO: Name
    reason: Optional = None


class Refund(Struct, frozen=True):
    """``pos/refund``."""

    shopCode: Name
    waybillCode: Name
    sn: Name
    express: Optional = None


class WaybillChange(Struct, frozen=True):
    """``pos/delivery/waybillchange``."""

    dispatchNO: Name
    targetbillCode: Name
    express: Name
    waybillCode: Name


# What they call us with (role pos) -----------------------------------------------------------------


class SentPiece(Struct, frozen=True):
    """One piece in a parcel."""

    product: Text
    sn: Name
    color: Optional = None
    size: Optional = None


class SentPackage(Struct, frozen=True):
    """A parcel as the OMS tells of it."""

    express: Name
    waybillCode: Name
    items: tuple[SentPiece, ...]


class SentTransfer(Struct, frozen=True):
    """What one outlet shipped."""

    transferCode: Name
    shipCode: Name
    packages: tuple[SentPackage, ...]
    shipName: Optional = None
    express: Optional = None
    waybillCode: Optional = None


class PushPackage(SentTransfer, frozen=True, kw_only=True):
    """OMS同步包裹发货."""

    dispatchNO: Name


class PushComplete(Struct, frozen=True):
    """OMS同步通知单发货; no transfers: 超卖."""

    dispatchNO: Name
    transfers: tuple[SentTransfer, ...]


class PushReceipt(Struct, frozen=True):
    """OMS同步收货."""

    transferCode: Name
    dispatchNO: Name
    receiverCode: Name
    waybillCode: Name
    product: Text
    sn: Name
    receiverName: Optional = None
    express: Optional = None
    color: Optional = None
    size: Optional = None


class PushWaybill(Struct, frozen=True):
    """OMS同步快递单更改."""

    targetbillCode: Name
    express: Name
    waybillCode: Name


class OfferedItem(Struct, frozen=True):
    """Pieces of one article that we are to ship; goods of other trades have no 色号 or 尺码."""

    product: Text
    qty: Positive
    color: Optional = None
    size: Optional = None


class PushOrder(Struct, frozen=True):
    """OMS下发电商发货通知单至POS."""

    dispatchNO: Name
    shopCode: Name
    receiver: Text
    phone: Text
    province: Text
    city: Text
    address: Text
    items: Annotated[tuple[OfferedItem, ...], Meta(min_length=1)]
    purchaseNumber: Optional = None
    county: Optional = None
    express: Optional = None


class PushCancel(Struct, frozen=True):
    """OMS作废电商发货通知单."""

    dispatchNO: Name
    shopCode: Optional = None


# Theirs to ours ------------------------------------------------------------------------------------


def sku(product: str, color: str | None, size: str | None) -> str:
    """Return the SKU of 货号, 色号, 尺码: joined by ``/``, left out where there is none."""
    parts = [product, text(color), text(size)]
    while parts[-1] is None:
        parts.pop()
    return "/".join(part or "" for part in parts)


def parts_of(name: str) -> tuple[str, str, str]:
    """Return 货号, 色号, 尺码 of a SKU; one that has not three parts is all 货号."""
    parts = name.rsplit("/", 2)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else (name, "", "")


def content(body: Struct) -> bytes:
    """Return the hash of a document's documented fields; absent, null and blank are the same."""
    documented = {
        field: part.strip() or None if isinstance(part, str) else part
        for field, part in msgspec.to_builtins(body, enc_hook=int).items()
    }
    return hashlib.sha256(msgspec.json.encode(documented, order="sorted")).digest()


def ordered(body: OrderMake, partner: Partner, sealed: bytes, phone: bytes) -> NewDispatch:
    """Return a store's order as we keep it."""
    return NewDispatch(
        order=NewOrder(
            number=body.dispatchNO,
            lines=_wanted(body.items),
            digest=content(body),
            partner=partner,
            customer=text(body.memberCode) or "",
            details={"purchase": text(body.purchaseCode) or "", "shop": body.shopCode},
            body=sealed,
            phone_hash=phone,
            who=partner.name,
        ),
        receiver=_receiver(body),
        shop=body.shopCode,
        purchase=text(body.purchaseCode) or "",
        member=text(body.memberCode) or "",
    )


def offered(body: PushOrder, partner: Partner, sealed: bytes, phone: bytes) -> NewDispatch:
    """Return a note that one of our outlets is to ship, as we keep it."""
    return NewDispatch(
        order=NewOrder(
            number=body.dispatchNO,
            kind=NOTE,
            lines=_wanted(body.items),
            digest=content(body),
            partner=partner,
            details={"purchase": text(body.purchaseNumber) or "", "outlet": body.shopCode},
            body=sealed,
            phone_hash=phone,
            who=partner.name,
        ),
        receiver=_receiver(body),
        outlet=body.shopCode,
        purchase=text(body.purchaseNumber) or "",
    )


def boxes(body: CheckOut) -> tuple[Box, ...]:
    """Return a checkout's parcels."""
    return tuple(
        Box(express=package.express, waybill=package.waybillCode, codes=tuple(package.sns))
        for package in body.packages
    )


def transfer(body: SentTransfer) -> facts.Transfer:
    """Return what an outlet shipped, as facts say it."""
    return facts.Transfer(
        note=body.transferCode,
        outlet=body.shipCode,
        outlet_name=text(body.shipName) or "",
        parcels=tuple(
            facts.Parcel(
                express=package.express,
                waybill=package.waybillCode,
                pieces=tuple(
                    facts.Piece(sku=sku(item.product, item.color, item.size), code=item.sn)
                    for item in package.items
                ),
            )
            for package in body.packages
        ),
    )


def _wanted(items: Iterable[Item | OfferedItem]) -> tuple[Wanted, ...]:
    return tuple(
        Wanted(
            name=sku(item.product, item.color, item.size), qty=item.qty, path=f"items[{at}].product"
        )
        for at, item in enumerate(items)
    )


def _receiver(body: OrderMake | PushOrder) -> facts.Receiver:
    return facts.Receiver(
        name=body.receiver,
        phone=body.phone,
        province=body.province,
        city=body.city,
        county=text(body.county) or "",
        address=body.address,
    )


# Ours to theirs: answers ---------------------------------------------------------------------------

_json = msgspec.json.Encoder()
_MALFORMED = frozenset({"malformed", "missing_field", "wrong_type", "bad_value", "bad_character"})
_MESSAGES: Mapping[str, str] = {
    "unknown_note": UNKNOWN_NOTE,
    "unknown_order": UNKNOWN_NOTE,
    "order_not_ours": UNKNOWN_NOTE,
    "note_void": VOID_NOTE,
    "order_void": VOID_NOTE,
    "note_shipped": LEFT_NOTE,
    "order_left": LEFT_ORDER,
    "order_exists": "通知单号已存在，且内容不一致",
    "unknown_goods": "商品不存在：{names}",
    "unknown_store": "门店不存在：{store}",
    "too_many_pieces": "件数超出范围",
    "nothing_packed": "包裹或件码不能为空",
    "pieces_refused": "件码不能出库：{codes}",
    "late_reason_missing": "超过24小时出库，须填写over24hReason",
    "unknown_piece": "件码不存在：{codes}",
    "piece_not_out": "件码未出库：{codes}",
    "unknown_waybill": "运单号不存在",
}
_STATUS: Mapping[str, int] = {"order_exists": 409, "unknown_goods": 422, "unknown_store": 422}
"""How ``pos/ordermake`` fails, where 200 itself means: taken."""

OK = Reply(_json.encode({"success": True}))
ASKING = Reply(_json.encode({"success": False, "msg": "出库网点尚未全部答复，请稍后重试"}), 503)


def render(problem: Problem) -> Reply:
    """Return a failure: 200 for a final no, 400 for what does not decode, else what HTTP says."""
    status = problem.status or (400 if problem.code in _MALFORMED else 200)
    return _no(message(problem), status)


def not_taken(refusal: Refused) -> Reply:
    """Return how ``pos/ordermake`` is refused."""
    problem = Problem.of(refusal)
    return _no(message(problem), _STATUS.get(problem.code, 422))


def note_left(refusal: Refused) -> Reply:
    """Return how the document words, to an OMS, that goods have left."""
    return _no(LEFT_NOTE if refusal.code == "order_left" else message(Problem.of(refusal)), 200)


def message(problem: Problem) -> str:
    """Return a problem in Chinese; an unlisted code keeps its own text, which tests would show."""
    template = _MESSAGES.get(problem.code)
    if template is None:
        return problem.text or problem.code
    named = {
        name: "、".join(map(str, value)) if isinstance(value, list | tuple) else value
        for name, value in problem.facts.items()
    }
    return template.format(**named)


def known(code: str) -> bool:
    """Tell whether a refusal's code has its Chinese message."""
    return code in _MESSAGES or code in _MALFORMED


def _no(said: str, status: int) -> Reply:
    return Reply(_json.encode({"success": False, "msg": said}), status, refused=True)
