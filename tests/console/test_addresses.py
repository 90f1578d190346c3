"""Every page and every act the console has is where its address says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from entrepot.console import app, paths
from entrepot.discrepancies import flows as discrepancies
from entrepot.discrepancies.rules import Seen
from tests.console.world import World

if TYPE_CHECKING:
    from entrepot.hub import Hub
    from tests.console.person import Person

_HANDLERS = [handler for part in app._PARTS for handler in part.PAGES]
_OUTSIDE = ("/sign-in", "/language", "/sign-out")


def _of(method: str) -> list[str]:
    """Return every address that answers a method, with its parameters."""
    found = {path for one in _HANDLERS if method in one.http_methods for path in one.paths}
    return sorted(path for path in found if not path.startswith(_OUTSIDE))


PAGES, ACTS = _of("GET"), _of("POST")


def test_an_address_that_is_none_leads_nowhere() -> None:
    """A browser may be made to send anything as the page it is on."""
    assert paths.parts_of("http://host/orders?state=shipped").path == "/orders"
    assert paths.parts_of("http://[").path == ""


@pytest.fixture
async def filled(hub: Hub, admin: Person) -> dict[str, str]:
    """Give the parameters of addresses, each naming something that is there."""
    world = World(hub)
    order = await world.order("O-1")
    delivery = await world.delivery("O-2")
    await admin.get("/orders/test-01/adjust")
    parts = re.findall(r'name="ask-([^"]+)"', admin.page.text)
    filed = await admin.post(
        "/orders/test-01/adjust", {f"ask-{parts[0]}": "1", f"qty-{parts[0]}": "1"}
    )
    adjustment = filed.path.rpartition("/")[2]
    found = await admin.get("/orders/test-05/return")
    part = re.findall(r'name="qty-([^"]+)"', found.text)[0]
    body = {f"qty-{part}": "1", f"price-{part}": "2", "depot": "40"}
    draft = (await admin.post("/orders/test-05/return", body)).path.rpartition("/")[2]
    await admin.get("/deliveries?state=needs_attention")
    begun = await admin.post(
        "/deliveries/bulk/handle?state=needs_attention", {"reason": "told by phone"}
    )
    article = await world.value("SELECT id FROM article WHERE tenant_id = $1 AND sku = 'YPJ1600'")
    suite = await _suite(world, admin)
    dispatched, note = await world.dispatched("O-3")
    away = await _discrepancies(world, note)
    place = await world.value("SELECT id FROM location WHERE tenant_id = $1 AND code = 'HQ'")
    person = await world.value("SELECT id FROM person WHERE tenant_id = $1 AND login = 'sales'")
    day = await _reconciled(world)
    return {
        "order_id": str(order), "/dispatch/{order_id}": str(dispatched), "/notes/{number}": note,
        "/orders/{number}": "test-01", "/adjustments/{number}": adjustment,
        "/returns/{number}": draft, "name": str(delivery), "act_id": begun.path.rpartition("/")[2],
        "article_id": str(article), "suite_id": suite, "location_id": str(place), "person_id": str(person),
        "connection_id": str(world.connection()), "cursor": await world.exchange("O-1"),
        "/charts/{name}": "orders", "/imports/{kind}": "stock", "filter_id": "1", "session_id": "1",
        "rule_id": "1", "discrepancy_id": away, "token_id": "1",
        "day": day, "/attention/{kind}": "needs_attention", "item": str(delivery),
    }  # fmt: skip


async def _discrepancies(world: World, note: str) -> str:
    """Have an outlet keep silent and an order turned away; return what stands for the latter."""
    details = {"code": "unknown_goods", "names": ["XX1"], "by": "style", "of": "order"}
    lost: dict[str, Any] = {"connection_id": world.connection(), "text": "lost", "details": details}
    seen = Seen(kind="not_taken", subject="O-9", document="O-9", **lost)
    silent = Seen(kind="silent", subject=note, text="6002 says nothing.")
    async with world.hub.db.transaction(world.tenant_id) as tx:
        await discrepancies.see(tx, [silent, seen])
    kind = "SELECT id FROM discrepancy WHERE tenant_id = $1 AND kind = 'not_taken'"
    return str(await world.value(kind))


async def _reconciled(world: World) -> str:
    """Have one list of each kind compared; return the day."""
    run = (
        "INSERT INTO reconciliation"
        " (tenant_id, connection_id, kind, day, file, who, theirs, ours, differing)"
        " VALUES ($1, $2, $3, '2026-03-01', 'march.csv', '明天', 0, 0, 0)"
    )
    for kind in ("orders", "stock", "refunds"):
        await world.execute(run, world.connection(), kind)
    return "2026-03-01"


async def _suite(world: World, admin: Person) -> str:
    await admin.get("/suites/new")
    form = {"sku": "BOX-1", "name": "礼盒", "retail_price": "10", "sku-1": "YPJ1600", "num-1": "1"}
    return (await admin.post("/suites/save", form)).path.rpartition("/")[2]


def _address(path: str, filled: dict[str, str]) -> str:
    """Fill an address's parameters in; ``/orders/{number}`` goes before ``number``."""
    plain = paths.untyped(path)
    for begin, value in filled.items():
        if begin.startswith("/") and plain.startswith(begin):
            plain = plain.replace(begin, begin.partition("{")[0] + value, 1)
    return re.sub(r"\{(\w+)\}", lambda hit: filled[hit[1]], plain)


async def test_every_page_is_shown(admin: Person, filled: dict[str, str]) -> None:
    """No page of those that exist is missing, fails, or is hidden by another."""
    wrong = []
    for path in PAGES:
        address = _address(path, filled)
        page = await admin.get(address)
        if page.status != 200 or page.path != address:
            wrong.append((address, page.path, page.status, page.words[-200:]))
    assert not wrong


async def test_every_list_is_there_as_a_file(admin: Person, filled: dict[str, str]) -> None:
    """What is downloaded begins with the header, in either format, and says its name."""
    assert filled
    exports = [path for path in PAGES if "/export." in path]
    assert len(exports) >= 20
    for path in exports:
        page = await admin.get(path)
        kind = path.rpartition(".")[2]
        assert re.search(
            rf'filename="\w+-\d{{8}}-\d{{4}}\.{kind}"', page.header("content-disposition")
        )
        assert page.body.startswith(b"\xef\xbb\xbf" if kind == "csv" else b"PK"), path


async def test_no_page_hides_an_act(admin: Person, filled: dict[str, str]) -> None:
    """Every act is reached at its address, and asks for the page's token before anything else."""
    wrong = []
    for path in ACTS:
        page = await admin.post(_address(path, filled), {"_csrf": "00" * 32}, hx_request="true")
        if page.status != 422 or "open too long" not in page.text:
            wrong.append((path, page.status, page.words))
    assert not wrong


async def test_an_act_of_another_name_is_no_page(admin: Person, filled: dict[str, str]) -> None:
    """A step, a format or an act that does not exist is answered 404, whatever its method."""
    order, connection = filled["order_id"], filled["connection_id"]
    for address in ("/orders/export.pdf", f"/orders/{order}/burn", "/orders/x", "/no/such/page"):
        page = await admin.get(address)
        assert page.status == 404, address
        assert "There is no such page." in page.words
    for address in (f"/orders/{order}/burn", f"/connections/{connection}/burn"):
        assert (await admin.post(address)).status == 404


def test_choices_in_addresses_become_plain_ones() -> None:
    """A pattern stands for one address a choice, and tells what was chosen."""
    assert paths.spread("/a/{n:int}/{do:x|y-z}.{kind:csv|xlsx}") == {
        "/a/{n:int}/x.csv": {"do": "x", "kind": "csv"},
        "/a/{n:int}/x.xlsx": {"do": "x", "kind": "xlsx"},
        "/a/{n:int}/y-z.csv": {"do": "y-z", "kind": "csv"},
        "/a/{n:int}/y-z.xlsx": {"do": "y-z", "kind": "xlsx"},
    }
    assert paths.spread("/plain/{n:int}") == {"/plain/{n:int}": {}}
    assert paths.untyped("/a/{n:int}/x") == "/a/{n}/x"
