"""Webhooks: subscribed by the API, sent by the courier, verified as a subscriber would."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from entrepot import facts, ids
from entrepot.courier.outbox import Announcement, announce
from entrepot.courier.worker import Courier
from tests.api.test_deliveries import shipped
from tests.api.test_documents import place
from tests.api.test_goods import every, stocked
from tests.courier.bureau import Call, Stub, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.api.client import Client


class Subscriber(Stub):
    """A program that listens, and knows which secrets are genuine."""

    def events(self) -> list[dict[str, Any]]:
        """Return what it was told, in order."""
        return [json.loads(call.body) for call in self.calls]

    async def told(self, number: int) -> None:
        """Wait until it was called so often."""

        async def enough() -> bool:
            return len(self.calls) >= number

        await eventually(enough)


def signatures(call: Call, *secrets: str) -> list[bool]:
    """Tell of each signature of a call, in order, whether that secret made it."""
    found = []
    content = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode()
    given = call.headers["webhook-signature"].split(" ")
    for secret, one in zip(secrets, given, strict=True):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = hmac.new(key, content + call.body, hashlib.sha256).digest()
        found.append(one == f"v1,{base64.b64encode(digest).decode()}")
    return found


@contextlib.asynccontextmanager
async def working(client: Client) -> AsyncIterator[None]:
    """Have a courier at work on the hub."""
    hub, stop = client.hub, asyncio.Event()
    courier = Courier(hub.db, hub.registry, hub.recorder, hub.vault.unseal)
    task = asyncio.create_task(courier.serve(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def subscribed(client: Client, hook: Stub, name: str, **more: Any) -> tuple[str, str]:
    """Subscribe; return the subscription's path and its secret."""
    new = {"name": name, "url": f"{hook.url}/hook", **more}
    made = await client.post("/webhooks", new)
    assert made.status == 201, made.json
    return made.headers["location"], made.json["secret"]


async def test_a_subscriber_is_told_in_order_signed_and_again(client: Client) -> None:
    """What happened to one order, under one id each; a rotated secret signs beside the old one."""
    await stocked(client, "W-1", **{"W-L": 5})
    async with Subscriber() as hook, working(client):
        path, secret = await subscribed(client, hook, "teller")
        await place(client, "WO-1", "W-1", 2, customer="张三")
        await client.post("/orders/process", {"orders": [{"number": "WO-1"}]})
        await client.post("/orders/ship", {"orders": [{"number": "WO-1"}]})
        await hook.told(3)
        assert [(event["type"], event["data"]) for event in hook.events()] == [
            ("order.placed", {"number": "WO-1", "lines": [{"sku": "W-1", "qty": 2}]}),
            ("order.processed", {"number": "WO-1"}),
            ("order.shipped", {"number": "WO-1"}),
        ]
        assert all(call.path == "/hook" for call in hook.calls)
        assert [signatures(call, secret) for call in hook.calls] == [[True]] * 3
        assert hook.events()[0]["timestamp"].endswith("Z")
        rotated = (await client.post(f"{path}/rotate")).json["secret"]
        await asyncio.sleep(0.3)  # the courier looks for changed connections many times a second
        first = hook.calls[0].headers["webhook-id"]
        (found,) = await every(client, "/deliveries?document=WO-1&kind=order_placed&limit=9")
        assert (found["id"], found["state"], found["connection"]) == (first, "delivered", "teller")
        again = await client.post("/deliveries/retry", {"deliveries": [first]})
        assert again.status == 200, again.json
        await hook.told(4)
        assert hook.calls[3].headers["webhook-id"] == first
        assert hook.events()[3] == hook.events()[0]
        assert signatures(hook.calls[3], rotated, secret) == [True, True]
        await client.call("PATCH", path, {"active": "off"})


async def test_a_subscriber_asks_for_events_and_for_what_is_personal(client: Client) -> None:
    """Others are not told; names and phones only where it says so; what is off is told nothing."""
    await stocked(client, "W-2", **{"W-L": 5})
    async with Subscriber() as hook, working(client):
        wanted = {"events": ["order.placed", "order.cancelled"], "personal": "on"}
        path, _ = await subscribed(client, hook, "asker", **wanted)
        shown = await client.get(path)
        assert (shown.json["events"], shown.json["personal"]) == (wanted["events"], "on")
        await place(client, "WO-2", "W-2", customer="李四")
        await client.post("/orders/process", {"orders": [{"number": "WO-2"}]})
        await client.post("/orders/cancel", {"orders": [{"number": "WO-2", "remark": "late"}]})
        await hook.told(2)
        placed, cancelled = hook.events()
        assert placed["data"]["customer"] == "李四"
        assert cancelled["data"] == {"number": "WO-2", "remark": "late"}
        old = shown.headers["etag"]
        off = await client.call("PATCH", path, {"active": "off"}, If_Match=old)
        assert (off.status, off.json["active"], off.json["events"]) == (
            200,
            "off",
            wanted["events"],
        )
        assert (await client.call("PATCH", path, {"events": []}, If_Match=old)).status == 412
        await place(client, "WO-3", "W-2")
        assert await every(client, "/deliveries?document=WO-3&limit=5") == []
        names = [one["name"] for one in await every(client, "/webhooks?limit=1")]
        assert names == sorted(names)
        assert "asker" in names


async def test_a_fact_for_several_partners_is_one_event_without_consequence(client: Client) -> None:
    """A partner is told as before, whatever the subscriber answers; the delivery draws no echo."""
    tenant_id = client.hub.registry.tenant("demo")
    async with Subscriber() as hook:
        path, _ = await subscribed(client, hook, "witness")
        shop = client.hub.registry.named(tenant_id, "goldshop").partner.id
        fact = facts.OrderCancelled(number="WO-4")
        key = ids.new()
        items = [Announcement(connection_id=one, key=key, fact=fact) for one in (shop, None, None)]
        made = await client.hub.db.run(tenant_id, lambda tx: announce(tx, items))
        assert made[1:] == [None, None]
        async with client.hub.db.reading(tenant_id) as tx:
            rows = await tx.rows(
                "SELECT c.name, d.echo FROM delivery d JOIN connection c ON c.tenant_id = $1"
                " AND c.id = d.connection_id WHERE d.tenant_id = $1 AND d.document = 'WO-4'"
            )
        heard = {row["name"]: row["echo"] for row in rows}
        assert heard["witness"] == 0
        assert len(rows) == len(heard)
        await client.call("PATCH", path, {"active": "off"})
    await shipped(client, "WO-5")
    (only,) = await every(client, "/deliveries?document=WO-5&limit=5")
    assert only["connection"] == "goldshop"


async def test_what_is_no_subscription_is_refused(client: Client) -> None:
    """Unknown events and names that are taken; a connection of another dialect is none."""
    new = {"name": "goldshop", "url": "http://127.0.0.1:1/x"}
    assert (await client.post("/webhooks", new)).status == 409
    reply = await client.post("/webhooks", {**new, "name": "w", "events": ["order.eaten"]})
    assert (reply.status, reply.json["code"]) == (422, "bad_setting")
    assert (await client.post("/webhooks", {**new, "url": "ftp://x"})).status == 400
    tenant_id = client.hub.registry.tenant("demo")
    shop = client.hub.registry.named(tenant_id, "goldshop").partner.id
    assert (await client.get(f"/webhooks/{shop}")).json["code"] == "unknown_webhook"
    types = (await client.get("/webhooks/events")).json["types"]
    assert {"order.placed", "suite.saved", "return.received"} <= set(types)


async def test_levels_are_told_to_who_asks_for_them(client: Client) -> None:
    """The newest, signed like an event; who asks for every event is told none."""
    await stocked(client, "W-6", **{"W-L": 5})
    async with Subscriber() as hook, Subscriber() as other, working(client):
        path, secret = await subscribed(client, hook, "shop", events=["stock.levels"])
        second, _ = await subscribed(client, other, "no-shop")
        await asyncio.sleep(0.5)
        await stocked(client, "W-6", **{"W-L": 7})

        async def newest() -> bool:
            told = [row for event in hook.events() for row in event["data"]["levels"]]
            return {row["sku"]: row["available"] for row in told}.get("W-6") == 7

        await eventually(newest)
        assert hook.events()[0]["type"] == "stock.levels"
        assert signatures(hook.calls[0], secret) == [True]
        assert hook.calls[0].headers["webhook-id"].startswith("stock-")
        for one in (path, second):
            await client.call("PATCH", one, {"active": "off"})
    assert "stock.levels" not in [event["type"] for event in other.events()]
    assert "stock.levels" in (await client.get("/webhooks/events")).json["types"]
