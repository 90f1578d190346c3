"""Requests that arrive together are committed together, each still answered for itself.

A flow takes a sequence of commands and returns one outcome per command: a value, or a ``Refused``
that is raised to that caller alone. While the database works on one batch, the next one gathers; an
idle lane starts at once, so a lone request waits for nobody. A second batch beside the first starts when
enough commands wait to be worth its statements; fewer would only wait for the same rows.
"""

from __future__ import annotations

import asyncio
from collections import deque
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


class Together:
    """Gathers commands into batches; one per process."""

    def __init__(self, db: Database, batch: int = _BATCH) -> None:
        self._db = db
        self._batch = batch
        self._loop = asyncio.get_running_loop()
        self._lanes: dict[Hashable, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def do(self, flow: Flow, tenant_id: int, command: object) -> Any:
        """Run one command of a writing flow; returns after the commit is durable."""
        return await self._join(flow, tenant_id, command, _WRITERS, self._write)

    async def ask(self, flow: Flow, tenant_id: int, command: object) -> Any:
        """Run one command of a reading flow (a single statement; no transaction)."""
        return await self._join(flow, tenant_id, command, _READERS, self._read)

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
        run: Callable[..., Any],
    ) -> asyncio.Future[Any]:
        lane = self._lanes.get((flow, tenant_id))
        if lane is None:
            lane = self._lanes[flow, tenant_id] = _Lane()
        future: asyncio.Future[Any] = self._loop.create_future()
        lane.waiting.append((command, future))
        if lane.running < lanes and lane.worth_a_batch():
            lane.running += 1
            task = self._loop.create_task(self._work(flow, tenant_id, lane, run))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def _work(self, flow: Flow, tenant_id: int, lane: _Lane, run: Callable[..., Any]) -> None:
        try:
            while lane.worth_going_on():
                size = min(self._batch, len(lane.waiting))
                batch = [lane.waiting.popleft() for _ in range(size)]
                await self._settle(flow, tenant_id, batch, run)
        finally:
            lane.running -= 1

    async def _settle(
        self,
        flow: Flow,
        tenant_id: int,
        batch: list[tuple[Any, asyncio.Future[Any]]],
        run: Callable[..., Any],
    ) -> None:
        """Answer a batch. One that fails whole is run again one by one: a poisoned command harms no other."""
        try:
            outcomes = await run(flow, tenant_id, [command for command, _ in batch])
        except Exception as error:  # noqa: BLE001 - each waiting caller must learn of it
            if len(batch) == 1:
                _answer(batch[0][1], error)
                return
            for one in batch:
                await self._settle(flow, tenant_id, [one], run)
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            _answer(future, outcome)

    async def _write(self, flow: Flow, tenant_id: int, commands: list[Any]) -> Sequence[Any]:
        return await self._db.run(tenant_id, lambda tx: flow(tx, commands))

    async def _read(self, flow: Flow, tenant_id: int, commands: list[Any]) -> Sequence[Any]:
        async with self._db.reading(tenant_id) as tx:
            return await flow(tx, commands)


def _answer(future: asyncio.Future[Any], outcome: object) -> None:
    if future.done():
        return
    if isinstance(outcome, (Refused, Exception)):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
