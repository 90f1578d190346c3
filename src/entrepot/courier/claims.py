"""The far end of the pipe: heads are claimed under a lease, and what became of them is settled in batches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct, structs

from entrepot import decode, facts, ids
from entrepot.courier.policy import Outcome
from entrepot.db import ints, queries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from entrepot.db import Database, Row, Tx
    from entrepot.facts import Fact

_q = queries(__package__)
_log = structlog.get_logger()
_BATCH = 500
_SETTLERS = 2
_OF_DATA = ("22", "23")
"""SQLSTATE classes: a value that the database does not take, a constraint that was hit."""
_UNWRITABLE = "what came of this call could not be written down as it was"


class Want(Struct, frozen=True):
    """How many heads of a connection to claim; of those forced by a person only, or of an age only."""

    connection_id: int
    n: int
    forced_only: bool = False
    min_age: float = 0.0


class Claim(Struct):
    """One leased head. ``lost``: an earlier lease of it ran out, so an attempt's outcome is unknown.

    ``elapsed`` seconds of its deadline had run at ``claimed_at`` (ticks). ``superseded``: a later fact that
    makes it pointless was delivered.
    """

    tenant_id: int
    connection_id: int
    key: int
    id: int
    token: int
    tries: int
    forced: bool
    lost: bool
    elapsed: float
    kind: str
    document: str
    also: tuple[str, ...]
    payload: bytes
    unsure: bool
    claimed_at: float
    superseded: bool = False

    def fact(self) -> Fact:
        """Return what happened; raises Unusable for a kind this version does not know."""
        return facts.decode(self.kind, self.payload)


class Settled(Struct, frozen=True, kw_only=True):
    """What became of a claim. ``outcome`` is None where no call was made; times in seconds."""

    claim: Claim
    state: str
    wait: float = 0.0
    step: bool = False
    deadline: float = 0.0
    error: str | None = None
    reason: str | None = None
    unsure: bool = False
    outcome: Outcome | None = None
    status: int | None = None
    duration: float = 0.0


async def peek(db: Database, connections: Sequence[tuple[int, int]]) -> set[int]:
    """Return the tenants that have something due on one of the (tenant, connection)s."""
    rows = await db.rows(_q.peek, [c[0] for c in connections], [c[1] for c in connections])
    return {row["tenant_id"] for row in rows}


async def claim(
    tx: Tx, wants: Sequence[Want], lease: float, unseal: Callable[[bytes], bytes], now: float
) -> list[Claim]:
    """Lease due heads; the commit must be durable before the first call is made."""
    taken = await tx.rows(
        _q.claim,
        [w.connection_id for w in wants],
        [w.n for w in wants],
        [w.forced_only for w in wants],
        [w.min_age for w in wants],
        lease,
    )
    if not taken:
        return []
    # A statement of its own: it sees a head that was announced while the rows were being locked.
    heads = {row["id"]: row for row in await tx.rows(_q.heads, ints(row["head"] for row in taken))}
    claims = [_claim(tx.tenant_id, row, heads[row["head"]], unseal, now) for row in taken]
    await _mark_superseded(tx, claims)
    return claims


async def keep(claims: Sequence[Claim], lease: float, tx: Tx) -> None:
    """Prolong leases."""
    await tx.do(_q.keep_leases, *_names(claims), lease)


async def give_back(claims: Sequence[Claim], tx: Tx) -> None:
    """Return leases whose calls never began; they are due at once."""
    await tx.do(_q.give_back, *_names(claims), [c.lost for c in claims])


async def settle(tx: Tx, batch: Sequence[Settled]) -> None:
    """Write down what became of claims; those whose lease went to another are refused by their token."""
    claims = [one.claim for one in batch]
    await tx.rows(_q.lock_claimed, *_names(claims))
    await tx.do(
        _q.settle,
        *_names(claims),
        ints([c.id for c in claims]),
        [one.state for one in batch],
        [one.step for one in batch],
        [one.wait for one in batch],
        [one.deadline for one in batch],
        [one.error for one in batch],
        [one.reason for one in batch],
        [one.unsure or one.claim.lost for one in batch],
        ints([(one.outcome is not None) + one.claim.lost for one in batch]),
        ints(ids.some(len(batch))),
        [one.outcome for one in batch],
        [one.status for one in batch],
        ints([int(one.duration * 1_000_000) for one in batch]),
    )
    if lost := [c for c in claims if c.lost]:
        await tx.do(
            _q.note_lost,
            ids.some(len(lost)),
            [c.id for c in lost],
            [c.connection_id for c in lost],
        )


class Settler:
    """Gathers what became of claims while the database works on the last batch; one per process."""

    def __init__(self, db: Database, echo: Callable[[], None] = lambda: None) -> None:
        self._db = db
        self._echo = echo
        self._waiting: dict[int, list[Settled]] = {}
        self._running: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.settled = asyncio.Event()

    def add(self, one: Settled) -> None:
        """Settle a claim soon."""
        tenant_id = one.claim.tenant_id
        self._waiting.setdefault(tenant_id, []).append(one)
        if self._running.get(tenant_id, 0) < _SETTLERS:
            self._running[tenant_id] = self._running.get(tenant_id, 0) + 1
            task = asyncio.create_task(self._work(tenant_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Wait until everything is written."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _work(self, tenant_id: int) -> None:
        waiting = self._waiting[tenant_id]
        try:
            await asyncio.sleep(0)  # what ended in the same turn of the loop goes together
            while waiting:
                batch = waiting[:_BATCH]
                del waiting[:_BATCH]
                await self._write(tenant_id, batch)
                self.settled.set()
        finally:
            self._running[tenant_id] -= 1

    async def _write(self, tenant_id: int, batch: list[Settled], *, last_try: bool = False) -> None:
        """Write one batch. While the database is away the leases run out, and the calls are made again.

        A batch with a value that the database will not have is halved until that one is alone: it harms
        no other, and comes to rest in plain words instead of being called for ever.
        """
        batch.sort(key=lambda one: (one.claim.connection_id, one.claim.key))
        try:
            await self._db.run(tenant_id, lambda tx: settle(tx, batch))
            if any(facts.echoes(one.claim.kind) for one in batch):
                self._echo()
        except Exception as error:  # noqa: BLE001 - whatever it was, the leases run out and the calls are made again
            half = len(batch) // 2
            if half and _is_of_data(error):
                await self._write(tenant_id, batch[:half])
                await self._write(tenant_id, batch[half:])
                return
            _log.exception("courier.settle_failed", deliveries=len(batch))
            if _is_of_data(error) and not last_try:
                await self._write(tenant_id, [_plain(batch[0])], last_try=True)
            else:
                await asyncio.sleep(1)


def _is_of_data(error: Exception) -> bool:
    """Tell whether a value was refused, by the database or on the way to it, and not the whole statement."""
    states = [str(getattr(found, "sqlstate", "")) for found in (error, error.__cause__)]
    return any(state.startswith(_OF_DATA) for state in states)


def _plain(one: Settled) -> Settled:
    """Return what became of a claim without the values that its partner or dialect made up: what was to
    wait needs attention, what came to its end keeps it.
    """
    waits = one.state in ("waiting", "needs_attention")
    text = decode.kept(one.error or "")
    return structs.replace(
        one,
        state="needs_attention" if waits else one.state,
        wait=0.0,
        deadline=0.0,
        error=f"{_UNWRITABLE}: {text}" if waits else text or None,
        reason=decode.kept(one.reason) if one.reason else None,
    )


async def _mark_superseded(tx: Tx, claims: Iterable[Claim]) -> None:
    """Mark the claims whose facts a delivered later one made pointless."""
    asked = [(c, kinds) for c in claims if (kinds := facts.superseded_by(c.kind))]
    if not asked:
        return
    rows = await tx.rows(
        _q.superseded,
        [c.id for c, _ in asked],
        [c.connection_id for c, _ in asked],
        [c.key for c, _ in asked],
        [c.document for c, _ in asked],
        [",".join(sorted(kinds)) for _, kinds in asked],
    )
    pointless = {row["id"] for row in rows}
    for c, _ in asked:
        c.superseded = c.id in pointless


def _claim(
    tenant_id: int, lane: Row, head: Row, unseal: Callable[[bytes], bytes], now: float
) -> Claim:
    return Claim(
        tenant_id=tenant_id,
        connection_id=lane["connection_id"],
        key=lane["key"],
        id=lane["head"],
        token=lane["token"],
        tries=lane["tries"],
        forced=lane["forced"],
        lost=lane["lost"],
        elapsed=lane["elapsed"],
        kind=head["kind"],
        document=head["document"],
        also=tuple(head["also"] or ()),
        payload=unseal(head["payload"]) if head["sealed"] else head["payload"],
        unsure=head["unsure"] or lane["lost"],
        claimed_at=now,
    )


def _names(claims: Sequence[Claim]) -> tuple[str, str, str]:
    return (
        ints([c.connection_id for c in claims]),
        ints([c.key for c in claims]),
        ints([c.token for c in claims]),
    )
