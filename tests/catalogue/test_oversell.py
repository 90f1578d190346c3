"""Nothing is oversold, whatever is ordered of suites and singles that share parts."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from math import ceil, floor
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.catalogue import suites
from entrepot.db import Database
from entrepot.errors import Refused
from entrepot.orders import flows as orders
from tests.catalogue.shop import Shop, bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SINGLES = ("A", "B", "C")
numbers = st.sampled_from(["1", "2", "3", "0.5", "2.5", "0.3333"])
recipes = st.dictionaries(st.sampled_from(SINGLES), numbers, min_size=1)
actions = st.tuples(
    st.sampled_from(["order", "order", "order", "ship", "cancel"]),
    st.lists(
        st.tuples(st.sampled_from([*SINGLES, "S", "T"]), st.integers(1, 6)), min_size=1, max_size=4
    ),
    st.integers(0, 9),
)


def takes(
    lines: Sequence[tuple[str, int]], recipe: Mapping[str, Mapping[str, str]]
) -> dict[str, int]:
    """Return the pieces that an order takes by the rule: rounded up per line, summed per article."""
    pieces: dict[str, int] = {}
    for sku, qty in lines:
        for part, num in recipe.get(sku, {sku: "1"}).items():
            pieces[part] = pieces.get(part, 0) + ceil(Decimal(num) * qty)
    return pieces


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    stock=st.tuples(*[st.integers(0, 25)] * 3),
    s=recipes,
    t=recipes,
    doing=st.lists(actions, min_size=1, max_size=12),
)
def test_a_channel_that_sells_what_it_is_told_never_oversells(
    database_url: str,
    stock: tuple[int, ...],
    s: dict[str, str],
    t: dict[str, str],
    doing: list[tuple[str, list[tuple[str, int]], int]],
) -> None:
    """A channel takes an order only when its lines fit what is published after each other.

    Then no part is ever promised beyond what lies there, every order can be shipped, and what is
    published is always the minimum over the parts.
    """

    async def sell() -> None:
        database = await Database.open(database_url, size=2)
        try:
            await _sell(Shop(database), stock, {"S": s, "T": t}, doing)
        finally:
            await database.close()

    asyncio.run(sell())


async def _sell(
    shop: Shop,
    stock: tuple[int, ...],
    recipe: dict[str, dict[str, str]],
    doing: list[tuple[str, list[tuple[str, int]], int]],
) -> None:
    await shop.open("HQ")
    await shop.articles(*SINGLES)
    await shop.count("HQ", **dict(zip(SINGLES, stock, strict=True)))
    await shop.do(suites.replace, *(bundle(sku, **parts) for sku, parts in recipe.items()))
    on_hand = dict(zip(SINGLES, stock, strict=True))
    open_orders: dict[str, dict[str, int]] = {}
    for at, (action, lines, which) in enumerate(doing):
        reserved = {sku: sum(o.get(sku, 0) for o in open_orders.values()) for sku in SINGLES}
        free = {sku: on_hand[sku] - reserved[sku] for sku in SINGLES}
        for sku, parts in recipe.items():
            counts = [floor(Decimal(free[part]) / Decimal(num)) for part, num in parts.items()]
            assert (await shop.available(sku))[0] == min(counts)
        if action == "order":
            pieces = takes(lines, recipe)
            if all(pieces[sku] <= free[sku] for sku in pieces):
                await shop.order_lines(f"o{at}", lines)
                open_orders[f"o{at}"] = pieces
        elif open_orders:
            number = sorted(open_orders)[which % len(open_orders)]
            gone = open_orders.pop(number)
            await shop.step(orders.ship if action == "ship" else orders.cancel, number)
            if action == "ship":
                on_hand = {sku: on_hand[sku] - gone.get(sku, 0) for sku in SINGLES}
        for sku, (there, promised) in (await shop.balances()).items():
            assert promised <= there
            assert there == on_hand[sku]


async def test_orders_at_the_same_moment_share_parts_correctly(shop: Shop) -> None:
    """Fifty orders on several connections, suites and singles: the parts add up, and ship once each.

    There is enough for half of them: those that ship leave exactly nothing, the others are refused.
    """
    await shop.articles("A", "B")
    await shop.count("HQ", A=75, B=50)
    await shop.do(suites.replace, bundle("S", A=2, B=1), bundle("T", A=1, B=1))
    numbers = [(f"o{n}", "S" if n % 2 else "T") for n in range(100)]
    await asyncio.gather(*(shop.order(number, **{sku: 1}) for number, sku in numbers))
    assert await shop.balances() == {"A": (75, 150), "B": (50, 100)}
    shipped = await asyncio.gather(
        *(shop.step(orders.ship, number) for number, _ in numbers), return_exceptions=True
    )
    refused = [number for number in shipped if isinstance(number, Refused)]
    gone = [
        sku for (_, sku), outcome in zip(numbers, shipped, strict=True) if outcome not in refused
    ]
    there = await shop.balances()
    assert there["A"][0] == 75 - sum(2 if sku == "S" else 1 for sku in gone)
    assert there["B"][0] == 50 - len(gone)
    assert min(there["A"][0], there["B"][0]) in (0, 1)
