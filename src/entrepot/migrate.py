"""Brings the schema up to date at start: yoyo-migrations, plain SQL, one process at a time.

An advisory lock is held while it works, so that many processes may start at once and a killed one
leaves nothing locked; when the schema is current, only one query is run.
"""

from __future__ import annotations

import asyncio
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from entrepot.db import alone

_LOCK = 4_660_046_610_375_530_309


def files() -> list[str]:
    """Return the ids of all migrations this version holds, in order."""
    folder = resources.files("entrepot.migrations")
    return sorted(Path(f.name).stem for f in folder.iterdir() if f.name.endswith(".sql"))


async def pending(url: str) -> list[str]:
    """Return the migrations the database still lacks."""
    async with alone(url) as one:
        if not await one.fetchval("SELECT to_regclass('_yoyo_migration') IS NOT NULL"):
            return files()
        rows = await one.fetch("SELECT migration_id FROM _yoyo_migration")
        return sorted(set(files()) - {row["migration_id"] for row in rows})


async def migrate(url: str) -> None:
    """Apply what is missing; safe to call from any number of processes at once."""
    if not await pending(url):
        return
    async with alone(url) as one:
        await one.execute("SELECT pg_advisory_lock($1)", _LOCK)
        if await pending(url):
            await asyncio.to_thread(_apply, url)


def _apply(url: str) -> None:
    from yoyo import get_backend, read_migrations  # noqa: PLC0415 - slow to import, rarely needed

    parts = urlsplit(url)
    backend = get_backend(urlunsplit(parts._replace(scheme="postgresql+psycopg")))
    folder = resources.files("entrepot.migrations")
    migrations = read_migrations(str(folder))
    try:
        backend.break_lock()  # we hold the advisory lock; a row can only be a killed process's
        with backend.lock():
            backend.apply_migrations(backend.to_apply(migrations))
    finally:
        backend.connection.close()
