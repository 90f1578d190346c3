"""The food trade of document 003: the platform is ours, its web client the partner's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.catalogue.flows import Article
from entrepot.connections.flows import NewConnection
from entrepot.demo.part import End, Part, Pile, stack
from entrepot.stock.flows import Location, add_locations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.db import Tx

DEPOTS = (
    Location(code="40", name="DC（大连铁越仓）", province="辽宁省", city="大连市"),
    Location(code="51", name="DC（天津优和仓 ）", province="天津市", city="天津市"),
)
GOODS = (
    Article(
        sku="PU7383",
        name="原浆生开扇贝肉",
        unit="件",
        details={"pcode": 4152, "puId": 7383, "guige": "500g/袋*16袋", "pno": "1362", "price": 391},
    ),
    Article(
        sku="PU184",
        name="蟹足棒（模拟蟹肉）",
        unit="袋",
        details={"pcode": 100, "puId": 184, "guige": "1000g", "pno": "277", "price": 21},
    ),
    Article(
        sku="PU1",
        name="香草凤尾虾",
        unit="盒",
        details={"pcode": 1, "puId": 1, "guige": "500g(23-25枚）/盒", "pno": "0151", "price": 2},
    ),
)


async def _ours(tx: Tx, _connections: Mapping[str, int]) -> None:
    await add_locations(tx, DEPOTS)
    await stack(tx, [Pile(article=goods, at={"40": 100, "51": 100}) for goods in GOODS])


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
)
