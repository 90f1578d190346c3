"""The board of dispatch notes, an order's notes with why each outlet was chosen, and what a person does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from entrepot import decode, ids
from entrepot.console import exports, filters, lists, vocabulary
from entrepot.console.timeline import timeline
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.dispatch import desk, explaining, outlets, refusing, shipping
from entrepot.dispatch.refusing import Refusal
from entrepot.dispatch.rules import Box
from entrepot.dispatch.shipping import Checkout
from entrepot.errors import BadInput, Missing
from entrepot.orders.rules import StepBy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from litestar import Response

    from entrepot.db import Row, Tx

STATES = ("open", "done", "refused", "withdrawn", "void")
ONWARD = ("parked", "waiting", "lacking")
OFFERED = timedelta(days=7)
"""How long before it was answered a note may have been offered, where answers of a day are sought."""
_q = queries(__package__)


@get("/dispatch", "orders.see")
async def board(visit: Visit) -> Response[Any]:
    """Notes, newest first."""
    async with visit.reading() as tx:
        places = await tx.rows(_q.locations)
        rows = await _notes(visit, tx, lists.SIZE + 1, visit.query["before"])
        await filters.load(visit, tx, "/dispatch")
    return visit.show(
        "dispatch/list.html",
        page=lists.page(rows, lists.by_id, before=visit.query["before"]),
        states=[(code, vocabulary.note_state(code)[1]) for code in STATES],
        onward_choices=[(code, vocabulary.onward(code)[1]) for code in ONWARD],
        places=[(row["code"], f"{row['code']} {row['name']}".strip()) for row in places],
    )


@get("/dispatch/export.{kind:csv|xlsx}", "orders.see")
async def export(visit: Visit) -> Response[Any]:
    """The board as a file."""
    header = [
        _("Note"), _("Order"), _("Outlet"), _("State"), _("Pieces"), _("Shipped"), _("Round"),
        _("Why this outlet"), _("Reason"), _("Created"), _("Answered"),
    ]  # fmt: skip
    return await exports.answer("dispatch", visit.path["kind"], header, _exported(visit))


@get("/dispatch/{order_id:int}", "orders.see")
async def dispatched(visit: Visit) -> Response[Any]:
    """An order's notes and parcels, and why each outlet was or was not chosen."""
    async with visit.reading() as tx:
        head = await _head(visit, tx)
        found = await explaining.explain(tx, head["id"])
        parcels = await tx.rows(_q.parcels, head["id"])
        steps = await tx.rows(_q.steps, head["id"])
        numbers = [head["number"], *(note.note for note in found.notes)]
        events = await timeline(visit, tx, numbers=numbers, log=steps[::-1])
        notes = {row["number"]: row for row in await tx.rows(_q.open_notes, head["id"])}
    return visit.show(
        "dispatch/order.html",
        order=head,
        found=found,
        parcels=parcels,
        events=events,
        still_open=notes,
        parked=any(note.onward == "parked" for note in found.notes),
    )


@post("/dispatch/{order_id:int}/source", "dispatch.act")
async def source(visit: Visit) -> Response[Any]:
    """Offer what is parked of an order again."""
    async with visit.reading() as tx:
        head = await _head(visit, tx)
    step = StepBy(number=head["number"], who=visit.who, connection_id=head["connection_id"])
    await visit.do(desk.source, step)
    said = _("What was parked of %(number)s is offered again.") % {"number": head["number"]}
    return visit.back(said, otherwise=f"/dispatch/{head['id']}")


@get("/notes/{number:str}/{act:refuse|ship|withdraw}", "dispatch.act")
async def act_page(visit: Visit) -> Response[Any]:
    """Ask why a note is refused or taken back, or under which waybill which of its pieces leave."""
    async with visit.reading() as tx:
        row = await _note(visit, tx)
        codes: list[str] = []
        if visit.path["act"] == "ship":
            codes = await outlets.rest_in_stock(tx, await desk.note(tx, row["number"]))
    return visit.show(f"dispatch/{visit.path['act']}.html", note=row, codes=codes)


@post("/notes/{number:str}/refuse", "dispatch.act")
async def refuse(visit: Visit) -> Response[Any]:
    """Refuse, for an outlet of our own people, what it has not shipped; others are asked."""
    return await _give_up(visit, refusing.refuse, _("%(outlet)s ships no more of %(note)s."))


@post("/notes/{number:str}/withdraw", "dispatch.act")
async def withdraw(visit: Visit) -> Response[Any]:
    """Ask an outlet for a note back; what it gives up is offered to others."""
    said = _("%(outlet)s is asked to give %(note)s up.")
    return await _give_up(visit, refusing.take_back, said)


@post("/notes/{number:str}/ship", "dispatch.act")
async def ship(visit: Visit) -> Response[Any]:
    """Ship a parcel, for an outlet of our own people."""
    form = visit.form
    waybill, express = form.get("waybill", "").strip(), form.get("express", "").strip()
    codes = tuple(form.get("codes", "").replace(",", " ").split())
    if not waybill or not express or not decode.storable(waybill + express):
        raise BadInput("waybill_missing", "A parcel needs a carrier and a waybill.", path="waybill")
    if not codes or not decode.storable("".join(codes)):
        raise BadInput("codes_missing", "A parcel holds at least one piece.", path="codes")
    async with visit.reading() as tx:
        row = await _note(visit, tx)
    box = Box(express=express, waybill=waybill, codes=codes)
    late = form.get("reason", "").strip()
    checkout = Checkout(note=row["number"], boxes=(box,), who=visit.who, late_reason=late)
    await visit.do(shipping.check_out, checkout)
    said = _("%(count)s pieces of %(note)s have left.")
    return visit.go(
        f"/dispatch/{row['order_id']}", said % {"count": len(codes), "note": row["number"]}
    )


PAGES = [board, export, dispatched, source, act_page, refuse, withdraw, ship]


async def _notes(visit: Visit, tx: Tx, limit: int, before: str) -> Sequence[Row]:
    query = visit.query
    number = query["q"].strip() or None
    if number is not None and not decode.storable(number):
        return []
    place, since = None, lists.today() if query["answered"] == "today" else None
    if query["outlet"]:
        found = (r["id"] for r in await tx.rows(_q.locations) if r["code"] == query["outlet"])
        place = next(found, 0)
    return await tx.rows(
        _q.notes,
        query["state"] if query["state"] in STATES else None,
        query["onward"] if query["onward"] in ONWARD else None,
        place,
        number,
        lists.id_before(before),
        limit,
        since,
        ids.floor(since - OFFERED) if since else 0,
    )


async def _head(visit: Visit, tx: Tx) -> Row:
    head = await tx.row(_q.head, visit.path["order_id"])
    if head is None:
        raise Missing("not_dispatched", "Outlets ship no such order.")
    return head


async def _give_up(visit: Visit, flow: Any, said: str) -> Response[Any]:
    """Have an outlet ship no more of a note, for the reason given; go back to its order."""
    reason = visit.reason()
    async with visit.reading() as tx:
        row = await _note(visit, tx)
    await visit.do(flow, Refusal(note=row["number"], who=visit.who, reason=reason))
    told = said % {"outlet": row["outlet"], "note": row["number"]}
    return visit.go(f"/dispatch/{row['order_id']}", told)


async def _note(visit: Visit, tx: Tx) -> Row:
    number = visit.path["number"]
    row = await tx.row(_q.note, number) if decode.storable(number) else None
    if row is None:
        raise Missing("unknown_note", f"There is no note {number}.", number=number)
    return row


async def _exported(visit: Visit) -> AsyncIterator[Sequence[object]]:
    before, told = "", 0
    while told < exports.MOST:
        async with visit.reading() as tx:
            rows = await _notes(visit, tx, 1000, before)
        for row in rows:
            yield (
                row["number"], row["order_number"], row["outlet"], vocabulary.note_state(row["state"])[1],
                row["pieces"], row["shipped"], row["round"], row["why"], row["reason"], row["created_at"],
                row["answered_at"],
            )  # fmt: skip
        told += len(rows)
        if len(rows) < 1000:
            return
        before = str(rows[-1]["id"])
