"""Orders on the console: placed, moved on, found, and their receivers seen by those who say why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from entrepot.console.app import create_app
from tests.console import world as worlds
from tests.console.person import Person
from tests.console.world import PHONE, World

if TYPE_CHECKING:
    from entrepot.hub import Hub

STATE = "SELECT state FROM sales_order WHERE tenant_id = $1 AND id = $2"


@pytest.fixture
def world(hub: Hub) -> World:
    """Give what is in the hub."""
    return World(hub)


async def test_an_order_of_our_own_is_placed(admin: Person, world: World) -> None:
    """It takes one article a line, holds stock, and its page says what happened to it."""
    await admin.get("/orders/new")
    page = await admin.post("/orders/new", {"number": "OWN-1", "lines": "YPJ1600 2\nMF004 × 1"})
    assert page.path.startswith("/orders/")
    assert "Order OWN-1 is placed." in page.words
    assert "管理员" in page.words
    held = await world.value(
        "SELECT sum(qty)::int FROM reservation WHERE tenant_id = $1 AND state = 'open'"
        " AND document_id = (SELECT id FROM sales_order WHERE tenant_id = $1 AND number = 'OWN-1')"
    )
    assert held == 3
    again = await admin.post(
        "/orders/new", {"number": "OWN-1", "lines": "YPJ1600 9"}, hx_request="true"
    )
    assert (again.status, "OWN-1 exists already" in again.words) == (422, True)


@pytest.mark.parametrize(
    ("number", "lines", "said"),
    [
        ("", "YPJ1600 1", "An order needs a number."),
        ("OWN-2", "", "at least one line"),
        ("OWN-2", "YPJ1600 some", "Line 1 has no quantity."),
        ("OWN-2", "YPJ1600 0", "Line 1 has no quantity."),
        ("OWN-2", "NOWHERE 1", "No article is called NOWHERE."),
        ("OWN\u0000", "YPJ1600 1", "An order needs a number."),
    ],
)
async def test_a_form_filled_in_wrongly_says_where(
    admin: Person, number: str, lines: str, said: str
) -> None:
    """The sentence is beside the form, and nothing is placed."""
    await admin.get("/orders/new")
    page = await admin.post("/orders/new", {"number": number, "lines": lines}, hx_request="true")
    assert page.status == 422
    assert said in page.words
    assert "OWN-2" not in (await admin.get("/orders")).words


async def test_an_order_is_processed_and_shipped(admin: Person, world: World) -> None:
    """Each step has a button while it is possible, and goods leave with the last."""
    order = await world.order("STEP-1", pieces=2)
    page = await admin.get(f"/orders/{order}")
    assert f'action="/orders/{order}/process"' in page.text
    assert "is processed." in (await admin.post(f"/orders/{order}/process")).words
    page = await admin.post(f"/orders/{order}/ship")
    assert "is shipped." in page.words
    assert f"/orders/{order}/ship" not in (await admin.get(f"/orders/{order}")).text
    assert await world.value(STATE, order) == "shipped"
    moved = await world.value(
        "SELECT sum(delta)::int FROM movement WHERE tenant_id = $1 AND document = 'STEP-1'"
    )
    assert moved == -2
    page = await admin.post(f"/orders/{order}/cancel", {"reason": "too late"})
    assert "shipped already" in page.words


async def test_an_order_is_cancelled_with_a_reason(admin: Person, world: World) -> None:
    """Without one nothing happens; with one what it held is free, and the reason stands in its log."""
    order = await world.order("CAN-1")
    asked = await admin.get(f"/orders/{order}/cancel", hx_request="true")
    assert "Cancel order CAN-1" in asked.words
    page = await admin.post(f"/orders/{order}/cancel", {"reason": " "}, hx_request="true")
    assert (page.status, "Say why" in page.words) == (422, True)
    assert await world.value(STATE, order) == "accepted"
    page = await admin.post(f"/orders/{order}/cancel", {"reason": "拍错了"})
    assert "is cancelled." in page.words
    assert "拍错了" in (await admin.get(f"/orders/{order}")).words
    assert await world.value(STATE, order) == "cancelled"
    open_ = "SELECT count(*) FROM reservation WHERE tenant_id = $1 AND document_id = $2 AND state = 'open'"
    assert await world.value(open_, order) == 0


async def test_a_receiver_is_hidden_until_somebody_says_why(admin: Person, world: World) -> None:
    """No page shows the phone; revealing shows it once and is written down with the reason."""
    order = await world.order("REV-1")
    assert PHONE not in (await admin.get(f"/orders/{order}")).text
    await admin.get(f"/orders/{order}/reveal")
    page = await admin.post(f"/orders/{order}/reveal", {}, hx_request="true")
    assert (page.status, PHONE in page.text) == (422, False)
    page = await admin.post(f"/orders/{order}/reveal", {"reason": "快递问路"}, hx_request="true")
    assert PHONE in page.text
    assert page.header("hx-retarget") == "#receiver"
    logged = await world.value(
        "SELECT who || ' ' || subject || ' ' || reason FROM audit"
        " WHERE tenant_id = $1 AND what = 'reveal receiver'"
    )
    assert logged == "管理员 REV-1 快递问路"
    page = await admin.get(f"/orders/{order}")
    assert "快递问路" in page.words
    assert PHONE not in page.text


async def test_who_may_not_act_sees_no_button_and_gets_nothing_done(hub: Hub, world: World) -> None:
    """An auditor reads an order; its steps and its receiver are not for them."""
    order = await world.order("AUD-1")
    await world.person("looker", duties=["auditor"])
    looker = Person(create_app(hub))
    await looker.sign_in("looker", worlds.PASSWORD)
    page = await looker.get(f"/orders/{order}")
    for act in ("process", "ship", "cancel", "reveal"):
        assert f"/orders/{order}/{act}" not in page.text
        done = await looker.post(f"/orders/{order}/{act}", {"reason": "may I?"})
        assert (done.status, PHONE in done.text) == (403, False)
    assert await world.value(STATE, order) == "accepted"
    assert "/orders/new" not in (await looker.get("/orders")).text


async def test_orders_are_found_by_number_phone_and_filter(admin: Person, world: World) -> None:
    """The beginning of a number, a whole phone, a state, a connection and a day narrow the list."""
    await world.order("FIND-1")
    await world.order("FIND-2")
    for query, found in {
        "q=FIND-": {"FIND-1", "FIND-2"},
        "q=FIND-2": {"FIND-2"},
        "q=YPJ1600": {"FIND-1", "FIND-2"},
        "q=MF004": set(),
        f"q={PHONE}": {"FIND-1", "FIND-2"},
        "q=FIND-&state=shipped": set(),
        "q=FIND-&connection=goldshop": {"FIND-1", "FIND-2"},
        "q=FIND-&connection=-": set(),
        "state=accepted&connection=goldshop": {"FIND-1", "FIND-2"},
        "q=FIND-&from=2001-01-01&to=2001-01-02": set(),
        "q=FIND-&from=9000-01-01": set(),
        "q=FIND-&from=0001-01-01&to=9999-12-31": {"FIND-1", "FIND-2"},
        "q=%00": set(),
    }.items():
        page = await admin.get(f"/orders?{query}")
        assert {number for number in ("FIND-1", "FIND-2") if number in page.text} == found, query
    assert "No order fits" in (await admin.get("/orders?q=nothing-like-it")).words


async def test_the_finder_opens_what_it_finds(admin: Person, world: World) -> None:
    """A whole number leads to its order, a SKU to its article, a phone to the orders it belongs to."""
    order = await world.order("ANY-1")
    assert (await admin.get("/find?q=ANY-1")).path == f"/orders/{order}"
    assert (await admin.get("/find?q=MF004")).path.startswith("/stock/")
    assert "ANY-1" in (await admin.get(f"/find?q={PHONE}")).words
    assert (await admin.get("/find?q=%00")).status == 200
    assert (await admin.get("/find?q=ANY-1&all=1")).path == "/find?q=ANY-1&all=1"


async def test_a_list_s_filter_is_kept_and_forgotten(admin: Person) -> None:
    """A name for a filter is one person's, leads back to the list as filtered, and can be dropped."""
    await admin.get("/orders?state=shipped")
    form = {"page": "/orders", "query": "state=shipped", "name": "Gone"}
    assert (await admin.post("/filters", form)).path == "/orders?state=shipped"
    page = await admin.get("/orders")
    (drop,) = [part for part in page.text.split('"') if part.startswith("/filters/")]
    assert "Gone" in page.words
    await admin.post(drop, {"_back": "/orders"})
    assert "Gone" not in (await admin.get("/orders")).words
    bad = await admin.post("/filters", {"page": "//evil", "name": "x"}, hx_request="true")
    assert bad.status == 422


async def test_an_exported_cell_is_never_a_formula(admin: Person, world: World) -> None:
    """What a spreadsheet would run is quoted, in CSV and XLSX alike; the filter applies."""
    await admin.get("/orders/new")
    form = {"number": "=1+1", "customer": "@SUM(A1)", "lines": "YPJ1600 1"}
    await admin.post("/orders/new", form)
    await world.order("PLAIN-1")
    text = (await admin.get("/orders/export.csv")).body.decode("utf-8-sig")
    assert "'=1+1" in text
    assert "'@SUM(A1)" in text
    assert "PLAIN-1" in text
    assert "PLAIN-1" not in (await admin.get("/orders/export.csv?connection=-")).text
