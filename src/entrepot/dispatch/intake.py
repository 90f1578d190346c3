"""Orders that outlets ship come in: checked, guarded, saved, sourced. A batch a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, structs

from entrepot import facts
from entrepot.courier.outbox import Announcement, announce
from entrepot.db import ints
from entrepot.dispatch import regions
from entrepot.dispatch.books import Books, _q
from entrepot.dispatch.ending import conclude
from entrepot.dispatch.looking import Ask
from entrepot.dispatch.offering import offer
from entrepot.dispatch.rules import Order
from entrepot.errors import BadInput, Conflict, Refused
from entrepot.facts import Receiver
from entrepot.orders import flows as orders
from entrepot.orders.door import admit
from entrepot.orders.rules import NewOrder, Placed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Row, Tx
    from entrepot.orders.door import Door


class NewDispatch(Struct, frozen=True, kw_only=True):
    """An order with a receiver. ``shop`` is the code of the ordering store, which ships none of it itself;
    ``outlet`` that of the only one that may ship it; ``purchase`` the store's receipt.
    """

    order: NewOrder
    receiver: Receiver
    shop: str = ""
    outlet: str = ""
    purchase: str = ""
    member: str = ""
    shop_path: str = "shopCode"


async def take(tx: Tx, batch: Sequence[NewDispatch]) -> list[Placed | Refused]:
    """Take orders in and offer them to outlets.

    The same content again is the same order, whatever became of it; other content under a known number is
    ``order_exists``; unknown goods and stores are refused by name, and nothing is stored.
    """
    news = [_sealed(tx, new) for new in batch]
    places = await _places(tx, batch)
    barred = {id(n.order): bad for n in news if (bad := _bad_place(n, places))}
    door = await admit(tx, [new.order for new in news], barred)
    fresh = [new for new in news if id(new.order) in door.taken]
    if fresh:
        await orders.tell(tx, [new.order for new in fresh], door)
        await _source(tx, fresh, door, places)
    return [_outcome(new.order, door) for new in news]


async def place(tx: Tx, batch: Sequence[NewOrder]) -> list[Placed | Refused]:
    """Take orders in, of any partner's or the hub's own, as ``orders.flows.place`` does.

    Those with a (sealed) receiver are offered to outlets, what nobody has is final; the others are
    reserved whole, for an operator to ship.
    """
    news = [_routed(new) for new in batch]
    door = await admit(tx, news)
    fresh = [new for new in news if id(new) in door.taken]
    whole = [new for new in fresh if new.receiver is None]
    sent = [_addressed(tx, new) for new in fresh if new.receiver is not None]
    if fresh:
        await orders.tell(tx, fresh, door)
    if sent:
        await _source(tx, sent, door, {})
    if whole:
        await orders.hold(tx, whole, door)
    return [orders.answer(new, door) for new in news]


async def request(tx: Tx, batch: Sequence[NewDispatch]) -> list[Placed | Refused]:
    """Save orders of our own that the partner is to ship, and push them; they reserve nothing here."""
    news = [_sealed(tx, new, "partner") for new in batch]
    door = await admit(tx, [new.order for new in news])
    fresh = [new for new in news if id(new.order) in door.taken]
    if fresh:
        await announce(tx, [_request(new, door.taken[id(new.order)]) for new in fresh])
    return [_outcome(new.order, door) for new in news]


def _routed(new: NewOrder) -> NewOrder:
    if new.receiver is None:
        return new
    return structs.replace(new, fulfilment="outlets", auto_process=False)


def _addressed(tx: Tx, new: NewOrder) -> NewDispatch:
    receiver = msgspec.json.decode(tx.unseal(new.receiver or b""), type=Receiver)
    return NewDispatch(order=new, receiver=receiver)


def _sealed(tx: Tx, new: NewDispatch, fulfilment: str = "outlets") -> NewDispatch:
    receiver = tx.seal(msgspec.json.encode(new.receiver))
    order = structs.replace(new.order, fulfilment=fulfilment, receiver=receiver)
    return structs.replace(new, order=order)


async def _places(tx: Tx, batch: Sequence[NewDispatch]) -> dict[str, Row]:
    codes = {code for new in batch for code in (new.shop, new.outlet) if code}
    if not codes:
        return {}
    return {row["code"]: row for row in await tx.rows(_q.outlets_by_code, sorted(codes))}


def _bad_place(new: NewDispatch, places: dict[str, Row]) -> Refused | None:
    for code in (new.shop, new.outlet):
        if code and code not in places:
            text = f"There is no store {code}."
            return BadInput("unknown_store", text, path=new.shop_path, store=code)
    return None


def _outcome(order: NewOrder, door: Door) -> Placed | Refused:
    if id(order) in door.taken:
        return Placed(order_id=door.taken[id(order)], number=order.number)
    row = door.existing.get(order.guard)
    if row is None:
        return door.fault(order)
    if row["digest"] in (b"", order.digest):
        return Placed(order_id=row["document_id"], number=order.number, again=True)
    return Conflict("order_exists", f"Order {order.number} exists.", number=order.number)


async def _source(tx: Tx, fresh: Sequence[NewDispatch], door: Door, places: dict[str, Row]) -> None:
    """Save what dispatch knows of fresh orders, and offer them."""
    books = Books()
    for new in fresh:
        order = _order(new, door, places)
        books.orders[order.id] = order
        books.who[order.id] = new.order.who
    made = list(books.orders.values())
    await tx.do(
        _q.save_dispatches,
        ints(order.id for order in made),
        [order.shop_id for order in made],
        [order.outlet_id for order in made],
        [order.purchase for order in made],
        [order.province for order in made],
        [order.city for order in made],
        *_goods(made),
    )
    await offer(tx, books, [Ask(order=order, goods=dict(order.lines)) for order in made])
    await conclude(tx, books)


def _order(new: NewDispatch, door: Door, places: dict[str, Row]) -> Order:
    lines: dict[int, int] = {}
    for _, article, qty in door.pieces(new.order):
        lines[article] = lines.get(article, 0) + qty
    province, city = regions.keys(new.receiver.province, new.receiver.city)
    return Order(
        id=door.taken[id(new.order)],
        number=new.order.number,
        connection_id=new.order.partner.id if new.order.partner else None,
        state="accepted",
        shop_id=places[new.shop]["id"] if new.shop else None,
        outlet_id=places[new.outlet]["id"] if new.outlet else None,
        purchase=new.purchase,
        province=province,
        city=city,
        receiver=new.order.receiver,
        lines=lines,
    )


def _goods(made: Sequence[Order]) -> list[str]:
    """Return the columns of what is to be shipped."""
    rows = [
        (order.id, line, article, qty)
        for order in made
        for line, (article, qty) in enumerate(order.lines.items())
    ]
    return [ints(row[column] for row in rows) for column in range(4)]


def _request(new: NewDispatch, order_id: int) -> Announcement:
    order = new.order
    fact = facts.DispatchRequested(
        number=order.number,
        shop=new.shop,
        purchase=new.purchase,
        member=new.member,
        receiver=new.receiver,
        lines=tuple(facts.GoodsLine(sku=line.name, qty=line.qty) for line in order.lines),
    )
    return Announcement(
        connection_id=order.partner.id if order.partner else 0, key=order_id, fact=fact
    )
