"""The list of schedules, and running one by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from entrepot.connections.flows import audit
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _, age
from entrepot.courier import schedules

if TYPE_CHECKING:
    from litestar import Response

_OWN = 0


@get("/schedules", "orders.see")
async def schedule_list(visit: Visit) -> Response[Any]:
    """What runs by the clock for this tenant, and for the hub as a whole."""
    rows = [
        {
            name: row[name]
            for name in ("tenant_id", "name", "next_at", "ran_at", "took_us", "last_error")
        }
        | {"running": row["running"], "every": age(timedelta(seconds=row["every"]))}
        for row in await schedules.upcoming(visit.hub.db)
        if row["tenant_id"] in (_OWN, visit.seat.tenant_id)
    ]
    return visit.show("schedules/list.html", rows=rows)


@post("/schedules", "schedules.run")
async def run(visit: Visit) -> Response[Any]:
    """Have one run at once."""
    name = visit.form.get("name", "")
    async with visit.transaction() as tx:
        await schedules.soon(tx, name)
        await audit(tx, visit.who, "schedule run", name)
    return visit.back(_("It runs in a moment."), otherwise="/schedules")


PAGES = [schedule_list, run]
