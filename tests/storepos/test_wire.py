"""The words of document 002, and what our refusals become in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import entrepot
from entrepot.decode import Reader
from entrepot.dialect import Partner, Problem, Request, Response, Sent
from entrepot.dialects.storepos import client, dialect, policy, wire
from entrepot.errors import Conflict, Missing
from entrepot.facts import (
    DispatchOffered,
    DispatchRequested,
    DispatchWithdrawn,
    OrderShipped,
    Receiver,
)
from tests.storepos.shops import document

CORE = Path(entrepot.__file__).parent
RAISED = re.compile(r'(?:Missing|Conflict|BadInput|NotAllowed)\(\s*"(\w+)"')
# What the handlers run: whatever these refuse reaches a partner; the rest of dispatch is people's.
RUN = [
    *("books", "ending", "intake", "looking", "offering", "refusing", "returning", "rules"),
    *("shipping", "told", "voiding"),
]
PEOPLES = {
    "order_voiding"
}  # of the rules beside: only who asks an outlet for a note back is told so
PARTNER = Partner(
    tenant_id=1, id=2, name="stores", dialect="storepos", role="oms", settings=policy.OmsSettings()
)
RECEIVER = Receiver(name="张三", phone="1", province="浙江省", city="杭州市", address="一号")


def said(reply: Any) -> Any:
    return msgspec.json.decode(reply.body)


def test_every_refusal_that_can_reach_a_partner_has_words() -> None:
    """English of ours in a Chinese envelope would be a hole in the table."""
    sources = [CORE / "dispatch" / f"{name}.py" for name in RUN] + [CORE / "orders" / "door.py"]
    raised = {code for path in sources for code in RAISED.findall(path.read_text("utf-8"))}
    assert {"note_void", "unknown_goods", "order_exists"} <= raised
    assert {code for code in raised if not wire.known(code)} == PEOPLES


def test_a_partner_finds_every_message_in_the_readme() -> None:
    """What a refusal says is what one searches for."""
    page = (dialect.folder / "README.md").read_text(encoding="utf-8")
    asking = said(wire.ASKING)["msg"]
    assert [word for word in (*wire._MESSAGES.values(), asking) if f"`{word}`" not in page] == []


def test_a_refusal_without_words_still_says_something() -> None:
    assert said(wire.render(Problem("never_heard_of"))) == {
        "success": False,
        "msg": "never_heard_of",
    }


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (Problem("note_void"), 200),
        (Problem("malformed", "Not JSON."), 400),
        (Problem("unknown_path", "接口不存在", status=404), 404),
    ],
)
def test_what_does_not_decode_is_400_and_a_final_no_is_200(problem: Problem, status: int) -> None:
    assert wire.render(problem).status == status


@pytest.mark.parametrize(
    ("refusal", "status", "words"),
    [
        (Missing("unknown_goods", names=["A/B/C", "D"]), 422, "商品不存在：A/B/C、D"),
        (Missing("unknown_store", store="9"), 422, "门店不存在：9"),
        (Conflict("order_exists"), 409, "通知单号已存在，且内容不一致"),
        (Conflict("too_many_pieces"), 422, "件数超出范围"),
    ],
)
def test_an_order_is_refused_by_status(refusal: Any, status: int, words: str) -> None:
    """200 itself would mean: taken."""
    reply = wire.not_taken(refusal)
    assert (reply.status, said(reply)) == (status, {"success": False, "msg": words})


def test_goods_that_left_are_worded_as_each_side_expects() -> None:
    """通知单已经出库 to the store, 通知单已出库 to an OMS; other refusals keep their words."""
    assert said(wire.render(Problem("order_left")))["msg"] == "通知单已经出库"
    assert wire.render(Problem("order_left")).refused
    assert said(wire.note_left(Conflict("order_left")))["msg"] == "通知单已出库"
    assert said(wire.note_left(Missing("unknown_order")))["msg"] == "通知单不存在"


@given(parts=st.tuples(*[st.text("AB1-", min_size=1)] * 3))
def test_an_sku_is_its_three_parts(parts: tuple[str, str, str]) -> None:
    assert wire.parts_of(wire.sku(*parts)) == parts


@pytest.mark.parametrize(
    ("parts", "sku"),
    [
        (("G", "C", None), "G/C"),
        (("G", None, " "), "G"),
        (("G", None, "S"), "G//S"),
    ],
)
def test_an_sku_leaves_out_what_is_not_there(parts: Any, sku: str) -> None:
    assert wire.sku(*parts) == sku


def test_an_sku_of_another_trade_is_all_product() -> None:
    assert wire.parts_of("PU7383") == ("PU7383", "", "")


def made(**more: Any) -> wire.OrderMake:
    raw = msgspec.json.encode(document("N1", {"G/C/S": 2}, **more))
    body: wire.OrderMake = Reader(wire.OrderMake).read(raw)
    return body


def test_content_is_what_the_document_names() -> None:
    """Absent, null and blank are the same, and so is what partners add; anything else is not."""
    same = [made(county=None), made(county=" "), made(county="", extra=1)]
    assert len({wire.content(body) for body in same}) == 1
    assert wire.content(made()) != wire.content(made(county=None))
    assert wire.content(made(phone=" 13800138000 ")) == wire.content(made())


def test_a_stores_order_is_kept_with_its_receipt_and_receiver() -> None:
    new = wire.ordered(made(memberCode=None, county=None), PARTNER, b"sealed", b"hash")
    assert (new.order.number, new.shop, new.purchase, new.member) == ("N1", "6001", "XP-N1", "")
    assert [(line.name, line.qty, line.path) for line in new.order.lines] == [
        ("G/C/S", 2, "items[0].product")
    ]
    assert (new.receiver.name, new.receiver.county) == ("张三", "")


def test_an_offered_note_is_bound_to_its_outlet() -> None:
    raw = document("FH1", {"G/C/S": 1}, purchaseNumber=None)
    raw["items"] = [{"product": "PU1", "qty": 1}]
    body = Reader(wire.PushOrder).read(msgspec.json.encode(raw))
    new = wire.offered(body, PARTNER, b"sealed", b"hash")
    assert (new.order.kind, new.outlet, new.shop, new.purchase) == (wire.NOTE, "6001", "", "")
    assert [line.name for line in new.order.lines] == ["PU1"]


def test_parcels_are_read_from_both_ends() -> None:
    body = Reader(wire.CheckOut).read(
        b'{"dispatchNO":"N","packages":[{"express":"SF","waybillCode":"W","sns":["1","2"]}]}'
    )
    (box,) = wire.boxes(body)
    assert (box.express, box.waybill, box.codes) == ("SF", "W", ("1", "2"))
    sent = {
        "transferCode": "T",
        "shipCode": "6002",
        "packages": [
            {"express": "SF", "waybillCode": "W", "items": [{"product": "G", "color": "C", "sn": "1"}]}
        ],
    }  # fmt: skip
    told = wire.transfer(Reader(wire.SentTransfer).read(msgspec.json.encode(sent)))
    assert (told.note, told.outlet, told.outlet_name) == ("T", "6002", "")
    assert [(p.sku, p.code) for p in told.parcels[0].pieces] == [("G/C", "1")]


LINES: tuple[Any, ...] = ()
OFFER = DispatchOffered(
    number="N", note="T", outlet="6002", purchase="", receiver=RECEIVER, lines=LINES
)
RECALL = DispatchWithdrawn(number="N", note="T", outlet="6002")
REQUEST = DispatchRequested(
    number="N", shop="6001", purchase="", member="", receiver=RECEIVER, lines=LINES
)


def judged(subject: Any, status: int, body: bytes, *, unsure: bool = False) -> str:
    """Return what an answer is taken for."""
    sent = Sent(
        subject=subject,
        request=Request("/"),
        response=Response(status, body),
        unsure=unsure,
    )
    return type(client.verdict(sent)).__name__


@pytest.mark.parametrize(
    ("subject", "status", "body", "unsure", "taken_for"),
    [
        (OFFER, 200, '{"success":true}', False, "Delivered"),
        (OFFER, 200, '{"success":false,"msg":"没货"}', False, "Rejected"),
        (OFFER, 200, '{"success":false}', False, "Rejected"),
        (OFFER, 200, '{"success":false,"msg":"单号重复"}', True, "Delivered"),
        (OFFER, 200, '{"success":false,"msg":"单号重复"}', False, "Rejected"),
        (OFFER, 200, '{"success":"yes"}', False, "Retry"),
        (OFFER, 200, "[]", False, "Retry"),
        (OFFER, 200, "<html>", False, "Retry"),
        (OFFER, 201, '{"success":true}', False, "Retry"),
        (OFFER, 500, '{"success":true}', False, "Retry"),
        (RECALL, 200, '{"success":false,"msg":"通知单不存在"}', False, "Delivered"),
        (RECALL, 200, '{"success":false,"msg":"通知单已出库"}', False, "Rejected"),
        (REQUEST, 200, "", False, "Delivered"),
        (REQUEST, 200, '\ufeff{"any":"thing"}', False, "Delivered"),
        (REQUEST, 200, "<html>", False, "Retry"),
        (REQUEST, 422, '{"success":false}', False, "Retry"),
    ],
)
def test_200_with_success_is_final_and_anything_else_is_sent_again(
    subject: Any, status: int, body: str, unsure: bool, taken_for: str
) -> None:
    assert judged(subject, status, body.encode(), unsure=unsure) == taken_for


def test_what_the_document_has_no_call_for_is_not_sent() -> None:
    fact = OrderShipped(number="N")
    assert client.to_stores(fact, PARTNER) is None
    assert client.to_oms(fact, PARTNER) is None
