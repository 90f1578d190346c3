"""What discrepancies need by the clock: those that were resolved long ago are dropped."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from entrepot.courier.schedules import Schedule
from entrepot.discrepancies import flows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.courier.schedules import Job
    from entrepot.db import Database

HUB = 0
_DAY = 86_400.0


def jobs(db: Database) -> Mapping[Schedule, Job]:
    """Return what the clock runs."""
    return {Schedule(tenant_id=HUB, name="old discrepancies", every=_DAY): partial(_forget, db)}


async def _forget(db: Database, _tenant_id: int) -> None:
    await flows.forget(db)
