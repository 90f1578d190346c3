"""Every page in both languages, on a desk and on a phone, light and dark."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.tour import PAGES, address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.browser.conftest import Opened

DESK, PHONE = 1440, 390
Faults = dict[str, list[str]]


async def faults_of(opened: Opened, names: Sequence[str], *where: Any, **how: Any) -> Faults:
    """Return what is wrong with pages of the tour, two windows sharing the work."""

    async def look(names: Sequence[str]) -> Faults:
        found: Faults = {}
        async with opened(*where, **how) as window:
            for name in names:
                await window.go(await address(window, name))
                assert await window.page.get_attribute("html", "lang") == window.language
                if name == "overview":
                    await window.page.wait_for_selector("[data-chart] canvas >> nth=1")
                await window.shoot(name)
                if faults := await window.faults():
                    found[name] = faults
        return found

    one, other = await asyncio.gather(look(names[::2]), look(names[1::2]))
    return one | other


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_page_is_sound(opened: Opened, language: str, width: int, half: int) -> None:
    """No script fails, no request fails, nothing is wider than the window, axe finds nothing."""
    assert await faults_of(opened, list(PAGES)[half::2], language, width) == {}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("width", [DESK, PHONE])
async def test_the_door_is_sound(opened: Opened, language: str, width: int) -> None:
    """Whoever is not signed in sees a page as sound as the others, in the browser's language."""
    async with opened(language, width, never_here=True) as window:
        await window.go("/orders?state=shipped")
        assert "/sign-in?next=" in window.page.url
        assert await window.page.get_attribute("html", "lang") == language
        await window.shoot("sign-in")
        assert await window.faults() == []
        await window.fill("User name", "admin")
        await window.fill("Password", "wrong")
        await window.press("Sign in")
        await window.sees("Name or password is wrong.")
        assert await window.faults(but="422") == []


async def test_dark_pages_have_contrast(opened: Opened) -> None:
    """Whoever's system is dark reads dark pages as well; axe measures their contrast."""
    names = ("overview", "attention", "orders", "order-store", "article", "suite-new", "adjustment",
             "connection", "connection-developer", "delivery", "exchange", "account")  # fmt: skip
    assert await faults_of(opened, names, "zh-CN", DESK, dark=True) == {}


async def test_an_address_there_is_not_says_so(opened: Opened) -> None:
    """A wrong address is answered with a page of the console that leads back."""
    async with opened() as window:
        await window.go("/nowhere")
        await window.sees("There is no such page.")
        assert await window.faults(but="404") == []
        await window.press("To the overview")
        await window.page.wait_for_url("**/")
