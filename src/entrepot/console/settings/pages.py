"""The tenant's settings as a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import structs

from entrepot.connections import flows
from entrepot.connections.rules import TenantSettings
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.papers.flows import settings as read_settings

if TYPE_CHECKING:
    from litestar import Response


@get("/settings", "people.edit")
async def settings_page(visit: Visit) -> Response[Any]:
    """The form, what is set now chosen."""
    async with visit.reading() as tx:
        now = await read_settings(tx)
    return visit.show("settings/settings.html", now=now)


@post("/settings", "people.edit")
async def settings(visit: Visit) -> Response[Any]:
    """Change what differs; a wrong value is refused by name."""
    async with visit.transaction() as tx:
        now = structs.asdict(await read_settings(tx))
        now["allowed_networks"] = ",".join(now["allowed_networks"])
        names = TenantSettings.__struct_fields__
        changes = {
            name: visit.form[name].strip()
            for name in names
            if name in visit.form and visit.form[name].strip() != now[name]
        }
        if changes:
            await flows.set_tenant(tx, changes, visit.who)
    return visit.go(
        "/settings", _("The settings are saved.") if changes else _("Nothing was changed.")
    )


PAGES = [settings_page, settings]
