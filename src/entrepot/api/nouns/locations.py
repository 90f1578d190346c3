"""Locations: the warehouses, depots and outlets that hold stock."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from entrepot.api import paging, words
from entrepot.api.batch import MOST
from entrepot.api.desk import Desk
from entrepot.api.operation import reads, writes
from entrepot.api.paging import Page, Paged
from entrepot.api.words import Body, Code, Id, Words
from entrepot.db import Row, Tx, queries
from entrepot.stock import flows

_q = queries(__package__)


class Location(Struct, frozen=True, kw_only=True):
    """A place that holds stock; province and city as people write them."""

    id: str
    code: str
    name: str
    province: str
    city: str


class NewLocation(Body, frozen=True, kw_only=True):
    """A location as it is created, or renamed where its code is known."""

    code: Code
    name: Words = ""
    province: Annotated[str, Meta(max_length=100)] = ""
    city: Annotated[str, Meta(max_length=100)] = ""


class NewLocations(Body, frozen=True, kw_only=True):
    """Locations to be saved: all of them or none."""

    locations: Annotated[list[NewLocation], Meta(min_length=1, max_length=MOST)]


class SavedLocation(Struct, frozen=True, kw_only=True):
    """A location that was saved, by its code."""

    id: str
    code: str


class SavedLocations(Struct, frozen=True, kw_only=True):
    """The locations saved, by code."""

    locations: list[SavedLocation]


class LocationsWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which locations, by code."""

    code: Annotated[tuple[Code, ...], Meta(max_length=100, description="These only.")] = ()


@reads("/locations", "locations")
async def list_locations(tx: Tx, desk: Desk, query: LocationsWanted) -> Page[Location]:
    """List locations by code."""
    del desk
    (after,) = paging.start(query, tuple[str]) or (None,)
    found = await tx.rows(_q.locations, after, query.limit + 1, list(query.code) or None)
    return paging.page(found, query, lambda row: (row["code"],), _location)


@reads("/locations/{id}", "locations", tagged=True)
async def show_location(tx: Tx, desk: Desk, id: Id) -> Location:  # noqa: A002 - the path's word
    """Show one location."""
    del desk
    row = await tx.row(_q.location, words.number(id, "location"))
    if row is None:
        raise words.missing("location", id)
    return _location(row)


@writes("POST", "/locations", "locations")
async def save_locations(tx: Tx, desk: Desk, body: NewLocations) -> SavedLocations:
    """Create locations, or rename those whose codes are known.

    The last of repeated codes counts.
    """
    del desk
    places = [
        flows.Location(code=one.code, name=one.name, province=one.province, city=one.city)
        for one in body.locations
    ]
    await flows.add_locations(tx, places)
    found = await flows.locations(tx, {place.code for place in places})
    saved = [SavedLocation(id=str(found[code]), code=code) for code in sorted(found)]
    return SavedLocations(locations=saved)


def _location(row: Row) -> Location:
    return Location(
        id=str(row["id"]),
        code=row["code"],
        name=row["name"],
        province=row["province"],
        city=row["city"],
    )
