"""What is announced arrives: once, in order, or a person learns of it."""

from __future__ import annotations

import asyncio
import json
import time
from functools import partial
from typing import TYPE_CHECKING

from entrepot.courier.outbox import Announcement
from tests.courier.bureau import Answer, Bureau, Call, Person, Step, Stub, eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

FINE = b'{"code":0,"msg":""}'
_KEPT = (
    "SELECT status, refused FROM exchange WHERE tenant_id = $1 AND direction = 'out' ORDER BY id"
)


def script(*answers: Answer) -> Callable[[Call], Awaitable[Answer]]:
    """Answer in this order, the last one for ever."""
    left = list(answers)

    async def reply(_call: Call) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    return reply


async def test_a_fact_arrives_under_its_own_id(bureau: Bureau, stub: Stub) -> None:
    """The call bears the delivery's id and the fact as it was announced; the attempt is written down."""
    connection = await bureau.connect(stub.url)
    async with bureau.working():
        delivery = await bureau.step(connection, key=1, n=7)
        await bureau.until("delivered", delivery)
    [call] = stub.calls
    assert call.path == "/test_step"
    assert call.key == str(delivery)
    assert json.loads(call.body)["n"] == 7
    assert await bureau.attempts(delivery) == [("delivered", "")]
    assert await bureau.rows("SELECT 1 FROM lane WHERE tenant_id = $1") == []


async def test_steps_of_a_document_arrive_in_order(bureau: Bureau, stub: Stub) -> None:
    """A failing head blocks those behind it and nothing else; every attempt bears the same id."""
    connection = await bureau.connect(stub.url, schedule="50ms")
    refused = {0: 3}

    async def reply(call: Call) -> Answer:
        step = json.loads(call.body)
        if step["number"] == "D1" and refused.get(step["n"], 0) > 0:
            refused[step["n"]] -= 1
            return 500, b""
        return 200, FINE

    stub.reply = reply
    deliveries = [await bureau.step(connection, key=1, n=n) for n in range(3)]
    other = await bureau.step(connection, key=2)
    async with bureau.working():
        await bureau.until("delivered", *deliveries, other)
    order = [json.loads(call.body)["n"] for call in stub.calls if b"D1" in call.body]
    assert order == [0, 0, 0, 0, 1, 2]
    assert [call.key for call in stub.calls if b"D1" in call.body][:4] == [str(deliveries[0])] * 4
    assert [outcome for outcome, _ in await bureau.attempts(deliveries[0])] == [
        "failed", "failed", "failed", "delivered",
    ]  # fmt: skip


async def test_a_rejection_is_an_answer(bureau: Bureau, stub: Stub) -> None:
    """It is shown to a person, not tried again, and holds nobody back."""
    connection = await bureau.connect(stub.url)
    stub.reply = script((200, b'{"code":500,"msg":"no such order"}'), (200, FINE))
    first, second = [await bureau.step(connection, key=1, n=n) for n in range(2)]
    async with bureau.working():
        await bureau.until("delivered", second)
    assert (await bureau.states())[first] == "rejected"
    assert await bureau.attempts(first) == [("rejected", "no such order")]


async def test_a_call_that_was_not_taken_is_kept_as_such(bureau: Bureau, stub: Stub) -> None:
    """A no and an unreadable answer under HTTP's 200 are told from a yes; so is what got no answer."""
    connection = await bureau.connect(stub.url, concurrency=1, schedule="1h")
    stub.reply = script(
        (200, FINE), (200, b'{"code":500,"msg":"no"}'), (200, b"<html>"), (502, b"")
    )
    async with bureau.working():
        for key in range(1, 5):
            delivery = await bureau.step(connection, key=key)
            await eventually(partial(_attempted, bureau, delivery))
        unreachable = await bureau.step(await bureau.connect("http://127.0.0.1:9"), key=5)
        await eventually(partial(_attempted, bureau, unreachable))
        await eventually(partial(_counted, bureau, _KEPT, 5))
    kept = [(row["status"], row["refused"]) for row in await bureau.rows(_KEPT)]
    assert kept == [
        (200, False), (200, True), (200, True), (502, True), (None, True),
    ]  # fmt: skip


async def test_at_its_deadline_a_call_needs_a_person(bureau: Bureau, stub: Stub) -> None:
    """It then holds back those behind it."""
    connection = await bureau.connect(stub.url, schedule="100ms,1h", deadline="400ms")
    stub.reply = script((503, b""))
    first, second = [await bureau.step(connection, key=1, n=n) for n in range(2)]
    async with bureau.working():
        await bureau.until("needs_attention", first)
        await asyncio.sleep(0.2)
    assert (await bureau.states())[second] == "waiting"
    assert set(await bureau.attempts(first)) == {("failed", "HTTP 503")}
    assert len(stub.calls) <= 2
    assert {call.key for call in stub.calls} == {str(first)}


async def test_a_changed_schedule_holds_for_waiting_calls(bureau: Bureau, stub: Stub) -> None:
    """A call that waits an hour is tried at once when the schedule becomes shorter."""
    connection = await bureau.connect(stub.url, schedule="1h")
    stub.reply = script((500, b""), (200, FINE))
    delivery = await bureau.step(connection, key=1)
    async with bureau.working():
        await eventually(lambda: _attempted(bureau, delivery))
        bureau.change(connection, settings={"schedule": "100ms"})
        await bureau.until("delivered", delivery)


async def test_a_changed_deadline_holds_for_waiting_calls(bureau: Bureau, stub: Stub) -> None:
    """A call that waits an hour needs a person at once when its deadline has passed."""
    connection = await bureau.connect(stub.url, schedule="1h")
    stub.reply = script((500, b""))
    delivery = await bureau.step(connection, key=1)
    async with bureau.working():
        await eventually(lambda: _attempted(bureau, delivery))
        bureau.change(connection, settings={"deadline": "100ms"})
        await bureau.until("needs_attention", delivery)


async def test_retry_after_holds_for_the_connection(bureau: Bureau, stub: Stub) -> None:
    """Nothing more is sent until then, and being asked to wait is no failure."""
    times: list[float] = []

    async def reply(_call: Call) -> Answer:
        times.append(time.monotonic())
        return (429, b"\r\n") if len(times) == 1 else (200, FINE)

    connection = await bureau.connect(stub.url, concurrency=1, schedule="1s")
    stub.reply = reply
    deliveries = [await bureau.step(connection, key=key) for key in range(1, 6)]
    async with bureau.working():
        await bureau.until("delivered", *deliveries)
    assert times[1] - times[0] > 0.9
    assert [outcome for outcome, _ in await bureau.attempts(deliveries[0])] == [
        "slow_down",
        "delivered",
    ]


async def test_personal_facts_are_sealed(bureau: Bureau, stub: Stub) -> None:
    """A phone is nowhere in the outbox, and arrives."""
    connection = await bureau.connect(stub.url)
    fact = Person(number="P1", phone="13912345678")
    [delivery] = await bureau.announce(Announcement(connection_id=connection, key=1, fact=fact))
    [row] = await bureau.rows("SELECT payload FROM delivery WHERE tenant_id = $1")
    assert b"13912345678" not in row["payload"]
    async with bureau.working():
        await bureau.until("delivered", delivery)
    assert json.loads(stub.calls[0].body)["phone"] == "13912345678"


async def test_an_urgent_fact_goes_ahead_of_those_waiting(bureau: Bureau, stub: Stub) -> None:
    """It overtakes what waits under its key, whatever its schedule."""
    connection = await bureau.connect(stub.url, schedule="1h")
    stub.reply = script((500, b""), (200, FINE))
    slow = await bureau.step(connection, key=1, n=1)
    async with bureau.working():
        await eventually(lambda: _attempted(bureau, slow))
        urgent = await bureau.step(connection, key=1, n=2, urgent=True)
        await bureau.until("delivered", urgent, slow)
    assert [json.loads(call.body)["n"] for call in stub.calls] == [1, 2, 1]


async def test_nothing_is_told_to_those_who_do_not_listen(bureau: Bureau, stub: Stub) -> None:
    """A fact of a kind that a role does not name makes no delivery."""
    from entrepot.facts import OrderShipped

    connection = await bureau.connect(stub.url)
    fact = OrderShipped(number="N1")
    made = await bureau.announce(
        Announcement(connection_id=connection, key=1, fact=fact),
        Announcement(connection_id=connection, key=1, fact=Step(number="N1")),
    )
    assert list(await bureau.states()) == made


async def _counted(bureau: Bureau, query: str, n: int) -> bool:
    return len(await bureau.rows(query)) == n


async def _attempted(bureau: Bureau, delivery: int) -> bool:
    return bool(await bureau.attempts(delivery))
