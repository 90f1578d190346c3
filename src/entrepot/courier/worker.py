"""The courier: finds what is due, calls the partners, settles what they answered.

It polls (5 ms while there is traffic), because a NOTIFY inside a business transaction would make commits
wait for each other. Several processes share the connections out among themselves, so that one process
alone paces each partner; leases and tokens hold even while they disagree.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from entrepot import clock, ids, metrics, tracing
from entrepot.courier import claims, policy
from entrepot.courier.claims import Claim, Settled, Settler, Want
from entrepot.courier.echoes import Echoes
from entrepot.courier.http import Caller, CallFailed
from entrepot.courier.levels import Levels
from entrepot.courier.watch import Watch
from entrepot.dialect import Delivered, Retry, Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from entrepot.connections.exchanges import Recorder
    from entrepot.courier.echoes import Consequence
    from entrepot.courier.gate import Gate, Link
    from entrepot.db import Database
    from entrepot.dialect import Request, Response, Verdict

LEASE = 30.0
_BUSY, _POLL, _IDLE_POLL, _IDLE_AFTER = 0.002, 0.005, 0.025, 5.0
_SWEEP = 1.0
_SWEPT = 1000
_log = structlog.get_logger()


class Links(Protocol):
    """The registry of connections."""

    @property
    def tenants(self) -> Mapping[int, tuple[str, dict[str, Any]]]:
        """Name and settings of every tenant, by id."""

    def __iter__(self) -> Iterator[Link]:
        """Iterate over every connection of every tenant, as of the last change."""


class Courier:
    """One courier process."""

    def __init__(
        self,
        db: Database,
        links: Links,
        recorder: Recorder,
        unseal: Callable[[bytes], bytes],
        *,
        lease: float = LEASE,
        consequences: Mapping[str, Consequence] = {},
    ) -> None:
        self.id = ids.new()
        self.db = db
        self.links = links
        self.caller = Caller()
        self.lease = lease
        self.recorder = recorder
        self._unseal = unseal
        self._held: dict[tuple[int, int, int], Claim] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._hot: set[int] = set()
        self.watch = Watch(db, links, self.id, lease, self._begin)
        self._echoes = Echoes(db, self.watch, consequences)
        self._settler = Settler(db, self._echoes.wake)
        self._levels = Levels(db, self.watch, self.exchange, lease)

    async def serve(self, stop: asyncio.Event) -> None:
        """Work until ``stop``; then finish the calls under way and give the other leases back."""
        await self.watch.start()
        tasks = [asyncio.create_task(self._poll()), asyncio.create_task(self._keep())]
        tasks.append(asyncio.create_task(self._levels.serve()))
        tasks.append(asyncio.create_task(self._echoes.serve()))
        try:
            await stop.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._drain()

    async def _drain(self) -> None:
        await self._levels.stop()
        for gate in self.watch.gates.values():
            await self._return(list(gate.waiting))
            gate.waiting.clear()
        while self._calls:
            await asyncio.wait(self._calls)
        await self._settler.drain()
        await self._echoes.draw()
        self.caller.sweep(idle=0)
        await self.watch.stop()

    # Finding what is due.

    async def _poll(self) -> None:
        last_found = clock.ticks()
        while True:
            try:
                found = await self._claim_due()
            except Exception:  # noqa: BLE001 - the database may be away; poll again
                _log.exception("courier.claim_failed")
                await asyncio.sleep(1)
                continue
            now = clock.ticks()
            if found:
                last_found = now
                await asyncio.sleep(_BUSY)
            else:
                await asyncio.sleep(_POLL if now - last_found < _IDLE_AFTER else _IDLE_POLL)

    async def _claim_due(self) -> int:
        """Claim what the gates have room for; return how many."""
        self.watch.follow()
        while self.watch.dropped:
            gate = self.watch.dropped.pop()
            await self._return(list(gate.waiting))
            gate.waiting.clear()
        wanted: dict[int, list[Want]] = {}
        now = clock.ticks()
        for (tenant_id, _), gate in self.watch.gates.items():
            wanted.setdefault(tenant_id, []).extend(_wants(gate, now))
        cold = [
            (tenant_id, want.connection_id)
            for tenant_id, wants in wanted.items()
            for want in wants
            if tenant_id not in self._hot
        ]
        due = await claims.peek(self.db, cold) if cold else set()
        counts = await asyncio.gather(
            *(
                self._claim_tenant(tenant_id, wants)
                for tenant_id, wants in wanted.items()
                if wants and (tenant_id in self._hot or tenant_id in due)
            )
        )
        return sum(counts)

    async def _claim_tenant(self, tenant_id: int, wants: list[Want]) -> int:
        await self.recorder.room()
        now = clock.ticks()
        found = await self.db.run(
            tenant_id, lambda tx: claims.claim(tx, wants, self.lease, self._unseal, now)
        )
        (self._hot.add if found else self._hot.discard)(tenant_id)
        jobs: dict[int, list[Claim]] = {}
        passed_on: list[Claim] = []
        for claim in found:
            gate = self.watch.gates.get((tenant_id, claim.connection_id))
            if gate is None:  # it went to another process, or is gone, while the claim was made
                passed_on.append(claim)
                continue
            if (settled := _without_call(gate, claim, now)) is not None:
                self._settler.add(settled)
                continue
            self._held[tenant_id, claim.id, claim.token] = claim
            jobs.setdefault(claim.connection_id, []).append(claim)
        for connection_id, batch in jobs.items():
            gate = self.watch.gates[tenant_id, connection_id]
            gate.add(batch)
            gate.pump()
        await self._return(passed_on)
        return len(found)

    # Making one call.

    def _begin(self, gate: Gate, claim: Claim) -> None:
        """Begin a claimed delivery's call; the gate says when."""
        task = asyncio.create_task(self._deliver(gate, claim))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _deliver(self, gate: Gate, claim: Claim) -> None:
        began = clock.ticks()
        failed: bool | None = None
        try:
            settled = await self._attempt(gate, claim)
            if settled.outcome is not None:
                failed = policy.counts_as_failure(settled.outcome)
            self._settler.add(settled)
        except Exception:  # noqa: BLE001 - the courier must outlive any one call
            _log.exception("courier.attempt_failed", delivery=claim.id)  # its lease runs out
        finally:
            self._held.pop((claim.tenant_id, claim.id, claim.token), None)
            gate.ended(clock.ticks() - began, failed=failed)
            if gate.waiting and gate.closed(clock.ticks()):
                await self._return(gate.turn_away())

    async def _attempt(self, gate: Gate, claim: Claim) -> Settled:
        """Ask the dialect what to send, send it, and decide what follows."""
        began = clock.ticks()
        try:
            fact = claim.fact()
            request = gate.link.role.request_for(fact, gate.link.partner)
        except Exception as error:  # noqa: BLE001 - a dialect's fault is this delivery's alone
            _log.exception("courier.no_request", delivery=claim.id, kind=claim.kind)
            return self._follow_up(
                gate, claim, Retry(f"no request could be made: {error!r}"), began
            )
        if request is None:
            return Settled(
                claim=claim, state="handled", reason="there is nothing to tell this partner"
            )
        verdict, response, unsure = await self.exchange(
            gate, request, fact, str(claim.id), claim.document, claim.also, unsure=claim.unsure
        )
        return self._follow_up(gate, claim, verdict, began, response, unsure=unsure)

    async def exchange(
        self,
        gate: Gate,
        request: Request,
        subject: Any,
        key: str,
        document: str = "",
        also: tuple[str, ...] = (),
        *,
        unsure: bool = False,
    ) -> tuple[Verdict, Response | None, bool]:
        """Make one call under ``Idempotency-Key: key``, record it, and ask the dialect for its verdict.

        Returns the verdict, the answer if one came, and whether the outcome of this call stays unknown.
        """
        partner, began = gate.link.partner, clock.ticks()
        response: Response | None = None
        verdict: Verdict
        doubtful = False
        if gate.target is None:
            return Retry(gate.trouble), None, False
        if gate.link.role.finish is not None:
            request = gate.link.role.finish(request, key, gate.link.secrets(clock.now()))
        try:
            response, twice = await self.caller.call(
                gate.target, request, {"Idempotency-Key": key}, gate.plan.timeout
            )
        except CallFailed as failure:
            verdict, doubtful = Retry(failure.reason), failure.unsure
        else:
            verdict = self._verdict(gate, Sent(subject, request, response, unsure or twice))
            doubtful = isinstance(verdict, Retry) and not verdict.slow_down
        self.recorder.record(
            partner.tenant_id,
            partner.id,
            "out",
            method=request.method,
            path=request.path + (f"?{request.query}" if request.query else ""),
            status=response.status if response else None,
            refused=not isinstance(verdict, Delivered),
            seconds=clock.ticks() - began,
            request=request.body,
            reply=response.body if response else b"",
            document=document,
            also=also,
        )
        _trace(gate, subject.kind, document, key, clock.ticks() - began, verdict, response)
        return verdict, response, doubtful

    def _verdict(self, gate: Gate, sent: Sent) -> Verdict:
        try:
            verdict = policy.kept(gate.link.role.verdict(sent))
        except Exception as error:  # noqa: BLE001 - a dialect's fault is this delivery's alone
            _log.exception("courier.no_verdict", connection=gate.link.partner.name)
            verdict = Retry(f"the answer could not be judged: {error!r}")
        asked = policy.retry_after(sent.response.headers.get("retry-after"), clock.now())
        return policy.with_headers(verdict, sent.response.status, asked)

    def _follow_up(
        self,
        gate: Gate,
        claim: Claim,
        verdict: Verdict,
        began: float,
        response: Response | None = None,
        *,
        unsure: bool = False,
    ) -> Settled:
        now = clock.ticks()
        elapsed = claim.elapsed + now - claim.claimed_at
        chance = random.random()  # noqa: S311 - spreads load, guards nothing
        then = policy.after(verdict, gate.plan, tries=claim.tries, elapsed=elapsed, chance=chance)
        gate.hold(then.hold, then.note)
        metrics.delivery(gate.link.partner.dialect, then.outcome, now - began)
        return Settled(
            claim=claim,
            state=then.state,
            wait=then.wait,
            step=then.step,
            deadline=gate.plan.deadline,
            error=None if isinstance(verdict, Delivered) else then.note[:1000],
            unsure=unsure,
            outcome=then.outcome,
            status=response.status if response else None,
            duration=now - began,
        )

    # Keeping and returning leases.

    async def _keep(self) -> None:
        """Prolong the leases of calls that take long, every third of a lease."""
        while True:
            await asyncio.sleep(self.lease / 3)
            limit = clock.ticks() - self.lease / 4
            old = [claim for claim in self._held.values() if claim.claimed_at < limit]
            for tenant_id, batch in _by_tenant(old).items():
                try:
                    await self.db.run(tenant_id, partial(claims.keep, batch, self.lease))
                except Exception:  # noqa: BLE001 - the next round tries again
                    _log.exception("courier.leases_not_kept", leases=len(batch))

    async def _return(self, away: list[Claim]) -> None:
        for tenant_id, batch in _by_tenant(away).items():
            for claim in batch:
                self._held.pop((tenant_id, claim.id, claim.token), None)
            with contextlib.suppress(Exception):  # else they run out
                await self.db.run(tenant_id, partial(claims.give_back, batch))


def _trace(
    gate: Gate,
    kind: str,
    document: str,
    key: str,
    seconds: float,
    verdict: Verdict,
    response: Response | None,
) -> None:
    """Add one call to its document's trace."""
    partner = gate.link.partner
    tracing.ended(
        *("client", f"{partner.dialect} {kind}", seconds),
        tenant_id=partner.tenant_id,
        document=document,
        failed=not isinstance(verdict, Delivered),
        status=response.status if response else None,
        connection=partner.name,
        delivery=key,
        verdict=type(verdict).__name__.lower(),
    )


def _wants(gate: Gate, now: float) -> Iterator[Want]:
    """Yield what to claim for one connection: what may begin, what a person forced, what has expired."""
    partner = gate.link.partner
    if partner.paused:
        return
    if not gate.closed(now):
        if room := gate.room():
            yield Want(partner.id, room)
        return
    if gate.target is not None and now >= gate.held_until and (room := gate.room(forced=True)):
        yield Want(partner.id, room, forced_only=True)
    if gate.stuck(now) and now - gate.swept_at >= _SWEEP:
        gate.swept_at = now
        yield Want(partner.id, _SWEPT, min_age=gate.plan.deadline)


def _without_call(gate: Gate, claim: Claim, now: float) -> Settled | None:
    """Return what becomes of a claim that needs no call: pointless by now, or past its deadline."""
    if claim.superseded and gate.link.role.overhears is None:
        return Settled(claim=claim, state="handled", reason="a later fact was delivered already")
    stuck = gate.stuck(now)
    if policy.expired(
        gate.plan, tries=claim.tries, elapsed=claim.elapsed, forced=claim.forced, held=stuck
    ):
        error = gate.why_stuck(now) if stuck and not claim.tries else None
        return Settled(claim=claim, state="needs_attention", error=error)
    return None


def _by_tenant(batch: list[Claim]) -> dict[int, list[Claim]]:
    grouped: dict[int, list[Claim]] = {}
    for claim in sorted(batch, key=lambda c: (c.tenant_id, c.connection_id, c.key)):
        grouped.setdefault(claim.tenant_id, []).append(claim)
    return grouped
