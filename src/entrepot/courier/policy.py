"""When to try, when to wait, when to stop. Pure: time comes in as seconds, chance as a fraction.

docs/explanation/delivery.md tells what a partner may rely on: schedule, deadline, Retry-After, breaker.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, structs

from entrepot import decode
from entrepot.dialect import Delivered, Rejected, Retry, Settings, seconds, steps

if TYPE_CHECKING:
    from entrepot.dialect import Verdict

Outcome = Literal["delivered", "rejected", "failed", "slow_down"]
"""How an attempt ended, as it is written down."""

JITTER = 0.2
PATIENCE = 86_400.0
"""The longest Retry-After that is obeyed, in seconds: no partner may silence a connection for ever."""
_WINDOW, _ENOUGH, _TOO_MANY, _PROBE = 60.0, 10, 0.7, 30.0
_LAG = 0.01
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Plan(Struct, frozen=True):
    """A connection's outbound settings, in seconds. ``pace`` is seconds per call, 0 for no limit.

    ``window`` is the part of the day (Asia/Shanghai) in which the partner may be called.
    """

    timeout: float
    schedule: tuple[float, ...]
    deadline: float
    concurrency: int
    pace: float
    breaker: bool
    window: tuple[time, time] | None = None

    @classmethod
    def of(cls, settings: Settings) -> Plan:
        """Read the settings every connection has."""
        return cls(
            timeout=seconds(settings.timeout),
            schedule=steps(settings.schedule),
            deadline=seconds(settings.deadline),
            concurrency=settings.concurrency,
            pace=_pace(settings.rate),
            breaker=settings.breaker == "on",
            window=_window(settings.window),
        )


class Next(Struct, frozen=True):
    """What becomes of a delivery after an attempt.

    ``state`` is its new state; ``wait`` seconds until the next attempt of one that is waiting;
    ``step`` whether the attempt moved it on in its schedule; ``hold`` seconds for which the whole
    connection waits.
    """

    state: Literal["delivered", "rejected", "waiting", "needs_attention"]
    outcome: Outcome
    wait: float = 0.0
    step: bool = True
    hold: float = 0.0
    note: str = ""


def after(verdict: Verdict, plan: Plan, *, tries: int, elapsed: float, chance: float) -> Next:
    """Decide what follows an attempt.

    ``tries`` failed attempts came before it since the deadline began to run, ``elapsed`` seconds ago;
    ``chance`` in [0, 1) spreads the retries of many calls.
    """
    if isinstance(verdict, Delivered):
        return Next("delivered", "delivered", note=verdict.note)
    if isinstance(verdict, Rejected):
        return Next("rejected", "rejected", note=verdict.message)
    outcome: Outcome = "slow_down" if verdict.slow_down else "failed"
    hold = min(verdict.after or 0.0, PATIENCE)
    if verdict.slow_down and not hold:
        hold = plan.schedule[0]
    if elapsed >= plan.deadline:
        return Next("needs_attention", outcome, hold=hold, note=verdict.reason)
    wait = max(hold, 0.0 if verdict.slow_down else pause(plan, tries, chance))
    return Next(
        "waiting", outcome, wait=wait, step=not verdict.slow_down, hold=hold, note=verdict.reason
    )


def pause(plan: Plan, tries: int, chance: float) -> float:
    """Return the seconds after the ``tries``-th failure (from 0): the last step repeats, ±20 %."""
    step = plan.schedule[min(tries, len(plan.schedule) - 1)]
    return step * (1 + JITTER * (2 * chance - 1))


def expired(plan: Plan, *, tries: int, elapsed: float, forced: bool, held: bool) -> bool:
    """Tell whether a delivery needs attention without a further call.

    One that was never tried still gets its attempt, unless the connection is ``held`` and can't.
    """
    return elapsed >= plan.deadline and not forced and (tries > 0 or held)


def counts_as_failure(outcome: Outcome) -> bool:
    """Tell whether an attempt speaks against the partner's health: an answer never does."""
    return outcome == "failed"


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds a Retry-After header asks for, given in seconds or as a date; None if unreadable."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), PATIENCE)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), PATIENCE)


def with_headers(verdict: Verdict, status: int, retry_after_header: float | None) -> Verdict:
    """Add to a dialect's Retry what HTTP itself says: Retry-After, and 429 as a rate limit."""
    if not isinstance(verdict, Retry):
        return verdict
    after_seconds = verdict.after if verdict.after is not None else retry_after_header
    return Retry(verdict.reason, after_seconds, verdict.slow_down or status == 429)


def kept(verdict: Verdict) -> Verdict:
    """Return a verdict whose text can be written down; partners' messages hold anything, NUL too."""
    if isinstance(verdict, Delivered):
        return Delivered(decode.kept(verdict.note))
    if isinstance(verdict, Rejected):
        return Rejected(decode.kept(verdict.message))
    return structs.replace(verdict, reason=decode.kept(verdict.reason))


def in_window(window: tuple[time, time] | None, at: time) -> bool:
    """Tell whether a partner may be called at this time of its day; a window may reach past midnight."""
    if window is None:
        return True
    start, end = window
    return start <= at < end if start <= end else at >= start or at < end


class Breaker:
    """Stops calling a partner that fails, and tries one call every 30 s until it answers."""

    __slots__ = ("_calls", "_failures", "_probe_at", "open_since")

    def __init__(self) -> None:
        self._calls: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._probe_at = 0.0
        self.open_since: float | None = None

    def admits(self, now: float) -> bool:
        """Tell whether a call may be made; while open, one every 30 s may (``began`` notes it)."""
        return self.open_since is None or now >= self._probe_at

    def began(self, now: float) -> None:
        """Note that a call was begun."""
        if self.open_since is not None:
            self._probe_at = now + _PROBE

    def ended(self, now: float, *, failed: bool) -> None:
        """Note how a call ended; opens at ≥ 70 % failures of ≥ 10 calls in a minute, closes at a success."""
        if self.open_since is not None:
            if not failed:
                self.close()
            return
        self._calls.append((now, failed))
        self._failures += failed
        while self._calls[0][0] <= now - _WINDOW:
            self._failures -= self._calls.popleft()[1]
        total = len(self._calls)
        if failed and total >= _ENOUGH and self._failures >= _TOO_MANY * total:
            self.open_since = now
            self._probe_at = now + _PROBE

    def reopen(self, now: float, since: float) -> None:
        """Be open as an earlier process left it ``since`` seconds ago; a probe may be made at once."""
        self.open_since = now - since
        self._probe_at = now

    def close(self) -> None:
        """Forget the past."""
        self.open_since = None
        self._calls.clear()
        self._failures = 0


class Pace:
    """Spaces calls evenly: at a rate of n per period no period sees more than n of them begin."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until the next call may start; 0: now."""
        return max(self._next - now, 0.0)

    def began(self, now: float, pace: float) -> None:
        """Note that a call was begun; lateness of up to 10 ms is caught up."""
        self._next = max(self._next, now - _LAG) + pace if pace else 0.0


def _pace(rate: str) -> float:
    if rate == "off":
        return 0.0
    number, unit = rate.split("/")
    return _UNITS[unit] / int(number)


def _window(text: str) -> tuple[time, time] | None:
    if text == "off":
        return None
    start, end = text.split("-")
    return time.fromisoformat(start), time.fromisoformat(end)
