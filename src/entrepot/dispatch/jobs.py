"""What dispatch has to do by the clock: look for outlets that keep silent."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from entrepot.courier.schedules import Schedule
from entrepot.dialect import seconds
from entrepot.dispatch import refusing
from entrepot.dispatch.refusing import Patience

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from entrepot.courier.gate import Link
    from entrepot.courier.schedules import Job
    from entrepot.db import Database

LOOK = 30.0
SILENT = "silent outlets"


def jobs(db: Database, links: Iterable[Link]) -> Mapping[Schedule, Job]:
    """Return the look for silent outlets of every tenant whose connections serve outlets."""
    patient: dict[int, list[Patience]] = {}
    for link in links:
        settings = link.partner.settings
        if hasattr(settings, "answer_within"):
            patient.setdefault(link.partner.tenant_id, []).append(
                Patience(
                    connection_id=link.partner.id,
                    answer_within=seconds(settings.answer_within),
                    auto_resource=settings.auto_resource == "on",
                )
            )
    return {
        Schedule(tenant_id=tenant_id, name=SILENT, every=LOOK): partial(_look, db, patience)
        for tenant_id, patience in patient.items()
    }


async def _look(db: Database, patience: Sequence[Patience], tenant_id: int) -> None:
    while await db.run(tenant_id, lambda tx: refusing.silent(tx, patience)):
        pass
