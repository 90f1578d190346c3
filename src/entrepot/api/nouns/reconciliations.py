"""Reconciliation (对账): partners' lists of a day against ours. What differs is a discrepancy."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from entrepot.api import naming, paging, words
from entrepot.api.desk import Desk
from entrepot.api.operation import Created, reads, writes
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import Body, Code, Id
from entrepot.db import Row, Tx, queries
from entrepot.errors import BadInput, Unusable
from entrepot.imports.jobs import Format
from entrepot.reconciliation import flows, jobs
from entrepot.reconciliation.kinds import KINDS, Kind

if TYPE_CHECKING:
    from entrepot.connections.rules import Connection

Listed = Literal["orders", "stock", "refunds"]
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="In Asia/Shanghai.")]
_q = queries(__package__)


class Reconciled(Struct, frozen=True, kw_only=True):
    """One list of a day as it was compared last: how many keys either side has, how many differ."""

    connection: str | None
    kind: Listed
    day: str
    file: str
    who: str
    theirs: int
    ours: int
    differing: int
    at: datetime


class ReconciledWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lists, the newest days first."""

    connection: Code | None = None


class ListSent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose list of which day the body is.

    ``sellable``: a list of stock says what may be sold, not what lies there; ``own``: one of orders or
    refunds is of the hub's own orders, not of this partner's.
    """

    connection: Code
    kind: Listed
    day: Day
    format: Format = "csv"
    sellable: bool = False
    own: bool = False


class Asked(Body, frozen=True, kw_only=True):
    """Whom to ask for its stock."""

    connection: Code


class Asking(Struct, frozen=True, kw_only=True):
    """A partner that is asked for its stock; ``problem`` is why that came to nothing."""

    id: str
    connection: str | None
    who: str
    state: Literal["waiting", "done", "failed"]
    differing: int
    problem: str
    created_at: datetime
    finished_at: datetime | None


@reads("/reconciliations", "reconciliations")
async def list_reconciliations(tx: Tx, desk: Desk, query: ReconciledWanted) -> Page[Reconciled]:
    """List what was compared. What differs is found under ``/discrepancies``."""
    known = naming.connections(desk, [query.connection] if query.connection else [])
    key = paging.start(query, tuple[Day, Number, str]) or (None, None, None)
    found = await tx.rows(
        _q.reconciliations,
        *(query.limit + 1, known.get(query.connection or ""), *key),
    )
    return paging.page(
        found,
        query,
        lambda row: (row["day"], row["connection_id"], row["kind"]),
        lambda row: _reconciled(tx, row),
    )


@writes("POST", "/reconciliations", "reconciliations")
async def reconcile_list(tx: Tx, desk: Desk, query: ListSent, body: bytes) -> Reconciled:
    """Compare a list, whose file is the body, with ours; the same list again changes nothing.

    Columns: orders ``number``, ``qty``, ``amount``, ``state``; stock ``sku``, ``location``, ``qty`` as of the
    day's end; refunds ``number``, ``amount``.
    """
    partner, kind = _connection(desk, query.connection).partner, KINDS[query.kind]
    asked = flows.Asked(
        kind=query.kind,
        connection_id=partner.id,
        day=_day(query.day),
        file="sent",
        who=desk.who,
        places=partner.settings.locations,
        sellable=query.sellable,
        own=query.own,
    )
    rows = await asyncio.to_thread(_read, body, query.format, kind)
    run = await flows.reconcile(tx, kind, asked, rows)
    row = await tx.row(_q.reconciliation, partner.id, run.kind, run.day)
    if row is None:
        raise words.missing("reconciliation", run.day)
    return _reconciled(tx, row)


@writes("POST", "/reconciliations/asks", "reconciliations", status=202)
async def ask_partner(tx: Tx, desk: Desk, body: Asked) -> Created[Asking]:
    """Have a partner asked for its stock of all our articles, where its dialect has a query, and compare."""
    made = await jobs.ask(tx, _connection(desk, body.connection), desk.who)
    return Created(await show_ask.handler(tx, desk, str(made)), f"/reconciliations/asks/{made}")


@reads("/reconciliations/asks/{id}", "reconciliations", tagged=True)
async def show_ask(tx: Tx, desk: Desk, id: Id) -> Asking:  # noqa: A002 - the path's word
    """Show what came of asking a partner."""
    del desk
    row = await jobs.found(tx, words.number(id, "ask"))
    if row is None:
        raise words.missing("ask", id)
    partner = tx.partner(row["connection_id"])
    names = set(Asking.__struct_fields__) - {"id", "connection"}
    return Asking(
        id=str(row["id"]),
        connection=partner.name if partner else None,
        **{name: row[name] for name in names},
    )


def _connection(desk: Desk, name: str) -> Connection:
    naming.connections(desk, [name])
    return desk.hub.registry.named(desk.caller.tenant_id, name)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput("bad_day", f"There is no day {text}.", path="?day") from error


def _read(content: bytes, format_: str, kind: Kind) -> flows.Rows:
    """Return a list's rows; raises BadInput for what is none."""
    with tempfile.TemporaryDirectory(prefix="entrepot-list-") as name:
        path = Path(name, f"list.{format_}")
        path.write_bytes(content)
        try:
            return flows.read(path, kind)
        except (Unusable, BadInput) as error:
            text = str(error).replace(str(path), "the list")
            code = error.code if isinstance(error, BadInput) else "unreadable"
            raise BadInput(code, text) from error


def _reconciled(tx: Tx, row: Row) -> Reconciled:
    partner = tx.partner(row["connection_id"])
    names = set(Reconciled.__struct_fields__) - {"connection"}
    return Reconciled(
        connection=partner.name if partner else None, **{name: row[name] for name in names}
    )
