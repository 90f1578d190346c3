"""The suites of document 004: 旺店通 is ours, the merchant the partner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.catalogue.flows import Article
from entrepot.connections.flows import NewConnection
from entrepot.demo.part import End, Part, Pile, stack
from entrepot.stock.flows import Location, add_locations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.db import Tx

HQ = Location(code="HQ", name="总仓")
# SKU = spec_no (商家编码), price, pieces at HQ.
GOODS = (
    ("dongfangshuye", "东方树叶", "5.00", 100),
    ("xiaowanzi01", "小丸子", "12.50", 55),
)


async def _ours(tx: Tx, _connections: Mapping[str, int]) -> None:
    await add_locations(tx, [HQ])
    piles = [
        Pile(article=Article(sku=spec_no, name=name, details={"price": price}), at={"HQ": pieces})
        for spec_no, name, price, pieces in GOODS
    ]
    await stack(tx, piles)


async def _theirs(_tx: Tx, _connections: Mapping[str, int]) -> None:
    """Keep nothing: a merchant asks."""


part = Part(
    ours=End(
        connections=(NewConnection(name="wangdian", dialect="wangdian", role="wdt"),), load=_ours
    ),
    theirs=End(
        connections=(NewConnection(name="wangdian", dialect="wangdian", role="merchant"),),
        load=_theirs,
    ),
    pairs=(("wangdian", "wangdian"),),
)
