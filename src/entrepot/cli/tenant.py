"""Tenants: list them, add one, change settings."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from entrepot import ids
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.cli.terminal.words import Pairs, pairs
from entrepot.connections import flows
from entrepot.connections.rules import TenantSettings

app = typer.Typer()


@app.command("set")
@at_desk
async def set_(desk: Desk, changes: Pairs = None) -> None:
    """Change settings: four_eyes, refund_requires_receipt, allow_raise (on|off), freight_excluded
    (deduct|ignore), allowed_networks (CIDRs). An empty value returns one to its default.
    """
    wanted = pairs(changes)
    await desk.run(lambda tx: flows.set_tenant(tx, wanted, desk.who))
    show.say(f"The tenant is changed: {', '.join(wanted) or 'nothing'}.")


@app.command("list")
@at_desk
async def list_(desk: Desk, *, as_json: Json = False) -> None:
    """List all tenants with their settings."""
    rows = [
        {"tenant": name, "settings": msgspec.to_builtins(msgspec.convert(raw, TenantSettings))}
        for name, raw in desk.hub.registry.tenants.values()
    ]
    if as_json:
        show.as_json(rows)
        return
    names = [field.name for field in msgspec.structs.fields(TenantSettings)]
    show.table(
        ("tenant", *names),
        ([row["tenant"], *(row["settings"][name] for name in names)] for row in rows),
        empty="No tenant yet. Start the hub once: entrepot serve",
    )


@app.command()
@at_desk
async def add(
    desk: Desk, name: Annotated[str, typer.Argument(help="What --tenant will call it.")]
) -> None:
    """Add a tenant: its articles, stock, orders and connections are its own."""
    async with desk.hub.db.transaction(ids.new()) as tx:
        await flows.add_tenant(tx, name, {})
    show.say(f"Tenant {name} is there. Next: entrepot connections add NAME DIALECT --tenant {name}")
