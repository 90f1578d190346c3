"""Stated totals are compared with what the places hold, set by set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot.catalogue import totals
from entrepot.catalogue.totals import Side
from entrepot.discrepancies import views
from entrepot.discrepancies.views import Filter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.catalogue.shop import Shop


async def differing(shop: Shop) -> Mapping[tuple[int | None, str], Any]:
    """Return the figures of what stands."""
    async with shop.db.reading(shop.tenant_id) as tx:
        found = await views.find(tx, Filter())
    return {(one.connection_id, one.subject): one.details for one in found}


async def test_each_connection_has_its_own_places(shop: Shop) -> None:
    """One batch, two partners: one counts every place, the other only W2; an article nobody has is 0."""
    articles = await shop.articles("A", "B")
    await shop.count("HQ", A=5)
    await shop.count("W2", A=3)
    everywhere = Side(connection_id=1, subject="A", article_id=articles["A"], total=9)
    there = Side(connection_id=2, subject="A", article_id=articles["A"], places=("W2",), total=9)
    nothing = Side(connection_id=2, subject="B", article_id=articles["B"], places=("W2",), total=0)
    sides = (everywhere, there, nothing)
    async with shop.db.transaction(shop.tenant_id) as tx:
        await totals.compare(tx, sides)
    assert await differing(shop) == {
        (1, "A"): {"stated": 9, "stores": 8},
        (2, "A"): {"stated": 9, "stores": 3},
    }


async def test_what_is_not_open_is_not_compared_without_a_total(shop: Shop) -> None:
    """A partner who never stated a total of it has nothing to differ from."""
    articles = await shop.articles("A")
    async with shop.db.transaction(shop.tenant_id) as tx:
        await totals.compare(tx, [Side(connection_id=1, subject="A", article_id=articles["A"])])
        await totals.compare(tx, [])
    assert await differing(shop) == {}
