"""What happens to goods, orders, notes, lists and files is told to subscribers, whoever caused it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from entrepot import facts
from entrepot.dispatch import rules as dispatch
from entrepot.orders import rules as orders
from entrepot.reconciliation import flows
from entrepot.reconciliation.kinds import KINDS
from tests import daytime
from tests.api.test_dispatch import CITY, coded, ordered, outcome
from tests.api.test_goods import stocked
from tests.api.test_imports import brought_in, sent
from tests.api.test_webhooks import Subscriber, subscribed, working

if TYPE_CHECKING:
    from datetime import date

    from tests.api.client import Client

CODES = [f"E-{at}" for at in range(6)]


async def outlets(client: Client) -> None:
    """Set up outlets in a city, the first by priority first."""
    places = [{"code": code, "name": code, **CITY} for code in CODES]
    await client.post("/locations", {"locations": places})
    set_up = [{"code": code, "priority": at} for at, code in enumerate(CODES)]
    assert (await client.post("/outlets", {"outlets": set_up})).status == 200


def told(hook: Subscriber, *types: str) -> list[dict[str, Any]]:
    """Return the events of these types, in order."""
    return [event for event in hook.events() if event["type"] in types]


async def test_goods_and_what_becomes_of_a_file_are_told(client: Client) -> None:
    """An article that is new or changed, once; a file with its counts, also where it cannot be read."""
    types = ["goods.saved", "import.finished"]
    async with Subscriber() as hook, working(client):
        path, _ = await subscribed(client, hook, "goods", events=types)
        for name in ("one", "one", "two"):
            article = {"sku": "E-1", "name": name, "retail_price": "2.50"}
            assert (await client.post("/articles", {"articles": [article]})).status == 200
        done = await brought_in(client, await sent(client, "articles", b"sku,name\nE-2,x\n"))
        bad = await brought_in(client, await sent(client, "articles", b"colour\nred\n"))
        await hook.told(5)
        await client.call("PATCH", path, {"active": "off"})
    goods = [event["data"] for event in told(hook, "goods.saved")]
    assert sorted((one["number"], one["goods"]["name"]) for one in goods) == [
        ("E-1", "one"), ("E-1", "two"), ("E-2", "x"),
    ]  # fmt: skip
    assert goods[0]["goods"]["specs"][0]["retail_price"] == 2.5
    files = {one["data"]["number"]: one["data"] for one in told(hook, "import.finished")}
    assert files[done["id"]] == {
        "number": done["id"],
        "content": "articles",
        "dry_run": False,
        "taken": 1,
        "left_out": 0,
        "problem": "",
    }
    assert files[bad["id"]]["problem"] == bad["problem"] != ""


async def test_a_note_that_is_refused_and_parked_is_told_and_a_void_order(client: Client) -> None:
    """Each refusal with its reason; the last one parks the goods, and then the order is given up."""
    types = ["note.refused", "note.parked", "order.cancelled"]
    await outlets(client)
    await stocked(client, "E-3", **dict.fromkeys(CODES, 1))
    async with Subscriber() as hook, working(client):
        path, _ = await subscribed(client, hook, "notes", events=types)
        await ordered(client, "EO-3", "E-3", 1)
        for _ in CODES[:5]:
            (note, *_) = (await client.get("/dispatch/notes?order=EO-3")).json["items"]
            refusal = {"note": note["number"], "reason": "缺货"}
            await outcome(client, "/dispatch/refuse", notes=refusal)
        voided = await outcome(client, "/dispatch/void", orders={"number": "EO-3"})
        assert voided["verdict"] == "void"
        await hook.told(7)
        await client.call("PATCH", path, {"active": "off"})
    refused = [event["data"] for event in told(hook, "note.refused")]
    assert [one["reason"] for one in refused] == ["缺货"] * 5
    assert {one["number"] for one in refused} == {"EO-3"}
    (parked,) = told(hook, "note.parked")
    assert parked["data"] == {"number": "EO-3", "note": note["number"], "outlet": CODES[4]}
    (cancelled,) = told(hook, "order.cancelled")
    assert cancelled["data"] == {"number": "EO-3", "remark": ""}


async def test_what_does_not_agree_is_told_until_it_does(client: Client) -> None:
    """Opened once however often it is seen, resolved by hand or by itself; a list with its counts."""
    types = ["discrepancy.opened", "discrepancy.resolved", "reconciliation.done"]
    await outlets(client)
    await stocked(client, "E-4", **{"E-0": 1, "E-1": 1})
    await coded(client, "E-4", "E-1", "E4-a")
    await stocked(client, "E-5", **{"E-1": 1})
    async with Subscriber() as hook, working(client):
        path, _ = await subscribed(client, hook, "auditor", events=types)
        note = await ordered(client, "EO-4", "E-4", 1)
        parcel = {"express": "SF", "waybill": "SF-EO-4", "codes": ["E4-a"]}
        await outcome(client, "/dispatch/ship", notes={"note": note["number"], "parcels": [parcel]})
        await hook.told(1)
        (opened,) = hook.events()
        verdict, day = {"id": opened["data"]["id"], "reason": "moved it"}, daytime.today()
        for _ in range(2):
            await outcome(client, "/discrepancies/resolve", discrepancies=verdict)
        for qty in ("8", "8", "1"):
            await compared(client, qty, day)
        await hook.told(7)
        await client.call("PATCH", path, {"active": "off"})
    assert opened["data"] == {
        "number": "EO-4", "id": opened["data"]["id"], "about": "moved", "connection": "",
        "subject": "E4-a", "text": opened["data"]["text"], "figures": opened["data"]["figures"],
    }  # fmt: skip
    (by_hand, by_itself) = told(hook, "discrepancy.resolved")
    assert (by_hand["data"]["by_hand"], by_hand["data"]["reason"]) == (True, "moved it")
    assert (by_itself["data"]["by_hand"], by_itself["data"]["connection"]) == (False, "goldshop")
    counts = [event["data"]["differing"] for event in told(hook, "reconciliation.done")]
    assert counts == [1, 1, 0]


TOLD = {
    ("order", "accepted"): ["order_placed", "dispatch_requested"],
    ("order", "processed"): ["order_processed"],
    ("order", "shipped"): ["order_shipped"],
    ("order", "cancelled"): ["order_cancelled"],
    ("order", "partly_shipped"): ["packages_shipped"],
    ("order", "parked"): ["note_parked"],
    ("order", "short"): ["dispatch_completed", "dispatch_refused"],
    ("order", "oversold"): ["dispatch_completed", "dispatch_refused"],
    ("note", "open"): ["dispatch_offered"],
    ("note", "done"): ["packages_shipped"],
    ("note", "refused"): ["note_refused"],
    ("note", "withdrawn"): ["dispatch_withdrawn"],
    ("note", "void"): ["dispatch_withdrawn", "order_cancelled"],
    ("parcel", ""): ["packages_shipped", "waybill_changed", "return_received"],
    ("article", ""): ["goods_saved"],
    ("suite", ""): ["suite_saved"],
    ("discrepancy", ""): ["discrepancy_opened", "discrepancy_resolved"],
    ("reconciliation", ""): ["reconciliation_done"],
    ("file", ""): ["import_finished", "export_finished"],
}
"""What tells that something came into a state."""


def test_every_state_of_orders_and_notes_is_told() -> None:
    """A new state comes with a fact; a fact that tells of nothing here tells of papers."""
    states = {
        ("order", state) for state in (*get_args(orders.State), *get_args(dispatch.OrderState))
    }
    states |= {("note", state) for state in get_args(dispatch.NoteState)}
    assert states == {of for of in TOLD if of[0] in ("order", "note")}
    kinds = {kind for told in TOLD.values() for kind in told}
    papers = {fact.kind for fact in facts.every() if issubclass(fact, facts.PaperFact)}
    assert kinds | papers == set(facts.kinds())


async def compared(client: Client, qty: str, day: date) -> None:
    """Reconcile a list of stock that goldshop would give."""
    tenant_id = client.hub.registry.tenant("demo")
    asked = flows.Asked(
        kind="stock",
        connection_id=client.hub.registry.named(tenant_id, "goldshop").partner.id,
        day=day,
        file="list.csv",
        who="erp",
    )
    rows: flows.Rows = [(2, ("E-5", "E-1", qty))]
    await client.hub.db.run(tenant_id, lambda tx: flows.reconcile(tx, KINDS["stock"], asked, rows))
