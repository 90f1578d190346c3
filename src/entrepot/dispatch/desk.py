"""What a person does about orders that outlets ship: find them, offer parked goods again, cancel them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot import facts
from entrepot.dispatch import books as ledger
from entrepot.dispatch import rules, voiding
from entrepot.dispatch.books import _q
from entrepot.dispatch.ending import conclude
from entrepot.dispatch.refusing import Done
from entrepot.dispatch.voiding import Void
from entrepot.errors import Conflict, Missing, Refused
from entrepot.orders import flows as orders

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from entrepot.db import Row, Tx
    from entrepot.dispatch.rules import Note
    from entrepot.orders.rules import StepBy


async def find(tx: Tx, number: str, connection_id: int | None = None) -> int:
    """Return the id of the order of this number, or of the note of this number; raises Missing, Conflict."""
    found = _one(await tx.rows(_q.called, [number]), number, connection_id)
    if isinstance(found, Refused):
        raise found
    found_id: int = found["id"]
    return found_id


async def note(tx: Tx, number: str, connection_id: int | None = None) -> Note:
    """Return the note of this number, or the one of the order of this number that is still to be shipped.

    An order whose only note is closed gives that one, so that a step can be taken again.
    """
    order_id = await find(tx, number, connection_id)
    order = (await ledger.read(tx, {order_id})).orders[order_id]
    named = [one for one in order.notes if one.number == number]
    hits = named or order.open_notes or order.notes
    if not hits:
        raise Missing("unknown_note", f"Order {number} has no note.")
    if len(hits) > 1:
        names = ", ".join(f"{one.number} ({one.outlet})" for one in hits)
        raise Conflict("ambiguous_note", f"Order {number} has several notes; say which: {names}.")
    return hits[0]


async def source(tx: Tx, batch: Sequence[StepBy]) -> list[Done | Refused]:
    """Offer what is parked again, counting offers anew; outlets that refused it are not asked again."""
    rows = await tx.rows(_q.called, [step.number for step in batch])
    chosen = [_one(rows, step.number, step.connection_id) for step in batch]
    books = await ledger.opened(tx, {row["id"] for row in chosen if not isinstance(row, Refused)})
    outcomes: list[Done | Refused] = []
    for step, row in zip(batch, chosen, strict=True):
        if isinstance(row, Refused):
            outcomes.append(row)
            continue
        order = books.orders[row["id"]]
        parked = [note for note in order.notes if note.onward == "parked"]
        if not parked or order.voiding:
            stands = "being voided" if order.voiding else order.state
            text = f"Nothing of {step.number} is to be offered again; it is {stands}."
            outcomes.append(Conflict("nothing_parked", text, number=step.number))
            continue
        books.who[order.id] = step.who
        books.log(order, "to be offered again")
        for note in parked:
            note.onward, note.round = "waiting", 0
            books.touched[note.id] = note
        outcomes.append(Done(order=order.number))
    await conclude(tx, books)
    return outcomes


async def cancel(tx: Tx, batch: Sequence[StepBy]) -> list[Row | Refused]:
    """Cancel orders as ``orders.flows.cancel`` does, also those that outlets ship.

    Of these the outlets are asked first; the order is cancelled once they agree. An order whose partner is
    told of every parcel is that partner's to void.
    """
    rows = await tx.rows(_q.called, [step.number for step in batch])
    outcomes: list[Row | Refused] = []
    for step in batch:
        row = _one(rows, step.number, step.connection_id)
        if isinstance(row, Conflict):
            outcomes.append(row)
        elif isinstance(row, Refused):
            outcomes += await orders.cancel(tx, [step])
        else:
            outcomes.append(await _void(tx, step, row))
    return outcomes


def cancellable(tx: Tx, connection_id: int | None, state: str) -> bool:
    """Tell whether an operator may cancel an order that outlets ship."""
    return state in rules.UNDECIDED and _ours_to_void(tx, connection_id)


def _ours_to_void(tx: Tx, connection_id: int | None) -> bool:
    return connection_id is None or not tx.listens(connection_id, facts.DispatchCompleted.kind)


async def _void(tx: Tx, step: StepBy, row: Row) -> Row | Refused:
    connection = row["connection_id"]
    if not _ours_to_void(tx, connection):
        text = f"Order {row['number']} is voided by those who placed it."
        return Conflict("order_not_ours", text, number=row["number"])
    void = Void(
        number=row["number"],
        who=step.who,
        connection_id=connection or 0,
        kind=row["kind"],
        unknown="told",
    )
    (outcome,) = await voiding.begin(tx, [void])
    return outcome if isinstance(outcome, Refused) else row


def _one(rows: Iterable[Row], number: str, connection_id: int | None) -> Row | Refused:
    """Return the one order that a person means."""
    hits = [
        row
        for row in rows
        if row["called"] == number and connection_id in (None, row["connection_id"])
    ]
    if not hits:
        text = f"Outlets ship no order {number}."
        return Missing("unknown_order", text, number=number)
    if len(hits) > 1:
        text = f"{len(hits)} connections have an order {number}; say --connection."
        return Conflict("ambiguous_order", text, number=number)
    return hits[0]
