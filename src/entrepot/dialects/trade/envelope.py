"""Answers in the envelope of document 003: successes, and every refusal in its words. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from entrepot.dialect import Problem, Reply
from entrepot.dialects.trade.words import Envelope
from entrepot.money import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.errors import Refused

SUCCESS = 100000
BAD_INPUT, NO_RIGHT, MISSING, CONFLICT = 100400, 100403, 100404, 100409

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
_ORDER = {"AP": "saOrderId", "SR": "orderSr.saOrderId", "": "saOrderId"}


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


def located(refusal: Refused, kind: str) -> Refused:
    """Return a refusal with the JSON path of what it is about, in the document's words.

    ``kind`` is whose body was sent; ``""``: none, the order's number stood in the URL.
    """
    field = str(refusal.facts.get("field", ""))
    if field:
        refusal.path = FIELDS[kind][field].format(line=refusal.facts.get("line"))
    elif refusal.code in ("unknown_order", "no_prices") and not refusal.path:
        refusal.path = _ORDER[kind]
    return refusal
