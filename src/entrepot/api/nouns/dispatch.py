"""Dispatch: which outlets ship orders, why, and what their people do with the notes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from entrepot.api import naming, paging
from entrepot.api.batch import MOST, Batch, batch
from entrepot.api.desk import Desk
from entrepot.api.operation import asks, reads, writes
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import Body, Code, Pieces, Words
from entrepot.db import Row, Tx, queries
from entrepot.dispatch import desk as by_hand
from entrepot.dispatch import explaining, refusing, returning, shipping, voiding
from entrepot.dispatch.explaining import Explanation, Rehearsal
from entrepot.dispatch.refusing import Done, Refusal
from entrepot.dispatch.returning import NewWaybill, Return
from entrepot.dispatch.rules import Box
from entrepot.dispatch.shipping import Checkout
from entrepot.dispatch.voiding import Verdict
from entrepot.errors import Refused
from entrepot.orders.rules import StepBy

NoteState = Literal["open", "done", "refused", "withdrawn", "void"]
Onward = Literal["none", "waiting", "parked", "sourced", "lacking"]
_NEWEST = 2**63 - 1
_q = queries(__package__)


class NoteLine(Struct, frozen=True, kw_only=True):
    """Goods of a note, and how many of them left."""

    sku: str
    qty: int
    shipped: int


class Note(Struct, frozen=True, kw_only=True):
    """What one outlet is to ship of an order; ``onward`` is what became of goods that it did not.

    ``why`` is why this outlet, ``reason`` why it was refused or withdrawn.
    """

    id: str
    number: str
    order: str
    outlet: str
    state: NoteState
    onward: Onward
    round: int
    why: str
    reason: str
    created_at: datetime
    told_at: datetime | None
    answered_at: datetime | None
    lines: list[NoteLine]


class NotesWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which notes, newest first; ``order`` is the ordering side's number."""

    number: Code | None = None
    order: Code | None = None
    outlet: Code | None = None
    state: NoteState | None = None
    onward: Onward | None = None


class OrderAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order by its number or a note's, and whose, where several connections have it."""

    number: Code
    connection: Code | None = None


class GoodsWanted(Body, frozen=True, kw_only=True):
    """Pieces of an article that somebody might order."""

    sku: Code
    qty: Pieces


class DryRun(Body, frozen=True, kw_only=True):
    """Goods for a receiver, as if they were ordered; ``shop`` is the ordering store's code."""

    goods: Annotated[list[GoodsWanted], Meta(min_length=1, max_length=1000)]
    province: Annotated[str, Meta(max_length=200)] = ""
    city: Annotated[str, Meta(max_length=200)] = ""
    connection: Code | None = None
    shop: Annotated[str, Meta(max_length=200)] = ""


class DispatchNamed(Body, frozen=True, kw_only=True):
    """An order by its number or a note's, and whose, where several connections have it."""

    number: Code
    connection: Code | None = None


class DispatchesNamed(Body, frozen=True, kw_only=True):
    """Orders that outlets ship."""

    orders: Annotated[list[DispatchNamed], Meta(min_length=1, max_length=MOST)]


class OfOrder(Struct, frozen=True, kw_only=True):
    """The ordering side's number of what was done; ``changed`` false: it was so before."""

    order: str
    changed: bool


class Voided(Struct, frozen=True, kw_only=True):
    """How a void stands: ``void``, or ``asking`` while outlets have not all answered."""

    order: str
    verdict: Verdict


class Parcel(Body, frozen=True, kw_only=True):
    """A parcel with its pieces' codes (件码); ``express`` is the carrier's code."""

    express: Code
    waybill: Code
    codes: Annotated[list[Code], Meta(min_length=1, max_length=1000)]


class NoteShipped(Body, frozen=True, kw_only=True):
    """What left an outlet for a note; ``late_reason`` is why not within 24 hours."""

    note: Code
    parcels: Annotated[list[Parcel], Meta(min_length=1, max_length=100)]
    late_reason: Words = ""


class NotesShipped(Body, frozen=True, kw_only=True):
    """What left outlets."""

    notes: Annotated[list[NoteShipped], Meta(min_length=1, max_length=MOST)]


class NoteRefused(Body, frozen=True, kw_only=True):
    """A note whose outlet will not ship what is open of it."""

    note: Code
    reason: Words = ""


class NotesRefused(Body, frozen=True, kw_only=True):
    """Notes that are refused."""

    notes: Annotated[list[NoteRefused], Meta(min_length=1, max_length=MOST)]


class NoteWithdrawn(Body, frozen=True, kw_only=True):
    """A note that its outlet is asked to give up; the reason is kept with it."""

    note: Code
    reason: Annotated[str, Meta(min_length=1, max_length=200)]


class NotesWithdrawn(Body, frozen=True, kw_only=True):
    """Notes that are asked back."""

    notes: Annotated[list[NoteWithdrawn], Meta(min_length=1, max_length=MOST)]


class PieceReturned(Body, frozen=True, kw_only=True):
    """A shipped piece that an outlet received; the waybill is the return's."""

    outlet: Code
    code: Code
    waybill: Code
    express: Annotated[str, Meta(max_length=200)] = ""


class PiecesReturned(Body, frozen=True, kw_only=True):
    """Pieces that came back."""

    pieces: Annotated[list[PieceReturned], Meta(min_length=1, max_length=MOST)]


class WaybillNow(Body, frozen=True, kw_only=True):
    """A note's parcels under the waybill ``target`` go under another."""

    note: Code
    target: Code
    express: Code
    waybill: Code


class WaybillsNow(Body, frozen=True, kw_only=True):
    """Waybills that change."""

    waybills: Annotated[list[WaybillNow], Meta(min_length=1, max_length=MOST)]


@reads("/dispatch/notes", "dispatch")
async def list_notes(tx: Tx, desk: Desk, query: NotesWanted) -> Page[Note]:
    """List dispatch notes, newest first."""
    del desk
    (before,) = paging.start(query, tuple[Number]) or (_NEWEST,)
    found = await tx.rows(
        *(_q.notes, before, query.limit + 1, query.number, query.order),
        *(query.outlet, query.state, query.onward),
    )
    lines: dict[int, list[NoteLine]] = {row["id"]: [] for row in found}
    for row in await tx.rows(_q.note_lines, list(lines)):
        line = NoteLine(sku=row["sku"], qty=row["qty"], shipped=row["shipped"])
        lines[row["note_id"]].append(line)
    return paging.page(
        found, query, lambda row: (row["id"],), lambda row: _note(row, lines[row["id"]])
    )


@reads("/dispatch/explain", "dispatch")
async def explain_dispatch(tx: Tx, desk: Desk, query: OrderAsked) -> Explanation:
    """Show why each outlet was or was not chosen for an order."""
    order_id = await by_hand.find(tx, query.number, _connection(desk, query.connection))
    return await explaining.explain(tx, order_id)


@asks("/dispatch/dry-run", "dispatch")
async def rehearse_dispatch(tx: Tx, desk: Desk, body: DryRun) -> Explanation:
    """Choose outlets as if the goods were ordered now; nothing is reserved."""
    goods: dict[str, int] = {}
    for one in body.goods:
        goods[one.sku] = goods.get(one.sku, 0) + one.qty
    wanted = Rehearsal(
        goods=goods,
        province=body.province,
        city=body.city,
        connection_id=_connection(desk, body.connection),
        shop=body.shop,
    )
    return await explaining.rehearse(tx, wanted)


@writes("POST", "/dispatch/source", "dispatch", several=True)
async def source_again(tx: Tx, desk: Desk, body: DispatchesNamed) -> Batch[OfOrder]:
    """Offer what is parked of orders again, to outlets that have not refused it."""
    return batch(await by_hand.source(tx, _steps(desk, body)), _done)


@writes("POST", "/dispatch/void", "dispatch", several=True)
async def void_orders(tx: Tx, desk: Desk, body: DispatchesNamed) -> Batch[Voided]:
    """Void orders that outlets ship; those that were told are asked first, and that goes on by itself.

    An order whose partner is told of every parcel is that partner's to void.
    """
    rows = [await _void(tx, step) for step in _steps(desk, body)]
    ids = [row["id"] for row in rows if not isinstance(row, Refused)]
    verdicts = dict(zip(ids, await voiding.standing(tx, ids), strict=True))
    return batch(rows, lambda row: Voided(order=row["number"], verdict=verdicts[row["id"]]))


@writes("POST", "/dispatch/ship", "dispatch", several=True)
async def ship_notes(tx: Tx, desk: Desk, body: NotesShipped) -> Batch[OfOrder]:
    """Ship parcels of notes, as the outlet's people do; the same again changes nothing."""
    outcomes = await shipping.check_out(
        tx,
        [
            Checkout(
                note=one.note,
                boxes=tuple(
                    Box(express=box.express, waybill=box.waybill, codes=tuple(box.codes))
                    for box in one.parcels
                ),
                who=desk.who,
                late_reason=one.late_reason,
            )
            for one in body.notes
        ],
    )
    return batch(outcomes, lambda done: OfOrder(order=done.order, changed=True))


@writes("POST", "/dispatch/refuse", "dispatch", several=True)
async def refuse_notes(tx: Tx, desk: Desk, body: NotesRefused) -> Batch[OfOrder]:
    """Refuse what outlets have not shipped of notes; it is offered elsewhere where that may be."""
    refusals = [Refusal(note=one.note, who=desk.who, reason=one.reason) for one in body.notes]
    return batch(await refusing.refuse(tx, refusals), _done)


@writes("POST", "/dispatch/withdraw", "dispatch", several=True)
async def withdraw_notes(tx: Tx, desk: Desk, body: NotesWithdrawn) -> Batch[OfOrder]:
    """Ask outlets for notes back; what they give up is offered to others."""
    wishes = [Refusal(note=one.note, who=desk.who, reason=one.reason) for one in body.notes]
    return batch(await refusing.take_back(tx, wishes), _done)


@writes("POST", "/dispatch/returns", "dispatch", several=True)
async def receive_pieces(tx: Tx, desk: Desk, body: PiecesReturned) -> Batch[OfOrder]:
    """Receive shipped pieces at outlets: they lie in stock there, sellable at once."""
    back = [
        Return(
            outlet=one.outlet,
            code=one.code,
            waybill=one.waybill,
            express=one.express,
            who=desk.who,
        )
        for one in body.pieces
    ]
    return batch(await returning.receive(tx, back), _done)


@writes("POST", "/dispatch/waybills", "dispatch", several=True)
async def change_waybills(tx: Tx, desk: Desk, body: WaybillsNow) -> Batch[OfOrder]:
    """Put parcels under other waybills; the ordering side is told."""
    changes = [
        NewWaybill(
            note=one.note,
            target=one.target,
            express=one.express,
            waybill=one.waybill,
            who=desk.who,
        )
        for one in body.waybills
    ]
    return batch(await returning.change_waybill(tx, changes), _done)


def _connection(desk: Desk, name: str | None) -> int | None:
    return None if name is None else naming.connections(desk, [name])[name]


def _steps(desk: Desk, body: DispatchesNamed) -> list[StepBy]:
    return [
        StepBy(number=one.number, who=desk.who, connection_id=_connection(desk, one.connection))
        for one in body.orders
    ]


async def _void(tx: Tx, step: StepBy) -> Row | Refused:
    try:
        await by_hand.find(tx, step.number, step.connection_id)
    except Refused as refusal:
        return refusal
    (outcome,) = await by_hand.cancel(tx, [step])
    return outcome


def _done(done: Done) -> OfOrder:
    return OfOrder(order=done.order, changed=done.changed)


def _note(row: Row, lines: list[NoteLine]) -> Note:
    fields: dict[str, Any] = {
        name: row[name] for name in Note.__struct_fields__ if name not in ("id", "lines")
    }
    return Note(id=str(row["id"]), lines=lines, **fields)
