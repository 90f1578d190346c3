"""A tenant with a warehouse for tests of the catalogue: what is said in a line or two of the flows."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from entrepot import ids
from entrepot.catalogue import flows as catalogue
from entrepot.catalogue import suites
from entrepot.connections.flows import add_tenant
from entrepot.errors import Refused
from entrepot.facts import Suite, SuitePart
from entrepot.orders import flows as orders
from entrepot.orders.rules import NewOrder, StepBy, Wanted
from entrepot.stock import flows as stock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.db import Database, Row


def bundle(sku: str, **nums: float | str) -> Suite:
    """Return a suite by its parts: ``bundle("S", A=1, B="0.5")``."""
    parts = tuple(SuitePart(sku=part, num=Decimal(str(num))) for part, num in nums.items())
    return Suite(sku=sku, name=sku, parts=parts)


@dataclass
class Shop:
    """One tenant; ``told`` collects what the listeners of the given kinds were told."""

    db: Database
    tenant_id: int = field(default_factory=ids.new)
    listeners: dict[str, list[int]] = field(default_factory=dict)

    async def open(self, *locations: str) -> None:
        """Create the tenant and its locations."""
        self.db.seal = bytes
        self.db.listens = lambda _tenant, connection, kind: connection in self.hear(kind)
        self.db.listeners = lambda _tenant, kind: self.hear(kind)
        async with self.db.transaction(self.tenant_id) as tx:
            await add_tenant(tx, f"shop-{self.tenant_id}", {})
            for code in locations:
                await tx.do(
                    "INSERT INTO location (tenant_id, id, code) VALUES ($1, $2, $3)",
                    ids.new(),
                    code,
                )

    def hear(self, kind: str) -> list[int]:
        """Return the connections that are told this kind."""
        return self.listeners.get(kind, [])

    async def do(self, flow: Any, *commands: object) -> list[Any]:
        """Run one batch of a flow in a transaction of its own."""

        async def work(tx: Any) -> Sequence[Any]:
            outcomes: Sequence[Any] = await flow(tx, commands)
            return outcomes

        return list(await self.db.run(self.tenant_id, work))

    async def one(self, flow: Any, command: object) -> Any:
        """Run one command; raises its refusal."""
        outcome = (await self.do(flow, command))[0]
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    async def articles(self, *skus: str, **prices: str) -> dict[str, int]:
        """Create single articles, some with a retail price."""
        new = [catalogue.Article(sku=sku, name=f"name of {sku}") for sku in skus]
        new += [
            catalogue.Article(sku=sku, retail_price=Decimal(price)) for sku, price in prices.items()
        ]
        async with self.db.transaction(self.tenant_id) as tx:
            return await catalogue.add(tx, new)

    async def count(self, location: str, **pieces: int) -> None:
        """Take stock: so many pieces of each article lie there."""
        async with self.db.transaction(self.tenant_id) as tx:
            places = await stock.locations(tx, [location])
            articles = await catalogue.by_sku(tx, list(pieces))
            counts = [
                stock.Count(article_id=articles[sku], location_id=places[location], on_hand=n)
                for sku, n in pieces.items()
            ]
            await stock.count(tx, counts)

    async def order(self, number: str, **lines: int) -> Any:
        """Place an order of the hub's own."""
        return await self.order_lines(number, list(lines.items()))

    async def order_lines(self, number: str, lines: Sequence[tuple[str, int]]) -> Any:
        """Place an order whose lines may name an article twice."""
        wanted = tuple(Wanted(name=sku, qty=qty) for sku, qty in lines)
        new = NewOrder(number=number, lines=wanted, digest=b"", who="test")
        return await self.one(orders.place, new)

    async def step(self, flow: Any, number: str) -> Any:
        """Take one step on an order."""
        return await self.one(flow, StepBy(number=number, who="test"))

    async def available(self, sku: str, *locations: str) -> tuple[int, str]:
        """Return how many of a suite there are, and the part that limits it."""
        async with self.db.reading(self.tenant_id) as tx:
            shown = await suites.named(tx, sku)
            found = await suites.availability(tx, shown.id, locations)
        return found.available, found.part

    async def balances(self) -> Mapping[str, tuple[int, int]]:
        """Return (on hand, reserved) by SKU, over all locations."""
        rows = await self.rows(
            "SELECT a.sku, sum(s.on_hand)::int AS on_hand, sum(s.reserved)::int AS reserved FROM stock s"
            " JOIN article a ON a.tenant_id = s.tenant_id AND a.id = s.article_id"
            " WHERE s.tenant_id = $1 GROUP BY 1"
        )
        return {row["sku"]: (row["on_hand"], row["reserved"]) for row in rows}

    async def rows(self, query: str, *args: object) -> list[Row]:
        """Read."""
        async with self.db.reading(self.tenant_id) as tx:
            return await tx.rows(query, *args)
