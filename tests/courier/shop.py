"""A made-up dialect that tells levels of stock, and the shelf that they are read from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from entrepot import ids
from entrepot.dialect import Partner, Reply, Request, Role, Settings
from entrepot.facts import Levels
from entrepot.stock import flows as stock
from entrepot.stock import published
from entrepot.stock.flows import Count
from entrepot.stock.published import Channel
from tests.courier.bureau import Bureau, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Shop(Settings, frozen=True, kw_only=True):
    """How many figures a call may hold, how long they gather, which stores have their own."""

    size: int = 4
    wait: float = 0.1
    stores: tuple[str, ...] = ()


def request_for(levels: Any, _partner: Partner) -> Request:
    """Send rows of [key, store, pieces]."""
    assert isinstance(levels, Levels)
    rows: list[list[object]] = []
    for level in levels.levels:
        rows.append([level.key, "", level.total])
        rows += [[level.key, code, pieces] for code, pieces in level.by_location.items()]
    return Request("/stock", json.dumps(rows).encode())


SHOP = Role(
    settings=Shop,
    render=lambda problem: Reply(problem.text.encode()),
    request_for=request_for,
    verdict=verdict,
    levels=lambda settings: settings.size,
    level_wait=lambda settings: settings.wait,
    level_stores=lambda settings: settings.stores,
    splits=lambda _sent: True,
    full_every=lambda _settings: 86400.0,
)
STYLES = Role(
    settings=Shop,
    render=lambda problem: Reply(problem.text.encode()),
    request_for=request_for,
    verdict=verdict,
    levels=lambda settings: settings.size,
    level_wait=lambda settings: settings.wait,
    sells="styles",
)


class Shelf:
    """Articles A0, A1 … in stock at places, each listed on connections under its own name."""

    def __init__(self, bureau: Bureau) -> None:
        self.bureau = bureau
        self.articles: dict[str, int] = {}
        self.places: dict[str, int] = {}
        self.changed = 0

    async def fill(self, names: Iterable[str], places: Iterable[str] = ("HQ",)) -> None:
        """Create articles and places."""
        async with self.bureau.db.transaction(self.bureau.tenant_id) as tx:
            for code in places:
                self.places[code] = ids.new()
                await tx.do(
                    "INSERT INTO location (tenant_id, id, code) VALUES ($1, $2, $3)",
                    self.places[code],
                    code,
                )
            for name in names:
                self.articles[name] = ids.new()
                await tx.do(
                    "INSERT INTO article (tenant_id, id, sku, style_no) VALUES ($1, $2, $3, $3)",
                    self.articles[name],
                    name,
                )

    async def list_on(self, connection_id: int) -> None:
        """List every article."""
        async with self.bureau.db.transaction(self.bureau.tenant_id) as tx:
            for name, article_id in self.articles.items():
                await tx.do(
                    "INSERT INTO listing (tenant_id, connection_id, id, type, key, article_id)"
                    " VALUES ($1, $2, $3, 'normal', $4, $5)",
                    connection_id,
                    ids.new(),
                    name,
                    article_id,
                )

    async def count(self, name: str, pieces: int, place: str = "HQ") -> None:
        """Set what lies there."""
        count = Count(
            article_id=self.articles[name], location_id=self.places[place], on_hand=pieces
        )
        await self.bureau.db.run(self.bureau.tenant_id, lambda tx: stock.count(tx, [count]))

    async def count_all(self, pieces: Mapping[str, int], place: str = "HQ") -> None:
        """Set what lies there of many articles, in one transaction."""
        counts = [
            Count(article_id=self.articles[name], location_id=self.places[place], on_hand=number)
            for name, number in sorted(pieces.items())
        ]
        await self.bureau.db.run(self.bureau.tenant_id, lambda tx: stock.count(tx, counts))
        self.changed += len(counts)

    async def published(self, connection_id: int) -> dict[str, int]:
        """Return the total that a connection is to be told of each article now."""
        async with self.bureau.db.reading(self.bureau.tenant_id) as tx:
            figures = await published.figures(
                tx, Channel(connection_id=connection_id), list(self.articles.values())
            )
        return {name: figures[article_id].total for name, article_id in self.articles.items()}
