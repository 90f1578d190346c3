"""Partners are asked for their stock by the clock's process, since that may take many calls."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from entrepot import clock, ids
from entrepot.courier.schedules import Schedule
from entrepot.db import queries
from entrepot.errors import BadInput, Refused, Unusable
from entrepot.reconciliation import asking, flows
from entrepot.reconciliation.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.connections.exchanges import Recorder
    from entrepot.connections.registry import Registry
    from entrepot.connections.rules import Connection
    from entrepot.courier.schedules import Job
    from entrepot.db import Database, Row, Tx
    from entrepot.reconciliation.kinds import Run

HUB = 0
_EVERY = 1.0
_q = queries(__package__)


async def ask(tx: Tx, connection: Connection, who: str) -> int:
    """Have a partner asked for its stock; return the job's id. Raises BadInput where it cannot be."""
    asking.query_of(connection)
    partner = connection.partner
    if partner.partner_url is None:
        raise BadInput("no_partner_url", f"Set the partner_url of {partner.name}: where to?")
    job_id = ids.new()
    await tx.do(_q.add_ask, job_id, partner.id, who)
    return job_id


async def found(tx: Tx, job_id: int) -> Row | None:
    """Return how far a job has come; None where there is none."""
    return await tx.row(_q.ask, job_id)


async def compare(
    db: Database, recorder: Recorder, connection: Connection, allowed: tuple[str, ...], who: str
) -> Run:
    """Ask a partner for its stock of all our articles, now, and compare."""
    query, partner = asking.query_of(connection), connection.partner
    rows = await asking.stock(db, recorder, connection, allowed)
    asked = flows.Asked(
        kind="stock",
        connection_id=partner.id,
        day=clock.shanghai(clock.now()).date(),
        file="asked",
        who=who,
        places=partner.settings.locations,
        sellable=query.sellable,
    )
    return await db.run(
        partner.tenant_id, lambda tx: flows.reconcile(tx, KINDS["stock"], asked, rows)
    )


def jobs(db: Database, registry: Registry, recorder: Recorder) -> Mapping[Schedule, Job]:
    """Return what the clock runs."""
    work = partial(_work, db, registry, recorder)
    return {Schedule(tenant_id=HUB, name="reconciliations", every=_EVERY): work}


async def _work(db: Database, registry: Registry, recorder: Recorder, _tenant_id: int) -> None:
    """Ask everybody who is to be asked, one after another."""
    await db.rows(_q.forget_asks)
    for job in await db.rows(_q.waiting_asks):
        tenant_id = job["tenant_id"]
        differing, problem = 0, ""
        try:
            connection = _connection(registry, job)
            _, settings = registry.tenants[tenant_id]
            allowed = tuple(settings.get("allowed_networks", ()))
            run = await compare(db, recorder, connection, allowed, job["who"])
            differing = run.differing
        except (Unusable, Refused) as error:
            problem = str(error)
        state = "failed" if problem else "done"
        await db.run(tenant_id, partial(_end, job["id"], state, differing, problem))


def _connection(registry: Registry, job: Row) -> Connection:
    for connection in registry.of(job["tenant_id"]):
        if connection.partner.id == job["connection_id"]:
            return connection
    raise Unusable("The connection is there no more.")


async def _end(job_id: int, state: str, differing: int, problem: str, tx: Tx) -> None:
    await tx.do(_q.end_ask, job_id, state, differing, problem)
