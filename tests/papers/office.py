"""A tenant that sells, with everybody who has a say in its paperwork."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from entrepot import decode, ids
from entrepot.adjustments import flows as adjustments
from entrepot.adjustments import rules as ap
from entrepot.catalogue import flows as catalogue
from entrepot.catalogue.flows import Article
from entrepot.connections import flows as connections
from entrepot.errors import Refused
from entrepot.orders import accounts
from entrepot.orders import flows as orders
from entrepot.orders.prices import Money
from entrepot.orders.rules import NewOrder, StepBy, Wanted
from entrepot.people import flows as people
from entrepot.people.flows import Person
from entrepot.people.rules import Actor, Role
from entrepot.returns import flows as returns
from entrepot.returns import rules as sr
from entrepot.stock import flows as stock
from entrepot.stock import views as stock_views

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from entrepot.adjustments.rules import Variant
    from entrepot.db import Database, Tx
    from entrepot.orders.prices import Account
    from entrepot.papers.repeats import Key

BUYER = 149
DEPOT = 40
SALES = Actor(id=1, name="销售", role=Role.SALES)
CPA = Actor(id=2, name="审核", role=Role.CPA)
FINANCE = Actor(id=3, name="财务", role=Role.FINANCE)
KEEPER = Actor(id=4, name="仓库", role=Role.WAREHOUSE)
ADMIN = Actor(id=9, name="管理", role=Role.ADMIN)
EVERYBODY = (SALES, CPA, FINANCE, KEEPER, ADMIN)

Sold = tuple[str, int, str] | tuple[str, int, str, int]
"""(SKU, pieces, price) and, for a gift, its flag."""


class Office:
    """One tenant. Articles A, B and C are sold in 件, 袋 and 盒, with the unit ids 1, 2 and 3."""

    UNITS = ("A", 1, "件"), ("B", 2, "袋"), ("C", 3, "盒")

    def __init__(self, db: Database) -> None:
        self.db = db
        self.tenant_id = ids.new()
        db.seal = lambda plain: plain
        db.listens = lambda *_: False

    async def open(self) -> None:
        """Make the tenant with its people, goods and depot."""
        async with self.db.transaction(self.tenant_id) as tx:
            await connections.add_tenant(tx, f"office {self.tenant_id}", {})
            await people.add(
                tx, [Person(id=a.id, login=a.name, name=a.name, role=a.role) for a in EVERYBODY]
            )
            await accounts.add_customers(tx, [accounts.Customer(id=BUYER, name="么志勇")])
            await stock.add_locations(tx, [stock.Location(code=str(DEPOT), name="大连仓")])
            await catalogue.add(
                tx,
                [
                    Article(
                        sku=sku,
                        unit=unit,
                        details={"productId": unit_id * 10, "productUnitId": unit_id},
                    )
                    for sku, unit_id, unit in self.UNITS
                ],
            )
        await self.fill(100)

    async def fill(self, pieces: int) -> None:
        """Count so many pieces of every article into the depot."""

        async def work(tx: Tx) -> None:
            articles = await catalogue.by_sku(tx, [sku for sku, _, _ in self.UNITS])
            places = await stock.locations(tx, [str(DEPOT)])
            await stock.count(
                tx,
                [
                    stock.Count(article_id=article, location_id=places[str(DEPOT)], on_hand=pieces)
                    for article in articles.values()
                ],
            )

        await self.run(work)

    async def run(self, work: Callable[[Tx], Awaitable[Any]]) -> Any:
        """Run work in a transaction."""
        return await self.db.run(self.tenant_id, work)

    async def set(self, **settings: str) -> None:
        """Change the tenant's settings."""
        await self.run(lambda tx: connections.set_tenant(tx, settings, "test"))

    async def one(self, flow: Any, command: object) -> Any:
        """Run a flow for one command; raises what it is refused for."""
        (outcome,) = await self.run(lambda tx: flow(tx, [command]))
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    async def sell(self, number: str, *lines: Sold, ship: bool = True, **money: str) -> None:
        """Take an order in and, unless told otherwise, ship it."""
        amounts: dict[str, Any] = {name: Decimal(value) for name, value in money.items()}
        order = NewOrder(
            number=number,
            lines=tuple(
                Wanted(
                    name=line[0],
                    qty=line[1],
                    price=Decimal(line[2]),
                    gift=line[3] if len(line) > 3 else 0,
                )
                for line in lines
            ),
            digest=decode.digest(msgspec.json.encode(number)),
            customer="么志勇",
            money=Money(customer_id=BUYER, **amounts),
        )
        await self.one(orders.place, order)
        if ship:
            await self.ship(number)

    async def ship(self, number: str) -> None:
        """Ship an order."""
        await self.one(orders.ship, StepBy(number=number, who="test"))

    async def account(self, number: str) -> Account:
        """Return an order's account."""

        async def work(tx: Tx) -> Account:
            found = await accounts.find(tx, [number])
            return accounts.account_of(
                await accounts.read(tx, found.values()), found.get(number), number
            )

        account: Account = await self.run(work)
        return account

    async def adjust(
        self,
        variant: Variant,
        order: str,
        *lines: tuple[int, int, str, str],
        by: Actor = SALES,
        key: Key | None = None,
        customer: int = BUYER,
    ) -> str:
        """File an adjustment of (unit id, pieces, price, asked price) lines; return its number."""
        number: str = await self.one(
            adjustments.create,
            adjustment(variant, order, *lines, by=by, key=key, customer=customer),
        )
        return number

    async def act(self, number: str, action: ap.Action, by: Actor = ADMIN) -> str:
        """Take an action on an adjustment; return its new state."""
        act = ap.Act(number=number, action=action, actor=by, reason="理由")
        state: str = await self.one(adjustments.act, act)
        return state

    async def file(
        self, order: str, *lines: tuple[int, int, str], by: Actor = SALES, **more: Any
    ) -> str:
        """File a draft return of (unit id, pieces, price) lines; return its number."""
        new = sr.NewReturn(body=body(order, *lines, **more), actor=by)
        number: str = await self.one(returns.create, new)
        return number

    async def move(self, number: str, *actions: sr.Action, by: Actor = ADMIN) -> str:
        """Take actions on a return one after the other; return its last state."""
        state = ""
        for action in actions:
            state = await self.one(returns.act, sr.Act(number=number, action=action, actor=by))
        return state

    async def on_hand(self, sku: str) -> int:
        """Return how many pieces lie in the depot."""
        levels = await self.run(lambda tx: stock_views.standing(tx, [sku]))
        return sum(level.on_hand for level in levels)

    async def proven(self) -> None:
        """Prove stock and money: every ledger adds up."""
        assert await self.run(accounts.discrepancies) == []
        assert await self.run(stock_views.discrepancies) == []


def exact(*numbers: int | str) -> tuple[Decimal, ...]:
    """Return numbers as the exact ones that flows work with."""
    return tuple(Decimal(number) for number in numbers)


def adjustment(
    variant: Variant,
    order: str,
    *lines: tuple[int, int, str, str],
    by: Actor = SALES,
    key: Key | None = None,
    customer: int = BUYER,
) -> ap.NewAdjustment:
    """Return a new adjustment of (unit id, pieces, price, asked price) lines."""
    return ap.NewAdjustment(
        variant=variant,
        order=order,
        customer_id=customer,
        lines=tuple(
            ap.Line(
                product_id=unit * 10,
                unit_id=unit,
                qty=qty,
                price=Decimal(price),
                ask=Decimal(ask),
            )
            for unit, qty, price, ask in lines
        ),
        actor=by,
        key=key,
    )


def body(
    order: str,
    *lines: tuple[int, int, str],
    freight: bool = True,
    gift: int = 0,
    customer: int = BUYER,
    depot: int = DEPOT,
) -> sr.Body:
    """Return a return of (unit id, pieces, price) lines."""
    return sr.Body(
        order=order,
        customer_id=customer,
        depot_id=depot,
        with_freight=freight,
        lines=tuple(
            sr.Wanted(
                product_id=unit * 10,
                unit_id=unit,
                qty=qty,
                price=Decimal(price),
                gift=gift,
            )
            for unit, qty, price in lines
        ),
    )
