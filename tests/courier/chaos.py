"""Ordering under failures and kills at any moment; small in the tests, in full in the benchmarks."""

from __future__ import annotations

import asyncio
import json
import random
import time
from functools import partial
from typing import TYPE_CHECKING

from entrepot.courier.outbox import Announcement
from tests.courier.bureau import Answer, Bureau, Call, Step, Stub, eventually
from tests.courier.crew import hire

if TYPE_CHECKING:
    from pathlib import Path

FINE = b'{"code":0,"msg":""}'
KILLED = 40
"""How many documents the killed couriers carry."""


class Ledger:
    """A partner that fails at random, and writes down what it accepted, in order.

    ``maybe``: it may have acted on what it answered badly, or never answered at all.
    """

    def __init__(self, failing: float, pause: float = 0.0) -> None:
        self.failing = failing
        self.pause = pause
        self.accepted: dict[str, list[tuple[int, str]]] = {}
        self.keys: dict[tuple[str, int], set[str]] = {}
        self.failed = 0
        self.busy = asyncio.Event()
        self.open: set[str] = set()
        self.came: dict[str, float] = {}

    async def reply(self, call: Call) -> Answer:
        """Accept, or fail."""
        step = json.loads(call.body)
        self.came[call.key] = time.monotonic()
        self.open.add(call.key)
        self.keys.setdefault((step["number"], step["n"]), set()).add(call.key)
        self.busy.set()
        if self.pause:
            await asyncio.sleep(self.pause)
        self.open.discard(call.key)
        if random.random() < self.failing:
            self.failed += 1
            return 500, b""
        self.accepted.setdefault(step["number"], []).append((step["n"], call.key))
        return 200, FINE

    def out_of_order(self) -> list[str]:
        """Return documents with a step that came after a later one; one that came again is no fault."""
        return [
            number
            for number, steps in self.accepted.items()
            if [n for n, _ in steps] != sorted(n for n, _ in steps)
        ]

    def under_two_ids(self) -> list[tuple[str, int]]:
        """Return steps that were sent under more than one id."""
        return [step for step, keys in self.keys.items() if len(keys) > 1]

    def came_twice(self) -> int:
        """Return how many steps were accepted more than once."""
        return sum(len(got) - len({n for n, _ in got}) for got in self.accepted.values())

    def has_all(self, documents: int, steps: int) -> bool:
        """Tell whether every step of every document was accepted."""
        return len(self.accepted) == documents and all(
            {n for n, _ in got} == set(range(steps)) for got in self.accepted.values()
        )


def killed_steps(times: int) -> int:
    """Return how many steps of each document last for so many kills, half a second of work each and more."""
    return 5 + 2 * times


async def announce_steps(bureau: Bureau, connection: int, documents: int, steps: int) -> None:
    """Announce steps of many documents, mixed, in transactions of many sizes."""
    pending = [(document, n) for n in range(steps) for document in range(documents)]
    while pending:
        size = random.choice((1, 7, 100, 1000))
        batch, pending = pending[:size], pending[size:]
        await bureau.announce(
            *(
                Announcement(
                    connection_id=connection, key=document, fact=Step(number=f"D{document}", n=n)
                )
                for document, n in batch
            )
        )


async def order_under_failures(
    bureau: Bureau, documents: int, steps: int, failing: float, within: float
) -> Ledger:
    """Send steps of documents to a partner that fails at random, through two couriers."""
    ledger = Ledger(failing)
    async with Stub(ledger.reply) as stub:
        connection = await bureau.connect(stub.url, schedule="20ms", breaker="off", concurrency=50)
        async with bureau.working(couriers=2):
            await announce_steps(bureau, connection, documents, steps)
            await eventually(lambda: _settled(bureau), within)
    return ledger


async def kills(bureau: Bureau, ring: Path, times: int, lease: float) -> tuple[Ledger, list[float]]:
    """Kill a courier in the middle of calls, again and again; return how long each recovery took.

    Recovery is measured from the kill until the last of the calls that it cut off reached the partner
    again, the start of the new process included. In the end every step was settled, or it raises.
    """
    ledger = Ledger(0.0, pause=0.05)
    recovered: list[float] = []
    async with Stub(ledger.reply) as stub:
        connection = await bureau.connect(stub.url, schedule="20ms", concurrency=4)
        await announce_steps(bureau, connection, KILLED, killed_steps(times))
        process = hire(bureau, ring, lease=lease)
        try:
            for _ in range(times):
                cut = await _under_way(ledger)
                killed = time.monotonic()
                process.kill()
                process.wait()
                process = hire(bureau, ring, lease=lease)
                await eventually(partial(_again, ledger, cut, killed), 60)
                recovered.append(max(ledger.came[key] for key in cut) - killed)
            ledger.pause = 0
            await eventually(lambda: _settled(bureau), 120)
        finally:
            process.terminate()
            process.wait()
    return ledger, recovered


async def _under_way(ledger: Ledger) -> set[str]:
    """Wait for a new call; return the calls that the partner is in the middle of."""
    while True:
        ledger.busy.clear()
        await asyncio.wait_for(ledger.busy.wait(), 60)
        if ledger.open:
            return set(ledger.open)


async def _again(ledger: Ledger, cut: set[str], killed: float) -> bool:
    return all(ledger.came[key] > killed for key in cut)


async def _settled(bureau: Bureau) -> bool:
    await asyncio.sleep(0.2)
    return not await bureau.rows("SELECT 1 FROM lane WHERE tenant_id = $1 LIMIT 1")
