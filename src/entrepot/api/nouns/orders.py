"""Orders: placed as a batch, looked at, processed, shipped and cancelled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from entrepot import decode
from entrepot.api import naming, paging, words
from entrepot.api.batch import MOST, Batch, batch
from entrepot.api.desk import Desk
from entrepot.api.operation import reads, writes
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import RANGE, Body, Code, Id, Outside, Pieces, Words
from entrepot.db import Row, Tx, queries
from entrepot.dispatch import desk as dispatch
from entrepot.dispatch import intake
from entrepot.errors import Refused
from entrepot.money import ZERO, plain
from entrepot.orders import accounts, flows
from entrepot.orders.prices import Account, Money
from entrepot.orders.rules import NewOrder, Placed, StepBy, Wanted

Flow = Callable[[Tx, Sequence[StepBy]], Awaitable[list[Row | Refused]]]
_q = queries(__package__)
_UNPAYABLE = 10**15
_Text = Annotated[str, Meta(max_length=200)]


class OrderListed(Struct, frozen=True, kw_only=True):
    """The head of an order; ``connection`` null: the hub's own."""

    id: str
    number: str
    connection: str | None
    state: str
    customer: str
    created_at: datetime
    changed_at: datetime


class Line(Struct, frozen=True, kw_only=True):
    """Pieces of an article."""

    sku: str
    qty: int


class LogEntry(Struct, frozen=True, kw_only=True):
    """Who did what to an order."""

    at: datetime
    who: str
    what: str


class Part(Struct, frozen=True, kw_only=True):
    """Pieces of an article that cost the same, under the ids that adjustments and returns name them by."""

    product_id: int
    unit_id: int
    qty: int
    price: Decimal
    gift: int
    name: str
    unit: str


class MoneyShown(Struct, frozen=True, kw_only=True):
    """Who owes what for an order, what was paid and what was given back."""

    customer_id: int
    discount: Decimal
    rebate: Decimal
    freight: Decimal
    paid: Decimal
    refunded: Decimal
    parts: list[Part]


class Order(OrderListed, frozen=True, kw_only=True):
    """An order with its lines and its log; ``details`` is what its partner said besides.

    ``money`` null: it came without prices.
    """

    details: dict[str, Any]
    lines: list[Line]
    money: MoneyShown | None
    log: list[LogEntry]


class OrdersWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which orders, newest first."""

    number: Code | None = None
    state: Annotated[str, Meta(max_length=50)] | None = None
    connection: Code | None = None


class Receiver(Body, frozen=True, kw_only=True):
    """Who gets the goods; kept encrypted. With one, outlets are looked for that can ship the order."""

    name: _Text
    phone: _Text
    province: _Text
    city: _Text
    address: Annotated[str, Meta(max_length=500)]
    county: _Text = ""


class OrderLine(Body, frozen=True, kw_only=True):
    """Pieces of an article that are wanted.

    The rest counts where the order has ``money``: what a piece costs, whether it is a gift (1 asked for, 2 of
    a promotion), and the ids that back-office screens name the goods by (else the article's details say).
    """

    sku: Code
    qty: Pieces
    price: Decimal = ZERO
    gift: Literal[0, 1, 2] = 0
    product_id: Outside | None = None
    unit_id: Outside | None = None

    def __post_init__(self) -> None:
        """Refuse what nobody could owe."""
        super().__post_init__()
        if self.price * self.qty >= _UNPAYABLE:
            message = f"price × qty {RANGE}: below 10^15"
            raise ValueError(message)


class MoneyWanted(Body, frozen=True, kw_only=True):
    """Who owes what for an order; ``paid`` null: all of it. Adjustments and returns need it."""

    customer_id: Outside
    discount: Decimal = ZERO
    rebate: Decimal = ZERO
    freight: Decimal = ZERO
    paid: Decimal | None = None


class OrderWanted(Body, frozen=True, kw_only=True):
    """An order of the hub's own; its number is taken once."""

    number: Code
    lines: Annotated[list[OrderLine], Meta(min_length=1, max_length=1000)]
    customer: Words = ""
    money: MoneyWanted | None = None
    receiver: Receiver | None = None


class OrdersPlaced(Body, frozen=True, kw_only=True):
    """Orders to be placed."""

    orders: Annotated[list[OrderWanted], Meta(min_length=1, max_length=MOST)]


class OrderNamed(Body, frozen=True, kw_only=True):
    """An order by its number, and whose, where several connections have it; ``remark`` goes to its log."""

    number: Code
    connection: Code | None = None
    remark: Words = ""


class OrdersNamed(Body, frozen=True, kw_only=True):
    """Orders to be moved on."""

    orders: Annotated[list[OrderNamed], Meta(min_length=1, max_length=MOST)]


class OrderPlaced(Struct, frozen=True, kw_only=True):
    """An order that is taken."""

    id: str
    number: str


@reads("/orders", "orders")
async def list_orders(tx: Tx, desk: Desk, query: OrdersWanted) -> Page[OrderListed]:
    """List orders, newest first."""
    known = naming.connections(desk, [query.connection] if query.connection else [])
    (after,) = paging.start(query, tuple[Number]) or (None,)
    chosen = known[query.connection] if query.connection else None
    found = await tx.rows(_q.orders, after, query.limit + 1, query.number, query.state, chosen)
    return paging.page(found, query, lambda row: (row["id"],), _head)


@reads("/orders/{id}", "orders", tagged=True)
async def show_order(tx: Tx, desk: Desk, id: Id) -> Order:  # noqa: A002 - the path's word
    """Show one order with its lines and who did what to it."""
    del desk
    order_id = words.number(id, "order")
    row = await tx.row(_q.order, order_id)
    if row is None:
        raise words.missing("order", id)
    lines = await tx.rows(_q.order_lines, order_id)
    log = await tx.rows(_q.order_log, order_id)
    return Order(
        **msgspec.structs.asdict(_head(row)),
        details=msgspec.json.decode(row["details"]),
        lines=[Line(sku=line["sku"], qty=line["qty"]) for line in lines],
        money=_money(await accounts.read(tx, [order_id])),
        log=[LogEntry(at=entry["at"], who=entry["who"], what=entry["what"]) for entry in log],
    )


@writes("POST", "/orders", "orders", several=True)
async def place_orders(tx: Tx, desk: Desk, body: OrdersPlaced) -> Batch[OrderPlaced]:
    """Place orders of the hub's own: with a receiver offered to outlets, else reserved whole.

    What no outlet has of an order with a receiver is final; the others may go beyond what there is.

    An order whose number is taken, or that names an unknown SKU, is refused; the others are placed.
    """
    desk.documents.extend(one.number for one in body.orders)
    outcomes = await intake.place(tx, [_new(desk, one) for one in body.orders])
    return batch(outcomes, _placed, status=201)


@writes("POST", "/orders/process", "orders", several=True)
async def process_orders(tx: Tx, desk: Desk, body: OrdersNamed) -> Batch[OrderPlaced]:
    """Mark orders as processed; their partners are told. One that is processed or shipped already stays."""
    return await _step(tx, desk, flows.process, body)


@writes("POST", "/orders/ship", "orders", several=True)
async def ship_orders(tx: Tx, desk: Desk, body: OrdersNamed) -> Batch[OrderPlaced]:
    """Ship whole orders out of stock; their partners are told.

    An order that lacks pieces on hand is refused and stays.
    """
    return await _step(tx, desk, flows.ship, body)


@writes("POST", "/orders/cancel", "orders", several=True)
async def cancel_orders(tx: Tx, desk: Desk, body: OrdersNamed) -> Batch[OrderPlaced]:
    """Cancel orders and free what they hold; their numbers stay taken.

    Outlets that were told of an order are asked first: it is cancelled once they agree.
    """
    return await _step(tx, desk, dispatch.cancel, body)


async def _step(tx: Tx, desk: Desk, flow: Flow, body: OrdersNamed) -> Batch[OrderPlaced]:
    desk.documents.extend(one.number for one in body.orders)
    known = naming.connections(desk, {one.connection for one in body.orders if one.connection})
    steps = [
        StepBy(
            number=one.number,
            who=desk.who,
            connection_id=known[one.connection] if one.connection else None,
            remark=one.remark,
        )
        for one in body.orders
    ]
    outcomes = await flow(tx, steps)
    return batch(outcomes, lambda row: OrderPlaced(id=str(row["id"]), number=row["number"]))


def _new(desk: Desk, order: OrderWanted) -> NewOrder:
    vault, receiver = desk.hub.vault, order.receiver
    content = msgspec.json.encode(order)
    return NewOrder(
        number=order.number,
        lines=tuple(
            Wanted(
                name=line.sku,
                qty=line.qty,
                path=f"lines[{at}].sku",
                price=line.price,
                gift=line.gift,
                product_id=line.product_id,
                unit_id=line.unit_id,
            )
            for at, line in enumerate(order.lines)
        ),
        digest=decode.digest(content),
        customer=order.customer,
        money=Money(**msgspec.structs.asdict(order.money)) if order.money else None,
        body=vault.seal(content),
        receiver=vault.seal(msgspec.json.encode(receiver)) if receiver else None,
        phone_hash=vault.fingerprint(receiver.phone) if receiver and receiver.phone else None,
        who=desk.who,
    )


def _money(found: dict[int, Account]) -> MoneyShown | None:
    if not found:
        return None
    (account,) = found.values()
    return MoneyShown(
        customer_id=account.customer_id,
        discount=plain(account.discount),
        rebate=plain(account.rebate),
        freight=plain(account.freight),
        paid=plain(account.paid),
        refunded=plain(account.refunded),
        parts=[
            Part(
                product_id=part.product_id,
                unit_id=part.unit_id,
                qty=part.qty,
                price=plain(part.price),
                gift=part.gift,
                name=part.name,
                unit=part.unit,
            )
            for part in account.parts
        ],
    )


def _placed(placed: Placed) -> OrderPlaced:
    return OrderPlaced(id=str(placed.order_id), number=placed.number)


def _head(row: Row) -> OrderListed:
    return OrderListed(
        id=str(row["id"]),
        number=row["number"],
        connection=row["connection"],
        state=row["state"],
        customer=row["customer"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )
