"""What runs by the clock, kept in the database: one runner at a time, missed runs collapse into one.

Any number of processes may look; a schedule is leased to the one that runs it, and a dead runner's lease
runs out. ``next_at`` is there for everybody to see.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct

from entrepot import clock
from entrepot.db import queries
from entrepot.errors import Missing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from entrepot.db import Database, Row, Tx

    Job = Callable[[int], Awaitable[None]]
    """What to do for a tenant (0: the hub's own)."""

LEASE = 30.0
_LOOK = 0.25
_q = queries(__package__)
_log = structlog.get_logger()


class Schedule(Struct, frozen=True, kw_only=True):
    """A job that is to run ``every`` so many seconds. Tenant 0 is the hub itself."""

    tenant_id: int
    name: str
    every: float


class Clock:
    """Runs what is due; one or more processes.

    ``jobs`` gives the present jobs: schedules, each with what to do. A schedule that is no longer among them
    is removed; a changed interval holds at once.
    """

    def __init__(
        self, db: Database, jobs: Callable[[], Mapping[Schedule, Job]], *, lease: float = LEASE
    ) -> None:
        self._db = db
        self._jobs = jobs
        self._lease = lease
        self._kept: frozenset[Schedule] | None = None
        self._running: dict[tuple[int, str], asyncio.Task[None]] = {}

    async def serve(self, stop: asyncio.Event) -> None:
        """Run what is due until ``stop``; then finish what is under way."""
        while not stop.is_set():
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - the database may be away; look again
                _log.warning("clock.look_failed", error=str(error))
            try:
                async with asyncio.timeout(_LOOK):
                    await stop.wait()
            except TimeoutError:
                continue
        if self._running:
            await asyncio.wait(self._running.values())

    async def _look(self) -> None:
        jobs = {(job.tenant_id, job.name): (job, work) for job, work in self._jobs().items()}
        wanted = frozenset(job for job, _ in jobs.values())
        if wanted != self._kept:
            await _keep(self._db, sorted(wanted, key=lambda job: (job.tenant_id, job.name)))
            self._kept = wanted
        for row in await self._db.rows(_q.schedules_due):
            key = (row["tenant_id"], row["name"])
            if key in jobs and key not in self._running:
                await self._begin(key, jobs[key][1])

    async def _begin(self, key: tuple[int, str], work: Job) -> None:
        async with self._db.reading(key[0]) as tx:
            token = await tx.value(_q.claim_schedule, key[1], self._lease)
        if token is not None:
            task = asyncio.create_task(self._run(key, token, work))
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))

    async def _run(self, key: tuple[int, str], token: int, work: Job) -> None:
        """Run one job under its lease, and say how it went and when it runs next."""
        tenant_id, name = key
        began = clock.ticks()
        error: str | None = None
        keeper = asyncio.create_task(self._hold(key, token))
        try:
            await work(tenant_id)
        except Exception as failure:  # noqa: BLE001 - a job's failure is shown, and must not end the others'
            _log.exception("clock.job_failed", job=name)
            error = f"{type(failure).__name__}: {failure}"[:500]
        finally:
            keeper.cancel()
        took = int((clock.ticks() - began) * 1_000_000)
        async with self._db.reading(tenant_id) as tx:
            await tx.do(_q.finish_schedule, name, token, took, error)

    async def _hold(self, key: tuple[int, str], token: int) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            async with self._db.reading(key[0]) as tx:
                await tx.do(_q.hold_schedule, key[1], token, self._lease)


async def upcoming(db: Database) -> list[Row]:
    """Return every schedule: its interval, last run, how that went, and the next run."""
    return list(await db.rows(_q.schedules))


async def soon(tx: Tx, name: str) -> None:
    """Have one of the tenant's schedules run at once; raises Missing."""
    if await tx.value(_q.schedule_soon, name) is None:
        raise Missing("unknown_schedule", f"There is no schedule {name!r}.", name=name)


async def _keep(db: Database, jobs: Sequence[Schedule]) -> None:
    """Write down the present schedules and drop the others."""
    columns = [j.tenant_id for j in jobs], [j.name for j in jobs], [j.every for j in jobs]
    await db.rows(_q.keep_schedules, *columns)
    await db.rows(_q.drop_schedules, *columns[:2])
