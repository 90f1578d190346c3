"""One round of a feed: read levels, tell them, acknowledge what was told, find what a partner refused."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from entrepot import clock
from entrepot.courier import policy
from entrepot.db import ints, queries
from entrepot.dialect import Delivered, Retry, Sent
from entrepot.facts import Level, Levels
from entrepot.stock import published

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from entrepot.courier.gate import Exchange, Gate
    from entrepot.db import Database, Row, Tx
    from entrepot.dialect import Verdict
    from entrepot.stock.published import Channel
    from entrepot.stock.rules import Published

_HOPELESS = 64
_ROWS_READ = 2000
_CLOSED = 1.0
_ENDING = Retry("the process ends", 0.001, slow_down=True)
_LOST = Retry("the feed's lease went to another process")
_q = queries(__package__)


class Feed(Struct, frozen=True, kw_only=True):
    """A leased feed."""

    gate: Any
    channel: Any
    token: int
    lease: float
    stop: Any


class Item(Struct, frozen=True):
    """One level as read: what will have been told when the partner takes it.

    ``partial``: one with more stores than a call holds goes in several, the last of which counts.
    """

    level: Level
    article_id: int
    version: int
    told: str
    partial: bool = False

    @property
    def rows(self) -> int:
        """How many figures it is."""
        return 1 + len(self.level.by_location)


class Teller:
    """Tells one connection its levels."""

    def __init__(self, db: Database, exchange: Exchange, feed: Feed, *, forced: bool) -> None:
        self._db = db
        self._exchange = exchange
        self._feed = feed
        self._gate: Gate = feed.gate
        self._channel: Channel = feed.channel
        self._forced = forced
        self._accepted = self._refused = 0
        partner, role = self._gate.link.partner, self._gate.link.role
        self._tenant_id = partner.tenant_id
        self._dirty, self._all = {
            "styles": (_q.dirty_styles, _q.all_styles),
            "articles": (_q.dirty_articles, _q.all_articles),
            "listings": (_q.dirty_listings, _q.all_listings),
        }[role.sells]
        self._size = role.levels(partner.settings)

    async def delta(self, before: datetime) -> Retry | None:
        """Tell everything that is dirty since before a moment, the oldest first; return what went wrong."""
        while True:
            rows, items = await self._read(self._dirty, before)
            if not rows:
                return None
            if trouble := await self._tell(items):
                return trouble

    async def page(self, after: int) -> tuple[int | None, Retry | None]:
        """Tell the next page of everything; return where it ended, None at the end."""
        rows, items = await self._read(self._all, after)
        if not rows:
            return None, None
        if trouble := await self._tell(items):
            return after, trouble
        here = rows[-1]["item"]
        return (here, None) if await self._keep(after, here) else (after, _LOST)

    async def _read(self, query: str, since: Any) -> tuple[list[Row], list[Item]]:
        """Read marks and then, in a later statement, the figures; settle those that need no call."""
        connection_id = self._channel.connection_id
        async with self._db.transaction(self._tenant_id, readonly=True) as tx:
            await tx.do(_q.by_index)
            limit = max(self._size // (1 + len(self._channel.stores)), 1)
            limit *= max(_ROWS_READ // max(self._size, 1), 1)
            rows = list(await tx.rows(query, connection_id, limit, since))
            gone = [row["item"] for row in rows if row["key"] is None]
            kept = [row for row in rows if row["key"] is not None]
            figures = await published.figures(tx, self._channel, [r["article_id"] for r in kept])
        items = [_item(row, figures[row["article_id"]]) for row in kept]
        same = [item for item, row in zip(items, kept, strict=True) if item.told == row["told"]]
        if gone or same:
            await self._db.run(self._tenant_id, lambda tx: self._clear(tx, gone, same))
        settled = {id(item) for item in same}
        return rows, [item for item in items if id(item) not in settled]

    async def _clear(self, tx: Tx, gone: Sequence[int], same: Sequence[Item]) -> None:
        connection_id = self._channel.connection_id
        if gone:
            await tx.do(_q.forget_levels, connection_id, ints(gone))
        if same:
            await tx.do(
                _q.clear_unchanged,
                connection_id,
                ints([item.level.listing_id for item in same]),
                ints([item.article_id for item in same]),
                ints([item.version for item in same]),
                [item.told for item in same],
            )

    async def _tell(self, items: Sequence[Item]) -> Retry | None:
        """Tell levels in calls of bounded size. A refused call is halved until the bad level is alone."""
        parts = list(reversed(_chunks(items, self._size)))
        while parts:
            part = parts.pop()
            verdict, splits = await self._call(part)
            if isinstance(verdict, Retry):
                return verdict
            if isinstance(verdict, Delivered):
                self._accepted += 1
                told = await self._acknowledge(part, None)
            elif len(part) == 1 or not splits or self._hopeless():
                told = await self._acknowledge(part, verdict.message[:1000])
            else:
                self._refused += 1
                half = len(part) // 2
                parts += [part[half:], part[:half]]
                told = True
            if not told:
                return _LOST
        return None

    def _hopeless(self) -> bool:
        """Tell whether the partner refuses whatever it is sent: no use in halving further."""
        return not self._accepted and self._refused >= _HOPELESS

    async def _call(self, part: Sequence[Item]) -> tuple[Verdict, bool]:
        """Make one call; return its verdict, and whether halves of a refused one are worth sending."""
        gate = self._gate
        subject = Levels(levels=tuple(item.level for item in part))
        request = gate.link.role.request_for(subject, gate.link.partner)
        if request is None:
            return Delivered(), False
        if self._feed.stop.is_set():
            return _ENDING, False
        if not await self._keep():
            return _LOST, False
        if not await gate.enter(forced=self._forced):
            return Retry(gate.why_stuck(clock.ticks()), _CLOSED, slow_down=True), False
        began = clock.ticks()
        failed: bool | None = None
        try:
            key = _key(gate.link.partner.id, request.body, part)
            verdict, response, _ = await self._exchange(gate, request, subject, key)
            then = policy.after(verdict, gate.plan, tries=0, elapsed=0, chance=0.5)
            gate.hold(then.hold, then.note)
            failed = policy.counts_as_failure(then.outcome)
        finally:
            gate.ended(clock.ticks() - began, failed=failed)
        if response is None:
            return verdict, False
        return verdict, gate.link.role.splits(Sent(subject, request, response))

    async def _keep(self, before: int | None = None, after: int | None = None) -> bool:
        """Prolong the lease and note how far the full send got; False when the lease is another's."""
        feed = self._feed
        kept = await self._db.run(
            self._tenant_id,
            lambda tx: tx.do(
                _q.keep_feed, self._channel.connection_id, feed.token, feed.lease, before, after
            ),
        )
        return kept == 1

    async def _acknowledge(self, part: Sequence[Item], trouble: str | None) -> bool:
        if trouble is None:
            part = [item for item in part if not item.partial]
        done = await self._db.run(
            self._tenant_id,
            lambda tx: tx.do(
                _q.acknowledge,
                self._channel.connection_id,
                self._feed.token,
                ints([item.level.listing_id for item in part]),
                ints([item.article_id for item in part]),
                ints([item.version for item in part]),
                [item.told for item in part],
                trouble,
            ),
        )
        return done == len(part)


def _item(row: Row, figure: Published) -> Item:
    level = Level(
        listing_id=row["item"],
        type=row["type"],
        key=row["key"],
        total=figure.total,
        by_location=dict(figure.by_location),
    )
    places = "".join(f" {code}:{pieces}" for code, pieces in sorted(figure.by_location.items()))
    return Item(level, row["article_id"], row["version"], f"{figure.total}{places}")


def _chunks(items: Sequence[Item], size: int) -> list[list[Item]]:
    """Cut into calls of at most ``size`` figures each."""
    chunks: list[list[Item]] = []
    room = 0
    for piece in (piece for item in items for piece in _pieces(item, size)):
        if piece.rows > room or not chunks:
            chunks.append([])
            room = size
        chunks[-1].append(piece)
        room -= piece.rows
    return chunks


def _pieces(item: Item, size: int) -> list[Item]:
    """Return a level in pieces that each fit a call: the total, and as many stores as there is room for."""
    if item.rows <= size or size < 2:
        return [item]
    places = list(item.level.by_location.items())
    pieces = [
        replace(
            item,
            level=replace(item.level, by_location=dict(places[i : i + size - 1])),
            partial=True,
        )
        for i in range(0, len(places), size - 1)
    ]
    return [*pieces[:-1], replace(pieces[-1], partial=False)]


def _key(connection_id: int, body: bytes, part: Sequence[Item]) -> str:
    """Return the id of a call of levels: the same for the same levels of the same versions."""
    versions = ints([item.version for item in part]).encode()
    digest = hashlib.blake2b(body + versions, digest_size=12, key=str(connection_id).encode())
    return f"stock-{digest.hexdigest()}"
