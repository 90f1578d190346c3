"""Outlets: locations that ship orders, how they are served and chosen, and the pieces that lie there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from entrepot.api import naming, paging
from entrepot.api.batch import MOST
from entrepot.api.desk import Desk
from entrepot.api.operation import reads, writes
from entrepot.api.paging import Page, Paged
from entrepot.api.words import Body, Code, Count
from entrepot.db import Row, Tx, queries
from entrepot.dispatch import outlets

Group = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\u0000-\u001f]+$")]
PieceState = Literal["in_stock", "shipped"]
_q = queries(__package__)


class Outlet(Struct, frozen=True, kw_only=True):
    """A location as dispatch sees it.

    ``connection`` serves it (null: our own people do); a lower ``priority`` goes first; ``daily_capacity`` is
    notes a day (null: any number).
    """

    code: str
    name: str
    province: str
    city: str
    connection: str | None
    ships: bool
    paused: bool
    priority: int
    daily_capacity: int | None
    groups: list[str]


class OutletsFilter(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which locations, by code; ``ships`` false: those that ship no orders."""

    ships: bool | None = None
    connection: Code | None = None


class OutletWanted(Body, frozen=True, kw_only=True):
    """How a location (by code) ships; what is left out returns to its default."""

    code: Code
    connection: Code | None = None
    ships: bool = True
    paused: bool = False
    priority: Annotated[int, Meta(ge=0, le=1_000_000)] = 100
    daily_capacity: Count | None = None
    groups: Annotated[list[Group], Meta(max_length=100)] = []  # noqa: RUF012 - a struct's default is copied


class OutletsWanted(Body, frozen=True, kw_only=True):
    """Outlets to be set up: all of them or none. The last of repeated codes counts."""

    outlets: Annotated[list[OutletWanted], Meta(min_length=1, max_length=MOST)]


class OutletsSet(Struct, frozen=True, kw_only=True):
    """The outlets as they are now, by code."""

    outlets: list[Outlet]


class Piece(Struct, frozen=True, kw_only=True):
    """A piece by its code (件码), what it is, and where it lies or last lay."""

    code: str
    sku: str
    location: str
    state: PieceState
    changed_at: datetime


class PiecesFilter(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which pieces, by code."""

    code: Code | None = None
    sku: Code | None = None
    location: Code | None = None
    state: PieceState | None = None


class PieceWanted(Body, frozen=True, kw_only=True):
    """A piece that lies at a location."""

    code: Code
    sku: Code
    location: Code


class PiecesWanted(Body, frozen=True, kw_only=True):
    """Pieces to be registered: all of them or none. The last of repeated codes counts."""

    pieces: Annotated[list[PieceWanted], Meta(min_length=1, max_length=MOST)]


class PiecesKnown(Struct, frozen=True, kw_only=True):
    """The pieces as they are now, by code."""

    pieces: list[Piece]


@reads("/outlets", "locations")
async def list_outlets(tx: Tx, desk: Desk, query: OutletsFilter) -> Page[Outlet]:
    """List locations with how they ship, by code."""
    (after,) = paging.start(query, tuple[str]) or (None,)
    known = naming.connections(desk, [query.connection] if query.connection else [])
    chosen = known[query.connection] if query.connection else None
    found = await tx.rows(_q.outlets, after, query.limit + 1, query.ships, chosen, None)
    return paging.page(found, query, lambda row: (row["code"],), _outlet)


@writes("POST", "/outlets", "locations")
async def set_outlets(tx: Tx, desk: Desk, body: OutletsWanted) -> OutletsSet:
    """Say how locations ship: who serves them, how soon they are asked, how much they can do in a day."""
    known = naming.connections(desk, {o.connection for o in body.outlets if o.connection})
    new = {
        one.code: outlets.Outlet(
            code=one.code,
            connection_id=known[one.connection] if one.connection else None,
            ships=one.ships,
            paused=one.paused,
            priority=one.priority,
            daily_capacity=one.daily_capacity,
            groups=tuple(one.groups),
        )
        for one in body.outlets
    }
    await outlets.set_up(tx, list(new.values()))
    rows = await tx.rows(_q.outlets, None, len(new), None, None, list(new))
    return OutletsSet(outlets=[_outlet(row) for row in rows])


@reads("/pieces", "stock")
async def list_pieces(tx: Tx, desk: Desk, query: PiecesFilter) -> Page[Piece]:
    """List pieces by code."""
    del desk
    (after,) = paging.start(query, tuple[str]) or (None,)
    codes = None if query.code is None else [query.code]
    found = await tx.rows(
        _q.pieces, after, query.limit + 1, codes, query.sku, query.location, query.state
    )
    return paging.page(found, query, lambda row: (row["code"],), _piece)


@writes("POST", "/pieces", "stock")
async def register_pieces(tx: Tx, desk: Desk, body: PiecesWanted) -> PiecesKnown:
    """Register pieces, or put known ones that are in stock elsewhere; those that are out stay out."""
    del desk
    articles = await naming.articles(tx, {one.sku for one in body.pieces})
    places = await naming.locations(tx, {one.location for one in body.pieces})
    new = {
        one.code: outlets.Registered(
            code=one.code, article_id=articles[one.sku], location_id=places[one.location]
        )
        for one in body.pieces
    }
    await outlets.register(tx, new.values())
    rows = await tx.rows(_q.pieces, None, len(new), list(new), None, None, None)
    return PiecesKnown(pieces=[_piece(row) for row in rows])


def _outlet(row: Row) -> Outlet:
    return Outlet(**{name: row[name] for name in Outlet.__struct_fields__})


def _piece(row: Row) -> Piece:
    return Piece(**{name: row[name] for name in Piece.__struct_fields__})
