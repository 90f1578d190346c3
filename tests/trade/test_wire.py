"""The dialect's words: every refusal has some, every field has a place."""

from __future__ import annotations

import contextlib
import json
import re
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot import decode
from entrepot.dialect import Delivered, Partner, Problem, Rejected, Response, Retry, Sent
from entrepot.dialects.trade import client, envelope, wire
from entrepot.errors import BadInput
from entrepot.facts import OrderShipped, encode
from entrepot.facts import decode as fact_of
from entrepot.money import plain
from entrepot.papers.rules import Search
from entrepot.people.rules import Actor, Role
from entrepot.returns.rules import Wanted

if TYPE_CHECKING:
    from entrepot.dialect import Verdict

RAISES = re.compile(r"(?:BadInput|Conflict|Missing|NotAllowed)\(\s*\"(\w+)\"")
FIELD = re.compile(r"field=\"(\w+)\"")
ROOMS = (
    "adjustments/rules.py", "adjustments/flows.py", "returns/rules.py", "returns/flows.py",
    "papers/flows.py", "papers/repeats.py", "people/rules.py", "orders/accounts.py",
    "dialects/trade/server.py",
)  # fmt: skip


def source(name: str) -> str:
    """Return a module's text."""
    return resources.files("entrepot").joinpath(name).read_text(encoding="utf-8")


def test_every_refusal_of_the_rooms_below_has_its_chinese_words() -> None:
    """A code without words would reach a screen in English."""
    raised = {code for room in ROOMS for code in RAISES.findall(source(room))}
    assert len(raised) > 15
    assert raised <= envelope.CODES


@pytest.mark.parametrize(("kind", "room"), [("AP", "adjustments"), ("SR", "returns")])
def test_every_field_that_a_refusal_names_has_its_path(kind: str, room: str) -> None:
    """A refusal says what it is about in our words; the screen needs the document's."""
    named = {
        field
        for part in ("rules.py", "flows.py")
        for field in FIELD.findall(source(f"{room}/{part}"))
    }
    assert named <= set(envelope.FIELDS[kind])


def test_messages_fill_in_what_they_name() -> None:
    """The path, the number, the price without trailing zeros."""

    def said(code: str, path: str = "", **facts: object) -> str:
        body = envelope.render(Problem(code, "english", path, 0, facts)).body
        assert isinstance(body, bytes)
        return body.decode()

    assert '"msg":"单据不存在：AP1"' in said("unknown_paper", number="AP1")
    assert "orderApPros[1].salePrice应为2.5" in said(
        "other_price", "orderApPros[1].salePrice", price=Decimal("2.5000")
    )
    assert '"msg":"english"' in said("some_code_nobody_knows")


def test_a_number_has_no_trailing_zeros() -> None:
    """402.00 is 402, 32.50 is 32.5, nothing is 0."""
    shown = [plain(Decimal(text)) for text in ("402.0000", "32.50", "-0.00", "1E+2", "0.0001")]
    body = envelope.reply(shown).body
    assert body == b'{"code":100000,"msg":"","data":[402,32.5,0,100,0.0001]}'


def test_a_fact_of_the_client_s_survives_the_outbox() -> None:
    """It is stored and read again by its kind."""
    asked = client.asked("test-03", "POST", "/v2/order/ap/refuse/AP1", "理由")
    assert fact_of(asked.kind, encode(asked)) == asked
    partner = Partner(
        tenant_id=1, id=1, name="p", dialect="trade", role="client",
        settings=wire.ClientSettings(login="cpa"), secrets={"cpa": "t"},
    )  # fmt: skip
    request = client.request(asked, partner)
    assert request is not None
    assert (request.body, dict(request.headers)["Authorization"]) == ('"理由"'.encode(), "Bearer t")
    assert client.request(OrderShipped(number="1"), partner) is None


def test_an_answer_is_judged_by_its_code() -> None:
    """100000 is done, another number in the envelope is a no, anything else is tried again."""
    asked = client.asked("1", "POST", "/x")
    request = client.request(
        asked,
        Partner(
            tenant_id=1,
            id=1,
            name="p",
            dialect="trade",
            role="client",
            settings=wire.ClientSettings(),
        ),
    )
    assert request is not None

    def verdict(body: bytes, status: int = 200) -> Verdict:
        return client.verdict(Sent(asked, request, Response(status, body)))

    assert verdict(b'{"code":100000,"msg":"","data":null}') == Delivered()
    assert verdict('{"code":100403,"msg":"没有权限"}'.encode()) == Rejected("没有权限")
    assert verdict(b'{"code":1}') == Rejected("code 1")
    assert verdict(b'{"code":100000}', 500) == Retry("HTTP 500")
    assert isinstance(verdict(b"{}"), Retry)


def test_ids_go_as_far_as_a_screen_can_count() -> None:
    """2^53 − 1; prices are not below 0; flags are flags."""
    assert decode.converted(2**53 - 1, decode.Id) == 2**53 - 1
    for value, shape in ((2**53, decode.Id), (-0.01, decode.Price), (2, wire.Flag), (3, wire.Gift)):
        with pytest.raises(BadInput):
            decode.converted(value, shape)
    assert decode.converted("32.50", decode.Price) == Decimal("32.5")


SELLER = Actor(id=518, name="孙启萌", role=Role.SALES)
AP_LINE: dict[str, Any] = {
    "saOrderId": "test-03", "productId": 1, "productUnitId": "2", "pcount": 3.0, "salePrice": 2.50,
    "askPrice": "1",
}  # fmt: skip
AP_BODY: dict[str, Any] = {
    "saOrderId": "test-03",
    "customerId": "149",
    "type": "BEFORE",
    "orderApPros": [AP_LINE],
}
SR_HEAD: dict[str, Any] = {
    "customerId": 32805, "saOrderId": "SA1", "toDepotId": 40, "toDepotName": "DC", "isFreight": 1,
}  # fmt: skip
SR_LINE: dict[str, Any] = {
    "productId": 4152, "productunitId": 7383, "pcount": 1, "oldPrice": 391, "price": 390.5, "giftFlg": 2,
}  # fmt: skip


def read(shape: Any, body: object) -> Any:
    """Read a body as the gateway does."""
    return decode.Reader(shape).read(json.dumps(body, ensure_ascii=False).encode())


def test_an_adjustment_of_theirs_becomes_one_of_ours() -> None:
    """DD-1, with numbers written in every way that is accepted."""
    new = wire.adjustment(read(wire.ApCreate, AP_BODY), SELLER, None)
    assert (new.variant, new.order, new.customer_id, new.actor) == (
        "BEFORE", "test-03", 149, SELLER,
    )  # fmt: skip
    (line,) = new.lines
    assert (line.product_id, line.unit_id, line.qty) == (1, 2, 3)
    assert (line.price, line.ask) == (Decimal("2.5"), Decimal(1))


def test_a_line_of_another_order_is_named() -> None:
    """By its JSON path."""
    lines = [AP_LINE, {**AP_LINE, "saOrderId": "test-04"}]
    with pytest.raises(BadInput) as refusal:
        wire.adjustment(read(wire.ApCreate, {**AP_BODY, "orderApPros": lines}), SELLER, None)
    assert (refusal.value.code, refusal.value.path) == (
        "other_order",
        "orderApPros[1].saOrderId",
    )


def test_a_return_of_theirs_becomes_one_of_ours() -> None:
    """DD-51; the platform is 1 where it is not said, the remark empty."""
    body: dict[str, Any] = {"orderSr": SR_HEAD, "orderSrPro": [SR_LINE]}
    mine = wire.sales_return(read(wire.SrBody, body))
    assert (mine.order, mine.customer_id, mine.depot_id, mine.with_freight) == (
        "SA1", 32805, 40, True,
    )  # fmt: skip
    assert (mine.platform_id, mine.remark) == (1, "")
    (line,) = mine.lines
    assert (line.product_id, line.unit_id, line.qty, line.gift) == (4152, 7383, 1, 2)
    assert (line.old_price, line.price) == (Decimal(391), Decimal("390.5"))
    said: dict[str, Any] = {"platformId": 7, "remark": "这是一句备注", "isFreight": 0}
    body = {"orderSr": {**SR_HEAD, **said}, "orderSrPro": [SR_LINE]}
    mine = wire.sales_return(read(wire.SrBody, body))
    assert (mine.platform_id, mine.remark, mine.with_freight) == (7, "这是一句备注", False)
    body = {"orderSr": {**SR_HEAD, "platformId": "x"}, "orderSrPro": [SR_LINE]}
    with pytest.raises(BadInput, match=r"orderSr\.platformId"):
        wire.sales_return(read(wire.SrBody, body))


def test_a_calculation_names_the_order_and_its_lines_only() -> None:
    """DD-58: freight and gift flags may be left out; no customer, depot, product or old price is named."""
    line = {"productunitId": 184, "pcount": 2, "price": 21}
    body = wire.calculation(
        read(wire.Calculate, {"orderSr": {"saOrderId": "SA1"}, "orderSrPro": [line]})
    )
    assert (body.order, body.customer_id, body.depot_id, body.with_freight) == ("SA1", 0, 0, False)
    assert body.lines == (Wanted(unit_id=184, qty=2, price=Decimal(21)),)
    asked: dict[str, Any] = {
        "orderSr": {"saOrderId": "SA1", "isFreight": "1"},
        "orderSrPro": [line],
    }
    assert wire.calculation(read(wire.Calculate, asked)).with_freight
    asked["orderSrPro"] = [line, {**line, "giftFlg": 9}]
    with pytest.raises(BadInput) as refusal:
        wire.calculation(read(wire.Calculate, asked))
    assert refusal.value.path == "orderSrPro[1].giftFlg"


def test_a_query_becomes_a_search() -> None:
    """The last of repeated parameters counts, all of a list's; blank ones are absent."""
    raw = (
        "orderIdKeyWord=1&orderIdKeyWord=AP19&saOrderIdKeyWord=test&orderKeyWord=%E4%B9%88&type=AFTER"
        "&statuses[]=RUN&statuses[]=PASS,RUN&statuses=COMPLETE&pageNo=3&pageSize=999"
    )
    assert wire.ap_search(wire.Query(raw)) == Search(
        kind="AP",
        variants=("AFTER",),
        states=("COMPLETE", "RUN", "PASS"),
        number="AP19",
        order="test",
        either="么",
        page=3,
        size=200,
    )
    assert wire.ap_search(wire.Query("type=&pageNo=&statuses[]=%20")) == Search(kind="AP")
    raw = "order=SA1&status=FMS_PASS&customerName=%E9%87%91&pageNo=2&pageSize=10&buttonPermissionFlg=1"
    assert wire.sr_search(wire.Query(raw)) == Search(
        kind="SR", states=("FMS_PASS",), either="SA1", customer="金", page=2, size=10
    )
    assert wire.Query(raw).flag("buttonPermissionFlg")
    assert not wire.Query("").flag("buttonPermissionFlg")


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("pageNo=0", "pageNo"),
        ("pageSize=1.5", "pageSize"),
        ("type=NEVER", "type"),
        ("statuses[]=FMS_PASS", "statuses"),
        ("orderKeyWord=%00", "orderKeyWord"),
        ("orderKeyWord=%ff", ""),
    ],
)
def test_a_query_that_makes_no_sense_names_its_parameter(raw: str, path: str) -> None:
    """A state of returns is none of adjustments; what is no UTF-8 or has a NUL is refused."""
    with pytest.raises(BadInput) as refusal:
        wire.ap_search(wire.Query(raw))
    assert refusal.value.path == path


@given(st.lists(st.tuples(st.text(), st.text())))
def test_any_query_is_a_search_or_a_refusal(pairs: list[tuple[str, str]]) -> None:
    """Never anything else, whatever stands in it."""
    raw = urlencode(
        [
            (name.encode("utf-8", "replace"), value.encode("utf-8", "replace"))
            for name, value in pairs
        ]
    )
    for search in (wire.ap_search, wire.sr_search):
        with contextlib.suppress(BadInput):
            assert search(wire.Query(raw)).page >= 1
