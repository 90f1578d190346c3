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
from entrepot.dialect import Partner
from entrepot.errors import BadInput, Refused
from entrepot.stock import flows as stock
from entrepot.stock.flows import Stated

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


class LevelStated(Struct, frozen=True, kw_only=True):
    """One row a partner states: so many pieces of what it calls ``name`` may still be sold.

    ``type`` is set for a listing, None for a style; ``location`` is a code, None the connection's first
    (or, where it names none, the tenant's).
    """

    name: str
    qty: int
    path: str = ""
    type: str | None = None
    location: str | None = None


class LevelsStated(Struct, frozen=True, kw_only=True):
    """Levels stated in one document: all of its rows count, or none."""

    rows: tuple[LevelStated, ...]
    partner: Partner
    create_unknown: bool = False


async def take_levels(tx: Tx, batch: Sequence[LevelsStated]) -> list[Refused | None]:
    """Make stock what partners state. A document with an unknown name or place changes nothing.

    Refuses with ``unknown_rows``, naming every bad row: facts ``unknown_names`` and
    ``unknown_places``, both lists of rows.
    """
    articles = await _stated_articles(tx, batch)
    codes = {code for stated in batch for row in stated.rows if (code := _place(stated, row))}
    places: dict[str | None, int] = {}
    places.update(await stock.known_locations(tx, codes))
    if any(_place(stated, row) is None for stated in batch for row in stated.rows):
        places[None] = await stock.first_location(tx)
    outcomes: list[Refused | None] = []
    levels: list[Stated] = []
    for stated in batch:
        names = [row for row in stated.rows if _called(stated, row) not in articles]
        nowhere = [row for row in stated.rows if _place(stated, row) not in places]
        if names or nowhere:
            text = "Some rows name what is not there."
            outcomes.append(
                BadInput("unknown_rows", text, unknown_names=names, unknown_places=nowhere)
            )
            continue
        outcomes.append(None)
        levels += [
            Stated(
                article_id=articles[_called(stated, row)],
                location_id=places[_place(stated, row)],
                available=row.qty,
                who=stated.partner.name,
            )
            for row in stated.rows
        ]
    await stock.state(tx, levels)
    return outcomes


async def by_style(tx: Tx, styles: Collection[str]) -> dict[str, int]:
    """Return article ids by style number; unknown ones are absent."""
    return {name: found.id for name, found in (await found_by_style(tx, styles)).items()}


async def by_sku(tx: Tx, skus: Collection[str]) -> dict[str, int]:
    """Return article ids by SKU; unknown ones are absent."""
    return {name: found.id for name, found in (await found_by_sku(tx, skus)).items()}


async def found_by_style(tx: Tx, styles: Collection[str]) -> dict[str, Known]:
    """Return articles by style number; unknown ones are absent."""
    return await _found(tx, _q.by_style, styles)


async def found_by_sku(tx: Tx, skus: Collection[str]) -> dict[str, Known]:
    """Return articles by SKU; unknown ones are absent."""
    return await _found(tx, _q.by_sku, skus)


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
        [ids.new() for _ in rows],
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


def _called(stated: LevelsStated, row: LevelStated) -> tuple[int, str | None, str]:
    """What a row's article is looked up by: styles are the tenant's, listings a connection's."""
    return (stated.partner.id if row.type is not None else 0, row.type, row.name)


def _place(stated: LevelsStated, row: LevelStated) -> str | None:
    return row.location or next(iter(stated.partner.settings.locations), None)


async def _stated_articles(
    tx: Tx, batch: Sequence[LevelsStated]
) -> dict[tuple[int, str | None, str], int]:
    """Return article ids by ``_called``, creating the styles that a connection's policy lets in."""
    rows = [(stated, row) for stated in batch for row in stated.rows]
    styles = await by_style(tx, {row.name for _, row in rows if row.type is None})
    fresh = {row.name for stated, row in rows if stated.create_unknown} - styles.keys()
    if fresh:
        styles |= await add(tx, [Article(sku=name, style_no=name) for name in sorted(fresh)])
    found: dict[tuple[int, str | None, str], int] = {
        (0, None, name): article_id for name, article_id in styles.items()
    }
    for connection_id in {stated.partner.id for stated, row in rows if row.type is not None}:
        keys = {(r.type, r.name) for s, r in rows if r.type and s.partner.id == connection_id}
        types, names = zip(*keys, strict=True)
        for hit in await tx.rows(_q.by_listing, connection_id, types, names):
            found[connection_id, hit["type"], hit["key"]] = hit["article_id"]
    return found


async def _found(tx: Tx, query: str, names: Collection[str]) -> dict[str, Known]:
    if not names:
        return {}
    rows = await tx.rows(query, list(names))
    return {row["name"]: Known(id=row["id"], kind=row["kind"]) for row in rows}
