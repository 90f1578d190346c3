"""Partner systems: list them, add one, change settings, rotate keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import typer

from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.cli.terminal.words import Pairs, pairs
from entrepot.connections import flows
from entrepot.connections.rules import SECRET, Connection
from entrepot.courier.addresses import networks, permitted
from entrepot.errors import BadInput, Missing, Unusable
from entrepot.kit import twin as twins
from entrepot.kit.guide import Subject
from entrepot.kit.guide import guide as write_guide
from entrepot.kit.page import page
from entrepot.stock.flows import first_location

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

    bearer is what callers must show us, partner_bearer what our calls show the partner. An empty value
    (timeout=) returns a setting to its default. With --rotate the old key and secrets stay valid for the
    setting rotation_overlap.
    """
    hub = desk.hub
    wanted = pairs(changes)
    if not wanted and not rotate:
        raise BadInput("nothing_named", "Say what to change: KEY=VALUE, or --rotate.")
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
        show.say(f"The connection {name} is changed: {', '.join(wanted)}.")
    _warn_of_address(desk, name)


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
    _warn_of_address(desk, name)
    await _warn_of_places(desk, name)


@app.command()
@at_desk
async def url(desk: Desk, name: str) -> None:
    """Print a connection's base URL, key included: what the partner is given."""
    registry = desk.hub.registry
    show.say(registry.base_url(registry.named(desk.tenant_id, name)))


@app.command()
@at_desk
async def guide(
    desk: Desk,
    name: str,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Write it there: FILE.md, or FILE.html, a page to print.")
    ] = None,
    hide_key: Annotated[
        bool, typer.Option("--hide-key", help="Leave the key out of the base URL.")
    ] = False,
) -> None:
    """Print the document of a connection for the partner's developer: Chinese, Markdown or HTML.

    It holds the base URL with its key, every call with its fields and examples, how our own calls come and
    how they can be tried; other secrets are named, never shown.
    """
    found = desk.hub.registry.named(desk.tenant_id, name)
    url = desk.hub.registry.base_url(found)
    text = write_guide(
        Subject(
            dialect=desk.hub.dialects[found.partner.dialect],
            partner=found.partner,
            base_url=url.removesuffix(found.generations[0].key) + SECRET if hide_key else url,
        )
    )
    if out is None:
        show.say(text)
        return
    html = out.suffix.lower() in (".html", ".htm")
    if not html and out.suffix.lower() != ".md":
        text = f"{out} should end in .md, or in .html: a page that any browser prints as PDF."
        raise BadInput("bad_suffix", text)
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(page(name, text) if html else text)
    except OSError as error:
        raise Unusable(f"{out} cannot be written: {error.strerror}") from error
    held = "the key is left out" if hide_key else "it holds the key, so give it to the partner only"
    show.say(f"The guide of {name} is in {out}; {held}.")


@app.command()
@at_desk
async def twin(
    desk: Desk,
    name: str,
    *,
    partner_url: Annotated[
        str, typer.Option(help="Where its scripted partner listens; off: nobody is called.")
    ] = "http://127.0.0.1:9000",
) -> None:
    """Make a twin of a connection to practise on: same settings, a tenant of its own, no real partner.

    It begins with copies of locations, goods, suites, stock, pieces, listings and the rules of sourcing;
    again brings those up to date.
    """
    hub = desk.hub
    original = hub.registry.named(desk.tenant_id, name)
    made = await twins.twin(
        *(hub.db, hub.vault, hub.dialects, hub.registry, original),
        partner_url=partner_url,
        who=desk.who,
    )
    await hub.registry.load()
    partner = original.partner
    twin = hub.registry.named(made.tenant_id, name)
    known = "".join(f" --secret {key}={text}" for key, text in twin.partner.secrets.items() if text)
    show.say(f"{hub.registry.base_url(twin)}")
    show.hint(f"Tenant {made.tenant}, {made.articles} articles. Work in it: --tenant {made.tenant}")
    roles = hub.dialects[partner.dialect].roles
    for role in (role for role in roles if role != partner.role and roles[role].routes):
        knows = known if roles[role].sign is not None else ""
        show.hint(f"Its partner: entrepot mock --dialect {partner.dialect} --role {role}{knows}")


def _warn_of_address(desk: Desk, name: str) -> None:
    """Say at once what a call would fail with: an address in the house that the tenant does not allow."""
    partner = desk.hub.registry.named(desk.tenant_id, name).partner
    _, tenant = desk.hub.registry.tenants[desk.tenant_id]
    try:
        host = urlsplit(partner.partner_url or "").hostname or ""
        address = "127.0.0.1" if host == "localhost" else host
        if permitted(address, networks(tenant.get("allowed_networks", ()))):
            return
    except ValueError:  # no URL, or a name: where it leads is looked up when it is called
        return
    network = "127.0.0.0/8" if address.startswith("127.") else address
    show.hint(
        f"{host} is no public address: entrepot tenant set allowed_networks={network} lets us call it."
    )


async def _warn_of_places(desk: Desk, name: str) -> None:
    """Say at once what a partner's first order would fail with: nothing holds stock."""
    if not desk.hub.registry.named(desk.tenant_id, name).role.routes:
        return
    try:
        await desk.run(first_location)
    except Missing:
        show.hint(
            "No location holds stock yet, and orders need one: entrepot import outlets --template"
        )


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
