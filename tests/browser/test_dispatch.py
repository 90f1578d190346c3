"""What is done about dispatch: notes, outlets, how they are chosen, what does not agree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.browser import shops
from tests.browser.stage import BACK
from tests.browser.test_business import everywhere

if TYPE_CHECKING:
    from tests.browser.conftest import Opened
    from tests.browser.window import Window


async def opened_note(window: Window, number: str) -> str:
    """Follow the board to an order's notes; return the number of its newest note."""
    await window.go(f"/dispatch?q={number}")
    note = window.page.locator("td.main-cell a").first
    name = await note.inner_text()
    await note.click()
    await window.page.locator("main h1", has_text=number).wait_for()
    return name


async def outlet_of(window: Window) -> str:
    """Return the code of the outlet of an order's first note; its name stands below it."""
    cell = window.page.locator("table tbody tr td:nth-child(3)").first
    return (await cell.inner_text()).split("\n")[0]


@everywhere
async def test_our_own_outlet_ships_a_parcel(opened: Opened, place: tuple[str, int]) -> None:
    """The dialog names the pieces that lie there; a parcel without a waybill is refused in it."""
    waybill = f"SF{place[1]}"
    async with opened(*place) as window:
        note = await opened_note(window, f"{shops.TO_SHIP}-{place[1]}")
        await window.ask("Ship")
        codes = await window.page.locator("#sheet [name=codes]").input_value()
        assert codes.count(f"{shops.COAT}-{place[1]}-800") == 2
        await window.shoot("dialog-ship")
        assert await window.faults() == []
        await window.page.locator("#sheet [name=waybill]").fill(" ")
        await window.answer("Ship")
        await window.sees("A parcel needs a carrier and a waybill.")
        await window.page.locator("#sheet [name=waybill]").fill(waybill)
        await window.answer("Ship")
        await window.sees("%(count)s pieces of %(note)s have left.", count=2, note=note)
        await window.reads(waybill)
        assert await window.button("Ship").count() == 0
        assert await window.faults(but="422") == []
        await window.go(f"/pieces?q={codes.split()[0]}")
        await window.reads(waybill)


@everywhere
async def test_what_our_own_outlet_refuses_another_is_offered(
    opened: Opened, place: tuple[str, int]
) -> None:
    """It takes a reason, which stands beside the note; the next outlet has a note of its own."""
    async with opened(*place) as window:
        note = await opened_note(window, f"{shops.TO_REFUSE}-{place[1]}")
        outlet = await outlet_of(window)
        await window.ask("Refuse")
        await window.shoot("dialog-refuse")
        assert await window.faults() == []
        await window.answer("Refuse", reason="柜台留样")
        await window.sees("%(outlet)s ships no more of %(note)s.", outlet=outlet, note=note)
        await window.reads("柜台留样")
        states = window.page.locator(".columns .panel").first.locator("td.state-cell")
        assert [words.split()[0] for words in await states.all_inner_texts()] == [
            window.t("Refused"), window.t("To be shipped").split()[0],
        ]  # fmt: skip
        assert await window.faults() == []


@everywhere
async def test_what_is_parked_is_offered_again(opened: Opened, place: tuple[str, int]) -> None:
    """The board shows what a person must look at, and one button asks those who were not asked yet."""
    number = f"{shops.PARKED}-{place[1]}"
    async with opened(*place) as window:
        await window.go("/dispatch?onward=parked")
        row = window.page.locator("tr", has_text=number)
        await row.get_by_role("button", name=window.t("Offer again"), exact=True).click()
        await window.sees("What was parked of %(number)s is offered again.", number=number)
        assert await row.count() == 0
        assert await window.faults() == []
        await opened_note(window, number)
        notes = window.page.locator(".columns .panel").first.locator("td.state-cell")
        assert await notes.count() == 6
        assert await window.button("Refuse").count() == 1
        assert await window.faults() == []


@everywhere
async def test_a_note_is_asked_back_from_its_outlet(opened: Opened, place: tuple[str, int]) -> None:
    """A partner's outlet is asked, and why is kept; what it gives up goes to others."""
    number = f"{BACK}-{place[1]}"
    async with opened(*place) as window:
        note = await opened_note(window, number)
        outlet = await outlet_of(window)
        await window.ask("Take back")
        await window.shoot("dialog-take-back")
        assert await window.faults() == []
        await window.answer("Take back", reason="门店停电")
        await window.sees("%(outlet)s is asked to give %(note)s up.", outlet=outlet, note=note)
        await window.reads("门店停电")
        assert await window.faults() == []


@everywhere
async def test_an_order_that_outlets_ship_is_voided_with_its_notes(
    opened: Opened, place: tuple[str, int]
) -> None:
    """The order's own button; our own outlets agree at once, and the note is void."""
    number = f"{shops.TO_VOID}-{place[1]}"
    async with opened(*place) as window:
        await window.go(await window.link(f"/orders?q={number}", r"/orders/\d+"))
        await window.ask("Cancel the order")
        await window.answer("Cancel the order", reason="不要了")
        await window.sees("Order %(number)s is cancelled.", number=number)
        await window.go(f"/dispatch?q={number}")
        await window.page.locator("td.state-cell", has_text=window.t("Void")).wait_for()
        assert await window.faults() == []


@everywhere
async def test_an_outlet_is_changed_and_paused(opened: Opened, place: tuple[str, int]) -> None:
    """A number that is none is refused in the dialog; paused it says so, and is asked again later."""
    code = shops.closet(f"-{place[1]}")
    async with opened(*place) as window:
        await window.go(f"/outlets?q={code}")
        await window.ask("Edit")
        sheet = window.page.locator("#sheet")
        await sheet.locator("[name=connection]").select_option("storepos")
        await sheet.locator("[name=groups]").fill("样板, 西南")
        await sheet.locator("[name=priority]").fill("soon")
        await window.shoot("dialog-outlet")
        assert await window.faults() == []
        await window.answer("Save")
        await sheet.locator(".note-box.bad").wait_for()
        await sheet.locator("[name=priority]").fill("7")
        await window.answer("Save")
        await window.sees("The outlet %(outlet)s is saved.", outlet=code)
        row = window.page.locator("tr", has_text=code)
        assert "storepos" in await row.inner_text()
        assert "西南" in await row.inner_text()
        await row.get_by_role("button", name=window.t("Pause"), exact=True).click()
        await window.sees("%(outlet)s is offered nothing for now.", outlet=code)
        await row.locator(".state", has_text=window.t("Paused")).wait_for()
        await row.get_by_role("button", name=window.t("Resume"), exact=True).click()
        await window.sees("%(outlet)s is offered notes again.", outlet=code)
        assert await window.faults(but="422") == []


@everywhere
async def test_outlets_are_chosen_by_rules_that_are_tried_first(
    opened: Opened, place: tuple[str, int]
) -> None:
    """Who would ship goods that nobody has ordered, and why; rules that are none are refused."""
    async with opened(*place) as window:
        await window.go("/sourcing")
        await window.fill("Province", "云南省")
        await window.fill("City", "昆明市")
        await window.page.locator("[name=goods]").fill(f"{shops.COAT} 1")
        await window.press("Who would ship it?")
        chosen = window.page.locator("#tried tr", has=window.page.locator(".state.good"))
        await chosen.wait_for()
        assert "8001" in await chosen.inner_text()
        await window.shoot("sourcing-tried")
        await window.page.locator("[name=goods]").fill(f"{shops.COAT} 900")
        await window.press("Who would ship it?")
        await window.sees("Nowhere to be had:")
        rules = window.page.locator("[name=rules]")
        await rules.fill("{")
        await window.press("Save the rules")
        await window.page.locator("#rules-said .note-box.bad").wait_for()
        await rules.fill('[{"kind": "paused"}, {"kind": "single"}, {"kind": "province"}]')
        await window.press("Save the rules")
        await window.sees("Outlets are chosen by these rules from now on.")
        await rules.fill("")
        await window.press("Save the rules")
        await expect(rules).to_have_value(re.compile("capacity"))
        assert await window.faults(but="422") == []


@everywhere
async def test_what_a_refusal_means_is_said_once(opened: Opened, place: tuple[str, int]) -> None:
    """A text gets a meaning for the outlet's stock, which stands in the table from then on."""
    text = f"缺货{place[1]}"
    async with opened(*place) as window:
        await window.go("/sourcing")
        await window.fill("Text", text)
        await window.page.locator("[name=connection]").select_option("storepos")
        await window.page.locator("[name=effect]").select_option("empty")
        await window.press("Save the text")
        await window.sees("The text is known from now on.")
        row = window.page.locator("tr", has_text=text)
        assert window.t("None of it is there") in await row.inner_text()
        assert await window.faults() == []


@everywhere
async def test_a_discrepancy_is_settled_with_a_reason(
    opened: Opened, place: tuple[str, int]
) -> None:
    """It leaves what stands; asked for, it is there with who settled it and why."""
    number = f"{shops.STRAY}-{place[1]}"
    async with opened(*place) as window:
        await window.go(f"/discrepancies?q={number}")
        await window.ask("Settle")
        await window.shoot("dialog-settle")
        assert await window.faults() == []
        await window.answer("Settle", reason="电话确认")
        await window.sees("It is settled.")
        assert await window.page.get_by_text(number).count() == 0
        await window.go(f"/discrepancies?q={number}&settled=1")
        await window.reads("电话确认")
        assert await window.faults() == []
