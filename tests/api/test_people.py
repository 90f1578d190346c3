"""People and tokens through the API."""

from __future__ import annotations

from tests.api.client import Client
from tests.api.test_goods import every


async def test_people_are_added_changed_and_let_in_no_longer(client: Client) -> None:
    """By login; what was done is audited."""
    new = [
        {"login": "p-ann", "name": "安娜", "role": "sales"},
        {"login": "p-bob", "name": "Bob"},
        {"login": "p-ann", "name": "安", "role": "cpa"},
    ]
    saved = (await client.post("/people", {"people": new})).json["people"]
    assert [one["login"] for one in saved] == ["p-ann", "p-bob"]
    found = {one["login"]: one for one in await every(client, "/people?limit=2")}
    assert (found["p-ann"]["name"], found["p-ann"]["role"]) == ("安", "cpa")
    assert found["p-bob"]["role"] == "none"
    path = f"/people/{found['p-bob']['id']}"
    shown = await client.get(path)
    old = shown.headers["etag"]
    ended = await client.call("PATCH", path, {"active": False}, If_Match=old)
    assert (ended.status, ended.json["active"]) == (200, False)
    assert (await client.call("PATCH", path, {"active": True}, If_Match=old)).status == 412
    assert (await client.call("PATCH", path, {"active": True})).json["active"]
    assert (await client.get("/people/999999")).json["code"] == "unknown_person"
    audit = (await client.get("/audit?subject=p-bob")).json["items"]
    assert [one["what"] for one in audit] == ["person set", "person end", "person set"]


async def test_a_token_is_made_shown_once_listed_and_ended(client: Client) -> None:
    """It works until it is ended; nothing of it is listed."""
    made = await client.post("/tokens", {"name": "till", "scopes": ["stock:read", "orders"]})
    assert (made.status, made.json["scopes"]) == (201, ["stock:read", "orders:write"])
    till = Client(client.api, client.hub, made.json["token"])
    assert (await till.get("/stock/levels")).status == 200
    assert (await till.get("/people")).status == 403
    (mine,) = [one for one in await every(client, "/tokens?limit=3") if one["name"] == "till"]
    assert made.json["token"] not in str(mine)
    assert (mine["login"], mine["per_minute"], mine["ended_at"]) == (None, 6000, None)
    ended = await client.post(f"/tokens/{mine['id']}/end")
    assert ended.json["ended_at"] is not None
    assert (await till.get("/stock/levels")).status == 401
    assert (await client.post(f"/tokens/{mine['id']}/end")).status == 404


async def test_a_token_hands_on_no_more_than_it_has(client: Client) -> None:
    """What it lacks itself it cannot give; unknown scopes and people are named."""
    clerk = await client.holding("people", "orders:read")
    for scopes, status in ((["orders:read", "people:read"], 201), (["orders"], 403), (["*"], 403)):
        reply = await clerk.post("/tokens", {"name": "child", "scopes": scopes})
        assert reply.status == status, scopes
    reply = await clerk.post("/tokens", {"name": "x", "scopes": ["orders:eat"]})
    assert (reply.status, reply.json["code"]) == (422, "unknown_scope")
    reply = await clerk.post("/tokens", {"name": "x", "scopes": ["people"], "login": "nobody"})
    assert (reply.status, reply.json["code"]) == (404, "unknown_person")
