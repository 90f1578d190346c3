"""Discrepancies: what does not agree, and the verdicts of people on it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from entrepot.api import naming, paging, words
from entrepot.api.batch import MOST, Batch, batch
from entrepot.api.desk import Desk
from entrepot.api.operation import reads, writes
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import SAID, Body, Code, Id
from entrepot.db import Tx
from entrepot.discrepancies import flows, views
from entrepot.discrepancies.flows import Resolve

if TYPE_CHECKING:
    from entrepot.discrepancies.rules import Standing


class Discrepancy(Struct, frozen=True, kw_only=True):
    """What does not agree; ``details`` are the figures. Open while ``resolved_at`` is null.

    ``opened_at`` is when it was first seen since it was last resolved. ``resolved_by`` empty: by itself.
    """

    id: str
    kind: str
    connection: str | None
    subject: str
    document: str
    text: str
    details: dict[str, Any]
    opened_at: datetime
    seen_at: datetime
    resolved_at: datetime | None
    resolved_by: str
    reason: str


class DiscrepanciesWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which discrepancies, newest first; ``all``: those that are resolved too."""

    kind: Code | None = None
    connection: Code | None = None
    document: Code | None = None
    all: bool = False


class Verdict(Body, frozen=True, kw_only=True):
    """Why a discrepancy is settled; it holds for as long as the figures stay the same."""

    id: Id
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=SAID)]


class Verdicts(Body, frozen=True, kw_only=True):
    """Discrepancies that are resolved."""

    discrepancies: Annotated[list[Verdict], Meta(min_length=1, max_length=MOST)]


class ResolvedShown(Struct, frozen=True, kw_only=True):
    """A discrepancy that is resolved."""

    id: str


@reads("/discrepancies", "discrepancies")
async def list_discrepancies(tx: Tx, desk: Desk, query: DiscrepanciesWanted) -> Page[Discrepancy]:
    """List what does not agree: stated totals, pieces that lay elsewhere, silent outlets."""
    known = naming.connections(desk, [query.connection] if query.connection else [])
    before = paging.start(query, tuple[datetime, Number])
    if before is not None:
        before = (paging.utc(before[0]), before[1])
    found = await views.find(
        tx,
        views.Filter(
            only_open=not query.all,
            kind=query.kind,
            connections=(known[query.connection],) if query.connection else None,
            document=query.document,
            before=before,
            limit=query.limit + 1,
        ),
    )
    return paging.page(
        found, query, lambda one: (one.opened_at, one.id), lambda one: _shown(tx, one)
    )


@writes("POST", "/discrepancies/resolve", "discrepancies", several=True)
async def resolve_discrepancies(tx: Tx, desk: Desk, body: Verdicts) -> Batch[ResolvedShown]:
    """Resolve discrepancies by hand; who did and why is audited."""
    wanted = [
        Resolve(id=words.number(one.id, "discrepancy"), who=desk.who, reason=one.reason)
        for one in body.discrepancies
    ]
    outcomes = await flows.resolve(tx, wanted)
    named = [
        ResolvedShown(id=one.id) if outcome is None else outcome
        for one, outcome in zip(body.discrepancies, outcomes, strict=True)
    ]
    return batch(named, lambda shown: shown)


def _shown(tx: Tx, one: Standing) -> Discrepancy:
    partner = tx.partner(one.connection_id)
    return Discrepancy(
        id=str(one.id),
        kind=one.kind,
        connection=partner.name if partner else None,
        subject=one.subject,
        document=one.document,
        text=one.text,
        details=dict(one.details),
        opened_at=one.opened_at,
        seen_at=one.seen_at,
        resolved_at=one.resolved_at,
        resolved_by=one.resolved_by,
        reason=one.reason,
    )
