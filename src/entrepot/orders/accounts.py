"""The money of orders: open an account, read it under the order's lock, reprice it, book into it.

The order's row is the one lock of everything that its customer may still return or get back.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from entrepot import clock, ids
from entrepot.db import queries
from entrepot.errors import Conflict, Missing
from entrepot.money import ZERO
from entrepot.orders.prices import Account, Money, Part, owed
from entrepot.orders.rules import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from entrepot.db import Row, Tx

_q = queries(__package__)


class Customer(Struct, frozen=True, kw_only=True):
    """Whom the goods are sold to. ``type`` A, P, C or P2P; ``parent`` 0 普通客户, 1 总店, 2 分店."""

    id: int
    name: str
    type: str = ""
    parent: int = 0


class Opening(Struct, frozen=True, kw_only=True):
    """A new order's money; ``lines`` with the ids of their articles."""

    order_id: int
    money: Money
    customer: str
    lines: Sequence[tuple[Wanted, int]]
    who: str = ""


class Entry(Struct, frozen=True, kw_only=True):
    """A line of an order's ledger. Only ``refunded`` entries change a balance (what was given back)."""

    order_id: int
    kind: Literal["refunded", "adjusted"]
    amount: Decimal
    document: str
    serial: str = ""
    who: str = ""


async def add_customers(tx: Tx, customers: Sequence[Customer]) -> None:
    """Create customers, or change those with the same id."""
    unique = {customer.id: customer for customer in customers}
    rows = [unique[key] for key in sorted(unique)]
    await tx.do(
        _q.add_customers,
        [c.id for c in rows],
        [c.name for c in rows],
        [c.type for c in rows],
        [c.parent for c in rows],
    )


async def open_(tx: Tx, openings: Sequence[Opening]) -> None:
    """Write down what new orders cost; their customers are made where they are new."""
    if not openings:
        return
    named = {opening.money.customer_id: opening.customer for opening in openings}
    await tx.do(_q.meet_customers, sorted(named), [named[key] for key in sorted(named)])
    paid = [_paid(opening) for opening in openings]
    entries = [(o, "paid", amount) for o, amount in zip(openings, paid, strict=True)]
    entries += [(o, "discounted", o.money.discount + o.money.rebate) for o in openings]
    booked = [entry for entry in entries if entry[2]]
    lines = [
        (o.order_id, part, article_id, line)
        for o in openings
        for part, (line, article_id) in enumerate(o.lines)
    ]
    await tx.do(
        _q.open_accounts,
        [o.order_id for o in openings],
        [o.money.customer_id for o in openings],
        [o.money.discount for o in openings],
        [o.money.rebate for o in openings],
        [o.money.freight for o in openings],
        paid,
        *([row[column] for row in lines] for column in range(3)),
        [row[3].product_id for row in lines],
        [row[3].unit_id for row in lines],
        [row[3].qty for row in lines],
        [row[3].price for row in lines],
        [row[3].gift for row in lines],
        [entry[0].order_id for entry in booked],
        ids.some(len(booked)),
        [entry[1] for entry in booked],
        [entry[2] for entry in booked],
        [entry[0].who for entry in booked],
    )


async def find(tx: Tx, numbers: Iterable[str]) -> dict[str, int]:
    """Return order ids by number; where several connections have one, the hub's own, else the oldest."""
    rows = await tx.rows(_q.find_accounts, sorted(set(numbers)))
    return {row["number"]: row["id"] for row in rows}


async def lock(tx: Tx, order_ids: Iterable[int]) -> dict[int, Account]:
    """Lock orders in the order of their ids; return those that have prices."""
    wanted = sorted(set(order_ids))
    if wanted:
        await tx.do(_q.lock_by_id, wanted)
    return await read(tx, wanted)


async def read(tx: Tx, order_ids: Iterable[int]) -> dict[int, Account]:
    """Return the accounts of orders as they are now."""
    wanted = sorted(set(order_ids))
    if not wanted:
        return {}
    parts: dict[int, list[Part]] = {}
    for row in await tx.rows(_q.parts, wanted):
        parts.setdefault(row["order_id"], []).append(_part(row))
    return {
        row["order_id"]: _account(row, parts.get(row["order_id"], []))
        for row in await tx.rows(_q.accounts, wanted)
    }


async def discrepancies(tx: Tx) -> list[Row]:
    """Return the orders whose ledger does not add up to what was paid and refunded."""
    return await tx.rows(_q.verify_money)


def account_of(accounts: dict[int, Account], order_id: int | None, number: str) -> Account:
    """Return an order's account; raises Missing for no such order, Conflict for one without prices."""
    if order_id is None:
        raise Missing("unknown_order", f"There is no order {number}.", number=number)
    if order_id not in accounts:
        raise Conflict("no_prices", f"Order {number} came without prices.", number=number)
    return accounts[order_id]


async def reprice(tx: Tx, changed: Sequence[tuple[Account, Account, str, str]]) -> None:
    """Save new prices: (account before, after, document, who); the difference is booked."""
    if not changed:
        return
    last = {after.order_id: after for _, after, _, _ in changed}
    parts = [(after.order_id, part) for after in last.values() for part in after.parts]
    entries = []
    for before, after, document, who in changed:
        entries.append((after.order_id, "adjusted", after.cost - before.cost, document, who))
        if after.paid != before.paid:
            entries.append((after.order_id, "paid", after.paid - before.paid, document, who))
    await tx.do(
        _q.reprice,
        list(last),
        [after.paid for after in last.values()],
        [order_id for order_id, _ in parts],
        [part.part for _, part in parts],
        [part.article_id for _, part in parts],
        [part.product_id for _, part in parts],
        [part.unit_id for _, part in parts],
        [part.qty for _, part in parts],
        [part.price for _, part in parts],
        [part.gift for _, part in parts],
        [entry[0] for entry in entries],
        ids.some(len(entries)),
        *([entry[column] for entry in entries] for column in range(1, 5)),
    )


async def book(tx: Tx, entries: Sequence[Entry]) -> None:
    """Write entries into the ledgers of locked orders, and refunds into their balances."""
    if not entries:
        return
    await tx.do(
        _q.book,
        [entry.order_id for entry in entries],
        ids.some(len(entries)),
        *(
            [getattr(entry, field) for entry in entries]
            for field in ("kind", "amount", "document", "serial", "who")
        ),
    )


def serial() -> str:
    """Return a fresh refund serial number (退款流水号): 32 digits, the first ten the Unix time."""
    return f"{int(clock.now().timestamp())}{ids.new():019}{secrets.randbelow(1000):03}"


def _paid(opening: Opening) -> Decimal:
    """Return what was paid: what the order says, else all that it costs."""
    if opening.money.paid is not None:
        return opening.money.paid
    cost = sum((line.price * line.qty for line, _ in opening.lines if not line.gift), ZERO)
    money = opening.money
    return owed(cost, money.discount + money.rebate, money.freight)


def _part(row: Row) -> Part:
    return Part(**{field: row[field] for field in Part.__struct_fields__})


def _account(row: Row, parts: Sequence[Part]) -> Account:
    fields = [field for field in Account.__struct_fields__ if field != "parts"]
    return Account(**{field: row[field] for field in fields}, parts=tuple(parts))
