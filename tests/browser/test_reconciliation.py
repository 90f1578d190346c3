"""Partners' lists against ours, and the document a partner's developer is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser import office
from tests.browser.test_business import everywhere
from tests.browser.test_files import of, taken_along
from tests.browser.window import sign_in

if TYPE_CHECKING:
    from tests.browser.conftest import Opened

LISTS: dict[str, list[tuple[object, object]]] = {
    "orders": [("number", "qty"), ("RC-7", 1), ("RC-8", 2)],
    "stock": [("sku", "qty"), ("YPJ1601", 7), ("YPJ1602", 8)],
    "refunds": [("number", "amount"), ("SR-7", "1.00"), ("SR-8", "2.00")],
}


@everywhere
async def test_a_partner_s_lists_are_compared_and_settled(
    opened: Opened, place: tuple[str, int]
) -> None:
    """What differs stands by its key, leaves as a file, and is settled with one reason."""
    day = {1440: "2026-03-01", 390: "2026-03-02"}[place[1]]
    async with opened(*place) as window:
        page = window.page
        for kind, rows in LISTS.items():
            await window.go("/reconciliation")
            form = page.locator("form[action='/reconciliation'][method=post]")
            await form.locator("[name=connection]").select_option("goldshop")
            await form.locator("[name=kind]").select_option(kind)
            await form.locator("[name=day]").fill(day)
            await form.locator("[type=file]").set_input_files(of(rows))
            await window.press("Compare")
            await page.wait_for_url(f"**/reconciliation/*/{kind}/{day}")
            await window.reads(str(rows[1][0]))
            await window.shoot(f"reconciliation-{kind}")
            assert await window.faults() == []
            await page.locator("summary", has_text=window.t("Export")).click()
            table = (await taken_along(window, "CSV")).read_text(encoding="utf-8-sig")
            assert str(rows[2][0]) in table
            assert (await taken_along(window, "XLSX")).read_bytes().startswith(b"PK")
            await window.ask("Settle all")
            await window.shoot("dialog-settle-all")
            assert await window.faults() == []
            await window.answer("Settle all", reason="次日补传")
            await window.sees("Nothing stands any more")
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
async def test_their_document_is_read_and_taken_along(
    opened: Opened, place: tuple[str, int]
) -> None:
    """The key is left out until one who may puts it in; both files hold what the page shows."""
    async with opened(*place) as window:
        await window.go("/connections")
        await window.page.get_by_role("link", name="storepos", exact=True).click()
        await window.press("For their developer")
        await window.press("Their document")
        await window.page.locator("article.prose h1").first.wait_for()
        await window.shoot("connection-guide")
        assert await window.faults() == []
        await window.press("Put the key in")
        await window.sees("Leave the key out")
        for kind in ("Markdown", "HTML"):
            file = await taken_along(window, kind)
            assert "/pos/ordermake" in file.read_text(encoding="utf-8")
        assert await window.faults() == []
