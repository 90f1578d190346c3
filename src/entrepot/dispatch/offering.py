"""Sourcing at work: find outlets for goods, promise the stock, write notes, tell the outlets.

Documents' rows are locked first; then one sourcing transaction at a time per article looks at the stock
without locking it, chooses, locks the rows it chose, and begins again in the rare case that someone
else (a stocktake, an order of another kind) changed them in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from entrepot import clock, facts, ids
from entrepot.courier.outbox import Announcement, announce
from entrepot.db import ints
from entrepot.dispatch import books as ledger
from entrepot.dispatch import looking, reasons
from entrepot.dispatch.books import _q
from entrepot.dispatch.rules import Line, Note
from entrepot.stock import exact

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from entrepot.db import Tx
    from entrepot.dispatch.books import Books
    from entrepot.dispatch.looking import Ask
    from entrepot.dispatch.rules import Order
    from entrepot.dispatch.sourcing import Candidate, Choice, Goods
    from entrepot.stock.flows import Pair

MAX_OFFERS = 5


async def offer(tx: Tx, books: Books, asks: Sequence[Ask], also: Collection[Pair] = ()) -> None:
    """Offer goods to outlets, whose orders are in ``books``; what nobody has is lacking for good.

    Goods that have been offered ``max_offers`` times are parked, if any outlet still has some. ``also`` are
    stock rows the caller will change, locked here together with the chosen ones.
    """
    if not asks:
        await exact.promise(tx, (), also)
        return
    await exact.take_turns(tx, {article for ask in asks for article in ask.goods})
    choices = await looking.choose(tx, asks, await looking.plan_of(tx))
    made: list[tuple[Ask, Note]] = []
    for ask, choice in zip(asks, choices, strict=True):
        made += [(ask, note) for note in _follow(tx, books, ask, choice)]
    picks = [
        exact.Pick(document_id=note.id, article_id=a, location_id=note.location_id, qty=line.qty)
        for _, note in made
        for a, line in note.lines.items()
    ]
    if made:
        await _tell(tx, made)
    await exact.promise(tx, picks, also)  # last, since others wait for the stock rows it locks


def _follow(tx: Tx, books: Books, ask: Ask, choice: Choice) -> list[Note]:
    """Do to an order what was chosen; return its new notes."""
    order = ask.order
    partner = tx.partner(order.connection_id)
    most = getattr(partner.settings, "max_offers", MAX_OFFERS) if partner else MAX_OFFERS
    parked = ask.round > most and bool(choice.parts)
    for note in ask.rest_of:
        note.onward = "parked" if parked else "sourced" if choice.parts else "lacking"
        books.touched[note.id] = note
    if parked:
        books.log(order, f"parked: offered {most} times")
        return []
    lacking = sum(choice.lacking.values())
    if lacking:
        books.log(order, f"{lacking} of {sum(ask.goods.values())} pieces are nowhere to be had")
    notes = [_note(ask, candidate, goods) for candidate, goods in choice.parts]
    for note in notes:
        order.notes.append(note)
        books.log(order, f"offered to {note.outlet} as {note.number}: {note.why}")
    return notes


def _note(ask: Ask, candidate: Candidate, goods: Goods) -> Note:
    note_id = ids.new()
    return Note(
        id=note_id,
        number=f"FH{note_id}",
        location_id=candidate.location_id,
        connection_id=candidate.connection_id,
        round=ask.round,
        why=reasons.why(candidate, goods, ask.goods),
        told=candidate.connection_id is None,
        outlet=candidate.code,
        outlet_name=candidate.name,
        created_at=clock.now(),
        lines={article: Line(qty=qty) for article, qty in goods.items()},
    )


async def _tell(tx: Tx, made: Sequence[tuple[Ask, Note]]) -> None:
    """Write the notes, and tell the outlets that a partner's system serves."""
    names = await ledger.skus(tx, {article for _, note in made for article in note.lines})
    overheard = bool(tx.overhearers(facts.DispatchOffered.kind))
    served = [pair for pair in made if pair[1].connection_id is not None or overheard]
    told = await announce(
        tx,
        [
            Announcement(
                connection_id=note.connection_id,
                key=note.id,
                fact=_offered(tx, ask.order, note, names),
            )
            for ask, note in served
        ],
    )
    for (_, note), delivery in zip(served, told, strict=True):
        note.offer_id = delivery
        note.told = delivery is None
    lines = [
        (note.id, n, article, line.qty)
        for _, note in made
        for n, (article, line) in enumerate(note.lines.items())
    ]
    await tx.do(
        _q.add_notes,
        ints(note.id for _, note in made),
        ints(ask.order.id for ask, _ in made),
        [note.number for _, note in made],
        ints(note.location_id for _, note in made),
        [note.connection_id for _, note in made],
        ints(note.round for _, note in made),
        [note.why for _, note in made],
        [note.offer_id for _, note in made],
        [note.told for _, note in made],
        *(ints(line[column] for line in lines) for column in range(4)),
    )


def _offered(tx: Tx, order: Order, note: Note, names: Mapping[int, str]) -> facts.DispatchOffered:
    receiver = msgspec.json.decode(tx.unseal(order.receiver or b""), type=facts.Receiver)
    return facts.DispatchOffered(
        number=order.number,
        note=note.number,
        outlet=note.outlet,
        purchase=order.purchase,
        receiver=receiver,
        lines=ledger.goods({a: line.qty for a, line in note.lines.items()}, names),
    )
