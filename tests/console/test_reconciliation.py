"""Reconciliation on the console: a list goes in, what differs is seen, settled, and taken along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import daytime
from tests.console import world as worlds
from tests.console.person import Person
from tests.console.world import World

if TYPE_CHECKING:
    from entrepot.hub import Hub


@pytest.fixture
def world(hub: Hub) -> World:
    """Give what is in the hub."""
    return World(hub)


@pytest.fixture
def today() -> str:
    """Give the day in which everything of a test happens."""
    return daytime.today().isoformat()


async def test_a_partner_s_list_is_compared_and_settled(
    admin: Person, world: World, today: str
) -> None:
    """What differs is listed by key with both sides; one is settled by itself, the rest together."""
    for number in ("RC-1", "RC-2", "RC-3"):
        await world.order(number, 2)
    await admin.get("/reconciliation")
    assert "Nothing was compared yet" in admin.page.words
    form = {"connection": "goldshop", "kind": "orders", "day": today}
    lines = b"number,qty,state\nRC-1,2,open\nRC-2,3,open\nRC-9,1,shipped\n"
    page = await admin.upload("/reconciliation", form, "march.csv", lines)
    base = f"/reconciliation/{world.connection()}/orders/{today}"
    assert page.path == base
    assert "They list 3, we have 3; 3 differ." in page.words
    for said in ("RC-2 Stands 3 pieces, open 2 pieces, open", "RC-3 Stands does not have it",
                 "RC-9 Stands 1 pieces, shipped does not have it"):  # fmt: skip
        assert said in page.words, page.words
    (first, *_rest) = page.links(r"/discrepancies/\d+/resolve")
    await admin.get(first)
    await admin.post(first, {"reason": "电话确认"})
    page = await admin.get(f"{base}?settled=1")
    assert "RC-2 Settled admin: 电话确认" in page.words or "电话确认" in page.words
    assert "2 stand" in (await admin.get("/reconciliation?connection=goldshop")).words
    file = await admin.get(f"{base}/differences.csv?settled=1")
    assert [line.split(",")[0] for line in file.text.split("\r\n")[1:4]] == ["RC-2", "RC-3", "RC-9"]
    await admin.get(f"{base}/settle")
    page = await admin.post(f"{base}/settle", {"reason": "次日补传"})
    assert "2 differences are settled." in page.words
    assert "Nothing stands any more" in page.words
    assert "All settled" in (await admin.get("/reconciliation")).words
    assert "Compared a partner's list" in (await admin.get("/audit?q=goldshop")).words
    lines = b"number\nRC-1\nRC-2\nRC-3\n"
    page = await admin.upload("/reconciliation", form, "march.csv", lines)
    assert "The lists agree" in page.words
    older = f"{today}.{world.connection()}.orders"
    for before in (older, "x", "2026-01-01", "2026-01-01.99999999999999999999999.%00"):
        assert (await admin.get(f"/reconciliation?before={before}")).status == 200


async def test_what_is_no_list_is_refused(admin: Person, world: World, today: str) -> None:
    """A wrong line is named under the file's own name; a partner that knows no query is not asked."""
    await admin.get("/reconciliation")
    form = {"connection": "goldshop", "kind": "stock", "day": today}
    page = await admin.upload("/reconciliation", form, "stock.csv", b"sku,qty\nYPJ1600,x\n")
    assert "stock.csv: line 2" in page.words
    for wrong in ({"kind": "gold"}, {"day": "yesterday"}, {"connection": "none"}):
        page = await admin.upload("/reconciliation", form | wrong, "a.csv", b"sku,qty\nYPJ1600,1\n")
        assert page.path == "/", wrong  # back, with the refusal said there
    for path in ("/reconciliation/1/orders/2026-03-01", "/reconciliation/1/gold/2026-03-01"):
        assert (await admin.get(path)).status == 404
    for day in ("2026-03-01", "x", "0000-00-00"):
        page = await admin.get(f"/reconciliation/{world.connection()}/orders/{day}")
        assert page.status in (400, 404)
    await admin.get("/reconciliation")
    page = await admin.post("/reconciliation/ask", {"connection": "goldshop"}, hx_request="true")
    assert (page.status, "cannot be asked" in page.words) == (422, True)
    page = await admin.post("/reconciliation/ask", {"connection": "wangdian"}, hx_request="true")
    assert page.status == 422
    await world.person("looker")
    looker = Person(admin._app)
    await looker.sign_in("looker", worlds.PASSWORD)
    assert "Compare a list" not in (await looker.get("/reconciliation")).words
    assert (await looker.post("/reconciliation/ask", {"connection": "goldshop"})).status == 403
