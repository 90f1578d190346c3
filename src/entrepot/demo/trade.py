"""The food trade of document 003: the platform is ours, its web client the partner's."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from entrepot import decode
from entrepot.catalogue.flows import Article
from entrepot.connections.flows import NewConnection
from entrepot.demo import backoffice
from entrepot.demo.part import WHO, End, Part, Pile, stack
from entrepot.errors import Refused
from entrepot.orders import flows as orders
from entrepot.orders.accounts import Customer, add_customers
from entrepot.orders.prices import Money
from entrepot.orders.rules import NewOrder, StepBy, Wanted
from entrepot.people.flows import Person
from entrepot.people.flows import add as add_people
from entrepot.people.rules import Role
from entrepot.stock.flows import Location, add_locations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.db import Tx

DEPOTS = (
    Location(code="40", name="DC（大连铁越仓）", province="辽宁省", city="大连市"),
    Location(code="51", name="DC（天津优和仓 ）", province="天津市", city="天津市"),
)
_PICTURES = "http://asae.oss-cn-beijing.aliyuncs.com/uploads/product"
GOODS = (
    Article(
        sku="PU7383",
        name="原浆生开扇贝肉",
        unit="件",
        pic_url=f"{_PICTURES}/201707/1b56214371d52d1e5d47cef59b55b31a.jpg",
        details={"productId": 4152, "productUnitId": 7383, "guige": "500g/袋*16袋", "pno": "1362"},
    ),
    Article(
        sku="PU184",
        name="蟹足棒（模拟蟹肉）",
        unit="袋",
        pic_url=f"{_PICTURES}/201804/323ad7af9dad4e58306d9548843f7dfa.jpg",
        details={"productId": 100, "productUnitId": 184, "guige": "1000g", "pno": "277"},
    ),
    Article(
        sku="PU1",
        name="香草凤尾虾",
        unit="盒",
        details={"productId": 1, "productUnitId": 1, "guige": "500g(23-25枚）/盒", "pno": "0151"},
    ),
)
RESTAURANT = Customer(id=32805, name="沈阳市皇姑区金鹏小火锅餐厅", type="A")
BUYER = Customer(id=149, name="么志勇", type="C")
PEOPLE = (
    Person(id=518, login="sales", name="孙启萌", role=Role.SALES),
    Person(id=519, login="cpa", name="郑审", role=Role.CPA),
    Person(id=520, login="finance", name="钱财", role=Role.FINANCE),
    Person(id=521, login="warehouse", name="库管", role=Role.WAREHOUSE),
    Person(id=522, login="admin", name="管理员", role=Role.ADMIN),
)
_PILES = [Pile(article=goods, at={"40": 100, "51": 100}) for goods in GOODS]


def _line(sku: str, qty: int, price: str, gift: int = 0) -> Wanted:
    return Wanted(name=sku, qty=qty, price=Decimal(price), gift=gift)


def _order(
    number: str, customer: Customer, *lines: Wanted, discount: str = "0", freight: str = "0"
) -> NewOrder:
    money = Money(customer_id=customer.id, discount=Decimal(discount), freight=Decimal(freight))
    content = msgspec.json.encode({"number": number, "lines": lines, "money": money})
    return NewOrder(
        number=number,
        lines=lines,
        digest=decode.digest(content),
        customer=customer.name,
        money=money,
        who=WHO,
    )


WAITING = (
    _order("test-01", BUYER, _line("PU1", 10, "2")),
    _order("test-03", BUYER, _line("PU1", 10, "2")),
)
SHIPPED = (
    _order(
        "SA180611037577",
        RESTAURANT,
        _line("PU7383", 1, "391"),
        _line("PU184", 1, "21"),
        discount="20",
        freight="10",
    ),
    _order("test-05", BUYER, _line("PU1", 10, "2")),
    _order("test-07", BUYER, _line("PU1", 3, "10"), discount="10", freight="5"),
    _order("test-08", BUYER, _line("PU1", 2, "0.50"), discount="0.01"),
    _order("test-09", BUYER, _line("PU1", 2, "32.5"), _line("PU1", 1, "32.5", gift=1)),
)


async def _ours(tx: Tx, _connections: Mapping[str, int]) -> None:
    """Fill both depots, sell, ship, and fill them again: 100 of each are there."""
    await add_people(tx, PEOPLE)
    await add_customers(tx, (RESTAURANT, BUYER))
    await add_locations(tx, DEPOTS)
    await stack(tx, _PILES)
    _well(await orders.place(tx, (*SHIPPED, *WAITING)))
    _well(await orders.ship(tx, [StepBy(number=order.number, who=WHO) for order in SHIPPED]))
    await stack(tx, _PILES)


def _well(outcomes: Sequence[object]) -> None:
    """Raise what was refused: the demonstration loads whole or not at all."""
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            raise outcome


async def _theirs(_tx: Tx, _connections: Mapping[str, int]) -> None:
    """Keep nothing: a client asks."""


part = Part(
    ours=End(
        connections=(NewConnection(name="trade", dialect="trade", role="platform"),), load=_ours
    ),
    theirs=End(
        connections=(NewConnection(name="trade", dialect="trade", role="client"),), load=_theirs
    ),
    pairs=(("trade", "trade"),),
    acts=backoffice.ACTS,
)
