"""Whatever dies, nothing is lost, nothing overtakes, and what comes twice bears the same id."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from entrepot import ids
from entrepot.courier.watch import share
from tests.courier import chaos
from tests.courier.bureau import Answer, Bureau, Call, Stub, eventually
from tests.courier.upheaval import levels_in_chaos

if TYPE_CHECKING:
    from pathlib import Path

FINE = b'{"code":0,"msg":""}'


async def test_no_step_overtakes_another_whatever_fails(bureau: Bureau) -> None:
    """2,000 steps of 100 documents through two couriers, a fifth of the calls failing."""
    ledger = await chaos.order_under_failures(bureau, 100, 20, failing=0.2, within=300)
    assert ledger.failed > 200
    assert ledger.out_of_order() == []
    assert ledger.under_two_ids() == []
    assert ledger.has_all(100, 20)
    assert set((await bureau.states()).values()) == {"delivered"}


async def test_a_killed_courier_loses_nothing(bureau: Bureau, tmp_path: Path) -> None:
    """Killed in the middle of calls; what was under way is sent again under the same id."""
    ledger, recovered = await chaos.kills(bureau, tmp_path / "ring", times=3, lease=1.0)
    assert len(recovered) == 3
    assert ledger.has_all(chaos.KILLED, chaos.killed_steps(3))
    assert ledger.out_of_order() == []
    assert ledger.under_two_ids() == []
    assert ledger.came_twice() > 0
    lost = await bureau.rows("SELECT 1 FROM attempt WHERE tenant_id = $1 AND outcome = 'lost'")
    assert len(lost) >= 3


async def test_what_a_dead_courier_held_is_taken_over_soon_after_its_lease(
    bureau: Bureau, stub: Stub
) -> None:
    """Within a second of it, however long the lease: silence is looked for more often than a lease lasts."""
    lease = 4.0
    delivery = await bureau.step(await bureau.connect(stub.url), key=1)
    dead = ids.new()
    await bureau.db.rows("INSERT INTO courier (id) VALUES ($1)", dead)
    connection = next(iter(bureau.links.links))
    key = (bureau.tenant_id, connection)
    while True:  # one process that would lose this connection to the dead one
        courier = bureau.courier(lease=lease)
        if share(courier.id, *key) < share(dead, *key):
            break
    stop = asyncio.Event()
    task = asyncio.create_task(courier.serve(stop))
    began = time.monotonic()
    await bureau.until("delivered", delivery)
    took = time.monotonic() - began
    stop.set()
    await task
    assert lease - 0.5 < took < lease + 1


async def test_after_any_chaos_the_partner_believes_what_is_true(
    bureau: Bureau, tmp_path: Path
) -> None:
    """Couriers killed, answers late, lost or false, stock changing: the last level told is the hub's."""
    chaos = await levels_in_chaos(bureau, tmp_path / "ring", listings=120, kills=4)
    assert chaos.differing() == []
    assert chaos.mall.cut >= 4
    assert chaos.mall.failed > 0
    assert chaos.changes > 300


async def test_a_zombies_late_result_does_not_count(bureau: Bureau, stub: Stub) -> None:
    """A courier that slept through its lease finds that another has settled its call."""
    release = asyncio.Event()

    async def reply(_call: Call) -> Answer:
        if len(stub.calls) == 1:
            await release.wait()
            return 200, b'{"code":1,"msg":"late and wrong"}'
        return 200, FINE

    stub.reply = reply
    delivery = await bureau.step(await bureau.connect(stub.url), key=1)
    async with bureau.working():

        async def called() -> bool:
            return bool(stub.calls)

        await eventually(called)
        # The lease runs out, as if this process had stood still; another one takes over.
        await bureau.rows(
            "UPDATE lane SET due = now() - interval '1 hour' WHERE tenant_id = $1 RETURNING 1"
        )
        async with bureau.working():
            await bureau.until("delivered", delivery)
            release.set()

            async def late() -> bool:
                outcomes = [outcome for outcome, _ in await bureau.attempts(delivery)]
                return outcomes.count("late") == 1

            await eventually(late)
    assert (await bureau.states())[delivery] == "delivered"
    assert {call.key for call in stub.calls} == {str(delivery)}


async def test_an_unknown_outcome_is_remembered(bureau: Bureau, stub: Stub) -> None:
    """A partner that says "I have that already" after an attempt nobody heard the end of, has it."""
    answers = [(200, b"<cut"), (200, b'{"code":409,"msg":"exists"}')]

    async def reply(_call: Call) -> Answer:
        return answers.pop(0)

    stub.reply = reply
    connection = await bureau.connect(stub.url, schedule="50ms")
    first = await bureau.step(connection, key=1)
    async with bureau.working():
        await bureau.until("delivered", first)
        answers.append((200, b'{"code":409,"msg":"exists"}'))
        second = await bureau.step(connection, key=2)
        await bureau.until("rejected", second)


async def test_a_drained_courier_gives_its_leases_back(bureau: Bureau, stub: Stub) -> None:
    """The call under way is finished and settled; what had not begun is free at once."""
    release = asyncio.Event()

    async def reply(_call: Call) -> Answer:
        await release.wait()
        return 200, FINE

    stub.reply = reply
    connection = await bureau.connect(stub.url, concurrency=1)
    deliveries = [await bureau.step(connection, key=key) for key in range(5)]
    stop = asyncio.Event()
    task = asyncio.create_task(bureau.courier().serve(stop))

    async def called() -> bool:
        return len(stub.calls) == 1

    await eventually(called)
    stop.set()
    await asyncio.sleep(0.2)
    release.set()
    await task
    states = [(await bureau.states())[delivery] for delivery in deliveries]
    assert sorted(states) == ["delivered", "waiting", "waiting", "waiting", "waiting"]
    lanes = await bureau.rows("SELECT leased, due <= now() AS due FROM lane WHERE tenant_id = $1")
    assert [(lane["leased"], lane["due"]) for lane in lanes] == [(False, True)] * 4
    assert await bureau.db.rows("SELECT 1 FROM courier") == []
