"""The words of document 003, and what they mean to us. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import parse_qsl

from msgspec import Meta, Struct

from entrepot import decode
from entrepot.adjustments import rules as adjustments
from entrepot.decode import Id, Optional, Positive, Price, Text, Whole
from entrepot.dialect import Settings
from entrepot.errors import BadInput
from entrepot.papers.rules import VARIANTS, Search
from entrepot.people.rules import PAPERWORK
from entrepot.returns import rules as returns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.papers.repeats import Key
    from entrepot.people.rules import Actor

PAGE, LARGEST_PAGE = 25, 200
LOGINS = ("sales", "cpa", "finance", "warehouse", "admin")


class PlatformSettings(Settings, frozen=True, kw_only=True):
    """Nothing beyond what every connection has; the policies are the tenant's."""


class ClientSettings(Settings, frozen=True, kw_only=True):
    """``login`` names whose token the courier sends its calls with, one of the connection's secrets."""

    login: str = "sales"


# What they call us with ----------------------------------------------------------------------------


class Flag(Whole):
    """0 or 1."""

    most = 1


class Gift(Whole):
    """0 no gift, 1 asked for, 2 of a promotion."""

    most = 2


class ApLine(Struct, frozen=True):
    """A line of a new adjustment (DD-1)."""

    saOrderId: Text
    productId: Id
    productUnitId: Id
    pcount: Positive
    salePrice: Price
    askPrice: Price


class ApCreate(Struct, frozen=True):
    """``PUT /v2/order/ap``."""

    saOrderId: Text
    customerId: Id
    type: Literal["BEFORE", "AFTER"]
    orderApPros: Annotated[tuple[ApLine, ...], Meta(min_length=1)]


class SrHead(Struct, frozen=True):
    """The head of a return (DD-51, DD-52)."""

    customerId: Id
    saOrderId: Text
    toDepotId: Id
    toDepotName: Text
    isFreight: Flag
    platformId: Any = None
    remark: Optional = None


class SrLine(Struct, frozen=True):
    """A line of a return."""

    productId: Id
    productunitId: Id
    pcount: Positive
    oldPrice: Price
    price: Price
    giftFlg: Gift


class SrBody(Struct, frozen=True):
    """``POST /order/sr``, ``PUT /order/sr/{orderId}``."""

    orderSr: SrHead
    orderSrPro: Annotated[tuple[SrLine, ...], Meta(min_length=1)]


class SrStatus(Struct, frozen=True):
    """``PUT /order/sr/status/{orderId}``."""

    status: Text


class AskedHead(Struct, frozen=True):
    """The head of a calculation (DD-58)."""

    saOrderId: Text
    isFreight: Any = None


class AskedLine(Struct, frozen=True):
    """A line of a calculation; it names no product and no old price."""

    productunitId: Id
    pcount: Positive
    price: Price
    giftFlg: Any = None


class Calculate(Struct, frozen=True):
    """``PUT /order/sr/calculatediscount``."""

    orderSr: AskedHead
    orderSrPro: Annotated[tuple[AskedLine, ...], Meta(min_length=1)]


# Theirs to ours ------------------------------------------------------------------------------------

STATUS: Mapping[str, returns.Action] = {
    "RUN": "run",
    "FMS_PASS": "pass",
    "INVALID": "refuse",
    "COMPLETE": "complete",
}


def adjustment(body: ApCreate, actor: Actor, key: Key | None) -> adjustments.NewAdjustment:
    """Return a new adjustment as we keep it; every line must be of the order the head names."""
    for at, line in enumerate(body.orderApPros):
        if line.saOrderId != body.saOrderId:
            path = f"orderApPros[{at}].saOrderId"
            raise BadInput("other_order", "The line is of another order.", path=path)
    return adjustments.NewAdjustment(
        variant=body.type,
        order=body.saOrderId,
        customer_id=int(body.customerId),
        lines=tuple(
            adjustments.Line(
                product_id=int(line.productId),
                unit_id=int(line.productUnitId),
                qty=int(line.pcount),
                price=Decimal(line.salePrice),
                ask=Decimal(line.askPrice),
            )
            for line in body.orderApPros
        ),
        actor=actor,
        key=key,
    )


def sales_return(body: SrBody) -> returns.Body:
    """Return what a return says of itself."""
    head = body.orderSr
    return returns.Body(
        order=head.saOrderId,
        customer_id=int(head.customerId),
        depot_id=int(head.toDepotId),
        with_freight=head.isFreight == 1,
        remark=decode.text(head.remark) or "",
        platform_id=_optional(head.platformId, Id, "orderSr.platformId", 1),
        lines=tuple(
            returns.Wanted(
                product_id=int(line.productId),
                unit_id=int(line.productunitId),
                qty=int(line.pcount),
                old_price=Decimal(line.oldPrice),
                price=Decimal(line.price),
                gift=int(line.giftFlg),
            )
            for line in body.orderSrPro
        ),
    )


def calculation(body: Calculate) -> returns.Body:
    """Return what is to be worked out; no customer and no depot is named."""
    head = body.orderSr
    return returns.Body(
        order=head.saOrderId,
        customer_id=0,
        depot_id=0,
        with_freight=_optional(head.isFreight, Flag, "orderSr.isFreight", 0) == 1,
        lines=tuple(
            returns.Wanted(
                unit_id=int(line.productunitId),
                qty=int(line.pcount),
                price=Decimal(line.price),
                gift=_optional(line.giftFlg, Gift, f"orderSrPro[{at}].giftFlg", 0),
            )
            for at, line in enumerate(body.orderSrPro)
        ),
    )


# Queries -------------------------------------------------------------------------------------------


class Query:
    """The parameters of a GET; blank ones are absent, of repeated ones all count."""

    def __init__(self, raw: str) -> None:
        try:
            pairs = parse_qsl(raw, keep_blank_values=True, errors="strict")
        except (UnicodeDecodeError, ValueError):
            raise BadInput("malformed", "查询参数不是UTF-8编码") from None
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            if not decode.storable(value):
                raise BadInput("bad_character", f"字段含有非法字符：{name}", path=name)
            if value.strip():
                self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str:
        """Return a parameter (the last of repeated ones), ``""`` where it is absent."""
        return self._values.get(name, [""])[-1]

    def among(self, names: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
        """Return the values of a list: repeated, or with commas; each must be one of ``allowed``."""
        found = [
            part.strip()
            for name in names
            for value in self._values.get(name, ())
            for part in value.split(",")
            if part.strip()
        ]
        wrong = [value for value in found if value not in allowed]
        if wrong:
            known = "、".join(allowed)
            said = f"字段取值错误：{names[0]}应为{known}"
            raise BadInput("bad_value", said, path=names[0])
        return tuple(dict.fromkeys(found))

    def positive(self, name: str, default: int) -> int:
        """Return a parameter as an integer from 1; raises BadInput naming it."""
        return _optional(self.text(name), Positive, name, default)

    def flag(self, name: str) -> bool:
        """Tell whether a parameter is 1; absent is 0."""
        return _optional(self.text(name), Flag, name, 0) == 1


def ap_search(query: Query) -> Search:
    """Return what an adjustment list asks for (DD-5, and its screen's further filters)."""
    return Search(
        kind=adjustments.KIND,
        variants=query.among(("type",), VARIANTS[adjustments.KIND]),
        states=query.among(("statuses", "statuses[]", "status"), _states(*VARIANTS["AP"])),
        number=query.text("orderIdKeyWord"),
        order=query.text("saOrderIdKeyWord"),
        either=query.text("orderKeyWord"),
        page=query.positive("pageNo", 1),
        size=min(query.positive("pageSize", PAGE), LARGEST_PAGE),
    )


def sr_search(query: Query) -> Search:
    """Return what a list of returns asks for (DD-53)."""
    return Search(
        kind=returns.KIND,
        states=query.among(("status", "statuses", "statuses[]"), _states(returns.KIND)),
        either=query.text("order"),
        customer=query.text("customerName"),
        page=query.positive("pageNo", 1),
        size=min(query.positive("pageSize", PAGE), LARGEST_PAGE),
    )


def _states(*kinds: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(state for kind, state in PAPERWORK if kind in kinds and state))


def _optional(value: object, shape: type[int], path: str, default: int) -> int:
    """Return an optional integer: absent, null and ``""`` are the default."""
    if value is None or value == "":
        return default
    try:
        return int(decode.converted(value, shape))
    except BadInput as error:
        text = error.text.replace("请求体", path)
        raise BadInput(error.code, text, path=path) from None
