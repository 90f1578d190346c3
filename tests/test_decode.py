"""Partners' JSON is read strictly, and what is wrong is said where it stands."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from entrepot import decode
from entrepot.decode import Exact, Id, Optional, Positive, Price, Reader, Text, Whole
from entrepot.errors import BadInput


class Line(Struct):
    """So many of what."""

    sku: Text
    qty: Positive


class Order(Struct):
    """A bit of everything."""

    number: Text
    lines: Annotated[tuple[Line, ...], Meta(min_length=1)]
    remark: Optional = None
    stock: Whole = Whole(0)
    weight: Exact | None = None
    kind: Literal["a", "b"] = "a"
    name: Annotated[str, Meta(max_length=3)] = ""
    ref: Id | None = None
    price: Price | None = None


ORDER: dict[str, Any] = {"number": "N1", "lines": [{"sku": "S", "qty": 1}]}
reader = Reader(Order)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def read(**changes: object) -> Order:
    order: Order = reader.read(json.dumps({**ORDER, **changes}).encode())
    return order


def refusal(raw: bytes) -> BadInput:
    with pytest.raises(BadInput) as caught:
        reader.read(raw)
    return caught.value


def refused(**changes: object) -> BadInput:
    return refusal(json.dumps({**ORDER, **changes}).encode())


@pytest.mark.parametrize("written", ["100", 100, 100.0, "00100"])
def test_an_integer_may_be_written_as_text_or_as_a_whole_float(written: object) -> None:
    assert read(stock=written).stock == 100


@pytest.mark.parametrize(
    "written",
    [
        "",
        " 5",
        "5 ",
        "+5",
        "-5",
        "5.0",
        "５",
        "0x5",
        "1e2",
        "x",
        1.5,
        True,
        [],
        {},
        -1,
        10**9,
        10**30,
        "9" * 40,
    ],
)
def test_any_other_integer_is_refused_by_its_path(written: object) -> None:
    assert refused(stock=written).path == "stock"


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "1e9999999", "1e99999999999999999999", "9" * 6000]
)
@pytest.mark.parametrize("field", ["stock", "weight"])
def test_a_number_beyond_all_reason_is_out_of_range(field: str, number: str) -> None:
    """Whatever a number's exponent, reading it costs nothing and is nobody's 500."""
    raw = json.dumps({**ORDER, field: "?"}).replace('"?"', number).encode()
    assert refusal(raw).path == field
    assert "数字超出范围" in refusal(raw).text


def test_a_quantity_is_at_least_one_and_at_most_a_milliard_less_one() -> None:
    assert read(lines=[{"sku": "S", "qty": 999_999_999}]).lines[0].qty == 999_999_999
    for qty in (0, 1_000_000_000):
        assert refused(lines=[{"sku": "S", "qty": qty}]).path == "lines[0].qty"


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u3000", None])
def test_a_required_text_that_is_blank_is_missing(blank: object) -> None:
    problem = refused(number=blank)
    assert (problem.code, problem.path) == ("missing_field", "number")


def test_what_is_left_out_is_named_with_its_path() -> None:
    problem = refused(lines=[{"sku": "S", "qty": 1}, {"sku": "S"}])
    assert (problem.code, problem.path) == ("missing_field", "lines[1].qty")
    assert problem.text == "缺少必填字段：lines[1].qty"


def test_an_empty_list_where_one_is_required_is_missing() -> None:
    assert refused(lines=[]).text == "必填字段不能为空：lines"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"number": 5}, "字段类型错误：number应为字符串"),
        ({"lines": {}}, "字段类型错误：lines应为数组"),
        ({"lines": ["x"]}, "字段类型错误：lines[0]应为对象"),
        ({"remark": 5}, "字段类型错误：remark应为字符串或空值"),
        ({"kind": "c"}, "字段取值错误：kind不是允许的值"),
        ({"name": "abcd"}, "字段取值错误：name长度应不大于3"),
        ({"stock": -1}, "字段取值错误：stock应在0到999999999之间"),
        ({"weight": "x"}, "字段取值错误：weight应为数字"),
        ({"weight": "1.00001"}, "字段取值错误：weight最多4位小数"),
        ({"weight": 10**15}, "字段取值错误：weight数字超出范围"),
        ({"price": -1}, "字段取值错误：price不能小于0"),
    ],
)
def test_what_is_wrong_is_said_in_chinese(changes: dict[str, object], text: str) -> None:
    assert refused(**changes).text == text


def test_decimals_are_exact_as_number_and_as_text() -> None:
    assert read(weight="106.0001").weight == Decimal("106.0001")
    assert reader.read(
        b'{"number":"N","lines":[{"sku":"S","qty":1}],"weight":0.1}'
    ).weight == Decimal("0.1")


def test_a_name_that_is_a_number_may_be_as_large_as_json_keeps_exactly() -> None:
    assert read(ref=2**53 - 1).ref == 2**53 - 1
    assert refused(ref=2**53).path == "ref"


@pytest.mark.parametrize("bad", ["a\0b", "\0", "\ud800", "a\udfffb"])
def test_text_that_no_database_keeps_is_refused_wherever_it_stands(bad: str) -> None:
    assert refused(number=bad).path == "number"
    assert refused(lines=[{"sku": "S", "qty": 1, "x": [{"y": bad}]}]).path == "lines[0].x[0].y"
    assert refused(**{bad: 1}).code == "bad_character"


def test_an_emoji_written_as_two_escapes_is_text_like_any_other() -> None:
    assert read(remark="😀").remark == "😀"
    assert b"\\ud83d" in json.dumps("😀").encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"hello",
        b"<xml/>",
        b'{"number":"N1",}',
        b'{"number":"\0"}',
        json.dumps(ORDER).encode() + b"}",
        '{"备注":"中文"}'.encode("gbk"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"x":"\\ud800",' + b"[" * 100_000,
    ],
)
def test_what_is_no_json_is_a_refusal_like_any_other(raw: bytes) -> None:
    assert isinstance(refusal(raw), BadInput)


def test_a_byte_order_mark_does_not_count() -> None:
    assert reader.read(b"\xef\xbb\xbf" + json.dumps(ORDER).encode()).number == "N1"


def test_unknown_fields_are_accepted() -> None:
    assert read(unheard={"of": [1, 2.5, None]}).number == "N1"


def test_an_absent_optional_text_and_an_empty_one_are_the_same() -> None:
    assert [decode.text(value) for value in (None, "", "  ", "x")] == [None, None, None, "x"]


@given(json_values)
def test_no_value_whatever_is_anything_but_read_or_refused(value: object) -> None:
    """Nothing a partner can send is our fault."""
    raw = json.dumps(value).encode()
    for asked in (reader.read, decode.digest, decode.parsed):
        with contextlib.suppress(BadInput):
            asked(raw)


@given(st.binary())
def test_no_bytes_whatever_are_anything_but_read_or_refused(raw: bytes) -> None:
    with pytest.raises(BadInput):
        reader.read(raw)


@given(st.dictionaries(st.text(), json_values))
def test_a_digest_is_of_the_content_and_not_of_its_layout(value: dict[str, object]) -> None:
    if not decode.storable(json.dumps(value, ensure_ascii=False)):
        return
    backwards = dict(reversed(value.items()))
    try:
        digest = decode.digest(json.dumps(value).encode())
    except BadInput:
        return
    assert digest == decode.digest(json.dumps(backwards, indent=3, ensure_ascii=False).encode())


def test_a_digest_tells_different_contents_apart() -> None:
    assert decode.digest(b'{"a":1}') != decode.digest(b'{"a":"1"}')
    assert decode.digest(b'{"a":1,"b":2}') == decode.digest(b'{ "b": 2, "a": 1 }')


def test_a_digest_is_made_of_what_no_number_of_ours_holds() -> None:
    """Partners add fields without telling: whatever stands in them, it is the same content again."""
    assert decode.digest(b'{"x":1e400}') == decode.digest(b'{ "x": 1e400 }')
    assert decode.digest(b'{"x":1e400}') != decode.digest(b'{"x":1e401}')
    assert decode.digest(b'{"x":1.50}') == decode.digest(b'{"x":1.5}')


@pytest.mark.parametrize(
    ("value", "number"),
    [(0, 0), (0.0, 0), ("0", 0), ("200", 200), (0.5, 0.5), (-1, -1),
     (True, None), (None, None), ("", None), ("ok", None), ([0], None)],
)  # fmt: skip
def test_the_code_of_an_envelope_is_a_number_or_none(value: object, number: float | None) -> None:
    assert decode.number(value) == number


@pytest.mark.parametrize(
    ("raw", "path", "number"),
    [
        (b'{"head":{"no":"A1"}}', "head.no", "A1"),
        (b'[{"no":"A1"},[]]', "0.no", "A1"),
        (b'[[],{"no":"A1"}]', "1.no", "A1"),
        (b'[{"no":7}]', "0.no", ""),
        (b"[]", "0.no", ""),
        (b'["A1"]', "0.no", ""),
        (b'{"0":{"no":"A1"}}', "0.no", "A1"),
        (b'[{"no":"A1"}]', "no", ""),
        (b'[{"no":', "0.no", ""),
        (b'{"no":"A1"}', "", ""),
    ],
)
def test_the_number_of_a_refused_body_is_read_where_it_is_said(
    raw: bytes, path: str, number: str
) -> None:
    """By names and by places in lists; whatever else stands there is none."""
    assert decode.glimpse(raw, path) == number
