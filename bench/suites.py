"""Suites: what a change of stock costs until the figures of all suites that contain it are read."""

from __future__ import annotations

import contextlib
import random
import time
from datetime import timedelta
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

from bench.context import Result
from entrepot import clock, ids
from entrepot.catalogue import suites
from entrepot.connections import flows as connections
from entrepot.courier import levels
from entrepot.courier.telling import Feed, Teller
from entrepot.db import Database, Tx, alone
from entrepot.dialect import Partner, Reply, Role, Settings
from entrepot.facts import Suite, SuitePart
from entrepot.orders import flows as orders
from entrepot.orders.rules import NewOrder, Wanted
from entrepot.stock import flows as stock
from entrepot.stock import published
from entrepot.stock.flows import Move
from entrepot.stock.published import Channel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from bench.context import Context
    from entrepot.db import Row

ARTICLES, SUITES, CHANGED = 200_000, 100_000, 0.01
_SLICE = 50_000
_BATCH = 64
_SETTLE = """
UPDATE level SET dirty_since = NULL WHERE tenant_id = $1 AND connection_id = $2 AND item = ANY($3::bigint[])
"""
_ROLE = Role(settings=Settings, render=lambda _problem: Reply(b""), levels=lambda _settings: 200)
_HEAD = (
    "class_name", "brand_name", "aux_unit", "short_name", "barcode", "remark", "label",
    "print_mode", "large_type", "weight", "retail_price", "wholesale_price", "member_price", "market_price",
)  # fmt: skip
_PART = ("suite_id", "part_id", "position", "num", "is_fixed_price", "fixed_price", "ratio")


class Shop:
    """A tenant with articles, suites of two to five of them, and a connection that lists them all."""

    def __init__(self, db: Database, context: Context) -> None:
        self.db = db
        self.chance = random.Random(6)
        self.tenant_id, self.connection_id = ids.new(), ids.new()
        self.places = [ids.new(), ids.new()]
        self.articles = [ids.new() for _ in range(context.size(ARTICLES))]
        self.suites = [ids.new() for _ in range(context.size(SUITES))]

    async def fill(self) -> None:
        """Put everything in by COPY."""
        async with self.db.transaction(self.tenant_id) as tx:
            await connections.add_tenant(tx, "bench", {})
            connection = (self.connection_id, "c", "bench", "shop")
            await _copy(tx, "connection", ("id", "name", "dialect", "role"), iter([connection]))
            places = ((place, f"W{n}") for n, place in enumerate(self.places))
            await _copy(tx, "location", ("id", "code"), places)
            singles = ((a, f"A{n}", "single") for n, a in enumerate(self.articles))
            await _copy(tx, "article", ("id", "sku", "kind"), singles)
            heads = ((s, f"S{n}", "suite") for n, s in enumerate(self.suites))
            await _copy(tx, "article", ("id", "sku", "kind"), heads)
            lying = ((a, place, 100) for a in self.articles for place in self.places)
            await _copy(tx, "stock", ("article_id", "location_id", "on_hand"), lying)
            blank = ("", "", "", "", "", "", "", 0, 0, 0, 0, 0, 0, 0)
            rows = ((s, "[]", b"", *blank) for s in self.suites)
            await _copy(tx, "suite", ("article_id", "props", "digest", *_HEAD), rows)
            await _copy(tx, "suite_part", _PART, self._parts())
            listed = ((self.connection_id, ids.new(), "n", str(a), a) for a in self._sold())
            columns = ("connection_id", "id", "type", "key", "article_id")
            await _copy(tx, "listing", columns, listed)

    def _parts(self) -> Iterator[tuple[object, ...]]:
        for suite in self.suites:
            parts = self.chance.sample(self.articles, min(len(self.articles), 2 + suite % 4))
            for position, part in enumerate(parts):
                yield (suite, part, position, 1 + position, False, -1, -1)

    def _sold(self) -> Iterator[int]:
        yield from self.articles
        yield from self.suites

    async def change(self, share: float) -> int:
        """Move stock of a share of the articles; return of how many."""
        chosen = self.chance.sample(self.articles, max(1, round(len(self.articles) * share)))
        moves = [
            Move(article_id=a, location_id=self.places[0], delta=-1, kind="bench") for a in chosen
        ]
        await self.db.run(self.tenant_id, lambda tx: stock.move(tx, moves))
        return len(chosen)

    async def publish(self) -> tuple[int, int, int]:
        """Mark and read every figure that changed; return batches of marks, of figures, and figures."""
        sellers = {"listings": [self.connection_id], "styles": list[int](), "articles": list[int]()}
        marked = figures = read = 0
        while await self.db.run(self.tenant_id, lambda tx: levels._mark(sellers, tx)):
            marked += 1
        partner = Partner(
            tenant_id=self.tenant_id, id=self.connection_id, name="c", dialect="bench", role="shop",
            settings=Settings(),
        )  # fmt: skip
        gate: Any = SimpleNamespace(link=SimpleNamespace(partner=partner, role=_ROLE))
        channel = Channel(connection_id=self.connection_id, stores=("W0", "W1"))
        feed = Feed(gate=gate, channel=channel, token=1, lease=1, stop=None)
        now = clock.now() + timedelta(hours=1)
        nothing: Any = None  # figures are read and nothing is sent, so nothing is recorded either
        teller = Teller(self.db, nothing, feed, forced=False)
        while (found := await teller._read(levels_query(), now))[0]:
            figures, read = figures + 1, read + len(found[1])
            items = [item.level.listing_id for item in found[1]]
            async with self.db.transaction(self.tenant_id) as tx:
                await tx.do(_SETTLE, self.connection_id, items)
        return marked, figures, read


def levels_query() -> str:
    """Return the courier's own statement for levels that changed."""
    query: str = levels._q.dirty_listings
    return query


async def run(context: Context) -> list[Result]:
    """Publish after 1 % of the parts changed; replace suites; take orders of suites and of singles."""
    url = await context.database("suites")
    db = await Database.open(url, size=2)
    db.listens = lambda *_: False
    db.seal = bytes
    shop = Shop(db, context)
    try:
        await shop.fill()
        async with alone(url) as one:
            await one.execute("VACUUM ANALYZE")
        await shop.change(0.0001)
        await shop.publish()
        await shop.change(CHANGED)
        with _counting(published._q.availability) as runs:
            took, (marks, batches, read) = await _timed(shop.publish)
        return [
            Result(
                name="availability published after 1 % of the parts changed",
                value=took,
                unit="s",
                ceiling=2.0,
            ),
            Result(name="figures read", value=read, unit="listings, two stores each"),
            Result(
                name="statements that read availability",
                value=len(runs),
                unit="statements",
                against=f"batches of figures ({marks} of marks)",
                ratio=len(runs) / batches,
                ceiling=1.0,
            ),
            await _replaced(shop),
            *await _ordered(shop),
        ]
    finally:
        await db.close()


async def _replaced(shop: Shop) -> Result:
    """Replace whole suites, as 64 pushes that arrive together."""
    wanted = [
        Suite(
            sku=f"S{n}",
            name="new",
            parts=tuple(
                SuitePart(sku=f"A{(n * 7 + k) % len(shop.articles)}", num=Decimal(1))
                for k in range(4)
            ),
        )
        for n in range(min(len(shop.suites), _BATCH * 20))
    ]
    batches = [wanted[at : at + _BATCH] for at in range(0, len(wanted), _BATCH)]

    async def replace() -> None:
        for batch in batches:
            await shop.db.run(shop.tenant_id, partial(suites.replace, batch=batch))

    took, _ = await _timed(replace)
    return Result(name="suites of four parts replaced", value=len(wanted) / took, unit="suites/s")


async def _ordered(shop: Shop) -> list[Result]:
    """Take the same number of orders of suites, and of singles, in batches of 64."""
    rates = {}
    for kind, most in (("A", len(shop.articles)), ("S", len(shop.suites))):
        batches = [
            [
                NewOrder(
                    number=f"{kind}-{at}-{n}",
                    digest=b"",
                    lines=(Wanted(name=f"{kind}{(at * 64 + n) % most}", qty=1),),
                )
                for n in range(_BATCH)
            ]
            for at in range(30)
        ]

        async def place(batches: list[list[NewOrder]] = batches) -> None:
            for batch in batches:
                await shop.db.run(shop.tenant_id, partial(orders.place, batch=batch))

        took, _ = await _timed(place)
        rates[kind] = len(batches) * _BATCH / took
    return [
        Result(name="orders of one single article", value=rates["A"], unit="orders/s"),
        Result(
            name="orders of one suite",
            value=rates["S"],
            unit="orders/s",
            against="orders of one single article",
            ratio=rates["S"] / rates["A"],
        ),
    ]


@contextlib.contextmanager
def _counting(query: str) -> Iterator[list[str]]:
    """Collect the runs of one statement."""
    runs: list[str] = []
    real = Tx.rows

    async def rows(tx: Tx, text: str, *args: object) -> list[Row]:
        if text == query:
            runs.append(text)
        return await real(tx, text, *args)

    with mock.patch.object(Tx, "rows", rows):
        yield runs


async def _timed(work: Callable[[], Awaitable[Any]]) -> tuple[float, Any]:
    started = time.perf_counter()
    found = await work()
    return time.perf_counter() - started, found


async def _copy(
    tx: Tx, table: str, columns: tuple[str, ...], rows: Iterator[tuple[object, ...]]
) -> None:
    slice_: list[tuple[object, ...]] = []
    for row in rows:
        slice_.append((tx.tenant_id, *row))
        if len(slice_) == _SLICE:
            await tx.copy(table, ("tenant_id", *columns), slice_)
            slice_ = []
    if slice_:
        await tx.copy(table, ("tenant_id", *columns), slice_)
