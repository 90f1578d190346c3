"""Languages, the keyboard, the theme, paper, and a hub that cannot be reached."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import SHIPPED
from tests.browser.test_business import everywhere
from tests.browser.tour import address

if TYPE_CHECKING:
    from playwright.async_api import Route

    from tests.browser.conftest import Opened

_OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"
_AT = "document.activeElement.getAttribute('href') || document.activeElement.id"


@everywhere
async def test_the_language_is_switched_at_the_top(opened: Opened, place: tuple[str, int]) -> None:
    """The same page in the other language, and back; nothing is lost of the filter."""
    async with opened(*place) as window:
        await window.go("/orders?state=shipped")
        other = {"zh-CN": "en", "en": "zh-CN"}[window.language]
        for language in (other, window.language):
            window.language = language
            await window.page.locator(".languages button").click()
            await window.page.wait_for_function(f"document.documentElement.lang == {language!r}")
            assert window.page.url.endswith("/orders?state=shipped")
            await window.sees("New order")
        assert await window.faults() == []


async def test_everything_is_reached_by_keyboard(opened: Opened) -> None:
    """The first Tab offers to skip to the content; what has the focus always shows it."""
    async with opened() as window:
        keys = window.page.keyboard
        await window.go("/orders")
        await keys.press("Tab")
        assert await window.page.evaluate(_AT) == "#main"
        assert await window.page.locator(".skip").is_visible()
        await keys.press("Enter")
        assert await window.page.evaluate(_AT) == "main"
        for _ in range(30):
            await keys.press("Tab")
            assert await window.page.evaluate(_OUTLINE) != "none", await window.page.evaluate(_AT)
        assert await window.faults() == []


async def test_keys_move_about(opened: Opened) -> None:
    """/ finds, j and k walk the rows, Enter opens, g and a letter goes, ? tells all of it."""
    async with opened() as window:
        page, keys = window.page, window.page.keyboard
        await window.go("/orders")
        await keys.press("j")
        first = await page.evaluate(_AT)
        await keys.press("j")
        assert await page.evaluate(_AT) != first
        await keys.press("k")
        assert await page.evaluate(_AT) == first
        await keys.press("Enter")
        await page.wait_for_url(f"**{first}")
        await keys.press("?")
        await page.locator("#keys[open]").wait_for()
        assert await window.faults() == []
        await keys.press("Escape")
        await keys.press("/")
        await keys.type(SHIPPED)
        await keys.press("Enter")
        await page.wait_for_url("**/orders/*")
        await page.locator("main h1", has_text=SHIPPED).wait_for()
        await page.locator("main h1").click()
        await keys.press("g")
        await keys.press("s")
        await page.wait_for_url("**/stock")
        assert await window.faults() == []


async def test_a_dialog_keeps_the_focus_and_gives_it_back(opened: Opened) -> None:
    """It opens with its first field ready, Escape closes it, and one is where one was."""
    async with opened() as window:
        await window.go(await window.link("/stock?q=MM3", r"/stock/\d+"))
        opener = window.button("Stocktake")
        await opener.focus()
        await window.page.keyboard.press("Enter")
        await window.page.locator("#sheet[open]").wait_for()
        assert await window.page.evaluate("document.activeElement.name") == "pieces"
        assert await window.faults() == []
        await window.page.keyboard.press("Escape")
        await window.page.locator("#sheet:not([open])").wait_for(state="attached")
        at = await window.page.evaluate("document.activeElement.textContent")
        assert window.t("Stocktake") in at


@everywhere
async def test_a_dialog_stays_while_an_older_answer_arrives(
    opened: Opened, place: tuple[str, int]
) -> None:
    """What was asked for before it opened is shown behind it, and closes nothing."""
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    async with opened(*place) as window:
        await window.go("/connections")
        await window.page.get_by_role("link", name="minimall", exact=True).click()
        await window.page.route("**/levels", hold)
        await window.press("Send changed levels now")
        await window.ask("Rotate the key")
        held.set()
        await window.toast(window.t("The levels are on their way."))
        assert await window.page.locator("#sheet[open]").count() == 1
        assert await window.faults() == []


async def test_the_menu_of_a_phone_opens_and_closes(opened: Opened) -> None:
    """The parts of the console stand behind one button; a choice leads there."""
    async with opened("zh-CN", 390) as window:
        await window.go("/")
        assert not await window.page.locator("#rail").is_visible()
        await window.press("Menu")
        await window.page.locator("#rail").wait_for()
        await window.shoot("menu")
        assert await window.faults() == []
        await window.page.locator("#rail a[href='/stock']").click()
        await window.page.wait_for_url("**/stock")
        assert not await window.page.locator("#rail").is_visible()


async def test_the_theme_is_chosen_and_kept(opened: Opened) -> None:
    """Light or dark by a button, the charts too, and again on the next page."""
    async with opened() as window:
        await window.go("/")
        ground = "getComputedStyle(document.documentElement).backgroundColor"
        light = await window.page.evaluate(ground)
        await window.press("Light or dark")
        dark = await window.page.evaluate(ground)
        assert dark != light
        await window.go("/orders")
        assert await window.page.evaluate(ground) == dark
        assert await window.faults() == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_page_prints_without_its_frame(opened: Opened, language: str) -> None:
    """Paper carries the document, not the menu, the filters or the buttons."""
    async with opened(language) as window:
        await window.page.emulate_media(media="print")
        for name in ("order", "dispatch-parked", "return", "connection-developer"):
            await window.go(await address(window, name))
            for frame in (".rail", ".bar", ".head .acts"):
                assert not await window.page.locator(frame).first.is_visible(), (name, frame)
            assert await window.page.locator("main h1").is_visible()
            await window.shoot(f"print-{name}")
        assert await window.faults() == []


async def test_a_lost_hub_is_said_and_taken_back(opened: Opened) -> None:
    """A page that polls says that what it shows may be old, until a call comes through again."""
    async with opened() as window:
        await window.go("/connections")
        await window.page.context.set_offline(True)
        note = window.page.locator("#offline")
        await note.wait_for(timeout=30_000)
        await window.page.context.set_offline(False)
        await note.wait_for(state="hidden", timeout=30_000)
