"""Suites (组合装): replaced as a whole, looked at, and taken apart for stock and for money."""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, structs

from entrepot import ids
from entrepot.catalogue import rules, told
from entrepot.catalogue.flows import numbers
from entrepot.catalogue.rules import Known, Limit, Need, Piece, PriceLine
from entrepot.db import queries
from entrepot.errors import Conflict, Missing, Refused
from entrepot.facts import Suite

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from entrepot.db import Row, Tx

_q = queries(__package__)
_HEAD = (
    "class_name", "brand_name", "aux_unit", "short_name", "barcode", "props", "remark", "label",
    "print_mode", "large_type", "weight", "retail_price", "wholesale_price", "member_price",
    "market_price",
)  # fmt: skip
_number_encoder = msgspec.json.Encoder(decimal_format="number")


Parts = dict[int, list[Need]]
"""What one of each suite takes, by the suite's article id."""


class Search(Struct, frozen=True, kw_only=True):
    """Which suites; what is None is not asked. ``part`` and ``goods_no`` name what they contain."""

    sku: str | None = None
    name: str | None = None
    class_name: str | None = None
    brand_name: str | None = None
    barcode: str | None = None
    part: str | None = None
    goods_no: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    offset: int = 0
    limit: int = 100


class PartShown(Struct, frozen=True, kw_only=True):
    """A part with all that is known of the article; without goods their fields are empty."""

    sku: str
    number: int
    num: Decimal
    is_fixed_price: bool
    fixed_price: Decimal
    ratio: Decimal
    retail_price: Decimal
    article_name: str
    name: str
    code: str
    barcode: str
    goods_id: int | None
    goods_no: str
    goods_name: str

    @property
    def price_line(self) -> PriceLine:
        """What decides its share of the suite's price."""
        return PriceLine(
            num=self.num,
            is_fixed_price=self.is_fixed_price,
            fixed_price=self.fixed_price,
            ratio=self.ratio,
            retail_price=self.retail_price,
        )


class Shown(Struct, frozen=True, kw_only=True):
    """A suite as people and partners see it."""

    id: int
    number: int
    suite: Suite
    parts: tuple[PartShown, ...]
    created_at: datetime
    changed_at: datetime


class Page(Struct, frozen=True, kw_only=True):
    """Some of the suites that were found, and how many there are altogether."""

    total: int
    suites: tuple[Shown, ...]


class Share(Struct, frozen=True, kw_only=True):
    """What falls on one part of a suite: pieces of it in one suite, and its share of the price."""

    sku: str
    qty: Decimal
    amount: Decimal


async def replace(tx: Tx, batch: Sequence[Suite]) -> list[int | Refused]:
    """Create or replace suites by SKU; return the small number of each, the same on every update.

    A label that does not exist becomes none. Of two that name one suite the last counts. What did not
    change is left alone, and nobody is told of it.
    """
    skus = {suite.sku for suite in batch} | {p.sku for suite in batch for p in suite.parts}
    articles = await known(tx, skus)
    labels = {row["name"] for row in await tx.rows(_q.labels)}
    outcomes: list[Refused | None] = []
    accepted: dict[str, tuple[Suite, bytes]] = {}
    for suite in batch:
        outcomes.append(rules.fault(suite, articles))
        if outcomes[-1] is None:
            kept = suite if suite.label in labels else structs.replace(suite, label="")
            accepted[suite.sku] = (kept, _digest(kept))
    changed = {
        sku: pair
        for sku, pair in accepted.items()
        if sku not in articles or articles[sku].digest != pair[1]
    }
    answers = {sku: articles[sku].number or 0 for sku in accepted if sku not in changed}
    answers |= await _save(tx, changed, articles)
    return [outcome or answers[suite.sku] for suite, outcome in zip(batch, outcomes, strict=True)]


async def search(tx: Tx, batch: Sequence[Search]) -> list[Page]:
    """Return a page of suites for each question, in the order in which they changed."""
    pages = []
    for asked in batch:
        rows = await tx.rows(
            _q.find_suites, asked.sku, asked.name, asked.class_name, asked.brand_name, asked.barcode,
            asked.part, asked.goods_no, asked.since, asked.until, asked.limit, asked.offset,
        )  # fmt: skip
        chosen = [row["id"] for row in rows if row["id"] is not None]
        pages.append(Page(total=rows[0]["total"], suites=await show(tx, chosen)))
    return pages


async def show(tx: Tx, suite_ids: Sequence[int]) -> tuple[Shown, ...]:
    """Return suites by id, in the order asked."""
    if not suite_ids:
        return ()
    suites = await told.whole(tx, suite_ids)
    parts: dict[int, list[PartShown]] = {suite_id: [] for suite_id in suites}
    for row in await tx.rows(_q.show_parts, list(suite_ids)):
        parts[row["suite_id"]].append(_part_shown(row))
    heads = {row["id"]: row for row in await tx.rows(_q.show_suites, list(suite_ids))}
    return tuple(
        Shown(
            id=suite_id,
            number=heads[suite_id]["number"],
            suite=suites[suite_id],
            parts=tuple(parts[suite_id]),
            created_at=heads[suite_id]["created_at"],
            changed_at=heads[suite_id]["changed_at"],
        )
        for suite_id in suite_ids
    )


async def named(tx: Tx, sku: str) -> Shown:
    """Return the suite with this SKU; raises Missing."""
    found = (await known(tx, {sku})).get(sku)
    if found is None or found.kind != rules.SUITE:
        raise Missing("unknown_suite", f"There is no suite {sku}.", sku=sku)
    return (await show(tx, [found.id]))[0]


async def split(tx: Tx, sku: str, price: Decimal) -> list[Share]:
    """Return how the price of one suite falls on its parts; raises Missing."""
    shown = await named(tx, sku)
    amounts = rules.split(price, [part.price_line for part in shown.parts])
    return [
        Share(sku=part.sku, qty=part.num, amount=amount)
        for part, amount in zip(shown.parts, amounts, strict=True)
    ]


async def availability(tx: Tx, suite_id: int, locations: Collection[str] = ()) -> Limit:
    """Return how many of a suite there are over these locations (none: all), and what limits it."""
    rows = await tx.rows(_q.suite_stock, suite_id, list(locations) or None)
    return rules.limit(
        [Piece(sku=row["sku"], num=row["num"], available=row["available"]) for row in rows]
    )


async def parts_of(tx: Tx, suite_ids: Collection[int]) -> Parts:
    """Return what one of each suite takes, by the suite's id; no statement where there are none."""
    needs: Parts = {}
    if suite_ids:
        for row in await tx.look(_q.parts, list(suite_ids)):
            need = Need(part_id=row["part_id"], num=row["num"])
            needs.setdefault(row["suite_id"], []).append(need)
    return needs


async def add_labels(tx: Tx, names: Collection[str]) -> list[str]:
    """Create labels that suites may bear, and return all there are."""
    await tx.do(_q.add_labels, sorted(set(names)))
    return await labels(tx)


async def labels(tx: Tx) -> list[str]:
    """Return the names of all labels."""
    return [row["name"] for row in await tx.rows(_q.labels)]


async def known(tx: Tx, skus: Collection[str]) -> dict[str, Known]:
    """Return articles by SKU as suites and goods ask for them; unknown ones are absent."""
    return {
        row["sku"]: Known(
            id=row["id"],
            kind=row["kind"],
            number=row["number"],
            digest=row["digest"],
            goods_no=row["goods_no"],
        )
        for row in await tx.rows(_q.known, list(skus))
    }


async def _save(
    tx: Tx, suites: dict[str, tuple[Suite, bytes]], articles: dict[str, Known]
) -> dict[str, int]:
    """Write what changed and tell of it; return the suites' numbers."""
    if not suites:
        return {}
    ordered = [suites[sku][0] for sku in sorted(suites)]
    fresh = await numbers(tx, "article", sum(suite.sku not in articles for suite in ordered))
    rows = await tx.rows(
        _q.lock_suites,
        ids.some(len(ordered)),
        [suite.sku for suite in ordered],
        [suite.name for suite in ordered],
        [suite.unit for suite in ordered],
        [None if suite.sku in articles else next(fresh) for suite in ordered],
    )
    locked = {row["sku"]: row for row in rows}
    for suite in ordered:
        if suite.sku not in locked:
            text = f"{suite.sku} became a single article a moment ago."
            raise Conflict("not_a_suite", text, sku=suite.sku)
    saved = [(locked[suite.sku]["id"], suite) for suite in ordered]
    heads = [
        {"article_id": suite_id, "digest": suites[suite.sku][1].hex()}
        | {name: getattr(suite, name) for name in _HEAD}
        for suite_id, suite in saved
    ]
    lines = [(suite_id, at, p) for suite_id, suite in saved for at, p in enumerate(suite.parts)]
    written = await tx.rows(
        _q.save_suites,
        _number_encoder.encode(heads).decode(),
        [suite_id for suite_id, _, _ in lines],
        [articles[part.sku].id for _, _, part in lines],
        [at for _, at, _ in lines],
        [part.num for _, _, part in lines],
        [part.is_fixed_price for _, _, part in lines],
        [part.fixed_price for _, _, part in lines],
        [part.ratio for _, _, part in lines],
        ids.some(len(saved)),
        [suite_id for suite_id, _ in saved],
    )
    new_parts: dict[int, list[int]] = {}
    for row in written:
        if row["added"]:
            new_parts.setdefault(row["suite_id"], []).append(row["part_id"])
    await told.suites(tx, [suite_id for suite_id, _ in saved], new_parts)
    return {sku: row["number"] for sku, row in locked.items()}


def _digest(suite: Suite) -> bytes:
    return hashlib.sha256(msgspec.json.encode(suite)).digest()


def _part_shown(row: Row) -> PartShown:
    return PartShown(
        sku=row["sku"],
        number=row["number"],
        num=row["num"],
        is_fixed_price=row["is_fixed_price"],
        fixed_price=row["fixed_price"],
        ratio=row["ratio"],
        retail_price=row["retail_price"],
        article_name=row["article_name"],
        name=row["name"] or "",
        code=row["code"] or "",
        barcode=row["barcode"] or "",
        goods_id=row["goods_id"],
        goods_no=row["goods_no"] or "",
        goods_name=row["goods_name"] or "",
    )
