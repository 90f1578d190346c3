"""Requests that arrive together are committed together, each still answered for itself.

A flow takes a sequence of commands and returns one outcome per command: a value, or a ``Refused``
that is raised to that caller alone. While the database works on one batch, the next one gathers; an
idle lane starts at once, so a lone request waits for nobody. A second batch beside the first starts when
enough commands wait to be worth its statements; fewer would only wait for the same rows.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Any

from entrepot.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Sequence

    from entrepot.db import Database, Tx

    Flow = Callable[[Tx, Sequence[Any]], Awaitable[Sequence[Any]]]

_BATCH = 64
_WORTH = 8
_WRITERS = 2
_READERS = 2
_TURNS = 16


class _Lane:
    """The commands of one flow and tenant that wait for their batch."""

    __slots__ = ("running", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[tuple[Any, asyncio.Future[Any]]] = deque()
        self.running = 0

    def worth_a_batch(self) -> bool:
        """Tell whether what waits should start now, beside what is under way."""
        return not self.running or len(self.waiting) >= _WORTH

    def worth_going_on(self) -> bool:
        """Tell whether one that has settled its batch should take the next; the last one always does."""
        return bool(self.waiting) and (self.running == 1 or len(self.waiting) >= _WORTH)

    def batch(self, most: int) -> list[tuple[Any, asyncio.Future[Any]]]:
        """Take what waits longest."""
        return [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]


class Together:
    """Gathers commands into batches; one per process."""

    def __init__(self, db: Database, batch: int = _BATCH) -> None:
        self._db = db
        self._batch = batch
        self._loop = asyncio.get_running_loop()
        self._lanes: dict[Hashable, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def do(self, flow: Flow, tenant_id: int, command: object) -> Awaitable[Any]:
        """Run one command of a writing flow; its outcome is there when the commit is durable."""
        return self._join(flow, tenant_id, command, _WRITERS, self._write)

    def ask(self, flow: Flow, tenant_id: int, command: object) -> Awaitable[Any]:
        """Run one command of a reading flow (a single statement; no transaction)."""
        return self._join(flow, tenant_id, command, _READERS, self._read)

    async def drain(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _join(
        self,
        flow: Flow,
        tenant_id: int,
        command: object,
        lanes: int,
        settle: Callable[..., Awaitable[None]],
    ) -> asyncio.Future[Any]:
        lane = self._lanes.get((flow, tenant_id))
        if lane is None:
            lane = self._lanes[flow, tenant_id] = _Lane()
        future: asyncio.Future[Any] = self._loop.create_future()
        lane.waiting.append((command, future))
        if lane.running < lanes and lane.worth_a_batch():
            lane.running += 1
            task = self._loop.create_task(self._work(flow, tenant_id, lane, settle))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def _work(
        self, flow: Flow, tenant_id: int, lane: _Lane, settle: Callable[..., Awaitable[None]]
    ) -> None:
        try:
            while lane.worth_going_on():
                await settle(flow, tenant_id, lane)
        finally:
            lane.running -= 1

    async def _write(self, flow: Flow, tenant_id: int, lane: _Lane) -> None:
        async def written(commands: list[Any]) -> Sequence[Any]:
            return await self._db.run(tenant_id, lambda tx: flow(tx, commands))

        await _settle(lane.batch(self._batch), written)

    async def _read(self, flow: Flow, tenant_id: int, lane: _Lane) -> None:
        """Settle a few batches on one connection; few, so that other lanes have their turn."""
        async with aclosing(_Reader(self._db, flow, tenant_id)) as reader:
            for _ in range(_TURNS):
                await _settle(lane.batch(self._batch), reader.read)
                if not lane.worth_going_on():
                    return


class _Reader:
    """A connection that is kept between batches, since to fetch one costs as much as to read on it."""

    def __init__(self, db: Database, flow: Flow, tenant_id: int) -> None:
        self._db, self._flow, self._tenant_id = db, flow, tenant_id
        self._held = AsyncExitStack()
        self._tx: Tx | None = None

    async def aclose(self) -> None:
        """Give the connection back."""
        self._tx = None
        await self._held.aclose()

    async def read(self, commands: list[Any]) -> Sequence[Any]:
        """Read for a batch; after a failure the next one has a connection of its own."""
        if self._tx is None:
            self._tx = await self._held.enter_async_context(self._db.reading(self._tenant_id))
        try:
            return await self._flow(self._tx, commands)
        except Exception:
            await self.aclose()
            raise


async def _settle(
    batch: list[tuple[Any, asyncio.Future[Any]]], run: Callable[..., Awaitable[Sequence[Any]]]
) -> None:
    """Answer a batch. One that fails whole is run again one by one: a poisoned command harms no other."""
    try:
        outcomes = await run([command for command, _ in batch])
    except Exception as error:  # noqa: BLE001 - each waiting caller must learn of it
        if len(batch) == 1:
            _answer(batch[0][1], error)
            return
        for one in batch:
            await _settle([one], run)
        return
    for (_, future), outcome in zip(batch, outcomes, strict=True):
        _answer(future, outcome)


def _answer(future: asyncio.Future[Any], outcome: object) -> None:
    if future.done():
        return
    if isinstance(outcome, (Refused, Exception)):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
