"""The audit log as a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot import decode
from entrepot.console import exports, filters, lists, render, vocabulary
from entrepot.console.visit import Visit, get
from entrepot.console.words import _
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from litestar import Response

    from entrepot.db import Row, Tx

_q = queries(__package__)


@get("/audit", "audit.see")
async def audit(visit: Visit) -> Response[Any]:
    """The log, newest first."""
    async with visit.reading() as tx:
        rows = await _rows(visit, tx, lists.SIZE + 1, visit.query["before"])
        await filters.load(visit, tx, "/audit")
    page = lists.page(rows, lists.by_id, before=visit.query["before"])
    kinds = sorted(
        ((code, _(word)) for code, word in vocabulary.AUDITED.items()), key=lambda k: k[1]
    )
    return visit.show("audit/list.html", page=page, kinds=kinds)


@get("/audit/export.{kind:csv|xlsx}", "audit.see")
async def export(visit: Visit) -> Response[Any]:
    """The log as a file."""
    header = [_("Time"), _("Who"), _("What"), _("Subject"), _("Reason"), _("Details")]
    return await exports.answer("audit", visit.path["kind"], header, _exported(visit))


PAGES = [audit, export]


async def _rows(visit: Visit, tx: Tx, limit: int, before: str) -> Sequence[Row]:
    subject = visit.query["q"].strip() or None
    if subject is not None and not decode.storable(subject):
        return []
    first, last = lists.id_span(visit.query)
    last = min(last, lists.id_before(before))
    return await tx.rows(_q.page, visit.query["what"] or None, subject, first, last, limit)


async def _exported(visit: Visit) -> AsyncIterator[Sequence[object]]:
    before, told = "", 0
    while told < exports.MOST:
        async with visit.reading() as tx:
            rows = await _rows(visit, tx, 1000, before)
        for row in rows:
            yield (
                row["at"], row["who"], vocabulary.audited(row["what"]), row["subject"], row["reason"],
                render.pairs(row["details"]),
            )  # fmt: skip
        told += len(rows)
        if len(rows) < 1000:
            return
        before = str(rows[-1]["id"])
