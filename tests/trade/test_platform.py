"""The platform over HTTP: who may come in, what lists find, what a whole day's work comes to."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from entrepot.connections import flows as connections
from entrepot.connections.exchanges import Filter, find
from entrepot.decode import Price
from entrepot.dialects.trade import wire
from entrepot.dialects.trade.client import Said, Unreadable
from entrepot.people import flows as people
from entrepot.people.flows import Person
from entrepot.people.rules import Actor, Role
from entrepot.returns import flows as returns
from entrepot.returns.rules import Act
from tests.courier.bureau import eventually
from tests.papers.office import exact

if TYPE_CHECKING:
    from entrepot.db import Tx
    from entrepot.hub import Hub
    from tests.trade.conftest import Screens

AT_ONCE = 12


def ap(order: str, *, kind: str = "AFTER", sale: Any = 2, ask: Any = 1) -> dict[str, Any]:
    """Return an adjustment of one PU1."""
    line = {
        "saOrderId": order, "productId": 1, "productUnitId": 1, "pcount": 1, "salePrice": sale,
        "askPrice": ask,
    }  # fmt: skip
    return {"saOrderId": order, "customerId": 149, "type": kind, "orderApPros": [line]}


def sr(order: str, pieces: int = 1, *, price: str = "2", gift: int = 0) -> wire.SrBody:
    """Return a return of PU1."""
    money = Price(price)
    return wire.SrBody(
        wire.SrHead(149, order, 51, "DC（天津优和仓 ）", 1, remark="破损"),  # type: ignore[arg-type]
        (wire.SrLine(1, 1, pieces, money, money, gift),),  # type: ignore[arg-type]
    )


async def test_strangers_are_turned_away_before_anything_is_read(screens: Screens) -> None:
    """401 in the envelope: no token, another scheme, an unknown token; whatever the body is."""
    for headers in ({}, {"Authorization": "Basic c2FsZXM6"}, {"Authorization": "Bearer "}):
        got = await screens.call("x", "PUT", "/v2/order/ap", {"nonsense": 1}, **headers)
        assert (got.status, got.code, got.data) == (401, 401, None)


async def test_a_person_s_own_token_comes_in_until_it_ends(screens: Screens) -> None:
    """A second seller, with a token that is shown once; a client token of the tenant's is nobody's."""

    async def add(tx: Tx) -> tuple[str, str]:
        await people.add(tx, [Person(login="seller2", name="李四", role=Role.SALES)])
        token = await people.add_token(tx, "seller2", login="seller2")
        return token, await people.add_token(tx, "program", scopes=["orders"])

    token, program = await screens.run(add)
    assert (await screens.call(program, "GET", "/order/sr")).status == 401
    await screens.sell(["own-1"], 1, Decimal(2), ship=True)
    number = (await screens.call(token, "PUT", "/v2/order/ap", ap("own-1"))).data
    listed = await screens.call("sales", "GET", "/v2/order/ap", query=f"orderIdKeyWord={number}")
    assert listed.data["datas"][0]["createUserName"] == "李四"
    assert listed.data["datas"][0]["createUser"] > 518
    await screens.run(lambda tx: people.set_active(tx, "seller2", active=False))
    assert (await screens.call(token, "GET", "/order/sr")).status == 401


async def test_old_and_new_tokens_are_both_valid_while_a_rotation_overlaps(
    screens: Screens,
) -> None:
    """All five are made anew with the connection's key."""

    async def rotate(hub: Hub) -> Any:
        tenant = hub.registry.tenant("demo")
        async with hub.db.transaction(tenant) as tx:
            await connections.change(
                tx, hub.vault, hub.dialects, "trade", {}, who="test", rotate=True
            )
        await hub.registry.load()
        return hub.registry.named(tenant, "trade")

    connection = await screens.hub.do(rotate)
    fresh = connection.partner.secrets["sales"]
    assert fresh != screens.tokens["sales"]
    old_url, new_url = screens.base_url, screens.hub.base_url(connection)
    for token in (fresh, "sales"):
        for screens.base_url in (old_url, new_url):
            await screens.until(token, 200)


async def test_a_return_goes_through_all_its_calls(screens: Screens) -> None:
    """By the typed client, as five people; the goods are signed in by the depot in between."""
    sales, cpa, finance = (screens.client(who) for who in ("sales", "cpa", "finance"))
    await sales.create_sr(sr("test-07", 2, price="10"))
    row = (await sales.list_sr(order="test-07", buttonPermissionFlg=1)).datas[0]
    assert (row.totalPrice, row.discountPrice, row.freight) == exact("18.33", "6.67", 5)
    number = row.orderId
    with pytest.raises(Said) as refusal:
        await cpa.edit_sr(number, sr("test-07", 3, price="10"))
    assert refusal.value.number == 100403
    await sales.edit_sr(number, sr("test-07", 3, price="10"))
    await sales.set_status(number, "RUN")
    assert [line.leftPcount for line in (await sales.show_order("test-07")).orderSrPro or ()] == [0]
    await cpa.set_status(number, "FMS_PASS")
    keeper = Actor(id=0, name="depot", role=Role.ADMIN)
    act = Act(number=number, action="receive", actor=keeper)
    await screens.run(lambda tx: returns.act(tx, [act]))
    await finance.set_status(number, "COMPLETE")
    shown = await sales.show_sr(number)
    assert (shown.status, shown.toDepotName) == ("COMPLETE", "DC（天津优和仓 ）")
    assert shown.totalPrice == 25
    assert [line.opUserName for line in shown.orderSrLog] == [
        "钱财", "depot", "郑审", "孙启萌", "孙启萌", "孙启萌",
    ]  # fmt: skip
    with pytest.raises(Said):
        await sales.delete_sr(number)


async def test_an_adjustment_goes_through_all_its_calls(screens: Screens) -> None:
    """By the typed client."""
    sales, cpa, finance = (screens.client(who) for who in ("sales", "cpa", "finance"))
    await screens.sell(["typed-1"], 2, Decimal("32.5"), ship=True)
    price = Price("32.5")
    line = wire.ApLine("typed-1", 1, 1, 2, price, Price("30.25"))  # type: ignore[arg-type]
    new = wire.ApCreate("typed-1", 149, "AFTER", (line,))  # type: ignore[arg-type]
    first = await sales.create_ap(new)
    await cpa.refuse_ap(first, "价格不对")
    await sales.delete_ap(first)
    number = await sales.create_ap(new)
    await cpa.pass_ap(number)
    await finance.complete_ap(number)
    shown = await sales.show_ap(number)
    assert (shown.status, shown.totalBalancePrice) == ("COMPLETE", Decimal("-4.5"))
    assert (await sales.log_ap(number)).total == 3
    assert (await sales.log_ap(first)).datas[1].opInfo == "审核拒绝：价格不对"
    assert (await sales.list_ap(orderIdKeyWord=number, statuses=["RUN", "COMPLETE"])).total == 1


async def test_a_gift_gives_back_nothing(screens: Screens) -> None:
    """test-09: two at 32.5 and one more as a gift."""
    lines = [
        {"productunitId": 1, "pcount": 2, "price": 32.5, "giftFlg": 0},
        {"productunitId": 1, "pcount": 1, "price": 32.5, "giftFlg": 1},
    ]
    asked = {"orderSr": {"saOrderId": "test-09", "isFreight": 0}, "orderSrPro": lines}
    got = await screens.call("cpa", "PUT", "/order/sr/calculatediscount", asked)
    assert [line["totalPrice"] for line in got.data["orderSrPro"]] == [65, 0]
    assert (got.data["price"], got.data["totalPrice"], got.data["san"]) == (65, 65, 3)
    lines[1]["giftFlg"] = 2
    got = await screens.call("cpa", "PUT", "/order/sr/calculatediscount", asked)
    assert "orderSrPro[1].giftFlg" in got.body["msg"]


async def test_everybody_reads_everything(screens: Screens) -> None:
    """Lists, details and logs are open to all roles, also to people without a say in paperwork."""

    async def add(tx: Tx) -> str:
        await people.add(tx, [Person(login="visitor", name="访客", role=Role.NONE)])
        return await people.add_token(tx, "visitor", login="visitor")

    visitor = await screens.run(add)
    await screens.sell(["READ-1"], 2, Decimal(2), ship=True)
    number = (await screens.call("sales", "PUT", "/v2/order/ap", ap("READ-1"))).data
    await screens.client("sales").create_sr(sr("READ-1"))
    filed = (await screens.client("cpa").list_sr(order="READ-1")).datas[0].orderId
    paths = (
        "/v2/order/ap", f"/v2/order/ap/detail/{number}", f"/v2/order/ap/log/{number}",
        "/order/sr", f"/order/sr/detail/{filed}", "/order/sr/detail/sa/READ-1",
    )  # fmt: skip
    for who in ("cpa", "finance", "warehouse", "admin", visitor):
        for path in paths:
            mine, theirs = [await screens.call(one, "GET", path) for one in (who, "sales")]
            assert mine.code == 100000
            if "detail" in path or "log" in path:
                assert mine == theirs
    refused = await screens.call(visitor, "PUT", "/v2/order/ap", ap("READ-1"))
    assert (refused.code, refused.data) == (100403, None)
    buttons = (await screens.call(visitor, "GET", "/v2/order/ap")).data["buttonPermissions"]
    assert {name for row in buttons for name, may in row.items() if may} == {"logButton"}


@pytest.mark.parametrize("who", ["cpa", "finance", "warehouse"])
async def test_who_may_not_file_learns_nothing_of_orders(screens: Screens, who: str) -> None:
    """The right to file is looked at first, of both papers."""
    refused = await screens.call(who, "PUT", "/v2/order/ap", ap("no-such-order"))
    assert (refused.code, refused.data) == (100403, None)
    with pytest.raises(Said) as said:
        await screens.client(who).create_sr(sr("no-such-order"))
    assert said.value.number == 100403


async def test_a_repeated_create_with_its_key_is_the_first_one(screens: Screens) -> None:
    """Also at the same instant on two processes; other content under the key is refused."""
    await screens.sell(["key-1", "key-2"], 9, Decimal(2), ship=True)
    same = ap("key-1")
    numbers = await asyncio.gather(
        *(
            screens.call("sales", "PUT", "/v2/order/ap", same, idempotency_key="k-1")
            for _ in range(AT_ONCE)
        )
    )
    assert len({got.data for got in numbers}) == 1
    other = await screens.call("sales", "PUT", "/v2/order/ap", ap("key-2"), idempotency_key="k-1")
    assert (other.code, other.data) == (100409, None)
    body = {
        "orderSr": {
            "customerId": 149, "saOrderId": "key-2", "toDepotId": 40, "toDepotName": "大连",
            "isFreight": 0, "platformId": "",
        },
        "orderSrPro": [
            {"productId": 1, "productunitId": 1, "pcount": 1, "oldPrice": 2, "price": 1, "giftFlg": 0}
        ],
    }  # fmt: skip
    long = "k" * 5000
    for _ in range(2):
        got = await screens.call("sales", "POST", "/order/sr", body, idempotency_key=long)
        assert (got.code, got.data) == (100000, None)
    listed = await screens.call("sales", "GET", "/order/sr", query="order=key-2")
    assert (listed.data["total"], listed.data["datas"][0]["platformId"]) == (1, 1)
    assert listed.data["buttonPermissions"] == []


async def test_lists_find_by_any_part_and_page_from_1(screens: Screens) -> None:
    """Newest first; a page behind the last is empty and still tells the total; pageSize is at most 200."""
    orders = [f"LIST-{at:03}" for at in range(30)]
    await screens.sell(orders, 1, Decimal(2), ship=True)
    numbers = [
        (await screens.call("sales", "PUT", "/v2/order/ap", ap(order))).data for order in orders
    ]
    for number in numbers[:10]:
        await screens.call("cpa", "POST", f"/v2/order/ap/pass/{number}")

    async def page(**query: Any) -> Any:
        got = await screens.call(
            "warehouse", "GET", "/v2/order/ap", query=urlencode(query, doseq=True)
        )
        assert got.code == 100000, got
        return got.data

    first = await page(saOrderIdKeyWord="IST-0")
    assert [row["orderId"] for row in first["datas"]] == numbers[:4:-1]
    assert (first["total"], first["pageNo"], len(first["buttonPermissions"])) == (30, 1, 25)
    second = await page(saOrderIdKeyWord="IST-0", pageNo=2)
    assert [row["orderId"] for row in second["datas"]] == numbers[4::-1]
    assert (await page(saOrderIdKeyWord="IST-0", pageNo=9))["datas"] == []
    assert (await page(saOrderIdKeyWord="IST-0", pageNo=9))["total"] == 30
    assert (await page(orderKeyWord=numbers[3][4:]))["datas"][0]["orderId"] == numbers[3]
    assert (await page(orderKeyWord="LIST-003"))["datas"][0]["orderId"] == numbers[3]
    passed = {"saOrderIdKeyWord": "LIST-", "type": "AFTER"}
    assert (await page(**passed, **{"statuses[]": ["PASS", "INVALID"]}))["total"] == 10
    assert (await page(**passed, statuses="PASS,RUN"))["total"] == 30
    assert (await page(saOrderIdKeyWord="LIST-", type="BEFORE"))["total"] == 0
    assert len((await page(pageSize=5000))["datas"]) <= 200


@pytest.mark.parametrize(
    ("path", "query", "names"),
    [
        ("/v2/order/ap", "pageNo=0", "pageNo"),
        ("/v2/order/ap", "pageNo=x", "pageNo"),
        ("/v2/order/ap", "pageSize=-1", "pageSize"),
        ("/v2/order/ap", "pageSize=2.5", "pageSize"),
        ("/v2/order/ap", "type=DURING", "type"),
        ("/v2/order/ap", "statuses[]=RUN&statuses[]=NO", "statuses"),
        ("/v2/order/ap", "saOrderIdKeyWord=%00", "saOrderIdKeyWord"),
        ("/v2/order/ap", "saOrderIdKeyWord=%ff", "UTF-8"),
        ("/order/sr", "status=PASS", "status"),
        ("/order/sr", "buttonPermissionFlg=2", "buttonPermissionFlg"),
    ],
)
async def test_a_query_that_makes_no_sense_is_named(
    screens: Screens, path: str, query: str, names: str
) -> None:
    """A failure in the envelope; never a 5xx."""
    got = await screens.call("sales", "GET", path, query=query)
    assert (got.status, got.code) == (200, 100400)
    assert names in got.body["msg"]


async def test_blank_parameters_are_absent(screens: Screens) -> None:
    """As screens send them."""
    blank = "orderIdKeyWord=&saOrderIdKeyWord=&orderKeyWord=&type=&pageNo=&pageSize=&statuses[]="
    assert (await screens.call("sales", "GET", "/v2/order/ap", query=blank)).code == 100000
    blank = "order=&status=&customerName=&buttonPermissionFlg=&pageNo=1&pageSize=25"
    assert (await screens.call("sales", "GET", "/order/sr", query=blank)).code == 100000


async def test_what_there_is_not_says_so(screens: Screens) -> None:
    """Every call that names a paper or an order."""
    calls: tuple[tuple[str, str, object], ...] = (
        ("GET", "/v2/order/ap/detail/AP0", None),
        ("GET", "/v2/order/ap/log/AP0", None),
        ("POST", "/v2/order/ap/pass/AP0", None),
        ("POST", "/v2/order/ap/refuse/AP0", "理由"),
        ("DELETE", "/v2/order/ap/AP0", None),
        ("GET", "/order/sr/detail/SR0", None),
        ("GET", "/order/sr/detail/sa/SA0", None),
        ("PUT", "/order/sr/status/SR0", {"status": "RUN"}),
        ("DELETE", "/order/sr/SR0", None),
    )
    for method, path, body in calls:
        got = await screens.call("admin", method, path, body)
        assert (got.status, got.code, got.data) == (200, 100404, None), path
    of_order = await screens.call("sales", "GET", "/order/sr/detail/sa/SA0")
    assert of_order.body["msg"] == "销售订单不存在：saOrderId"


async def test_an_exchange_is_found_by_the_paper_and_by_the_order(screens: Screens) -> None:
    """The number the platform gave, and the order it is about."""
    await screens.sell(["FOUND-1"], 1, Decimal(2), ship=True)
    number = (await screens.call("sales", "PUT", "/v2/order/ap", ap("FOUND-1"))).data

    async def look(hub: Hub) -> list[str]:
        async with hub.db.reading(hub.registry.tenant("demo")) as tx:
            found = [await find(tx, hub.vault, Filter(document=n)) for n in (number, "FOUND-1")]
        return [one[0].method for one in found if one]

    async def recorded() -> bool:
        return await screens.hub.do(look) == ["PUT", "PUT"]

    await eventually(recorded)  # an exchange is written down a moment after its answer


async def test_what_does_not_decode_is_found_by_its_number(screens: Screens) -> None:
    """By the order that the body names, or the paper in the path, also where a reason is missing."""
    numbers = [f"TORN-{n}" for n in range(7)]
    head = {"saOrderId": numbers[1], "customerId": []}
    for method, path, body in (
        ("PUT", "/v2/order/ap", {"saOrderId": numbers[0], "type": 7}),
        ("POST", "/order/sr", {"orderSr": head}),
        ("PUT", "/order/sr/calculatediscount", {"orderSr": {"saOrderId": numbers[2], "x": 1}}),
        ("PUT", f"/order/sr/{numbers[3]}", {"orderSr": 7}),
        ("PUT", f"/order/sr/status/{numbers[4]}", {"status": 7}),
        ("POST", f"/v2/order/ap/refuse/{numbers[5]}", {"why": "no text"}),
        ("POST", f"/v2/order/ap/refuse/{numbers[6]}", " "),
    ):
        got = await screens.call("admin", method, path, body)
        assert (got.status, got.data) == (200, None), path
        assert got.code != 100000, path

    async def look(hub: Hub) -> list[int]:
        async with hub.db.reading(hub.registry.tenant("demo")) as tx:
            return [len(await find(tx, hub.vault, Filter(document=n))) for n in numbers]

    async def recorded() -> bool:
        return await screens.hub.do(look) == [1] * 7

    await eventually(recorded)


async def test_what_is_no_envelope_is_not_taken_for_an_answer(screens: Screens) -> None:
    """The typed client says so."""
    screens.base_url = screens.hub.url + "/c/no-such-key"
    with pytest.raises(Unreadable, match="GET /order/sr"):
        await screens.client("sales").list_sr()
