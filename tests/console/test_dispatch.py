"""Dispatch on the console: notes and why they went where; shipped, refused, offered again; outlets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from entrepot.discrepancies import flows as discrepancies
from entrepot.discrepancies.rules import Seen
from tests.console.world import PHONE, World

if TYPE_CHECKING:
    from entrepot.hub import Hub
    from tests.console.person import Person


@pytest.fixture
def world(hub: Hub) -> World:
    """Give what is in the hub."""
    return World(hub)


async def _note(world: World, number: str) -> str:
    state = "SELECT state || ' ' || onward FROM dispatch_note WHERE tenant_id = $1 AND number = $2"
    return str(await world.value(state, number))


async def test_a_note_s_page_says_why_each_outlet_was_chosen_or_not(
    admin: Person, world: World
) -> None:
    """The board leads to it; every outlet has a sentence; the receiver's phone is nowhere."""
    order, note = await world.dispatched("WHY-1")
    board = await admin.get("/dispatch")
    assert f'href="/dispatch/{order}">{note}<' in board.text
    page = await admin.get(f"/dispatch/{order}")
    assert "has all of it, same city" in page.words
    for outlet in ("6001", "6002", "6003", "6004", "6005"):
        assert outlet in page.words
    assert page.words.count("Not chosen") == 2
    assert "2 outlets have none of it" in page.words
    assert PHONE not in board.text + page.text
    assert f'href="/dispatch/{order}"' in (await admin.get(f"/orders/{order}")).text


async def test_the_board_is_filtered(admin: Person, world: World) -> None:
    """By the number of a note or of its order, by state, by what became of the rest, by outlet."""
    _, note = await world.dispatched("BOARD-1")
    for query, there in {
        "q=BOARD-1": True, f"q={note}": True, "q=BOARD": False, "q=%00": False, "state=open": True,
        "state=done": False, "answered=today": False,
        "onward=parked": False, "outlet=6002": True, "outlet=6003": False,
        "outlet=nowhere": False, "state=burnt": True,
    }.items():  # fmt: skip
        page = await admin.get(f"/dispatch?{query}")
        assert (f">{note}</a>" in page.text) is there, query
    assert note in (await admin.get("/dispatch/export.csv?state=open")).text


async def test_our_own_outlet_ships_by_waybill(admin: Person, world: World) -> None:
    """The form names the pieces that lie there; what leaves is a parcel of the order."""
    order, note = await world.dispatched("SHIP-1")
    asked = await admin.get(f"/notes/{note}/ship", hx_request="true")
    assert "SN-G1-6002-01" in asked.text
    await admin.get(f"/dispatch/{order}")
    for form, said in (
        ({"express": "SF", "codes": "SN-G1-6002-01"}, "a carrier and a waybill"),
        ({"express": "SF", "waybill": "SF100", "codes": " "}, "at least one piece"),
        ({"express": "SF", "waybill": "SF100", "codes": "SN-G1-6003-01 NOPE"}, "NOPE"),
    ):
        page = await admin.post(f"/notes/{note}/ship", form, hx_request="true")
        assert (page.status, said in page.words) == (422, True), page.words
    form = {"express": "SF", "waybill": "SF100", "codes": "SN-G1-6002-01"}
    page = await admin.post(f"/notes/{note}/ship", form)
    assert page.path == f"/dispatch/{order}"
    assert "SF100" in page.words
    assert await _note(world, note) == "done none"
    assert "SN-G1-6002-01" in (await admin.get("/pieces?q=SN-G1-6002-01")).words


async def test_what_one_outlet_refuses_goes_to_another_or_is_parked(
    admin: Person, world: World
) -> None:
    """Refusing takes a reason; parked goods have a button that offers them again once there are some."""
    order, note = await world.dispatched("REF-1")
    await admin.get(f"/notes/{note}/refuse")
    page = await admin.post(f"/notes/{note}/refuse", {}, hx_request="true")
    assert page.status == 422
    assert await _note(world, note) == "open none"
    page = await admin.post(f"/notes/{note}/refuse", {"reason": "柜台留样"})
    assert page.path == f"/dispatch/{order}"
    assert "柜台留样" in page.words
    assert await _note(world, note) == "refused sourced"
    assert "Refused today 1" in (await admin.get("/")).words
    await world.execute(
        "UPDATE dispatch_note SET onward = 'parked' WHERE tenant_id = $1 AND number = $2", note
    )
    assert f"/dispatch/{order}/source" in (await admin.get("/dispatch?onward=parked")).text
    page = await admin.get(f"/dispatch/{order}")
    assert "Offer again" in page.words
    page = await admin.post(f"/dispatch/{order}/source")
    assert "is offered again" in page.words
    assert await _note(world, note) == "refused sourced"
    page = await admin.post(f"/dispatch/{order}/source")
    assert "Nothing of REF-1 is parked any more." in page.words


async def test_a_partner_s_outlet_is_asked_for_its_note_back(admin: Person, world: World) -> None:
    """Who was told keeps it until they agree; who was never told loses it at once."""
    order, note = await world.dispatched("BACK-1", ours=False)
    page = await admin.get(f"/dispatch/{order}")
    assert f'href="/notes/{note}/withdraw"' in page.text
    assert f"/notes/{note}/refuse" not in page.text
    await world.execute(
        "UPDATE delivery SET attempts = 1, turn_at = now() WHERE tenant_id = $1 AND id ="
        " (SELECT offer_id FROM dispatch_note WHERE tenant_id = $1 AND number = $2)",
        note,
    )
    await admin.get(f"/notes/{note}/withdraw")
    page = await admin.post(f"/notes/{note}/withdraw", {"reason": " "}, hx_request="true")
    assert page.status == 422
    await admin.get(f"/notes/{note}/withdraw")
    page = await admin.post(f"/notes/{note}/withdraw", {"reason": "店铺装修"})
    assert page.path == f"/dispatch/{order}"
    assert "6002 is asked to give" in page.words
    assert "asked back" in page.words
    assert await _note(world, note) == "open none"
    order, note = await world.dispatched("BACK-2", ours=False)
    await admin.get(f"/notes/{note}/withdraw")
    page = await admin.post(f"/notes/{note}/withdraw", {"reason": "改派"})
    assert await _note(world, note) == "withdrawn sourced"
    assert "Taken back" in page.words


async def test_an_order_that_outlets_ship_is_cancelled_with_them(
    admin: Person, world: World
) -> None:
    """The order's own button asks the outlets; our own agree at once. No other step is offered."""
    order, note = await world.dispatched("VOID-1")
    page = await admin.get(f"/orders/{order}")
    assert f"/orders/{order}/cancel" in page.text
    assert f"/orders/{order}/ship" not in page.text
    await admin.post(f"/orders/{order}/cancel", {"reason": "不要了"})
    assert await _note(world, note) == "void none"
    state = "SELECT state FROM sales_order WHERE tenant_id = $1 AND id = $2"
    assert await world.value(state, order) == "cancelled"


async def test_who_is_told_of_every_parcel_voids_the_order_and_no_operator(
    admin: Person, world: World
) -> None:
    """There is no button where it does nothing, and a request without one changes nothing."""
    order, note = await world.dispatched("VOID-2", of="storepos")
    assert f"/orders/{order}/cancel" not in (await admin.get(f"/orders/{order}")).text
    page = await admin.post(f"/orders/{order}/cancel", {"reason": "不要了"}, hx_request="true")
    assert page.status == 422
    assert await _note(world, note) == "open none"


async def test_an_order_that_nobody_takes_is_cancelled(admin: Person, world: World) -> None:
    """Its page says that it may be, and its order has the button."""
    order, note = await world.dispatched("VOID-3")
    await world.execute(
        "UPDATE dispatch_note SET state = 'refused', onward = 'parked' WHERE tenant_id = $1 AND number = $2",
        note,
    )
    await world.execute(
        "UPDATE sales_order SET state = 'parked' WHERE tenant_id = $1 AND id = $2", order
    )
    assert "or cancel the order" in (await admin.get(f"/dispatch/{order}")).words
    assert f"/orders/{order}/cancel" in (await admin.get(f"/orders/{order}")).text
    page = await admin.post(f"/orders/{order}/cancel", {"reason": "没有货了"})
    assert "is cancelled" in page.words
    state = "SELECT state FROM sales_order WHERE tenant_id = $1 AND id = $2"
    assert await world.value(state, order) == "cancelled"


async def test_an_outlet_is_paused_and_changed(admin: Person, world: World) -> None:
    """Paused it is offered nothing; its capacity, order and groups are a form; each change is audited."""
    place = await world.value("SELECT id FROM location WHERE tenant_id = $1 AND code = '6002'")
    await admin.get("/outlets")
    await admin.post(f"/outlets/{place}/pause")
    page = await admin.get("/outlets?q=6002")
    assert f"/outlets/{place}/resume" in page.text
    _, note = await world.dispatched("PAUSE-1")  # makes 6002 our own people's and resumes it
    assert note
    await admin.post(f"/outlets/{place}/pause")
    await admin.post(f"/outlets/{place}/resume")
    await admin.get(f"/outlets/{place}/edit")
    form = {
        "ships": "1",
        "priority": "7",
        "daily_capacity": "40",
        "groups": "east, big",
        "connection": "storepos",
    }
    page = await admin.post(f"/outlets/{place}/edit", form)
    assert "is saved" in page.words
    kept = await world.value(
        "SELECT row(ships, paused, priority, daily_capacity, groups, connection_id IS NOT NULL)::text"
        " FROM location WHERE tenant_id = $1 AND id = $2",
        place,
    )
    assert kept == '(t,f,7,40,"{east,big}",t)'
    audited = "SELECT count(*) FROM audit WHERE tenant_id = $1 AND what = 'outlet set' AND subject = '6002'"
    assert await world.value(audited) == 4
    written = (await admin.get("/audit?q=6002")).words
    assert "Groups: east, big" in written
    assert "Served by: storepos" in written
    assert "Paused: Off" in written
    await admin.get("/outlets")
    await admin.get("/outlets")
    page = await admin.post(f"/outlets/{place}/edit", form | {"priority": "-1"}, hx_request="true")
    assert page.status == 422
    page = await admin.post(f"/outlets/{place}/edit", form | {"groups": "a\x00"}, hx_request="true")
    assert page.status == 422
    assert (await admin.post("/outlets/1/pause", hx_request="true")).status == 422


async def test_pieces_are_found_by_code_and_place(admin: Person) -> None:
    """The list goes on by code, and at one outlet shows what is in stock there."""
    page = await admin.get("/pieces")
    assert "SN-G1-6002-01" in page.words
    assert "SN-G2" not in (await admin.get("/pieces?q=SN-G1")).words
    page = await admin.get("/pieces?outlet=6003")
    assert "SN-G1-6003-01" in page.words
    assert "SN-G1-6002-01" not in page.words
    assert "No piece fits" in (await admin.get("/pieces?q=%00")).words
    assert "No piece fits" in (await admin.get("/pieces?outlet=nowhere")).words
    assert "SN-G1-6002-01" in (await admin.get("/pieces/export.csv?q=SN-G1")).text


async def test_a_discrepancy_stands_until_somebody_settles_it(
    hub: Hub, admin: Person, world: World
) -> None:
    """It takes a reason, then leaves the list of what stands; with all shown it says who and why."""
    async with hub.db.transaction(world.tenant_id) as tx:
        seen = Seen(kind="silent", subject="N-1", text="6002 has not answered N-1.", document="O-1")
        await discrepancies.see(tx, [seen])
    one = await world.value("SELECT id FROM discrepancy WHERE tenant_id = $1")
    page = await admin.get("/discrepancies?kind=silent&q=O-1")
    assert "N-1" in page.words
    assert "Everything agrees" not in page.words
    await admin.get(f"/discrepancies/{one}/resolve")
    page = await admin.post(f"/discrepancies/{one}/resolve", {}, hx_request="true")
    assert page.status == 422
    page = await admin.post(f"/discrepancies/{one}/resolve", {"reason": "电话确认"})
    assert "Everything agrees" in page.words
    assert "电话确认" in (await admin.get("/discrepancies?settled=1")).words
    assert "电话确认" in (await admin.get("/discrepancies/export.csv?settled=1")).text
    await admin.get("/discrepancies")
    page = await admin.post("/discrepancies/1/resolve", {"reason": "x"}, hx_request="true")
    assert page.status == 422


async def test_what_is_not_there_is_said(admin: Person, world: World) -> None:
    """An order that outlets do not ship, and a note that nobody wrote, are 404."""
    order = await world.order("PLAIN-1")
    for address in (
        f"/dispatch/{order}",
        "/notes/N-0/refuse",
        "/notes/N-0/ship",
        "/outlets/1/edit",
    ):
        assert (await admin.get(address)).status == 404, address


async def test_outlets_are_chosen_by_rules_that_can_be_changed_and_tried(
    admin: Person, world: World
) -> None:
    """The default is shown; other rules hold at once, wrong ones are refused; trying reserves nothing."""
    page = await admin.get("/sourcing")
    assert "The rules as JSON" in page.words
    held = "SELECT sum(reserved)::int FROM stock WHERE tenant_id = $1"
    before = await world.value(held)
    tried = {"province": "浙江省", "city": "杭州市", "goods": "G1/C1/S1 2"}
    page = await admin.post("/sourcing/try", tried, hx_request="true")
    assert "has all of it, same city" in page.words
    assert page.words.count("Not chosen") == 2
    assert "2 outlets have none of it" in page.words
    page = await admin.post("/sourcing/try", tried | {"goods": "G1/C1/S1 900"}, hx_request="true")
    assert "Nowhere to be had" in page.words
    assert await world.value(held) == before
    for wrong in (
        {"province": ""}, {"goods": ""}, {"goods": "G1/C1/S1 x"}, {"goods": "NONE 1"}, {"shop": "NONE"},
    ):  # fmt: skip
        bad = await admin.post("/sourcing/try", tried | wrong, hx_request="true")
        assert bad.status == 422, wrong
    await admin.get("/sourcing")
    for rules in ("{", "{}", '[{"kind": "nothing"}]'):
        bad = await admin.post("/sourcing/rules", {"rules": rules}, hx_request="true")
        assert bad.status == 422, rules
    assert "from now on" in (await admin.post("/sourcing/rules", {"rules": ""})).words
    assert "Changed how outlets are chosen" in (await admin.get("/audit")).words


async def test_what_a_text_of_refusals_means_is_said_once(admin: Person, world: World) -> None:
    """It is shown with its connection; a text without a meaning is refused."""
    await admin.get("/sourcing")
    form = {"text": "缺货", "connection": "storepos", "effect": "empty"}
    page = await admin.post("/sourcing/reasons", form)
    assert "None of it is there" in page.words
    assert await world.value(
        "SELECT effect FROM refusal_reason WHERE tenant_id = $1 AND text = '缺货'"
    )
    await admin.get("/sourcing")
    for wrong in ({"text": ""}, {"effect": "burnt"}, {"connection": "none"}, {"text": "x" * 201}):
        bad = await admin.post("/sourcing/reasons", form | wrong, hx_request="true")
        assert bad.status == 422, wrong
