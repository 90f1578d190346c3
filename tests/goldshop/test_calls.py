"""What an ERP tells its mini-programs, through the courier and over real sockets."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from entrepot.orders import flows as orders
from tests.courier.bureau import Answer, Call, Stub
from tests.goldshop.shop import DONE, Shop, connected, stocked

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import Running

QUICK = {"schedule": "50ms", "breaker": "off"}
MARK, STOCKS = "/app/markOrderStatus", "/goldshop/app/pushStocks"


class MiniProgram(Stub):
    """A mini-program that answers marks as told, and takes every level."""

    def __init__(self, mark: Callable[[dict[str, Any]], Answer] | None = None) -> None:
        super().__init__(self._answer)
        self._mark = mark

    @property
    def marks(self) -> list[tuple[str, int]]:
        """The marks it got: number and status."""
        bodies = [json.loads(call.body) for call in self.calls if call.path == MARK]
        return [(body["oriOrderNo"], body["orderSatus"]) for body in bodies]

    @property
    def levels(self) -> dict[str, int]:
        """What it was told last of each style."""
        told: dict[str, int] = {}
        for call in self.calls:
            if call.path == STOCKS:
                lines = json.loads(call.body)["pickGoodsDtls"]
                told.update({line["styleNo"]: line["stockQty"] for line in lines})
        return told

    async def _answer(self, call: Call) -> Answer:
        if self._mark is None or call.path != MARK:
            return 200, b""
        return self._mark(json.loads(call.body))


async def placed(hub: Running, partner: Stub, name: str, **settings: str) -> Shop:
    """Connect a mini-program, and let it push order ``name``."""
    shop = await connected(hub, name, partner_url=partner.url, **{**QUICK, **settings})
    assert shop.send(name, ("YPJ1600", 1)) == DONE
    return shop


async def test_processed_is_told_as_1_and_shipped_as_2(hub: Running) -> None:
    """Each once, in order, with the document's own misspelling and nothing else."""
    async with MiniProgram() as partner:
        shop = await placed(hub, partner, "MK-1")
        assert await shop.deliveries("MK-1") == []
        await shop.step(orders.process, "MK-1")
        await shop.until("MK-1", "delivered")
        await shop.step(orders.ship, "MK-1")
        await shop.until("MK-1", "delivered", "delivered")
        assert partner.marks == [("MK-1", 1), ("MK-1", 2)]
        call = next(call for call in partner.calls if call.path == MARK)
        assert call.body == b'{"oriOrderNo":"MK-1","orderSatus":1}'
        assert call.headers["content-type"] == "application/json"


async def test_shipped_without_being_processed_is_told_as_2_alone(hub: Running) -> None:
    """No 1 is made up for it."""
    async with MiniProgram() as partner:
        shop = await placed(hub, partner, "MK-2")
        await shop.step(orders.ship, "MK-2")
        await shop.until("MK-2", "delivered")
        assert partner.marks == [("MK-2", 2)]


async def test_auto_process_tells_1_as_soon_as_an_order_is_taken(hub: Running) -> None:
    """And an operator who processes it once more tells nothing."""
    async with MiniProgram() as partner:
        shop = await placed(hub, partner, "MK-3", auto_process="on")
        await shop.until("MK-3", "delivered")
        assert (await shop.order("MK-3")).state == "processed"
        assert partner.marks == [("MK-3", 1)]


async def test_a_mark_1_that_a_person_retries_after_2_is_settled_without_a_call(
    hub: Running,
) -> None:
    """It was refused and held nothing back; told now it would be a lie."""

    def refuse_1(body: dict[str, Any]) -> Answer:
        return 200, b'{"code":500,"msg":"no"}' if body["orderSatus"] == 1 else b'{"code":0}'

    async with MiniProgram(refuse_1) as partner:
        shop = await placed(hub, partner, "MK-4", auto_process="on")
        await shop.until("MK-4", "rejected")
        await shop.step(orders.ship, "MK-4")
        first, _ = await shop.until("MK-4", "rejected", "delivered")
        await shop.act("retry", first.id)
        await shop.until("MK-4", "handled", "delivered")
        assert partner.marks == [("MK-4", 1), ("MK-4", 2)]


async def test_a_mark_1_that_is_not_answered_holds_2_back(hub: Running) -> None:
    """In order, until a person cancels it; then 2 goes."""

    def silent_on_1(body: dict[str, Any]) -> Answer:
        return (503, b"") if body["orderSatus"] == 1 else (200, b"")

    async with MiniProgram(silent_on_1) as partner:
        shop = await placed(hub, partner, "MK-5", auto_process="on", schedule="50ms,50ms,60s")
        await shop.step(orders.ship, "MK-5")
        assert await until(lambda: len(partner.marks) > 2)
        assert {status for _, status in partner.marks} == {1}
        first, _ = await shop.deliveries("MK-5")
        await shop.act("cancel", first.id)
        await shop.until("MK-5", "cancelled", "delivered")
        assert partner.marks[-1] == ("MK-5", 2)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (b"", "delivered"),
        (b"  \n", "delivered"),
        (b"{}", "delivered"),
        (b'{"code":"200"}', "delivered"),
        (b'{"code":0,"msg":"ok"}', "delivered"),
        (b'{"code":null}', "delivered"),
        (b'{"code":1}', "rejected"),
        (b'{"code":"x"}', "rejected"),
        (b'{"code":200.5}', "rejected"),
        (b'{"code":false}', "rejected"),
        (b"[]", "delivered"),
        (b'"ok"', "delivered"),
        (b"ok", "waiting"),
    ],
)
async def test_what_a_mini_program_answers(hub: Running, answer: bytes, state: str) -> None:
    """Empty, or a code of 200 or 0, or none, is good; another is a refusal; no JSON is tried again."""
    async with MiniProgram(lambda _body: (200, answer)) as partner:
        number = f"MA-{answer.hex()}"
        shop = await placed(hub, partner, number, auto_process="on")
        (line,) = await shop.until(number, state)
        assert state != "waiting" or await until(lambda: len(partner.marks) > 1)
        assert line.connection == number


async def known(hub: Running, partner: Stub, style: str) -> None:
    """Wait until the courier tells this partner of a style whenever its stock changes."""
    for pieces in range(1, 40):
        await stocked(hub, {style: pieces})
        if await until(lambda: any(style.encode() in call.body for call in partner.calls), 1.5):
            return
    raise AssertionError("never told")


async def test_levels_gather_and_the_newest_is_told(hub: Running) -> None:
    """Ten orders within a moment are few calls, and the last figure is the true one."""
    async with MiniProgram() as partner:
        shop = await connected(hub, "LV", partner_url=partner.url, wait="300ms", **QUICK)
        await known(hub, partner, "LV1")
        await stocked(hub, {"LV1": 100})
        assert await until(lambda: partner.levels["LV1"] == 100)
        before, began = len(partner.calls), time.monotonic()
        for n in range(10):
            assert shop.send(f"LV-{n}", ("LV1", 1)) == DONE
        took = time.monotonic() - began
        assert await until(lambda: partner.levels["LV1"] == 90)
        assert len(partner.calls) - before <= 2 + took / 0.3
        assert shop.cancel("LV-0") == DONE
        assert await until(lambda: partner.levels["LV1"] == 91)


async def test_calls_may_go_as_forms(hub: Running) -> None:
    """With ``encoding=form`` the lines are JSON text in a field of that name."""
    async with Stub() as partner:
        await connected(hub, "FM", partner_url=partner.url, encoding="form", **QUICK)
        await known(hub, partner, "FM1")
        for call in partner.calls:
            assert call.headers["content-type"].startswith("application/x-www-form-urlencoded")
            (text,) = parse_qs(call.body.decode(), strict_parsing=True)["pickGoodsDtls"]
            for line in json.loads(text):
                assert list(line) == ["styleNo", "stockQty"]


async def until(true: Callable[[], bool], seconds: float = 30) -> bool:
    """Wait until something is so; False where it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        await asyncio.sleep(0.05)
    return False
