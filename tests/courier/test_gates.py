"""Each partner is called as it wishes: so many at once, so fast, at these hours, or not at all."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from entrepot import clock
from entrepot.courier import desk
from tests.courier.bureau import Answer, Bureau, Call, Stub, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

import pytest

FINE = b'{"code":0,"msg":""}'


@pytest.fixture(autouse=True)
def _real_time() -> Iterator[None]:
    yield
    clock.reset()


async def test_so_many_at_once_and_no_more(bureau: Bureau, stub: Stub) -> None:
    """Concurrency bounds the calls under way."""
    under_way = most = 0

    async def reply(_call: Call) -> Answer:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return 200, FINE

    stub.reply = reply
    connection = await bureau.connect(stub.url, concurrency=3)
    deliveries = [await bureau.step(connection, key=key) for key in range(30)]
    async with bureau.working():
        await bureau.until("delivered", *deliveries)
    assert most == 3


async def test_so_fast_and_no_faster(bureau: Bureau, stub: Stub) -> None:
    """A rate spaces the calls; a changed one holds for those that wait."""
    times: list[float] = []

    async def reply(_call: Call) -> Answer:
        times.append(time.monotonic())
        return 200, FINE

    stub.reply = reply
    connection = await bureau.connect(stub.url, rate="20/s")
    deliveries = [await bureau.step(connection, key=key) for key in range(12)]
    async with bureau.working():
        await bureau.until("delivered", *deliveries)
    assert times[-1] - times[0] >= 11 * 0.05 - 0.05
    bureau.change(connection, settings={"rate": "1/h"})
    held = [await bureau.step(connection, key=key) for key in range(100, 103)]
    async with bureau.working():
        await bureau.until("delivered", held[0])
        bureau.change(connection, settings={"rate": "off"})
        await bureau.until("delivered", *held)


async def test_the_breaker_spares_a_failing_partner(bureau: Bureau, stub: Stub) -> None:
    """After ten failures nothing more is sent; a person's retry is, and its success closes it."""
    up = False

    async def reply(_call: Call) -> Answer:
        return (200, FINE) if up else (500, b"")

    stub.reply = reply
    connection = await bureau.connect(stub.url, concurrency=2, schedule="10ms")
    deliveries = [await bureau.step(connection, key=key) for key in range(30)]
    async with bureau.working():

        async def open_() -> bool:
            return bool(
                await bureau.rows(
                    "SELECT 1 FROM courier_state WHERE tenant_id = $1 AND open_since IS NOT NULL"
                )
            )

        await eventually(open_)
        calls = len(stub.calls)
        assert 10 <= calls <= 12
        await asyncio.sleep(0.3)
        assert len(stub.calls) == calls
        up = True
        await desk.act(bureau.db, bureau.tenant_id, "retry", [str(deliveries[-1])], who="ann")
        await bureau.until("delivered", *deliveries)
    assert not await open_()


async def test_a_breaker_outlives_its_process(bureau: Bureau, stub: Stub) -> None:
    """The next process knows it is open, and tries one call at once."""

    async def reply(_call: Call) -> Answer:
        return 500, b""

    stub.reply = reply
    connection = await bureau.connect(stub.url, concurrency=1, schedule="10ms")
    for key in range(30):
        await bureau.step(connection, key=key)

    async def many() -> bool:
        return len(stub.calls) >= 10

    async with bureau.working():
        await eventually(many)
        await asyncio.sleep(0.5)
    before = len(stub.calls)

    async def tried() -> bool:
        return len(stub.calls) > before

    async with bureau.working():
        await eventually(tried)
        await asyncio.sleep(0.5)
    assert len(stub.calls) == before + 1


async def test_an_open_breaker_holds_no_call_past_its_deadline(bureau: Bureau, stub: Stub) -> None:
    """They need a person when their time is over, those never tried as well."""

    async def reply(_call: Call) -> Answer:
        return 500, b""

    stub.reply = reply
    connection = await bureau.connect(stub.url, concurrency=1, schedule="10ms", deadline="900ms")
    deliveries = [await bureau.step(connection, key=key) for key in range(20)]
    async with bureau.working():
        await bureau.until("needs_attention", *deliveries)
    assert len(stub.calls) < 20


async def test_a_pause_stops_the_clock(bureau: Bureau, stub: Stub) -> None:
    """Nothing is sent while paused; afterwards the deadlines are where they were."""
    connection = await bureau.connect(stub.url, deadline="1s")
    async with bureau.working():
        bureau.change(connection, paused=True)
        await asyncio.sleep(0.4)
        delivery = await bureau.step(connection, key=1)
        await asyncio.sleep(1.5)
        assert stub.calls == []
        bureau.change(connection, paused=False)
        await bureau.until("delivered", delivery)


async def test_a_partner_may_be_called_at_its_hours_only(bureau: Bureau, stub: Stub) -> None:
    """Outside its window calls wait."""
    now = clock.shanghai(clock.now())
    start, end = (now.hour + 2) % 24, (now.hour + 3) % 24
    connection = await bureau.connect(stub.url, window=f"{start:02}:00-{end:02}:00")
    delivery = await bureau.step(connection, key=1)
    async with bureau.working():
        await asyncio.sleep(0.5)
        assert stub.calls == []
        bureau.change(connection, settings={"window": f"{now.hour:02}:00-{start:02}:00"})
        await bureau.until("delivered", delivery)


async def test_without_an_address_calls_wait_for_one(bureau: Bureau, stub: Stub) -> None:
    """Until the deadline, and then need a person; a URL that comes in time is used at once."""
    connection = await bureau.connect(None, deadline="500ms")
    late = await bureau.step(connection, key=1)
    async with bureau.working():
        await bureau.until("needs_attention", late)
        bureau.change(connection, settings={"deadline": "1h"})
        delivery = await bureau.step(connection, key=2)
        bureau.change(connection, partner_url=stub.url)
        await bureau.until("delivered", delivery)
    [line] = await bureau.rows(
        "SELECT last_error FROM delivery WHERE tenant_id = $1 AND id = $2", late
    )
    assert line["last_error"] == "no partner_url is set"


async def test_couriers_share_the_connections_out(bureau: Bureau, stub: Stub) -> None:
    """Three processes: every connection is served, and when one leaves the others take over."""
    connections = [await bureau.connect(stub.url) for _ in range(12)]
    stop = asyncio.Event()
    leaver = bureau.courier(lease=1.0)

    async def shared() -> bool:
        return 0 < len(leaver.watch.gates) < 12

    leaving = asyncio.create_task(leaver.serve(stop))
    async with bureau.working(couriers=2, lease=1.0):
        await asyncio.sleep(1.0)
        first = [await bureau.step(connection, key=1) for connection in connections]
        await bureau.until("delivered", *first)
        await eventually(shared)
        stop.set()
        await leaving
        second = [await bureau.step(connection, key=2) for connection in connections]
        await bureau.until("delivered", *second)
    assert len(stub.calls) == 24
