"""The words of document 000."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import entrepot
from entrepot.catalogue.stated import LevelStated
from entrepot.catalogue.views import Style
from entrepot.dialect import Partner, Problem
from entrepot.dialects.goldshop import dialect, wire
from entrepot.errors import BadInput

CORE = Path(entrepot.__file__).parent
# What goldshop's handlers run: whatever these refuse reaches a mini-program.
RUN = [
    "orders/door.py",
    "orders/flows.py",
    "orders/rules.py",
    "stock/flows.py",
    "catalogue/stated.py",
]


def test_every_refusal_that_can_reach_a_partner_has_words_of_its_own() -> None:
    """English of ours in a Chinese envelope would be a hole in the table."""
    sources = "".join((CORE / name).read_text(encoding="utf-8") for name in RUN)
    raised = set(re.findall(r'(?:Missing|Conflict|BadInput|NotAllowed)\(\s*"(\w+)"', sources))
    raised |= {"order_accepted", "order_processed", "order_shipped", "order_cancelled"} & wire.CODES
    assert raised <= wire.CODES
    for code in wire.CODES:
        said = msgspec.json.decode(wire.render(Problem(code, facts={"names": ["X"]})).body)  # type: ignore[arg-type]  # not streamed
        assert re.search(r"[\u4e00-\u9fff]", said["msg"])
        assert "{" not in said["msg"]


def test_a_partner_finds_every_message_in_the_readme() -> None:
    """What a failure says is what one searches for."""
    page = (dialect.folder / "README.md").read_text(encoding="utf-8")
    assert [said for said in wire._MESSAGES.values() if f"`{said}`" not in page] == []


def test_styles_that_are_not_there_are_named_once_each() -> None:
    """Whether an order or a push of stock named them."""
    rows = [LevelStated(name=name, qty=1) for name in ("B", "A", "B")]
    problem = Problem("unknown_rows", facts={"unknown_names": rows, "unknown_places": []})
    said = msgspec.json.decode(wire.render(problem).body)  # type: ignore[arg-type]  # not streamed
    assert said == {"msg": "款式编号不存在：B、A", "code": 500}


def test_a_refusal_without_words_still_says_something() -> None:
    reply = wire.render(Problem("never_heard_of"))
    assert reply.body == b'{"msg":"never_heard_of","code":500}'


def order(**head: Any) -> Any:
    body = wire.Send(
        pickGoods=wire.PickGoods("安港珠宝", "N1", "明天L", **head),
        pickGoodsDtls=(wire.PickGoodsDtl("A", 1), wire.PickGoodsDtl("A", 2)),  # type: ignore[arg-type]  # as decoded
    )
    settings = wire.ErpSettings(
        auto_process="on", unknown_style="accept", same_body_again="success"
    )
    partner = Partner(
        tenant_id=1, id=2, name="mini", dialect="goldshop", role="erp", settings=settings
    )
    return wire.order(body, partner, settings, b"digest", b"sealed")


def test_an_order_keeps_what_was_said_and_the_connections_policies() -> None:
    new = order(fineness="足金999", remark="", outDate1="2023-11-20")
    assert (new.number, new.customer, new.named_by, new.who) == ("N1", "安港珠宝", "style", "mini")
    assert [(line.name, line.qty, line.path) for line in new.lines] == [
        ("A", 1, "pickGoodsDtls[0].styleNo"),
        ("A", 2, "pickGoodsDtls[1].styleNo"),
    ]
    assert new.details == {"fineness": "足金999", "outDate1": "2023-11-20", "username": "明天L"}
    assert (new.auto_process, new.create_unknown, new.same_again) == (True, True, True)


@pytest.mark.parametrize(
    "day",
    [
        "2023-13-01",
        "2023-02-29",
        "20231120",
        "2023-11-2",
        "2023/11/20",
        "2023-W47-1",
        " 2023-11-20",
        "２０２３-11-20",
    ],
)
def test_a_date_is_written_one_way_and_is_a_real_day(day: str) -> None:
    for field in ("outDate1", "outDate2"):
        with pytest.raises(BadInput) as caught:
            order(**{field: day})
        assert caught.value.path == f"pickGoods.{field}"


@given(st.dates(), st.dates())
def test_the_first_date_is_not_after_the_second(first: Any, second: Any) -> None:
    days = {"outDate1": str(first), "outDate2": str(second)}
    if first <= second:
        order(**days)
    else:
        with pytest.raises(BadInput):
            order(**days)


@pytest.mark.parametrize(
    ("weight", "written"),
    [("106.0000", "106"), ("32.5000", "32.5"), ("0", "0"), ("0.0001", "0.0001"), ("1E+3", "1000")],
)
def test_weights_are_numbers_without_trailing_zeros(weight: str, written: str) -> None:
    style = Style(style_no="A", qty=1, weight=Decimal(weight), pic_url="")
    body = wire.stock_answer([style]).body
    assert isinstance(body, bytes)
    assert f'"stock_wgt":{written},"pic_url":""' in body.decode()


@pytest.mark.parametrize("sizes", [(), (1,), (2, 3), (0, 1)])
async def test_a_streamed_answer_is_the_same_as_a_whole_one(sizes: tuple[int, ...]) -> None:
    styles = [
        [
            Style(style_no=f"{page}-{at}", qty=at, weight=Decimal("2.5"), pic_url="")
            for at in range(size)
        ]
        for page, size in enumerate(sizes)
    ]

    async def pages() -> Any:
        for page in styles:
            yield page

    body = wire.stock_stream(pages()).body
    assert not isinstance(body, bytes)
    streamed = b"".join([part async for part in body])
    assert streamed == wire.stock_answer([style for page in styles for style in page]).body
