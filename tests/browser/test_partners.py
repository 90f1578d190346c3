"""What an integration engineer does with connections, and what a partner's developer is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.stage import NOWHERE
from tests.browser.test_business import everywhere

if TYPE_CHECKING:
    from tests.browser.conftest import Opened


@everywhere
async def test_a_connection_is_made_tested_paused_and_rotated(
    opened: Opened, place: tuple[str, int]
) -> None:
    """From nothing to a partner's page in one form; every act says what it did."""
    name = f"shop-{place[1]}"
    async with opened(*place) as window:
        page = window.page
        await window.go("/connections/new")
        await window.fill("Name", name)
        await page.locator("[name=kind]").select_option("goldshop/erp")
        await page.locator("[name=partner_url]").fill(NOWHERE)
        await window.press("Make the connection")
        await window.sees("The connection is made. This is what the partner needs.")
        await window.shoot("connection-made")
        assert await page.get_by_text("****").first.is_visible()
        await window.press("Show keys and secrets")
        await page.get_by_text("/c/").first.wait_for()
        await window.press("How it fares")
        await window.press("Test")
        await window.toast(
            window.t(
                "Not reached: %(reason)s", reason=window.t("could not connect: %(rest)s", rest="")
            )
        )
        await window.press("Pause")
        await window.sees("It is paused.")
        await window.press("Resume")
        await window.sees("It is resumed.")
        await window.ask("Rotate the key")
        await window.answer("Rotate")
        await window.sees("There is a new key. The old one stays valid for %(span)s.", span="24h")
        assert await window.faults() == []


@everywhere
async def test_settings_of_a_connection_are_changed(opened: Opened, place: tuple[str, int]) -> None:
    """What differs is saved and stands in the changes; a value that cannot be says so in place."""
    async with opened(*place) as window:
        base = await window.link("/connections", r"/connections/\d+")
        await window.go(f"{base}/settings")
        await window.page.locator("[name=timeout]").fill("soon")
        await window.press("Save")
        await window.page.locator("#settings-said .note-box.bad").wait_for()
        await window.page.locator("[name=timeout]").fill(f"{place[1] // 100}s")
        await window.press("Save")
        await window.sees("The settings are saved.")
        await window.reads(f"{place[1] // 100}s")
        assert await window.faults(but="4") == []


@everywhere
async def test_an_exchange_is_read_and_copied(opened: Opened, place: tuple[str, int]) -> None:
    """Request and reply stand pretty-printed; the whole call is copied as a curl command."""
    async with opened(*place) as window:
        await window.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await window.go("/exchanges?connection=goldshop&direction=in")
        await window.page.locator("td.main-cell a").first.click()
        await window.reads('"oriOrderNo"')
        await window.press("Copy as curl")
        await window.page.locator("#spoken", has_text=window.t("Copied")).wait_for(state="attached")
        copied = await window.page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("curl ")
        assert await window.faults() == []


@everywhere
async def test_a_schedule_is_run_by_hand(opened: Opened, place: tuple[str, int]) -> None:
    """What runs by the clock runs now, and the page shows it without being loaded anew."""
    async with opened(*place) as window:
        await window.go("/schedules")
        await window.press("Run now")
        await window.sees("It runs in a moment.")
        assert await window.faults() == []


@everywhere
async def test_the_overview_lives(opened: Opened, place: tuple[str, int]) -> None:
    """Its figures are drawn anew while one looks, and each leads to its list."""
    async with opened(*place) as window:
        await window.go("/")
        async with window.page.expect_response("**/"):  # what it asks for by itself
            await window.sees("Orders today")
        await window.page.locator("#figures a[href='/attention']").click()
        await window.page.wait_for_url("**/attention")
        assert await window.faults() == []
