"""The shop of document 001: its ERP is ours, its mini-program mall the partner's.

``minimall-in`` is a mall of ours over the same goods: what another ERP writes there, ``minimall`` reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.catalogue.flows import Article, Listing, add_listings
from entrepot.connections.flows import NewConnection
from entrepot.demo.part import End, Part, Pile, stack
from entrepot.stock.flows import Location, add_locations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.db import Tx

_STORES = (
    Location(code="aaa", name="自提网点 aaa"),
    Location(code="bbb", name="自提网点 bbb"),
)
_SETTINGS = {"stores": "aaa,bbb", "total_store_code": "ALL"}
# What the mall calls each article, and how many lie at store aaa.
_GOODS = (
    ("MM1", "normal", "1^^^8Gú128G", 20),
    ("MM2", "integral", "2^^^白色", 30),
    ("MM3", "group", "2", 40),
    ("MM4", "normal", "3^^^a^^^b", 10),
)


async def _ours(tx: Tx, connections: Mapping[str, int]) -> None:
    await _load(tx, connections, stocked=True)


async def _theirs(tx: Tx, connections: Mapping[str, int]) -> None:
    await _load(tx, connections, stocked=False)


async def _load(tx: Tx, connections: Mapping[str, int], *, stocked: bool) -> None:
    """Create stores, goods and listings; the mall's own stock starts empty, it is told."""
    await add_locations(tx, _STORES)
    piles = [
        Pile(
            article=Article(sku=sku, name=f"{sku} ({kind} {key})"),
            at={"aaa": pieces if stocked else 0, "bbb": 0},
        )
        for sku, kind, key, pieces in _GOODS
    ]
    articles = await stack(tx, piles)
    listings = [
        Listing(connection_id=connection_id, type=kind, key=key, article_id=articles[sku])
        for connection_id in connections.values()
        for sku, kind, key, _ in _GOODS
    ]
    await add_listings(tx, listings)


part = Part(
    ours=End(
        connections=(
            NewConnection(
                name="minimall",
                dialect="minimall",
                role="erp",
                settings=_SETTINGS,
            ),
            NewConnection(
                name="minimall-in",
                dialect="minimall",
                role="mall",
                settings=_SETTINGS,
            ),
        ),
        load=_ours,
    ),
    theirs=End(
        connections=(
            NewConnection(
                name="minimall",
                dialect="minimall",
                role="mall",
                settings=_SETTINGS,
            ),
        ),
        load=_theirs,
    ),
    pairs=(("minimall", "minimall"),),
)
