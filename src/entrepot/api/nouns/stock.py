"""Stock: what lies where and is promised, why, and how it is counted, moved and kept back."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from entrepot import money
from entrepot.api import naming, paging
from entrepot.api.batch import MOST
from entrepot.api.desk import Desk
from entrepot.api.operation import reads, writes
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import Body, Code, Count, Pieces
from entrepot.db import Row, Tx, queries
from entrepot.stock import flows, safety, transfers
from entrepot.stock.views import Standing

_q = queries(__package__)


class Movement(Struct, frozen=True, kw_only=True):
    """Why a balance is what it is: pieces (and grams) that came or went, and how many lay there then."""

    id: str
    at: datetime
    sku: str
    location: str
    kind: str
    delta: int
    on_hand: int
    weight_delta: Decimal
    document: str
    who: str


class LevelsWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which balances, by SKU and location."""

    sku: Annotated[tuple[Code, ...], Meta(max_length=100, description="Of these only.")] = ()
    location: Code | None = None


class MovementsWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which movements, newest first."""

    sku: Code | None = None
    location: Code | None = None
    document: Code | None = None
    since: Annotated[datetime, Meta(tz=True)] | None = None
    until: Annotated[datetime, Meta(tz=True)] | None = None


class Counted(Body, frozen=True, kw_only=True):
    """What was found to lie somewhere. ``weight`` is of all pieces; without it the weight per piece stays."""

    sku: Code
    location: Code
    on_hand: Count
    weight: Decimal | None = None


class Stocktake(Body, frozen=True, kw_only=True):
    """What was counted: all of it is booked or none. The last of repeated places counts."""

    counts: Annotated[list[Counted], Meta(min_length=1, max_length=MOST)]


class Transferred(Body, frozen=True, kw_only=True):
    """Pieces that go from one location to another."""

    sku: Code
    source: Code
    target: Code
    qty: Pieces


class Transfers(Body, frozen=True, kw_only=True):
    """What goes elsewhere: all of it or nothing. ``document`` is written into the ledger."""

    transfers: Annotated[list[Transferred], Meta(min_length=1, max_length=MOST)]
    document: Annotated[str, Meta(max_length=200)] = ""


class KeptBack(Body, frozen=True, kw_only=True):
    """Pieces of an article that are never promised at a location."""

    sku: Code
    location: Code
    safety: Count


class SafetyStocks(Body, frozen=True, kw_only=True):
    """What is kept back: all of it is set or none."""

    safety: Annotated[list[KeptBack], Meta(min_length=1, max_length=MOST)]


class Levels(Struct, frozen=True, kw_only=True):
    """The balances that were touched, by SKU and location."""

    levels: list[Standing]


@reads("/stock/levels", "stock")
async def list_levels(tx: Tx, desk: Desk, query: LevelsWanted) -> Page[Standing]:
    """List balances: pieces on hand, reserved and kept back; available is what remains."""
    del desk
    after = paging.start(query, tuple[str, str]) or (None, None)
    found = await tx.rows(
        _q.levels, *after, query.limit + 1, list(query.sku) or None, query.location
    )
    return paging.page(found, query, lambda row: (row["sku"], row["location"]), _standing)


@reads("/stock/movements", "stock")
async def list_movements(tx: Tx, desk: Desk, query: MovementsWanted) -> Page[Movement]:
    """List the ledger, newest first."""
    del desk
    at, number = paging.start(query, tuple[datetime, Number]) or (query.until, None)
    found = await tx.rows(
        *(_q.movements, paging.utc(at), number, query.limit + 1, query.since),
        *(query.sku, query.location, query.document),
    )
    return paging.page(found, query, lambda row: (row["at"], row["id"]), _movement)


@writes("POST", "/stock/stocktakes", "stock")
async def take_stock(tx: Tx, desk: Desk, body: Stocktake) -> Levels:
    """Set balances to what was counted; the ledger gets the difference.

    A count may go below what is reserved. Suites have no stock of their own.
    """
    articles = await naming.articles(tx, {one.sku for one in body.counts})
    places = await naming.locations(tx, {one.location for one in body.counts})
    counts = [
        flows.Count(
            article_id=articles[one.sku],
            location_id=places[one.location],
            on_hand=one.on_hand,
            weight=one.weight,
            who=desk.who,
        )
        for one in body.counts
    ]
    await flows.count(tx, counts)
    return await _touched(tx, {(one.sku, one.location) for one in body.counts})


@writes("POST", "/stock/transfers", "stock")
async def transfer_stock(tx: Tx, desk: Desk, body: Transfers) -> Levels:
    """Move pieces on hand between locations; what is reserved stays reserved where it was."""
    articles = await naming.articles(tx, {one.sku for one in body.transfers})
    ends = {(one.sku, place) for one in body.transfers for place in (one.source, one.target)}
    places = await naming.locations(tx, {place for _, place in ends})
    moved = [
        transfers.Transfer(
            article_id=articles[one.sku],
            source_id=places[one.source],
            target_id=places[one.target],
            qty=one.qty,
            document=body.document,
            who=desk.who,
        )
        for one in body.transfers
    ]
    await transfers.transfer(tx, moved)
    return await _touched(tx, ends)


@writes("PUT", "/stock/safety", "stock")
async def set_safety(tx: Tx, desk: Desk, body: SafetyStocks) -> Levels:
    """Set how many pieces are kept back; what channels see follows."""
    articles = await naming.articles(tx, {one.sku for one in body.safety})
    places = await naming.locations(tx, {one.location for one in body.safety})
    kept = [
        safety.Safety(
            article_id=articles[one.sku], location_id=places[one.location], pieces=one.safety
        )
        for one in body.safety
    ]
    await safety.keep_back(tx, kept, who=desk.who)
    return await _touched(tx, {(one.sku, one.location) for one in body.safety})


async def _touched(tx: Tx, pairs: set[tuple[str, str]]) -> Levels:
    wanted = sorted(pairs)
    rows = await tx.rows(_q.levels_of, [sku for sku, _ in wanted], [place for _, place in wanted])
    return Levels(levels=[_standing(row) for row in rows])


def _standing(row: Row) -> Standing:
    return Standing(
        sku=row["sku"],
        location=row["location"],
        on_hand=row["on_hand"],
        reserved=row["reserved"],
        safety=row["safety"],
        available=row["on_hand"] - row["reserved"] - row["safety"],
        weight=money.plain(row["weight"]),
    )


def _movement(row: Row) -> Movement:
    return Movement(
        id=str(row["id"]),
        at=row["at"],
        sku=row["sku"],
        location=row["location"],
        kind=row["kind"],
        delta=row["delta"],
        on_hand=row["on_hand"],
        weight_delta=money.plain(row["weight_delta"]),
        document=row["document"],
        who=row["who"],
    )
