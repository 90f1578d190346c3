"""Orders that outlets ship, with their notes and packages: locked, read, written back in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from entrepot import facts, ids
from entrepot.db import ints, queries
from entrepot.discrepancies import flows as discrepancies
from entrepot.discrepancies.rules import Seen
from entrepot.dispatch.rules import Line, Note, Order, Package

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from entrepot.db import Row, Tx

_q = queries(__package__)
_HEARD = "the note waits for no answer any more"


class Discrepancy(Struct, frozen=True, kw_only=True):
    """What does not agree and a person should look at; its subject is the note, or else the order."""

    kind: str
    text: str
    subject: str = ""
    order: Order | None = None
    note: Note | None = None
    details: dict[str, Any] = {}


class Books(Struct, kw_only=True):
    """The orders a transaction has locked, and what it is going to write of them.

    ``who`` is doing it, by order id; ``touched`` are the notes that changed, ``changed`` the orders;
    ``logs`` (order id, who, what).
    """

    orders: dict[int, Order] = field(default_factory=dict)
    who: dict[int, str] = field(default_factory=dict)
    touched: dict[int, Note] = field(default_factory=dict)
    changed: dict[int, Order] = field(default_factory=dict)
    logs: list[tuple[int, str, str]] = field(default_factory=list)

    def note(self, order_id: int, note_id: int) -> Note:
        """Return one of an order's notes."""
        return next(note for note in self.orders[order_id].notes if note.id == note_id)

    def log(self, order: Order, what: str) -> None:
        """Note what was done to an order."""
        self.changed[order.id] = order
        self.logs.append((order.id, self.who.get(order.id, ""), what))

    def says(self, order: Order, state: str) -> bool:
        """Tell whether it is noted already that an order came to a state, with what there is to say of it."""
        return any(
            order_id == order.id and what.partition(": ")[0] == state
            for order_id, _, what in self.logs
        )


async def opened(tx: Tx, order_ids: Collection[int]) -> Books:
    """Lock these orders and read all that is known of them; those that outlets do not ship are left out."""
    if not order_ids:
        return Books()
    await tx.rows(_q.lock_dispatches, ints(sorted(set(order_ids))))
    return await read(tx, order_ids)


async def read(tx: Tx, order_ids: Collection[int]) -> Books:
    """Read all that is known of these orders; who is going to change them has locked them (``opened``)."""
    rows = await tx.rows(_q.read_dispatches, ints(sorted(set(order_ids))))
    orders = {row["id"]: _order(row) for row in rows}
    found = ints(orders)
    for row in await tx.rows(_q.ordered, found):
        orders[row["order_id"]].lines[row["article_id"]] = row["qty"]
    notes = {}
    for row in await tx.rows(_q.notes, found):
        notes[row["id"]] = note = _note(row)
        orders[row["order_id"]].notes.append(note)
    if notes:
        for row in await tx.rows(_q.packages, found):
            notes[row["note_id"]].packages.append(_package(row))
    return Books(orders=orders)


async def write(tx: Tx, books: Books) -> None:
    """Write what changed."""
    if books.touched:
        await _write_notes(tx, list(books.touched.values()))
    if books.changed:
        changed = list(books.changed.values())
        await tx.do(
            _q.save_orders,
            ints(order.id for order in changed),
            [order.state for order in changed],
            [order.voiding for order in changed],
            [order.ended for order in changed],
            ints(log[0] for log in books.logs),
            ints(ids.some(len(books.logs))),
            [log[1] for log in books.logs],
            [log[2] for log in books.logs],
        )
    books.touched.clear()
    books.changed.clear()
    books.logs.clear()


async def _write_notes(tx: Tx, notes: list[Note]) -> None:
    await tx.do(
        _q.save_notes,
        ints(note.id for note in notes),
        [note.state for note in notes],
        [note.onward for note in notes],
        [note.keeps for note in notes],
        [note.recall_id for note in notes],
        [note.reason for note in notes],
        [note.late_reason for note in notes],
        [note.told for note in notes],
        [note.answered for note in notes],
    )
    lines = [(n.id, a, line.shipped) for n in notes for a, line in n.lines.items() if line.shipped]
    if lines:
        await tx.do(_q.save_shipped, *(ints(line[column] for line in lines) for column in range(3)))
    heard = [note for note in notes if note.silent and (note.answered or note.state != "open")]
    await discrepancies.agree(
        tx, [(note.connection_id or 0, "silent", note.number) for note in heard], _HEARD
    )


async def report(tx: Tx, found: Collection[Discrepancy]) -> None:
    """Put discrepancies before a person."""
    await discrepancies.see(tx, [_seen(one) for one in found])


def _seen(one: Discrepancy) -> Seen:
    order, note = one.order, one.note
    numbers = {"order": order.number if order else "", "note": note.number if note else ""}
    about = note or order
    return Seen(
        kind=one.kind,
        subject=one.subject or numbers["note"] or numbers["order"],
        text=one.text,
        connection_id=about.connection_id if about else None,
        document=numbers["order"],
        order_id=order.id if order else None,
        note_id=note.id if note else None,
        details={**{name: number for name, number in numbers.items() if number}, **one.details},
    )


async def skus(tx: Tx, articles: Collection[int]) -> dict[int, str]:
    """Return SKUs by article id."""
    if not articles:
        return {}
    return {row["id"]: row["sku"] for row in await tx.rows(_q.skus, ints(set(articles)))}


def goods(lines: Mapping[int, int], names: Mapping[int, str]) -> tuple[facts.GoodsLine, ...]:
    """Return pieces by article as facts say them."""
    return tuple(facts.GoodsLine(sku=names[article], qty=qty) for article, qty in lines.items())


def transfer(
    note: Note, parcels: Iterable[tuple[Package, Iterable[str]]], names: Mapping[int, str]
) -> facts.Transfer:
    """Return packages of a note, each with those of its codes that are meant, as facts say them."""
    return facts.Transfer(
        note=note.number,
        outlet=note.outlet,
        outlet_name=note.outlet_name,
        parcels=tuple(
            facts.Parcel(
                express=package.express,
                waybill=package.waybill,
                pieces=tuple(
                    facts.Piece(sku=names[package.codes[code]], code=code) for code in codes
                ),
            )
            for package, codes in parcels
        ),
    )


def transfers(order: Order, names: Mapping[int, str]) -> Iterator[facts.Transfer]:
    """Yield everything that outlets shipped of an order."""
    for note in order.notes:
        if note.packages:
            yield transfer(note, ((package, package.codes) for package in note.packages), names)


def _order(row: Row) -> Order:
    return Order(
        id=row["id"],
        number=row["number"],
        connection_id=row["connection_id"],
        state=row["state"],
        shop_id=row["shop_id"],
        outlet_id=row["outlet_id"],
        purchase=row["purchase"],
        province=row["province"],
        city=row["city"],
        receiver=row["receiver"],
        voiding=row["voiding"],
        ended=row["ended"],
    )


def _note(row: Row) -> Note:
    return Note(
        id=row["id"],
        number=row["number"],
        location_id=row["location_id"],
        connection_id=row["connection_id"],
        state=row["state"],
        round=row["round"],
        onward=row["onward"],
        keeps=row["keeps"],
        offer_id=row["offer_id"],
        recall_id=row["recall_id"],
        reason=row["reason"],
        late_reason=row["late_reason"],
        why=row["why"],
        created_at=row["created_at"],
        told=row["told_at"] is not None,
        answered=row["answered_at"] is not None,
        silent=row["silent_at"] is not None,
        outlet=row["outlet"],
        outlet_name=row["outlet_name"],
        lines={a: Line(qty=qty, shipped=shipped) for a, qty, shipped in row["lines"] or ()},
    )


def _package(row: Row) -> Package:
    return Package(
        id=row["id"],
        express=row["express"],
        waybill=row["waybill"],
        earlier=list(row["earlier"]),
        codes=dict(zip(row["codes"] or (), row["articles"] or (), strict=True)),
    )
