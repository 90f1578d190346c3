"""The jeweller of document 000: its ERP is ours, its mini-program the partner's."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from entrepot.catalogue.flows import Article
from entrepot.connections.flows import NewConnection
from entrepot.demo.part import End, Part, Pile, stack
from entrepot.stock.flows import Location, add_locations

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
                name="goldshop", dialect="goldshop", role="miniapp", settings={"locations": "HQ"}
            ),
        ),
        load=_theirs,
    ),
    pairs=(("goldshop", "goldshop"),),
)
