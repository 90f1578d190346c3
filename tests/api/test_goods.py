"""Articles, locations, listings and stock through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot.stock import views

if TYPE_CHECKING:
    from tests.api.client import Client


async def stocked(client: Client, sku: str, **places: int) -> None:
    """Make an article with so many pieces at each location."""
    codes = [{"code": code} for code in places]
    await client.post("/locations", {"locations": codes})
    await client.post("/articles", {"articles": [{"sku": sku}]})
    counts = [{"sku": sku, "location": code, "on_hand": n} for code, n in places.items()]
    reply = await client.post("/stock/stocktakes", {"counts": counts})
    assert reply.status == 200, reply.json


async def levels(client: Client, sku: str) -> list[dict[str, Any]]:
    """Return the balances of an article."""
    found: list[dict[str, Any]] = (await client.get(f"/stock/levels?sku={sku}")).json["items"]
    return found


async def every(client: Client, path: str) -> list[dict[str, Any]]:
    """Return all items of a list, page by page."""
    items: list[dict[str, Any]] = []
    after = ""
    while True:
        page = (await client.get(path + after)).json
        items += page["items"]
        if page["next"] is None:
            return items
        after = f"&after={page['next']}"


async def test_an_article_is_saved_shown_and_replaced(client: Client) -> None:
    """POST creates or replaces by SKU; PUT replaces one; what is left out returns to its default."""
    new = {
        "sku": "A-1",
        "style_no": "AS-1",
        "name": "戒指",
        "unit": "件",
        "details": {"x": [1, 2.5, "三"]},
    }
    saved = await client.post("/articles", {"articles": [new, {"sku": "A-2"}]})
    assert saved.status == 200
    assert [one["sku"] for one in saved.json["articles"]] == ["A-1", "A-2"]
    path = f"/articles/{saved.json['articles'][0]['id']}"
    shown = await client.get(path)
    assert {key: shown.json[key] for key in new} == new
    assert shown.json["kind"] == "single"
    replaced = await client.call("PUT", path, {"name": "手镯"})
    assert (replaced.status, replaced.json["sku"], replaced.json["name"]) == (200, "A-1", "手镯")
    assert (replaced.json["style_no"], replaced.json["details"]) == (None, {})


async def test_a_style_number_is_one_article_s(client: Client) -> None:
    """A taken style number is a conflict, and nothing of the request is saved."""
    await client.post("/articles", {"articles": [{"sku": "A-3", "style_no": "AS-3"}]})
    both = {"articles": [{"sku": "A-4"}, {"sku": "A-5", "style_no": "AS-3"}]}
    reply = await client.post("/articles", both)
    assert (reply.status, reply.json["code"]) == (409, "article_style_no_taken")
    assert (await client.get("/articles?sku=A-4&sku=A-5")).json["items"] == []


async def test_a_document_is_changed_only_as_it_was_seen(client: Client) -> None:
    """ETag, If-None-Match and If-Match hold two editors apart."""
    saved = await client.post("/articles", {"articles": [{"sku": "A-6"}]})
    path = f"/articles/{saved.json['articles'][0]['id']}"
    etag = (await client.get(path)).headers["etag"]
    known = await client.get(path, If_None_Match=f'"x", {etag}')
    assert (known.status, known.body, known.headers["etag"]) == (304, b"", etag)
    first = await client.call("PUT", path, {"name": "one"}, If_Match=etag)
    assert first.status == 200
    assert first.headers["etag"] == (await client.get(path)).headers["etag"] != etag
    second = await client.call("PUT", path, {"name": "two"}, If_Match=etag)
    assert (second.status, second.json["code"]) == (412, "changed_since")
    assert (await client.get(path)).json["name"] == "one"
    assert (await client.call("PUT", path, {"name": "two"}, If_Match="*")).status == 200


async def test_a_list_is_read_to_its_end_while_it_grows(client: Client) -> None:
    """A page starts behind a key: nothing is read twice or left out."""
    skus = [f"P-{n:03}" for n in range(25)]
    await client.post("/articles", {"articles": [{"sku": sku} for sku in skus]})
    found: list[str] = []
    after = ""
    while True:
        page = (await client.get(f"/articles?limit=7{after}")).json
        found += [one["sku"] for one in page["items"]]
        await client.post("/articles", {"articles": [{"sku": f"A0-{len(found)}"}]})
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == sorted(set(found))
    assert set(skus) <= set(found)


async def test_locations_and_listings_are_saved_by_code_and_key(client: Client) -> None:
    """Repeating a code renames, repeating a key points elsewhere; unknown names are all named."""
    places = {"locations": [{"code": "L-1", "name": "一", "province": "江苏省", "city": "南京市"}]}
    saved = await client.post("/locations", places)
    path = f"/locations/{saved.json['locations'][0]['id']}"
    assert (await client.get(path)).json["city"] == "南京市"
    await client.post("/locations", {"locations": [{"code": "L-1", "name": "二"}]})
    assert (await client.get("/locations?code=L-1")).json["items"][0]["name"] == "二"

    listing = {"connection": "minimall", "type": "normal", "key": "9^^^x", "sku": "MM1"}
    assert (await client.post("/listings", {"listings": [listing]})).json == {"saved": 1}
    await client.post("/listings", {"listings": [{**listing, "sku": "MM2"}]})
    found = (await client.get("/listings?connection=minimall&key=9%5E%5E%5Ex")).json["items"]
    assert [one["sku"] for one in found] == ["MM2"]
    assert len(await every(client, "/listings?connection=minimall&limit=2")) == 5
    bad = [{**listing, "sku": sku} for sku in ("no-2", "no-1")]
    reply = await client.post("/listings", {"listings": bad})
    assert (reply.status, reply.json["facts"]) == (422, {"names": ["no-1", "no-2"]})
    for wrong in ({"type": "coupon"}, {"key": "no-spec"}):
        reply = await client.post("/listings", {"listings": [listing, {**listing, **wrong}]})
        assert (reply.status, reply.json["code"]) == (422, "misnamed")


async def test_a_stocktake_is_booked_as_the_difference(client: Client) -> None:
    """Weights are exact numbers; the ledger says who counted."""
    await stocked(client, "T-1", **{"T-A": 5})
    counted = {"sku": "T-1", "location": "T-A", "on_hand": 8, "weight": 21.0105}
    reply = await client.post("/stock/stocktakes", {"counts": [counted]})
    (level,) = reply.json["levels"]
    assert (level["on_hand"], level["weight"], level["available"]) == (8, 21.0105, 8)
    moves = (await client.get("/stock/movements?sku=T-1")).json["items"]
    assert [(m["kind"], m["delta"], m["on_hand"], m["who"]) for m in moves] == [
        ("stocktake", 3, 8, "erp (api)"),
        ("stocktake", 5, 5, "erp (api)"),
    ]
    for weight in (-1, 0.00001, "NaN", 10**15):
        reply = await client.post("/stock/stocktakes", {"counts": [{**counted, "weight": weight}]})
        assert (reply.status, reply.json["path"]) == (422, "counts[0]")


async def test_a_transfer_takes_pieces_and_their_weight_along(client: Client) -> None:
    """Nothing is lost on the way; what is not there cannot go."""
    await stocked(client, "T-2", **{"T-B": 4, "T-C": 0})
    counted = {"sku": "T-2", "location": "T-B", "on_hand": 3, "weight": 10}
    await client.post("/stock/stocktakes", {"counts": [counted]})
    go = {"sku": "T-2", "source": "T-B", "target": "T-C", "qty": 1}
    reply = await client.post("/stock/transfers", {"transfers": [go, go], "document": "TR-1"})
    assert reply.status == 200
    assert {one["location"]: (one["on_hand"], one["weight"]) for one in reply.json["levels"]} == {
        "T-B": (1, 3.3333),
        "T-C": (2, 6.6667),
    }
    reply = await client.post("/stock/transfers", {"transfers": [go, go]})
    assert (reply.status, reply.json["code"]) == (409, "not_on_hand")
    assert [one["on_hand"] for one in await levels(client, "T-2")] == [1, 2]
    assert len((await client.get("/stock/movements?document=TR-1")).json["items"]) == 4
    last = {**go, "qty": 1}
    reply = await client.post("/stock/transfers", {"transfers": [last]})
    assert {one["location"]: (one["on_hand"], one["weight"]) for one in reply.json["levels"]} == {
        "T-B": (0, 0),
        "T-C": (3, 10),
    }
    async with client.hub.db.reading(client.hub.registry.tenant("demo")) as tx:
        assert await views.discrepancies(tx) == []


async def test_safety_stock_is_kept_back(client: Client) -> None:
    """What is kept back is not available; a later figure replaces it."""
    await stocked(client, "T-3", **{"T-D": 10})
    for pieces in (4, 3):
        kept = {"safety": [{"sku": "T-3", "location": "T-D", "safety": pieces}]}
        reply = await client.call("PUT", "/stock/safety", kept)
        assert reply.status == 200
    (level,) = reply.json["levels"]
    assert (level["on_hand"], level["safety"], level["available"]) == (10, 3, 7)


async def test_movements_are_found_by_time(client: Client) -> None:
    """Since and until are inclusive moments with an offset."""
    await stocked(client, "T-4", **{"T-E": 1, "T-F": 2})
    moves = (await client.get("/stock/movements?sku=T-4")).json["items"]
    at = moves[0]["at"].replace("+", "%2B")
    assert (
        len((await client.get(f"/stock/movements?sku=T-4&until={at}&since={at}")).json["items"])
        == 2
    )
    assert (await client.get("/stock/movements?sku=T-4&since=2999-01-01T00:00:00Z")).json[
        "items"
    ] == []
    assert len(await every(client, "/stock/movements?sku=T-4&limit=1")) == 2
    assert len(await every(client, "/stock/levels?sku=T-4&limit=1")) == 2


async def test_a_listing_is_taken_away_for_a_reason(client: Client) -> None:
    """What is not there is refused for itself; the article stays."""
    listing = {"connection": "minimall", "type": "normal", "key": "8^^^gone"}
    await client.post("/listings", {"listings": [{**listing, "sku": "MM1"}]})
    gone = {"listings": [listing, listing], "reason": "no longer sold"}
    reply = await client.post("/listings/remove", gone)
    assert [one["status"] for one in reply.json["outcomes"]] == [200, 404]
    assert reply.json["outcomes"][0]["result"] == {"sku": "MM1"}
    assert (await client.get("/listings?connection=minimall&key=8%5E%5E%5Egone")).json[
        "items"
    ] == []
    (audited,) = (await client.get("/audit?what=listing%20remove&limit=1")).json["items"]
    assert (audited["subject"], audited["reason"]) == ("MM1", "no longer sold")
    blank = await client.post("/listings/remove", {**gone, "reason": " "})
    assert blank.status == 400
