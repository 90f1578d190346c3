"""Filters of lists that somebody gave a name: kept per person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot import ids
from entrepot.console.visit import Visit, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from litestar import Response

    from entrepot.db import Tx

_q = queries(__package__)


async def load(visit: Visit, tx: Tx, page: str) -> None:
    """Give the visit what this person kept for a list."""
    visit.saved = await tx.rows(_q.saved, visit.seat.person_id, page)


@post("/filters")
async def keep(visit: Visit) -> Response[Any]:
    """Keep a list's filter under a name."""
    page, query = visit.form.get("page", ""), visit.form.get("query", "")[:1000]
    name = visit.form.get("name", "").strip()[:60]
    if not name or not page.startswith("/") or page.startswith("//"):
        raise BadInput("name_missing", "A filter needs a name.", path="name")
    async with visit.transaction() as tx:
        await tx.do(_q.save_filter, ids.new(), visit.seat.person_id, page, name, query)
    return visit.go(f"{page}?{query}", _("The filter %(name)s is kept.") % {"name": name})


@post("/filters/{filter_id:int}/drop")
async def drop(visit: Visit) -> Response[Any]:
    """Forget a filter."""
    async with visit.transaction() as tx:
        await tx.do(_q.drop_filter, visit.seat.person_id, visit.path["filter_id"])
    return visit.back(_("The filter is forgotten."))


PAGES = [keep, drop]
