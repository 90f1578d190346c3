"""The only place that reads the clock, so that tests can move time.

Leases, dues and deadlines of the courier use the database's ``now()`` instead, because several
machines must agree on them.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

_shift = timedelta()


def now() -> datetime:
    """Return the present, in UTC, aware."""
    return datetime.now(UTC) + _shift


def ticks() -> float:
    """Return seconds of a monotonic clock, for durations only."""
    return time.perf_counter()


def move(by: timedelta) -> None:
    """Shift what ``now`` returns; for tests."""
    global _shift  # noqa: PLW0603 - the one piece of process-wide time
    _shift += by


def reset() -> None:
    """Return to the real time; for tests."""
    global _shift  # noqa: PLW0603 - see move
    _shift = timedelta()


def shanghai(moment: datetime) -> datetime:
    """Return the same instant as the partners' wires and the console show it."""
    return moment.astimezone(SHANGHAI)
