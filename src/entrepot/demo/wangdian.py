"""The suites of document 004: 旺店通 is ours, the merchant the partner."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from entrepot.catalogue import suites
from entrepot.catalogue.flows import Article
from entrepot.connections.flows import NewConnection
from entrepot.demo.part import End, Part, Pile, stack
from entrepot.stock.flows import Location, add_locations

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
)
