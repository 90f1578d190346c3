"""Theirs to ours and back: nothing of a suite is lost, and what is wrong is named by its path."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot import decode
from entrepot.dialect import Problem
from entrepot.dialects.wangdian import goods, searches, wire
from entrepot.errors import BadInput, Refused
from entrepot.facts import Goods, Spec, Suite, SuitePart

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
said = words.map(lambda text: text if text.strip() else "")
names = words.filter(lambda text: bool(text.strip()))
amounts = st.decimals(min_value=0, max_value=10**15 - 1, places=4).map(lambda n: n.normalize() + 0)
part = st.builds(
    SuitePart,
    sku=names,
    num=amounts,
    is_fixed_price=st.just(True),
    fixed_price=amounts,
    ratio=st.one_of(st.just(Decimal(-1)), amounts),
)
suite = st.builds(
    Suite,
    sku=names, name=names, parts=st.lists(part, min_size=1, max_size=4).map(tuple), unit=said,
    class_name=said, brand_name=said, aux_unit=said, short_name=said, barcode=said, remark=said,
    props=st.tuples(*[said] * 6), label=said, print_mode=st.integers(0, 2),
    large_type=st.integers(0, 2), weight=amounts, retail_price=amounts, wholesale_price=amounts,
    member_price=amounts, market_price=amounts,
)  # fmt: skip


def arguments(body: object) -> list[Any]:
    """Return what a body of this content is read as."""
    plain: list[Any] = decode.parsed(wire.encoded(body))
    return plain


@given(suite)
def test_a_suite_arrives_as_it_was_sent(sent: Suite) -> None:
    """What one hub pushes is what the other keeps, decimals to the last place."""
    assert wire.suite(arguments(wire.upload(sent))) == sent


def test_what_is_left_out_takes_its_default() -> None:
    """Ratios and fixed prices are worked out (−1), nothing is fixed, the parts are printed."""
    found = wire.suite(
        [{"suite_no": "S", "suite_name": "n", "goods_label_name": ""}, [{"spec_no": "A", "num": 1}]]
    )
    assert found == Suite(sku="S", name="n", parts=(SuitePart(sku="A", num=Decimal(1)),))
    assert found.parts[0].ratio == found.parts[0].fixed_price == Decimal(-1)


def test_null_and_empty_are_absent() -> None:
    """In any optional field, numbers too; the label alone may be empty and must be there."""
    head = {
        "suite_no": "S",
        "suite_name": "n",
        "goods_label_name": "",
        "weight": "",
        "remark": None,
    }
    found = wire.suite([head, [{"spec_no": "A", "num": "1", "ratio": None, "fixed_price": ""}]])
    assert found.weight == 0
    with pytest.raises(BadInput, match=r"缺少必填字段：\[0\]\.goods_label_name"):
        wire.suite([{**head, "goods_label_name": None}, []])


@given(st.builds(Goods, goods_no=names, name=names, class_name=said, brand_name=said, unit=said,
    specs=st.lists(st.builds(Spec, sku=names, name=said, code=said, barcode=said, unit=said,
        pic_url=said, weight=amounts, retail_price=amounts), min_size=1, max_size=3).map(tuple)))  # fmt: skip
def test_goods_arrive_as_they_were_sent(sent: Goods) -> None:
    """With all their specs."""
    assert goods.goods(arguments(goods.push(sent))) == sent


def test_what_means_nothing_to_us_is_passed_on() -> None:
    """Fields of the document that no rule of ours needs travel with goods and specs."""
    info = {
        "goods_no": "G",
        "goods_name": "g",
        "goods_type": "1",
        "prop6": "x",
        "auto_create_bc": True,
    }
    spec = {
        "spec_no": "A",
        "lowest_price": "1.50",
        "large_type": -1,
        "is_lower_cost": 1,
        "remark": "r",
    }
    kept = goods.goods(arguments([info, [spec]]))
    assert kept.details == {"goods_type": 1, "prop6": "x", "auto_create_bc": True}
    assert goods.goods(arguments(goods.push(kept))) == kept
    again = json.loads(wire.encoded(goods.push(kept)))
    assert again[1][0]["lowest_price"] == 1.5
    assert again[1][0]["large_type"] == -1


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ({}, 0),
        ({b"page_size": b"7", b"page_no": b"3"}, 21),
        ({b"page_no": b"", b"calc_total": b"0"}, 0),
    ],
)
def test_pages_count_from_0(text: dict[bytes, bytes], offset: int) -> None:
    """Without a pager the first hundred are answered."""
    assert searches.pager(text).offset == offset


@pytest.mark.parametrize(
    "wrong",
    [{b"page_size": b"0"}, {b"page_size": b"1001"}, {b"page_no": b"-1"}, {b"calc_total": b"2"},
     {b"page_no": b"x"}, {b"page_size": b"9" * 40}, {b"page_no": "٣".encode()}],
)  # fmt: skip
def test_a_pager_that_is_none_is_named(wrong: dict[bytes, bytes]) -> None:
    """The parameter at fault stands in the message."""
    with pytest.raises(BadInput, match=next(iter(wrong)).decode()):
        searches.pager(wrong)


@pytest.mark.parametrize(
    ("given", "path"), [([], r"\[0\]"), ([{}], r"\[1\]"), ([{}, [], {}], r"\[2\]")]
)
def test_an_argument_that_is_missing_or_too_many_is_named(given: list[Any], path: str) -> None:
    """A suite comes with its details, and with nothing behind them."""
    with pytest.raises(BadInput, match=path):
        wire.suite(given)


def test_no_moment_lies_before_the_first() -> None:
    """Midnight of the year 1 in Shanghai is still the year 0 in UTC, which no clock knows."""
    with pytest.raises(BadInput, match=r"\[0\]\.end_time"):
        searches.moment("0001-01-01 00:00:00", "end_time")
    assert searches.moment("9999-12-31 23:59:59", "end_time") is not None


def test_times_are_shanghai() -> None:
    """Midnight there is four in the afternoon of the day before in UTC."""
    found = searches.moment("2022-04-21 00:00:00", "start_time")
    assert found is not None
    assert found.utctimetuple()[:5] == (2022, 4, 20, 16, 0)
    assert searches.moment(" ", "start_time") is None


def test_a_good_answer_has_plain_numbers() -> None:
    """Decimals are JSON numbers, and nothing but the documented keys is there."""
    assert wire.answer({"num": Decimal("2.5")}).body == b'{"status":0,"data":{"num":2.5}}'
    with pytest.raises(BadInput, match=r"\[0\]应为对象"):
        wire.suite(["word", []])


def test_a_refusal_without_words_is_told_as_it_is() -> None:
    """A code this dialect has no row for is a business answer with the core's own text."""
    reply = wire.render(Problem.of(Refused("brand_new", "Something {new}.")))
    assert json.loads(reply.body) == {"status": 100, "message": "Something {new}."}  # type: ignore[arg-type]
    nothing = wire.render(Problem("malformed", "请求体不是合法的JSON"))
    assert json.loads(nothing.body)["status"] == 1  # type: ignore[arg-type]
