"""Idempotency-Key: done once, answered alike."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.api.client import Client


def order(number: str, sku: str = "MF004") -> dict[str, Any]:
    """Return the body of one order."""
    return {"orders": [{"number": number, "lines": [{"sku": sku, "qty": 1}]}]}


async def test_the_same_request_again_gets_the_first_reply(client: Client) -> None:
    """Status, body and headers are the first ones, and nothing is done a second time."""
    first = await client.post("/orders", order("K-1"), Idempotency_Key="k1")
    again = await client.post("/orders", order("K-1"), Idempotency_Key="k1")
    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    listed = await client.get("/orders?number=K-1")
    assert len(listed.json["items"]) == 1


async def test_a_refusal_is_a_reply_too(client: Client) -> None:
    """What was refused stays refused under its key, also when it would be possible by now."""
    sku = {"counts": [{"sku": "NEW-1", "location": "HQ", "on_hand": 3}]}
    first = await client.post("/stock/stocktakes", sku, Idempotency_Key="k2")
    assert (first.status, first.json["code"]) == (422, "unknown_article")
    await client.post("/articles", {"articles": [{"sku": "NEW-1"}]})
    again = await client.post("/stock/stocktakes", sku, Idempotency_Key="k2")
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["content-type"] == "application/problem+json"
    other = await client.post("/stock/stocktakes", sku, Idempotency_Key="k3")
    assert other.status == 200


async def test_a_key_is_for_one_request(client: Client) -> None:
    """Another body or another path under a known key is 422, and does nothing."""
    await client.post("/orders", order("K-4"), Idempotency_Key="k4")
    for path, body in (
        ("/orders", order("K-5")),
        ("/orders/ship", {"orders": [{"number": "K-4"}]}),
    ):
        reply = await client.post(path, body, Idempotency_Key="k4")
        assert (reply.status, reply.json["code"]) == (422, "key_reused")
    assert (await client.get("/orders?number=K-5")).json["items"] == []


async def test_a_key_belongs_to_its_token(client: Client) -> None:
    """Two programs may use the same key for different things."""
    other = await client.holding("*")
    assert (await client.post("/orders", order("K-6"), Idempotency_Key="k6")).status == 200
    assert (await other.post("/orders", order("K-7"), Idempotency_Key="k6")).status == 200


async def test_while_the_first_is_at_work_the_second_is_told_to_wait(client: Client) -> None:
    """409 with Retry-After; afterwards the first one's reply."""
    tenant_id = client.hub.registry.tenant("demo")
    async with client.hub.db.transaction(tenant_id) as tx:
        await tx.rows("SELECT FROM stock WHERE tenant_id = $1 FOR UPDATE")
        first = asyncio.create_task(client.post("/orders", order("K-8"), Idempotency_Key="k8"))
        await _until_blocked(client)
        second = await client.post("/orders", order("K-8"), Idempotency_Key="k8")
        assert (second.status, second.json["code"]) == (409, "in_progress")
        assert second.headers["retry-after"] == "1"
        assert not first.done()
    done = await first
    assert done.status == 200
    again = await client.post("/orders", order("K-8"), Idempotency_Key="k8")
    assert again.body == done.body


async def test_what_broke_is_not_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that failed by our fault is done when it is sent again."""
    with monkeypatch.context() as broken:
        broken.setattr(
            "entrepot.api.once._q.keep_reply", "SELECT 1 / 0, $1, $2, $3, $4, $5, $6, $7"
        )
        failed = await client.post("/orders", order("K-9"), Idempotency_Key="k9")
    assert failed.status == 500
    assert (await client.get("/orders?number=K-9")).json["items"] == []
    again = await client.post("/orders", order("K-9"), Idempotency_Key="k9")
    assert again.json["outcomes"][0]["status"] == 201
    assert "idempotency-replayed" not in again.headers


async def test_a_key_is_remembered_for_a_day(client: Client) -> None:
    """After 24 hours it is a new one, and what is old is cleared away."""
    await client.post("/orders", order("K-10"), Idempotency_Key="k10")
    tenant_id = client.hub.registry.tenant("demo")
    async with client.hub.db.transaction(tenant_id) as tx:
        await tx.do("UPDATE api_reply SET at = at - interval '25 hours' WHERE tenant_id = $1")
    again = await client.post("/orders", order("K-10"), Idempotency_Key="k10")
    assert again.json["outcomes"][0]["problem"]["code"] == "order_exists"
    async with client.hub.db.transaction(tenant_id) as tx:
        await tx.do("UPDATE api_reply SET at = at - interval '25 hours' WHERE tenant_id = $1")
    await client.post("/orders", order("K-11"), Idempotency_Key="k11")
    async with client.hub.db.reading(tenant_id) as tx:
        keys = await tx.rows("SELECT key FROM api_reply WHERE tenant_id = $1")
    assert [row["key"] for row in keys] == ["k11"]


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a b", "\x7f"])
async def test_a_key_is_visible_ascii(client: Client, key: str) -> None:
    """Anything else is refused before it is worked on."""
    reply = await client.post("/orders", order("K-12"), Idempotency_Key=key)
    assert (reply.status, reply.json["code"]) == (400, "bad_idempotency_key")


async def test_a_reply_is_kept_sealed(client: Client) -> None:
    """Replies may hold secrets; the table holds none in clear."""
    new = {"name": "sealed", "dialect": "goldshop"}
    made = await client.post("/connections", new, Idempotency_Key="k13")
    url = made.json["credentials"]["base_url"]
    tenant_id = client.hub.registry.tenant("demo")
    async with client.hub.db.reading(tenant_id) as tx:
        body = await tx.value("SELECT body FROM api_reply WHERE tenant_id = $1 AND key = 'k13'")
    assert url.encode() not in body
    assert url.rpartition("/")[2].encode() not in body


async def _until_blocked(client: Client) -> None:
    """Wait until some statement waits for a lock."""
    query = """SELECT count(*) AS n FROM pg_stat_activity
               WHERE wait_event_type = 'Lock' AND datname = current_database()"""
    for _ in range(500):
        if (await client.hub.db.rows(query))[0]["n"]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nothing waits")
