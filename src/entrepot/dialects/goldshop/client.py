"""What we call them with, and what their answers mean. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from entrepot import decode, dialect, facts
from entrepot.dialect import Delivered, Partner, Rejected, Request, Retry, Sent, Stocked, Verdict
from entrepot.dialects.goldshop import wire
from entrepot.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.dialect import Response
    from entrepot.dialects.goldshop.wire import ErpSettings
    from entrepot.facts import Fact, Levels

_FORM = (("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),)
_GOOD = (200, 0)


class _Answer(Struct):
    """What we look at in an answer; JSON of another kind than an object bears neither."""

    code: Any = None
    msg: Any = ""


class _Style(Struct):
    style_no: str
    stock_qty: int


class _Styles(Struct):
    code: int
    data: list[_Style] = []


def levels(settings: ErpSettings) -> int:
    """Return how many styles one pushStocks carries."""
    return settings.batch


def level_wait(settings: ErpSettings) -> float:
    """Return how long changes gather, in seconds."""
    return dialect.seconds(settings.wait)


def erp_request(fact: Fact | Levels, partner: Partner) -> Request | None:
    """Return the call that tells a mini-program a fact, or the newest levels."""
    match fact:
        case facts.OrderProcessed():
            return _mark(fact.number, wire.PROCESSED, partner)
        case facts.OrderShipped():
            return _mark(fact.number, wire.SHIPPED, partner)
        case facts.Levels():
            lines = [{"styleNo": row.key, "stockQty": row.total} for row in fact.levels]
            return _call("/goldshop/app/pushStocks", {"pickGoodsDtls": lines}, partner)
    return None


def miniapp_request(fact: Fact | Levels, _partner: Partner) -> Request | None:
    """Return the call that tells an ERP of an order placed or cancelled."""
    match fact:
        case facts.OrderPlaced():
            return _post("/pickGoods/send", send_body(fact))
        case facts.OrderCancelled():
            body = {"oriOrderNo": fact.number, "remark": fact.remark}
            return _post("/pickGoods/cancel", body)
    return None


def stock_request(styles: Sequence[str] = ()) -> Request:
    """Return a query for some styles, or for every style."""
    return _post("/pickGoods/style/stock", {"styleNos": list(styles)} if styles else {})


def stock_said(response: Response) -> list[Stocked]:
    """Return what an ERP says of its styles; raises Unusable for any other answer."""
    if response.status == 200:
        try:
            answer = msgspec.json.decode(response.body.removeprefix(b"\xef\xbb\xbf"), type=_Styles)
            if answer.code == wire.SUCCESS:
                return [Stocked(key=row.style_no, qty=row.stock_qty) for row in answer.data]
        except (msgspec.DecodeError, RecursionError, ValueError):
            pass
    said = response.body[:200].decode("utf-8", "replace")
    raise Unusable(f"The ERP did not say its stock: HTTP {response.status} {said}")


STOCK = dialect.StockQuery(
    by="style",
    at_once=200,
    sellable=True,
    request_for=lambda styles, _partner: stock_request(styles),
    read=stock_said,
)


def send_body(placed: facts.OrderPlaced) -> dict[str, object]:
    """Return an order of ours in the document's words; absent texts are left out."""
    details = placed.details
    head: dict[str, object] = {"custName": placed.customer}
    named = ("fineness", "outDate1", "outDate2", "oprtNo", "keyin", "remark")
    head |= {name: details[name] for name in named if details.get(name)}
    head |= {"oriOrderNo": placed.number, "username": details.get("username") or placed.customer}
    lines = [{"styleNo": line.sku, "qty": line.qty} for line in placed.lines]
    return {"pickGoods": head, "pickGoodsDtls": lines}


def erp_verdict(sent: Sent) -> Verdict:
    """Judge a mini-program's answer: an empty 2xx, or JSON whose code is 200, 0 or missing, is good."""
    if not 200 <= sent.response.status < 300:
        return Retry(f"HTTP {sent.response.status}")
    if not sent.response.body.strip():
        return Delivered()
    answer = _read(sent.response.body)
    if answer is None:
        return Retry("the answer is not JSON")
    if answer.code is None or decode.number(answer.code) in _GOOD:
        return Delivered()
    return Rejected(_said(answer))


def miniapp_verdict(sent: Sent) -> Verdict:
    """Judge an ERP's answer: 200 is done, another code is a refusal.

    `订单号已存在` to an order whose earlier attempt may have arrived means that it did.
    """
    if not 200 <= sent.response.status < 300:
        return Retry(f"HTTP {sent.response.status}")
    answer = _read(sent.response.body)
    code = None if answer is None else decode.number(answer.code)
    if answer is None or code is None:
        return Retry("the answer is not JSON in the document's envelope")
    if code == wire.SUCCESS:
        return Delivered()
    placed = isinstance(sent.subject, facts.OrderPlaced)
    if placed and sent.unsure and _said(answer).startswith(wire.EXISTS):
        return Delivered("an earlier attempt had arrived")
    return Rejected(_said(answer))


def _mark(number: str, status: int, partner: Partner) -> Request:
    return _call("/app/markOrderStatus", {"oriOrderNo": number, "orderSatus": status}, partner)


def _call(path: str, body: Mapping[str, object], partner: Partner) -> Request:
    settings: ErpSettings = partner.settings
    if settings.encoding == "json":
        return _post(path, body)
    pairs = {
        name: value if isinstance(value, (str, int)) else msgspec.json.encode(value).decode()
        for name, value in body.items()
    }
    return Request(path, urlencode(pairs).encode(), headers=_FORM)


def _post(path: str, body: Mapping[str, object]) -> Request:
    return Request(path, msgspec.json.encode(body))


def _read(body: bytes) -> _Answer | None:
    """Return what an answer says, None for what is not JSON."""
    try:
        said = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    return _Answer(said.get("code"), said.get("msg")) if isinstance(said, dict) else _Answer()


def _said(answer: _Answer) -> str:
    return str(answer.msg or "") or f"code {answer.code}"
