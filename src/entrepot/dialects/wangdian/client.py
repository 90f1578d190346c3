"""What we call 旺店通 with, and what its answers mean."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct, structs

from entrepot import clock, facts
from entrepot.dialect import (
    Delivered,
    Partner,
    Rejected,
    Request,
    Retry,
    Sent,
    Stocked,
    StockQuery,
    Verdict,
)
from entrepot.dialects.wangdian import goods, signature, wire
from entrepot.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.dialect import Response
    from entrepot.dialects.wangdian.wire import MerchantSettings
    from entrepot.facts import Fact, Levels

PATH = "/openapi"
_TOO_OFTEN = re.compile(r"超过每分钟最大(调用频率|并发次数)限制([,，]\s*请稍后重试)?")
"""What 旺店通 says to who calls too often; the comma comes in both widths."""


class _Answer(Struct):
    status: int
    message: Any = ""
    data: Any = None


class _Row(Struct):
    spec_no: str
    stock_num: Decimal


class _Rows(Struct, frozen=True):
    detail_list: tuple[_Row, ...] = ()


class _Stock(Struct):
    status: int
    data: _Rows = _Rows()


_PAGE = 1000


def request_for(fact: Fact | Levels, partner: Partner) -> Request | None:
    """Return the call that tells 旺店通 of a suite or goods; None where there is nothing to tell."""
    settings: MerchantSettings = partner.settings
    match fact:
        case facts.SuiteSaved() if fact.suite.parts:
            return call("goods.Suite.upload2", wire.upload(fact.suite), partner)
        case facts.GoodsSaved() if fact.goods.specs and settings.push_goods == "on":
            return call("goods.Goods.push", goods.push(fact.goods), partner)
    return None


def stock_request(skus: Sequence[str], partner: Partner) -> Request:
    """Return a query of what 旺店通 holds of some goods, in every warehouse."""
    arguments = [{"spec_nos": list(skus)}]
    return call("wms.StockSpec.search2", arguments, partner, page_size=_PAGE, page_no=0)


def stock_said(response: Response) -> list[Stocked]:
    """Return what 旺店通 holds, over its warehouses; raises Unusable for any other answer."""
    try:
        answer = msgspec.json.decode(response.body.removeprefix(b"\xef\xbb\xbf"), type=_Stock)
        if response.status == 200 and answer.status == wire.SUCCESS:
            held: dict[str, int] = {}
            for row in answer.data.detail_list:
                held[row.spec_no] = held.get(row.spec_no, 0) + int(row.stock_num)
            return [Stocked(key=key, qty=qty) for key, qty in held.items()]
    except (msgspec.DecodeError, RecursionError, ValueError):
        pass
    said = response.body[:200].decode("utf-8", "replace")
    raise Unusable(f"旺店通 did not say its stock: HTTP {response.status} {said}")


# As many goods as fill a page in ten warehouses.
STOCK = StockQuery(
    by="sku", at_once=100, sellable=False, request_for=stock_request, read=stock_said
)


def call(method: str, arguments: Sequence[object], partner: Partner, **pager: int) -> Request:
    """Return a signed call; the signature is over the very bytes that are sent. Raises Unusable."""
    lacking = [name for name in ("sid", "key", "appsecret") if not partner.secrets.get(name)]
    if lacking:
        message = f"Set what 旺店通 gave you: entrepot connections set {partner.name} "
        raise Unusable(message + " ".join(f"{name}=…" for name in lacking))
    body = wire.encoded(arguments)
    whole = (partner.partner_url or "").rstrip("/").endswith(PATH)
    path, query = "" if whole else PATH, urlencode({"method": method, **pager})
    return sign(Request(path, body, query=query), partner.secrets)


def sign(request: Request, account: Mapping[str, str]) -> Request:
    """Return the request (its query: method and pager) as a call of whoever holds this account."""
    now = clock.now().timestamp()
    query = signature.query_for(request.query, request.body, account, now)
    return structs.replace(request, query=query)


def verdict(sent: Sent) -> Verdict:
    """Judge an answer: status 0 is done, a frequency limit waits, any other status is a refusal."""
    if not 200 <= sent.response.status < 300:
        return Retry(f"HTTP {sent.response.status}")
    try:
        answer = msgspec.json.decode(sent.response.body.removeprefix(b"\xef\xbb\xbf"), type=_Answer)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return Retry("the answer is not JSON in the document's envelope")
    said = str(answer.message or "") or f"status {answer.status}"
    if answer.status == wire.SUCCESS:
        return Delivered("" if answer.data is None else f"id {answer.data}")
    if _TOO_OFTEN.search(said):
        return Retry(said, slow_down=True)
    return Rejected(said)
