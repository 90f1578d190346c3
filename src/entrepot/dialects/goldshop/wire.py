"""The words of document 000, and what they mean to us. Pure."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from entrepot.decode import Name, Optional, Positive, Text, Whole, text
from entrepot.dialect import Duration, Problem, Reply, Settings, Switch
from entrepot.errors import BadInput
from entrepot.money import plain
from entrepot.orders.rules import NewOrder, Wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from entrepot.catalogue.views import Style
    from entrepot.dialect import Partner

SUCCESS, FAILURE = 200, 500
DONE = "操作成功"
EXISTS = "订单号已存在"
PROCESSED, SHIPPED = 1, 2

# What they call us with (role erp) -----------------------------------------------------------------


class PickGoods(Struct, frozen=True):
    """The head of an order (小程序订单推送ERP)."""

    custName: Text
    oriOrderNo: Name
    username: Text
    fineness: Optional = None
    outDate1: Optional = None
    outDate2: Optional = None
    oprtNo: Optional = None
    keyin: Optional = None
    remark: Optional = None


class PickGoodsDtl(Struct, frozen=True):
    """A line of an order: pieces of a style."""

    styleNo: Name
    qty: Positive


class Send(Struct, frozen=True):
    """``/pickGoods/send``."""

    pickGoods: PickGoods
    pickGoodsDtls: Annotated[tuple[PickGoodsDtl, ...], Meta(min_length=1)]


class StockQuery(Struct, frozen=True):
    """``/pickGoods/style/stock``; without style numbers: every style."""

    styleNos: tuple[str, ...] | Literal[""] | None = None


class Cancel(Struct, frozen=True):
    """``/pickGoods/cancel``; a missing number is answered like an unknown one."""

    oriOrderNo: Optional = None
    remark: Optional = None


# What they call us with (role miniapp) -------------------------------------------------------------


class Mark(Struct, frozen=True):
    """``/app/markOrderStatus``; the misspelling is the document's."""

    oriOrderNo: Name
    orderSatus: Whole


class StockLine(Struct, frozen=True):
    """The newest number of pieces of one style."""

    styleNo: Name
    stockQty: Whole


class PushStocks(Struct, frozen=True):
    """``/goldshop/app/pushStocks``."""

    pickGoodsDtls: tuple[StockLine, ...]


# Settings ------------------------------------------------------------------------------------------


class ErpSettings(Settings, frozen=True, kw_only=True):
    """Policies of a connection to a mini-program; README.md tells what each does."""

    same_body_again: Literal["error", "success"] = "error"
    unknown_style: Literal["reject", "accept"] = "reject"
    auto_process: Switch = "off"
    encoding: Literal["json", "form"] = "json"
    batch: Annotated[int, Meta(ge=1, le=10_000)] = 200
    wait: Duration = "1s"


class MiniappSettings(Settings, frozen=True, kw_only=True):
    """Policies of a connection to an ERP.

    ``unknown_order``: a mark for an order that is not ours is a failure, or is let pass.
    """

    unknown_style: Literal["reject", "accept"] = "accept"
    unknown_order: Literal["reject", "accept"] = "reject"


# Theirs to ours ------------------------------------------------------------------------------------

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DETAILS = ("fineness", "outDate1", "outDate2", "oprtNo", "keyin", "remark")


def order(
    body: Send, partner: Partner, settings: ErpSettings, digest: bytes, sealed: bytes
) -> NewOrder:
    """Return a pushed order as we keep it; raises BadInput for dates that are none or out of order."""
    head = body.pickGoods
    first, last = _day(head.outDate1, "outDate1"), _day(head.outDate2, "outDate2")
    if first and last and first > last:
        path = "pickGoods.outDate2"
        raise BadInput("dates_reversed", "outDate2 is before outDate1.", path=path)
    details = {name: value for name in _DETAILS if (value := text(getattr(head, name)))}
    details["username"] = head.username
    return NewOrder(
        number=head.oriOrderNo,
        lines=tuple(
            Wanted(name=line.styleNo, qty=line.qty, path=f"pickGoodsDtls[{at}].styleNo")
            for at, line in enumerate(body.pickGoodsDtls)
        ),
        digest=digest,
        partner=partner,
        customer=head.custName,
        named_by="style",
        details=details,
        body=sealed,
        create_unknown=settings.unknown_style == "accept",
        same_again=settings.same_body_again == "success",
        auto_process=settings.auto_process == "on",
        who=partner.name,
    )


def _day(value: str | None, field: str) -> date | None:
    value = text(value)
    if value is None:
        return None
    try:
        if _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    path = f"pickGoods.{field}"
    raise BadInput("bad_date", f"{path} is not a date (YYYY-MM-DD).", path=path)


# Ours to theirs ------------------------------------------------------------------------------------

_json = msgspec.json.Encoder(decimal_format="number")


class Envelope(Struct, frozen=True):
    """Every answer; keys in the document's order."""

    msg: str
    code: int


class StyleStock(Struct, frozen=True):
    """One style in the answer to a stock query. Pieces; grams."""

    style_no: str
    stock_qty: int
    stock_wgt: Any
    pic_url: str


class StockAnswer(Struct, frozen=True):
    """The answer to a stock query."""

    msg: str
    code: int
    data: list[StyleStock]


OK = Reply(_json.encode(Envelope(DONE, SUCCESS)))

_MESSAGES: Mapping[str, str] = {
    "order_exists": "订单号已存在，不能再次推送",
    "unknown_order": "推送失败，订单号不存在。",
    "order_shipped": "推送失败，订单已发货，不能取消。",
    "order_cancelled": "推送失败，订单已取消。",
    "unknown_goods": "款式编号不存在：{names}",
    "bad_date": "字段取值错误：{path}应为YYYY-MM-DD格式的日期",
    "dates_reversed": "字段取值错误：pickGoods.outDate1不能晚于pickGoods.outDate2",
    "bad_status": "字段取值错误：orderSatus应为1（已处理）或2（已发货）",
    "unknown_rows": "款式编号不存在：{names}",
    "order_not_ours": "推送失败，订单由门店发货，不能由此更新状态。",
    "too_many_pieces": "字段取值错误：{path}的组合装折合件数超出范围",
    "suite_has_no_stock": "组合装的库存由其部件决定，不能直接更新",
    "ambiguous_order": "推送失败，订单号不唯一。",
    "no_location": "系统尚未设置仓库，请联系管理员",
    "unknown_location": "系统仓库设置有误，请联系管理员",
    "not_on_hand": "库存件数不足，不能发货",
}
CODES = frozenset(_MESSAGES)
"""Every refusal this dialect has its own words for; ``decode`` words the rest."""


def render(problem: Problem) -> Reply:
    """Return a failure in the document's envelope: 500, or the number that HTTP itself says."""
    code = problem.status or FAILURE
    return Reply(_json.encode(Envelope(_worded(problem), code)), problem.status or 200)


def _worded(problem: Problem) -> str:
    message = _MESSAGES.get(problem.code)
    if message is None:
        return problem.text or problem.code
    names: Iterable[str] = problem.facts.get("names", ())  # type: ignore[assignment]  # facts hold any
    if rows := problem.facts.get("unknown_names"):
        names = dict.fromkeys(row.name for row in rows)  # type: ignore[attr-defined]  # LevelStated
    return message.format(path=problem.path, names="、".join(names))


def stock_answer(styles: Iterable[Style]) -> Reply:
    """Return the answer to a query of some styles."""
    return Reply(_json.encode(StockAnswer(DONE, SUCCESS, [_style(style) for style in styles])))


def stock_stream(pages: AsyncIterator[list[Style]]) -> Reply:
    """Return the answer to a query of every style, in pieces."""
    return Reply(_pieces(pages))


async def _pieces(pages: AsyncIterator[list[Style]]) -> AsyncIterator[bytes]:
    begun = _json.encode(StockAnswer(DONE, SUCCESS, []))[:-2]
    async for page in pages:
        if not page:
            continue
        yield begun + _json.encode([_style(style) for style in page])[1:-1]
        begun = b","
    yield b"]}" if begun == b"," else begun + b"]}"


def _style(style: Style) -> StyleStock:
    return StyleStock(style.style_no, style.qty, plain(style.weight), style.pic_url)
