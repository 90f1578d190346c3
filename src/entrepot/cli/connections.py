"""Partner systems: list them, add one, change settings, rotate keys."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.cli.terminal.words import Pairs, pairs
from entrepot.connections import flows
from entrepot.connections.rules import SECRET, Connection

app = typer.Typer()

Reveal = Annotated[bool, typer.Option("--show-secrets", help="Show keys and secrets in full.")]


@app.command("list")
@at_desk
async def list_(desk: Desk, *, as_json: Json = False, show_secrets: Reveal = False) -> None:
    """List the tenant's connections with their base URLs, credentials and settings."""
    registry = desk.hub.registry
    rows = [
        _row(connection, registry.base_url(connection), reveal=show_secrets)
        for connection in registry.of(desk.tenant_id)
    ]
    if as_json:
        show.as_json(rows)
        return
    show.table(
        ("name", "dialect", "role", "base URL", "partner URL"),
        ([r[k] for k in ("name", "dialect", "role", "base_url", "partner_url")] for r in rows),
        empty="No connections yet. Add one: entrepot connections add NAME DIALECT",
    )
    if rows and not show_secrets:
        show.say("Keys are hidden; --show-secrets shows them, --json credentials and settings too.")


@app.command("set")
@at_desk
async def set_(
    desk: Desk,
    name: str,
    changes: Pairs = None,
    *,
    rotate: Annotated[
        bool, typer.Option(help="Make a new key and secrets; the old stay valid for a while.")
    ] = False,
) -> None:
    """Change settings of a connection: partner_url=…, bearer=TOKEN|off, timeout=10s, deadline=24h.

    An empty value (timeout=) returns a setting to its default. With --rotate the old key and secrets stay
    valid for the setting rotation_overlap.
    """
    hub = desk.hub
    wanted = pairs(changes)
    await desk.run(
        lambda tx: flows.change(
            tx, hub.vault, hub.dialects, name, wanted, who=desk.who, rotate=rotate
        )
    )
    await hub.registry.load()
    if rotate:
        url = hub.registry.base_url(hub.registry.named(desk.tenant_id, name))
        show.say(f"The connection {name} has a new key: {url}")
    else:
        show.say(f"The connection {name} is changed: {', '.join(wanted) or 'nothing'}.")


@app.command()
@at_desk
async def add(
    desk: Desk,
    name: str,
    dialect: str,
    settings: Pairs = None,
    *,
    role: Annotated[str, typer.Option(help="Which end we play; default: the usual one.")] = "",
) -> None:
    """Add a partner system and print the base URL to give to the partner."""
    hub = desk.hub
    wanted = pairs(settings)
    new = flows.NewConnection(
        name=name,
        dialect=dialect,
        role=role,
        partner_url=wanted.pop("partner_url", None),
        settings=wanted,
    )
    await desk.run(lambda tx: flows.add(tx, hub.vault, hub.dialects, new, who=desk.who))
    await hub.registry.load()
    show.say(hub.registry.base_url(hub.registry.named(desk.tenant_id, name)))


@app.command()
@at_desk
async def url(desk: Desk, name: str) -> None:
    """Print a connection's base URL, key included: what the partner is given."""
    registry = desk.hub.registry
    show.say(registry.base_url(registry.named(desk.tenant_id, name)))


def _row(connection: Connection, base_url: str, *, reveal: bool) -> dict[str, Any]:
    partner = connection.partner
    secrets = partner.secrets
    key = connection.generations[0].key
    return {
        "tenant": connection.tenant,
        "name": partner.name,
        "dialect": partner.dialect,
        "role": partner.role,
        "base_url": base_url if reveal else base_url.removesuffix(key) + SECRET,
        "credentials": dict(secrets) if reveal else dict.fromkeys(secrets, SECRET),
        "partner_url": partner.partner_url,
        "settings": msgspec.to_builtins(partner.settings),
    }
