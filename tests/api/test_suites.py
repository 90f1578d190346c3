"""Suites through the API: composed, tried out, shown, taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.api.test_goods import every, stocked

if TYPE_CHECKING:
    from tests.api.client import Client


def box(sku: str, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a suite as it is saved."""
    return {"sku": sku, "parts": list(parts), **more}


async def test_a_suite_is_saved_and_shown(client: Client) -> None:
    """With its parts, how many there are, and what limits it; saved again, it keeps its number."""
    await stocked(client, "SU-1a", **{"SU-L": 7})
    await stocked(client, "SU-1b", **{"SU-L": 5})
    parts = ({"sku": "SU-1a", "num": 2}, {"sku": "SU-1b", "num": "1", "ratio": 0.25})
    new = box("SU-1", *parts, name="礼盒", retail_price=99.5, props=["红"], print_mode=1)
    (saved,) = (await client.post("/suites", {"suites": [new]})).json["outcomes"]
    (listed,) = await every(client, "/suites?sku=SU-1&limit=1")
    shown = await client.get(f"/suites/{listed['id']}")
    assert (shown.json["number"], shown.json["name"]) == (saved["result"]["number"], "礼盒")
    assert (shown.json["available"], shown.json["limited_by"]) == (3, "SU-1a")
    assert shown.json["props"] == ["红", "", "", "", "", ""]
    assert shown.json["retail_price"] == 99.5
    first, second = shown.json["parts"]
    assert (first["sku"], first["num"], first["ratio"], first["fixed_price"]) == (
        "SU-1a",
        2,
        None,
        None,
    )
    assert (second["num"], second["ratio"]) == (1, 0.25)
    again = await client.get(f"/suites/{listed['id']}", If_None_Match=shown.headers["etag"])
    assert again.status == 304
    (saved_again,) = (await client.post("/suites", {"suites": [box("SU-1", parts[1])]})).json[
        "outcomes"
    ]
    assert saved_again["result"] == saved["result"]
    assert [one["sku"] for one in await every(client, "/suites?part=SU-1b&limit=1")] == ["SU-1"]
    assert await every(client, "/suites?part=SU-1a&limit=1") == []
    article = (await client.get("/articles?sku=SU-1a")).json["items"][0]["id"]
    assert (await client.get(f"/suites/{article}")).json["code"] == "unknown_suite"


async def test_what_is_wrong_with_one_suite_harms_no_other(client: Client) -> None:
    """Each is answered for itself; a dry run says the same and changes nothing."""
    await stocked(client, "SU-2a", **{"SU-L": 1})
    part = {"sku": "SU-2a", "num": 1}
    wrong = [
        (box("SU-2"), "no_parts"),
        (box("SU-2", part, part), "part_twice"),
        (box("SU-2", {**part, "num": 0}), "num_not_positive"),
        (box("SU-2", {**part, "ratio": 2}), "bad_ratio"),
        (box("SU-2", {"sku": "none", "num": 1}), "unknown_parts"),
        (box("SU-2a", part), "suite_as_part"),
    ]
    body = {"suites": [box("SU-2", part), *(one for one, _ in wrong)]}
    tried = (await client.post("/suites/dry-run", body)).json["outcomes"]
    assert await every(client, "/suites?sku=SU-2&limit=1") == []
    reply = await client.post("/suites", body)
    assert reply.status == 207
    for outcomes in (tried, reply.json["outcomes"]):
        assert outcomes[0]["result"]["sku"] == "SU-2"
        assert [one["problem"]["code"] for one in outcomes[1:]] == [code for _, code in wrong]
    reader = await client.holding("suites:read")
    assert (await reader.post("/suites/dry-run", body)).status == 207
    assert (await reader.post("/suites", body)).status == 403


async def test_a_price_falls_on_the_parts_to_the_cent(client: Client) -> None:
    """Fixed prices first, the rest by ratio; the amounts add up."""
    for sku in ("SU-3a", "SU-3b", "SU-3c"):
        await stocked(client, sku, **{"SU-L": 1})
    parts = (
        {"sku": "SU-3a", "num": 2, "is_fixed_price": True, "fixed_price": 10},
        {"sku": "SU-3b", "num": 1, "ratio": 0.3333},
        {"sku": "SU-3c", "num": 1},
    )
    await client.post("/suites", {"suites": [box("SU-3", *parts)]})
    reply = await client.post("/suites/split", {"sku": "SU-3", "price": "99.99"})
    shares = reply.json["shares"]
    assert [(one["sku"], one["qty"]) for one in shares] == [
        ("SU-3a", 2),
        ("SU-3b", 1),
        ("SU-3c", 1),
    ]
    assert shares[0]["amount"] == 20
    assert sum(round(one["amount"] * 100) for one in shares) == 9999
    assert (await client.post("/suites/split", {"sku": "SU-3a", "price": 1})).status == 404


async def test_labels_are_added_and_listed(client: Client) -> None:
    """A suite may bear one of them."""
    reply = await client.post("/suites/labels", {"labels": ["新年", "新年", "中秋"]})
    assert {"新年", "中秋"} <= set(reply.json["labels"])
    assert (await client.get("/suites/labels")).json == reply.json
