"""Orders of the hub's own; one row a line, the rows of an order one after another.

With a ``customer_id`` an order has money: ``price`` and ``gift`` (1 asked for, 2 of a promotion) of each
line, and on its first line ``discount``, ``rebate``, ``freight`` and what was ``paid`` (empty: all of it).
``product_id`` and ``unit_id`` are how back-office screens name the goods (empty: as the article's details
say).
"""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from entrepot import decode
from entrepot.errors import Refused
from entrepot.imports.rules import Column, exact, gift, identity, positive
from entrepot.imports.staging import Batch, Faults, Kind
from entrepot.orders import flows
from entrepot.orders.prices import Money
from entrepot.orders.rules import NewOrder, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from entrepot.db import Tx

_COLUMNS = (
    Column(name="number", required=True, example="SO1001"),
    Column(name="sku", required=True, example="YPJ1601"),
    Column(name="qty", required=True, check=positive, example="2"),
    Column(name="customer", example="安港珠宝"),
    Column(name="customer_id", check=identity, example="149"),
    Column(name="price", check=exact, example="32.50"),
    Column(name="gift", check=gift, example="0"),
    Column(name="discount", check=exact, example="0"),
    Column(name="rebate", check=exact, example="0"),
    Column(name="freight", check=exact, example="0"),
    Column(name="paid", check=exact),
    Column(name="product_id", check=identity),
    Column(name="unit_id", check=identity),
)
_AT = {column.name: at for at, column in enumerate(_COLUMNS)}


async def _apply(tx: Tx, batch: Batch) -> Faults:
    orders, lines = [], []
    for new, at in _orders(tx, batch):
        orders.append(new)
        lines.append(at)
    outcomes = await flows.place(tx, orders)
    return {
        line: outcome.text
        for outcome, at in zip(outcomes, lines, strict=True)
        if isinstance(outcome, Refused)
        for line in at
    }


def _orders(tx: Tx, batch: Batch) -> Iterator[tuple[NewOrder, list[int]]]:
    """Return each order with the lines of the file it stands on."""
    for number, group in groupby(batch.rows, key=lambda row: row[1][0]):
        rows = list(group)
        content = msgspec.json.encode([cells for _, cells in rows])
        new = NewOrder(
            number=number,
            lines=tuple(_line(cells) for _, cells in rows),
            digest=decode.digest(content),
            customer=rows[0][1][3],
            money=_money(rows[0][1]),
            body=tx.seal(content),
            who=batch.who,
            same_again=True,
        )
        yield new, [line for line, _ in rows]


def _line(cells: Sequence[str]) -> Wanted:
    return Wanted(
        name=cells[1],
        qty=int(cells[2]),
        price=_amount(cells, "price"),
        gift=_number(cells, "gift") or 0,
        product_id=_number(cells, "product_id"),
        unit_id=_number(cells, "unit_id"),
    )


def _money(cells: Sequence[str]) -> Money | None:
    customer_id = _number(cells, "customer_id")
    if customer_id is None:
        return None
    return Money(
        customer_id=customer_id,
        discount=_amount(cells, "discount"),
        rebate=_amount(cells, "rebate"),
        freight=_amount(cells, "freight"),
        paid=_amount(cells, "paid") if cells[_AT["paid"]] else None,
    )


def _amount(cells: Sequence[str], column: str) -> Decimal:
    return Decimal(cells[_AT[column]] or 0)


def _number(cells: Sequence[str], column: str) -> int | None:
    cell = cells[_AT[column]]
    return int(cell) if cell else None


kind = Kind(name="orders", columns=_COLUMNS, apply=_apply, together="number", size=200)
