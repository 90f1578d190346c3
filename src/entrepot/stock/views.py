"""What people and programs read of stock."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import money
from entrepot.db import queries
from entrepot.errors import Missing
from entrepot.stock import published, rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Row, Tx

_q = queries(__package__)


class Standing(Struct, frozen=True, kw_only=True):
    """The stock of one SKU at one location; pieces, grams of all pieces on hand.

    A suite has no stock of its own: only ``available`` says how many its parts there allow, and
    ``location`` is ``""`` for those whose parts lie apart.
    """

    sku: str
    location: str
    on_hand: int
    reserved: int
    safety: int
    available: int
    weight: Decimal


async def standing(tx: Tx, skus: Sequence[str]) -> list[Standing]:
    """Return the stock of these SKUs by SKU and location; raises Missing naming the unknown ones."""
    known = {row["sku"]: row for row in await tx.rows(_q.known_skus, list(skus))}
    unknown = [sku for sku in skus if sku not in known]
    if unknown:
        text = f"There is no article {', '.join(unknown)}."
        raise Missing("unknown_article", text, skus=unknown)
    rows = [
        Standing(
            sku=row["sku"],
            location=row["location"],
            on_hand=row["on_hand"],
            reserved=row["reserved"],
            safety=row["safety"],
            available=row["on_hand"] - row["reserved"] - row["safety"],
            weight=money.plain(row["weight"]),
        )
        for row in await tx.rows(_q.levels, list(skus))
    ]
    suites = {row["id"]: row["sku"] for row in known.values() if row["kind"] == "suite"}
    rows += await _suites(tx, suites)
    return sorted(rows, key=lambda row: (row.sku, row.location))


async def _suites(tx: Tx, suites: dict[int, str]) -> list[Standing]:
    if not suites:
        return []
    _, parts = await published.stock_of(tx, sorted(suites))
    return [
        Standing(
            sku=sku,
            location="" if code == rules.TOGETHER else code,
            on_hand=0,
            reserved=0,
            safety=0,
            available=pieces,
            weight=money.ZERO,
        )
        for suite, sku in suites.items()
        for code, pieces in rules.counted(parts.get(suite, {}).values(), (), None).items()
        if pieces or code != rules.TOGETHER
    ]


async def discrepancies(tx: Tx) -> list[Row]:
    """Return every balance that its movements or its open reservations do not prove; none is right."""
    return await tx.rows(_q.verify_balances)
