"""A person retries, handles and cancels; every act is logged, and nothing is stranded by it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from entrepot.courier import desk, outbox
from entrepot.courier.outbox import Announcement
from entrepot.errors import BadInput, Missing
from tests.courier.bureau import Answer, Bureau, Call, FirstWord, LastStep, Step, Stub, eventually

if TYPE_CHECKING:
    from collections.abc import Sequence

FINE = b'{"code":0,"msg":""}'
DOWN = b""


class Mood:
    """A partner that is down until it is told to be up."""

    def __init__(self, stub: Stub) -> None:
        self.up = False
        stub.reply = self.reply

    async def reply(self, _call: Call) -> Answer:
        """Answer by mood."""
        return (200, FINE) if self.up else (500, DOWN)


async def lines(bureau: Bureau, **wanted: object) -> list[desk.Line]:
    """List deliveries."""
    async with bureau.db.reading(bureau.tenant_id) as tx:
        deadlines = desk.deadlines(bureau.links, bureau.tenant_id)
        return await desk.find(tx, desk.Filter(**wanted), deadlines)  # type: ignore[arg-type]


async def do(bureau: Bureau, what: desk.Act, *chosen: int, reason: str = "") -> Sequence[desk.Done]:
    """Act as a person."""
    names = [str(one) for one in chosen]
    return await desk.act(bureau.db, bureau.tenant_id, what, names, who="ann", reason=reason)


async def stuck(bureau: Bureau, stub: Stub, n: int = 2) -> tuple[Mood, list[int]]:
    """Give a document whose first step needs attention, with others behind it."""
    mood = Mood(stub)
    connection = await bureau.connect(stub.url, schedule="20ms", deadline="60ms", breaker="off")
    return mood, [await bureau.step(connection, key=1, n=i) for i in range(n)]


async def test_a_waiting_delivery_says_behind_which(bureau: Bureau, stub: Stub) -> None:
    """The list shows the head that a follower waits for, and no due for the follower."""
    _, (first, second) = await stuck(bureau, stub)
    async with bureau.working():
        await bureau.until("needs_attention", first)
    newest, oldest = await lines(bureau)
    assert (newest.id, newest.state, newest.behind, newest.due) == (
        str(second), "waiting", str(first), None,
    )  # fmt: skip
    assert (oldest.state, oldest.behind, oldest.last_error) == ("needs_attention", None, "HTTP 500")
    assert oldest.deadline is not None
    assert oldest.document == "D1"


async def test_a_retry_starts_a_new_deadline_and_the_rest_follows(
    bureau: Bureau, stub: Stub
) -> None:
    """The head is tried at once, then those behind it, in order."""
    mood, (first, second) = await stuck(bureau, stub)
    async with bureau.working():
        await bureau.until("needs_attention", first)
        mood.up = True
        [done] = await do(bureau, "retry", first)
        assert done.refused == ""
        await bureau.until("delivered", first, second)
    async with bureau.db.reading(bureau.tenant_id) as tx:
        attempts, log = await desk.history(tx, first)
    assert [(row["who"], row["what"]) for row in log] == [("ann", "retry")]
    assert attempts[0]["outcome"] == "delivered"


async def test_handling_lets_the_next_go(bureau: Bureau, stub: Stub) -> None:
    """What a person handled is settled with the reason; its followers' clocks start now."""
    mood, (first, second) = await stuck(bureau, stub)
    async with bureau.working():
        await bureau.until("needs_attention", first)
        mood.up = True
        await do(bureau, "handle", first, reason="told them by phone")
        await bureau.until("delivered", second)
    [line] = await lines(bureau, state="handled")
    assert (line.id, line.reason) == (str(first), "told them by phone")


async def test_cancelling_a_follower_leaves_its_head(bureau: Bureau, stub: Stub) -> None:
    """And nothing is stranded when the head is cancelled after it."""
    mood, (first, second, third) = await stuck(bureau, stub, 3)
    async with bureau.working():
        await bureau.until("needs_attention", first)
        await do(bureau, "cancel", second)
        mood.up = True
        await do(bureau, "cancel", first)
        await bureau.until("delivered", third)
    assert (await bureau.states())[second] == "cancelled"
    assert await bureau.rows("SELECT 1 FROM lane WHERE tenant_id = $1") == []


async def test_what_cannot_be_done_says_why(bureau: Bureau, stub: Stub) -> None:
    """A follower waits for its head; what is delivered stays delivered; unknown ids are named."""
    _, (first, second) = await stuck(bureau, stub)
    other = await bureau.step(await bureau.connect(stub.url), key=9)
    async with bureau.working():
        await bureau.until("needs_attention", first)
    assert [done.refused for done in await do(bureau, "retry", second, 5)] == [
        f"it waits behind {first}",
        "there is no such delivery",
    ]
    await do(bureau, "cancel", other)
    assert (await do(bureau, "handle", other))[0].refused == "it is cancelled already"
    with pytest.raises(Missing):
        await desk.act(bureau.db, bureau.tenant_id, "retry", ["x1"], who="ann")
    with pytest.raises(BadInput):
        await lines(bureau, state="lost")


async def test_a_rejected_delivery_can_be_tried_again(bureau: Bureau, stub: Stub) -> None:
    """It goes ahead of what waits by now."""
    answers = [b'{"code":5,"msg":"no"}', FINE]

    async def reply(_call: Call) -> Answer:
        return 200, answers.pop(0)

    stub.reply = reply
    delivery = await bureau.step(await bureau.connect(stub.url), key=1)
    async with bureau.working():
        await bureau.until("rejected", delivery)
        [line] = await lines(bureau, state="rejected")
        assert line.last_error == "no"
        await do(bureau, "retry", delivery)
        await bureau.until("delivered", delivery)
    assert [call.key for call in stub.calls] == [str(delivery)] * 2


async def test_a_fact_made_pointless_is_settled_without_a_call(bureau: Bureau, stub: Stub) -> None:
    """A first word retried after the last was delivered is not said any more."""
    answers = [b'{"code":5,"msg":"no"}', FINE]

    async def reply(_call: Call) -> Answer:
        return 200, answers.pop(0)

    stub.reply = reply
    connection = await bureau.connect(stub.url)
    first, last = await bureau.announce(
        Announcement(connection_id=connection, key=1, fact=FirstWord(number="F")),
        Announcement(connection_id=connection, key=1, fact=LastStep(number="F")),
    )
    async with bureau.working():
        await bureau.until("delivered", last)
        await do(bureau, "retry", first)
        await bureau.until("handled", first)
    assert len(stub.calls) == 2


async def test_a_filter_is_acted_on_in_batches(bureau: Bureau, stub: Stub) -> None:
    """An act on everything a filter finds goes on where it stopped, whoever goes on with it."""
    connection = await bureau.connect(stub.url)
    other = await bureau.connect(stub.url)
    await bureau.announce(
        *(
            Announcement(connection_id=connection, key=key % 700, fact=Step(number=f"D{key}"))
            for key in range(2500)
        )
    )
    kept = await bureau.step(other, key=1)
    wanted = desk.Filter(state="waiting", connections=(connection,))
    act = await desk.begin(bureau.db, bureau.tenant_id, "cancel", wanted, who="ann", reason="dead")
    late = await bureau.step(connection, key=1)
    assert await desk.acts_under_way(bureau.db) == [(bureau.tenant_id, act)]
    assert await desk.go_on(bureau.db, bureau.tenant_id, act) == desk.Progress(1000, finished=False)
    first, second = await asyncio.gather(
        *(desk.go_on(bureau.db, bureau.tenant_id, act) for _ in range(2))
    )
    assert max(first.done, second.done) == 2500
    assert await desk.acts_under_way(bureau.db) == []
    states = await bureau.states()
    assert {i for i, state in states.items() if state == "waiting"} == {kept, late}
    [lane] = await bureau.rows(
        "SELECT head FROM lane WHERE tenant_id = $1 AND connection_id = $2", connection
    )
    assert lane["head"] == late


async def test_lists_narrow_by_everything(bureau: Bureau, stub: Stub) -> None:
    """State, connection, document, kind, age, error; page by page."""
    _, (first, second) = await stuck(bureau, stub)
    async with bureau.working():
        await bureau.until("needs_attention", first)
    other = await bureau.step(await bureau.connect(stub.url), key=2)
    connection = next(iter(bureau.links.links))

    async def found(**wanted: object) -> list[int]:
        return [int(line.id) for line in await lines(bureau, **wanted)]

    assert await found() == [other, second, first]
    assert await found(connections=(connection,)) == [second, first]
    assert await found(document="D2") == [other]
    assert await found(document="D1", state="waiting") == [second]
    assert await found(error="500") == [first]
    assert await found(age=3600.0) == []
    assert await found(kind="test_last") == []
    assert await found(before=second) == [first]
    assert await found(limit=1) == [other]


async def test_what_is_on_its_way_cannot_be_stopped(bureau: Bureau, stub: Stub) -> None:
    """It shows as sending; cancelling and withdrawing it are refused."""
    release = asyncio.Event()

    async def reply(_call: Call) -> Answer:
        await release.wait()
        return 200, FINE

    stub.reply = reply
    connection = await bureau.connect(stub.url)
    sent = await bureau.step(connection, key=1)
    behind = await bureau.step(connection, key=1, n=1)

    async def sending() -> bool:
        return [line.id for line in await lines(bureau, state="sending")] == [str(sent)]

    async with bureau.working():
        await eventually(sending)
        assert (await do(bureau, "cancel", sent))[0].refused == "it is being sent at this moment"
        withdrawn = await bureau.db.run(
            bureau.tenant_id, lambda tx: outbox.withdraw(tx, [sent, behind], "void")
        )
        assert withdrawn == {behind}
        async with bureau.db.reading(bureau.tenant_id) as tx:
            standing = await outbox.standing(tx, [sent, behind])
        assert (standing[sent].begun, standing[behind].state) == (True, "cancelled")
        release.set()
        await bureau.until("delivered", sent)
    assert [json.loads(call.body)["n"] for call in stub.calls] == [0]
