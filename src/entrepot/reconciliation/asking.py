"""Ask a partner for its stock, where its dialect knows how, as a list to reconcile with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot import clock
from entrepot.courier.addresses import networks
from entrepot.courier.http import Caller, CallFailed, Target
from entrepot.db import queries
from entrepot.dialect import seconds
from entrepot.errors import BadInput, Unusable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from entrepot.connections.exchanges import Recorder
    from entrepot.connections.rules import Connection
    from entrepot.db import Database
    from entrepot.dialect import Partner, Response, StockQuery
    from entrepot.reconciliation.flows import Rows

_q = queries(__package__)


def query_of(connection: Connection) -> StockQuery:
    """Return how this partner is asked; raises BadInput where its dialect knows no way."""
    query: StockQuery | None = connection.role.stock_query
    if query is None:
        name = connection.partner.name
        text = f"The dialect of {name} has no query for its partner's stock; reconcile a file."
        raise BadInput("no_query", text)
    return query


async def stock(
    db: Database, recorder: Recorder, connection: Connection, allowed: Sequence[str]
) -> Rows:
    """Return what the partner says of every article of ours; one that it does not know has none there.

    Each call is recorded like any other. Raises Unusable for a partner that does not answer.
    """
    query, partner = query_of(connection), connection.partner
    if partner.partner_url is None:
        text = f"Where to? entrepot connections set {partner.name} partner_url=https://…"
        raise Unusable(text)
    try:
        target = Target.of(partner.partner_url, networks(allowed), partner.token)
    except ValueError as error:
        raise Unusable(str(error)) from error
    caller, rows = Caller(), list[tuple[int, tuple[str, ...]]]()
    try:
        async for keys in _keys(db, partner.tenant_id, query):
            response = await _call(caller, target, recorder, query, partner, keys)
            held = {said.key: said.qty for said in query.read(response)}
            rows += [
                (len(rows) + at, (key, "", str(held.get(key, 0)))) for at, key in enumerate(keys)
            ]
    finally:
        caller.sweep(idle=0)
    return rows


async def _call(
    caller: Caller,
    target: Target,
    recorder: Recorder,
    query: StockQuery,
    partner: Partner,
    keys: Sequence[str],
) -> Response:
    request = query.request_for(keys, partner)
    began, response, failed = clock.ticks(), None, ""
    try:
        response, _ = await caller.call(target, request, {}, seconds(partner.settings.timeout))
    except CallFailed as failure:
        failed = failure.reason
    recorder.record(
        partner.tenant_id,
        partner.id,
        "out",
        method=request.method,
        path=request.path + (f"?{request.query}" if request.query else ""),
        status=response.status if response else None,
        seconds=clock.ticks() - began,
        request=request.body,
        reply=response.body if response else failed.encode(),
    )
    await recorder.room()
    if response is None:
        raise Unusable(f"The partner of {partner.name} did not answer: {failed}")
    return response


async def _keys(db: Database, tenant_id: int, query: StockQuery) -> AsyncIterator[list[str]]:
    """Yield the names to ask for, a call's worth at a time."""
    after = 0
    while True:
        async with db.reading(tenant_id) as tx:
            rows = await tx.rows(_q.keys, query.by, after, query.at_once)
        if not rows:
            return
        yield [row["key"] for row in rows]
        after = rows[-1]["id"]
