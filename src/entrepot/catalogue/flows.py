"""Articles, and finding them by the names the partners use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from entrepot import ids
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from entrepot.db import Tx

_q = queries(__package__)


class Article(Struct, frozen=True, kw_only=True):
    """An article as it is created or updated; ``details`` holds what only some partner asks for."""

    sku: str
    style_no: str | None = None
    name: str = ""
    pic_url: str = ""
    unit: str = ""
    details: Mapping[str, Any] = {}


class Listing(Struct, frozen=True, kw_only=True):
    """What a connection calls an article."""

    connection_id: int
    type: str
    key: str
    article_id: int


async def by_style(tx: Tx, styles: Collection[str]) -> dict[str, int]:
    """Return article ids by style number; unknown ones are absent."""
    return await _found(tx, _q.by_style, styles)


async def by_sku(tx: Tx, skus: Collection[str]) -> dict[str, int]:
    """Return article ids by SKU; unknown ones are absent."""
    return await _found(tx, _q.by_sku, skus)


async def add(tx: Tx, articles: Sequence[Article]) -> dict[str, int]:
    """Create or update articles by SKU; return their ids by SKU."""
    unique = {article.sku: article for article in articles}
    rows = [unique[sku] for sku in sorted(unique)]
    await tx.do(
        _q.add_articles,
        [ids.new() for _ in rows],
        [a.sku for a in rows],
        [a.style_no for a in rows],
        [a.name for a in rows],
        [a.pic_url for a in rows],
        [a.unit for a in rows],
        [msgspec.json.encode(a.details).decode() for a in rows],
    )
    return await by_sku(tx, [a.sku for a in rows])


async def add_listings(tx: Tx, listings: Sequence[Listing]) -> None:
    """Create listings, or point existing ones (same connection, type and key) elsewhere."""
    unique = {(row.connection_id, row.type, row.key): row for row in listings}
    rows = [unique[key] for key in sorted(unique)]
    await tx.do(
        _q.add_listings,
        [row.connection_id for row in rows],
        [ids.new() for _ in rows],
        [row.type for row in rows],
        [row.key for row in rows],
        [row.article_id for row in rows],
    )


async def _found(tx: Tx, query: str, names: Collection[str]) -> dict[str, int]:
    if not names:
        return {}
    return {row["name"]: row["id"] for row in await tx.rows(query, list(names))}
