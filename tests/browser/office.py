"""Paperwork that a salesperson filed, for somebody else to take further; and people with accounts."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import pyotp

from entrepot import clock
from entrepot.adjustments import flows as adjustments
from entrepot.adjustments.rules import Line, NewAdjustment
from entrepot.catalogue import suites
from entrepot.console.access import flows as access
from entrepot.demo.trade import BUYER
from entrepot.errors import Refused
from entrepot.facts import Suite, SuitePart
from entrepot.orders import flows as orders
from entrepot.orders.prices import Money
from entrepot.orders.rules import NewOrder, StepBy, Wanted
from entrepot.people import flows as people
from entrepot.people.flows import Person
from entrepot.people.rules import Actor, Role
from entrepot.returns import flows as returns
from entrepot.returns.rules import Body, NewReturn
from entrepot.returns.rules import Wanted as Back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Tx
    from entrepot.hub import Hub

BOUGHT = "BUY"
KEEPER = "keeper"
PASSWORD = "kai-men-jian-shan"
_SALES = Actor(id=518, name="孙启萌", role=Role.SALES)
_PRICE, _ASK = Decimal(10), Decimal("8.5")


def clerk(place: str) -> str:
    """Return the name under which somebody signs in who looks after their own account."""
    return f"wei{place.strip('-')}"


def mover(place: str) -> str:
    """Return the name of somebody who changes their password."""
    return f"ban{place.strip('-')}"


def lost(place: str) -> str:
    """Return the name of somebody who has lost their phone, and with it the second factor."""
    return f"qian{place.strip('-')}"


async def open_office(places: Sequence[str], hub: Hub) -> None:
    """File for each place: an adjustment and two returns of one order; let three people in."""
    await hub.db.run(hub.registry.tenant("demo"), partial(_file, places))
    await hub.db.run(hub.registry.tenant("demo"), partial(_hire, places, hub))
    await hub.db.run(hub.registry.tenant("demo"), _compose)
    await hub.db.run(hub.registry.tenant("partners"), _hire_keeper)


async def _file(places: Sequence[str], tx: Tx) -> None:
    for place in places:
        number = BOUGHT + place
        bought = Wanted(name="PU1", qty=6, price=_PRICE)
        money = Money(customer_id=BUYER.id, discount=Decimal(0), freight=Decimal(0))
        order = NewOrder(
            number=number,
            lines=(bought,),
            digest=hashlib.sha256(number.encode()).digest(),
            customer=BUYER.name,
            money=money,
            who=_SALES.name,
        )
        _well(await orders.place(tx, [order]))
        _well(await orders.ship(tx, [StepBy(number=number, who=_SALES.name)]))
        line = Line(product_id=1, unit_id=1, qty=1, price=_PRICE, ask=_ASK)
        asked = NewAdjustment(
            variant="AFTER", order=number, customer_id=BUYER.id, lines=(line,), actor=_SALES
        )
        _well(await adjustments.create(tx, [asked]))
        for remark in ("包装破损", "买错了"):
            body = Body(
                order=number,
                customer_id=BUYER.id,
                depot_id=40,
                with_freight=False,
                lines=(Back(unit_id=1, product_id=1, qty=1, price=_PRICE),),
                remark=remark,
            )
            _well(await returns.create(tx, [NewReturn(body=body, actor=_SALES)]))


async def _hire(places: Sequence[str], hub: Hub, tx: Tx) -> None:
    for place in places:
        names = (clerk(place), mover(place), lost(place))
        made = await people.add(tx, [Person(login=n, name="魏来", role=Role.NONE) for n in names])
        for name in names:
            await access.set_account(tx, made[name], PASSWORD, must_change=False)
        secret = access.new_secret()
        code = pyotp.TOTP(secret).at(clock.now())
        await access.turn_on_totp(tx, hub.vault, made[lost(place)], secret, code)


async def _hire_keeper(tx: Tx) -> None:
    """Let somebody in at the other end, where the merchant's connections are."""
    made = await people.add(tx, [Person(login=KEEPER, name="掌柜", role=Role.ADMIN)])
    await access.set_account(tx, made[KEEPER], PASSWORD, must_change=False)


async def _compose(tx: Tx) -> None:
    """Make a suite of goods that are there."""
    parts = tuple(SuitePart(sku=sku, num=Decimal(1)) for sku in ("dongfangshuye", "xiaowanzi01"))
    _well(
        await suites.replace(tx, [Suite(sku="GIFT-BOX", name="节日礼盒", parts=parts, unit="盒")])
    )


def _well(outcomes: Sequence[object]) -> None:
    """Raise what was refused."""
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            raise outcome
