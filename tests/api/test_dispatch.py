"""Outlets, pieces and dispatch through the API: who ships an order, why, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest_asyncio

from tests.api.test_goods import every, stocked

if TYPE_CHECKING:
    from tests.api.client import Client

CITY = {"province": "浙江省", "city": "宁波市"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outlets(client: Client) -> list[str]:
    """Give two outlets of our own people in a city where nobody else has any goods of ours."""
    codes = ["N-1", "N-2"]
    places = [{"code": code, "name": f"{code}店", **CITY} for code in codes]
    await client.post("/locations", {"locations": places})
    set_up = [{"code": code, "priority": at, "groups": ["宁波"]} for at, code in enumerate(codes)]
    reply = await client.post("/outlets", {"outlets": set_up})
    assert [one["code"] for one in reply.json["outlets"]] == codes
    return codes


async def ordered(client: Client, number: str, sku: str, qty: int) -> dict[str, Any]:
    """Order goods for a receiver in Ningbo; return the order's only note."""
    receiver = {"name": "李四", "phone": "13900139000", "address": "中山路一号", **CITY}
    order = {"number": number, "lines": [{"sku": sku, "qty": qty}], "receiver": receiver}
    reply = await client.post("/orders", {"orders": [order]})
    assert reply.status == 200, reply.json
    (note,) = (await client.get(f"/dispatch/notes?order={number}")).json["items"]
    return dict(note)


async def coded(client: Client, sku: str, place: str, *codes: str) -> None:
    """Register pieces with codes at a location."""
    pieces = [{"code": code, "sku": sku, "location": place} for code in codes]
    assert (await client.post("/pieces", {"pieces": pieces})).status == 200


async def outcome(client: Client, path: str, **body: Any) -> Any:
    """Send a batch of one; return its result, or the refusal's code."""
    ((name, item),) = body.items()
    (found,) = (await client.post(path, {name: [item]})).json["outcomes"]
    return found["result"] if "result" in found else found["problem"]["code"]


async def test_outlets_are_set_up_and_listed(client: Client) -> None:
    """All of them or none; what is left out returns to its default."""
    await client.post("/locations", {"locations": [{"code": "N-9", "name": "九店", **CITY}]})
    lacking = {"outlets": [{"code": "N-9"}, {"code": "nowhere"}]}
    reply = await client.post("/outlets", lacking)
    assert (reply.status, reply.json["code"]) == (404, "unknown_location")
    new = {"code": "N-9", "connection": "goldshop", "priority": 3, "groups": ["宁波"]}
    reply = await client.post("/outlets", {"outlets": [new]})
    assert reply.json["outlets"][0]["connection"] == "goldshop"
    (only,) = await every(client, "/outlets?connection=goldshop&limit=5")
    assert only["code"] == "N-9"
    await client.post("/outlets", {"outlets": [{"code": "N-9", "paused": True}]})
    found = {one["code"]: one for one in await every(client, "/outlets?ships=true&limit=2")}
    assert found["N-9"] == {
        "code": "N-9", "name": "九店", **CITY, "connection": None, "ships": True, "paused": True,
        "priority": 100, "daily_capacity": None, "groups": [],
    }  # fmt: skip
    bad = {"code": "N-9", "groups": ["a\x1fb"]}
    assert (await client.post("/outlets", {"outlets": [bad]})).status == 400


async def test_pieces_are_registered_and_found(client: Client, outlets: list[str]) -> None:
    """By code, article, place and state; a known one moves to where it is said to lie."""
    await stocked(client, "DP-1", **{"N-1": 2, "N-2": 0})
    await coded(client, "DP-1", outlets[0], "DP1-a", "DP1-b")
    await coded(client, "DP-1", outlets[1], "DP1-b")
    found = await every(client, "/pieces?sku=DP-1&state=in_stock&limit=1")
    assert [(one["code"], one["location"]) for one in found] == [("DP1-a", "N-1"), ("DP1-b", "N-2")]
    assert [
        one["code"] for one in await every(client, "/pieces?location=N-2&sku=DP-1&limit=9")
    ] == ["DP1-b"]
    (one,) = (await client.get("/pieces?code=DP1-a")).json["items"]
    assert one["sku"] == "DP-1"
    reply = await client.post(
        "/pieces", {"pieces": [{"code": "x", "sku": "none", "location": "N-1"}]}
    )
    assert (reply.status, reply.json["code"]) == (422, "unknown_article")


async def test_an_order_is_sourced_explained_shipped_and_comes_back(
    client: Client, outlets: list[str]
) -> None:
    """The note, why its outlet, its parcel, another waybill, the piece that returns elsewhere."""
    await stocked(client, "DP-2", **{"N-1": 3, "N-2": 1})
    await coded(client, "DP-2", outlets[0], "DP2-a", "DP2-b")
    note = await ordered(client, "DO-2", "DP-2", 2)
    assert (note["outlet"], note["state"], note["lines"]) == (
        "N-1", "open", [{"sku": "DP-2", "qty": 2, "shipped": 0}],
    )  # fmt: skip
    told = (await client.get("/dispatch/explain?number=DO-2")).json
    chosen = {one["outlet"]: one["chosen"] for one in told["outlets"]}
    assert (chosen["N-1"], chosen["N-2"], told["goods"]) == (True, False, {"DP-2": 2})
    parcel = {"express": "SF", "waybill": "SF-DO-2", "codes": ["DP2-a", "DP2-b"]}
    ship = {"note": note["number"], "parcels": [parcel]}
    assert await outcome(client, "/dispatch/ship", notes=ship) == {"order": "DO-2", "changed": True}
    change = {"note": note["number"], "target": "SF-DO-2", "express": "YT", "waybill": "YT-DO-2"}
    assert (await outcome(client, "/dispatch/waybills", waybills=change))["changed"]
    again = await outcome(client, "/dispatch/waybills", waybills=change)
    assert (again["order"], again["changed"]) == ("DO-2", False)
    back = {"outlet": "N-2", "code": "DP2-a", "waybill": "R-1", "express": "SF"}
    assert (await outcome(client, "/dispatch/returns", pieces=back))["order"] == "DO-2"
    (piece,) = (await client.get("/pieces?code=DP2-a")).json["items"]
    assert (piece["location"], piece["state"]) == ("N-2", "in_stock")
    await client.get("/dispatch/notes?outlet=N-1&state=done")
    closed = await every(client, "/dispatch/notes?outlet=N-1&state=done&onward=none&limit=1")
    assert note["number"] in [one["number"] for one in closed]
    assert await outcome(client, "/dispatch/void", orders={"number": "DO-2"}) == "order_left"


async def test_a_refused_note_is_offered_elsewhere_and_parked_goods_again(
    client: Client, outlets: list[str]
) -> None:
    """What is not parked cannot be offered again; a void order's note is void."""
    del outlets
    await stocked(client, "DP-3", **{"N-1": 1, "N-2": 1})
    note = await ordered(client, "DO-3", "DP-3", 1)
    refusal = {"note": note["number"], "reason": "缺货"}
    assert (await outcome(client, "/dispatch/refuse", notes=refusal))["order"] == "DO-3"
    notes = await every(client, "/dispatch/notes?order=DO-3&limit=1")
    assert [(n["outlet"], n["state"], n["reason"]) for n in notes] == [
        ("N-2", "open", ""), ("N-1", "refused", "缺货"),
    ]  # fmt: skip
    named = {"number": "DO-3"}
    assert await outcome(client, "/dispatch/source", orders=named) == "nothing_parked"
    voided = await outcome(client, "/dispatch/void", orders=named)
    assert voided == {"order": "DO-3", "verdict": "void"}
    assert (await client.get("/dispatch/notes?order=DO-3")).json["items"][0]["state"] == "void"
    wish = {"note": note["number"], "reason": "改派"}
    assert (await outcome(client, "/dispatch/withdraw", notes=wish))["changed"] is False
    for path in ("ship", "refuse", "withdraw"):
        body = {"note": "none", "parcels": [{"express": "SF", "waybill": "1", "codes": ["1"]}]}
        body = body if path == "ship" else {"note": "none", "reason": "1"}
        assert await outcome(client, f"/dispatch/{path}", notes=body) == "unknown_note"
    assert await outcome(client, "/dispatch/void", orders={"number": "none"}) == "unknown_order"


async def test_a_dry_run_reserves_nothing(client: Client, outlets: list[str]) -> None:
    """The same goods twice are added up; unknown goods and stores are named."""
    del outlets
    await stocked(client, "DP-4", **{"N-1": 3})
    wanted = {"goods": [{"sku": "DP-4", "qty": 1}, {"sku": "DP-4", "qty": 3}], **CITY}
    found = (await client.post("/dispatch/dry-run", wanted)).json
    assert (found["goods"], found["lacking"], found["number"]) == ({"DP-4": 4}, {"DP-4": 1}, None)
    (level,) = (await client.get("/stock/levels?sku=DP-4")).json["items"]
    assert level["reserved"] == 0
    reader = await client.holding("dispatch:read")
    reply = await reader.post("/dispatch/dry-run", {**wanted, "goods": [{"sku": "no", "qty": 1}]})
    assert (reply.status, reply.json["code"]) == (422, "unknown_goods")
    reply = await reader.post("/dispatch/dry-run", {**wanted, "shop": "no"})
    assert (reply.status, reply.json["code"]) == (404, "unknown_store")
    assert (await client.get("/dispatch/explain?number=none")).status == 404


async def test_what_does_not_agree_is_listed_and_settled(
    client: Client, outlets: list[str]
) -> None:
    """A piece that lay elsewhere than the ledger said, until a person has looked at it."""
    await stocked(client, "DP-5", **{"N-1": 1, "N-2": 1})
    await coded(client, "DP-5", outlets[1], "DP5-a")
    note = await ordered(client, "DO-5", "DP-5", 1)
    parcel = {"express": "SF", "waybill": "SF-DO-5", "codes": ["DP5-a"]}
    await outcome(client, "/dispatch/ship", notes={"note": note["number"], "parcels": [parcel]})
    (mine,) = await every(client, "/discrepancies?document=DO-5&limit=1")
    assert (mine["kind"], mine["subject"], mine["connection"]) == ("moved", "DP5-a", None)
    verdict = {"id": mine["id"], "reason": "moved it"}
    for one, wanted in (
        (verdict, {"id": mine["id"]}),
        ({**verdict, "id": "1"}, "unknown_discrepancy"),
    ):
        assert await outcome(client, "/discrepancies/resolve", discrepancies=one) == wanted
    assert await every(client, "/discrepancies?document=DO-5&limit=1") == []
    (done,) = await every(client, "/discrepancies?document=DO-5&all=true&limit=1")
    assert (done["resolved_by"], done["reason"]) == ("erp (api)", "moved it")
    assert await every(client, "/discrepancies?connection=goldshop&kind=total&limit=1") == []
