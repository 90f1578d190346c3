"""The outlets of document 002: the OMS is ours, the stores' POS the partner's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.catalogue.flows import Article
from entrepot.connections.flows import NewConnection
from entrepot.demo.part import End, Part, Pile, stack
from entrepot.stock.flows import Location, add_locations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.db import Tx

OUTLETS = (
    Location(code="6001", name="上海南京东路店", province="上海市", city="上海市"),
    Location(code="6002", name="杭州武林店", province="浙江省", city="杭州市"),
    Location(code="6003", name="南京新街口店", province="江苏省", city="南京市"),
    Location(code="6004", name="北京王府井店", province="北京市", city="北京市"),
    Location(code="6005", name="沈阳太原街店", province="辽宁省", city="沈阳市"),
)
# SKU = goodsNo/colorNo/sizeNo, and the pieces at each outlet.
GOODS: Mapping[str, Mapping[str, int]] = {
    "G1/C1/S1": {"6002": 10, "6003": 10, "6004": 5},
    "G2/C2/S2": {"6002": 10, "6003": 10},
}


async def _ours(tx: Tx, _connections: Mapping[str, int]) -> None:
    await add_locations(tx, OUTLETS)
    await stack(tx, [Pile(article=Article(sku=sku, unit="件"), at=at) for sku, at in GOODS.items()])


async def _theirs(tx: Tx, _connections: Mapping[str, int]) -> None:
    await add_locations(tx, OUTLETS)
    await stack(tx, [Pile(article=Article(sku=sku, unit="件"), at=at) for sku, at in GOODS.items()])


part = Part(
    ours=End(
        connections=(NewConnection(name="storepos", dialect="storepos", role="oms"),), load=_ours
    ),
    theirs=End(
        connections=(NewConnection(name="storepos", dialect="storepos", role="pos"),), load=_theirs
    ),
    pairs=(("storepos", "storepos"),),
)
