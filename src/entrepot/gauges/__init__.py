"""The page that Prometheus reads: what was counted, and how the queues stand.

Closed unless opened: it answers callers on this machine that no proxy stands before, and whoever shows the
token of ``ENTREPOT_METRICS_TOKEN``.
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from entrepot import clock, metrics
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from entrepot.db import Database
    from entrepot.settings import Settings

KIND = "text/plain; version=0.0.4; charset=utf-8"
_FRESH = 5.0  # seconds for which the queues' figures are good enough
_THROUGH_A_PROXY = (b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via")
_q = queries(__package__)


def admits(settings: Settings, scope: Mapping[str, Any]) -> bool:
    """Tell whether this caller may read the page."""
    headers = dict(scope["headers"])
    if settings.metrics_token:
        kind, _, given = headers.get(b"authorization", b"").partition(b" ")
        wanted = settings.metrics_token.encode()
        return kind.lower() == b"bearer" and hmac.compare_digest(given.strip(), wanted)
    if any(name in headers for name in _THROUGH_A_PROXY):
        return False
    try:
        return ipaddress.ip_address((scope.get("client") or ("",))[0]).is_loopback
    except ValueError:
        return False


class Gauges:
    """The page of one process; figures of the database are read at most every few seconds."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._families: list[GaugeMetricFamily] = []
        self._read_at = float("-inf")

    async def page(self) -> bytes:
        """Return the page in Prometheus's text format."""
        if clock.ticks() - self._read_at > _FRESH:
            self._families = [family async for family in self._standing()]
            self._read_at = clock.ticks()
        metrics.pool(*self._db.connections())
        here = CollectorRegistry()
        here.register(self)
        counted = metrics.counted()
        return (generate_latest(counted) if counted else b"") + generate_latest(here)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield what was read of the database; prometheus_client's name for it."""
        yield from self._families

    async def _standing(self) -> Any:
        depth = GaugeMetricFamily(
            "entrepot_queue_deliveries", "Deliveries that are not done.", labels=("state",)
        )
        age = GaugeMetricFamily(
            "entrepot_queue_oldest_seconds", "Age of the oldest of them.", labels=("state",)
        )
        for row in await self._db.rows(_q.queue):
            depth.add_metric([row["state"]], row["number"])
            age.add_metric([row["state"]], row["age"])
        yield depth
        yield age
        (lag,) = await self._db.rows(_q.lag)
        text = "For how long the call that is due for longest has not begun."
        yield GaugeMetricFamily("entrepot_courier_lag_seconds", text, value=lag["seconds"])
        (levels,) = await self._db.rows(_q.levels)
        text = "Stock levels that partners have not accepted."
        yield GaugeMetricFamily("entrepot_levels_waiting", text, value=levels["number"])
        text = "Age of the oldest of them."
        yield GaugeMetricFamily("entrepot_levels_oldest_seconds", text, value=levels["age"])
