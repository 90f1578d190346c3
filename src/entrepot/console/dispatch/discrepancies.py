"""What does not agree: shown until it agrees again, or until a person settles it and says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import structs

from entrepot import decode
from entrepot.console import exports, filters, lists, vocabulary
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.discrepancies import flows, views
from entrepot.discrepancies.flows import Resolve
from entrepot.discrepancies.views import Filter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from litestar import Response

    from entrepot.discrepancies.rules import Standing


@get("/discrepancies", "orders.see")
async def discrepancies(visit: Visit) -> Response[Any]:
    """What stands, newest first; what was settled where that is asked for."""
    wanted = _filter(visit, lists.SIZE + 1)
    async with visit.reading() as tx:
        found = await views.find(tx, wanted)
        await filters.load(visit, tx, "/discrepancies")
    names = {c.partner.id: c.partner.name for c in visit.hub.registry.of(visit.seat.tenant_id)}
    return visit.show(
        "dispatch/discrepancies.html",
        page=lists.page(found, _cursor, before=visit.query["before"]),
        kinds=[(code, vocabulary.discrepancy(code)) for code in vocabulary.DISCREPANCIES],
        connections=visit.connections(),
        names=names,
    )


@get("/discrepancies/export.{kind:csv|xlsx}", "orders.see")
async def export(visit: Visit) -> Response[Any]:
    """The list as a file."""
    header = [
        _("Kind"), _("Subject"), _("Order"), _("What"), _("Since"), _("Last seen"), _("Settled"),
        _("Settled by"), _("Reason"),
    ]  # fmt: skip
    return await exports.answer("discrepancies", visit.path["kind"], header, _exported(visit))


@get("/discrepancies/{discrepancy_id:int}/resolve", "dispatch.act")
async def resolve_page(visit: Visit) -> Response[Any]:
    """Ask how one was settled."""
    return visit.show("dispatch/resolve.html", discrepancy_id=visit.path["discrepancy_id"])


@post("/discrepancies/{discrepancy_id:int}/resolve", "dispatch.act")
async def resolve(visit: Visit) -> Response[Any]:
    """Settle one; it stays so for as long as its figures stay the same."""
    one = Resolve(id=visit.path["discrepancy_id"], who=visit.who, reason=visit.reason())
    async with visit.transaction() as tx:
        (refused,) = await flows.resolve(tx, [one])
        if refused is not None:
            raise refused
    said = _("It is settled.")
    return visit.back(said) if visit.htmx else visit.go("/discrepancies", said)


PAGES = [discrepancies, export, resolve_page, resolve]


def _filter(visit: Visit, limit: int) -> Filter:
    query = visit.query
    number = query["q"].strip() or None
    connection = visit.connection_id("connection")
    at, row_id = lists.time_before(query["before"])
    return Filter(
        only_open=query["settled"] != "1",
        kind=query["kind"] if query["kind"] in vocabulary.DISCREPANCIES else None,
        connections=None if connection is None else (connection,),
        document=number if number is None or decode.storable(number) else "\ufffd",
        before=None if at is None or row_id is None else (at, row_id),
        limit=limit,
    )


def _cursor(one: Standing) -> str:
    return lists.by_time({"at": one.opened_at, "id": one.id})


async def _exported(visit: Visit) -> AsyncIterator[Sequence[object]]:
    wanted, told = _filter(visit, 1000), 0
    while told < exports.MOST:
        async with visit.reading() as tx:
            found = await views.find(tx, wanted)
        for one in found:
            yield (
                vocabulary.discrepancy(one.kind), one.subject, one.document, one.text, one.opened_at,
                one.seen_at, one.resolved_at, one.resolved_by, one.reason,
            )  # fmt: skip
        told += len(found)
        if len(found) < 1000:
            return
        wanted = structs.replace(wanted, before=(found[-1].opened_at, found[-1].id))
