"""What searches ask and answer, key by key in the order of the reference. Pure.

What we do not know is left out. Pages count from 0 and come in the query.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from entrepot import decode
from entrepot.catalogue import rules
from entrepot.clock import SHANGHAI, shanghai
from entrepot.decode import Optional, text
from entrepot.dialects.wangdian import wire
from entrepot.dialects.wangdian.wire import Count
from entrepot.errors import BadInput
from entrepot.money import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from entrepot.catalogue.goods import Balance
    from entrepot.catalogue.goods import Page as Balances
    from entrepot.catalogue.suites import Page as Suites
    from entrepot.catalogue.suites import PartShown, Shown

PAGE, MOST_ROWS = 100, 1000


class SuiteParams(Struct, frozen=True):
    """查询参数 of ``goods.Suite.search``; nothing is ever deleted here, so that there is none to hide."""

    spec_no: Optional = None
    goods_no: Optional = None
    brand_name: Optional = None
    class_name: Optional = None
    barcode: Optional = None
    suite_no: Optional = None
    suite_name: Optional = None
    hide_deleted: bool | None = None
    start_time: Optional = None
    end_time: Optional = None


class StockParams(Struct, frozen=True):
    """查询参数 of ``wms.StockSpec.search2``."""

    start_time: Optional = None
    end_time: Optional = None
    spec_nos: tuple[str, ...] | None = None
    warehouse_no: Optional = None
    mask: Count = None
    need_alarm_info: Count = None


class Pager(Struct, frozen=True):
    """The pager as it comes in the query; pages count from 0."""

    page_size: int = PAGE
    page_no: int = 0

    @property
    def offset(self) -> int:
        """How many rows stand before the page."""
        return self.page_no * self.page_size


def pager(given: Mapping[bytes, bytes]) -> Pager:
    """Return the pager of a search; raises BadInput naming the parameter."""
    _parameter(given, "calc_total", 0, 1, 0)
    return Pager(
        page_size=_parameter(given, "page_size", 1, MOST_ROWS, PAGE),
        page_no=_parameter(given, "page_no", 0, decode.MOST, 0),
    )


def _parameter(given: Mapping[bytes, bytes], name: str, least: int, most: int, usual: int) -> int:
    text_ = given.get(name.encode(), b"")
    if not text_:
        return usual
    if text_.isdigit() and len(text_) < 12 and least <= int(text_) <= most:
        return int(text_)
    said = f"参数{name}应为{least}到{most}的整数"
    raise BadInput("bad_value", said, path=name)


def suite_params(arguments: list[Any]) -> SuiteParams:
    """Return what a suite search asks; raises BadInput."""
    (params,) = wire.converted(arguments, tuple[SuiteParams])
    asked: SuiteParams = params
    if not text(asked.start_time) and not text(asked.suite_no):
        raise BadInput("suite_search_unbounded", "Neither start_time nor suite_no is given.")
    return asked


def stock_params(arguments: list[Any]) -> StockParams:
    """Return what a stock query asks; raises BadInput."""
    (params,) = wire.converted(arguments, tuple[StockParams])
    asked: StockParams = params
    if not text(asked.start_time) and not asked.spec_nos:
        raise BadInput("stock_search_unbounded", "Neither start_time nor spec_nos is given.")
    return asked


def moment(value: str | None, field: str) -> datetime | None:
    """Return a time of a search (``yyyy-MM-dd HH:mm:ss``, Asia/Shanghai), or None; raises BadInput."""
    said = text(value)
    if said is None:
        return None
    try:
        # In UTC, because the ends of time are not a moment everywhere.
        return datetime.strptime(said, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI).astimezone(UTC)
    except (ValueError, OverflowError):
        path = f"[0].{field}"
        message = f"字段取值错误：{path}应为yyyy-MM-dd HH:mm:ss格式的时间"
        raise BadInput("bad_value", message, path=path) from None


def suite_page(page: Suites) -> dict[str, object]:
    """Return ``data`` of goods.Suite.search."""
    return {"suite_list": [_suite(shown) for shown in page.suites], "total_count": page.total}


def stock_page(page: Balances, *, alarm: bool) -> dict[str, object]:
    """Return ``data`` of wms.StockSpec.search2; ``alarm`` adds the safety stock."""
    rows = [_balance(balance, alarm=alarm) for balance in page.balances]
    return {"total_count": page.total, "detail_list": rows}


def _suite(shown: Shown) -> dict[str, object]:
    suite = shown.suite
    fractions = rules.ratios([part.price_line for part in shown.parts])
    return {
        "suite_id": shown.number,
        "suite_no": suite.sku,
        "suite_name": suite.name,
        "weight": plain(suite.weight),
        "member_price": plain(suite.member_price),
        "remark": suite.remark,
        "brand_name": suite.brand_name,
        "retail_price": plain(suite.retail_price),
        "unit_name": suite.unit,
        "aux_unit_name": suite.aux_unit,
        **{f"prop{n}": text for n, text in enumerate(suite.props, 1)},
        "wholesale_price": plain(suite.wholesale_price),
        "market_price": plain(suite.market_price),
        "short_name": suite.short_name,
        "goods_label": suite.label,
        "barcode": suite.barcode,
        "class_name": suite.class_name,
        "print_suite_mode": suite.print_mode,
        "deleted": 0,
        "suite_modified": _time(shown.changed_at),
        "suite_created": _time(shown.created_at),
        "barcode_count": 1 if suite.barcode else 0,
        "detail_list": [
            _part(shown, part, ratio) for part, ratio in zip(shown.parts, fractions, strict=True)
        ],
    }


def _part(shown: Shown, part: PartShown, ratio: Decimal) -> dict[str, object]:
    """Return a detail; a ratio of −1 is shown as the fraction it comes to, a price of −1 as the price."""
    known = {
        "suite_id": shown.number,
        "spec_no": part.sku,
        "spec_id": part.number,
        "deleted": 0,
        "spec_name": part.name,
        "spec_code": part.code,
        "barcode": part.barcode,
        "goods_no": part.goods_no,
        "goods_id": part.goods_id,
        "goods_name": part.goods_name or part.article_name,
        "num": plain(part.num),
        "fixed_price": plain(part.price_line.each),
        "ratio": plain(ratio),
        "is_fixed_price": part.is_fixed_price,
        "modified": _time(shown.changed_at),
        "created": _time(shown.created_at),
    }
    return {name: value for name, value in known.items() if value is not None}


def _balance(balance: Balance, *, alarm: bool) -> dict[str, object]:
    row: dict[str, object] = {
        "defect": False,
        "stock_num": balance.on_hand,
        "spec_no": balance.sku,
        "spec_id": balance.number,
        "goods_no": balance.goods_no,
        "goods_name": balance.goods_name or balance.article_name,
        "spec_code": balance.code,
        "brand_name": balance.brand_name,
        "spec_name": balance.name,
        "barcode": balance.barcode,
        "sending_num": balance.reserved,
        "weight": plain(balance.weight),
        "img_url": balance.pic_url,
        "warehouse_no": balance.location,
        "warehouse_name": balance.location_name,
        "warehouse_type": 0,
        "available_send_stock": balance.available,
        "modified": _time(balance.changed_at),
        "unit_name": balance.unit,
        "status": 1,
    }
    return {**row, "safe_stock": balance.safety} if alarm else row


def _time(moment: datetime) -> str:
    return shanghai(moment).strftime("%Y-%m-%d %H:%M:%S")
