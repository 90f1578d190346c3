"""The courier's own scheduled work: ticks of levels, full sends, acts to go on with, partitions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from entrepot.courier import desk, retention
from entrepot.courier.schedules import Schedule
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.courier.schedules import Job
    from entrepot.courier.worker import Links
    from entrepot.db import Database

HUB = 0
_DAY = 86_400.0
_ACTS = 5.0
_q = queries(__package__)


def jobs(db: Database, links: Links) -> Mapping[Schedule, Job]:
    """Return what is to run by the clock for the hub and for every connection, as they are set now."""
    found: dict[Schedule, Job] = {
        Schedule(tenant_id=HUB, name="partitions", every=_DAY): partial(_tend, db),
        Schedule(tenant_id=HUB, name="acts", every=_ACTS): partial(_go_on, db),
    }
    for link in links:
        partner, role = link.partner, link.role
        if role.levels(partner.settings) <= 0 or partner.paused:
            continue
        if role.punctual:
            every = role.level_wait(partner.settings)
            tick = Schedule(tenant_id=partner.tenant_id, name=f"levels {partner.name}", every=every)
            found[tick] = partial(_tick, db, partner.id, full=False)
        if (every := role.full_every(partner.settings)) > 0:
            name = f"all levels {partner.name}"
            whole = Schedule(tenant_id=partner.tenant_id, name=name, every=every)
            found[whole] = partial(_tick, db, partner.id, full=True)
    return found


async def _tick(db: Database, connection_id: int, tenant_id: int, *, full: bool) -> None:
    await db.run(tenant_id, lambda tx: tx.do(_q.ask_round, connection_id, False, full))


async def _tend(db: Database, _tenant_id: int) -> None:
    await retention.tend(db)


async def _go_on(db: Database, _tenant_id: int) -> None:
    """Go on with acts whose beginner went away; each batch is its own transaction, so both may work."""
    for tenant_id, act_id in await desk.acts_under_way(db):
        while not (await desk.go_on(db, tenant_id, act_id)).finished:
            pass
