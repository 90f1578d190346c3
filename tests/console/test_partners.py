"""Partners on the console: connections, what they are to be told, what was said on the wire."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from entrepot.console.app import create_app
from entrepot.console.deliveries import pages as deliveries
from entrepot.discrepancies import flows as discrepancies
from entrepot.discrepancies.rules import Seen
from tests.console import world as worlds
from tests.console.person import Person
from tests.console.world import PHONE, World

if TYPE_CHECKING:
    from entrepot.hub import Hub

STATE = "SELECT state FROM delivery WHERE tenant_id = $1 AND id = $2"


@pytest.fixture
def world(hub: Hub) -> World:
    """Give what is in the hub."""
    return World(hub)


async def test_a_connection_is_made_and_its_partner_gets_a_page(admin: Person, hub: Hub) -> None:
    """Its developer's page has the address and every call with an example; the key is hidden until asked."""
    await admin.get("/connections/new")
    form = {"name": "shop-2", "kind": "goldshop/erp", "partner_url": "http://127.0.0.1:9/x"}
    page = await admin.post("/connections/new", form)
    assert page.path.endswith("/developer")
    key = hub.registry.named(hub.registry.tenant("demo"), "shop-2").generations[0].key
    assert key not in page.text
    assert "curl -X POST" in page.text
    shown = await admin.get(f"{page.path}?secrets=1")
    assert key in shown.text
    assert f'hx-get="{page.path}"' in shown.text, (
        "the live log does not look at secrets again and again"
    )
    assert "Looked at keys and secrets" in (await admin.get("/audit?q=shop-2")).words
    await admin.get("/connections/new")
    for wrong in ({"name": ""}, {"name": "a/b"}, {"name": "shop-2"}, {"kind": "no/such"}):
        page = await admin.post("/connections/new", form | wrong, hx_request="true")
        assert page.status == 422, wrong


async def test_a_partner_s_document_is_read_printed_and_taken_along(
    admin: Person, hub: Hub, world: World
) -> None:
    """Markdown, or a page that needs nothing else; the key is in it only where that is asked for."""
    at = world.connection()
    key = hub.registry.named(world.tenant_id, "goldshop").generations[0].key
    page = await admin.get(f"/connections/{at}/developer")
    assert page.links(rf"/connections/{at}/guide")
    page = await admin.get(f"/connections/{at}/guide")
    assert "小程序订单推送ERP" in page.words
    assert "data-print" in page.text
    assert key not in page.text
    for kind, begin in (("md", b"# "), ("html", b"<!doctype html>")):
        file = await admin.get(f"/connections/{at}/guide.{kind}")
        assert file.body.startswith(begin)
        assert f'filename="connection-{at}.{kind}"' in file.header("content-disposition")
        assert key.encode() not in file.body
        assert key.encode() in (await admin.get(f"/connections/{at}/guide.{kind}?secrets=1")).body
    assert "Looked at keys and secrets" in (await admin.get("/audit?q=goldshop")).words
    await world.person("looker", duties=["operator"])
    looker = Person(admin._app)
    await looker.sign_in("looker", worlds.PASSWORD)
    assert key not in (await looker.get(f"/connections/{at}/guide?secrets=1")).text


async def test_a_connection_is_paused_resumed_and_rotated(admin: Person, hub: Hub) -> None:
    """Each is one button; the old key stays valid for a while, and all is audited."""
    tenant = hub.registry.tenant("demo")
    at = World(hub).connection()
    page = await admin.get(f"/connections/{at}")
    assert f"/connections/{at}/pause" in page.text
    assert "It is paused." in (await admin.post(f"/connections/{at}/pause")).words
    assert "Paused" in (await admin.get("/connections")).words
    assert "It is resumed." in (await admin.post(f"/connections/{at}/resume")).words
    old = hub.registry.named(tenant, "goldshop").generations[0].key
    await admin.get(f"/connections/{at}/rotate")
    page = await admin.post(f"/connections/{at}/rotate")
    assert page.path == f"/connections/{at}/developer"
    assert "There is a new key." in page.words
    keys = [g.key for g in hub.registry.named(tenant, "goldshop").generations]
    assert old in keys
    assert len(keys) == 2
    assert "Rotated a key" in (await admin.get("/audit?q=goldshop")).words


async def test_a_connection_s_settings_are_a_form(admin: Person, hub: Hub) -> None:
    """Only what differs is changed; a wrong value is refused by name."""
    at = World(hub).connection()
    page = await admin.get(f"/connections/{at}/settings")
    assert page.field("timeout")
    form = {"timeout": "7s", "rate": page.field("rate")}
    page = await admin.post(f"/connections/{at}/settings", form)
    assert "The settings are saved." in page.words
    assert "7s" in page.words
    await admin.get(f"/connections/{at}/settings")
    assert "Nothing was changed." in (await admin.post(f"/connections/{at}/settings", form)).words
    await admin.get(f"/connections/{at}/settings")
    bad = await admin.post(f"/connections/{at}/settings", {"timeout": "soon"}, hx_request="true")
    assert (bad.status, "timeout" in bad.words) == (422, True)


async def test_what_is_secret_in_a_partner_s_url_is_not_shown(admin: Person, hub: Hub) -> None:
    """Not even in the form; left as it is shown, it stays. The token that we show is typed, never read."""
    world = World(hub)
    at, tenant = world.connection(), hub.registry.tenant("demo")
    whole = hub.registry.named(tenant, "goldshop").partner.partner_url
    assert whole is not None
    key = whole.rpartition("/")[2]
    page = await admin.get(f"/connections/{at}/settings")
    assert key not in page.text
    form = {"partner_url": page.field("partner_url"), "partner_bearer": "let-us-in"}
    page = await admin.post(f"/connections/{at}/settings", form)
    assert "The settings are saved." in page.words
    partner = hub.registry.named(tenant, "goldshop").partner
    assert (partner.partner_url, partner.token) == (whole, "let-us-in")
    page = await admin.get(f"/connections/{at}/settings")
    assert "let-us-in" not in page.text
    page = await admin.post(
        f"/connections/{at}/settings", {"partner_url": "http://x.test/c/KEYKEYKEY"}
    )
    assert "KEYKEYKEY" not in page.text + (await admin.get("/audit?q=goldshop")).text


async def test_a_connection_is_tried_and_its_levels_are_asked_for(admin: Person, hub: Hub) -> None:
    """Trying says what was found; levels are sent by the courier at its next look."""
    world = World(hub)
    at = world.connection()
    await world.execute(
        "UPDATE connection SET partner_url = 'http://127.0.0.1:9/' WHERE tenant_id = $1 AND id = $2",
        at,
    )
    await hub.registry.load()
    await admin.get(f"/connections/{at}")
    assert "Not reached" in (await admin.post(f"/connections/{at}/test")).words
    for act in ("levels", "all-levels"):
        assert "on their way" in (await admin.post(f"/connections/{at}/{act}")).words
    asked = "SELECT round_at IS NOT NULL FROM feed WHERE tenant_id = $1 AND connection_id = $2"
    assert await world.value(asked, at) is True
    assert (await admin.get("/connections/1")).status == 404


async def test_a_delivery_is_retried_handled_and_cancelled(admin: Person, world: World) -> None:
    """From its page: retrying makes it wait again, the others take a reason, and people are named."""
    one, two = await world.delivery("D-1"), await world.delivery("D-2")
    page = await admin.get(f"/deliveries/{one}")
    assert "HTTP 500" in page.words
    assert "It is tried again now." in (await admin.post(f"/deliveries/{one}/retry")).words
    assert await world.value(STATE, one) == "waiting"
    await admin.get(f"/deliveries/{two}/handle")
    assert (await admin.post(f"/deliveries/{two}/handle", {}, hx_request="true")).status == 422
    page = await admin.post(f"/deliveries/{two}/handle", {"reason": "已电话通知"})
    assert "marked as handled" in page.words
    assert await world.value(STATE, two) == "handled"
    assert "已电话通知" in (await admin.get(f"/deliveries/{two}")).words
    await admin.get(f"/deliveries/{one}/cancel")
    await admin.post(f"/deliveries/{one}/cancel", {"reason": "不用了"})
    assert await world.value(STATE, one) == "cancelled"
    again = await admin.post(f"/deliveries/{one}/cancel", {"reason": "x"}, hx_request="true")
    assert again.status == 422
    for name in ("1", "x", "9" * 30):
        assert (await admin.get(f"/deliveries/{name}")).status == 404


async def test_everything_a_filter_finds_is_acted_on_with_progress(
    admin: Person, world: World
) -> None:
    """A reason, a page that says how far it has come, and the same act on each; others are left alone."""
    some = [await world.delivery(f"B-{n}") for n in range(3)]
    page = await admin.get("/deliveries?state=needs_attention&q=B-1")
    assert "B-1" in page.words
    asked = await admin.get("/deliveries/bulk/handle?state=needs_attention", hx_request="true")
    assert "needs_attention" in asked.text
    bulk = "/deliveries/bulk/handle?state=needs_attention&connection=goldshop"
    assert (await admin.post(bulk, {}, hx_request="true")).status == 422
    page = await admin.post(bulk, {"reason": "一起处理"})
    assert re.fullmatch(r"/deliveries/acts/\d+", page.path)
    for task in list(deliveries._under_way):
        await task
    page = await admin.get(page.path)
    assert "3" in page.words
    assert [await world.value(STATE, one) for one in some] == ["handled"] * 3
    assert (await admin.get("/deliveries/acts/1")).status == 404
    await admin.get("/deliveries")
    refused = await admin.post("/deliveries/bulk/retry?state=delivered", {}, hx_request="true")
    assert refused.status == 422


async def test_the_queue_shows_what_needs_a_person_and_whose_it_is(
    hub: Hub, admin: Person, world: World
) -> None:
    """One takes an item, others see whose it is, and letting go makes it nobody's."""
    one = await world.delivery("Q-1")
    page = await admin.get("/attention")
    assert "Q-1" in page.words
    assert f"/attention/needs_attention/{one}/take" in page.text
    assert "It is yours." in (await admin.post(f"/attention/needs_attention/{one}/take")).words
    await world.person("helper", duties=["operator"])
    helper = Person(create_app(hub))
    await helper.sign_in("helper", worlds.PASSWORD)
    assert "管理员" in (await helper.get("/attention?kind=needs_attention")).words
    assert "Q-1" not in (await helper.get("/attention?owner=me")).words
    assert "Q-1" in (await admin.get("/attention?owner=me&connection=goldshop")).words
    await admin.post(f"/attention/needs_attention/{one}/leave")
    assert "Q-1" in (await admin.get("/attention?owner=nobody")).words
    assert (await admin.post("/attention/nothing/1/take", hx_request="true")).status == 422
    await admin.post(f"/deliveries/{one}/handle", {"reason": "x", "_back": "/attention"})
    assert "Q-1" not in (await admin.get("/attention")).words


async def test_a_document_s_timeline_retries_in_place(admin: Person, world: World) -> None:
    """The order's page shows what its partner was not told, with the button to try again beside it."""
    one = await world.delivery("T-1")
    order = await world.value("SELECT id FROM sales_order WHERE tenant_id = $1 AND number = 'T-1'")
    page = await admin.get(f"/orders/{order}")
    assert f'action="/deliveries/{one}/retry"' in page.text
    form = {"_back": f"/orders/{order}"}
    page = await admin.post(f"/deliveries/{one}/retry", form)
    assert page.path == f"/orders/{order}"
    assert await world.value(STATE, one) == "waiting"


async def test_an_exchange_is_masked_until_somebody_says_why(admin: Person, world: World) -> None:
    """Bodies are set out and copied as curl without the phone; plain they are shown once, and logged."""
    cursor = await world.exchange("X-1")
    page = await admin.get("/exchanges?q=X-1")
    assert cursor in page.text
    page = await admin.get(f"/exchanges/{cursor}")
    assert "curl -X POST" in page.text
    assert PHONE not in page.text
    await admin.get(f"/exchanges/{cursor}/reveal")
    assert (await admin.post(f"/exchanges/{cursor}/reveal", {}, hx_request="true")).status == 422
    page = await admin.post(f"/exchanges/{cursor}/reveal", {"reason": "对账"}, hx_request="true")
    assert PHONE in page.text
    assert "对账" in (await admin.get("/audit?what=reveal+exchange")).words
    for wrong in ("1.1", "x", "9999999999999999.1"):
        assert (await admin.get(f"/exchanges/{wrong}")).status == 404
    for query in ("direction=in", "connection=goldshop", "from=2001-01-01"):
        assert cursor in (await admin.get(f"/exchanges?{query}")).text
    for query in ("failed=1", "direction=out", "to=2001-01-01", "q=%00"):
        assert cursor not in (await admin.get(f"/exchanges?{query}")).text


async def test_an_exchange_that_was_not_taken_has_failed_whatever_http_says(
    admin: Person, world: World
) -> None:
    """A no under 200 is among the failed, of all and of its connection, and says so wherever it is shown."""
    no, yes = await world.exchange("NO-1", refused=True), await world.exchange("YES-1")
    for query in (
        "failed=1",
        "failed=1&connection=goldshop",
        "failed=1&q=NO-1",
        "failed=1&direction=in",
    ):
        page = await admin.get(f"/exchanges?{query}")
        assert no in page.text, query
        assert yes not in page.text, query
    assert "200 · Not taken" in (await admin.get("/exchanges?q=NO-1")).words
    assert "200 · Not taken" in (await admin.get(f"/exchanges/{no}")).words
    assert "Not taken" not in (await admin.get("/exchanges?q=YES-1")).words
    developer = (await admin.get(f"/connections/{world.connection()}/developer")).text
    for cursor, colour in ((no, "bad-text"), (yes, "good-text")):
        assert colour in developer.partition(f"/exchanges/{cursor}")[2].partition("</li>")[0]


async def test_a_schedule_is_run_by_hand(admin: Person, world: World) -> None:
    """The button makes it due at once and is audited."""
    await world.execute(
        "INSERT INTO schedule (tenant_id, name, every, next_at)"
        " VALUES ($1, 'levels goldshop', 300, now() + '1 h')"
    )
    page = await admin.get("/schedules")
    name = page.field("name")
    assert name == "levels goldshop"
    assert "It runs in a moment." in (await admin.post("/schedules", {"name": name})).words
    assert name in (await admin.get("/audit?what=schedule+run")).words
    assert (await admin.post("/schedules", {"name": "none"}, hx_request="true")).status == 422


async def test_a_wrong_name_of_goods_is_put_right(admin: Person, world: World) -> None:
    """A level that was refused leads to the article's name there; saved, the level is sent anew."""
    at = world.connection("minimall")
    await world.execute(
        "INSERT INTO level (tenant_id, connection_id, item, article_id, trouble)"
        " SELECT l.tenant_id, l.connection_id, l.id, l.article_id, 'no such goods' FROM listing l"
        " WHERE l.tenant_id = $1 AND l.connection_id = $2 ORDER BY l.id LIMIT 1"
        " ON CONFLICT (tenant_id, connection_id, item) DO UPDATE SET trouble = excluded.trouble",
        at,
    )
    page = await admin.get("/attention?kind=level")
    (fix,) = page.links(rf"/connections/{at}/mapping\?q=.+")
    page = await admin.get(fix)
    assert "no such goods" in page.words
    sku = page.field("sku")
    marked = "SELECT count(*) FROM stock_change WHERE tenant_id = $1"
    before = await world.value(marked)
    form = {"type": page.field("type"), "key": "NEW^^^KEY", "sku": sku}
    page = await admin.post(f"/connections/{at}/mapping", form)
    assert "NEW^^^KEY" in page.words
    named = (
        "SELECT a.sku FROM listing l JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id"
        " WHERE l.tenant_id = $1 AND l.connection_id = $2 AND l.key = 'NEW^^^KEY'"
    )
    assert await world.value(named, at) == sku
    assert await world.value(marked) == before + 1
    assert "Put a name of goods right" in (await admin.get("/audit")).words
    await admin.get(f"/connections/{at}/mapping")
    for wrong in (
        {"sku": "NONE"},
        {"key": ""},
        {"type": "normal", "key": "no-spec"},
        {"type": "coupon"},
        {"type": "x" * 201},
        {"sku": "\x00"},
    ):
        bad = await admin.post(f"/connections/{at}/mapping", form | wrong, hx_request="true")
        assert bad.status == 422, wrong
    assert "It has no name there" in (await admin.get(f"/connections/{at}/mapping?q=NONE")).words
    assert (await admin.get(f"/connections/{at}/mapping?before=a+b&q=%00")).status == 200


async def test_names_are_found_by_the_partner_s_key_and_taken_away(
    admin: Person, world: World
) -> None:
    """A key is looked for by its beginning, over all kinds; a name that is gone is told of no more."""
    at = world.connection("minimall")
    base = f"/connections/{at}/mapping"
    for text, there in {
        "3^^^a": ["3^^^a^^^b"],
        "1^^^8Gú128G": ["1^^^8Gú128G"],
        "MM3": ["2"],
    }.items():
        page = await admin.get(f"{base}?q={quote(text)}")
        assert [unescape(key) for key in re.findall(r'class="mono">([^<]+)<', page.text)] == there
        assert page.field("key") == there[0]
    await admin.get(f"{base}?q=2")
    assert {"2^^^白色", "2"} == set(re.findall(r'class="mono">([^<]+)<', admin.page.text))
    assert admin.page.field("key") == "", "several names: none is chosen"
    await admin.get(f"{base}/remove?type=group&key=2")
    form = {"type": "group", "key": "2"}
    assert (await admin.post(f"{base}/remove", form, hx_request="true")).status == 422, "no reason"
    page = await admin.post(f"{base}/remove", form | {"reason": "下架"})
    assert "is told nothing of 2 any more" in page.words
    assert await world.value(
        "SELECT count(*) FROM level v WHERE tenant_id = $1 AND connection_id = $2 AND NOT EXISTS"
        " (SELECT FROM listing l WHERE l.tenant_id = $1 AND l.id = v.item)",
        at,
    ) == 0  # fmt: skip
    assert "Took a name of goods away" in (await admin.get("/audit?q=MM3")).words
    await admin.get(base)
    for gone in (form, {"type": "group", "key": "\x00"}):
        again = await admin.post(f"{base}/remove", gone | {"reason": "下架"}, hx_request="true")
        assert again.status == 422


async def test_parked_goods_and_discrepancies_are_in_the_queue(
    hub: Hub, admin: Person, world: World
) -> None:
    """Each with its own act beside it: offered again, settled."""
    order, note = await world.dispatched("PARK-1")
    await world.execute(
        "UPDATE dispatch_note SET state = 'refused', onward = 'parked', reason = '缺货'"
        " WHERE tenant_id = $1 AND number = $2",
        note,
    )
    async with hub.db.transaction(world.tenant_id) as tx:
        seen = Seen(
            kind="total", subject="MM1", text="9 is not 8.", connection_id=world.connection()
        )
        await discrepancies.see(tx, [seen])
    page = await admin.get("/attention")
    assert f'action="/dispatch/{order}/source"' in page.text
    assert "缺货" in page.words
    assert "Stated total differs" in page.words
    one = await world.value("SELECT id FROM discrepancy WHERE tenant_id = $1")
    assert f'href="/discrepancies/{one}/resolve"' in page.text
    assert (
        "9 is not 8." in (await admin.get("/attention?kind=discrepancy&connection=goldshop")).words
    )
    assert note in (await admin.get("/attention?kind=parked")).words
    assert (
        "9 is not 8." not in (await admin.get("/attention?kind=discrepancy&connection=trade")).words
    )
