"""Goods (货品) and their specs (单品), as partners who think in them push and ask for them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from entrepot import ids
from entrepot.catalogue import rules, told
from entrepot.catalogue.flows import numbers
from entrepot.catalogue.suites import known
from entrepot.db import queries
from entrepot.errors import Conflict, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.catalogue.rules import Known
    from entrepot.db import Row, Tx
    from entrepot.facts import Goods, Spec

_q = queries(__package__)
_details = msgspec.json.Encoder(decimal_format="number")


class Search(Struct, frozen=True, kw_only=True):
    """Which balances; what is None is not asked."""

    skus: tuple[str, ...] | None = None
    location: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    offset: int = 0
    limit: int = 100


class Balance(Struct, frozen=True, kw_only=True):
    """The stock of one single article at one location; pieces. Without goods their fields are empty."""

    sku: str
    number: int
    article_name: str
    pic_url: str
    unit: str
    name: str
    code: str
    barcode: str
    weight: Decimal
    goods_no: str
    goods_name: str
    brand_name: str
    location: str
    location_name: str
    on_hand: int
    reserved: int
    safety: int
    changed_at: datetime

    @property
    def available(self) -> int:
        """Pieces that may still be promised; below 0 where goods are made to order."""
        return self.on_hand - self.reserved - self.safety


class Page(Struct, frozen=True, kw_only=True):
    """Some of the balances that were found, and how many there are altogether."""

    total: int
    balances: tuple[Balance, ...]


async def save(tx: Tx, batch: Sequence[Goods]) -> list[int | Refused]:
    """Create or change goods by number, with the specs given; return the small id of each.

    Specs that are not given stay. Of two that name the same goods the last counts. What did not change
    is left alone, and nobody is told of it.
    """
    articles = await known(tx, {spec.sku for goods in batch for spec in goods.specs})
    outcomes: list[Refused | None] = []
    accepted: dict[str, Goods] = {}
    for goods in batch:
        outcomes.append(rules.fault_of_goods(goods, articles))
        if outcomes[-1] is None:
            accepted[goods.goods_no] = goods
            articles |= rules.claimed(goods, articles)
    rows = await tx.rows(_q.goods_digests, list(accepted))
    before = {row["goods_no"]: row for row in rows}
    changed = [
        accepted[no]
        for no in sorted(accepted)
        if no not in before or before[no]["digest"] != _digest(accepted[no])
    ]
    found: dict[str, int] = {no: row["id"] for no, row in before.items()}
    found |= await _save_heads(tx, changed, found)
    await _save_specs(tx, changed, found, articles)
    return [
        outcome or found[goods.goods_no] for goods, outcome in zip(batch, outcomes, strict=True)
    ]


async def balances(tx: Tx, batch: Sequence[Search]) -> list[Page]:
    """Return a page of balances for each question, in the order in which they changed."""
    pages = []
    for asked in batch:
        rows = await tx.rows(
            _q.find_balances,
            None if asked.skus is None else list(asked.skus),
            asked.location,
            asked.since,
            asked.until,
            asked.limit,
            asked.offset,
        )
        found = tuple(_balance(row) for row in rows if row["sku"] is not None)
        pages.append(Page(total=rows[0]["total"], balances=found))
    return pages


async def _save_heads(tx: Tx, batch: Sequence[Goods], before: dict[str, int]) -> dict[str, int]:
    """Write the goods themselves; return their ids by number."""
    if not batch:
        return {}
    fresh = await numbers(tx, "goods", sum(goods.goods_no not in before for goods in batch))
    rows = await tx.rows(
        _q.lock_goods,
        [before.get(goods.goods_no) or next(fresh) for goods in batch],
        [goods.goods_no for goods in batch],
        [goods.name for goods in batch],
        [goods.class_name for goods in batch],
        [goods.brand_name for goods in batch],
        [goods.unit for goods in batch],
        [_details.encode(goods.details).decode() for goods in batch],
        [_digest(goods) for goods in batch],
    )
    return {row["goods_no"]: row["id"] for row in rows}


async def _save_specs(
    tx: Tx, batch: Sequence[Goods], goods_ids: dict[str, int], articles: dict[str, Known]
) -> None:
    """Write the specs and tell of their goods; raises Conflict when one was taken a moment ago."""
    specs = sorted(
        ((goods, spec) for goods in batch for spec in goods.specs), key=lambda pair: pair[1].sku
    )
    if not specs:
        return
    new = [articles[spec.sku].id == 0 for _, spec in specs]
    fresh = await numbers(tx, "article", sum(new))
    rows = await tx.rows(
        _q.lock_specs,
        ids.some(len(specs)),
        [spec.sku for _, spec in specs],
        [_name(goods, spec) for goods, spec in specs],
        [spec.pic_url for _, spec in specs],
        [spec.unit or goods.unit for goods, spec in specs],
        [next(fresh) if is_new else None for is_new in new],
        [spec.retail_price for _, spec in specs],
    )
    locked: dict[str, int] = {row["sku"]: row["id"] for row in rows}
    kept = [(goods, spec) for goods, spec in specs if spec.sku in locked]
    rows = await tx.rows(
        _q.save_specs,
        [locked[spec.sku] for _, spec in kept],
        [goods_ids[goods.goods_no] for goods, _ in kept],
        [spec.name for _, spec in kept],
        [spec.code for _, spec in kept],
        [spec.barcode for _, spec in kept],
        [spec.weight for _, spec in kept],
        [_details.encode(spec.details).decode() for _, spec in kept],
    )
    saved = {row["article_id"] for row in rows}
    for goods, spec in specs:
        if locked.get(spec.sku) not in saved:
            text = f"{spec.sku} was taken by another a moment ago."
            raise Conflict("spec_of_others", text, sku=spec.sku, goods_no=goods.goods_no)
    await told.goods_with(tx, saved)


def _name(goods: Goods, spec: Spec) -> str:
    return f"{goods.name} {spec.name}".strip()


def _digest(goods: Goods) -> bytes:
    return hashlib.sha256(msgspec.json.encode(goods)).digest()


def _balance(row: Row) -> Balance:
    texts = (
        *("sku", "article_name", "pic_url", "unit", "name", "code", "barcode"),
        *("goods_no", "goods_name", "brand_name", "location", "location_name"),
    )
    return Balance(
        **{name: row[name] or "" for name in texts},
        number=row["number"],
        weight=row["weight"] or Decimal(0),
        on_hand=row["on_hand"],
        reserved=row["reserved"],
        safety=row["safety"],
        changed_at=row["changed_at"],
    )
