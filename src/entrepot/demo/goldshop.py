"""The jeweller of document 000: its ERP is ours, its mini-program the partner's."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from entrepot.catalogue.flows import Article, by_style
from entrepot.connections.flows import NewConnection
from entrepot.demo.part import End, Part, Pile, stack
from entrepot.demo.stage import Act, Stage
from entrepot.orders import flows as orders
from entrepot.orders.rules import NewOrder, StepBy, Wanted
from entrepot.stock.flows import Location, Move, add_locations, locations, lock, move

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.db import Tx

HQ = Location(code="HQ", name="总仓")
_STYLES = tuple(f"YPJ160{last}" for last in range(5))
_GRAMS = Decimal("2.5")
_MADE = tuple(
    Article(sku=style, style_no=style, name=f"足金999 {style}", unit="件") for style in _STYLES
)
_RING = Article(sku="MF004", style_no="MF004", name="足金999 MF004", unit="件")


async def _ours(tx: Tx, _connections: Mapping[str, int]) -> None:
    """Put 500 pieces of 2.5 g of each YPJ style, and 30 of MF004 that weigh 106 g, into HQ."""
    await add_locations(tx, [HQ])
    piles = [Pile(article=article, at={"HQ": 500}, weight=500 * _GRAMS) for article in _MADE]
    piles.append(Pile(article=_RING, at={"HQ": 30}, weight=Decimal(106)))
    await stack(tx, piles)


async def _theirs(tx: Tx, _connections: Mapping[str, int]) -> None:
    """Let the mini-program know the styles; how many there are it is told."""
    await add_locations(tx, [HQ])
    await stack(tx, [Pile(article=article, at={"HQ": 0}) for article in (*_MADE, _RING)])


_CUSTOMERS = (
    ("安港珠宝", "明天L"),
    ("安港珠宝", "小满"),
    ("金玉满堂", "阿珍"),
    ("福盛珠宝", "老周"),
)
_ENOUGH, _FULL = 200, 500
_OPERATOR = "demo operator"


async def _order(stage: Stage) -> None:
    """Order a few pieces in the mini-program; it pushes them to the ERP."""
    customer, username = stage.chance.choice(_CUSTOMERS)
    styles = stage.chance.sample(_STYLES, stage.chance.randint(1, 3))
    lines = tuple(Wanted(name=style, qty=stage.chance.randint(1, 5)) for style in styles)
    number = stage.number()
    new = NewOrder(
        number=number,
        lines=lines,
        digest=hashlib.sha256(number.encode()).digest(),
        partner=stage.partner(stage.partners, "goldshop"),
        customer=customer,
        named_by="style",
        details={"username": username, "fineness": "足金999"},
        push=True,
        who=username,
    )
    await stage.do(stage.partners, orders.place, new)


async def _change_mind(stage: Stage) -> None:
    """Cancel one of the newest orders in the mini-program; the ERP may have shipped it by then."""
    partner = stage.partner(stage.partners, "goldshop")
    found = await stage.orders(stage.partners, partner, ["accepted", "processed"], age=1)
    if found:
        chosen = stage.chance.choice(found[-3:])
        await _step(stage, stage.partners, orders.cancel, chosen["number"], "明天L", "不要了")


async def _process(stage: Stage) -> None:
    """Process the order that waits longest in the ERP."""
    partner = stage.partner(stage.demo, "goldshop")
    for row in (await stage.orders(stage.demo, partner, ["accepted"], age=5))[:1]:
        await _step(stage, stage.demo, orders.process, row["number"], _OPERATOR)


async def _ship(stage: Stage) -> None:
    """Ship the processed order that waits longest."""
    partner = stage.partner(stage.demo, "goldshop")
    for row in (await stage.orders(stage.demo, partner, ["processed"], age=10))[:1]:
        await _step(stage, stage.demo, orders.ship, row["number"], _OPERATOR)


async def _restock(stage: Stage) -> None:
    """Receive what the workshop made of styles that run low."""

    async def receive(tx: Tx) -> None:
        articles = await by_style(tx, _STYLES)
        places = await locations(tx, ["HQ"])
        rows = await lock(tx, {(article, places["HQ"]) for article in articles.values()})
        short = [row for row in rows.values() if row.on_hand < _ENOUGH]
        await move(
            tx,
            [
                Move(
                    article_id=row.article_id,
                    location_id=row.location_id,
                    delta=_FULL - row.on_hand,
                    kind="receipt",
                    document="workshop",
                    who=_OPERATOR,
                    weight=(_FULL - row.on_hand) * _GRAMS,
                )
                for row in short
            ],
        )

    await stage.hub.db.run(stage.demo, receive)


async def _step(
    stage: Stage, tenant_id: int, flow: Any, number: str, who: str, remark: str = ""
) -> None:
    connection = stage.partner(tenant_id, "goldshop").id
    await stage.do(
        tenant_id, flow, StepBy(number=number, who=who, connection_id=connection, remark=remark)
    )


part = Part(
    ours=End(
        connections=(
            NewConnection(
                name="goldshop", dialect="goldshop", role="erp", settings={"locations": "HQ"}
            ),
        ),
        load=_ours,
    ),
    theirs=End(
        connections=(
            NewConnection(
                name="goldshop",
                dialect="goldshop",
                role="miniapp",
                settings={"locations": "HQ", "unknown_order": "accept"},
            ),
        ),
        load=_theirs,
    ),
    pairs=(("goldshop", "goldshop"),),
    acts=(
        Act(name="a customer orders", every=12, play=_order),
        Act(name="a customer changes her mind", every=90, play=_change_mind),
        Act(name="our operator processes", every=8, play=_process),
        Act(name="our operator ships", every=10, play=_ship),
        Act(name="goods arrive", every=60, play=_restock),
    ),
)
