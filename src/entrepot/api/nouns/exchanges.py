"""Exchanges: every HTTP call with a partner, both ways."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from entrepot.api import naming, paging
from entrepot.api.desk import Desk
from entrepot.api.operation import reads, writes
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import SAID, Body, Code
from entrepot.connections import flows
from entrepot.connections.exchanges import Exchange, Filter, find
from entrepot.db import Tx
from entrepot.people.tokens import REVEAL


class ExchangeShown(Struct, frozen=True, kw_only=True):
    """One HTTP exchange; bodies are text of at most 64 KiB, with phones, names and addresses masked.

    ``status`` null: no answer came.
    """

    id: str
    at: datetime
    direction: str
    connection: str
    document: str | None
    method: str
    path: str
    status: int | None
    duration_ms: float
    request: str
    reply: str


class ExchangesWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which exchanges, newest first; ``document`` finds by any number in the call."""

    document: Code | None = None
    connection: Code | None = None
    direction: Literal["in", "out"] | None = None


class ExchangesOfDocument(Body, frozen=True, kw_only=True):
    """Whose exchanges are looked at unmasked, and why."""

    document: Code
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=SAID)]


class Exchanges(Struct, frozen=True, kw_only=True):
    """The newest exchanges about a document, unmasked."""

    exchanges: list[ExchangeShown]


@reads("/exchanges", "exchanges")
async def list_exchanges(tx: Tx, desk: Desk, query: ExchangesWanted) -> Page[ExchangeShown]:
    """List exchanges, newest first."""
    naming.connections(desk, [query.connection] if query.connection else [])
    before = paging.start(query, tuple[datetime, Number])
    if before is not None:
        before = (paging.utc(before[0]), before[1])
    wanted = Filter(
        document=query.document,
        connection=query.connection,
        direction=query.direction,
        before=before,
        limit=query.limit + 1,
    )
    found = await find(tx, desk.hub.vault, wanted)
    return paging.page(found, query, lambda one: (one.at, one.id), _shown)


@writes("POST", "/exchanges/reveal", "exchanges")
async def reveal_exchanges(tx: Tx, desk: Desk, body: ExchangesOfDocument) -> Exchanges:
    """Show a document's exchanges unmasked; who looked, at what and why is audited.

    Needs the scope ``exchanges:reveal`` besides.
    """
    desk.require(REVEAL)
    await flows.audit(tx, desk.who, "exchanges reveal", body.document, reason=body.reason)
    found = await find(tx, desk.hub.vault, Filter(document=body.document), reveal=True)
    return Exchanges(exchanges=[_shown(one) for one in found])


def _shown(one: Exchange) -> ExchangeShown:
    return ExchangeShown(
        id=str(one.id),
        at=one.at,
        direction=one.direction,
        connection=one.connection,
        document=one.document,
        method=one.method,
        path=one.path,
        status=one.status,
        duration_ms=one.duration_ms,
        request=one.request,
        reply=one.reply,
    )
