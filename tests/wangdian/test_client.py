"""What we push to 旺店通, and what its answers mean."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from entrepot.dialect import Delivered, Partner, Rejected, Request, Response, Retry, Sent
from entrepot.dialects.wangdian import client, signature, wire
from entrepot.errors import Unusable
from entrepot.facts import Goods, GoodsSaved, OrderShipped, Spec, Suite, SuitePart, SuiteSaved
from tests.wangdian.test_signature import ACCOUNT

if TYPE_CHECKING:
    from entrepot.dialect import Verdict

SUITE = Suite(sku="S", name="s", parts=(SuitePart(sku="A", num=Decimal("1.0000")),))
TOLD = SuiteSaved(number="S", suite=SUITE)
GOODS = GoodsSaved(number="G", goods=Goods(goods_no="G", name="g", specs=(Spec(sku="A"),)))


def partner(
    *, url: str = "http://wdt.wangdian.cn", push_goods: str = "on", **secrets: str
) -> Partner:
    """Return a connection to 旺店通."""
    settings = msgspec.convert({"push_goods": push_goods}, wire.MerchantSettings)
    return Partner(
        tenant_id=1, id=1, name="wdt", dialect="wangdian", role="merchant", partner_url=url,
        settings=settings, secrets={**ACCOUNT, **secrets},
    )  # fmt: skip


def judged(body: bytes, status: int = 200) -> Verdict:
    """Return the verdict on an answer."""
    return client.verdict(Sent(TOLD, Request(""), Response(status, body)))


def test_the_very_bytes_that_are_signed_are_sent() -> None:
    """The other end admits the call as it goes over the wire."""
    request = client.request_for(TOLD, partner())
    assert request is not None
    assert request.path == "/openapi"
    sent = signature.pairs(request.query.encode())
    now = int(dict(sent)[b"timestamp"]) + signature.EPOCH
    given = signature.admit(sent, request.body, [ACCOUNT], now)
    assert given[b"method"] == b"goods.Suite.upload2"


def test_an_address_that_names_the_path_is_not_doubled() -> None:
    """Operators may enter the document's address as it is printed there."""
    request = client.request_for(TOLD, partner(url="http://wdt.wangdian.cn/openapi/"))
    assert request is not None
    assert request.path == ""


def test_an_empty_detail_list_is_never_pushed() -> None:
    """It would delete every part of the suite over there."""
    empty = SuiteSaved(number="S", suite=msgspec.structs.replace(SUITE, parts=()))
    assert client.request_for(empty, partner()) is None


def test_goods_are_pushed_unless_they_live_over_there() -> None:
    """``push_goods=off``: only suites are told; other facts never are."""
    assert client.request_for(GOODS, partner()) is not None
    assert client.request_for(GOODS, partner(push_goods="off")) is None
    assert client.request_for(OrderShipped(number="1"), partner()) is None


def test_what_is_not_set_up_says_what_to_do() -> None:
    """The account is 旺店通's to give and the operator's to enter."""
    with pytest.raises(Unusable, match="connections set wdt sid=… appsecret=…"):
        client.request_for(TOLD, partner(sid="", appsecret=""))


@pytest.mark.parametrize("comma", [",", "，"])
@pytest.mark.parametrize("what", ["调用频率", "并发次数"])
def test_a_frequency_limit_slows_the_connection_down(comma: str, what: str) -> None:
    """In both widths of the comma; nobody is bothered with it."""
    said = f"超过每分钟最大{what}限制{comma}请稍后重试"
    verdict = judged(msgspec.json.encode({"status": 100, "message": said}))
    assert isinstance(verdict, Retry)
    assert verdict.slow_down


def test_other_failures_go_to_a_person() -> None:
    """With 旺店通's own words, or its status where it has none."""
    verdict = judged('{"status":100,"message":"商家编码:aaaaa 单品不存在"}'.encode())
    assert verdict == Rejected("商家编码:aaaaa 单品不存在")
    assert judged(b'{"status":5}') == Rejected("status 5")
    assert judged(b'\xef\xbb\xbf{"status":0,"data":274}') == Delivered("id 274")
    assert judged(b'{"status":0}') == Delivered("")
    for body, status in ((b"", 200), (b"<html>", 200), (b'{"status":0}', 502)):
        assert isinstance(judged(body, status), Retry)
