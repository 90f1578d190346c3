"""Prove that the ledgers add up to every balance, and reservations to what is reserved."""

from __future__ import annotations

import typer

from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.orders import accounts
from entrepot.stock import views


@at_desk
async def command(desk: Desk, *, as_json: Json = False) -> None:
    """Prove sum of movements = balance and sum of open reservations = reserved, for every row; and for
    every order, sum of entries = what was paid and refunded.
    """
    async with desk.hub.db.transaction(
        desk.tenant_id, isolation="repeatable_read", readonly=True
    ) as tx:
        stock = [dict(row.items()) for row in await views.discrepancies(tx)]
        money = [dict(row.items()) for row in await accounts.discrepancies(tx)]
    rows = stock + money
    if as_json:
        show.as_json(rows)
    for found in (stock, money):
        if found and not as_json:
            show.table(tuple(found[0]), (list(row.values()) for row in found), empty="")
    if not rows and not as_json:
        show.say("Every balance is proven.")
    if rows:
        raise typer.Exit(1)
