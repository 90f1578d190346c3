"""What the processes of a machine count, for Prometheus.

Each process counts in files of its own below ``begin``'s folder; whoever is asked adds all of them up. A
process that never began (a command, a test) counts nothing. Labels are bounded: dialects, roles and routes
as they are written, never what somebody sent.
"""

from __future__ import annotations

import asyncio
import os
import re
from bisect import bisect_left
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess, values

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_OF = re.compile(r"_(\d+)\.db$")
_LATER = 0.1
"""Seconds that requests may wait to be written: counting a hundred at once costs no more than one."""


class _Timing(Histogram):
    """A histogram that takes many observations at once."""

    def take(self, counts: Sequence[int], total: float) -> None:
        """Add so many observations by bucket, which took ``total`` together."""
        self._sum.inc(total)
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)


class _Tally:
    """Requests of one kind that were answered and are not written yet."""

    def __init__(self, number: Counter, took: _Timing) -> None:
        self._number = number
        self._took = took
        self._clear()

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(_SECONDS, seconds)] += 1
        self._total += seconds

    def write(self) -> None:
        """Write what waits."""
        if waiting := sum(self._counts):
            self._number.inc(waiting)
            self._took.take(self._counts, self._total)
            self._clear()

    def _clear(self) -> None:
        self._counts = [0] * (len(_SECONDS) + 1)
        self._total = 0.0


class _Meters:
    """The meters of one process."""

    def __init__(self) -> None:
        known = CollectorRegistry()
        self.requests = Counter(
            "entrepot_requests",
            "Requests answered.",
            ("surface", "route", "status"),
            registry=known,
        )
        self.request_seconds = _Timing(
            "entrepot_request_seconds",
            "How long requests took.",
            ("surface", "route"),
            buckets=_SECONDS,
            registry=known,
        )
        self.events = Counter(
            "entrepot_events",
            "What was committed, orders taken among it.",
            ("what",),
            registry=known,
        )
        self.deliveries = Counter(
            "entrepot_delivery_attempts",
            "Calls to partners, by what came of them.",
            ("dialect", "outcome"),
            registry=known,
        )
        self.delivery_seconds = Histogram(
            "entrepot_delivery_seconds",
            "How long calls to partners took.",
            ("dialect",),
            buckets=_SECONDS,
            registry=known,
        )
        self.pool = Gauge(
            "entrepot_pool_connections",
            "Connections to the database.",
            ("state",),
            multiprocess_mode="livesum",
            registry=known,
        )

        self._tallies: dict[tuple[str, str, int], _Tally] = {}
        self._timer: asyncio.TimerHandle | None = None

    def tally(self, surface: str, route: str, status: int) -> _Tally:
        """Return where requests of a kind are counted."""
        found = self._tallies.get((surface, route, status))
        if found is None:
            number = self.requests.labels(surface, route, status)
            took = self.request_seconds.labels(surface, route)
            found = self._tallies[surface, route, status] = _Tally(number, took)
        return found

    def write_soon(self) -> None:
        """See to it that what waits is written."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LATER, self.write)

    def write(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for tally in self._tallies.values():
            tally.write()


_meters: _Meters | None = None


def begin(folder: Path) -> None:
    """Count from now on, in this process and those forked from it; what dead processes left is cleared."""
    global _meters  # noqa: PLW0603 - one set of meters per process
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        if not _lives(file.name):
            file.unlink(missing_ok=True)
    os.environ[_FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    _meters = _Meters()


def counted() -> CollectorRegistry | None:
    """Return what every process of this machine has counted; None where nothing is counted."""
    if _meters is None:
        return None
    _meters.write()
    folder = Path(os.environ[_FOLDER])
    for file in folder.glob("gauge_live*.db"):
        if not _lives(file.name):
            file.unlink(missing_ok=True)
    found = CollectorRegistry()
    multiprocess.MultiProcessCollector(found, path=str(folder))  # type: ignore[no-untyped-call]
    return found


def request(surface: str, route: str, status: int, seconds: float) -> None:
    """Count a request that was answered; for the event loop that answered it."""
    if _meters is not None:
        _meters.tally(surface, route, status).add(seconds)
        _meters.write_soon()


def end() -> None:
    """Write what waits, before a process or its event loop ends."""
    if _meters is not None:
        _meters.write()


def event(what: str, number: int) -> None:
    """Count what was committed."""
    if _meters is not None:
        _meters.events.labels(what).inc(number)


def delivery(dialect: str, outcome: str, seconds: float) -> None:
    """Count a call to a partner that has ended."""
    if _meters is not None:
        _meters.deliveries.labels(dialect, outcome).inc()
        _meters.delivery_seconds.labels(dialect).observe(seconds)


def pool(size: int, idle: int) -> None:
    """Note how many connections this process has, and how many of them rest."""
    if _meters is not None:
        _meters.pool.labels("idle").set(idle)
        _meters.pool.labels("busy").set(size - idle)


def _lives(name: str) -> bool:
    """Tell whether the process that a file belongs to is still there."""
    hit = _OF.search(name)
    if hit is None:
        return False
    try:
        os.kill(int(hit[1]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
