"""The command line's share: orders with prices come in, goods are signed in, people get tokens."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import structs

from entrepot.errors import Refused
from entrepot.hub import Hub
from entrepot.orders import accounts
from entrepot.people.rules import Actor, Role
from entrepot.returns import flows as returns
from entrepot.returns.rules import Act, Action, NewReturn, Wanted
from tests.cli.conftest import run
from tests.papers.office import body, exact

if TYPE_CHECKING:
    from pathlib import Path

    from entrepot.settings import Settings
    from tests.cli.conftest import Run

__all__ = ["run"]
BOSS = Actor(id=1, name="boss", role=Role.ADMIN)
CLERK = Actor(id=2, name="clerk", role=Role.ADMIN)


def beside(settings: Settings, work: Any) -> Any:
    """Run work in a transaction of the tenant, beside the commands."""

    async def open_hub() -> Any:
        async with await Hub.open(settings, size=2) as hub:
            return await hub.db.run(hub.registry.tenant("demo"), work)

    return asyncio.run(open_hub())


def test_orders_come_in_with_prices(run: Run, tmp_path: Path, demo_settings: Settings) -> None:
    """Money stands on the first line of an order; ids come from the file or from the article's details."""
    articles = tmp_path / "articles.csv"
    columns = "sku,unit,details.productId,details.productUnitId,details.guige,details.pno"
    goods = ("N1,件,10,1,2kg,P1", "N2,袋,x,,1kg,P2")
    articles.write_text("\n".join((columns, *goods)), encoding="utf-8")
    assert run("import", "articles", str(articles)).code == 0
    file = tmp_path / "orders.csv"
    columns = "number,sku,qty,customer,customer_id,price,gift,discount,rebate,freight,paid,unit_id"
    rows = (
        "SA1,N1,2,么志勇,149,32.50,0,5,1,8,,",
        "SA1,N2,1,,,1.5,2,,,,,77",
        "SA2,N1,1,么志勇,149,10,,,,,3,",
        "SA3,N1,1,么志勇,149,ten,,,,,,",
        "SA4,N1,1,,,,,,,,,",
        "SA5,N1,1,么志勇,149,1,3,,,,,",
    )
    file.write_text("\n".join((columns, *rows)), encoding="utf-8")
    found = run("import", "orders", str(file), "--json").json
    assert (found["taken"], found["left_out"]) == (4, 2)
    errors = file.with_suffix(".errors.csv").read_text("utf-8-sig")
    assert "price is not a number" in errors
    assert "gift is neither 0 nor 1" in errors

    async def look(tx: Any) -> Any:
        ids = await accounts.find(tx, ["SA1", "SA2", "SA4"])
        known = await accounts.read(tx, ids.values())
        return {number: known.get(order_id) for number, order_id in ids.items()}

    seen = beside(demo_settings, look)
    one = seen["SA1"]
    assert (one.due, one.paid, one.reduction) == exact(67, 67, 6)
    assert [(p.product_id, p.unit_id, p.gift, p.guige) for p in one.parts] == [
        (10, 1, 0, "2kg"),
        (0, 77, 2, "1kg"),
    ]
    assert (seen["SA2"].due, seen["SA2"].paid) == exact(10, 3)
    assert seen["SA4"] is None


def test_an_order_that_outlets_shipped_is_returned_like_any_other(
    run: Run, tmp_path: Path, demo_settings: Settings
) -> None:
    """It came in by file with a receiver and prices; not returned before every piece of it has left."""
    outlets = tmp_path / "outlets.csv"
    outlets.write_text("code,connection\n6002,-\n6003,-\n", encoding="utf-8")
    assert run("import", "outlets", str(outlets)).code == 0
    file = tmp_path / "orders.csv"
    columns = "number,sku,qty,customer,customer_id,price,unit_id,discount,freight,receiver,phone"
    rows = (
        "OUT1,G1/C1/S1,1,么志勇,149,30,71,5,8,小满,13800000000,浙江省,杭州市,文三路1号",
        "OUT1,G2/C2/S2,1,,,10,72,,,,,,,",
    )
    file.write_text("\n".join((f"{columns},province,city,address", *rows)), encoding="utf-8")
    assert run("import", "orders", str(file)).code == 0
    wanted = (Wanted(unit_id=71, qty=1, price=Decimal(30)),)
    draft = NewReturn(body=structs.replace(body("OUT1"), lines=wanted), actor=BOSS)

    async def filed(tx: Any) -> Any:
        return (await returns.create(tx, [draft]))[0]

    early = beside(demo_settings, filed)
    assert isinstance(early, Refused)
    assert early.code == "order_not_shipped"
    (note,) = run("dispatch", "explain", "OUT1", "--json").json["notes"]
    codes = ["SN-G1-6002-01", "SN-G2-6002-01"]
    assert run("dispatch", "ship", note["note"], "SF1", *codes).code == 0
    number = str(beside(demo_settings, filed))

    async def done(tx: Any) -> list[Any]:
        await returns.act(tx, [Act(number=number, action="run", actor=BOSS)])
        rest: tuple[Action, ...] = ("pass", "receive", "complete")
        for action in rest:
            await returns.act(tx, [Act(number=number, action=action, actor=CLERK)])
        known = await accounts.read(tx, (await accounts.find(tx, ["OUT1"])).values())
        return list(known.values())

    (account,) = beside(demo_settings, done)
    # 30, less its share of 5 by 30 of 40, and with the freight.
    assert (account.paid, account.refunded) == exact(43, "34.25")
    there = {r["location"]: r["on_hand"] for r in run("stock", "get", "G1/C1/S1", "--json").json}
    assert (there["6002"], there["40"]) == (9, 1)
    assert run("verify").code == 0


def test_goods_are_signed_in_by_command(run: Run, demo_settings: Settings) -> None:
    """Once: again is fine and moves nothing; too early, and a number there is not, say why."""

    async def filed(tx: Any) -> str:
        wanted = Wanted(unit_id=1, qty=3, price=Decimal(2))
        draft = structs.replace(body("test-05"), lines=(wanted,))
        (number,) = await returns.create(tx, [NewReturn(body=draft, actor=BOSS)])
        await returns.act(tx, [Act(number=str(number), action="run", actor=BOSS)])
        return str(number)

    async def pass_(tx: Any) -> None:
        await returns.act(tx, [Act(number=number, action="pass", actor=CLERK)])

    number = beside(demo_settings, filed)
    early = run("returns", "receive", number)
    assert (early.code, "RUN" in early.err) == (1, True)
    beside(demo_settings, pass_)
    for _ in range(2):
        assert run("returns", "receive", number).code == 0
    assert run("stock", "get", "PU1", "--json").json[0]["on_hand"] == 103
    assert run("returns", "receive", "SR0").code == 1
    assert run("verify").code == 0


def test_people_come_and_go(run: Run) -> None:
    """A new seller has a token, shown once; who has gone has none."""
    assert run("people", "add", "lisi", "李四", "--role", "sales").code == 0
    assert len(run("people", "token", "lisi", "--json").json["token"]) > 40
    listed = {row["login"]: row for row in run("people", "list", "--json").json}
    assert (listed["lisi"]["role"], listed["lisi"]["active"]) == ("sales", True)
    assert run("people", "end", "lisi").code == 0
    assert run("people", "token", "lisi").code == 1
    assert "李四" in run("people", "list").out


def test_verify_proves_the_money_too(run: Run, demo_settings: Settings) -> None:
    """A balance that its entries do not add up to is listed, and the exit code is 1."""

    async def spoil(tx: Any) -> None:
        await tx.do("UPDATE order_money SET paid = paid + 1 WHERE tenant_id = $1")

    beside(demo_settings, spoil)
    found = run("verify", "--json")
    assert found.code == 1
    assert {row["number"] for row in found.json} >= {"test-01", "SA180611037577"}
    assert "test-07" in run("verify").out
