"""What people and programs read of orders."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.db import queries
from entrepot.errors import Conflict, Missing

if TYPE_CHECKING:
    from entrepot.db import Tx

_q = queries(__package__)


class Line(Struct, frozen=True, kw_only=True):
    """One line: pieces of an article."""

    sku: str
    qty: int


class LogEntry(Struct, frozen=True, kw_only=True):
    """Who did what to an order."""

    at: datetime
    who: str
    what: str


class Order(Struct, frozen=True, kw_only=True):
    """An order as `entrepot orders show` prints it; ``connection`` None: the hub's own."""

    number: str
    connection: str | None
    state: str
    lines: list[Line]
    log: list[LogEntry]


async def show(tx: Tx, number: str, connection: str | None = None) -> Order:
    """Return the order a partner (``connection``, where several have one) calls by this number."""
    heads = [
        row
        for row in await tx.rows(_q.show, number)
        if connection is None or row["connection"] == connection
    ]
    if not heads:
        raise Missing("unknown_order", f"There is no order {number}.", number=number)
    if len(heads) > 1:
        names = ", ".join(row["connection"] or "-" for row in heads)
        text = f"Several connections have an order {number}; say --connection, one of: {names}."
        raise Conflict("ambiguous_order", text, number=number)
    head = heads[0]
    lines = await tx.rows(_q.lines, [head["id"]])
    log = await tx.rows(_q.log, [head["id"]])
    return Order(
        number=head["number"],
        connection=head["connection"],
        state=head["state"],
        lines=[Line(sku=row["sku"], qty=row["qty"]) for row in lines],
        log=[LogEntry(at=row["at"], who=row["who"], what=row["what"]) for row in log],
    )
