"""What a browser must fetch: little the first time, nothing twice."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.console.person import Page, Person

MOST = 300 * 1024
PAGES = (
    "/orders",
    "/stock",
    "/dispatch",
    "/deliveries",
    "/exchanges",
    "/connections",
    "/people/roles",
)


def _wire(page: Page) -> int:
    """Return a body's size as it was sent: packed where it was."""
    packed = page.header("content-encoding") == "gzip"
    return len(gzip.compress(page.body, 5)) if packed else len(page.body)


async def test_a_first_visit_weighs_less_than_300_kb(admin: Person) -> None:
    """Page, style, scripts, icons and font together, as they are sent; charts are on the overview only."""
    for address in PAGES:
        page = await admin.get(address)
        needed = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page.text))
        assert len(needed) >= 5
        weight = _wire(page) + sum([_wire(await admin.get(file)) for file in needed])
        assert weight < MOST, (address, weight)


async def test_what_was_fetched_is_kept_for_ever(admin: Person) -> None:
    """A file's name holds its content, so that it is never asked for again."""
    page = await admin.get("/orders")
    for file in set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page.text)):
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", file), file
        assert "immutable" in (await admin.get(file)).header("cache-control")
    assert (await admin.get("/static/none.js")).status == 404
