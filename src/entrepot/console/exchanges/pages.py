"""The list of exchanges and one of them, as it was on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from entrepot import decode
from entrepot.connections.flows import audit
from entrepot.connections.rules import SECRET, masked
from entrepot.console import exports, filters, lists
from entrepot.console.exchanges import bodies
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.errors import Missing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from litestar import Response

    from entrepot.db import Row, Tx

_BEGIN, _END = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_q = queries(__package__)


@get("/exchanges", "exchanges.see")
async def exchanges(visit: Visit) -> Response[Any]:
    """The list, newest first; drawn anew every few seconds where the reader wants it live."""
    async with visit.reading() as tx:
        rows = await find(visit, tx, lists.SIZE + 1)
        await filters.load(visit, tx, "/exchanges")
    page = lists.page(rows, lists.by_time, before=visit.query["before"])
    return visit.show("exchanges/list.html", page=page, connections=visit.connections())


@get("/exchanges/export.{kind:csv|xlsx}", "exchanges.see")
async def export(visit: Visit) -> Response[Any]:
    """The list as a file, without bodies."""
    header = [
        _("Time"), _("Direction"), _("Connection"), _("Number"), _("Method"), _("Path"), _("Status"),
        _("Duration (ms)"),
    ]  # fmt: skip
    return await exports.answer("exchanges", visit.path["kind"], header, _exported(visit))


@get("/exchanges/{cursor:str}", "exchanges.see")
async def exchange(visit: Visit) -> Response[Any]:
    """One exchange; names, phones and addresses are hidden."""
    return await _show(visit, plain=False)


@get("/exchanges/{cursor:str}/reveal", "personal.see")
async def reveal_page(visit: Visit) -> Response[Any]:
    """Ask why the bodies are to be seen in plain."""
    return visit.show("exchanges/reveal.html", cursor=visit.path["cursor"])


@post("/exchanges/{cursor:str}/reveal", "personal.see")
async def reveal(visit: Visit) -> Response[Any]:
    """Show the bodies in plain, once, and write down who looked and why."""
    reason = visit.reason()
    response = await _show(visit, plain=True, reason=reason)
    response.headers |= {"hx-retarget": "#main", "hx-reselect": "#main", "hx-reswap": "outerHTML"}
    return response


PAGES = [exchanges, export, exchange, reveal_page, reveal]


async def find(
    visit: Visit, tx: Tx, limit: int, before: str | None = None, *, connection: int | None = None
) -> Sequence[Row]:
    """Return exchanges by the address's filters (``connection`` overrides its filter)."""
    query = visit.query
    number = query["q"].strip() or None
    if number is not None and not decode.storable(number):
        return []
    at, row_id = lists.time_before(before or query["before"])
    start, end = lists.days(query)
    chosen = visit.connection_id("connection") if connection is None else connection
    direction = query["direction"] if query["direction"] in ("in", "out") else None
    return await tx.rows(
        _q.page, number, chosen, direction, query["failed"] == "1", at, row_id, start or _BEGIN,
        end or _END, limit,
    )  # fmt: skip


async def _show(visit: Visit, *, plain: bool, reason: str = "") -> Response[Any]:
    at, row_id = lists.time_before(visit.path["cursor"])
    async with visit.transaction() as tx:
        row = None if at is None else await tx.row(_q.one, at, row_id)
        if row is None:
            raise Missing("no_exchange", "There is no such exchange; it may be too old to be kept.")
        if plain:
            subject = row["document"] or f"{row['method']} {row['path']}"
            await audit(tx, visit.who, "reveal exchange", subject, reason=reason)
    unseal = visit.hub.vault.unseal_body
    request, reply = (unseal(row[part]).decode("utf-8", "replace") for part in ("request", "reply"))
    if not plain:
        request, reply = masked(request), masked(reply)
    return visit.show(
        "exchanges/exchange.html",
        exchange=row,
        cursor=visit.path["cursor"],
        plain=plain,
        hidden=not plain and SECRET in request + reply,
        request=bodies.pretty(request),
        reply=bodies.pretty(reply),
        curl=bodies.curl(row["method"], _address(visit, row), request),
    )


def _address(visit: Visit, row: Row) -> str:
    """Return the URL a call went to; the key of our own base URL only for those who may see secrets."""
    connection = visit.hub.registry.get(visit.seat.tenant_id, row["connection_id"])
    if connection is None:
        return str(row["path"])
    if row["direction"] == "out":
        return f"{(connection.partner.partner_url or '').rstrip('/')}{row['path']}"
    base = visit.hub.registry.base_url(connection)
    if not visit.seat.may("secrets.see"):
        base = base.rpartition("/")[0] + "/" + SECRET
    return f"{base}{row['path']}"


async def _exported(visit: Visit) -> AsyncIterator[Sequence[object]]:
    before: str | None = None
    told = 0
    while told < exports.MOST:
        async with visit.reading() as tx:
            rows = await find(visit, tx, 1000, before)
        for row in rows:
            yield (
                row["at"], row["direction"], row["connection"], row["document"] or "", row["method"],
                row["path"], row["status"], row["duration_us"] / 1000,
            )  # fmt: skip
        told += len(rows)
        if len(rows) < 1000:
            return
        before = lists.by_time(rows[-1])
