"""The list of deliveries, one delivery, and acts on one or on everything a filter finds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from entrepot import decode
from entrepot.connections.rules import masked
from entrepot.console import exports, filters, lists, vocabulary
from entrepot.console.exchanges import bodies
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import N_, _
from entrepot.courier import desk
from entrepot.courier.desk import STATES, Filter
from entrepot.db import queries
from entrepot.errors import Conflict, Missing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from litestar import Response

    from entrepot.console.hub import Hub
    from entrepot.courier.desk import Line
    from entrepot.db import Tx

_ACTS = {
    "retry": N_("It is tried again now."),
    "handle": N_("It is marked as handled."),
    "cancel": N_("It is cancelled."),
}
_OPEN = ("needs_attention", "rejected", "waiting")
_q = queries(__package__)
_under_way: set[asyncio.Task[None]] = set()


@get("/deliveries", "orders.see")
async def deliveries(visit: Visit) -> Response[Any]:
    """The list, newest first."""
    wanted = filter_of(visit)
    async with visit.reading() as tx:
        rows = await find(visit, tx, wanted)
        await filters.load(visit, tx, "/deliveries")
    rows, older = rows[: lists.SIZE], _older(rows)
    page = lists.Page(rows=rows, older=older, first=not visit.query["before"])
    return visit.show(
        "deliveries/list.html",
        page=page,
        states=[(code, vocabulary.state(code)[1]) for code in STATES],
        kinds=sorted(vocabulary.KINDS.items()),
        connections=visit.connections(),
        bulk=wanted.state in _OPEN and bool(rows),
    )


@get("/deliveries/export.{kind:csv|xlsx}", "orders.see")
async def export(visit: Visit) -> Response[Any]:
    """The list as a file."""
    header = [
        _("Id"), _("Connection"), _("What"), _("Number"), _("State"), _("Attempts"), _("Last error"),
        _("Reason"), _("Created"), _("Deadline"),
    ]  # fmt: skip
    return await exports.answer("deliveries", visit.path["kind"], header, _exported(visit))


@get("/deliveries/bulk/{act:retry|handle|cancel}", "deliveries.act")
async def bulk_page(visit: Visit) -> Response[Any]:
    """Ask for the reason of an act on everything the filter finds."""
    return visit.show("deliveries/bulk.html", act=visit.path["act"], wanted=filter_of(visit))


@post("/deliveries/bulk/{act:retry|handle|cancel}", "deliveries.act")
async def bulk(visit: Visit) -> Response[Any]:
    """Begin an act on everything the filter finds; it goes on by itself."""
    act = visit.path["act"]
    reason = visit.form.get("reason", "").strip() if act == "retry" else visit.reason()
    seat, hub = visit.seat, visit.hub
    act_id = await desk.begin(
        hub.db, seat.tenant_id, act, filter_of(visit), who=visit.who, reason=reason
    )
    task = asyncio.create_task(_go_on(hub, seat.tenant_id, act_id))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return visit.go(f"/deliveries/acts/{act_id}")


@get("/deliveries/acts/{act_id:int}", "deliveries.act")
async def act_page(visit: Visit) -> Response[Any]:
    """How far an act on many has come."""
    async with visit.reading() as tx:
        row = await tx.row(_q.act, visit.path["act_id"])
    if row is None:
        raise Missing("no_page", _("There is no such page."))
    return visit.show("deliveries/act.html", act=row)


@get("/deliveries/{name:str}", "orders.see")
async def delivery(visit: Visit) -> Response[Any]:
    """One delivery: what is to be told, every attempt, the last call as it was."""
    async with visit.reading() as tx:
        line = await _line(visit, tx)
        row = await tx.row(_q.one, int(line.id))
        attempts, log = await desk.history(tx, int(line.id))
        order_id = await tx.value(_q.order_of, line.document)
        last = await tx.row(_q.last_call, row["connection_id"], line.document) if row else None
    payload = row["payload"] if row else b"{}"
    plain = visit.hub.vault.unseal(payload) if row and row["sealed"] else payload
    unseal = visit.hub.vault.unseal_body
    call = None
    if last is not None and visit.seat.may("exchanges.see"):
        call = {
            part: bodies.pretty(masked(unseal(last[part]).decode("utf-8", "replace")))
            for part in ("request", "reply")
        } | {"cursor": lists.by_time(last), "status": last["status"]}
    return visit.show(
        "deliveries/delivery.html",
        line=line,
        attempts=attempts,
        log=log,
        order_id=order_id,
        call=call,
        fact=bodies.pretty(masked(plain.decode("utf-8", "replace"))),
    )


@get("/deliveries/{name:str}/{act:handle|cancel}", "deliveries.act")
async def reason_page(visit: Visit) -> Response[Any]:
    """Ask why one is handled or cancelled."""
    return visit.show("deliveries/reason.html", name=visit.path["name"], act=visit.path["act"])


@post("/deliveries/{name:str}/{act:retry|handle|cancel}", "deliveries.act")
async def act(visit: Visit) -> Response[Any]:
    """Retry, handle or cancel one."""
    name, what = visit.path["name"], visit.path["act"]
    reason = "" if what == "retry" else visit.reason()
    seat = visit.seat
    (done,) = await desk.act(
        visit.hub.db, seat.tenant_id, what, [name], who=visit.who, reason=reason
    )
    if done.refused:
        raise Conflict("delivery_stands", done.refused)
    return visit.back(_(_ACTS[what]), otherwise="/deliveries")


PAGES = [deliveries, export, bulk_page, bulk, act_page, delivery, reason_page, act]


def filter_of(visit: Visit) -> Filter:
    """Return what the address's filters ask for."""
    query = visit.query
    connection = visit.connection_id("connection")
    number = query["q"].strip() or None
    return Filter(
        state=query["state"] if query["state"] in STATES else None,
        connections=None if connection is None else (connection,),
        document=number if number is None or decode.storable(number) else "",
        kind=query["kind"] or None,
        error=query["error"].strip() or None,
        before=lists.id_before(query["before"]) if query["before"] else None,
        limit=lists.SIZE + 1,
    )


async def find(visit: Visit, tx: Tx, wanted: Filter) -> list[Line]:
    """Return deliveries of this person's tenant."""
    ends = desk.deadlines(visit.hub.registry, visit.seat.tenant_id)
    return await desk.find(tx, wanted, ends)


def _older(rows: Sequence[Line]) -> str | None:
    """Return the cursor of the next page; levels, which come before the first page, have none."""
    shown = [row.id for row in rows[: lists.SIZE] if row.id.isdigit()]
    return shown[-1] if len(rows) > lists.SIZE and shown else None


async def _line(visit: Visit, tx: Tx) -> Line:
    name = visit.path["name"]
    if name.isascii() and name.isdigit() and len(name) < 19:
        found = await find(visit, tx, Filter(before=int(name) + 1, limit=1, kind=None))
        if found and found[0].id == name:
            return found[0]
    raise Missing("unknown_delivery", "There is no such delivery.")


async def _go_on(hub: Hub, tenant_id: int, act_id: int) -> None:
    finished = False
    while not finished:
        finished = (await desk.go_on(hub.db, tenant_id, act_id)).finished


async def _exported(visit: Visit) -> AsyncIterator[Sequence[object]]:
    wanted = msgspec.structs.replace(filter_of(visit), limit=1000)
    told = 0
    while told < exports.MOST:
        async with visit.reading() as tx:
            rows = await find(visit, tx, wanted)
        for row in rows:
            yield (
                row.id, row.connection, vocabulary.kind(row.kind), row.document or "",
                vocabulary.state(row.state)[1], row.attempts, row.last_error or "", row.reason or "",
                row.created_at, row.deadline,
            )  # fmt: skip
        told += len(rows)
        numbered = [row.id for row in rows if row.id.isdigit()]
        if len(rows) < 1000 or not numbered:
            return
        wanted = msgspec.structs.replace(wanted, before=int(numbered[-1]))
