"""What a dialect brings to the demonstration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from entrepot.catalogue import flows as catalogue
from entrepot.stock import flows as stock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from decimal import Decimal

    from entrepot.catalogue.flows import Article
    from entrepot.connections.flows import NewConnection
    from entrepot.db import Tx
    from entrepot.demo.stage import Act

WHO = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end: the connections of one tenant, and what lies behind them.

    ``load`` writes goods and documents; it gets the connections by name (without those whose dialect
    is not installed).
    """

    connections: tuple[NewConnection, ...]
    load: Callable[[Tx, Mapping[str, int]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A dialect's part: our end, the partner's end, and which connections call each other.

    Both connections of a pair (ours, theirs) get the same secrets. ``acts`` are what people at both ends
    do when there is traffic.
    """

    ours: End
    theirs: End
    pairs: tuple[tuple[str, str], ...]
    acts: tuple[Act, ...] = ()

    @property
    def dialects(self) -> frozenset[str]:
        """The dialects its connections speak."""
        connections = (*self.ours.connections, *self.theirs.connections)
        return frozenset(new.dialect for new in connections)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pile:
    """Goods at a place: pieces, and grams of all of them."""

    article: Article
    at: Mapping[str, int]
    weight: Decimal | None = None


async def stack(tx: Tx, piles: Sequence[Pile]) -> dict[str, int]:
    """Create the piles' articles and count their pieces in; return article ids by SKU."""
    articles = await catalogue.add(tx, [pile.article for pile in piles])
    places = await stock.locations(tx, {code for pile in piles for code in pile.at})
    await stock.count(
        tx,
        [
            stock.Count(
                article_id=articles[pile.article.sku],
                location_id=places[code],
                on_hand=pieces,
                weight=pile.weight,
                who=WHO,
            )
            for pile in piles
            for code, pieces in pile.at.items()
        ],
    )
    return articles
