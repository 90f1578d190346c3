"""Decisions about stock. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.money import GRAM4, ZERO, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence


class Balance(Struct, kw_only=True):
    """One row of stock while its lock is held; pieces, grams."""

    article_id: int
    location_id: int
    on_hand: int
    reserved: int
    safety: int = 0
    weight: Decimal = ZERO

    @property
    def available(self) -> int:
        """Pieces that may still be promised; below 0 where goods are made to order."""
        return self.on_hand - self.reserved - self.safety


class Demand(Struct, frozen=True, kw_only=True):
    """Pieces of one article wanted by one line of a document.

    ``locations`` are the ids it may come from, in order of preference; empty means any.
    """

    document_id: int
    line: int
    article_id: int
    qty: int
    locations: tuple[int, ...] = ()


class Pick(Struct, frozen=True, kw_only=True):
    """Where a demand is reserved."""

    demand: Demand
    location_id: int


def place(demand: Demand, balances: Sequence[Balance]) -> Balance:
    """Return the balance a whole demand is reserved at.

    The first that has it all, in order of preference; else the one with most of it, so that what is
    made to order waits where it lacks least. ``balances`` are the article's rows, not empty.
    """
    ranked = _preferred(demand.locations, balances)
    for balance in ranked:
        if balance.available >= demand.qty:
            return balance
    return max(ranked, key=lambda balance: balance.available)


def _preferred(locations: Sequence[int], balances: Sequence[Balance]) -> Sequence[Balance]:
    if not locations:
        return balances
    rank = {location: position for position, location in enumerate(locations)}
    allowed = [balance for balance in balances if balance.location_id in rank]
    return sorted(allowed, key=lambda balance: rank[balance.location_id])


def weight_of(pieces: int, on_hand: int, weight: Decimal) -> Decimal:
    """Return the grams of some of the pieces on hand, half-up to 4 decimals; 0 where none are."""
    if on_hand <= 0 or pieces <= 0:
        return ZERO
    return rounded(weight * Decimal(pieces) / Decimal(on_hand), GRAM4)
