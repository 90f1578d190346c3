"""Sourcing: how long the database takes to find who ships a note of five lines, and the whole choice.

2,000 outlets in 31 provinces, each with 50 articles: every line of a note is in stock at some 1,500 of them.
"""

from __future__ import annotations

import random
import statistics
import time
from typing import TYPE_CHECKING, Any

from bench.context import Result
from entrepot import ids
from entrepot.connections import flows as connections
from entrepot.db import Database, Tx, alone
from entrepot.dispatch import looking, sourcing
from entrepot.dispatch.looking import Ask
from entrepot.dispatch.rules import Order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.context import Context
    from entrepot.db import Row

OUTLETS, ARTICLES = 2_000, 50
PROVINCES, CITIES, LINES = 31, 8, 5
EMPTY = 7
"""The province whose outlets have none of article 0."""
_TIMES = 300
_CEILING = 5.0


class Timed(Tx):
    """A transaction that adds up how long its statements took, asked to answered, in ms."""

    __slots__ = ("spent",)

    def __init__(self, tx: Tx) -> None:
        super().__init__(tx._database, tx._connection, tx.tenant_id)
        self.spent = 0.0

    async def rows(self, query: str, *args: object) -> list[Row]:
        """Run a query and time it."""
        began = time.perf_counter()
        found = await super().rows(query, *args)
        self.spent += (time.perf_counter() - began) * 1000
        return found


class Chain:
    """A tenant with outlets that have everything, in small numbers."""

    def __init__(self, context: Context) -> None:
        self.chance = random.Random(4)
        self.tenant_id = ids.new()
        self.outlets = [ids.new() for _ in range(context.size(OUTLETS))]
        self.articles = [ids.new() for _ in range(ARTICLES)]

    async def fill(self, db: Database) -> None:
        """Put everything in by COPY."""
        db.partner = lambda _tenant, _connection: None
        async with db.transaction(self.tenant_id) as tx:
            await connections.add_tenant(tx, "chain", {})
            await self._copy(tx, "article", ("id", "sku"), _named(self.articles, "A"))
            places = (
                (place, f"S{n:04}", f"省{n % PROVINCES}", f"市{n % (PROVINCES * CITIES)}", True)
                for n, place in enumerate(self.outlets)
            )
            await self._copy(tx, "location", ("id", "code", "province", "city", "ships"), places)
            columns = ("article_id", "location_id", "on_hand", "reserved")
            await self._copy(tx, "stock", columns, self._stock())

    def _stock(self) -> Iterator[tuple[Any, ...]]:
        """Yield rows in the order in which an import by SKU writes them: 0 to 3 pieces, some promised.

        Articles 1 and 2 are never at the same outlet; article 0 is not in the province ``EMPTY``.
        """
        for a, article in enumerate(self.articles):
            for n, place in enumerate(self.outlets):
                pieces = self.chance.choice((0, 1, 2, 3))
                if (a == 0 and n % PROVINCES == EMPTY) or (a in (1, 2) and n % 2 == a - 1):
                    pieces = 0
                promised = self.chance.choice((0, 0, 1))
                yield article, place, pieces + promised, promised

    async def _copy(
        self, tx: Tx, table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]
    ) -> None:
        named = ("tenant_id", *columns)
        await tx.copy(table, named, ((self.tenant_id, *row) for row in rows))

    def ask(self, lines: Sequence[int], province: int) -> Ask:
        """Return a note over some articles, a piece or two of each."""
        goods = {self.articles[line]: 1 + line % 2 for line in lines}
        order = Order(
            id=ids.new(),
            number="N",
            connection_id=None,
            state="accepted",
            province=f"省{province}",
            city=f"市{province}",
            lines=goods,
        )
        return Ask(order=order, goods=goods)


async def run(context: Context) -> list[Result]:
    """Measure the three cases."""
    url = await context.database("dispatch")
    db = await Database.open(url, size=2)
    chain = Chain(context)
    await chain.fill(db)
    async with alone(url) as one:
        await one.execute("VACUUM ANALYZE")
    chance = random.Random(8)
    others = range(3, ARTICLES)
    cases = {
        "whole outlet in the province": lambda: chain.ask(
            chance.sample(others, LINES), chance.randrange(PROVINCES)
        ),
        "whole outlet only elsewhere": lambda: chain.ask(
            (0, *chance.sample(others, LINES - 1)), EMPTY
        ),
        "split": lambda: chain.ask(
            (1, 2, *chance.sample(others, LINES - 2)), chance.randrange(PROVINCES)
        ),
    }
    results = []
    for name, make in cases.items():
        results += await _measure(db, chain, name, [make() for _ in range(_TIMES)])
    await db.close()
    return results


async def _measure(db: Database, chain: Chain, name: str, asks: list[Ask]) -> list[Result]:
    plan = sourcing.read(sourcing.DEFAULT)
    statements, whole, parts = [], [], set()
    async with db.reading(chain.tenant_id) as plain:
        for ask in (*asks[:20], *asks):
            tx, began = Timed(plain), time.perf_counter()
            (choice,) = await looking.choose(tx, [ask], plan)
            whole.append((time.perf_counter() - began) * 1000)
            statements.append(tx.spent)
            parts.add(len(choice.parts))
            assert not choice.lacking
    assert (parts == {1}) == (name != "split"), parts
    return [
        Result(
            name=f"{name}: at the database",
            value=statistics.median(statements[20:]),
            unit="ms",
            ceiling=_CEILING,
        ),
        Result(name=f"{name}: with the choice", value=statistics.median(whole[20:]), unit="ms"),
    ]


def _named(things: list[int], prefix: str) -> Iterator[tuple[int, str]]:
    return ((thing, f"{prefix}{n}") for n, thing in enumerate(things))
