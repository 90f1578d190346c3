"""Price adjustments and sales returns through the API, each step by the person whose right it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest_asyncio

from entrepot.people import flows as people
from entrepot.people.flows import Person
from entrepot.people.rules import Role
from tests.api.test_goods import every, levels, stocked

if TYPE_CHECKING:
    from tests.api.client import Client

BUYER = 149
DEPOT = 4040


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def staff(client: Client) -> dict[str, Client]:
    """Give a program for each role, acting for a person who has it."""
    tenant_id = client.hub.registry.tenant("demo")
    roles = (Role.SALES, Role.CPA, Role.FINANCE, Role.WAREHOUSE)
    names = [role.name.lower() for role in roles]
    crew = [
        Person(login=f"api-{name}", name=name, role=role)
        for name, role in zip(names, roles, strict=True)
    ]
    await client.hub.db.run(tenant_id, lambda tx: people.add(tx, crew))
    await client.post("/locations", {"locations": [{"code": str(DEPOT), "name": "大连仓"}]})
    return {name: await client.holding("*", login=f"api-{name}") for name in names}


async def sold(client: Client, number: str, *, ship: bool, **money: Any) -> dict[str, Any]:
    """Sell two pieces at 100 and one at 30, with a discount of 23; return the order as shown."""
    await stocked(client, f"{number}-A", **{"P-1": 9})
    await stocked(client, f"{number}-B", **{"P-1": 9})
    lines = [
        {"sku": f"{number}-A", "qty": 2, "price": 100, "product_id": 10, "unit_id": 1},
        {"sku": f"{number}-B", "qty": 1, "price": 30, "product_id": 20, "unit_id": 2},
    ]
    order = {
        "number": number,
        "customer": "么志勇",
        "lines": lines,
        "money": {"customer_id": BUYER, "discount": 23, "freight": "12.50", **money},
    }
    placed = (await client.post("/orders", {"orders": [order]})).json["outcomes"][0]
    assert placed["status"] == 201, placed
    if ship:
        assert (await client.post("/orders/ship", {"orders": [{"number": number}]})).status == 200
    shown: dict[str, Any] = (await client.get(f"/orders/{placed['result']['id']}")).json
    return shown


async def one(client: Client, path: str, **body: Any) -> dict[str, Any]:
    """Send a batch of one; return its outcome."""
    ((name, item),) = body.items()
    outcome: dict[str, Any] = (await client.post(path, {name: [item]})).json["outcomes"][0]
    return outcome


async def act(client: Client, noun: str, number: str, action: str, **more: Any) -> Any:
    """Act on one paper; return its new state, or the refusal's code."""
    item = {"number": number, "action": action, **more}
    outcome = await one(client, f"/{noun}/acts", acts=item)
    return outcome["result"]["state"] if "result" in outcome else outcome["problem"]["code"]


async def test_an_order_with_money_shows_what_is_owed(client: Client) -> None:
    """Its parts are named as adjustments and returns name them; without prices there is no money."""
    shown = await sold(client, "PM-1", ship=False)
    assert shown["money"]["parts"][0] == {
        "product_id": 10,
        "unit_id": 1,
        "qty": 2,
        "price": 100,
        "gift": 0,
        "name": "",
        "unit": "",
    }
    del shown["money"]["parts"]
    assert shown["money"] == {
        "customer_id": BUYER,
        "discount": 23,
        "rebate": 0,
        "freight": 12.5,
        "paid": 219.5,
        "refunded": 0,
    }
    dear = {"sku": "PM-1-A", "qty": 999_999_999, "price": 99_999_999}
    reply = await client.post("/orders", {"orders": [{"number": "PM-2", "lines": [dear]}]})
    assert (reply.status, reply.json["path"]) == (422, "orders[0].lines[0]")


async def test_an_adjustment_goes_its_way(client: Client, staff: dict[str, Client]) -> None:
    """Filed by sales, passed by another: the order's price falls; what each may do is shown."""
    await sold(client, "AP-1", ship=False)
    line = {"product_id": 10, "unit_id": 1, "qty": 1, "price": 100, "ask": 80}
    new = {"variant": "BEFORE", "order": "AP-1", "lines": [line]}
    filed = await one(staff["sales"], "/adjustments", adjustments=new)
    assert filed["status"] == 201
    number = filed["result"]["number"]
    assert await act(staff["sales"], "adjustments", number, "pass") == "no_right"
    shown = await staff["cpa"].get(f"/adjustments/{number}")
    assert shown.json["actions"] == ["pass", "refuse"]
    assert (shown.json["price"], shown.json["ask"], shown.json["balance"]) == (100, 80, -20)
    assert shown.json["lines"][0]["ask"] == 80
    assert await act(staff["cpa"], "adjustments", number, "pass") == "COMPLETE"
    after = (await staff["sales"].get(f"/adjustments/{number}")).json
    assert (after["state"], after["actions"], after["filed_by"]) == ("COMPLETE", [], "sales")
    assert [entry["what"] for entry in after["log"]][-1] == "创建差价单"
    (order,) = (await client.get("/orders?number=AP-1")).json["items"]
    money = (await client.get(f"/orders/{order['id']}")).json["money"]
    assert [(part["qty"], part["price"]) for part in money["parts"]] == [(1, 100), (1, 30), (1, 80)]


async def test_an_adjustment_is_refused_with_a_reason_and_deleted(
    client: Client, staff: dict[str, Client]
) -> None:
    """Without a reason it is not; what is wrong with one harms no other of the batch."""
    await sold(client, "AP-2", ship=True)
    line = {"product_id": 10, "unit_id": 1, "qty": 2, "price": 100, "ask": 90}
    good = {"variant": "AFTER", "order": "AP-2", "lines": [line], "customer_id": BUYER}
    others = [
        {**good, "variant": "BEFORE"},
        {**good, "order": "AP-none"},
        {**good, "customer_id": 1},
        {**good, "lines": [{**line, "qty": 3}]},
    ]
    reply = await staff["sales"].post("/adjustments", {"adjustments": [*others, good]})
    codes = [o["problem"]["code"] for o in reply.json["outcomes"][:-1]]
    assert codes == ["order_not_waiting", "unknown_order", "not_of_customer", "too_many"]
    number = reply.json["outcomes"][-1]["result"]["number"]
    bad = {"acts": [{"number": number, "action": "refuse", "reason": " "}]}
    refused = await staff["cpa"].post("/adjustments/acts", bad)
    assert (refused.status, refused.json["path"]) == (422, "acts[0].reason")
    assert await act(staff["cpa"], "adjustments", number, "refuse", reason="太多") == "INVALID"
    found = await every(staff["sales"], "/adjustments?order=AP-2&variant=AFTER&limit=1")
    assert [(paper["number"], paper["actions"]) for paper in found] == [(number, ["delete"])]
    assert await act(staff["sales"], "adjustments", number, "delete") == "DELETED"
    assert (await client.get(f"/adjustments/{number}")).status == 404
    assert (await client.get("/adjustments?order=AP-2")).json["items"] == []


async def test_a_return_goes_its_way(client: Client, staff: dict[str, Client]) -> None:
    """Worked out, filed, edited, run, passed, signed in, refunded; the goods lie at the depot."""
    await sold(client, "SR-1", ship=True)
    left = (await client.get("/returns/returnable?order=SR-1")).json
    assert ([part["left"] for part in left["parts"]], left["freight"]) == ([2, 1], 12.5)
    content = {
        "order": "SR-1",
        "depot_id": DEPOT,
        "lines": [{"unit_id": 1, "qty": 1, "price": 100}],
        "with_freight": True,
    }
    worked_out = await one(client, "/returns/calculate", returns=content)
    assert worked_out["result"] == {
        "price": 100, "discount": 10, "freight": 12.5, "total": 102.5, "cases": 0, "loose": 1,
    }  # fmt: skip
    filed = await one(staff["sales"], "/returns", returns=content)
    number = filed["result"]["number"]
    shown = await staff["sales"].get(f"/returns/{number}")
    assert (shown.json["total"], shown.json["depot"], shown.json["customer"]) == (
        102.5, "大连仓", "么志勇",
    )  # fmt: skip
    assert shown.json["actions"] == ["run", "edit", "delete"]
    edited = {**content, "with_freight": False, "remark": "不含运费"}
    old = shown.headers["etag"]
    reply = await staff["sales"].call("PUT", f"/returns/{number}", edited, If_Match=old)
    assert (reply.status, reply.json["total"], reply.json["remark"]) == (200, 77.5, "不含运费")
    reply = await staff["sales"].call("PUT", f"/returns/{number}", content, If_Match=old)
    assert reply.status == 412
    steps = ("run", "sales"), ("pass", "cpa"), ("receive", "warehouse"), ("complete", "finance")
    states = [await act(staff[who], "returns", number, step) for step, who in steps]
    assert states == ["RUN", "FMS_PASS", "RECEIVE", "COMPLETE"]
    places = {row["location"]: row["on_hand"] for row in await levels(client, "SR-1-A")}
    assert places == {"P-1": 7, str(DEPOT): 1}
    (order,) = (await client.get("/orders?number=SR-1")).json["items"]
    assert (await client.get(f"/orders/{order['id']}")).json["money"]["refunded"] == 77.5
    (listed,) = await every(staff["sales"], f"/returns?customer_id={BUYER}&state=COMPLETE&limit=1")
    assert (listed["number"], listed["actions"]) == (number, [])
    left = (await client.get("/returns/returnable?order=SR-1")).json
    assert ([part["left"] for part in left["parts"]], left["freight"]) == ([1, 1], 0)


async def test_returns_are_refused_each_for_itself(
    client: Client, staff: dict[str, Client]
) -> None:
    """What was not shipped, not sold or is no more there; numbers that nobody has."""
    await sold(client, "SR-2", ship=False)
    content = {"order": "SR-2", "depot_id": DEPOT, "lines": [{"unit_id": 1, "qty": 1, "price": 1}]}
    wrong = [content, {**content, "order": "SR-none"}, {**content, "customer_id": 1}]
    reply = await staff["sales"].post("/returns", {"returns": wrong})
    codes = [one["problem"]["code"] for one in reply.json["outcomes"]]
    assert codes == ["order_not_shipped", "unknown_order", "not_of_customer"]
    nobody = "SR0000000000000"
    assert await act(staff["cpa"], "returns", nobody, "pass") == "unknown_paper"
    assert (await client.get(f"/returns/{nobody}")).status == 404
    assert (await client.get("/returns/returnable?order=none")).status == 404
    assert (await staff["sales"].call("PUT", f"/returns/{nobody}", content)).status == 404
    assert (await client.get("/returns/SR1")).status == 400


async def test_a_token_that_stands_for_nobody_files_nothing(
    client: Client, staff: dict[str, Client]
) -> None:
    """It may look; the token of who is let in no longer ends with them."""
    await sold(client, "AP-3", ship=False)
    line = {"product_id": 10, "unit_id": 1, "qty": 1, "price": 100, "ask": 80}
    new = {"adjustments": [{"variant": "BEFORE", "order": "AP-3", "lines": [line]}]}
    reply = await client.post("/adjustments", new)
    assert (reply.status, reply.json["code"]) == (403, "nobody")
    assert (await client.get("/adjustments")).status == 200
    tenant_id = client.hub.registry.tenant("demo")

    async def let_in(*, active: bool) -> None:
        await client.hub.db.run(
            tenant_id, lambda tx: people.set_active(tx, "api-sales", active=active)
        )

    await let_in(active=False)
    assert (await staff["sales"].get("/adjustments")).status == 401
    await let_in(active=True)
    assert (await staff["sales"].post("/adjustments", new)).status == 200
