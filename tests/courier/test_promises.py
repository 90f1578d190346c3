"""What every outbound call is promised, over real sockets: waiting as asked, limits, addresses, clocks."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from entrepot.courier import desk
from entrepot.courier.http import REPLY_LIMIT
from tests.courier.bureau import LOOPBACK, Answer, Bureau, Call, Stub, eventually
from tests.courier.shop import STYLES, Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

    from entrepot.courier.worker import Courier

FINE = b'{"code":0,"msg":""}'
NOWHERE = "http://127.0.0.1:9"
_LEFT_TO_A_PERSON = (
    "WITH mine AS (UPDATE lane SET due = 'infinity' WHERE tenant_id = $1 AND key = 2)"
    " UPDATE delivery SET state = 'needs_attention' WHERE tenant_id = $1 AND id = $2 RETURNING 1"
)
_CLOCK = "SELECT turn_at FROM lane WHERE tenant_id = $1 AND key = 1"


def in_seconds(seconds: int) -> str:
    """Return a Retry-After header in seconds."""
    return f"Retry-After: {seconds}\r\n"


def as_date(seconds: int) -> str:
    """Return a Retry-After header as a date; its resolution is a second."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return f"Retry-After: {format_datetime(moment, usegmt=True)}\r\n"


@pytest.mark.parametrize(
    ("status", "header", "outcome"),
    [(429, in_seconds, "slow_down"), (503, in_seconds, "failed"), (503, as_date, "failed")],
    ids=["429, seconds", "503, seconds", "503, a date"],
)
async def test_a_partner_that_asks_for_time_gets_it(
    bureau: Bureau, stub: Stub, status: int, header: Callable[[int], str], outcome: str
) -> None:
    """Retry-After, in seconds or as a date, holds for the whole connection, and for no other."""
    times: list[float] = []

    async def reply(_call: Call) -> Answer:
        times.append(time.monotonic())
        return (status, b"", header(2)) if len(times) == 1 else (200, FINE)

    stub.reply = reply
    asking = await bureau.connect(stub.url, schedule="10ms", concurrency=1)
    async with Stub() as other:
        healthy = await bureau.connect(other.url)
        held = [await bureau.step(asking, key=key) for key in range(3)]
        async with bureau.working():
            await eventually(lambda: _called(stub, 1))
            free = await bureau.step(healthy, key=1)
            await bureau.until("delivered", free)
            assert len(times) == 1
            await bureau.until("delivered", *held)
    assert times[1] - times[0] > 0.95
    assert [outcome, "delivered"] == [one for one, _ in await bureau.attempts(held[0])]


async def test_the_text_of_a_rate_limit_is_no_failure(bureau: Bureau, stub: Stub) -> None:
    """However often it comes it opens no breaker and moves no call on in its schedule."""

    async def reply(_call: Call) -> Answer:
        return 200, FINE if len(stub.calls) > 15 else b'{"code":7,"msg":"slow"}'

    stub.reply = reply
    connection = await bureau.connect(stub.url, schedule="20ms,1h", concurrency=1)
    delivery = await bureau.step(connection, key=1)
    async with bureau.working() as courier:
        await bureau.until("delivered", delivery)
        gate = courier.watch.gates[bureau.tenant_id, connection]
        assert gate.breaker.open_since is None
    outcomes = [outcome for outcome, _ in await bureau.attempts(delivery)]
    assert outcomes == ["slow_down"] * 15 + ["delivered"]


async def test_without_a_breaker_a_failing_partner_is_tried_on(bureau: Bureau, stub: Stub) -> None:
    """`breaker=off` leaves it to the schedule; switched off while open, it lets go at once."""
    failing = True

    async def reply(_call: Call) -> Answer:
        return (500, b"") if failing else (200, FINE)

    stub.reply = reply
    on = await bureau.connect(stub.url, schedule="20ms")
    off = await bureau.connect(stub.url, schedule="20ms", breaker="off")
    first, second = await bureau.step(on, key=1), await bureau.step(off, key=1)
    async with bureau.working() as courier:
        await eventually(lambda: _opened(courier, bureau, on))
        tried = len(await bureau.attempts(second))
        await eventually(lambda: _attempts(bureau, second, tried + 10))
        spared = len(await bureau.attempts(first))
        failing = False
        await bureau.until("delivered", second)
        assert len(await bureau.attempts(first)) == spared
        bureau.change(on, settings={"breaker": "off"})
        await bureau.until("delivered", first)


async def test_a_reply_is_read_up_to_one_mib(bureau: Bureau, stub: Stub) -> None:
    """One byte more is unreadable."""
    start, end = b'{"code":0,"msg":"', b'"}'
    fits = start + b"x" * (REPLY_LIMIT - len(start) - len(end)) + end

    async def reply(_call: Call) -> Answer:
        return 200, fits if len(stub.calls) == 1 else fits + b" "

    stub.reply = reply
    connection = await bureau.connect(stub.url, schedule="1h")
    async with bureau.working():
        first = await bureau.step(connection, key=1)
        await bureau.until("delivered", first)
        second = await bureau.step(connection, key=2)
        await eventually(lambda: _attempts(bureau, second, 1))
    [(outcome, note)] = await bureau.attempts(second)
    assert (outcome, note) == ("failed", "its answer is longer than 1 MiB")


async def test_the_clock_of_one_held_back_starts_when_its_turn_comes(
    bureau: Bureau, stub: Stub
) -> None:
    """Its deadline counts from the moment at which the one before it was settled."""

    async def reply(_call: Call) -> Answer:
        return (200, FINE) if len(stub.calls) == 20 else (500, b"")

    stub.reply = reply
    connection = await bureau.connect(stub.url, schedule="50ms", breaker="off")
    head, follower = [await bureau.step(connection, key=1, n=n) for n in range(2)]
    async with bureau.working():
        await bureau.until("delivered", head)
        await eventually(lambda: _attempts(bureau, follower, 1))
    [row] = await bureau.rows(
        "SELECT l.turn_at - h.settled_at AS after, l.turn_at - f.created_at AS waited"
        " FROM lane l, delivery h, delivery f"
        " WHERE l.tenant_id = $1 AND h.tenant_id = $1 AND f.tenant_id = $1 AND h.id = $2 AND f.id = $3",
        head,
        follower,
    )
    assert abs(row["after"]) < timedelta(seconds=0.05)
    assert row["waited"] > timedelta(seconds=0.5)


async def test_a_name_is_judged_by_the_address_it_leads_to(
    bureau: Bureau, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked up once a connection, and what was judged is what is called, whatever the name says next."""
    answers = [["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254", "::ffff:10.0.0.1"], ["127.0.0.1"]]
    asked: list[str] = []
    loop = asyncio.get_running_loop()

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", (address, port)) for address in answers.pop(0)]

    port = int(stub.url.rpartition(":")[2])
    connection = await bureau.connect(f"http://partner.example:{port}", schedule="1h")
    async with bureau.working() as courier:
        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
        outcomes = []
        for key in range(4):
            delivery = await bureau.step(connection, key=key)
            await eventually(partial(_attempts, bureau, delivery, 1))
            courier.caller.sweep(idle=0)  # so that the next call has to connect again
            outcomes += await bureau.attempts(delivery)
        monkeypatch.undo()
    assert [outcome for outcome, _ in outcomes] == ["delivered", "failed", "failed", "delivered"]
    assert (
        outcomes[1][1] == "partner.example leads to 10.0.0.1, which allowed_networks does not hold"
    )
    assert "169.254.169.254, ::ffff:10.0.0.1" in outcomes[2][1]
    assert asked == ["partner.example"] * 4
    assert len(stub.calls) == 2


async def test_networks_that_are_no_longer_allowed_are_left_at_once(
    bureau: Bureau, stub: Stub
) -> None:
    """Connections that were kept open for the next call are not used any more either."""
    connection = await bureau.connect(stub.url, schedule="1h")
    async with bureau.working():
        first = await bureau.step(connection, key=1)
        await bureau.until("delivered", first)
        bureau.links.tenants[bureau.tenant_id] = ("test", {"allowed_networks": ["10.0.0.0/8"]})
        await asyncio.sleep(0.2)
        second = await bureau.step(connection, key=2)
        await eventually(lambda: _attempts(bureau, second, 1))
    [(outcome, note)] = await bureau.attempts(second)
    assert outcome == "failed"
    assert "127.0.0.1" in note
    assert len(stub.calls) == 1


@pytest.mark.parametrize("away", [False, True], ids=["at work", "away"])
@pytest.mark.parametrize("what", ["networks", "address", "secrets"])
async def test_calls_are_tried_again_once_the_way_to_their_partner_is_mended(
    bureau: Bureau, stub: Stub, what: str, *, away: bool
) -> None:
    """At once, whatever their schedule says, in order, on their old clock, also where no courier was at work
    when it was mended; other connections' calls, and what a person has to look at, stay where they are.
    """
    stub.reply = doorkeeper if what == "secrets" else stub.reply
    if what == "networks":
        bureau.links.tenants[bureau.tenant_id] = ("test", {"allowed_networks": []})
    connection = await bureau.connect(NOWHERE if what == "address" else stub.url, schedule="1h")
    other = await bureau.connect(NOWHERE, schedule="1h")
    first, second = [await bureau.step(connection, key=1, n=n) for n in (1, 2)]
    persons, elsewhere = await bureau.step(connection, key=2), await bureau.step(other, key=3)
    async with bureau.working():
        for delivery in (first, persons, elsewhere):
            await eventually(partial(_attempts, bureau, delivery, 1))
        await eventually(partial(_settled, bureau))
        await bureau.rows(_LEFT_TO_A_PERSON, persons)
        [before] = await bureau.rows(_CLOCK)
        bureau.change(connection, settings={"timeout": "9s"})
        await asyncio.sleep(0.5)
        assert [len(await bureau.attempts(one)) for one in (first, second)] == [1, 0]
        assert await bureau.rows(_CLOCK) == [before]
        if not away:
            mend(bureau, what, connection, stub.url)
            await bureau.until("delivered", first, second)
    if away:
        mend(bureau, what, connection, stub.url)
        async with bureau.working():
            await bureau.until("delivered", first, second)
    sent = [json.loads(call.body)["n"] for call in stub.calls if b"D1" in call.body]
    assert sent[-2:] == [1, 2]
    assert (await bureau.states())[persons] == "needs_attention"
    # Networks are a tenant's: the other connection is tried again, too, as soon as its turn comes.
    tried = len(await bureau.attempts(elsewhere))
    assert tried in (1, 2) if what == "networks" else tried == 1


async def doorkeeper(call: Call) -> Answer:
    """Let in whoever knows the right word."""
    known = call.headers.get("authorization") == "Bearer right"
    return (200, FINE) if known else (401, b"")


def mend(bureau: Bureau, what: str, connection: int, url: str) -> None:
    """Set what kept a connection from its partner right."""
    if what == "networks":
        bureau.links.tenants[bureau.tenant_id] = ("test", dict(LOOPBACK))
    elif what == "address":
        bureau.change(connection, partner_url=url)
    else:
        bureau.change(connection, secrets={"partner_bearer": "right"})


async def test_levels_that_a_person_wants_sent_pass_an_open_breaker(
    bureau: Bureau, stub: Stub
) -> None:
    """And the pause after a failure; an answer closes it for all that waits."""
    failing = True

    async def reply(_call: Call) -> Answer:
        return (500, b"") if failing else (200, FINE)

    stub.reply = reply
    shelf = Shelf(bureau)
    await shelf.fill(["A1"])
    connection = await bureau.connect(stub.url, STYLES, schedule="20ms")
    async with bureau.working() as courier:
        await shelf.count("A1", 3)
        await eventually(lambda: _opened(courier, bureau, connection))
        failing, spared = False, len(stub.calls)
        await asyncio.sleep(0.3)
        assert len(stub.calls) == spared
        await desk.send_levels(bureau.db, bureau.tenant_id, connection)
        await eventually(lambda: _called(stub, spared + 1))
        assert not await _opened(courier, bureau, connection)


async def test_each_act_of_a_person_is_logged_with_who_and_why(bureau: Bureau, stub: Stub) -> None:
    """On the delivery itself, one by one or by filter; levels too."""

    async def reply(_call: Call) -> Answer:
        return 200, b'{"code":5,"msg":"no"}'

    stub.reply = reply
    connection = await bureau.connect(stub.url)
    deliveries = [await bureau.step(connection, key=key) for key in range(3)]
    async with bureau.working():
        await bureau.until("rejected", *deliveries)
    tenant = bureau.tenant_id
    await desk.act(
        bureau.db, tenant, "handle", [str(deliveries[0])], who="ann", reason="by telephone"
    )
    act = await desk.begin(
        bureau.db, tenant, "retry", desk.Filter(state="rejected"), who="bob", reason="mended"
    )
    assert (await desk.go_on(bureau.db, tenant, act)).finished
    for delivery, logged in zip(
        deliveries,
        [("ann", "handle", "by telephone"), ("bob", "retry", "mended"), ("bob", "retry", "mended")],
        strict=True,
    ):
        async with bureau.db.reading(tenant) as tx:
            _, log = await desk.history(tx, delivery)
        assert [(row["who"], row["what"], row["reason"]) for row in log] == [logged]


async def _opened(courier: Courier, bureau: Bureau, connection: int) -> bool:
    gate = courier.watch.gates.get((bureau.tenant_id, connection))
    return gate is not None and gate.breaker.open_since is not None


async def _called(stub: Stub, times: int) -> bool:
    return len(stub.calls) >= times


async def _attempts(bureau: Bureau, delivery: int, n: int) -> bool:
    return len(await bureau.attempts(delivery)) >= n


async def _settled(bureau: Bureau) -> bool:
    return not await bureau.rows("SELECT 1 FROM lane WHERE tenant_id = $1 AND leased")
