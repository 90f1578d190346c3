"""A jeweller with a partner, on a database of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from entrepot import ids
from entrepot.catalogue import flows as catalogue
from entrepot.dialect import Partner, Settings
from entrepot.orders.rules import NewOrder, StepBy, Wanted
from entrepot.stock import flows as stock
from entrepot.stock.views import discrepancies
from tests.catalogue.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.db import Database, Row


@dataclass
class Jeweller(Shop):
    """A shop whose one partner orders styles; ``partner`` may be given other settings."""

    partner: Partner = field(
        default_factory=lambda: Partner(
            tenant_id=0, id=ids.new(), name="mini", dialect="", role="", settings=Settings()
        )
    )

    def order_of(self, number: str, lines: Mapping[str, int], **more: Any) -> NewOrder:
        """Return the partner's order of so many pieces of each style."""
        wanted = tuple(
            Wanted(name=style, qty=qty, path=f"lines[{at}].style")
            for at, (style, qty) in enumerate(lines.items())
        )
        given: dict[str, Any] = {"digest": b"d", "partner": self.partner, "named_by": "style"}
        return NewOrder(number=number, lines=wanted, who="mini", **given | more)

    def by(self, number: str, remark: str = "") -> StepBy:
        """Return a step of the partner's."""
        return StepBy(number=number, who="mini", connection_id=self.partner.id, remark=remark)

    async def styles(self, **pieces: int) -> None:
        """Create styles of 2.5 g a piece, with so many pieces at HQ."""
        async with self.db.transaction(self.tenant_id) as tx:
            made = [catalogue.Article(sku=name, style_no=name) for name in pieces]
            articles = await catalogue.add(tx, made)
            places = await stock.locations(tx, ["HQ"])
            counts = [
                stock.Count(
                    article_id=articles[name],
                    location_id=places["HQ"],
                    on_hand=n,
                    weight=n * Decimal("2.5"),
                )
                for name, n in pieces.items()
            ]
            await stock.count(tx, counts)

    async def state(self, number: str) -> str:
        """Return an order's state."""
        query = "SELECT state FROM sales_order WHERE tenant_id = $1 AND number = $2"
        (row,) = await self.rows(query, number)
        return str(row["state"])

    async def told(self) -> list[tuple[str, str]]:
        """Return what waits to be told: (kind, number), oldest first."""
        query = "SELECT kind, document FROM delivery WHERE tenant_id = $1 ORDER BY id"
        return [(row["kind"], row["document"]) for row in await self.rows(query)]

    async def unproven(self) -> list[Row]:
        """Return every balance that movements and reservations do not prove."""
        async with self.db.reading(self.tenant_id) as tx:
            return await discrepancies(tx)


@pytest.fixture
async def shop(database: Database) -> Jeweller:
    """Give a jeweller with HQ and W2 and the styles A (10 pieces) and B (none)."""
    shop = Jeweller(database)
    shop.partner = Partner(
        tenant_id=shop.tenant_id,
        id=ids.new(),
        name="mini",
        dialect="",
        role="",
        settings=Settings(),
    )
    await shop.open("HQ", "W2")
    await shop.styles(A=10, B=0)
    return shop
