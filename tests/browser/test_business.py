"""What operators do all day, in Chinese at a desk and in English on a phone."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import REFUSED, STORE, STUCK

if TYPE_CHECKING:
    from tests.browser.conftest import Opened
    from tests.browser.window import Window

PLACES = [("zh-CN", 1440), ("en", 390)]
everywhere = pytest.mark.parametrize("place", PLACES, ids=["desk", "phone"])
_number = itertools.count(1)


async def placed(window: Window, lines: str = "PU184 2") -> str:
    """Place an order of the hub's own; return its number."""
    number = f"OWN-{next(_number)}"
    await window.go("/orders/new")
    await window.fill("Number", number)
    await window.page.locator("textarea[name=lines]").fill(lines)
    await window.press("Place the order")
    await window.sees("Order %(number)s is placed.", number=number)
    return number


@everywhere
async def test_an_order_is_placed_and_cancelled(opened: Opened, place: tuple[str, int]) -> None:
    """A refusal stands beside the form; a cancelled order says why in its timeline."""
    async with opened(*place) as window:
        number = await placed(window)
        await window.go("/orders/new")
        await window.fill("Number", number)
        await window.page.locator("textarea[name=lines]").fill("PU184 2")
        await window.press("Place the order")
        await window.sees("Order %(number)s exists already.", number=number)
        await window.go(await window.link(f"/orders?q={number}", r"/orders/\d+"))
        await window.ask("Cancel the order")
        await window.shoot("dialog-cancel")
        assert await window.faults(but="4") == []
        await window.answer("Cancel the order", reason="客户改主意了")
        await window.sees("Order %(number)s is cancelled.", number=number)
        await window.reads("客户改主意了")
        await window.sees("Cancelled")
        assert await window.faults() == []


@everywhere
async def test_an_order_is_processed_and_shipped(opened: Opened, place: tuple[str, int]) -> None:
    """Each step is a button; the page is drawn anew and offers the next one."""
    async with opened(*place) as window:
        number = await placed(window)
        await window.press("Mark as processed")
        await window.sees("Order %(number)s is processed.", number=number)
        await window.press("Ship")
        await window.sees("Order %(number)s is shipped.", number=number)
        assert await window.button("Ship").count() == 0
        assert await window.faults() == []


@everywhere
async def test_a_receiver_is_revealed_with_a_reason(opened: Opened, place: tuple[str, int]) -> None:
    """Masked until somebody says why; that they looked is in the audit log."""
    async with opened(*place) as window:
        await window.go(await window.link(f"/orders?q={STORE}", r"/orders/\d+"))
        assert await window.page.get_by_text("13800138000").count() == 0
        await window.ask("Reveal")
        reason = f"核对地址 {place[1]}"
        await window.answer("Reveal", reason=reason)
        await window.reads("13800138000")
        await window.reads("文三路1号")
        assert await window.faults() == []
        await window.go("/audit")
        await window.reads(reason)


@everywhere
async def test_what_did_not_get_through_is_dealt_with(
    opened: Opened, place: tuple[str, int]
) -> None:
    """One is taken and let go, retried, and the other retried from its order's timeline."""
    async with opened(*place) as window:
        stuck, refused = f"{STUCK}-{place[1]}", f"{REFUSED}-{place[1]}"
        await window.go("/attention")
        row = window.page.locator("tr", has_text=stuck)
        await row.get_by_role("button", name=window.t("Take"), exact=True).click()
        await window.sees("It is yours.")
        await row.get_by_role("button", name=window.t("Let go"), exact=True).click()
        await window.sees("Nobody takes care of it now.")
        await window.page.locator("tr", has_text=stuck).locator("a").first.click()
        await window.press("Retry now")
        await window.sees("It is tried again now.")
        await window.go(await window.link(f"/orders?q={refused}", r"/orders/\d+"))
        await window.page.locator(".timeline").get_by_role("button").first.click()
        await window.sees("It is tried again now.")
        assert await window.faults() == []


@everywhere
async def test_a_delivery_is_handled_with_a_reason(opened: Opened, place: tuple[str, int]) -> None:
    """It leaves the queue, and what the person said stands on its page; a retry takes it up again."""
    async with opened(*place) as window:
        await window.go(
            await window.link(f"/deliveries?q={REFUSED}-{place[1]}", r"/deliveries/\d+")
        )
        if await window.button("Mark as handled").count() == 0:
            await window.press("Retry now")
        await window.ask("Mark as handled")
        await window.answer("Mark as handled", reason="已电话告知")
        await window.sees("It is marked as handled.")
        await window.reads("已电话告知")
        assert await window.faults() == []
        await window.press("Retry now")
        await window.sees("It is tried again now.")


@everywhere
async def test_all_of_a_filter_is_retried_with_progress(
    opened: Opened, place: tuple[str, int]
) -> None:
    """The dialog says what will be touched; a page of its own counts how far it has come."""
    async with opened(*place) as window:
        await window.go("/deliveries/bulk/retry?state=cancelled")
        await window.press("Retry all")
        await window.sees("Choose a state first: waiting, rejected, or one that needs a person.")
        await window.go("/deliveries/bulk/retry?state=waiting&connection=minimall")
        await window.press("Retry all")
        await window.page.wait_for_url("**/deliveries/acts/*")
        await window.page.locator("#progress:not([hx-get]) h2").wait_for()
        await window.press("All deliveries")
        assert await window.faults(but="422") == []


@everywhere
async def test_a_price_adjustment_is_filed_and_refused(
    opened: Opened, place: tuple[str, int]
) -> None:
    """Filed on the order's page; refused with a reason that stands in its log; then deleted."""
    order = {1440: "test-07", 390: "test-08"}[place[1]]
    async with opened(*place) as window:
        await window.go(f"/orders/{order}/adjust")
        await window.press("File it")
        await window.sees("Fill in at least one line.")
        await window.page.locator("[name^=ask-]").first.fill("0.25")
        await window.press("File it")
        await window.page.wait_for_url("**/adjustments/AP*")
        await window.sees("To be passed")
        await window.shoot("adjustment-filed")
        await window.ask("Refuse")
        await window.answer("Refuse", reason="价格已谈妥")
        await window.reads("价格已谈妥")
        await window.sees("Refused (void)")
        await window.ask("Delete")
        await window.answer("Delete")
        await window.page.wait_for_url("**/adjustments")
        assert await window.faults(but="4") == []


@everywhere
async def test_a_return_is_worked_out_before_it_is_filed(
    opened: Opened, place: tuple[str, int]
) -> None:
    """What it would give back is shown on the spot; filed it is a draft that is put into effect."""
    order = {1440: "test-05", 390: "test-09"}[place[1]]
    async with opened(*place) as window:
        await window.go(f"/orders/{order}/return")
        await window.page.locator("[name^=qty-]").first.fill("1")
        await window.press("What would it give back?")
        await window.sees("Gives back")
        await window.press("File the draft")
        await window.page.wait_for_url("**/returns/SR*")
        await window.sees("Draft")
        await window.press("Put into effect")
        await window.sees("To be passed")
        assert await window.faults() == []


@everywhere
async def test_a_stocktake_is_entered(opened: Opened, place: tuple[str, int]) -> None:
    """What is no number is refused beside the field; the difference is booked and shown at once."""
    async with opened(*place) as window:
        counted = str(100 + place[1])
        await window.go(await window.link("/stock?q=dongfangshuye", r"/stock/\d+"))
        await window.ask("Stocktake")
        await window.page.locator("#sheet [name=pieces]").fill(counted)
        await window.page.locator("#sheet [name=weight]").fill("many")
        await window.answer("Enter")
        await window.sees("A weight is in grams, 0 or more.")
        await window.page.locator("#sheet [name=weight]").fill("")
        await window.answer("Enter")
        await window.sees("The stocktake is entered.")
        await window.page.locator(".tiles .value", has_text=f"{int(counted):,}").first.wait_for()
        await window.ask("Safety")
        await window.page.locator("#sheet input[type=text]").first.fill("3")
        await window.page.locator("#sheet button.main").click()
        await window.sees("The safety stock is saved.")
        assert await window.faults(but="4") == []


@everywhere
async def test_a_suite_is_composed_with_its_split(opened: Opened, place: tuple[str, int]) -> None:
    """The price falls on the parts while one types, cents and all; saved, it can be sold."""
    sku = f"BOX-{place[1]}"
    async with opened(*place) as window:
        page = window.page
        await window.go("/suites/new")
        await page.locator("[name=sku]").fill(sku)
        await page.locator("[name=name]").fill("礼盒")
        await page.locator("[name=retail_price]").fill("10")
        await page.locator("[name=sku-1]").fill("dongfangshuye")
        await page.locator("[name=sku-2]").fill("xiaowanzi01")
        await page.locator("#split tfoot", has_text="10.00").wait_for()
        split = await page.locator("#split tbody td:last-child").all_inner_texts()
        assert sum(float(amount) for amount in split) == pytest.approx(10)
        await window.shoot("suite-split")
        await window.press("One more")
        assert await page.locator("[name=sku-4]").count() == 1
        await window.press("Save the suite")
        await window.sees("The suite %(sku)s is saved.", sku=sku)
        await window.sees("Can be sold")
        assert await window.faults() == []


@everywhere
async def test_a_publishing_rule_is_tried_first(opened: Opened, place: tuple[str, int]) -> None:
    """What channels would see is shown before the rule holds; it is removed as easily."""
    async with opened(*place) as window:
        await window.go("/publishing/new")
        await window.page.locator("[name=sku]").fill("MM2")
        await window.page.locator("[name=buffer]").fill("5")
        await window.press("Try it first")
        await window.sees("Would see")
        await window.press("Let it hold")
        await window.sees("The rule holds. Channels are told what changed.")
        await window.press("Remove")
        await window.sees("The rule is gone. Channels are told what changed.")
        assert await window.faults() == []


@everywhere
async def test_a_list_is_filtered_kept_and_taken_along(
    opened: Opened, place: tuple[str, int]
) -> None:
    """A select applies at once, empty filters stay out of the address, the export is a file; what was
    kept is forgotten as easily.
    """
    async with opened(*place) as window:
        await window.go("/orders")
        await window.page.locator("select[name=state]").select_option("shipped")
        await window.page.wait_for_url("**/orders?state=shipped")
        await window.page.locator("summary", has_text=window.t("Filters")).click()
        name = f"shipped {place[1]}"
        await window.page.locator("#keep-name").fill(name)
        await window.press("Keep")
        await window.sees("The filter %(name)s is kept.", name=name)
        await window.page.locator("summary", has_text=window.t("Export")).click()
        async with window.page.expect_download() as kept:
            await window.page.get_by_role("link", name="CSV", exact=True).click()
        assert (await kept.value).suggested_filename.endswith(".csv")
        await window.page.locator("summary", has_text=window.t("Filters")).click()
        await window.shoot("menu-filters")
        await window.press("Forget %(name)s", name=name)
        await window.sees("The filter is forgotten.")
        assert await window.page.get_by_role("link", name=name).count() == 0
        assert await window.faults() == []
