"""A day that lasts as long as a test."""

from __future__ import annotations

import time
from datetime import date, timedelta

from entrepot import clock

_NEAR = timedelta(seconds=30)


def today() -> date:
    """Return the day it is in Shanghai, and will be for half a minute: near midnight that is waited for."""
    now = clock.shanghai(clock.now())
    if (now + _NEAR).date() != now.date():
        midnight = (now + _NEAR).replace(hour=0, minute=0, second=0, microsecond=0)
        time.sleep((midnight - now).total_seconds() + 0.01)
    return clock.shanghai(clock.now()).date()
