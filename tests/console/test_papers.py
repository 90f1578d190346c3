"""Price adjustments and sales returns on the console: filed, passed, refused, by whom the table allows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from entrepot.console.access import flows as access
from entrepot.console.app import create_app
from tests.console.person import Person
from tests.console.world import PASSWORD, World

if TYPE_CHECKING:
    from entrepot.hub import Hub


@pytest.fixture
def world(hub: Hub) -> World:
    """Give what is in the hub."""
    return World(hub)


async def _as(world: World, login: str) -> Person:
    """Sign one of the demonstration's people in."""
    async with world.hub.db.transaction(world.tenant_id) as tx:
        one = await tx.value("SELECT id FROM person WHERE tenant_id = $1 AND login = $2", login)
        await access.set_account(tx, one, PASSWORD, must_change=False)
    person = Person(create_app(world.hub))
    await person.sign_in(login, PASSWORD)
    return person


async def _state(world: World, number: str) -> str | None:
    found = "SELECT state FROM paper WHERE tenant_id = $1 AND number = $2 AND NOT deleted"
    state: str | None = await world.value(found, number)
    return state


async def _adjustment(sales: Person, order: str) -> str:
    form = await sales.get(f"/orders/{order}/adjust")
    part = re.findall(r'name="ask-([^"]+)"', form.text)[0]
    page = await sales.post(f"/orders/{order}/adjust", {f"ask-{part}": "1", f"qty-{part}": "2"})
    assert "is filed." in page.words
    return page.path.rpartition("/")[2]


async def _return(sales: Person, order: str, **more: str) -> str:
    form = await sales.get(f"/orders/{order}/return")
    part = re.findall(r'name="qty-([^"]+)"', form.text)[0]
    body = {f"qty-{part}": "1", f"price-{part}": "2", "depot": "40", **more}
    page = await sales.post(f"/orders/{order}/return", body)
    assert "is filed as a draft." in page.words, page.words
    return page.path.rpartition("/")[2]


async def test_an_adjustment_before_shipping_is_passed(world: World) -> None:
    """Sales files it and sees no button; the accountant passes it and it is complete."""
    sales, cpa = await _as(world, "sales"), await _as(world, "cpa")
    number = await _adjustment(sales, "test-01")
    assert f"/adjustments/{number}/pass" not in (await sales.get(f"/adjustments/{number}")).text
    await sales.post(f"/adjustments/{number}/pass")
    assert await _state(world, number) == "RUN"
    page = await cpa.get("/adjustments?state=RUN")
    assert f'action="/adjustments/{number}/pass"' in page.text
    assert f"{number} is passed." in (await cpa.post(f"/adjustments/{number}/pass")).words
    assert await _state(world, number) == "COMPLETE"
    assert number in (await sales.get("/adjustments?type=BEFORE&q=test-01")).text


async def test_an_adjustment_is_refused_with_a_reason_and_deleted(world: World) -> None:
    """The reason stands in its log; who filed it may then delete it."""
    sales, cpa = await _as(world, "sales"), await _as(world, "cpa")
    number = await _adjustment(sales, "test-05")
    await cpa.get(f"/adjustments/{number}/refuse")
    asked = await cpa.post(f"/adjustments/{number}/refuse", {}, hx_request="true")
    assert asked.status == 422
    assert await _state(world, number) == "RUN"
    await cpa.post(f"/adjustments/{number}/refuse", {"reason": "价格不对"})
    assert await _state(world, number) == "INVALID"
    assert "价格不对" in (await sales.get(f"/adjustments/{number}")).words
    assert "does not come back" in (await sales.get(f"/adjustments/{number}/delete")).words
    assert await _state(world, number) == "INVALID"
    page = await sales.post(f"/adjustments/{number}/delete")
    assert page.path == "/adjustments"
    assert await _state(world, number) is None
    assert (await sales.get(f"/adjustments/{number}")).status == 404


async def test_an_adjustment_after_shipping_is_refunded_by_finance(world: World) -> None:
    """The accountant passes, finance completes; its sum is the order's difference."""
    sales, cpa, finance = [await _as(world, login) for login in ("sales", "cpa", "finance")]
    number = await _adjustment(sales, "test-05")
    await cpa.get(f"/adjustments/{number}")
    await cpa.post(f"/adjustments/{number}/pass")
    await finance.get(f"/adjustments/{number}")
    page = await finance.post(f"/adjustments/{number}/complete")
    assert f"{number} is refunded." in page.words
    assert await _state(world, number) == "COMPLETE"
    assert "-2.00" in (await finance.get(f"/adjustments/export.csv?q={number}")).text


async def test_a_return_goes_from_draft_to_refund(world: World) -> None:
    """Worked out, filed, edited, put into effect, passed, signed in, refunded: each by its role."""
    people = {name: await _as(world, name) for name in ("sales", "cpa", "warehouse", "finance")}
    sales = people["sales"]
    form = await sales.get("/orders/test-05/return")
    part = re.findall(r'name="qty-([^"]+)"', form.text)[0]
    body = {f"qty-{part}": "2", f"price-{part}": "2", "depot": "40", "ask": "amount"}
    asked = await sales.post("/orders/test-05/return", body, hx_request="true")
    assert "4.00" in asked.words
    number = await _return(sales, "test-05")
    form = await sales.get(f"/returns/{number}/edit")
    assert form.field("draft") == number
    edited = body | {"ask": "", "draft": number, "remark": "两件"}
    assert "The draft is saved." in (await sales.post("/orders/test-05/return", edited)).words
    for who, action, state in (
        ("sales", "run", "RUN"), ("cpa", "pass", "FMS_PASS"), ("warehouse", "receive", "RECEIVE"),
        ("finance", "complete", "COMPLETE"),
    ):  # fmt: skip
        for other, person in people.items():
            page = await person.get(f"/returns/{number}")
            assert (f"/returns/{number}/{action}" in page.text) is (other == who), (other, action)
        await people[who].post(f"/returns/{number}/{action}")
        assert await _state(world, number) == state
    assert (
        "两件"
        in (await sales.get("/returns?state=COMPLETE")).text
        + (await sales.get(f"/returns/{number}")).text
    )
    assert number in (await sales.get("/returns/export.csv")).text


async def test_a_return_is_refused_or_its_draft_deleted(world: World) -> None:
    """A refused return is a draft again; its owner deletes it."""
    sales, cpa = await _as(world, "sales"), await _as(world, "cpa")
    number = await _return(sales, "test-05")
    await sales.post(f"/returns/{number}/run")
    await cpa.get(f"/returns/{number}")
    assert f"{number} is refused." in (await cpa.post(f"/returns/{number}/refuse")).words
    assert await _state(world, number) == "INVALID"
    await sales.get(f"/returns/{number}")
    assert (await sales.post(f"/returns/{number}/delete")).path == "/returns"
    assert await _state(world, number) is None


async def test_forms_filled_in_wrongly_file_nothing(world: World) -> None:
    """No line, no place, a price above the order's, a number that is none: each is said."""
    sales = await _as(world, "sales")
    form = await sales.get("/orders/test-05/return")
    part = re.findall(r'name="qty-([^"]+)"', form.text)[0]
    right = {f"qty-{part}": "1", f"price-{part}": "2", "depot": "40"}
    for wrong in (
        {"depot": ""}, {f"qty-{part}": "0"}, {f"qty-{part}": "x"}, {f"price-{part}": "x"},
        {f"price-{part}": "-1"}, {f"price-{part}": "999"}, {f"qty-{part}": "99"},
    ):  # fmt: skip
        page = await sales.post("/orders/test-05/return", right | wrong, hx_request="true")
        assert page.status == 422, wrong
    form = await sales.get("/orders/test-01/adjust")
    part = re.findall(r'name="ask-([^"]+)"', form.text)[0]
    for wrong in (
        {},
        {f"ask-{part}": "x", f"qty-{part}": "1"},
        {f"ask-{part}": "1", f"qty-{part}": "0"},
    ):
        page = await sales.post("/orders/test-01/adjust", wrong, hx_request="true")
        assert page.status == 422, wrong
    assert await world.value("SELECT count(*) FROM paper WHERE tenant_id = $1") == 0
    assert (await sales.get("/orders/nothing/adjust")).status == 404
