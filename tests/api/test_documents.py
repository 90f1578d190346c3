"""Orders, connections, exchanges and the audit log through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tests.api.test_goods import every, stocked

if TYPE_CHECKING:
    from tests.api.client import Client


async def place(client: Client, number: str, sku: str, qty: int = 1, **more: Any) -> Any:
    """Place an order; return its outcome."""
    order = {"number": number, "lines": [{"sku": sku, "qty": qty}], **more}
    return (await client.post("/orders", {"orders": [order]})).json["outcomes"][0]


async def test_a_batch_of_orders_is_answered_one_by_one(client: Client) -> None:
    """One transaction; a refused order harms no other, and 207 says that there is one."""
    await stocked(client, "O-1", **{"O-A": 10})
    orders = [
        {"number": "OB-1", "lines": [{"sku": "O-1", "qty": 2}, {"sku": "O-1", "qty": 3}]},
        {"number": "OB-2", "lines": [{"sku": "O-1", "qty": 1}, {"sku": "nothing", "qty": 1}]},
        {"number": "OB-1", "lines": [{"sku": "O-1", "qty": 1}]},
    ]
    reply = await client.post("/orders", {"orders": orders})
    assert reply.status == 207
    first, second, third = reply.json["outcomes"]
    assert (first["status"], first["result"]["number"]) == (201, "OB-1")
    assert (second["status"], second["problem"]["code"]) == (422, "unknown_goods")
    assert second["problem"]["path"] == "lines[1].sku"
    assert (third["status"], third["problem"]["code"]) == (409, "order_exists")
    (level,) = (await client.get("/stock/levels?sku=O-1")).json["items"]
    assert (level["reserved"], level["available"]) == (5, 5)


async def test_an_order_is_shown_processed_shipped_and_stays_so(client: Client) -> None:
    """Its log says who did what; a step already taken changes nothing, an impossible one is a conflict."""
    await stocked(client, "O-2", **{"O-B": 3})
    placed = await place(client, "OS-1", "O-2", 2, customer="安港珠宝")
    path = f"/orders/{placed['result']['id']}"
    named = {"orders": [{"number": "OS-1", "remark": "packed"}]}
    for step in ("process", "ship", "ship"):
        assert (await client.post(f"/orders/{step}", named)).status == 200
    shown = (await client.get(path)).json
    assert (shown["state"], shown["customer"], shown["connection"]) == ("shipped", "安港珠宝", None)
    assert [entry["what"] for entry in shown["log"]] == [
        "accepted",
        "processed: packed",
        "shipped: packed",
    ]
    assert {entry["who"] for entry in shown["log"]} == {"erp (api)"}
    reply = await client.post("/orders/cancel", named)
    assert reply.status == 207
    assert reply.json["outcomes"][0]["problem"]["code"] == "order_shipped"
    (level,) = (await client.get("/stock/levels?sku=O-2")).json["items"]
    assert (level["on_hand"], level["reserved"]) == (1, 0)


async def test_a_cancelled_order_frees_what_it_held_and_keeps_its_number(client: Client) -> None:
    """Beyond stock an order may be placed, but not shipped."""
    await stocked(client, "O-3", **{"O-C": 1})
    await place(client, "OC-1", "O-3", 5)
    reply = await client.post("/orders/ship", {"orders": [{"number": "OC-1"}]})
    assert reply.json["outcomes"][0]["problem"]["code"] == "not_on_hand"
    assert (await client.post("/orders/cancel", {"orders": [{"number": "OC-1"}]})).status == 200
    (level,) = (await client.get("/stock/levels?sku=O-3")).json["items"]
    assert level["reserved"] == 0
    assert (await place(client, "OC-1", "O-3"))["problem"]["code"] == "order_exists"


async def test_orders_are_listed_newest_first_by_what_is_asked(client: Client) -> None:
    """By state, number and connection; a receiver is kept sealed and not listed."""
    receiver = {
        "name": "张三",
        "phone": "13800138000",
        "province": "上海市",
        "city": "上海市",
        "address": "中山路一号",
    }
    for number in ("OL-1", "OL-2", "OL-3"):
        await place(client, number, "G1/C1/S1", receiver=receiver)
    await client.post("/orders/cancel", {"orders": [{"number": "OL-2"}]})
    found = [one["number"] for one in await every(client, "/orders?state=accepted&limit=1")]
    assert found.index("OL-3") < found.index("OL-1")
    assert "OL-2" not in found
    assert [o["state"] for o in (await client.get("/orders?number=OL-2")).json["items"]] == [
        "cancelled"
    ]
    assert (await client.get("/orders?connection=goldshop")).json["items"] == []
    tenant_id = client.hub.registry.tenant("demo")
    async with client.hub.db.reading(tenant_id) as tx:
        row = await tx.row(
            "SELECT receiver, phone_hash FROM sales_order WHERE tenant_id = $1 AND number = 'OL-1'"
        )
    assert row is not None
    assert msgspec.json.decode(client.hub.vault.unseal(row["receiver"]))["name"] == "张三"
    assert row["phone_hash"] == client.hub.vault.fingerprint("13800138000")


async def test_a_connection_is_added_changed_rotated_and_its_secrets_shown(client: Client) -> None:
    """The partner can call at once; keys are told when made, and on demand, which is audited."""
    new = {"name": "shop", "dialect": "goldshop", "settings": {"timeout": "3s"}}
    made = await client.post("/connections", new)
    assert made.status == 201
    url = made.json["credentials"]["base_url"]
    key = url.rpartition("/")[2]
    assert client.hub.registry.called(key).partner.name == "shop"  # type: ignore[union-attr]
    path = made.headers["location"].removeprefix("/api/v1")
    shown = await client.get(path)
    assert (shown.json["settings"]["timeout"], shown.json["role"]) == ("3s", "erp")
    assert key not in shown.body.decode()

    change = {"settings": {"deadline": "2h", "paused": "on", "partner_url": "http://x.test/"}}
    changed = await client.call("PATCH", path, change, If_Match=shown.headers["etag"])
    assert changed.status == 200
    assert (changed.json["paused"], changed.json["partner_url"]) == (True, "http://x.test")
    assert (await client.call("PATCH", path, change, If_Match=shown.headers["etag"])).status == 412

    secret = {"settings": {"partner_url": "http://x.test/c/ABCDEFGHIJ"}}
    hidden = await client.call("PATCH", path, secret, If_Match=changed.headers["etag"])
    assert hidden.json["partner_url"] == "http://x.test/c/****"

    rotated = await client.post(f"{path}/rotate")
    assert rotated.json["credentials"]["base_url"] != url
    current = await client.post(f"{path}/credentials")
    assert current.json == rotated.json["credentials"]
    assert current.json["partner_url"] == "http://x.test/c/ABCDEFGHIJ"
    told = (await client.get("/audit?subject=shop")).json["items"]
    assert [entry["what"] for entry in told] == [
        "connection credentials", "connection rotate", "connection set", "connection set", "connection add",
    ]  # fmt: skip


async def test_what_a_connection_may_not_be_is_named(client: Client) -> None:
    """Unknown dialect, role, setting, value and name."""
    good = {"name": "s2", "dialect": "goldshop"}
    for change, status, code in (
        ({"dialect": "klingon"}, 422, "unknown_dialect"),
        ({"role": "king"}, 422, "unknown_role"),
        ({"settings": {"color": "red"}}, 422, "unknown_setting"),
        ({"settings": {"timeout": "soon"}}, 422, "bad_setting"),
        ({"partner_url": "ftp://x"}, 422, "bad_setting"),
        ({"name": "goldshop"}, 409, "connection_name_taken"),
    ):
        reply = await client.post("/connections", {**good, **change})
        assert (reply.status, reply.json["code"]) == (status, code)
    assert (
        await client.call("PATCH", "/connections/7", {"settings": {"timeout": "1s"}})
    ).status == 404


async def test_dialects_say_which_roles_they_have(client: Client) -> None:
    """The usual role comes first."""
    found = {d["name"]: d["roles"] for d in (await client.get("/dialects")).json["dialects"]}
    assert found["goldshop"] == ["erp", "miniapp"]


async def test_exchanges_are_masked_and_looking_closer_is_audited(client: Client) -> None:
    """Unmasked bodies need their own scope and a reason."""
    tenant_id = client.hub.registry.tenant("demo")
    partner = client.hub.registry.named(tenant_id, "goldshop").partner
    for at in range(3):
        client.hub.recorder.record(
            tenant_id, partner.id, "in", method="POST", path="/pickGoods/send", status=200,
            seconds=0.01, request=b'{"phone":"13800138000"}', reply=b"{}", document=f"EX-{at}",
        )  # fmt: skip
    await client.hub.recorder.stop()
    client.hub.recorder.start()
    found = await every(client, "/exchanges?connection=goldshop&direction=in&limit=2")
    assert [one["document"] for one in found][:3] == ["EX-2", "EX-1", "EX-0"]
    (one,) = (await client.get("/exchanges?document=EX-1")).json["items"]
    assert "13800138000" not in one["request"]
    look = {"document": "EX-1", "reason": "the partner asks"}
    writer = await client.holding("exchanges:write")
    assert (await writer.post("/exchanges/reveal", look)).status == 403
    clerk = await client.holding("exchanges:write", "exchanges:reveal")
    revealed = await clerk.post("/exchanges/reveal", look)
    assert revealed.json["exchanges"][0]["request"] == '{"phone":"13800138000"}'
    (entry,) = (await client.get("/audit?subject=EX-1")).json["items"]
    assert (entry["who"], entry["what"], entry["reason"]) == (
        "erp (api)", "exchanges reveal", "the partner asks",
    )  # fmt: skip
