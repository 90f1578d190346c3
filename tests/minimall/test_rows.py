"""A batch of rows that an ERP writes into our mall, over real HTTP: all of it, or none of it."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from entrepot.stock import views
from tests import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entrepot.hub import Hub
    from tests.running import Running

PATH = "/gateway/api/erp/update_goods_stock"
OK: dict[str, Any] = {"code": 0, "data": [], "msg": ""}
FIRST, SECOND, GROUP = "1^^^8Gú128G", "2^^^白色", "2"


@pytest.fixture(scope="module")
def hub(server_url: str, template: str) -> Iterator[Running]:
    """Give a mall with the stores aaa and bbb, whose totals come under ALL."""
    with running.demo(server_url, template) as hub:
        yield hub


@pytest.fixture
async def base(hub: Running) -> str:
    """Give what the mall's ERP calls."""
    for connection in await hub.connections():
        if (connection.tenant, connection.partner.name) == ("demo", "minimall-in"):
            return hub.base_url(connection)
    raise AssertionError("no such connection")


def row(kind: str, key: str, stock: Any, store: str) -> dict[str, Any]:
    """Return a row of the array."""
    return {"type": kind, "key": key, "stock": stock, "store_code": store}


def post(base: str, body: bytes | list[dict[str, Any]]) -> dict[str, Any]:
    """Send a body, or an array; the answer must come with HTTP 200."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(base + PATH, raw, method="POST")
    with urllib.request.urlopen(request, timeout=30) as reply:
        assert reply.status == 200
        answer: dict[str, Any] = json.load(reply)
    return answer


async def lies(hub: Running, sku: str, store: str) -> int:
    """Return how many pieces may be sold at a store."""

    async def work(inside: Hub) -> int:
        async with inside.db.reading(inside.registry.tenant("demo")) as tx:
            found = await views.standing(tx, [sku])
        [level] = [level for level in found if level.location == store]
        return level.available

    return await hub.do(work)


async def sku_of(hub: Running, kind: str, key: str) -> str:
    """Return our name of what the mall calls so."""

    async def work(inside: Hub) -> str:
        async with inside.db.reading(inside.registry.tenant("demo")) as tx:
            return str(
                await tx.value(
                    "SELECT a.sku FROM listing l JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id"
                    " WHERE l.tenant_id = $1 AND l.type = $2 AND l.key = $3 LIMIT 1",
                    kind,
                    key,
                )
            )

    return await hub.do(work)


async def test_one_bad_row_keeps_all_from_being_taken(hub: Running, base: str) -> None:
    """And every bad row is named: its zero-based path, its key, the reason."""
    sku = await sku_of(hub, "normal", FIRST)
    assert post(base, [row("normal", FIRST, 11, "aaa")]) == OK
    good = [row("normal", FIRST, 99, "aaa")] * 17
    bad = [
        row("normal", FIRST, -1, "aaa"),
        row("normal", "no separator", 1, "aaa"),
        row("integral", "9^^^nothing like it", 1, "aaa"),
        row("group", GROUP, 1, "zzz"),
        row("other", GROUP, 1, "aaa"),
    ]
    answer = post(base, good + bad)
    assert (answer["code"], answer["data"]) == (1, [])
    said = answer["msg"].split("；")
    assert [one.split("（")[0] for one in said] == [
        "[17].stock", "[18].key", "[19].key", "[20].store_code", "[21].type",
    ]  # fmt: skip
    assert [one.split("（")[1].split("）")[0] for one in said] == [
        FIRST, "no separator", "9^^^nothing like it", GROUP, GROUP,
    ]  # fmt: skip
    assert await lies(hub, sku, "aaa") == 11


async def test_what_is_no_row_at_all_is_named_too(base: str) -> None:
    """By its place; it bears no key."""
    answer = post(base, b'[5,null,{"type":"group","key":"2","stock":1,"store_code":"aaa"}]')
    said = "字段类型错误：该行应为对象"
    assert answer == {"code": 1, "data": [], "msg": f"[0]：{said}；[1]：{said}"}


async def test_the_last_of_repeated_rows_counts(hub: Running, base: str) -> None:
    """The same product at the same store, three times in one document."""
    rows = [row("normal", FIRST, pieces, "aaa") for pieces in (1, 2, 3)]
    assert post(base, [*rows, row("normal", FIRST, 7, "bbb")]) == OK
    sku = await sku_of(hub, "normal", FIRST)
    assert (await lies(hub, sku, "aaa"), await lies(hub, sku, "bbb")) == (3, 7)


async def test_the_same_batch_again_changes_nothing(hub: Running, base: str) -> None:
    """It states a level, it does not move goods."""
    batch = [row("integral", SECOND, 30, "aaa")]
    sku = await sku_of(hub, "integral", SECOND)
    assert [post(base, batch) for _ in range(3)] == [OK, OK, OK]
    assert await lies(hub, sku, "aaa") == 30


@pytest.mark.parametrize("stock", [40, "40", 40.0, 0, 999_999_999])
async def test_stock_is_a_whole_number(base: str, stock: Any) -> None:
    """As a number, as a text, as a number with nothing behind its point."""
    assert post(base, [row("group", GROUP, stock, "aaa")]) == OK


@pytest.mark.parametrize("stock", [-1, 1.5, "", " 4", "+4", True, None, [], 1_000_000_000])
async def test_what_is_no_stock_is_refused_by_its_path(base: str, stock: Any) -> None:
    """In the document's envelope, with HTTP 200."""
    answer = post(base, [row("group", GROUP, 1, "aaa"), row("group", GROUP, stock, "aaa")])
    assert answer["code"] == 1
    assert "[1].stock" in answer["msg"]


def test_an_empty_array_is_a_success(base: str) -> None:
    """There was nothing to say."""
    assert post(base, []) == OK


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"nul", b"[[]]", b"[1]", b'[{"type":"group"}]', b"[{]"]
)
def test_a_body_that_is_no_array_of_rows_is_refused(base: str, body: bytes) -> None:
    """With its first error, in the envelope."""
    answer = post(base, body)
    assert (answer["code"], answer["data"]) == (1, [])
    assert answer["msg"]
