"""Lists as they leave the console, filtered and kept, and files as they come in."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from entrepot.imports import flows as imports
from tests.browser.test_business import everywhere

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from tests.browser.conftest import Opened
    from tests.browser.window import Window

# A list, and a filter under which something is there.
LISTS = {
    "/adjustments": "q=AP", "/audit": "q=goldshop", "/deliveries": "state=delivered",
    "/discrepancies": "kind=moved", "/dispatch": "state=open", "/exchanges": "direction=in",
    "/movements": "sku=MM1", "/orders": "state=shipped", "/pieces": "q=SN-G1", "/returns": "q=SR",
    "/stock": "q=MM",
}  # fmt: skip


async def taken_along(window: Window, kind: str) -> Path:
    """Take the list along as a file by its menu."""
    async with window.page.expect_download() as kept:
        await window.page.get_by_role("link", name=kind, exact=True).click()
    return await (await kept.value).path()


@pytest.mark.parametrize("half", [0, 1])
@everywhere
async def test_every_list_is_kept_and_leaves_as_a_file(
    opened: Opened, place: tuple[str, int], half: int
) -> None:
    """The filter is there under its name until it is forgotten; both files hold what the list shows."""
    async with opened(*place) as window:
        for page, query in list(LISTS.items())[half::2]:
            name = f"{page[1:]} {place[1]}"
            await window.go(f"{page}?{query}")
            rows = await window.page.locator("main table.list tbody tr").count()
            assert rows, page
            menu = window.page.locator("summary", has_text=window.t("Filters"))
            await menu.click()
            await window.page.locator("#keep-name").fill(name)
            await window.press("Keep")
            await window.sees("The filter %(name)s is kept.", name=name)
            await menu.click()
            link = window.page.get_by_role("link", name=name, exact=True)
            assert await link.get_attribute("href") == f"{page}?{query}"
            await window.press("Forget %(name)s", name=name)
            await window.sees("The filter is forgotten.")
            await window.page.locator("summary", has_text=window.t("Export")).click()
            table = (await taken_along(window, "CSV")).read_text(encoding="utf-8-sig")
            assert len(list(csv.reader(io.StringIO(table)))) > rows, page
            assert (await taken_along(window, "XLSX")).read_bytes().startswith(b"PK"), page
        assert await window.faults() == []


def of(rows: Sequence[Sequence[object]]) -> Any:
    """Return rows as a file that is chosen in a form."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return {"name": "goods.csv", "mimeType": "text/csv", "buffer": out.getvalue().encode()}


@everywhere
async def test_a_template_is_filled_in_and_brought_in(
    opened: Opened, place: tuple[str, int]
) -> None:
    """Each kind has a template; a filled one goes in, and its goods are found at once."""
    sku = f"CUP-{place[1]}"
    async with opened(*place) as window:
        await window.go("/imports")
        for kind in imports.KINDS:
            async with window.page.expect_download() as kept:
                await window.page.locator(f"a[href='/imports/{kind}/template.csv']").click()
            assert (await kept.value).suggested_filename == f"{kind}.csv"
        await window.page.locator("[type=file]").set_input_files(
            of([("sku", "name"), (sku, "茶杯")])
        )
        await window.press("Bring it in")
        await window.page.locator(".tiles, dl, table").first.wait_for()
        await window.shoot("import-done")
        assert await window.faults() == []
        await window.go(f"/stock?q={sku}")
        await window.reads(sku)
        await window.reads("茶杯")
