"""Webhooks: who is told what happens here, by signed POSTs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from entrepot import facts
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.connections import flows
from entrepot.connections.flows import NewConnection
from entrepot.errors import Missing

if TYPE_CHECKING:
    from entrepot.connections.rules import Connection

app = typer.Typer()
_DIALECT, _SENDER = "webhooks", "sender"

Name = Annotated[str, typer.Argument(help="The subscription's name, as `webhooks list` shows it.")]


@app.command("list")
@at_desk
async def list_(desk: Desk, *, as_json: Json = False) -> None:
    """List who is told what."""
    rows = [
        {
            "name": hook.partner.name,
            "url": hook.partner.partner_url,
            "events": list(hook.partner.settings.events) or ["(all)"],
            "active": hook.partner.settings.active,
            "personal": hook.partner.settings.personal,
        }
        for hook in sorted(_hooks(desk), key=lambda one: one.partner.name)
    ]
    if as_json:
        show.as_json(rows)
        return
    columns = ("name", "url", "events", "active", "personal")
    empty = "Nobody. Tell somebody: entrepot webhooks add URL"
    show.table(columns, ([row[column] for column in columns] for row in rows), empty=empty)


@app.command()
@at_desk
async def events(desk: Desk, *, as_json: Json = False) -> None:
    """List the types of events there are."""
    del desk
    types = facts.events()
    if as_json:
        show.as_json(types)
        return
    show.table(("type",), ([name] for name in types), empty="")


@app.command()
@at_desk
async def add(
    desk: Desk,
    url: Annotated[str, typer.Argument(help="Where the events are POSTed to.")],
    *,
    name: Annotated[str, typer.Option(help="What the subscription is called.")] = "webhook",
    event: Annotated[
        list[str] | None, typer.Option(help="A type of event; none: every one.")
    ] = None,
    personal: Annotated[
        Literal["on", "off"], typer.Option(help="With names, phones and addresses.")
    ] = "off",
    as_json: Json = False,
) -> None:
    """Tell somebody of what happens from now on; the secret is shown this once."""
    new = NewConnection(
        name=name,
        dialect=_DIALECT,
        role=_SENDER,
        partner_url=url,
        settings={"events": ",".join(event or ()), "personal": personal},
    )
    hub = desk.hub
    await desk.run(lambda tx: flows.add(tx, hub.vault, hub.dialects, new, who=desk.who))
    await _show_secret(desk, name, as_json=as_json)


@app.command()
@at_desk
async def rotate(desk: Desk, name: Name, *, as_json: Json = False) -> None:
    """Make a new secret; calls bear both signatures until ``rotation_overlap`` is over."""
    _hook(desk, name)
    hub = desk.hub
    await desk.run(
        lambda tx: flows.change(tx, hub.vault, hub.dialects, name, {}, who=desk.who, rotate=True)
    )
    await _show_secret(desk, name, as_json=as_json)


async def _show_secret(desk: Desk, name: str, *, as_json: bool) -> None:
    await desk.hub.registry.load()
    secret = _hook(desk, name).partner.secrets["secret"]
    if as_json:
        show.as_json({"name": name, "secret": secret})
        return
    show.say(f"{secret}\nIt is shown this once.")


def _hook(desk: Desk, name: str) -> Connection:
    hooks = {hook.partner.name: hook for hook in _hooks(desk)}
    if name not in hooks:
        text = f"There is no subscription {name!r}. See `entrepot webhooks list`."
        raise Missing("unknown_webhook", text)
    return hooks[name]


def _hooks(desk: Desk) -> list[Connection]:
    ours = desk.hub.registry.of(desk.tenant_id)
    return [one for one in ours if (one.partner.dialect, one.partner.role) == (_DIALECT, _SENDER)]
