"""Orders that were turned away: who sees them, how they are mended, what ends them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from entrepot.catalogue import learning
from entrepot.catalogue.learning import Known
from entrepot.errors import Conflict
from entrepot.gateway import Gateway
from entrepot.orders import turned_away
from tests.console.person import Person
from tests.console.world import PASSWORD, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from entrepot.hub import Hub

PLACE = re.compile(r"/attention/turned-away/\d+")


class Partner:
    """The demonstration's partners, calling in this process."""

    def __init__(self, hub: Hub, client: httpx.AsyncClient) -> None:
        self.hub, self.client = hub, client

    async def call(self, name: str, path: str, body: object) -> httpx.Response:
        """Make one call of a connection's partner."""
        known = self.hub.registry.named(self.hub.registry.tenant("demo"), name)
        return await self.client.post(f"/c/{known.generations[0].key}{path}", json=body)

    async def push(self, number: str, *styles: str, qty: int = 1) -> Any:
        """Push an order as the mini-program does; return the envelope."""
        head = {"custName": "安港珠宝", "oriOrderNo": number, "username": "明天"}
        lines = [{"styleNo": style, "qty": qty} for style in styles]
        body = {"pickGoods": head, "pickGoodsDtls": lines}
        return (await self.call("goldshop", "/pickGoods/send", body)).json()


@pytest.fixture
async def partner(hub: Hub) -> AsyncIterator[Partner]:
    """Give partners that call the hub."""
    gateway: Any = Gateway(
        hub.db, hub.registry, hub.together, hub.recorder, hub.vault,
        body_limit=1_000_000, read_timeout=5.0,
    )  # fmt: skip
    transport = httpx.ASGITransport(app=gateway)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield Partner(hub, client)


@pytest.fixture
def world(hub: Hub) -> World:
    """Give what is in the hub."""
    return World(hub)


async def look(world: World) -> int:
    """Do what the clock does."""
    async with world.hub.db.transaction(world.tenant_id) as tx:
        return await turned_away.look(tx)


async def test_unknown_goods_are_mended_in_one_place(
    admin: Person, partner: Partner, world: World
) -> None:
    """The order is in the queue, its goods are said to be articles of ours, and pushed again it comes in."""
    assert (await partner.push("TA-1", "YPJ1600", "XX9", "XX8"))["code"] == 500
    await admin.get("/attention?kind=turned_away")
    assert "Order turned away" in admin.page.words
    assert "no article is called XX9, XX8" in admin.page.words
    (place,) = admin.page.links(PLACE.pattern)
    page = await admin.get(place)
    assert page.text.count('name="sku-') == 2
    form = {"name-1": "XX9", "sku-1": "MM1", "name-2": "XX8", "sku-2": "XX8", "title-2": "细链"}
    page = await admin.post(f"{place}/goods", form)
    assert "Ask goldshop to push TA-1 again." in page.words
    assert "Every name is known now" in page.words
    assert "Its goods are known by now" in (await admin.get("/attention")).words
    assert (
        await world.value("SELECT style_no FROM article WHERE tenant_id = $1 AND sku = 'MM1'")
        == "XX9"
    )
    assert "Had goods known" in (await admin.get("/audit?q=XX8")).words
    assert (await partner.push("TA-1", "YPJ1600", "XX9", "XX8"))["code"] == 200
    assert "TA-1" not in (await admin.get("/attention")).words, "it came in"
    assert await look(world) == 1
    assert await look(world) == 0
    assert "Settled" in (await admin.get(place)).words


async def test_what_cannot_be_an_article_s_name_is_refused(admin: Person, partner: Partner) -> None:
    """No article gets a second style, no style a second article, and a wrong form changes nothing."""
    await partner.push("TA-2", "XX7", "XX6")
    await admin.get("/attention")
    (place,) = admin.page.links(PLACE.pattern)
    await admin.get(place)
    names = {"name-1": "XX7", "name-2": "XX6"}
    for given, said in (
        ({"sku-1": "YPJ1600"}, "another style number already"),
        ({"sku-1": "", "sku-2": ""}, "Say of at least one name"),
        ({"sku-1": "A", "sku-2": "A"}, "cannot have two names"),
        ({"sku-1": "A" * 201}, "It needs a name"),
    ):
        page = await admin.post(f"{place}/goods", names | given, hx_request="true")
        assert (page.status, said in page.words) == (422, True), (given, page.words)
    assert (await admin.get("/attention/turned-away/1")).status == 404


async def test_what_is_settled_stays_so(admin: Person, partner: Partner, world: World) -> None:
    """A person says why; the same push stays off the list, another reason brings it back."""
    await partner.push("TA-3", "XX5")
    await admin.get("/attention")
    (place,) = admin.page.links(PLACE.pattern)
    await admin.get(f"{place}/settle")
    assert (await admin.post(f"{place}/settle", {"reason": " "}, hx_request="true")).status == 422
    await admin.get(f"{place}/settle")
    assert "It is settled." in (await admin.post(f"{place}/settle", {"reason": "停产"})).words
    await partner.push("TA-3", "XX5")
    assert "TA-3" not in (await admin.get("/attention")).words
    await partner.push("TA-3", "XX4")
    assert "TA-3" in (await admin.get("/attention")).words
    assert await look(world) == 0


async def test_other_content_under_a_known_number_is_a_conflict(
    admin: Person, partner: Partner
) -> None:
    """The same content again is no news; another one stands until a person has looked."""
    assert (await partner.push("TA-4", "YPJ1600"))["code"] == 200
    assert (await partner.push("TA-4", "YPJ1600"))["code"] == 500
    assert "TA-4" not in (await admin.get("/attention")).words
    assert (await partner.push("TA-4", "YPJ1600", qty=2))["code"] == 500
    page = await admin.get("/attention")
    assert "TA-4 came again with other content." in page.words
    (place,) = page.links(PLACE.pattern)
    page = await admin.get(place)
    assert "One number, two contents" in page.words
    assert page.links(r"/orders/\d+")


async def test_a_store_s_order_is_mended_by_who_may(
    stranger: Person, partner: Partner, world: World
) -> None:
    """Goods by SKU become articles; who may only look sees the names; an unknown store is said so."""
    receiver = {
        "receiver": "张三", "phone": "13800138000", "province": "浙江省", "city": "杭州市",
        "county": "", "address": "文三路1号",
    }  # fmt: skip
    body = {
        "shopCode": "6001", "dispatchNO": "TA-5", "purchaseCode": "", "memberCode": "", **receiver,
        "express": "SF", "items": [{"product": "N9", "color": "C1", "size": "S1", "qty": 1}],
    }  # fmt: skip
    reply = await partner.call("storepos", "/pos/ordermake", body)
    assert reply.status_code == 422, reply.text
    lost = body | {"dispatchNO": "TA-6", "shopCode": "9999"}
    assert (await partner.call("storepos", "/pos/ordermake", lost)).status_code == 422
    await world.person("looker")
    await world.person("mapper", duties=["operator"])
    looker = Person(stranger._app)
    await looker.sign_in("looker", PASSWORD)
    page = await looker.get("/attention")
    assert "Fix the mapping" not in page.words
    goods, store = page.links(PLACE.pattern)
    assert "N9/C1/S1" in (await looker.get(goods)).words
    assert "Have them known" not in looker.page.words
    assert (await looker.post(f"{goods}/goods", {"sku-1": "N9/C1/S1"})).status == 403
    assert "A store that nobody knows" in (await looker.get(store)).words
    await stranger.sign_in("mapper", PASSWORD)
    await stranger.get(goods)
    form = {"name-1": "N9/C1/S1"}
    wrong = await stranger.post(f"{goods}/goods", form | {"sku-1": "N9"}, hx_request="true")
    assert "must be the SKU" in wrong.words
    page = await stranger.post(f"{goods}/goods", form | {"sku-1": "N9/C1/S1", "title-1": "外套"})
    assert "Every name is known now" in page.words
    again = await partner.call("storepos", "/pos/ordermake", body)
    assert again.status_code == 200, again.text
    assert "TA-5" not in (await stranger.get("/attention")).words


async def test_a_style_of_one_article_is_no_other_s(world: World) -> None:
    """A name that an article bears already is not given to another."""
    async with world.hub.db.transaction(world.tenant_id) as tx:
        with pytest.raises(Conflict, match="another article's style"):
            await learning.learn(tx, [Known(name="YPJ1600", sku="MM2", by="style")])
        await learning.learn(tx, [Known(name="YPJ1600", sku="YPJ1600", by="style")])
