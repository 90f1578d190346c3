"""The words of document 004, and what they mean to us. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, get_args

import msgspec
from msgspec import Meta, Struct

from entrepot import decode
from entrepot.decode import Exact, Optional, Text, Whole, text
from entrepot.dialect import Problem, Reply, Settings, Switch
from entrepot.errors import BadInput
from entrepot.facts import Suite, SuitePart
from entrepot.money import ZERO, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

SUCCESS, SHAPE, REFUSED = 0, 1, 100
DETAILS_ONLY = 0
AUTOMATIC = Decimal(-1)

SuiteNo = Annotated[str, Meta(pattern=r"\S", max_length=80)]
SuiteName = Annotated[str, Meta(pattern=r"\S", max_length=255)]
Number = Exact | None
Count = Whole | None


class WdtSettings(Settings, frozen=True, kw_only=True):
    """Policies of a connection that merchants call; there are none beside those of every connection."""


class MerchantSettings(Settings, frozen=True, kw_only=True):
    """Policies of a connection to 旺店通. ``push_goods``: the goods of a suite's parts are pushed too."""

    push_goods: Switch = "on"


# goods.Suite.upload2 -------------------------------------------------------------------------------


class SuiteHead(Struct, frozen=True):
    """组合装信息."""

    suite_name: SuiteName
    suite_no: SuiteNo
    goods_label_name: str
    class_name: Optional = None
    brand_name: Optional = None
    unit_name: Optional = None
    aux_unit_name: Optional = None
    short_name: Optional = None
    barcode: Optional = None
    weight: Number = None
    prop1: Optional = None
    prop2: Optional = None
    prop3: Optional = None
    prop4: Optional = None
    prop5: Optional = None
    prop6: Optional = None
    retail_price: Number = None
    wholesale_price: Number = None
    member_price: Number = None
    market_price: Number = None
    remark: Optional = None
    print_suite_mode: Count = None
    large_type: Count = None


class SuiteDetail(Struct, frozen=True):
    """组合装明细."""

    spec_no: Text
    num: Exact
    is_fixed_price: bool | None = None
    fixed_price: Number = None
    ratio: Number = None


def suite(arguments: list[Any]) -> Suite:
    """Return a pushed suite as we keep it; raises BadInput naming what does not fit the document."""
    head, details = converted(
        arguments, tuple[SuiteHead, tuple[SuiteDetail, ...]], may_be_blank="goods_label_name"
    )
    return Suite(
        sku=head.suite_no,
        name=head.suite_name,
        parts=tuple(_part(detail) for detail in details),
        unit=said(head.unit_name),
        class_name=said(head.class_name),
        brand_name=said(head.brand_name),
        aux_unit=said(head.aux_unit_name),
        short_name=said(head.short_name),
        barcode=said(head.barcode),
        props=tuple(said(getattr(head, f"prop{n}")) for n in range(1, 7)),
        remark=said(head.remark),
        label=said(head.goods_label_name),
        print_mode=int(head.print_suite_mode or DETAILS_ONLY),
        large_type=int(head.large_type or 0),
        weight=number(head.weight),
        retail_price=number(head.retail_price),
        wholesale_price=number(head.wholesale_price),
        member_price=number(head.member_price),
        market_price=number(head.market_price),
    )


def _part(detail: SuiteDetail) -> SuitePart:
    return SuitePart(
        sku=detail.spec_no,
        num=plain(detail.num),
        is_fixed_price=bool(detail.is_fixed_price),
        fixed_price=number(detail.fixed_price, AUTOMATIC),
        ratio=number(detail.ratio, AUTOMATIC),
    )


def upload(suite: Suite) -> list[object]:
    """Return the arguments of ``goods.Suite.upload2`` for a suite of ours: always all of it."""
    head = {
        "suite_name": suite.name,
        "suite_no": suite.sku,
        "class_name": suite.class_name,
        "brand_name": suite.brand_name,
        "unit_name": suite.unit,
        "aux_unit_name": suite.aux_unit,
        "short_name": suite.short_name,
        "barcode": suite.barcode,
        "weight": plain(suite.weight),
        **{f"prop{n}": text for n, text in enumerate(suite.props, 1)},
        "retail_price": plain(suite.retail_price),
        "wholesale_price": plain(suite.wholesale_price),
        "member_price": plain(suite.member_price),
        "market_price": plain(suite.market_price),
        "remark": suite.remark,
        "print_suite_mode": suite.print_mode,
        "goods_label_name": suite.label,
        "large_type": suite.large_type,
    }
    details = [
        {
            "spec_no": part.sku,
            "is_fixed_price": part.is_fixed_price,
            "num": plain(part.num),
            "fixed_price": plain(part.fixed_price) if part.is_fixed_price else "",
            "ratio": plain(part.ratio),
        }
        for part in suite.parts
    ]
    said = {k: v for k, v in head.items() if v != "" or k == "goods_label_name"}
    return [said, [{k: v for k, v in detail.items() if v != ""} for detail in details]]


# Reading and answering -----------------------------------------------------------------------------


def converted(arguments: list[Any], shape: Any, *, may_be_blank: str = "") -> Any:
    """Return arguments as ``shape``, a tuple; null and ``""`` are absent but for a field that may be blank.

    Raises BadInput naming the argument or field by its path.
    """
    wanted, given = len(get_args(shape)), len(arguments)
    if given < wanted:
        raise BadInput("missing_field", f"缺少必填字段：[{given}]", path=f"[{given}]")
    if given > wanted:
        path = f"[{wanted}]"
        raise BadInput("bad_value", f"字段取值错误：{path}是多余的参数", path=path)
    return decode.converted([_without_blanks(part, may_be_blank) for part in arguments], shape)


def _without_blanks(value: Any, may_be_blank: str) -> Any:
    if isinstance(value, list):
        return [_without_blanks(part, may_be_blank) for part in value]
    if isinstance(value, dict):
        return {
            name: part
            for name, part in value.items()
            if part is not None and (part != "" or name == may_be_blank)
        }
    return value


def said(value: str | None) -> str:
    """Return an optional text, absent and blank as ``""``."""
    return text(value) or ""


def number(value: Decimal | None, absent: Decimal = ZERO) -> Decimal:
    """Return an optional number without trailing zeros."""
    return absent if value is None else plain(value)


_json = msgspec.json.Encoder(decimal_format="number")


def encoded(value: object) -> bytes:
    """Return JSON as it goes over the wire: decimals as numbers."""
    return _json.encode(value)


class Success(Struct, frozen=True):
    """A good answer."""

    status: int
    data: Any


class Failure(Struct, frozen=True):
    """A bad answer."""

    status: int
    message: str


def answer(data: object) -> Reply:
    """Return a good answer."""
    return Reply(_json.encode(Success(SUCCESS, data)))


# What we refuse, by our own codes: status and message.
_MESSAGES: Mapping[str, tuple[int, str]] = {
    "missing_sid": (1, "缺少参数：卖家账号sid"),
    "wrong_sid": (1, "卖家账号sid不存在"),
    "missing_key": (1, "缺少参数：接口账号key"),
    "wrong_key": (1, "接口账号key不存在"),
    "missing_salt": (1, "缺少参数：盐salt"),
    "wrong_salt": (1, "盐salt错误"),
    "missing_sign": (1, "缺少参数：签名sign"),
    "wrong_sign": (1, "签名sign错误"),
    "missing_v": (8, "缺少参数：版本号v"),
    "wrong_v": (8, "版本号v错误，应为1.0"),
    "missing_timestamp": (7, "缺少参数：时间戳timestamp"),
    "wrong_timestamp": (7, "时间戳timestamp无效，与服务器时间差应在120秒内"),
    "missing_method": (1, "缺少参数：接口名称method"),
    "wrong_method_name": (1, "接口名称method不存在：{method}"),
    "no_parts": (100, "组合装明细不能为空"),
    "part_twice": (100, "商家编码:{skus} 重复"),
    "unknown_parts": (100, "商家编码:{skus} 单品不存在"),
    "suite_as_part": (100, "商家编码:{skus} 是组合装，不能作为组合装明细"),
    "not_a_suite": (100, "组合装编号:{sku} 已被单品使用"),
    "num_not_positive": (100, "[1][{part}].num 数量必须大于0"),
    "bad_fixed_price": (100, "[1][{part}].fixed_price 固定价格不能小于0（-1除外）"),
    "bad_ratio": (100, "[1][{part}].ratio 金额占比应在0到1之间（-1除外）"),
    "negative_amount": (100, "[0].{field} 不能小于0"),
    "negative_amount_of_spec": (100, "[1][{part}].{field} 不能小于0"),
    "unknown_print_mode": (100, "[0].print_suite_mode 打印模式应为0、1或2"),
    "unknown_large_type": (100, "[0].large_type 拆分属性应为0、1或2"),
    "label_not_printed": (100, "[0].goods_label_name 打印方式为组合装明细时不允许设置货品标签"),
    "no_specs": (100, "单品信息列表不能为空"),
    "spec_twice": (100, "商家编码:{skus} 重复"),
    "spec_is_suite": (100, "商家编码:{skus} 已被组合装使用"),
    "spec_of_others": (100, "商家编码:{sku} 已属于货品:{goods_no}"),
    "suite_search_unbounded": (100, "start_time与suite_no不能都为空"),
    "stock_search_unbounded": (100, "start_time与spec_nos不能都为空"),
}
_SHAPE = {"missing_field", "wrong_type", "bad_value", "malformed", "bad_character"}
CODES = frozenset(_MESSAGES)
"""Every refusal this dialect has its own words for; ``decode`` words the rest."""


def render(problem: Problem) -> Reply:
    """Return a failure in the document's envelope, with the number that HTTP itself says, if any."""
    if problem.code in _MESSAGES:
        status, message = _MESSAGES[problem.code]
        message = message.format_map(
            {
                name: ",".join(map(str, value)) if isinstance(value, list) else value
                for name, value in problem.facts.items()
            }
        )
    else:
        status = SHAPE if problem.code in _SHAPE else REFUSED
        message = problem.text or problem.code
    body = Failure(problem.status or status, message)
    return Reply(_json.encode(body), problem.status or 200)
