"""Articles, finding them by the names the partners use, and levels that partners state of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from entrepot import ids
from entrepot.catalogue import told
from entrepot.catalogue.rules import Known
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from entrepot.db import Tx

_q = queries(__package__)


class Article(Struct, frozen=True, kw_only=True):
    """An article as it is created or updated; ``details`` holds what only some partner asks for.

    Without a ``retail_price`` the one it has stays (0 where it is new).
    """

    sku: str
    style_no: str | None = None
    name: str = ""
    pic_url: str = ""
    unit: str = ""
    details: Mapping[str, Any] = {}
    retail_price: Decimal | None = None


class Listing(Struct, frozen=True, kw_only=True):
    """What a connection calls an article."""

    connection_id: int
    type: str
    key: str
    article_id: int


async def by_style(tx: Tx, styles: Collection[str]) -> dict[str, int]:
    """Return article ids by style number; unknown ones are absent."""
    return await _ids(tx, _q.by_style, styles)


async def by_sku(tx: Tx, skus: Collection[str]) -> dict[str, int]:
    """Return article ids by SKU; unknown ones are absent."""
    return await _ids(tx, _q.by_sku, skus)


async def found_by_style(tx: Tx, styles: Collection[str]) -> dict[str, Known]:
    """Return articles by style number, with the one place each lies at; unknown ones are absent."""
    return await _found(tx, _q.lying_by_style, styles)


async def found_by_sku(tx: Tx, skus: Collection[str]) -> dict[str, Known]:
    """Return articles by SKU, with the one place each lies at; unknown ones are absent."""
    return await _found(tx, _q.lying_by_sku, skus)


async def add(tx: Tx, articles: Sequence[Article]) -> dict[str, int]:
    """Create or update articles by SKU; return their ids by SKU.

    A suite keeps its kind and its parts. Partners who are told suites are told those that contain what
    changed.
    """
    unique = {article.sku: article for article in articles}
    rows = [unique[sku] for sku in sorted(unique)]
    known = await by_sku(tx, list(unique))
    fresh = await numbers(tx, "article", len(rows) - len(known))
    changed = await tx.rows(
        _q.add_articles,
        ids.some(len(rows)),
        [a.sku for a in rows],
        [a.style_no for a in rows],
        [a.name for a in rows],
        [a.pic_url for a in rows],
        [a.unit for a in rows],
        [msgspec.json.encode(a.details).decode() for a in rows],
        [None if a.sku in known else next(fresh) for a in rows],
    )
    priced = [(a.sku, a.retail_price) for a in rows if a.retail_price is not None]
    if priced:
        skus, prices = zip(*priced, strict=True)
        changed += await tx.rows(_q.set_prices, skus, prices)
    await told.parts(tx, [row["id"] for row in changed])
    return await by_sku(tx, [a.sku for a in rows])


async def numbers(tx: Tx, kind: str, count: int) -> Iterator[int]:
    """Take so many small numbers of a kind; whoever takes some at the same time waits."""
    last = await tx.value(_q.count_on, kind, count) if count else 0
    return iter(range(last - count + 1, last + 1))


async def add_styles(tx: Tx, names: Collection[str]) -> dict[str, int]:
    """Create articles for style numbers nobody knew; return article ids by style number.

    An article whose SKU is such a number becomes the style; one that is another style already stays.
    """
    if not names:
        return {}
    wanted = sorted(names)
    fresh = await numbers(tx, "article", len(wanted))
    await tx.do(_q.add_styles, ids.some(len(wanted)), wanted, list(fresh))
    made = await by_style(tx, wanted)
    await told.parts(tx, list(made.values()))
    return made


async def add_listings(tx: Tx, listings: Sequence[Listing]) -> None:
    """Create listings, or point existing ones (same connection, type and key) elsewhere."""
    unique = {(row.connection_id, row.type, row.key): row for row in listings}
    rows = [unique[key] for key in sorted(unique)]
    await tx.do(
        _q.add_listings,
        [row.connection_id for row in rows],
        ids.some(len(rows)),
        [row.type for row in rows],
        [row.key for row in rows],
        [row.article_id for row in rows],
    )


async def relist(tx: Tx, listing: Listing) -> None:
    """Point a connection's name at an article, and have what it sees of that article sent anew."""
    await add_listings(tx, [listing])
    await tx.do(_q.mark_listed, ids.new(), listing.article_id)


async def _ids(tx: Tx, query: str, names: Collection[str]) -> dict[str, int]:
    rows = await tx.look(query, list(names)) if names else []
    return {row["name"]: row["id"] for row in rows}


async def _found(tx: Tx, query: str, names: Collection[str]) -> dict[str, Known]:
    rows = await tx.look(query, list(names)) if names else []
    return {row["name"]: Known(id=row["id"], kind=row["kind"], place=row["place"]) for row in rows}
