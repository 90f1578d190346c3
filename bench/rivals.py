"""The same POSTs done by other people's queues: ``python -m bench.rivals NAME DATABASE SINK``.

Each is used as its documentation shows for asyncio, with aiohttp as the client, one process, 50 calls at
once (procrastinate) or its batch size (pgqueuer). They keep neither order nor a history of attempts.

The client is an advantage of ours: the courier calls with its own, which does less and costs less than
aiohttp. ``aiohttp N SINK`` and ``caller N SINK`` make N calls with either and no queue at all, so that the
table says how much of the distance is the client's.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from typing import Any

import aiohttp
import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job  # noqa: TC002 - pgqueuer reads the annotation
from pgqueuer.queries import Queries
from procrastinate import App, PsycopgConnector

from entrepot.courier.addresses import networks
from entrepot.courier.http import Caller, Target
from entrepot.dialect import Request

CONCURRENCY = 50
HEADERS = {"Content-Type": "application/json"}


def body(number: str) -> bytes:
    """Return what is posted for one order: the mark that the courier sends, too."""
    return json.dumps({"oriOrderNo": number, "orderSatus": 2}, separators=(",", ":")).encode()


async def post(session: aiohttp.ClientSession, url: str, number: str) -> None:
    """Make the call and read the answer's code."""
    async with session.post(url, data=body(number), headers=HEADERS) as answer:
        if (await answer.json(content_type=None))["code"] != 200:
            raise ValueError(number)


def app(url: str) -> App:
    """Return procrastinate on a database."""
    return App(connector=PsycopgConnector(conninfo=url, max_size=10))


async def fill_procrastinate(url: str, n: int) -> None:
    """Install its schema and defer n jobs."""
    mine = app(url)
    task = mine.task(name="post")(post)
    async with mine.open_async():
        await mine.schema_manager.apply_schema_async()
        for start in range(0, n, 1000):
            await task.batch_defer_async(
                *({"number": f"P{i}"} for i in range(start, min(start + 1000, n)))
            )


async def work_procrastinate(url: str, sink: str) -> None:
    """Work until killed."""
    mine = app(url)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        @mine.task(name="post")
        async def _(number: str) -> None:
            await post(session, sink, number)

        async with mine.open_async():
            await mine.run_worker_async(concurrency=CONCURRENCY, wait=True)


async def install_pgqueuer(url: str) -> None:
    """Install its schema."""
    connection = await asyncpg.connect(url)
    await Queries(AsyncpgDriver(connection)).install()
    await connection.close()


async def fill_pgqueuer(url: str, n: int, prefix: str) -> None:
    """Enqueue n jobs."""
    connection = await asyncpg.connect(url)
    queries = Queries(AsyncpgDriver(connection))
    for start in range(0, n, 1000):
        numbers = [f"{prefix}{i}".encode() for i in range(start, min(start + 1000, n))]
        await queries.enqueue(["post"] * len(numbers), list(numbers), [0] * len(numbers))
    await connection.close()


async def work_pgqueuer(url: str, sink: str, batch: int) -> None:
    """Work until killed."""
    connection = await asyncpg.connect(url)
    queue = PgQueuer(AsyncpgDriver(connection))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        @queue.entrypoint("post")
        async def _(job: Job) -> None:
            await post(session, sink, (job.payload or b"").decode())

        await queue.run(batch_size=batch, dequeue_timeout=timedelta(seconds=30))


async def call_with_aiohttp(sink: str, n: int) -> None:
    """Make the calls alone, with what the rivals use."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        numbers = iter(range(n))

        async def work() -> None:
            for i in numbers:
                await post(session, sink, f"A{i}")

        await asyncio.gather(*(work() for _ in range(CONCURRENCY)))


async def call_with_ours(sink: str, n: int) -> None:
    """Make the calls alone, with what the courier uses."""
    base, _, path = sink.rpartition("/")
    caller, target, numbers = Caller(), Target.of(base, networks(["127.0.0.0/8"])), iter(range(n))

    async def work() -> None:
        for i in numbers:
            request = Request(f"/{path}", body(f"C{i}"))
            response, _ = await caller.call(target, request, HEADERS, 10)
            if json.loads(response.body)["code"] != 200:
                raise ValueError(i)

    await asyncio.gather(*(work() for _ in range(CONCURRENCY)))


def main(name: str, url: str, sink: str) -> Any:
    """Return the work of a rival by name."""
    if name == "procrastinate":
        return work_procrastinate(url, sink)
    if name in CLIENTS:
        return CLIENTS[name](sink, int(url))
    return work_pgqueuer(url, sink, int(name.removeprefix("pgqueuer")))


CLIENTS = {"aiohttp": call_with_aiohttp, "caller": call_with_ours}

if __name__ == "__main__":
    runner = asyncio.run if sys.argv[1] == "procrastinate" else uvloop.run
    runner(main(*sys.argv[1:4]))
