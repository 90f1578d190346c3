"""The queue, and who takes care of what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot.console.attention import queue
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.errors import Missing

if TYPE_CHECKING:
    from litestar import Response


@get("/attention", "orders.see")
async def attention(visit: Visit) -> Response[Any]:
    """The queue, the oldest first."""
    kind = visit.query["kind"] if visit.query["kind"] in queue.KINDS else None
    counts = await queue.counts(visit.hub, visit.seat.tenant_id)
    async with visit.reading() as tx:
        items = await queue.oldest(
            tx, kind=kind, connection=visit.connection_id("connection"),
            person_id=visit.seat.person_id,
        )  # fmt: skip
    if visit.query["owner"] == "me":
        items = [item for item in items if item.mine]
    elif visit.query["owner"] == "nobody":
        items = [item for item in items if not item.owner]
    return visit.show(
        "attention/list.html",
        items=items,
        counts=counts,
        kinds={code: _(word) for code, word in queue.KINDS.items()},
        kind=kind,
        more=len(items) >= queue.MOST,
        connections=visit.connections(),
    )


@post("/attention/{kind:str}/{item:str}/{act:take|leave}", "orders.see")
async def take(visit: Visit) -> Response[Any]:
    """Take an item, or let it go."""
    kind, item, act = (visit.path[name] for name in ("kind", "item", "act"))
    if kind not in queue.KINDS:
        raise Missing("no_page", _("There is no such page."))
    async with visit.transaction() as tx:
        if act == "take":
            await queue.own(tx, kind, item, visit.seat.person_id, visit.who)
        else:
            await queue.disown(tx, kind, item)
    said = _("It is yours.") if act == "take" else _("Nobody takes care of it now.")
    return visit.back(said, otherwise="/attention")


PAGES = [attention, take]
