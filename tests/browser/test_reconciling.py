"""Lists of partners compared with ours, from the file to the last difference; a partner's document."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests import daytime
from tests.browser import office
from tests.browser.test_business import everywhere
from tests.browser.window import sign_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.conftest import Opened
    from tests.browser.window import Window

# Whose list of what, with two keys that we do not have like that.
LISTS = {
    "orders": ("goldshop", "number,qty\nNOT-OURS-1,1\nNOT-OURS-2,2\n"),
    "stock": ("minimall", "sku,qty\nMM1,77777\nMM2,77777\n"),
    "refunds": ("trade", "number,amount\nNOT-OURS-1,1.50\nNOT-OURS-2,2\n"),
}


async def taken_along(window: Window, words: str) -> bytes:
    """Follow a link that is a download; return the file."""
    async with window.page.expect_download() as kept:
        await window.page.get_by_role("link", name=words, exact=True).click()
    return (await (await kept.value).path()).read_bytes()


@pytest.mark.parametrize("kind", LISTS)
@everywhere
async def test_a_list_is_compared_and_settled(
    opened: Opened, place: tuple[str, int], tmp_path: Path, kind: str
) -> None:
    """What differs stands by key with both sides, leaves as a file, and is settled by one and all."""
    connection, lines = LISTS[kind]
    day = daytime.today() - timedelta(days=place[1] == 390)
    file = tmp_path / f"{kind}.csv"
    file.write_text(lines, encoding="utf-8")
    async with opened(*place) as window:
        page = window.page
        await window.go("/reconciliation")
        await page.locator("#f-connection").select_option(connection)
        await page.locator("#f-kind").select_option(kind)
        await page.locator("#f-day").fill(day.isoformat())
        await page.locator("#f-file").set_input_files(file)
        await window.press("Compare")
        await page.wait_for_url(f"**/{kind}/{day}")
        await window.shoot(f"reconciled-{kind}")
        assert await window.faults() == []
        await page.locator("summary", has_text=window.t("Export")).click()
        for word, begin in (("CSV", b"\xef\xbb\xbf"), ("XLSX", b"PK")):
            assert (await taken_along(window, word)).startswith(begin)
        await page.keyboard.press("Escape")
        await window.ask("Settle")
        await window.answer("Settle", reason="电话确认")
        await window.sees("It is settled.")
        await window.ask("Settle all")
        assert await window.faults() == []
        await window.answer("Settle all", reason="次日补传")
        await window.sees("Nothing stands any more")
        await window.go("/reconciliation")
        await window.sees("All settled")
        await window.shoot("reconciliation")
        assert await window.faults() == []


@everywhere
async def test_a_partner_is_asked_for_its_stock(opened: Opened, place: tuple[str, int]) -> None:
    """The partner at the other end answers, and its list is compared with ours at once."""
    async with opened(*place, stranger=True) as window:
        await sign_in(window.page, f"{office.KEEPER}@partners", office.PASSWORD)
        await window.go("/reconciliation")
        form = window.page.locator("form[action='/reconciliation/ask']")
        await form.locator("[name=connection]").select_option("wangdian")
        await window.press("Ask and compare")
        await window.page.wait_for_url("**/reconciliation/*/stock/*")
        await window.sees("They list")
        assert await window.faults() == []


@everywhere
async def test_a_partner_s_document_is_read_and_sent_along(
    opened: Opened, place: tuple[str, int]
) -> None:
    """It stands as it is printed; as a file it has the key in it only where that was asked for."""
    async with opened(*place) as window:
        base = await window.link("/connections", r"/connections/\d+")
        await window.go(f"{base}/developer")
        await window.press("Their document")
        await window.page.locator("article.prose h1").wait_for()
        await window.shoot("document")
        assert await window.faults() == []
        assert (await taken_along(window, "Markdown")).startswith(b"# ")
        plain = await taken_along(window, "HTML")
        assert b"/c/****" in plain
        await window.press("Put the key in")
        await window.sees("The key is in it: whoever has it can call. Give it to the partner only.")
        assert b"/c/****" not in await taken_along(window, "HTML")
