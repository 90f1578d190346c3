"""Levels of stock: never queued. A mark says that one changed; the newest is read when it is sent.

Changed stock is marked per connection and listing; each connection has a feed that one process at a time
sends, one call after the other, so that no older level can overtake a newer one.
"""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from entrepot import clock
from entrepot.courier import policy
from entrepot.courier.telling import Feed, Teller
from entrepot.db import queries
from entrepot.dialect import Retry
from entrepot.stock.published import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from entrepot.courier.gate import Exchange, Gate
    from entrepot.courier.watch import Watch
    from entrepot.db import Database, Row, Tx

    Outcome = tuple[Retry | None, int | None]
    """What went wrong, and behind which item a full send came to its end (None: it did not)."""

_LOOK = 0.1
_MARKED = 20_000
_PAGES = 20
_q = queries(__package__)
_log = structlog.get_logger()


class Levels:
    """The levels of every connection that this process serves."""

    def __init__(self, db: Database, watch: Watch, exchange: Exchange, lease: float) -> None:
        self._db = db
        self._watch = watch
        self._lease = lease
        self._exchange = exchange
        self._rounds: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._digests: dict[int, str] = {}
        self._stop = asyncio.Event()

    async def serve(self) -> None:
        """Mark and send until cancelled."""
        looks = 0
        while True:
            try:
                if looks % 10 == 0:
                    await self._read_digests()
                await self._mark()
                await self._begin_rounds()
            except Exception as error:  # noqa: BLE001 - the database may be away; look again
                _log.warning("levels.look_failed", error=str(error))
                await asyncio.sleep(1)
            looks += 1
            await asyncio.sleep(_LOOK)

    async def stop(self) -> None:
        """Finish the calls under way and give the feeds back."""
        self._stop.set()
        await asyncio.gather(*self._rounds.values(), return_exceptions=True)

    def _told(self) -> Iterator[tuple[tuple[int, int], Gate]]:
        """Iterate over the connections that are told levels."""
        for key, gate in self._watch.gates.items():
            if gate.link.role.levels(gate.link.partner.settings) > 0:
                yield key, gate

    async def _read_digests(self) -> None:
        tenants = sorted({key[0] for key, _ in self._told()})
        rows = await self._db.rows(_q.rules_digest, tenants) if tenants else []
        self._digests = {row["tenant_id"]: row["digest"] for row in rows}

    async def _mark(self) -> None:
        """Turn changes of stock into marks on what each connection sells."""
        tenants = list(self._watch.tenants)
        for row in await self._db.rows(_q.changes_waiting, tenants) if tenants else []:
            tenant_id = row["tenant_id"]
            sellers: dict[str, list[int]] = {"listings": [], "styles": [], "articles": []}
            for role, partner in self._watch.everyone(tenant_id):
                if role.levels(partner.settings) > 0:
                    sellers[role.sells].append(partner.id)
            while await self._db.run(tenant_id, partial(_mark, sellers)):
                pass

    async def _begin_rounds(self) -> None:
        """Begin a round for every feed that has something to send and is not at it."""
        now = clock.ticks()
        asked = [
            (key, gate, role, partner.settings)
            for key, gate in self._told()
            if key not in self._rounds
            and key[0] in self._digests
            and not (partner := gate.link.partner).paused
            and gate.target is not None
            and now >= gate.held_until
            for role in [gate.link.role]
        ]
        if not asked:
            return
        due = await self._db.rows(
            _q.feeds_due,
            [key[0] for key, *_ in asked],
            [key[1] for key, *_ in asked],
            [0 if role.punctual else role.levels(settings) for *_, role, settings in asked],
            [_wait(role, settings) for *_, role, settings in asked],
            [gate.link.partner.partner_url for _, gate, *_ in asked],
            [self._shape(gate) for _, gate, *_ in asked],
        )
        for row in due:
            key = (row["tenant_id"], row["connection_id"])
            gate = self._watch.gates.get(key)
            if gate is None:
                continue
            task = asyncio.create_task(self._round(gate))
            self._rounds[key] = task
            task.add_done_callback(partial(self._ended, key))

    def _ended(self, key: tuple[int, int], _task: object) -> None:
        self._rounds.pop(key, None)

    def _shape(self, gate: Gate) -> str:
        """Return what, beside stock, the figures depend on."""
        channel = _channel(gate)
        places = ",".join(channel.locations), ",".join(channel.stores)
        return "|".join((*places, self._digests[gate.link.partner.tenant_id]))

    async def _round(self, gate: Gate) -> None:
        """Lease a feed, send what it owes, and say when it may begin again."""
        partner, role = gate.link.partner, gate.link.role
        lease = gate.plan.timeout + self._lease
        owes_all = role.full_every(partner.settings) > 0

        async def claim(tx: Tx) -> Row | None:
            told_url = await tx.value(_q.feed_url, partner.id)
            row = await tx.row(
                _q.claim_feed, partner.id, partner.partner_url, self._shape(gate), owes_all, lease
            )
            if row and told_url not in (None, partner.partner_url) and not owes_all:
                await tx.do(_q.forget_told, partner.id)
            return row

        try:
            row = await self._db.run(partner.tenant_id, claim)
            if row is None:
                return
            feed = Feed(
                gate=gate,
                channel=_channel(gate),
                token=row["token"],
                lease=lease,
                stop=self._stop,
            )
            teller = Teller(self._db, self._exchange, feed, forced=row["forced"])
            outcome: Outcome = (Retry("ended early"), None)
            try:
                outcome = await self._send(teller, row, punctual=role.punctual)
            finally:
                await asyncio.shield(self._end(gate, row, *outcome))
        except Exception:  # noqa: BLE001 - one partner's feed must not end the others'
            _log.exception("levels.round_failed", connection=partner.name)
            await asyncio.sleep(1)

    async def _send(self, teller: Teller, row: Row, *, punctual: bool) -> Outcome:
        """Send what was dirty when the round began, then some pages of a full send that is under way."""
        after = row["full_after"]
        wanted = not punctual or row["round_at"] is not None
        if wanted and (trouble := await teller.delta(row["began"])):
            return trouble, None
        for _ in range(_PAGES if after is not None else 0):
            here, trouble = await teller.page(after)
            if trouble is not None or here is None:
                return trouble, None if trouble else after
            after = here
        return None, None

    async def _end(self, gate: Gate, row: Row, trouble: Retry | None, whole: int | None) -> None:
        tries, wait, error = 0, 0.0, None
        if trouble is not None:
            chance = random.random()  # noqa: S311 - spreads load, guards nothing
            then = policy.after(trouble, gate.plan, tries=row["tries"], elapsed=0, chance=chance)
            tries, wait, error = row["tries"] + then.step, then.wait, then.note[:1000]
        partner = gate.link.partner
        ended = (row["token"], wait, tries, error, whole, trouble is None, row["round_at"])
        await self._db.run(partner.tenant_id, lambda tx: tx.do(_q.end_round, partner.id, *ended))


async def _mark(sellers: Mapping[str, list[int]], tx: Tx) -> int:
    """Mark a batch of changes; return how many were taken off the list."""
    await tx.do(_q.by_index)
    chosen = (sellers["listings"], sellers["styles"], _MARKED, sellers["articles"])
    taken: int = await tx.value(_q.mark_levels, *chosen)
    return taken


def _channel(gate: Gate) -> Channel:
    partner, role = gate.link.partner, gate.link.role
    return Channel(
        connection_id=partner.id,
        locations=role.level_locations(partner.settings),
        stores=role.level_stores(partner.settings),
    )


def _wait(role: Any, settings: Any) -> float:
    """Return how long a mark may wait; where a schedule ticks, for ever."""
    return 1e9 if role.punctual else role.level_wait(settings)
