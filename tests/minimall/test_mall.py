"""A mall whose stock an ERP states, over real HTTP: what is taken, what is refused, what does not add up."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from entrepot.connections import flows as connections
from entrepot.discrepancies import flows as discrepancies
from entrepot.discrepancies import views
from entrepot.discrepancies.views import Filter
from tests import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entrepot.discrepancies.rules import Standing
    from entrepot.hub import Hub
    from tests.running import Running

PATH = "/gateway/api/erp/update_goods_stock"
NAME = "minimall-in"
MM1, MM2, MM4 = "1^^^8Gú128G", "2^^^白色", "3^^^a^^^b"
NORMAL, INTEGRAL, GROUP = f"normal {MM1}", f"integral {MM2}", "group 2"
OK: dict[str, Any] = {"code": 0, "data": [], "msg": ""}


@pytest.fixture(scope="module")
def hub(server_url: str, template: str) -> Iterator[Running]:
    """Give a mall with the stores aaa and bbb, whose totals come under ALL."""
    with running.demo(server_url, template) as hub:
        yield hub


@pytest.fixture
async def base(hub: Running) -> str:
    """Give what the mall's ERP calls."""
    for connection in await hub.connections():
        if (connection.tenant, connection.partner.name) == ("demo", NAME):
            return hub.base_url(connection)
    raise AssertionError("no such connection")


def push(base: str, *rows: tuple[str, str, int, str]) -> dict[str, Any]:
    """State stock; rows are (type, key, stock, store)."""
    body = [dict(zip(("type", "key", "stock", "store_code"), row, strict=True)) for row in rows]
    request = urllib.request.Request(base + PATH, json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as reply:
        answer: dict[str, Any] = json.load(reply)
    return answer


async def shown(hub: Running, subject: str, **wanted: Any) -> list[Standing]:
    """Return the totals of one listing that an operator is shown."""

    async def work(inside: Hub) -> list[Standing]:
        async with inside.db.reading(inside.registry.tenant("demo")) as tx:
            found = await views.find(tx, Filter(kind="total", **wanted))
            return [one for one in found if one.subject == subject]

    return await hub.do(work)


async def answered(base: str, row: tuple[str, str, int, str], code: int) -> str:
    """Push a row until every process answers it so; return what it says then."""
    times = 0
    async with asyncio.timeout(running.READY_WITHIN):
        while times < 20:  # as many new sockets as make it likely that each process took one
            answer = await asyncio.to_thread(push, base, row)
            times = times + 1 if answer["code"] == code else 0
    return str(answer["msg"])


async def test_a_total_that_is_not_the_sum_stands_until_they_agree_again(
    hub: Running, base: str
) -> None:
    """The reply is a success all the same, and the stores' figures count."""
    assert push(base, ("normal", MM1, 20, "aaa"), ("normal", MM1, 5, "bbb")) == OK
    assert await shown(hub, NORMAL) == []
    assert push(base, ("normal", MM1, 26, "ALL"), ("normal", MM1, 20, "aaa")) == OK
    (one,) = await shown(hub, NORMAL)
    assert one.details == {"stated": 26, "stores": 25}
    assert one.text == f"normal {MM1}: the total is stated as 26, the stores hold 25."
    assert push(base, ("normal", MM1, 27, "ALL")) == OK
    (again,) = await shown(hub, NORMAL)
    assert (again.id, again.opened_at) == (one.id, one.opened_at)
    assert again.details == {"stated": 27, "stores": 25}
    assert again.seen_at > one.seen_at
    assert push(base, ("normal", MM1, 25, "ALL")) == OK
    assert await shown(hub, NORMAL) == []
    (closed,) = [row for row in await shown(hub, NORMAL, only_open=False) if row.id == one.id]
    assert (closed.id, closed.resolved_by, closed.reason) == (one.id, "", discrepancies.AGREED)


async def test_stores_that_come_to_the_total_stated_before_close_it(
    hub: Running, base: str
) -> None:
    """A document that names the listing and no total is compared with the total that stands."""
    rows = (("integral", MM2, 9, "ALL"), ("integral", MM2, 4, "aaa"), ("integral", MM2, 0, "bbb"))
    assert push(base, *rows) == OK
    assert [one.details for one in await shown(hub, INTEGRAL)] == [{"stated": 9, "stores": 4}]
    assert push(base, ("integral", MM2, 3, "bbb")) == OK
    assert [one.details for one in await shown(hub, INTEGRAL)] == [{"stated": 9, "stores": 7}]
    assert push(base, ("integral", MM2, 5, "bbb")) == OK
    assert await shown(hub, INTEGRAL) == []


async def test_the_last_of_repeated_totals_counts(hub: Running, base: str) -> None:
    """And wherever in the document the total stands, it is compared after the stores were taken."""
    total, store = ("group", "2", 11, "ALL"), ("group", "2", 11, "aaa")
    assert push(base, ("group", "2", 99, "ALL"), total, store) == OK
    assert push(base, total, ("group", "2", 1, "aaa"), store) == OK
    assert await shown(hub, GROUP) == []


async def test_a_refused_document_compares_nothing(hub: Running, base: str) -> None:
    """All rows or none: its totals neither."""
    bad = ("normal", "9^^^nothing like it", 1, "aaa")
    assert push(base, ("group", "2", 50, "ALL"), bad)["code"] == 1
    assert push(base, ("group", "2", 50, "ALL"), ("group", "2", 1, "ccc"))["code"] == 1
    assert push(base, ("group", "2", 50, "ALL"), ("normal", "no spec", 1, "aaa"))["code"] == 1
    assert await shown(hub, GROUP) == []


async def test_a_total_of_an_unknown_listing_is_refused(hub: Running, base: str) -> None:
    """Its key is checked like every other, its store code is the total's."""
    answer = push(base, ("normal", "9^^^nothing like it", 1, "ALL"))
    assert answer == {
        "code": 1,
        "data": [],
        "msg": "[0].key（9^^^nothing like it）：商品标识不存在",
    }


async def test_without_a_code_for_totals_it_is_a_store_like_any(hub: Running, base: str) -> None:
    """And one that does not exist."""

    async def change(inside: Hub, code: str) -> None:
        async with inside.db.transaction(inside.registry.tenant("demo")) as tx:
            changes = {"total_store_code": code}
            await connections.change(tx, inside.vault, inside.dialects, NAME, changes, who="test")

    row = ("normal", MM4, 10, "ALL")
    await hub.do(lambda inside: change(inside, ""))
    try:
        assert "门店编码不存在：ALL" in await answered(base, row, 1)
    finally:
        await hub.do(lambda inside: change(inside, "ALL"))
    assert await answered(base, row, 0) == ""
