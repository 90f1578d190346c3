"""Orders of the hub's own, or of a connection's; one row a line, the rows of an order one after another."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from entrepot import decode
from entrepot.errors import Refused
from entrepot.imports.rules import Column, positive
from entrepot.imports.staging import Batch, Faults, Kind
from entrepot.orders import flows
from entrepot.orders.rules import NewOrder, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entrepot.db import Tx

_COLUMNS = (
    Column(name="number", required=True, example="SO1001"),
    Column(name="sku", required=True, example="YPJ1601"),
    Column(name="qty", required=True, check=positive, example="2"),
    Column(name="customer", example="安港珠宝"),
)


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
            lines=tuple(Wanted(name=cells[1], qty=int(cells[2])) for _, cells in rows),
            digest=decode.digest(content),
            customer=rows[0][1][3],
            body=tx.seal(content),
            who=batch.who,
            same_again=True,
        )
        yield new, [line for line, _ in rows]


kind = Kind(name="orders", columns=_COLUMNS, apply=_apply, together="number", size=200)
