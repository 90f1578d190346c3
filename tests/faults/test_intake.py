"""Every acknowledged order is there, none twice, whatever happens to the processes."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.faults.serving import Hub, lives, order, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.embedded
TAKEN = {"msg": "操作成功", "code": 200}
EXISTS = {"msg": "订单号已存在，不能再次推送", "code": 500}


@pytest.fixture
def hub(data_dir: Path) -> Iterator[Hub]:
    """Give a demonstration on two workers and a database of its own."""
    hub = Hub(data_dir, "--workers", "2")
    hub.start()
    yield hub
    assert hub.stop() == 0, hub.log()


async def test_of_twenty_pushes_of_one_number_exactly_one_is_taken(hub: Hub) -> None:
    """Twenty clients on two processes: one success, nineteen documented refusals, always."""
    base = hub.base_url("goldshop")
    async with httpx.AsyncClient(timeout=30) as session:
        for attempt in range(10):
            document = order(f"SAME-{attempt}", ("YPJ1600", 1))
            answers = await asyncio.gather(*(_push(session, base, document) for _ in range(20)))
            assert answers.count(TAKEN) == 1, answers
            assert answers.count(EXISTS) == 19, answers
    shown = hub.json("stock", "get", "YPJ1600")
    assert [row["reserved"] for row in shown] == [10]
    assert hub.command("verify").returncode == 0


async def test_an_order_for_more_than_there_is_is_taken_and_channels_see_nothing(hub: Hub) -> None:
    """Goods are made to order: the order is accepted, what is on sale is never below 0."""
    base = hub.base_url("goldshop")
    async with httpx.AsyncClient(timeout=30) as session:
        assert await _push(session, base, order("MORE", ("YPJ1601", 700))) == TAKEN
        reply = await session.post(f"{base}/pickGoods/style/stock", json={"styleNos": ["YPJ1601"]})
        seen = reply.json()
    assert seen["data"][0]["stock_qty"] == 0
    assert hub.json("stock", "get", "YPJ1601")[0]["available"] == -200


async def test_orders_acknowledged_before_a_kill_are_there_after_it(data_dir: Path) -> None:
    """Kill -9 of the hub, and of its database, under load; three times each, between any two requests."""
    hub = Hub(data_dir)
    hub.start()
    acknowledged: list[str] = []
    try:
        base = hub.base_url("goldshop")
        for round_ in range(6):
            enough = len(acknowledged) + 40
            loads = [
                asyncio.create_task(_load(base, f"R{round_}-{client}", acknowledged))
                for client in range(8)
            ]
            await until(lambda enough=enough: len(acknowledged) >= enough)
            if round_ % 2:
                os.kill(hub.postmaster(), signal.SIGKILL)
            family = hub.kill()
            assert [load.done() for load in loads].count(False) > 0, "the kill met no load"
            await asyncio.gather(*loads)
            await until(lambda family=family: not any(lives(pid) for pid in family))
            hub.start()
        assert len(acknowledged) == len(set(acknowledged)) >= 240
        await _all_there_once(base, acknowledged, hub)
    finally:
        code = hub.stop()
    assert code == 0, hub.log()


async def test_a_drain_answers_what_is_under_way(data_dir: Path) -> None:
    """SIGTERM under load: the hub exits 0, and what it acknowledged is stored."""
    hub = Hub(data_dir)
    hub.start()
    base = hub.base_url("goldshop")
    acknowledged: list[str] = []
    loads = [asyncio.create_task(_load(base, f"D{client}", acknowledged)) for client in range(8)]
    await until(lambda: len(acknowledged) > 50)
    code = await asyncio.to_thread(hub.stop)
    await asyncio.gather(*loads)
    assert code == 0, hub.log()
    hub.start()
    await _all_there_once(base, acknowledged, hub)
    assert hub.stop() == 0


async def _push(session: httpx.AsyncClient, base: str, document: Any) -> Any:
    reply = await session.post(f"{base}/pickGoods/send", json=document)
    assert reply.status_code == 200
    return reply.json()


async def _load(base: str, prefix: str, acknowledged: list[str]) -> None:
    """Push orders one after another until the hub is gone; note those it acknowledged."""
    async with httpx.AsyncClient(timeout=30) as session:
        for count in range(100_000):
            number = f"{prefix}-{count}"
            try:
                if (
                    await _push(session, base, order(number, ("YPJ1602", 1), ("YPJ1603", 1)))
                    == TAKEN
                ):
                    acknowledged.append(number)
            except (httpx.HTTPError, AssertionError):
                return


async def _all_there_once(base: str, acknowledged: list[str], hub: Hub) -> None:
    """Push everything again: each must be known. Then the books must balance."""
    async with httpx.AsyncClient(timeout=30) as session:
        for number in acknowledged:
            document = order(number, ("YPJ1602", 1), ("YPJ1603", 1))
            assert await _push(session, base, document) == EXISTS, number
    verified = hub.command("verify")
    assert verified.returncode == 0, verified.stdout
    reserved = hub.json("stock", "get", "YPJ1602")[0]["reserved"]
    assert reserved == hub.json("stock", "get", "YPJ1603")[0]["reserved"] >= len(acknowledged)
    some = hub.json("orders", "show", acknowledged[0])
    assert (some[0] if isinstance(some, list) else some)["state"] == "accepted"
