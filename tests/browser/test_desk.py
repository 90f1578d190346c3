"""What is done with deliveries, papers, exchanges and names until nothing waits any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.browser import office, shops
from tests.browser.stage import AWAY, GIVEN_UP, STORE, TOLD, WRONG
from tests.browser.test_business import everywhere

if TYPE_CHECKING:
    from tests.browser.conftest import Opened
    from tests.browser.window import Window


@everywhere
async def test_a_delivery_is_cancelled_with_a_reason(
    opened: Opened, place: tuple[str, int]
) -> None:
    """The partner will not be told; the dialog wants to know why, and the page keeps it."""
    async with opened(*place) as window:
        number = f"{GIVEN_UP}-{place[1]}"
        await window.go(await window.link(f"/deliveries?q={number}", r"/deliveries/\d+"))
        await window.ask("Cancel")
        await window.shoot("dialog-cancel-delivery")
        assert await window.faults() == []
        await window.answer("Cancel the delivery", reason="客户已退货")
        await window.sees("It is cancelled.")
        await window.reads("客户已退货")
        assert await window.button("Cancel").count() == 0
        assert await window.faults() == []


@everywhere
async def test_all_of_a_filter_is_handled_then_cancelled(
    opened: Opened, place: tuple[str, int]
) -> None:
    """The list's own menu opens the dialog, which wants a reason; a page counts, the list has the reason."""
    number = f"{TOLD}-{place[1]}"
    async with opened(*place) as window:
        for act, done, state, reason in (
            ("Mark all as handled", "handled", "Handled", "已电话告知"),
            ("Cancel all", "cancelled", "Cancelled", "不必再告知"),
        ):
            await window.go(f"/deliveries?state=needs_attention&q={number}")
            await window.page.locator("summary", has_text=window.t("All of these")).click()
            await window.press(act)
            await window.page.locator("#sheet[open]").wait_for()
            await window.shoot(f"dialog-bulk-{done}")
            assert await window.faults() == []
            await window.answer(act, reason=reason)
            await window.page.wait_for_url("**/deliveries/acts/*")
            await window.page.locator("#progress:not([hx-get]) h2").wait_for()
            await window.shoot("bulk-done")
            assert await window.faults() == []
            await window.go(f"/deliveries?q={number}&state={done}")
            await window.page.locator("td.state-cell", has_text=window.t(state)).wait_for()
            await window.page.locator("td", has_text=reason).first.wait_for()
            if done == "handled":
                await window.press("Retry")
                await window.sees("It is tried again now.")
                await stuck_again(window, number)


async def stuck_again(window: Window, number: str) -> None:
    """Look at a delivery's list until it has been given up anew."""
    for _ in range(20):
        await window.go(f"/deliveries?q={number}&state=needs_attention")
        if await window.page.locator("td.state-cell").count():
            return
        await window.page.wait_for_timeout(500)


@everywhere
async def test_an_adjustment_is_passed_and_refunded(opened: Opened, place: tuple[str, int]) -> None:
    """Filed by sales, it is taken through by another: passed from the list, refunded on its page."""
    order = f"{office.BOUGHT}-{place[1]}"
    async with opened(*place) as window:
        await window.go("/adjustments?state=RUN")
        row = window.page.locator("tr", has_text=order)
        number = await row.locator("td.main-cell").inner_text()
        await row.get_by_role("button", name=window.t("Pass"), exact=True).click()
        await window.sees("%(number)s is passed.", number=number)
        assert await row.count() == 0
        await window.go(f"/adjustments/{number}")
        await window.press("Refund")
        await window.sees("%(number)s is refunded.", number=number)
        await window.reads("退款流水号为")
        assert await window.faults() == []


@everywhere
async def test_a_return_goes_its_way(opened: Opened, place: tuple[str, int]) -> None:
    """One is passed, received and refunded; the other is refused, changed, and deleted."""
    order = f"{office.BOUGHT}-{place[1]}"
    async with opened(*place) as window:
        await window.go("/returns?state=INVALID")
        rows = window.page.locator("tr", has_text=order)
        good, other = [await rows.nth(n).locator("td.main-cell").inner_text() for n in (0, 1)]
        await window.go(f"/returns/{good}")
        for act, said in (
            ("Put into effect", "%(number)s is in effect."),
            ("Pass", "%(number)s is passed."),
            ("Sign the goods in", "The goods of %(number)s are signed in."),
            ("Refund", "%(number)s is refunded."),
        ):
            await window.press(act)
            await window.sees(said, number=good)
        assert await window.faults() == []
        await window.go(f"/returns/{other}")
        await window.press("Put into effect")
        await window.sees("%(number)s is in effect.", number=other)
        await window.press("Refuse")
        await window.sees("%(number)s is refused.", number=other)
        await window.press("Edit")
        await window.page.locator("[name=remark]").fill("另议")
        await window.press("Save the draft")
        await window.sees("The draft is saved.")
        await window.reads("另议")
        await window.ask("Delete")
        await window.answer("Delete")
        await window.page.wait_for_url("**/returns")
        await window.sees("%(number)s is deleted.", number=other)
        assert await window.page.locator("td.main-cell", has_text=other).count() == 0
        assert await window.faults() == []


@everywhere
async def test_an_exchange_is_revealed_with_a_reason(
    opened: Opened, place: tuple[str, int]
) -> None:
    """Bodies hide whom they are about until somebody says why they look; the audit log knows."""
    reason = f"与门店核对 {place[1]}"
    async with opened(*place) as window:
        await window.go(f"/exchanges?q={STORE}&direction=in")
        await window.page.locator("td.main-cell a").first.click()
        await (
            window.page.locator("h2", has_text=window.t("Request"))
            .or_(window.page.locator(".code"))
            .first.wait_for()
        )
        assert await window.page.get_by_text("13800138000").count() == 0
        await window.ask("Reveal")
        await window.shoot("dialog-reveal")
        assert await window.faults() == []
        await window.answer("Reveal", reason=reason)
        await window.reads("13800138000")
        assert await window.page.locator("#sheet[open]").count() == 0
        assert await window.faults() == []
        await window.go("/audit")
        await window.reads(reason)


@everywhere
async def test_a_name_is_put_right(opened: Opened, place: tuple[str, int]) -> None:
    """An article gets the name a partner calls it by, and loses it; what is no article is refused."""
    key = f"TM-{place[1]}"
    async with opened(*place) as window:
        await window.go("/connections")
        await window.page.get_by_role("link", name="minimall", exact=True).click()
        await window.press("Names of goods")
        await window.fill("The partner's key", key)
        await window.fill("SKU", "NOTHING")
        await window.press("Save")
        await window.page.locator("#mapping-said .note-box.bad").wait_for()
        await window.fill("SKU", f"{shops.COAT}-{place[1]}")
        await window.press("Save")
        await window.reads(key)
        await window.page.locator("main .toast", has_text=key).wait_for()
        await window.go(f"{window.page.url.partition('?')[0]}?q={shops.COAT}-{place[1]}")
        await expect(window.page.locator("td .mono")).to_have_text(key)
        await window.ask("Remove")
        await window.shoot("dialog-unlist")
        assert await window.faults(but="422") == []
        await window.answer("Remove", reason="对方已下架")
        await window.page.locator("main .toast", has_text=key).wait_for()
        assert await window.page.locator("td .mono", has_text=key).count() == 0
        assert await window.faults() == []


@everywhere
async def test_levels_are_sent_by_hand(opened: Opened, place: tuple[str, int]) -> None:
    """What changed, or all there is, goes to the partner now and not at the next turn."""
    async with opened(*place) as window:
        await window.go("/connections")
        await window.page.get_by_role("link", name="minimall", exact=True).click()
        for act in ("Send changed levels now", "Send all levels"):
            await window.press(act)
            await window.toast(window.t("The levels are on their way."))
        assert await window.faults() == []


@everywhere
async def test_orders_that_were_turned_away_are_mended(
    opened: Opened, place: tuple[str, int]
) -> None:
    """One's goods are made known where it stands; the other is settled with a reason, and leaves."""
    async with opened(*place) as window:
        await window.go("/attention?kind=turned_away")
        away, wrong = f"{AWAY}-{place[1]}", f"{WRONG}-{place[1]}"
        await window.page.locator("tr", has_text=away).locator("a").first.click()
        await window.page.locator("main h1", has_text=away).wait_for()
        await window.page.locator("[name=sku-1]").fill("")
        await window.press("Have them known")
        await window.page.locator("#goods-said .note-box.bad").wait_for()
        await window.page.locator("[name=sku-1]").fill(f"RING-{place[1]}")
        await window.page.locator("[name=title-1]").fill("细戒")
        await window.press("Have them known")
        await window.sees("Every name is known now")
        assert await window.faults(but="422") == []
        await window.go("/attention?kind=turned_away")
        row = window.page.locator("tr", has_text=wrong)
        await row.get_by_role("link", name=window.t("Settle"), exact=True).click()
        await window.page.locator("#sheet[open]").wait_for()
        await window.shoot("dialog-settle-order")
        assert await window.faults() == []
        await window.answer("Settle", reason="对方已撤单")
        await window.sees("It is settled.")
        assert await row.count() == 0
        assert await window.faults() == []
