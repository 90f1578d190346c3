"""What they call us with. Who calls is a person: the bearer token says which."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import decode
from entrepot.adjustments import flows as adjustments
from entrepot.adjustments import rules as ap
from entrepot.adjustments import views as ap_views
from entrepot.dialect import Route
from entrepot.dialects.trade import answers, envelope, wire
from entrepot.errors import BadInput, NotAllowed, Refused
from entrepot.papers.repeats import Key
from entrepot.people import flows as people
from entrepot.people.flows import Credential
from entrepot.returns import flows as returns
from entrepot.returns import rules as sr
from entrepot.returns import views as sr_views

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from entrepot.dialect import Call, Reply

_KEY = 128
_ORDER = "orderSr.saOrderId"


async def admit(call: Call) -> None:
    """Find out who calls: one of the connection's own tokens, or a person's; raises NotAllowed."""
    given = call.headers.get(b"authorization", b"").decode("latin-1")
    kind, _, token = given.partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token:
        raise NotAllowed("unknown_caller", "No bearer token.")
    logins = [
        login
        for secrets in call.secrets
        for login in wire.LOGINS
        if hmac.compare_digest(secrets.get(login, "").encode(), token.encode())
    ]
    shown = Credential(login=logins[0]) if logins else Credential(token=token)
    call.caller = await call.ask(people.callers, shown)


# Adjustments ---------------------------------------------------------------------------------------


async def create_ap(call: Call) -> Reply:
    """DD-1 新增调价单接口."""
    body: wire.ApCreate = call.body
    call.document = body.saOrderId
    new = wire.adjustment(body, call.caller, _key(call))
    number: str = await _located(ap.KIND, call.do(adjustments.create, new))
    call.document, call.also = number, (body.saOrderId,)
    return envelope.reply(number)


async def pass_ap(call: Call) -> Reply:
    """DD-2 差价、调价审核通过."""
    return await _act_ap(call, "pass")


async def refuse_ap(call: Call) -> Reply:
    """DD-3 差价、调价单拒绝: the body is the reason, a JSON string."""
    _number(call)  # it is filed under that without a reason, too
    reason = decode.text(call.body)
    if reason is None:
        raise BadInput("no_reason", "No reason is given.", path="body")
    return await _act_ap(call, "refuse", reason)


async def complete_ap(call: Call) -> Reply:
    """DD-4 调价单完成."""
    return await _act_ap(call, "complete")


async def delete_ap(call: Call) -> Reply:
    """Delete an adjustment; the document has the button and forgets the call."""
    return await _act_ap(call, "delete")


class ApQuery(Struct, frozen=True, rename="camel"):
    """What a list of adjustments may be asked for; several values stand with commas between them."""

    type: str | None = None
    statuses: str | None = None
    order_id_key_word: str | None = None
    sa_order_id_key_word: str | None = None
    order_key_word: str | None = None
    page_no: int | None = None
    page_size: int | None = None


class SrQuery(Struct, frozen=True, rename="camel"):
    """What a list of returns may be asked for."""

    status: str | None = None
    order: str | None = None
    customer_name: str | None = None
    button_permission_flg: int | None = None
    page_no: int | None = None
    page_size: int | None = None


async def list_ap(call: Call) -> Reply:
    """DD-5 调价单查询."""
    search = wire.ap_search(wire.Query(call.query))
    found = await call.ask(ap_views.page, search)
    return envelope.reply(answers.ap_list(found, search.page, call.caller))


async def show_ap(call: Call) -> Reply:
    """DD-6 调价单明细."""
    return envelope.reply(answers.ap_detail(await call.ask(ap_views.detail, _number(call))))


async def log_ap(call: Call) -> Reply:
    """DD-7 调价单日志."""
    number = _number(call)
    return envelope.reply(answers.ap_log(number, await call.ask(ap_views.log, number)))


async def _act_ap(call: Call, action: ap.Action, reason: str = "") -> Reply:
    act = ap.Act(number=_number(call), action=action, actor=call.caller, reason=reason)
    await _located(ap.KIND, call.do(adjustments.act, act))
    return envelope.reply()


# Returns -------------------------------------------------------------------------------------------


async def create_sr(call: Call) -> Reply:
    """DD-51 销售退新增."""
    body = wire.sales_return(call.body)
    call.document = body.order
    new = sr.NewReturn(body=body, actor=call.caller, key=_key(call))
    number: str = await _located(sr.KIND, call.do(returns.create, new))
    call.document, call.also = number, (body.order,)
    return envelope.reply()


async def edit_sr(call: Call) -> Reply:
    """DD-52 销售退修改."""
    number = _number(call)
    body = wire.sales_return(call.body)
    call.also = (body.order,)
    edit = sr.Edit(number=number, body=body, actor=call.caller)
    await _located(sr.KIND, call.do(returns.edit, edit))
    return envelope.reply()


async def list_sr(call: Call) -> Reply:
    """DD-53 销售退列表."""
    query = wire.Query(call.query)
    search, buttons = wire.sr_search(query), query.flag("buttonPermissionFlg")
    found = await call.ask(sr_views.page, search)
    return envelope.reply(answers.sr_list(found, search.page, call.caller, buttons=buttons))


async def show_sr(call: Call) -> Reply:
    """DD-54 销售退详情."""
    return envelope.reply(answers.sr_detail(await call.ask(sr_views.detail, _number(call))))


async def set_status(call: Call) -> Reply:
    """DD-55 销售退状态变更."""
    body: wire.SrStatus = call.body
    number = _number(call)
    action = wire.STATUS.get(body.status)
    if action is None:
        raise BadInput("bad_status", "There is no such step.", path="status")
    return await _act_sr(call, number, action)


async def delete_sr(call: Call) -> Reply:
    """DD-56 销售退删除."""
    return await _act_sr(call, _number(call), "delete")


async def show_order(call: Call) -> Reply:
    """DD-57 销售退详情(新增拉取订单明细)."""
    call.document = call.path["saOrderId"]
    asked = call.ask(sr_views.of_order, call.document)
    return envelope.reply(answers.sr_of_order(await _located("", asked)))


async def calculate(call: Call) -> Reply:
    """DD-58 销售退计算合计等."""
    body = wire.calculation(call.body)
    call.document = body.order
    found = await _located(sr.KIND, call.ask(sr_views.calculate, body))
    answer = answers.sr_calculation(body.order, found, with_freight=body.with_freight)
    return envelope.reply(answer)


async def _act_sr(call: Call, number: str, action: sr.Action) -> Reply:
    act = sr.Act(number=number, action=action, actor=call.caller)
    await _located(sr.KIND, call.do(returns.act, act))
    return envelope.reply()


# Both ----------------------------------------------------------------------------------------------


def _number(call: Call) -> str:
    call.document = call.path["orderId"]
    return call.document


def _key(call: Call) -> Key | None:
    """Return the guard of a create whose sender numbers its attempts."""
    given = call.headers.get(b"idempotency-key", b"").decode("latin-1").strip()
    if not given:
        return None
    key = given if len(given) <= _KEY else hashlib.sha256(given.encode()).hexdigest()
    return Key(connection_id=call.partner.id, key=key, digest=decode.digest(call.raw))


async def _located(kind: str, answer: Any) -> Any:
    """Await an answer; a refusal learns the JSON path of what it is about."""
    try:
        return await answer
    except Refused as refusal:
        raise envelope.located(refusal, kind) from None


PLATFORM: Sequence[Route] = (
    Route("PUT", "/v2/order/ap", create_ap, wire.ApCreate, number="saOrderId"),
    Route("POST", "/v2/order/ap/pass/{orderId}", pass_ap),
    Route(
        "POST",
        "/v2/order/ap/refuse/{orderId}",
        refuse_ap,
        str,
        optional_body=True,
        number="orderId",
    ),
    Route("POST", "/v2/order/ap/complete/{orderId}", complete_ap),
    Route("GET", "/v2/order/ap", list_ap, query=ApQuery),
    Route("GET", "/v2/order/ap/detail/{orderId}", show_ap),
    Route("GET", "/v2/order/ap/log/{orderId}", log_ap),
    Route("DELETE", "/v2/order/ap/{orderId}", delete_ap),
    Route("POST", "/order/sr", create_sr, wire.SrBody, number=_ORDER),
    Route("PUT", "/order/sr/{orderId}", edit_sr, wire.SrBody, number="orderId"),
    Route("GET", "/order/sr", list_sr, query=SrQuery),
    Route("GET", "/order/sr/detail/{orderId}", show_sr),
    Route("PUT", "/order/sr/status/{orderId}", set_status, wire.SrStatus, number="orderId"),
    Route("DELETE", "/order/sr/{orderId}", delete_sr),
    Route("GET", "/order/sr/detail/sa/{saOrderId}", show_order),
    Route("PUT", "/order/sr/calculatediscount", calculate, wire.Calculate, number=_ORDER),
)
