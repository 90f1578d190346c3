"""Stock levels: send them now, and the rules that shape what channels see."""

from __future__ import annotations

import asyncio
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from entrepot import clock
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.courier import desk as courier
from entrepot.errors import BadInput, Unusable
from entrepot.stock import published

app = typer.Typer()
rules = typer.Typer()
app.add_typer(rules, name="rules", help="Rules that shape what channels see; the last match wins.")

_PAUSE = 0.1
_Count = Annotated[int | None, typer.Option(min=0)]


@app.command()
@at_desk
async def send(
    desk: Desk,
    connection: str,
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Everything, not only what changed.")
    ] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the end; 0: do not.")] = 30.0,
) -> None:
    """Publish a connection's stock levels now, and wait until the partner has them."""
    hub = desk.hub
    found = hub.registry.named(desk.tenant_id, connection)
    if found.role.levels(found.partner.settings) == 0:
        raise BadInput("no_levels", f"The partner of {connection} is told no stock levels.")
    if found.partner.partner_url is None:
        text = f"Where to? entrepot connections set {connection} partner_url=https://…"
        raise Unusable(text)
    partner_id = found.partner.id
    await courier.send_levels(hub.db, desk.tenant_id, partner_id, full=full)
    until = clock.ticks() + wait
    while clock.ticks() < until:
        await asyncio.sleep(_PAUSE)
        async with hub.db.reading(desk.tenant_id) as tx:
            row = await courier.round_stands(tx, partner_id)
        if row is None or not row["served"]:
            text = (
                "No courier is running; the levels go when one does: entrepot serve --role courier"
            )
            raise Unusable(text)
        if row["last_error"]:
            raise Unusable(f"The partner of {connection} did not take them: {row['last_error']}")
        if not row["owed"]:
            show.say(f"The partner of {connection} has the newest levels.")
            return
    show.say(f"Asked for; see: entrepot deliveries list --connection {connection}")


@rules.command("list")
@at_desk
async def list_(desk: Desk, *, as_json: Json = False) -> None:
    """List the rules in the order in which they are looked at."""
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        rows = [dict(row.items()) for row in await published.list_rules(tx)]
    if as_json:
        show.as_json([{**row, "id": str(row["id"])} for row in rows])
        return
    show.table(
        tuple(rows[0]) if rows else (),
        (list(row.values()) for row in rows),
        empty="No rules: every channel sees what is available. Add one: entrepot levels rules add",
    )


@rules.command()
@at_desk
async def add(
    desk: Desk,
    *,
    connection: Annotated[str | None, typer.Option(help="Only for this channel.")] = None,
    location: Annotated[str | None, typer.Option(help="Only this store's own figure.")] = None,
    sku: Annotated[str | None, typer.Option(help="Only for this article.")] = None,
    locations: Annotated[str | None, typer.Option(help="Codes that count, with commas.")] = None,
    ratio: Annotated[str, typer.Option(help="Of what is available: 0.8.")] = "1",
    buffer: Annotated[int, typer.Option(help="Pieces kept back.")] = 0,
    minimum: _Count = None,
    maximum: _Count = None,
    fixed: _Count = None,
    stop: Annotated[bool, typer.Option("--stop", help="Show 0: sell nothing.")] = False,
) -> None:
    """Add a rule behind all others."""
    chosen = desk.hub.registry.named(desk.tenant_id, connection) if connection else None
    new = published.NewRule(
        connection_id=chosen.partner.id if chosen else None,
        location=location,
        sku=sku,
        locations=tuple(locations.split(",")) if locations else None,
        ratio=_ratio(ratio),
        buffer=buffer,
        minimum=minimum,
        maximum=maximum,
        fixed=fixed,
        stop=stop,
    )
    show.say(str(await desk.run(lambda tx: published.add_rule(tx, new))))


@rules.command()
@at_desk
async def remove(desk: Desk, rule: int) -> None:
    """Remove a rule by its id."""
    await desk.run(lambda tx: published.remove_rule(tx, rule))


def _ratio(text: str) -> Decimal:
    try:
        ratio = Decimal(text)
        sane = 0 <= ratio <= 100
    except InvalidOperation:
        sane = False
    if not sane:
        raise BadInput("bad_ratio", f"--ratio {text}: a number from 0 to 100.")
    return ratio
