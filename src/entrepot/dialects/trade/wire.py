"""The words of document 003, and what they mean to us. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

from entrepot import decode
from entrepot.adjustments import rules as adjustments
from entrepot.decode import Id, Optional, Positive, Price, Text, Whole
from entrepot.dialect import Problem, Reply, Settings
from entrepot.dialects.trade.words import Envelope
from entrepot.errors import BadInput
from entrepot.money import plain
from entrepot.papers.rules import VARIANTS, Search
from entrepot.people.rules import PAPERWORK
from entrepot.returns import rules as returns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.errors import Refused
    from entrepot.papers.repeats import Key
    from entrepot.people.rules import Actor

SUCCESS = 100000
BAD_INPUT, NO_RIGHT, MISSING, CONFLICT = 100400, 100403, 100404, 100409
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
_AP_FIELDS = {
    "customer": "customerId",
    "product": "orderApPros[{line}].productId",
    "unit": "orderApPros[{line}].productUnitId",
    "qty": "orderApPros[{line}].pcount",
    "price": "orderApPros[{line}].salePrice",
    "ask": "orderApPros[{line}].askPrice",
}
_SR_FIELDS = {
    "customer": "orderSr.customerId",
    "depot": "orderSr.toDepotId",
    "product": "orderSrPro[{line}].productId",
    "unit": "orderSrPro[{line}].productunitId",
    "qty": "orderSrPro[{line}].pcount",
    "old_price": "orderSrPro[{line}].oldPrice",
    "price": "orderSrPro[{line}].price",
    "gift": "orderSrPro[{line}].giftFlg",
}
FIELDS = {"AP": _AP_FIELDS, "SR": _SR_FIELDS}
_ORDER = {"AP": "saOrderId", "SR": "orderSr.saOrderId"}


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


def located(refusal: Refused, kind: str) -> Refused:
    """Return a refusal with the JSON path of what it is about, in the document's words."""
    field = str(refusal.facts.get("field", ""))
    if field:
        refusal.path = FIELDS[kind][field].format(line=refusal.facts.get("line"))
    elif refusal.code in ("unknown_order", "no_prices") and not refusal.path:
        refusal.path = _ORDER[kind]
    return refusal


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


# Ours to theirs ------------------------------------------------------------------------------------

_json = msgspec.json.Encoder(decimal_format="number")
_MESSAGES: Mapping[str, str] = {
    "unknown_order": "销售订单不存在：{path}",
    "no_prices": "销售订单没有价格信息：{path}",
    "not_of_customer": "销售订单不属于该客户：{path}",
    "other_order": "明细的销售单号与单据不一致：{path}",
    "order_not_waiting": "销售订单已发货或已取消，不能使用差价单",
    "order_not_shipped": "销售订单未发货，不能进行此操作",
    "line_twice": "明细重复：{path}",
    "line_open": "该商品已有未完成的差价单或调价单：{path}",
    "not_on_order": "商品不在销售订单中：{path}",
    "other_price": "与销售订单的当前价格不一致：{path}应为{price}",
    "too_many": "数量超出，最多{most}：{path}",
    "ask_above_price": "申请单价不能高于销售单价：{path}",
    "other_gift": "赠品标志与销售订单不一致：{path}",
    "price_above_order": "退货价不能高于成交价格：{path}",
    "unknown_depot": "入库仓不存在：{path}",
    "unknown_paper": "单据不存在：{number}",
    "wrong_state": "单据当前状态不允许此操作",
    "no_right": "没有权限进行此操作",
    "not_own": "只能操作自己创建的单据",
    "four_eyes": "创建人不能审核或完成自己的单据",
    "bad_status": "字段取值错误：status应为RUN、FMS_PASS、INVALID或COMPLETE",
    "no_reason": "必填字段不能为空：拒绝理由（请求体）",
    "key_taken": "该Idempotency-Key已用于其他内容",
    "unknown_caller": "身份验证失败",
}
CODES = frozenset(_MESSAGES)
"""Every refusal this dialect has its own words for; ``decode`` and the gateway word the rest."""
_STATUS = {"unknown_caller": 401}
_CODES_OF = {
    "unknown_paper": MISSING,
    "unknown_order": MISSING,
    "unknown_depot": MISSING,
    "no_right": NO_RIGHT,
    "not_own": NO_RIGHT,
    "four_eyes": NO_RIGHT,
    **dict.fromkeys(
        (
            "no_prices", "order_not_waiting", "order_not_shipped", "line_open", "other_price", "too_many",
            "ask_above_price", "price_above_order", "wrong_state", "key_taken",
        ),
        CONFLICT,
    ),
}  # fmt: skip


def reply(data: object = None) -> Reply:
    """Return a success."""
    return Reply(_json.encode(Envelope(SUCCESS, "", data)))


def render(problem: Problem) -> Reply:
    """Return a failure: what HTTP itself says with its number, a business answer with 200."""
    status = problem.status or _STATUS.get(problem.code, 0)
    code = status or _CODES_OF.get(problem.code, BAD_INPUT)
    return Reply(_json.encode(Envelope(code, _worded(problem))), status or 200)


def _worded(problem: Problem) -> str:
    message = _MESSAGES.get(problem.code)
    if message is None:
        return problem.text or problem.code
    facts = {
        name: plain(value) if isinstance(value, Decimal) else value
        for name, value in problem.facts.items()
    }
    return message.format_map({**facts, "path": problem.path})
