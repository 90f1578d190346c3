"""After goods have left: pieces come back to any outlet, packages go under another waybill."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from entrepot import facts, ids
from entrepot.courier.outbox import Announcement, announce
from entrepot.db import ints
from entrepot.dispatch import books as ledger
from entrepot.dispatch import rules
from entrepot.dispatch.books import _q
from entrepot.dispatch.refusing import Done
from entrepot.dispatch.shipping import lock_pieces, owners
from entrepot.errors import Conflict, Missing, Refused
from entrepot.stock import flows as stock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Row, Tx
    from entrepot.dispatch.rules import Package, Piece


class _Back(NamedTuple):
    """A piece that comes back: the return, the outlet's row, the shipment's row, the article."""

    one: Return
    place: Row
    shipment: Row
    article_id: int


class Return(Struct, frozen=True, kw_only=True):
    """A piece that an outlet (by code) received; the waybill is the return's."""

    outlet: str
    code: str
    waybill: str
    who: str
    express: str = ""


class NewWaybill(Struct, frozen=True, kw_only=True):
    """A note's packages under ``target`` go under another waybill."""

    note: str
    target: str
    express: str
    waybill: str
    who: str
    connection_id: int | None = None


async def receive(tx: Tx, batch: Sequence[Return]) -> list[Done | Refused]:
    """Put shipped pieces back in stock where they were received, sellable at once.

    The same outlet, waybill and code again is the same return; another of a piece that is not out is
    refused.
    """
    places = {
        row["code"]: row
        for row in await tx.rows(_q.outlets_by_code, sorted({r.outlet for r in batch}))
    }
    pieces = await lock_pieces(tx, {r.code for r in batch})
    shipments = await _shipments(tx, pieces)
    done = await _returned(tx, batch, places)
    outcomes: list[Done | Refused] = []
    back: list[_Back] = []
    for one in batch:
        outcome = _check(one, places, pieces, done, shipments)
        outcomes.append(outcome)
        if isinstance(outcome, Done) and outcome.changed:
            piece = pieces[one.code]
            back.append(_Back(one, places[one.outlet], shipments[one.code], piece.article_id))
            pieces[one.code].state = "in_stock"
            done[one.outlet, one.waybill, one.code] = outcome.order
    if back:
        await _put_back(tx, back)
    return outcomes


def _check(
    one: Return,
    places: dict[str, Row],
    pieces: dict[str, Piece],
    done: dict[tuple[str, str, str], str],
    shipments: dict[str, Row],
) -> Done | Refused:
    if one.outlet not in places:
        return Missing("unknown_store", f"There is no store {one.outlet}.", store=one.outlet)
    if one.code not in pieces:
        return Missing("unknown_piece", f"There is no piece {one.code}.", codes=[one.code])
    if (one.outlet, one.waybill, one.code) in done:
        return Done(order=done[one.outlet, one.waybill, one.code], changed=False)
    if pieces[one.code].state != "shipped":
        return Conflict("piece_not_out", f"Piece {one.code} is not out.", codes=[one.code])
    return Done(order=shipments[one.code]["number"])


async def _shipments(tx: Tx, pieces: dict[str, Piece]) -> dict[str, Row]:
    """Return each piece's last shipment, by code."""
    out = [piece for piece in pieces.values() if piece.package_id is not None]
    if not out:
        return {}
    rows = await tx.rows(_q.shipments, ints(piece.package_id or 0 for piece in out))
    by_package = {row["package_id"]: row for row in rows}
    return {piece.code: by_package[piece.package_id] for piece in out if piece.package_id}


async def _returned(
    tx: Tx, batch: Sequence[Return], places: dict[str, Row]
) -> dict[tuple[str, str, str], str]:
    """Return the orders of those returns that have been booked before, by (outlet, waybill, code)."""
    known = [one for one in batch if one.outlet in places]
    rows = await tx.rows(
        _q.returned,
        [one.code for one in known],
        [places[one.outlet]["id"] for one in known],
        [one.waybill for one in known],
    )
    codes = {row["id"]: row["code"] for row in places.values()}
    return {(codes[row["location_id"]], row["waybill"], row["code"]): row["number"] for row in rows}


async def _put_back(tx: Tx, back: Sequence[_Back]) -> None:
    await tx.do(
        _q.return_pieces,
        ints(ids.some(len(back))),
        [b.one.code for b in back],
        ints(b.shipment["package_id"] for b in back),
        ints(b.place["id"] for b in back),
        [b.one.express for b in back],
        [b.one.waybill for b in back],
        ints(b.shipment["order_id"] for b in back),
        [b.one.who for b in back],
        [f"{b.one.code} came back to {b.one.outlet}, waybill {b.one.waybill}" for b in back],
    )
    moves = [
        stock.Move(
            article_id=b.article_id,
            location_id=b.place["id"],
            delta=1,
            kind="return",
            document=b.shipment["number"],
            who=b.one.who,
        )
        for b in back
    ]
    await stock.move(tx, moves)
    names = await ledger.skus(tx, {b.article_id for b in back})
    await announce(tx, [_news(b, names) for b in back])


def _news(back: _Back, names: dict[int, str]) -> Announcement:
    one, shipment = back.one, back.shipment
    fact = facts.ReturnReceived(
        number=shipment["number"],
        note=shipment["note"],
        outlet=one.outlet,
        outlet_name=back.place["name"],
        express=one.express,
        waybill=one.waybill,
        piece=facts.Piece(sku=names[back.article_id], code=one.code),
    )
    at_home = shipment["shop_id"] == back.place["id"]
    return Announcement(
        connection_id=None if at_home else shipment["connection_id"],
        key=shipment["order_id"],
        fact=fact,
    )


async def change_waybill(tx: Tx, batch: Sequence[NewWaybill]) -> list[Done | Refused]:
    """Put packages under other waybills and tell the ordering side; the same again changes nothing."""
    known = await owners(tx, [(change.note, change.connection_id) for change in batch])
    books = await ledger.opened(tx, {row["order_id"] for row in known.values()})
    outcomes: list[Done | Refused] = []
    news: list[Announcement] = []
    changed: dict[int, Package] = {}
    for change in batch:
        row = known.get((change.note, change.connection_id))
        if row is None:
            outcomes.append(Missing("unknown_note", f"There is no note {change.note}."))
            continue
        order = books.orders[row["order_id"]]
        note = books.note(order.id, row["id"])
        hits = rules.changing(note, change.target, change.express, change.waybill)
        if isinstance(hits, Refused):
            outcomes.append(hits)
            continue
        outcomes.append(Done(order=order.number, changed=bool(hits)))
        for package in hits:
            if package.waybill != change.waybill:
                package.earlier.append(package.waybill)
            package.express, package.waybill = change.express, change.waybill
            changed[package.id] = package
        if hits:
            books.who[order.id] = change.who
            books.log(order, f"waybill {change.target} became {change.waybill} ({change.express})")
            fact = facts.WaybillChanged(
                number=order.number,
                note=note.number,
                target=change.target,
                express=change.express,
                waybill=change.waybill,
            )
            news.append(Announcement(connection_id=order.connection_id, key=order.id, fact=fact))
    if changed:
        packages = list(changed.values())
        await tx.do(
            _q.change_packages,
            ints(changed),
            [package.express for package in packages],
            [package.waybill for package in packages],
            ["\x1f".join(package.earlier) for package in packages],
        )
        await announce(tx, news)
        await ledger.write(tx, books)
    return outcomes
