"""Suites (组合装): what they are made of, how many there are, how a price falls on their parts."""

from __future__ import annotations

import contextlib
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from entrepot import facts
from entrepot.api import paging, words
from entrepot.api.batch import MOST, Batch, batch
from entrepot.api.desk import Desk
from entrepot.api.operation import asks, reads, writes
from entrepot.api.paging import Page, Paged
from entrepot.api.words import Body, Code, Id, Words
from entrepot.catalogue import suites
from entrepot.catalogue.rules import AUTOMATIC, SUITE
from entrepot.db import Tx, queries
from entrepot.errors import Refused
from entrepot.money import ZERO, plain

_Text = Annotated[str, Meta(max_length=200)]
_q = queries(__package__)


class SuitePart(Struct, frozen=True, kw_only=True):
    """An article in a suite: how much of it, and its share of the price.

    ``fixed_price`` (per 1) null: the article's own; ``ratio`` null: by amount.
    """

    sku: str
    name: str
    num: Decimal
    is_fixed_price: bool
    fixed_price: Decimal | None
    ratio: Decimal | None
    retail_price: Decimal


class SuiteListed(Struct, frozen=True, kw_only=True):
    """A suite; ``number`` is its small id, the same on every update."""

    id: str
    number: int
    sku: str
    name: str
    class_name: str
    brand_name: str
    barcode: str
    retail_price: Decimal
    created_at: datetime
    changed_at: datetime
    parts: list[SuitePart]


class SuiteShown(SuiteListed, frozen=True, kw_only=True):
    """A suite with everything known of it, how many there are, and the part of which there is least."""

    unit: str
    aux_unit: str
    short_name: str
    props: list[str]
    remark: str
    label: str
    print_mode: int
    large_type: int
    weight: Decimal
    wholesale_price: Decimal
    member_price: Decimal
    market_price: Decimal
    available: int
    limited_by: str


class PartWanted(Body, frozen=True, kw_only=True):
    """How much of an article one suite takes, and its share of the price; null: worked out."""

    sku: Code
    num: Decimal
    is_fixed_price: bool = False
    fixed_price: Decimal | None = None
    ratio: Decimal | None = None


class SuiteWanted(Body, frozen=True, kw_only=True):
    """A suite as a whole: what is left out returns to its default, parts not named are taken out.

    ``print_mode``: 0 parts, 1 suite and parts, 2 suite; ``large_type``: 0 not bulky, 1 bulky, 2 bulky and
    sent alone.
    """

    sku: Code
    name: Words = ""
    parts: Annotated[list[PartWanted], Meta(max_length=200)]
    unit: _Text = ""
    class_name: _Text = ""
    brand_name: _Text = ""
    aux_unit: _Text = ""
    short_name: _Text = ""
    barcode: _Text = ""
    props: Annotated[list[_Text], Meta(max_length=6)] = []  # noqa: RUF012 - a struct's default is copied
    remark: Words = ""
    label: _Text = ""
    print_mode: Literal[0, 1, 2] = 0
    large_type: Literal[0, 1, 2] = 0
    weight: Decimal = ZERO
    retail_price: Decimal = ZERO
    wholesale_price: Decimal = ZERO
    member_price: Decimal = ZERO
    market_price: Decimal = ZERO


class SuitesWanted(Body, frozen=True, kw_only=True):
    """Suites to be saved."""

    suites: Annotated[list[SuiteWanted], Meta(min_length=1, max_length=MOST)]


class SuiteSaved(Struct, frozen=True, kw_only=True):
    """A suite that is saved; ``number`` is its small id."""

    sku: str
    number: int


class SuitesFilter(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which suites, by SKU; ``part`` is the SKU of something they contain."""

    sku: Annotated[tuple[Code, ...], Meta(max_length=100, description="These only.")] = ()
    part: Code | None = None


class PriceAsked(Body, frozen=True, kw_only=True):
    """The price of one suite."""

    sku: Code
    price: Decimal


class Share(Struct, frozen=True, kw_only=True):
    """Pieces of a part in one suite, and what of the price falls on them."""

    sku: str
    qty: Decimal
    amount: Decimal


class Shares(Struct, frozen=True, kw_only=True):
    """How a price falls on the parts; the amounts add up to it."""

    shares: list[Share]


class Labels(Struct, frozen=True, kw_only=True):
    """The labels that suites may bear."""

    labels: list[str]


class LabelsWanted(Body, frozen=True, kw_only=True):
    """Labels to be added."""

    labels: Annotated[list[Code], Meta(min_length=1, max_length=MOST)]


class _Undone(Exception):
    """Ends the savepoint of a dry run."""


@reads("/suites", "suites")
async def list_suites(tx: Tx, desk: Desk, query: SuitesFilter) -> Page[SuiteListed]:
    """List suites by SKU."""
    del desk
    (after,) = paging.start(query, tuple[str]) or (None,)
    rows = await tx.rows(_q.suites, after, query.limit + 1, list(query.sku) or None, query.part)
    found = await suites.show(tx, [row["id"] for row in rows])
    return paging.page(found, query, lambda one: (one.suite.sku,), _listed)


@reads("/suites/labels", "suites")
async def list_labels(tx: Tx, desk: Desk) -> Labels:
    """List the labels that suites may bear."""
    del desk
    return Labels(labels=await suites.labels(tx))


@reads("/suites/{id}", "suites", tagged=True)
async def show_suite(tx: Tx, desk: Desk, id: Id) -> SuiteShown:  # noqa: A002 - the path's word
    """Show one suite, how many there are over all locations, and what limits it."""
    del desk
    number = words.number(id, "suite")
    row = await tx.row(_q.article, number)
    if row is None or row["kind"] != SUITE:
        raise words.missing("suite", id)
    (found,) = await suites.show(tx, [number])
    limit = await suites.availability(tx, number)
    suite = found.suite
    return SuiteShown(
        **msgspec.structs.asdict(_listed(found)),
        **{name: getattr(suite, name) for name in ("unit", "aux_unit", "short_name", "remark")},
        **{name: getattr(suite, name) for name in ("label", "print_mode", "large_type")},
        props=list(suite.props),
        weight=plain(suite.weight),
        wholesale_price=plain(suite.wholesale_price),
        member_price=plain(suite.member_price),
        market_price=plain(suite.market_price),
        available=limit.available,
        limited_by=limit.part,
    )


@writes("POST", "/suites", "suites", several=True)
async def save_suites(tx: Tx, desk: Desk, body: SuitesWanted) -> Batch[SuiteSaved]:
    """Create suites, or replace those whose SKUs are known; a refused one harms no other."""
    del desk
    return await _saved(tx, body)


@asks("/suites/dry-run", "suites", several=True)
async def rehearse_suites(tx: Tx, desk: Desk, body: SuitesWanted) -> Batch[SuiteSaved]:
    """Say what would come of saving suites; nothing is changed."""
    del desk
    outcomes: list[Batch[SuiteSaved]] = []
    with contextlib.suppress(_Undone):
        async with tx.savepoint():
            outcomes.append(await _saved(tx, body))
            _undo()
    return outcomes[0]


@asks("/suites/split", "suites")
async def split_price(tx: Tx, desk: Desk, body: PriceAsked) -> Shares:
    """Show how the price of one suite falls on its parts."""
    del desk
    found = await suites.split(tx, body.sku, body.price)
    return Shares(
        shares=[Share(sku=one.sku, qty=plain(one.qty), amount=plain(one.amount)) for one in found]
    )


@writes("POST", "/suites/labels", "suites")
async def add_labels(tx: Tx, desk: Desk, body: LabelsWanted) -> Labels:
    """Add labels that suites may bear; return all there are."""
    del desk
    return Labels(labels=await suites.add_labels(tx, body.labels))


def _undo() -> None:
    raise _Undone


async def _saved(tx: Tx, body: SuitesWanted) -> Batch[SuiteSaved]:
    outcomes = await suites.replace(tx, [_suite(one) for one in body.suites])
    named = [
        outcome if isinstance(outcome, Refused) else SuiteSaved(sku=one.sku, number=outcome)
        for one, outcome in zip(body.suites, outcomes, strict=True)
    ]
    return batch(named, lambda saved: saved)


def _suite(one: SuiteWanted) -> facts.Suite:
    fields: dict[str, Any] = msgspec.structs.asdict(one)
    fields["parts"] = tuple(
        facts.SuitePart(
            sku=part.sku,
            num=part.num,
            is_fixed_price=part.is_fixed_price,
            fixed_price=AUTOMATIC if part.fixed_price is None else part.fixed_price,
            ratio=AUTOMATIC if part.ratio is None else part.ratio,
        )
        for part in one.parts
    )
    fields["props"] = (*one.props, *("" for _ in range(6 - len(one.props))))
    return facts.Suite(**fields)


def _listed(found: suites.Shown) -> SuiteListed:
    suite = found.suite
    return SuiteListed(
        id=str(found.id),
        number=found.number,
        sku=suite.sku,
        name=suite.name,
        class_name=suite.class_name,
        brand_name=suite.brand_name,
        barcode=suite.barcode,
        retail_price=plain(suite.retail_price),
        created_at=found.created_at,
        changed_at=found.changed_at,
        parts=[_part(part) for part in found.parts],
    )


def _part(part: suites.PartShown) -> SuitePart:
    return SuitePart(
        sku=part.sku,
        name=part.article_name,
        num=plain(part.num),
        is_fixed_price=part.is_fixed_price,
        fixed_price=None if part.fixed_price == AUTOMATIC else plain(part.fixed_price),
        ratio=None if part.ratio == AUTOMATIC else plain(part.ratio),
        retail_price=plain(part.retail_price),
    )
