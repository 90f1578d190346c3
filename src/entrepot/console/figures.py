"""Figures per hour. An hour that is over is counted once and remembered; the present one is counted live."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from entrepot import clock, ids
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.db import Tx

HOUR = timedelta(hours=1)
_SETTLED = timedelta(minutes=2)
_q = queries(__package__)


async def per_hour(tx: Tx, figure: str, hours: int) -> list[tuple[datetime, int]]:
    """Return (hour, count) for the last hours, the present one last.

    ``figure`` is one of ``placed``, ``shipped``, ``delivered``, ``failed``.
    """
    now = clock.now()
    present = now.replace(minute=0, second=0, microsecond=0)
    span = [present - HOUR * back for back in range(hours - 1, -1, -1)]
    known: Mapping[datetime, int] = {
        row["hour"]: row["value"] for row in await tx.rows(_q.hours, figure, span[0])
    }
    found = []
    fresh: dict[datetime, int] = {}
    for hour in span:
        value = known.get(hour)
        if value is None:
            value = await _count(tx, figure, hour)
            if now - hour > HOUR + _SETTLED:
                fresh[hour] = value
        found.append((hour, value))
    if fresh:
        await tx.do(_q.keep_hours, figure, list(fresh), list(fresh.values()))
    return found


async def today(tx: Tx, figure: str) -> int:
    """Return a figure since midnight (Asia/Shanghai)."""
    hours = clock.shanghai(clock.now()).hour + 1
    return sum(count for _hour, count in await per_hour(tx, figure, hours))


async def _count(tx: Tx, figure: str, hour: datetime) -> int:
    span: tuple[object, object] = (hour, hour + HOUR)
    if figure == "placed":
        span = (ids.floor(hour), ids.floor(hour + HOUR))
    return int(await tx.value(getattr(_q, f"count_{figure}"), *span))
