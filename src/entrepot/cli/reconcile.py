"""Compare a partner's list of a day with ours (对账), and settle what differs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from typer.core import TyperGroup

from entrepot.cli.terminal import show, verdicts
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.errors import BadInput
from entrepot.reconciliation import flows, jobs
from entrepot.reconciliation.kinds import KINDS, Run

_NAMES = ", ".join(KINDS)
_COMPARE = "compare"


class _Compares(TyperGroup):
    """A file's name in place of a command means: compare it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = [_COMPARE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_Compares)


@app.command(_COMPARE)
@at_desk
async def compare(
    desk: Desk,
    file: Path,
    *,
    connection: Annotated[str, typer.Option(help="Whose list it is.")],
    kind: Annotated[str, typer.Option(help=f"What it lists: {_NAMES}.")],
    day: Annotated[str, typer.Option(help="Which day's, as 2026-03-01 (Asia/Shanghai).")],
    sellable: Annotated[
        bool, typer.Option(help="Stock: it says what may be sold, not what lies there.")
    ] = False,
    own: Annotated[
        bool,
        typer.Option("--own", help="Orders, refunds: of the hub's own orders, not this partner's."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare a CSV or XLSX list with ours: entrepot reconcile FILE --connection … --kind … --day ….

    Columns: orders number[,qty][,amount][,state]; stock sku[,location],qty, as of the day's end; refunds
    number,amount. What differs stands under entrepot discrepancies until the lists agree or a person
    resolves it; exit code 1 where something does.
    """
    chosen = KINDS.get(kind)
    if chosen is None:
        raise BadInput("unknown_kind", f"{kind!r} cannot be reconciled. Known: {_NAMES}.")
    partner = desk.hub.registry.named(desk.tenant_id, connection).partner
    asked = flows.Asked(
        kind=kind,
        connection_id=partner.id,
        day=_day(day),
        file=file.name,
        who=desk.who,
        places=partner.settings.locations,
        sellable=sellable,
        own=own,
    )
    rows = flows.read(file, chosen)
    run = await desk.run(lambda tx: flows.reconcile(tx, chosen, asked, rows))
    _report(desk, run, as_json=as_json)


@app.command()
@at_desk
async def ask(
    desk: Desk,
    *,
    connection: Annotated[str, typer.Option(help="Whom to ask.")],
    as_json: Json = False,
) -> None:
    """Ask a partner for its stock of all our articles, now, and compare: where its dialect has a query."""
    hub = desk.hub
    found = hub.registry.named(desk.tenant_id, connection)
    _, settings = hub.registry.tenants[desk.tenant_id]
    allowed = tuple(settings.get("allowed_networks", ()))
    run = await jobs.compare(hub.db, hub.recorder, found, allowed, desk.who)
    _report(desk, run, as_json=as_json)


@app.command("list")
@at_desk
async def list_(
    desk: Desk,
    *,
    connection: Annotated[str | None, typer.Option(help="Only this one's.")] = None,
    limit: Annotated[
        int, typer.Option(help="How many, the newest days first.", min=1, max=1_000_000)
    ] = 100,
    as_json: Json = False,
) -> None:
    """List what was reconciled and how many keys differed then."""
    named = desk.hub.registry.named(desk.tenant_id, connection) if connection else None
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        found = await flows.runs(tx, named.partner.id if named else None, limit)
    rows = [_shown(desk, run) for run in found]
    if as_json:
        show.as_json(rows)
        return
    columns = ("day", "connection", "kind", "theirs", "ours", "differing", "file", "who")
    how = "Nothing was reconciled yet: entrepot reconcile FILE --connection … --kind … --day …"
    show.table(columns, ([row[name] for name in columns] for row in rows), empty=how)


@app.command()
@at_desk
async def resolve(
    desk: Desk,
    ids: Annotated[list[str], typer.Argument(metavar="ID…")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Kept with it.")],
) -> None:
    """Settle differences by hand, like entrepot discrepancies resolve; each holds while its figures do."""
    await verdicts.resolve(desk, ids, reason, noun="difference")


def _report(desk: Desk, run: Run, *, as_json: bool) -> None:
    """Say how it went; exit code 1 where something differs."""
    if as_json:
        show.as_json(_shown(desk, run))
    else:
        show.say(f"They list {run.theirs}, we have {run.ours}; {run.differing} differ.")
    if run.differing:
        show.hint(f"See: entrepot discrepancies list --kind {KINDS[run.kind].discrepancy}")
        raise typer.Exit(1)


def _shown(desk: Desk, run: Run) -> dict[str, Any]:
    partner = desk.hub.registry.partner(desk.tenant_id, run.connection_id)
    row: dict[str, Any] = msgspec.to_builtins(run)
    del row["connection_id"]
    return {"connection": partner.name if partner else None, **row}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput("bad_day", f"--day {text}: a day is written 2026-03-01.") from error
