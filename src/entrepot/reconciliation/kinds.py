"""The three lists that are reconciled: orders, stock and refunds of a day.

A cell that is empty, and a column that is missing, is not compared. Every list has one line per key: of
repeated orders and refunds the amounts and pieces add up, of repeated stock lines the last counts.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.imports.rules import Column, exact, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

STATES = ("open", "shipped", "cancelled")


def _state(cell: str) -> str | None:
    return None if cell in STATES else f"is not one of {', '.join(STATES)}"


class Kind(Struct, frozen=True, kw_only=True):
    """One list: its columns, the query that compares it, and the kind of discrepancy it leaves."""

    name: str
    columns: tuple[Column, ...]
    discrepancy: str


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="orders",
            discrepancy="orders_differ",
            columns=(
                Column(name="number", required=True, example="NO0015"),
                Column(name="qty", check=whole, example="120"),
                Column(name="amount", check=exact, example="412.00"),
                Column(name="state", check=_state, example="shipped"),
            ),
        ),
        Kind(
            name="stock",
            discrepancy="stock_differs",
            columns=(
                Column(name="sku", required=True, example="YPJ1601"),
                Column(name="location", example="HQ"),
                Column(name="qty", required=True, check=whole, example="500"),
            ),
        ),
        Kind(
            name="refunds",
            discrepancy="refunds_differ",
            columns=(
                Column(name="number", required=True, example="SR2603010000001"),
                Column(name="amount", required=True, check=exact, example="32.50"),
            ),
        ),
    )
}


class Run(Struct, frozen=True, kw_only=True):
    """One reconciliation as it went: how many keys either side has, and how many of them differ."""

    connection_id: int
    kind: str
    day: str
    file: str
    who: str
    theirs: int
    ours: int
    differing: int
    at: datetime | None = None
