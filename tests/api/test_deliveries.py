"""Deliveries through the API: found, shown, tried again, put aside, one by one and by what a filter finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot import facts, ids
from entrepot.api import describe, nouns
from entrepot.courier import desk
from entrepot.courier.outbox import Announcement, announce
from tests.api.test_goods import every

if TYPE_CHECKING:
    from tests.api.client import Client

SHOP = "goldshop"


async def shipped(client: Client, *numbers: str, key: int | None = None) -> list[str]:
    """Let the demo's mini-program be told that these orders were shipped; return the deliveries."""
    tenant_id = client.hub.registry.tenant("demo")
    shop = client.hub.registry.named(tenant_id, SHOP).partner.id
    items = [
        Announcement(
            connection_id=shop, key=key or ids.new(), fact=facts.OrderShipped(number=number)
        )
        for number in numbers
    ]
    made = await client.hub.db.run(tenant_id, lambda tx: announce(tx, items))
    return [str(one) for one in made]


async def states(client: Client, document: str) -> list[str]:
    """Return the states of a document's deliveries, newest first."""
    found = (await client.get(f"/deliveries?document={document}")).json["items"]
    return [one["state"] for one in found]


async def test_deliveries_are_found_by_every_filter(client: Client) -> None:
    """By state, connection, number, kind, error and age, newest first, page by page."""
    first, second = await shipped(client, "DL-1", "DL-2")
    found = await every(client, f"/deliveries?state=waiting&connection={SHOP}&limit=1")
    assert [one["id"] for one in found if one["id"] in (first, second)] == [second, first]
    (only,) = (await client.get("/deliveries?document=DL-1&kind=order_shipped&age=0")).json["items"]
    assert (only["id"], only["connection"], only["attempts"]) == (first, SHOP, 0)
    for none in ("kind=stock", "kind=order_cancelled", "error=500", "age=3600", "state=sending"):
        assert (await client.get(f"/deliveries?document=DL-1&{none}")).json["items"] == []
    reply = await client.get("/deliveries?connection=nobody")
    assert (reply.status, reply.json["code"]) == (422, "unknown_connection")
    assert (await client.get("/deliveries?state=lost")).status == 400


async def test_a_delivery_is_shown_with_what_is_told_and_what_was_done(client: Client) -> None:
    """Its fact, attempts and log; what it waits for; nothing is shown of a fact about people."""
    first, second = await shipped(client, "DS-1", "DS-1", key=ids.new())
    await client.post("/deliveries/retry", {"deliveries": [first], "reason": "their shop is back"})
    shown = await client.get(f"/deliveries/{first}")
    assert shown.json["fact"] == {"number": "DS-1"}
    assert (shown.json["history"], shown.json["behind"]) == ([], None)
    (act,) = shown.json["log"]
    assert (act["who"], act["what"], act["reason"]) == ("erp (api)", "retry", "their shop is back")
    again = await client.get(f"/deliveries/{first}", If_None_Match=shown.headers["etag"])
    assert again.status == 304
    assert (await client.get(f"/deliveries/{second}")).json["behind"] == first
    tenant_id = client.hub.registry.tenant("demo")
    await client.hub.db.run(
        tenant_id,
        lambda tx: tx.do(
            "UPDATE delivery SET sealed = true WHERE tenant_id = $1 AND id = $2", int(second)
        ),
    )
    assert (await client.get(f"/deliveries/{second}")).json["fact"] is None
    await client.post("/deliveries/cancel", {"deliveries": [second, first], "reason": "a test"})
    for unknown in ("1", "9223372036854775807", "9999999999999999999"):
        assert (await client.get(f"/deliveries/{unknown}")).json["code"] == "unknown_delivery"


async def test_deliveries_are_put_aside_each_for_itself(client: Client) -> None:
    """One transaction; what is settled, waits behind another or does not exist is refused by itself."""
    first, second = await shipped(client, "DA-1", "DA-1", key=ids.new())
    body = {"deliveries": [first, "7", "9999999999999999999"], "reason": "told by phone"}
    reply = await client.post("/deliveries/handle", body)
    assert [one["status"] for one in reply.json["outcomes"]] == [200, 404, 404]
    assert (reply.status, reply.json["outcomes"][0]["result"]) == (207, {"id": first})
    reply = await client.post("/deliveries/handle", {"deliveries": [first], "reason": "again"})
    assert reply.json["outcomes"][0]["problem"]["code"] == "delivery_stands"
    reply = await client.post("/deliveries/cancel", {"deliveries": [second], "reason": "a test"})
    assert reply.status == 200
    assert await states(client, "DA-1") == ["cancelled", "handled"]
    assert (await client.post("/deliveries/cancel", {"deliveries": [first]})).status == 400
    reply = await client.post("/deliveries/retry", {"deliveries": [second]})
    assert reply.status == 200
    assert await states(client, "DA-1") == ["waiting", "handled"]
    await client.post("/deliveries/cancel", {"deliveries": [second], "reason": "a test"})


async def test_everything_a_filter_finds_is_acted_on(client: Client) -> None:
    """The act is begun at once and goes on in the clock's process; its progress is shown."""
    await shipped(client, "DF-1", "DF-2", "DF-1")
    wanted = {"act": "cancel", "state": "waiting", "document": "DF-1", "connection": SHOP}
    refused = await client.post("/deliveries/acts", wanted)
    assert (refused.status, refused.json["code"]) == (422, "reason_needed")
    begun = await client.post("/deliveries/acts", {**wanted, "reason": "the shop closed"})
    assert (begun.status, begun.json["done"], begun.json["finished_at"]) == (202, 0, None)
    path = begun.headers["location"]
    tenant_id = client.hub.registry.tenant("demo")
    assert (tenant_id, int(begun.json["id"])) in await desk.acts_under_way(client.hub.db)
    while not (await desk.go_on(client.hub.db, tenant_id, int(begun.json["id"]))).finished:
        pass
    shown = (await client.get(path)).json
    assert (shown["done"], shown["who"], shown["reason"]) == (2, "erp (api)", "the shop closed")
    assert shown["finished_at"] is not None
    assert await states(client, "DF-1") == ["cancelled", "cancelled"]
    assert await states(client, "DF-2") == ["waiting"]
    assert (await client.get("/deliveries/acts/1")).json["code"] == "unknown_act"


async def test_levels_not_yet_accepted_are_listed_and_acted_on(client: Client) -> None:
    """Those that wait and those that were refused, page by page; to handle one lets it rest."""
    tenant_id = client.hub.registry.tenant("demo")
    shop = client.hub.registry.named(tenant_id, SHOP).partner.id

    async def mark(tx: Any) -> None:
        rows = await tx.rows("SELECT id FROM article WHERE tenant_id = $1 ORDER BY id LIMIT 2")
        for row, dirty, trouble in zip(
            rows, ("now()", "NULL"), (None, "no such style"), strict=True
        ):
            await tx.do(
                "INSERT INTO level AS v (tenant_id, connection_id, item, article_id, dirty_since, trouble)"
                f" VALUES ($1, $2, $3, $3, {dirty}, $4) ON CONFLICT (tenant_id, connection_id, item)"
                f" DO UPDATE SET dirty_since = {dirty}, trouble = $4",
                shop,
                row["id"],
                trouble,
            )

    await client.hub.db.run(tenant_id, mark)
    found = await every(client, f"/deliveries/levels?connection={SHOP}&limit=1")
    refused = next(one for one in found if one["last_error"] == "no such style")
    waiting = next(one for one in found if one["dirty_since"] is not None)
    assert (refused["dirty_since"], refused["tries"], refused["due"]) == (None, 0, None)
    names = [waiting["id"], refused["id"], "stock-1-1", "stock-9999999999999999999-1"]
    reply = await client.post("/deliveries/handle", {"deliveries": names, "reason": "told"})
    assert [one["status"] for one in reply.json["outcomes"]] == [200, 200, 404, 404]
    left = await every(client, f"/deliveries/levels?connection={SHOP}&limit=100")
    assert not {waiting["id"], refused["id"]} & {one["id"] for one in left}
    assert (await client.post("/deliveries/retry", {"deliveries": ["stock-1"]})).status == 400


def test_the_states_are_those_of_the_courier() -> None:
    """The document names each state that a delivery may be in."""
    document = describe.document(nouns.operations(), "/api/v1")
    parameters = document["paths"]["/deliveries"]["get"]["parameters"]
    (state,) = (one["schema"] for one in parameters if one["name"] == "state")
    assert set(state["enum"]) == set(desk.STATES)
