"""What follows from whatever happened to notes: voids decided, goods sourced again, states, the end.

Every verb of dispatch changes notes in the books and then comes here; here they are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot import facts
from entrepot.courier.outbox import Announcement, announce
from entrepot.dispatch import books as ledger
from entrepot.dispatch import rules
from entrepot.dispatch.looking import Ask
from entrepot.dispatch.offering import offer
from entrepot.stock import exact
from entrepot.stock import flows as stock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Row, Tx
    from entrepot.dispatch.books import Books
    from entrepot.dispatch.rules import Note, Order


async def conclude(tx: Tx, books: Books, freed: Sequence[Row] = ()) -> None:
    """Draw the consequences and write the books; ``freed`` are reservations that closed notes give back."""
    orders = list(books.orders.values())
    voided = [order for order in orders if _decide_void(books, order)]
    asks = [ask for order in orders if not order.voiding for ask in _asks(order)]
    if freed and any(note.state == "void" for ask in asks for note in ask.rest_of):
        # What an outlet gave up for a void that failed may well go back to it: free it before choosing.
        await exact.take_turns(tx, {article for ask in asks for article in ask.goods})
        await stock.lock(tx, {(row["article_id"], row["location_id"]) for row in freed})
        await stock.resolve(tx, freed, "released")
        freed = ()
    await offer(tx, books, asks, also={(row["article_id"], row["location_id"]) for row in freed})
    await stock.resolve(tx, freed, "released")
    over = [order for order in orders if _move_on(books, order)]
    parked = [(ask.order, note) for ask in asks for note in ask.rest_of if note.onward == "parked"]
    await _announce_ours(tx, voided, parked)
    await _announce_end(tx, over)
    await ledger.write(tx, books)


def _decide_void(books: Books, order: Order) -> bool:
    """End the asking once it is decided: the order is void, or goods have left and the rest goes on.

    Tell whether it is void.
    """
    decided = rules.void_decided(order) if order.voiding else None
    if decided is None:
        return False
    order.voiding = False
    if not decided:
        books.log(order, "not voided: goods have left")
        return False
    order.state = "cancelled"
    for note in order.notes:
        if note.onward in ("waiting", "parked"):
            note.onward = "none"
            books.touched[note.id] = note
    books.log(order, "cancelled")
    return True


def _asks(order: Order) -> list[Ask]:
    """Return what of an order waits to be offered elsewhere: each note's rest by itself."""
    if order.state == "cancelled":
        return []
    return [
        Ask(order=order, goods=note.rest, round=note.round + 1, rest_of=[note])
        for note in order.notes
        if note.onward == "waiting"
    ]


def _move_on(books: Books, order: Order) -> bool:
    """Set the state the notes amount to; tell whether the order has just come to its end."""
    state = rules.after(order)
    if state != order.state:
        order.state = state
        if not books.says(order, state):
            books.log(order, state)
    if state not in rules.FINAL or order.ended:
        return False
    order.ended = True
    books.changed[order.id] = order
    return state != "cancelled"


async def _announce_ours(
    tx: Tx, voided: Sequence[Order], parked: Sequence[tuple[Order, Note]]
) -> None:
    """Tell of what no partner is told, since it asked for it itself, or since a person has to act."""
    news: list[tuple[int, facts.Fact]] = [
        (order.id, facts.OrderCancelled(number=order.number)) for order in voided
    ]
    news += [
        (note.id, facts.NoteParked(number=order.number, note=note.number, outlet=note.outlet))
        for order, note in parked
    ]
    await announce(tx, [Announcement(connection_id=None, key=key, fact=fact) for key, fact in news])


async def _announce_end(tx: Tx, over: Sequence[Order]) -> None:
    """Tell the ordering side that nothing more will come."""
    overheard = bool(tx.overhearers(""))
    told = [order for order in over if order.connection_id is not None or overheard]
    articles = {article for order in told for note in order.notes for article in note.lines}
    names = await ledger.skus(tx, articles)
    news = []
    for order in told:
        end: list[facts.Fact] = []
        transfers = tuple(ledger.transfers(order, names))
        end.append(facts.DispatchCompleted(number=order.number, transfers=transfers))
        if order.state in ("shipped", "short"):
            end.append(facts.OrderShipped(number=order.number))
        if order.outlet_id is not None and order.state in ("short", "oversold"):
            reason = next((note.reason for note in reversed(order.notes) if note.reason), "")
            end.append(facts.DispatchRefused(number=order.number, reason=reason))
        news += [
            Announcement(connection_id=order.connection_id, key=order.id, fact=fact) for fact in end
        ]
    await announce(tx, news)
