"""Partitions: made ahead, dropped when old. What is partitioned is never deleted row by row.

``movement`` is kept for ever, because the ledger proves the balances. ``delivery`` is partitioned by its
id, which counts milliseconds; a partition with a delivery that still waits for a person is kept.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct

from entrepot import clock, ids
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from entrepot.db import Database

_q = queries(__package__)
_log = structlog.get_logger()
_AHEAD = timedelta(days=40)
_DAY = re.compile(r"_(\d{8})$")


class Keep(Struct, frozen=True):
    """One partitioned table: its partitions are months or weeks, kept for a time (None: for ever)."""

    monthly: bool
    keep: timedelta | None = None
    by_id: bool = False


KEEP: Mapping[str, Keep] = {
    "movement": Keep(monthly=True),
    "delivery": Keep(monthly=True, keep=timedelta(days=400), by_id=True),
    "exchange": Keep(monthly=False, keep=timedelta(days=90)),
    "attempt": Keep(monthly=False, keep=timedelta(days=90)),
}


async def tend(db: Database, tables: Mapping[str, Keep] = KEEP) -> None:
    """Make the partitions of the weeks ahead, drop those that are past keeping."""
    now = clock.now()
    for table, keep in tables.items():
        there = {row["name"] for row in await db.rows(_q.partitions, table)}
        for start, end in spans(now, now + _AHEAD, monthly=keep.monthly):
            name = f"{table}_{start:%Y%m%d}"
            if name not in there:
                await _make(db, table, name, _bound(start, keep), _bound(end, keep))
        for name in sorted(there):
            if keep.keep is not None and _end(name, keep, now) <= now - keep.keep:
                await _drop(db, name, by_id=keep.by_id)


def spans(
    start: datetime, until: datetime, *, monthly: bool
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the (start, end) of the months or weeks (from Monday, UTC) that reach from start to until."""
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    day = day.replace(day=1) if monthly else day - timedelta(days=day.weekday())
    while day <= until:
        end = _next_month(day) if monthly else day + timedelta(days=7)
        yield day, end
        day = end


async def _make(db: Database, table: str, name: str, start: str, end: str) -> None:
    """Make one partition; where the default one holds such rows already, they stay there."""
    if await db.rows(_in_default(table, start, end)):
        _log.info("retention.rows_in_default", table=table, since=start)
        return
    await db.rows(
        f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES FROM ('{start}') TO ('{end}')"
    )


async def _drop(db: Database, name: str, *, by_id: bool) -> None:
    if by_id and await db.rows(f"SELECT 1 FROM {name} WHERE settled_at IS NULL LIMIT 1"):  # noqa: S608
        _log.warning("retention.kept_for_a_person", partition=name)
        return
    await db.rows(f"DROP TABLE {name}")
    _log.info("retention.dropped", partition=name)


def _in_default(table: str, start: str, end: str) -> str:
    column = "id" if KEEP[table].by_id else "at"
    return f"SELECT 1 FROM {table}_rest WHERE {column} >= '{start}' AND {column} < '{end}' LIMIT 1"  # noqa: S608


def _bound(moment: datetime, keep: Keep) -> str:
    return str(ids.floor(moment)) if keep.by_id else moment.isoformat()


def _end(name: str, keep: Keep, now: datetime) -> datetime:
    """Return when a partition ends; the default one never does."""
    hit = _DAY.search(name)
    if hit is None:
        return now + timedelta(days=1)
    start = datetime.strptime(hit[1], "%Y%m%d").replace(tzinfo=UTC)
    return _next_month(start) if keep.monthly else start + timedelta(days=7)


def _next_month(day: datetime) -> datetime:
    return (day + timedelta(days=32)).replace(day=1)
