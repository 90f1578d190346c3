"""Measures a hub and its database, beside a running hub or without one; changes nothing."""

from __future__ import annotations

import random
import shutil
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from entrepot import clock, embedded, migrate
from entrepot.courier.retention import KEEP
from entrepot.db import alone, queries
from entrepot.errors import Unusable
from entrepot.operations import rules
from entrepot.operations.rules import Finding
from entrepot.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from entrepot.settings import Settings

SAMPLE = 1000
_q = queries(__package__)


async def examine(settings: Settings) -> list[Finding]:
    """Return what was found; a database that cannot be reached ends the examination."""
    found = [_key_file(settings.keys), _disk(settings.data)]
    server = None
    try:
        server = None if settings.database_url else embedded.attach(settings.data)
        async with alone(settings.database_url or (server.dsn if server else "")) as one:
            found += [finding async for finding in _database(one)]
    except Unusable as error:
        found.append(Finding(check="database", state="wrong", said="is not there", do=str(error)))
    except OSError as error:
        do = "Start it, or correct ENTREPOT_DATABASE_URL."
        said = f"cannot be reached: {error}"
        found.append(Finding(check="database", state="wrong", said=said, do=do))
    finally:
        if server is not None:
            server.stop()
    return found


async def _database(one: Any) -> Any:
    """Yield what the database shows; stops at a schema that is not this version's."""
    before = clock.now()
    row = dict((await one.fetchrow(_q.server)).items())
    now = before + (clock.now() - before) / 2
    ahead = (row.pop("now") - now).total_seconds()
    for finding in rules.server(rules.Server(**row, ahead=ahead)):
        yield finding
    applied: set[str] = set()
    if await one.fetchval("SELECT to_regclass('_yoyo_migration') IS NOT NULL"):
        applied = {row["migration_id"] for row in await one.fetch(_q.applied)}
    known = set(migrate.files())
    schema = rules.migrations(sorted(known - applied), sorted(applied - known))
    yield schema
    if schema.state != "well":
        return
    waiting = await one.fetchrow(_q.queues)
    for finding in rules.queues(msgspec.convert(dict(waiting.items()), rules.Queues)):
        yield finding
    until = {row["name"]: _start(row["newest"]) for row in await one.fetch(_q.reach, list(KEEP))}
    yield rules.partitions(until, now)
    for finding in rules.schedules(list(_jobs(await one.fetch(_q.schedules)))):
        yield finding
    sampled = await one.fetchrow(_q.sample, SAMPLE, random.random())  # noqa: S311 - which rows to look at
    yield rules.sample(sampled["looked_at"], sampled["wrong"])


def _key_file(path: Path) -> Finding:
    """Look at the key ring without making one."""
    damaged, mode, there = "", 0, path.exists()
    if there:
        mode = stat.S_IMODE(path.stat().st_mode)
        try:
            Vault.open(path)
        except (OSError, Unusable) as error:
            damaged = str(error)
    return rules.key_file(there=there, mode=mode, damaged=damaged)


def _disk(data: Path) -> Finding:
    there = next(path for path in (data.resolve(), *data.resolve().parents) if path.exists())
    usage = shutil.disk_usage(there)
    return rules.disk(usage.free, usage.total)


def _start(partition: str | None) -> datetime | None:
    """Return when a partition begins, by its name: ``movement_20260101``."""
    if partition is None:
        return None
    return datetime.strptime(partition[-8:], "%Y%m%d").replace(tzinfo=UTC)


def _jobs(rows: Any) -> Iterator[rules.Job]:
    for row in rows:
        yield rules.Job(
            name=row["name"],
            late=row["late"],
            every=row["every"],
            running=row["running"],
            last_error=row["last_error"],
        )
