"""An ERP as its mini-programs meet it, over real HTTP: policies of a connection, stock, cancelling."""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from entrepot.connections.exchanges import Exchange, Filter, find
from entrepot.orders import flows as orders
from tests.courier.bureau import eventually
from tests.goldshop.shop import DONE, EXISTS, UNKNOWN, connected, order, stocked

if TYPE_CHECKING:
    from entrepot.hub import Hub
    from tests.running import Running

SEND = "/pickGoods/send"
STOCK = "/pickGoods/style/stock"
MOST = 999_999_999


async def test_the_same_content_again_is_an_error_unless_the_connection_says_otherwise(
    hub: Running,
) -> None:
    """Content is parsed JSON: layout and the order of keys do not count, every value does."""
    await stocked(hub, {"SB1": 100})
    strict, kind = (
        await connected(hub, "sb-1"),
        await connected(hub, "sb-2", same_body_again="success"),
    )
    first = order("SB", ("SB1", 2), remark="r")
    shuffled = json.dumps(dict(reversed(first.items())), indent=3, ensure_ascii=False).encode()
    assert strict.post(SEND, first) == kind.post(SEND, first) == DONE
    assert strict.post(SEND, first) == strict.post(SEND, shuffled) == EXISTS
    assert kind.post(SEND, first) == kind.post(SEND, shuffled) == DONE
    assert kind.post(SEND, order("SB", ("SB1", 3), remark="r")) == EXISTS
    assert kind.post(SEND, order("SB", ("SB1", 2))) == EXISTS
    assert kind.post(SEND, {**first, "extra": 1}) == EXISTS
    assert kind.stock("SB1")[0]["stock_qty"] == 96
    assert kind.cancel("SB") == DONE
    assert kind.post(SEND, first) == EXISTS
    assert kind.stock("SB1")[0]["stock_qty"] == 98


async def test_the_same_content_at_the_same_instant_is_one_order(hub: Running) -> None:
    """Twenty pushes on two processes: all are answered like the first, and one is stored."""
    await stocked(hub, {"SI1": 100})
    shop = await connected(hub, "si", same_body_again="success")
    body = order("SI", ("SI1", 5))
    answers = await asyncio.gather(*(asyncio.to_thread(shop.post, SEND, body) for _ in range(20)))
    assert answers == [DONE] * 20
    assert shop.stock("SI1")[0]["stock_qty"] == 95
    assert len((await shop.order("SI")).lines) == 1


async def test_a_style_nobody_knows_is_refused_or_created(hub: Running) -> None:
    """Every one is named, once; a known number is said before them. Created, it is made to order."""
    strict = await connected(hub, "us-1")
    kind = await connected(hub, "us-2", unknown_style="accept")
    lines = (("US1", 1), ("YPJ1600", 1), ("US2", 1), ("US1", 1))
    refused = {"msg": "款式编号不存在：US1、US2", "code": 500}
    assert strict.send("US", *lines) == refused
    assert strict.stock("US1") == []
    assert kind.send("US", *lines) == DONE
    assert kind.stock("US2", "US1") == [
        {"style_no": style, "stock_qty": 0, "stock_wgt": 0, "pic_url": ""}
        for style in ("US2", "US1")
    ]
    assert [line.qty for line in (await kind.order("US")).lines] == [1, 1, 1, 1]
    assert strict.send("US", *lines) == DONE
    assert strict.send("US", ("US9", 1)) == EXISTS


async def test_every_style_is_streamed_by_style_number(hub: Running) -> None:
    """No body, no field, null, nothing in it: each style once with its four keys, in chunks."""
    await stocked(hub, {f"ZZ{n:04}": n for n in range(2500)})
    shop = await connected(hub, "zz")
    whole = shop.post(STOCK, {})["data"]
    bodies: list[Any] = [None, b"  ", {"styleNos": None}, {"styleNos": []}, {"styleNos": ""}]
    for body in (*bodies, {"a": 1}):
        assert shop.post(STOCK, body)["data"] == whole
    names = [row["style_no"] for row in whole]
    assert names == sorted(names)
    assert len(names) == len(set(names)) >= 2500
    assert {tuple(row) for row in whole} == {("style_no", "stock_qty", "stock_wgt", "pic_url")}
    assert shop.stock(*names[-3:]) == whole[-3:]
    url = urlsplit(shop.base_url)
    line = http.client.HTTPConnection(url.netloc, timeout=20)
    line.request("POST", url.path + STOCK, b"")
    reply = line.getresponse()
    assert reply.headers["transfer-encoding"] == "chunked"
    assert json.loads(reply.read())["data"] == whole
    line.close()


async def test_orders_go_beyond_stock_and_channels_never_see_less_than_nothing(
    hub: Running,
) -> None:
    """Goods are made to order; lines of one style are summed, and stay two lines."""
    await stocked(hub, {"BS1": 10})
    shop = await connected(hub, "bs")
    assert shop.send("BS-1", ("BS1", 4), ("BS1", "5")) == DONE
    assert shop.stock("BS1")[0]["stock_qty"] == 1
    assert [line.qty for line in (await shop.order("BS-1")).lines] == [4, 5]
    assert shop.send("BS-2", ("BS1", 100.0)) == DONE
    assert shop.stock("BS1")[0]["stock_qty"] == 0
    assert shop.cancel("BS-2") == DONE
    assert shop.stock("BS1")[0]["stock_qty"] == 1
    await stocked(hub, {"BS1": 4})
    assert shop.stock("BS1")[0]["stock_qty"] == 0


@pytest.mark.parametrize("qty", [MOST, str(MOST), float(MOST)])
async def test_a_line_may_be_as_long_as_a_quantity_goes(hub: Running, qty: Any) -> None:
    """999,999,999 pieces, however they are written; one more is refused with the path."""
    await stocked(hub, {"MO1": 0})
    shop = await connected(hub, f"mo-{qty!r}")
    assert shop.send("MO", ("MO1", qty)) == DONE
    assert shop.cancel("MO") == DONE
    said = f"字段取值错误：pickGoodsDtls[0].qty应在1到{MOST}之间"
    assert shop.send("MO-2", ("MO1", MOST + 1)) == {"msg": said, "code": 500}


async def test_cancelling(hub: Running) -> None:
    """Unknown, blank, null, absent; twice; shipped; processed; and a cancelled number stays taken."""
    await stocked(hub, {"CA1": 10})
    shop, other = await connected(hub, "ca-1"), await connected(hub, "ca-2")
    assert shop.send("CA", ("CA1", 3)) == DONE
    assert [shop.cancel(number) for number in ("nothing", "", " ", None)] == [UNKNOWN] * 4
    assert shop.post("/pickGoods/cancel", {"remark": "x"}) == UNKNOWN
    assert other.cancel("CA") == UNKNOWN
    assert shop.stock("CA1")[0]["stock_qty"] == 7
    await shop.step(orders.process, "CA")
    assert shop.cancel("CA", "客户改款") == DONE
    assert shop.cancel("CA", "again") == DONE
    assert shop.stock("CA1")[0]["stock_qty"] == 10
    kept = await shop.order("CA")
    assert kept.state == "cancelled"
    said = [entry.what for entry in kept.log]
    assert sum("客户改款" in what for what in said) == 1
    assert not any("again" in what for what in said)
    assert shop.send("CA", ("CA1", 3)) == EXISTS
    assert other.send("CA", ("CA1", 3)) == DONE
    await other.step(orders.ship, "CA")
    assert other.cancel("CA") == {"msg": "推送失败，订单已发货，不能取消。", "code": 500}
    assert shop.stock("CA1")[0]["stock_qty"] == 7


async def test_cancelled_at_the_same_instant_what_is_held_is_freed_once(hub: Running) -> None:
    """Ten cancellations on two processes."""
    await stocked(hub, {"CI1": 10})
    shop = await connected(hub, "ci")
    assert shop.send("CI", ("CI1", 3)) == DONE
    answers = await asyncio.gather(*(asyncio.to_thread(shop.cancel, "CI") for _ in range(10)))
    assert answers == [DONE] * 10
    assert shop.stock("CI1")[0]["stock_qty"] == 10


async def test_a_connection_sells_what_its_locations_hold(hub: Running) -> None:
    """And nothing of what lies elsewhere; the weight is that of the pieces it may sell."""
    await stocked(hub, {"LO1": 10})
    await stocked(hub, {"LO1": 4}, at="aaa")
    both, one = await connected(hub, "lo-1"), await connected(hub, "lo-2", locations="aaa")
    assert [both.stock("LO1")[0]["stock_qty"], one.stock("LO1")[0]["stock_qty"]] == [14, 4]
    assert one.send("LO", ("LO1", 1)) == DONE
    assert [both.stock("LO1")[0]["stock_qty"], one.stock("LO1")[0]["stock_qty"]] == [13, 3]


async def test_what_a_partner_adds_is_kept_with_the_document(hub: Running) -> None:
    """A field nobody knows is accepted, and is there when somebody asks."""
    shop = await connected(hub, "ex")
    body = order("EX", ("YPJ1600", 1), 小程序版本="2.3")
    assert shop.post(SEND, {**body, "渠道": {"a": [1]}}) == DONE

    async def work(inside: Hub) -> list[Exchange]:
        async with inside.db.reading(inside.registry.tenant("demo")) as tx:
            return await find(tx, inside.vault, Filter(document="EX"))

    async def recorded() -> bool:
        return bool(await hub.do(work))

    await eventually(recorded)  # an exchange is written down a moment after its answer
    (exchange,) = await hub.do(work)
    kept = json.loads(exchange.request)
    assert (kept["渠道"], kept["pickGoods"]["小程序版本"]) == ({"a": [1]}, "2.3")


async def test_a_key_sent_twice_counts_as_it_was_sent_last(hub: Running) -> None:
    """As every JSON reader of our partners' does it."""
    await stocked(hub, {"KT1": 10})
    shop = await connected(hub, "kt")
    raw = json.dumps(order("KT", ("KT1", 1))).replace('"qty": 1', '"qty": 7, "qty": 2').encode()
    assert shop.post(SEND, raw) == DONE
    assert [line.qty for line in (await shop.order("KT")).lines] == [2]


async def test_an_order_may_come_as_a_form(hub: Running) -> None:
    """Head and lines as JSON texts; sent again as JSON, it is the same content."""
    await stocked(hub, {"FO1": 10})
    shop = await connected(hub, "fo", same_body_again="success")
    body = order("FO", ("FO1", 3), remark="中 文+&=")
    form = "&".join(f"{name}={quoted(json.dumps(part))}" for name, part in body.items()).encode()
    kind = "application/x-www-form-urlencoded"
    assert shop.post(SEND, form, **{"Content-Type": kind}) == DONE
    assert shop.post(SEND, body) == DONE
    assert shop.stock("FO1")[0]["stock_qty"] == 7


def quoted(text: str) -> str:
    """Return a text with every byte escaped."""
    return "".join(f"%{byte:02x}" for byte in text.encode())
