"""Stock that changes while everything fails, and what a partner believes of it in the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from typing import TYPE_CHECKING, Any

from tests.courier.bureau import Answer, Bureau, Call, Stub, eventually
from tests.courier.crew import hire
from tests.courier.shop import SHOP, Shelf

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

FINE = b'{"code":0,"msg":""}'
TIMEOUT = 0.5
"""Seconds that a call may take; the partner takes effect later than that on nothing."""


class Mall:
    """A partner that keeps the last figure written to it, however badly it answers.

    It answers late, fails before or after it wrote, and writes without ever answering.
    """

    def __init__(self) -> None:
        self.calm = False
        self.figures: dict[str, int] = {}
        self.wrote = self.failed = self.silent = self.under_way = self.cut = 0
        self.busy = asyncio.Event()

    async def reply(self, call: Call) -> Answer:
        """Write the figures, or fail, or both."""
        rows: list[list[Any]] = json.loads(call.body)
        fate = 1.0 if self.calm else random.random()
        self.under_way += 1
        self.busy.set()
        try:
            if not self.calm:
                await asyncio.sleep(random.uniform(0, TIMEOUT * 0.6))
            if fate < 0.15:
                self.failed += 1
                return 500, b""
            for key, _store, pieces in rows:
                self.figures[key] = pieces
            self.wrote += 1
            if fate < 0.3:
                self.failed += 1
                return 502, b"<html>"
            if fate < 0.4:
                self.silent += 1
                await asyncio.sleep(2 * TIMEOUT)
            return 200, FINE
        finally:
            self.under_way -= 1


class Upheaval:
    """What happened, and what was true in the end."""

    def __init__(self, mall: Mall, truth: dict[str, int], changes: int) -> None:
        self.mall = mall
        self.truth = truth
        self.changes = changes

    def differing(self) -> list[str]:
        """Return the listings of which the partner believes something else than the hub."""
        return [
            name for name, pieces in self.truth.items() if self.mall.figures.get(name) != pieces
        ]


async def levels_in_chaos(
    bureau: Bureau, ring: Path, *, listings: int, kills: int, lease: float = 0.5
) -> Upheaval:
    """Change stock without a pause while couriers, two at a time, are killed in the middle of calls."""
    mall, shelf = Mall(), Shelf(bureau)
    await shelf.fill([f"L{n}" for n in range(listings)])
    async with Stub(mall.reply) as stub:
        connection = await bureau.connect(
            stub.url,
            SHOP,
            schedule="50ms",
            breaker="off",
            timeout=f"{TIMEOUT * 1000:.0f}ms",
            size=max(listings // 40, 5),
            wait=0.05,
        )
        await shelf.list_on(connection)
        crew = [hire(bureau, ring, lease=lease) for _ in range(2)]
        changing = asyncio.create_task(_change(shelf))
        try:
            for _ in range(kills):
                await _kill(mall, crew)
                crew = [hire(bureau, ring, lease=lease) for _ in range(2)]
        finally:
            changing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await changing
            mall.calm = True
            try:
                await eventually(lambda: _told(bureau), 120)
            finally:
                for process in crew:
                    process.terminate()
                for process in crew:
                    process.wait()
    return Upheaval(mall, await shelf.published(connection), shelf.changed)


async def _kill(mall: Mall, crew: list[subprocess.Popen[bytes]]) -> None:
    """Kill the couriers while one of them is in the middle of a call."""
    while True:
        mall.busy.clear()
        await asyncio.wait_for(mall.busy.wait(), 60)
        await asyncio.sleep(random.uniform(0, TIMEOUT))
        if mall.under_way:
            break
    mall.cut += mall.under_way
    for process in crew:
        process.kill()
    for process in crew:
        process.wait()


async def _change(shelf: Shelf) -> None:
    """Count articles anew, some of them again and again, until cancelled."""
    names = list(shelf.articles)
    while True:
        some = random.sample(names, k=min(random.choice((1, 3, 40)), len(names)))
        await shelf.count_all({name: random.randrange(1000) for name in {*some, names[0]}})
        await asyncio.sleep(random.uniform(0, 0.03))


async def _told(bureau: Bureau) -> bool:
    await asyncio.sleep(0.2)
    return not await bureau.rows(
        "SELECT FROM stock_change WHERE tenant_id = $1"
        " UNION ALL SELECT FROM level WHERE tenant_id = $1 AND dirty_since IS NOT NULL"
        " UNION ALL SELECT FROM feed WHERE tenant_id = $1 AND (leased OR full_after IS NOT NULL)"
        " LIMIT 1"
    )
