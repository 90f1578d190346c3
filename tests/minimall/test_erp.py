"""What a mall is told, over real HTTP: rows, ticks, everything, and what it refuses."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from entrepot import clock, dialects
from entrepot.courier import desk, jobs, schedules
from entrepot.courier.schedules import Clock
from tests.courier.bureau import Answer, Bureau, Call, Stub, eventually
from tests.courier.shop import Shelf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

ERP = dialects.discover()["minimall"].roles["erp"]
OK = b'{"code":0,"data":[],"msg":""}'
PATH = "/gateway/api/erp/update_goods_stock"
Figures = dict[tuple[str, str], int]
"""Stock by key and store code."""


class Mall:
    """A mall that takes all rows of a call or none, and refuses the keys it does not know."""

    def __init__(self) -> None:
        self.stub = Stub(self._reply)
        self.unknown: set[str] = set()
        self.figures: Figures = {}
        self.taken: list[list[dict[str, Any]]] = []
        self.before_answering: list[Callable[[], Awaitable[None]]] = []

    async def _reply(self, call: Call) -> Answer:
        assert call.path == PATH
        rows = json.loads(call.body)
        assert len(rows) <= 500
        bad = [row["key"] for row in rows if row["key"] in self.unknown]
        if bad:
            refusal = {"code": 1, "data": [], "msg": f"商品不存在：{bad[0]}"}
            return 200, json.dumps(refusal).encode()
        while self.before_answering:
            await self.before_answering.pop()()
        self.taken.append(rows)
        self.figures.update({(row["key"], row["store_code"]): row["stock"] for row in rows})
        return 200, OK

    async def has(self, figures: Figures) -> bool:
        """Tell whether it believes this, whatever else."""
        return figures.items() <= self.figures.items()


@pytest.fixture
async def mall() -> AsyncIterator[Mall]:
    """Give a mall that knows every key."""
    mall = Mall()
    async with mall.stub:
        yield mall


@pytest.fixture
async def shelf(bureau: Bureau) -> Shelf:
    """Give ten articles at two stores and in a warehouse."""
    shelf = Shelf(bureau)
    await shelf.fill([f"{n}^^^红^^^大" for n in range(10)], ["HQ", "aaa", "bbb"])
    return shelf


async def connect(bureau: Bureau, shelf: Shelf, mall: Mall, **settings: Any) -> int:
    """Connect to a mall with the stores aaa and bbb and a code for totals; list everything."""
    given = {"stores": ("aaa", "bbb"), "total_store_code": "ALL", "interval": "300ms", **settings}
    connection = await bureau.connect(mall.stub.url, ERP, name="mall", **given)
    await shelf.list_on(connection)
    return connection


@contextlib.asynccontextmanager
async def ticking(bureau: Bureau) -> AsyncIterator[None]:
    """Have a courier and a clock at work."""
    stop = asyncio.Event()
    runner = Clock(bureau.db, lambda: jobs.jobs(bureau.db, bureau.links))
    serving = asyncio.create_task(runner.serve(stop))
    try:
        async with bureau.working():
            yield
    finally:
        stop.set()
        await serving


async def test_all_rows_of_what_changed_go_out_at_the_tick(
    bureau: Bureau, shelf: Shelf, mall: Mall
) -> None:
    """The total under its code and the stock at each pick-up store, of the changed listing alone."""
    await connect(bureau, shelf, mall)
    await shelf.count("0^^^红^^^大", 5, "aaa")
    async with ticking(bureau):
        everything = {
            (f"{n}^^^红^^^大", store): 0 for n in range(1, 10) for store in ("ALL", "aaa", "bbb")
        }
        await eventually(lambda: mall.has(everything))
        await eventually(lambda: mall.has({("0^^^红^^^大", "ALL"): 5, ("0^^^红^^^大", "aaa"): 5}))
        told = len(mall.taken)
        await shelf.count("3^^^红^^^大", 2, "bbb")
        await shelf.count("3^^^红^^^大", 90, "HQ")
        await eventually(lambda: mall.has({("3^^^红^^^大", "ALL"): 2}))
    [rows] = mall.taken[told:]
    assert rows == [
        {"type": "normal", "key": "3^^^红^^^大", "stock": 2, "store_code": "ALL"},
        {"type": "normal", "key": "3^^^红^^^大", "stock": 0, "store_code": "aaa"},
        {"type": "normal", "key": "3^^^红^^^大", "stock": 2, "store_code": "bbb"},
    ]


async def test_the_total_counts_the_connections_locations(
    bureau: Bureau, shelf: Shelf, mall: Mall
) -> None:
    """Where they are set; without, its pick-up stores, as above."""
    await connect(bureau, shelf, mall, locations=("HQ", "aaa"), stores=("aaa",))
    await shelf.count("0^^^红^^^大", 5, "aaa")
    await shelf.count("0^^^红^^^大", 7, "HQ")
    await shelf.count("0^^^红^^^大", 100, "bbb")
    async with ticking(bureau):
        await eventually(lambda: mall.has({("0^^^红^^^大", "ALL"): 12, ("0^^^红^^^大", "aaa"): 5}))
    assert ("0^^^红^^^大", "bbb") not in mall.figures


async def test_nothing_is_sent_when_nothing_changed(
    bureau: Bureau, shelf: Shelf, mall: Mall
) -> None:
    """Ticks come and go; what changed and changed back is nothing, and so is stock elsewhere."""
    await connect(bureau, shelf, mall, interval="200ms")
    async with ticking(bureau):
        await eventually(lambda: mall.has({("9^^^红^^^大", "bbb"): 0}))
        await eventually(lambda: _idle(bureau))
        told, since = len(mall.taken), clock.now()
        await shelf.count("1^^^红^^^大", 40, "HQ")
        await eventually(lambda: _ticked(bureau, since, 3))
    assert len(mall.taken) == told


async def test_a_new_address_is_told_everything(bureau: Bureau, shelf: Shelf, mall: Mall) -> None:
    """At once, whatever the interval: the old one's knowledge is not the new one's."""
    connection = await connect(bureau, shelf, mall, interval="1h")
    await shelf.count("0^^^红^^^大", 5, "aaa")
    async with ticking(bureau):
        await eventually(lambda: mall.has({("0^^^红^^^大", "ALL"): 5, ("9^^^红^^^大", "bbb"): 0}))
        other = Mall()
        async with other.stub:
            bureau.change(connection, partner_url=other.stub.url)
            await eventually(lambda: other.has(mall.figures))
    assert other.figures == mall.figures


async def test_everything_goes_once_a_day_and_when_a_person_says_so(
    bureau: Bureau, shelf: Shelf, mall: Mall
) -> None:
    """Also what the mall knows already."""
    connection = await connect(bureau, shelf, mall, interval="1h")
    async with ticking(bureau):
        await eventually(lambda: mall.has({("9^^^红^^^大", "bbb"): 0}))
        await eventually(lambda: _idle(bureau))
        daily = next(
            row for row in await schedules.upcoming(bureau.db) if row["name"] == "all levels mall"
        )
        assert daily["every"] == 86_400
        for ask in (_the_day_is_over, _a_person_asks):
            mall.taken.clear()
            await ask(bureau, connection)
            await eventually(lambda: _all_rows(mall))


async def test_a_full_send_asked_for_during_another_is_a_full_send_of_its_own(
    bureau: Bureau, shelf: Shelf, mall: Mall
) -> None:
    """Whoever asks while the last rows are on their way, or are just being answered, is not forgotten."""
    connection = await connect(bureau, shelf, mall, interval="1h")
    async with ticking(bureau):
        await eventually(lambda: mall.has({("9^^^红^^^大", "bbb"): 0}))
        await eventually(lambda: _idle(bureau))
        mall.taken.clear()
        mall.before_answering = [lambda: _a_person_asks(bureau, connection)]
        await _a_person_asks(bureau, connection)
        await eventually(lambda: _idle(bureau))
    assert sum(len(rows) for rows in mall.taken) == 60


async def test_a_refused_batch_is_searched_for_its_bad_rows(
    bureau: Bureau, shelf: Shelf, mall: Mall
) -> None:
    """The good ones arrive; the bad one is shown with the mall's words, and counts as told."""
    bad, later = "7^^^红^^^大", {("7^^^红^^^大", "ALL"): 3}
    mall.unknown = {bad}
    connection = await connect(bureau, shelf, mall, interval="200ms")
    async with ticking(bureau):
        good = {(f"{n}^^^红^^^大", "ALL"): 0 for n in range(10) if n != 7}
        await eventually(lambda: mall.has(good))
        await eventually(lambda: _shown(bureau, [f"商品不存在：{bad}"]))
        calls, since = len(mall.stub.calls), clock.now()
        await eventually(lambda: _ticked(bureau, since, 2))
        assert len(mall.stub.calls) == calls  # told, as far as the ticks are concerned
        await _the_day_is_over(bureau, connection)
        await eventually(lambda: _more_calls(mall, calls + 2))  # refused anew: searched anew
        await eventually(lambda: _idle(bureau))
        assert await _shown(bureau, [f"商品不存在：{bad}"])
        mall.unknown = set()
        [line] = await _levels(bureau)
        assert (line.state, line.attempts, line.due) == ("rejected", 1, None)
        await desk.act(bureau.db, bureau.tenant_id, "retry", [line.id], who="test")
        await eventually(lambda: mall.has({(bad, "ALL"): 0}))
        await eventually(lambda: _shown(bureau, []))
        mall.unknown = {bad}
        await shelf.count(bad, 2, "aaa")
        await eventually(lambda: _shown(bureau, [f"商品不存在：{bad}"]))
        mall.unknown = set()
        await shelf.count(bad, 3, "aaa")
        await eventually(lambda: mall.has(later))
        await eventually(lambda: _shown(bureau, []))


async def test_no_call_has_more_than_500_rows(bureau: Bureau, mall: Mall) -> None:
    """600 listings with three rows each, and then one listing that has 602 rows alone."""
    shelf = Shelf(bureau)
    stores = tuple(f"s{n}" for n in range(601))
    await shelf.fill([f"{n}^^^x" for n in range(600)], stores)
    connection = await connect(bureau, shelf, mall, stores=stores[:2], interval="1h")
    async with ticking(bureau):
        await eventually(lambda: mall.has({("599^^^x", "s1"): 0, ("0^^^x", "ALL"): 0}))
        await eventually(lambda: _idle(bureau))
        assert [len(rows) for rows in mall.taken] == [498, 498, 498, 306]
    mall.taken.clear()
    await bureau.rows("DELETE FROM listing WHERE tenant_id = $1 AND key <> '5^^^x' RETURNING id")
    bureau.change(connection, settings={"stores": stores})
    async with ticking(bureau):
        await eventually(lambda: mall.has({("5^^^x", store): 0 for store in (*stores, "ALL")}))
        await eventually(lambda: _idle(bureau))
    assert sum(len(rows) for rows in mall.taken) >= 602


async def _the_day_is_over(bureau: Bureau, _connection: int) -> None:
    async with bureau.db.transaction(bureau.tenant_id) as tx:
        await schedules.soon(tx, "all levels mall")


async def _a_person_asks(bureau: Bureau, connection: int) -> None:
    await desk.send_levels(bureau.db, bureau.tenant_id, connection, full=True)


async def _all_rows(mall: Mall) -> bool:
    return sum(len(rows) for rows in mall.taken) == 30


async def _more_calls(mall: Mall, calls: int) -> bool:
    return len(mall.stub.calls) >= calls


async def _idle(bureau: Bureau) -> bool:
    return not await bureau.rows(
        "SELECT FROM stock_change WHERE tenant_id = $1"
        " UNION ALL SELECT FROM level WHERE tenant_id = $1 AND dirty_since IS NOT NULL"
        " UNION ALL SELECT FROM feed WHERE tenant_id = $1 AND (leased OR full_after IS NOT NULL)"
    )


async def _ticked(bureau: Bureau, since: datetime, times: int) -> bool:
    """Tell whether so many ticks have come since, and their rounds are over."""
    rows = await schedules.upcoming(bureau.db)
    row = next(row for row in rows if row["name"] == "levels mall")
    if row["ran_at"] is None or (row["ran_at"] - since).total_seconds() < times * row["every"]:
        return False
    return await _idle(bureau)


async def _levels(bureau: Bureau) -> list[desk.Line]:
    async with bureau.db.reading(bureau.tenant_id) as tx:
        deadlines = desk.deadlines(bureau.links, bureau.tenant_id)
        return await desk.find(tx, desk.Filter(kind="stock"), deadlines)


async def _shown(bureau: Bureau, messages: list[str]) -> bool:
    lines = await _levels(bureau)
    return [line.last_error for line in lines if line.state == "rejected"] == messages and not any(
        line.state != "rejected" for line in lines
    )
