"""Outlets: what ships, whether it is asked at present, how much a day; and the pieces that lie there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot import decode
from entrepot.connections.flows import audit
from entrepot.console import exports, filters, lists
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.dispatch import outlets as flows
from entrepot.dispatch.outlets import Outlet
from entrepot.errors import BadInput, Missing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from litestar import Response

    from entrepot.db import Row, Tx

_MOST = 1_000_000
_q = queries(__package__)


@get("/outlets", "orders.see")
async def outlets(visit: Visit) -> Response[Any]:
    """Every location by code, with what is open there."""
    text, after = visit.query["q"].strip(), visit.query["before"]
    rows: Sequence[Row] = []
    if decode.storable(text + after):
        async with visit.reading() as tx:
            rows = await tx.rows(
                _q.outlets, after, *lists.prefix_span(text), lists.SIZE + 1, lists.today()
            )
    page = lists.page(rows, lambda row: row["code"], before=after)
    return visit.show("dispatch/outlets.html", page=page)


@post("/outlets/{location_id:int}/{act:pause|resume}", "dispatch.act")
async def pause(visit: Visit) -> Response[Any]:
    """Offer an outlet nothing for a while, or offer it notes again; what it has stays with it."""
    paused = visit.path["act"] == "pause"
    async with visit.transaction() as tx:
        row = await _outlet(visit, tx)
        await _set(visit, tx, row, paused=paused)
    said = (
        _("%(outlet)s is offered nothing for now.")
        if paused
        else _("%(outlet)s is offered notes again.")
    )
    return visit.back(said % {"outlet": row["code"]}, otherwise="/outlets")


@get("/outlets/{location_id:int}/edit", "dispatch.act")
async def edit_page(visit: Visit) -> Response[Any]:
    """Ask how an outlet ships."""
    async with visit.reading() as tx:
        row = await _outlet(visit, tx)
    served = next(
        (
            c.partner.name
            for c in visit.hub.registry.of(visit.seat.tenant_id)
            if c.partner.id == row["connection_id"]
        ),
        "",
    )
    return visit.show("dispatch/outlet.html", o=row, served=served, connections=visit.connections())


@post("/outlets/{location_id:int}/edit", "dispatch.act")
async def edit(visit: Visit) -> Response[Any]:
    """Change how an outlet ships."""
    form = visit.form
    connection = None
    if name := form.get("connection"):
        connection = visit.hub.registry.named(visit.seat.tenant_id, name).partner.id
    groups = tuple(word for word in form.get("groups", "").replace(",", " ").split() if word)
    if not decode.storable("".join(groups)):
        raise BadInput("groups_unclear", "Groups are words.", path="groups")
    async with visit.transaction() as tx:
        row = await _outlet(visit, tx)
        await _set(
            visit, tx, row, connection_id=connection, ships=form.get("ships") == "1", groups=groups,
            priority=_whole(form.get("priority", ""), "priority") or 0,
            daily_capacity=_whole(form.get("daily_capacity", ""), "daily_capacity"),
        )  # fmt: skip
    return visit.go("/outlets", _("The outlet %(outlet)s is saved.") % {"outlet": row["code"]})


@get("/pieces", "orders.see")
async def pieces(visit: Visit) -> Response[Any]:
    """Physical pieces by code: where each lies, or with which waybill it left."""
    async with visit.reading() as tx:
        places = await tx.rows(_q.locations)
        rows = await _pieces(visit, tx, lists.SIZE + 1, visit.query["before"])
        await filters.load(visit, tx, "/pieces")
    page = lists.page(rows, lambda row: row["code"], before=visit.query["before"])
    choices = [(row["code"], f"{row['code']} {row['name']}".strip()) for row in places]
    return visit.show("dispatch/pieces.html", page=page, places=choices)


@get("/pieces/export.{kind:csv|xlsx}", "orders.see")
async def export(visit: Visit) -> Response[Any]:
    """Pieces as a file."""
    header = [_("Piece"), "SKU", _("State"), _("Outlet"), _("Waybill"), _("Note"), _("Changed")]
    return await exports.answer("pieces", visit.path["kind"], header, _exported(visit))


PAGES = [outlets, pause, edit_page, edit, pieces, export]


async def _outlet(visit: Visit, tx: Tx) -> Row:
    row = await tx.row(_q.outlet, visit.path["location_id"])
    if row is None:
        raise Missing("unknown_outlet", "There is no such outlet.")
    return row


async def _set(visit: Visit, tx: Tx, row: Row, **changes: Any) -> None:
    """Save an outlet with some of it changed, and write down what was."""
    now = {name: row[name] for name in Outlet.__struct_fields__}
    now["groups"] = tuple(row["groups"])
    changed = {name: value for name, value in changes.items() if value != now[name]}
    if changed:
        await flows.set_up(tx, [Outlet(**(now | changed))])
        details = {
            name.removesuffix("_id"): _written(visit, name, value)
            for name, value in changed.items()
        }
        await audit(tx, visit.who, "outlet set", row["code"], details=details)


def _written(visit: Visit, name: str, value: object) -> str:
    """Return a setting of an outlet as the audit log has it: a connection by its name."""
    if name == "connection_id":
        known = visit.hub.registry.of(visit.seat.tenant_id)
        return next((c.partner.name for c in known if c.partner.id == value), "")
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)


def _whole(text: str, field: str) -> int | None:
    plain = text.strip()
    if not plain:
        return None
    if not plain.isascii() or not plain.isdigit() or int(plain) > _MOST:
        raise BadInput("pieces_unclear", "A whole number, 0 or more.", path=field)
    return int(plain)


async def _pieces(visit: Visit, tx: Tx, limit: int, after: str) -> Sequence[Row]:
    text = visit.query["q"].strip()
    if not decode.storable(text + after):
        return []
    place = None
    if code := visit.query["outlet"]:
        place = next((r["id"] for r in await tx.rows(_q.locations) if r["code"] == code), 0)
    if place is not None:
        return await tx.rows(_q.pieces_here, after, *lists.prefix_span(text), place, limit)
    return await tx.rows(_q.pieces, after, *lists.prefix_span(text), limit)


async def _exported(visit: Visit) -> AsyncIterator[Sequence[object]]:
    after, told = "", 0
    while told < exports.MOST:
        async with visit.reading() as tx:
            rows = await _pieces(visit, tx, 1000, after)
        for row in rows:
            state = _("In stock") if row["state"] == "in_stock" else _("Shipped")
            yield (
                row["code"], row["sku"], state, row["location"], row["waybill"] or "", row["note"] or "",
                row["changed_at"],
            )  # fmt: skip
        told += len(rows)
        if len(rows) < 1000:
            return
        after = rows[-1]["code"]
