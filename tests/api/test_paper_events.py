"""Every step of a price adjustment and of a sales return is told to subscribers, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot import facts
from entrepot.people.rules import PAPERWORK
from tests.api.test_papers import BUYER, DEPOT, act, one, sold, staff
from tests.api.test_webhooks import Subscriber, subscribed, working

if TYPE_CHECKING:
    from tests.api.client import Client

__all__ = ["staff"]
PIECE = {"product_id": 10, "unit_id": 1, "qty": 1, "price": 100}


async def take(
    staff: dict[str, Client], noun: str, number: str, *steps: tuple[str, str], **more: Any
) -> None:
    """Take steps on a paper, each by whose right it is."""
    for step, who in steps:
        reason = more if step == "refuse" else {}
        state = await act(staff[who], noun, number, step, **reason)
        assert state.isupper(), state


def events(hook: Subscriber, number: str) -> list[tuple[str, dict[str, Any]]]:
    """Return what was told of one paper, without what all events of it share."""
    found = []
    for event in hook.events():
        if event["data"].pop("number") == number:
            event["data"].pop("order")
            found.append((event["type"], event["data"]))
    return found


async def test_an_adjustment_s_steps_are_told(client: Client, staff: dict[str, Client]) -> None:
    """Filed, refused and why, deleted; passed and paid out; before shipping it is complete at once."""
    wanted = [name for name in map(facts.event, facts.kinds()) if name.startswith("adjustment.")]
    async with Subscriber() as hook, working(client):
        path, _ = await subscribed(client, hook, "prices", events=wanted)
        await sold(client, "EV-1", ship=True)
        await sold(client, "EV-2", ship=False)
        new = {"variant": "AFTER", "order": "EV-1", "lines": [{**PIECE, "ask": 80}]}
        filed = [await one(staff["sales"], "/adjustments", adjustments=new)]
        refused = filed[0]["result"]["number"]
        steps = ("refuse", "cpa"), ("delete", "sales")
        await take(staff, "adjustments", refused, *steps, reason="太多")
        filed.append(await one(staff["sales"], "/adjustments", adjustments=new))
        paid = filed[1]["result"]["number"]
        await take(staff, "adjustments", paid, ("pass", "cpa"), ("complete", "finance"))
        before = {**new, "variant": "BEFORE", "order": "EV-2"}
        filed.append(await one(staff["sales"], "/adjustments", adjustments=before))
        cheaper = filed[2]["result"]["number"]
        await take(staff, "adjustments", cheaper, ("pass", "cpa"))
        await hook.told(8)
        await client.call("PATCH", path, {"active": "off"})
    after = {"variant": "AFTER"}
    content = {"customer_id": BUYER, "balance": -20, "lines": [{**PIECE, "ask": 80}]}
    assert events(hook, refused) == [
        ("adjustment.filed", after | content),
        ("adjustment.refused", after | {"reason": "太多"}),
        ("adjustment.deleted", after),
    ]


async def test_a_refund_and_a_new_price_are_told_apart(
    client: Client, staff: dict[str, Client]
) -> None:
    """A completed adjustment says what was given back under which serial; before shipping, nothing."""
    async with Subscriber() as hook, working(client):
        path, _ = await subscribed(client, hook, "refunds", events=["adjustment.completed"])
        numbers = []
        for order, variant, ship in (("EV-3", "AFTER", True), ("EV-4", "BEFORE", False)):
            await sold(client, order, ship=ship)
            new = {"variant": variant, "order": order, "lines": [{**PIECE, "ask": 80}]}
            filed = await one(staff["sales"], "/adjustments", adjustments=new)
            numbers.append(filed["result"]["number"])
            await take(staff, "adjustments", numbers[-1], ("pass", "cpa"))
        await take(staff, "adjustments", numbers[0], ("complete", "finance"))
        await hook.told(2)
        await client.call("PATCH", path, {"active": "off"})
    told = {event["data"]["number"]: event["data"] for event in hook.events()}
    assert [told[number]["refunded"] for number in numbers] == [20, 0]
    assert [bool(told[number]["serial"]) for number in numbers] == [True, False]


async def test_a_return_s_steps_are_told(client: Client, staff: dict[str, Client]) -> None:
    """All of them, each once: goods that were signed in before are not signed in again."""
    wanted = [name for name in map(facts.event, facts.kinds()) if name.startswith("sales_return.")]
    async with Subscriber() as hook, working(client):
        path, _ = await subscribed(client, hook, "returns", events=wanted)
        await sold(client, "EV-5", ship=True)
        line = {"unit_id": 1, "qty": 1, "price": 100}
        new = {"order": "EV-5", "depot_id": DEPOT, "lines": [line]}
        filed = await one(staff["sales"], "/returns", returns=new)
        number = filed["result"]["number"]
        freight = {**new, "with_freight": True}
        assert (await staff["sales"].call("PUT", f"/returns/{number}", freight)).status == 200
        steps = ("run", "sales"), ("refuse", "cpa"), ("run", "sales"), ("pass", "cpa")
        await take(staff, "returns", number, *steps, ("receive", "warehouse"))
        await take(staff, "returns", number, ("receive", "warehouse"), ("complete", "finance"))
        other = await one(staff["sales"], "/returns", returns=new)
        await take(staff, "returns", other["result"]["number"], ("delete", "sales"))
        await hook.told(10)
        await client.call("PATCH", path, {"active": "off"})
    assert {event["type"] for event in hook.events()} == set(wanted)
    told = events(hook, number)
    assert [name.removeprefix("sales_return.") for name, _ in told] == [
        *("filed", "edited", "confirmed", "refused", "confirmed", "passed", "received"),
        "completed",
    ]
    content = {"customer_id": BUYER, "depot_id": DEPOT, "lines": [{**PIECE, "gift": 0}]}
    assert told[0][1] == content | {"total": 77.5}
    assert told[1][1] == content | {"total": 102.5}
    assert told[6][1] == {"depot_id": DEPOT}
    assert told[7][1]["refunded"] == 102.5
    assert told[7][1]["serial"]


def test_every_step_there_is_has_a_fact() -> None:
    """As many facts as actions and the filing; none was forgotten when the rights were written."""
    actions = {
        (noun, "file" if action == "create" else action)
        for (kind, _), rights in PAPERWORK.items()
        for action in rights
        for noun in ["sales_return" if kind == "SR" else "adjustment"]
    }
    kinds = [kind for kind in facts.kinds() if kind.startswith(("adjustment_", "sales_return_"))]
    assert len(kinds) == len(actions)
