"""What stands between the courier and one partner: how many calls at once, how fast, and whether at all."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from entrepot import clock
from entrepot.courier import policy
from entrepot.courier.addresses import networks
from entrepot.courier.http import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from entrepot.dialect import Partner, Response, Role, Verdict

Exchange = Callable[..., Awaitable["tuple[Verdict, Response | None, bool]"]]
"""Make one call through a gate; see ``worker.Courier.exchange``."""

_AHEAD = 3
_AHEAD_MOST = 500
_QUICK = 0.2


class Link(Protocol):
    """A connection as the registry gives it."""

    @property
    def partner(self) -> Partner:
        """Who is at the other end."""

    @property
    def role(self) -> Role:
        """How to speak to it."""

    def secrets(self, now: datetime) -> Sequence[Mapping[str, str]]:
        """Return the secrets of every generation that counts, the current one first."""


class Gate:
    """One connection in one process.

    ``waiting`` are claimed jobs that have not begun. ``run`` begins one of them; it must not fail.
    """

    def __init__(
        self, link: Link, tenant: Mapping[str, Any], run: Callable[[Gate, Any], None]
    ) -> None:
        self._run = run
        self.link: Link = link
        self.plan = policy.Plan.of(link.partner.settings)
        self.breaker = policy.Breaker()
        self.pace = policy.Pace()
        self.waiting: deque[Any] = deque()
        self.in_flight = 0
        self.held_until = 0.0
        self.held_for = ""
        self.swept_at = 0.0
        self.told: object = None
        self._takes = 0.0
        self._ended = 0
        self._ahead = _AHEAD * link.partner.settings.concurrency
        self._feed: asyncio.Future[bool] | None = None
        self._feed_forced = False
        self._timer: asyncio.TimerHandle | None = None
        self._reaches: tuple[str | None, tuple[str, ...], str] | None = None
        self.target: Target | None = None
        self.trouble = ""
        self.follow(link, tenant)

    def follow(self, link: Link, tenant: Mapping[str, Any]) -> None:
        """Take over the connection's present settings; they hold for waiting calls too."""
        self.link = link
        self.tenant = tenant
        before, self.plan = self.plan, policy.Plan.of(link.partner.settings)
        if not self.plan.breaker:
            self.breaker.close()
        if before.pace != self.plan.pace:
            self.pace = policy.Pace()
        allowed = tuple(tenant.get("allowed_networks", ()))
        reaches = link.partner.partner_url, allowed, link.partner.token
        if reaches != self._reaches:
            self._reaches = reaches
            self._aim(*reaches)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.pump()

    def _aim(self, url: str | None, allowed: tuple[str, ...], token: str) -> None:
        """Turn to a new address: what was held against the old one is forgotten."""
        self.breaker.close()
        self.held_until = 0.0
        self.target = None
        self.trouble = ""
        if url is None:
            self.trouble = "no partner_url is set"
            return
        try:
            self.target = Target.of(url, networks(allowed), token)
        except ValueError as error:
            self.trouble = f"partner_url: {error}"

    def stuck(self, now: float) -> bool:
        """Tell whether no ordinary call can begin for a reason that a deadline does not wait for."""
        return bool(self.trouble) or now < self.held_until or not self.breaker.admits(now)

    def closed(self, now: float) -> bool:
        """Tell whether no ordinary call can begin at present."""
        if self.stuck(now):
            return True
        window = self.plan.window
        return window is not None and not policy.in_window(
            window, clock.shanghai(clock.now()).time()
        )

    def why_stuck(self, now: float) -> str:
        """Say why no ordinary call can begin, for the person who finds the delivery."""
        if self.trouble:
            return self.trouble
        return (
            self.held_for if now < self.held_until else "the partner has not answered for a while"
        )

    def room(self, *, forced: bool = False) -> int:
        """Return how many more jobs to claim: what can begin now, and some ahead where answers are quick.

        While the breaker is open only a person's (``forced``) begin, beside one probe.
        """
        busy = self.in_flight + len(self.waiting)
        if forced:
            return max(self.plan.concurrency - busy, 0)
        if self.breaker.open_since is not None:
            return max(1 - busy, 0)
        ahead = self._ahead if self._takes < _QUICK else 0
        if self.plan.pace:
            ahead = min(ahead, int(_QUICK / self.plan.pace))
        size = self.plan.concurrency + ahead
        free = size - busy
        return free if 2 * free >= size or not self.waiting else 0

    def add(self, jobs: Sequence[Any]) -> None:
        """Queue claimed jobs, and learn from what ended since the last ones how many to have ready."""
        self.waiting.extend(jobs)
        least = _AHEAD * self.plan.concurrency
        self._ahead = max(least, min(2 * self._ended, _AHEAD_MOST))
        self._ended = 0

    def pump(self) -> None:
        """Begin what may begin now; comes back by itself when the pace allows the next."""
        now = clock.ticks()
        limit = self.plan.concurrency - (self._feed is not None)
        while self.waiting and self.in_flight < limit:
            if not self.waiting[0].forced and self.closed(now):
                break
            if wait := self.pace.wait(now):
                self._later(wait)
                return
            self._began(now)
            self._run(self, self.waiting.popleft())
        if self._feed is not None:
            self._admit_feed(now)

    def _admit_feed(self, now: float) -> None:
        feed = self._feed
        if feed is None or feed.done():
            self._feed = None
        elif self.closed(now) and not self._feed_forced:
            self._feed = None
            feed.set_result(False)
        elif self.in_flight < self.plan.concurrency:
            if wait := self.pace.wait(now):
                self._later(wait)
                return
            self._feed = None
            self._began(now)
            feed.set_result(True)

    async def enter(self, *, forced: bool = False) -> bool:
        """Wait for the turn of a call outside the queue (stock levels); ``ended`` must follow.

        Returns False, and nothing must follow, when the gate is closed.
        """
        self._feed = turn = asyncio.get_running_loop().create_future()
        self._feed_forced = forced
        self.pump()
        try:
            admitted: bool = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.in_flight -= 1
            raise
        return admitted

    def ended(self, took: float, *, failed: bool | None) -> None:
        """Note how a call ended (``failed`` None: none was made) and begin the next."""
        self.in_flight -= 1
        self._ended += 1
        self._takes += (took - self._takes) / 8
        if self.plan.breaker and failed is not None:
            self.breaker.ended(clock.ticks(), failed=failed)
        self.pump()

    def hold(self, seconds: float, reason: str) -> None:
        """Let the whole connection wait, as its partner asked."""
        if seconds > 0:
            self.held_until = max(self.held_until, clock.ticks() + seconds)
            self.held_for = reason

    def turn_away(self) -> list[Any]:
        """Return the queued jobs that may not begin while the gate is closed, and forget them."""
        away = [job for job in self.waiting if not job.forced]
        self.waiting = deque(job for job in self.waiting if job.forced)
        return away

    def _began(self, now: float) -> None:
        self.in_flight += 1
        self.pace.began(now, self.plan.pace)
        self.breaker.began(now)

    def _later(self, wait: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wait, self._again)

    def _again(self) -> None:
        self._timer = None
        self.pump()
