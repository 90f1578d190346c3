"""Listings: what the connections call our articles."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from entrepot.api import naming, paging
from entrepot.api.batch import MOST, Batch, batch
from entrepot.api.desk import Desk
from entrepot.api.operation import reads, writes
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import SAID, Body, Code
from entrepot.catalogue import flows, listings
from entrepot.connections.flows import audit
from entrepot.db import Row, Tx, queries
from entrepot.errors import BadInput, Missing, Refused

_q = queries(__package__)


class Listing(Struct, frozen=True, kw_only=True):
    """One thing on sale at a partner's, and the article that it is."""

    id: str
    connection: str
    type: str
    key: str
    sku: str


class NewListing(Body, frozen=True, kw_only=True):
    """A listing as it is created, or pointed at another article where it is known.

    ``type`` and ``key`` are the partner's words for it.
    """

    connection: Code
    type: Annotated[str, Meta(max_length=50)]
    key: Code
    sku: Code


class NewListings(Body, frozen=True, kw_only=True):
    """Listings to be saved: all of them or none."""

    listings: Annotated[list[NewListing], Meta(min_length=1, max_length=MOST)]


class Saved(Struct, frozen=True, kw_only=True):
    """How many rows were sent and saved."""

    saved: int


class ListingNamed(Body, frozen=True, kw_only=True):
    """A listing by the partner's words for it."""

    connection: Code
    type: Annotated[str, Meta(max_length=50)]
    key: Code


class ListingsRemoved(Body, frozen=True, kw_only=True):
    """Listings that are to go, and why; the partner is told no more of them."""

    listings: Annotated[list[ListingNamed], Meta(min_length=1, max_length=MOST)]
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=SAID)]


class Removed(Struct, frozen=True, kw_only=True):
    """The article whose listing is gone."""

    sku: str


class ListingsWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which listings, in the order of their making."""

    connection: Code | None = None
    sku: Code | None = None
    key: Code | None = None


@reads("/listings", "listings")
async def list_listings(tx: Tx, desk: Desk, query: ListingsWanted) -> Page[Listing]:
    """List listings."""
    known = naming.connections(desk, [query.connection] if query.connection else [])
    chosen = known[query.connection] if query.connection else None
    after = paging.start(query, tuple[Number, Number]) or (None, None)
    found = await tx.rows(_q.listings, *after, query.limit + 1, chosen, query.sku, query.key)
    return paging.page(found, query, lambda row: (row["connection_id"], row["id"]), _listing)


@writes("POST", "/listings", "listings")
async def save_listings(tx: Tx, desk: Desk, body: NewListings) -> Saved:
    """Create listings, or point those that are known at another article."""
    known = naming.connections(desk, {one.connection for one in body.listings})
    for at, one in enumerate(body.listings):
        role = desk.hub.registry.named(desk.caller.tenant_id, one.connection).role
        if fault := role.misnamed(one.type, one.key):
            raise BadInput("misnamed", f"{one.connection}: {fault}.", path=f"listings[{at}]")
    articles = await naming.articles(tx, {one.sku for one in body.listings})
    fresh = [
        flows.Listing(
            connection_id=known[one.connection],
            type=one.type,
            key=one.key,
            article_id=articles[one.sku],
        )
        for one in body.listings
    ]
    await flows.add_listings(tx, fresh)
    return Saved(saved=len(fresh))


@writes("POST", "/listings/remove", "listings", several=True)
async def remove_listings(tx: Tx, desk: Desk, body: ListingsRemoved) -> Batch[Removed]:
    """Take listings away; who did and why is audited. What partners' documents name so is unknown then."""
    known = naming.connections(desk, {one.connection for one in body.listings})
    outcomes: list[str | Refused] = []
    for one in body.listings:
        sku = await listings.unlist(tx, known[one.connection], one.type, one.key)
        if sku is None:
            text = f"{one.connection} has no listing {one.type} {one.key}."
            outcomes.append(Missing("unknown_listing", text))
            continue
        details = {"connection": one.connection, "name": f"{one.type} {one.key}"}
        await audit(tx, desk.who, "listing remove", sku, details=details, reason=body.reason)
        outcomes.append(sku)
    return batch(outcomes, lambda sku: Removed(sku=sku))


def _listing(row: Row) -> Listing:
    return Listing(
        id=str(row["id"]),
        connection=row["connection"],
        type=row["type"],
        key=row["key"],
        sku=row["sku"],
    )
