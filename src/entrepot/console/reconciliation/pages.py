"""Runs of reconciliation, one of them with what differs, and the form that makes one."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from entrepot import clock, decode
from entrepot.connections.flows import audit
from entrepot.console import exports, lists, vocabulary
from entrepot.console.connections.pages import known_to
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.discrepancies import flows as discrepancies
from entrepot.discrepancies.flows import Resolve
from entrepot.errors import BadInput, Conflict, Missing, Unusable
from entrepot.reconciliation import asking, flows
from entrepot.reconciliation.flows import Asked
from entrepot.reconciliation.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from litestar import Response

    from entrepot.connections.rules import Connection
    from entrepot.db import Row, Tx
    from entrepot.reconciliation.flows import Rows

_BATCH = 1000
_RUN = "/reconciliation/{connection_id:int}/{kind:orders|stock|refunds}/{day:str}"
_q = queries(__package__)


@get("/reconciliation", "orders.see")
async def runs(visit: Visit) -> Response[Any]:
    """What was reconciled, the newest days first, and the form for the next list."""
    async with visit.reading() as tx:
        rows = await tx.rows(
            _q.runs, visit.connection_id("connection"), *_before(visit), lists.SIZE + 1
        )
    known = visit.hub.registry.of(visit.seat.tenant_id)
    askable = [c.partner.name for c in known if c.role.stock_query is not None]
    return visit.show(
        "reconciliation/list.html",
        page=lists.page(rows, _cursor, before=visit.query["before"]),
        connections=visit.connections(),
        askable=[(name, name) for name in sorted(askable)],
        kinds=[(name, vocabulary.listed_kind(name)) for name in KINDS],
        columns={name: [c.name for c in kind.columns] for name, kind in KINDS.items()},
        today=clock.shanghai(clock.now()).date().isoformat(),
    )


@post("/reconciliation", "orders.act")
async def compare(visit: Visit) -> Response[Any]:
    """Compare a file with what we have of that day."""
    form, file = visit.form, visit.files.get("file")
    kind = KINDS.get(form.get("kind", ""))
    if kind is None or file is None or not file.filename:
        raise BadInput("file_missing", "Choose a file.", path="file")
    known, name = _named(visit), Path(file.filename).name[:200]
    if not decode.storable(name):
        raise BadInput("file_missing", "Choose a file.", path="file")
    rows = await _read(await file.read(), name, kind.name)
    asked = Asked(
        kind=kind.name, connection_id=known.partner.id, day=_day(form.get("day", "")), file=name,
        who=visit.who, places=known.partner.settings.locations, sellable=form.get("sellable") == "1",
        own=form.get("own") == "1",
    )  # fmt: skip
    return await _reconciled(visit, asked, rows, known.partner.name)


@post("/reconciliation/ask", "orders.act")
async def ask(visit: Visit) -> Response[Any]:
    """Ask a partner for its stock of all our articles, now, and compare."""
    hub, known = visit.hub, _named(visit)
    query = asking.query_of(known)
    _name, settings = hub.registry.tenants[visit.seat.tenant_id]
    try:
        rows = await asking.stock(hub.db, hub.recorder, known, settings.get("allowed_networks", ()))
    except Unusable as error:
        raise Conflict("not_asked", str(error)) from error
    asked = Asked(
        kind="stock", connection_id=known.partner.id, day=clock.shanghai(clock.now()).date(),
        file="asked", who=visit.who, places=known.partner.settings.locations, sellable=query.sellable,
    )  # fmt: skip
    return await _reconciled(visit, asked, rows, known.partner.name)


@get(_RUN, "orders.see")
async def run(visit: Visit) -> Response[Any]:
    """One run and what differs, in the order of keys."""
    async with visit.reading() as tx:
        head = await _head(visit, tx)
        rows = await _differences(visit, tx, visit.query["before"], lists.SIZE + 1)
    page = lists.page(rows, lambda row: row["subject"], before=visit.query["before"])
    shown = [(row, _key(row), _sides(row)) for row in page.rows]
    return visit.show("reconciliation/run.html", run=head, page=page, rows=shown, base=_base(visit))


@get(_RUN + "/differences.{format:csv|xlsx}", "orders.see")
async def export(visit: Visit) -> Response[Any]:
    """What differs, as a file."""
    header = [
        _("Key"),
        _("Theirs"),
        _("Ours"),
        _("Order"),
        _("Since"),
        _("Settled by"),
        _("Reason"),
    ]
    return await exports.answer("differences", visit.path["format"], header, _exported(visit))


@get(_RUN + "/settle", "dispatch.act")
async def settle_page(visit: Visit) -> Response[Any]:
    """Ask why everything that still differs is settled."""
    async with visit.reading() as tx:
        head = await _head(visit, tx)
    return visit.show("reconciliation/settle.html", run=head, base=_base(visit))


@post(_RUN + "/settle", "dispatch.act")
async def settle(visit: Visit) -> Response[Any]:
    """Settle all that differs of a day, a batch a transaction; each holds while its figures do."""
    reason, after, settled = visit.reason(), "", 0
    while True:
        async with visit.transaction() as tx:
            await _head(visit, tx)
            rows = await _differences(visit, tx, after, _BATCH, standing=True)
            wishes = [Resolve(id=row["id"], who=visit.who, reason=reason) for row in rows]
            await discrepancies.resolve(tx, wishes)
        settled += len(rows)
        if len(rows) < _BATCH:
            return visit.go(_base(visit), _("%(num)s differences are settled.") % {"num": settled})
        after = rows[-1]["subject"]


PAGES = [runs, compare, ask, run, export, settle_page, settle]


async def _read(content: bytes, name: str, kind: str) -> Rows:
    """Return a list's rows; what is wrong with it is said under the name it was sent with."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="entrepot-reconcile-"))
    path = folder / f"file{Path(name).suffix.lower()}"
    try:
        await asyncio.to_thread(path.write_bytes, content)
        return await asyncio.to_thread(flows.read, path, KINDS[kind])
    except BadInput as error:
        raise BadInput(error.code, error.text.replace(str(path), name), path="file") from error
    finally:
        await asyncio.to_thread(shutil.rmtree, folder)


async def _reconciled(visit: Visit, asked: Asked, rows: Rows, name: str) -> Response[Any]:
    async with visit.transaction() as tx:
        found = await flows.reconcile(tx, KINDS[asked.kind], asked, rows)
        details = {"kind": found.kind, "day": found.day, "differing": found.differing}
        await audit(tx, visit.who, "reconcile", name, details=details)
    said = _("They list %(theirs)s, we have %(ours)s; %(differing)s differ.")
    facts = {"theirs": found.theirs, "ours": found.ours, "differing": found.differing}
    return visit.go(f"/reconciliation/{asked.connection_id}/{asked.kind}/{found.day}", said % facts)


def _named(visit: Visit) -> Connection:
    return visit.hub.registry.named(visit.seat.tenant_id, visit.form.get("connection", ""))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput("bad_day", f"{text}: a day is written 2026-03-01.", path="day") from error


def _before(visit: Visit) -> tuple[date | None, int | None, str | None]:
    day, connection, kind = [*visit.query["before"].split("."), "", ""][:3]
    try:
        at = date.fromisoformat(day)
    except ValueError:
        return None, None, None
    return at, lists.id_before(connection), kind if decode.storable(kind) else ""


def _cursor(row: Row) -> str:
    return f"{row['day']}.{row['connection_id']}.{row['kind']}"


def _base(visit: Visit) -> str:
    return "/reconciliation/{connection_id}/{kind}/{day}".format(**visit.path)


async def _head(visit: Visit, tx: Tx) -> Row:
    path, row = visit.path, None
    known_to(visit)
    if len(path["day"]) == len("2026-03-01"):
        row = await tx.row(_q.run, path["connection_id"], path["kind"], _day(path["day"]))
    if row is None:
        raise Missing("unknown_run", "Nothing was reconciled like that.")
    return row


async def _differences(
    visit: Visit, tx: Tx, after: str, limit: int, *, standing: bool = False
) -> Sequence[Row]:
    day, kind = visit.path["day"], KINDS[visit.path["kind"]].discrepancy
    only = standing or visit.query["settled"] != "1"
    behind = after if decode.storable(after) else ""
    return await tx.rows(
        _q.differences, visit.path["connection_id"], kind, f"{day} ", f"{day}!", behind, only, limit
    )


def _key(row: Row) -> str:
    return str(row["subject"]).partition(" ")[2]


def _sides(row: Row) -> tuple[str, str]:
    """Return what they and we say, in the reader's words."""
    details = msgspec.json.decode(row["details"])
    return vocabulary.side(details.get("theirs")), vocabulary.side(details.get("ours"))


async def _exported(visit: Visit) -> AsyncIterator[Sequence[object]]:
    after, told = "", 0
    while told < exports.MOST:
        async with visit.reading() as tx:
            await _head(visit, tx)
            rows = await _differences(visit, tx, after, _BATCH)
        for row in rows:
            yield (
                _key(row), *_sides(row), row["document"], row["opened_at"], row["resolved_by"],
                row["reason"],
            )  # fmt: skip
        told += len(rows)
        if len(rows) < _BATCH:
            return
        after = rows[-1]["subject"]
