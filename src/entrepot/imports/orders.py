"""Orders of the hub's own; one row a line, the rows of an order one after another.

What is said of the whole order stands on its first line; further lines leave it empty or repeat it. With
a ``receiver`` it is offered to outlets. With a ``customer_id`` it has money: ``price`` and ``gift`` (1 asked
for, 2 of a promotion) of each line, ``discount``, ``rebate``, ``freight`` and what was ``paid`` (empty: all).
``product_id`` and ``unit_id`` are how back-office screens name the goods (empty: as the article's
details say). In JSON an order may hold its ``lines`` as a list, and its receiver as an object. ``state`` and
``created_at``, which an export tells, are passed over: an order comes in as accepted, now.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from entrepot import decode
from entrepot.dispatch import intake
from entrepot.errors import BadInput, Refused
from entrepot.facts import Receiver
from entrepot.imports.rules import Column, exact, gift, identity, nobodys, positive, short
from entrepot.imports.staging import Batch, Faults, Kind
from entrepot.orders.prices import Money
from entrepot.orders.rules import NewOrder, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Tx

_COLUMNS = (
    Column(name="number", required=True, check=short, example="SO1001"),
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
    Column(name="receiver", check=short, example="小满"),
    Column(name="phone", check=short, example="13800000000"),
    Column(name="province", check=short, example="浙江省"),
    Column(name="city", check=short, example="杭州市"),
    Column(name="county", check=short, example="西湖区"),
    Column(name="address", example="文三路1号"),
    Column(name="connection", check=nobodys),
    Column(name="state"),
    Column(name="created_at"),
)
_AT = {column.name: at for at, column in enumerate(_COLUMNS)}
_OF_LINES = {"number", "sku", "qty", "price", "gift", "product_id", "unit_id"}
_TOLD = {"connection", "state", "created_at"}
OF_ORDER = tuple(name for name in _AT if name not in _OF_LINES | _TOLD)
_MONEY = ("discount", "rebate", "freight", "paid")
RECEIVER = ("receiver", "phone", "province", "city", "county", "address")

Row = tuple[int, "Sequence[str]"]


async def _apply(tx: Tx, batch: Batch) -> Faults:
    orders, lines = [], []
    wrong: Faults = {}
    for _, group in groupby(batch.rows, key=lambda row: row[1][0]):
        rows = list(group)
        try:
            orders.append(_order(tx, rows, batch.who))
        except BadInput as fault:
            wrong |= {line: fault.text for line, _ in rows}
        else:
            lines.append([line for line, _ in rows])
    outcomes = await intake.place(tx, orders)
    for outcome, at in zip(outcomes, lines, strict=True):
        if isinstance(outcome, Refused):
            wrong |= dict.fromkeys(at, outcome.text)
    return wrong


def _order(tx: Tx, rows: Sequence[Row], who: str) -> NewOrder:
    """Return the order that stands on these rows; raises BadInput saying what does not fit together."""
    head = rows[0][1]
    for line, cells in rows[1:]:
        for name in OF_ORDER:
            if cells[_AT[name]] not in ("", head[_AT[name]]):
                raise BadInput("other_head", f"{name} of line {line} is not that of the first line")
    content = msgspec.json.encode([cells[: _AT["connection"]] for _, cells in rows])
    receiver = _receiver(head)
    return NewOrder(
        number=head[0],
        lines=tuple(_line(cells) for _, cells in rows),
        digest=decode.digest(content),
        customer=head[_AT["customer"]],
        money=_money(rows),
        body=tx.seal(content),
        receiver=tx.seal(msgspec.json.encode(receiver)) if receiver else None,
        phone_hash=tx.fingerprint(receiver.phone) if receiver else None,
        who=who,
        same_again=True,
    )


def _line(cells: Sequence[str]) -> Wanted:
    return Wanted(
        name=cells[1],
        qty=int(cells[2]),
        price=_amount(cells, "price"),
        gift=_number(cells, "gift") or 0,
        product_id=_number(cells, "product_id"),
        unit_id=_number(cells, "unit_id"),
    )


def _money(rows: Sequence[Row]) -> Money | None:
    """Return what an order costs beside its lines; raises BadInput where prices are nobody's."""
    head = rows[0][1]
    customer_id = _number(head, "customer_id")
    if customer_id is None:
        priced = [name for name in _MONEY if head[_AT[name]]]
        priced += ["price" for _, cells in rows if cells[_AT["price"]]]
        if priced:
            raise BadInput("no_customer", f"{priced[0]} is given, and no customer_id")
        return None
    return Money(
        customer_id=customer_id,
        discount=_amount(head, "discount"),
        rebate=_amount(head, "rebate"),
        freight=_amount(head, "freight"),
        paid=_amount(head, "paid") if head[_AT["paid"]] else None,
    )


def _receiver(head: Sequence[str]) -> Receiver | None:
    """Return whom the parcel goes to; raises BadInput for half an address."""
    given = {name: head[_AT[name]] for name in RECEIVER}
    if not any(given.values()):
        return None
    lacking = [name for name, cell in given.items() if not cell and name != "county"]
    if lacking:
        raise BadInput("half_receiver", f"{', '.join(lacking)} of the receiver is empty")
    return Receiver(name=given.pop("receiver"), **given)


def _amount(cells: Sequence[str], column: str) -> Decimal:
    return Decimal(cells[_AT[column]] or 0)


def _number(cells: Sequence[str], column: str) -> int | None:
    cell = cells[_AT[column]]
    return int(cell) if cell else None


kind = Kind(name="orders", columns=_COLUMNS, apply=_apply, together="number", size=200)
