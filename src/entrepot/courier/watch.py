"""Which connections this process serves, and what it remembers of them beyond its own life."""

from __future__ import annotations

import asyncio
import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from entrepot import clock
from entrepot.courier.gate import Gate
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from entrepot.courier.gate import Link
    from entrepot.db import Database, Row, Tx
    from entrepot.dialect import Partner, Role

_LOOK = 0.05
_TEND = 0.2
_ANALYZE = 5.0
_q = queries(__package__)
_log = structlog.get_logger()

Key = tuple[int, int]
"""(tenant id, connection id)."""


class Watch:
    """The gates of the connections that fall to this process.

    The processes alive share the connections out by rendezvous hashing, so that one process alone paces
    a partner; when one falls silent for a lease, the others take over what was its own. Who is silent is
    asked five times a second by the database's clock, however long a lease is.
    """

    def __init__(
        self, db: Database, links: Any, me: int, lease: float, run: Callable[[Gate, Any], None]
    ) -> None:
        self._db = db
        self._links = links
        self._me = me
        self._lease = lease
        self._run = run
        self._others: tuple[int, ...] = ()
        self._looked_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self._known: dict[Key, Gate] = {}
        self.gates: dict[Key, Gate] = {}
        self.dropped: list[Gate] = []

    async def start(self) -> None:
        """Announce this process, find its connections, recall what is known of them."""
        await self._beat()
        self.follow()
        await self._tend()
        await self._analyze()
        self._tasks = [
            asyncio.create_task(_every(self._lease / 3, self._beat)),
            asyncio.create_task(_every(_TEND, self._look_around)),
            asyncio.create_task(_every(_ANALYZE, self._analyze)),
        ]

    async def stop(self) -> None:
        """Write down what is known and leave; the others take over at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._tend()
        await self._db.rows(_q.leave, self._me)

    def follow(self) -> None:
        """Take over changed settings, new connections, and what this process has gained or lost."""
        now = clock.ticks()
        if now - self._looked_at < _LOOK:
            return
        self._looked_at = now
        links: dict[Key, Link] = {
            (link.partner.tenant_id, link.partner.id): link for link in self._links
        }
        tenants = self.tenants
        for key, link in links.items():
            if not self._falls_to_me(key):
                continue
            settings = tenants[key[0]][1] if key[0] in tenants else {}
            gate = self._known.get(key)
            if gate is None:
                self._known[key] = Gate(link, settings, self._run)
            elif gate.link is not link or gate.tenant is not settings:
                gate.follow(link, settings)
        for key in [key for key in self._known if key not in links or not self._falls_to_me(key)]:
            self.gates.pop(key, None)
            self.dropped.append(self._known.pop(key))

    @property
    def tenants(self) -> Mapping[int, tuple[str, dict[str, Any]]]:
        """Every tenant, by id."""
        tenants: Mapping[int, tuple[str, dict[str, Any]]] = self._links.tenants
        return tenants

    def everyone(self, tenant_id: int) -> Iterator[tuple[Role, Partner]]:
        """Iterate over a tenant's connections, whichever process serves them."""
        for link in self._links:
            if link.partner.tenant_id == tenant_id:
                yield link.role, link.partner

    def _falls_to_me(self, key: Key) -> bool:
        mine = share(self._me, *key)
        return all(mine > share(other, *key) for other in self._others)

    async def _beat(self) -> None:
        self._settle_among(await self._db.rows(_q.alive, self._me, self._lease))

    async def _look_around(self) -> None:
        """Take over at once from a process that fell silent, and write down what has changed."""
        self._settle_among(await self._db.rows(_q.others_alive, self._me, self._lease))
        await self._tend()

    def _settle_among(self, others: Sequence[Row]) -> None:
        """Share the connections out with these processes."""
        found = tuple(sorted(row["id"] for row in others))
        if found != self._others:
            self._others = found
            self._looked_at = 0.0
            self.follow()

    async def _analyze(self) -> None:
        """Let the planner know of tables that have just grown, before autovacuum gets to it.

        Without statistics it takes a tenant for one two-hundredth of a table, and reads all of it.
        """
        for row in await self._db.rows(_q.outgrown):
            await self._db.rows(f"ANALYZE {row['name']}")

    async def _tend(self) -> None:
        """Recall the state of new gates, write down what has changed."""
        fresh = {key[0] for key in self._known if key not in self.gates}
        for tenant_id in fresh:
            async with self._db.reading(tenant_id) as tx:
                rows = {row["connection_id"]: row for row in await tx.rows(_q.states)}
            for key, gate in list(self._known.items()):
                if key[0] == tenant_id and key not in self.gates:
                    _recall(gate, rows.get(key[1]))
                    self.gates[key] = gate
        for key, gate in list(self.gates.items()):
            if gate.told != _state(gate):
                await self._db.run(key[0], partial(_save, gate))


def share(courier: int, tenant_id: int, connection_id: int) -> bytes:
    """Return how strongly a process claims a connection; of those alive the strongest serves it."""
    name = f"{courier}:{tenant_id}:{connection_id}".encode()
    return hashlib.blake2b(name, digest_size=8).digest()


def _state(gate: Gate) -> tuple[str, str, bool, bool, float, bytes]:
    partner: Partner = gate.link.partner
    settings = partner.settings
    held = gate.held_until if gate.held_until > clock.ticks() else 0.0
    return (
        settings.schedule,
        settings.deadline,
        partner.paused,
        gate.breaker.open_since is not None,
        held,
        _reach(gate),
    )


def _reach(gate: Gate) -> bytes:
    """Return what decides whether a partner is reached and lets us in."""
    partner: Partner = gate.link.partner
    allowed = gate.tenant.get("allowed_networks", ())
    return msgspec.json.encode((partner.partner_url, allowed, partner.secrets), order="sorted")


def _recall(gate: Gate, row: Row | None) -> None:
    """Take up where the last process stood."""
    if row is None:
        gate.told = None
        return
    if row["open_for"] is not None and gate.plan.breaker:
        gate.breaker.reopen(clock.ticks(), row["open_for"])
    gate.hold(row["held"], row["held_for"] or "")
    open_before = row["open_for"] is not None
    gate.told = (row["schedule"], row["deadline"], row["paused"], open_before, None, None)


async def _save(gate: Gate, tx: Tx) -> None:
    """Write down a gate's state; a changed schedule, the end of a pause, and what may have mended the way to
    the partner move the waiting calls.
    """
    partner = gate.link.partner
    state = _state(gate)
    told: Any = gate.told
    if told is not None and told[:2] != state[:2]:
        await tx.do(_q.replan, partner.id, list(gate.plan.schedule), gate.plan.deadline)
    if told is not None and told[2] and not state[2]:
        await tx.do(_q.resume, partner.id)
    reach = tx.fingerprint(state[5].decode())  # it holds secrets
    await tx.do(_q.mended, partner.id, reach)
    now = clock.ticks()
    opened = gate.breaker.open_since
    await tx.do(
        _q.save_state,
        partner.id,
        state[0],
        state[1],
        state[2],
        None if opened is None else now - opened,
        state[4] - now if state[4] else None,
        gate.held_for or None,
        reach,
    )
    gate.told = state


async def _every(seconds: float, work: Any) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception:  # noqa: BLE001 - the database may be away; the next round tries again
            _log.exception("courier.watch_failed")
