"""The dialect's words: every refusal has some, every field has a place."""

from __future__ import annotations

import re
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from entrepot import decode
from entrepot.dialect import Delivered, Partner, Problem, Rejected, Response, Retry, Sent
from entrepot.dialects.trade import client, envelope, wire
from entrepot.errors import BadInput
from entrepot.facts import OrderShipped, encode
from entrepot.facts import decode as fact_of
from entrepot.money import plain

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
