"""Deliveries: rate beside other people's queues, delay, one dead partner among a hundred."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

from bench import rivals
from bench.context import ENTREPOT, Context, Result, free_port, peak_memory, wait_for
from entrepot import facts, ids
from entrepot.connections import flows as connections
from entrepot.connections.flows import NewConnection
from entrepot.courier.outbox import Announcement, announce
from entrepot.hub import Hub
from entrepot.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 300.0
_TURNS = 5


class Office:
    """A tenant on a database, its connections to sinks, and facts to tell them."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.tenant_id = ids.new()

    async def open(self) -> None:
        """Create the tenant; its partners are on this machine."""
        networks = {"allowed_networks": ["127.0.0.0/8"]}
        async with self.hub.db.transaction(self.tenant_id) as tx:
            await connections.add_tenant(tx, f"bench {self.tenant_id}", networks)

    async def connect(self, name: str, url: str, dialect: str = "goldshop", **settings: str) -> int:
        """Add a connection and let every process know."""
        new = NewConnection(name=name, dialect=dialect, partner_url=url, settings=settings)
        async with self.hub.db.transaction(self.tenant_id) as tx:
            added = await connections.add(tx, self.hub.vault, self.hub.dialects, new, who="bench")
        await self.hub.registry.load()
        return added

    async def pause(self, name: str, paused: bool) -> None:
        """Pause or resume a connection."""
        async with self.hub.db.transaction(self.tenant_id) as tx:
            await connections.change(
                tx,
                self.hub.vault,
                self.hub.dialects,
                name,
                {"paused": "on" if paused else "off"},
                who="bench",
            )
        await self.hub.registry.load()

    async def ship(self, connection_id: int, numbers: list[str]) -> None:
        """Announce that orders were shipped, each a document of its own."""
        for start in range(0, len(numbers), 1000):
            items = [
                Announcement(
                    connection_id=connection_id, key=ids.new(), fact=facts.OrderShipped(number=n)
                )
                for n in numbers[start : start + 1000]
            ]
            await self.hub.db.run(self.tenant_id, lambda tx, i=items: announce(tx, i))

    async def count(self, table: str, where: str = "true") -> int:
        """Count the tenant's rows."""
        async with self.hub.db.reading(self.tenant_id) as tx:
            query = f"SELECT count(*) FROM {table} WHERE tenant_id = $1 AND {where}"
            return int(await tx.value(query))

    async def settled(self) -> None:
        """Wait until every delivery is written down as delivered."""
        while await self.count("delivery", "state <> 'delivered'"):  # noqa: ASYNC110 - in the database
            await asyncio.sleep(0.1)


@contextlib.contextmanager
def sink() -> Iterator[str]:
    """Run a sink; give its address."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.sink", "--port", str(port)])
    try:
        wait_for(f"http://127.0.0.1:{port}/stats", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def asked(address: str, path: str) -> Any:
    """Return what a sink says."""
    with urllib.request.urlopen(f"{address}/{path}", timeout=30) as reply:
        return json.load(reply)


async def arrived(address: str, n: int) -> float:
    """Wait until n calls arrived; return calls a second from the first to the last."""
    deadline = time.monotonic() + _PATIENCE
    while (stats := asked(address, "stats"))["calls"] < n:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{stats['calls']} of {n} calls arrived")
        await asyncio.sleep(0.1)
    return float((n - 1) / max(stats["last"] - stats["first"], 1e-9))


@contextlib.contextmanager
def working(context: Context, url: str, command: list[str] | None = None) -> Iterator[int]:
    """Run a courier process (or another worker) on a database; give its process id."""
    environment = {"ENTREPOT_DATABASE_URL": url, "ENTREPOT_LOG_LEVEL": "error"}
    command = command or [
        *ENTREPOT, "serve", "--role", "courier", "--data", str(context.folder / "courier"),
    ]  # fmt: skip
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


async def open_office(context: Context, url: str) -> Office:
    """Return an office on a database, with the courier's key ring."""
    data = context.folder / "courier"
    data.mkdir(exist_ok=True)
    hub = await Hub.open(Settings(data=data, database_url=url), size=4)
    office = Office(hub)
    await office.open()
    return office


async def run(context: Context) -> list[Result]:
    """Measure; everything on one server, the rates on one database."""
    url = await context.database("courier")
    office = await open_office(context, url)
    try:
        results = await _rates(context, office, url)
        results.append(await _delay(context, office, url))
    finally:
        await office.hub.close()
    results.append(await _one_dead(context))
    return results


async def _rates(context: Context, office: Office, url: str) -> list[Result]:
    n = context.size(30_000)
    few = max(n // 8, 200)
    await rivals.install_pgqueuer(url)
    await rivals.fill_procrastinate(url, few)
    rates: dict[str, float] = {}
    for name, size in (("procrastinate", few), ("pgqueuer10", n // 2), ("pgqueuer100", n)):
        if name != "procrastinate":
            await rivals.fill_pgqueuer(url, size, name)
        with sink() as address:
            command = [sys.executable, "-m", "bench.rivals", name, url, f"{address}/x"]
            with working(context, url, command):
                rates[name] = await arrived(address, size)
    clients: dict[str, float] = {}
    for client in rivals.CLIENTS:
        with sink() as address:
            command = [sys.executable, "-m", "bench.rivals", client, str(n), f"{address}/x"]
            with working(context, url, command):
                clients[client] = await arrived(address, n)
    with sink() as address:
        connection = await office.connect("rate", address, concurrency="50")
        await office.ship(connection, [f"N{i}" for i in range(n)])
        with working(context, url) as pid:
            ours = await arrived(address, n)
            await office.settled()
            memory = peak_memory(pid)
    assert await office.count("attempt", "outcome = 'delivered'") == n
    assert await office.count("lane") == 0
    return [
        Result(
            name="deliveries, ordered, with history", value=ours, unit="/s", against="procrastinate, 50",
            ratio=ours / rates["procrastinate"], floor=5,
        ),
        Result(
            name="deliveries, ordered, with history", value=ours, unit="/s", against="pgqueuer, batch 10",
            ratio=ours / rates["pgqueuer10"], floor=0.8,
        ),
        Result(
            name="deliveries, ordered, with history", value=ours, unit="/s", against="pgqueuer, batch 100",
            ratio=ours / rates["pgqueuer100"],
        ),
        *(Result(name=f"{name}, POST with aiohttp", value=r, unit="/s") for name, r in rates.items()),
        Result(
            name="the same POSTs and no queue, the courier's client", value=clients["caller"], unit="/s",
            against="aiohttp, which the rivals use", ratio=clients["caller"] / clients["aiohttp"],
        ),
        Result(name="courier's peak memory", value=memory, unit="MB", ceiling=200),
    ]  # fmt: skip


async def _delay(context: Context, office: Office, url: str) -> Result:
    """From commit to arrival, at 20 a second."""
    sent: dict[str, float] = {}
    with sink() as address, working(context, url):
        connection = await office.connect("delay", address)
        await office.ship(connection, ["W1"])
        await arrived(address, 1)
        for i in range(max(round(20 * context.seconds * 2), 40)):
            await asyncio.sleep(random.expovariate(20))
            await office.ship(connection, [f"L{i}"])
            sent[f"L{i}"] = time.monotonic()
        await arrived(address, len(sent) + 1)
        seen = asked(address, "arrivals")
    delays = sorted(1000 * (seen[number] - at) for number, at in sent.items())
    p99 = delays[int(len(delays) * 0.99)]
    print(f"commit to arrival at 20/s: p50 {statistics.median(delays):.2f} ms, p99 {p99:.2f} ms")
    return Result(
        name="commit to arrival at 20/s, p50",
        value=statistics.median(delays),
        unit="ms",
        ceiling=10,
    )


async def _one_dead(context: Context) -> Result:
    """The rate of 99 healthy partners beside one that takes calls and never answers, and without it.

    In turns, a courier process each, and the medians are compared: a turn lasts two seconds. They come
    in the order without, with, with, without, since every turn leaves more behind it for the next. The
    dead partner's breaker is off, so that it is called as often as it can be.
    """
    each = context.size(150)
    url = await context.database("dead")
    office = await open_office(context, url)
    rates: dict[bool, list[float]] = {False: [], True: []}
    with sink() as address, socket.create_server(("127.0.0.1", 0)) as silent:
        healthy = [await office.connect(f"healthy {i}", address) for i in range(99)]
        port = silent.getsockname()[1]
        hole = await office.connect("dead", f"http://127.0.0.1:{port}", breaker="off")
        await office.ship(hole, [f"X{k}" for k in range(each)])
        for turn in range(2 * _TURNS):
            dead = turn % 4 in (1, 2)
            await office.pause("dead", not dead)
            for i, connection in enumerate(healthy):
                await office.ship(connection, [f"T{turn}-{i}-{k}" for k in range(each)])
            asked(address, "reset")
            with working(context, url):
                rates[dead].append(await arrived(address, 99 * each))
    await office.hub.close()
    beside, alone = statistics.median(rates[True]), statistics.median(rates[False])
    return Result(
        name="healthy rate beside a dead partner", value=beside, unit="/s",
        against="the same 99 alone", ratio=beside / alone, floor=0.95,
    )  # fmt: skip
