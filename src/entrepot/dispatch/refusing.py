"""Outlets refuse, keep silent, or are relieved by a person: what they did not ship goes elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import clock, facts
from entrepot.courier import outbox
from entrepot.courier.outbox import Announcement, announce
from entrepot.db import ints
from entrepot.dispatch import books as ledger
from entrepot.dispatch import rules
from entrepot.dispatch.books import Discrepancy, _q
from entrepot.dispatch.ending import conclude
from entrepot.dispatch.shipping import owners
from entrepot.errors import Missing, Refused
from entrepot.stock import exact
from entrepot.stock import flows as stock

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from entrepot.db import Tx
    from entrepot.dispatch.books import Books
    from entrepot.dispatch.rules import Note, Order


class Refusal(Struct, frozen=True, kw_only=True):
    """An outlet that will not ship what is open of a note. ``connection_id`` None: our own people."""

    note: str
    who: str
    connection_id: int | None = None
    reason: str = ""


class Done(Struct, frozen=True, kw_only=True):
    """``order`` is the number under which the goods were ordered; ``changed`` False: it was so before."""

    order: str
    changed: bool = True


class Patience(Struct, frozen=True, kw_only=True):
    """How long (seconds) a connection's outlets may keep silent, and whether we then look elsewhere."""

    connection_id: int
    answer_within: float
    auto_resource: bool


async def refuse(tx: Tx, batch: Sequence[Refusal]) -> list[Done | Refused]:
    """Free what outlets have not shipped and offer it elsewhere; twice, or on a void note, is done."""
    known = await owners(tx, [(refusal.note, refusal.connection_id) for refusal in batch])
    books = await ledger.opened(tx, {row["order_id"] for row in known.values()})
    outcomes: list[Done | Refused] = []
    closed: list[tuple[Order, Note]] = []
    for refusal in batch:
        row = known.get((refusal.note, refusal.connection_id))
        if row is None:
            outcomes.append(Missing("unknown_note", f"There is no note {refusal.note}."))
            continue
        order = books.orders[row["order_id"]]
        note = books.note(order.id, row["id"])
        open_ = rules.refusable(note)
        if isinstance(open_, Refused):
            outcomes.append(open_)
            continue
        outcomes.append(Done(order=order.number, changed=open_))
        if open_:
            books.who[order.id] = refusal.who
            refuse_note(books, order, note, refusal.reason)
            closed.append((order, note))
    await close(tx, books, closed)
    return outcomes


def refuse_note(books: Books, order: Order, note: Note, reason: str) -> None:
    """Mark an open note as refused, its rest to be offered elsewhere."""
    give_up(books, order, note, "refuse", reason)
    note.answered = True
    why = f": {reason}" if reason else ""
    books.log(order, f"{note.outlet} refused {note.number}{why}")


def give_up(books: Books, order: Order, note: Note, step: rules.NoteStep, reason: str = "") -> None:
    """Close an open note without shipping its rest, which waits to be offered elsewhere."""
    rules.advance(note, step)
    note.onward = "waiting"
    note.keeps, note.recall_id, note.reason = False, None, reason
    books.touched[note.id] = note
    books.changed[order.id] = order


async def close(tx: Tx, books: Books, closed: Sequence[tuple[Order, Note]]) -> None:
    """Give back what closed notes hold, no longer offer them, and draw the consequences."""
    if not closed:
        await conclude(tx, books)
        return
    offers = [note.offer_id for _, note in closed if note.offer_id is not None]
    if offers:
        await outbox.withdraw(tx, offers, "the note is closed", tried=True)
    freed = await exact.held(tx, [note.id for _, note in closed])
    refused = [(order, note) for order, note in closed if note.state == "refused"]
    await announce(tx, [_news(order, note) for order, note in refused])
    await conclude(tx, books, freed)
    await _count_off(tx, [note for _, note in refused if note.reason])


def _news(order: Order, note: Note) -> Announcement:
    fact = facts.NoteRefused(
        number=order.number, note=note.number, outlet=note.outlet, reason=note.reason
    )
    return Announcement(connection_id=None, key=note.id, fact=fact)


async def take_back(tx: Tx, batch: Sequence[Refusal]) -> list[Done | Refused]:
    """Ask outlets for open notes back, as a person wishes; what is given up is offered to others.

    An outlet that was told is asked (``pushcancel``) and keeps its note until it agrees; one that says the
    goods have left keeps it. A note nobody outside knows of is taken at once. Twice is done.
    """
    known = await owners(tx, [(one.note, one.connection_id) for one in batch])
    books = await ledger.opened(tx, {row["order_id"] for row in known.values()})
    outcomes: list[Done | Refused] = []
    asked: list[tuple[Order, Note]] = []
    for one in batch:
        row = known.get((one.note, one.connection_id))
        if row is None:
            outcomes.append(
                Missing("unknown_note", f"There is no note {one.note}.", number=one.note)
            )
            continue
        order = books.orders[row["order_id"]]
        note = books.note(order.id, row["id"])
        open_ = rules.recallable(order, note)
        if isinstance(open_, Refused):
            outcomes.append(open_)
            continue
        outcomes.append(Done(order=order.number, changed=open_))
        if open_ and (order, note) not in asked:
            books.who[order.id] = one.who
            note.reason, note.keeps = one.reason, False
            books.touched[note.id] = note
            books.log(order, f"{note.number} is asked back from {note.outlet}: {one.reason}")
            asked.append((order, note))
    gone = await recall(tx, books, asked)
    for order, note in gone:
        give_up(books, order, note, "withdraw", note.reason)
    await close(tx, books, gone)
    return outcomes


async def silent(tx: Tx, patience: Sequence[Patience]) -> int:
    """Show notes whose outlets keep silent; ask for them back where the connection says so."""
    rows = await tx.rows(
        _q.silent,
        [p.connection_id for p in patience],
        [clock.now() - timedelta(seconds=p.answer_within) for p in patience],
    )
    impatient = {p.connection_id for p in patience if p.auto_resource}
    books = await ledger.opened(tx, {row["order_id"] for row in rows})
    asked: list[tuple[Order, Note]] = []
    found: list[Discrepancy] = []
    for row in rows:
        order = books.orders[row["order_id"]]
        note = books.note(order.id, row["id"])
        if note.state != "open" or note.answered:
            continue
        text = f"{note.outlet} has not answered {note.number}."
        found.append(Discrepancy(kind="silent", text=text, order=order, note=note))
        books.log(order, text)
        if note.connection_id in impatient and note.recall_id is None and not order.voiding:
            asked.append((order, note))
            books.log(order, f"{note.number} is asked back from {note.outlet}: no answer")
    await tx.do(_q.mark_silent, ints(row["id"] for row in rows))
    await ledger.report(tx, found)
    gone = await recall(tx, books, asked)
    for order, note in gone:
        give_up(books, order, note, "withdraw", "no answer")
    await close(tx, books, gone)
    return len(found)


async def recall(
    tx: Tx, books: Books, asked: Sequence[tuple[Order, Note]]
) -> list[tuple[Order, Note]]:
    """Ask outlets to give notes up, ahead of anything that waits for them.

    Returns the notes that need no asking: the outlet was never told, or nobody outside serves it.
    """
    offers = [note.offer_id for _, note in asked if note.offer_id is not None]
    never_told = await outbox.withdraw(tx, offers, "the note is withdrawn") if offers else set()
    open_ = [(order, note) for order, note in asked if note.offer_id not in never_told]
    gone = [(order, note) for order, note in asked if note.offer_id in never_told]
    told = await announce(
        tx,
        [_withdrawn(order, note, note.connection_id) for order, note in open_]
        + [_withdrawn(order, note, None) for order, note in gone],
    )
    for (order, note), delivery in zip(open_, told[: len(open_)], strict=True):
        if delivery is None:
            gone.append((order, note))
        else:
            note.recall_id = delivery
            books.touched[note.id] = note
    return gone


def _withdrawn(order: Order, note: Note, connection_id: int | None) -> Announcement:
    fact = facts.DispatchWithdrawn(number=order.number, note=note.number, outlet=note.outlet)
    return Announcement(connection_id=connection_id, key=note.id, fact=fact, urgent=True)


async def _count_off(tx: Tx, notes: Collection[Note]) -> None:
    """Do to the outlets' stock what the reasons mean."""
    told = [note for note in notes if note.connection_id is not None]
    if not told:
        return
    rows = await tx.rows(
        _q.effects, [note.connection_id for note in told], [note.reason for note in told]
    )
    effects = {(row["connection_id"], row["text"]): row["effect"] for row in rows}
    empty, unsellable = [], []
    for note in told:
        effect = effects.get((note.connection_id or 0, note.reason.strip()))
        pairs = [(article, note.location_id, qty) for article, qty in note.rest.items()]
        if effect == "empty":
            empty += pairs
        if effect == "unsellable":
            unsellable += [(pair, note.number) for pair in pairs]
    if empty:
        counts = [stock.Count(article_id=a, location_id=place, on_hand=0) for a, place, _ in empty]
        await stock.count(tx, counts)
    if unsellable:
        await _set_aside(tx, unsellable)


async def _set_aside(tx: Tx, damaged: Sequence[tuple[tuple[int, int, int], str]]) -> None:
    """Take pieces that cannot be sold out of stock, as far as they are there."""
    balances = await stock.lock(tx, {(article, place) for (article, place, _), _ in damaged})
    moves = []
    for (article, place, qty), number in damaged:
        row = balances[article, place]
        gone = min(qty, row.on_hand)
        row.on_hand -= gone
        if gone:
            moves.append(
                stock.Move(
                    article_id=article,
                    location_id=place,
                    delta=-gone,
                    kind="unsellable",
                    document=number,
                )
            )
    await stock.move(tx, moves)
