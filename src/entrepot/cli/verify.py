"""Prove that the ledger adds up to every balance, and reservations to what is reserved."""

from __future__ import annotations

import typer

from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.stock import views


@at_desk
async def command(desk: Desk, *, as_json: Json = False) -> None:
    """Prove sum of movements = balance and sum of open reservations = reserved, for every row."""
    async with desk.hub.db.transaction(
        desk.tenant_id, isolation="repeatable_read", readonly=True
    ) as tx:
        rows = [dict(row.items()) for row in await views.discrepancies(tx)]
    if as_json:
        show.as_json(rows)
    elif rows:
        show.table(tuple(rows[0]), (list(row.values()) for row in rows), empty="")
    else:
        show.say("Every balance is proven.")
    if rows:
        raise typer.Exit(1)
