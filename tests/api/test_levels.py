"""What channels see, by which rules, through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.api.test_goods import stocked
from tests.courier.bureau import Stub

if TYPE_CHECKING:
    from tests.api.client import Client


async def test_a_rule_shapes_what_a_channel_sees(client: Client) -> None:
    """Added behind all others, explained, taken away again."""
    await stocked(client, "LV-1", HQ=10)
    new = {"connection": "goldshop", "sku": "LV-1", "ratio": "0.5", "buffer": 1, "maximum": 9}
    added = await client.post("/levels/rules", new)
    assert added.status == 201, added.json
    rule = added.json["rules"][-1]
    assert rule == {
        "id": rule["id"], "connection": "goldshop", "location": None, "sku": "LV-1",
        "locations": None, "ratio": 0.5, "buffer": 1, "minimum": None, "maximum": 9, "fixed": None,
        "stop": False,
    }  # fmt: skip
    assert added.headers["location"].endswith(f"/levels/rules/{rule['id']}")
    seen = await client.get("/levels/explain?connection=goldshop&sku=LV-1")
    assert seen.json["steps"][-1] == {
        "location": "", "available": 10, "rule": rule["id"], "published": 4,
    }  # fmt: skip
    left = await client.call("DELETE", f"/levels/rules/{rule['id']}")
    assert rule["id"] not in [one["id"] for one in left.json["rules"]]
    gone = await client.call("DELETE", f"/levels/rules/{rule['id']}")
    assert (gone.status, gone.json["code"]) == (404, "unknown_rule")
    seen = await client.get("/levels/explain?connection=goldshop&sku=LV-1")
    assert [(step["rule"], step["published"]) for step in seen.json["steps"]][-1] == (None, 10)
    listed = await client.get("/levels/rules")
    assert listed.json == left.json


async def test_what_is_no_rule_is_refused(client: Client) -> None:
    """Unknown names, ratios that nobody means, rules for who may not."""
    for new, code in (
        ({"connection": "none"}, "unknown_connection"),
        ({"sku": "none"}, "unknown_rule_scope"),
        ({"location": "none"}, "unknown_rule_scope"),
        ({"ratio": 101}, "bad_ratio"),
        ({"ratio": -1}, "invalid"),
    ):
        reply = await client.post("/levels/rules", new)
        assert reply.json["code"] == code, (new, reply.json)
    reader = await client.holding("levels:read")
    assert (await reader.post("/levels/rules", {"stop": True})).status == 403
    seen = await client.get("/levels/explain?connection=goldshop&sku=none")
    assert (seen.status, seen.json["code"]) == (422, "unknown_article")


async def test_levels_are_asked_for(client: Client) -> None:
    """Of a connection that is told any; whether they went is asked afterwards."""
    reply = await client.post("/levels/send", {"connection": "storepos"})
    assert (reply.status, reply.json["code"]) == (409, "no_levels")
    async with Stub() as shop:
        new = {"name": "lv-shop", "dialect": "goldshop", "role": "erp"}
        made = await client.post("/connections", new)
        assert made.status == 201, made.json
        reply = await client.post("/levels/send", {"connection": "lv-shop", "full": True})
        assert (reply.status, reply.json["code"]) == (409, "no_partner_url")
        path = made.headers["location"].removeprefix("/api/v1")
        await client.call("PATCH", path, {"settings": {"partner_url": shop.url}})
        reply = await client.post("/levels/send", {"connection": "lv-shop", "full": True})
    assert (reply.status, reply.json["owed"], reply.json["last_error"]) == (202, True, "")
    stands = await client.get("/levels/send?connection=lv-shop")
    assert stands.json == reply.json
    other = await client.get("/levels/send?connection=wangdian")
    assert (other.json["owed"], other.json["served"]) == (False, False)
