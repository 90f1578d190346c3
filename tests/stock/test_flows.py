"""Balances, reservations and the ledger, on a real database."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.db import Database
from entrepot.errors import Conflict, Missing
from entrepot.stock import flows as stock
from entrepot.stock import reserving
from entrepot.stock.flows import Count, Location, Move, Stated
from entrepot.stock.rules import Demand
from entrepot.stock.views import discrepancies
from tests.catalogue.shop import Shop

if TYPE_CHECKING:
    from entrepot.db import Row, Tx


class Store(Shop):
    """A shop with the article A at HQ, by ids."""

    article = home = 0

    async def stock_up(self) -> None:
        """Open with HQ and W2, and A nowhere."""
        await self.open("HQ", "W2")
        self.article = (await self.articles("A"))["A"]
        self.home = await self.place("HQ")

    async def place(self, code: str) -> int:
        """Return a location's id."""

        async def find(tx: Tx) -> int:
            return (await stock.locations(tx, [code]))[code]

        return await self.db.run(self.tenant_id, find)

    async def take(self, on_hand: int, weight: str | None = None) -> None:
        """Take stock at HQ."""
        grams = None if weight is None else Decimal(weight)
        count = Count(article_id=self.article, location_id=self.home, on_hand=on_hand, weight=grams)
        await self.db.run(self.tenant_id, lambda tx: stock.count(tx, [count]))

    async def reserve(self, document: int, qty: int, *locations: int) -> None:
        """Promise pieces to a document."""
        demand = Demand(
            document_id=document, line=0, article_id=self.article, qty=qty, locations=locations
        )
        await self.db.run(self.tenant_id, lambda tx: reserving.reserve(tx, [demand]))

    async def balance(self) -> tuple[int, int, Decimal]:
        """Return on hand, reserved and grams at HQ."""
        (row,) = await self.rows(
            "SELECT on_hand, reserved, weight FROM stock WHERE tenant_id = $1 AND location_id = $2",
            self.home,
        )
        return row["on_hand"], row["reserved"], row["weight"]

    async def unproven(self) -> list[Row]:
        """Return what the ledger does not prove."""
        async with self.db.reading(self.tenant_id) as tx:
            return await discrepancies(tx)


@pytest.fixture
async def shop(database: Database) -> Store:
    """Give a shop that never stocked its article A."""
    shop = Store(database)
    await shop.stock_up()
    return shop


async def test_a_stocktake_books_the_difference(shop: Store) -> None:
    """And the last of repeated counts is the one that counts."""
    await shop.take(10, "25")
    await shop.take(7)
    assert await shop.balance() == (7, 0, Decimal("17.5"))
    await shop.take(7, "20.0001")
    assert await shop.balance() == (7, 0, Decimal("20.0001"))
    rows = await shop.rows(
        "SELECT delta, on_hand, weight_delta, kind FROM movement WHERE tenant_id = $1 ORDER BY id"
    )
    assert [tuple(row.values()) for row in rows] == [  # type: ignore[attr-defined]  # asyncpg.Record
        (10, 10, Decimal(25), "stocktake"),
        (-3, 7, Decimal("-7.5"), "stocktake"),
        (0, 7, Decimal("2.5001"), "stocktake"),
    ]


async def test_a_stocktake_that_finds_what_was_known_books_nothing(shop: Store) -> None:
    await shop.take(10, "25")
    await shop.take(10, "25")
    await shop.take(10)
    assert len(await shop.rows("SELECT 1 FROM movement WHERE tenant_id = $1")) == 1


async def test_a_stocktake_may_find_less_than_is_promised(shop: Store) -> None:
    await shop.take(10)
    await shop.reserve(1, 8)
    await shop.take(3)
    assert (await shop.balance())[:2] == (3, 8)


async def test_the_last_piece_takes_all_the_weight_that_is_left(shop: Store) -> None:
    """No grams without pieces, whatever was rounded on the way."""
    await shop.take(3, "10")
    for _ in range(3):
        on_hand = (await shop.balance())[0]
        await shop.take(on_hand - 1)
    assert await shop.balance() == (0, 0, Decimal(0))


async def test_no_move_leaves_less_than_nothing(shop: Store) -> None:
    await shop.take(2)
    move = Move(article_id=shop.article, location_id=shop.home, delta=-3, kind="loss")
    with pytest.raises(Conflict):
        await shop.db.run(shop.tenant_id, lambda tx: stock.move(tx, [move]))
    assert (await shop.balance())[0] == 2


async def test_what_was_never_stocked_can_be_promised(shop: Store) -> None:
    """At the tenant's first location, or at the first the demand may draw on."""
    await shop.reserve(1, 5)
    assert (await shop.balance())[:2] == (0, 5)
    await shop.reserve(2, 5, await shop.place("W2"))
    rows = await shop.rows("SELECT reserved FROM stock WHERE tenant_id = $1 ORDER BY location_id")
    assert [row["reserved"] for row in rows] == [5, 5]


async def test_releasing_frees_once(shop: Store) -> None:
    await shop.take(10)
    await shop.reserve(1, 4)
    await shop.reserve(2, 3)
    for _ in range(2):
        await shop.db.run(shop.tenant_id, lambda tx: stock.release(tx, [1]))
    assert (await shop.balance())[:2] == (10, 3)


async def test_a_stated_level_is_what_may_still_be_sold(shop: Store) -> None:
    """Promises and safety stock lie on top of it; the last of repeated rows counts."""
    await shop.take(10)
    await shop.reserve(1, 4)
    await shop.rows("UPDATE stock SET safety = 2 WHERE tenant_id = $1 RETURNING 1")

    def stated(pieces: int) -> Stated:
        return Stated(article_id=shop.article, location_id=shop.home, available=pieces)

    await shop.db.run(shop.tenant_id, lambda tx: stock.state(tx, [stated(99), stated(20)]))
    assert (await shop.balance())[:2] == (26, 4)
    await shop.db.run(shop.tenant_id, lambda tx: stock.state(tx, [stated(0)]))
    assert (await shop.balance())[:2] == (6, 4)
    assert not await shop.unproven()


async def test_every_unknown_location_is_named(shop: Store) -> None:
    with pytest.raises(Missing) as caught:
        await shop.db.run(shop.tenant_id, lambda tx: stock.locations(tx, ["HQ", "X", "Y"]))
    assert caught.value.facts["locations"] == ["X", "Y"]


async def test_a_location_is_renamed_by_its_code(shop: Store) -> None:
    places = [Location(code="HQ", name="old"), Location(code="HQ", name="总仓", city="深圳市")]
    await shop.db.run(shop.tenant_id, lambda tx: stock.add_locations(tx, places))
    rows = await shop.rows(
        "SELECT code, name, city FROM location WHERE tenant_id = $1 ORDER BY code"
    )
    assert [(row["code"], row["name"], row["city"]) for row in rows] == [
        ("HQ", "总仓", "深圳市"),
        ("W2", "", ""),
    ]


async def test_every_change_of_what_is_available_is_marked_for_the_courier(shop: Store) -> None:
    async def marks() -> int:
        return len(await shop.rows("SELECT 1 FROM stock_change WHERE tenant_id = $1"))

    await shop.take(10)
    await shop.reserve(1, 4)
    await shop.db.run(shop.tenant_id, lambda tx: stock.release(tx, [1]))
    assert await marks() == 3


doings = st.lists(
    st.one_of(
        st.tuples(st.just("count"), st.integers(0, 20), st.none() | st.integers(0, 500)),
        st.tuples(st.just("reserve"), st.integers(0, 4), st.integers(1, 9)),
        st.tuples(st.just("release"), st.integers(0, 4), st.just(0)),
        st.tuples(st.just("ship"), st.integers(0, 4), st.booleans()),
        st.tuples(st.just("state"), st.integers(0, 20), st.just(0)),
    ),
    max_size=15,
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(doings)
def test_whatever_is_done_the_ledger_proves_it(database_url: str, doing: list[Any]) -> None:
    """Σ movements = balance, Σ open reservations = reserved, nothing below zero."""

    async def live() -> None:
        database = await Database.open(database_url, size=1)
        try:
            shop = Store(database)
            await shop.stock_up()
            for what, first, second in doing:
                await _do(shop, what, first, second)
            assert not await shop.unproven()
        finally:
            await database.close()

    asyncio.run(live())


async def _do(shop: Store, what: str, first: int, second: Any) -> None:
    """Do one thing; ``first`` is a document or a number of pieces."""
    tenant = shop.tenant_id
    if what == "count":
        await shop.take(first, None if second is None else str(second))
    elif what == "reserve":
        await shop.reserve(first, second)
    elif what == "release":
        await shop.db.run(tenant, lambda tx: stock.release(tx, [first]))
    elif what == "ship":
        await shop.db.run(tenant, lambda tx: stock.ship(tx, [(first, "N")], "t", elsewhere=second))
    else:
        level = Stated(article_id=shop.article, location_id=shop.home, available=first)
        await shop.db.run(tenant, lambda tx: stock.state(tx, [level]))
