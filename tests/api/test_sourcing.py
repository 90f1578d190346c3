"""Sourcing rules and what texts of refusals mean, through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot.dispatch import sourcing

if TYPE_CHECKING:
    from tests.api.client import Client

RULES = "/dispatch/rules"


def kinds(reply: Any) -> list[str]:
    """Return the kinds of rules that a reply lists, in order."""
    return [rule["kind"] for rule in reply.json["rules"]]


async def test_rules_are_added_changed_and_taken_away(client: Client) -> None:
    """At their places; without any left the default ones hold again."""
    usual = [rule["kind"] for rule in sourcing.DEFAULT]
    first = await client.get(RULES)
    assert kinds(first) == usual
    depth = {"kind": "depth", "settings": {"pieces": 2}}
    added = await client.post(RULES, {"rule": depth, "place": 1})
    assert (added.status, kinds(added)) == (200, ["depth", *usual])
    assert added.json["rules"][0] == depth
    last = await client.post(RULES, {"rule": {"kind": "minimum", "settings": {"amount": "9.5"}}})
    assert kinds(last)[-1] == "minimum"
    place = len(usual) + 2
    changed = await client.call("PUT", f"{RULES}/{place}", {**depth, "settings": {"pieces": 3}})
    assert changed.status == 200
    assert changed.json["rules"][-1]["settings"] == {"pieces": 3}
    gone = await client.call("DELETE", f"{RULES}/{place}")
    assert kinds(gone) == ["depth", *usual]
    assert (await client.call("DELETE", f"{RULES}/{place}")).json["code"] == "unknown_rule"
    emptied = await client.call("PUT", RULES, {"rules": []}, If_Match=gone.headers["etag"])
    assert (emptied.status, kinds(emptied)) == (200, usual)
    stale = await client.call("PUT", RULES, {"rules": []}, If_Match=gone.headers["etag"])
    assert stale.status == 412


async def test_what_is_no_rule_is_refused(client: Client) -> None:
    """Unknown kinds and settings, and more rules than there may be; who only reads changes nothing."""
    for rule, status in (
        ({"kind": "mood"}, 400),
        ({"kind": "depth", "settings": {}}, 422),
        ({"kind": "depth", "settings": {"pieces": "many"}}, 422),
        ({"kind": "city", "settings": {"pieces": 1}}, 422),
        ({"kind": "city", "settings": {"kind": "depth"}}, 422),
    ):
        reply = await client.post(RULES, {"rule": rule})
        assert reply.status == status, (rule, reply.json)
    many = {"rules": [{"kind": "city"}] * 101}
    assert (await client.call("PUT", RULES, many)).status == 400
    full = {"rules": [{"kind": "group", "settings": {"groups": ["a"]}}] * 100}
    assert (await client.call("PUT", RULES, full)).status == 200
    assert (await client.post(RULES, {"rule": {"kind": "paused"}})).json["code"] == "too_many"
    assert (await client.call("PUT", RULES, {"rules": []})).status == 200
    reader = await client.holding("dispatch:read")
    assert (await reader.get(RULES)).status == 200
    assert (await reader.call("PUT", RULES, {"rules": []})).status == 403


async def test_texts_of_refusals_mean_something(client: Client) -> None:
    """Per connection; those that are not named stay, blanks around a text do not count."""
    said = [{"text": " 无货 ", "effect": "empty"}, {"text": "破损", "effect": "unsellable"}]
    reply = await client.call(
        "PUT", "/dispatch/reasons", {"connection": "storepos", "reasons": said}
    )
    assert reply.status == 200, reply.json
    again = [{"text": "破损", "effect": "unchanged"}]
    await client.call("PUT", "/dispatch/reasons", {"connection": "storepos", "reasons": again})
    shown = (await client.get("/dispatch/reasons?connection=storepos")).json
    effects = {one["text"]: one["effect"] for one in shown["reasons"]}
    assert (effects["无货"], effects["破损"]) == ("empty", "unchanged")
    audit = (await client.get("/audit?what=refusal%20reason%20set&limit=1")).json["items"]
    assert audit[0]["subject"] == "storepos"
    reply = await client.get("/dispatch/reasons?connection=none")
    assert (reply.status, reply.json["code"]) == (422, "unknown_connection")
    assert (await client.get("/dispatch/reasons")).status == 400
