"""What merchants call us with: one path, and the method in the query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from entrepot import clock, decode
from entrepot.catalogue import goods as catalogue
from entrepot.catalogue import suites
from entrepot.dialect import Route
from entrepot.dialects.wangdian import goods, searches, signature, wire
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from entrepot.dialect import Call, Reply

    Method = Callable[[Call, list[Any], Mapping[bytes, bytes]], Awaitable[object]]


async def openapi(call: Call) -> Reply:
    """Answer one signed call; checked in the order of the contract before its arguments are read."""
    sent = signature.pairs(call.query.encode("latin-1"))
    given = signature.admit(sent, call.raw, call.secrets, clock.now().timestamp())
    name = given.get(b"method", b"").decode(errors="replace")[:100]
    if not name:
        raise BadInput("missing_method", "The method is missing.", path="method")
    if name not in METHODS:
        raise BadInput("wrong_method_name", f"No method {name}.", path="method", method=name)
    arguments = decode.converted(decode.parsed(call.raw), list)
    return wire.answer(await METHODS[name](call, arguments, given))


async def upload2(call: Call, arguments: list[Any], _given: Mapping[bytes, bytes]) -> object:
    """goods.Suite.upload2: create a suite, or replace all of it; the answer is its id."""
    suite = wire.suite(arguments)
    call.document = suite.sku
    number: int = await call.do(suites.replace, suite)
    return number


async def push(call: Call, arguments: list[Any], _given: Mapping[bytes, bytes]) -> object:
    """goods.Goods.push: create or change goods and their specs; the answer is the goods' id."""
    call.document = decode.glimpse(call.raw, "0.goods_no")  # should the goods be refused
    pushed = goods.goods(arguments)
    call.document = pushed.goods_no
    call.also = tuple(spec.sku for spec in pushed.specs)
    number: int = await call.do(catalogue.save, pushed)
    return number


async def suite_search(call: Call, arguments: list[Any], given: Mapping[bytes, bytes]) -> object:
    """goods.Suite.search: suites with their details, a page at a time."""
    asked, pager = searches.suite_params(arguments), searches.pager(given)
    call.document = decode.text(asked.suite_no) or ""
    question = suites.Search(
        sku=decode.text(asked.suite_no),
        name=decode.text(asked.suite_name),
        class_name=decode.text(asked.class_name),
        brand_name=decode.text(asked.brand_name),
        barcode=decode.text(asked.barcode),
        part=decode.text(asked.spec_no),
        goods_no=decode.text(asked.goods_no),
        since=searches.moment(asked.start_time, "start_time"),
        until=searches.moment(asked.end_time, "end_time"),
        offset=pager.offset,
        limit=pager.page_size,
    )
    page: suites.Page = await call.ask(suites.search, question)
    return searches.suite_page(page)


async def stock_search(call: Call, arguments: list[Any], given: Mapping[bytes, bytes]) -> object:
    """wms.StockSpec.search2: what lies at each warehouse, and what of it may be sent."""
    asked, pager = searches.stock_params(arguments), searches.pager(given)
    question = catalogue.Search(
        skus=asked.spec_nos or None,
        location=decode.text(asked.warehouse_no),
        since=searches.moment(asked.start_time, "start_time"),
        until=searches.moment(asked.end_time, "end_time"),
        offset=pager.offset,
        limit=pager.page_size,
    )
    page: catalogue.Page = await call.ask(catalogue.balances, question)
    return searches.stock_page(page, alarm=asked.need_alarm_info == 1)


class Query(Struct, frozen=True):
    """What the query says beside who calls; the pager is for searches."""

    method: Literal[
        "goods.Suite.upload2", "goods.Suite.search", "goods.Goods.push", "wms.StockSpec.search2"
    ]
    page_size: int | None = None
    page_no: int | None = None
    calc_total: int | None = None


METHODS: Mapping[str, Method] = {
    "goods.Suite.upload2": upload2,
    "goods.Suite.search": suite_search,
    "goods.Goods.push": push,
    "wms.StockSpec.search2": stock_search,
}
WDT = (
    Route(
        "POST",
        "/openapi",
        openapi,
        shapes=(
            tuple[wire.SuiteHead, tuple[wire.SuiteDetail, ...]],
            tuple[searches.SuiteParams],
            tuple[goods.GoodsInfo, tuple[goods.SpecInfo, ...]],
            tuple[searches.StockParams],
        ),
        query=Query,
        number="0.suite_no",
    ),
)
