"""The outlets of document 002: the OMS is ours, the stores' POS the partner's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.catalogue.flows import Article
from entrepot.connections.flows import NewConnection
from entrepot.demo.part import End, Part, Pile, stack
from entrepot.dispatch import outlets
from entrepot.dispatch.outlets import Outlet, Registered
from entrepot.stock.flows import Location, add_locations, locations

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


async def _ours(tx: Tx, connections: Mapping[str, int]) -> None:
    """Put the goods and their pieces into outlets that the stores' system serves."""
    connection_id = connections.get("storepos")
    await _stock(tx)
    await outlets.set_up(
        tx, [Outlet(code=place.code, connection_id=connection_id) for place in OUTLETS]
    )


async def _theirs(tx: Tx, _connections: Mapping[str, int]) -> None:
    """Put the same goods and pieces into the same stores, where their own people ship them."""
    await _stock(tx)


async def _stock(tx: Tx) -> None:
    await add_locations(tx, OUTLETS)
    piles = [Pile(article=Article(sku=sku, unit="件"), at=at) for sku, at in GOODS.items()]
    articles = await stack(tx, piles)
    places = await locations(tx, [place.code for place in OUTLETS])
    await outlets.register(
        tx,
        [
            Registered(
                code=f"SN-{sku.partition('/')[0]}-{place}-{n:02}",
                article_id=articles[sku],
                location_id=places[place],
            )
            for sku, at in GOODS.items()
            for place, pieces in at.items()
            for n in range(1, pieces + 1)
        ],
    )


part = Part(
    ours=End(
        connections=(NewConnection(name="storepos", dialect="storepos", role="oms"),), load=_ours
    ),
    theirs=End(
        connections=(NewConnection(name="storepos", dialect="storepos", role="pos"),), load=_theirs
    ),
    pairs=(("storepos", "storepos"),),
)
