"""What does not agree: look, and resolve what a person has settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from entrepot import clock
from entrepot.cli.terminal import show, verdicts
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.discrepancies import views
from entrepot.discrepancies.rules import KINDS
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from entrepot.discrepancies.rules import Standing
    from entrepot.discrepancies.views import Filter

app = typer.Typer()

_PAGE = 1000
_ROWS = 100  # of a table, unless --limit says otherwise; JSON has no end

Kind = Annotated[str | None, typer.Option("--kind", help=f"One of {', '.join(KINDS)}.")]
Connection = Annotated[str | None, typer.Option("--connection", help="A connection's name.")]
Document = Annotated[str | None, typer.Option("--document", help="An order's number.")]
Resolved = Annotated[bool, typer.Option("--all", help="Those that are resolved too.")]


@app.command("list")
@at_desk
async def list_(
    desk: Desk,
    *,
    kind: Kind = None,
    connection: Connection = None,
    document: Document = None,
    resolved: Resolved = False,
    limit: Annotated[int | None, typer.Option(help="How many, newest first.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """List what does not agree, newest first."""
    if kind is not None and kind not in KINDS:
        raise BadInput("unknown_kind", f"There is no kind {kind!r}. Known: {', '.join(KINDS)}.")
    named = desk.hub.registry.named(desk.tenant_id, connection) if connection else None
    wanted = views.Filter(
        only_open=not resolved,
        kind=kind,
        connections=(named.partner.id,) if named else None,
        document=document,
    )
    found = _pages(desk, wanted, limit or (None if as_json else _ROWS))
    if as_json:
        await show.stream_json(_row(desk, one) async for one in found)
        return
    columns = ("id", "connection", "kind", "subject", "since", "seen", "what", "resolved")
    rows = [(*_cells(_row(desk, one), one),) async for one in found]
    show.table(columns, rows, empty="Everything agrees.")


@app.command()
@at_desk
async def resolve(
    desk: Desk,
    ids: Annotated[list[str], typer.Argument(metavar="ID…")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Kept with it.")],
) -> None:
    """Resolve discrepancies; each stays so for as long as its figures do."""
    await verdicts.resolve(desk, ids, reason, noun="discrepancy")


async def _pages(desk: Desk, wanted: Filter, limit: int | None) -> AsyncIterator[Standing]:
    """Iterate over what a filter finds, page by page."""
    left = limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        async with desk.hub.db.reading(desk.tenant_id) as tx:
            found = await views.find(tx, msgspec.structs.replace(wanted, limit=size))
        for one in found:
            yield one
        if len(found) < size:
            return
        wanted = msgspec.structs.replace(wanted, before=(found[-1].opened_at, found[-1].id))
        left = None if left is None else left - len(found)


def _row(desk: Desk, one: Standing) -> dict[str, object]:
    """Return a discrepancy as JSON shows it; ids are texts, since they are beyond what JavaScript holds."""
    partner = desk.hub.registry.partner(desk.tenant_id, one.connection_id or 0)
    return {
        "id": str(one.id),
        "kind": one.kind,
        "connection": partner.name if partner else None,
        "subject": one.subject,
        "document": one.document or None,
        "text": one.text,
        "details": one.details,
        "opened_at": one.opened_at,
        "seen_at": one.seen_at,
        "resolved_at": one.resolved_at,
        "resolved_by": one.resolved_by or None,
        "reason": one.reason or None,
    }


def _cells(row: dict[str, object], one: Standing) -> list[object]:
    times = [f"{clock.shanghai(moment):%m-%d %H:%M}" for moment in (one.opened_at, one.seen_at)]
    verdict = f"{one.resolved_by or 'by itself'}: {one.reason}" if one.resolved_at else ""
    return [row["id"], row["connection"], one.kind, one.subject, *times, one.text, verdict]
