"""The demonstration served for real, with some business done, and a Chromium to look at it with."""

from __future__ import annotations

import inspect
import os
import shutil
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from tests import conftest, running
from tests.browser import ledger as ledgers
from tests.browser import stage
from tests.browser.ledger import Ledger
from tests.browser.window import Window, sign_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Browser, StorageState

    from tests.running import Running

    Opened = Callable[..., AbstractAsyncContextManager[Window]]

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


LAST = "test_every_page_and_every_act_was_driven_in_both_languages"
_chosen = pytest.StashKey[bool]()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Remember that some of the browser's tests were chosen and others not."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.config.stash[_chosen] = True


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the browser's tests, and run them on one event loop, where their browser lives."""
    if item.path.is_relative_to(HERE):
        item.add_marker(pytest.mark.browser)
        if inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have the reckoning of what was driven come last, whatever the order, and only after all of it."""
    last = [item for item in items if item.name == LAST]
    others = [item for item in items if item.name != LAST]
    in_part = config.stash.get(_chosen, False) or any("::" in arg for arg in config.args)
    if in_part or not ledgers.whole(HERE, items):
        config.hook.pytest_deselected(items=last)
        items[:] = others
    else:
        items[:] = [*others, *last]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def serving(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """Give the demonstration on a port of its own, all its processes, with something in every list."""
    data = tmp_path_factory.mktemp("browser")
    how = f"TEMPLATE {template} STRATEGY FILE_COPY"
    with (
        contextmanager(conftest._database)(server_url, how) as url,
        running.hub(data, url, "--demo", "--workers", "1") as hub,
    ):
        await stage.play(hub)
        yield hub


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Give Debian's Chromium, else Playwright's own, with a profile that is thrown away."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS
        )
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def signed_in(browser: Browser, serving: Running) -> StorageState:
    """Give the cookies of a signed-in administrator."""
    context = await browser.new_context(base_url=serving.url)
    await sign_in(await context.new_page())
    cookies = await context.storage_state()
    await context.close()
    return cookies


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    """Give the ledger of what browsers asked for in this session."""
    return Ledger(ledgers.routes())


@pytest.fixture(scope="session")
def opened(browser: Browser, serving: Running, signed_in: StorageState, ledger: Ledger) -> Opened:
    """Give ``opened(language, width)``: a window of somebody who chose that language.

    It is signed in unless they are a ``stranger``, or were ``never_here`` and chose nothing.
    """

    @asynccontextmanager
    async def window(
        language: str = "zh-CN",
        width: int = 1440,
        *,
        stranger: bool = False,
        never_here: bool = False,
        dark: bool = False,
    ) -> AsyncIterator[Window]:
        phone = width < 800
        context = await browser.new_context(
            base_url=serving.url,
            viewport={"width": width, "height": 844 if phone else 900},
            is_mobile=phone,
            has_touch=phone,
            locale=language,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            storage_state=None if stranger or never_here else signed_in,
        )
        cookie = {"name": "language", "value": language, "url": serving.url}
        if not never_here:
            await context.add_cookies([cookie])  # type: ignore[list-item]
        try:
            name = f"{language}.dark" if dark else language
            shots = os.environ.get("ENTREPOT_SHOTS")
            shots = shots and f"{shots}/{{}}.{name}"
            yield Window(await context.new_page(), language, ledger, shots)
        finally:
            await context.close()

    return window
