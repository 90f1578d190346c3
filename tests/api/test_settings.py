"""The tenant's settings, what runs by the clock, the proof, and a connection's kit, through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.api.client import Client


async def test_settings_are_changed_by_name(client: Client) -> None:
    """What is no setting, and no value of one, is refused; who saw other settings changes nothing."""
    shown = await client.get("/settings")
    assert shown.json["settings"]["allow_raise"] == "off"
    raised = {"settings": {"allow_raise": "on"}}
    reply = await client.call("PATCH", "/settings", raised, If_Match=shown.headers["etag"])
    assert (reply.status, reply.json["settings"]["allow_raise"]) == (200, "on")
    assert (await client.call("PATCH", "/settings", raised, If_Match="no")).status == 412
    for wrong in ({"mood": "good"}, {"allow_raise": "maybe"}, {"allowed_networks": "here"}):
        reply = await client.call("PATCH", "/settings", {"settings": wrong})
        assert reply.status == 422, reply.json
    reply = await client.call("PATCH", "/settings", {"settings": {"allow_raise": ""}})
    assert reply.json["settings"]["allow_raise"] == "off"
    reader = await client.holding("settings:read")
    assert (await reader.call("PATCH", "/settings", raised)).status == 403


async def test_what_runs_by_the_clock_is_listed_and_run_at_once(client: Client) -> None:
    """A tenant's own only; a name that is none is refused."""
    tenant_id = client.hub.registry.tenant("demo")
    async with client.hub.db.transaction(tenant_id) as tx:
        await tx.do(
            "INSERT INTO schedule (tenant_id, name, every, next_at)"
            " VALUES ($1, 'levels minimall', 300, now() + interval '5 minutes')"
        )
    (before,) = (await client.get("/schedules")).json["schedules"]
    assert (before["name"], before["every"], before["running"], before["took"]) == (
        "levels minimall", 300, False, None,
    )  # fmt: skip
    reply = await client.post("/schedules/run", {"name": "levels minimall"})
    assert (reply.status, reply.json) == (202, {"name": "levels minimall"})
    (after,) = (await client.get("/schedules")).json["schedules"]
    assert after["next_at"] < before["next_at"]
    reply = await client.post("/schedules/run", {"name": "partitions"})
    assert (reply.status, reply.json["code"]) == (404, "unknown_schedule")


async def test_balances_are_proven_and_what_is_not_is_named(client: Client) -> None:
    """Rows that no ledger explains; ids are text."""
    assert (await client.get("/stock/proof")).json == {"stock": [], "money": []}
    tenant_id = client.hub.registry.tenant("demo")
    async with client.hub.db.transaction(tenant_id) as tx:
        await tx.do(
            "UPDATE stock SET on_hand = on_hand + 1 WHERE tenant_id = $1"
            " AND article_id = (SELECT id FROM article WHERE tenant_id = $1 AND sku = 'MF004')"
        )
    (found,) = (await client.get("/stock/proof")).json["stock"]
    assert "MF004" in found.values()


async def test_a_partner_s_developer_gets_a_document_and_a_twin(client: Client) -> None:
    """Without the key; the twin is in a tenant of its own, with copies of the goods."""
    known = client.hub.registry.named(client.hub.registry.tenant("demo"), "goldshop")
    path = f"/connections/{known.partner.id}"
    guide = (await client.get(f"{path}/guide")).json["markdown"]
    assert "/c/****" in guide
    assert known.generations[0].key not in guide
    made = await client.post(f"{path}/twin", {})
    assert (made.status, made.json["tenant"]) == (201, "demo-twin"), made.json
    assert made.json["articles"] > 5
    registry = client.hub.registry
    assert registry.named(registry.tenant("demo-twin"), "goldshop").tenant == "demo-twin"
    assert (await client.post(f"{path}/twin", {})).status == 201
    assert (await client.get("/connections/1/guide")).status == 404
    assert (await client.post("/connections/1/twin", {})).status == 404
