"""The suites of document 004: 旺店通 is ours, the merchant the partner."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING

from entrepot.catalogue import goods, suites
from entrepot.catalogue.flows import Article, by_sku
from entrepot.connections.flows import NewConnection
from entrepot.demo.part import End, Part, Pile, stack
from entrepot.demo.stage import Act, Stage
from entrepot.facts import Goods, Spec, Suite, SuitePart
from entrepot.orders import flows as orders
from entrepot.orders.rules import NewOrder, StepBy, Wanted
from entrepot.stock.flows import Location, Move, add_locations, locations, lock, move

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.db import Tx

HQ = Location(code="HQ", name="总仓")
# SKU = spec_no (商家编码), name, retail price, pieces at HQ.
GOODS = (
    ("dongfangshuye", "东方树叶", "5.00", 100),
    ("xiaowanzi01", "小丸子", "12.50", 55),
)
LABEL = "热卖"
ACCOUNT = {"sid": "wdtapi3", "key": "wdt_test"}


async def _load(tx: Tx, _connections: Mapping[str, int]) -> None:
    """Put the goods on the shelf, at both ends: who pushes suites has their parts too."""
    await add_locations(tx, [HQ])
    piles = [
        Pile(
            article=Article(sku=spec_no, name=name, retail_price=Decimal(price)), at={"HQ": pieces}
        )
        for spec_no, name, price, pieces in GOODS
    ]
    await stack(tx, piles)
    await suites.add_labels(tx, [LABEL])


# What the traffic sells; the document's own goods are left alone.
_TEAS = (("LIVE-TEA1", "龙井", 58), ("LIVE-TEA2", "碧螺春", 46), ("LIVE-CUP", "茶杯", 12))
_BOXES = (("LIVE-BOX1", "清明茶礼"), ("LIVE-BOX2", "端午茶礼"), ("LIVE-BOX3", "中秋茶礼"))
_LOW, _FULL = 20, 60
_KEEPER = "demo warehouse"


async def _compose(stage: Stage) -> None:
    """Put a gift box together anew; the merchant's hub pushes it to 旺店通, its goods ahead of it."""
    for tea in _TEAS:
        await stage.do(stage.partners, goods.save, _tea(*tea))
    sku, name = stage.chance.choice(_BOXES)
    chosen = stage.chance.sample(_TEAS, 2)
    parts = tuple(
        SuitePart(sku=part, num=Decimal(stage.chance.randint(1, 3))) for part, _, _ in chosen
    )
    suite = Suite(sku=sku, name=name, parts=parts, unit="盒", print_mode=1, label=LABEL)
    await stage.do(stage.partners, suites.replace, suite)


async def _reprice(stage: Stage) -> None:
    """Change the price of a tea; 旺店通 learns of it and of the boxes that hold it."""
    sku, name, price = stage.chance.choice(_TEAS)
    await stage.do(stage.partners, goods.save, _tea(sku, name, price + stage.chance.randint(-5, 5)))


async def _receive(stage: Stage) -> None:
    """Fill up at 旺店通's end what was pushed there and runs low, so that boxes can be sold."""

    async def receive(tx: Tx) -> None:
        articles = await by_sku(tx, [sku for sku, _, _ in _TEAS])
        place = (await locations(tx, [HQ.code]))[HQ.code]
        rows = await lock(tx, {(article, place) for article in articles.values()})
        moves = [
            Move(
                article_id=row.article_id,
                location_id=row.location_id,
                delta=_FULL - row.on_hand,
                kind="receipt",
                document="tea farm",
                who=_KEEPER,
            )
            for row in rows.values()
            if row.on_hand < _LOW
        ]
        await move(tx, moves)

    await stage.hub.db.run(stage.demo, receive)


async def _sell(stage: Stage) -> None:
    """Sell a box at 旺店通's end if there is one, and ship it at once: its parts leave stock."""
    async with stage.hub.db.reading(stage.demo) as tx:
        known = await suites.known(tx, {sku for sku, _ in _BOXES})
        left = {sku: await suites.availability(tx, box.id) for sku, box in known.items()}
    there = sorted(sku for sku, limit in left.items() if limit.available)
    if there:
        number, line = stage.number(), Wanted(name=stage.chance.choice(there), qty=1)
        digest = hashlib.sha256(number.encode()).digest()
        new = NewOrder(number=number, lines=(line,), digest=digest, who=_KEEPER)
        await stage.do(stage.demo, orders.place, new)
        await stage.do(stage.demo, orders.ship, StepBy(number=number, who=_KEEPER))


def _tea(sku: str, name: str, price: int) -> Goods:
    spec = Spec(sku=sku, unit="罐", retail_price=Decimal(price))
    return Goods(goods_no=sku, name=name, class_name="茶", unit="罐", specs=(spec,))


part = Part(
    ours=End(
        connections=(
            NewConnection(name="wangdian", dialect="wangdian", role="wdt", secrets=ACCOUNT),
        ),
        load=_load,
    ),
    theirs=End(
        connections=(NewConnection(name="wangdian", dialect="wangdian", role="merchant"),),
        load=_load,
    ),
    pairs=(("wangdian", "wangdian"),),
    acts=(
        Act(name="a merchant composes a gift box", every=40, play=_compose),
        Act(name="a merchant changes a price", every=75, play=_reprice),
        Act(name="tea arrives", every=50, play=_receive),
        Act(name="a gift box is sold", every=30, play=_sell),
    ),
)
