"""What partners answered to our calls, and what follows from it. Each is told once.

An outlet's no to an offer is a refusal; its answer to a recall decides a void; a store that says void
after goods have left is a conflict for a person; the answer to our own cancellation settles it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot import facts
from entrepot.db import ints
from entrepot.dispatch import books as ledger
from entrepot.dispatch import told
from entrepot.dispatch.books import Discrepancy, _q
from entrepot.dispatch.refusing import close, give_up, refuse_note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.courier.echoes import Consequence, Echo
    from entrepot.db import Tx
    from entrepot.dispatch.books import Books
    from entrepot.dispatch.rules import Note, Order

_DONE = ("delivered", "handled")


async def of_outlets(tx: Tx, batch: Sequence[Echo]) -> None:
    """Draw the consequences of offers and recalls; their keys are notes' ids."""
    rows = await tx.rows(_q.notes_by_id, ints({echo.key for echo in batch}))
    owner = {row["id"]: row["order_id"] for row in rows}
    books = await ledger.opened(tx, set(owner.values()))
    closed: list[tuple[Order, Note]] = []
    for echo in batch:
        order = books.orders.get(owner.get(echo.key, 0))
        if order is None:
            continue
        partner = tx.partner(echo.connection_id)
        books.who[order.id] = partner.name if partner else ""
        note = books.note(order.id, echo.key)
        hear = _hear_offer if echo.id == note.offer_id else _hear_recall
        if note.state == "open" and hear(books, order, note, echo):
            closed.append((order, note))
    await close(tx, books, closed)


def _hear_offer(books: Books, order: Order, note: Note, echo: Echo) -> bool:
    """Take in what became of an offer; True: the note is closed by it."""
    if echo.state in _DONE:
        note.told = True
        books.touched[note.id] = note
        return False
    if echo.state == "rejected":
        refuse_note(books, order, note, echo.message)
        return True
    give_up(books, order, note, "withdraw", echo.message)  # cancelled by a person
    books.log(order, f"{note.number} is taken back from {note.outlet}")
    return True


def _hear_recall(books: Books, order: Order, note: Note, echo: Echo) -> bool:
    """Take in what became of a recall; True: the outlet has given the note up."""
    if echo.id != note.recall_id:
        return False
    note.recall_id = None
    books.touched[note.id] = note
    if echo.state in _DONE:
        by_us = (
            note.silent or note.reason
        )  # not for a void, whose goods the outlet may be offered again
        give_up(books, order, note, "withdraw" if by_us else "void", note.reason)
        books.log(order, f"{note.outlet} gave up {note.number}")
        return True
    note.reason = ""
    note.keeps = True  # it says the goods have left, or a person called the question off
    books.log(order, f"{note.outlet} keeps {note.number}: {echo.message}")
    return False


async def of_ordering_side(tx: Tx, batch: Sequence[Echo]) -> None:
    """Show a person where the ordering side would not hear of goods that have left; keys are orders' ids."""
    refused = [echo for echo in batch if echo.state == "rejected"]
    if not refused:
        return
    books = await ledger.opened(tx, {echo.key for echo in refused})
    await ledger.report(
        tx,
        [
            Discrepancy(
                kind="store_refused",
                text=f"Goods have left, but the ordering side says: {echo.message}",
                order=books.orders[echo.key],
                details={"delivery": str(echo.id), "kind": echo.kind},
            )
            for echo in refused
            if echo.key in books.orders
        ],
    )


CONSEQUENCES: Mapping[str, Consequence] = {
    facts.DispatchOffered.kind: of_outlets,
    facts.DispatchWithdrawn.kind: of_outlets,
    facts.PackagesShipped.kind: of_ordering_side,
    facts.DispatchCompleted.kind: of_ordering_side,
    facts.OrderCancelled.kind: told.of_cancellations,
}
"""Who is told what became of which deliveries."""
