"""What runs by the clock runs once, and what it keeps and drops."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from entrepot import ids
from entrepot.courier import desk, jobs, retention, schedules
from entrepot.courier.schedules import Clock, Schedule
from tests.courier.bureau import Bureau, Stub, eventually
from tests.courier.shop import SHOP, Shelf
from tests.courier.test_levels import told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from entrepot.courier.schedules import Job
    from entrepot.db import Database


def clock(db: Database, jobs: Mapping[Schedule, Job], lease: float = 30.0) -> Clock:
    """Return a clock for fixed jobs."""
    return Clock(db, lambda: jobs, lease=lease)


@contextlib.asynccontextmanager
async def ticking(*clocks: Clock) -> AsyncIterator[None]:
    """Have clocks at work."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(one.serve(stop)) for one in clocks]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def listed(db: Database, jobs: Mapping[Schedule, Job]) -> None:
    """Have a clock write down what there is to run, and no more than that."""

    async def written() -> bool:
        names = {row["name"] for row in await schedules.upcoming(db)}
        return names == {schedule.name for schedule in jobs}

    async with ticking(clock(db, jobs)):
        await eventually(written)


async def test_one_runner_at_a_time(database: Database) -> None:
    """Three clocks run a job as often as one would, never two at once."""
    running = most = runs = 0

    async def work(_tenant: int) -> None:
        nonlocal running, most, runs
        running, runs = running + 1, runs + 1
        most = max(most, running)
        await asyncio.sleep(0.3)
        running -= 1

    job = Schedule(tenant_id=0, name="work", every=0.5)
    async with ticking(*(clock(database, {job: work}) for _ in range(3))):
        await asyncio.sleep(2.2)
    assert most == 1
    assert 1 <= runs <= 4


async def test_missed_runs_collapse_into_one(database: Database) -> None:
    """After a day of standing still a job runs once, and the next run is one interval away at most."""
    runs = 0

    async def work(_tenant: int) -> None:
        nonlocal runs
        runs += 1

    job = Schedule(tenant_id=0, name="work", every=600.0)
    await listed(database, {job: work})
    assert runs == 0
    await database.rows("UPDATE schedule SET next_at = now() - interval '1 day'")

    async def ran() -> bool:
        return runs > 0

    async with ticking(clock(database, {job: work})):
        await eventually(ran)
        await asyncio.sleep(0.6)  # it looks twice more
    assert runs == 1
    [row] = await schedules.upcoming(database)
    ahead = row["next_at"] - datetime.now(UTC)
    assert timedelta() < ahead <= timedelta(seconds=600)


async def test_a_dead_runners_lease_runs_out(database: Database) -> None:
    """What a killed process had begun is run by another when the lease is over."""
    job = Schedule(tenant_id=0, name="work", every=600.0)
    ran = asyncio.Event()

    async def work(_tenant: int) -> None:
        ran.set()

    await listed(database, {job: work})
    await database.rows(
        "UPDATE schedule SET next_at = now(), token = 7, lease_until = now() + interval '1 hour'"
    )
    async with ticking(clock(database, {job: work})):
        await asyncio.sleep(0.6)  # it looks twice
        assert not ran.is_set()
        await database.rows("UPDATE schedule SET lease_until = now()")
        async with asyncio.timeout(30):
            await ran.wait()


async def test_a_failed_run_is_shown_and_runs_again(database: Database) -> None:
    """The error stands in the list; a changed interval holds at once; a job that is gone leaves the list."""
    runs = 0

    async def work(_tenant: int) -> None:
        nonlocal runs
        runs += 1
        message = "no paper"
        raise OSError(message)

    slow, quick = (Schedule(tenant_id=0, name="print", every=every) for every in (900.0, 0.4))
    await listed(database, {slow: work})

    async def twice() -> bool:
        return runs >= 2

    async with ticking(clock(database, {quick: work})):
        await eventually(twice)
    [row] = await schedules.upcoming(database)
    assert row["last_error"] == "OSError: no paper"
    await listed(database, {})
    assert await schedules.upcoming(database) == []


async def test_acts_are_finished_by_the_clock(bureau: Bureau, stub: Stub) -> None:
    """A person's act on many goes on after the program that began it is gone."""
    connection = await bureau.connect(stub.url)
    delivery = await bureau.step(connection, key=1)
    wanted = desk.Filter(state="waiting")
    await desk.begin(bureau.db, bureau.tenant_id, "cancel", wanted, who="ann")
    found = {
        schedule: job
        for schedule, job in jobs.jobs(bureau.db, bureau.links).items()
        if schedule.name == "acts"
    }
    await listed(bureau.db, found)
    await bureau.db.rows("UPDATE schedule SET next_at = now()")
    async with ticking(clock(bureau.db, found)):
        await bureau.until("cancelled", delivery)


async def test_levels_go_out_at_the_ticks(bureau: Bureau, stub: Stub) -> None:
    """A connection that reports by interval is quiet between ticks; a changed interval holds at once."""
    from msgspec.structs import replace

    from entrepot.dialect import Role

    fields = {name: getattr(SHOP, name) for name in SHOP.__dataclass_fields__}
    role = Role(**{**fields, "punctual": True, "full_every": lambda _settings: 0.0})
    shelf = Shelf(bureau)
    await shelf.fill(["A1"])
    connection = await bureau.connect(stub.url, role, wait=900.0)
    await shelf.list_on(connection)
    ticks = Clock(bureau.db, lambda: jobs.jobs(bureau.db, bureau.links))
    async with ticking(ticks), bureau.working():
        await shelf.count("A1", 3)
        await asyncio.sleep(0.8)
        assert stub.calls == []
        bureau.change(connection, settings={"wait": 0.5})

        async def has(pieces: int) -> bool:
            return told(stub).get(("A1", "")) == pieces

        await eventually(lambda: has(3))
        await shelf.count("A1", 4)
        await eventually(lambda: has(4))
    assert replace(bureau.links.links[connection].partner).settings.wait == 0.5


async def test_partitions_are_made_ahead_and_dropped_when_old(bureau: Bureau, stub: Stub) -> None:
    """Weeks and months ahead exist; old ones go, unless a delivery in them still waits for a person."""
    db = bureau.db
    old, older = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)
    for start in (older, old):
        end = start.replace(month=start.month + 1)
        await db.rows(
            f"CREATE TABLE delivery_{start:%Y%m%d} PARTITION OF delivery"
            f" FOR VALUES FROM ({ids.floor(start)}) TO ({ids.floor(end)})"
        )
    await bureau.rows(
        "INSERT INTO delivery (tenant_id, id, connection_id, kind, document, key, turn, sealed, payload)"
        " VALUES ($1, $2, 1, 'test_step', 'D', 1, 1, false, '')",
        ids.floor(old) + 5,
    )
    await retention.tend(db)
    await retention.tend(db)
    names = {row["name"] for row in await db.rows(retention._q.partitions, "delivery")}
    assert f"delivery_{old:%Y%m%d}" in names
    assert f"delivery_{older:%Y%m%d}" not in names
    assert "delivery_rest" in names
    weeks = {row["name"] for row in await db.rows(retention._q.partitions, "exchange")}
    assert len(weeks) >= 7
    connection = await bureau.connect(stub.url)
    delivery = await bureau.step(connection, key=1)
    assert await db.rows("SELECT 1 FROM delivery_rest") == []
    async with bureau.working():
        await bureau.until("delivered", delivery)
