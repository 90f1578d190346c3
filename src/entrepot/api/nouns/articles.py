"""Articles: what is sold, by SKU."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from entrepot import money
from entrepot.api import paging, words
from entrepot.api.batch import MOST
from entrepot.api.desk import Desk
from entrepot.api.operation import reads, writes
from entrepot.api.paging import Page, Paged
from entrepot.api.words import SAID, Body, Code, Id, Words
from entrepot.catalogue import flows
from entrepot.db import Row, Tx, queries

_q = queries(__package__)


class Article(Struct, frozen=True, kw_only=True):
    """An article; ``kind`` is ``suite`` where it is made of others."""

    id: str
    sku: str
    style_no: str | None
    name: str
    pic_url: str
    unit: str
    kind: str
    retail_price: Decimal
    details: dict[str, Any]
    created_at: datetime
    changed_at: datetime


class ArticleContent(Body, frozen=True, kw_only=True):
    """All of an article but its SKU; what is left out returns to its default, but the price, which stays."""

    style_no: Annotated[str, Meta(pattern=SAID, max_length=200)] | None = None
    name: Words = ""
    pic_url: Words = ""
    unit: Annotated[str, Meta(max_length=50)] = ""
    details: dict[str, Any] = {}  # noqa: RUF012 - a struct's default is copied
    retail_price: Decimal | None = None


class NewArticle(ArticleContent, frozen=True, kw_only=True):
    """An article as it is created, or replaced where its SKU is known."""

    sku: Code


class NewArticles(Body, frozen=True, kw_only=True):
    """Articles to be saved: all of them or none."""

    articles: Annotated[list[NewArticle], Meta(min_length=1, max_length=MOST)]


class SavedArticle(Struct, frozen=True, kw_only=True):
    """An article that was saved, by its SKU."""

    id: str
    sku: str


class SavedArticles(Struct, frozen=True, kw_only=True):
    """The articles saved, by SKU."""

    articles: list[SavedArticle]


class ArticlesWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which articles, by SKU."""

    sku: Annotated[tuple[Code, ...], Meta(max_length=100, description="These only.")] = ()
    style_no: Code | None = None
    kind: Literal["single", "suite"] | None = None


@reads("/articles", "articles")
async def list_articles(tx: Tx, desk: Desk, query: ArticlesWanted) -> Page[Article]:
    """List articles by SKU."""
    del desk
    (after,) = paging.start(query, tuple[str]) or (None,)
    skus = list(query.sku) or None
    found = await tx.rows(_q.articles, after, query.limit + 1, skus, query.style_no, query.kind)
    return paging.page(found, query, lambda row: (row["sku"],), _article)


@reads("/articles/{id}", "articles", tagged=True)
async def show_article(tx: Tx, desk: Desk, id: Id) -> Article:  # noqa: A002 - the path's word
    """Show one article."""
    del desk
    row = await tx.row(_q.article, words.number(id, "article"))
    if row is None:
        raise words.missing("article", id)
    return _article(row)


@writes("POST", "/articles", "articles")
async def save_articles(tx: Tx, desk: Desk, body: NewArticles) -> SavedArticles:
    """Create articles, or replace those whose SKUs are known.

    The last of repeated SKUs counts.
    """
    del desk
    found = await flows.add(tx, [_new(one.sku, one) for one in body.articles])
    return SavedArticles(
        articles=[SavedArticle(id=str(found[sku]), sku=sku) for sku in sorted(found)]
    )


@writes("PUT", "/articles/{id}", "articles", tagged=True, of=show_article)
async def replace_article(tx: Tx, desk: Desk, id: Id, body: ArticleContent) -> Article:  # noqa: A002
    """Replace one article; its SKU stays."""
    present = await show_article.handler(tx, desk, id)
    await flows.add(tx, [_new(present.sku, body)])
    changed: Article = await show_article.handler(tx, desk, id)
    return changed


def _new(sku: str, content: ArticleContent) -> flows.Article:
    return flows.Article(
        sku=sku,
        style_no=content.style_no,
        name=content.name,
        pic_url=content.pic_url,
        unit=content.unit,
        details=content.details,
        retail_price=content.retail_price,
    )


def _article(row: Row) -> Article:
    return Article(
        id=str(row["id"]),
        sku=row["sku"],
        style_no=row["style_no"],
        name=row["name"],
        pic_url=row["pic_url"],
        unit=row["unit"],
        kind=row["kind"],
        retail_price=money.plain(row["retail_price"]),
        details=msgspec.json.decode(row["details"]),
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )
