"""Levels of stock: coalesced, newest only, refused ones found, never given up."""

from __future__ import annotations

import asyncio
import json

import pytest

from entrepot.courier import desk
from entrepot.stock import published
from entrepot.stock.published import NewRule
from tests.courier.bureau import Answer, Bureau, Call, Stub, eventually
from tests.courier.shop import SHOP, STYLES, Shelf

FINE = b'{"code":0,"msg":""}'


def told(stub: Stub) -> dict[tuple[str, str], int]:
    """Return the last figure a partner has by key and store, from the calls it accepted."""
    last: dict[tuple[str, str], int] = {}
    for call in stub.calls:
        for key, store, pieces in json.loads(call.body):
            last[key, store] = pieces
    return last


@pytest.fixture
async def shelf(bureau: Bureau) -> Shelf:
    """Give ten articles at two places."""
    shelf = Shelf(bureau)
    await shelf.fill([f"A{n}" for n in range(10)], ["HQ", "aaa"])
    return shelf


async def test_a_new_partner_is_told_everything_then_what_changes(
    bureau: Bureau, stub: Stub, shelf: Shelf
) -> None:
    """First all listings, a bounded number a call; then the newest level of what changed."""
    connection = await bureau.connect(stub.url, SHOP)
    await shelf.list_on(connection)
    await shelf.count("A0", 5)
    async with bureau.working():
        await eventually(
            lambda: _told(stub, {(f"A{n}", ""): 5 if n == 0 else 0 for n in range(10)})
        )
        full = len(stub.calls)
        for pieces in range(1, 20):
            await shelf.count("A3", pieces)
        await eventually(lambda: _has(stub, ("A3", ""), 19))
    assert all(len(json.loads(call.body)) <= 4 for call in stub.calls)
    assert len(stub.calls) - full < 10


async def test_styles_are_told_when_they_change(bureau: Bureau, stub: Stub, shelf: Shelf) -> None:
    """A connection that sells by style needs no listings, and is not told what never changed."""
    await bureau.connect(stub.url, STYLES)
    async with bureau.working():
        await shelf.count("A1", 3)
        await eventually(lambda: _has(stub, ("A1", ""), 3))
        await shelf.count("A2", 4)
        await eventually(lambda: _has(stub, ("A2", ""), 4))
    assert set(told(stub)) == {("A1", ""), ("A2", "")}


async def test_a_level_that_changed_back_is_not_sent(
    bureau: Bureau, stub: Stub, shelf: Shelf
) -> None:
    """What the partner knows already is not told again."""
    await bureau.connect(stub.url, STYLES, wait=0.3)
    async with bureau.working():
        await shelf.count("A1", 3)
        await eventually(lambda: _has(stub, ("A1", ""), 3))
        await shelf.count("A1", 4)
        await shelf.count("A1", 3)
        await eventually(lambda: _clean(bureau))
    assert len(stub.calls) == 1


async def test_stores_have_figures_of_their_own(bureau: Bureau, stub: Stub, shelf: Shelf) -> None:
    """The total counts the stores; each store is told beside it."""
    connection = await bureau.connect(stub.url, SHOP, stores=("HQ", "aaa"))
    await shelf.list_on(connection)
    await shelf.count("A0", 5, "HQ")
    await shelf.count("A0", 2, "aaa")
    async with bureau.working():
        await eventually(lambda: _has(stub, ("A0", ""), 7))
        await eventually(lambda: _has(stub, ("A9", "aaa"), 0))
    assert told(stub)["A0", "HQ"] == 5
    assert told(stub)["A0", "aaa"] == 2
    assert all(len(json.loads(call.body)) <= 4 for call in stub.calls)


async def test_a_bad_level_is_found_and_the_good_ones_arrive(
    bureau: Bureau, stub: Stub, shelf: Shelf
) -> None:
    """A call refused for one row is halved until it is alone, and shown; changed, it goes again."""
    accepted: dict[str, int] = {}

    async def reply(call: Call) -> Answer:
        rows = json.loads(call.body)
        if any(key == "A7" and pieces != 8 for key, _, pieces in rows):
            return 200, b'{"code":1,"msg":"A7 is unknown"}'
        accepted.update({key: pieces for key, _, pieces in rows})
        return 200, FINE

    stub.reply = reply
    connection = await bureau.connect(stub.url, SHOP, size=10)
    await shelf.list_on(connection)
    async with bureau.working():
        await eventually(lambda: _rejected(bureau, "A7 is unknown"))
        await eventually(lambda: _count(accepted, 9))
        await shelf.count("A7", 8)
        await eventually(lambda: _count(accepted, 10))
        await eventually(lambda: _nothing_shown(bureau))
    assert accepted["A7"] == 8


async def test_levels_never_give_up(bureau: Bureau, stub: Stub, shelf: Shelf) -> None:
    """Past the deadline they are shown as needing attention, and still tried; the newest arrives."""
    failing = True

    async def reply(_call: Call) -> Answer:
        return (500, b"") if failing else (200, FINE)

    stub.reply = reply
    await bureau.connect(stub.url, STYLES, schedule="50ms", deadline="200ms", breaker="off")
    async with bureau.working():
        await shelf.count("A1", 1)
        await eventually(lambda: _shown(bureau, "needs_attention"))
        tried = len(stub.calls)
        await shelf.count("A1", 2)
        await eventually(lambda: _more(stub, tried + 2))
        failing = False
        await eventually(lambda: _clean(bureau))
    assert told(stub)["A1", ""] == 2


async def test_a_publishing_rule_reaches_the_partner(
    bureau: Bureau, stub: Stub, shelf: Shelf
) -> None:
    """The last match wins; a rule for one article sends that one only."""
    connection = await bureau.connect(stub.url, SHOP, size=100)
    await shelf.list_on(connection)
    for name in ("A1", "A2"):
        await shelf.count(name, 10)
    tenant = bureau.tenant_id
    async with bureau.working():
        await eventually(lambda: _has(stub, ("A2", ""), 10))
        rule = NewRule(connection_id=connection, buffer=4)
        await bureau.db.run(tenant, lambda tx: published.add_rule(tx, rule))
        await eventually(lambda: _has(stub, ("A2", ""), 6))
        rule = NewRule(connection_id=connection, sku="A2", fixed=1)
        await bureau.db.run(tenant, lambda tx: published.add_rule(tx, rule))
        await eventually(lambda: _has(stub, ("A2", ""), 1))
    assert told(stub)["A1", ""] == 6
    assert len(json.loads(stub.calls[-1].body)) == 1


async def test_a_person_can_have_everything_sent_now(
    bureau: Bureau, stub: Stub, shelf: Shelf
) -> None:
    """`levels send --full` sends what the partner knows already, too."""
    connection = await bureau.connect(stub.url, SHOP, size=100)
    await shelf.list_on(connection)
    async with bureau.working():
        await eventually(lambda: _more(stub, 1))
        await eventually(lambda: _idle(bureau))
        await desk.send_levels(bureau.db, bureau.tenant_id, connection, full=True)
        await eventually(lambda: _more(stub, 2))
    assert len(json.loads(stub.calls[1].body)) == 10


async def _told(stub: Stub, figures: dict[tuple[str, str], int]) -> bool:
    return told(stub) == figures


async def _has(stub: Stub, name: tuple[str, str], pieces: int) -> bool:
    return told(stub).get(name) == pieces


async def _more(stub: Stub, calls: int) -> bool:
    return len(stub.calls) >= calls


async def _count(accepted: dict[str, int], n: int) -> bool:
    return len(accepted) == n


async def _clean(bureau: Bureau) -> bool:
    dirty = "SELECT 1 FROM level WHERE tenant_id = $1 AND dirty_since IS NOT NULL"
    change = "SELECT 1 FROM stock_change WHERE tenant_id = $1"
    await asyncio.sleep(0.05)
    return not await bureau.rows(change) and not await bureau.rows(dirty)


async def _idle(bureau: Bureau) -> bool:
    feeds = "SELECT 1 FROM feed WHERE tenant_id = $1 AND (leased OR full_after IS NOT NULL)"
    return not await bureau.rows(feeds)


async def _levels(bureau: Bureau) -> list[desk.Line]:
    async with bureau.db.reading(bureau.tenant_id) as tx:
        deadlines = desk.deadlines(bureau.links, bureau.tenant_id)
        return await desk.find(tx, desk.Filter(kind="stock"), deadlines)


async def _shown(bureau: Bureau, state: str) -> bool:
    return [line.state for line in await _levels(bureau)] == [state]


async def _rejected(bureau: Bureau, message: str) -> bool:
    return [(line.state, line.last_error) for line in await _levels(bureau)] == [
        ("rejected", message)
    ]


async def _nothing_shown(bureau: Bureau) -> bool:
    return await _levels(bureau) == []
