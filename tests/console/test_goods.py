"""Goods on the console: levels, counts, why a channel sees what it sees, publishing rules, suites, files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.console.world import World

if TYPE_CHECKING:
    from entrepot.hub import Hub
    from tests.console.person import Person


@pytest.fixture
def world(hub: Hub) -> World:
    """Give what is in the hub."""
    return World(hub)


async def _article(world: World, sku: str) -> int:
    found: int = await world.value("SELECT id FROM article WHERE tenant_id = $1 AND sku = $2", sku)
    return found


async def _place(world: World, code: str) -> int:
    found: int = await world.value(
        "SELECT id FROM location WHERE tenant_id = $1 AND code = $2", code
    )
    return found


async def test_a_stocktake_moves_what_lies_there(admin: Person, world: World) -> None:
    """The count, and the weight with it, is the balance at once; the ledger says who."""
    article, place = await _article(world, "YPJ1600"), await _place(world, "HQ")
    address = f"/stock/{article}/count/{place}"
    await admin.get(address)
    page = await admin.post(address, {"pieces": "444", "weight": "1110.5"})
    assert page.path == f"/stock/{article}"
    assert "444" in page.words
    kept = "SELECT row(on_hand, weight)::text FROM stock WHERE tenant_id = $1 AND article_id = $2"
    assert await world.value(kept, article) == "(444,1110.5000)"
    assert "管理员" in (await admin.get("/movements?sku=YPJ1600")).words
    assert "管理员" in (await admin.get("/movements?sku=YPJ1600&kind=stocktake")).words
    assert "No movement fits" in (await admin.get("/movements?sku=YPJ1600&kind=return")).words
    page = await admin.get("/movements?kind=stocktake")
    assert "&from=20" in page.path, "a kind alone is looked for from today on"
    assert "管理员" in page.words
    for wrong in (
        {"pieces": "-1"},
        {"pieces": ""},
        {"pieces": "1", "weight": "heavy"},
        {"pieces": "²"},
    ):
        assert (await admin.post(address, wrong, hx_request="true")).status == 422, wrong
    for address in (f"/stock/{article}/count/1", f"/stock/1/count/{place}", "/stock/1"):
        assert (await admin.get(address)).status == 404


async def test_safety_stock_is_kept_back_from_channels(admin: Person, world: World) -> None:
    """What is available falls by it, and so does what channels see, and the page says why."""
    article, place = await _article(world, "YPJ1601"), await _place(world, "HQ")
    address = f"/stock/{article}/safety/{place}"
    await admin.get(address)
    page = await admin.post(address, {"pieces": "40"})
    assert "The safety stock is saved." in page.words
    assert "What happened Set a safety stock" in page.words
    explained = page.links(rf"/stock/{article}/explain/\d+")[0]
    assert "460" in (await admin.get(explained)).words
    assert (await admin.get(f"/stock/{article}/explain/1")).status == 404
    assert "Set a safety stock" in (await admin.get("/audit")).words


async def test_levels_are_found_by_sku_name_and_place(admin: Person) -> None:
    """The beginning of a SKU or of a name, one location, or what is below its safety stock."""
    for query, there in {
        "q=YPJ160": True, "q=足金999 YPJ": True, "location=HQ": True, "location=6001": False,
        "location=nowhere": False, "low=1": False, "q=%00": False, "before=YPJ1600": False,
    }.items():  # fmt: skip
        asked = quote(query, safe="=&%")
        page = await admin.get(f"/stock?{asked}")
        assert (">YPJ1600<" in page.text) is there, query
        text = (await admin.get(f"/stock/export.csv?{asked}")).text
        assert ("YPJ1600," in text) is (there or query.startswith("before")), query


async def test_the_ledger_is_filtered(admin: Person, world: World) -> None:
    """By article, by number, by day; an unknown article has no movements."""
    for query, there in {
        "sku=YPJ1600": True, "sku=NONE": False, "q=NONE": False, "to=2001-01-01": False,
        "sku=%00": False,
    }.items():  # fmt: skip
        assert ("YPJ1600" in (await admin.get(f"/movements/export.csv?{query}")).text) is there
        assert (await admin.get(f"/movements?{query}")).status == 200


async def test_a_publishing_rule_is_tried_then_holds(admin: Person, world: World) -> None:
    """Trying shows before and after and changes nothing; the rule then shows in the list and can go."""
    await admin.get("/publishing/new")
    form = {"sku": "YPJ1600", "kind": "share", "percent": "50", "buffer": "3", "connection": ""}
    tried = await admin.post("/publishing/new", form | {"ask": "try"}, hx_request="true")
    assert tried.status == 200
    rules = "SELECT count(*) FROM publish_rule WHERE tenant_id = $1"
    before = await world.value(rules)
    page = await admin.post("/publishing/new", form)
    assert page.path == "/publishing"
    assert await world.value(rules) == before + 1
    (remove,) = set(re.findall(r'action="(/publishing/\d+/remove)"', page.text))
    assert "The rule is gone." in (await admin.post(remove)).words
    assert await world.value(rules) == before
    await admin.get("/publishing/new")
    for wrong in ({"percent": "lots"}, {"percent": "-1"}, {"buffer": "x"}, {"sku": "NONE"}):
        bad = await admin.post("/publishing/new", form | wrong, hx_request="true")
        assert bad.status == 422, wrong
    assert (await admin.post("/publishing/1/remove", hx_request="true")).status == 422


@pytest.mark.parametrize("kind", ["fixed", "stop"])
async def test_a_rule_may_fix_or_stop_a_channel(admin: Person, world: World, kind: str) -> None:
    """A fixed figure, or none at all, for one connection and place."""
    await admin.get("/publishing/new")
    form = {
        "connection": "minimall",
        "location": "HQ",
        "kind": kind,
        "fixed": "9",
        "locations": "HQ",
    }
    assert (await admin.post("/publishing/new", form)).path == "/publishing"
    kept = "SELECT row(fixed, stop)::text FROM publish_rule WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1"
    assert await world.value(kept) == ("(9,f)" if kind == "fixed" else "(,t)")


async def test_a_suite_is_composed_with_its_split_shown(admin: Person, world: World) -> None:
    """The preview splits the price; saving makes it; it is listed, opened, changed, and never made twice."""
    await admin.get("/suites/new")
    form = {
        "sku": "BOX-9", "name": "礼盒", "retail_price": "100", "sku-1": "YPJ1600", "num-1": "2",
        "how-1": "ratio", "value-1": "75", "sku-2": "YPJ1601", "num-2": "1", "how-2": "ratio",
        "value-2": "25",
    }  # fmt: skip
    preview = await admin.post("/suites/preview", form, hx_request="true")
    assert "75" in preview.words
    assert "25" in preview.words
    page = await admin.post("/suites/save", form)
    assert re.fullmatch(r"/suites/\d+", page.path)
    assert "What happened Saved a suite" in page.words
    again = await admin.post("/suites/save", form, hx_request="true")
    assert "BOX-9" in again.words
    assert again.status == 422
    page = await admin.post("/suites/save", form | {"known": "1", "name": "大礼盒"})
    assert "大礼盒" in (await admin.get("/suites?q=BOX")).words
    assert "BOX-9" in (await admin.get("/suites")).words
    await admin.get("/suites/new")
    for wrong in ({"sku": ""}, {"retail_price": "dear"}, {"sku-1": "NONE"}, {"num-1": "-1"}):
        bad = await admin.post("/suites/save", form | {"known": "1"} | wrong, hx_request="true")
        assert bad.status == 422, wrong
    assert (await admin.get("/suites/1")).status == 404


async def test_a_file_is_looked_at_and_brought_in(admin: Person, world: World) -> None:
    """A dry run changes nothing; wrong rows come back with why; right ones are in."""
    template = await admin.get("/imports/stock/template.csv")
    assert template.header("content-type").startswith("text/csv")
    assert (await admin.get("/imports/nothing/template.csv")).status == 404
    await admin.get("/imports")
    missing = await admin.post("/imports", {"kind": "stock"}, hx_request="true")
    assert missing.status == 422
    header = template.body.decode("utf-8-sig").splitlines()[0]
    columns = header.split(",")
    right = {"sku": "YPJ1602", "location": "HQ", "qty": "321"}
    wrong = {"sku": "NOBODY", "location": "HQ", "qty": "1"}
    rows = [",".join(row.get(name, "") for name in columns) for row in (right, wrong)]
    content = "\r\n".join([header, *rows, ""]).encode()
    held = (
        "SELECT s.on_hand FROM stock s JOIN article a ON a.tenant_id = $1 AND a.id = s.article_id"
        " WHERE s.tenant_id = $1 AND a.sku = 'YPJ1602'"
    )
    before = await world.value(held)
    page = await admin.upload("/imports", {"kind": "stock", "dry_run": "1"}, "s.csv", content)
    assert "NOBODY" in page.words
    assert await world.value(held) == before
    await admin.get("/imports")
    page = await admin.upload("/imports", {"kind": "stock"}, "s.csv", content)
    assert page.status == 200
    assert await world.value(held) == 321
    assert "Brought a file in" in (await admin.get("/audit")).words
