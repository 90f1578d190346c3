"""Outlets ship: parcels leave, pieces with them, and the ordering side is told of each checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from entrepot import clock, facts, ids
from entrepot.courier.outbox import Announcement, announce
from entrepot.db import ints
from entrepot.dispatch import books as ledger
from entrepot.dispatch import rules
from entrepot.dispatch.books import Discrepancy, _q
from entrepot.dispatch.ending import conclude
from entrepot.dispatch.rules import Box, Note, Order, Package, Piece
from entrepot.errors import Conflict, Missing, Refused
from entrepot.stock import exact
from entrepot.stock.flows import Move

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from entrepot.db import Row, Tx
    from entrepot.dispatch.books import Books


class Checkout(Struct, frozen=True, kw_only=True):
    """What left an outlet for a note. ``connection_id`` is the caller's, None: our own people."""

    note: str
    boxes: tuple[Box, ...]
    who: str
    connection_id: int | None = None
    late_reason: str = ""


class Shipped(Struct, frozen=True, kw_only=True):
    """A checkout that is done; ``order`` is the number under which the goods were ordered."""

    order: str


class _Left(Struct, kw_only=True):
    """What one checkout newly took along: codes by package."""

    checkout: Checkout
    order: Order
    note: Note
    codes: dict[int, list[str]]
    packages: dict[int, Package] = field(default_factory=dict)


async def check_out(tx: Tx, batch: Sequence[Checkout]) -> list[Shipped | Refused]:
    """Ship parcels of notes; a refused checkout applies nothing, the same again changes nothing."""
    known = await owners(tx, [(c.note, c.connection_id) for c in batch])
    books = await ledger.opened(tx, {row["order_id"] for row in known.values()})
    pieces = await lock_pieces(tx, {code for c in batch for box in c.boxes for code in box.codes})
    outcomes: list[Shipped | Refused] = []
    left: list[_Left] = []
    for checkout in batch:
        row = known.get((checkout.note, checkout.connection_id))
        if row is None:
            outcomes.append(Missing("unknown_note", f"There is no note {checkout.note}."))
            continue
        order = books.orders[row["order_id"]]
        note = books.note(order.id, row["id"])
        books.who[order.id] = checkout.who
        done = _check(tx, checkout, order, note, pieces)
        if isinstance(done, Refused):
            outcomes.append(done)
            continue
        outcomes.append(Shipped(order=order.number))
        if done.codes:
            left.append(done)
            _apply(books, done, pieces)
    if left:
        await _write_packages(tx, left)
        await _take_stock(tx, left, pieces)
        await _write_pieces(tx, left)
        await _announce(tx, left)
        await conclude(tx, books)
    return outcomes


async def owners(
    tx: Tx, named: Collection[tuple[str, int | None]]
) -> dict[tuple[str, int | None], Row]:
    """Return whose notes (number, caller's connection) are; a caller knows its own only."""
    rows = await tx.rows(_q.noted, sorted({number for number, _ in named}))
    by_number = {row["number"]: row for row in rows}
    return {
        (number, caller): row
        for number, caller in named
        if (row := by_number.get(number)) is not None
        and (caller is None or row["connection_id"] == caller)
    }


async def lock_pieces(tx: Tx, codes: Collection[str]) -> dict[str, Piece]:
    """Lock registered pieces in the order of their codes; unknown ones are absent."""
    if not codes:
        return {}
    rows = await tx.rows(_q.lock_pieces, sorted(codes))
    return {
        row["code"]: Piece(
            code=row["code"],
            article_id=row["article_id"],
            location_id=row["location_id"],
            state=row["state"],
            package_id=row["package_id"],
        )
        for row in rows
    }


def _check(
    tx: Tx, checkout: Checkout, order: Order, note: Note, pieces: Mapping[str, Piece]
) -> _Left | Refused:
    new = rules.new_codes(note, checkout.boxes, pieces)
    if isinstance(new, Refused):
        return new
    partner = tx.partner(checkout.connection_id)
    demanded = getattr(partner.settings, "require_over24h_reason", "off") if partner else "off"
    late = rules.too_late(note, checkout.late_reason, clock.now(), demanded=demanded == "on")
    if new and late:
        return Conflict("late_reason_missing", "More than 24 hours have passed; say why.")
    left = _Left(checkout=checkout, order=order, note=note, codes={})
    express = {box.waybill: box.express for box in reversed(checkout.boxes)}
    for waybill, codes in new.items():
        package = rules.box_for(note, waybill)
        if package is None:
            package = Package(id=ids.new(), express=express[waybill], waybill=waybill)
        left.codes.setdefault(package.id, []).extend(codes)
        left.packages[package.id] = package
    return left


def _apply(books: Books, left: _Left, pieces: Mapping[str, Piece]) -> None:
    """Do a checkout in the books, so that the next of the batch sees it."""
    note, order = left.note, left.order
    count = 0
    for package_id, codes in left.codes.items():
        package = left.packages[package_id]
        if package not in note.packages:
            note.packages.append(package)
        for code in codes:
            piece = pieces[code]
            piece.state, piece.package_id = "shipped", package_id
            package.codes[code] = piece.article_id
            note.lines[piece.article_id].shipped += 1
            count += 1
    note.answered = True
    note.late_reason = left.checkout.late_reason or note.late_reason
    if not note.rest:
        rules.advance(note, "finish")
    books.touched[note.id] = note
    waybills = ", ".join(package.waybill for package in left.packages.values())
    books.log(order, f"{count} pieces left {note.outlet} for {note.number}, waybill {waybills}")


async def _take_stock(tx: Tx, left: Sequence[_Left], pieces: Mapping[str, Piece]) -> None:
    """Take the pieces out of stock; those recorded elsewhere are moved to the outlet first."""
    moves: list[Move] = []
    strays: list[tuple[_Left, str, int]] = []
    parts: list[exact.Part] = []
    for one in left:
        by_article: dict[int, int] = {}
        for code in (code for codes in one.codes.values() for code in codes):
            piece, here = pieces[code], one.note.location_id
            by_article[piece.article_id] = by_article.get(piece.article_id, 0) + 1
            if piece.location_id != here:
                moves += _moved(one, piece, here)
                strays.append((one, code, piece.location_id))
                piece.location_id = here
        parts += [
            exact.Part(
                document_id=one.note.id,
                article_id=article,
                location_id=one.note.location_id,
                qty=qty,
                number=one.order.number,
            )
            for article, qty in by_article.items()
        ]
    added = await exact.take(tx, parts, left[0].checkout.who, moves)
    if strays or added:
        await _show(tx, strays, added)


async def _show(tx: Tx, strays: Sequence[tuple[_Left, str, int]], added: Sequence[Move]) -> None:
    """Put before a person what the books had elsewhere, or nowhere."""
    ids = {move.location_id for move in added} | {place for _, _, place in strays}
    places = {row["id"]: row["code"] for row in await tx.rows(_q.outlets_by_id, ints(ids))}
    names = await ledger.skus(tx, {move.article_id for move in added})
    moved = [
        Discrepancy(
            kind="moved",
            subject=code,
            text=f"Piece {code} left {one.note.outlet}, but was recorded at {places[place]}.",
            order=one.order,
            note=one.note,
            details={"recorded_at": places[place], "left": one.note.outlet},
        )
        for one, code, place in strays
    ]
    found = [
        Discrepancy(
            kind="found",
            subject=f"{names[move.article_id]} @ {places[move.location_id]}",
            text=f"{move.delta} pieces left that the books did not have there ({move.document}).",
            details={"order": move.document, "qty": move.delta},
        )
        for move in added
    ]
    await ledger.report(tx, [*moved, *found])


def _moved(one: _Left, piece: Piece, here: int) -> list[Move]:
    return [
        Move(
            article_id=piece.article_id,
            location_id=place,
            delta=delta,
            kind="transfer",
            document=one.order.number,
            who=one.checkout.who,
        )
        for place, delta in ((piece.location_id, -1), (here, 1))
    ]


async def _write_packages(tx: Tx, left: Sequence[_Left]) -> None:
    rows = {package.id: (package, one) for one in left for package in one.packages.values()}
    await tx.do(
        _q.add_packages,
        ints(rows),
        ints(one.order.id for _, one in rows.values()),
        ints(one.note.id for _, one in rows.values()),
        [package.express for package, _ in rows.values()],
        [package.waybill for package, _ in rows.values()],
    )


async def _write_pieces(tx: Tx, left: Sequence[_Left]) -> None:
    gone = [
        (package_id, code, one.packages[package_id].codes[code], one.note.location_id)
        for one in left
        for package_id, codes in one.codes.items()
        for code in codes
    ]
    await tx.do(
        _q.ship_pieces,
        ints(row[0] for row in gone),
        [row[1] for row in gone],
        ints(row[2] for row in gone),
        ints(row[3] for row in gone),
    )


async def _announce(tx: Tx, left: Sequence[_Left]) -> None:
    """Tell the ordering side of each checkout's new pieces."""
    overheard = bool(tx.overhearers(facts.PackagesShipped.kind))
    told = [one for one in left if one.order.connection_id is not None or overheard]
    names = await ledger.skus(tx, {article for one in told for article in one.note.lines})
    await announce(
        tx,
        [
            Announcement(
                connection_id=one.order.connection_id,
                key=one.order.id,
                fact=facts.PackagesShipped(
                    number=one.order.number,
                    transfer=ledger.transfer(
                        one.note,
                        ((one.packages[package], codes) for package, codes in one.codes.items()),
                        names,
                    ),
                    late_reason=one.checkout.late_reason,
                ),
            )
            for one in told
        ],
    )
